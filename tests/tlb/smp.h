/* SPDX-License-Identifier: BSD-2-Clause */
/* A running guest of four CPUs (smp.S) behind baton's commands. */
#ifndef BATON_TESTS_TLB_SMP_H
#define BATON_TESTS_TLB_SMP_H

#include "../inject/bench.h"

#include "monitor/command.h"

#include <stdbool.h>

#define CPUS 4

extern struct smp {
	struct bench b;
	struct context ctx;
	struct buf out; /* of the last command */
	uint64_t reports;
	const char *way; /* "EL1", for the names of tests */
	unsigned int el;
} s;

/** guest_start() - it has gone round, all CPUs stand in its text. */
void guest_start(const char *way, unsigned int el, bool kvm);
void guest_end(void);

/** command() - its exit status. does() - true if that is 0, else it is shown. */
int command(const char *line);
bool does(const char *line);

/** refuse() - what must not be done is not, and says why. */
void refuse(void);

#endif
