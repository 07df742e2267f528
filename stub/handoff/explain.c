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

/* Which -r the repair needs where the CPU's own regime is not the one that is broken. */
static const char *regime_option(const struct trouble *t)
{
	if (t->kind == TROUBLE_MMU)
		return " -r pending";
	if (t->regime.el != (t->el ? t->el : 1))
		return t->regime.el == 1 ? " -r el1" : " -r el2";
	return "";
}

void repair_command(const struct trouble *t, const struct repair *r, struct buf *out)
{
	buf_printf(out, "pt-set %#" PRIx64 " L%d %s%s", r->va, r->level, r->edit, regime_option(t));
}

static void say_table(struct handoff *h, const struct repair *r, const struct trouble *t,
		      struct buf *out)
{
	struct buf name = { 0 };

	say_symbol(h->ctx, r->table, "", "", &name);
	if (name.len)
		buf_printf(out, "%s (%#" PRIx64 ")", name.data, r->table);
	else
		buf_printf(out, "%#" PRIx64, r->table);
	buf_free(&name);
	switch (r->use) {
	case USE_ORPHAN:
		buf_puts(out, " is a table that nothing points to");
		break;
	case USE_CHILD:
		buf_puts(out, " is a table below one that nothing points to");
		break;
	case USE_OTHER_HALF:
		buf_printf(out, " is a table that only TTBR%u leads to", !t->walk.cfg.half);
		break;
	case USE_IDENTITY:
		buf_printf(out, " is a table of TTBR%u's that maps addresses onto themselves",
			   !t->walk.cfg.half);
		break;
	case USE_THIS_HALF:
		buf_puts(out, " is a table that this root leads to elsewhere");
		break;
	}
	buf_puts(out, "; with it the walk ends");
}

void repair_why(struct handoff *h, const struct trouble *t, const struct repair *r, struct buf *out)
{
	switch (r->kind) {
	case REPAIR_TABLE:
		say_table(h, r, t, out);
		break;
	case REPAIR_NEIGHBOR:
		buf_printf(out, "continuing what entry [%u] maps the walk ends", r->like);
		break;
	case REPAIR_SHIFTED:
		buf_printf(out,
			   "%#" PRIx64 " %s what the entries here map (all of them may be off by "
			   "as much) the walk ends",
			   r->shift < 0 ? (uint64_t)-r->shift : (uint64_t)r->shift,
			   r->shift < 0 ? "below" : "above");
		break;
	case REPAIR_BITS:
		buf_printf(out, "with %s at L%d [%u] the walk ends", r->edit, r->level, r->index);
		break;
	}
	buf_printf(out, " at %#" PRIx64, r->after.oa);
	if ((r->proofs & PROOF_START) && (r->proofs & PROOF_CODE))
		buf_puts(out, h->image.has_header ? ", where the kernel was copied"
						  : ", the start of what was loaded there");
	else if (r->proofs & PROOF_COPIED)
		buf_puts(out, r->proofs & PROOF_CODE ? ", on code that was copied there"
						     : ", in what was copied there");
	else if (r->proofs & PROOF_CODE)
		buf_puts(out, ", where code lies");
}

/* What no table can repair: the registers keep the walk from beginning. */
static const char *beyond_tables(const struct pt_walk *w)
{
	switch (w->reason) {
	case PT_REASON_IA:
		return "no table is asked while the MMU is off: turn it on before going there";
	case PT_REASON_EPD:
	case PT_REASON_E0PD:
	case PT_REASON_HOLE:
	case PT_REASON_TXSZ:
	case PT_REASON_ROOT:
	case PT_REASON_SL:
		return "no table is asked: the value that was written to TCR or TTBR is wrong for "
		       "this address, see `sysreg`";
	case PT_REASON_NONE:
	case PT_REASON_INVALID:
	case PT_REASON_RESERVED:
	case PT_REASON_PTW:
	case PT_REASON_UPDATE:
		break;
	}
	return NULL;
}

void explain_repairs(struct handoff *h, const struct trouble *t, struct buf *out)
{
	const struct repair *best = repair_best(&t->repairs);
	size_t shown = repair_choices(&t->repairs);

	if (t->again)
		buf_printf(out,
			   "the repair at %#" PRIx64 " is in place and was no help: I do not "
			   "know (`undo` takes it back)\n",
			   h->fixed_address);
	for (size_t i = 0; i < shown; i++) {
		const struct repair *r = &t->repairs.list[i];

		repair_why(h, t, r, out);
		buf_puts(out, best ? "\nfix: " : "\nperhaps: ");
		repair_command(t, r, out);
		buf_putc(out, '\n');
	}
	if (shown > 1)
		buf_puts(out, "none of these is better than the others: choose one\n");
	if (t->misplaced) {
		buf_printf(out,
			   "the table at %#" PRIx64 " is empty, and outside the image (%#" PRIx64
			   " to %#" PRIx64 "): load the image at the address that its tables are "
			   "made for\n",
			   t->walk.step[t->walk.steps - 1].table, h->image.span[0].first,
			   h->image.span[0].last);
		return;
	}
	if (t->kind == TROUBLE_FAULT && t->walked && t->va < 4096 && t->elr != t->pc) {
		buf_puts(out, t->acc.kind == PT_FETCH ? "a call through a null pointer\n"
						      : "a null pointer\n");
		return;
	}
	if (!shown && t->walked && t->walk.fault && !t->again)
		buf_printf(out, "%s\n",
			   beyond_tables(&t->walk)
				   ? beyond_tables(&t->walk)
				   : "no table that is there would repair it, as far as I can see: "
				     "`pt-walk` and `mem` show what is");
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
