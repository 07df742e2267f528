// SPDX-License-Identifier: BSD-2-Clause
/* The addresses that the next instructions need: pc, sp, vectors, the kernel's entry, a UART. */
#include "mmu/lint_internal.h"

#include "error.h"

#include <string.h>

#define ORPHANS_TRIED 64

/* Pretend that the entry where the walk ended points to @table: does it end well? */
static bool would_mend(const struct lint *l, const struct pt_walk *w, const struct lint_place *p,
		       uint64_t desc)
{
	const struct pt_step *s = &w->step[w->steps - 1];
	struct pt_overlay overlay = {
		.below = l->in->reader,
		.address = s->address,
		.value = w->cfg.big_endian ? __builtin_bswap64(desc) : desc,
	};
	struct pt_reader reader = pt_overlay_reader(&overlay);
	struct pt_walk then;
	uint64_t last;
	const char *name;

	return !pt_walk(&w->cfg, &reader, p->va, &p->acc, &then) && !then.fault && then.mapped &&
	       lint_memory_at(l, then.oa, &last, &name) == LINT_RAM &&
	       (!p->identity || then.oa == p->va);
}

/* One orphan that mends it is the remedy; of several none is. */
static bool find_table(const struct lint *l, const struct pt_walk *w, const struct lint_place *p,
		       uint64_t *desc)
{
	const struct pt_step *s = w->steps ? &w->step[w->steps - 1] : NULL;
	unsigned int hits = 0;

	if (!s || !s->read || s->level == 3 || w->fault != PT_FAULT_TRANSLATION ||
	    w->cfg.regime.nested)
		return false;
	for (size_t i = 0; i < l->orphan_count && i < ORPHANS_TRIED; i++) {
		uint64_t try = pt_desc_with_address(&w->cfg, s->level, PT_TABLE, 3, l->orphans[i]);

		if (!would_mend(l, w, p, try))
			continue;
		hits++;
		*desc = try;
	}
	return hits == 1;
}

/* The bit of the leaf that forbids it, if it is that and the leaf is not a device's. */
static const char *permission_remedy(const struct lint *l, const struct pt_walk *w,
				     const struct lint_place *p)
{
	uint64_t desc = w->step[w->steps - 1].desc, last;
	bool halves = w->cfg.regime.two_halves;
	const char *name;

	if (w->cfg.regime.nested || w->cfg.regime.stage2 ||
	    lint_memory_at(l, w->oa, &last, &name) == LINT_DEVICE)
		return NULL;
	if (p->acc.kind == PT_WRITE && (desc & BIT(7)) && p->acc.el)
		return "pt-set {va} L{level} AP=rw";
	if (p->acc.kind != PT_FETCH || !(desc & BIT(halves && p->acc.el ? 53 : 54)))
		return NULL;
	return !halves	   ? "pt-set {va} L{level} XN=0"
	       : p->acc.el ? "pt-set {va} L{level} PXN=0"
			   : "pt-set {va} L{level} UXN=0";
}

static const char *remedy_of(const struct lint *l, const struct pt_walk *w,
			     const struct lint_place *p, struct finding *f)
{
	if (find_table(l, w, p, &f->fix))
		return "pt-set {va} L{level} {fix}";
	if (!w->steps || !w->step[w->steps - 1].read)
		return NULL;
	if (w->fault == PT_FAULT_ACCESS_FLAG)
		return "pt-set {va} L{level} AF=1";
	return w->fault == PT_FAULT_PERMISSION ? permission_remedy(l, w, p) : NULL;
}

static void check_place(struct lint *l, const struct lint_place *p)
{
	static const enum lint_id ids[] = {
		[LINT_PC] = RULE_PC,
		[LINT_SP] = RULE_SP,
		[LINT_VBAR] = RULE_VBAR,
		[LINT_ENTRY] = RULE_ENTRY,
	};
	struct finding f = {
		.ia = p->va, .size = p->size, .name = p->name, .level = LINT_REGISTER
	};
	struct pt_walk w;

	/* what is wrong with the registers has been said */
	if (pt_walk_regime(l->in->regime, &l->in->reader, p->va, &p->acc, &w, NULL) ||
	    w.reason == PT_REASON_TXSZ || w.reason == PT_REASON_SL || w.reason == PT_REASON_ROOT)
		return;
	if (w.steps && w.step[w.steps - 1].read) {
		const struct pt_step *s = &w.step[w.steps - 1];

		f.level = s->level;
		f.index = s->index;
		f.address = s->address;
		f.desc = s->desc;
	}
	if (w.fault) {
		f.value = pt_walk_esr(&w, &p->acc);
		f.remedy = remedy_of(l, &w, p, &f);
		lint_add(l, ids[p->kind], f);
	} else if (p->identity && w.mapped && w.oa != p->va) {
		f.value = w.oa;
		lint_add(l, RULE_PC_MOVES, f);
	}
}

void lint_places(struct lint *l)
{
	const struct regime *r = l->in->regime;

	for (size_t i = 0; i < l->in->place_count; i++)
		check_place(l, &l->in->places[i]);
	if (l->in->serial_count && !l->serial_reached && !r->stage2 && !r->nested &&
	    (l->usable[0] || l->usable[1])) {
		const struct lint_span *s = l->in->serial;

		lint_add(l, RULE_UART,
			 (struct finding){
				 .level = LINT_REGISTER, .name = s->name, .value = s->first });
	}
}
