/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/second.h"

#include "bisect.h"

#include <stdlib.h>
#include <string.h>

struct second_item {
	uint64_t ipa, size;
	uint64_t to;	   /* the PA; of a repeated table the IPA that it was met at first */
	unsigned int kind; /* second.attrs; REPEAT */
};

#define REPEAT UINT32_MAX

#define HOLE_STEPS 1024

static int add(struct second *s, struct second_item item)
{
	if (s->count == SECOND_MAX)
		return -BATON_ETOOBIG;
	if (s->count == s->size) {
		s->size = s->size ? 2 * s->size : 64;
		s->item = realloc(s->item, s->size * sizeof(*s->item));
		if (!s->item)
			abort();
	}
	s->item[s->count++] = item;
	return 0;
}

/* Thousands of ranges have a handful of different attributes. */
static unsigned int kind_of(struct second *s, const struct pt_attrs *a)
{
	for (unsigned int i = 0; i < s->kinds; i++) {
		unsigned int k = (s->last + i) % s->kinds;
		const struct pt_attrs *have = &s->attrs[k];

		if (have->attrindx == a->attrindx && have->sh == a->sh && pt_attrs_same(have, a))
			return s->last = k;
	}
	s->attrs = realloc(s->attrs, (s->kinds + 1) * sizeof(*s->attrs));
	if (!s->attrs)
		abort();
	s->attrs[s->kinds] = *a;
	return s->last = s->kinds++;
}

static int on_range(void *ctx, const struct pt_range *r)
{
	struct second *s = ctx;

	return add(s, (struct second_item){ r->ia, r->size, r->oa, kind_of(s, &r->attrs) });
}

static int on_note(void *ctx, const struct pt_note *n)
{
	if (n->kind != PT_NOTE_REPEAT)
		return 0;
	return add(ctx, (struct second_item){ n->ia, n->size, n->first, REPEAT });
}

int second_read(struct second *s, struct maps *m)
{
	const struct pt_map_sink sink = { .range = on_range, .note = on_note, .ctx = s };
	struct pt_map_stats stats;
	struct maps alone;

	*s = (struct second){ .maps = m };
	maps_of_stage2(&alone, m);
	return maps_run(&alone, 0, 0, UINT64_MAX, &sink, &stats);
}

void second_free(struct second *s)
{
	free(s->item);
	free(s->attrs);
	buf_free(&s->fault);
	*s = (struct second){ 0 };
}

/* What covers @ipa; NULL: nothing, up to and with *@last. */
static const struct second_item *look_up(const struct second *s, uint64_t ipa, uint64_t *last)
{
	size_t at;

	BISECT(at, i, s->count, s->item[i].ipa + (s->item[i].size - 1) < ipa);
	*last = UINT64_MAX;
	if (at == s->count)
		return NULL;
	if (s->item[at].ipa > ipa) {
		*last = s->item[at].ipa - 1;
		return NULL;
	}
	*last = s->item[at].ipa + (s->item[at].size - 1);
	return &s->item[at];
}

/* The range that is split, and who wants to know. */
struct split {
	struct second *s;
	const struct pt_range *r;
	int (*fn)(void *ctx, const struct maps_range *piece);
	void *ctx;
};

/* The entry that a walk from @ipa faulted at: how far it reaches. */
static uint64_t reach_of(const struct pt_config *s2, const struct pt_walk *w, uint64_t ipa)
{
	const struct pt_step *last = w->steps ? &w->step[w->steps - 1] : NULL;
	uint64_t size = last ? UINT64_C(1) << pt_level_shift(s2, last->level) : 0;

	return last ? size - (ipa & (size - 1)) : UINT64_MAX;
}

/* Does all of the hole fault alike, as far as it is worth asking? */
static bool is_alike(struct second *s, const struct pt_walk *first, uint64_t ipa, uint64_t size)
{
	const struct pt_config *s2 = &s->maps->s2;
	uint64_t at = reach_of(s2, first, ipa);

	for (int i = 0; i < HOLE_STEPS && at < size; i++) {
		struct pt_walk w;

		if (pt_walk(s2, &s->maps->tables.reader, ipa + at, NULL, &w) ||
		    w.fault != first->fault || w.reason != first->reason || w.level != first->level)
			return false;
		at += reach_of(s2, &w, ipa + at) < size - at ? reach_of(s2, &w, ipa + at)
							     : size - at;
	}
	return at >= size;
}

/* Where stage 2 ends, in the walk's own words. */
static int say_fault(struct second *s, uint64_t ipa, uint64_t size)
{
	struct maps *m = s->maps;
	struct pt_walk w;
	char *esr;
	int err = pt_walk(&m->s2, &m->tables.reader, ipa, NULL, &w);

	if (err)
		return err;
	buf_clear(&s->fault);
	buf_puts(&s->fault, "");
	pt_render_fault(&w, NULL, &s->fault);
	esr = strstr(s->fault.data, " (ESR ");
	if (esr) {
		*esr = '\0';
		s->fault.len = (size_t)(esr - s->fault.data);
	}
	if (!is_alike(s, &w, ipa, size))
		buf_puts(&s->fault, " (where it begins)");
	return m->tables.lost;
}

static int give(struct split *x, uint64_t ipa, uint64_t size, const struct second_item *i,
		uint64_t pa)
{
	struct second *s = x->s;
	struct maps_range piece = { .ipa = ipa, .times = 1 };
	int err = 0;

	if (s->pieces++ == SECOND_MAX)
		return -BATON_ETOOBIG;
	piece.r = *x->r;
	piece.r.ia += ipa - x->r->oa;
	piece.r.size = size;
	piece.r.oa = pa;
	if (i) {
		pt_combine_attrs(&s->maps->s2, &x->r->attrs, &s->attrs[i->kind], &piece.r.attrs);
	} else {
		err = say_fault(s, ipa, size);
		piece.fault = s->fault.data;
	}
	return err ? err : x->fn(x->ctx, &piece);
}

/* IPAs that are looked up at @first to @last, and lie @by behind there. */
static int split(struct split *x, uint64_t first, uint64_t last, uint64_t by)
{
	int err = 0;

	for (uint64_t end; !err; first = end + 1) {
		const struct second_item *i = look_up(x->s, first, &end);
		uint64_t to = i ? i->to + (first - i->ipa) : 0;

		end = end < last ? end : last;
		/* What repeats was met before, at lower levels: this ends. */
		if (i && i->kind == REPEAT)
			err = split(x, to, to + (end - first), by + (first - to));
		else
			err = give(x, first + by, end - first + 1, i, to);
		if (end == last)
			break;
	}
	return err;
}

int second_split(struct second *s, const struct pt_range *r,
		 int (*fn)(void *ctx, const struct maps_range *piece), void *ctx)
{
	struct split x = { s, r, fn, ctx };

	return split(&x, r->oa, r->oa + (r->size - 1), 0);
}
