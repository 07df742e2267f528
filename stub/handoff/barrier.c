/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Barriers and invalidations that are missing. Only what the instructions between two
 * stops prove is said, as a warning: QEMU does without, hardware may not.
 */
#include "handoff/internal.h"
#include "handoff/path.h"

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

static void way(struct handoff *h, const struct visit *v, uint64_t from, uint64_t link,
		uint64_t until, bool through, struct path *out)
{
	struct code code = { machine_of(h), v->cpu };
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
		way(h, v, w->pc + 4, 0, v->pc, false, &p);
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
		way(h, v, w->pc + 4, 0, v->pc, true, &p);
		if (p.end == PATH_THERE && !p.dsb)
			event_add(h, &e,
				  "warning: no dsb between the tlbi at %#" PRIx64
				  " and this: old translations may still be used",
				  w->pc);
		return;
	}
}

int barrier_mmu_on(struct handoff *h, const struct visit *v)
{
	h->mmu_on = (struct mmu_on){ true, v->cpu, v->el, v->pc, 0 };
	before_mmu_on(h, v);
	before_tlbi_is_over(h, v);
	return reg_x(machine_of(h), v->cpu, 30, &h->mmu_on.link);
}

/*
 * Other tables with the MMU on and the same ASID: what the old ones mapped may be in the
 * TLB until a tlbi (D8.16.1).
 */
int barrier_ttbr(struct handoff *h, const struct visit *v, const struct event *e)
{
	struct tables t;
	int err;

	if ((e->before ^ e->after) >> 48 || !((e->before ^ e->after) & 0xfffffffffffe))
		return 0;
	err = tables_init(&t, machine_of(h), NULL, v->cpu, NULL, NULL);
	if (err)
		return t.lost;
	if (!(t.regime.sctlr & SCTLR_M) || h->stale.used)
		return 0;
	h->stale = (struct stale){ true, v->cpu, v->pc, e->name, t.regime };
	return 0;
}

static void tables_are_stale(struct handoff *h, const struct visit *v, uint64_t va, uint64_t pa)
{
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct tables t;
	struct pt_walk walk;

	if (!h->stale.used || h->blind || h->stale.cpu != v->cpu || h->stale.regime.el != v->el ||
	    tables_init(&t, machine_of(h), NULL, v->cpu, NULL, NULL))
		return;
	t.regime = h->stale.regime;
	if (tables_walk(&t, va, NULL, &walk, NULL) || walk.fault || walk.oa == pa)
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
	way(h, v, h->mmu_on.pc + 4, h->mmu_on.link, v->pc, false, &p);
	if (p.end == PATH_THERE)
		event_add(h, &e,
			  "warning: no isb since %#" PRIx64
			  " turned the MMU on: the target may be fetched with it off",
			  h->mmu_on.pc);
}

void barrier_jump(struct handoff *h, const struct visit *v, uint64_t va, uint64_t pa)
{
	if (v->site.insn.kind != INSN_ERET)
		mmu_is_not_on(h, v, va, pa);
	tables_are_stale(h, v, va, pa);
}
