/* SPDX-License-Identifier: BSD-2-Clause */
/* Where nothing gets a CPU out of. */
#ifndef BATON_HANDOFF_HALTED_H
#define BATON_HANDOFF_HALTED_H

#include "machine/machine.h"

/**
 * halted_cpu() - it goes round between wfi, wfe and branches that are always taken, and
 * every interrupt is masked. False where that is not known.
 */
bool halted_cpu(struct machine *m, unsigned int cpu);

/** halted_masked() - no interrupt takes the CPU away from where it is. */
bool halted_masked(struct machine *m, unsigned int cpu);

#endif
