/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/run.h"

static int run(struct cmd *c)
{
	bool apply = cmd_option(c, "-y");
	struct buf out = { 0 };
	int err = cmd_no_more(c, 0);

	if (err)
		return err;
	err = handoff_fix(c->ctx, c->cpu, apply, &out, &c->found);
	cmd_text(c, &out);
	buf_free(&out);
	return err ? cmd_fail(c, err, NULL) : 0;
}

COMMAND(fix, "fix", run, .args = "[-y] [-c CPU]", .needs = CMD_STOPPED | CMD_CPU,
	.help = "show what would repair the fault; with -y do it",
	.more = "The repair is journalled (`patches`, `undo`). Where the CPU has just taken the "
		"fault\n"
		"it is put back on the instruction, so that the machine can go on.\n");
