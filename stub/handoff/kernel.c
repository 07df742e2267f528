/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Behind the jump that leaves the loader: the kernel's own switches of its tables and
 * vectors, its exceptions, and the first instruction at EL0.
 *
 * With its MMU off a kernel is followed as a loader is. Once it is on, a kernel is too
 * big and too full of pointers for that: what its tables let it execute is searched for
 * the few instructions that matter, and `eret` alone leads to EL0. Such a word may be
 * data; a stop there is never hit. Under KVM those that get a breakpoint are chosen: slots.c.
 */
#include "handoff/preflight.h"
#include "handoff/psci.h"

#include "hex.h"
#include "mmu/map.h"
#include "mmu/sysreg.h"

#include <string.h>

/* A mapping that is bigger is not all code: this far around the pc is searched. */
#define NEAR (32u << 20)
/* So often an instruction is shown on each CPU; then it is counted. */
#define SHOWN 3
/* One `eret` may serve all returns of a kernel, and the one to EL0 is waited for. */
#define ERET_LIFT (8 * HANDOFF_LIFT)
/* The same exception from the same instruction, this often in a row: it does not end. */
#define STUCK 16
/* So long without an event, and the stops that were never hit are given up. */
#define THIN_MS 2000

#define EC_SVC	0x15
#define SCTLR_M 1u

static unsigned int shown(const struct handoff *h)
{
	return SHOWN * machine_of(h)->cpus;
}

struct search {
	struct handoff *h;
	unsigned int cpu, el;
	uint64_t around;
	struct tables *second; /* behind a first stage; NULL: that makes physical addresses */
	int err;
};

static bool is_site(const struct search *s, const struct insn *i)
{
	const struct watch *w;

	if (i->kind == INSN_ERET)
		return true;
	if (i->kind == INSN_HVC || i->kind == INSN_SMC)
		return !i->imm && s->h->kernel.thinned < THIN_ALL;
	if (i->kind != INSN_MSR || s->h->kernel.thinned)
		return false;
	w = watch_find(i->sysreg);
	return w && (w->el == s->el || (s->el == 2 && w->el == 1));
}

/* By way of the second stage, if there is one. */
static bool physical(const struct search *s, uint64_t *pa)
{
	struct pt_walk walk;

	if (!s->second)
		return true;
	if (tables_walk(s->second, *pa, NULL, &walk, NULL) || walk.fault)
		return false;
	*pa = walk.oa;
	return true;
}

static int search_page(struct search *s, uint64_t va, uint64_t pa)
{
	struct machine *m = machine_of(s->h);
	uint8_t page[SCAN_PAGE];
	int err;

	if (!physical(s, &pa) || !machine_is_ram(m, pa, SCAN_PAGE, true))
		return 0;
	err = machine_phys_read(m, pa, page, sizeof(page));
	if (err)
		return err == -BATON_ELINK || err == -BATON_ECANCELED ? err : 0;
	for (size_t at = 0; at < sizeof(page); at += 4) {
		uint32_t word = (uint32_t)le_read(page + at, 4);
		struct insn i;

		if (word >> 28 != 0xd)
			continue;
		i = insn_decode(word);
		if (is_site(s, &i))
			scan_add(&s->h->scan, va + at, word, &i)->kernel = true;
	}
	return 0;
}

static bool searched(struct handoff *h, uint64_t first, uint64_t last)
{
	struct kernel *k = &h->kernel;

	for (size_t i = 0; i < k->span_count; i++)
		if (first >= k->span[i].first && last <= k->span[i].last)
			return true;
	if (k->span_count == KERNEL_SPANS)
		return true;
	k->span[k->span_count++] = (struct scan_span){ first, last };
	return false;
}

static int search_range(void *ctx, const struct pt_range *r)
{
	struct search *s = ctx;
	uint64_t first = r->ia, last = r->ia + (r->size - 1);

	if (!(r->attrs.own & PT_X) ||
	    (!s->second && !machine_is_ram(machine_of(s->h), r->oa, SCAN_PAGE, true)))
		return 0;
	if (r->size > 2ull * NEAR) {
		if (s->around < first || s->around > last)
			return 0;
		first = s->around - first > NEAR ? (s->around - NEAR) & -(uint64_t)SCAN_PAGE
						 : first;
		last = last - s->around > NEAR ? (s->around + NEAR) | (SCAN_PAGE - 1) : last;
	}
	if (searched(s->h, first, last))
		return 0;
	for (uint64_t va = first; !s->err && va < last; va += SCAN_PAGE)
		s->err = search_page(s, va, r->oa + (va - r->ia));
	return s->err;
}

/* A table of 4 KiB lies in one page of the second stage; larger ones are left out. */
static int gather(void *ctx, const uint64_t *ipa, unsigned int n, size_t size, uint8_t *data,
		  bool *ok)
{
	const struct search *s = ctx;
	struct machine *m = machine_of(s->h);
	uint64_t pa[PT_BULK_MAX];
	int err;

	for (unsigned int i = 0; i < n; i++) {
		pa[i] = ipa[i];
		if (!physical(s, &pa[i]) || (s->second && size > SCAN_PAGE))
			pa[i] = UINT64_MAX - (size - 1); /* no memory */
	}
	err = machine_phys_gather(m, pa, n, size, data, ok);
	return err ? err : machine_phys_gathered(m, n - 1);
}

/* All that this half of the tables lets the kernel execute. */
static int search(struct handoff *h, unsigned int cpu, struct tables *t, uint64_t around)
{
	struct search s = { .h = h, .cpu = cpu, .el = t->regime.el, .around = around };
	const struct pt_bulk bulk = { gather, &s, NULL };
	const struct pt_map_sink sink = { .range = search_range, .ctx = &s };
	struct tables second = { 0 };
	struct pt_config cfg;
	int err = pt_config_from_regime(&cfg, &t->regime, around, NULL);

	if (!err && t->regime.nested) {
		err = tables_init(&second, machine_of(h), NULL, cpu, "s2", NULL);
		s.second = &second;
	}
	if (err || cfg.flat)
		return second.lost;
	err = pt_map(&cfg, &bulk, 0, UINT64_MAX, &sink, NULL);
	if (second.lost)
		err = second.lost;
	return err == -BATON_ELINK || err == -BATON_ECANCELED ? err : code_plant(h);
}

static void mark(struct handoff *h, size_t from)
{
	for (; from < h->scan.site_count; from++)
		h->scan.sites[from].kernel = true;
}

/* What the kernel runs next is at @va, at that level. */
static int look(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t va)
{
	char spec[8] = { 'e', 'l', (char)('0' + el), 0 };
	size_t sites = h->scan.site_count;
	struct tables t;
	struct pt_config cfg;
	int err = tables_init(&t, machine_of(h), h->ctx->symbols, cpu,
			      machine_el(machine_of(h), cpu) == (int)el ? NULL : spec, NULL);

	if (err || pt_config_from_regime(&cfg, &t.regime, va, NULL))
		return t.lost;
	h->kernel.around[el] = va;
	if (!cfg.flat)
		return search(h, cpu, &t, va);
	h->kernel.flat = true;
	err = code_follow(h, cpu, &t, va, SCAN_UNKNOWN);
	mark(h, sites);
	return err;
}

int kernel_follow_flat(struct handoff *h, uint64_t pa)
{
	size_t sites = h->scan.site_count;
	int err;

	h->kernel.flat = true;
	err = code_follow_flat(h, pa, SCAN_UNKNOWN);

	mark(h, sites);
	return err;
}

int kernel_enter(struct handoff *h)
{
	struct machine *m = machine_of(h);
	struct kernel *k = &h->kernel;
	bool first = !k->entered;
	uint64_t pc;
	int el = machine_el(m, h->boot_cpu);
	int err = el < 0 ? el : machine_reg_read(m, h->boot_cpu, "pc", &pc);

	if (err)
		return err;
	k->entered = true;
	for (unsigned int n = 1; first && n <= 3; n++)
		if (reg_of(m, h->boot_cpu, "VBAR", n, &k->loader_vbar[n]) == -BATON_ELINK)
			return -BATON_ELINK;
	err = slots_enter(h);
	if (!err && first && el)
		err = look(h, h->boot_cpu, (unsigned int)el, pc);
	return err ? err : slots_plan(h);
}

static int lift(struct handoff *h, struct visit *v)
{
	struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct buf text = { 0 };

	insn_text(v->site.word, v->pc, &text);
	event_add(h, &e, "%s: %u times, no longer watched", text.data, v->site.hits);
	buf_free(&text);
	return code_lift(h, scan_site(&h->scan, v->pc));
}

static void say_user(struct handoff *h, const struct visit *v, uint64_t at, const char *how)
{
	struct event e = { .kind = EVENT_USER,
			   .cpu = v->cpu,
			   .el = v->el,
			   .pc = v->pc,
			   .before = v->el,
			   .after = at };
	struct pt_access fetch = { .kind = PT_FETCH, .el = 0 };
	struct pt_walk walk = { 0 };
	struct buf name = { 0 };
	struct tables t;

	say_symbol(h->ctx, at, " <", ">", &name);
	if (!tables_init(&t, machine_of(h), h->ctx->symbols, v->cpu, NULL, NULL))
		(void)tables_walk(&t, at, &fetch, &walk, NULL);
	event_add(h, &e, "%s %#" PRIx64 "%s%s", how, at, name.len ? name.data : "",
		  walk.fault ? ", which is not mapped yet" : "");
	h->kernel.user = true;
	buf_free(&name);
}

static int kernel_eret(struct handoff *h, struct visit *v)
{
	struct machine *m = machine_of(h);
	struct event e = { .kind = EVENT_ERET, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	uint64_t elr, spsr;
	bool show;
	int err = reg_of(m, v->cpu, "ELR", v->el, &elr);

	if (!err)
		err = reg_of(m, v->cpu, "SPSR", v->el, &spsr);
	if (err)
		return err;
	e.before = v->el;
	e.after = spsr & 0x10 ? spsr & 0xf ? 1 : 0 : spsr >> 2 & 3;
	if (v->site.insn.pauth)
		elr = insn_strip_pauth(elr);
	/* a first return to that level is news, be the instruction an old one */
	show = h->kernel.returns[v->el][e.after]++ < shown(h) || v->site.hits <= shown(h);
	if (!e.after && (!h->kernel.user || show))
		say_user(h, v, elr, spsr & 0x10 ? "drop to EL0, AArch32, at" : "drop to EL0 at");
	else if (e.after && show)
		event_add(h, &e, "eret: EL%u -> EL%" PRIu64 " at %#" PRIx64, v->el, e.after, elr);
	if (e.after && !(spsr & 0x10) && !scan_word(&h->scan, elr) && show)
		err = look(h, v->cpu, (unsigned int)e.after, elr);
	return err ? err : step_over(h, v);
}

/* A branch with the MMU off, or the one that goes on in the high half. */
static int kernel_branch(struct handoff *h, struct visit *v)
{
	struct event e = { .kind = EVENT_MOVED, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct buf name = { 0 };
	uint64_t target;
	int err = reg_x(machine_of(h), v->cpu, v->site.insn.reg, &target);

	if (v->site.insn.pauth)
		target = insn_strip_pauth(target);
	if (err || scan_word(&h->scan, target))
		return err ? err : step_over(h, v);
	if ((target ^ v->pc) >> 32) {
		say_symbol(h->ctx, target, " <", ">", &name);
		e.before = v->pc;
		e.after = target;
		event_add(h, &e, "the kernel goes on at %#" PRIx64 "%s", target,
			  name.len ? name.data : "");
		buf_free(&name);
		/* it has yet to set up what it needs there, be it firmware that ran before */
		h->kernel.thinned = THIN_NOT;
		h->kernel.called = false;
	}
	err = look(h, v->cpu, v->el, target);
	return err ? err : step_over(h, v);
}

/* A loader that another one started with its MMU on: once that is off it is followed as one. */
static int mmu_off(struct handoff *h, const struct visit *v)
{
	const struct watch *w = preflight_watch(machine_of(h), v->cpu, v->el, v->site.insn.sysreg);
	uint64_t before = 0, after = 0;
	int err;

	if (w->role != WATCH_SCTLR || w->el != v->el)
		return 0;
	err = machine_reg_read(machine_of(h), v->cpu, w->name, &before);
	if (!err)
		err = reg_x(machine_of(h), v->cpu, v->site.insn.reg, &after);
	if (err || !(before & SCTLR_M) || (after & SCTLR_M))
		return err;
	return kernel_follow_flat(h, v->pc + 4);
}

static bool is_call(const struct scan_site *s)
{
	return s->insn.kind == INSN_HVC || s->insn.kind == INSN_SMC;
}

static int visit(struct handoff *h, struct visit *v)
{
	enum insn_kind kind = v->site.insn.kind;
	unsigned int most = kind == INSN_ERET ? ERET_LIFT : HANDOFF_LIFT;
	uint64_t x0 = 0;
	uint8_t raw[4];
	int err;

	/* a process has other code at that address */
	if (!v->el)
		return step_over(h, v);
	err = machine_virt_read(machine_of(h), v->cpu, v->pc, raw, sizeof(raw));
	if (err == -BATON_ELINK)
		return err;
	if (!err && le_read(raw, 4) != v->site.word)
		return step_over(h, v);
	if (v->site.hits > most) {
		err = lift(h, v);
		return err ? err : step_over(h, v);
	}
	if (kind == INSN_ERET)
		return kernel_eret(h, v);
	if (kind == INSN_BR || kind == INSN_BLR || kind == INSN_RET)
		return kernel_branch(h, v);
	err = kind == INSN_MSR ? mmu_off(h, v) : 0;
	v->quiet = v->site.hits > shown(h);
	if (!err && is_call(&v->site))
		err = reg_x(machine_of(h), v->cpu, 0, &x0);
	if (err)
		return err;
	/* hvc is how it asks its own EL2, too */
	h->kernel.called |= is_call(&v->site) && psci_find(x0);
	return site_visit(h, v);
}

int kernel_visit(struct handoff *h, struct visit *v)
{
	int err = visit(h, v);

	return err ? err : slots_plan(h);
}

bool kernel_owns_vectors(struct handoff *h, unsigned int cpu, unsigned int el)
{
	uint64_t vbar;

	return h->kernel.entered && !reg_of(machine_of(h), cpu, "VBAR", el, &vbar) &&
	       vbar != h->kernel.loader_vbar[el];
}

/* Exceptions are a kernel's daily bread: told, unless one does not end. */
int kernel_exception(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc, int vector,
		     bool *serve)
{
	struct machine *m = machine_of(h);
	struct kernel *k = &h->kernel;
	struct visit v = { .cpu = cpu, .el = el, .pc = pc };
	struct event e = { .kind = EVENT_EXCEPTION, .cpu = cpu, .el = el, .pc = pc, .after = el };
	uint64_t esr, elr, spsr;
	unsigned int hits;
	const char *words;
	bool show;
	int err = reg_of(m, cpu, "ESR", el, &esr);

	if (!err)
		err = reg_of(m, cpu, "ELR", el, &elr);
	if (!err)
		err = reg_of(m, cpu, "SPSR", el, &spsr);
	if (err)
		return err;
	k->repeats =
		elr == k->last_elr && esr == k->last_esr && cpu == k->last_cpu ? k->repeats + 1 : 0;
	k->last_elr = elr;
	k->last_esr = esr;
	k->last_cpu = cpu;
	*serve = vector == 0x400 || k->repeats < STUCK;
	if (!*serve)
		return GO;
	if (vector == 0x400 && !k->user && !(spsr & 0xf))
		say_user(h, &v, elr, "EL0 runs; its first exception that was seen is from");
	e.before = spsr & 0x10 ? 0 : spsr >> 2 & 3;
	hits = vectors_hit(h, pc);
	if (hits == 1) {
		err = look(h, cpu, el, pc);
		if (err)
			return err;
	}
	show = k->shown[esr >> 26 & 63]++ < shown(h);
	words = esr_fault_words(esr);
	if (show && (esr >> 26 & 63) == EC_SVC)
		event_add(h, &e, "takes svc #%u", (unsigned int)(esr & 0xffff));
	else if (show)
		event_add(h, &e, "takes an exception from EL%" PRIu64 ", %#" PRIx64 ": %s",
			  e.before, elr, words ? words : esr_class_words(esr));
	/* it is come to by steps, too */
	if (hits == HANDOFF_LIFT + 1) {
		event_add(h, &e, "%u exceptions to this vector: no longer watched", hits);
		err = vectors_lift(h, pc);
	}
	return err ? err : slots_plan(h);
}

/*
 * The way to EL0; in code that was followed new vectors (a hypervisor that waits to be called)
 * and the jump to the high half; and calls of firmware until the first: from there, too, the
 * other CPUs are switched on.
 */
static bool leads_on(const struct handoff *h, const struct scan_site *s)
{
	enum insn_kind kind = s->insn.kind;
	const struct watch *w = kind == INSN_MSR ? watch_find(s->insn.sysreg) : NULL;

	return kind == INSN_ERET || (is_call(s) && !h->kernel.called) ||
	       ((kind == INSN_BR || (w && w->role == WATCH_VBAR)) && scan_word(&h->scan, s->pc));
}

/*
 * Each stop makes QEMU slower, be it never hit. What a kernel sets up it sets up early:
 * once it is silent, the sites that were not come to are given up, but for what leads on.
 */
static int thin_out(struct handoff *h)
{
	struct event e = { .kind = EVENT_NOTE, .cpu = h->boot_cpu };
	struct machine *m = machine_of(h);
	unsigned int lifted = 0;
	int el = machine_el(m, h->boot_cpu);
	int err = el < 0 ? el : machine_reg_read(m, h->boot_cpu, "pc", &e.pc);

	for (size_t i = 0; !err && i < h->scan.site_count; i++) {
		struct scan_site *s = &h->scan.sites[i];

		if (!s->kernel || s->lifted || s->hits || leads_on(h, s))
			continue;
		lifted++;
		err = code_lift(h, s);
	}
	h->kernel.thinned = h->kernel.called ? THIN_ALL : THIN;
	e.el = (unsigned int)el;
	if (!err && lifted)
		event_add(
			h, &e,
			"%u stops that the kernel did not come to are lifted: it is slow with them",
			lifted);
	return err;
}

/* Is it where nobody has looked: behind a jump that was not seen? */
static bool unknown(const struct handoff *h, uint64_t pc)
{
	const struct kernel *k = &h->kernel;

	for (size_t i = 0; i < k->span_count; i++)
		if (pc >= k->span[i].first && pc <= k->span[i].last)
			return false;
	return !scan_word(&h->scan, pc);
}

/* What can be executed by now, at the level that runs and those below: a hypervisor's guest. */
static int look_again(struct handoff *h, const struct visit *v)
{
	int err = look(h, v->cpu, v->el, v->pc);

	for (unsigned int el = 1; !err && el < v->el; el++)
		if (h->kernel.around[el])
			err = look(h, v->cpu, el, h->kernel.around[el]);
	return err;
}

/* While nothing is heard: has more been mapped, and who is at EL0 unseen? */
int kernel_tick(struct handoff *h)
{
	struct machine *m = machine_of(h);
	int err = 0;

	if (!slots_rule(h) && h->kernel.thinned < (h->kernel.called ? THIN_ALL : THIN) &&
	    (h->kernel.thinned || h->silent_ms >= THIN_MS))
		err = thin_out(h);
	for (unsigned int cpu = 0; !err && cpu < m->cpus && !h->kernel.user; cpu++) {
		struct visit v = { .cpu = cpu };
		int el = machine_el(m, cpu);

		err = el < 0 ? el : machine_reg_read(m, cpu, "pc", &v.pc);
		v.el = el < 0 ? 0 : (unsigned int)el;
		if (err == -BATON_EUNSUPPORTED)
			err = 0; /* AArch32: not looked at */
		else if (!err && !el)
			say_user(h, &v, v.pc, "EL0 runs, by a way that was not watched:");
		else if (!err && (cpu == h->boot_cpu || unknown(h, v.pc)))
			err = look_again(h, &v);
	}
	return err ? err : slots_plan(h);
}

int kernel_silence(struct handoff *h, struct buf *out)
{
	int err;

	buf_printf(out, "nothing happened for %d.%d s in the kernel; %s\n",
		   h->goal.silence_ms / 1000, h->goal.silence_ms / 100 % 10,
		   h->kernel.user ? "EL0 was entered" : "no instruction at EL0 was seen");
	err = slots_silence(h, out);
	return err ? err : explain_cpus(h, out);
}
