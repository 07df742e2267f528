/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/command.h"
#include "patch/journal.h"

#include <string.h>

/* A later patch, or something else, has written there: found, and nothing done. The rest are
 * failures. */
static int undo_one(struct cmd *c, unsigned int number)
{
	struct buf out = { 0 };
	int err = journal_undo(c->ctx->journal, c->machine, number, &out);

	cmd_text(c, &out);
	buf_free(&out);
	if (err != -BATON_EBUSY)
		return err;
	c->found = true;
	return 0;
}

/* What is there of it that can go back. */
static bool is_there(struct cmd *c, const struct journal_entry *e)
{
	struct judgement jd;

	return entry_is_live(e) &&
	       (journal_judge(c->ctx->journal, c->machine, e, &jd) || jd.verdict != VERDICT_PASSED);
}

/* All of them or none: is there a CPU for what it takes? */
static int reach_all(struct cmd *c)
{
	struct journal *j = c->ctx->journal;
	struct buf out = { 0 };
	int err = 0;

	for (size_t i = journal_count(j); i && !err; i--)
		if (is_there(c, journal_at(j, i - 1)))
			err = journal_reach(j, c->machine, journal_at(j, i - 1), &out);
	cmd_text(c, &out);
	buf_free(&out);
	return err;
}

/* Backwards, since a later patch may lie upon an earlier one. */
static int undo_all(struct cmd *c)
{
	struct journal *j = c->ctx->journal;
	int err = reach_all(c), first = 0;

	if (err)
		return err;
	for (size_t i = journal_count(j); i && err != -BATON_ELINK; i--) {
		const struct journal_entry *e = journal_at(j, i - 1);

		if (!is_there(c, e))
			continue;
		err = undo_one(c, e->number);
		first = first ? first : err;
	}
	return err == -BATON_ELINK ? err : first;
}

static int run(struct cmd *c)
{
	unsigned int last = journal_last(c->ctx->journal, c->machine);
	uint64_t number = last;
	int err = cmd_no_more(c, 1);

	if (err)
		return err;
	if (!last) {
		if (!cmd_count(c) || !strcmp(cmd_word(c, 0), "all")) {
			cmd_say(c, "nothing to undo: no patch is applied");
			return 0;
		}
	} else if (cmd_count(c) && !strcmp(cmd_word(c, 0), "all")) {
		return undo_all(c);
	}
	if (cmd_count(c)) {
		err = cmd_arg(c, 0, "N", &number);
		if (err)
			return err;
	}
	if (number > journal_count(c->ctx->journal))
		return cmd_fail(c, -BATON_ENOTFOUND, "there is no patch %s (`patches` lists them)",
				cmd_word(c, 0));
	return undo_one(c, (unsigned int)number);
}

COMMAND(undo, "undo", run, .args = "[N|all]", .needs = CMD_STOPPED,
	.help = "take back the last patch, patch N, or all of them, latest first",
	.more = "A patch whose place a later patch or something else has written since is left "
		"alone\n(exit status 1).\n");
