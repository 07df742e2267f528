/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/handoff.h"

#include "handoff/run.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 1000000.0

int handoff_seconds(struct cmd *c, int i, int *ms)
{
	const char *word = cmd_word(c, i);
	char *end = NULL;
	double seconds = word ? strtod(word, &end) : HANDOFF_SILENCE_MS / 1000.0;

	if (word && (end == word || *end || !(seconds > 0 && seconds <= SECONDS_MAX)))
		return cmd_fail(c, -BATON_EINVAL,
				"\"%s\": SECONDS is a number above 0, such as 5 or 0.5", word);
	*ms = seconds < 0.001 ? 1 : (int)(seconds * 1000);
	return 0;
}

static int run_run(struct cmd *c)
{
	int ms, err = handoff_seconds(c, 1, &ms);

	if (err || handoff_over(c->ctx, c->sink))
		return err;
	if (c->ctx->gdb) {
		handoff_arm(c->ctx->handoff, ms);
		cmd_say(c, "armed: continue");
		return 0;
	}
	err = handoff_run(c->ctx, c->sink, ms, &c->found);
	return err && err != -BATON_ECANCELED ? cmd_fail(c, err, NULL) : err;
}

static int run_log(struct cmd *c)
{
	struct buf out = { 0 };

	handoff_log(c->ctx, &out);
	cmd_text(c, &out);
	buf_free(&out);
	return 0;
}

static const struct handoff_sub subs[] = {
	{ "run", "[SECONDS]", 1, run_run },
	{ "log", "", 0, run_log },
};

#define SUBS (sizeof(subs) / sizeof(subs[0]))

/* "run [SECONDS], log" */
static void list_subs(struct buf *out)
{
	for (size_t i = 0; i < SUBS; i++)
		buf_printf(out, "%s%s%s%s", i ? ", " : "", subs[i].name, *subs[i].args ? " " : "",
			   subs[i].args);
}

static int run(struct cmd *c)
{
	const char *what = cmd_word(c, 0);
	struct buf list = { 0 };
	int err;

	for (size_t i = 0; what && i < SUBS; i++) {
		if (strcmp(what, subs[i].name) != 0)
			continue;
		err = subs[i].most < 0 ? 0 : cmd_no_more(c, subs[i].most + 1);
		return err ? err : subs[i].run(c);
	}
	list_subs(&list);
	err = cmd_fail(c, -BATON_EINVAL,
		       what ? "there is no `handoff %s`: it knows %s" : "what of it:%s %s",
		       what ? what : "", list.data);
	buf_free(&list);
	return err;
}

COMMAND(handoff, "handoff", run, .args = "run [SECONDS] | log", .needs = CMD_STOPPED,
	.help = "run from reset to the kernel's first instruction, and look before each leap",
	.more = "run   the machine runs until the CPU that started leaves the loader; each event\n"
		"      is a line: exception levels, MMU on and off, translation registers, PSCI.\n"
		"      A jump that would fail is not taken: it is explained instead. Ends after\n"
		"      SECONDS (10) without any event. From GDB it arms: `continue` then runs.\n"
		"log   the timeline so far, again\n");
