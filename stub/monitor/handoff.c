/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/run.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 1000000.0

static int run_handoff(struct cmd *c)
{
	const char *word = cmd_word(c, 1);
	double seconds = HANDOFF_SILENCE_MS / 1000.0;
	char *end = NULL;
	int err;

	if (word)
		seconds = strtod(word, &end);
	if (word && (end == word || *end || !(seconds > 0 && seconds <= SECONDS_MAX)))
		return cmd_fail(c, -BATON_EINVAL,
				"\"%s\": SECONDS is a number above 0, such as 5 or 0.5", word);
	if (handoff_over(c->ctx, c->sink))
		return 0;
	if (c->ctx->gdb) {
		handoff_arm(c->ctx->handoff, (int)(seconds * 1000));
		cmd_say(c, "armed: continue");
		return 0;
	}
	err = handoff_run(c->ctx, c->sink, seconds < 0.001 ? 1 : (int)(seconds * 1000), &c->found);
	return err && err != -BATON_ECANCELED ? cmd_fail(c, err, NULL) : err;
}

static int run(struct cmd *c)
{
	const char *what = cmd_word(c, 0);
	struct buf out = { 0 };
	int err;

	if (!what)
		return cmd_fail(c, -BATON_EINVAL, "what of it: `handoff run` or `handoff log`?");
	if (strcmp(what, "run") == 0) {
		err = cmd_no_more(c, 2);
		return err ? err : run_handoff(c);
	}
	if (strcmp(what, "log") != 0)
		return cmd_fail(c, -BATON_EINVAL, "there is no `handoff %s`: it knows run and log",
				what);
	err = cmd_no_more(c, 1);
	if (err)
		return err;
	handoff_log(c->ctx, &out);
	cmd_text(c, &out);
	buf_free(&out);
	return 0;
}

COMMAND(handoff, "handoff", run, .args = "run [SECONDS] | log", .needs = CMD_STOPPED,
	.help = "run from reset to the kernel's first instruction, and look before each leap",
	.more = "run   the machine runs until the CPU that started leaves the loader; each event\n"
		"      is a line: exception levels, MMU on and off, translation registers, PSCI.\n"
		"      A jump that would fail is not taken: it is explained instead. Ends after\n"
		"      SECONDS (10) without any event. From GDB it arms: `continue` then runs.\n"
		"log   the timeline so far, again\n");
