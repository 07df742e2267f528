/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/maps.h"

#include <string.h>

int maps_open(struct maps *m, struct cmd *c)
{
	struct buf why = { 0 };
	int err = tables_open(&m->tables, c);

	m->cmd = c;
	m->count = 0;
	for (unsigned int half = 0; !err && half < 2; half++) {
		struct regime *r = &m->tables.regime;

		if (half && !r->two_halves)
			break;
		buf_clear(&why);
		err = pt_config_from_regime(&m->cfg[m->count], r, half ? UINT64_MAX : 0, &why);
		/* A regime that -r limits to one half has no other. */
		if (err == -BATON_EINVAL && r->two_halves) {
			err = 0;
			continue;
		}
		if (err)
			cmd_fail(c, err, "%s", why.len ? why.data : baton_strerror(err));
		else
			m->count++;
	}
	if (!err && m->cfg[0].flat)
		err = cmd_fail(
			c, -BATON_EINVAL,
			"the MMU is off: every address is its own (`-r pending` looks at the "
			"tables all the same)");
	if (!err && m->cfg[0].regime.nested)
		err = pt_config_stage2(&m->s2, &m->cfg[0], NULL);
	buf_free(&why);
	return err;
}

/* Where stage 1's table really is: each page of it may lie elsewhere. */
static int gather_nested(struct maps *m, const uint64_t *ipa, unsigned int n, size_t size,
			 uint8_t *data, bool *ok)
{
	enum { PAGE = 4096 };

	for (unsigned int i = 0; i < n; i++) {
		ok[i] = true;
		for (size_t at = 0; at < size && ok[i]; at += PAGE) {
			size_t len = size - at < PAGE ? size - at : PAGE;
			uint64_t pa;
			bool got = false;
			int err = 0;

			if (!pt_stage2_address(&m->s2, &m->tables.reader, ipa[i] + at, &pa))
				err = machine_phys_gather(m->cmd->machine, &pa, 1, len,
							  data + i * size + at, &got);
			if (err || m->tables.lost)
				return err ? err : m->tables.lost;
			ok[i] = got;
		}
	}
	return 0;
}

static int gather(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		  bool *ok)
{
	struct maps *m = ctx;

	if (m->cfg[0].regime.nested)
		return gather_nested(m, pa, n, size, data, ok);
	return machine_phys_gather(m->cmd->machine, pa, n, size, data, ok);
}

struct pt_bulk maps_bulk(struct maps *m)
{
	return (struct pt_bulk){ gather, m };
}

int maps_run(struct maps *m, unsigned int i, uint64_t from, uint64_t to,
	     const struct pt_map_sink *sink, struct pt_map_stats *stats)
{
	const struct pt_bulk bulk = maps_bulk(m);

	*stats = (struct pt_map_stats){ 0 };
	if (m->cfg[i].epd || m->cfg[i].txsz_bad || m->cfg[i].sl_bad)
		return 0; /* the heading says why */
	return pt_map(&m->cfg[i], &bulk, from, to, sink, stats);
}

static int one_end(struct cmd *c, const char *text, size_t len, const char *what, uint64_t *value)
{
	struct buf word = { 0 };
	int err;

	buf_add(&word, text, len);
	err = word.len ? cmd_eval(c, what, word.data, value)
		       : cmd_fail(c, -BATON_EINVAL, "%s is missing: FROM-TO", what);
	buf_free(&word);
	return err;
}

int maps_arg_span(struct cmd *c, int i, uint64_t *from, uint64_t *to)
{
	const char *word = cmd_word(c, i), *dash = strchr(word, '-');
	int err = one_end(c, word, dash ? (size_t)(dash - word) : strlen(word), "FROM", from);

	if (!err && dash)
		err = one_end(c, dash + 1, strlen(dash + 1), "TO", to);
	else if (!err)
		*to = *from | 0xfff;
	if (!err && *to < *from)
		err = cmd_fail(c, -BATON_EINVAL, "%s: TO lies before FROM", word);
	return err;
}

void maps_say_head(const struct maps *m, unsigned int i, struct buf *out)
{
	pt_render_head(&m->cfg[i], &m->tables.names, out);
	if (m->cfg[i].epd)
		buf_puts(out, "walks with this root are disabled (TCR.EPD)\n");
	else if (m->cfg[i].txsz_bad || m->cfg[i].sl_bad)
		buf_puts(out, "the input size does not fit: every access faults\n");
}

/* 16 MiB, 1.5 GiB would not be exact: the largest unit that divides it. */
static void say_size(uint64_t size, struct buf *out)
{
	struct buf text = { 0 };

	pt_render_size(size, &text);
	buf_printf(out, "%10s", text.data);
	buf_free(&text);
}

void maps_say_range(const struct maps *m, const struct pt_range *r, struct buf *out)
{
	buf_printf(out, "0x%016" PRIx64 " - 0x%016" PRIx64 "  %s 0x%010" PRIx64 " ", r->ia,
		   r->ia + (r->size - 1), m->cfg[0].regime.nested ? "→ IPA" : "→", r->oa);
	say_size(r->size, out);
	buf_printf(out, "  EL%u %s", m->cfg[0].regime.stage2 ? 1 : m->cfg[0].regime.el,
		   pt_render_perm(r->attrs.own));
	if (m->cfg[0].regime.two_halves || m->cfg[0].regime.stage2)
		buf_printf(out, "  EL0 %s", pt_render_perm(r->attrs.el0));
	buf_puts(out, "  ");
	pt_render_attrs(&r->attrs, out);
	if (m->tables.symbols)
		symbols_say(m->tables.symbols, r->ia, out);
	buf_putc(out, '\n');
}

void maps_say_note(const struct maps *m, const struct pt_note *n, struct buf *out)
{
	static const char *const words[] = {
		[PT_NOTE_REPEAT] = "the same table as for",
		[PT_NOTE_LOOP] = "a table that leads to itself",
		[PT_NOTE_UNREADABLE] = "the table cannot be read: it is not in memory",
		[PT_NOTE_BAD] = "reserved, or beyond the output size: a fault",
	};

	buf_printf(out, "0x%016" PRIx64 " - 0x%016" PRIx64 "  ", n->ia, n->ia + (n->size - 1));
	if (n->level == -2)
		buf_printf(out, "root %#" PRIx64 ": ", n->table);
	else
		buf_printf(out, "L%d [%3u] %#" PRIx64 " = 0x%016" PRIx64 ": ", n->level, n->index,
			   n->address, n->desc);
	buf_puts(out, words[n->kind]);
	if (n->kind == PT_NOTE_REPEAT)
		buf_printf(out, " 0x%016" PRIx64, n->first);
	if (m->tables.symbols && n->kind != PT_NOTE_BAD)
		symbols_say(m->tables.symbols, n->table, out);
	buf_putc(out, '\n');
}

void maps_say_stats(const struct pt_map_stats *s, struct buf *out)
{
	uint64_t tables = 0;

	for (int i = 0; i < PT_LEVELS; i++)
		tables += s->tables[i];
	buf_printf(out, "%" PRIu64 " range%s, ", s->ranges, s->ranges == 1 ? "" : "s");
	pt_render_size(s->bytes, out);
	buf_printf(out, ", %" PRIu64 " table%s\n", tables, tables == 1 ? "" : "s");
	for (int i = 0; i < PT_LEVELS; i++) {
		if (s->tables[i])
			buf_printf(out, "  L%d  %8" PRIu64 " tables  %8" PRIu64 " leaves\n", i - 1,
				   s->tables[i], s->leaves[i]);
	}
	if (s->repeats + s->loops + s->unreadable + s->bad)
		buf_printf(out,
			   "  %" PRIu64 " repeated, %" PRIu64 " loops, %" PRIu64
			   " unreadable tables, %" PRIu64 " bad entries\n",
			   s->repeats, s->loops, s->unreadable, s->bad);
}
