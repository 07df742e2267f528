/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/pseudo.h"

#include "machine/inject.h"
#include "mmu/regime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 0x400u

#define HCR_TID3 (UINT64_C(1) << 18)

/* Their order is that of their numbers. */
static const struct {
	const char *name;
	bool fixed;	  /* an identification register: what its CPU says is true for ever */
	const char *from; /* otherwise: the register of QEMU's that it is made of */
} rows[PSEUDO_REGS] = {
	{ "CurrentEL", .from = "cpsr" },
	/* QEMU has them by the names of its source. */
	{ "SCTLR_EL1", .from = "SCTLR_EL1" },
	{ "VBAR_EL1", .from = "VBAR_EL1" },
	{ "CPACR_EL1", .from = "CPACR_EL1" },
	{ "MPIDR_EL1", .fixed = true },
	{ "MIDR_EL1", .fixed = true },
	{ "ID_AA64PFR0_EL1", .fixed = true },
	{ "ID_AA64MMFR0_EL1", .fixed = true },
	{ "ID_AA64MMFR1_EL1", .fixed = true },
	{ "ID_AA64MMFR2_EL1", .fixed = true },
};

static unsigned int first_number(const struct live *l)
{
	const struct tdesc *t = &l->tdesc;
	unsigned int last = t->count ? t->regs[t->count - 1].regnum : 0;

	return last < FIRST ? FIRST : last + 1;
}

static bool is_offered(const struct live *l, unsigned int row)
{
	return !tdesc_find(&l->tdesc, rows[row].name) &&
	       (rows[row].fixed || live_shows(l, rows[row].from));
}

/* The row of a register's number; -1: it is none of ours. */
static int row_of(const struct live *l, uint64_t number)
{
	uint64_t row = number - first_number(l);

	return row < PSEUDO_REGS && is_offered(l, (unsigned int)row) ? (int)row : -1;
}

const char *pseudo_name(const struct live *l, uint64_t number)
{
	int row = row_of(l, number);

	return row < 0 ? NULL : rows[row].name;
}

/* A function that GDB calls in the guest gives back what it found: not these. */
static void write_feature(const struct live *l, struct buf *out)
{
	buf_puts(out, "<?xml version=\"1.0\"?><!DOCTYPE feature SYSTEM \"gdb-target.dtd\">"
		      "<feature name=\"org.baton.registers\">");
	for (unsigned int i = 0; i < PSEUDO_REGS; i++)
		if (is_offered(l, i))
			buf_printf(out,
				   "<reg name=\"%s\" bitsize=\"64\" regnum=\"%u\" type=\"uint64\" "
				   "group=\"cp_regs\" save-restore=\"no\"/>",
				   rows[i].name, first_number(l) + i);
	buf_puts(out, "</feature>");
}

bool pseudo_annex(const struct live *l, const char *annex, struct buf *out)
{
	const char *end;

	if (!strcmp(annex, "baton.xml")) {
		write_feature(l, out);
		return true;
	}
	end = strcmp(annex, "target.xml") ? NULL : strstr(l->target.data, "</target>");
	if (!end)
		return false;
	buf_add(out, l->target.data, (size_t)(end - l->target.data));
	buf_puts(out, "<xi:include href=\"baton.xml\"/>");
	buf_puts(out, end);
	return true;
}

/*
 * Is there a hypervisor that makes it up? Then the question goes to it, or the answer is not the
 * hardware's. @own: nobody can, what is read is true for ever.
 */
static int ask_level(struct live *l, unsigned int cpu, bool *may, bool *own)
{
	struct machine_reg hcr = { .name = "HCR_EL2" };
	int el = machine_el(&l->m, cpu), err = el < 0 ? el : 0;

	if (!err)
		err = machine_regs_read(&l->m, cpu, &hcr, 1);
	if (err)
		return err;
	*own = el > 1 || hcr.err == -BATON_ENOTFOUND;
	*may = el && (*own || (!hcr.err && !(hcr.value & (HCR_VM | HCR_TID3))));
	return 0;
}

static int ask(struct pseudo *p, struct live *l, unsigned int cpu, unsigned int row)
{
	struct pseudo_value *v = &p->cpu[cpu][row];
	bool may, own;
	int err = ask_level(l, cpu, &may, &own);

	if (!err && !may)
		err = -BATON_EREFUSED;
	if (!err)
		err = inject_sysreg_read(&l->m, cpu, rows[row].name, &v->value);
	if (!err) {
		v->state = own ? PSEUDO_FIXED : PSEUDO_FOR_NOW;
		return 0;
	}
	/* That the next one is not there either is known without another time limit. */
	if (err == -BATON_EREFUSED)
		p->unreachable[cpu] = true;
	else if (err != -BATON_ELINK)
		v->state = PSEUDO_NOWHERE;
	if (err == -BATON_EVERIFY)
		fprintf(stderr, "baton: %s\n", machine_error(&l->m, err));
	return err == -BATON_ELINK ? err : -BATON_ENOTFOUND;
}

int pseudo_read(struct pseudo *p, struct live *l, unsigned int cpu, uint64_t number,
		uint64_t *value)
{
	int row = row_of(l, number), err = 0;
	struct pseudo_value *v;

	if (!rows[row].fixed)
		return machine_reg_read(&l->m, cpu, rows[row].name, value);
	if (!p->cpu) {
		p->cpu = calloc(l->m.cpus, sizeof(*p->cpu));
		p->unreachable = calloc(l->m.cpus, sizeof(*p->unreachable));
		if (!p->cpu || !p->unreachable)
			abort();
	}
	v = &p->cpu[cpu][row];
	if (v->state == PSEUDO_NOWHERE || (v->state == PSEUDO_UNKNOWN && p->unreachable[cpu]))
		return -BATON_ENOTFOUND;
	if (v->state == PSEUDO_UNKNOWN)
		err = ask(p, l, cpu, (unsigned int)row);
	if (!err)
		*value = v->value;
	return err;
}

void pseudo_forget(struct pseudo *p, const struct live *l)
{
	for (unsigned int cpu = 0; p->cpu && cpu < l->m.cpus; cpu++) {
		p->unreachable[cpu] = false;
		for (unsigned int i = 0; i < PSEUDO_REGS; i++)
			if (p->cpu[cpu][i].state != PSEUDO_FIXED)
				p->cpu[cpu][i].state = PSEUDO_UNKNOWN;
	}
}

void pseudo_free(struct pseudo *p)
{
	free(p->cpu);
	free(p->unreachable);
	*p = (struct pseudo){ 0 };
}
