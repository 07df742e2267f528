/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/repair.h"

#include "buf.h"
#include "handoff/linked.h"
#include "mmu/a64.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESC_TYPE  3ull
#define DESC_ATTR  (7ull << DESC_ATTR_SHIFT)
#define DESC_INNER (3ull << 8)
#define DESC_AP1   (1ull << 6)
#define DESC_AP2   (1ull << 7)
#define DESC_AF	   (1ull << 10)
#define DESC_PXN   (1ull << 53)
#define DESC_XN	   (1ull << 54)
#define TABLE_PXN  (1ull << 59)
#define TABLE_XN   (1ull << 60)
#define TABLE_AP1  (1ull << 61)
#define TABLE_AP2  (1ull << 62)

#define DESC_ATTR_SHIFT 2
#define MAIR_NORMAL_WB	0xffu

#define MAIR_DEVICE(attr) (!((attr)&0xf0)) /* D24.2.100 */

static bool is_device(const struct pt_walk *w)
{
	return !w->fault && !w->cfg.flat && MAIR_DEVICE(w->attrs.mair);
}

bool repair_is_memory(const struct pt_walk *w)
{
	if (!is_device(w))
		return true;
	for (unsigned int i = 0; i < 8; i++)
		if (!MAIR_DEVICE(w->cfg.regime.mair >> (8 * i)))
			return false;
	return true;
}

/* Does the walk with it end where it should? */
static bool serves(const struct repair_query *q, struct repair *r)
{
	bool device = q->device && r->after.oa == r->va;

	if (r->after.fault || !r->after.mapped || (!device && !q->is_ram(q->ctx, r->after.oa)))
		return false;
	if (q->onto_itself && r->after.oa != r->va)
		return false;
	r->proofs = device ? PROOF_SERVES : q->judge(q->ctx, r->after.oa);
	if (q->acc.kind == PT_FETCH)
		return (r->proofs & PROOF_CODE) && repair_is_memory(&r->after);
	return true;
}

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
	return serves(q, r);
}

bool repair_try(const struct repair_query *q, struct repair *r, struct repairs *out)
{
	if (!serves(q, r))
		return false;
	repair_keep(q, out, r);
	return true;
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
	repair_keep(q, out, &r);
}

typedef void page_fn(const struct repair_query *q, struct linked *linked, uint64_t pa,
		     const uint8_t *page, struct repairs *out);

static void each_page(const struct repair_query *q, struct linked *linked, page_fn *fn,
		      struct repairs *out)
{
	uint64_t size = 1ull << q->walk->cfg.granule;
	uint8_t *page;

	/* a half that is off has no tables of any size */
	if (!q->walk->cfg.granule)
		return;
	page = malloc(size);
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

/* A root that the register does not hold: tables that lead all the way are the proof. */
static void try_root(const struct repair_query *q, const struct linked *linked, uint64_t pa,
		     const uint8_t *page, struct repairs *out)
{
	const struct pt_config *cfg = &q->walk->cfg;
	unsigned int half = cfg->half;
	bool orphan = !linked_find(linked, !half, pa) && !linked_find(linked, LINKED_MEMORY, pa);

	if (q->registers && !cfg->flat && !cfg->txsz_bad && pa != cfg->root &&
	    pt_looks_like_table(cfg, cfg->start, page, q->is_ram, q->ctx))
		regs_try_root(q, pa, orphan ? USE_ORPHAN : USE_OTHER_HALF, out);
}

static void try_page(const struct repair_query *q, struct linked *linked, uint64_t pa,
		     const uint8_t *page, struct repairs *out)
{
	try_root(q, linked, pa, page, out);
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

	/* what has been copied to where it leads now would be lost */
	if (!q->walk->fault && q->holds && s->kind == leaf_kind(s) &&
	    q->holds(q->ctx, s->next, (uint64_t)size))
		return;
	for (int64_t by = -size; by <= size; by += 2 * size) {
		struct repair r = at_step(q, s, REPAIR_SHIFTED);

		r.like = like;
		r.shift = by;
		r.new = moved(q, s, desc, by);
		if (try_leaf(q, s, &r) && (r.proofs & PROOF_COPIED))
			repair_keep(q, out, &r);
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
		repair_keep(q, out, &r);
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
	repair_keep(q, out, &r);
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

/* Code in what MAIR says is a device: another index, of memory with caches. */
static void try_attributes(const struct repair_query *q, const struct pt_step *s,
			   struct repairs *out)
{
	for (unsigned int i = 0; i < 8; i++)
		if ((q->regime->mair >> (8 * i) & 0xff) == MAIR_NORMAL_WB &&
		    try_bits(q, s, DESC_ATTR, (uint64_t)i << DESC_ATTR_SHIFT, out))
			return;
}

/* Attributes of what is nowhere mapped yet: memory with caches, or a device, by MAIR. */
static bool attributes_for(const struct repair_query *q, uint64_t *attrs)
{
	bool single = !q->regime->two_halves;

	for (unsigned int i = 0; i < 8; i++) {
		unsigned int mair = q->regime->mair >> (8 * i) & 0xff;

		if (q->device ? mair != 0x00 && mair != 0x04 : mair != MAIR_NORMAL_WB)
			continue;
		*attrs = (uint64_t)i << DESC_ATTR_SHIFT | DESC_AF | (single ? DESC_AP1 : 0);
		*attrs |= !q->device ? DESC_INNER : single ? DESC_XN : DESC_XN | DESC_PXN;
		return true;
	}
	return false;
}

/* What is to be mapped onto itself says where its entry leads; only attributes are guessed. */
static void try_onto_itself(const struct repair_query *q, const struct pt_step *s,
			    struct repairs *out)
{
	const struct pt_config *cfg = &q->walk->cfg;
	struct repair r = at_step(q, s, REPAIR_ONTO);
	uint64_t attrs = s->desc;
	uint64_t size = 1ull << pt_level_shift(cfg, s->level);

	if (!q->onto_itself || (s->kind == PT_INVALID && !attributes_for(q, &attrs)))
		return;
	attrs = (attrs & ~DESC_TYPE) | (s->level == 3 ? 3 : 1);
	r.new = pt_desc_with_address(cfg, s->level, leaf_kind(s), attrs, q->walk->ia & ~(size - 1));
	if (pt_desc_kind(cfg, s->level, r.new) == leaf_kind(s) && try_leaf(q, s, &r))
		repair_keep(q, out, &r);
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
		try_onto_itself(q, s, out);
		break;
	case PT_TABLE:
		try_table_bits(q, s, out);
		/* a block that got the type of a table: its attributes are still there */
		if (s->level < 3 && s->desc & DESC_AF)
			try_bits(q, s, 2, 0, out);
		break;
	case PT_BLOCK:
	case PT_PAGE:
		if (s->kind == PT_BLOCK) /* a table that lost the bit which says so */
			try_bits(q, s, 0, DESC_TYPE, out);
		if (q->walk->fault == PT_FAULT_PERMISSION ||
		    q->walk->fault == PT_FAULT_ACCESS_FLAG) {
			try_leaf_bits(q, s, out);
		} else if (!q->walk->fault && !repair_is_memory(q->walk)) {
			try_attributes(q, s, out);
		} else {
			try_neighbors(q, s, out);
			try_shifted(q, s, s->index, s->desc, out);
			try_onto_itself(q, s, out);
		}
		break;
	}
}

void repair_find(const struct repair_query *q, struct repairs *out)
{
	memset(out, 0, sizeof(*out));
	/* of two stages either may be wrong */
	if (q->walk->cfg.regime.nested)
		return;
	if (q->registers)
		regs_try(q, out);
	if (q->walk->cfg.flat || (out->count && is_device(q->walk)))
		return;
	for (unsigned int i = 0; i < q->walk->steps; i++)
		if (q->walk->step[i].read)
			try_step(q, &q->walk->step[i], out);
	/* a right or a wrong bit in an entry that leads somewhere needs no new table */
	if (!q->walk->fault && !repair_is_memory(q->walk))
		return;
	if (!out->count ||
	    (q->walk->fault != PT_FAULT_PERMISSION && q->walk->fault != PT_FAULT_ACCESS_FLAG))
		try_tables(q, out);
}
