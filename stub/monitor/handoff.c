/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/handoff.h"

#include "handoff/run.h"
#include "monitor/json.h"

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

int handoff_cpu(struct cmd *c, unsigned int *cpu)
{
	const char *word = cmd_option_value(c, "-c");
	uint64_t value = *cpu;
	int err = word ? cmd_eval(c, "-c", word, &value) : 0;

	if (!err && value >= c->machine->cpus)
		err = cmd_fail(c, -BATON_EINVAL, "-c %s: no such CPU (there are 0 to %u)", word,
			       c->machine->cpus - 1);
	*cpu = (unsigned int)value;
	return err;
}

static int go(struct cmd *c, const struct handoff_goal *goal)
{
	int err;

	if (goal->kind == UNTIL_KERNEL && handoff_over(c->ctx, c->sink))
		return 0;
	if (c->ctx->gdb) {
		handoff_arm(c->ctx->handoff, goal);
		cmd_say(c, "armed: continue");
		return 0;
	}
	err = handoff_run(c->ctx, c->sink, goal, &c->found);
	if (c->ctx->facts)
		json_put(c->ctx->facts, "warnings",
			 json_integer((json_int_t)handoff_warnings(c->ctx)));
	return err && err != -BATON_ECANCELED ? cmd_fail(c, err, NULL) : err;
}

static int run_run(struct cmd *c)
{
	struct handoff_goal goal = { .kind = UNTIL_KERNEL };
	int err = handoff_seconds(c, 1, &goal.silence_ms);

	return err ? err : go(c, &goal);
}

static int no_such_event(struct cmd *c, const char *word)
{
	struct buf list = { 0 };
	int err;

	for (unsigned int i = 0; i <= UNTIL_EVENT; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", handoff_until_name(i));
	if (word)
		err = cmd_fail(c, -BATON_EINVAL, "there is no `until %s`: it knows %s N", word,
			       list.data);
	else
		err = cmd_fail(c, -BATON_EINVAL, "until what? %s N", list.data);
	buf_free(&list);
	return err;
}

static int event_number(struct cmd *c, struct handoff_goal *goal)
{
	uint64_t n;
	int err = cmd_arg(c, 2, "N", &n);

	if (!err && n <= handoff_events(c->ctx))
		err = cmd_fail(c, -BATON_EINVAL,
			       "there have been %zu events already (`handoff log`): N is more than "
			       "that",
			       handoff_events(c->ctx));
	goal->event = (size_t)n;
	return err;
}

static int run_until(struct cmd *c)
{
	const char *word = cmd_word(c, 1);
	struct handoff_goal goal = { 0 };
	int kind = word ? handoff_until(word) : -BATON_ENOTFOUND;
	int at = kind == UNTIL_EVENT ? 3 : 2;
	int err = kind < 0 ? no_such_event(c, word) : cmd_no_more(c, at + 1);

	if (!err && kind == UNTIL_EVENT)
		err = event_number(c, &goal);
	if (!err)
		err = handoff_seconds(c, at, &goal.silence_ms);
	goal.kind = (enum handoff_until)kind;
	return err ? err : go(c, &goal);
}

/* An object a line; with baton's own --json they are members of the command's. */
static void say_events(struct cmd *c)
{
	json_t *events = handoff_log_json(c->ctx), *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		char *line = c->ctx->facts ? NULL : json_dumps(event, JSON_COMPACT);

		if (line)
			cmd_say(c, "%s", line);
		free(line);
	}
	if (c->ctx->facts)
		json_put(c->ctx->facts, "events", json_incref(events));
	json_decref(events);
}

static int run_log(struct cmd *c)
{
	bool json = cmd_option(c, "--json") || c->ctx->facts;
	struct buf out = { 0 };
	int err = cmd_no_more(c, 1);

	if (err)
		return err;
	if (json) {
		say_events(c);
		return 0;
	}
	handoff_log(c->ctx, &out);
	cmd_text(c, &out);
	buf_free(&out);
	return 0;
}

static const struct handoff_sub subs[] = {
	{ "run", "[SECONDS]", 1, run_run },
	{ "until", "EVENT [SECONDS]", -1, run_until },
	{ "preflight", "[-c CPU] [--json]", -1, handoff_sub_preflight },
	{ "trace", "[N] [to ADDR] [until EVENT] [-c CPU] [--keep ENTRIES] | trace show [LAST]", -1,
	  handoff_sub_trace },
	{ "log", "[--json]", -1, run_log },
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

COMMAND(handoff, "handoff", run,
	.args = "run [SECONDS] | until EVENT [SECONDS] | preflight | trace [N] ... | log [--json]",
	.needs = CMD_STOPPED,
	.help = "run from reset to the kernel's first instruction, and look before each leap",
	.more = "run   the machine runs until the CPU that started leaves the loader; each event\n"
		"      is a line: exception levels, MMU on and off, translation registers, PSCI.\n"
		"      A jump that would fail is not taken: it is explained instead. Ends after\n"
		"      SECONDS (10) without any event, or once nothing can wake any CPU.\n"
		"      From GDB it arms: `continue` then runs.\n"
		"until EVENT   the same, up to the next mmu-on, el-change, psci (any call of "
		"firmware),\n"
		"      jump (before the one that leaves), exception, kernel, user (the first\n"
		"      instruction at EL0), or until there are N: event N. What follows goes on.\n"
		"preflight   what is looked at before the next instruction of this CPU, or -c "
		"CPU,\n"
		"      that switches translation or leaves, as a list: ok, warning, wrong,\n"
		"      unknown. Nothing runs. Exit status 1 if something is wrong.\n"
		"trace [N]   each of the next N instructions (10000) of this CPU, or -c CPU, is\n"
		"      stepped and recorded: level, pc, word, changes of x0-x30, sp and pstate.\n"
		"      The last --keep ENTRIES (10000) stay. `to ADDR`: up to there; `until\n"
		"      EVENT`: mmu-on, el-change, psci, exception, user. The other CPUs stand\n"
		"      still, no interrupt is taken, no timer fires, and what happens is not in\n"
		"      the timeline. From GDB it arms. Exit status 1: it did not get there.\n"
		"trace show [LAST] [--json]   what was recorded; addresses, and what was stored\n"
		"log   the timeline so far, again; --json: an object an event\n");
