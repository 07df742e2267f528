/* SPDX-License-Identifier: BSD-2-Clause */
/* Just the instructions that registers are loaded with on the way; whatever others write is lost.
 */
#include "handoff/ahead.h"

#include "handoff/balance.h"

#define MOST 512
#define SP   31u

#define SPSEL	SYSREG(0, 0, 4, 0, 5)
#define DAIFSET SYSREG(0, 3, 4, 0, 6)
#define DAIFCLR SYSREG(0, 3, 4, 0, 7)
#define CRM	(15u << 3)

static uint64_t bits(uint32_t w, unsigned int lsb, unsigned int n)
{
	return w >> lsb & ((1u << n) - 1);
}

static int64_t bits_signed(uint32_t w, unsigned int lsb, unsigned int n)
{
	return (int64_t)((uint64_t)w << (64 - lsb - n)) >> (64 - n);
}

static bool is_64(uint32_t w)
{
	return w >> 31;
}

/* Number 31 is the zero register in some places, sp in others. */
static bool get(const struct ahead *a, unsigned int n, bool sp, uint64_t *value)
{
	*value = n == 31 && !sp ? 0 : a->x[n];
	return (n == 31 && !sp) || (a->known >> n & 1);
}

static void forget(struct ahead *a, unsigned int n)
{
	if (n < 31)
		a->known &= ~(1u << n);
}

static void put(struct ahead *a, unsigned int n, bool known, uint64_t value, uint32_t w)
{
	forget(a, n);
	if (n == 31 || !known)
		return;
	a->x[n] = is_64(w) ? value : (uint32_t)value;
	a->known |= 1u << n;
}

/* DecodeBitMasks() of DDI 0487, J1.1.3. */
static uint64_t bitmask(uint32_t w)
{
	unsigned int imms = (unsigned int)bits(w, 10, 6), immr = (unsigned int)bits(w, 16, 6);
	unsigned int len = 6, size, ones;
	uint64_t element, out = 0;

	while (len && !((bits(w, 22, 1) << 6 | (~imms & 63)) >> len & 1))
		len--;
	size = 1u << len;
	ones = (imms & (size - 1)) + 1;
	immr &= size - 1;
	element = ones == 64 ? ~UINT64_C(0) : (UINT64_C(1) << ones) - 1;
	if (immr)
		element = element >> immr | element << (size - immr);
	if (size < 64)
		element &= (UINT64_C(1) << size) - 1;
	for (unsigned int at = 0; at < 64; at += size)
		out |= element << at;
	return out;
}

static uint64_t logical(unsigned int opc, uint64_t a, uint64_t b)
{
	switch (opc) {
	case 1:
		return a | b;
	case 2:
		return a ^ b;
	default:
		return a & b;
	}
}

/* C4.1.92 "Data Processing -- Immediate" */
static void immediate(struct ahead *a, uint32_t w)
{
	unsigned int rd = w & 31, rn = w >> 5 & 31, opc = w >> 29 & 3;
	unsigned int shift = 16 * (unsigned int)bits(w, 21, 2);
	uint64_t imm = bits(w, 10, 12) << (w >> 22 & 1 ? 12 : 0), old;
	bool known;

	if ((w & 0x1f000000) == 0x10000000) { /* adr, adrp */
		imm = (uint64_t)(bits_signed(w, 5, 19) * 4 + (int64_t)bits(w, 29, 2));
		imm = w >> 31 ? (a->pc & ~UINT64_C(0xfff)) + imm * 4096 : a->pc + imm;
		put(a, rd, true, imm, 1u << 31);
	} else if ((w & 0x1f800000) == 0x11000000) { /* add, sub */
		known = get(a, rn, true, &old);
		put(a, rd, known, w >> 30 & 1 ? old - imm : old + imm, w);
	} else if ((w & 0x1f800000) == 0x12000000) { /* and, orr, eor */
		known = get(a, rn, false, &old);
		put(a, rd, known, logical(opc, old, bitmask(w)), w);
	} else if ((w & 0x1f800000) == 0x12800000) { /* movn, movz, movk */
		imm = bits(w, 5, 16) << shift;
		known = get(a, rd, false, &old) || opc != 3;
		if (opc == 3)
			imm |= old & ~(UINT64_C(0xffff) << shift);
		put(a, rd, known, opc ? imm : ~imm, w);
	} else {
		forget(a, rd);
	}
}

/* C4.1.95 "Data Processing -- Register": add, sub, and, orr, eor and their kin, shifted left. */
static void of_registers(struct ahead *a, uint32_t w)
{
	unsigned int rd = w & 31, opc = w >> 29 & 3, shift = (unsigned int)bits(w, 10, 6);
	uint64_t one, two;
	bool known = get(a, w >> 5 & 31, false, &one);

	known &= get(a, w >> 16 & 31, false, &two) && !(w >> 22 & 3);
	two <<= shift;
	if ((w & 0x1f000000) == 0x0a000000)
		put(a, rd, known, logical(opc, one, w >> 21 & 1 ? ~two : two), w);
	else if ((w & 0x1f200000) == 0x0b000000)
		put(a, rd, known, w >> 30 & 1 ? one - two : one + two, w);
	else
		forget(a, rd);
}

static void load(const struct ahead_source *s, struct ahead *a, unsigned int rt, bool known,
		 uint64_t va, unsigned int len)
{
	uint64_t value = 0;

	known = known && !a->stored && !s->load(s->ctx, va, len, &value);
	put(a, rt, known, value, 1u << 31);
}

/* What a load or store of an odd kind may write to. */
static void forget_all(struct ahead *a, uint32_t w)
{
	a->stored = true;
	forget(a, w & 31);
	forget(a, w >> 5 & 31);
	forget(a, w >> 10 & 31);
	forget(a, w >> 16 & 31);
}

/* C4.1.96 "Loads and Stores". @base: before its own change. */
static void memory(const struct ahead_source *s, struct ahead *a, uint32_t w)
{
	unsigned int rt = w & 31, rn = w >> 5 & 31, rt2 = w >> 10 & 31;
	bool known, post = false, back = false;
	uint64_t base, index;
	int64_t offset;

	known = get(a, rn, true, &base);
	if ((w & 0xff000000) == 0x58000000) { /* ldr, literal */
		load(s, a, rt, true, a->pc + (uint64_t)(bits_signed(w, 5, 19) * 4), 8);
		return;
	}
	if ((w & 0xfe000000) == 0xa8000000) { /* ldp, stp of 64 bits */
		back = w >> 23 & 1;
		post = back && !(w >> 24 & 1);
		offset = bits_signed(w, 15, 7) * 8;
	} else if ((w & 0xbf000000) == 0xb9000000 && !(w >> 23 & 1)) { /* ldr, str: 12 bits */
		offset = (int64_t)(bits(w, 10, 12) << (w >> 30));
	} else if ((w & 0xbfa00000) == 0xb8000000 && (w >> 10 & 3) != 2) { /* 9 bits */
		back = w >> 10 & 1;
		post = (w >> 10 & 3) == 1;
		offset = bits_signed(w, 12, 9);
	} else if ((w & 0xbfa0ec00) == 0xb8206800) { /* ldr, str: a register of 64 bits */
		known &= get(a, w >> 16 & 31, false, &index);
		offset = (int64_t)(index << (w >> 12 & 1 ? w >> 30 : 0));
	} else {
		forget_all(a, w);
		return;
	}
	if (!post)
		base += (uint64_t)offset;
	if (!(w >> 22 & 1)) {
		a->stored = true;
		a->store = base;
		a->stores = !known ? 0 : w >> 28 & 1 ? 1u << (w >> 30) : 16;
	} else if ((w & 0xfe000000) == 0xa8000000) {
		load(s, a, rt, known, base, 8);
		load(s, a, rt2, known, base + 8, 8);
	} else {
		load(s, a, rt, known, base, w >> 30 == 3 ? 8 : 4);
	}
	if (back && rn != SP)
		put(a, rn, known, post ? base + (uint64_t)offset : base, 1u << 31);
}

static void note(struct ahead *a, uint16_t sysreg, unsigned int rt)
{
	bool known;
	uint64_t value;

	a->lost |= a->msrs == AHEAD_MSRS;
	if (a->lost)
		return;
	known = get(a, rt, false, &value);
	a->msr[a->msrs].sysreg = sysreg;
	a->msr[a->msrs].known = known;
	a->msr[a->msrs++].value = value;
}

bool ahead_sysreg(const struct ahead *a, uint16_t sysreg, uint64_t *value, bool *known)
{
	for (unsigned int i = a->msrs; i-- > 0;) {
		if (a->msr[i].sysreg != sysreg)
			continue;
		*value = a->msr[i].value;
		*known = a->msr[i].known && !a->lost;
		return true;
	}
	*known = false;
	*value = 0;
	return a->lost;
}

static void mrs(const struct ahead_source *s, struct ahead *a)
{
	bool known;
	uint64_t value;

	if (!ahead_sysreg(a, a->insn.sysreg, &value, &known))
		known = !s->sysreg(s->ctx, a->insn.sysreg, &value);
	put(a, a->insn.reg, known, value, 1u << 31);
}

/* PSTATE's D, A, I and F, where SPSR has them; and which sp is meant. */
static void masks(struct ahead *a)
{
	uint64_t imm = (uint64_t)(a->insn.sysreg >> 3 & 15) << 6;

	switch (a->insn.sysreg & ~CRM) {
	case DAIFSET:
		a->pstate |= imm;
		break;
	case DAIFCLR:
		a->pstate &= ~imm;
		break;
	case SPSEL:
		a->known &= ~(1u << SP);
		break;
	}
}

/* sp behind it; false: that is not certain. */
static bool stack(const struct ahead *a, uint32_t w, uint64_t *sp)
{
	uint64_t from;
	int64_t change;

	if (balance_change(w, &change)) {
		*sp = a->x[SP] + (uint64_t)change;
		return a->known >> SP & 1;
	}
	*sp = 0;
	if ((w & 0xff80001f) != 0x9100001f || !get(a, w >> 5 & 31, true, &from))
		return false;
	*sp = from + (bits(w, 10, 12) << (w >> 22 & 1 ? 12 : 0));
	return true;
}

static void data(const struct ahead_source *s, struct ahead *a)
{
	uint32_t w = a->word;
	uint64_t sp;
	bool known = stack(a, w, &sp);

	switch (w >> 25 & 15) {
	case 8:
	case 9:
		immediate(a, w);
		break;
	case 5:
	case 13:
		of_registers(a, w);
		break;
	case 4:
	case 12:
		memory(s, a, w);
		break;
	case 6:
	case 14: /* vectors: of the general registers a base at most */
		a->stored = true;
		forget(a, w >> 5 & 31);
		break;
	default: /* vectors: some write a general register */
		forget(a, w & 31);
		break;
	}
	a->x[SP] = sp;
	a->known = (a->known & ~(1u << SP)) | (uint32_t)known << SP;
}

/* cbz, cbnz, tbz, tbnz of a register that is certain; false: not known. */
static bool condition(const struct ahead *a, bool *taken)
{
	uint32_t w = a->word;
	uint64_t value;
	bool test = (w & 0x7e000000) == 0x36000000, compare = (w & 0x7e000000) == 0x34000000;

	if ((!test && !compare) || !get(a, w & 31, false, &value))
		return false;
	if (test)
		value = value >> (w >> 31 << 5 | (w >> 19 & 31)) & 1;
	else if (!is_64(w))
		value = (uint32_t)value;
	*taken = (w >> 24 & 1) == (value != 0);
	return true;
}

void ahead_forget(struct ahead *a, uint32_t word)
{
	if ((word >> 25 & 5) == 4)
		forget_all(a, word);
	forget(a, word & 31);
	a->known &= ~(1u << SP);
}

void ahead_past(const struct ahead_source *s, struct ahead *a, uint32_t word)
{
	a->word = word;
	a->insn = insn_decode(word);
	a->stored = (word & 0xbf000000) != 0x18000000;
	a->stores = 0;
	if (a->insn.kind == INSN_BL)
		put(a, 30, true, a->pc + 4, 1u << 31);
	else if (a->insn.kind == INSN_MRS)
		forget(a, a->insn.reg);
	else if (a->insn.kind == INSN_OTHER && word >> 24 == 0xd5)
		forget(a, word & 31);
	else if (a->insn.kind == INSN_OTHER)
		data(s, a);
}

/* One instruction; false: where it leads is not certain. */
static bool step(const struct ahead_source *s, struct ahead *a)
{
	const struct insn *i = &a->insn;
	uint64_t next = a->pc + 4, to;
	bool taken = true;

	switch (i->kind) {
	case INSN_COND:
		if (!condition(a, &taken))
			return false;
		next = taken ? a->pc + (uint64_t)i->offset : next;
		break;
	case INSN_BL:
		put(a, 30, true, next, 1u << 31);
		next = a->pc + (uint64_t)i->offset;
		break;
	case INSN_B:
		next = a->pc + (uint64_t)i->offset;
		break;
	case INSN_BR:
	case INSN_BLR:
	case INSN_RET:
		if (i->pauth || !get(a, i->reg, false, &to))
			return false;
		if (i->kind == INSN_BLR)
			put(a, 30, true, next, 1u << 31);
		next = to;
		break;
	case INSN_MSR:
		note(a, i->sysreg, i->reg);
		break;
	case INSN_MRS:
		mrs(s, a);
		break;
	case INSN_MSR_IMM:
		masks(a);
		break;
	case INSN_OTHER:
		if (a->word >> 24 != 0xd5) /* barriers, hints */
			data(s, a);
		break;
	case INSN_TLBI:
		break;
	case INSN_CACHE:
		a->stored |= !insn_is_maintenance(i);
		break;
	case INSN_UDF:
	case INSN_ERET:
	case INSN_SVC:
	case INSN_HVC:
	case INSN_SMC:
	case INSN_BRK:
	case INSN_HLT:
	case INSN_WFI:
	case INSN_WFE:
		return false;
	}
	a->pc = next;
	return true;
}

bool ahead_look(const struct ahead_source *s, struct ahead *a)
{
	for (a->steps = 0; a->steps < MOST; a->steps++) {
		a->insn = (struct insn){ .kind = INSN_OTHER };
		a->word = 0;
		if (s->word(s->ctx, a->pc, &a->word))
			return false;
		a->insn = insn_decode(a->word);
		if (s->ends(s->ctx, a))
			return true;
		if (!step(s, a))
			return false;
	}
	return false;
}
