/* SPDX-License-Identifier: BSD-2-Clause */
/* Raw tables with their coordinates, or what one of them says entry by entry. */
#include "hex.h"
#include "monitor/maps.h"

/* Ends a map behind its first table; never seen outside. */
#define ENOUGH (-BATON_EREFUSED)

struct listing {
	struct cmd *c;
	struct maps *maps;
	unsigned int half;
	struct maps_notes notes;
	struct buf text;
};

static uint64_t desc_at(const struct pt_config *cfg, const uint8_t *data, unsigned int i)
{
	uint64_t desc = le_read(data + 8 * (size_t)i, 8);

	return cfg->big_endian ? __builtin_bswap64(desc) : desc;
}

static int put(struct listing *l, size_t from)
{
	if (l->text.len > from) {
		cmd_text(l->c, &l->text);
		buf_clear(&l->text);
	}
	return machine_canceled(l->c->machine) ? -BATON_ECANCELED : 0;
}

static void say_name(struct listing *l, uint64_t table)
{
	if (l->maps->tables.symbols)
		symbols_say(l->maps->tables.symbols, table, &l->text);
	buf_putc(&l->text, '\n');
}

/* The way down to a table of @level: "[511][1]" for one of level 2. */
static void say_path(const struct pt_config *cfg, int level, uint64_t ia, struct buf *out)
{
	struct buf path = { 0 };

	for (int up = cfg->start; up < level; up++)
		buf_printf(&path, "[%u]",
			   (unsigned int)(ia >> pt_level_shift(cfg, up) &
					  ((1u << pt_index_bits(cfg, up)) - 1)));
	buf_printf(out, "L%d %-16s", level, path.data ? path.data : "root");
	buf_free(&path);
}

static void say_count(const char *what, unsigned int n, struct buf *out)
{
	if (n)
		buf_printf(out, ", %u %s%s", n, what, n == 1 ? "" : "s");
}

static int on_table(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	struct listing *l = ctx;
	const struct pt_config *cfg = &l->maps->cfg[l->half];
	unsigned int kinds[4] = { 0 }, odd = 0, n = 1u << pt_index_bits(cfg, level);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t desc = desc_at(cfg, data, i);
		enum pt_kind kind = pt_desc_kind(cfg, level, desc);

		kinds[kind]++;
		odd += kind == PT_INVALID && desc;
	}
	maps_notes_flush(&l->notes, l->maps, &l->text);
	say_path(cfg, level, ia, &l->text);
	buf_printf(&l->text, " %#12" PRIx64 "  0x%016" PRIx64 "  %u of %u valid", table, ia,
		   n - kinds[PT_INVALID], n);
	say_count("table", kinds[PT_TABLE], &l->text);
	say_count("block", kinds[PT_BLOCK], &l->text);
	say_count("page", kinds[PT_PAGE], &l->text);
	if (odd)
		buf_printf(&l->text, ", %u invalid but not zero", odd);
	say_name(l, table);
	return put(l, 8192);
}

static int on_note(void *ctx, const struct pt_note *n)
{
	struct listing *l = ctx;

	if (n->kind == PT_NOTE_BAD) /* the counts and pt-dump tell of these */
		return 0;
	maps_note(&l->notes, l->maps, n, &l->text);
	return put(l, 8192);
}

static int list_tables(struct listing *l)
{
	const struct pt_map_sink sink = { .table = on_table, .note = on_note, .ctx = l };
	struct pt_map_stats stats;
	int err = 0;

	for (l->half = 0; !err && l->half < l->maps->count; l->half++) {
		maps_say_head(l->maps, l->half, &l->text);
		if (l->maps->cfg[l->half].regime.nested)
			buf_puts(&l->text,
				 "(addresses of tables are IPAs, which stage 2 translates)\n");
		err = maps_run(l->maps, l->half, 0, UINT64_MAX, &sink, &stats);
		maps_notes_end(&l->notes, l->maps, &l->text);
		l->c->found |= stats.unreadable + stats.bad > 0;
		if (!err)
			maps_say_stats(l->maps, &stats, &l->text);
		if (!err)
			err = put(l, 0);
	}
	l->c->found |= maps_is_wrong(l->maps);
	return err;
}

/* One table */

static void say_leaf(const struct pt_config *cfg, uint64_t oa, const struct pt_attrs *a,
		     struct buf *out)
{
	buf_printf(out, " → %#" PRIx64 "  EL%u %s", oa, cfg->regime.el, pt_render_perm(a->own));
	if (regime_has_el0(&cfg->regime))
		buf_printf(out, "  EL0 %s", pt_render_perm(a->el0));
	buf_putc(out, '\n');
}

static int on_one(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	struct listing *l = ctx;
	struct pt_config *cfg = &l->maps->cfg[0];
	unsigned int n = 1u << pt_index_bits(cfg, level);
	struct pt_walk w = { .cfg = *cfg, .steps = 1 };

	w.cfg.regime.nested = false; /* where its tables lie is not said again for each entry */
	for (unsigned int i = 0; i < n; i++) {
		struct pt_step *s = &w.step[0];
		uint64_t desc = desc_at(cfg, data, i);

		if (!desc)
			continue;
		*s = (struct pt_step){ .stage = cfg->regime.stage2 ? 2 : 1,
				       .level = level,
				       .index = i,
				       .table = table,
				       .address = table + 8 * (uint64_t)i,
				       .read = true,
				       .desc = desc,
				       .kind = pt_desc_kind(cfg, level, desc) };
		s->ipa = s->address;
		s->next = pt_desc_address(cfg, level, s->kind, desc);
		w.mapped = s->kind == PT_BLOCK || s->kind == PT_PAGE;
		if (w.mapped)
			pt_leaf_attrs(cfg, level, desc, 0, &w.attrs);
		pt_render_step(&w, 0, &l->maps->tables.names, &l->text);
		if (w.mapped)
			l->text.len--; /* its end of line */
		if (w.mapped)
			say_leaf(cfg, s->next, &w.attrs, &l->text);
	}
	(void)ia;
	if (!l->text.len)
		cmd_say(l->c, "all of its %u entries are zero", n);
	return put(l, 0) ? -BATON_ECANCELED : ENOUGH;
}

static int say_one(struct listing *l, uint64_t table, int level)
{
	const struct pt_map_sink sink = { .table = on_one, .ctx = l };
	struct pt_config *cfg = &l->maps->cfg[0];
	struct pt_map_stats stats;
	int err;

	/* A root of its own, at that level, and nothing above it. */
	cfg->root = table;
	cfg->start = level;
	cfg->half = 0;
	cfg->ia_bits = pt_level_shift(cfg, level) + cfg->granule - 3;
	cfg->epd = cfg->txsz_bad = cfg->sl_bad = false;
	err = maps_run(l->maps, 0, 0, UINT64_MAX, &sink, &stats);
	if (!err)
		return cmd_fail(l->c, -BATON_ERANGE,
				"%#" PRIx64 ": no table can be read there (`ram` lists what is)",
				table);
	return err == ENOUGH ? 0 : err;
}

static int run(struct cmd *c)
{
	struct maps maps;
	struct listing l = { .c = c, .maps = &maps };
	uint64_t table = 0;
	int level = 0, err = cmd_no_more(c, 2);
	bool one = cmd_count(c) > 0;

	if (!err && one)
		err = cmd_arg(c, 0, "ADDR", &table);
	if (!err && one)
		err = tables_level(c, 1, &level);
	if (!err)
		err = maps_open(&maps, c);
	if (!err && one && table & ((UINT64_C(1) << maps.cfg[0].granule) - 1))
		err = cmd_fail(c, -BATON_EINVAL, "ADDR: a table is aligned to the granule, %u KiB",
			       1u << (maps.cfg[0].granule - 10));
	else if (!err && one && level < 0 && maps.cfg[0].granule != 12)
		err = cmd_fail(c, -BATON_EINVAL, "LEVEL: -1 is of 4 KiB granules alone");
	else if (!err && one)
		err = say_one(&l, table, level);
	else if (!err)
		err = list_tables(&l);
	if (err == -BATON_ECANCELED || err == -BATON_ELINK)
		cmd_fail(c, err, err == -BATON_ELINK ? NULL : "cancelled");
	buf_free(&l.text);
	return err;
}

COMMAND(pt_tables, "pt-tables", run, .args = "[ADDR LEVEL]", .needs = CMD_STOPPED | CMD_TABLES,
	.help = "the raw tables: level, way down to it, address, what it holds; or one's entries",
	.more = "  ADDR LEVEL   the table at that (physical) address, as one of that level: each\n"
		"               entry that is not zero, without what tables above take away\n");
