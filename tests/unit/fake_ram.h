/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A little memory for tests of the walk: words that were put there, zeros elsewhere in
 * its 1 MiB, nothing readable outside. And registers as QEMU's virt machine would have
 * them, for tests to change.
 */
#ifndef TESTS_FAKE_RAM_H
#define TESTS_FAKE_RAM_H

#include <stdint.h>
#include <string.h>

#include "error.h"
#include "mmu/walk.h"

#define FAKE_BASE  UINT64_C(0x70000000)
#define FAKE_WORDS (0x100000 / 8)

struct fake_ram {
	uint64_t word[FAKE_WORDS];
	unsigned int reads;
};

static inline int fake_read(void *ctx, uint64_t pa, uint64_t *value)
{
	struct fake_ram *ram = ctx;

	ram->reads++;
	if (pa < FAKE_BASE || pa >= FAKE_BASE + sizeof(ram->word) || (pa & 7))
		return -BATON_ERANGE;
	*value = ram->word[(pa - FAKE_BASE) / 8];
	return 0;
}

static inline void fake_put(struct fake_ram *ram, uint64_t table, unsigned int index,
			    uint64_t value)
{
	ram->word[(table - FAKE_BASE) / 8 + index] = value;
}

static inline struct pt_reader fake_reader(struct fake_ram *ram)
{
	return (struct pt_reader){ .read = fake_read, .ctx = ram };
}

/* The seed case: EL1, TCR 0x1285100510 (48-bit, 4 KiB, 40-bit out), MAIR 0xff440c0400. */
#define SEED_TCR  UINT64_C(0x1285100510)
#define SEED_MAIR UINT64_C(0xff440c0400)

static inline struct regime fake_el1(uint64_t ttbr0, uint64_t ttbr1)
{
	return (struct regime){
		.name = "el1",
		.title = "EL1&0 stage 1",
		.el = 1,
		.two_halves = true,
		.known = REGIME_TTBR0 | REGIME_TTBR1 | REGIME_TCR | REGIME_MAIR | REGIME_SCTLR,
		.ttbr = { ttbr0, ttbr1 },
		.tcr = SEED_TCR,
		.mair = SEED_MAIR,
		.sctlr = 0x1005, /* M, C, I */
	};
}

/* EL2: T0SZ 16, 4 KiB, PS 40 bits. */
static inline struct regime fake_el2(uint64_t ttbr0)
{
	return (struct regime){
		.name = "el2",
		.title = "EL2 stage 1",
		.el = 2,
		.known = REGIME_TTBR0 | REGIME_TCR | REGIME_MAIR | REGIME_SCTLR,
		.ttbr = { ttbr0, 0 },
		.tcr = 0x80823510,
		.mair = SEED_MAIR,
		.sctlr = 0x1005,
	};
}

#endif
