/* SPDX-License-Identifier: BSD-2-Clause */
/* A64 encodings: DDI 0487 C4.1 "A64 instruction set encoding". */
#include "handoff/insn.h"

#include "buf.h"

#include <capstone/capstone.h>
#include <inttypes.h>
#include <stddef.h>

static const struct watch watched[] = {
	{ "SCTLR_EL1", SYSREG(3, 0, 1, 0, 0), 1, WATCH_SCTLR },
	{ "TTBR0_EL1", SYSREG(3, 0, 2, 0, 0), 1, WATCH_TTBR0 },
	{ "TTBR1_EL1", SYSREG(3, 0, 2, 0, 1), 1, WATCH_TTBR1 },
	{ "TCR_EL1", SYSREG(3, 0, 2, 0, 2), 1, WATCH_TCR },
	{ "MAIR_EL1", SYSREG(3, 0, 10, 2, 0), 1, WATCH_MAIR },
	{ "VBAR_EL1", SYSREG(3, 0, 12, 0, 0), 1, WATCH_VBAR },
	{ "SCTLR_EL2", SYSREG(3, 4, 1, 0, 0), 2, WATCH_SCTLR },
	{ "HCR_EL2", SYSREG(3, 4, 1, 1, 0), 2, WATCH_HCR },
	{ "TTBR0_EL2", SYSREG(3, 4, 2, 0, 0), 2, WATCH_TTBR0 },
	{ "TTBR1_EL2", SYSREG(3, 4, 2, 0, 1), 2, WATCH_TTBR1 },
	{ "TCR_EL2", SYSREG(3, 4, 2, 0, 2), 2, WATCH_TCR },
	{ "VTTBR_EL2", SYSREG(3, 4, 2, 1, 0), 2, WATCH_VTTBR },
	{ "VTCR_EL2", SYSREG(3, 4, 2, 1, 2), 2, WATCH_VTCR },
	{ "MAIR_EL2", SYSREG(3, 4, 10, 2, 0), 2, WATCH_MAIR },
	{ "VBAR_EL2", SYSREG(3, 4, 12, 0, 0), 2, WATCH_VBAR },
	{ "SCTLR_EL3", SYSREG(3, 6, 1, 0, 0), 3, WATCH_SCTLR },
	{ "SCR_EL3", SYSREG(3, 6, 1, 1, 0), 3, WATCH_SCR },
	{ "TTBR0_EL3", SYSREG(3, 6, 2, 0, 0), 3, WATCH_TTBR0 },
	{ "TCR_EL3", SYSREG(3, 6, 2, 0, 2), 3, WATCH_TCR },
	{ "MAIR_EL3", SYSREG(3, 6, 10, 2, 0), 3, WATCH_MAIR },
	{ "VBAR_EL3", SYSREG(3, 6, 12, 0, 0), 3, WATCH_VBAR },
};

const struct watch *watch_find(uint16_t sysreg)
{
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (watched[i].sysreg == sysreg)
			return &watched[i];
	return NULL;
}

const struct watch *watch_of(unsigned int el, enum watch_role role)
{
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (watched[i].el == el && watched[i].role == role)
			return &watched[i];
	return NULL;
}

/* The signed field of @bits bits at @lsb, in words of four bytes. */
static int64_t branch_offset(uint32_t word, unsigned int lsb, unsigned int bits)
{
	return ((int64_t)((uint64_t)word << (64 - lsb - bits)) >> (64 - bits)) * 4;
}

/* C4.1.94 "Unconditional branch (register)"; signed pointers as of FEAT_PAuth. */
static bool decode_branch_register(uint32_t w, struct insn *i)
{
	static const struct {
		uint32_t mask, value;
		enum insn_kind kind;
		bool pauth;
	} rows[] = {
		{ 0xfffffc1f, 0xd61f0000, INSN_BR, false },   /* br xN */
		{ 0xfffff800, 0xd71f0800, INSN_BR, true },    /* braa, brab */
		{ 0xfffff81f, 0xd61f081f, INSN_BR, true },    /* braaz, brabz */
		{ 0xfffffc1f, 0xd63f0000, INSN_BLR, false },  /* blr xN */
		{ 0xfffff800, 0xd73f0800, INSN_BLR, true },   /* blraa, blrab */
		{ 0xfffff81f, 0xd63f081f, INSN_BLR, true },   /* blraaz, blrabz */
		{ 0xfffffc1f, 0xd65f0000, INSN_RET, false },  /* ret xN */
		{ 0xfffffbff, 0xd65f0bff, INSN_RET, true },   /* retaa, retab */
		{ 0xffffffff, 0xd69f03e0, INSN_ERET, false }, /* eret */
		{ 0xfffffbff, 0xd69f0bff, INSN_ERET, true },  /* eretaa, eretab */
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		if ((w & rows[n].mask) != rows[n].value)
			continue;
		i->kind = rows[n].kind;
		i->pauth = rows[n].pauth;
		i->reg = w >> 5 & 31;
		if (i->kind == INSN_RET && i->pauth)
			i->reg = 30;
		if (i->kind == INSN_BLR)
			i->x30 = X30_LINK;
		return true;
	}
	return false;
}

/* C4.1.91 "Exception generation". */
static bool decode_exception(uint32_t w, struct insn *i)
{
	switch (w & 0xffe0001f) {
	case 0xd4000001:
		i->kind = INSN_SVC;
		break;
	case 0xd4000002:
		i->kind = INSN_HVC;
		break;
	case 0xd4000003:
		i->kind = INSN_SMC;
		break;
	case 0xd4200000:
		i->kind = INSN_BRK;
		break;
	case 0xd4400000:
		i->kind = INSN_HLT;
		break;
	default:
		return false;
	}
	i->imm = (uint16_t)(w >> 5);
	return true;
}

/* C4.1.93 "System instructions" and its neighbours, all 0xd5...... */
static void decode_system(uint32_t w, struct insn *i)
{
	unsigned int crn = w >> 12 & 15;

	i->reg = w & 31;
	i->sysreg = (uint16_t)(w >> 5);
	if ((w & 0xfff00000) == 0xd5100000) {
		i->kind = INSN_MSR;
	} else if ((w & 0xfff00000) == 0xd5300000) {
		i->kind = INSN_MRS;
		if (i->reg == 30)
			i->x30 = X30_OTHER;
	} else if ((w & 0xfff80000) == 0xd5080000 && crn == 8) {
		i->kind = INSN_TLBI;
	} else if ((w & 0xfff80000) == 0xd5080000 && crn == 7) {
		i->kind = INSN_CACHE;
	} else if ((w & 0xfff8f01f) == 0xd500401f) {
		i->kind = INSN_MSR_IMM;
	} else if (w == 0xd503205f || (w & 0xffffffe0) == 0xd5031000) {
		i->kind = INSN_WFE; /* and wfet */
	} else if (w == 0xd503207f || (w & 0xffffffe0) == 0xd5031020) {
		i->kind = INSN_WFI; /* and wfit */
	}
}

static bool decode_branch(uint32_t w, struct insn *i)
{
	if ((w & 0x7c000000) == 0x14000000) {
		i->kind = w >> 31 ? INSN_BL : INSN_B;
		i->offset = branch_offset(w, 0, 26);
		if (i->kind == INSN_BL)
			i->x30 = X30_LINK;
	} else if ((w & 0xff000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000) {
		i->kind = INSN_COND; /* b.cond, bc.cond; cbz, cbnz */
		i->offset = branch_offset(w, 5, 19);
	} else if ((w & 0x7e000000) == 0x36000000) {
		i->kind = INSN_COND; /* tbz, tbnz */
		i->offset = branch_offset(w, 5, 14);
	} else {
		return false;
	}
	return true;
}

/* C4.1.96 "Loads and Stores": general registers that are loaded. */
static bool load_writes_x30(uint32_t w)
{
	unsigned int rt = w & 31, rt2 = w >> 10 & 31;
	bool load = w >> 22 & 1;

	if ((w & 0x3a000000) == 0x28000000) /* ldp and its kin */
		return load && (rt == 30 || rt2 == 30);
	if (rt != 30)
		return false;
	if ((w & 0x3b000000) == 0x18000000) /* ldr from a literal; 11: prfm */
		return w >> 30 != 3;
	if ((w & 0x3f000000) == 0x08000000) /* exclusive, acquire */
		return load;
	if ((w & 0x3a000000) != 0x38000000)
		return false;
	/* bit 21 without bits 11:10 = 0b10 (register offset): atomics, ldraa */
	if (!(w >> 24 & 1) && (w >> 21 & 1) && (w >> 10 & 3) != 2)
		return true;
	return (w >> 22 & 3) != 0 && !(w >> 30 == 3 && (w >> 22 & 3) == 2);
}

static enum insn_x30 decode_x30(uint32_t w)
{
	unsigned int base = w >> 5 & 31;
	bool literal = (w & 0x3b000000) == 0x18000000;

	switch (w >> 25 & 15) {
	case 8: /* data processing, immediate */
	case 9:
	case 5: /* data processing, register */
	case 13:
		return (w & 31) == 30 ? X30_OTHER : X30_KEPT;
	case 4: /* loads and stores of general registers */
	case 12:
		if (!load_writes_x30(w))
			return X30_KEPT;
		return !literal && (base == 31 || base == 29) ? X30_STACK : X30_OTHER;
	default:
		return X30_KEPT;
	}
}

/* stp and stnp; str, by an unsigned or a signed offset (C4.1.96). */
static bool stores_x30(uint32_t w)
{
	unsigned int base = w >> 5 & 31;
	bool pair = (w & 0xfe400000) == 0xa8000000 && ((w & 31) == 30 || (w >> 10 & 31) == 30);
	bool one = ((w & 0xffc00000) == 0xf9000000 || (w & 0xffe00000) == 0xf8000000) &&
		   (w & 31) == 30;

	return (base == 31 || base == 29) && (pair || one);
}

struct insn insn_decode(uint32_t word)
{
	struct insn i = {
		.kind = INSN_OTHER, .x30 = X30_KEPT, .saves_x30 = stores_x30(word), .reg = 31
	};

	if (!(word >> 16))
		i.kind = INSN_UDF;
	else if (word >> 24 == 0xd5)
		decode_system(word, &i);
	else if (!decode_branch(word, &i) && !decode_branch_register(word, &i) &&
		 !decode_exception(word, &i))
		i.x30 = decode_x30(word);
	return i;
}

bool insn_is_maintenance(const struct insn *i)
{
	unsigned int crm = i->sysreg >> 3 & 15;

	/* dc zva, gva, gzva fill memory; at has CRm 8 and 9 (DDI 0487, C5.3, C5.5) */
	return i->kind == INSN_CACHE && crm != 4 && crm != 8 && crm != 9;
}

bool insn_ends_path(const struct insn *i)
{
	return i->kind == INSN_B || i->kind == INSN_BR || i->kind == INSN_RET ||
	       i->kind == INSN_ERET || i->kind == INSN_UDF || i->kind == INSN_BRK;
}

uint64_t insn_strip_pauth(uint64_t pointer)
{
	return pointer >> 55 & 1 ? pointer | 0xffffull << 48 : pointer & ~(0xffffull << 48);
}

/* Opened at the first use and kept: opening costs more than all that is asked of it. */
static csh disassembler(void)
{
	static csh handle;

	if (!handle && cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle) != CS_ERR_OK)
		handle = 0;
	return handle;
}

static size_t disassemble(const uint32_t *words, unsigned int n, uint64_t pc, cs_insn **out)
{
	uint8_t code[64];
	csh handle = disassembler();

	*out = NULL;
	if (!handle || n * 4 > sizeof(code))
		return 0;
	for (unsigned int i = 0; i < n * 4; i++)
		code[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
	return cs_disasm(handle, code, (size_t)n * 4, pc, n, out);
}

void insn_text(uint32_t word, uint64_t pc, struct buf *out)
{
	cs_insn *insn;
	size_t n = disassemble(&word, 1, pc, &insn);

	if (!n) {
		buf_printf(out, ".word 0x%08" PRIx32, word);
		return;
	}
	buf_printf(out, "%s%s%s", insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
	cs_free(insn, n);
}

bool insn_plausible(const uint32_t *words, unsigned int n)
{
	bool differ = false;

	for (unsigned int i = 0; i < n; i++) {
		struct insn insn = insn_decode(words[i]);
		cs_insn *text;
		size_t got = disassemble(&words[i], 1, 0, &text);

		if (got)
			cs_free(text, got);
		/* udf disassembles, but nobody writes it */
		if (!got || insn.kind == INSN_UDF)
			return false;
		differ |= words[i] != words[0];
		/* what is behind a jump may be data */
		if (insn_ends_path(&insn))
			return true;
	}
	return differ;
}
