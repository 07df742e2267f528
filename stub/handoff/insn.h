/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One A64 instruction word, as far as following control flow asks for it: where it
 * goes, what system register it writes, whether it changes x30 (DDI 0487, C4.1).
 */
#ifndef BATON_HANDOFF_INSN_H
#define BATON_HANDOFF_INSN_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum insn_kind {
	INSN_OTHER,
	INSN_UDF,  /* 0x0000xxxx: permanently undefined; what zeroed memory holds */
	INSN_B,	   /* @offset */
	INSN_BL,   /* @offset */
	INSN_COND, /* b.cond, cbz, cbnz, tbz, tbnz: @offset, or falls through */
	INSN_BR,   /* @reg; with pointer authentication: @pauth */
	INSN_BLR,
	INSN_RET,
	INSN_ERET,
	INSN_SVC, /* @imm */
	INSN_HVC,
	INSN_SMC,
	INSN_BRK,
	INSN_HLT,
	INSN_MSR, /* @reg to the register that @sysreg encodes */
	INSN_MRS,
	INSN_MSR_IMM, /* daifset and others */
	INSN_TLBI,
	INSN_CACHE, /* ic, dc, at */
	INSN_WFI,
	INSN_WFE,
};

#define INSN_KINDS (INSN_WFE + 1)

/* What becomes of x30. */
enum insn_x30 {
	X30_KEPT,
	X30_LINK,  /* a call put the return address there */
	X30_STACK, /* loaded through sp or the frame pointer */
	X30_OTHER, /* moved, computed, loaded from elsewhere */
};

/** SYSREG() - the five parts of a system register's encoding in one number. */
#define SYSREG(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

struct insn {
	enum insn_kind kind;
	enum insn_x30 x30;
	bool saves_x30;	  /* stores it through sp or the frame pointer */
	unsigned int reg; /* Rn of a branch, Rt of msr and mrs; 31 is xzr */
	bool pauth;	  /* the register holds a signed pointer */
	int64_t offset;	  /* from the instruction's own address */
	uint16_t imm;
	uint16_t sysreg; /* SYSREG() */
};

/** insn_decode() - classify one word; any word has an answer. */
struct insn insn_decode(uint32_t word);

/** insn_is_maintenance() - of INSN_CACHE: ic and dc that clean or invalidate; not at, dc zva. */
bool insn_is_maintenance(const struct insn *i);

/** insn_ends_path() - nothing is known to run behind it. */
bool insn_ends_path(const struct insn *i);

/** insn_strip_pauth() - a signed pointer's address, for 48-bit addresses. */
uint64_t insn_strip_pauth(uint64_t pointer);

/** insn_text() - append the disassembly, "br x4"; ".word 0x..." if there is none. */
void insn_text(uint32_t word, uint64_t pc, struct buf *out);

/**
 * insn_plausible() - @n words that could be code: all up to the first jump disassemble,
 * and they are not all alike.
 */
bool insn_plausible(const uint32_t *words, unsigned int n);

/* What a watched system register is for. */
enum watch_role {
	WATCH_SCTLR,
	WATCH_TTBR0,
	WATCH_TTBR1,
	WATCH_TCR,
	WATCH_MAIR,
	WATCH_VBAR,
	WATCH_HCR,
	WATCH_SCR,
	WATCH_VTTBR,
	WATCH_VTCR,
};

/** struct watch - a register whose writes are part of a handoff. */
struct watch {
	const char *name; /* the Arm ARM's */
	uint16_t sysreg;
	unsigned int el; /* the level whose regime it belongs to */
	enum watch_role role;
};

/** watch_find() - the watched register with that SYSREG(), or NULL. */
const struct watch *watch_find(uint16_t sysreg);
/** watch_of() - the one of that level and role, or NULL. */
const struct watch *watch_of(unsigned int el, enum watch_role role);

#endif
