/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/edits.h"

static int plan(struct edits *e)
{
	struct buf why = { 0 };
	struct pt_want want;
	uint64_t va, pa;
	int err = cmd_arg(e->cmd, 0, "VA", &va);

	if (!err)
		err = cmd_arg(e->cmd, 1, "PA", &pa);
	if (!err)
		err = edits_attrs(e, 3, &want);
	if (!err)
		err = edits_open(e, 2);
	if (!err)
		err = edits_planned(e, plan_map(&e->plan, pa, &want, &why), &why);
	return err;
}

static int run(struct cmd *c)
{
	struct edits e;
	int err = edits_options(&e, c, true);

	if (!err)
		err = cmd_no_more(c, 10);
	if (!err)
		err = plan(&e);
	if (!err)
		err = edits_finish(&e);
	edits_free(&e);
	return err;
}

COMMAND(pt_map, "pt-map", run, .args = "VA PA SIZE ATTRS [--pool ADDR,SIZE] [-n] [-f CHECK]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "map a range: largest blocks that fit, blocks in the way are split; one undo",
	.more = EDITS_MORE_ATTRS EDITS_MORE_POOL EDITS_MORE);
