/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Barriers and invalidations that are missing. Only what the instructions between two
 * stops prove is said, as a warning: QEMU does without, hardware may not.
 */
#include "handoff/back.h"
#include "handoff/linked.h"
#include "handoff/path.h"
#include "handoff/preflight.h"

#include "hex.h"

#include <stdio.h>
#include <string.h>

#define SCTLR_M 1u

struct code {
	struct machine *machine;
	unsigned int cpu;
};

static int word_at(void *ctx, uint64_t pc, uint32_t *word)
{
	struct code *c = ctx;
	uint8_t raw[4];
	int err = machine_virt_read(c->machine, c->cpu, pc, raw, sizeof(raw));

	*word = err ? 0 : (uint32_t)le_read(raw, 4);
	return err;
}

void barrier_way(struct handoff *h, unsigned int cpu, uint64_t from, uint64_t link, uint64_t until,
		 bool through, struct path *out)
{
	struct code code = { machine_of(h), cpu };
	struct path_source source = { word_at, &code };

	path_follow(&source, from, link, until, through, out);
}

/* A register that the table walker uses. */
static bool is_walkers(const struct event *e, unsigned int el)
{
	char name[16];
	static const char *const names[] = { "TTBR0", "TTBR1", "TCR", "MAIR" };

	for (size_t i = 0; e->kind == EVENT_SYSREG && i < 4; i++) {
		snprintf(name, sizeof(name), "%s_EL%u", names[i], el);
		if (strcmp(e->name, name) == 0)
			return e->before != e->after;
	}
	return false;
}

/*
 * The effect of a write to a system register on what is not synchronized is not ordered
 * (DDI 0487, D24.1.2.2): the MMU may come on before its tables do.
 */
static void before_mmu_on(struct handoff *h, const struct visit *v)
{
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct buf names = { 0 };
	struct path p;

	for (size_t i = h->event_count; i-- > 0;) {
		const struct event *w = &h->events[i];

		if (w->cpu != v->cpu || w->kind == EVENT_WARNING || w->kind == EVENT_TLBI ||
		    w->kind == EVENT_CACHE)
			continue;
		if (w->kind != EVENT_SYSREG)
			break;
		if (!is_walkers(w, v->el))
			continue;
		barrier_way(h, v->cpu, w->pc + 4, 0, v->pc, false, &p);
		if (p.end != PATH_THERE)
			break;
		buf_printf(&names, "%s%s", names.len ? ", " : "", w->name);
	}
	if (names.len)
		event_add(h, &e,
			  "warning: no isb between the write of %s and this: the MMU may be on "
			  "before",
			  names.data);
	buf_free(&names);
}

/* A tlbi is over at a dsb, not before (D8.17.1). */
static void before_tlbi_is_over(struct handoff *h, const struct visit *v)
{
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct path p;

	for (size_t i = h->event_count; i-- > 0;) {
		const struct event *w = &h->events[i];

		if (w->cpu != v->cpu || w->kind != EVENT_TLBI)
			continue;
		barrier_way(h, v->cpu, w->pc + 4, 0, v->pc, true, &p);
		if (p.end == PATH_THERE && !p.dsb)
			event_add(h, &e,
				  "warning: no dsb between the tlbi at %#" PRIx64
				  " and this: old translations may still be used",
				  w->pc);
		return;
	}
}

/* --- stores to tables */

/* The table of those that @pa is in, if what is there now is valid. */
static bool is_descriptor(const struct tables *t, const struct linked *l, uint64_t pa,
			  uint64_t *table)
{
	uint64_t desc;

	for (unsigned int half = 0; half <= (t->regime.two_halves ? 1u : 0u); half++) {
		struct pt_config cfg;

		if (pt_config_from_regime(&cfg, &t->regime, half ? UINT64_MAX : 0, NULL))
			continue;
		for (size_t i = 0; i < l->count[half]; i++) {
			*table = l->tables[half][i].address;
			if (pa - *table < UINT64_C(1) << cfg.granule)
				return !pt_read_desc(&cfg, &t->reader, pa & ~UINT64_C(7), &desc) &&
				       (desc & 1);
		}
	}
	return false;
}

/* The tables that will be used, and what is looked for in them. */
struct stored {
	struct handoff *h;
	const struct visit *v;
	struct tables now, then;
	struct linked linked;
	const struct pt_walk *walk; /* of its tables alone; NULL: of all */
	uint64_t table, pc;	    /* pc: of the last store to one; 0: none is seen */
};

static bool is_on_way(const struct pt_walk *walk, uint64_t table)
{
	for (unsigned int i = 0; i < walk->steps; i++)
		if (walk->step[i].table == table)
			return true;
	return false;
}

/* Of what it has written, is there anything that a walk will read? */
static void look_at_store(struct stored *s, const struct ahead *a)
{
	struct pt_walk walk;

	if (!a->stores || tables_walk(&s->now, a->store, NULL, &walk, NULL) || walk.fault)
		return;
	if (!s->linked.count[0] && !s->linked.count[1])
		linked_collect(&s->linked, &s->then.regime, &s->then.reader);
	for (uint64_t at = 0; at < a->stores; at += 8) {
		uint64_t table;

		if (!is_descriptor(&s->then, &s->linked, walk.oa + at, &table) ||
		    (s->walk && !is_on_way(s->walk, table)))
			continue;
		s->table = table;
		s->pc = a->pc;
	}
}

static int literal(void *ctx, uint64_t va, unsigned int len, uint64_t *value)
{
	const struct stored *s = ctx;
	uint8_t raw[8];
	int err = machine_virt_read(machine_of(s->h), s->v->cpu, va, raw, len);

	*value = err ? 0 : le_read(raw, len);
	return err;
}

/* All that was executed since the last dsb, as far as that is certain. */
static void look_at_stores(struct stored *s, uint64_t link)
{
	const struct ahead_source source = { .load = literal, .ctx = s };
	struct back_step step[BACK_MOST];
	struct ahead a = { 0 };

	for (size_t i = back_path(&s->h->scan, s->v->pc, link, step); i-- > 0;) {
		a.pc = step[i].pc;
		ahead_past(&source, &a, step[i].word);
		look_at_store(s, &a);
		for (size_t k = i; step[i].loop && k <= step[i].loop; k++)
			ahead_forget(&a, step[k].word);
	}
}

/*
 * A walk is an observer of its own: what is stored to a table is sure to be seen by it behind
 * a dsb (DDI 0487, D8.2 "Ordering of memory accesses from translation table walks").
 * @walk: what is looked up next by the tables in use; NULL: an msr changes which those are
 */
static int before_tables_are_used(struct handoff *h, const struct visit *v,
				  const struct pt_walk *walk)
{
	struct machine *m = machine_of(h);
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	const struct watch *w = preflight_watch(m, v->cpu, v->el, v->site.insn.sysreg);
	struct stored s = { .h = h, .v = v, .walk = walk };
	uint64_t link = 0;
	int err = 0;

	if (v->site.kernel || tables_init(&s.now, m, NULL, v->cpu, NULL, NULL) ||
	    tables_init(&s.then, m, NULL, v->cpu, NULL, NULL) || s.then.regime.nested)
		return 0;
	if (!walk)
		err = reg_x(m, v->cpu, v->site.insn.reg, leap_register(&s.then.regime, w->role));
	if (!err)
		err = reg_x(m, v->cpu, 30, &link);
	if (err)
		return err;
	look_at_stores(&s, link);
	linked_free(&s.linked);
	if (s.pc)
		event_add(h, &e,
			  "warning: no dsb between the store to the table at %#" PRIx64
			  ", at %#" PRIx64 ", and this: hardware may walk what was there before",
			  s.table, s.pc);
	return s.then.lost ? s.then.lost : s.now.lost;
}

int barrier_mmu_on(struct handoff *h, const struct visit *v)
{
	int err;

	h->mmu_on = (struct mmu_on){ true, v->cpu, v->el, v->pc, 0 };
	before_mmu_on(h, v);
	before_tlbi_is_over(h, v);
	err = before_tables_are_used(h, v, NULL);
	return err ? err : reg_x(machine_of(h), v->cpu, 30, &h->mmu_on.link);
}

/* --- other tables with the MMU on: what the old ones mapped may be in the TLB until a tlbi */

#define TCR_A1 (UINT64_C(1) << 22)
#define TCR_AS (UINT64_C(1) << 36)

/* TCR says which of the roots has it, and of how many bits (D8.16.2). */
static uint64_t asid_of(const struct regime *r)
{
	return r->ttbr[r->tcr & TCR_A1 ? 1 : 0] >> 48 & (r->tcr & TCR_AS ? 0xffff : 0xff);
}

int barrier_ttbr(struct handoff *h, const struct visit *v, const struct event *e)
{
	struct tables t;
	int err;

	if (!((e->before ^ e->after) & 0xfffffffffffe))
		return 0;
	err = tables_init(&t, machine_of(h), NULL, v->cpu, NULL, NULL);
	if (err)
		return t.lost;
	if (!(t.regime.sctlr & SCTLR_M))
		return 0;
	if (!h->stale.used)
		h->stale = (struct stale){ true, v->cpu, v->pc, e->name, t.regime };
	return before_tables_are_used(h, v, NULL);
}

static void tables_are_stale(struct handoff *h, const struct visit *v, uint64_t va, uint64_t pa)
{
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct tables t;
	struct pt_walk walk;
	uint64_t asid;

	if (!h->stale.used || h->blind || h->stale.cpu != v->cpu || h->stale.regime.el != v->el ||
	    tables_init(&t, machine_of(h), NULL, v->cpu, NULL, NULL))
		return;
	asid = asid_of(&t.regime);
	t.regime = h->stale.regime;
	if (tables_walk(&t, va, NULL, &walk, NULL) || walk.fault || walk.oa == pa ||
	    (walk.attrs.ng && asid != asid_of(&t.regime)))
		return;
	event_add(h, &e,
		  "warning: no tlbi since %s was written at %#" PRIx64 " with the MMU on: %#" PRIx64
		  " was %#" PRIx64 " and may still be",
		  h->stale.name, h->stale.pc, va, walk.oa);
}

/* The jump goes where nothing is with the MMU off, and nothing has waited for it to be on. */
static void mmu_is_not_on(struct handoff *h, const struct visit *v, uint64_t va, uint64_t pa)
{
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct path p;

	if (va == pa || !h->mmu_on.used || h->mmu_on.cpu != v->cpu || h->mmu_on.el != v->el)
		return;
	barrier_way(h, v->cpu, h->mmu_on.pc + 4, h->mmu_on.link, v->pc, false, &p);
	if (p.end == PATH_THERE)
		event_add(h, &e,
			  "warning: no isb since %#" PRIx64
			  " turned the MMU on: the target may be fetched with it off",
			  h->mmu_on.pc);
}

static void tables_are_new(struct handoff *h, const struct visit *v, uint64_t va)
{
	struct tables t;
	struct pt_walk walk;

	if (!tables_init(&t, machine_of(h), NULL, v->cpu, NULL, NULL) &&
	    !tables_walk(&t, va, NULL, &walk, NULL) && !walk.cfg.flat)
		(void)before_tables_are_used(h, v, &walk);
}

void barrier_jump(struct handoff *h, const struct visit *v, uint64_t va, uint64_t pa)
{
	if (v->site.insn.kind != INSN_ERET) {
		mmu_is_not_on(h, v, va, pa);
		tables_are_new(h, v, va);
	}
	tables_are_stale(h, v, va, pa);
}
