/* SPDX-License-Identifier: BSD-2-Clause */
/* Injection into machines that are doing something else, and a TLB that is known to be stale. */
#ifndef BATON_TESTS_INJECT_SOAK_H
#define BATON_TESTS_INJECT_SOAK_H

#include "machine/live.h"
#include "spawn.h"

#include <stdbool.h>
#include <stdint.h>

struct guest {
	const char *name;
	const char *const *args; /* QEMU's */
	const char *marker;	 /* the line of its console that ends it */
	int skip_ms;		 /* so long it runs undisturbed at first */
	bool big;		 /* its memory is compared now and then, not all of it each time */
};

/* One QEMU. */
struct bench {
	struct child child;
	struct loop loop;
	struct live live;
	char console[64];
	uint64_t random; /* a fixed seed */
};

void bench_start(struct bench *b, const char *const *args);
void bench_end(struct bench *b);
uint64_t bench_random(struct bench *b);
/** bench_resume() - all CPUs for about @ms. */
void bench_resume(struct bench *b, int ms);
/** bench_count() - lines of the console with @text in them. */
unsigned int bench_count(const struct bench *b, const char *text);

/** soak() - @count injections into @g as it runs, nothing left of any, and it ends well. */
void soak(const struct guest *g, unsigned int count);
/** stale() - a TLB that is stale for certain: tlb-check says so, and each refresh works. */
void stale(void);

/** tap() - one test. die() - no sense in going on. */
void tap(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
