/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot tables. baton-mkimage fills them, because it knows the kernel; here
 * they get a place, and names and a type for a debugger:
 * (gdb) set var boot_lvl0_upper[0x1ff] = 0x7000b003
 */
#include "baton/vmsa_a64.h"
#include "loader.h"

#define BOOT_TABLE(name)                    \
	extern uint64_t name[VMSA_ENTRIES]; \
	__attribute__((section(".tables"), aligned(4096))) uint64_t name[VMSA_ENTRIES]

/* The kernel: TTBR1 at EL1; at EL2 level 1 hangs from boot_lvl0_lower. */
BOOT_TABLE(boot_lvl2_upper);
BOOT_TABLE(boot_lvl1_upper);
BOOT_TABLE(boot_lvl0_upper);
/* TTBR0: the loader and the console where they are; at EL2 the kernel as well. */
BOOT_TABLE(boot_lvl2_lower);
BOOT_TABLE(boot_lvl1_lower);
BOOT_TABLE(boot_lvl0_lower);
