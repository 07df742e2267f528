// SPDX-License-Identifier: BSD-2-Clause
#include "zoo.h"

const struct defect defects[] = {
	{ "lvl0-upper-zero", "TTBR1_EL1's level-0 table is empty: the jump to the kernel aborts",
	  .where = "boot_lvl0_upper", .offset = 511 * 8, .old = "boot_lvl1_upper+3",
	  .new = "0000000000000000" },
	{ "el1-stack-pop", "el1_mmu_disable pops four registers after pushing two",
	  /* isb; ldp x29, x30 becomes ldp x27, x28; ldp x29, x30: both from [sp], #16 */
	  .where = "el1_mmu_disable", .offset = 0x28, .old = "d5033fdf a8c17bfd",
	  .new = "a8c173fb a8c17bfd" },
	{ "kernel-entry-udf", "the kernel that is copied begins with an undefined instruction",
	  .where = "region 0", .offset = 0, .old = "d53b4226", .new = "00000000" },
	{ 0 },
};
