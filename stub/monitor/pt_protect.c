/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/edits.h"

static int run(struct cmd *c)
{
	struct buf why = { 0 };
	struct pt_want want;
	struct edits e;
	int err = edits_options(&e, c, true);

	if (!err)
		err = cmd_no_more(c, 10);
	if (!err)
		err = edits_attrs(&e, 2, &want);
	if (!err)
		err = edits_open(&e, 1);
	if (!err)
		err = edits_planned(&e, plan_protect(&e.plan, &want, &why), &why);
	if (!err)
		err = edits_finish(&e);
	edits_free(&e);
	return err;
}

COMMAND(pt_protect, "pt-protect", run, .args = "VA SIZE ATTRS [--pool ADDR,SIZE] [-n] [-f CHECK]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "change the attributes that are given of all that a range maps",
	.more = EDITS_MORE_ATTRS EDITS_MORE_POOL EDITS_MORE);
