/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/plan_internal.h"

#include "hex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096u

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

/* Addresses as the TLB and the tables know them: without a tag, bit 55 says which half. */
static uint64_t untagged(const struct pt_config *cfg, uint64_t va)
{
	return cfg->tbi ? (uint64_t)((int64_t)(va << 8) >> 8) : va;
}

static uint64_t half_base(const struct pt_config *cfg)
{
	return cfg->half && cfg->ia_bits < 64 ? UINT64_MAX << cfg->ia_bits : 0;
}

static int is_walked(const struct plan *p, struct buf *why)
{
	const struct pt_config *cfg = &p->cfg;

	if (cfg->flat)
		buf_puts(why,
			 "the MMU is off, there is no walk (-r pending walks as if it were on)");
	else if (cfg->epd || cfg->txsz_bad || cfg->sl_bad)
		buf_printf(why, "this half is not walked at all: see `sysreg %s`",
			   regime_tcr_name(&cfg->regime));
	else
		return 0;
	return -BATON_EINVAL;
}

static int open_config(struct plan *p, struct tables *t, uint64_t va, struct buf *why)
{
	size_t words = why->len;
	int err;

	memset(p, 0, sizeof(*p));
	p->tables = t;
	p->va = va;
	err = pt_config_from_regime(&p->cfg, &t->regime, va, why);
	if (!err && t->regime.nested)
		err = pt_config_stage2(&p->s2, &p->cfg, why);
	if (err && why->len == words)
		buf_puts(why, baton_strerror(err));
	return err;
}

int plan_open(struct plan *p, struct tables *t, uint64_t va, uint64_t size, struct buf *why)
{
	int err = open_config(p, t, va, why);
	uint64_t page, base, last;

	if (!err)
		err = is_walked(p, why);
	if (err)
		return err;
	page = UINT64_C(1) << p->cfg.granule;
	base = half_base(&p->cfg);
	last = base + ((UINT64_C(1) << p->cfg.ia_bits) - 1);
	p->from = untagged(&p->cfg, va);
	p->to = p->from + (size - 1);
	if (!size || (p->from | size) & (page - 1)) {
		buf_printf(why, "VA and SIZE have to be multiples of the granule, %#" PRIx64, page);
		return -BATON_EINVAL;
	}
	if (p->from < base || p->to > last || p->to < p->from) {
		buf_printf(why,
			   "%#" PRIx64 " to %#" PRIx64
			   " is not within what %s translates, %#" PRIx64 " to %#" PRIx64,
			   p->from, p->to, regime_root_name(&p->cfg.regime, p->cfg.half), base,
			   last);
		return -BATON_EINVAL;
	}
	return 0;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->tables_count; i++) {
		free(p->table[i].pa);
		free(p->table[i].old);
		free(p->table[i].new);
		free(p->table[i].now);
	}
	free(p->table);
	free(p->taken);
	p->table = NULL;
	p->taken = NULL;
	p->tables_count = p->taken_count = 0;
}

void plan_forbid(struct plan *p, uint64_t first, uint64_t last, const char *what)
{
	struct plan_span *s;

	p->taken = realloc(p->taken, (p->taken_count + 1) * sizeof(*p->taken));
	if (!p->taken)
		abort();
	s = &p->taken[p->taken_count++];
	*s = (struct plan_span){ .first = first, .last = last };
	strncpy(s->what, what, sizeof(s->what) - 1);
}

/* Copies of tables */

static int read_piece(struct plan *p, struct plan_table *t, size_t i, struct buf *why)
{
	uint64_t at = t->table + i * PIECE;
	size_t left = t->entries - i * (PIECE / 8), n = left < PIECE / 8 ? left : PIECE / 8;
	uint8_t raw[PIECE];
	int err = 0;

	t->pa[i] = at;
	if (p->cfg.regime.nested)
		err = pt_stage2_address(&p->s2, &p->tables->reader, at, &t->pa[i]);
	if (p->tables->lost)
		return p->tables->lost;
	if (err) {
		buf_printf(why, "stage 2 does not map the table at IPA %#" PRIx64, at);
		return err;
	}
	err = machine_phys_read(p->tables->machine, t->pa[i], raw, 8 * n);
	if (err) {
		buf_printf(why, "the L%d table at %#" PRIx64 " cannot be read: %s", t->level, at,
			   machine_error(p->tables->machine, err));
		return err;
	}
	for (size_t k = 0; k < n; k++)
		t->old[i * (PIECE / 8) + k] = plan_in_memory(p, le_read(raw + 8 * k, 8));
	return 0;
}

static struct plan_table *add_table(struct plan *p, uint64_t table, int level, uint64_t ia)
{
	struct plan_table *t;

	if (!(p->tables_count & (p->tables_count - 1))) {
		size_t cap = p->tables_count ? 2 * p->tables_count : 1;

		p->table = realloc(p->table, cap * sizeof(*p->table));
		if (!p->table)
			abort();
	}
	t = &p->table[p->tables_count++];
	*t = (struct plan_table){ .table = table, .level = level, .ia = ia };
	t->entries = 1u << pt_index_bits(&p->cfg, level);
	t->pa = allocate((8 * (size_t)t->entries + PIECE - 1) / PIECE, sizeof(*t->pa));
	t->old = allocate(t->entries, sizeof(*t->old));
	t->new = allocate(t->entries, sizeof(*t->new));
	t->now = allocate(t->entries, sizeof(*t->now));
	return t;
}

static int read_table(struct plan *p, struct plan_table *t, struct buf *why)
{
	for (size_t i = 0; i * (PIECE / 8) < t->entries; i++) {
		int err = read_piece(p, t, i, why);

		if (err)
			return err;
	}
	return 0;
}

int plan_load(struct plan *p, uint64_t table, int level, uint64_t ia, struct plan_table **out,
	      struct buf *why)
{
	struct plan_table *t;
	int err;

	for (size_t i = 0; i < p->tables_count; i++) {
		t = &p->table[i];
		if (t->table != table)
			continue;
		*out = t;
		if (t->level == level && t->ia == ia)
			return 0;
		buf_printf(why,
			   "the table at %#" PRIx64 " serves both %#" PRIx64 " at L%d and %#" PRIx64
			   " at L%d: change it one descriptor at a time, by pt-set",
			   table, t->ia, t->level, ia, level);
		return -BATON_EREFUSED;
	}
	t = add_table(p, table, level, ia);
	err = read_table(p, t, why);
	memcpy(t->new, t->old, t->entries * sizeof(*t->new));
	*out = t;
	return err;
}

int plan_fresh(struct plan *p, int level, uint64_t ia, struct plan_table **out, struct buf *why)
{
	uint64_t table;
	int err = pool_take(p, &table);

	if (err == -BATON_ENOTFOUND) {
		buf_printf(why,
			   "a new L%d table is needed for %#" PRIx64
			   ", and %s: pass --pool ADDR,SIZE, RAM that nobody uses",
			   level, ia,
			   p->pool_given
				   ? "the pool is used up"
				   : "no page among the loader's tables is proved to be unused");
	}
	if (err)
		return err;
	*out = add_table(p, table, level, ia);
	(*out)->fresh = true;
	return read_table(p, *out, why);
}

/* One descriptor */

static const struct pt_step *step_at(const struct pt_walk *w, int level)
{
	for (unsigned int i = 0; i < w->steps; i++)
		if (w->step[i].level == level && (w->step[i].stage == 2) == w->cfg.regime.stage2)
			return &w->step[i];
	return NULL;
}

static int no_such_level(uint64_t va, int level, const struct pt_walk *w, struct buf *why)
{
	const struct pt_step *last = w->steps ? &w->step[w->steps - 1] : NULL;
	static const char *const ends[] = {
		[PT_INVALID] = "an invalid descriptor",
		[PT_TABLE] = "a table",
		[PT_BLOCK] = "a block",
		[PT_PAGE] = "a page",
	};

	if (!last)
		buf_printf(why, "%#" PRIx64 " is not looked up in any table", va);
	else if (level < w->cfg.start)
		buf_printf(why, "there is no level %d: the walk of %#" PRIx64 " starts at L%d",
			   level, va, w->cfg.start);
	else
		buf_printf(why,
			   "the walk of %#" PRIx64 " does not reach L%d: it ends at L%d [%u] "
			   "(%#" PRIx64 "), %s",
			   va, level, last->level, last->index, last->address,
			   last->read ? ends[last->kind] : "which could not be read");
	return -BATON_EINVAL;
}

/* The table that @s was looked up in, as its parent has it, and the first address it serves. */
static int load_entry(struct plan *p, const struct pt_step *s, struct buf *why)
{
	unsigned int shift = pt_level_shift(&p->cfg, s->level);
	uint64_t size = UINT64_C(1) << shift, base = p->from & ~(size - 1);
	struct plan_table *t;
	int err = plan_load(p, s->ipa - 8 * (uint64_t)s->index, s->level,
			    base - ((uint64_t)s->index << shift), &t, why);

	if (err)
		return err;
	p->from = base;
	p->to = base + (size - 1);
	p->index = s->index;
	p->address = s->address;
	p->old = p->new = t->old[s->index];
	return 0;
}

int plan_entry(struct plan *p, struct tables *t, uint64_t va, int level, struct buf *why)
{
	const struct pt_step *s;
	int err = open_config(p, t, va, why);

	if (!err && p->cfg.flat)
		err = is_walked(p, why);
	if (!err)
		err = tables_walk(t, va, NULL, &p->walk_before, why);
	if (err)
		return err;
	s = step_at(&p->walk_before, level);
	if (!s || !s->read)
		return no_such_level(va, level, &p->walk_before, why);
	p->single = true;
	p->level = level;
	p->from = untagged(&p->cfg, va);
	return load_entry(p, s, why);
}

void plan_entry_set(struct plan *p, uint64_t desc)
{
	enum pt_kind kind = pt_desc_kind(&p->cfg, p->level, desc);
	enum pt_kind was = pt_desc_kind(&p->cfg, p->level, p->old);

	assert(p->single);
	p->new = p->table[0].new[p->index] = desc;
	p->oa = pt_desc_address(&p->cfg, p->level, kind, desc);
	p->oa_last = p->oa + (UINT64_C(1) << p->cfg.granule) - 1;
	p->output = kind != PT_INVALID &&
		    (kind != was || p->oa != pt_desc_address(&p->cfg, p->level, was, p->old));
}

/* Looking at it */

static int overlay_read(void *ctx, uint64_t pa, uint64_t *value)
{
	struct plan *p = ctx;

	for (size_t i = 0; i < p->tables_count; i++) {
		const struct plan_table *t = &p->table[i];

		for (unsigned int k = 0; k < t->entries; k += PIECE / 8) {
			if (pa < t->pa[k / 512] || pa - t->pa[k / 512] >= PIECE ||
			    k + (pa - t->pa[k / 512]) / 8 >= t->entries)
				continue;
			*value = plan_in_memory(p, t->new[k + (pa - t->pa[k / 512]) / 8]);
			return 0;
		}
	}
	return p->tables->reader.read(p->tables->reader.ctx, pa, value);
}

struct pt_reader plan_reader(struct plan *p)
{
	return (struct pt_reader){ .read = overlay_read, .ctx = p };
}

/* Tables read whole, with those of the plan over them. */
static int overlay_bulk(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
			bool *ok)
{
	struct plan *p = ctx;
	int err = machine_phys_gather(p->tables->machine, pa, n, size, data, ok);

	if (!err)
		err = machine_phys_gathered(p->tables->machine, n - 1);
	for (unsigned int i = 0; i < n && !err; i++) {
		for (size_t k = 0; k < p->tables_count; k++) {
			const struct plan_table *t = &p->table[k];
			size_t entries = size / 8, at = (pa[i] - t->table) / 8;

			/* one of several roots side by side, too */
			if (pa[i] < t->table || at >= t->entries)
				continue;
			for (size_t e = 0; e < entries && at + e < t->entries; e++)
				le_write(data + i * size + 8 * e, 8,
					 plan_in_memory(p, t->new[at + e]));
			ok[i] = true;
		}
	}
	return err;
}

static int plain_bulk(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		      bool *ok)
{
	struct plan *p = ctx;
	int err = machine_phys_gather(p->tables->machine, pa, n, size, data, ok);

	return err ? err : machine_phys_gathered(p->tables->machine, n - 1);
}

static int look(struct plan *p, bool to_be, const struct pt_map_sink *sink)
{
	const struct pt_bulk bulk = { to_be ? overlay_bulk : plain_bulk, p, NULL };
	const struct pt_reader reader = to_be ? plan_reader(p) : p->tables->reader;
	int err;

	if (p->cfg.epd || p->cfg.txsz_bad || p->cfg.sl_bad)
		return 0;
	if (p->cfg.regime.nested)
		err = pt_map_words(&p->cfg, &reader, p->from, p->to, sink, NULL);
	else
		err = pt_map(&p->cfg, &bulk, p->from, p->to, sink, NULL);
	return p->tables->lost ? p->tables->lost : err;
}

/* A view under way; @range is passed on to somebody else, too. */
struct looking {
	struct plan *plan;
	struct plan_view *view;
	const struct pt_map_sink *sink;
};

/* FNV-1a over what makes two views differ. */
static void digest(struct plan_view *v, uint64_t word)
{
	for (int i = 0; i < 64; i += 8)
		v->digest = (v->digest ^ (word >> i & 255)) * UINT64_C(0x100000001b3);
}

static int see_range(void *ctx, const struct pt_range *whole)
{
	struct looking *l = ctx;
	struct pt_range r = *whole;
	const struct pt_attrs *a = &r.attrs;

	/* Leaves are met whole: what lies outside of the span is none of ours. */
	if (r.ia < l->plan->from) {
		r.oa += l->plan->from - r.ia;
		r.size -= l->plan->from - r.ia;
		r.ia = l->plan->from;
	}
	if (r.ia + (r.size - 1) > l->plan->to)
		r.size = l->plan->to - r.ia + 1;
	if (l->view->ranges < PLAN_SHOWN)
		l->view->first[l->view->ranges] = r;
	l->view->ranges++;
	l->view->bytes += r.size;
	digest(l->view, r.ia);
	digest(l->view, r.oa);
	digest(l->view, r.size);
	digest(l->view, a->own | a->el0 << 3 | (uint64_t)a->mair << 8 | (uint64_t)a->share << 16 |
				(uint64_t)a->af << 24 | (uint64_t)a->ng << 25 |
				(uint64_t)a->ns << 26 | (uint64_t)a->dbm << 27 |
				(uint64_t)a->guarded << 28);
	return l->sink && l->sink->range ? l->sink->range(l->sink->ctx, &r) : 0;
}

int plan_look(struct plan *p, bool to_be, const struct pt_map_sink *sink, struct plan_view *v)
{
	struct looking l = { p, v, sink };
	const struct pt_map_sink all = { .range = see_range, .ctx = &l };

	*v = (struct plan_view){ .digest = UINT64_C(0xcbf29ce484222325) };
	return look(p, to_be, &all);
}

/* What there is to do */

struct plan_count plan_changes(const struct plan *p)
{
	struct plan_count c = { 0 };

	for (size_t i = 0; i < p->tables_count; i++) {
		const struct plan_table *t = &p->table[i];

		c.fresh += t->fresh;
		for (unsigned int k = 0; k < t->entries; k++) {
			c.linked += !t->fresh && t->old[k] != t->new[k];
			c.filled += t->fresh && t->new[k];
		}
	}
	return c;
}
