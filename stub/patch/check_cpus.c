/* SPDX-License-Identifier: BSD-2-Clause */
/* Who lives on what a plan changes: this CPU, the others, and other regimes. */
#include "patch/plan_internal.h"

#include <stdio.h>

/* What a CPU needs to go on. */
struct need {
	enum plan_check check;
	const char *what; /* "the pc" */
	const char *reg;
	uint64_t offset; /* into what @reg points to */
	enum pt_access_kind kind;
	const char *first; /* what would help */
};

static const struct need needs[] = {
	{ CHECK_PC, "the pc", "pc", 0, PT_FETCH, "stop elsewhere" },
	{ CHECK_SP, "the stack", "sp", 0, PT_READ, "move the stack" },
	{ CHECK_SP, "the stack", "sp", (uint64_t)-16, PT_WRITE, "move the stack" },
	/* synchronous, from the current level with its own stack: where faults lead to */
	{ CHECK_VECTORS, "the vectors", "VBAR", 0x200, PT_FETCH,
	  "move them (sysreg VBAR_ELn = ADDR)" },
};

static int need_address(struct tables *t, const struct need *n, uint64_t *va)
{
	char name[16];
	int err;

	snprintf(name, sizeof(name), n->check == CHECK_VECTORS ? "%s_EL%u" : "%s", n->reg,
		 t->regime.el);
	err = machine_reg_read(t->machine, t->cpu, name, va);
	*va += n->offset;
	return err;
}

static void lost(struct plan *p, struct refusals *r, const struct need *n, const struct tables *t,
		 const struct pt_walk *before, const struct pt_walk *after,
		 const struct pt_access *acc)
{
	bool other = t->cpu != p->tables->cpu;
	struct buf words = { 0 };

	if (other)
		buf_printf(&words, "%s of CPU %u, ", n->what, t->cpu);
	else
		buf_printf(&words, "%s, ", n->what);
	buf_printf(&words, "%#" PRIx64 ", would ", before->ia);
	if (after->fault && n->kind == PT_FETCH)
		buf_puts(&words, "no longer be executable: ");
	else if (after->fault)
		buf_printf(&words,
			   "no longer be %s: ", n->kind == PT_READ ? "readable" : "writable");
	if (after->fault)
		pt_render_fault(after, acc, &words);
	else
		buf_printf(&words, "be other %s: %#" PRIx64 " instead of %#" PRIx64,
			   n->kind == PT_FETCH ? "code" : "memory", after->oa, before->oa);
	buf_printf(&words, "; %s first", n->first);
	plan_refuse(p, r, other ? CHECK_OTHER_CPU : n->check, "%s", words.data);
	buf_free(&words);
}

static int check_need(struct plan *p, struct refusals *r, struct tables *t, const struct need *n)
{
	/* the vectors are taken at the regime's own level, whoever runs below it */
	struct pt_access acc = tables_access(t, n->kind, false);
	struct pt_reader to_be = plan_reader(p);
	struct pt_walk before, after;
	uint64_t va;
	int err = need_address(t, n, &va);

	if (err)
		return err == -BATON_ENOTFOUND ? 0 : err;
	if (n->check == CHECK_VECTORS)
		acc.el = t->regime.el;
	err = tables_walk(t, va, &acc, &before, NULL);
	if (!err && !before.fault)
		err = pt_walk_regime(&t->regime, &to_be, va, &acc, &after, NULL);
	if (t->lost)
		return t->lost;
	/* An address that this regime cannot decode is none that could be lost. */
	if (!err && !before.fault && (after.fault || after.oa != before.oa))
		lost(p, r, n, t, &before, &after, &acc);
	return 0;
}

/* The entries that have to be broken first, as if they were: is what executes `tlbi` there? */
static int check_break(struct plan *p, struct refusals *r)
{
	bool found = false;
	uint64_t pc, vbar = 0;
	int err;

	if (p->tables->machine->accel != ACCEL_KVM || !regime_mmu_on(&p->tables->regime) ||
	    p->tables->regime.pending || p->tables->regime.stage2 ||
	    p->tables->el != p->tables->regime.el)
		return 0;
	err = machine_reg_read(p->tables->machine, p->tables->cpu, "pc", &pc);
	if (!err)
		(void)need_address(p->tables, &needs[3], &vbar);
	for (size_t i = 0; i < p->tables_count && !err; i++) {
		struct plan_table *t = &p->table[i];
		uint64_t size = UINT64_C(1) << pt_level_shift(&p->cfg, t->level);

		for (unsigned int k = 0; k < t->entries && !found; k++) {
			uint64_t first = plan_covers(p, t, k);

			if (t->new[k] == t->old[k] || !plan_needs_break(p, t, k))
				continue;
			if (pc - first >= size && vbar - first >= size)
				continue;
			found = true;
			plan_refuse(
				p, r, CHECK_BREAK,
				"L%d [%u] has to be invalid for a moment (break-before-make), and "
				"the %s of CPU %u, which executes the `tlbi`, is in what it maps, "
				"%#" PRIx64 ": stop elsewhere, or take another CPU (-c)",
				t->level, k, pc - first < size ? "pc" : "vector table",
				p->tables->cpu, pc - first < size ? pc : vbar);
		}
	}
	return err;
}

int plan_check_cpus(struct plan *p, struct refusals *r)
{
	struct machine *m = p->tables->machine;
	int err = check_break(p, r);

	for (unsigned int cpu = 0; cpu < m->cpus && !err; cpu++) {
		struct tables t;

		err = tables_init(&t, m, p->tables->symbols, cpu, NULL, NULL);
		if (err == -BATON_ELINK || err == -BATON_ECANCELED)
			return err;
		/* AArch32 and the like: what it needs cannot be told */
		if (err) {
			err = 0;
			continue;
		}
		for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]) && !err; i++)
			err = check_need(p, r, &t, &needs[i]);
	}
	return err;
}

static void check_table(struct plan *p, struct refusals *r, const struct in_use *u, uint64_t pa,
			const char *what)
{
	if (in_use_has(u, pa, pa + 4095))
		plan_refuse(p, r, CHECK_OTHER_REGIME,
			    "the table at %#" PRIx64 ", %s, belongs to another regime, too, which "
			    "is not %s: it would change there as well, or be read in another "
			    "format; give it a copy first",
			    pa, what, p->tables->regime.name);
}

int plan_check_regimes(struct plan *p, struct refusals *r)
{
	struct in_use u = { 0 };
	uint64_t next;
	int err = in_use_collect(&u, p, true);

	for (size_t i = 0; i < p->tables_count && !err; i++) {
		const struct plan_table *t = &p->table[i];

		for (unsigned int k = 0; k < t->entries && !t->fresh; k++)
			if (t->new[k] != t->old[k])
				check_table(p, r, &u, plan_address(t, k) & ~UINT64_C(4095),
					    "which is written to");
	}
	if (!err && p->single && p->output && pt_desc_kind(&p->cfg, p->level, p->new) == PT_TABLE) {
		next = p->oa;
		if (!p->cfg.regime.nested ||
		    !pt_stage2_address(&p->s2, &p->tables->reader, p->oa, &next))
			check_table(p, r, &u, next, "which is linked");
	}
	in_use_free(&u);
	return err;
}
