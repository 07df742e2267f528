/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/symbols.h"

#include "monitor/command.h"

static int run(struct cmd *c)
{
	const char *path = cmd_word(c, 0);
	struct buf why = { 0 };
	uint64_t offset = 0;
	int err = cmd_no_more(c, 2), n;

	if (!err && !path)
		err = cmd_fail(c, -BATON_EINVAL, "which ELF file? (usage: symbols ELF [OFFSET])");
	if (!err && cmd_word(c, 1))
		err = cmd_arg(c, 1, "OFFSET", &offset);
	if (err)
		return err;
	n = symbols_load(c->ctx->symbols, path, offset, &why);
	if (n < 0)
		cmd_fail(c, n, "%s", why.len ? why.data : baton_strerror(n));
	else if (!n)
		cmd_say(c, "%s: no symbols in it (stripped)", path);
	else
		cmd_say(c, "%s: %d symbols", path, n);
	buf_free(&why);
	return n < 0 ? n : 0;
}

COMMAND(symbols, "symbols", run, .args = "ELF [OFFSET]",
	.help = "names for addresses from an ELF file, moved by OFFSET");
