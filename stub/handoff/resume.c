/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back from a vector to what faulted. Where the cause has been put right already, by hand, that
 * is all that is left to do; the journal proves it: what it changed is what the access went by.
 */
#include "handoff/internal.h"

#include "machine/inject.h"
#include "patch/journal.h"
#include "patch/touch.h"

#include <string.h>

/* DDI 0487, D24.2.40: faults of levels -1 to 3 that tables can have. */
static bool by_tables(uint64_t esr)
{
	unsigned int status = esr & 63;

	return status < 0x10 || status == 0x29 || status == 0x2b;
}

static bool is_on_walk(const struct pt_walk *w, const struct patch *p)
{
	for (unsigned int i = 0; i < w->steps; i++)
		if (w->step[i].read && w->step[i].address - p->address < p->size)
			return true;
	return false;
}

/* "TCR_EL1", where that regime goes by TCR_EL1 and its half by that TTBR. */
static bool is_of_regime(const struct trouble *t, const struct patch *p)
{
	static const char *const names[] = { "SCTLR_EL", "TCR_EL", "MAIR_EL", NULL };
	const struct pt_config *cfg = &t->walk.cfg;
	size_t len = strlen(p->reg);

	if (p->cpu != t->cpu || !len || p->reg[len - 1] != (char)('0' + t->regime.el))
		return false;
	for (size_t i = 0; names[i]; i++)
		if (!strncmp(p->reg, names[i], strlen(names[i])))
			return true;
	return !strncmp(p->reg, cfg->half ? "TTBR1_EL" : "TTBR0_EL", 8);
}

/* The instruction that was undefined is another one now. */
static bool is_instruction(struct handoff *h, const struct trouble *t, const struct patch *p)
{
	struct tables tables;
	struct pt_walk walk;

	return !tables_init(&tables, machine_of(h), NULL, t->cpu, NULL, NULL) &&
	       !tables_walk(&tables, t->elr, NULL, &walk, NULL) && !walk.fault &&
	       walk.oa - p->address < p->size;
}

static bool has_repaired(struct handoff *h, const struct trouble *t, const struct patch *p)
{
	if (t->esr >> 26 == 0)
		return p->kind != PATCH_REGISTER && is_instruction(h, t, p);
	if (!t->walked || t->walk.fault || !by_tables(t->esr))
		return false;
	return p->kind == PATCH_REGISTER ? is_of_regime(t, p) : is_on_walk(&t->walk, p);
}

void resume_find(struct handoff *h, struct trouble *t)
{
	for (size_t i = journal_count(h->ctx->journal); i--;) {
		const struct journal_entry *e = journal_at(h->ctx->journal, i);

		for (size_t n = 0; n < e->count && e->state == ENTRY_APPLIED && !e->elsewhere;
		     n++) {
			if (!has_repaired(h, t, &e->write[n]))
				continue;
			t->repairs.list[0] = (struct repair){ .kind = REPAIR_RESUME,
							      .index = e->number,
							      .va = t->va,
							      .old = t->pc,
							      .new = t->elr,
							      .after = t->walk };
			t->repairs.count = 1;
			return;
		}
	}
}

/* Within one level and stack pointer what the exception did is undone by hand. */
static int put_back_here(struct handoff *h, unsigned int cpu, uint64_t spsr, uint64_t pc,
			 struct buf *out)
{
	struct touch t = { .machine = machine_of(h), .journal = h->ctx->journal, .cpu = cpu };
	struct buf say = { 0 };
	/* GDB's cpsr has 32 bits; the flags of SPSR above them belong to no running CPU here */
	int err = touch_reg(&t, "cpsr", spsr & 0xffffffff, "fix -y: back to the instruction");

	if (!err)
		err = touch_reg(&t, "pc", pc, "fix -y: back to the instruction");
	err = touch_end(&t, err, &say);
	buf_free(&say);
	if (!err)
		buf_printf(out, "CPU%u: pc is back on %#" PRIx64 "\n", cpu, pc);
	return err;
}

/* To another level or stack pointer leads an executed eret alone; it has no undo. */
static int put_back_by_eret(struct handoff *h, unsigned int cpu, uint64_t elr, uint64_t pc,
			    struct buf *out)
{
	struct touch t = { .machine = machine_of(h), .journal = h->ctx->journal, .cpu = cpu };
	struct buf say = { 0 };
	int el, err = inject_eret(machine_of(h), cpu);

	if (err == -BATON_EREFUSED)
		buf_printf(out, "%s\n", machine_error(machine_of(h), err));
	if (err)
		return err == -BATON_EREFUSED ? -BATON_EUNSUPPORTED : err;
	if (pc != elr)
		err = touch_reg(&t, "pc", pc, "fix -y: back to the instruction");
	err = touch_end(&t, err, &say);
	buf_free(&say);
	el = machine_el(machine_of(h), cpu);
	if (!err && el >= 0)
		buf_printf(out, "CPU%u: an executed eret took it back to EL%d, %#" PRIx64 "\n", cpu,
			   el, pc);
	return err ? err : el < 0 ? el : 0;
}

int resume_back(struct handoff *h, unsigned int cpu, unsigned int before, struct buf *out)
{
	struct machine *m = machine_of(h);
	uint64_t pc, spsr, elr = 0;
	int el = machine_el(m, cpu);
	int err = el < 0 ? el : machine_reg_read(m, cpu, "pc", &pc);

	if (err)
		return err;
	if (vector_at(h, cpu, pc) < 0)
		return -BATON_EUNSUPPORTED;
	err = reg_of(m, cpu, "SPSR", (unsigned int)el, &spsr);
	if (!err)
		err = reg_of(m, cpu, "ELR", (unsigned int)el, &elr);
	if (err)
		return err;
	if ((spsr & 0x1f) == ((unsigned int)el << 2 | 1))
		err = put_back_here(h, cpu, spsr, elr - before, out);
	else
		err = put_back_by_eret(h, cpu, elr, elr - before, out);
	if (!err)
		served_note(h, cpu, (unsigned int)el, true);
	return err;
}

int resume_others(struct handoff *h, const struct trouble *t, struct buf *out)
{
	struct machine *m = machine_of(h);

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++) {
		uint64_t far, esr, pc;
		int err = 0;

		if (cpu == t->cpu || machine_reg_read(m, cpu, "pc", &pc) ||
		    vector_at(h, cpu, pc) < 0)
			continue;
		if (reg_of(m, cpu, "FAR", t->el, &far) || reg_of(m, cpu, "ESR", t->el, &esr) ||
		    far != t->far || esr != t->esr)
			continue;
		err = resume_back(h, cpu, 0, out);
		if (err && err != -BATON_EUNSUPPORTED)
			return err;
	}
	return 0;
}
