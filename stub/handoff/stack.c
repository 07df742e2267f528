/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An access through sp that faults: which instruction gave sp its value, and what it was before.
 * A function returns with the sp that it was called with (AAPCS64, 6.1.1); where one did not,
 * by `why --replay` or by its code, the caller's value is known, and so is sp from there on.
 */
#include "handoff/balance.h"
#include "handoff/internal.h"

#include "hex.h"
#include "mmu/sysreg.h"

#include <stdio.h>

/* How far back from the access. */
#define BACK_WORDS 256
/* Of one function: from its first instruction to its `ret`. */
#define FUNCTION_WORDS 1024
#define IMBALANCES     64

#define EC_SP_ALIGNMENT 0x26
#define FSC_ALIGNMENT	0x21

bool stack_is_meant(const struct trouble *t)
{
	return t->by_sp || t->esr >> 26 == EC_SP_ALIGNMENT;
}

/* The last instruction before its `ret`, as it is written, that sets sp anew. */
static bool sets_within(struct handoff *h, uint64_t function, uint64_t *where)
{
	bool found = false;

	for (uint64_t pc = function; pc < function + 4 * FUNCTION_WORDS; pc += 4) {
		const struct scan_word *w = scan_word(&h->scan, pc);
		int64_t bytes;

		if (!w || insn_decode(w->word).kind == INSN_RET)
			break;
		if (!balance_change(w->word, &bytes)) {
			*where = pc;
			found = true;
		}
	}
	return found;
}

/* struct back - straight back from an instruction, within its function. */
struct back {
	uint64_t pc; /* behind a call, of @callee; callee 0: where it is not known any more */
	uint64_t callee;
	int64_t bytes; /* by which sp moved since */
	uint64_t sets; /* or an instruction that sets sp anew; 0: none */
};

/* Does any call go there? What is before it is another function, which may never come back. */
static bool is_function(const struct scan *s, uint64_t pc)
{
	for (size_t i = 0; i < s->size; i++) {
		struct insn insn = insn_decode(s->words[i].word);

		if (s->words[i].pc != SCAN_NO_PC && insn.kind == INSN_BL &&
		    s->words[i].pc + (uint64_t)insn.offset == pc)
			return true;
	}
	return false;
}

static void step_back(struct handoff *h, struct back *b)
{
	b->callee = 0;
	for (unsigned int n = 0; n < BACK_WORDS; n++) {
		const struct scan_word *w = scan_word(&h->scan, b->pc - 4);
		struct insn i = insn_decode(w ? w->word : 0);
		int64_t bytes;

		if (!w || insn_ends_path(&i) || i.kind == INSN_BLR || is_function(&h->scan, b->pc))
			return;
		if (i.kind == INSN_BL) {
			b->callee = b->pc - 4 + (uint64_t)i.offset;
			return;
		}
		b->pc -= 4;
		if (!balance_change(w->word, &bytes)) {
			b->sets = b->pc;
			return;
		}
		b->bytes += bytes;
	}
}

/* The instruction that made sp what it is; back over calls, and once into the caller. */
static bool find_source(struct handoff *h, const struct trouble *t, uint64_t *where)
{
	struct back b = { .pc = t->elr };
	bool up = false;
	uint64_t x30;

	for (unsigned int n = 0; n < BACK_WORDS; n++) {
		const struct scan_word *call;
		struct insn i;

		step_back(h, &b);
		*where = b.sets;
		if (b.sets || (b.callee && sets_within(h, b.callee, where)))
			return true;
		if (b.callee) {
			b.pc -= 4;
			continue;
		}
		/* at a function's first instruction, called from where x30 still says */
		if (up || !t->whole || machine_reg_read(machine_of(h), t->cpu, "x30", &x30))
			return false;
		call = scan_word(&h->scan, x30 - 4);
		i = insn_decode(call ? call->word : 0);
		if (i.kind != INSN_BL || x30 - 4 + (uint64_t)i.offset != b.pc)
			return false;
		b.pc = x30 - 4;
		up = true;
	}
	return false;
}

void stack_say_source(struct handoff *h, const struct trouble *t, struct buf *out)
{
	uint64_t where;

	if (!find_source(h, t, &where))
		return;
	buf_printf(out, "sp got its value at %#" PRIx64, where);
	say_symbol(h->ctx, where, " <", ">", out);
	buf_puts(out, ": ");
	insn_text(scan_word(&h->scan, where)->word, where, out);
	buf_putc(out, '\n');
}

/* By how much that function leaves sp elsewhere, each time. */
static bool leaves(struct handoff *h, uint64_t function, int64_t *bytes)
{
	struct imbalance list[IMBALANCES];
	size_t n = balance_check(&h->scan, list, IMBALANCES);

	for (size_t i = 0; i < n; i++)
		if (list[i].function == function) {
			*bytes = list[i].bytes;
			return true;
		}
	return false;
}

/* A stack: aligned, and memory of this level's. */
static bool is_stack(struct handoff *h, const struct trouble *t, uint64_t sp)
{
	struct pt_access write = { .kind = PT_WRITE, .el = t->el };
	struct tables tables;
	struct pt_walk walk;

	return !(sp & 15) && !tables_init(&tables, machine_of(h), NULL, t->cpu, NULL, NULL) &&
	       !tables_walk(&tables, sp - 16, &write, &walk, NULL) && !walk.fault &&
	       machine_is_ram(machine_of(h), walk.oa, 16, false);
}

/* What sp would be at the access, had it come back right from the call before. */
static bool find_right(struct handoff *h, const struct trouble *t, uint64_t sp, struct repair *r)
{
	const struct stack_was *was = &h->stack_was;
	struct back b = { .pc = t->elr };
	int64_t bytes;

	for (unsigned int n = 0; n < BACK_WORDS; n++) {
		step_back(h, &b);
		if (!b.callee)
			return false;
		r->address = b.callee;
		r->basis = BASIS_CALLED;
		r->new = was->right + (uint64_t)b.bytes;
		if (was->used && was->cpu == t->cpu && was->link == b.pc &&
		    was->wrong + (uint64_t)b.bytes == sp)
			return true;
		r->basis = BASIS_BALANCE;
		if (leaves(h, b.callee, &bytes)) {
			r->new = sp - (uint64_t)bytes;
			return true;
		}
		b.pc -= 4;
	}
	return false;
}

int stack_find(struct handoff *h, struct trouble *t)
{
	bool aligns = t->esr >> 26 == EC_SP_ALIGNMENT || (t->esr & 63) == FSC_ALIGNMENT;
	struct repair r = { .kind = REPAIR_STACK, .el = t->el, .va = t->va, .reg = "sp" };
	int err;

	/* the sp of the handler is the one of the code: SPSR.M is ELnh */
	if (!stack_is_meant(t) || (!aligns && !(t->walked && t->walk.fault)) ||
	    (t->spsr & 0xf) != (t->el << 2 | 1))
		return 0;
	err = machine_reg_read(machine_of(h), t->cpu, "sp", &r.old);
	if (err)
		return err == -BATON_ELINK ? err : 0;
	if (!find_right(h, t, r.old, &r) || r.new == r.old || !is_stack(h, t, r.new))
		return 0;
	t->repairs.list[0] = r;
	t->repairs.count = 1;
	return 0;
}
