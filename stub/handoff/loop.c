/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A long loop without an event. In a page that holds a breakpoint TCG runs blocks of one
 * instruction, and asks all breakpoints at each: cleaning 64 MiB of cache takes a hundred times
 * as long. So where nothing happens for a while, the stops of the page that the CPU is in are
 * taken out, but for those that come first on its ways out of it. The first of them puts all back.
 */
#include "handoff/halted.h"
#include "handoff/internal.h"

#include "hex.h"

/* So long without a stop, and it is looked where the CPUs are: first, and last. */
#define FIRST_MS 5
#define LAST_MS	 320

#define STATES 256
#define STOPS  64
#define CPUS   16

/* Where the CPUs are, and the stops that come first from there. */
struct loop {
	struct handoff *h;
	uint64_t pages[CPUS], stops[STOPS];
	unsigned int count;
	bool hot;   /* there is something to gain */
	bool whole; /* all have found room, and make no page slow that was not */
};

/* An instruction that is reached, with what x30 is then. */
struct state {
	uint64_t pc, x30;
	bool known;
};

/* What one CPU can come to within its page. */
struct ahead {
	struct loop *loop;
	uint64_t page;
	bool hot;
	struct state states[STATES];
	unsigned int count;
};

static bool is_ahead(const struct loop *l, uint64_t pc)
{
	for (unsigned int i = 0; i < l->count; i++)
		if (l->stops[i] == pc)
			return true;
	return false;
}

static void add_stop(struct ahead *a, uint64_t pc)
{
	struct loop *l = a->loop;

	if (is_ahead(l, pc))
		return;
	l->whole &= l->count < STOPS && (a->hot || (pc & -SCAN_PAGE) != a->page);
	if (l->whole)
		l->stops[l->count++] = pc;
}

/* A stop that is one anyway. */
static bool is_site(const struct handoff *h, uint64_t pc)
{
	const struct scan_site *site = scan_site(&h->scan, pc);

	return site && !site->lifted;
}

static void add_state(struct ahead *a, const struct state *s, uint64_t pc)
{
	for (unsigned int i = 0; i < a->count; i++)
		if (a->states[i].pc == pc && a->states[i].known == s->known &&
		    (!s->known || a->states[i].x30 == s->x30))
			return;
	if ((pc & -SCAN_PAGE) != a->page || is_site(a->loop->h, pc) || a->count == STATES) {
		add_stop(a, pc);
		return;
	}
	a->states[a->count] = *s;
	a->states[a->count++].pc = pc;
}

/* To where the instruction at @s leads; false: that is not known. */
static bool go_on(struct ahead *a, const struct state *s, const struct insn *i)
{
	struct state next = *s;

	next.known &= i->x30 == X30_KEPT;
	switch (i->kind) {
	case INSN_OTHER:
	case INSN_CACHE:
	case INSN_MRS:
	case INSN_MSR_IMM:
	case INSN_WFI:
	case INSN_WFE:
		break;
	case INSN_MSR:
		if (watch_find(i->sysreg))
			return false;
		break;
	case INSN_COND:
		add_state(a, &next, s->pc + (uint64_t)i->offset);
		break;
	case INSN_BL:
		next.known = true;
		next.x30 = s->pc + 4;
		add_state(a, &next, s->pc + (uint64_t)i->offset);
		return true;
	case INSN_B:
		add_state(a, &next, s->pc + (uint64_t)i->offset);
		return true;
	case INSN_RET:
		if (i->reg != 30 || i->pauth || !s->known)
			return false;
		add_state(a, &next, s->x30);
		return true;
	case INSN_UDF:
	case INSN_BR:
	case INSN_BLR:
	case INSN_ERET:
	case INSN_SVC:
	case INSN_HVC:
	case INSN_SMC:
	case INSN_BRK:
	case INSN_HLT:
	case INSN_TLBI:
		return false;
	}
	add_state(a, &next, s->pc + 4);
	return true;
}

static int look_ahead(struct loop *l, unsigned int cpu)
{
	struct ahead a = { .loop = l, .count = 1 };
	struct machine *m = machine_of(l->h);
	struct state *first = &a.states[0];
	int err = machine_reg_read(m, cpu, "pc", &first->pc);

	if (!err)
		err = machine_reg_read(m, cpu, "x30", &first->x30);
	first->known = true;
	l->pages[cpu] = a.page = first->pc & -SCAN_PAGE;
	a.hot = machine_break_within(m, a.page, SCAN_PAGE);
	l->hot |= a.hot;
	/* it has just come to a stop, and nobody has looked yet */
	l->whole &= !machine_break_has(m, BREAK_HANDOFF, first->pc);
	for (unsigned int i = 0; !err && i < a.count; i++) {
		uint8_t raw[4];
		struct insn insn;

		err = machine_virt_read(m, cpu, a.states[i].pc, raw, sizeof(raw));
		insn = insn_decode((uint32_t)le_read(raw, 4));
		if (!err && !go_on(&a, &a.states[i], &insn))
			add_stop(&a, a.states[i].pc);
	}
	return err;
}

/* Can all that comes first be told? Not where others take part. *@yes */
static int look(struct loop *l, bool *yes)
{
	struct machine *m = machine_of(l->h);
	int err = 0;

	*yes = false;
	if (m->accel == ACCEL_KVM || l->h->kernel.entered || l->h->replay || m->cpus > CPUS)
		return 0;
	for (size_t i = 0; i < m->break_count; i++)
		if (m->breaks[i].type > BREAK_HARD)
			return 0;
	l->whole = true;
	for (unsigned int cpu = 0; !err && cpu < m->cpus; cpu++)
		err = halted_masked(m, cpu) ? look_ahead(l, cpu) : -BATON_EUNSUPPORTED;
	*yes = !err && l->hot && l->whole;
	return err == -BATON_ELINK || err == -BATON_ECANCELED ? err : 0;
}

static bool in_pages(const struct loop *l, uint64_t pc)
{
	for (unsigned int cpu = 0; cpu < machine_of(l->h)->cpus; cpu++)
		if ((pc & -SCAN_PAGE) == l->pages[cpu])
			return true;
	return false;
}

/* Those in other pages cost nothing, unless one stays here after all. */
static int take_out(struct loop *l)
{
	struct machine *m = machine_of(l->h);
	bool all = false;
	int err = 0;

	for (unsigned int i = 0; i < l->count; i++)
		all |= in_pages(l, l->stops[i]);
	for (size_t i = m->break_count; !err && i-- > 0;) {
		const struct machine_break *b = &m->breaks[i];

		if ((all || in_pages(l, b->addr)) && !is_ahead(l, b->addr))
			err = machine_break_remove(m, BREAK_HANDOFF, b->type, b->addr, b->kind);
	}
	return err;
}

static int thin(struct loop *l)
{
	struct machine *m = machine_of(l->h);
	int err = take_out(l);

	/* the code that was looked at has to stay what it is: stores into its page stop */
	for (unsigned int cpu = 0; !err && cpu < m->cpus; cpu++)
		err = machine_break_add(m, BREAK_HANDOFF, WATCH_WRITE, l->pages[cpu], SCAN_PAGE);
	for (unsigned int i = 0; !err && i < l->count; i++)
		err = code_plant_at(l->h, l->stops[i]);
	return err ? err : code_plant_vectors(l->h);
}

/* The machine has stopped: all stops again. *@ours: it was for nothing else. */
static int restore(struct loop *l, bool *ours)
{
	struct machine *m = machine_of(l->h);
	uint64_t pc = 0;
	int err = 0;

	for (unsigned int cpu = 0; !err && cpu < m->cpus; cpu++)
		err = machine_break_remove(m, BREAK_HANDOFF, WATCH_WRITE, l->pages[cpu], SCAN_PAGE);
	for (unsigned int i = 0; !err && i < l->count; i++)
		if (!is_site(l->h, l->stops[i]))
			err = code_unplant(l->h, l->stops[i]);
	if (!err)
		err = code_plant(l->h);
	if (!err)
		err = code_plant_vectors(l->h);
	if (!err)
		err = machine_reg_read(m, m->last_stop.cpu, "pc", &pc);
	*ours = m->last_stop.kind == STOP_SIGNAL && m->last_stop.signal == 5 &&
		!machine_break_has(m, BREAK_HANDOFF, pc) && !machine_break_has(m, BREAK_GDB, pc);
	return err;
}

int loop_resume(struct handoff *h, int silence_ms)
{
	struct machine *m = machine_of(h);

	for (int ms = FIRST_MS; ms <= LAST_MS && ms < silence_ms; ms *= 4) {
		struct loop l = { .h = h };
		bool yes;
		int err = machine_resume(m, ms, NULL);

		if (err || m->last_stop.kind != STOP_TIMEOUT)
			return err;
		err = look(&l, &yes);
		if (!err && !yes)
			continue;
		if (!err)
			err = thin(&l);
		if (!err)
			err = halted_resume(h, silence_ms);
		if (!err)
			err = restore(&l, &yes);
		if (err || !yes)
			return err;
	}
	return halted_resume(h, silence_ms);
}
