/* SPDX-License-Identifier: BSD-2-Clause */
/* Trouble in words: what, where in the tables, and what would repair it. */
#include "handoff/balance.h"
#include "handoff/preflight.h"

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

/* What the msr does to the translation of the code behind it. */
static void say_switch(struct handoff *h, const struct trouble *t, struct buf *out)
{
	const struct watch *w = preflight_watch(machine_of(h), t->cpu, t->el, t->insn.sysreg);

	if (t->regime.pending || !w)
		buf_puts(out, " turns the MMU on");
	else
		buf_printf(out, " changes %s with the MMU on", w->name);
}

static void say_next(struct handoff *h, const struct trouble *t, struct buf *out)
{
	buf_puts(out, "next: ");
	if (machine_of(h)->cpus > 1)
		buf_printf(out, "CPU%u: ", t->cpu);
	if (t->kind != TROUBLE_FETCH)
		insn_text(t->word, t->pc, out);
	if (t->kind == TROUBLE_FETCH) {
		buf_puts(out, "the instruction at ");
		say_target(h, t, out);
	} else if (t->kind == TROUBLE_JUMP) {
		buf_puts(out, " -> ");
		say_target(h, t, out);
		if (t->acc.el != t->el)
			buf_printf(out, " at EL%u", t->acc.el);
	} else {
		say_switch(h, t, out);
		buf_printf(out, "; then comes %#" PRIx64, t->va);
	}
	buf_puts(out, "       ");
	say_regime(h, &t->walk, out);
	buf_putc(out, '\n');
	say_steps(h, &t->walk, out);
}

static void explain_jump(struct handoff *h, const struct trouble *t, struct buf *out)
{
	const char *it = t->kind == TROUBLE_JUMP    ? "the jump"
			 : t->kind == TROUBLE_FETCH ? "its fetch"
						    : "the instruction behind it";

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
	cause_say_return(h, t, out);
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

/* The load or store; a fetch is all that is known of what was not fetched. */
static void say_access(struct handoff *h, const struct trouble *t, struct buf *out)
{
	struct buf text = { 0 };
	uint32_t word;
	bool known;

	if (!esr_is_data_abort(t->esr))
		return;
	say_word_at(h, t->cpu, t->elr, &word, &known, &text);
	if (known)
		buf_printf(out, "  %#" PRIx64 ": %s\n", t->elr, text.data);
	buf_free(&text);
}

static void explain_fault(struct handoff *h, const struct trouble *t, struct buf *out)
{
	say_taken(h, t, out);
	say_access(h, t, out);
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
	} else if (t->what[0]) {
		buf_printf(out, "%s\n", t->what);
	}
	cause_say(h, t, out);
}

#define IMBALANCES 8

/* Where nothing else explains it, the cause may be long gone by: a stack out of step. */
static bool explain_balance(struct handoff *h, const struct trouble *t, struct buf *out)
{
	struct imbalance list[IMBALANCES];
	size_t n;

	if (t->kind == TROUBLE_OTHER || t->repairs.count || t->again || t->misplaced)
		return false;
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
	if (n)
		buf_puts(out, "next: `why --replay` runs it from reset and checks every return\n");
	return n;
}

/* What is there instead of the kernel, by the image's header. */
static void next_of_jump(struct handoff *h, const struct trouble *t, struct buf *out)
{
	const struct image *img = &h->image;
	const struct baton_image_region *r = image_region(img, t->walk.oa);

	if (t->va & 3 && code_is_entry(h, t->va))
		buf_puts(out, "it is the image's header that has that entry\n");
	else if (r)
		buf_printf(out, "that is what the image has for region %zu\n",
			   (size_t)(r - img->region));
	else if (img->has_header)
		buf_puts(out, "by the image's header no region is copied to there\n");
	buf_printf(out, "next: `mem -p %#" PRIx64 " 64` shows what is there%s\n",
		   t->walk.oa & ~UINT64_C(3),
		   img->has_header ? ", `loader` what is copied where" : "");
}

/* No CPU but one: the same events will be there again. */
static void next_of_fault(struct handoff *h, const struct trouble *t, struct buf *out)
{
	size_t before = h->event_count ? h->event_count - 1 : 0;

	if (!t->whole || machine_of(h)->cpus > 1 || h->left || !h->started ||
	    h->resets != machine_of(h)->resets || !h->event_count ||
	    h->events[before].kind != EVENT_FAULT)
		return;
	buf_puts(out, "next: `system_reset`, ");
	if (before)
		buf_printf(out, "`handoff until event %zu`, ", before);
	buf_puts(out, "`handoff trace until exception` shows each step that leads there\n");
}

/* Nothing is proposed: where to look. */
static void explain_next(struct handoff *h, const struct trouble *t, struct buf *out)
{
	if (t->repairs.count || t->again || t->misplaced)
		return;
	if (t->kind == TROUBLE_JUMP && !t->walk.fault && !t->walk.cfg.flat)
		next_of_jump(h, t, out);
	else if (t->kind == TROUBLE_FAULT)
		next_of_fault(h, t, out);
}

void explain_trouble(struct handoff *h, const struct trouble *t, struct buf *out)
{
	switch (t->kind) {
	case TROUBLE_JUMP:
	case TROUBLE_MMU:
	case TROUBLE_FETCH:
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
	if (!explain_balance(h, t, out))
		explain_next(h, t, out);
}
