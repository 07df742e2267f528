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

	/* Copying: image_header is struct baton_image_header, regions of 32 bytes behind it. */
	{ "copy-short", "only half of region 3, the task, is copied", .where = "image_header",
	  .offset = 64 + 3 * 32 + 8, .old = "0000000000008000", .new = "0000000000004000" },
	{ "copy-elsewhere", "region 0, the kernel's text, is copied to 2 MiB behind its place",
	  .where = "image_header", .offset = 64, .old = "0000000040000000",
	  .new = "0000000040200000" },

	/* The MMU. */
	{ "mmu-no-mair", "el1_mmu_enable does not write MAIR_EL1: all memory is a device",
	  .where = "el1_mmu_enable", .offset = 0x38, .old = "d518a205", .new = "d503201f" },
	{ "mmu-no-identity",
	  "TTBR0_EL1's level-0 table is empty: so is the world once the MMU is on",
	  .where = "boot_lvl0_lower", .old = "boot_lvl1_lower+3", .new = "0000000000000000" },
	{ "mmu-secondary-tables", "el1_mmu_enable gives CPU n a TTBR1_EL1 that is n pages off",
	  /* msr ttbr1_el1, x8; isb; tlbi vmalle1; ic iallu becomes
	     mrs x3, tpidr_el1; add x8, x8, x3, lsl #12; msr ttbr1_el1, x8; isb */
	  .where = "el1_mmu_enable", .offset = 0x44, .old = "d5182028 d5033fdf d508871f d508751f",
	  .new = "d538d083 8b033108 d5182028 d5033fdf" },
	{ "mmu-secondary-identity", "el1_mmu_enable gives CPU n a TTBR0_EL1 that is n pages off",
	  /* msr ttbr0_el1, x7; the same; becomes mrs x3, tpidr_el1; add x7, x7, x3, lsl #12; ... */
	  .where = "el1_mmu_enable", .offset = 0x40,
	  .old = "d5182007 d5182028 d5033fdf d508871f d508751f",
	  .new = "d538d083 8b0330e7 d5182007 d5182028 d5033fdf" },

	/* PSCI and the other CPUs: board is struct baton_image_board. */
	{ "psci-none", "there is no PSCI for the board", .where = "board", .offset = 112,
	  .old = "00000000", .new = "00000003" },
	{ "psci-hvc", "PSCI is by hvc for the board", .where = "board", .offset = 112,
	  .old = "00000000", .new = "00000001" },
	{ "psci-smc", "PSCI is by smc for the board", .where = "board", .offset = 112,
	  .old = "00000000", .new = "00000002" },
	{ "psci-liar", "psci_hvc says success and does not ask: mov x0, xzr", .where = "psci_hvc",
	  .old = "d4000002", .new = "aa1f03e0" },
	{ "psci-no-such-cpu", "CPU 1 has an affinity that is nobody's", .where = "cpu_mpidr",
	  .offset = 8, .old = "0000000000000001", .new = "0000000000000100" },
	{ "psci-same-cpu", "CPU 2 has the affinity of CPU 1", .where = "cpu_mpidr", .offset = 16,
	  .old = "0000000000000002", .new = "0000000000000001" },
	{ "secondary-stack", "secondary_start makes a stack of the CPU's number: mov sp, x0",
	  .where = "secondary_start", .offset = 0x20, .old = "927cec3f", .new = "9100001f" },
	{ "secondary-vectors", "secondary_start installs no vectors", .where = "secondary_start",
	  .offset = 0xc, .old = "bl:vectors_install", .new = "d503201f" },

	/* The jump. */
	{ "jump-register", "kernel_jump takes x0, the task's start, for the entry: br x0",
	  .where = "kernel_jump", .offset = 0x18, .old = "d61f0100", .new = "d61f0000" },
	{ "jump-physical", "the header's entry is the kernel's physical address",
	  .where = "image_header", .offset = 16, .old = "ffffff8040000000",
	  .new = "0000000040000000" },
	{ "jump-secondary", "kernel_jump takes CPU n to n GiB behind the entry",
	  /* msr daifset, #15; isb becomes mrs x9, tpidr_el1; add x8, x8, x9, lsl #30 */
	  .where = "kernel_jump", .offset = 0x10, .old = "d5034fdf d5033fdf",
	  .new = "d538d089 8b097908" },
	{ 0 },
};
