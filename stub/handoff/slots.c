/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Behind the jump under KVM. A trap in the kernel's memory might lie in data, and a kernel that
 * sums up its own text would find it: only hardware breakpoints are used, and they are few. At
 * each stop they go to what the run is to end after, and within a kind to what is nearest and was
 * not come to yet. What is left out is told by its kind.
 */
#include "handoff/internal.h"

#include <stdlib.h>

/* What a breakpoint is for. */
enum want {
	WANT_LOWER, /* exceptions from a lower level: EL0 has run */
	WANT_VBAR,
	WANT_ERET,
	WANT_SWITCH,
	WANT_CALL,
	WANT_SAME,
	WANT_REST,
	WANT_NONE, /* vectors of who has set none, and the kernel's entry */
	WANTS,
};

static const char *const names[WANTS] = {
	[WANT_LOWER] = "exceptions from EL0",
	[WANT_VBAR] = "writes of VBAR",
	[WANT_ERET] = "eret",
	[WANT_SWITCH] = "writes of SCTLR and TTBR",
	[WANT_CALL] = "hvc and smc",
	[WANT_SAME] = "the kernel's own exceptions",
	[WANT_REST] = "writes of TCR, MAIR and the like",
	[WANT_NONE] = "exceptions without vectors",
};

struct place {
	uint64_t pc, far;
	enum want want;
	unsigned int rank;
	bool hit;
};

struct places {
	struct place *place;
	size_t count;
};

bool slots_rule(const struct handoff *h)
{
	return h->kernel.entered && machine_of(h)->accel == ACCEL_KVM;
}

/* Found by a search of what is mapped; what was followed with the MMU off is not ours. */
bool slots_own(const struct handoff *h, const struct scan_site *s)
{
	return s->kernel && machine_of(h)->accel == ACCEL_KVM && !scan_word(&h->scan, s->pc);
}

static bool is_loaders(const struct handoff *h, uint64_t base)
{
	bool yes = false;

	for (unsigned int el = 1; base && el <= 3; el++)
		yes |= base == h->kernel.loader_vbar[el];
	return yes;
}

/* Does a CPU have its vectors there? */
static bool in_use(const struct handoff *h, uint64_t base)
{
	struct machine *m = machine_of(h);
	bool yes = false;

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++)
		for (unsigned int el = 1; el <= 3; el++) {
			uint64_t vbar;

			yes |= !reg_of(m, cpu, "VBAR", el, &vbar) && vbar == base;
		}
	return yes;
}

bool slots_own_vectors(const struct handoff *h, uint64_t base)
{
	return slots_rule(h) && !(is_loaders(h, base) && in_use(h, base));
}

bool slots_has(const struct handoff *h, uint64_t pc)
{
	for (size_t i = 0; i < h->kernel.slot_count; i++)
		if (h->kernel.slot[i] == pc)
			return true;
	return false;
}

static enum want want_of(const struct scan_site *s)
{
	const struct watch *w = s->insn.kind == INSN_MSR ? watch_find(s->insn.sysreg) : NULL;

	if (s->insn.kind == INSN_ERET)
		return WANT_ERET;
	if (!w)
		return WANT_CALL;
	if (w->role == WATCH_VBAR)
		return WANT_VBAR;
	return w->role == WATCH_SCTLR || w->role == WATCH_TTBR0 || w->role == WATCH_TTBR1
		       ? WANT_SWITCH
		       : WANT_REST;
}

/* What the run is to end after comes first, then what would lead on to it. */
static unsigned int rank(const struct handoff *h, enum want want)
{
	enum want first = WANT_LOWER;

	switch (h->goal.kind) {
	case UNTIL_EXCEPTION:
		if (want == WANT_SAME)
			return WANT_VBAR + 1u;
		break;
	case UNTIL_EL_CHANGE:
		first = WANT_ERET;
		break;
	case UNTIL_MMU_ON:
		first = WANT_SWITCH;
		break;
	case UNTIL_PSCI:
		first = WANT_CALL;
		break;
	case UNTIL_KERNEL:
	case UNTIL_JUMP:
	case UNTIL_USER:
	case UNTIL_EVENT:
		break;
	}
	return want == first ? 0 : want + 1u;
}

static void add(const struct handoff *h, struct places *p, uint64_t pc, enum want want, bool hit,
		uint64_t here)
{
	p->place[p->count++] = (struct place){ .pc = pc,
					       .far = pc > here ? pc - here : here - pc,
					       .want = want,
					       .rank = rank(h, want),
					       .hit = hit };
}

/*
 * The vectors that some CPU has by now: less is wanted of those that were never set, or are for
 * who runs on SP_EL0. The loader's are traps, in its own memory, until nobody has them.
 */
static int add_vectors(struct handoff *h, struct places *p, uint64_t here)
{
	static const enum want wants[] = { WANT_SAME, WANT_SAME, WANT_LOWER };
	int err = 0;

	for (size_t i = 0; !err && i < h->vector_count; i++) {
		const struct vectors *v = &h->vectors[i];
		bool used = in_use(h, v->base), loaders = is_loaders(h, v->base);

		for (size_t e = 0; !err && e < 3; e++) {
			uint64_t pc = vectors_entry(v, e);

			if (loaders && !used)
				err = machine_break_remove(machine_of(h), BREAK_HANDOFF, BREAK_SOFT,
							   pc, 4);
			if (loaders || !used || v->lifted[e])
				continue;
			add(h, p, pc, v->base ? wants[e] : WANT_NONE, false, here);
			if (!e)
				p->place[p->count - 1].rank = rank(h, WANT_NONE);
		}
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->hit != y->hit)
		return x->hit ? 1 : -1;
	return x->far < y->far ? -1 : x->far > y->far;
}

/* All that is to be watched, the most wanted first. */
static int gather(struct handoff *h, struct places *p)
{
	struct machine *m = machine_of(h);
	uint64_t here;
	size_t vbar = SIZE_MAX;
	int err = machine_reg_read(m, h->boot_cpu, "pc", &here);

	p->place = calloc(h->scan.site_count + 3 * HANDOFF_VECTORS + 1, sizeof(*p->place));
	if (!p->place)
		abort();
	if (!err)
		err = add_vectors(h, p, here);
	for (size_t i = 0; !err && i < h->scan.site_count; i++) {
		const struct scan_site *s = &h->scan.sites[i];

		if (slots_own(h, s) && !s->lifted)
			add(h, p, s->pc, want_of(s), s->hits, here);
	}
	/*
	 * The next new vectors are wanted, the others are like any register. What was come to
	 * once is not waited for, but for returns.
	 */
	for (size_t i = 0; i < p->count; i++)
		if (p->place[i].want == WANT_VBAR && !p->place[i].hit &&
		    (vbar == SIZE_MAX || p->place[i].far < p->place[vbar].far))
			vbar = i;
	for (size_t i = 0; i < p->count; i++) {
		if (p->place[i].want == WANT_VBAR && i != vbar)
			p->place[i].rank = rank(h, WANT_REST);
		if (p->place[i].want != WANT_ERET && p->place[i].hit)
			p->place[i].rank = WANTS + 1u;
	}
	qsort(p->place, p->count, sizeof(*p->place), compare);
	return err;
}

static int keep(struct handoff *h, const struct places *p, size_t n)
{
	struct kernel *k = &h->kernel;
	int err = 0;

	for (size_t i = k->slot_count; !err && i-- > 0;) {
		uint64_t pc = k->slot[i];
		size_t at = 0;

		while (at < n && p->place[at].pc != pc)
			at++;
		if (at < n)
			continue;
		k->slot[i] = k->slot[--k->slot_count];
		err = machine_break_remove(machine_of(h), BREAK_HANDOFF, BREAK_HARD, pc, 4);
	}
	return err;
}

/* The first of them get what there is. *@room: how many that are. */
static int place(struct handoff *h, const struct places *p, size_t *room)
{
	struct kernel *k = &h->kernel;
	size_t n = p->count < *room ? p->count : *room;
	int err = keep(h, p, n);

	for (size_t i = 0; !err && i < n; i++) {
		if (slots_has(h, p->place[i].pc))
			continue;
		err = machine_break_add(machine_of(h), BREAK_HANDOFF, BREAK_HARD, p->place[i].pc,
					4);
		if (!err) {
			k->slot[k->slot_count++] = p->place[i].pc;
		} else if (err != -BATON_ELINK && err != -BATON_ECANCELED) {
			*room = n = k->slot_count;
			err = keep(h, p, n);
			i = SIZE_MAX; /* again, for fewer */
		}
	}
	return err;
}

static void say_missing(const struct handoff *h, const struct places *p, struct buf *out)
{
	const char *before = "";

	for (unsigned int want = 0; want < WANT_NONE; want++) {
		unsigned int all = 0, there = 0;

		for (size_t i = 0; i < p->count; i++) {
			all += p->place[i].want == want;
			there += p->place[i].want == want && slots_has(h, p->place[i].pc);
		}
		if (there == all)
			continue;
		buf_printf(out, "%s%s (%u of %u)", before, names[want], all - there, all);
		before = ", ";
	}
}

static void say_first(struct handoff *h, const struct places *p, size_t room)
{
	struct buf missing = { 0 }, line = { 0 };

	say_missing(h, p, &missing);
	if (missing.len)
		buf_printf(
			&line,
			"KVM has %zu hardware breakpoint%s for the kernel, the nearest first; not "
			"watched so far: %s\n",
			room, room == 1 ? "" : "s", missing.data);
	if (line.len)
		handoff_say(h, &line);
	buf_free(&missing);
	buf_free(&line);
}

static bool left_by_all(struct handoff *h)
{
	struct machine *m = machine_of(h);
	uint64_t pa;

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++)
		if (code_where(m, cpu, &pa) || image_holds(&h->image, pa))
			return false;
	return true;
}

/* Its memory may be used for something else, and nobody comes to its stops. */
static int give_up_loader(struct handoff *h)
{
	int err = 0;

	if (h->kernel.loader_left || !left_by_all(h))
		return 0;
	h->kernel.loader_left = true;
	for (size_t i = 0; !err && i < h->scan.site_count; i++)
		if (!h->scan.sites[i].kernel && !h->scan.sites[i].lifted)
			err = code_lift(h, &h->scan.sites[i]);
	return err;
}

/* Does a CPU run where virtual is physical? */
static bool flat(struct handoff *h)
{
	struct machine *m = machine_of(h);
	uint64_t pc, pa;

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++)
		if (machine_reg_read(m, cpu, "pc", &pc) || code_where(m, cpu, &pa) || pc == pa)
			return true;
	return false;
}

bool slots_idle(struct handoff *h, const struct scan_site *s)
{
	return slots_rule(h) && s->kernel && !slots_own(h, s) && !h->kernel.flat;
}

/*
 * What a kernel runs with its MMU off it may run at a high address later, and a trap that is not
 * asked for there is an exception of its own.
 */
static int rest_flat(struct handoff *h)
{
	int err = 0;

	h->kernel.flat = flat(h);
	for (size_t i = 0; !err && i < h->scan.site_count; i++)
		if (slots_idle(h, &h->scan.sites[i]))
			err = machine_break_remove(machine_of(h), BREAK_HANDOFF, BREAK_SOFT,
						   h->scan.sites[i].pc, 4);
	return err;
}

int slots_plan(struct handoff *h)
{
	struct kernel *k = &h->kernel;
	struct places p = { 0 };
	int err = slots_rule(h) ? give_up_loader(h) : 0;

	if (!err && slots_rule(h))
		err = rest_flat(h);
	if (!err && slots_rule(h))
		err = gather(h, &p);
	if (!err && p.count)
		err = place(h, &p, &k->slot_room);
	if (!err && !k->slots_said && p.count) {
		k->slots_said = true;
		say_first(h, &p, k->slot_room);
	}
	free(p.place);
	return err;
}

int slots_enter(struct handoff *h)
{
	struct machine *m = machine_of(h);
	int err = 0;

	h->kernel.slot_count = 0;
	h->kernel.slot_room = KERNEL_SLOTS;
	h->kernel.slots_said = false;
	if (!slots_rule(h))
		return 0;
	for (size_t i = 0; !err && i < h->vector_count; i++)
		for (size_t e = 0; !err && !h->vectors[i].base && e < 3; e++)
			err = machine_break_remove(m, BREAK_HANDOFF, BREAK_SOFT,
						   vectors_entry(&h->vectors[i], e), 4);
	if (!err && h->image.has_header)
		err = machine_break_remove(m, BREAK_HANDOFF, BREAK_HARD,
					   h->image.header.kernel_entry, 4);
	return err;
}

int slots_silence(struct handoff *h, struct buf *out)
{
	struct places p = { 0 };
	struct buf missing = { 0 };
	int err = slots_rule(h) ? gather(h, &p) : 0;

	if (!err)
		say_missing(h, &p, &missing);
	if (missing.len)
		buf_printf(out, "not watched, for KVM has %zu hardware breakpoint%s left: %s\n",
			   h->kernel.slot_room, h->kernel.slot_room == 1 ? "" : "s", missing.data);
	buf_free(&missing);
	free(p.place);
	return err;
}
