/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmu/sysreg.h"

#include "machine/inject.h"
#include "mmu/regime.h"
#include "monitor/command.h"
#include "patch/sysreg_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* What the CPU has to be asked for itself is said to be so. */
struct reading {
	const char *name; /* the one to say, and to ask for again */
	uint64_t value;
	bool by_cpu;
};

/*
 * QEMU shows it, or the CPU is made to read it. Some reads do something: of those that can be
 * asked for here only the acknowledgement of an interrupt (GIC architecture, ICC_IAR0/1_EL1).
 */
static int look_up(struct cmd *c, const char *name, bool insist, struct reading *r)
{
	const char *known = NULL;
	unsigned int e;
	int err;

	/* By number, and QEMU shows it by a name: then that is looked at. */
	if (sysreg_encode(name, &e))
		known = sysreg_name(e >> 14, e >> 11 & 7, e >> 7 & 15, e >> 3 & 15, e & 7);
	name = known ? known : name;
	err = machine_reg_read(c->machine, c->cpu, name, &r->value);
	r->name = name;
	r->by_cpu = false;
	if (err != -BATON_ENOTFOUND)
		return err ? cmd_fail(c, err, NULL) : 0;
	if (!sysreg_encode(name, &e))
		return unknown(c, name);
	if (sysreg_is_pstate(e))
		return cmd_fail(c, -BATON_EREFUSED, "%s is a part of cpsr: use that", name);
	if (!insist && strcasestr(name, "_IAR"))
		return cmd_fail(c, -BATON_EREFUSED,
				"%s: reading it acknowledges an interrupt (-f reads it)", name);
	r->by_cpu = true;
	err = inject_sysreg_read(c->machine, c->cpu, name, &r->value);
	if (err == -BATON_EUNSUPPORTED || err == -BATON_ENOTFOUND)
		return unknown(c, name);
	if (err == -BATON_EREFUSED)
		return cmd_fail(c, err, "%s is not shown by QEMU, and %s", name,
				machine_error(c->machine, err));
	return err ? cmd_fail(c, err, NULL) : 0;
}

static int show(struct cmd *c, const char *name, bool insist)
{
	struct reading r = { 0 };
	const struct sysreg *s;
	struct buf out = { 0 };
	bool vhe = false;
	int err = look_up(c, name, insist, &r);

	if (err)
		return err;
	err = e2h(c, &vhe);
	if (err)
		return cmd_fail(c, err, NULL);
	s = sysreg_find(r.name, vhe);
	buf_printf(&out, "%s = 0x%016" PRIx64, s ? s->name : r.name, r.value);
	if (c->ctx->symbols)
		symbols_say(c->ctx->symbols, r.value, &out);
	if (s && s->title)
		buf_printf(&out, "   %s", s->title);
	if (r.by_cpu)
		buf_printf(&out, "   (QEMU does not show it: read by CPU %u)", c->cpu);
	buf_putc(&out, '\n');
	if (s)
		sysreg_describe(s, r.value, &out);
	cmd_text(c, &out);
	buf_free(&out);
	return 0;
}

static bool rules_translation(const char *name)
{
	static const char *const rule[] = { "TTBR", "TCR", "MAIR", "SCTLR", "HCR_EL2" };

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++)
		if (strcasestr(name, rule[i]))
			return true;
	return false;
}

static int assign(struct cmd *c, const char *name, uint64_t value, bool insist)
{
	struct reading r = { 0 };
	struct sysreg_edit e = { .cpu = c->cpu, .value = value, .insist = insist };
	struct buf why = { 0 };
	int err = look_up(c, name, insist, &r);

	if (err)
		return err;
	buf_printf(&why, "sysreg %s = %#" PRIx64, name, value);
	e.name = r.name;
	e.old = r.value;
	e.by_cpu = r.by_cpu;
	e.why = why.data;
	err = sysreg_edit(c->machine, c->ctx->journal, &e);
	buf_free(&why);
	if (err)
		return cmd_fail(c, err, NULL);
	cmd_say(c, "CPU %u %s: 0x%016" PRIx64 " -> 0x%016" PRIx64, c->cpu, r.name, r.value, value);
	if (rules_translation(r.name))
		cmd_say(c, "what the TLB holds of before stays there (tlb-flush all)");
	cmd_say(c, "written by the CPU itself, read back, patch %u (`undo %u` takes it back)",
		e.number, e.number);
	return 0;
}

/* "NAME = VALUE", "NAME=VALUE", "NAME =VALUE": what is behind the sign; NULL: no sign. */
static const char *behind_sign(struct cmd *c, struct buf *all)
{
	char *sign;

	for (int i = 0; i < cmd_count(c); i++)
		buf_printf(all, "%s%s", i ? " " : "", cmd_word(c, i));
	sign = all->len ? strchr(all->data, '=') : NULL;
	if (!sign)
		return NULL;
	*sign = 0;
	all->data[strcspn(all->data, " ")] = 0;
	return sign + 1;
}

static int run(struct cmd *c)
{
	bool insist = cmd_option(c, "-f");
	struct buf all = { 0 };
	const char *text = behind_sign(c, &all), *name = cmd_word(c, 0);
	uint64_t value;
	int err = 0;

	if (text) {
		err = cmd_eval(c, all.data, text, &value);
		if (!err)
			err = assign(c, all.data, value, insist);
	} else if (cmd_no_more(c, 1)) {
		err = -BATON_EINVAL;
	} else {
		err = name ? show(c, name, insist) : list(c);
	}
	buf_free(&all);
	return err;
}

COMMAND(sysreg, "sysreg", run, .args = "[NAME [= VALUE]] [-f]", .needs = CMD_STOPPED | CMD_CPU,
	.help = "a system register by field, or changed; or all that rule translation",
	.more = "  NAME   the Arm ARM's, TCR_EL1, or any by its number: S3_0_C2_C0_2. What QEMU "
		"does\n"
		"         not show is read by the CPU itself, by an injected mrs.\n"
		"  VALUE  an expression; an injected msr writes it, it is read back and "
		"journalled\n"
		"  -f     also what a read changes (ICC_IAR1_EL1), also what cuts off the pc\n");
