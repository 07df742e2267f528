/* SPDX-License-Identifier: BSD-2-Clause */
/* What a CPU is about to do at a stop site, as an event; and past it. */
#include "handoff/fields.h"
#include "handoff/preflight.h"
#include "handoff/psci.h"

#include <stdio.h>

#define SCTLR_M 1u
#define HCR_E2H (UINT64_C(1) << 34)

#define SPSR_AARCH32 (1u << 4)

static struct event event_of(const struct visit *v, enum event_kind kind)
{
	return (struct event){ .kind = kind, .cpu = v->cpu, .el = v->el, .pc = v->pc };
}

/* Secondaries do as the first CPU did: what was told once is not told again. */
static bool told(const struct handoff *h, const struct event *e)
{
	for (size_t i = 0; i < h->event_count; i++)
		if (h->events[i].fields && h->events[i].name == e->name &&
		    h->events[i].before == e->before && h->events[i].after == e->after)
			return true;
	return false;
}

/* The registers whose bits decide how addresses are translated; for free(), or NULL. */
static char *changed_fields(struct handoff *h, const struct visit *v, const struct event *e)
{
	uint64_t hcr = 0;
	const struct sysreg *s;
	struct buf out = { 0 };

	(void)machine_reg_read(machine_of(h), v->cpu, "HCR_EL2", &hcr);
	s = sysreg_find(e->name, hcr & HCR_E2H);
	if (s && !told(h, e))
		fields_changed(s, e->before, e->after, &out);
	return out.data;
}

static void say_sysreg(struct handoff *h, const struct visit *v, const struct watch *w,
		       struct event *e, bool known)
{
	struct buf name = { 0 };
	const char *mmu = "";

	e->no_before = !known;
	if (w->role == WATCH_SCTLR && (e->after & SCTLR_M) && !(e->before & SCTLR_M))
		mmu = w->el == v->el ? "   MMU on" : "   its MMU on";
	else if (w->role == WATCH_SCTLR && !(e->after & SCTLR_M))
		mmu = e->before & SCTLR_M ? "   MMU off" : "   MMU stays off";
	if (w->role == WATCH_TTBR0 || w->role == WATCH_TTBR1 || w->role == WATCH_VBAR)
		say_symbol(h->ctx, e->after & 0xfffffffffffe, " (", ")", &name);
	if (known && e->before != e->after && w->role != WATCH_TTBR0 && w->role != WATCH_TTBR1 &&
	    w->role != WATCH_VBAR && w->role != WATCH_VTTBR)
		e->fields = changed_fields(h, v, e);
	if (!known)
		event_add(h, e, "%s := %#" PRIx64 "%s", w->name, e->after,
			  name.len ? name.data : "");
	else if (e->before == e->after)
		event_add(h, e, "%s = %#" PRIx64 "%s, as before%s", w->name, e->after,
			  name.len ? name.data : "", mmu);
	else
		event_add(h, e, "%s %#" PRIx64 " -> %#" PRIx64 "%s%s", w->name, e->before, e->after,
			  name.len ? name.data : "", mmu);
	buf_free(&name);
}

static int visit_msr(struct handoff *h, struct visit *v)
{
	const struct watch *w = preflight_watch(machine_of(h), v->cpu, v->el, v->site.insn.sysreg);
	struct event e = event_of(v, EVENT_SYSREG);
	bool known;
	int err = machine_reg_read(machine_of(h), v->cpu, w->name, &e.before);

	if (err == -BATON_ELINK)
		return err;
	known = !err;
	err = reg_x(machine_of(h), v->cpu, v->site.insn.reg, &e.after);
	if (err)
		return err;
	e.name = w->name;
	if (w->el == v->el && known) {
		err = preflight_write(h, v, w, e.before, e.after);
		if (err)
			return err;
		if (h->trouble.kind)
			return FOUND;
	}
	if (w->role == WATCH_SCTLR && w->el == v->el && known)
		err = coherent_sctlr(h, v, e.before, e.after);
	if (err)
		return err;
	if (w->role == WATCH_SCTLR && w->el == v->el && known && (e.after & SCTLR_M) &&
	    !(e.before & SCTLR_M)) {
		err = barrier_mmu_on(h, v);
		if (err)
			return err;
	}
	if (w->el == v->el && known && (w->role == WATCH_TTBR0 || w->role == WATCH_TTBR1))
		err = barrier_ttbr(h, v, &e);
	if (err)
		return err;
	if (w->role == WATCH_VBAR)
		err = vectors_change(h, w->el, e.after & ~UINT64_C(0x7ff));
	if (!err && w->role == WATCH_VBAR && (e.after & 0x7ff)) /* QEMU goes there */
		err = vectors_add(h, e.after & ~UINT64_C(0x1f));
	if (err)
		return err;
	/* one of a higher level's is not written, but undefined or trapped (D1.3.5) */
	if (!v->quiet && w->el <= v->el)
		say_sysreg(h, v, w, &e, known);
	if (w->role == WATCH_VBAR && (e.after & 0x7ff) && !v->quiet) {
		e = event_of(v, EVENT_WARNING);
		event_add(h, &e, "warning: %s is no multiple of 2 KiB: its bits 10 to 0 are RES0",
			  w->name);
	}
	return step_over(h, v);
}

static void say_eret(struct handoff *h, const struct event *e, uint64_t elr)
{
	struct buf name = { 0 };

	say_symbol(h->ctx, elr, " <", ">", &name);
	event_add(h, e, "eret: EL%" PRIu64 " -> EL%" PRIu64 " at %#" PRIx64 "%s", e->before,
		  e->after, elr, name.len ? name.data : "");
	buf_free(&name);
}

static int visit_eret(struct handoff *h, struct visit *v)
{
	struct machine *m = machine_of(h);
	struct event e = event_of(v, EVENT_ERET);
	uint64_t elr, spsr;
	unsigned int el;
	int err = reg_of(m, v->cpu, "ELR", v->el, &elr);

	if (!err)
		err = reg_of(m, v->cpu, "SPSR", v->el, &spsr);
	if (err)
		return err;
	el = spsr >> 2 & 3;
	e.before = v->el;
	e.after = el;
	if (spsr & SPSR_AARCH32) {
		event_add(h, &e, "eret to AArch32 at %#" PRIx64 ": not followed", elr);
		return step_over(h, v);
	}
	if (v->site.insn.pauth)
		elr = insn_strip_pauth(elr);
	if (el > v->el) {
		trouble_other(h, v->cpu, v->el, v->pc,
			      "this eret is an illegal exception return: SPSR_EL%u = %#" PRIx64
			      " asks for EL%u, which is above EL%u",
			      v->el, spsr, el, v->el);
		return FOUND;
	}
	scan_entry(&h->scan, elr);
	if (v->site.hits <= HANDOFF_LIFT)
		say_eret(h, &e, elr);
	served_note(h, v->cpu, v->el, false);
	return leave_visit(h, v, elr, el);
}

/* Where a CPU that is switched on will start: at the same level, with its MMU off. */
static int cpu_on(struct handoff *h, const struct visit *v, const uint64_t *x)
{
	if (!machine_is_ram(machine_of(h), x[2], 4, true)) {
		trouble_other(h, v->cpu, v->el, v->pc,
			      "CPU_ON would start a CPU at %#" PRIx64
			      ", where there is no memory: x2 of the %s at %#" PRIx64 " on CPU%u",
			      x[2], v->site.insn.kind == INSN_SMC ? "smc" : "hvc", v->pc, v->cpu);
		return FOUND;
	}
	return v->site.kernel ? kernel_follow_flat(h, x[2])
			      : code_follow_flat(h, x[2], SCAN_UNKNOWN);
}

static void say_arguments(struct handoff *h, const struct psci_call *call, const uint64_t *x,
			  struct buf *out)
{
	if (call->function == PSCI_CPU_ON) {
		buf_printf(out, "(CPU %#" PRIx64 ", entry %#" PRIx64, x[1], x[2]);
		say_symbol(h->ctx, x[2], " <", ">", out);
		buf_printf(out, ", context %#" PRIx64 ")", x[3]);
		return;
	}
	if (call->function == PSCI_FEATURES && psci_find(x[1])) {
		buf_printf(out, "(%s)", psci_find(x[1])->name);
		return;
	}
	for (unsigned int i = 1; i <= call->args; i++)
		buf_printf(out, "%s%#" PRIx64, i == 1 ? "(" : ", ", x[i]);
	buf_puts(out, call->args ? ")" : "");
}

static void say_call(struct handoff *h, const struct visit *v, const uint64_t *x,
		     const uint64_t *result)
{
	const struct psci_call *call = psci_find(x[0]);
	struct event e = event_of(v, EVENT_CALL);
	const char *insn = v->site.insn.kind == INSN_SMC ? "smc" : "hvc";
	struct buf text = { 0 };

	e.before = x[0];
	e.name = call ? call->name : NULL;
	if (call) {
		buf_puts(&text, call->name);
		say_arguments(h, call, x, &text);
	} else {
		buf_printf(&text, "#%u x0 = %#" PRIx64, v->site.insn.imm, x[0]);
		if (psci_owner(x[0]))
			buf_printf(&text, ", a call of %s", psci_owner(x[0]));
	}
	if (result)
		buf_puts(&text, " -> ");
	if (result && call)
		psci_answer(call, *result, &text);
	else if (result)
		buf_printf(&text, "%#" PRIx64, *result);
	e.after = result ? *result : 0;
	e.no_after = !result;
	event_add(h, &e, "%s %s", insn, text.data);
	buf_free(&text);
}

/* Who shows the entry address now. There may be nobody yet: it will show at its first stop. */
static int say_new_cpu(struct handoff *h, const struct visit *v, uint64_t entry)
{
	struct machine *m = machine_of(h);

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++) {
		uint64_t pc;
		int el, err = machine_reg_read(m, cpu, "pc", &pc);

		if (err == -BATON_ELINK)
			return err;
		if (err || pc != entry || cpu == v->cpu)
			continue;
		el = machine_el(m, cpu);
		if (el >= 0) {
			struct event e = {
				.kind = EVENT_NOTE, .cpu = cpu, .el = (unsigned int)el, .pc = pc
			};

			event_add(h, &e, "is on");
		}
	}
	return 0;
}

static int visit_call(struct handoff *h, struct visit *v)
{
	struct machine *m = machine_of(h);
	const struct psci_call *call;
	uint64_t x[4], result, pc;
	int err = 0;

	for (unsigned int i = 0; !err && i < 4; i++)
		err = reg_x(m, v->cpu, i, &x[i]);
	if (err)
		return err;
	call = psci_find(x[0]);
	if (call && call->ends) {
		say_call(h, v, x, NULL);
		trouble_other(h, v->cpu, v->el, v->pc,
			      h->left ? "the kernel asks the firmware for %s"
				      : "the loader gives up: it asks the firmware for %s",
			      call->name);
		return FOUND;
	}
	if (call && call->function == PSCI_CPU_ON)
		err = cpu_on(h, v, x);
	if (err)
		return err;
	if (call && call->function == PSCI_CPU_OFF) {
		say_call(h, v, x, NULL); /* it does not return */
		return step_over(h, v);
	}
	err = step_over(h, v);
	if (err)
		return err;
	err = machine_reg_read(m, v->cpu, "pc", &pc);
	if (!err && pc != v->pc + 4 && call)
		conduit_ask(h, v);
	if (err || pc != v->pc + 4)
		return err; /* in the loader's own vectors, said there */
	err = reg_x(m, v->cpu, 0, &result);
	if (err)
		return err;
	say_call(h, v, x, &result);
	return call && call->function == PSCI_CPU_ON ? say_new_cpu(h, v, x[2]) : GO;
}

static int visit_branch(struct handoff *h, struct visit *v)
{
	const struct insn *insn = &v->site.insn;
	uint64_t target;
	int err = reg_x(machine_of(h), v->cpu, insn->reg, &target);

	if (err)
		return err;
	target = insn->pauth ? insn_strip_pauth(target) : target;
	scan_entry(&h->scan, target);
	return leave_visit(h, v, target, v->el);
}

/* What was known there was overwritten since: what is there now counts. */
static bool is_no_site(struct handoff *h, struct visit *v, int *err)
{
	const struct scan_site *s;

	*err = 0;
	if (!scan_word(&h->scan, v->pc) || code_is_known(h, v->cpu, v->pc))
		return false;
	*err = code_follow_anew(h, v->cpu, NULL, v->pc);
	s = scan_site(&h->scan, v->pc);
	if (s)
		v->site = *s;
	return *err || !s;
}

int site_visit(struct handoff *h, struct visit *v)
{
	static int (*const visits[INSN_KINDS])(struct handoff *, struct visit *) = {
		[INSN_MSR] = visit_msr,		  [INSN_ERET] = visit_eret,
		[INSN_SMC] = visit_call,	  [INSN_HVC] = visit_call,
		[INSN_BR] = visit_branch,	  [INSN_BLR] = visit_branch,
		[INSN_RET] = visit_branch,	  [INSN_TLBI] = visit_maintenance,
		[INSN_CACHE] = visit_maintenance,
	};

	int err;

	if (is_no_site(h, v, &err))
		return err ? err : step_over(h, v);
	return visits[v->site.insn.kind] ? visits[v->site.insn.kind](h, v) : step_over(h, v);
}
