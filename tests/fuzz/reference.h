/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk of VMSAv8-64 once more, of one stage and of both, slow and obvious: written after
 * the pseudocode of the Arm ARM (DDI 0487, J1.1.5 "aarch64/translation") line by line, from
 * registers to permissions, and sharing nothing with stub/mmu. What the two say must agree.
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
	/* el 1: stage 2 alone, or behind stage 1; HCR_EL2.VM or DC is set then. */
	bool s2_alone, nested;
	uint64_t hcr, vttbr, vtcr, sctlr_el2;
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
	int stage;	    /* of the fault */
	bool s1ptw;	    /* stage 2 faulted on a descriptor of stage 1 */
	uint64_t fault_ipa; /* that stage 2 was given when it faulted */
	bool leaf;	    /* a block or page was reached: what follows holds */
	bool ipa_known;	    /* nested: stage 1 has an output */
	uint64_t ipa;
	uint64_t oa, size;
	bool own_r, own_w, own_x, el0_r, el0_w, el0_x; /* without PAN */
	unsigned int attr, sh; /* as MAIR encodes it; SH as written, of both stages combined */
	unsigned int memattr;  /* stage 2 */
	bool reserved;	       /* that is, or combines into what is */
	bool af, ng, ns, contiguous;
};

/* Reads the 8 bytes at @pa as they lie in memory, first byte lowest; false: an abort. */
typedef bool ref_read(void *ctx, uint64_t pa, uint64_t *value);

/** ref_walk() - translate @va; with .s2_alone an IPA. */
struct ref_result ref_walk(const struct ref_regs *regs, uint64_t va, const struct ref_access *acc,
			   ref_read *read, void *ctx);

/* What reference.c and reference_s2.c share. */

uint64_t ref_bits(uint64_t x, int hi, int lo);
uint64_t ref_swap(uint64_t x);
/** ref_size() - an encoded PS or PARange as a number of bits. */
int ref_size(uint64_t ps);

/** ref_stage2_unknown() - whether VTCR_EL2 asks for what the CPU decides. */
bool ref_stage2_unknown(const struct ref_regs *r);

/**
 * ref_stage2() - AArch64.S2Translate().
 * @walker: AccessType_TTW, the stage 1 walker reads ('r') or updates ('w') a descriptor
 */
struct ref_result ref_stage2(const struct ref_regs *r, uint64_t ipa, const struct ref_access *acc,
			     bool walker, ref_read *read, void *ctx);

/** ref_combine() - stage 1's @one and stage 2's @two: S2CombineS1MemAttrs() and permissions. */
struct ref_result ref_combine(const struct ref_regs *r, const struct ref_result *one,
			      const struct ref_result *two);

#endif
