// SPDX-License-Identifier: BSD-2-Clause
/*
 * One machine, one regime: which addresses are asked for, and what counts as agreement.
 *
 * gva2gpa makes a data read from the CPU's present exception level, PSTATE.PAN included, so
 * that is the access we walk with: a page that EL1 may not read for PAN, or EL0 for AP[1],
 * is "Unmapped" to both. Known exceptions:
 * - QEMU 7.2 passes over a clear access flag in gva2gpa (a debug access); the CPU itself
 *   faults. Which of both this QEMU does is found out first (handmade.c) and assumed below.
 * - QEMU 7.2 takes 0b01 for a block at every level but the last. With 4 KiB granules there are
 *   none at level 0, with 16 and 64 KiB none at level 1, but for 52-bit addresses: it is
 *   reserved then, and a translation fault (DDI 0487, D8.3.1).
 * - Where the output size is 48 bits or less, QEMU 7.2 passes over OA[51:50] (bits 9:8, with
 *   LPA2) and OA[51:48] (bits 15:12, 64 KiB granule with FEAT_LPA). They are part of the
 *   address whatever PS says, and it is out of range (AArch64.LeafBase(), OAOutOfRange()).
 */
#include "oracle.h"

#include "machine/tables.h"
#include "mmu/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_ADDRESSES 2000
#define SHOWN		 8

struct leaf {
	uint64_t ia, size;
};

struct leaves {
	struct leaf *leaf;
	size_t count, cap;
	struct oracle *o;
	struct tables *t;
	const char *name;
};

/* splitmix64: the same addresses in every run. */
uint64_t oracle_random(struct oracle *o)
{
	uint64_t z = o->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

bool oracle_ask(struct oracle *o, uint64_t va, uint64_t *pa)
{
	struct buf answer = { 0 };
	char command[40], *end;
	bool there;

	snprintf(command, sizeof(command), "gva2gpa 0x%" PRIx64, va);
	if (machine_query(&o->live.m, command, &answer))
		die("%s: %s", command, o->live.m.error);
	there = answer.len && strncmp(answer.data, "gpa: ", 5) == 0;
	if (there) {
		*pa = strtoull(answer.data + 5, &end, 16);
		there = *end == '\r' || *end == '\n';
	}
	if (!there && (!answer.len || strncmp(answer.data, "Unmapped", 8) != 0))
		die("%s: \"%s\"", command, answer.len ? answer.data : "");
	buf_free(&answer);
	return there;
}

static void say_wrong(struct oracle *o, const char *name, uint64_t va, const struct pt_walk *w,
		      bool theirs, uint64_t pa)
{
	struct buf line = { 0 };

	if (++o->wrong > SHOWN)
		return;
	pt_render_line(w, NULL, NULL, &line);
	printf("# %s: 0x%016" PRIx64 ": ", name, va);
	if (theirs)
		printf("QEMU says 0x%" PRIx64, pa);
	else
		printf("QEMU says unmapped");
	printf(", we say %s\n", line.data);
	buf_free(&line);
}

static bool is_reserved_block(const struct pt_walk *w, uint64_t pa)
{
	const struct pt_step *last = &w->step[w->steps ? w->steps - 1 : 0];
	uint64_t inside = (UINT64_C(1) << pt_level_shift(&w->cfg, last->level)) - 1;
	uint64_t base = last->desc & UINT64_C(0xfffffffff000) & ~inside;

	return w->fault == PT_FAULT_TRANSLATION && w->reason == PT_REASON_RESERVED &&
	       w->level < 3 && !((pa ^ (base | (w->ia & inside))) & UINT64_C(0xffffffffffff));
}

/* Address bits 51:48 in an entry, where fewer are allowed. */
static bool is_high_output(const struct pt_walk *w)
{
	return w->fault == PT_FAULT_ADDRESS_SIZE && w->cfg.oa_bits <= 48 && w->fault_output >> 48;
}

/* QEMU takes no notice, and goes on to the second stage. */
static bool is_af_clear(const struct tables *t, const struct pt_walk *w, uint64_t pa)
{
	uint64_t oa = w->oa;

	if (w->fault != PT_FAULT_ACCESS_FLAG)
		return false;
	if (w->cfg.regime.nested &&
	    (!w->ipa_known || pt_stage2_address(&w->s2, &t->reader, w->ipa, &oa)))
		return false;
	return oa == pa;
}

static void compare_at(struct oracle *o, struct tables *t, const char *name, uint64_t va)
{
	struct pt_access acc = tables_access(t, PT_READ, false);
	struct pt_config cfg;
	struct pt_walk w;
	uint64_t pa = 0;
	bool ours, theirs;

	/* No answer is no wrong answer. */
	if (pt_config_from_regime(&cfg, &t->regime, va, NULL)) {
		o->refused++;
		return;
	}
	cfg.ha = cfg.ha || o->af_ignored;
	if (pt_walk(&cfg, &t->reader, va, &acc, &w))
		die("%s: 0x%" PRIx64 ": not in the half that it was decoded for", name, va);
	ours = w.mapped && w.fault == PT_FAULT_NONE;
	theirs = oracle_ask(o, va, &pa);
	o->compared++;
	o->mapped += ours && theirs;
	if (ours == theirs && (!ours || w.oa == pa))
		return;
	if (theirs && o->af_either && is_af_clear(t, &w, pa))
		o->af_clear++;
	else if (theirs && (is_reserved_block(&w, pa) || is_high_output(&w)))
		o->known++;
	else
		say_wrong(o, name, va, &w, theirs, pa);
}

/* What the map says of an entry, the walk has to say too. */
static void compare_map(struct leaves *l, const struct pt_mapping *m)
{
	bool nested = l->t->regime.nested, same;
	struct pt_walk w;

	if (tables_walk(l->t, m->ia, NULL, &w, NULL) == 0 && nested && !w.cfg.flat)
		same = w.ipa_known ? w.ipa == m->oa : w.stage == 2; /* it is a map of stage 1 */
	else if (!w.mapped)
		same = w.fault == PT_FAULT_ADDRESS_SIZE;
	else
		same = w.oa == m->oa &&
		       (nested || (w.size == m->size && w.attrs.own == m->attrs->own &&
				   w.attrs.el0 == m->attrs->el0));
	if (same)
		return;
	printf("# the map says 0x%" PRIx64 " where the walk disagrees:\n", m->oa);
	say_wrong(l->o, l->name, m->ia, &w, false, 0);
}

static int keep_leaf(void *ctx, const struct pt_mapping *m)
{
	struct leaves *l = ctx;

	if (l->count == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 1024;
		l->leaf = realloc(l->leaf, l->cap * sizeof(*l->leaf));
		if (!l->leaf)
			abort();
	}
	l->leaf[l->count++] = (struct leaf){ m->ia, m->size };
	compare_map(l, m);
	return 0;
}

static void collect(struct leaves *l, bool upper)
{
	const struct pt_map_sink sink = { .leaf = keep_leaf, .ctx = l };
	struct pt_config cfg;

	if (pt_config_from_regime(&cfg, &l->t->regime, upper ? ~UINT64_C(0) : 0, NULL))
		return;
	/* Stage 1 is off: what its addresses meet is the second. */
	if (cfg.flat && cfg.regime.nested && (upper || pt_config_stage2(&cfg, &cfg, NULL)))
		return;
	if (cfg.flat || cfg.epd || cfg.txsz_bad)
		return;
	if (pt_map_words(&cfg, &l->t->reader, 0, ~UINT64_C(0), &sink, NULL))
		die("%s: pt_map_words does not end well", l->name);
}

/* First, middle and last page of a mapping, and one page before and behind it. */
static void compare_leaf(struct oracle *o, struct tables *t, const char *name,
			 const struct leaf *leaf)
{
	const uint64_t offset[] = { 0, leaf->size / 2 & ~UINT64_C(0xfff), leaf->size - 4096,
				    leaf->size, ~UINT64_C(0) };

	for (size_t i = 0; i < sizeof(offset) / sizeof(offset[0]); i++)
		compare_at(o, t, name, leaf->ia + offset[i] + (offset[i] + 1 ? 0x123 : 0));
}

/* Those of one half. */
static void compare_leaves(struct oracle *o, struct tables *t, const char *name,
			   const struct leaf *leaf, size_t count)
{
	size_t step = o->leaves_at_most ? 1 + count / o->leaves_at_most : 1;

	for (size_t i = 0; i < count; i += step)
		compare_leaf(o, t, name, &leaf[i]);
}

static uint64_t near(struct oracle *o, uint64_t where)
{
	return where + oracle_random(o) % 0x4000 - 0x2000;
}

/* An address that may well be mapped, or lie next to a boundary, or carry a tag. */
static uint64_t pick(struct oracle *o, const struct leaves *l)
{
	uint64_t r = oracle_random(o), va;
	const struct leaf *leaf;

	switch (r % 8) {
	case 0:
		return oracle_random(o);
	case 1:
		return oracle_random(o) >> (r >> 8) % 64;
	case 2:
		return ~(oracle_random(o) >> (r >> 8) % 64);
	case 3:
		va = near(o, UINT64_C(1) << (12 + (r >> 8) % 52));
		return r & 0x80 ? va : ~va;
	default:
		break;
	}
	if (!l->count)
		return oracle_random(o) >> 16;
	leaf = &l->leaf[(r >> 8) % l->count];
	va = r & 0x80 ? near(o, leaf->ia) : leaf->ia + oracle_random(o) % leaf->size;
	/* A tag, which bit 55 has to survive. */
	return r % 8 < 6 ? va : (va & ~UINT64_C(0) >> 8) | oracle_random(o) << 56;
}

void oracle_compare(struct oracle *o, const char *name)
{
	struct buf why = { 0 };
	struct tables t;
	struct leaves l = { .o = o, .t = &t, .name = name };
	size_t lower;

	o->compared = o->mapped = o->wrong = o->known = o->af_clear = o->refused = 0;
	if (tables_init(&t, &o->live.m, NULL, o->live.m.cpu, NULL, &why))
		die("%s: %s", name, why.data);
	t.reader = oracle_reader(o, &t);
	collect(&l, false);
	lower = l.count;
	if (t.regime.two_halves)
		collect(&l, true);
	compare_leaves(o, &t, name, l.leaf, lower);
	compare_leaves(o, &t, name, l.leaf ? l.leaf + lower : NULL, l.count - lower);
	for (unsigned int i = 0; i < RANDOM_ADDRESSES || o->compared + o->refused < o->addresses;
	     i++)
		compare_at(o, &t, name, pick(o, &l));
	tap(!o->wrong, "%s: EL%u, %zu + %zu leaves, %u addresses, %u mapped", name, t.el, lower,
	    l.count - lower, o->compared, o->mapped);
	if (o->wrong)
		printf("# %s: %u disagreements\n", name, o->wrong);
	if (o->af_clear)
		printf("# %s: known: %u with the access flag clear\n", name, o->af_clear);
	if (o->known || o->refused)
		printf("# %s: %u known exceptions, %u refused\n", name, o->known, o->refused);
	free(l.leaf);
	buf_free(&why);
}
