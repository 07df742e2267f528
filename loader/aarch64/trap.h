/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BATON_LOADER_TRAP_H
#define BATON_LOADER_TRAP_H

#include <stdint.h>

/* vectors.S writes this. */
struct trap_frame {
	uint64_t x[31];
	uint64_t sp; /* of the level that took the exception; the interrupted program's: trap.c */
	uint64_t elr, spsr, esr, far;
	uint64_t busy; /* how often the handler was entered and not left */
	uint64_t pad;
};

/** trap_handler() - returns only where the trapped call has been given a result. */
void trap_handler(struct trap_frame *frame, uint64_t kind);
/** trap_nested() - one line on an exception of trap_handler()'s own. */
void trap_nested(const struct trap_frame *frame);

#endif
