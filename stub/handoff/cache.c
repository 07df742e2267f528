/* SPDX-License-Identifier: BSD-2-Clause */
/* tlbi, and maintenance of caches: one line for a loop. */
#include "handoff/internal.h"

#include "hex.h"

/* Instructions of a loop by line, before and behind. */
#define LOOP 8
/* So often one place is shown, on each CPU. */
#define SHOWN 3

/* Its parts of an add or cmp of 64-bit registers or an immediate (DDI 0487, C4.1). */
static bool is_add(uint32_t w, unsigned int reg)
{
	return ((w & 0xff200000) == 0x8b000000 || (w & 0xff800000) == 0x91000000) &&
	       (w & 31) == reg && (w >> 5 & 31) == reg;
}

static bool is_cmp(uint32_t w, unsigned int reg, unsigned int *end)
{
	*end = w >> 16 & 31;
	return (w & 0xffe0fc1f) == 0xeb00001f && (w >> 5 & 31) == reg;
}

static bool word_at(struct handoff *h, const struct visit *v, uint64_t pc, uint32_t *word)
{
	uint8_t raw[4];

	if (machine_virt_read(machine_of(h), v->cpu, pc, raw, sizeof(raw)))
		return false;
	*word = (uint32_t)le_read(raw, 4);
	return true;
}

/* The branch back to before the instruction, from shortly behind it: where to, 0: none. */
static uint64_t loop_start(struct handoff *h, const struct visit *v, uint64_t *branch)
{
	uint32_t w;

	for (*branch = v->pc + 4; *branch <= v->pc + 4 * LOOP; *branch += 4) {
		struct insn i;

		if (!word_at(h, v, *branch, &w))
			return 0;
		i = insn_decode(w);
		if (i.kind == INSN_COND || i.kind == INSN_B) {
			uint64_t to = *branch + (uint64_t)i.offset;

			return to <= v->pc && v->pc - to <= 4 * LOOP ? to : 0;
		}
	}
	return 0;
}

/* Does a condition at @branch, and no other, end the loop from @start on? */
static bool ends_below(struct handoff *h, const struct visit *v, uint64_t start, uint64_t branch)
{
	uint64_t pc = start;
	uint32_t w;

	while (pc < branch && word_at(h, v, pc, &w)) {
		enum insn_kind kind = insn_decode(w).kind;

		if (kind != INSN_OTHER && kind != INSN_CACHE && kind != INSN_TLBI)
			return false;
		pc += 4;
	}
	return pc == branch && word_at(h, v, pc, &w) && insn_decode(w).kind == INSN_COND;
}

/*
 * Is it in a loop? If that advances the operand up to what another register holds, that
 * is *@end; else 32. *@next: where it goes on behind it; 0: not known.
 */
static bool in_loop(struct handoff *h, const struct visit *v, unsigned int *end, uint64_t *next)
{
	uint64_t branch, pc = loop_start(h, v, &branch), start = pc;
	bool adds = false, compares = false;
	unsigned int with;
	uint32_t w;

	*end = 32;
	*next = !start ? v->pc + 4 : ends_below(h, v, start, branch) ? branch + 4 : 0;
	for (; pc && pc < branch && word_at(h, v, pc, &w); pc += 4) {
		adds |= is_add(w, v->site.insn.reg);
		if (is_cmp(w, v->site.insn.reg, &with)) {
			compares = true;
			*end = with;
		}
	}
	if (!adds || !compares)
		*end = 32;
	return start != 0;
}

/* The rest of a loop is the same: not stopped at again until something else was. */
static int rest(struct handoff *h, const struct visit *v, bool again)
{
	struct scan_site *s = scan_site(&h->scan, v->pc);

	if (!s)
		return 0;
	s->rests = again;
	return code_lift(h, s);
}

int maintenance_again(struct handoff *h)
{
	int err = h->resting ? coherent_rested(h) : 0;

	for (size_t i = 0; !err && h->resting && i < h->scan.site_count; i++) {
		struct scan_site *s = &h->scan.sites[i];

		if (!s->rests)
			continue;
		s->rests = s->lifted = false;
		err = code_plant_at(h, s->pc);
	}
	h->resting = false;
	return err;
}

int visit_maintenance(struct handoff *h, struct visit *v)
{
	const struct insn *insn = &v->site.insn;
	struct event e = { .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct buf text = { 0 };
	unsigned int end = 32, shown, most;
	uint64_t last = 0, next;
	bool loop = in_loop(h, v, &end, &next);
	int err = reg_x(machine_of(h), v->cpu, insn->reg, &e.before);

	e.kind = insn->kind == INSN_TLBI ? EVENT_TLBI : EVENT_CACHE;
	if (insn->kind == INSN_TLBI)
		h->stale.used = false;
	if (!err && loop && end < 31)
		err = reg_x(machine_of(h), v->cpu, end, &last);
	if (err)
		return err;
	insn_text(v->site.word, v->pc, &text);
	if (insn->reg != 31)
		buf_printf(&text, " = %#" PRIx64, e.before);
	e.after = last > e.before ? last : 0;
	e.no_before = insn->reg == 31;
	e.no_after = !e.after;
	if (e.after)
		buf_printf(&text, ", in a loop up to %#" PRIx64, last);
	else if (loop)
		buf_puts(&text, ", in a loop");
	/* a tlbi is watched for longer: one that is not seen would be missed */
	shown = SHOWN * machine_of(h)->cpus;
	most = insn->kind == INSN_TLBI ? HANDOFF_LIFT : shown;
	if (v->site.hits == shown)
		buf_puts(&text, "; not shown again");
	if (v->site.hits <= shown)
		event_add(h, &e, "%s", text.data);
	buf_free(&text);
	if (insn->kind == INSN_CACHE)
		err = coherent_op(h, v, e.before, loop ? e.after : e.before + 1, next,
				  v->site.hits >= most);
	if (err)
		return err;
	h->resting = true;
	h->blind |= insn->kind == INSN_TLBI && v->site.hits >= most;
	if (loop || v->site.hits >= most)
		err = rest(h, v, v->site.hits < most);
	return err ? err : step_over(h, v);
}
