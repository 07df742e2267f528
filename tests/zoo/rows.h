/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rows are made of. Addresses are by symbol and instructions are found, so that a row fits
 * whatever compiler built the loader: tests/zoo/run tries them on several builds.
 */
#ifndef ZOO_ROWS_H
#define ZOO_ROWS_H

#include "zoo.h"

#define AT(where, offset, old, new)     \
	{                               \
		where, offset, old, new \
	}
#define NOTHING "0000000000000000"

/* el1_mmu_enable: x5 to x8 are MAIR, TCR, TTBR0, TTBR1. @insn changes one of them; the isb goes. */
#define WITH(insn)                                                                 \
	AT("el1_mmu_enable", FIND, "d518a205 d5182046 d5182007 d5182028 d5033fdf", \
	   insn " d518a205 d5182046 d5182007 d5182028")
/* el2_mmu_enable: x5 to x7 are MAIR, TCR, TTBR0. */
#define WITH_EL2(insn)                                                    \
	AT("el2_mmu_enable", FIND, "d51ca205 d51c2046 d51c2007 d5033fdf", \
	   insn " d51ca205 d51c2046 d51c2007")

#define UPPER0(new) AT("boot_lvl0_upper", 511 * 8, "boot_lvl1_upper+3", new)
#define UPPER1(new) AT("boot_lvl1_upper", 1 * 8, "boot_lvl2_upper+3", new)
#define UPPER2(new) AT("boot_lvl2_upper", 0, "0000000040000711", new)
#define LOWER0(new) AT("boot_lvl0_lower", 0, "boot_lvl1_lower+3", new)
#define LOWER1(new) AT("boot_lvl1_lower", 1 * 8, "boot_lvl2_lower+3", new)
#define LOWER2(new) AT("boot_lvl2_lower", 384 * 8, "0000000070000711", new)
#define DEVICE(new) AT("boot_lvl1_lower", 0, "0060000000000601", new)

/* boot_lvlN_upper's entries for the kernel */
#define D0 "level 0, index 511, descriptor {boot_lvl0_upper+ff8}"
#define D1 "level 1, index 1, descriptor {boot_lvl1_upper+8}"
#define D2 "level 2, index 0, descriptor {boot_lvl2_upper}"
/* boot_lvlN_lower's entries for the loader */
#define I0 "level 0, index 0, descriptor {boot_lvl0_lower}"
#define I1 "level 1, index 1, descriptor {boot_lvl1_lower+8}"
#define I2 "level 2, index 384, descriptor {boot_lvl2_lower+c00}"

#define FIX0 "fix: pt-set {entry} L0 {boot_lvl1_upper+3}"
#define FIX1 "fix: pt-set {entry} L1 {boot_lvl2_upper+3}"

/* The header, struct baton_image_header, and regions of 32 bytes behind it. */
#define HEADER(offset, old, new)    AT("image_header", offset, old, new)
#define REGION(n, offset, old, new) HEADER(64 + (n)*32 + (offset), old, new)
/* struct baton_image_board */
#define PSCI(new) AT("board", 112, "00000000", new)

#endif
