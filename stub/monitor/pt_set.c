/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmu/a64.h"
#include "monitor/edits.h"

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

static int edit_fields(struct cmd *c, const struct plan *p, uint64_t *desc)
{
	struct buf why = { 0 }, text = { 0 }, edits = { 0 };
	int err;

	buf_puts(&text, cmd_word(c, 2));
	err = expand_edits(c, text.data, &edits);
	if (!err) {
		err = pt_desc_edit(&p->cfg, p->level, desc, edits.len ? edits.data : "", &why);
		if (err)
			cmd_fail(c, err, "%s", why.len ? why.data : baton_strerror(err));
	}
	buf_free(&text);
	buf_free(&edits);
	buf_free(&why);
	return err;
}

static int plan(struct edits *e, uint64_t va, int level)
{
	struct cmd *c = e->cmd;
	struct buf why = { 0 };
	uint64_t desc;
	int err = edits_planned(e, plan_entry(&e->plan, &e->tables, va, level, &why), &why);

	if (err)
		return err;
	desc = e->plan.old;
	if (strchr(cmd_word(c, 2), '='))
		err = edit_fields(c, &e->plan, &desc);
	else
		err = cmd_arg(c, 2, "DESC", &desc);
	if (!err)
		plan_entry_set(&e->plan, desc);
	return err;
}

static int run(struct cmd *c)
{
	struct edits e;
	uint64_t va;
	int level, err = edits_options(&e, c, false);

	if (!err)
		err = cmd_no_more(c, 3);
	if (!err)
		err = cmd_arg(c, 0, "VA", &va);
	if (!err)
		err = tables_level(c, 1, &level);
	if (!err && !cmd_word(c, 2))
		err = cmd_fail(c, -BATON_EINVAL, "DESC is missing: a number, or FIELD=VALUE,...");
	if (!err)
		err = tables_open(&e.tables, c);
	if (!err)
		err = plan(&e, va, level);
	if (!err)
		err = edits_finish(&e);
	edits_free(&e);
	return err;
}

COMMAND(pt_set, "pt-set", run, .args = "VA LEVEL DESC|FIELD=VALUE,... [-n] [-f CHECK]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "change one descriptor of VA's walk, refresh the TLB, journal it",
	.more = "  LEVEL   L0 to L3\n"
		"  DESC    the whole descriptor, an expression: boot_lvl1_upper+3\n"
		"  FIELD   AF, AP, SH, AttrIndx, PXN, UXN, OA, table, type=block, ...: those that\n"
		"          pt-walk shows; the others stay as they are\n" EDITS_MORE);
