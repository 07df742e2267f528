/* SPDX-License-Identifier: BSD-2-Clause */
/* How the rows of system registers are written, and those that sysreg_high.c has. */
#ifndef BATON_MMU_SYSREG_ROWS_H
#define BATON_MMU_SYSREG_ROWS_H

#include "mmu/field.h"

/* clang-format off */
#define F(n, l, w)    { .name = n, .lsb = l, .width = w }
#define H(n, l, w)    { .name = n, .lsb = l, .width = w, .hex = true }
#define V(n, l, w, v) { .name = n, .lsb = l, .width = w, .values = v }
#define S(n, l, w, f) { .name = n, .lsb = l, .width = w, .say = f }
#define B(n, l, s, u) { .name = n, .lsb = l, .width = 1, .set = s, .unset = u }
#define END           { .name = NULL }
/* clang-format on */

/* Shared between registers. */
extern const struct pt_value sysreg_share[], sysreg_pa_size[];

extern const struct pt_field sysreg_hcr[], sysreg_scr[], sysreg_hpfar[], sysreg_par[],
	sysreg_mmfr0[], sysreg_mmfr1[], sysreg_mmfr2[];

#endif
