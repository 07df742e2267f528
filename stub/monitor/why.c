/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/run.h"

static int run(struct cmd *c)
{
	struct buf out = { 0 };
	int err = cmd_no_more(c, 0);

	if (err)
		return err;
	err = handoff_why(c->ctx, c->cpu, &out, &c->found);
	if (err)
		cmd_fail(c, err, NULL);
	else
		cmd_text(c, &out);
	buf_free(&out);
	return err;
}

COMMAND(why, "why", run, .args = "[-c CPU]", .needs = CMD_STOPPED | CMD_CPU,
	.help = "explain the pending or the last fault, down to the descriptor");
