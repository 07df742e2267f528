/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmu/sysreg.h"
#include "mmu/regime.h"

#include "monitor/command.h"

#include <stdlib.h>
#include <string.h>

/* What decides translation and what an exception leaves, when no name is given. */
static const char *const listed[] = {
	"SCTLR_EL1", "TCR_EL1",	  "TTBR0_EL1", "TTBR1_EL1", "MAIR_EL1",	 "VBAR_EL1",  "ESR_EL1",
	"FAR_EL1",   "ELR_EL1",	  "SPSR_EL1",  "PAR_EL1",   "HCR_EL2",	 "SCTLR_EL2", "TCR_EL2",
	"TTBR0_EL2", "TTBR1_EL2", "MAIR_EL2",  "VTCR_EL2",  "VTTBR_EL2", "VBAR_EL2",  "ESR_EL2",
	"FAR_EL2",   "ELR_EL2",	  "SPSR_EL2",  "HPFAR_EL2", "SCR_EL3",	 "SCTLR_EL3", "TCR_EL3",
	"TTBR0_EL3", "MAIR_EL3",  "VBAR_EL3",  "ESR_EL3",   "FAR_EL3",	 "ELR_EL3",   "SPSR_EL3",
};

#define LISTED (sizeof(listed) / sizeof(listed[0]))

static int err_of(const struct machine_reg *regs, const char *name)
{
	for (size_t i = 0; i < LISTED; i++)
		if (!strcmp(regs[i].name, name))
			return regs[i].err;
	return 0;
}

/* QEMU shows some registers of levels that the CPU does not have, which mean nothing. */
static bool is_hidden(const struct machine_reg *regs, const struct machine_reg *r)
{
	return r->err == -BATON_ENOTFOUND ||
	       (strstr(r->name, "_EL3") && err_of(regs, "SCR_EL3") == -BATON_ENOTFOUND) ||
	       (strstr(r->name, "_EL2") && err_of(regs, "HCR_EL2") == -BATON_ENOTFOUND);
}

static int list(struct cmd *c)
{
	struct machine_reg regs[LISTED] = { 0 };
	struct buf line = { 0 };
	int el, err;

	for (size_t i = 0; i < LISTED; i++)
		regs[i].name = listed[i];
	err = machine_regs_read(c->machine, c->cpu, regs, LISTED);
	if (err)
		return cmd_fail(c, err, NULL);
	el = machine_el(c->machine, c->cpu);
	if (el < 0)
		return cmd_fail(c, el, NULL);
	cmd_say(c, "CPU %u, at EL%d", c->cpu, el);
	for (size_t i = 0; i < LISTED; i++) {
		const struct sysreg *s = sysreg_find(listed[i], false);

		if (is_hidden(regs, &regs[i]))
			continue;
		buf_clear(&line);
		buf_printf(&line, "  %-10s ", listed[i]);
		if (regs[i].err)
			buf_printf(&line, "%s", baton_strerror(regs[i].err));
		else
			buf_printf(&line, "0x%016" PRIx64, regs[i].value);
		if (s && s->title)
			buf_printf(&line, "   %s", s->title);
		if (!regs[i].err && c->ctx->symbols)
			symbols_say(c->ctx->symbols, regs[i].value, &line);
		cmd_say(c, "%s", line.data);
	}
	cmd_say(c, "`sysreg NAME` shows one by field");
	buf_free(&line);
	return 0;
}

#define NEAR 8

/* No such register: those of a like name that there are. */
static int unknown(struct cmd *c, const char *name)
{
	const char *near[NEAR];
	struct machine_reg regs[NEAR] = { 0 };
	unsigned int n = sysreg_near(name, near, NEAR);
	struct buf like = { 0 };
	int err;

	for (unsigned int i = 0; i < n; i++)
		regs[i].name = near[i];
	err = n ? machine_regs_read(c->machine, c->cpu, regs, n) : 0;
	if (err)
		return cmd_fail(c, err, NULL);
	for (unsigned int i = 0; i < n; i++)
		if (!regs[i].err)
			buf_printf(&like, "%s%s", like.len ? ", " : "; near it: ", near[i]);
	err = cmd_fail(c, -BATON_ENOTFOUND,
		       "%s: CPU %u has no register of that name that QEMU shows%s (`sysreg` lists "
		       "those that matter here)",
		       name, c->cpu, like.len ? like.data : "");
	buf_free(&like);
	return err;
}

/* HCR_EL2.E2H changes what some registers of EL2 look like; a CPU without EL2 has none. */
static int e2h(struct cmd *c, bool *on)
{
	uint64_t hcr = 0;
	int err = machine_reg_read(c->machine, c->cpu, "HCR_EL2", &hcr);

	*on = !err && (hcr & HCR_E2H);
	return err == -BATON_ENOTFOUND ? 0 : err;
}

static int show(struct cmd *c, const char *name)
{
	const struct sysreg *s;
	struct buf out = { 0 };
	uint64_t value;
	bool vhe = false;
	int err = machine_reg_read(c->machine, c->cpu, name, &value);

	if (err == -BATON_ENOTFOUND)
		return unknown(c, name);
	if (!err)
		err = e2h(c, &vhe);
	if (err)
		return cmd_fail(c, err, NULL);
	s = sysreg_find(name, vhe);
	buf_printf(&out, "%s = 0x%016" PRIx64, s ? s->name : name, value);
	if (c->ctx->symbols)
		symbols_say(c->ctx->symbols, value, &out);
	if (s && s->title)
		buf_printf(&out, "   %s", s->title);
	buf_putc(&out, '\n');
	if (s)
		sysreg_describe(s, value, &out);
	cmd_text(c, &out);
	buf_free(&out);
	return 0;
}

static int run(struct cmd *c)
{
	const char *name = cmd_word(c, 0);

	for (int i = 0; i < cmd_count(c); i++)
		if (strchr(cmd_word(c, i), '='))
			return cmd_fail(
				c, -BATON_EUNSUPPORTED,
				"system registers cannot be written yet: QEMU's stub answers OK "
				"to such a write and ignores it, so it takes injected "
				"instructions, which baton does not do yet");
	if (cmd_no_more(c, 1))
		return -BATON_EINVAL;
	return name ? show(c, name) : list(c);
}

COMMAND(sysreg, "sysreg", run, .args = "[NAME]", .needs = CMD_STOPPED | CMD_CPU,
	.help = "a system register by field, or all that rule translation and exceptions",
	.more = "Names are the Arm ARM's: TCR_EL1, ESR_EL2, ... Read only: QEMU ignores writes.\n");
