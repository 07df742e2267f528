/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/repair.h"

#include "buf.h"
#include "handoff/linked.h"
#include "mmu/a64.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESC_TYPE 3ull
#define DESC_AP1  (1ull << 6)
#define DESC_AP2  (1ull << 7)
#define DESC_AF	  (1ull << 10)
#define DESC_PXN  (1ull << 53)
#define DESC_XN	  (1ull << 54)
#define TABLE_PXN (1ull << 59)
#define TABLE_XN  (1ull << 60)
#define TABLE_AP1 (1ull << 61)
#define TABLE_AP2 (1ull << 62)

/* Pretend it, walk, and see what lies at the end. */
static bool try_it(const struct repair_query *q, struct repair *r)
{
	const struct pt_config *cfg = &q->walk->cfg;
	struct pt_overlay overlay = {
		.below = q->reader,
		.address = r->address,
		.value = cfg->big_endian ? __builtin_bswap64(r->new) : r->new,
	};
	struct pt_reader reader = pt_overlay_reader(&overlay);

	r->va = q->walk->ia;
	/* nobody writes a block whose address has bits below its size */
	if (r->new == r->old ||
	    pt_desc_stray(cfg, r->level, pt_desc_kind(cfg, r->level, r->new), r->new) ||
	    pt_walk(cfg, &reader, r->va, &q->acc, &r->after))
		return false;
	if (r->after.fault || !r->after.mapped || !q->is_ram(q->ctx, r->after.oa))
		return false;
	if (q->onto_itself && r->after.oa != r->va)
		return false;
	r->proofs = q->judge(q->ctx, r->after.oa);
	if (q->acc.kind == PT_FETCH)
		return r->proofs & PROOF_CODE;
	return true;
}

static const struct scan_span *span_of(const struct repair_query *q, uint64_t pa)
{
	for (size_t i = 0; i < q->span_count; i++)
		if (pa >= q->spans[i].first && pa <= q->spans[i].last)
			return &q->spans[i];
	return NULL;
}

/* The table that the entry leads to now holds nothing at all. */
static bool leads_to_nothing(const struct repair_query *q, const struct repair *r)
{
	uint64_t table = pt_desc_address(&q->walk->cfg, r->level, PT_TABLE, r->old);
	uint8_t part[4096]; /* no granule is smaller */

	for (uint64_t at = 0; at < 1ull << q->walk->cfg.granule; at += sizeof(part)) {
		if (q->read(q->ctx, table + at, part, sizeof(part)))
			return true;
		for (size_t i = 0; i < sizeof(part); i++)
			if (part[i])
				return false;
	}
	return true;
}

/* What an entry that is not zero says, somebody meant: to replace it wants a reason. */
static void rate(const struct repair_query *q, struct repair *r)
{
	static const int use_score[] = {
		[USE_ORPHAN] = 3,   [USE_OTHER_HALF] = 2, [USE_CHILD] = 1,
		[USE_IDENTITY] = 0, [USE_THIS_HALF] = 0,
	};

	r->score = (r->proofs & PROOF_CODE ? 4 : 0) + (r->proofs & PROOF_COPIED ? 4 : 0) +
		   (r->proofs & PROOF_START ? 2 : 0) + (r->proofs & PROOF_SERVES ? 1 : 0);
	switch (r->kind) {
	case REPAIR_TABLE:
		/* to map the loader onto itself a table of the kernel's is a makeshift */
		r->score += q->onto_itself && r->use != USE_ORPHAN ? 0 : use_score[r->use];
		/* a loader that moved has two copies of its tables */
		r->score += span_of(q, r->table) == span_of(q, r->address) ? 2 : 0;
		r->score -= !r->old ? 0 : leads_to_nothing(q, r) ? 1 : 3;
		break;
	case REPAIR_NEIGHBOR:
		r->score += (r->like + 1 == r->index || r->like == r->index + 1) ? 2 : 1;
		r->score += q->onto_itself ? 2 : 0;
		break;
	case REPAIR_SHIFTED:
		r->score += 1;
		break;
	case REPAIR_BITS:
		r->score += 4;
		break;
	}
}

static void keep(const struct repair_query *q, struct repairs *out, struct repair *r)
{
	size_t at;

	rate(q, r);
	for (at = 0; at < out->count; at++)
		if (out->list[at].address == r->address && out->list[at].new == r->new)
			return;
	for (at = 0; at < out->count && out->list[at].score >= r->score; at++)
		;
	if (at == REPAIR_MAX)
		return;
	if (out->count < REPAIR_MAX)
		out->count++;
	memmove(&out->list[at + 1], &out->list[at], (out->count - 1 - at) * sizeof(*r));
	out->list[at] = *r;
}

static struct repair at_step(const struct repair_query *q, const struct pt_step *s,
			     enum repair_kind kind)
{
	return (struct repair){
		.kind = kind,
		.va = q->walk->ia,
		.level = s->level,
		.index = s->index,
		.address = s->address,
		.old = s->desc,
	};
}

/*
 * Who leads to a table already. Image builders link the kernel's table from the lower root
 * too, for EL2: that speaks against nothing. But a table that maps addresses onto
 * themselves there is the loader's own, even if it happens to end in the right place.
 */
static enum repair_use use_of(const struct repair_query *q, const struct linked *linked,
			      uint64_t table, const struct repair *r)
{
	unsigned int half = q->walk->cfg.half;
	uint64_t below = (1ull << (pt_level_shift(&q->walk->cfg, r->level) & 63)) - 1;
	const struct linked_table *other = linked_find(linked, !half, table);

	if (linked_find(linked, half, table))
		return USE_THIS_HALF;
	if (!other)
		return linked_find(linked, LINKED_MEMORY, table) ? USE_CHILD : USE_ORPHAN;
	return (other->ia & ~below) + (r->va & below) == r->after.oa ? USE_IDENTITY
								     : USE_OTHER_HALF;
}

/*
 * Missing or wrong table: each page that looks like one of the next level. What decides
 * is not the page but what the walk through it ends on.
 */
static void try_table(const struct repair_query *q, const struct linked *linked,
		      const struct pt_step *s, uint64_t table, struct repairs *out)
{
	struct repair r = at_step(q, s, REPAIR_TABLE);

	for (unsigned int i = 0; i < q->walk->steps; i++)
		if (q->walk->step[i].table == table)
			return; /* the path must not run through itself */
	r.table = table;
	r.new = pt_desc_with_address(&q->walk->cfg, s->level, PT_TABLE, DESC_TYPE, table);
	if (!try_it(q, &r))
		return;
	/* one that leads on is only replaced for a place that is known to be right */
	if (s->kind == PT_TABLE && !(r.proofs & PROOF_COPIED) &&
	    s + 1 < q->walk->step + q->walk->steps && s[1].read)
		return;
	r.use = use_of(q, linked, table, &r);
	/* data that happens to be reachable by a table in use elsewhere is not what was meant */
	if (q->acc.kind != PT_FETCH && (r.use == USE_THIS_HALF || r.use == USE_IDENTITY))
		return;
	snprintf(r.edit, sizeof(r.edit), "%#" PRIx64, r.new);
	keep(q, out, &r);
}

typedef void page_fn(const struct repair_query *q, struct linked *linked, uint64_t pa,
		     const uint8_t *page, struct repairs *out);

static void each_page(const struct repair_query *q, struct linked *linked, page_fn *fn,
		      struct repairs *out)
{
	uint64_t size = 1ull << q->walk->cfg.granule;
	uint8_t *page = malloc(size);

	if (!page)
		abort();
	for (size_t i = 0; i < q->span_count; i++) {
		uint64_t first = (q->spans[i].first + size - 1) & ~(size - 1);

		for (uint64_t pa = first; pa >= first && pa + size - 1 <= q->spans[i].last;
		     pa += size)
			if (!q->read(q->ctx, pa, page, size))
				fn(q, linked, pa, page, out);
	}
	free(page);
}

/* What a page points to, if it is a table. */
static void note_pointers(const struct repair_query *q, struct linked *linked, uint64_t pa,
			  const uint8_t *page, struct repairs *out)
{
	const struct pt_config *cfg = &q->walk->cfg;
	bool table = false;

	(void)pa;
	(void)out;
	/* the other half may start at another level */
	for (int level = cfg->ds ? -1 : 0; level < 3 && !table; level++)
		table = pt_looks_like_table(cfg, level, page, q->is_ram, q->ctx);
	for (unsigned int i = 0; table && i < 1u << (cfg->granule - 3); i++) {
		uint64_t to;

		if (pt_points_to_table(cfg, page, i, &to))
			linked_add(linked, LINKED_MEMORY, to, 0);
	}
}

static void try_page(const struct repair_query *q, struct linked *linked, uint64_t pa,
		     const uint8_t *page, struct repairs *out)
{
	for (unsigned int n = 0; n < q->walk->steps; n++) {
		const struct pt_step *s = &q->walk->step[n];

		if (s->read && s->level < 3 && s->kind != PT_BLOCK &&
		    pt_looks_like_table(&q->walk->cfg, s->level + 1, page, q->is_ram, q->ctx))
			try_table(q, linked, s, pa, out);
	}
}

static void try_tables(const struct repair_query *q, struct repairs *out)
{
	struct linked linked = { 0 };

	linked_collect(&linked, q->regime, &q->reader);
	each_page(q, &linked, note_pointers, out);
	each_page(q, &linked, try_page, out);
	linked_free(&linked);
}

/* What a leaf at @s is, whatever is there now. */
static enum pt_kind leaf_kind(const struct pt_step *s)
{
	return s->level == 3 ? PT_PAGE : PT_BLOCK;
}

static bool leaf_at(const struct repair_query *q, const struct pt_step *s, unsigned int index,
		    uint64_t *desc)
{
	enum pt_kind kind;

	if (pt_read_desc(&q->walk->cfg, &q->reader, s->table + 8ull * index, desc))
		return false;
	kind = pt_desc_kind(&q->walk->cfg, s->level, *desc);
	return kind == PT_BLOCK || kind == PT_PAGE;
}

/* @desc, its output address moved by @by. */
static uint64_t moved(const struct repair_query *q, const struct pt_step *s, uint64_t desc,
		      int64_t by)
{
	const struct pt_config *cfg = &q->walk->cfg;
	uint64_t oa = pt_desc_address(cfg, s->level, leaf_kind(s), desc);

	return pt_desc_with_address(cfg, s->level, leaf_kind(s), desc, oa + (uint64_t)by);
}

static bool try_leaf(const struct repair_query *q, const struct pt_step *s, struct repair *r)
{
	const struct pt_config *cfg = &q->walk->cfg;
	uint64_t mask = pt_desc_address_mask(cfg, s->level, leaf_kind(s));

	snprintf(r->edit, sizeof(r->edit), "%#" PRIx64, r->new);
	if ((s->kind == PT_BLOCK || s->kind == PT_PAGE) && !((r->old ^ r->new) & ~mask))
		snprintf(r->edit, sizeof(r->edit), "OA=%#" PRIx64,
			 pt_desc_address(cfg, s->level, leaf_kind(s), r->new));
	return try_it(q, r);
}

/*
 * Who counts wrong is one entry off. That what was copied lies just there says so; further
 * away it may be anything.
 */
static void try_shifted(const struct repair_query *q, const struct pt_step *s, unsigned int like,
			uint64_t desc, struct repairs *out)
{
	int64_t size = (int64_t)(1ull << pt_level_shift(&q->walk->cfg, s->level));

	for (int64_t by = -size; by <= size; by += 2 * size) {
		struct repair r = at_step(q, s, REPAIR_SHIFTED);

		r.like = like;
		r.shift = by;
		r.new = moved(q, s, desc, by);
		if (try_leaf(q, s, &r) && (r.proofs & PROOF_COPIED))
			keep(q, out, &r);
	}
}

/* The nearest entry before or behind that maps memory: go on from there. */
static void try_neighbor(const struct repair_query *q, const struct pt_step *s, int step,
			 struct repairs *out)
{
	struct repair r = at_step(q, s, REPAIR_NEIGHBOR);
	int64_t size = (int64_t)(1ull << pt_level_shift(&q->walk->cfg, s->level));
	uint64_t desc = 0;
	int at = (int)s->index + step, n = 1 << pt_index_bits(&q->walk->cfg, s->level);

	while (at >= 0 && at < n && !leaf_at(q, s, (unsigned int)at, &desc))
		at += step;
	if (at < 0 || at >= n)
		return;
	r.like = (unsigned int)at;
	r.new = moved(q, s, desc, ((int)s->index - at) * size);
	if (try_leaf(q, s, &r))
		keep(q, out, &r);
	try_shifted(q, s, r.like, r.new, out);
}

/*
 * For a user program the entries on both sides have to agree: behind the end of what it
 * was given there is meant to be nothing.
 */
static void try_neighbors(const struct repair_query *q, const struct pt_step *s,
			  struct repairs *out)
{
	int64_t size = (int64_t)(1ull << pt_level_shift(&q->walk->cfg, s->level));
	uint64_t before, behind;

	if (q->acc.el == 0 &&
	    (s->index == 0 || s->index + 1 == 1u << pt_index_bits(&q->walk->cfg, s->level) ||
	     !leaf_at(q, s, s->index - 1, &before) || !leaf_at(q, s, s->index + 1, &behind) ||
	     moved(q, s, before, 2 * size) != behind))
		return;
	try_neighbor(q, s, -1, out);
	try_neighbor(q, s, 1, out);
}

/* The change as pt-set takes it by field, so that a person sees what it is. */
static void name_fields(const struct repair_query *q, struct repair *r)
{
	enum pt_kind kind = pt_desc_kind(&q->walk->cfg, r->level, r->new);
	const struct pt_field *f;
	uint64_t left = r->old ^ r->new;
	size_t n = 0;

	for (f = pt_desc_fields(&q->walk->cfg, kind); f && f->name; f++) {
		uint64_t mask = pt_field_mask(f);
		int more;

		if (!(left & mask))
			continue;
		left &= ~mask;
		more = snprintf(r->edit + n, sizeof(r->edit) - n, "%s%s=%" PRIu64, n ? "," : "",
				f->name, pt_field_get(f, r->new));
		n += more > 0 && n + (size_t)more < sizeof(r->edit) ? (size_t)more : 0;
	}
	/* bits that have no field of their own: the whole word */
	if (left || !n)
		snprintf(r->edit, sizeof(r->edit), "%#" PRIx64, r->new);
}

static bool try_bits(const struct repair_query *q, const struct pt_step *s, uint64_t clear,
		     uint64_t set, struct repairs *out)
{
	struct repair r = at_step(q, s, REPAIR_BITS);

	r.new = (r.old & ~clear) | set;
	if (!try_it(q, &r))
		return false;
	name_fields(q, &r);
	if ((r.old & 1) != (r.new & 1))
		snprintf(r.edit, sizeof(r.edit), "%#" PRIx64, r.new);
	keep(q, out, &r);
	return true;
}

static void try_leaf_bits(const struct repair_query *q, const struct pt_step *s,
			  struct repairs *out)
{
	static const struct {
		uint64_t clear, set;
	} rows[] = {
		{ 0, DESC_AF },
		{ DESC_PXN, 0 },
		{ DESC_XN, 0 },
		{ DESC_AP1, 0 },
		{ DESC_AP1 | DESC_AP2, 0 },
		{ DESC_AP2, 0 },
		{ 0, DESC_AP1 },
		{ DESC_PXN | DESC_XN, 0 },
		{ 0, DESC_AP2 },
		{ DESC_PXN | DESC_XN, DESC_AF },
	};

	/* the first that helps: later rows change more */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* EL1 gets what it asks for, EL0 nothing; with one half AP[1] is RES1 */
		if (rows[i].clear == (DESC_AP1 | DESC_AP2) &&
		    (!q->regime->two_halves || !q->acc.el))
			continue;
		if (try_bits(q, s, rows[i].clear, rows[i].set, out))
			return;
	}
}

static void try_table_bits(const struct repair_query *q, const struct pt_step *s,
			   struct repairs *out)
{
	static const uint64_t rows[] = { TABLE_PXN, TABLE_XN,  TABLE_PXN | TABLE_XN,
					 TABLE_AP1, TABLE_AP2, TABLE_AP1 | TABLE_AP2 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (try_bits(q, s, rows[i], 0, out))
			return;
}

static void try_step(const struct repair_query *q, const struct pt_step *s, struct repairs *out)
{
	switch (s->kind) {
	case PT_INVALID:
		if (s->desc) { /* it is nearly one: bit 0 lost, or the wrong type */
			try_bits(q, s, DESC_TYPE, 1, out);
			try_bits(q, s, DESC_TYPE, 3, out);
		}
		try_neighbors(q, s, out);
		break;
	case PT_TABLE:
		try_table_bits(q, s, out);
		break;
	case PT_BLOCK:
	case PT_PAGE:
		if (s->kind == PT_BLOCK) /* a table that lost the bit which says so */
			try_bits(q, s, 0, DESC_TYPE, out);
		if (q->walk->fault == PT_FAULT_PERMISSION ||
		    q->walk->fault == PT_FAULT_ACCESS_FLAG) {
			try_leaf_bits(q, s, out);
		} else {
			try_neighbors(q, s, out);
			try_shifted(q, s, s->index, s->desc, out);
		}
		break;
	}
}

void repair_find(const struct repair_query *q, struct repairs *out)
{
	memset(out, 0, sizeof(*out));
	/* what no table was asked for no table repairs; of two stages either may be wrong */
	if (!q->walk->steps || q->walk->cfg.regime.nested)
		return;
	for (unsigned int i = 0; i < q->walk->steps; i++)
		if (q->walk->step[i].read)
			try_step(q, &q->walk->step[i], out);
	/* a right or a wrong bit in an entry that leads somewhere needs no new table */
	if (!out->count ||
	    (q->walk->fault != PT_FAULT_PERMISSION && q->walk->fault != PT_FAULT_ACCESS_FLAG))
		try_tables(q, out);
}

const struct repair *repair_best(const struct repairs *r)
{
	if (!r->count || (r->count > 1 && r->list[0].score == r->list[1].score))
		return NULL;
	return &r->list[0];
}

size_t repair_choices(const struct repairs *r)
{
	size_t n = r->count > 0;

	while (n && n < r->count && r->list[n].score == r->list[0].score)
		n++;
	return n;
}
