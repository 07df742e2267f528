/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/ask.h"

#include <string.h>

static int parse_access(struct cmd *c, enum pt_access_kind *kind)
{
	const char *word = cmd_option_value(c, "-a");

	*kind = PT_ANY;
	if (!word)
		return 0;
	if (!strcmp(word, "r"))
		*kind = PT_READ;
	else if (!strcmp(word, "w"))
		*kind = PT_WRITE;
	else if (!strcmp(word, "x"))
		*kind = PT_FETCH;
	else
		return cmd_fail(c, -BATON_EINVAL, "-a %s: the access is r, w or x", word);
	return 0;
}

/* -q: where it ends, and nothing else: for scripts, and for GDB, which writes each character by
 * itself. */
static int say_end(struct cmd *c, struct tables *t, uint64_t va, const struct pt_access *acc)
{
	struct buf text = { 0 };
	struct pt_walk w;
	int err = tables_walk(t, va, acc, &w, &text);

	if (err) {
		cmd_fail(c, err, "%s", text.data);
	} else if (w.fault) {
		c->found = true;
		pt_render_fault(&w, acc, &text);
		cmd_text(c, &text);
	} else {
		cmd_say(c, "%#" PRIx64, w.oa);
	}
	buf_free(&text);
	return err;
}

/* AT does not heed PAN, and is for a read or a write; the walk is made for the same. */
static int walk_and_ask(struct cmd *c, struct tables *t, uint64_t va, struct pt_access acc)
{
	struct pt_walk w;
	int err;

	acc.pan = false;
	if (acc.kind == PT_ANY)
		acc.kind = PT_READ;
	err = tables_say_walk(t, c, va, &acc, &w);
	return err ? err : ask_cpu(c, t, va, &acc, &w);
}

static int run(struct cmd *c)
{
	bool el0 = cmd_option(c, "-u"), quiet = cmd_option(c, "-q");
	bool ask = cmd_option(c, "--ask-cpu");
	enum pt_access_kind kind;
	struct pt_access acc;
	struct tables t;
	uint64_t va;
	int err;

	err = parse_access(c, &kind);
	if (!err)
		err = cmd_no_more(c, 1);
	if (!err)
		err = cmd_arg(c, 0, "VA", &va);
	if (!err)
		err = tables_open(&t, c);
	if (err)
		return err;
	acc = tables_access(&t, kind, el0);
	if (ask)
		return walk_and_ask(c, &t, va, acc);
	return quiet ? say_end(c, &t, va, &acc) : tables_say_walk(&t, c, va, &acc, NULL);
}

COMMAND(pt_walk, "pt-walk", run, .args = "VA [-a r|w|x] [-u] [-q] [--ask-cpu]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "translate VA: each level's descriptor, then the result or the exact fault",
	.more = "  -a r|w|x   for a read, a write or a fetch: permissions count too\n"
		"  -u         from EL0\n"
		"  -q         the output address alone, or the fault\n"
		"  --ask-cpu  the CPU too, by an injected AT, and compare\n"
		"Exit status 1 if the walk ends in a fault.\n");
