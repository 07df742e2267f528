/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BATON_HANDOFF_FIELDS_H
#define BATON_HANDOFF_FIELDS_H

#include "mmu/sysreg.h"

/**
 * fields_changed() - append what differs between two values of a register: "sets M, C;
 * clears A; T0SZ 16 (48-bit input), SH0 inner shareable", or nothing. What a field was is
 * left out where all of the register was 0. Bits without a name are not told.
 */
void fields_changed(const struct sysreg *s, uint64_t before, uint64_t after, struct buf *out);

#endif
