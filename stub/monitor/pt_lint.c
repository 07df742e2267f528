/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/lints.h"

#include <stdlib.h>

#define PLACES 3 /* of each rule, without --all */

static void say_heads(const struct lints *l, struct buf *out)
{
	const struct regime *r = &l->maps.tables.regime;

	for (unsigned int half = 0; half <= (r->two_halves ? 1u : 0u); half++) {
		struct pt_config cfg;

		if (!pt_config_from_regime(&cfg, r, half ? UINT64_MAX : 0, NULL) && !cfg.epd)
			pt_render_head(&cfg, &l->maps.tables.names, out);
	}
	if (r->nested)
		buf_puts(out, "what lies behind an IPA is not looked at; `-r s2` has the second "
			      "stage\n");
}

static int look(struct cmd *c, struct lints *l, bool all, const struct lint_rule *only)
{
	struct lint_report report = { .keep = all ? LINT_KEEP_ALL : LINT_KEEP, .only = only };
	struct buf text = { 0 }, options = { 0 };
	int err = lints_run(l, &report);

	/* a remedy is for the tables that were looked at */
	tables_say_options(&l->maps.tables, &options);
	report.options = options.data;

	if (!err) {
		say_heads(l, &text);
		lint_say(&report, all ? 0 : PLACES, &l->maps.tables.names, &text);
		cmd_text(c, &text);
		c->found = report.total[LINT_ERROR] > 0;
	}
	buf_free(&text);
	buf_free(&options);
	lint_free(&report);
	return err;
}

static int say_rules(struct cmd *c)
{
	struct buf text = { 0 };

	lint_say_rules(&text);
	cmd_text(c, &text);
	buf_free(&text);
	return 0;
}

static int run(struct cmd *c)
{
	bool rules = cmd_option(c, "--rules"), all = cmd_option(c, "--all");
	const char *id = cmd_option_value(c, "--rule");
	const struct lint_rule *only = id ? lint_rule_find(id) : NULL;
	struct lints *l;
	int err = cmd_no_more(c, 0);

	if (err)
		return err;
	if (rules)
		return say_rules(c);
	if (id && !only)
		return cmd_fail(c, -BATON_ENOTFOUND, "no rule %s (`pt-lint --rules` lists them)",
				id);
	l = malloc(sizeof(*l));
	if (!l)
		abort();
	err = lints_open(l, c);
	if (!err)
		err = look(c, l, all, only);
	lints_close(l);
	free(l);
	return err;
}

COMMAND(pt_lint, "pt-lint", run, .args = "[--all] [--rule ID] [--rules]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "what is wrong with tables and registers: errors, warnings, notes",
	.more = "  --all      every place, not only the first of each rule\n"
		"  --rule ID  this rule alone\n"
		"  --rules    the rules\n"
		"  Exit status 1 if there are errors. -r pending: as it will be once the MMU is "
		"on.\n");
