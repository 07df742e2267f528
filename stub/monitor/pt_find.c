/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every input address that reaches a physical one. A table that several entries point to
 * is gone through once: what is found in it is found again for each of them, so hits are
 * counted by intervals, and never listed one by one before they are shown.
 */
#include "bisect.h"
#include "monitor/maps.h"

#include <stdlib.h>

#define SHOWN	    16
#define SHOWN_ALL   (1u << 18) /* tables that loop give 2^36 aliases with a few entries */
#define MAX_WINDOWS 64
#define MAX_HITS    (1u << 17)

/* Output addresses that are looked for: physical, or IPAs that reach them. */
struct window {
	uint64_t first, last, pa;
	struct pt_attrs attrs; /* of stage 2 */
	bool nested;
};

/* Found: a piece of a range, or a table that was met before with hits in it. */
struct hit {
	uint64_t ia, last;
	uint64_t oa;	/* of a range */
	uint64_t first; /* of a repeated table: where it was met first */
	uint64_t count; /* hits up to and with this one */
	unsigned int window;
	bool repeat;
	struct pt_attrs attrs;
};

struct find {
	struct cmd *c;
	const struct window *window;
	unsigned int windows;
	struct hit *hit; /* ascending, apart */
	size_t hits, size;
	/* while listing */
	const struct maps *maps;
	struct window *to; /* where stage 2's hits are put; NULL: they are said */
	unsigned int to_count;
	uint64_t shown, limit;
	struct buf text;
};

static uint64_t count_of(const struct find *f)
{
	return f->hits ? f->hit[f->hits - 1].count : 0;
}

/* The first hit that ends at @ia or behind it. */
static size_t hit_from(const struct find *f, uint64_t ia)
{
	size_t at;

	BISECT(at, i, f->hits, f->hit[i].last < ia);
	return at;
}

static void add(struct find *f, struct hit *h, uint64_t count)
{
	if (f->hits == f->size) {
		f->size = f->size ? 2 * f->size : 64;
		f->hit = realloc(f->hit, f->size * sizeof(*f->hit));
		if (!f->hit)
			abort();
	}
	/* Tables that repeat tables that repeat tables: the number may be beyond all bounds. */
	if (__builtin_add_overflow(count_of(f), count, &h->count))
		h->count = UINT64_MAX;
	f->hit[f->hits++] = *h;
}

static int on_range(void *ctx, const struct pt_range *r)
{
	struct find *f = ctx;
	uint64_t last = r->oa + (r->size - 1);

	for (unsigned int i = 0; i < f->windows; i++) {
		const struct window *w = &f->window[i];
		struct hit h = { .window = i, .attrs = r->attrs };
		uint64_t end = last < w->last ? last : w->last;

		if (last < w->first || r->oa > w->last)
			continue;
		h.oa = r->oa > w->first ? r->oa : w->first;
		h.ia = r->ia + (h.oa - r->oa);
		h.last = h.ia + (end - h.oa);
		add(f, &h, 1);
	}
	return f->hits < MAX_HITS ? 0 : -BATON_ETOOBIG;
}

static int on_note(void *ctx, const struct pt_note *n)
{
	struct find *f = ctx;
	struct hit h = { .ia = n->ia, .last = n->ia + (n->size - 1), .first = n->first };
	size_t from, end;
	uint64_t before;

	if (n->kind != PT_NOTE_REPEAT)
		return 0;
	h.repeat = true;
	from = hit_from(f, n->first);
	end = hit_from(f, n->first + (n->size - 1));
	if (end < f->hits && f->hit[end].ia <= n->first + (n->size - 1))
		end++;
	before = from ? f->hit[from - 1].count : 0;
	if (end > from)
		add(f, &h, f->hit[end - 1].count - before);
	return 0;
}

static void say_hit(struct find *f, const struct hit *h, uint64_t ia, uint64_t oa, uint64_t size)
{
	const struct window *w = &f->window[h->window];
	const struct pt_config *cfg = &f->maps->cfg[0];
	struct pt_attrs attrs = h->attrs;

	if (w->nested)
		pt_combine_attrs(&f->maps->s2, &h->attrs, &w->attrs, &attrs);
	buf_printf(&f->text, "0x%016" PRIx64, ia);
	if (f->window[0].first != f->window[0].last)
		buf_printf(&f->text, " - 0x%016" PRIx64, ia + (size - 1));
	if (w->nested)
		buf_printf(&f->text, "  → IPA %#" PRIx64, oa);
	buf_printf(&f->text, "  → %s%#" PRIx64 "  EL%u %s", w->nested ? "PA " : "",
		   oa - w->first + w->pa, cfg->regime.stage2 ? 1 : cfg->regime.el,
		   pt_render_perm(attrs.own));
	if (regime_has_el0(&cfg->regime))
		buf_printf(&f->text, "  EL0 %s", pt_render_perm(attrs.el0));
	buf_puts(&f->text, "  ");
	pt_render_attrs(&attrs, &f->text);
	if (f->maps->tables.symbols)
		symbols_say(f->maps->tables.symbols, ia, &f->text);
	buf_putc(&f->text, '\n');
	if (f->text.len > 8192) {
		cmd_text(f->c, &f->text);
		buf_clear(&f->text);
	}
}

static void take_hit(struct find *f, const struct hit *h, uint64_t ia, uint64_t oa, uint64_t size)
{
	f->shown++;
	if (f->to && f->to_count < MAX_WINDOWS)
		f->to[f->to_count++] =
			(struct window){ ia, ia + (size - 1), oa, h->attrs, .nested = true };
	else if (!f->to)
		say_hit(f, h, ia, oa, size);
}

/* Hits from @first to @last, as they appear @by away from there. */
static void list(struct find *f, uint64_t first, uint64_t last, uint64_t by)
{
	for (size_t i = hit_from(f, first); i < f->hits && f->hit[i].ia <= last; i++) {
		const struct hit *h = &f->hit[i];
		uint64_t from = h->ia > first ? h->ia : first;
		uint64_t to = h->last < last ? h->last : last;

		if (f->shown >= f->limit || machine_canceled(f->c->machine))
			return;
		if (h->repeat) /* always of a table that was met before: this ends */
			list(f, h->first + (from - h->ia), h->first + (to - h->ia),
			     by + (h->ia - h->first));
		else
			take_hit(f, h, from + by, h->oa + (from - h->ia), to - from + 1);
	}
}

static int search(struct find *f, struct maps *maps, unsigned int half)
{
	const struct pt_map_sink sink = { .range = on_range, .note = on_note, .ctx = f };
	struct pt_map_stats stats;

	f->hits = 0;
	return maps_run(maps, half, 0, UINT64_MAX, &sink, &stats);
}

/* What of stage 2 reaches @pa: that is what stage 1 has to be searched for. */
static int search_stage2(struct find *f, struct maps *maps, struct window *pa)
{
	const struct window wanted = *pa;
	struct maps second;
	uint64_t count;
	int err;

	if (maps->s2.flat)
		return 0;
	maps_of_stage2(&second, maps);
	f->window = &wanted;
	err = search(f, &second, 0);
	f->to = pa;
	f->limit = MAX_WINDOWS;
	if (!err)
		list(f, 0, UINT64_MAX, 0);
	count = count_of(f);
	if (!err && count > MAX_WINDOWS)
		cmd_say(f->c,
			"stage 2 reaches it by %" PRIu64 " IPAs, of which the first %u are "
			"searched for",
			count, MAX_WINDOWS);
	f->windows = f->to_count;
	f->window = pa;
	f->to = NULL;
	return err;
}

/* Of all halves: what was found, by physical address, to compare types. */
struct piece {
	uint64_t first, last;
	uint8_t mair;
	enum pt_share share;
};

struct pieces {
	struct piece *piece;
	size_t count;
};

static void add_pieces(const struct find *f, struct pieces *p)
{
	p->piece = realloc(p->piece, (p->count + f->hits + 1) * sizeof(*p->piece));
	if (!p->piece)
		abort();
	for (size_t i = 0; i < f->hits; i++) {
		const struct hit *h = &f->hit[i];
		const struct window *w = &f->window[h->window];
		uint64_t first = h->oa - w->first + w->pa;
		struct pt_attrs a = h->attrs;

		if (h->repeat)
			continue;
		if (w->nested)
			pt_combine_attrs(&f->maps->s2, &h->attrs, &w->attrs, &a);
		p->piece[p->count++] =
			(struct piece){ first, first + (h->last - h->ia), a.mair, a.share };
	}
}

static int order(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/*
 * Aliases have to agree in memory type and, if it is Normal, in cacheability and
 * shareability (DDI 0487, B2 "Mismatched memory attributes"). Of all that overlap at an
 * address it is enough to compare each with the one that reaches furthest.
 */
static bool types_clash(struct pieces *p)
{
	size_t far = 0;

	if (p->count)
		qsort(p->piece, p->count, sizeof(*p->piece), order);
	for (size_t i = 1; i < p->count; i++) {
		const struct piece *a = &p->piece[far], *b = &p->piece[i];

		if (b->first <= a->last && (a->mair != b->mair || a->share != b->share))
			return true;
		if (b->last > a->last)
			far = i;
	}
	return false;
}

static void say_nothing(struct cmd *c, const char *name, uint64_t pa)
{
	cmd_say(c, "nothing in %s maps %#" PRIx64, name, pa);
	if (!machine_ram_find(c->machine, pa))
		cmd_say(c,
			"PA is a physical address, and nothing is there (next: ram, or of a "
			"virtual one pt-walk %#" PRIx64 ")",
			pa);
}

static void say_summary(struct find *f, uint64_t count, uint64_t pa, bool clash)
{
	const char *name = f->maps->cfg[0].regime.name;
	bool one = f->window[0].first == f->window[0].last;
	const char *what = one ? count == 1 ? "alias" : "aliases" : count == 1 ? "range" : "ranges";

	if (!count)
		say_nothing(f->c, name, pa);
	else if (count == UINT64_MAX)
		cmd_say(f->c, "more %s than can be counted, %" PRIu64 " shown", what, f->shown);
	else if (count > f->shown)
		cmd_say(f->c, "%" PRIu64 " %s, the first %" PRIu64 " shown%s", count, what,
			f->shown, f->limit < SHOWN_ALL ? " (--all: all)" : "");
	else
		cmd_say(f->c, "%" PRIu64 " %s", count, what);
	if (clash)
		cmd_say(f->c, "MISMATCH: their memory types or shareabilities differ: what one "
			      "writes another may not see (DDI 0487, B2 \"Mismatched memory "
			      "attributes\")");
	f->c->found = !count || clash;
}

static int find_all(struct find *f, struct maps *maps, uint64_t limit, uint64_t pa)
{
	struct pieces pieces = { 0 };
	uint64_t count = 0;
	int err = 0;

	f->limit = limit;
	f->shown = 0;
	for (unsigned int half = 0; !err && half < maps->count && f->windows; half++) {
		err = search(f, maps, half);
		if (err)
			break;
		if (__builtin_add_overflow(count, count_of(f), &count))
			count = UINT64_MAX;
		add_pieces(f, &pieces);
		list(f, 0, UINT64_MAX, 0);
		cmd_text(f->c, &f->text);
		buf_clear(&f->text);
		err = machine_canceled(f->c->machine) ? -BATON_ECANCELED : 0;
	}
	if (!err)
		say_summary(f, count, pa, types_clash(&pieces));
	free(pieces.piece);
	return err;
}

static int run(struct cmd *c)
{
	bool all = cmd_option(c, "--all");
	struct window window[MAX_WINDOWS] = { 0 };
	struct find f = { .c = c, .window = window, .windows = 1 };
	uint64_t pa = 0, len = 1;
	struct maps maps;
	int err = cmd_no_more(c, 2);

	if (!err)
		err = cmd_arg(c, 0, "PA", &pa);
	if (!err && cmd_count(c) > 1)
		err = cmd_arg(c, 1, "LEN", &len);
	if (!err && (!len || pa + (len - 1) < pa))
		err = cmd_fail(c, -BATON_EINVAL, "LEN is 1 or more, and must not wrap around");
	if (!err)
		err = maps_open(&maps, c);
	if (err)
		return err;
	f.maps = &maps;
	window[0] = (struct window){ .first = pa, .last = pa + (len - 1), .pa = pa };
	if (maps.cfg[0].regime.nested)
		err = search_stage2(&f, &maps, window);
	if (!err)
		err = find_all(&f, &maps, all ? SHOWN_ALL : SHOWN, pa);
	if (err == -BATON_ETOOBIG)
		cmd_fail(c, err, "more than %u places: a smaller LEN is needed", MAX_HITS);
	else if (err)
		cmd_fail(c, err, err == -BATON_ECANCELED ? "cancelled" : NULL);
	buf_free(&f.text);
	free(f.hit);
	return err;
}

COMMAND(pt_find, "pt-find", run, .args = "PA [LEN] [--all]", .needs = CMD_STOPPED | CMD_TABLES,
	.help = "every input address that reaches PA, and whether their memory types agree",
	.more = "  LEN     not one address but that many bytes\n"
		"  --all   not the first 16 alone, but up to 262,144\n"
		"  Exit status 1 if nothing maps it, or if the memory types of aliases differ.\n");
