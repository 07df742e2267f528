/* SPDX-License-Identifier: BSD-2-Clause */
/* Trouble in words: what, where in the tables, and what would repair it. */
#include "handoff/balance.h"
#include "handoff/internal.h"

#include "hex.h"
#include "mmu/sysreg.h"

#include <string.h>

static void say_regime(struct handoff *h, const struct pt_walk *w, struct buf *out)
{
	const struct regime *r = &w->cfg.regime;

	if (w->cfg.flat) {
		buf_printf(out, "%s, MMU off", r->title);
		return;
	}
	buf_printf(out, "%s, TTBR%u_EL%u = %#" PRIx64, r->title, w->cfg.half, r->el,
		   r->ttbr[w->cfg.half]);
	say_symbol(h->ctx, w->cfg.root, " (", ")", out);
}

static const char *symbol_of(void *ctx, uint64_t addr, uint64_t *offset)
{
	struct context *c = ctx;

	return c->symbols ? symbols_name(c->symbols, addr, offset) : NULL;
}

static void say_steps(struct handoff *h, const struct pt_walk *w, struct buf *out)
{
	struct pt_names names = { .symbol = symbol_of, .ctx = h->ctx };

	for (unsigned int i = 0; i < w->steps; i++)
		pt_render_step(w, i, &names, out);
}

/* The very descriptor, by name where there is one: "L0 [511] of boot_lvl0_upper". */
static void say_descriptor(struct handoff *h, const struct pt_walk *w, struct buf *out)
{
	const struct pt_step *s = w->steps ? &w->step[w->steps - 1] : NULL;
	struct buf why = { 0 };
	const char *words;

	if (s) {
		buf_printf(out, "level %d, index %u, descriptor %#" PRIx64, s->level, s->index,
			   s->address);
		say_symbol(h->ctx, s->table, " in ", "", out);
		buf_puts(out, ": ");
	}
	pt_render_fault(w, NULL, &why);
	/* the words before the ESR that pt_render_fault() ends with */
	if (why.data && strstr(why.data, " (ESR would"))
		*strstr(why.data, " (ESR would") = 0;
	/* the kind and level are said already where there is a descriptor */
	words = s && why.data ? strstr(why.data, ": ") : NULL;
	buf_printf(out, "%s\n", words ? words + 2 : why.data ? why.data : "");
	buf_free(&why);
}

#define LEAF_AP1  (1ull << 6)
#define LEAF_AP2  (1ull << 7)
#define LEAF_PXN  (1ull << 53)
#define LEAF_XN	  (1ull << 54)
#define TABLE_PXN (1ull << 59)
#define TABLE_XN  (1ull << 60)

/* Which bit forbids a fetch (DDI 0487, D8.4.1 "Instruction execution permissions"). */
static void say_forbidden(const struct trouble *t, struct buf *out)
{
	const struct pt_walk *w = &t->walk;
	const struct pt_step *s = w->steps ? &w->step[w->steps - 1] : NULL;
	bool two = w->cfg.regime.two_halves, pxn = two && t->acc.el;
	uint64_t in_table = pxn ? TABLE_PXN : TABLE_XN;
	const char *bit = pxn ? "PXN" : two ? "UXN" : "XN";

	if (!s || w->fault != PT_FAULT_PERMISSION || t->acc.kind != PT_FETCH ||
	    w->cfg.regime.nested)
		return;
	for (unsigned int i = 0; i + 1 < w->steps && !w->cfg.hpd; i++)
		if (w->step[i].desc & in_table)
			buf_printf(out, "%sTable of L%d [%u] forbids it to all below\n", bit,
				   w->step[i].level, w->step[i].index);
	if (s->desc & (pxn ? LEAF_PXN : LEAF_XN))
		buf_printf(out, "%s of L%d [%u] forbids it\n", bit, s->level, s->index);
	else if (pxn && (s->desc & LEAF_AP1) && !(s->desc & LEAF_AP2))
		buf_puts(out, "EL0 may write there (AP 0b01), and what EL0 may write EL1 never "
			      "executes\n");
	else if (w->cfg.wxn)
		buf_printf(out, "SCTLR_EL%u.WXN is set: what is writable is not executable\n",
			   w->cfg.regime.el);
}

static void say_target(struct handoff *h, const struct trouble *t, struct buf *out)
{
	buf_printf(out, "%#" PRIx64, t->va);
	say_symbol(h->ctx, t->va, " <", ">", out);
	if (h->image.has_header && h->image.header.kernel_entry == t->va)
		buf_puts(out, " (kernel entry)");
}

static void say_next(struct handoff *h, const struct trouble *t, struct buf *out)
{
	buf_puts(out, "next: ");
	if (machine_of(h)->cpus > 1)
		buf_printf(out, "CPU%u: ", t->cpu);
	insn_text(t->word, t->pc, out);
	if (t->kind == TROUBLE_JUMP) {
		buf_puts(out, " -> ");
		say_target(h, t, out);
		if (t->acc.el != t->el)
			buf_printf(out, " at EL%u", t->acc.el);
	} else {
		buf_printf(out, " turns the MMU on; then comes %#" PRIx64, t->va);
	}
	buf_puts(out, "       ");
	say_regime(h, &t->walk, out);
	buf_putc(out, '\n');
	say_steps(h, &t->walk, out);
}

static void explain_jump(struct handoff *h, const struct trouble *t, struct buf *out)
{
	const char *it = t->kind == TROUBLE_JUMP ? "the jump" : "the instruction behind it";

	say_next(h, t, out);
	if (t->walk.fault) {
		uint64_t esr = pt_walk_esr(&t->walk, &t->acc);
		const char *words = esr_fault_words(esr);

		buf_printf(out, "%s would take an instruction abort: %s (ESR %#" PRIx64 ")\n", it,
			   words ? words : "?", esr);
		say_descriptor(h, &t->walk, out);
		say_forbidden(t, out);
	} else if (t->kind == TROUBLE_JUMP) {
		buf_printf(out, "%s would end at physical %#" PRIx64 ", and %s\n", it, t->walk.oa,
			   t->what);
	} else {
		buf_printf(out, "%s\n", t->what);
	}
}

static void say_word_at(struct handoff *h, const struct trouble *t, uint64_t va, uint32_t *word,
			bool *known, struct buf *out)
{
	uint8_t raw[4];

	*known = !machine_virt_read(machine_of(h), t->cpu, va, raw, sizeof(raw));
	*word = *known ? (uint32_t)le_read(raw, 4) : 0;
	if (*known)
		insn_text(*word, va, out);
}

/* The level that a system register belongs to: op1 says it (DDI 0487, D23.3). */
static unsigned int sysreg_level(uint16_t enc)
{
	static const uint8_t by_op1[8] = { 1, 1, 1, 0, 2, 1, 3, 1 };

	return by_op1[enc >> 11 & 7];
}

static void explain_undefined(struct handoff *h, const struct trouble *t, struct buf *out)
{
	unsigned int from = t->spsr >> 2 & 3;
	struct buf text = { 0 };
	struct insn i;
	uint32_t word;
	bool known;

	say_word_at(h, t, t->elr, &word, &known, &text);
	if (!known) {
		buf_printf(out, "  no instruction can be read at %#" PRIx64 "\n", t->elr);
		return;
	}
	i = insn_decode(word);
	buf_printf(out, "  %#" PRIx64 ": %s\n", t->elr, text.data);
	buf_free(&text);
	if (i.kind == INSN_SMC)
		buf_puts(out, "smc is undefined here: there is no EL3, and the machine takes its "
			      "firmware calls by hvc (or not at all)\n");
	else if (i.kind == INSN_HVC)
		buf_puts(out, "hvc is undefined here: there is no EL2, or it has disabled hvc\n");
	else if (!word)
		buf_puts(out, "there are zeros where code should be: nothing was put there, or the "
			      "CPU is not where it should be\n");
	else if ((i.kind == INSN_MSR || i.kind == INSN_MRS) && sysreg_level(i.sysreg) > from)
		buf_printf(out, "that register belongs to EL%u, and this is EL%u\n",
			   sysreg_level(i.sysreg), from);
	else if (i.kind == INSN_MSR || i.kind == INSN_MRS)
		buf_puts(out,
			 "this CPU has no such register, or does not let it be reached here\n");
	else
		buf_puts(out, "this CPU does not know the instruction, or not at this level\n");
}

/* It came by `ret`, and nobody ever called from there. */
static bool explain_wild_return(struct handoff *h, const struct trouble *t, struct buf *out)
{
	uint64_t x30;

	if (!t->whole || scan_word(&h->scan, t->elr) ||
	    machine_reg_read(machine_of(h), t->cpu, "x30", &x30) || x30 != t->elr)
		return false;
	buf_printf(out,
		   "x30 is that address too: the CPU came there by a `ret`. The return address was "
		   "lost, as when a function takes more off the stack than it put there\n");
	return true;
}

static void explain_agreement(struct handoff *h, const struct trouble *t, struct buf *out)
{
	uint64_t esr = pt_walk_esr(&t->walk, &t->acc);

	(void)h;
	if (!t->walk.fault)
		buf_printf(out,
			   "ALARM: the tables translate it now, to %#" PRIx64
			   ": they were changed since, or the CPU used a stale TLB entry, or it "
			   "does not see what is in memory\n",
			   t->walk.oa);
	else if ((esr & 63) != (t->esr & 63))
		buf_printf(
			out,
			"ALARM: the tables say %s, the CPU reported %s: they were changed since, "
			"or the CPU used a stale TLB entry\n",
			esr_fault_words(esr) ? esr_fault_words(esr) : "?",
			esr_fault_words(t->esr) ? esr_fault_words(t->esr) : "?");
}

static void say_taken(struct handoff *h, const struct trouble *t, struct buf *out)
{
	const char *status = esr_fault_words(t->esr);

	if (machine_of(h)->cpus > 1)
		buf_printf(out, "CPU%u: ", t->cpu);
	buf_printf(out, "EL%u took an exception from EL%u: %s%s%s\n", t->el,
		   (unsigned int)(t->spsr >> 2 & 3), esr_class_words(t->esr), status ? ": " : "",
		   status ? status : "");
	buf_printf(out, "  ESR_EL%u %#" PRIx64 "  ELR_EL%u %#" PRIx64, t->el, t->esr, t->el,
		   t->elr);
	say_symbol(h->ctx, t->elr, " <", ">", out);
	if (t->far_valid)
		buf_printf(out, "  FAR_EL%u %#" PRIx64, t->el, t->far);
	buf_putc(out, '\n');
	if (t->whole)
		buf_printf(out,
			   "  the CPU stands at the first instruction of its vector, %#" PRIx64
			   ": all registers are as they were\n",
			   t->pc);
	else
		buf_puts(out, "  its handler has run since: x0 to x30 and sp are the handler's; "
			      "ESR, ELR and FAR hold if no other exception came\n");
}

/* The stack pointer of the level that faulted; the handler's, where it has run. */
static void say_stack(struct handoff *h, const struct trouble *t, struct buf *out)
{
	uint64_t sp;

	buf_puts(out, "the access was through sp");
	if (t->whole && (t->spsr & 1) && (t->spsr >> 2 & 3) == t->el &&
	    !machine_reg_read(machine_of(h), t->cpu, "sp", &sp)) {
		buf_printf(out, ", which is %#" PRIx64, sp);
		say_symbol(h->ctx, sp, " <", ">", out);
		if (sp & 15)
			buf_puts(out, ", no multiple of 16");
	}
	buf_puts(out, ": a stack that is none, or that has been left\n");
}

static void explain_fault(struct handoff *h, const struct trouble *t, struct buf *out)
{
	unsigned int ec = t->esr >> 26 & 63;

	say_taken(h, t, out);
	if (t->walked) {
		buf_printf(out, "%s %#" PRIx64 " from EL%u       ",
			   t->acc.kind == PT_FETCH   ? "fetching"
			   : t->acc.kind == PT_WRITE ? "writing"
						     : "reading",
			   t->va, t->acc.el);
		say_regime(h, &t->walk, out);
		buf_putc(out, '\n');
		say_steps(h, &t->walk, out);
		if (t->walk.fault)
			say_descriptor(h, &t->walk, out);
		say_forbidden(t, out);
		explain_agreement(h, t, out);
	} else if (t->what[0]) {
		buf_printf(out, "%s\n", t->what);
	}
	if (t->whole && t->elr == t->pc) {
		buf_printf(out,
			   "it is the vector itself that cannot run, over and over: the exception "
			   "before this one is overwritten. VBAR_EL%u = %#" PRIx64 " leads there\n",
			   t->el, t->pc - t->vector);
		return;
	}
	if (explain_wild_return(h, t, out))
		return;
	if (t->by_sp)
		say_stack(h, t, out);
	if (ec == 0)
		explain_undefined(h, t, out);
	else if (ec == 0x16)
		buf_printf(out, "the hvc went to EL%u, where nobody has set up anything\n", t->el);
	else if (ec == 0x26)
		buf_puts(out, "sp is not a multiple of 16\n");
}

#define IMBALANCES 8

/* Where nothing else explains it, the cause may be long gone by: a stack out of step. */
static void explain_balance(struct handoff *h, const struct trouble *t, struct buf *out)
{
	struct imbalance list[IMBALANCES];
	size_t n;

	if (t->kind == TROUBLE_OTHER || t->repairs.count || t->again || t->misplaced)
		return;
	n = balance_check(&h->scan, list, IMBALANCES);
	for (size_t i = 0; i < n; i++) {
		const struct imbalance *b = &list[i];

		buf_puts(out, "stack: the function ");
		buf_printf(out, "%#" PRIx64, b->function);
		say_symbol(h->ctx, b->function, " <", ">", out);
		buf_printf(out,
			   " %s %" PRId64 " bytes %s (it returns at %#" PRIx64
			   "): what its callers saved is lost\n",
			   b->bytes > 0 ? "takes" : "leaves", b->bytes > 0 ? b->bytes : -b->bytes,
			   b->bytes > 0 ? "more off the stack than it puts there"
					: "more on the stack than it takes off",
			   b->ret);
	}
}

void explain_trouble(struct handoff *h, const struct trouble *t, struct buf *out)
{
	switch (t->kind) {
	case TROUBLE_JUMP:
	case TROUBLE_MMU:
		explain_jump(h, t, out);
		break;
	case TROUBLE_FAULT:
		explain_fault(h, t, out);
		break;
	case TROUBLE_OTHER:
		buf_printf(out, "%s\n", t->what);
		break;
	case TROUBLE_NONE:
		return;
	}
	explain_repairs(h, t, out);
	explain_balance(h, t, out);
}

static const char *doing(const struct insn *i)
{
	if (i->kind == INSN_WFI)
		return ", waiting for an interrupt";
	if (i->kind == INSN_WFE)
		return ", waiting for an event";
	if (i->kind == INSN_B && i->offset == 0)
		return ", a branch to itself: it spins";
	if (i->kind == INSN_UDF)
		return ", no code";
	return "";
}

int explain_cpus(struct handoff *h, struct buf *out)
{
	struct machine *m = machine_of(h);

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++) {
		struct trouble t = { .cpu = cpu };
		struct buf text = { 0 };
		uint32_t word, before;
		bool known, had;
		struct insn i;
		uint64_t pc;
		int el = machine_el(m, cpu);
		int err = el < 0 ? el : machine_reg_read(m, cpu, "pc", &pc);

		if (err)
			return err;
		say_word_at(h, &t, pc, &word, &known, &text);
		/* a CPU that waits shows the address behind its wfi or wfe */
		buf_printf(out, "  CPU%u  EL%d  %#" PRIx64, cpu, el, pc);
		say_symbol(h->ctx, pc, " <", ">", out);
		i = insn_decode(word);
		buf_printf(out, ": %s%s", known ? text.data : "nothing can be read there",
			   known ? doing(&i) : "");
		buf_clear(&text);
		if (known && pc >= 4) {
			say_word_at(h, &t, pc - 4, &before, &had, &text);
			i = insn_decode(before);
			if (had && (i.kind == INSN_WFI || i.kind == INSN_WFE))
				buf_printf(out, " (behind a %s)", text.data);
		}
		buf_putc(out, '\n');
		buf_free(&text);
	}
	return 0;
}
