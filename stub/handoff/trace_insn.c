/* SPDX-License-Identifier: BSD-2-Clause */
/* What one instruction is going to do, as far as a trace asks (DDI 0487, C4.1). */
#include "handoff/trace_internal.h"

static uint64_t x(const uint64_t *core, unsigned int n)
{
	return n == 31 ? 0 : core[n];
}

static int64_t field_signed(uint32_t word, unsigned int lsb, unsigned int bits)
{
	return (int64_t)((uint64_t)word << (64 - lsb - bits)) >> (64 - bits);
}

/* C1.2.4 "Condition code"; AL and NV both always. */
static bool condition(unsigned int cond, uint64_t cpsr)
{
	bool n = cpsr >> 31 & 1, z = cpsr >> 30 & 1, c = cpsr >> 29 & 1, v = cpsr >> 28 & 1;
	const bool holds[] = { z, c, n, v, c && !z, n == v, n == v && !z, true };

	return holds[cond >> 1] != ((cond & 1) && cond != 15);
}

/* b.cond, bc.cond; cbz, cbnz; tbz, tbnz */
static bool taken(uint32_t w, const uint64_t *core)
{
	uint64_t value = x(core, w & 31);

	if ((w & 0xff000000) == 0x54000000)
		return condition(w & 15, core[CORE_CPSR]);
	if ((w & 0x7e000000) == 0x36000000)
		value = value >> ((w >> 31 & 1) << 5 | (w >> 19 & 31)) & 1;
	else if (!(w >> 31))
		value = (uint32_t)value;
	return (value != 0) == (w >> 24 & 1);
}

/* Where it leads is not in the general registers, or nowhere. */
static bool is_call(enum insn_kind kind)
{
	return kind == INSN_ERET || kind == INSN_SVC || kind == INSN_HVC || kind == INSN_SMC ||
	       kind == INSN_BRK || kind == INSN_HLT || kind == INSN_UDF;
}

bool trace_next(const uint64_t *core, uint32_t word, uint64_t *pc)
{
	struct insn i = insn_decode(word);

	*pc = core[CORE_PC] + 4;
	if (i.kind == INSN_B || i.kind == INSN_BL || (i.kind == INSN_COND && taken(word, core)))
		*pc = core[CORE_PC] + (uint64_t)i.offset;
	else if (i.kind == INSN_BR || i.kind == INSN_BLR || i.kind == INSN_RET)
		*pc = x(core, i.reg);
	return !is_call(i.kind) && !i.pauth;
}

/* Data processing with general registers, and branches that are no calls of anything. */
bool trace_may_fault(uint32_t word)
{
	unsigned int group = word >> 25 & 15;
	enum insn_kind kind = insn_decode(word).kind;

	return (group >> 1) != 4 && (group & 7) != 5 && kind != INSN_B && kind != INSN_BL &&
	       kind != INSN_COND;
}

/* All of C4.1.96 "Loads and Stores" but what is certainly a load, and all system instructions. */
bool trace_may_write(uint32_t word)
{
	enum insn_kind kind = insn_decode(word).kind;

	if ((word & 0x0a000000) != 0x08000000)
		return !(kind == INSN_B || kind == INSN_BL || kind == INSN_COND ||
			 kind == INSN_BR || kind == INSN_BLR || kind == INSN_RET ||
			 kind == INSN_MRS || (kind == INSN_OTHER && (word >> 24) != 0xd5));
	if ((word & 0x3b000000) == 0x18000000) /* literal */
		return false;
	if ((word & 0x3a000000) == 0x28000000) /* pairs */
		return !(word >> 22 & 1);
	if ((word & 0x3a000000) != 0x38000000)
		return true;
	/* atomics and their neighbours, but the register offset */
	if (!(word >> 24 & 1) && (word >> 21 & 1) && (word >> 10 & 3) != 2)
		return true;
	return (word >> 22 & 3) == 0 || ((word >> 26 & 1) && (word >> 22 & 3) == 2);
}

bool trace_may_move(uint32_t word)
{
	struct insn i = insn_decode(word);
	unsigned int crn = i.sysreg >> 7 & 15;

	/* not SPSR and ELR, thread pointers, timers */
	return i.kind == INSN_TLBI || (i.kind == INSN_MSR && crn != 4 && crn != 13 && crn != 14);
}

static unsigned int scale_of(uint32_t w)
{
	return w >> 26 & 1 ? (w >> 30) | (w >> 23 & 1) << 2 : w >> 30;
}

/* "Load/store register", by its four ways to an address. */
static bool single(const uint64_t *core, uint32_t w, struct trace_access *a)
{
	unsigned int scale = scale_of(w), opc = w >> 22 & 3, option = w >> 13 & 7;
	uint64_t index;

	if (scale > 4 || (scale == 3 && opc == 2 && !(w >> 26 & 1))) /* prfm */
		return false;
	a->size = 1u << scale;
	a->address = core[w >> 5 & 31];
	if (w >> 24 & 1) {
		a->address += (uint64_t)(w >> 10 & 0xfff) << scale;
	} else if (!(w >> 21 & 1)) {
		if ((w >> 10 & 3) != 1) /* not what comes behind the access */
			a->address += (uint64_t)field_signed(w, 12, 9);
	} else if ((w >> 10 & 3) == 2 && (option & 2)) {
		index = x(core, w >> 16 & 31);
		if (option == 2)
			index = (uint32_t)index;
		else if (option == 6)
			index = (uint64_t)(int32_t)index;
		a->address += index << (w >> 12 & 1 ? scale : 0);
	} else {
		return false;
	}
	a->reg[0] = w & 31;
	a->count = !(w >> 26 & 1) && opc == 0;
	return true;
}

static bool pair(const uint64_t *core, uint32_t w, struct trace_access *a)
{
	unsigned int vector = w >> 26 & 1, opc = w >> 30;
	unsigned int scale = vector ? 2 + opc : 2 + (opc >> 1);

	if (opc == 3)
		return false;
	/* ldpsw: two words; stgp: in granules of 16 bytes, not told */
	if (!vector && opc == 1) {
		if (!(w >> 22 & 1))
			return false;
		scale = 2;
	}
	a->size = 1u << scale;
	a->address = core[w >> 5 & 31];
	if ((w >> 23 & 3) != 1)
		a->address += (uint64_t)(field_signed(w, 15, 7) * (1 << scale));
	a->reg[0] = w & 31;
	a->reg[1] = w >> 10 & 31;
	a->count = vector || (w >> 22 & 1) ? 0 : 2;
	return true;
}

bool trace_access(const uint64_t *core, uint32_t word, struct trace_access *a)
{
	*a = (struct trace_access){ 0 };
	if ((word & 0x3a000000) == 0x38000000)
		return single(core, word, a);
	if ((word & 0x3a000000) == 0x28000000)
		return pair(core, word, a);
	if ((word & 0x3b000000) == 0x18000000 && word >> 30 != 3) {
		a->address = core[CORE_PC] + (uint64_t)(field_signed(word, 5, 19) * 4);
		return true;
	}
	return false;
}
