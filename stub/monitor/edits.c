/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/edits.h"

#include "handoff/image.h"
#include "monitor/maps.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES_SHOWN 8

/* Options */

static int parse_force(struct edits *e)
{
	const char *name;

	while ((name = cmd_option_value(e->cmd, "-f"))) {
		enum plan_check check = plan_check_find(name);

		if (check == CHECK_COUNT)
			return cmd_fail(e->cmd, -BATON_EINVAL,
					"-f %s: there is no such check (`help %s` lists them)",
					name, e->cmd->args.word[0]);
		e->force |= 1u << check;
	}
	return 0;
}

static int parse_pool(struct edits *e)
{
	const char *text = cmd_option_value(e->cmd, "--pool");
	const char *comma = text ? strchr(text, ',') : NULL;
	struct buf address = { 0 };
	int err;

	if (!text)
		return 0;
	if (!comma)
		return cmd_fail(e->cmd, -BATON_EINVAL, "--pool %s: ADDR,SIZE is wanted", text);
	buf_add(&address, text, (size_t)(comma - text));
	err = cmd_eval(e->cmd, "--pool", address.len ? address.data : "", &e->pool);
	if (!err)
		err = cmd_eval(e->cmd, "--pool", comma + 1, &e->pool_size);
	buf_free(&address);
	if (!err && e->pool + e->pool_size < e->pool)
		err = cmd_fail(e->cmd, -BATON_EINVAL, "--pool %s: it ends beyond 64 bits", text);
	e->pool_given = true;
	return err;
}

int edits_options(struct edits *e, struct cmd *c, bool pool)
{
	int err;

	memset(e, 0, sizeof(*e));
	e->cmd = c;
	e->show_only = cmd_option(c, "-n");
	err = parse_force(e);
	return err || !pool ? err : parse_pool(e);
}

int edits_attrs(struct edits *e, int first, struct pt_want *want)
{
	struct buf why = { 0 };
	int err = 0;

	*want = (struct pt_want){ 0 };
	if (!cmd_word(e->cmd, first))
		return cmd_fail(e->cmd, -BATON_EINVAL, "ATTRS is missing: rw,normal or r-x,user");
	for (int i = first; cmd_word(e->cmd, i) && !err; i++)
		err = pt_want_parse(want, cmd_word(e->cmd, i), &why);
	if (err)
		cmd_fail(e->cmd, err, "%s", why.data);
	buf_free(&why);
	return err;
}

/* Where the header of the image at @pa, if it is one, says that the loader will copy to. */
static int forbid_regions(struct edits *e, uint64_t pa, bool *found)
{
	struct machine *m = e->cmd->machine;
	struct image img = { 0 };
	int err = image_open(&img, m, pa);

	if (!err && img.listed)
		err = image_load(&img, m);
	*found = !err && img.has_header;
	for (uint64_t i = 0; *found && i < img.header.num_regions; i++)
		if (img.region[i].size)
			plan_forbid(&e->plan, img.region[i].load_addr,
				    img.region[i].load_addr + img.region[i].size - 1,
				    "a region of the loader's is copied there");
	image_free(&img);
	return err;
}

/* What was loaded, and what will be. A machine that does not tell has nothing to say here. */
static int forbid_loaded(struct edits *e)
{
	struct rom *roms = NULL;
	bool found = false;
	size_t n = 0;
	int err = machine_roms(e->cmd->machine, &roms, &n);

	for (size_t i = 0; i < n && !err && !found; i++)
		err = forbid_regions(e, roms[i].addr, &found);
	for (size_t i = 0; i < n; i++)
		if (roms[i].size)
			plan_forbid(&e->plan, roms[i].addr, roms[i].addr + roms[i].size - 1,
				    roms[i].name);
	free(roms);
	return err == -BATON_ELINK || err == -BATON_ECANCELED ? err : 0;
}

int edits_planned(struct edits *e, int err, struct buf *why)
{
	if (err)
		cmd_fail(e->cmd, err, "%s",
			 why->len ? why->data : machine_error(e->cmd->machine, err));
	buf_free(why);
	return err;
}

int edits_open(struct edits *e, int size_arg)
{
	struct buf why = { 0 };
	uint64_t va, size;
	int err = cmd_arg(e->cmd, 0, "VA", &va);

	if (!err)
		err = cmd_arg(e->cmd, size_arg, "SIZE", &size);
	if (!err)
		err = tables_open(&e->tables, e->cmd);
	if (err)
		return err;
	err = edits_planned(e, plan_open(&e->plan, &e->tables, va, size, &why), &why);
	if (err || !e->pool_given)
		return err;
	e->plan.pool_given = true;
	e->plan.pool = e->pool;
	e->plan.pool_end = e->pool + e->pool_size;
	return forbid_loaded(e);
}

/* Showing */

/* What was is walked first, what is or would be last: the conclusion stands at the end. */
static void say_walks(struct edits *e, const char *title)
{
	struct buf out = { 0 };

	buf_puts(&out, "before:\n");
	pt_render_walk(&e->plan.walk_before, NULL, &e->tables.names, &out);
	buf_puts(&out, title);
	pt_render_walk(&e->plan.walk_after, NULL, &e->tables.names, &out);
	cmd_text(e->cmd, &out);
	buf_free(&out);
}

static void say_view(struct edits *e, const struct plan_view *v, const char *title)
{
	struct maps maps = { .cmd = e->cmd, .tables = e->tables, .count = 1 };
	struct buf out = { 0 };

	maps.cfg[0] = e->plan.cfg;
	/* of two stages the first: its output is shown as it is */
	maps.cfg[0].regime.nested = false;
	buf_puts(&out, title);
	buf_puts(&out, v->ranges ? "\n" : " nothing is mapped\n");
	for (uint64_t i = 0; i < v->ranges && i < PLAN_SHOWN; i++) {
		struct maps_range r = { .r = v->first[i], .times = 1 };

		buf_puts(&out, "  ");
		maps_say_range(&maps, &r, &out);
	}
	if (v->ranges > PLAN_SHOWN)
		buf_printf(&out,
			   "  ... and %" PRIu64 " more ranges (pt-dump %#" PRIx64 "-%#" PRIx64
			   ")\n",
			   v->ranges - PLAN_SHOWN, e->plan.from, e->plan.to);
	cmd_text(e->cmd, &out);
	buf_free(&out);
}

static void say_change(struct edits *e, const struct plan_table *t, unsigned int i)
{
	uint64_t address = plan_address(t, i);
	struct buf name = { 0 };

	if (e->tables.symbols)
		symbols_say(e->tables.symbols, address, &name);
	cmd_say(e->cmd, "L%d [%u] %#" PRIx64 "%s: 0x%016" PRIx64 " -> 0x%016" PRIx64, t->level, i,
		address, name.len ? name.data : "", t->old[i], t->new[i]);
	buf_free(&name);
}

static void say_changes(struct edits *e)
{
	struct plan_count count = plan_changes(&e->plan);
	size_t said = 0;

	for (size_t i = 0; i < e->plan.tables_count; i++) {
		const struct plan_table *t = &e->plan.table[i];

		if (t->fresh)
			cmd_say(e->cmd, "new L%d table at %#" PRIx64 " for %#" PRIx64, t->level,
				t->table, t->ia);
		for (unsigned int k = 0; k < t->entries && !t->fresh; k++)
			if (t->old[k] != t->new[k] && said++ < CHANGES_SHOWN)
				say_change(e, t, k);
	}
	if (said > CHANGES_SHOWN)
		cmd_say(e->cmd, "... and %zu more descriptors", said - CHANGES_SHOWN);
	if (count.fresh)
		cmd_say(e->cmd, "%zu descriptor%s in %zu new table%s", count.filled,
			count.filled == 1 ? "" : "s", count.fresh, count.fresh == 1 ? "" : "s");
}

/* D8.7.1: the range commands keep groups whole, one descriptor is the user's own. */
static void say_group(struct edits *e)
{
	unsigned int n = plan_breaks_group(&e->plan);

	if (n)
		cmd_say(e->cmd,
			"warning: L%d [%u] is in a group of %u with the contiguous bit, which no "
			"longer agree: what the TLB holds of them is CONSTRAINED UNPREDICTABLE",
			e->plan.level, e->plan.index, n);
}

static void show(struct edits *e, bool done)
{
	say_walks(e, done ? "after:\n" : "would be:\n");
	/* A page's line says no more than its walk. */
	if (e->plan.to - e->plan.from > (UINT64_C(1) << e->plan.cfg.granule)) {
		say_view(e, &e->plan.before, "ranges before:");
		say_view(e, &e->plan.after, done ? "ranges after:" : "ranges would be:");
	}
	say_changes(e);
	say_group(e);
}

/* Doing it */

/* As it was typed, with numbers for expressions: a journal is read when $registers are others. */
static void say_command(const struct edits *e, struct buf *out)
{
	const struct plan *p = &e->plan;

	buf_printf(out, "%s %#" PRIx64, e->cmd->args.word[0], p->va);
	if (p->single)
		buf_printf(out, " L%d %s", p->level, cmd_word(e->cmd, 2));
	for (int i = 1; cmd_word(e->cmd, i) && !p->single; i++) {
		uint64_t value;

		/* PA and SIZE; ATTRS are no expressions */
		if (i <= (p->output ? 2 : 1) && !cmd_arg(e->cmd, i, "SIZE", &value))
			buf_printf(out, " %#" PRIx64, value);
		else
			buf_printf(out, " %s", cmd_word(e->cmd, i));
	}
	tables_say_options(&e->tables, out);
}

static int apply(struct edits *e)
{
	struct buf say = { 0 }, why = { 0 };
	int err;

	say_command(e, &why);
	err = plan_apply(&e->plan, e->cmd->ctx->journal, why.data, &say);
	if (!err)
		show(e, true);
	cmd_text(e->cmd, &say);
	if (!err)
		cmd_say(e->cmd,
			"written, read back, verified and journalled as patch %u (`undo %u` takes "
			"it back)",
			e->plan.number, e->plan.number);
	buf_free(&say);
	buf_free(&why);
	return err;
}

static bool is_so_already(const struct edits *e)
{
	struct plan_count count = plan_changes(&e->plan);

	return !count.linked && !count.fresh;
}

int edits_finish(struct edits *e)
{
	struct buf say = { 0 };
	bool same;
	int err;

	e->plan.force = e->force;
	same = is_so_already(e);
	err = plan_check(&e->plan, &say);
	if (err && err != -BATON_EREFUSED) {
		cmd_fail(e->cmd, err, "%s", machine_error(e->cmd->machine, err));
		buf_free(&say);
		return err;
	}
	if (e->show_only || (same && !err))
		show(e, false);
	cmd_text(e->cmd, &say);
	buf_free(&say);
	if (err)
		return cmd_fail(e->cmd, err, "nothing was written");
	if (!e->show_only && !same)
		return apply(e);
	cmd_say(e->cmd, same ? "nothing to write: it is so already" : "nothing was written (-n)");
	return 0;
}

void edits_free(struct edits *e)
{
	plan_free(&e->plan);
}
