/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmu/a64.h"
#include "monitor/maps.h"
#include "monitor/search.h"
#include "monitor/second.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a line has to be to be shown. */
enum {
	ONLY_X = 1,
	ONLY_W = 2,
	ONLY_U = 4,
	ONLY_DEVICE = 8,
	ONLY_NORMAL = 16,
	ONLY_WX = 32,
	ONLY_NO_AF = 64,
};

#define FILTERS "x w u wx dev mem !af"

static const struct {
	const char *word;
	unsigned int only;
} filters[] = {
	{ "x", ONLY_X },	{ "w", ONLY_W },   { "u", ONLY_U },	  { "dev", ONLY_DEVICE },
	{ "mem", ONLY_NORMAL }, { "wx", ONLY_WX }, { "!af", ONLY_NO_AF },
};

struct dump {
	struct cmd *c;
	struct maps *maps;
	struct second second; /* of a regime that is nested */
	unsigned int only;
	uint64_t from, to;
	const char *path; /* -o */
	FILE *file;
	struct buf text;
	struct maps_notes notes;
	struct maps_range run; /* not yet said; times 0: none */
	uint64_t shown, hidden;
	struct search *search; /* --grep */
};

static int put(struct dump *d)
{
	if (d->file) {
		if (fwrite(d->text.data, 1, d->text.len, d->file) != d->text.len)
			return cmd_fail(d->c, -BATON_ESYS, "-o %s: %s", d->path, strerror(errno));
	} else {
		cmd_text(d->c, &d->text);
	}
	buf_clear(&d->text);
	return machine_canceled(d->c->machine) ? -BATON_ECANCELED : 0;
}

/* Lines leave in larger pieces: a packet or a write for each would be most of the cost. */
static int put_some(struct dump *d)
{
	return d->text.len < 8192 ? 0 : put(d);
}

static bool wanted(const struct dump *d, const struct pt_attrs *a)
{
	unsigned int any = a->el0 | a->own;

	return !((d->only & ONLY_X && !(any & PT_X)) || (d->only & ONLY_W && !(any & PT_W)) ||
		 (d->only & ONLY_U && !a->el0) ||
		 (d->only & ONLY_DEVICE && !mair_is_device(a->mair)) ||
		 (d->only & ONLY_NORMAL && mair_is_device(a->mair)) ||
		 (d->only & ONLY_WX && (any & (PT_W | PT_X)) != (PT_W | PT_X)) ||
		 (d->only & ONLY_NO_AF && a->af));
}

static int on_hit(void *ctx, uint64_t ia, uint64_t pa)
{
	struct dump *d = ctx;

	buf_printf(&d->text, "0x%016" PRIx64 "  at %#" PRIx64, ia, pa);
	if (d->c->ctx->symbols)
		symbols_say(d->c->ctx->symbols, ia, &d->text);
	buf_putc(&d->text, '\n');
	return put_some(d);
}

static void end_run(struct dump *d)
{
	if (d->run.times)
		maps_say_range(d->maps, &d->run, &d->text);
	d->run.times = 0;
}

/* A page of zeros, say, that is mapped for each of a thousand pages: one line. */
static bool goes_on(const struct maps_range *run, const struct maps_range *p)
{
	return run->times && !run->fault && !p->fault &&
	       run->r.ia + run->times * run->r.size == p->r.ia && run->r.size == p->r.size &&
	       run->r.oa == p->r.oa && run->ipa == p->ipa &&
	       pt_attrs_same(&run->r.attrs, &p->r.attrs);
}

static int on_piece(void *ctx, const struct maps_range *p)
{
	struct dump *d = ctx;

	if (p->fault ? d->only || d->search : !wanted(d, &p->r.attrs)) {
		d->hidden++;
		return 0;
	}
	if (d->search)
		return search_range(d->search, p->r.ia, p->r.oa, p->r.size);
	d->shown++;
	maps_notes_flush(&d->notes, d->maps, &d->text);
	if (goes_on(&d->run, p)) {
		d->run.times++;
		return 0;
	}
	end_run(d);
	d->run = *p;
	if (p->fault) /* its words are gone with the next one */
		end_run(d);
	return put_some(d);
}

static int on_range(void *ctx, const struct pt_range *r)
{
	struct dump *d = ctx;

	if (d->maps->cfg[0].regime.nested)
		return second_split(&d->second, r, on_piece, d);
	return on_piece(d, &(struct maps_range){ .r = *r, .times = 1 });
}

static int on_note(void *ctx, const struct pt_note *n)
{
	struct dump *d = ctx;

	if (d->search || d->only)
		return 0;
	end_run(d);
	maps_note(&d->notes, d->maps, n, &d->text);
	return put_some(d);
}

static int parse_word(struct cmd *c, struct dump *d, int i, bool *span)
{
	const char *word = cmd_word(c, i);
	int err;

	for (size_t f = 0; f < sizeof(filters) / sizeof(filters[0]); f++) {
		if (strcmp(word, filters[f].word) != 0)
			continue;
		d->only |= filters[f].only;
		return 0;
	}
	if (*span)
		return cmd_fail(c, -BATON_EINVAL, "%s: one FROM-TO is enough; filters are " FILTERS,
				word);
	*span = true;
	err = maps_arg_span(c, i, &d->from, &d->to);
	if (err && !strchr(word, '-'))
		cmd_say(c, "(\"%s\" is no filter either: those are " FILTERS ")", word);
	return err;
}

static int parse(struct cmd *c, struct dump *d)
{
	const char *bytes = cmd_option_value(c, "--grep");
	bool span = false;
	int err = 0;

	d->path = cmd_option_value(c, "-o");
	if (bytes) {
		d->search = calloc(1, sizeof(*d->search));
		if (!d->search)
			abort();
		d->search->hit = on_hit;
		d->search->ctx = d;
		err = search_bytes(d->search, c, bytes);
	}
	if (!err)
		err = cmd_no_more(c, cmd_count(c));
	for (int i = 0; !err && i < cmd_count(c); i++)
		err = parse_word(c, d, i, &span);
	return err;
}

static void say_totals(struct dump *d, const struct pt_map_stats *s)
{
	maps_say_stats(d->maps, s, &d->text);
	if (d->search) {
		buf_printf(&d->text, "%" PRIu64 " hit%s", d->search->hits,
			   d->search->hits == 1 ? "" : "s");
		if (d->search->passed) {
			buf_puts(&d->text, "; passed over what is no memory: ");
			pt_render_size(d->search->passed, &d->text);
		}
		buf_putc(&d->text, '\n');
	} else if (d->only) {
		buf_printf(&d->text, "%" PRIu64 " range%s shown, %" PRIu64 " not asked for\n",
			   d->shown, d->shown == 1 ? "" : "s", d->hidden);
	}
	if (d->search)
		d->search->hits = d->search->passed = 0;
	d->shown = d->hidden = 0;
}

static int dump_half(struct dump *d, unsigned int half)
{
	const struct pt_map_sink sink = { .range = on_range, .note = on_note, .ctx = d };
	struct pt_map_stats stats;
	int err;

	maps_say_head(d->maps, half, &d->text);
	err = maps_run(d->maps, half, d->from, d->to, &sink, &stats);
	end_run(d);
	maps_notes_end(&d->notes, d->maps, &d->text);
	d->c->found |= stats.unreadable + stats.bad > 0;
	if (!err || err == -BATON_ECANCELED)
		say_totals(d, &stats);
	if (!err)
		return put(d);
	put(d);
	if (err == -BATON_ECANCELED)
		return cmd_fail(d->c, err, "cancelled");
	if (err == -BATON_ETOOBIG)
		return cmd_fail(d->c, err,
				"stage 2 splits this into more than %u ranges: a smaller FROM-TO "
				"is needed",
				SECOND_MAX);
	return err == -BATON_ESYS ? err : cmd_fail(d->c, err, NULL);
}

static int dump_all(struct dump *d)
{
	unsigned int done = 0;
	int err = 0;

	if (d->maps->cfg[0].regime.nested)
		err = second_read(&d->second, d->maps);
	if (err == -BATON_ETOOBIG)
		return cmd_fail(d->c, err, "stage 2 has more than %u ranges: too many to combine",
				SECOND_MAX);
	if (err)
		return cmd_fail(d->c, err, NULL);
	for (unsigned int half = 0; !err && half < d->maps->count; half++) {
		if (!maps_has(d->maps, half, d->from, d->to))
			continue;
		done++;
		err = dump_half(d, half);
	}
	d->c->found |= maps_is_wrong(d->maps);
	if (!done && !err) {
		cmd_say(d->c,
			"no root of %s translates any of these addresses (next: pt-walk %#" PRIx64
			")",
			d->maps->cfg[0].regime.name, d->from);
		d->c->found = true;
	}
	return err;
}

static int dump_file(struct dump *d)
{
	int err;

	d->file = fopen(d->path, "w");
	if (!d->file)
		return cmd_fail(d->c, -BATON_ESYS, "-o %s: %s", d->path, strerror(errno));
	err = dump_all(d);
	if (fclose(d->file) && !err)
		err = cmd_fail(d->c, -BATON_ESYS, "-o %s: %s", d->path, strerror(errno));
	if (!err)
		cmd_say(d->c, "written to %s", d->path);
	return err;
}

static int run(struct cmd *c)
{
	struct dump d = { .c = c, .to = UINT64_MAX };
	struct maps maps;
	int err = parse(c, &d);

	d.maps = &maps;
	if (!err)
		err = maps_open(&maps, c);
	if (!err)
		err = d.path ? dump_file(&d) : dump_all(&d);
	second_free(&d.second);
	buf_free(&d.text);
	if (d.search)
		search_free(d.search);
	free(d.search);
	return err;
}

COMMAND(pt_dump, "pt-dump", run, .args = "[FROM-TO] [FILTER...] [--grep BYTES] [-o FILE]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "all that is mapped, as merged ranges, with totals per level",
	.more = "  FROM-TO       only these input addresses\n"
		"  FILTER        x w u wx (executable, writable, for EL0, both), dev mem, !af\n"
		"  --grep BYTES  search the mapped memory: hex digits, or s:TEXT\n"
		"  -o FILE       write there\n"
		"  Of two stages the IPA and what stage 2 makes of it, and the attributes of "
		"both.\n"
		"  Exit status 1 if tables cannot be read, hold reserved entries, or are not "
		"walked.\n");
