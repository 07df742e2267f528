/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage 1 walk of VMSAv8-64 once more, slow and obvious: written after the pseudocode
 * of the Arm ARM (DDI 0487, J1.1.5 "aarch64/translation") line by line, from registers to
 * permissions, and sharing nothing with stub/mmu. What the two say must agree.
 */
#ifndef BATON_TESTS_REFERENCE_H
#define BATON_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Registers of the regime and of the CPU, all of them known. */
struct ref_regs {
	unsigned int el; /* that owns the regime: 1, 2, 3 */
	bool e2h;	 /* with el 2: EL2&0 */
	uint64_t ttbr0, ttbr1, tcr, mair, sctlr;
	uint64_t mmfr0, mmfr1, mmfr2;
	bool secure, sif; /* the security state, and SCR_EL3.SIF */
};

struct ref_access {
	char kind; /* 'r', 'w', 'x'; '?': none in particular, permissions do not fault */
	unsigned int el;
	bool pan;
};

enum ref_fault {
	REF_OK,
	REF_TRANSLATION,
	REF_ADDRESS_SIZE,
	REF_ACCESS_FLAG,
	REF_PERMISSION,
	REF_EXTERNAL,
	REF_UNKNOWN, /* the architecture leaves it to the CPU: a reserved field */
};

struct ref_result {
	enum ref_fault fault;
	int level;
	bool leaf; /* a block or page was reached: what follows holds */
	uint64_t oa, size;
	bool own_r, own_w, own_x, el0_r, el0_w, el0_x; /* without PAN */
	unsigned int attr, sh;
	bool af, ng, ns, contiguous;
};

/**
 * ref_walk() - translate @va.
 * @read: the 8 bytes at @pa as they lie in memory, first byte lowest; false: an abort
 */
struct ref_result ref_walk(const struct ref_regs *regs, uint64_t va, const struct ref_access *acc,
			   bool (*read)(void *ctx, uint64_t pa, uint64_t *value), void *ctx);

#endif
