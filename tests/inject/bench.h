/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU of one's own with baton's machine before it. */
#ifndef BATON_TESTS_INJECT_BENCH_H
#define BATON_TESTS_INJECT_BENCH_H

#include "../tap.h"
#include "machine/live.h"
#include "spawn.h"

#include <stdint.h>

/* One QEMU. */
struct bench {
	struct child child;
	pid_t shim; /* 0: none */
	struct loop loop;
	struct live live;
	char console[64];
	uint64_t random; /* a fixed seed */
};

void bench_start(struct bench *b, const char *const *args);
/** bench_start_kvm() - through the shim of tests/kvm, which makes it KVM. */
void bench_start_kvm(struct bench *b, const char *const *args);
void bench_end(struct bench *b);
uint64_t bench_random(struct bench *b);
/** bench_resume() - all CPUs for about @ms. */
void bench_resume(struct bench *b, int ms);
/** bench_count() - lines of the console with @text in them. */
unsigned int bench_count(const struct bench *b, const char *text);

#endif
