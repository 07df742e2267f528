/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/edits.h"

static int run(struct cmd *c)
{
	struct buf why = { 0 };
	struct edits e;
	int err = edits_options(&e, c, true);

	if (!err)
		err = cmd_no_more(c, 2);
	if (!err)
		err = edits_open(&e, 1);
	if (!err)
		err = edits_planned(&e, plan_unmap(&e.plan, &why), &why);
	if (!err)
		err = edits_finish(&e);
	edits_free(&e);
	return err;
}

COMMAND(pt_unmap, "pt-unmap", run, .args = "VA SIZE [--pool ADDR,SIZE] [-n] [-f CHECK]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "take all mappings of a range away; blocks that reach beyond it are split",
	.more = EDITS_MORE_POOL EDITS_MORE);
