/* SPDX-License-Identifier: BSD-2-Clause */
/* Repairs in words: the command that makes each, and what speaks for it. */
#include "handoff/internal.h"

/* Which -r the repair needs where the CPU's own regime is not the one that is broken. */
static void say_option(const struct trouble *t, struct buf *out)
{
	unsigned int half = t->walk.cfg.half;

	if (t->kind == TROUBLE_MMU && t->regime.pending)
		buf_puts(out, " -r pending");
	else if (t->kind == TROUBLE_MMU) /* the MMU is on, and leads elsewhere as yet */
		buf_printf(out, " -r el%u:ttbr%u=%#" PRIx64, t->regime.el, half,
			   t->regime.ttbr[half]);
	else if (t->regime.el != (t->el ? t->el : 1))
		buf_puts(out, t->regime.el == 1 ? " -r el1" : " -r el2");
}

static bool is_core(enum repair_kind kind)
{
	return kind == REPAIR_OPERAND || kind == REPAIR_TARGET || kind == REPAIR_STACK ||
	       kind == REPAIR_RESUME || kind == REPAIR_LINK;
}

void repair_command(const struct trouble *t, const struct repair *r, struct buf *out)
{
	switch (r->kind) {
	case REPAIR_TABLE:
	case REPAIR_NEIGHBOR:
	case REPAIR_SHIFTED:
	case REPAIR_BITS:
	case REPAIR_ONTO:
		buf_printf(out, "pt-set %#" PRIx64 " L%d %s", r->va, r->level, r->edit);
		say_option(t, out);
		break;
	case REPAIR_SYSREG:
	case REPAIR_VECTORS:
		buf_printf(out, "sysreg %s_EL%u = %#" PRIx64, r->reg, r->el, r->new);
		break;
	case REPAIR_OPERAND:
		buf_printf(out, "set $x%u = %#" PRIx64, t->insn.reg, r->new);
		break;
	case REPAIR_TARGET:
	case REPAIR_RESUME:
		buf_printf(out, "set $pc = %#" PRIx64, r->new);
		break;
	case REPAIR_LINK:
		buf_printf(out, "set $x30 = %#" PRIx64, r->new);
		break;
	case REPAIR_STACK:
		buf_printf(out, "set $sp = %#" PRIx64, r->new);
		break;
	case REPAIR_CONDUIT:
		buf_printf(out, "patch %#" PRIx64 " %s", r->address,
			   r->new & 1 ? "hvc->smc" : "smc->hvc");
		break;
	}
	/* GDB's `set` is for the thread that is selected there */
	if (t->cpu)
		buf_printf(out, is_core(r->kind) ? " (on CPU%u)" : " -c %u", t->cpu);
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

static void say_register(struct handoff *h, const struct trouble *t, const struct repair *r,
			 struct buf *out)
{
	if (r->edit[0]) {
		buf_printf(out, "%s %s_EL%u.%s the walk ends",
			   r->kind == REPAIR_OPERAND ? "if the next instruction writes"
						     : "the tables are right: with",
			   r->reg, r->el, r->edit);
		return;
	}
	buf_printf(out, "%#" PRIx64, r->table);
	say_symbol(h->ctx, r->table, " (", ")", out);
	buf_printf(out,
		   r->kind == REPAIR_OPERAND
			   ? " is a root%s; if that is written to %s_EL%u the walk ends"
			   : " is a root%s; with %s_EL%u leading there the walk ends",
		   r->use == USE_ORPHAN ? " that nothing points to" : "", r->reg, r->el);
	(void)t;
}

static void say_vectors(struct handoff *h, const struct trouble *t, const struct repair *r,
			struct buf *out)
{
	buf_printf(out, "VBAR_EL%u, %#" PRIx64 ", %s; at %#" PRIx64, r->el, r->old, t->vbar_wrong,
		   r->new);
	say_symbol(h->ctx, r->new, " <", ">", out);
	buf_puts(out, " are vectors, ");
	if (r->basis == BASIS_WRITTEN)
		buf_printf(out, "which CPU%u was given at %#" PRIx64, r->index, r->address);
	else if (r->basis == BASIS_MADE)
		buf_printf(out, "whose address the code at %#" PRIx64 " makes", r->address);
	else
		buf_puts(out, "all 16 entries, and no other code leads there");
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
	case REPAIR_ONTO:
		buf_puts(out, "mapped onto itself the walk ends");
		break;
	case REPAIR_SYSREG:
	case REPAIR_OPERAND:
		say_register(h, t, r, out);
		break;
	case REPAIR_TARGET:
		buf_printf(out,
			   "%#" PRIx64 " is %s, and the jump goes elsewhere; there the walk ends",
			   r->new,
			   code_is_entry(h, r->new) ? "the kernel's entry by the image's header"
						    : "where that code is mapped");
		break;
	case REPAIR_CONDUIT:
		buf_puts(out,
			 r->proofs ? "the machine's device tree says that its firmware is called "
				     "the other way"
				   : "where firmware is not called this way it is called the "
				     "other, or there is none");
		return;
	case REPAIR_VECTORS:
		say_vectors(h, t, r, out);
		return;
	case REPAIR_LINK:
		buf_printf(out, "the function %#" PRIx64, r->address);
		say_symbol(h->ctx, r->address, " <", ">", out);
		buf_printf(out, " was to come back to %#" PRIx64, r->new);
		say_symbol(h->ctx, r->new, " <", ">", out);
		buf_puts(out, ", where it was called, and sp is as it was then");
		return;
	case REPAIR_RESUME:
		buf_printf(out, "patch %u has repaired it, and the CPU is still in the vector",
			   r->index);
		return;
	case REPAIR_STACK:
		buf_printf(out, "the function %#" PRIx64, r->address);
		say_symbol(h->ctx, r->address, " <", ">", out);
		buf_printf(out,
			   r->basis == BASIS_CALLED
				   ? " did not give back the sp that it was called with: it was "
				     "%#" PRIx64 " here"
				   : " always leaves sp elsewhere, by its code: it was to be "
				     "%#" PRIx64 " here",
			   r->new);
		return;
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
static const char *beyond_tables(const struct pt_walk *w, bool fetch)
{
	switch (w->reason) {
	case PT_REASON_IA:
		if (!fetch)
			return "with the MMU off an address is a physical one, and this is beyond "
			       "what the CPU has";
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
	const char *beyond = beyond_tables(&t->walk, t->acc.kind == PT_FETCH);
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
		buf_puts(out, "I do not know which of these: none is better than the others\n");
	if (!shown && t->vbar_meant.new) {
		say_vectors(h, t, &t->vbar_meant, out);
		buf_puts(out, "\nwith them its own handler would tell of it: `");
		repair_command(t, &t->vbar_meant, out);
		buf_puts(out, "`\n");
	}
	if (t->nowhere && !shown) {
		buf_printf(out, "there is neither memory nor a device at %#" PRIx64 "\n", t->va);
		return;
	}
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
			   beyond ? beyond
				  : "no table that is there would repair it, as far as I can see: "
				    "`pt-walk` and `mem` show what is");
}
