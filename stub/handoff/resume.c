/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fault whose cause has been put right already, by hand: what is left is the CPU, which still
 * stands in the vector. That it was repaired is proven by the journal: what it changed is what
 * the access went by.
 */
#include "handoff/internal.h"

#include "patch/journal.h"

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
