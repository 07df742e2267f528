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

/* struct place - on a way back from the access, within its function. */
struct place {
	uint64_t pc;
	int64_t bytes; /* by which sp moves from here to the access */
};

/* struct way - all ways back, the nearest first. */
struct way {
	struct handoff *h;
	struct place place[BACK_WORDS];
	size_t count;
	uint64_t first; /* the function's first instruction, if a way leads there */
	/* of @place n, what is before it */
	bool (*call)(struct way *w, const struct place *p, uint64_t callee); /* true: no further */
	void (*sets)(struct way *w, uint64_t pc);
	const struct trouble *trouble;
	uint64_t sp;
	struct repair found;
	unsigned int finds;
	uint64_t source;
};

static void push(struct way *w, uint64_t pc, int64_t bytes)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->place[i].pc == pc)
			return;
	if (w->count < BACK_WORDS)
		w->place[w->count++] = (struct place){ pc, bytes };
}

/* The instruction at @pc comes before @p. */
static void go_back(struct way *w, const struct place *p, uint64_t pc)
{
	const struct scan_word *word = scan_word(&w->h->scan, pc);
	struct insn i = insn_decode(word ? word->word : 0);
	int64_t bytes;

	if (!word || i.kind == INSN_BLR ||
	    (i.kind == INSN_BL && w->call(w, p, pc + (uint64_t)i.offset)))
		return;
	if (balance_change(word->word, &bytes))
		push(w, pc, p->bytes + bytes);
	else
		w->sets(w, pc);
}

static void look_back(struct way *w, uint64_t from)
{
	const struct scan *s = &w->h->scan;

	w->count = 0;
	push(w, from, 0);
	for (size_t next = 0; next < w->count; next++) {
		const struct place p = w->place[next];
		const struct scan_word *before = scan_word(s, p.pc - 4);
		struct insn i = insn_decode(before ? before->word : 0);

		if (is_function(s, p.pc)) {
			w->first = p.pc;
			continue;
		}
		if (before && !insn_ends_path(&i))
			go_back(w, &p, p.pc - 4);
		for (size_t n = 0; n < s->size; n++) {
			const struct scan_word *b = &s->words[n];

			i = insn_decode(b->word);
			if (b->pc != SCAN_NO_PC && (i.kind == INSN_B || i.kind == INSN_COND) &&
			    b->pc + (uint64_t)i.offset == p.pc)
				go_back(w, &p, b->pc);
		}
	}
}

/* --- the instruction that made sp what it is */

static void note_source(struct way *w, uint64_t pc)
{
	w->finds += w->finds == 0 || w->source != pc;
	w->source = pc;
}

static bool source_in(struct way *w, const struct place *p, uint64_t callee)
{
	uint64_t where;

	(void)p;
	if (!sets_within(w->h, callee, &where))
		return false;
	note_source(w, where);
	return true;
}

/* Back over calls, and once into the caller, from where x30 still says. */
static bool find_source(struct handoff *h, const struct trouble *t, uint64_t *where)
{
	struct way w = { .h = h, .call = source_in, .sets = note_source };
	const struct scan_word *call;
	struct insn i;
	uint64_t x30;

	look_back(&w, t->elr);
	if (!w.finds && w.first && t->whole &&
	    !machine_reg_read(machine_of(h), t->cpu, "x30", &x30)) {
		call = scan_word(&h->scan, x30 - 4);
		i = insn_decode(call ? call->word : 0);
		if (i.kind == INSN_BL && x30 - 4 + (uint64_t)i.offset == w.first)
			look_back(&w, x30 - 4);
	}
	*where = w.source;
	return w.finds == 1;
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

/* A function that did not give back the sp that it was called with: a replay saw it. */
static bool right_as_seen(struct way *w, const struct place *p, uint64_t callee)
{
	const struct stack_was *was = &w->h->stack_was;

	if (was->used && was->cpu == w->trouble->cpu && was->link == p->pc &&
	    was->wrong + (uint64_t)p->bytes == w->sp) {
		w->found.address = callee;
		w->found.basis = BASIS_CALLED;
		w->found.new = was->right + (uint64_t)p->bytes;
		w->finds = 1;
	}
	return false;
}

/* The only one on any way that leaves sp elsewhere, where sp is misaligned and has to be. */
static bool right_by_code(struct way *w, const struct place *p, uint64_t callee)
{
	int64_t bytes;

	(void)p;
	if (!leaves(w->h, callee, &bytes))
		return false;
	w->finds += w->finds == 0 || w->found.address != callee;
	w->found.address = callee;
	w->found.basis = BASIS_BALANCE;
	w->found.new = w->sp - (uint64_t)bytes;
	return true;
}

static void set_anew(struct way *w, uint64_t pc)
{
	(void)w;
	(void)pc;
}

/* What sp would be at the access, had it come back right from the calls before. */
static bool find_right(struct handoff *h, const struct trouble *t, uint64_t sp, struct repair *r)
{
	struct way w = {
		.h = h, .trouble = t, .sp = sp, .found = *r, .call = right_as_seen, .sets = set_anew
	};

	look_back(&w, t->elr);
	if (!w.finds && (sp & 15)) {
		w.call = right_by_code;
		look_back(&w, t->elr);
	}
	*r = w.found;
	return w.finds == 1;
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
