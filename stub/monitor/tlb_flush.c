/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/tables.h"
#include "patch/tlb.h"

#include <string.h>

static int asid_of(struct cmd *c, const char *word, struct tlb_what *what)
{
	uint64_t asid;
	int err = word ? cmd_eval(c, "-a", word, &asid) : 0;

	if (!word || err)
		return err;
	if (asid > UINT16_MAX)
		return cmd_fail(c, -BATON_EINVAL, "-a %s: an ASID has 16 bits", word);
	what->one_asid = true;
	what->asid = (uint16_t)asid;
	return 0;
}

static int run(struct cmd *c)
{
	bool execute = cmd_option(c, "-i");
	const char *asid = cmd_option_value(c, "-a"), *word = cmd_word(c, 0);
	struct tlb_what what = { .all = !word || !strcmp(word, "all") };
	struct buf say = { 0 };
	struct tables t;
	int err = cmd_no_more(c, 1);

	if (!err && !what.all)
		err = cmd_arg(c, 0, "VA", &what.va);
	if (!err)
		err = asid_of(c, asid, &what);
	if (!err)
		err = tables_open(&t, c);
	if (err)
		return err;
	what.regime = t.regime.name;
	what.cpu = c->cpu;
	execute = execute || c->machine->accel != ACCEL_TCG;
	err = execute ? tlb_invalidate(c->machine, &what, &say)
		      : tlb_refresh(c->machine, &what, &say);
	cmd_text(c, &say);
	buf_free(&say);
	if (err)
		return err;
	if (what.all)
		buf_puts(&say, "all translations");
	else
		buf_printf(&say, "the translation of %#" PRIx64, what.va);
	cmd_say(c, "%s of %s dropped on all CPUs (by %s)", say.data, t.regime.title,
		execute ? "an executed tlbi"
			: "a watchpoint in and out: the guest was not touched");
	buf_free(&say);
	return 0;
}

COMMAND(tlb_flush, "tlb-flush", run, .args = "[VA|all] [-a ASID] [-i]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "make all CPUs look VA (or everything) up in the tables again",
	.more = "  -a ASID  only this one's, where a tlbi is executed\n"
		"  -i       by an executed tlbi also under TCG, where a watchpoint does it\n");
