/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/snap.h"

#include "bisect.h"

#include <stdlib.h>
#include <string.h>

struct taking {
	struct snap *snap;
	struct snap_half *half;
	size_t kept;
};

static int add(struct taking *t, struct snap_item item)
{
	struct snap_half *h = t->half;

	if (t->kept + snap_items(t->snap) >= SNAP_MAX_ITEMS)
		return -BATON_ETOOBIG;
	if (h->count == h->size) {
		h->size = h->size ? h->size * 2 : 256;
		h->item = realloc(h->item, h->size * sizeof(*h->item));
		if (!h->item)
			abort();
	}
	h->item[h->count++] = item;
	return 0;
}

#define PAGES(n) ((n) >> 12)

static int on_range(void *ctx, const struct pt_range *r)
{
	const struct pt_attrs *a = &r->attrs;

	return add(ctx, (struct snap_item){ .ia = PAGES(r->ia),
					    .own = a->own & 7,
					    .el0 = a->el0 & 7,
					    .share = a->share & 3,
					    .af = a->af,
					    .ng = a->ng,
					    .ns = a->ns,
					    .oa = PAGES(r->oa),
					    .mair = a->mair,
					    .dbm = a->dbm,
					    .guarded = a->guarded,
					    .nse = a->nse,
					    .s1_decides = a->s1_decides,
					    .pages = PAGES(r->size) });
}

static int on_note(void *ctx, const struct pt_note *n)
{
	if (n->kind != PT_NOTE_REPEAT)
		return 0; /* what cannot be walked does not translate */
	return add(ctx, (struct snap_item){ .ia = PAGES(n->ia),
					    .repeat = 1,
					    .oa = PAGES(n->first),
					    .pages = PAGES(n->size) });
}

int snap_take(struct snap *s, struct maps *m, size_t kept)
{
	struct taking t = { .snap = s, .kept = kept };
	const struct pt_map_sink sink = { .range = on_range, .note = on_note, .ctx = &t };
	struct pt_map_stats stats;
	int err = 0;

	*s = (struct snap){ .regime = m->tables.regime, .cpu = m->tables.cpu };
	for (unsigned int i = 0; !err && i < m->count; i++) {
		t.half = &s->half[i];
		t.half->root = m->cfg[i].root;
		t.half->half = m->cfg[i].half;
		s->halves++;
		err = maps_run(m, i, 0, UINT64_MAX, &sink, &stats);
	}
	return err;
}

void snap_clear(struct snap *s)
{
	free(s->name);
	free(s->spec);
	free(s->half[0].item);
	free(s->half[1].item);
	*s = (struct snap){ 0 };
}

size_t snap_items(const struct snap *s)
{
	return s->half[0].count + s->half[1].count;
}

size_t snaps_items(const struct snaps *all)
{
	size_t n = 0;

	for (const struct snap *s = all ? all->first : NULL; s; s = s->next)
		n += snap_items(s);
	return n;
}

struct snap *snaps_find(const struct snaps *all, const char *name)
{
	for (struct snap *s = all ? all->first : NULL; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

void snaps_free(struct snaps *all)
{
	while (all && all->first) {
		struct snap *s = all->first;

		all->first = s->next;
		snap_clear(s);
		free(s);
	}
	free(all);
}

const struct snap_item *snap_item_at(const struct snap_half *h, uint64_t ia, uint64_t *last)
{
	size_t at;

	BISECT(at, i, h->count, snap_item_last(&h->item[i]) < ia);
	if (at == h->count) {
		*last = UINT64_MAX;
		return NULL;
	}
	if (snap_item_first(&h->item[at]) > ia) {
		*last = snap_item_first(&h->item[at]) - 1;
		return NULL;
	}
	*last = snap_item_last(&h->item[at]);
	return &h->item[at];
}

struct snap_piece snap_look(const struct snap_half *h, uint64_t ia)
{
	struct snap_piece p = { .first = ia };
	const struct snap_item *i = snap_item_at(h, ia, &p.last);
	uint64_t by;

	if (!i)
		return p;
	by = ia - snap_item_first(i);
	if (!i->repeat) {
		p.mapped = true;
		p.oa = ((uint64_t)i->oa << 12) + by;
		p.attrs = (struct pt_attrs){
			.own = i->own,
			.el0 = i->el0,
			.mair = i->mair,
			.sh = (enum pt_share)i->share,
			.share = (enum pt_share)i->share,
			.s1_decides = i->s1_decides,
			.af = i->af,
			.ng = i->ng,
			.ns = i->ns,
			.nse = i->nse,
			.dbm = i->dbm,
			.guarded = i->guarded,
		};
		return p;
	}
	/* What is within a table that was met before lies at lower levels: this ends. */
	struct snap_piece below = snap_look(h, ((uint64_t)i->oa << 12) + by);

	if (below.last - below.first < p.last - ia)
		p.last = ia + (below.last - below.first);
	below.first = ia;
	below.last = p.last;
	return below;
}
