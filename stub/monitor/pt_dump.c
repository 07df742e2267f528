/* SPDX-License-Identifier: BSD-2-Clause */
#include "hex.h"
#include "mmu/a64.h"
#include "monitor/maps.h"

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
	unsigned int only;
	FILE *file; /* -o, or NULL */
	struct buf text;
	uint64_t shown, hidden;
	/* --grep */
	uint8_t *needle;
	size_t needle_len;
	uint64_t hits;
	uint8_t tail[256]; /* the end of the range before, for a hit that crosses */
	size_t tail_len;
	uint64_t tail_end;
};

static int put(struct dump *d)
{
	if (d->file) {
		if (fwrite(d->text.data, 1, d->text.len, d->file) != d->text.len)
			return -BATON_ESYS;
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

static void report_hit(struct dump *d, uint64_t va, uint64_t pa)
{
	d->hits++;
	buf_printf(&d->text, "0x%016" PRIx64 "  at %#" PRIx64, va, pa);
	if (d->c->ctx->symbols)
		symbols_say(d->c->ctx->symbols, va, &d->text);
	buf_putc(&d->text, '\n');
}

/* Search the memory behind a range; a hit may begin in the range before, if that is adjacent. */
static int grep(struct dump *d, const struct pt_range *r)
{
	static uint8_t data[65536 + sizeof(d->tail)];
	size_t keep = d->tail_end == r->ia ? d->tail_len : 0;

	if (!machine_is_ram(d->c->machine, r->oa, r->size, true)) {
		d->hidden++;
		return 0;
	}
	memcpy(data, d->tail, keep);
	for (uint64_t at = 0; at < r->size;) {
		size_t n = r->size - at < 65536 ? (size_t)(r->size - at) : 65536;
		uint8_t *p = data, *end;
		int err = machine_phys_read(d->c->machine, r->oa + at, data + keep, n);

		if (err)
			return err;
		end = data + keep + n;
		while ((p = memmem(p, (size_t)(end - p), d->needle, d->needle_len))) {
			uint64_t off = at - keep + (uint64_t)(p - data);

			report_hit(d, r->ia + off, r->oa + off);
			p++;
		}
		at += n;
		keep = d->needle_len - 1 < keep + n ? d->needle_len - 1 : keep + n;
		memmove(data, end - keep, keep);
		err = put_some(d);
		if (err)
			return err;
	}
	memcpy(d->tail, data, keep);
	d->tail_len = keep;
	d->tail_end = r->ia + r->size;
	return 0;
}

static int on_range(void *ctx, const struct pt_range *r)
{
	struct dump *d = ctx;

	if (!wanted(d, &r->attrs)) {
		d->hidden++;
		return 0;
	}
	if (d->needle)
		return grep(d, r);
	d->shown++;
	maps_say_range(d->maps, r, &d->text);
	return put_some(d);
}

static int on_note(void *ctx, const struct pt_note *n)
{
	struct dump *d = ctx;

	if (d->needle || d->only)
		return 0;
	maps_say_note(d->maps, n, &d->text);
	return put_some(d);
}

static int parse_bytes(struct cmd *c, const char *word, struct dump *d)
{
	size_t n = strlen(word);

	d->needle = malloc(n + 1);
	if (!d->needle)
		abort();
	/* hex digits, or text behind a quote that the line's parser has taken: "s:text" */
	if (strncmp(word, "s:", 2) == 0) {
		d->needle_len = n - 2;
		memcpy(d->needle, word + 2, d->needle_len);
	} else if (n % 2 == 0 && hex_decode(word, n, d->needle) == 0) {
		d->needle_len = n / 2;
	}
	if (!d->needle_len || d->needle_len > sizeof(d->tail))
		return cmd_fail(c, -BATON_EINVAL,
				"--grep %s: pairs of hex digits, or s:TEXT; at most %zu bytes",
				word, sizeof(d->tail));
	return 0;
}

static int parse(struct cmd *c, struct dump *d, uint64_t *from, uint64_t *to)
{
	const char *bytes = cmd_option_value(c, "--grep"), *file = cmd_option_value(c, "-o");
	int err = bytes ? parse_bytes(c, bytes, d) : 0;

	for (int i = 0; !err && i < cmd_count(c); i++) {
		const char *word = cmd_word(c, i);
		size_t f = 0;

		while (f < sizeof(filters) / sizeof(filters[0]) &&
		       strcmp(word, filters[f].word) != 0)
			f++;
		if (f < sizeof(filters) / sizeof(filters[0]))
			d->only |= filters[f].only;
		else
			err = maps_arg_span(c, i, from, to);
	}
	if (!err && file) {
		d->file = fopen(file, "w");
		if (!d->file)
			err = cmd_fail(c, -BATON_ESYS, "-o %s: %s", file, strerror(errno));
	}
	return err;
}

static void say_totals(struct dump *d, const struct pt_map_stats *s)
{
	maps_say_stats(s, &d->text);
	if (d->needle)
		buf_printf(&d->text,
			   "%" PRIu64 " hit%s; %" PRIu64 " ranges that are no memory passed over\n",
			   d->hits, d->hits == 1 ? "" : "s", d->hidden);
	else if (d->only)
		buf_printf(&d->text, "%" PRIu64 " ranges shown, %" PRIu64 " not asked for\n",
			   d->shown, d->hidden);
}

static int run(struct cmd *c)
{
	struct dump d = { .c = c };
	struct pt_map_sink sink = { .range = on_range, .note = on_note, .ctx = &d };
	struct pt_map_stats stats;
	uint64_t from = 0, to = UINT64_MAX;
	struct maps maps;
	int err = parse(c, &d, &from, &to);

	d.maps = &maps;
	if (!err)
		err = maps_open(&maps, c);
	for (unsigned int half = 0; !err && half < maps.count; half++) {
		maps_say_head(&maps, half, &d.text);
		err = maps_run(&maps, half, from, to, &sink, &stats);
		if (!err || err == -BATON_ECANCELED)
			say_totals(&d, &stats);
		if (!err)
			err = put(&d);
		else if (err == -BATON_ECANCELED)
			cmd_fail(c, err, "cancelled");
		else
			cmd_fail(c, err, NULL);
	}
	if (d.file && fclose(d.file) && !err)
		err = cmd_fail(c, -BATON_ESYS, "-o: %s", strerror(errno));
	buf_free(&d.text);
	free(d.needle);
	return err;
}

COMMAND(pt_dump, "pt-dump", run, .args = "[FROM-TO] [FILTER...] [--grep BYTES] [-o FILE]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "all that is mapped, as merged ranges, with totals per level",
	.more = "  FROM-TO       only these input addresses\n"
		"  FILTER        x w u wx (executable, writable, for EL0, both), dev mem, !af\n"
		"  --grep BYTES  search the mapped memory: hex digits, or s:TEXT\n"
		"  -o FILE       write there\n");
