/* SPDX-License-Identifier: BSD-2-Clause */
/* The next instruction that is looked at, found without running to it; and the list. */
#include "handoff/preflight.h"

#include "hex.h"
#include "monitor/json.h"

#include <stdio.h>
#include <stdlib.h>

#define SCTLR_M 1u

#define SPSR_AARCH32	 (1u << 4)
#define SPSR_LEVEL(spsr) ((unsigned int)((spsr) >> 2 & 3))

#define CURRENT_EL SYSREG(3, 0, 4, 2, 2)

struct search {
	struct handoff *h;
	unsigned int cpu, el;
	struct leap *leap;
	bool found;
	int err;
};

static int word_at(void *ctx, uint64_t pc, uint32_t *word)
{
	struct search *s = ctx;
	uint8_t raw[4];
	int err = machine_virt_read(machine_of(s->h), s->cpu, pc, raw, sizeof(raw));

	*word = err ? 0 : (uint32_t)le_read(raw, 4);
	return err;
}

static int load(void *ctx, uint64_t va, unsigned int len, uint64_t *value)
{
	struct search *s = ctx;
	uint8_t raw[8];
	int err = machine_virt_read(machine_of(s->h), s->cpu, va, raw, len);

	*value = err ? 0 : le_read(raw, len);
	return err;
}

static int sysreg_now(void *ctx, uint16_t sysreg, uint64_t *value)
{
	struct search *s = ctx;
	const struct watch *w = preflight_watch(machine_of(s->h), s->cpu, s->el, sysreg);
	const char *name;

	*value = s->el << 2;
	if (sysreg == CURRENT_EL)
		return 0;
	if (w)
		return machine_reg_read(machine_of(s->h), s->cpu, w->name, value);
	name = leap_name(sysreg);
	return name ? machine_reg_read(machine_of(s->h), s->cpu, name, value) : -BATON_ENOTFOUND;
}

/* An msr that matters now: the level's own, and its MMU is on or comes on. */
static bool is_write(struct search *s, const struct ahead *a)
{
	struct machine *m = machine_of(s->h);
	struct leap *l = s->leap;
	uint64_t sctlr = 0;
	bool known = a->insn.reg == 31 || (a->known >> a->insn.reg & 1);

	l->watch = preflight_watch(m, s->cpu, s->el, a->insn.sysreg);
	if (!l->watch || l->watch->el != s->el || !leap_register(&l->then.regime, l->watch->role) ||
	    reg_of(m, s->cpu, "SCTLR", s->el, &sctlr))
		return false;
	l->value = a->insn.reg == 31 ? 0 : a->x[a->insn.reg];
	if (l->watch->role != WATCH_SCTLR ? !(sctlr & SCTLR_M)
					  : known && !((sctlr | l->value) & SCTLR_M))
		return false;
	l->kind = leap_of_write(l->watch, sctlr, l->value);
	l->pc = a->pc + 4;
	if (!known)
		buf_printf(&l->why, "what is written to %s is not known", l->watch->name);
	return true;
}

static int judge_target(struct search *s, const struct ahead *a, uint64_t va)
{
	struct visit v = { .cpu = s->cpu, .el = s->el, .pc = a->pc };
	struct leap *l = s->leap;
	enum leave_way way = LEAVE_OUT;
	struct move move;
	int err;

	v.site.insn = a->insn;
	v.site.word = a->word;
	l->pc = l->target.va = va;
	l->target_known = true;
	l->target.el = l->to;
	l->kind = LEAP_OUT;
	err = leap_open(l);
	if (!err && l->decoded)
		err = leave_judge(s->h, &v, &l->then, &l->walk, &l->target, &way, &l->unfit, &move);
	if (way != LEAVE_OUT || (!l->decoded && image_holds(&s->h->image, va)))
		l->kind = LEAP_ERET;
	return err;
}

static bool is_eret(struct search *s, const struct ahead *a)
{
	char elr_name[8], spsr_name[12];
	struct leap *l = s->leap;
	uint64_t elr;

	snprintf(elr_name, sizeof(elr_name), "ELR_EL%u", s->el & 3);
	snprintf(spsr_name, sizeof(spsr_name), "SPSR_EL%u", s->el & 3);
	l->kind = LEAP_ERET;
	if (leap_sysreg(l, elr_name, &elr) || leap_sysreg(l, spsr_name, &l->pstate)) {
		buf_puts(&l->why, "where it goes is not known");
		return true;
	}
	l->target_known = true;
	l->to = SPSR_LEVEL(l->pstate);
	l->pc = a->insn.pauth ? insn_strip_pauth(elr) : elr;
	if (l->pstate & SPSR_AARCH32)
		buf_puts(&l->why, "it goes to AArch32");
	else if (l->to > l->el)
		buf_printf(&l->why, "an illegal exception return: to EL%u", l->to);
	else
		s->err = judge_target(s, a, l->pc);
	return true;
}

/* Of what is no loader that is known, nothing can be said to leave it. */
static bool in_image(struct search *s, uint64_t pc)
{
	struct pt_walk here;
	struct tables t;

	return !tables_init(&t, machine_of(s->h), NULL, s->cpu, NULL, NULL) &&
	       !tables_walk(&t, pc, NULL, &here, NULL) && !here.fault &&
	       image_holds(&s->h->image, here.oa);
}

/* A jump that stays in the loader is followed. */
static bool is_jump(struct search *s, const struct ahead *a)
{
	const struct insn *i = &a->insn;
	struct leap *l = s->leap;
	uint64_t va = a->x[i->reg];

	if (i->reg == 31 || !(a->known >> i->reg & 1))
		return false;
	va = i->pauth ? insn_strip_pauth(va) : va;
	if ((code_is_known(s->h, s->cpu, va) && !code_is_entry(s->h, va)) || !in_image(s, a->pc))
		return false;
	s->err = judge_target(s, a, va);
	if (s->err || (l->kind == LEAP_OUT && (l->decoded || l->why.len)))
		return true;
	l->kind = 0;
	buf_clear(&l->why);
	return false;
}

static bool ends(void *ctx, const struct ahead *a)
{
	struct search *s = ctx;

	s->leap->to = s->el;
	s->leap->pstate = a->pstate;
	switch ((int)a->insn.kind) {
	case INSN_MSR:
		s->found = is_write(s, a);
		if (!s->found)
			s->leap->watch = NULL;
		break;
	case INSN_ERET:
		s->found = is_eret(s, a);
		break;
	case INSN_BR:
	case INSN_BLR:
	case INSN_RET:
		s->found = is_jump(s, a);
		break;
	default:
		break;
	}
	return s->found || s->err;
}

static bool ends_here(void *ctx, const struct ahead *a)
{
	(void)ends(ctx, a);
	return true;
}

/* What is wrong with it is the trouble, as it would be in a run. */
static int judge(struct leap *l)
{
	struct visit v = { .cpu = l->cpu, .el = l->el, .pc = l->at->pc };
	struct pt_access fetch = { .kind = PT_FETCH, .el = l->to };
	bool out = l->kind == LEAP_OUT;
	int err = out ? 0 : preflight_pc(l, 0);

	v.site.word = l->at->word;
	v.site.insn = l->at->insn;
	if (err || (out ? !l->walk.fault && !l->unfit : l->state != PREFLIGHT_WRONG))
		return err;
	if (!out && leap_elsewhere(l)) {
		trouble_other(l->h, l->cpu, l->el, l->at->pc, "%s", l->detail.data);
		return 0;
	}
	return trouble_jump(l->h, out ? TROUBLE_JUMP : TROUBLE_MMU, &v, &l->then, l->pc, &fetch,
			    &l->walk,
			    out		    ? l->unfit
			    : l->walk.fault ? NULL
					    : l->detail.data);
}

int preflight_here(struct handoff *h, unsigned int cpu, unsigned int el, bool *judged)
{
	struct ahead at = { 0 };
	struct leap l = { .h = h, .at = &at, .cpu = cpu, .el = el };
	struct search s = { .h = h, .cpu = cpu, .el = el, .leap = &l };
	const struct ahead_source source = { word_at, load, sysreg_now, ends_here, &s };
	int err = leap_registers(machine_of(h), cpu, &at);

	*judged = false;
	h->trouble.kind = TROUBLE_NONE;
	if (!err && el && ahead_look(&source, &at))
		err = s.err;
	if (!err && s.found && l.watch && !l.why.len)
		err = leap_open(&l);
	*judged = !err && s.found && l.decoded && l.kind != LEAP_ERET;
	if (*judged)
		err = judge(&l);
	leap_free(&l);
	return err;
}

/* An eret may go anywhere as long as ELR and SPSR are not known. */
static bool where_to(const struct leap *l)
{
	return l->kind != LEAP_ERET || l->target_known;
}

static void say_head(struct leap *l, struct buf *out)
{
	buf_puts(out, "before ");
	if (machine_of(l->h)->cpus > 1)
		buf_printf(out, "CPU%u's ", l->cpu);
	insn_text(l->at->word, l->at->pc, out);
	buf_printf(out, " at EL%u, %#" PRIx64, l->el, l->at->pc);
	say_symbol(l->h->ctx, l->at->pc, " <", ">", out);
	if (l->at->steps)
		buf_printf(out, ", %u instruction%s ahead", l->at->steps,
			   l->at->steps == 1 ? "" : "s");
	buf_puts(out, l->kind == LEAP_MMU      ? ": MMU on"
		      : l->kind == LEAP_SWITCH ? ": translation changes"
					       : ": ");
	if (!where_to(l)) {
		buf_puts(out, "where to is not known");
	} else if (l->kind & (LEAP_ERET | LEAP_OUT)) {
		buf_printf(out, "to %#" PRIx64, l->pc);
		say_symbol(l->h->ctx, l->pc, " <", ">", out);
		buf_printf(out, l->to == l->el ? "%s" : "%s, EL%u",
			   code_is_entry(l->h, l->pc) ? " (kernel entry)" : "", l->to);
	}
	if (l->contract)
		buf_printf(out, ", as %s wants it", contract_name(l->contract));
	buf_putc(out, '\n');
}

static json_t *symbol_json(const struct leap *l, uint64_t va)
{
	struct buf name = { 0 };
	json_t *j;

	say_symbol(l->h->ctx, va, "", "", &name);
	j = name.data ? json_text(name.data) : json_null();
	buf_free(&name);
	return j;
}

/* The same as say_head(). */
static json_t *head_json(const struct leap *l)
{
	const char *kind = l->kind == LEAP_MMU	    ? "mmu-on"
			   : l->kind == LEAP_SWITCH ? "switch"
			   : l->kind == LEAP_ERET   ? "eret"
						    : "leave";
	const char *contract = contract_name(l->contract);
	json_t *j = json_need(json_object());
	struct buf text = { 0 };

	insn_text(l->at->word, l->at->pc, &text);
	json_put(j, "kind", json_text(kind));
	json_put(j, "cpu", json_integer(l->cpu));
	json_put(j, "el", json_integer(l->el));
	json_put(j, "pc", json_hex(l->at->pc));
	json_put(j, "symbol", symbol_json(l, l->at->pc));
	json_put(j, "text", json_text(text.data));
	json_put(j, "ahead", json_integer(l->at->steps));
	json_put(j, "to", where_to(l) ? json_hex(l->pc) : json_null());
	json_put(j, "to_el", where_to(l) ? json_integer(l->to) : json_null());
	json_put(j, "contract", contract ? json_text(contract) : json_null());
	buf_free(&text);
	return j;
}

static void check_json(json_t *checks, const char *name, const char *state, const char *text)
{
	json_t *j = json_need(json_object());

	json_put(j, "name", json_text(name));
	json_put(j, "state", json_text(state));
	json_put(j, "text", json_text(text));
	if (json_array_append_new(checks, j))
		abort();
}

static int say_checks(struct leap *l, struct buf *out, json_t *checks, unsigned int *count)
{
	static const char *const words[] = { "", "ok", "warning", "wrong", "unknown" };
	int err = 0;

	for (size_t i = 0; !err && preflight_checks[i].name; i++) {
		err = leap_check(l, &preflight_checks[i]);
		if (err || !l->state)
			continue;
		count[l->state]++;
		buf_printf(out, "  %-12s %-8s %s\n", preflight_checks[i].name, words[l->state],
			   l->detail.data);
		if (checks)
			check_json(checks, preflight_checks[i].name, words[l->state],
				   l->detail.data);
	}
	return err;
}

static void say_sum(struct leap *l, const unsigned int *count, struct buf *out)
{
	enum trouble_kind kind = l->h->trouble.kind;
	bool leap = kind == TROUBLE_JUMP || kind == TROUBLE_MMU;
	/* a leap may have been put right by hand */
	bool pending = trouble_holds(l->h, l->cpu) && (!leap || count[PREFLIGHT_WRONG]);

	if (count[PREFLIGHT_WRONG])
		buf_printf(out, "%u wrong", count[PREFLIGHT_WRONG]);
	else
		buf_puts(out, "nothing wrong");
	if (count[PREFLIGHT_WARNING])
		buf_printf(out, ", %u warning%s", count[PREFLIGHT_WARNING],
			   count[PREFLIGHT_WARNING] == 1 ? "" : "s");
	if (count[PREFLIGHT_UNKNOWN])
		buf_printf(out, ", %u unknown", count[PREFLIGHT_UNKNOWN]);
	buf_printf(out, ". next: `%s`%s\n", pending ? "fix" : "handoff run",
		   pending		    ? " shows what would repair it"
		   : count[PREFLIGHT_WRONG] ? " stops at what would fail, and explains it"
					    : "");
}

static int say_leap(struct leap *l, struct buf *out, json_t *facts, unsigned int *count)
{
	json_t *checks = facts ? json_need(json_array()) : NULL;
	int err;

	say_head(l, out);
	err = say_checks(l, out, checks, count);
	say_sum(l, count, out);
	if (facts) {
		json_put(facts, "before", head_json(l));
		json_put(facts, "checks", checks);
	}
	return err;
}

static void say_nothing(const struct ahead *at, const struct handoff *h, struct buf *out)
{
	buf_puts(out, "no msr that switches translation, eret or jump out of the loader is sure to "
		      "come: after ");
	buf_printf(out, "%u instruction%s, at %#" PRIx64, at->steps, at->steps == 1 ? "" : "s",
		   at->pc);
	say_symbol(h->ctx, at->pc, " <", ">", out);
	buf_puts(out, ", ");
	if (at->word)
		insn_text(at->word, at->pc, out);
	else
		buf_puts(out, "no code");
	buf_puts(out, ", it depends. next: `handoff until jump`\n");
}

/* Where no run has looked yet: the image that the CPU is in. */
static int open_image(struct handoff *h, unsigned int cpu)
{
	struct machine *m = machine_of(h);
	uint64_t pa;
	int err;

	if (h->started && h->resets == m->resets)
		return 0;
	h->started = false;
	err = code_where(m, cpu, &pa);
	if (!err)
		err = image_open(&h->image, m, pa);
	return err;
}

int handoff_preflight(struct context *ctx, unsigned int cpu, struct buf *out, json_t *facts,
		      bool *found)
{
	struct handoff *h = ctx->handoff;
	struct ahead at = { 0 };
	struct leap l = { .h = h, .at = &at, .cpu = cpu };
	struct search s = { .h = h, .cpu = cpu, .leap = &l };
	const struct ahead_source source = { word_at, load, sysreg_now, ends, &s };
	unsigned int count[PREFLIGHT_UNKNOWN + 1] = { 0 };
	int el = machine_el(ctx->machine, cpu), err;

	h->ctx = ctx;
	err = el < 0 ? el : open_image(h, cpu);
	if (!err)
		err = leap_board(&l);
	if (!err)
		err = leap_registers(ctx->machine, cpu, &at);
	s.el = l.el = (unsigned int)el;
	if (!err && el && ahead_look(&source, &at))
		err = s.err;
	if (!err && l.watch && !l.why.len)
		err = leap_open(&l);
	if (!err && l.kind == LEAP_OUT && l.decoded)
		l.contract = contract_of(&l);
	if (!err && s.found) {
		err = say_leap(&l, out, facts, count);
	} else if (!err) {
		say_nothing(&at, h, out);
		if (facts) {
			json_put(facts, "before", json_null());
			json_put(facts, "checks", json_need(json_array()));
		}
	}
	*found = count[PREFLIGHT_WRONG];
	leap_free(&l);
	return err;
}
