/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/back.h"

#include "handoff/path.h"

#include <stdlib.h>

#define LINK  30u
#define CALLS 4

struct edge {
	uint64_t to, from;
};

struct back {
	const struct scan *scan;
	struct edge *edges; /* all direct branches, by their targets */
	size_t edge_count;
	uint64_t caller[CALLS]; /* of the functions whose ends were entered */
	unsigned int calls;
	uint64_t pc, link; /* link: 0: not known */
	struct back_step *step;
	size_t steps;
};

static int by_target(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static void collect_edges(struct back *b)
{
	b->edges = calloc(b->scan->count + 1, sizeof(*b->edges));
	if (!b->edges)
		abort();
	for (size_t i = 0; i < b->scan->size; i++) {
		const struct scan_word *w = &b->scan->words[i];
		struct insn insn;

		if (w->pc == SCAN_NO_PC)
			continue;
		insn = insn_decode(w->word);
		if (insn.kind == INSN_B || insn.kind == INSN_BL || insn.kind == INSN_COND)
			b->edges[b->edge_count++] =
				(struct edge){ w->pc + (uint64_t)insn.offset, w->pc };
	}
	qsort(b->edges, b->edge_count, sizeof(*b->edges), by_target);
}

static size_t first_edge(const struct back *b, uint64_t to)
{
	size_t low = 0, high = b->edge_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->edges[middle].to < to)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is not known is undefined, which ends a path. */
static struct insn insn_at(const struct back *b, uint64_t pc)
{
	const struct scan_word *w = scan_word(b->scan, pc);

	return insn_decode(w ? w->word : 0);
}

/* Behind a call or an exception something else has run. */
static bool falls_through(const struct insn *i)
{
	return !insn_ends_path(i) && i->kind != INSN_BL && i->kind != INSN_BLR &&
	       i->kind != INSN_SVC && i->kind != INSN_HVC && i->kind != INSN_SMC &&
	       i->kind != INSN_HLT;
}

struct ends {
	uint64_t seen[BACK_MOST];
	size_t count;
	bool lost;
};

static void meet(struct ends *e, uint64_t pc)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->seen[i] == pc)
			return;
	e->lost |= e->count == BACK_MOST;
	if (!e->lost)
		e->seen[e->count++] = pc;
}

/* The only return of the function at @entry. */
static bool only_return(const struct back *b, uint64_t entry, uint64_t *ret)
{
	struct ends e = { .seen = { entry }, .count = 1 };

	*ret = SCAN_NO_PC;
	for (size_t n = 0; n < e.count && !e.lost; n++) {
		struct insn i = insn_at(b, e.seen[n]);

		if (i.kind == INSN_RET) {
			e.lost |= *ret != SCAN_NO_PC || i.reg != LINK || i.pauth;
			*ret = e.seen[n];
			continue;
		}
		if (i.kind == INSN_B || i.kind == INSN_COND)
			meet(&e, e.seen[n] + (uint64_t)i.offset);
		e.lost |= insn_ends_path(&i) && i.kind != INSN_B;
		if (!insn_ends_path(&i))
			meet(&e, e.seen[n] + 4);
	}
	return !e.lost && *ret != SCAN_NO_PC;
}

/* Behind a call: at the end of what was called. */
static bool into_callee(struct back *b, uint64_t call, uint64_t *from)
{
	struct insn i = insn_at(b, call);

	if (b->calls == CALLS || !only_return(b, call + (uint64_t)i.offset, from))
		return false;
	b->caller[b->calls++] = call;
	return true;
}

/* At the beginning of a function: at its call. */
static bool to_caller(struct back *b, uint64_t *from)
{
	struct insn i;

	if (!b->calls && !b->link)
		return false;
	*from = b->calls ? b->caller[--b->calls] : b->link - 4;
	i = insn_at(b, *from);
	return i.kind == INSN_BL && *from + (uint64_t)i.offset == b->pc;
}

/* The branch that ends the loop which begins here, if the way came through it. */
static bool is_loop(struct back *b, uint64_t branch)
{
	for (size_t i = 0; i < b->steps; i++) {
		if (b->step[i].pc != branch)
			continue;
		b->step[i].loop = b->steps - 1;
		return true;
	}
	return false;
}

/* Where the CPU was before; false: at more than one place, or nobody knows where. */
static bool way_back(struct back *b, uint64_t *from)
{
	const struct scan_word *w = scan_word(b->scan, b->pc);
	struct insn before = insn_at(b, b->pc - 4);
	unsigned int called = 0, jumped = 0;
	uint64_t jump = 0;

	if (!w || w->entry)
		return false;
	for (size_t i = first_edge(b, b->pc); i < b->edge_count && b->edges[i].to == b->pc; i++) {
		if (insn_at(b, b->edges[i].from).kind == INSN_BL) {
			called++;
		} else if (!is_loop(b, b->edges[i].from)) {
			jumped++;
			jump = b->edges[i].from;
		}
	}
	*from = b->pc - 4;
	if (before.kind == INSN_BL)
		return !called && !jumped && into_callee(b, *from, from);
	if (before.kind == INSN_BLR || (called + jumped > 0 && falls_through(&before)))
		return false;
	if (called)
		return !jumped && to_caller(b, from);
	if (jumped)
		*from = jump;
	return jumped ? jumped == 1 : falls_through(&before);
}

size_t back_path(const struct scan *s, uint64_t pc, uint64_t link, struct back_step *out)
{
	struct back b = { .scan = s, .pc = pc, .link = link, .step = out };
	uint64_t from;

	collect_edges(&b);
	while (b.steps < BACK_MOST && way_back(&b, &from)) {
		uint32_t word = scan_word(s, from)->word;

		if (path_is_dsb(word))
			break;
		if (insn_decode(word).x30 != X30_KEPT)
			b.link = 0;
		b.pc = from;
		b.step[b.steps++] = (struct back_step){ from, word, 0 };
	}
	free(b.edges);
	return b.steps;
}
