/* SPDX-License-Identifier: BSD-2-Clause */
/* What registers and code say of a fault, beyond the tables. */
#include "handoff/internal.h"

#include "hex.h"
#include "mmu/map.h"
#include "mmu/sysreg.h"

#include <string.h>

/* ESR_ELx, fault status of aborts (DDI 0487, D24.2.40). */
#define FSC_EXTERNAL  0x10
#define FSC_ALIGNMENT 0x21

#define SCTLR_A 2u

/* How far before a `ret` the instruction is looked for that made its x30. */
#define RETURN_WORDS 64

void say_word_at(struct handoff *h, unsigned int cpu, uint64_t va, uint32_t *word, bool *known,
		 struct buf *out)
{
	uint8_t raw[4];

	*known = !machine_virt_read(machine_of(h), cpu, va, raw, sizeof(raw));
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

/*
 * The instruction that was undefined: ELR is on it, unless its handler went on behind it,
 * which leaves ELR on one that every CPU knows.
 */
static uint64_t suspect(struct handoff *h, const struct trouble *t)
{
	uint8_t raw[8];
	struct insn i;

	if (t->whole || machine_virt_read(machine_of(h), t->cpu, t->elr - 4, raw, sizeof(raw)))
		return t->elr;
	i = insn_decode((uint32_t)le_read(raw + 4, 4));
	if (i.kind == INSN_SMC || i.kind == INSN_HVC || i.kind == INSN_MSR || i.kind == INSN_MRS ||
	    i.kind == INSN_UDF)
		return t->elr;
	i = insn_decode((uint32_t)le_read(raw, 4));
	return i.kind == INSN_SMC || i.kind == INSN_HVC || i.kind == INSN_MSR || i.kind == INSN_MRS
		       ? t->elr - 4
		       : t->elr;
}

static void explain_undefined(struct handoff *h, const struct trouble *t, struct buf *out)
{
	unsigned int from = t->spsr >> 2 & 3;
	struct buf text = { 0 };
	struct insn i;
	uint64_t at;
	uint32_t word;
	bool known;

	at = suspect(h, t);
	say_word_at(h, t->cpu, at, &word, &known, &text);
	if (!known) {
		buf_printf(out, "  no instruction can be read at %#" PRIx64 "\n", t->elr);
		return;
	}
	i = insn_decode(word);
	buf_printf(out, "  %#" PRIx64 ": %s%s\n", at, text.data,
		   at == t->elr ? "" : " (its handler has moved ELR behind it)");
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

/* Is @va where a call comes back to? */
static bool behind_a_call(struct handoff *h, unsigned int cpu, uint64_t va)
{
	uint8_t raw[4];
	struct insn i;

	if (machine_virt_read(machine_of(h), cpu, va - 4, raw, sizeof(raw)))
		return false;
	i = insn_decode((uint32_t)le_read(raw, 4));
	return i.kind == INSN_BL || i.kind == INSN_BLR;
}

/*
 * It came by `ret`, and nobody ever called from there. A register that is 0 proves nothing:
 * it may never have been written.
 */
static bool explain_wild_return(struct handoff *h, const struct trouble *t, struct buf *out)
{
	uint64_t x30;

	if (!t->whole || scan_word(&h->scan, t->elr) ||
	    machine_reg_read(machine_of(h), t->cpu, "x30", &x30) || x30 != t->elr ||
	    behind_a_call(h, t->cpu, t->elr))
		return false;
	if (x30)
		buf_puts(out,
			 "x30 is that address too: the CPU came there by a `ret`. The return "
			 "address was lost, as when a function takes more off the stack than it "
			 "put there\n");
	else
		buf_puts(out, "x30 is 0 too, as it is before the first call: a `ret`, or a jump "
			      "through a register that is 0\n");
	buf_puts(out, "next: `why --replay`, from reset with every return checked\n");
	return true;
}

static void explain_agreement(const struct trouble *t, struct buf *out)
{
	uint64_t esr = pt_walk_esr(&t->walk, &t->acc);

	if (!t->walk.fault && t->repairs.count && t->repairs.list[0].kind == REPAIR_RESUME)
		buf_printf(out, "the tables translate it now, to %#" PRIx64 "\n", t->walk.oa);
	else if (!t->walk.fault)
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
	/* mapped, and the wrong way: a stack it is all the same */
	if (t->walked && t->walk.fault == PT_FAULT_PERMISSION)
		buf_printf(out, ": the stack is mapped, but %s\n",
			   t->acc.kind == PT_WRITE ? "only to be read" : "not for this level");
	else
		buf_puts(out, ": a stack that is none, or that has been left\n");
}

/* Where the access had to be aligned, and why (DDI 0487, B2.7.2, D24.2.175 "A"). */
static void say_alignment(const struct trouble *t, struct buf *out)
{
	unsigned int low = t->va & 15;

	buf_printf(out, "%#" PRIx64 " is no multiple of %u: ", t->va, low ? (low & -low) * 2 : 16);
	if (t->walk.cfg.flat)
		buf_puts(out, "with the MMU off all data is Device-nGnRnE, where every access has "
			      "to be aligned to its size\n");
	else if (!(t->walk.attrs.mair & 0xf0))
		buf_printf(out,
			   "it is mapped as Device memory (AttrIndx %u), where every access "
			   "has to be aligned to its size\n",
			   t->walk.attrs.attrindx);
	else if (t->walk.cfg.regime.sctlr & SCTLR_A)
		buf_puts(out, "SCTLR.A is set, which wants every access aligned to its size\n");
	else
		buf_puts(out, "exclusive and ordered accesses have to be aligned\n");
}

/* The walk and what the CPU reported. */
static void say_access(struct handoff *h, const struct trouble *t, struct buf *out)
{
	unsigned int status = t->esr & 63;

	if (status == FSC_ALIGNMENT)
		say_alignment(t, out);
	else if (status == FSC_EXTERNAL && !t->walk.fault)
		buf_printf(out, "nothing answered at physical %#" PRIx64 "%s\n", t->walk.oa,
			   machine_ram_find(machine_of(h), t->walk.oa)
				   ? ""
				   : ": there is neither memory nor a device");
	else
		explain_agreement(t, out);
}

struct nearest {
	uint64_t va;
	struct pt_range below, above;
};

static int note_range(void *ctx, const struct pt_range *r)
{
	struct nearest *n = ctx;

	if (r->ia > n->va) {
		n->above = *r;
		return -1;
	}
	n->below = *r;
	return 0;
}

static void say_range(const char *where, const struct pt_range *r, struct buf *out)
{
	if (r->size)
		buf_printf(
			out, "  mapped %s: %#" PRIx64 " to %#" PRIx64 " -> %#" PRIx64 "   EL0 %s\n",
			where, r->ia, r->ia + (r->size - 1), r->oa, pt_render_perm(r->attrs.el0));
}

/* A program's address that is not mapped: what is, next to it. */
static void say_nearest(struct handoff *h, const struct trouble *t, struct buf *out)
{
	struct nearest n = { .va = t->va };
	const struct pt_map_sink sink = { .range = note_range, .ctx = &n };
	struct tables tables;

	if (t->acc.el || !t->walk.fault || t->walk.cfg.regime.nested ||
	    tables_init(&tables, machine_of(h), NULL, t->cpu, "el1", NULL))
		return;
	(void)pt_map_words(&t->walk.cfg, &tables.reader, 0, UINT64_MAX, &sink, NULL);
	say_range("below", &n.below, out);
	say_range("above", &n.above, out);
	if (!n.below.size && !n.above.size)
		buf_puts(out, "  nothing is mapped in that half\n");
}

/* Over and over: what of the first fault is still there, and how to catch it. */
static void say_vector_loop(struct handoff *h, const struct trouble *t, struct buf *out)
{
	uint64_t x30, far;

	buf_printf(out,
		   "it is the vector itself that cannot run, over and over: the exception "
		   "before this one is overwritten. VBAR_EL%u = %#" PRIx64 " leads there\n",
		   t->el, t->pc - t->vector);
	if (!machine_reg_read(machine_of(h), t->cpu, "x30", &x30)) {
		buf_printf(out,
			   "no instruction has run since the first: x0 to x30 and sp are its own. "
			   "x30 is %#" PRIx64,
			   x30);
		say_symbol(h->ctx, x30, " <", ">", out);
		if (!t->far_valid && !reg_of(machine_of(h), t->cpu, "FAR", t->el, &far) && far)
			buf_printf(out,
				   "; if it was an abort, FAR_EL%u %#" PRIx64 " is its address",
				   t->el, far);
		buf_putc(out, '\n');
	}
	buf_puts(out,
		 "to catch the first: `system_reset`, then `handoff run`, which stops at it\n");
}

void cause_say_link(struct handoff *h, uint64_t pc, struct buf *out)
{
	struct buf text = { 0 };

	for (unsigned int n = 0; n < RETURN_WORDS; n++) {
		const struct scan_word *w = scan_word(&h->scan, pc -= 4);
		struct insn i = insn_decode(w ? w->word : 0);

		if (!w || (i.x30 == X30_KEPT && insn_ends_path(&i)))
			break;
		if (i.x30 == X30_KEPT)
			continue;
		insn_text(w->word, pc, &text);
		buf_printf(out, "x30 was written at %#" PRIx64, pc);
		say_symbol(h->ctx, pc, " <", ">", out);
		buf_printf(out, ": %s\n", text.data);
		break;
	}
	buf_free(&text);
}

void cause_say_return(struct handoff *h, const struct trouble *t, struct buf *out)
{
	if (t->insn.kind == INSN_RET && t->insn.reg == 30)
		cause_say_link(h, t->pc, out);
}

void cause_say(struct handoff *h, const struct trouble *t, struct buf *out)
{
	unsigned int ec = t->esr >> 26 & 63;

	if (t->walked)
		say_access(h, t, out);
	if (t->whole && t->elr == t->pc) {
		say_vector_loop(h, t, out);
		return;
	}
	if (t->nested)
		buf_puts(out,
			 "its handler runs that code too: if it was the handler that faulted, "
			 "the exception before this one is overwritten; `system_reset`, `handoff "
			 "run` and a stop at the vector catch that\n");
	if (explain_wild_return(h, t, out))
		return;
	if (t->walked)
		say_nearest(h, t, out);
	if (t->by_sp)
		say_stack(h, t, out);
	if (stack_is_meant(t))
		stack_say_source(h, t, out);
	if (ec == 0)
		explain_undefined(h, t, out);
	else if (ec == 0x16)
		buf_printf(out, "the hvc went to EL%u, where nobody has set up anything\n", t->el);
	else if (ec == 0x26)
		buf_puts(out, "sp is not a multiple of 16\n");
}
