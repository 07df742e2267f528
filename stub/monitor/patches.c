/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/command.h"
#include "patch/journal.h"

static int run(struct cmd *c)
{
	struct journal *j = c->ctx->journal;
	struct buf out = { 0 };
	int err = cmd_no_more(c, 0);

	if (err)
		return err;
	for (size_t i = 0; i < journal_count(j); i++)
		journal_say(journal_at(j, i), &out);
	if (!out.len)
		buf_puts(&out, "no patches\n");
	cmd_text(c, &out);
	buf_free(&out);
	return 0;
}

COMMAND(patches, "patches", run,
	.help = "all that baton has changed: where, old and new value, why");
