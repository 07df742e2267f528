/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/run.h"
#include "monitor/hmp.h"
#include "patch/journal.h"

/* A reset loads memory anew: what was patched is lost, so it is asked for. */
static int given_up(struct cmd *c, bool yes)
{
	const struct journal *j = c->ctx->journal;
	unsigned int live = 0;

	for (size_t i = 0; i < journal_count(j); i++)
		live += entry_is_live(journal_at(j, i)) && !journal_at(j, i)->elsewhere;
	if (!live || yes)
		return 0;
	return cmd_fail(c, -BATON_EREFUSED,
			"it begins with a reset, which loads memory anew, and %u of your changes "
			"may be live (`patches`): `why --replay -y` gives them up",
			live);
}

static int replay(struct cmd *c, bool yes)
{
	struct handoff_goal goal = { .kind = UNTIL_KERNEL, .silence_ms = HANDOFF_SILENCE_MS };
	int err = given_up(c, yes);

	if (!err)
		err = hmp_run(c, "system_reset");
	if (err || c->found)
		return err;
	handoff_replay(c->ctx);
	if (c->ctx->gdb) {
		handoff_arm(c->ctx->handoff, &goal);
		cmd_say(c, "armed: continue");
		return 0;
	}
	err = handoff_run(c->ctx, c->sink, &goal, &c->found);
	return err && err != -BATON_ECANCELED ? cmd_fail(c, err, NULL) : err;
}

static int run(struct cmd *c)
{
	bool again = cmd_option(c, "--replay"), yes = again && cmd_option(c, "-y");
	struct buf out = { 0 };
	int err = cmd_no_more(c, 0);

	if (err || again)
		return err ? err : replay(c, yes);
	err = handoff_why(c->ctx, c->cpu, &out, &c->found);
	if (err)
		cmd_fail(c, err, NULL);
	else
		cmd_text(c, &out);
	buf_free(&out);
	return err;
}

COMMAND(why, "why", run, .args = "[-c CPU] | --replay [-y]", .needs = CMD_STOPPED | CMD_CPU,
	.help = "explain the pending or the last fault, down to the descriptor",
	.more = "--replay   reset, and run the loader once more with every return checked: a lost\n"
		"           return address shows where it is lost, not where it crashes. The "
		"first\n"
		"           wrong one is named, with what was called last. With -y even if that\n"
		"           loses changes of yours. From GDB it arms: `continue` then runs.\n");
