/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/check.h"

#include "bisect.h"
#include "handoff/internal.h"
#include "handoff/linked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A page of the image that may be a table. */
struct page {
	uint64_t pa;
	unsigned int levels; /* bit LEVEL: it could be one of that level; 0: all zeros */
	bool pointed;	     /* another one points to it */
};

struct pages {
	struct machine *m;
	const struct image *img;
	struct page *page;
	size_t count, size;
	size_t granule;	      /* bytes of a page */
	bool anywhere;	      /* tables may point to any address */
	struct pt_config cfg; /* that pages are judged by */
	struct pt_reader reader;
};

const struct image *check_image(const struct context *ctx)
{
	return &ctx->handoff->image;
}

int check_open(struct context *ctx, const char *name, uint64_t first, uint64_t last)
{
	struct handoff *h = ctx->handoff;

	h->ctx = ctx;
	image_free(&h->image);
	h->image.span[0] = (struct scan_span){ first, last };
	h->image.spans = h->image.originals = 1;
	h->image.listed = true;
	snprintf(h->image.name, sizeof(h->image.name), "%s", name);
	return image_load(&h->image, ctx->machine);
}

void check_close(struct context *ctx)
{
	image_free(&ctx->handoff->image);
}

/* Pages that may be tables */

static int read_word(void *ctx, uint64_t pa, uint64_t *value)
{
	return machine_phys_u64(((struct pages *)ctx)->m, pa, value);
}

static bool is_ram(void *ctx, uint64_t pa)
{
	return ((struct pages *)ctx)->anywhere ||
	       machine_is_ram(((struct pages *)ctx)->m, pa, 4, true);
}

static bool all_zero(const uint8_t *page, size_t size)
{
	return !page[0] && !memcmp(page, page + 1, size - 1);
}

static void add_page(struct pages *p, uint64_t pa, const uint8_t *data)
{
	struct page new = { .pa = pa };

	for (int level = 0; level <= 3; level++)
		if (pt_looks_like_table(&p->cfg, level, data, is_ram, p))
			new.levels |= 1u << level;
	if (!new.levels && !all_zero(data, p->granule))
		return;
	if (p->count == p->size) {
		p->size = p->size ? 2 * p->size : 64;
		p->page = realloc(p->page, p->size * sizeof(*p->page));
		if (!p->page)
			abort();
	}
	p->page[p->count++] = new;
}

static struct page *find_page(const struct pages *p, uint64_t pa)
{
	size_t at;

	BISECT(at, i, p->count, p->page[i].pa < pa);
	return at < p->count && p->page[at].pa == pa ? &p->page[at] : NULL;
}

/* Pages of level 3 point to memory, not to tables. */
static const uint8_t *pointers_of(const struct pages *p, const struct page *page)
{
	return page->levels & 7 ? image_bytes(p->img, page->pa, p->granule) : NULL;
}

static void mark_pointed(struct pages *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const uint8_t *data = pointers_of(p, &p->page[i]);

		for (unsigned int e = 0; data && e < p->granule / 8; e++) {
			uint64_t pa;
			struct page *to =
				pt_points_to_table(&p->cfg, data, e, &pa) ? find_page(p, pa) : NULL;

			if (to && to != &p->page[i])
				to->pointed = true;
		}
	}
}

static int pages_open(struct pages *p, struct context *ctx, const struct regime *r, uint64_t va,
		      bool anywhere)
{
	const struct scan_span *s;
	uint64_t size;
	int err;

	*p = (struct pages){ .m = ctx->machine, .img = check_image(ctx), .anywhere = anywhere };
	p->reader = (struct pt_reader){ read_word, p };
	err = pt_config_from_regime(&p->cfg, r, va, NULL);
	/* a half that is off has no granule; level -1 has no bit among a page's levels */
	if (err || p->cfg.flat || p->cfg.epd || p->cfg.txsz_bad || p->cfg.ds)
		return err ? err : -BATON_EUNSUPPORTED;
	size = p->granule = (size_t)1 << p->cfg.granule;
	s = &p->img->span[0];
	for (uint64_t pa = (s->first + size - 1) & ~(size - 1);
	     p->img->spans && pa >= s->first && pa + (size - 1) <= s->last; pa += size) {
		const uint8_t *data = image_bytes(p->img, pa, size);

		if (data)
			add_page(p, pa, data);
	}
	mark_pointed(p);
	return 0;
}

/* Where the image belongs */

#define MAX_POINTERS 256
#define MAX_PAGES    1024

static int order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Each pair of a pointer and a page that may be meant by it votes for a load address. */
static size_t collect_votes(const struct pages *p, uint64_t *vote)
{
	size_t n = 0, pointers = 0;

	for (size_t i = 0; i < p->count && i < MAX_PAGES; i++) {
		const uint8_t *data = pointers_of(p, &p->page[i]);

		for (unsigned int e = 0; data && e < p->granule / 8; e++) {
			uint64_t to;

			if (!pt_points_to_table(&p->cfg, data, e, &to) || pointers == MAX_POINTERS)
				continue;
			pointers++;
			for (size_t k = 0; k < p->count && k < MAX_PAGES; k++)
				if (p->page[k].levels && k != i && to >= p->page[k].pa)
					vote[n++] = to - p->page[k].pa;
		}
	}
	return n;
}

bool check_guess_load(struct context *ctx, const struct regime *r, uint64_t *load)
{
	uint64_t *vote = malloc(MAX_POINTERS * MAX_PAGES * sizeof(*vote));
	size_t n = 0, best = 1, same = 0;
	bool found = false;
	struct pages p;

	if (!vote)
		abort();
	if (!pages_open(&p, ctx, r, 0, true))
		n = collect_votes(&p, vote);
	qsort(vote, n, sizeof(*vote), order);
	for (size_t i = 0; i < n; i++) {
		same = i && vote[i] == vote[i - 1] ? same + 1 : 1;
		if (same > best) {
			best = same;
			*load = vote[i];
			found = true;
		} else if (same == best && *load != vote[i]) {
			found = false;
		}
	}
	free(p.page);
	free(vote);
	return found;
}

/* Roots */

struct aim {
	struct regime regime;
	uint64_t va;
	bool identity;
};

static bool arrives(const struct pages *p, const struct aim *aim, const struct pt_reader *reader,
		    uint64_t root)
{
	struct pt_access acc = { .kind = PT_FETCH, .el = aim->regime.el };
	struct regime r = aim->regime;
	struct pt_walk w;

	r.ttbr[p->cfg.half] = root;
	if (pt_walk_regime(&r, reader, aim->va, &acc, &w, NULL) || !w.mapped)
		return false;
	return aim->identity ? w.oa == aim->va : image_region(p->img, w.oa) != NULL;
}

/* Memory in which the entry at @address of @level points to @table. */
static struct pt_overlay pretend(const struct pages *p, uint64_t address, int level, uint64_t table)
{
	uint64_t desc = pt_desc_with_address(&p->cfg, level, PT_TABLE, 3, table);

	return (struct pt_overlay){ p->reader, address,
				    p->cfg.big_endian ? __builtin_bswap64(desc) : desc };
}

/* Would a root that points to @table lead there? */
static bool completes(const struct pages *p, const struct aim *aim, const struct page *table)
{
	const struct pt_config *cfg = &p->cfg;
	unsigned int shift = pt_level_shift(cfg, cfg->start);
	unsigned int index =
		(unsigned int)(aim->va >> shift) & ((1u << pt_index_bits(cfg, cfg->start)) - 1);
	/* Any page does for a root here: its entry is pretended. */
	uint64_t root = table->pa == p->page[0].pa ? p->page[p->count - 1].pa : p->page[0].pa;
	struct pt_overlay o = pretend(p, root + 8 * (uint64_t)index, cfg->start, table->pa);
	struct pt_reader reader = pt_overlay_reader(&o);

	return cfg->start < 3 && table->levels & 1u << (cfg->start + 1) &&
	       arrives(p, aim, &reader, root);
}

static void find_leading(const struct pages *p, const struct aim *aim, struct check_root *out)
{
	bool orphan = false;

	for (size_t i = 0; i < p->count; i++) {
		const struct page *at = &p->page[i];

		if (!at->levels || !arrives(p, aim, &p->reader, at->pa))
			continue;
		if (out->how == ROOT_LEADS && orphan >= !at->pointed) {
			out->others += orphan == !at->pointed;
			continue;
		}
		*out = (struct check_root){ ROOT_LEADS, at->pa, 0 };
		orphan = !at->pointed;
	}
}

/* A table that nothing points to and that is not what the root should have pointed to. */
static void find_astray(const struct pages *p, const struct aim *aim, uint64_t taken,
			struct check_root *out)
{
	struct check_root r = { .how = ROOT_NONE };

	for (size_t i = 0; i < p->count; i++) {
		const struct page *at = &p->page[i];

		if (!(at->levels & 1u << (p->cfg.start & 3)) || at->pointed || at->pa == taken ||
		    completes(p, aim, at))
			continue;
		if (r.how)
			r.others++;
		else
			r = (struct check_root){ ROOT_ASTRAY, at->pa, 0 };
	}
	if (!r.others)
		*out = r;
}

/* Tables lie together: a page of zeros among them is one that nobody filled. */
static void find_empty(const struct pages *p, const struct aim *aim, uint64_t taken,
		       struct check_root *out)
{
	uint64_t first = UINT64_MAX, last = 0;
	struct check_root inside = { 0 }, beside = { 0 };

	for (size_t i = 0; i < p->count; i++) {
		const struct page *at = &p->page[i];

		if (!at->levels || !(at->pointed || at->pa == taken || completes(p, aim, at)))
			continue;
		first = at->pa < first ? at->pa : first;
		last = at->pa > last ? at->pa : last;
	}
	for (size_t i = 0; i < p->count; i++) {
		const struct page *at = &p->page[i];
		struct check_root *r = at->pa > first && at->pa < last ? &inside : &beside;

		if (at->levels || at->pa + p->granule < first || at->pa > last + p->granule)
			continue;
		r->others += r->how != ROOT_NONE;
		r->how = ROOT_EMPTY;
		r->pa = at->pa;
	}
	/* The lower root may be the last of them, as likely as any between. */
	if (inside.how && !inside.others && !(aim->identity && beside.how))
		*out = inside;
	else if (!inside.how && beside.how && !beside.others)
		*out = beside;
}

int check_find_root(struct context *ctx, const struct regime *r, uint64_t va, bool identity,
		    uint64_t taken, struct check_root *out)
{
	struct aim aim = { *r, va, identity };
	struct pages p;
	int err = pages_open(&p, ctx, r, va, false);

	*out = (struct check_root){ .how = ROOT_NONE };
	if (!err && p.count) {
		find_leading(&p, &aim, out);
		if (!out->how && taken)
			find_astray(&p, &aim, taken, out);
		if (!out->how && taken)
			find_empty(&p, &aim, taken, out);
	}
	free(p.page);
	return err == -BATON_EUNSUPPORTED ? 0 : err;
}

/* A page that looks like a table, and that neither a root nor another table leads to. */
static const struct page *next_orphan(const struct pages *p, const struct linked *linked, size_t *i)
{
	while (*i < p->count) {
		const struct page *at = &p->page[(*i)++];

		if (at->levels && !at->pointed && !linked_find(linked, 0, at->pa) &&
		    !linked_find(linked, 1, at->pa))
			return at;
	}
	return NULL;
}

int check_say_orphans(struct context *ctx, const struct regime *r, struct buf *out)
{
	struct linked linked = { 0 };
	const struct page *at;
	struct pages p;
	size_t i = 0;
	int err = pages_open(&p, ctx, r, 0, false);

	if (!err)
		linked_collect(&linked, r, &p.reader);
	while (!err && (at = next_orphan(&p, &linked, &i))) {
		buf_printf(out, "%#" PRIx64, at->pa);
		say_symbol(ctx, at->pa, " (", ")", out);
		buf_puts(out, " looks like a table, and nothing points to it\n");
	}
	linked_free(&linked);
	free(p.page);
	return err == -BATON_EUNSUPPORTED ? 0 : err;
}

bool check_has_tables(struct context *ctx, const struct regime *r)
{
	struct pages p;
	bool found = false;

	if (!pages_open(&p, ctx, r, 0, false))
		for (size_t i = 0; i < p.count && !found; i++)
			found = p.page[i].pointed && p.page[i].levels;
	free(p.page);
	return found;
}

/* Walks */

static bool ends_well(const struct handoff *h, const struct check_want *want,
		      const struct pt_walk *w, struct buf *wrong)
{
	if (w->fault)
		return false;
	if (want->region && !image_region(&h->image, w->oa)) {
		buf_printf(wrong, "no region of the image is copied to %#" PRIx64, w->oa);
		return false;
	}
	if (want->at && w->oa != want->pa) {
		buf_printf(wrong, "it should end at %#" PRIx64, want->pa);
		return false;
	}
	return true;
}

static void keep_repairs(struct handoff *h, const struct trouble *t, struct check_result *r)
{
	r->repairs = repair_choices(&t->repairs);
	r->best = repair_best(&t->repairs) != NULL;
	for (size_t i = 0; i < r->repairs; i++) {
		repair_command(t, &t->repairs.list[i], &r->repair[i].command);
		repair_why(h, t, &t->repairs.list[i], &r->repair[i].why);
	}
}

/* Pretend that the walk's last entry, which is empty, pointed to @table. */
static bool try_orphan(const struct pages *p, struct tables *t, const struct check_result *r,
		       uint64_t table, struct repair *out)
{
	const struct pt_step *s = &r->walk.step[r->walk.steps - 1];
	struct pt_overlay o = pretend(p, s->address, s->level, table);
	struct pt_reader reader = pt_overlay_reader(&o);
	const struct ram_range *there;
	uint8_t byte;

	*out = (struct repair){ .kind = REPAIR_TABLE,
				.use = USE_ORPHAN,
				.va = r->walk.ia,
				.level = s->level,
				.index = s->index,
				.address = s->address,
				.new = pt_desc_with_address(&p->cfg, s->level, PT_TABLE, 3, table),
				.table = table };
	snprintf(out->edit, sizeof(out->edit), "%#" PRIx64, out->new);
	if (pt_walk_regime(&t->regime, &reader, r->walk.ia, &r->acc, &out->after, NULL) ||
	    out->after.fault || !out->after.mapped)
		return false;
	there = machine_ram_find(p->m, out->after.oa);
	return (!there || there->kind == RAM_RAM) &&
	       machine_phys_read(p->m, out->after.oa, &byte, 1) != 0;
}

/*
 * Without a header nobody knows what will be copied where. What leads to memory that the
 * file says nothing of may then be right, and is all that can be proposed.
 */
static int find_unseen(struct handoff *h, struct tables *t, const struct check_result *r)
{
	const struct pt_step *s = r->walk.steps ? &r->walk.step[r->walk.steps - 1] : NULL;
	struct repairs *list = &h->trouble.repairs;
	struct linked linked = { 0 };
	const struct page *at;
	struct pages p;
	size_t i = 0;
	int err;

	if (h->image.has_header || !s || !s->read || s->desc || s->level == 3)
		return 0;
	err = pages_open(&p, h->ctx, &t->regime, r->walk.ia, false);
	if (!err)
		linked_collect(&linked, &t->regime, &p.reader);
	while (!err && list->count < REPAIR_MAX && (at = next_orphan(&p, &linked, &i)))
		if (at->levels & 1u << (s->level + 1))
			list->count += try_orphan(&p, t, r, at->pa, &list->list[list->count]);
	linked_free(&linked);
	free(p.page);
	return err == -BATON_EUNSUPPORTED ? 0 : err;
}

/* The same repairs as for a jump that is about to be taken. */
static int find_repairs(struct handoff *h, struct tables *t, const struct check_want *want,
			struct check_result *r)
{
	struct trouble *trouble = &h->trouble;
	bool unseen = false;
	int err;

	memset(trouble, 0, sizeof(*trouble));
	trouble->kind = want->at && want->pa == want->va ? TROUBLE_MMU : TROUBLE_JUMP;
	trouble->el = t->el;
	trouble->walked = true;
	trouble->regime = t->regime;
	trouble->va = want->va;
	trouble->acc = r->acc;
	trouble->walk = r->walk;
	err = trouble_repairs(h, trouble);
	if (!err && !trouble->repairs.count && !trouble->misplaced) {
		err = find_unseen(h, t, r);
		unseen = trouble->repairs.count > 0;
	}
	if (err)
		return err;
	explain_repairs(h, trouble, &r->advice);
	if (unseen)
		buf_puts(&r->advice,
			 "what will lie there is not in the file: compare it with where "
			 "the loader copies its kernel\n");
	keep_repairs(h, trouble, r);
	if (!r->repairs && !trouble->misplaced)
		err = check_say_orphans(h->ctx, &t->regime, &r->advice);
	return err;
}

static void say_walk(const struct check_result *r, const struct pt_names *names, struct buf *out)
{
	pt_render_walk(&r->walk, &r->acc, names, out);
	if (r->wrong.len)
		buf_printf(out, "WRONG: %s\n", r->wrong.data);
	if (r->advice.len)
		buf_puts(out, r->advice.data);
}

int check_walk(struct context *ctx, const struct check_want *want, bool quiet, struct buf *out,
	       struct check_result *r)
{
	struct tables t;
	int err = tables_init(&t, ctx->machine, ctx->symbols, ctx->machine->cpu, NULL, out);

	memset(r, 0, sizeof(*r));
	if (err)
		return err;
	ctx->handoff->ctx = ctx;
	r->acc = tables_access(&t, want->fetch ? PT_FETCH : PT_READ, false);
	err = tables_walk(&t, want->va, &r->acc, &r->walk, out);
	if (err)
		return err;
	r->good = ends_well(ctx->handoff, want, &r->walk, &r->wrong);
	if (!r->good)
		err = find_repairs(ctx->handoff, &t, want, r);
	if (!r->good && quiet)
		buf_putc(out, '\n');
	if (!r->good || !quiet)
		say_walk(r, &t.names, out);
	return err;
}

void check_result_free(struct check_result *r)
{
	for (size_t i = 0; i < r->repairs; i++) {
		buf_free(&r->repair[i].command);
		buf_free(&r->repair[i].why);
	}
	buf_free(&r->wrong);
	buf_free(&r->advice);
}
