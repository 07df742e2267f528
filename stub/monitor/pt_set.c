/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmu/a64.h"
#include "monitor/tables.h"
#include "patch/edit.h"
#include "patch/journal.h"

#include <string.h>
#include <strings.h>

/* Addresses may be expressions here too: `OA=page+0x1000` becomes a number. */
static int expand_edits(struct cmd *c, char *edits, struct buf *out)
{
	static const char *const addresses[] = { "OA=", "table=" };
	char *save = NULL;

	for (char *edit = strtok_r(edits, ",", &save); edit; edit = strtok_r(NULL, ",", &save)) {
		size_t name = 0;
		uint64_t value;
		int err;

		for (size_t i = 0; i < 2; i++)
			if (!strncasecmp(edit, addresses[i], strlen(addresses[i])))
				name = strlen(addresses[i]);
		buf_puts(out, out->len ? "," : "");
		if (!name) {
			buf_puts(out, edit);
			continue;
		}
		err = cmd_eval(c, edit, edit + name, &value);
		if (err)
			return err;
		buf_add(out, edit, name);
		buf_printf(out, "%#" PRIx64, value);
	}
	return 0;
}

static int edit_fields(struct cmd *c, struct edit *e)
{
	struct buf why = { 0 }, text = { 0 }, edits = { 0 };
	int err;

	buf_puts(&text, cmd_word(c, 2));
	err = expand_edits(c, text.data, &edits);
	if (!err) {
		err = pt_desc_edit(&e->before.cfg, e->level, &e->new, edits.len ? edits.data : "",
				   &why);
		if (err)
			cmd_fail(c, err, "%s", why.len ? why.data : baton_strerror(err));
	}
	buf_free(&text);
	buf_free(&edits);
	buf_free(&why);
	return err;
}

static int new_value(struct cmd *c, struct edit *e)
{
	if (strchr(cmd_word(c, 2), '='))
		return edit_fields(c, e);
	return cmd_arg(c, 2, "DESC", &e->new);
}

/* What was is walked first, what is or would be last: the conclusion stands at the end. */
static void say_walks(struct cmd *c, const struct edit *e, const char *title)
{
	struct buf out = { 0 };

	buf_puts(&out, "before:\n");
	pt_render_walk(&e->before, NULL, &e->tables->names, &out);
	buf_puts(&out, title);
	pt_render_walk(&e->after, NULL, &e->tables->names, &out);
	cmd_text(c, &out);
	buf_free(&out);
}

static void say_change(struct cmd *c, const struct edit *e)
{
	struct buf name = { 0 };

	if (e->tables->symbols)
		symbols_say(e->tables->symbols, e->address, &name);
	cmd_say(c, "L%d [%u] %#" PRIx64 "%s: 0x%016" PRIx64 " -> 0x%016" PRIx64, e->level, e->index,
		e->address, name.len ? name.data : "", e->old, e->new);
	buf_free(&name);
}

static int apply(struct cmd *c, struct edit *e)
{
	struct buf say = { 0 }, why = { 0 };
	int err;

	buf_printf(&why, "pt-set %#" PRIx64 " L%d %s", e->va, e->level, cmd_word(c, 2));
	err = edit_apply(e, c->ctx->journal, why.data, &say);
	if (!err) {
		say_walks(c, e, "after:\n");
		say_change(c, e);
	}
	cmd_text(c, &say);
	if (!err)
		cmd_say(c,
			"written, read back and journalled as patch %u (`undo %u` takes it back)",
			e->number, e->number);
	buf_free(&say);
	buf_free(&why);
	return err;
}

static int check_and_apply(struct cmd *c, struct edit *e, bool show_only)
{
	struct buf why = { 0 };
	int err = edit_check(e, &why);

	if (err) {
		cmd_fail(c, err, "%s", why.len ? why.data : machine_error(c->machine, err));
		buf_free(&why);
		return err;
	}
	cmd_text(c, &why);
	buf_free(&why);
	if (!show_only && e->new != e->old)
		return apply(c, e);
	say_walks(c, e, "would be:\n");
	say_change(c, e);
	cmd_say(c, show_only ? "nothing was written (-n)" : "nothing to write: it is so already");
	return 0;
}

static int run(struct cmd *c)
{
	bool show_only = cmd_option(c, "-n");
	struct buf why = { 0 };
	struct tables t;
	struct edit e;
	uint64_t va;
	int err, level;

	err = cmd_no_more(c, 3);
	if (!err)
		err = cmd_arg(c, 0, "VA", &va);
	if (!err)
		err = tables_level(c, 1, &level);
	if (!err && !cmd_word(c, 2))
		err = cmd_fail(c, -BATON_EINVAL, "DESC is missing: a number, or FIELD=VALUE,...");
	if (!err)
		err = tables_open(&t, c);
	if (err)
		return err;
	err = edit_open(&e, &t, va, level, &why);
	if (err)
		cmd_fail(c, err, "%s", why.data);
	buf_free(&why);
	if (!err)
		err = new_value(c, &e);
	return err ? err : check_and_apply(c, &e, show_only);
}

COMMAND(pt_set, "pt-set", run, .args = "VA LEVEL DESC|FIELD=VALUE,... [-n]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "change one descriptor of VA's walk, refresh the TLB, journal it",
	.more = "  LEVEL   L0 to L3\n"
		"  DESC    the whole descriptor, an expression: boot_lvl1_upper+3\n"
		"  FIELD   AF, AP, SH, AttrIndx, PXN, UXN, OA, table, type=block, ...: those that\n"
		"          pt-walk shows; the others stay as they are\n"
		"  -n      only show\n");
