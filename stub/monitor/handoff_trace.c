/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/trace.h"

#include "monitor/handoff.h"
#include "monitor/json.h"

#include <stdlib.h>
#include <string.h>

static void put_json(void *ctx, json_t *one)
{
	char *text = json_dumps(one, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (!text)
		abort();
	cmd_say(ctx, "%s", text);
	free(text);
	json_decref(one);
}

static void put_member(void *ctx, json_t *one)
{
	if (json_array_append_new(ctx, one))
		abort();
}

static int show(struct cmd *c)
{
	bool json = cmd_option(c, "--json");
	uint64_t n = UINT64_MAX;
	struct buf out = { 0 };
	int err = cmd_no_more(c, 3);

	if (!err && cmd_count(c) > 2)
		err = cmd_arg(c, 2, "LAST", &n);
	if (err)
		return err;
	if (c->ctx->facts) { /* members of the command's object */
		json_t *list = json_need(json_array());

		trace_each_json(c->ctx, n, put_member, list);
		json_put(c->ctx->facts, "trace", list);
		return 0;
	}
	if (json) {
		trace_each_json(c->ctx, n, put_json, c);
		return 0;
	}
	trace_show(c->ctx, n, &out);
	if (!out.len)
		buf_puts(&out, "nothing was traced: `handoff trace [N]`\n");
	cmd_text(c, &out);
	buf_free(&out);
	return 0;
}

static int parse_until(struct cmd *c, const char *word, struct trace_goal *goal)
{
	struct buf list = { 0 };
	int err;

	goal->until = word ? handoff_until(word) : -1;
	if (goal->until >= 0 && trace_knows(goal->until))
		return 0;
	trace_list(&list);
	err = cmd_fail(c, -BATON_EINVAL, "a trace can go until %s (`handoff until` has more)",
		       list.data);
	buf_free(&list);
	return err;
}

/* -c CPU, --keep ENTRIES */
static int parse_options(struct cmd *c, struct trace_goal *goal)
{
	const char *keep = cmd_option_value(c, "--keep");
	uint64_t value = goal->keep;
	int err = handoff_cpu(c, &goal->cpu);

	if (!err && keep)
		err = cmd_eval(c, "--keep", keep, &value);
	if (!err && (!value || value > TRACE_KEEP_MAX))
		err = cmd_fail(c, -BATON_EINVAL, "--keep takes 1 to %u", TRACE_KEEP_MAX);
	goal->keep = (size_t)value;
	return err;
}

/* [N] [to ADDR] [until EVENT], in any order. */
static int parse(struct cmd *c, struct trace_goal *goal)
{
	bool number = false;
	int err = parse_options(c, goal);

	if (!err)
		err = cmd_no_more(c, cmd_count(c));
	for (int i = 1; !err && i < cmd_count(c); i++) {
		const char *word = cmd_word(c, i);

		if (strcmp(word, "until") == 0) {
			err = parse_until(c, cmd_word(c, ++i), goal);
		} else if (strcmp(word, "to") == 0) {
			err = cmd_arg(c, ++i, "ADDR", &goal->address);
			goal->to = true;
		} else if (number) {
			err = cmd_fail(c, -BATON_EINVAL, "%s: one argument too many", word);
		} else {
			err = cmd_eval(c, "N", word, &goal->limit);
			number = true;
		}
	}
	if (!err && !goal->limit)
		err = cmd_fail(c, -BATON_EINVAL, "N is 1 or more");
	if (!err && !number)
		goal->limit = goal->to || goal->until >= 0 ? TRACE_MANY : TRACE_KEEP;
	return err;
}

int handoff_sub_trace(struct cmd *c)
{
	struct trace_goal goal = { .limit = 1, .until = -1, .keep = TRACE_KEEP };
	const char *word = cmd_word(c, 1);
	bool reached = false;
	int err;

	if (word && strcmp(word, "show") == 0)
		return show(c);
	goal.cpu = c->machine->cpu;
	err = parse(c, &goal);
	if (err)
		return err;
	if (c->ctx->gdb) {
		trace_arm(c->ctx->handoff, &goal);
		cmd_say(c, "armed: continue");
		return 0;
	}
	err = trace_run(c->ctx, c->sink, &goal, &reached);
	c->found = !reached;
	return err && err != -BATON_ECANCELED ? cmd_fail(c, err, NULL) : err;
}
