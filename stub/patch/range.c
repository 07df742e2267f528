/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping, unmapping and protecting a range: down the tables of a plan, splitting the
 * blocks that are in the way. Entries that the range covers whole are changed where they
 * are met; what hung below a table that is replaced stays as it is, and nothing leads there.
 */
#include "patch/plan_internal.h"

enum range_kind { RANGE_MAP, RANGE_UNMAP, RANGE_PROTECT };

struct range {
	struct plan *p;
	enum range_kind kind;
	uint64_t pa;	     /* RANGE_MAP: of p->from */
	uint64_t mask, bits; /* of leaves */
	struct buf *why;
};

static int range_table(struct range *r, size_t table, uint64_t from, uint64_t to);

static bool is_leaf(const struct pt_config *cfg, int level, uint64_t desc)
{
	enum pt_kind kind = pt_desc_kind(cfg, level, desc);

	return kind == PT_BLOCK || kind == PT_PAGE;
}

/* Can there be a leaf at all at that level? */
static bool has_leaves(const struct pt_config *cfg, int level)
{
	return level == 3 || pt_desc_kind(cfg, level, 1) == PT_BLOCK;
}

static uint64_t make_leaf(const struct pt_config *cfg, int level, uint64_t attrs, uint64_t oa)
{
	uint64_t desc = (attrs & ~UINT64_C(3)) | (level == 3 ? 3 : 1);

	return pt_desc_with_address(cfg, level, level == 3 ? PT_PAGE : PT_BLOCK, desc, oa);
}

/* The leaf that a map wants for the entry at @ia, if one of that level can be it. */
static bool wanted_leaf(const struct range *r, int level, uint64_t ia, uint64_t *desc)
{
	const struct pt_config *cfg = &r->p->cfg;
	uint64_t oa = r->pa + (ia - r->p->from);

	if (!has_leaves(cfg, level) || oa & ((UINT64_C(1) << pt_level_shift(cfg, level)) - 1))
		return false;
	*desc = make_leaf(cfg, level, r->bits, oa);
	return true;
}

/* Is there nothing to do for a leaf that is only partly in the range? */
static bool is_so_already(const struct range *r, int level, uint64_t ia, uint64_t desc)
{
	uint64_t want;

	if (r->kind == RANGE_PROTECT)
		return (desc & r->mask) == r->bits;
	return r->kind == RANGE_MAP && wanted_leaf(r, level, ia, &want) &&
	       !((desc ^ want) & ~DESC_CONTIGUOUS);
}

/* A table instead of a block: the same attributes, the hint and nT alone are the block's. */
static int split(struct range *r, size_t table, unsigned int i)
{
	struct plan *p = r->p;
	int level = p->table[table].level;
	uint64_t desc = p->table[table].new[i], ia = plan_covers(p, &p->table[table], i);
	uint64_t size = UINT64_C(1) << pt_level_shift(&p->cfg, level + 1);
	uint64_t oa = pt_desc_address(&p->cfg, level, PT_BLOCK, desc);
	uint64_t attrs = desc & ~pt_desc_address_mask(&p->cfg, level, PT_BLOCK) & ~DESC_NT &
			 ~DESC_CONTIGUOUS;
	struct plan_table *t;
	int err = plan_fresh(p, level + 1, ia, &t, r->why);

	if (err)
		return err;
	for (unsigned int k = 0; k < t->entries; k++)
		t->new[k] = make_leaf(&p->cfg, level + 1, attrs, oa + k * size);
	p->table[table].new[i] = pt_desc_with_address(&p->cfg, level, PT_TABLE, 3, t->table);
	return 0;
}

static int new_below(struct range *r, size_t table, unsigned int i)
{
	struct plan *p = r->p;
	int level = p->table[table].level;
	struct plan_table *t;
	int err = plan_fresh(p, level + 1, plan_covers(p, &p->table[table], i), &t, r->why);

	if (!err)
		p->table[table].new[i] =
			pt_desc_with_address(&p->cfg, level, PT_TABLE, 3, t->table);
	return err;
}

static int not_mapped(const struct range *r, uint64_t ia)
{
	buf_printf(r->why,
		   "nothing is mapped at %#" PRIx64 ": pt-map maps it (nothing was written)",
		   ia < r->p->from ? r->p->from : ia);
	return -BATON_ENOTFOUND;
}

/* An entry that lies in the range from end to end; false: it is for the level below. */
static bool whole_entry(struct range *r, size_t table, unsigned int i)
{
	struct plan_table *t = &r->p->table[table];
	uint64_t want, ia = plan_covers(r->p, t, i);

	switch (r->kind) {
	case RANGE_UNMAP:
		if (t->new[i] & DESC_VALID)
			t->new[i] = 0;
		return true;
	case RANGE_MAP:
		if (!wanted_leaf(r, t->level, ia, &want))
			return false;
		if ((t->new[i] ^ want) & ~DESC_CONTIGUOUS)
			t->new[i] = want;
		return true;
	case RANGE_PROTECT:
		if (!is_leaf(&r->p->cfg, t->level, t->new[i]))
			return false;
		t->new[i] = (t->new[i] & ~r->mask) | r->bits;
		return true;
	}
	return true;
}

static int range_entry(struct range *r, size_t table, unsigned int i, uint64_t from, uint64_t to)
{
	struct plan *p = r->p;
	struct plan_table *t = &p->table[table];
	uint64_t first = plan_covers(p, t, i);
	uint64_t last = first + ((UINT64_C(1) << pt_level_shift(&p->cfg, t->level)) - 1);
	enum pt_kind kind = pt_desc_kind(&p->cfg, t->level, t->new[i]);
	int level = t->level, err = 0;

	from = from > first ? from : first;
	to = to < last ? to : last;
	if (from == first && to == last && whole_entry(r, table, i))
		return 0;
	if (kind == PT_INVALID && r->kind == RANGE_UNMAP)
		return 0;
	if (kind == PT_INVALID && r->kind == RANGE_PROTECT)
		return not_mapped(r, from);
	if (kind == PT_INVALID)
		err = new_below(r, table, i);
	else if (kind != PT_TABLE && is_so_already(r, level, first, t->new[i]))
		return 0;
	else if (kind != PT_TABLE)
		err = split(r, table, i);
	if (!err) {
		uint64_t next = pt_desc_address(&p->cfg, level, PT_TABLE, p->table[table].new[i]);

		err = plan_load(p, next, level + 1, first, &t, r->why);
	}
	return err ? err : range_table(r, (size_t)(t - p->table), from, to);
}

/* Do the @n entries from @i make one contiguous group, whatever the hint says (D8.7.1)? */
static bool is_group(const struct plan *p, const struct plan_table *t, unsigned int i,
		     unsigned int n)
{
	const struct pt_config *cfg = &p->cfg;
	uint64_t size = UINT64_C(1) << pt_level_shift(cfg, t->level);
	enum pt_kind kind = pt_desc_kind(cfg, t->level, t->new[i]);
	uint64_t mask = pt_desc_address_mask(cfg, t->level, kind);
	uint64_t oa = pt_desc_address(cfg, t->level, kind, t->new[i]);
	uint64_t may_differ = DESC_CONTIGUOUS | DESC_AF | (cfg->hd ? DESC_AP_RO : 0);

	if (!is_leaf(cfg, t->level, t->new[i]) || oa & (n * size - 1))
		return false;
	for (unsigned int k = 0; k < n; k++)
		if ((t->new[i + k] ^ t->new[i]) & ~mask & ~may_differ ||
		    pt_desc_address(cfg, t->level, kind, t->new[i + k]) != oa + k * size)
			return false;
	return true;
}

unsigned int plan_breaks_group(const struct plan *p)
{
	const struct plan_table *t = &p->table[0];
	unsigned int n = p->single ? pt_contiguous_entries(&p->cfg, p->level) : 0;
	unsigned int first = n ? p->index & ~(n - 1) : 0, hinted = 0;

	if (n > t->entries || p->old == p->new)
		return 0;
	for (unsigned int k = first; k < first + n; k++)
		hinted += is_leaf(&p->cfg, p->level, t->new[k]) && t->new[k] & DESC_CONTIGUOUS;
	return hinted && (hinted < n || !is_group(p, t, first, n)) ? n : 0;
}

/* A group that was touched: the hint on all of it where that is true, or on none. */
static void fix_group(const struct range *r, struct plan_table *t, unsigned int i, unsigned int n)
{
	uint64_t first = plan_covers(r->p, t, i);
	uint64_t last = plan_covers(r->p, t, i + n - 1) +
			((UINT64_C(1) << pt_level_shift(&r->p->cfg, t->level)) - 1);
	bool hinted = true, touched = false;

	for (unsigned int k = i; k < i + n; k++)
		touched |= t->new[k] != t->old[k];
	for (unsigned int k = i; k < i + n; k++)
		hinted &= is_leaf(&r->p->cfg, t->level, t->new[k]) && t->new[k] & DESC_CONTIGUOUS;
	if (r->kind == RANGE_MAP && first >= r->p->from && last <= r->p->to)
		hinted = true;
	hinted = hinted && is_group(r->p, t, i, n);
	for (unsigned int k = i; touched && k < i + n; k++) {
		if (!is_leaf(&r->p->cfg, t->level, t->new[k]))
			continue;
		t->new[k] &= ~DESC_CONTIGUOUS;
		t->new[k] |= hinted ? DESC_CONTIGUOUS : 0;
	}
}

static void fix_groups(const struct range *r, struct plan_table *t, unsigned int first,
		       unsigned int last)
{
	unsigned int n = pt_contiguous_entries(&r->p->cfg, t->level);

	if (!n || n > t->entries)
		return;
	for (unsigned int i = first & ~(n - 1); i <= last; i += n)
		fix_group(r, t, i, n);
}

/* By index: tables move as others are added. */
static int range_table(struct range *r, size_t table, uint64_t from, uint64_t to)
{
	const struct plan_table *t = &r->p->table[table];
	unsigned int shift = pt_level_shift(&r->p->cfg, t->level);
	unsigned int first = (unsigned int)((from - t->ia) >> shift);
	unsigned int last = (unsigned int)((to - t->ia) >> shift);
	int err = 0;

	for (unsigned int i = first; i <= last && !err; i++)
		err = range_entry(r, table, i, from, to);
	if (!err)
		fix_groups(r, &r->p->table[table], first, last);
	return err;
}

static int range_run(struct range *r)
{
	struct plan *p = r->p;
	uint64_t base = p->cfg.half && p->cfg.ia_bits < 64 ? UINT64_MAX << p->cfg.ia_bits : 0;
	struct plan_table *t;
	int err = plan_load(p, p->cfg.root, p->cfg.start, base, &t, r->why);

	return err ? err : range_table(r, (size_t)(t - p->table), p->from, p->to);
}

int plan_map(struct plan *p, uint64_t pa, const struct pt_want *want, struct buf *why)
{
	struct range r = { .p = p, .kind = RANGE_MAP, .pa = pa, .why = why };
	uint64_t page = UINT64_C(1) << p->cfg.granule, last = pa + (p->to - p->from), room;
	int err;

	if (pa & (page - 1)) {
		buf_printf(why, "PA %#" PRIx64 " is not a multiple of the granule, %#" PRIx64, pa,
			   page);
		return -BATON_EINVAL;
	}
	room = make_leaf(&p->cfg, 3, 0, last & ~(page - 1));
	if (last < pa || pt_desc_address(&p->cfg, 3, PT_PAGE, room) != (last & ~(page - 1))) {
		buf_printf(why,
			   "refused (output-size): descriptors have no room for an address as "
			   "large as %#" PRIx64,
			   last);
		return -BATON_EREFUSED;
	}
	if (!want->perm_given) {
		buf_puts(why, "ATTRS has no letters of rwx: rw,normal or rx,user,ng");
		return -BATON_EINVAL;
	}
	err = pt_want_bits(&p->cfg, want, true, &r.mask, &r.bits, why);
	p->want = *want;
	p->output = true;
	p->oa = pa;
	p->oa_last = last;
	return err ? err : range_run(&r);
}

int plan_unmap(struct plan *p, struct buf *why)
{
	struct range r = { .p = p, .kind = RANGE_UNMAP, .why = why };

	return range_run(&r);
}

int plan_protect(struct plan *p, const struct pt_want *want, struct buf *why)
{
	struct range r = { .p = p, .kind = RANGE_PROTECT, .why = why };
	int err = pt_want_bits(&p->cfg, want, false, &r.mask, &r.bits, why);

	p->want = *want;
	return err ? err : range_run(&r);
}
