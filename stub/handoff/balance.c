/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/balance.h"

#include <stdlib.h>

#define SP 31u

/* States that one function may have: more is a function that is too odd to judge. */
#define STATES 4096

struct state {
	uint64_t pc;
	int64_t sp; /* against that at the function's first instruction */
};

struct function {
	uint64_t pc;
	bool returns;
};

struct check {
	const struct scan *scan;
	struct function *functions; /* targets of calls, by address */
	size_t function_count;
	struct state seen[STATES];
	size_t count, next;
};

static int64_t field_signed(uint32_t word, unsigned int lsb, unsigned int bits)
{
	return (int64_t)((uint64_t)word << (64 - lsb - bits)) >> (64 - bits);
}

/* C4.1.96: pre- and post-indexed loads and stores write their base back. */
static bool writeback(uint32_t w, int64_t *bytes)
{
	bool vector = w >> 26 & 1;
	unsigned int scale;

	if ((w >> 5 & 31) != SP)
		return false;
	if ((w & 0x3a800000) == 0x28800000) { /* ldp, stp: post- or pre-indexed */
		scale = vector ? 2 + (w >> 30) : 2 + (w >> 31);
		*bytes = field_signed(w, 15, 7) * (1 << scale);
		return true;
	}
	if ((w & 0x3b200400) == 0x38000400) { /* ldr, str: likewise, bits 11:10 0b01 or 0b11 */
		*bytes = field_signed(w, 12, 9);
		return true;
	}
	return false;
}

bool balance_change(uint32_t word, int64_t *bytes)
{
	unsigned int rd = word & 31, rn = word >> 5 & 31;

	*bytes = 0;
	if ((word & 0xbf000000) == 0x91000000 && rd == SP) { /* add, sub: immediate */
		int64_t imm = (int64_t)(word >> 10 & 0xfff) << (word >> 22 & 1 ? 12 : 0);

		*bytes = word >> 30 & 1 ? -imm : imm;
		return rn == SP;
	}
	/* add, sub: extended register; and, orr, eor: immediate: sp from elsewhere */
	if (((word & 0xbfe00000) == 0x8b200000 || (word & 0x9f800000) == 0x92000000) && rd == SP)
		return (word & 0x60000000) == 0x60000000; /* ands writes xzr */
	writeback(word, bytes);
	return true;
}

static void reach(struct check *c, uint64_t pc, int64_t sp)
{
	if (!scan_word(c->scan, pc) || c->count == STATES)
		return;
	for (size_t i = 0; i < c->count; i++)
		if (c->seen[i].pc == pc && c->seen[i].sp == sp)
			return;
	c->seen[c->count++] = (struct state){ pc, sp };
}

static int by_pc(const void *a, const void *b)
{
	uint64_t x = ((const struct function *)a)->pc;
	uint64_t y = ((const struct function *)b)->pc;

	return x < y ? -1 : x > y;
}

static struct function *find_function(const struct check *c, uint64_t pc)
{
	struct function key = { .pc = pc };

	return bsearch(&key, c->functions, c->function_count, sizeof(key), by_pc);
}

/* Behind a call of what never comes back there is the next function, or data. */
static bool comes_back(const struct check *c, const struct state *s, const struct insn *insn)
{
	const struct function *f;

	if (insn->kind != INSN_BL)
		return true;
	f = find_function(c, s->pc + (uint64_t)insn->offset);
	return !f || f->returns;
}

/* One instruction further; true if it is a return, of which @s says the rest. */
static bool advance(struct check *c, const struct state *s)
{
	uint32_t word = scan_word(c->scan, s->pc)->word;
	struct insn insn = insn_decode(word);
	int64_t change;

	if (insn.kind == INSN_RET)
		return true;
	if (insn.kind == INSN_B || insn.kind == INSN_COND)
		reach(c, s->pc + (uint64_t)insn.offset, s->sp);
	if (!insn_ends_path(&insn) && comes_back(c, s, &insn) && balance_change(word, &change))
		reach(c, s->pc + 4, s->sp + change);
	return false;
}

/* Does any way through it end in a return? One that ends elsewhere may come back too. */
static bool may_return(struct check *c, uint64_t function)
{
	c->count = c->next = 0;
	reach(c, function, 0);
	while (c->next < c->count) {
		struct state s = c->seen[c->next++];
		struct insn insn = insn_decode(scan_word(c->scan, s.pc)->word);

		if (insn.kind == INSN_BR || advance(c, &s))
			return true;
	}
	return c->count == STATES;
}

static bool check_function(struct check *c, uint64_t function, struct imbalance *out)
{
	c->count = c->next = 0;
	reach(c, function, 0);
	while (c->next < c->count) {
		struct state s = c->seen[c->next++];

		if (!advance(c, &s) || !s.sp)
			continue;
		*out = (struct imbalance){ .function = function, .ret = s.pc, .bytes = s.sp };
		return true;
	}
	return false;
}

static void collect_functions(struct check *c)
{
	size_t n = 0;

	c->functions = calloc(c->scan->count + 1, sizeof(*c->functions));
	if (!c->functions)
		abort();
	for (size_t i = 0; i < c->scan->size; i++) {
		const struct scan_word *w = &c->scan->words[i];
		struct insn insn = insn_decode(w->word);

		if (w->pc != SCAN_NO_PC && insn.kind == INSN_BL)
			c->functions[n++].pc = w->pc + (uint64_t)insn.offset;
	}
	qsort(c->functions, n, sizeof(*c->functions), by_pc);
	for (size_t i = 0; i < n; i++)
		if (!i || c->functions[i].pc != c->functions[i - 1].pc)
			c->functions[c->function_count++] = c->functions[i];
}

/* Who comes back depends on whom it calls: until nothing changes any more. */
static void find_returning(struct check *c)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < c->function_count; i++) {
			struct function *f = &c->functions[i];

			if (f->returns || !may_return(c, f->pc))
				continue;
			f->returns = changed = true;
		}
	}
}

size_t balance_check(const struct scan *s, struct imbalance *out, size_t max)
{
	struct check *c = calloc(1, sizeof(*c));
	size_t n = 0;

	if (!c)
		abort();
	c->scan = s;
	collect_functions(c);
	find_returning(c);
	for (size_t i = 0; i < c->function_count && n < max; i++)
		n += check_function(c, c->functions[i].pc, &out[n]);
	free(c->functions);
	free(c);
	return n;
}
