/* SPDX-License-Identifier: BSD-2-Clause */
/* Injection into machines that are doing something else, and a TLB that is known to be stale. */
#ifndef BATON_TESTS_INJECT_SOAK_H
#define BATON_TESTS_INJECT_SOAK_H

#include "bench.h"

#include <stdbool.h>

struct guest {
	const char *name;
	const char *const *args; /* QEMU's */
	const char *marker;	 /* the line of its console that ends it */
	int skip_ms;		 /* so long it runs undisturbed at first */
	bool big;		 /* its memory is compared now and then, not all of it each time */
	bool kvm;		 /* through the shim of tests/kvm */
};

/** soak() - @count injections into @g as it runs, nothing left of any, and it ends well. */
void soak(const struct guest *g, unsigned int count);
/** stale() - a TLB that is stale for certain: tlb-check says so, and each refresh works. */
void stale(void);

#endif
