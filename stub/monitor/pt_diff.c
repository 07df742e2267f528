/* SPDX-License-Identifier: BSD-2-Clause */
/* Translations, not bytes, compared by range: what came, went, or became something else. */
#include "bisect.h"
#include "mmu/a64.h"
#include "monitor/snap.h"

#include <stdlib.h>

/* Tables that repeat one another on one side alone are looked into; this bounds it. */
#define MORE_STEPS (1u << 20)

struct span {
	uint64_t first, last;
};

struct diff {
	struct cmd *c;
	const struct snap *a, *b;
	const struct snap_half *was, *is;
	struct snap_piece before, now; /* the change that is not yet said */
	struct snap_piece last[2];     /* what was added to it last */
	bool any, all;		       /* all: --all */
	uint64_t places[2];	       /* pieces of output that before and now are made of */
	struct span *changed;	       /* all that was, ascending: for tables that are repeated */
	size_t changes, size;
	uint64_t added, removed, different;
	struct buf text;
};

static int put(struct diff *d, size_t from)
{
	if (d->text.len > from) {
		cmd_text(d->c, &d->text);
		buf_clear(&d->text);
	}
	return machine_canceled(d->c->machine) ? -BATON_ECANCELED : 0;
}

static void note_change(struct diff *d, uint64_t first, uint64_t last)
{
	if (d->changes && d->changed[d->changes - 1].last + 1 == first) {
		d->changed[d->changes - 1].last = last;
		return;
	}
	if (d->changes == d->size) {
		d->size = d->size ? 2 * d->size : 64;
		d->changed = realloc(d->changed, d->size * sizeof(*d->changed));
		if (!d->changed)
			abort();
	}
	d->changed[d->changes++] = (struct span){ first, last };
}

static bool has_changed(const struct diff *d, uint64_t first, uint64_t last)
{
	size_t at;

	BISECT(at, i, d->changes, d->changed[i].last < first);
	return at < d->changes && d->changed[at].first <= last;
}

static void say_span(struct diff *d, char sign, uint64_t first, uint64_t last)
{
	buf_printf(&d->text, "%c 0x%016" PRIx64 " - 0x%016" PRIx64 "  ", sign, first, last);
}

static void say_perms(struct diff *d, const struct pt_attrs *a)
{
	buf_printf(&d->text, "EL%u %s", d->a->regime.el, pt_render_perm(a->own));
	if (regime_has_el0(&d->a->regime))
		buf_printf(&d->text, "  EL0 %s", pt_render_perm(a->el0));
}

/* Of two stages it is the first that is compared. */
static const char *ipa_word(const struct diff *d)
{
	return d->a->regime.nested ? "IPA " : "";
}

/* Where it lies: of pages here and there the first, and how many pieces there are. */
static void say_places(struct diff *d, const struct snap_piece *p, uint64_t places)
{
	buf_printf(&d->text, "→ %s%#" PRIx64, ipa_word(d), p->oa);
	if (places > 1)
		buf_printf(&d->text, " and %" PRIu64 " more place%s", places - 1,
			   places == 2 ? "" : "s");
}

static void say_one_side(struct diff *d, char sign, const struct snap_piece *p, uint64_t places)
{
	say_span(d, sign, p->first, p->last);
	say_places(d, p, places);
	buf_puts(&d->text, "  ");
	say_perms(d, &p->attrs);
	buf_puts(&d->text, "  ");
	pt_render_attrs(&p->attrs, &d->text);
}

static bool same_perms(const struct pt_attrs *a, const struct pt_attrs *b)
{
	return a->own == b->own && a->el0 == b->el0;
}

/* What mair, shareability and the other bits make. */
static bool same_rest(struct pt_attrs a, const struct pt_attrs *b)
{
	a.own = b->own;
	a.el0 = b->el0;
	return pt_attrs_same(&a, b) && a.nse == b->nse && a.s1_decides == b->s1_decides;
}

static void say_both(struct diff *d, const struct snap_piece *a, const struct snap_piece *b)
{
	say_span(d, '~', a->first, a->last);
	if (a->oa != b->oa) {
		say_places(d, a, d->places[0]);
		buf_puts(&d->text, " now ");
		say_places(d, b, d->places[1]);
		buf_puts(&d->text, "  ");
	}
	if (!same_perms(&a->attrs, &b->attrs)) {
		say_perms(d, &a->attrs);
		buf_puts(&d->text, " now ");
		say_perms(d, &b->attrs);
		buf_puts(&d->text, "  ");
	}
	if (!same_rest(a->attrs, &b->attrs)) {
		pt_render_attrs(&a->attrs, &d->text);
		buf_puts(&d->text, " now ");
		pt_render_attrs(&b->attrs, &d->text);
	}
}

static int end_line(struct diff *d, uint64_t ia)
{
	if (d->c->ctx->symbols)
		symbols_say(d->c->ctx->symbols, ia, &d->text);
	while (d->text.len && d->text.data[d->text.len - 1] == ' ')
		d->text.len--;
	buf_putc(&d->text, '\n');
	return put(d, 8192);
}

static int flush(struct diff *d)
{
	const struct snap_piece *a = &d->before, *b = &d->now;

	if (!d->any)
		return 0;
	d->any = false;
	note_change(d, a->first, a->last);
	if (!a->mapped) {
		d->added++;
		say_one_side(d, '+', b, d->places[1]);
	} else if (!b->mapped) {
		d->removed++;
		say_one_side(d, '-', a, d->places[0]);
	} else {
		d->different++;
		say_both(d, a, b);
	}
	return end_line(d, a->first);
}

/* @next goes on where @p ends, with the same attributes. */
static bool is_alike(const struct snap_piece *p, const struct snap_piece *next)
{
	return p->last + 1 == next->first && p->mapped == next->mapped &&
	       (!p->mapped ||
		(same_perms(&p->attrs, &next->attrs) && same_rest(p->attrs, &next->attrs)));
}

/* ... and its output goes on too. */
static bool is_joined(const struct snap_piece *p, const struct snap_piece *next)
{
	return !p->mapped || p->oa + (next->first - p->first) == next->oa;
}

/*
 * The change from @a to @b goes on with the one that is not yet said. The pages of a process
 * lie here and there: that alone is no reason for a line of each.
 */
static bool goes_on(struct diff *d, const struct snap_piece *a, const struct snap_piece *b)
{
	bool moved = d->before.oa != d->now.oa;
	bool joined = is_joined(&d->last[0], a) && is_joined(&d->last[1], b);

	if (!d->any || !is_alike(&d->before, a) || !is_alike(&d->now, b))
		return false;
	if (!joined && (d->all || (a->mapped && b->mapped && moved != (a->oa != b->oa))))
		return false;
	d->places[0] += !is_joined(&d->last[0], a);
	d->places[1] += !is_joined(&d->last[1], b);
	return true;
}

static int compare(struct diff *d, const struct snap_piece *a, const struct snap_piece *b)
{
	int err;

	if (a->mapped == b->mapped &&
	    (!a->mapped || (a->oa == b->oa && same_perms(&a->attrs, &b->attrs) &&
			    same_rest(a->attrs, &b->attrs))))
		return flush(d);
	if (goes_on(d, a, b)) {
		d->before.last = d->now.last = a->last;
		d->last[0] = *a;
		d->last[1] = *b;
		return 0;
	}
	err = flush(d);
	d->before = d->last[0] = *a;
	d->now = d->last[1] = *b;
	d->places[0] = d->places[1] = 1;
	d->any = true;
	return err;
}

static int say_repeat(struct diff *d, char sign, const struct snap_item *i)
{
	int err = flush(d);

	note_change(d, snap_item_first(i), snap_item_last(i));
	say_span(d, sign, snap_item_first(i), snap_item_last(i));
	buf_printf(&d->text, "the same table as for 0x%016" PRIx64, (uint64_t)i->oa << 12);
	return err ? err : end_line(d, snap_item_first(i));
}

/*
 * A table that is repeated is not gone through again: where it is so on both sides, what
 * was said of its first place holds here too; where the other side has nothing, one line
 * says it. Return: 1: done with; 0: it has to be looked into; negative: an error.
 */
static int compare_repeat(struct diff *d, uint64_t ia, uint64_t *last)
{
	uint64_t end_a, end_b, first;
	const struct snap_item *a = snap_item_at(d->was, ia, &end_a);
	const struct snap_item *b = snap_item_at(d->is, ia, &end_b);
	int err = 0;

	if (a && b && a->repeat && b->repeat && a->ia == b->ia && a->oa == b->oa &&
	    a->pages == b->pages && ia == snap_item_first(a)) {
		first = (uint64_t)a->oa << 12;
		err = flush(d);
		if (!err && has_changed(d, first, first + (end_a - ia))) {
			d->different++;
			err = say_repeat(d, '~', a);
		}
		*last = end_a;
	} else if (a && a->repeat && !b && ia == snap_item_first(a) && end_b >= end_a) {
		d->removed++;
		err = say_repeat(d, '-', a);
		*last = end_a;
	} else if (b && b->repeat && !a && ia == snap_item_first(b) && end_a >= end_b) {
		d->added++;
		err = say_repeat(d, '+', b);
		*last = end_b;
	} else {
		return 0;
	}
	return err ? err : 1;
}

static int compare_half(struct diff *d, const struct snap_half *was, const struct snap_half *is)
{
	uint64_t left = was->count + is->count;
	uint64_t ia = 0, last;
	int err;

	left = 4 * left + MORE_STEPS;
	d->was = was;
	d->is = is;
	d->changes = 0;
	for (;; ia = last + 1) {
		err = compare_repeat(d, ia, &last);
		if (!err) {
			struct snap_piece a = snap_look(was, ia), b = snap_look(is, ia);

			last = a.last < b.last ? a.last : b.last;
			a.last = b.last = last;
			err = compare(d, &a, &b);
		}
		if (err < 0 || last == UINT64_MAX)
			break;
		if (!left--)
			return -BATON_ETOOBIG;
	}
	return err < 0 ? err : flush(d);
}

static const struct snap_half *half_of(const struct snap *s, unsigned int half)
{
	for (unsigned int i = 0; i < s->halves; i++)
		if (s->half[i].half == half)
			return &s->half[i];
	return NULL;
}

static int compare_all(struct diff *d)
{
	int err = 0;

	for (unsigned int half = 0; !err && half < 2; half++) {
		const struct snap_half *was = half_of(d->a, half), *is = half_of(d->b, half);

		/* -r may limit one of them to a half */
		if (was && is)
			err = compare_half(d, was, is);
	}
	if (!err)
		err = put(d, 0);
	if (!err && d->added + d->removed + d->different)
		cmd_say(d->c, "%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed",
			d->added, d->removed, d->different);
	else if (!err)
		cmd_say(d->c, "no difference in %zu ranges", snap_items(d->a));
	d->c->found = d->added + d->removed + d->different;
	return err;
}

/* What B is when it is not named: the same regime as it is now. */
static int take_now(struct cmd *c, const struct snap *a, struct snap *now)
{
	struct maps maps;
	int err;

	if (!c->regime)
		c->regime = a->spec;
	err = maps_open(&maps, c);
	return err ? err : snap_take(now, &maps, 0);
}

static struct snap *named(struct cmd *c, int i)
{
	struct snap *s = cmd_word(c, i) ? snaps_find(c->ctx->snaps, cmd_word(c, i)) : NULL;

	if (!cmd_word(c, i))
		cmd_fail(c, -BATON_EINVAL, "A is missing: a snapshot (`pt-snap` lists them)");
	else if (!s)
		cmd_fail(c, -BATON_ENOTFOUND, "there is no snapshot %s (`pt-snap` lists them)",
			 cmd_word(c, i));
	return s;
}

static int run(struct cmd *c)
{
	struct diff d = { .c = c, .all = cmd_option(c, "--all") };
	struct snap now = { 0 };
	int err = cmd_no_more(c, 2);

	if (err)
		return err;
	d.a = named(c, 0);
	d.b = d.a && cmd_count(c) > 1 ? named(c, 1) : &now;
	if (!d.a || !d.b)
		return -BATON_ENOTFOUND;
	if (d.b == &now)
		err = take_now(c, d.a, &now);
	if (!err && d.a->regime.el != d.b->regime.el)
		cmd_say(c, "note: %s is of %s, the other of %s", d.a->name, d.a->regime.title,
			d.b->regime.title);
	if (!err)
		err = compare_all(&d);
	if (err == -BATON_ETOOBIG)
		cmd_fail(c, err, "too many ranges, or tables repeated too often, to compare");
	else if (err == -BATON_ECANCELED)
		cmd_fail(c, err, "cancelled");
	else if (err == -BATON_ELINK)
		cmd_fail(c, err, NULL);
	snap_clear(&now);
	buf_free(&d.text);
	free(d.changed);
	return err;
}

COMMAND(pt_diff, "pt-diff", run, .args = "A [B] [--all]", .needs = CMD_STOPPED | CMD_TABLES,
	.help = "translations of snapshot A against those of B, or of now",
	.more = "  --all   each output range by itself, not one line for pages here and there\n"
		"  + came, - went, ~ became something else. Exit status 1 if anything did.\n"
		"  Without B: the regime that A is of, unless -r says otherwise.\n");
