/* SPDX-License-Identifier: BSD-2-Clause */
/* What is needed of translation tables behind a leap: the next instruction, a stack, vectors. */
#include "handoff/preflight.h"

#include "mmu/a64.h"
#include "monitor/lints.h"

#include <string.h>

#define VECTORS	    16u
#define VECTOR_SIZE 0x80u
#define STACK_SLOT  16u
#define OWN_SYNC    4u /* a synchronous exception of the level itself, by its own sp */

static int walk(struct leap *l, struct tables *t, uint64_t va, enum pt_access_kind kind,
		struct pt_walk *out)
{
	struct pt_access acc = { .kind = kind, .el = l->to };

	return tables_walk(t, va, &acc, out, NULL);
}

/* Where that address is as long as the instruction has not been executed. */
static bool place_now(struct leap *l, uint64_t va, uint64_t *pa)
{
	struct pt_walk now;

	if (tables_walk(&l->now, va, NULL, &now, NULL) || now.fault)
		return false;
	*pa = now.oa;
	return true;
}

static int unknown(struct leap *l)
{
	leap_say(l, PREFLIGHT_UNKNOWN, "%s", l->why.len ? l->why.data : "not decoded");
	return l->then.lost;
}

static void say_fault(struct leap *l)
{
	const struct pt_step *s = l->walk.steps ? &l->walk.step[l->walk.steps - 1] : NULL;
	struct pt_access fetch = { .kind = PT_FETCH, .el = l->to };
	struct buf text = { 0 };

	if (s)
		buf_printf(&text, "L%d [%u] at %#" PRIx64 ": ", s->level, s->index, s->address);
	pt_render_fault(&l->walk, &fetch, &text);
	leap_say(l, PREFLIGHT_WRONG, "%#" PRIx64 ": %s", l->pc, text.data);
	buf_free(&text);
}

int preflight_pc(struct leap *l, unsigned int n)
{
	uint64_t pa;

	(void)n;
	if (!l->decoded)
		return unknown(l);
	if (l->walk.fault)
		say_fault(l);
	else if (l->unfit && l->unfit != trouble_memory(&l->walk))
		leap_say(l, PREFLIGHT_WRONG, "%#" PRIx64 " is physical %#" PRIx64 ", and %s", l->pc,
			 l->walk.oa, l->unfit);
	else if ((l->kind & (LEAP_MMU | LEAP_SWITCH)) && place_now(l, l->pc, &pa) &&
		 pa != l->walk.oa)
		leap_say(l, PREFLIGHT_WRONG,
			 "the next instruction would be fetched from %#" PRIx64
			 " instead of %#" PRIx64,
			 l->walk.oa, pa);
	else
		leap_say(l, PREFLIGHT_OK, "%#" PRIx64 " -> %#" PRIx64 "%s", l->pc, l->walk.oa,
			 l->walk.cfg.flat ? ", MMU off" : ", mapped, executable");
	return 0;
}

int preflight_memory(struct leap *l, unsigned int n)
{
	const char *wrong;
	struct buf text = { 0 };

	(void)n;
	if (!l->decoded || l->walk.fault || l->walk.cfg.flat)
		return 0;
	wrong = trouble_memory(&l->walk);
	pt_render_attrs(&l->walk.attrs, &text);
	leap_say(l, wrong ? PREFLIGHT_WRONG : PREFLIGHT_OK, "%s%s", text.data,
		 wrong ? ": the CPU need not execute it" : "");
	buf_free(&text);
	return 0;
}

/* At another level it is that one's own, or EL0's. */
static int sp_there(struct leap *l, uint64_t *sp)
{
	static const char *const names[] = { "SP_EL0", "SP_EL1", "SP_EL2", "SP_EL3" };

	*sp = l->at->x[31];
	if (l->kind != LEAP_ERET)
		return l->at->known >> 31 ? 0 : -BATON_EUNSUPPORTED;
	return leap_sysreg(l, names[l->pstate & 1 ? l->to : 0], sp);
}

/* A stack that nobody has set up is no mistake as long as nobody uses it. */
int preflight_sp(struct leap *l, unsigned int n)
{
	uint64_t sp, pa;
	struct pt_walk w;
	int err = sp_there(l, &sp);

	(void)n;
	if (err)
		leap_say(l, PREFLIGHT_UNKNOWN, "what it will be is not known");
	if (err || !l->decoded)
		return err == -BATON_ELINK ? err : l->then.lost;
	if (l->kind == LEAP_ERET)
		pa = sp - STACK_SLOT;
	else if (!place_now(l, sp - STACK_SLOT, &pa))
		pa = 0;
	if (sp <= STACK_SLOT || !machine_is_ram(machine_of(l->h), pa, STACK_SLOT, false)) {
		leap_say(l, PREFLIGHT_OK, "%#" PRIx64 " is no memory: not set up, not used yet",
			 sp);
		return 0;
	}
	err = walk(l, &l->then, sp - STACK_SLOT, PT_WRITE, &w);
	if (err)
		return l->then.lost;
	if (w.fault || w.oa != pa)
		leap_say(l, PREFLIGHT_WARNING, "sp, %#" PRIx64 ", is %s", sp,
			 w.fault ? "not mapped for writing" : "other memory");
	else
		leap_say(l, PREFLIGHT_OK, "%#" PRIx64 "%s", sp,
			 w.cfg.flat ? "" : ", writable, the same memory");
	return 0;
}

/* How many of the entries begin with an instruction; 0 where its own level's one does not. */
static int count_entries(struct leap *l, uint64_t pa, unsigned int *n)
{
	*n = 0;
	for (unsigned int i = 0; i < VECTORS; i++) {
		uint64_t word = 0;
		int err = machine_phys_u64(machine_of(l->h), pa + (uint64_t)i * VECTOR_SIZE, &word);

		if (err == -BATON_ELINK)
			return err;
		if (i == OWN_SYNC && !(uint32_t)word) {
			*n = 0;
			return 0;
		}
		*n += !err && (uint32_t)word;
	}
	return 0;
}

/*
 * VBAR has 11 bits that are zero (DDI 0487, D24.2 "VBAR_EL1"), so all 16 entries are in one page:
 * what holds for one of them holds for all. Where the
 * level's own has no code nobody counts on them.
 */
int preflight_vectors(struct leap *l, unsigned int n)
{
	static const char *const names[] = { "VBAR_EL1", "VBAR_EL1", "VBAR_EL2", "VBAR_EL3" };
	const char *name = names[l->to];
	uint64_t vbar, pa;
	struct pt_walk w;
	unsigned int entries;
	int err = leap_sysreg(l, name, &vbar);

	(void)n;
	if (err)
		leap_say(l, PREFLIGHT_UNKNOWN, "what %s will be is not known", name);
	if (err || !l->decoded)
		return err == -BATON_ELINK ? err : l->then.lost;
	vbar &= ~UINT64_C(0x7ff);
	err = walk(l, &l->then, vbar, PT_FETCH, &w);
	if (err)
		return l->then.lost;
	if ((l->kind & (LEAP_ERET | LEAP_OUT)) || !place_now(l, vbar, &pa))
		pa = w.fault ? vbar : w.oa;
	err = count_entries(l, pa, &entries);
	if (err)
		return err;
	if (!vbar) /* as reset leaves it in QEMU, whatever is there */
		leap_say(l, PREFLIGHT_OK, "%s is 0: not set up", name);
	else if (!entries)
		leap_say(l, PREFLIGHT_OK, "%s %#" PRIx64 ": nothing is there, not set up", name,
			 vbar);
	else if (w.fault)
		leap_say(l, PREFLIGHT_WARNING,
			 "the vectors at %#" PRIx64 " are not executable: a fault would never end",
			 vbar);
	else if (w.oa != pa)
		leap_say(l, PREFLIGHT_WARNING,
			 "the vectors at %#" PRIx64 " are other memory, %#" PRIx64, vbar, w.oa);
	else
		leap_say(l, PREFLIGHT_OK,
			 "%s %#" PRIx64 ": executable, %u of its 16 entries have code", name, vbar,
			 entries);
	return 0;
}

/* The loader's own console, by its board; else what looks like one. */
int preflight_uart(struct leap *l, unsigned int n)
{
	struct lint_span serial[LINTS_SERIAL];
	size_t count = lints_serial(machine_of(l->h), serial);
	bool own = l->has_board && l->board.uart;
	uint64_t at = own ? l->board.uart : count ? serial[0].first : 0;
	struct pt_walk w;

	(void)n;
	if (!at || !l->decoded || walk(l, &l->then, at, PT_WRITE, &w))
		return l->then.lost;
	/* behind a second stage the loader's addresses are IPAs */
	if (w.ipa_known)
		w.oa = w.ipa;
	if (w.fault)
		leap_say(l, own ? PREFLIGHT_WARNING : PREFLIGHT_UNKNOWN,
			 own ? "the console, %#" PRIx64 ", is not mapped for writing"
			     : "%#" PRIx64 " is not mapped for writing: who prints there faults",
			 at);
	else if (w.oa == at && !w.cfg.flat && (w.attrs.mair & 0xf0))
		leap_say(l, PREFLIGHT_WARNING,
			 "the console, %#" PRIx64
			 ", is mapped as Normal memory: what is written may "
			 "not reach it",
			 at);
	else if (w.oa == at)
		leap_say(l, PREFLIGHT_OK, "%#" PRIx64 "%s", at,
			 w.cfg.flat ? "" : ", writable, Device memory");
	else
		leap_say(l, PREFLIGHT_UNKNOWN, "%#" PRIx64 " is %#" PRIx64 ", another address", at,
			 w.oa);
	return 0;
}

/* --- what pt-lint knows of registers and tables */

static bool is_register(const struct finding *f)
{
	return f->level == LINT_REGISTER;
}

/* Of the other half than the one that pc is in? TCR's fields and the root have its number. */
static bool of_other_half(const struct leap *l, const struct regime *r, const struct finding *f)
{
	const char *digit = f->name ? strpbrk(f->name + strcspn(f->name, "._") - 1, "01") : NULL;

	if (!r->two_halves || !digit)
		return false;
	return (unsigned int)(*digit - '0') != l->walk.cfg.half;
}

static void say_finding(struct leap *l, const struct regime *regime, const struct finding *f,
			uint64_t others)
{
	bool wrong = is_register(f) && f->severity == LINT_ERROR && !of_other_half(l, regime, f);
	struct buf text = { 0 };

	if (!is_register(f))
		buf_printf(&text, "L%d [%u] at %#" PRIx64 ": ", f->level < 0 ? 0 : f->level,
			   f->index, f->address);
	lint_expand(f->rule->what, f, &text);
	if (others)
		buf_printf(&text, " (and %" PRIu64 " more: `pt-lint -r %s`)", others,
			   regime->stage2 ? "s2" : "pending");
	leap_say(l, wrong ? PREFLIGHT_WRONG : PREFLIGHT_WARNING, "%s", text.data);
	buf_free(&text);
}

/* Of registers, of tables, or of the second stage, which is one row. */
static void say_report(struct leap *l, const struct regime *regime, const struct lint_report *r,
		       bool tables)
{
	const struct finding *worst = NULL;
	uint64_t count = 0;

	for (size_t i = 0; i < LINT_RULES_MAX; i++)
		for (size_t k = 0; k < r->of[i].count; k++) {
			const struct finding *f = &r->of[i].list[k];

			if (f->severity != LINT_ERROR ||
			    (is_register(f) == tables && !regime->stage2))
				continue;
			count += f->count ? f->count : 1;
			if (!worst ||
			    (of_other_half(l, regime, worst) && !of_other_half(l, regime, f)))
				worst = f;
		}
	if (worst)
		say_finding(l, regime, worst, count - 1);
}

static void say_sizes(struct leap *l)
{
	const struct pt_config *c = &l->walk.cfg;

	leap_say(l, PREFLIGHT_OK, "%u KiB granule, %u bits in, %u bits out",
		 1u << (c->granule - 10), c->ia_bits, c->oa_bits);
}

static void say_tables(struct leap *l, const struct regime *r)
{
	if (r->stage2)
		leap_say(l, PREFLIGHT_OK, "%s %#" PRIx64 ": no error in it", regime_root_name(r, 0),
			 l->walk.s2.root);
	else
		leap_say(l, PREFLIGHT_OK, "%s %#" PRIx64 ": no error in them",
			 regime_root_name(r, l->walk.cfg.half), l->walk.cfg.root);
}

/* What is looked at in @maps; false: there is nothing. */
static bool open_maps(struct leap *l, unsigned int n, struct maps *maps)
{
	struct regime *r = &maps->tables.regime;

	*maps = (struct maps){ .tables = l->then };
	maps->tables.reader.ctx = &maps->tables;
	if (n == 2) {
		if (!l->decoded || !r->nested)
			return false;
		*r = regime_stage2(r);
		return true;
	}
	if (!regime_mmu_on(r) || (!l->decoded && n))
		return false;
	/* what does not decode is for lint_run() to say */
	if (r->nested && (pt_config_from_regime(&maps->cfg[0], r, 0, NULL) ||
			  pt_config_stage2(&maps->s2, &maps->cfg[0], NULL)))
		maps->cfg[0].regime.nested = false;
	return true;
}

int preflight_lint(struct leap *l, unsigned int n)
{
	struct machine *m = machine_of(l->h);
	struct lint_report report = { .keep = 8 };
	struct maps maps;
	const struct regime *r = &maps.tables.regime;
	struct lint_input in = {
		.regime = r,
		.memory = m->ram_count ? lints_memory_at : NULL,
		.ctx = m,
	};
	int err;

	if (!open_maps(l, n, &maps))
		return 0;
	in.bulk = maps_bulk(&maps);
	in.reader = maps.tables.reader;
	err = lint_run(&in, &report);
	if (err == -BATON_ELINK || err == -BATON_ECANCELED || maps.tables.lost) {
		lint_free(&report);
		return maps.tables.lost ? maps.tables.lost : err;
	}
	if (!err)
		say_report(l, r, &report, n);
	lint_free(&report);
	if (err)
		leap_say(l, PREFLIGHT_UNKNOWN, "%s", machine_error(m, err));
	else if (!l->state && n)
		say_tables(l, r);
	else if (!l->state && l->decoded)
		say_sizes(l);
	return 0;
}
