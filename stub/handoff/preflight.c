/* SPDX-License-Identifier: BSD-2-Clause */
/* What is looked at, under which registers, and what of it a run says by itself. */
#include "handoff/preflight.h"

#include <string.h>

#define SCTLR_M	     1u
#define SPSR_AARCH32 (1u << 4)

const struct preflight_check preflight_checks[] = {
	/* name, leaps, by itself, what */
	{ "pc", LEAP_MMU | LEAP_SWITCH | LEAP_ERET | LEAP_OUT, false, preflight_pc, 0 },
	{ "memory", LEAP_MMU | LEAP_SWITCH | LEAP_ERET | LEAP_OUT, false, preflight_memory, 0 },
	{ "TCR", LEAP_MMU | LEAP_SWITCH | LEAP_ERET | LEAP_OUT, false, preflight_lint, 0 },
	{ "tables", LEAP_MMU | LEAP_SWITCH | LEAP_ERET | LEAP_OUT, false, preflight_lint, 1 },
	{ "stage2", LEAP_MMU | LEAP_SWITCH | LEAP_ERET | LEAP_OUT, false, preflight_lint, 2 },
	{ "sp", LEAP_MMU | LEAP_SWITCH | LEAP_ERET, true, preflight_sp, 0 },
	{ "vectors", LEAP_MMU | LEAP_SWITCH | LEAP_ERET | LEAP_OUT, true, preflight_vectors, 0 },
	{ "console", LEAP_MMU | LEAP_SWITCH | LEAP_ERET, true, preflight_uart, 0 },
	{ "regions", LEAP_OUT, false, contract_regions, 0 },
	{ "task", LEAP_OUT, true, contract_task, 0 },
	{ "level", LEAP_OUT, true, contract_level, 0 },
	{ "MMU", LEAP_OUT, true, contract_mmu, 0 },
	{ "x0", LEAP_OUT, true, contract_argument, 0 },
	{ "x1", LEAP_OUT, true, contract_argument, 1 },
	{ "x2", LEAP_OUT, true, contract_argument, 2 },
	{ "x3", LEAP_OUT, true, contract_argument, 3 },
	{ "x4", LEAP_OUT, true, contract_argument, 4 },
	{ "x5", LEAP_OUT, true, contract_argument, 5 },
	{ "DAIF", LEAP_OUT, true, contract_masks, 0 },
	{ "TPIDR_EL1", LEAP_OUT, true, contract_tpidr, 0 },
	{ "CNTVOFF_EL2", LEAP_OUT, true, contract_cntvoff, 0 },
	{ "caches", LEAP_OUT, true, contract_caches, 0 },
	{ NULL, 0, false, NULL, 0 },
};

#define CHECKS (sizeof(checks) / sizeof(preflight_checks[0]))

void leap_say(struct leap *l, enum preflight_state state, const char *fmt, ...)
{
	va_list ap;

	l->state = state;
	buf_clear(&l->detail);
	va_start(ap, fmt);
	buf_vprintf(&l->detail, fmt, ap);
	va_end(ap);
}

void leap_free(struct leap *l)
{
	buf_free(&l->why);
	buf_free(&l->detail);
}

int leap_check(struct leap *l, const struct preflight_check *c)
{
	l->state = PREFLIGHT_NONE;
	return c->leaps & l->kind ? c->look(l, c->n) : 0;
}

/* --- registers as they will be */

static const struct {
	const char *name;
	uint16_t sysreg;
} others[] = {
	{ "SPSR_EL1", SYSREG(3, 0, 4, 0, 0) },	   { "ELR_EL1", SYSREG(3, 0, 4, 0, 1) },
	{ "SPSR_EL2", SYSREG(3, 4, 4, 0, 0) },	   { "ELR_EL2", SYSREG(3, 4, 4, 0, 1) },
	{ "SPSR_EL3", SYSREG(3, 6, 4, 0, 0) },	   { "ELR_EL3", SYSREG(3, 6, 4, 0, 1) },
	{ "SP_EL0", SYSREG(3, 0, 4, 1, 0) },	   { "SP_EL1", SYSREG(3, 4, 4, 1, 0) },
	{ "SP_EL2", SYSREG(3, 6, 4, 1, 0) },	   { "TPIDR_EL1", SYSREG(3, 0, 13, 0, 4) },
	{ "CNTVOFF_EL2", SYSREG(3, 4, 14, 0, 3) },
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

const struct watch *preflight_watch(struct machine *m, unsigned int cpu, unsigned int el,
				    uint16_t sysreg)
{
	const struct watch *w = watch_find(sysreg);
	uint64_t hcr;

	/* EL1's names are EL2's own registers there with FEAT_VHE (DDI 0487, D8.1.4) */
	if (w && el == 2 && w->el == 1 && !machine_reg_read(m, cpu, "HCR_EL2", &hcr) &&
	    (hcr & HCR_E2H) && watch_of(2, w->role))
		w = watch_of(2, w->role);
	return w;
}

static uint16_t leap_encoding(const char *name)
{
	for (size_t i = 0; i < OTHERS; i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].sysreg;
	for (unsigned int el = 1; el <= 3; el++)
		if (strcmp(watch_of(el, WATCH_VBAR)->name, name) == 0)
			return watch_of(el, WATCH_VBAR)->sysreg;
	return 0;
}

const char *leap_name(uint16_t sysreg)
{
	for (size_t i = 0; i < OTHERS; i++)
		if (others[i].sysreg == sysreg)
			return others[i].name;
	return NULL;
}

int leap_sysreg(struct leap *l, const char *name, uint64_t *value)
{
	bool known;

	if (l->at->msrs && ahead_sysreg(l->at, leap_encoding(name), value, &known))
		return known ? 0 : -BATON_EUNSUPPORTED;
	return machine_reg_read(machine_of(l->h), l->cpu, name, value);
}

uint64_t *leap_register(struct regime *r, enum watch_role role)
{
	switch (role) {
	case WATCH_SCTLR:
		return &r->sctlr;
	case WATCH_TTBR0:
		return &r->ttbr[0];
	case WATCH_TTBR1:
		return &r->ttbr[1];
	case WATCH_TCR:
		return &r->tcr;
	case WATCH_MAIR:
		return &r->mair;
	case WATCH_VBAR:
	case WATCH_HCR:
	case WATCH_SCR:
	case WATCH_VTTBR:
	case WATCH_VTCR:
		break;
	}
	return NULL;
}

/* What is written on the way, and by the instruction itself. */
static int sysreg_then(void *ctx, const char *name, uint64_t *value)
{
	struct leap *l = ctx;
	struct machine *m = machine_of(l->h);

	if (l->watch && strcmp(l->watch->name, name) == 0) {
		*value = l->value;
		return 0;
	}
	for (unsigned int i = l->at->msrs; i-- > 0;) {
		const struct watch *w = preflight_watch(m, l->cpu, l->el, l->at->msr[i].sysreg);

		if (!w || strcmp(w->name, name) != 0)
			continue;
		*value = l->at->msr[i].value;
		if (l->at->msr[i].known)
			return 0;
		buf_printf(&l->why, "what %s will be is not known", name);
		return -BATON_EUNSUPPORTED;
	}
	return machine_reg_read(m, l->cpu, name, value);
}

/* EL1's names mean other registers from there on: which is not followed (DDI 0487, D8.1.4). */
static bool names_change(struct leap *l)
{
	uint64_t now = 0, then = 0;

	return l->el > 1 && l->at->msrs &&
	       !machine_reg_read(machine_of(l->h), l->cpu, "HCR_EL2", &now) &&
	       !sysreg_then(l, "HCR_EL2", &then) && ((now ^ then) & HCR_E2H);
}

static int regime_then(struct leap *l, const char *spec)
{
	const struct regime_source source = { sysreg_then, l };
	struct buf words = { 0 };
	int err;

	if (l->at->lost || names_change(l)) {
		buf_puts(&l->why, l->at->lost ? "too many registers are written before that"
					      : "HCR_EL2.E2H changes before that");
		return -BATON_EUNSUPPORTED;
	}
	err = regime_read(&l->then.regime, spec, l->then.el, &source, &words);
	if (err && !l->why.len && words.len)
		buf_puts(&l->why, words.data);
	buf_free(&words);
	return err;
}

/* The regime behind it, and where pc is there. */
int leap_open(struct leap *l)
{
	struct pt_access fetch = { .kind = PT_FETCH, .el = l->to };
	char spec[8] = { 'e', 'l', (char)('0' + (l->to ? l->to : 1)), 0 };
	struct machine *m = machine_of(l->h);
	int err = tables_init(&l->now, m, l->h->ctx->symbols, l->cpu, NULL, &l->why);

	if (!err)
		err = tables_init(&l->then, m, l->h->ctx->symbols, l->cpu, NULL, &l->why);
	if (!err)
		err = regime_then(l, l->to == l->el ? NULL : spec);
	l->then.regime.pending = l->kind == LEAP_MMU;
	if (!err)
		err = tables_walk(&l->then, l->pc, &fetch, &l->walk, &l->why);
	l->decoded = !err;
	return err == -BATON_EUNSUPPORTED || err == -BATON_ENOTFOUND ? 0 : err;
}

int leap_board(struct leap *l)
{
	struct image *img = &l->h->image;
	/* its bytes may be old: a board does not change */
	int err = img->loaded ? 0 : image_load(img, machine_of(l->h));

	if (!err)
		l->has_board = image_board(img, &l->board);
	return err;
}

/* --- by itself, in a run */

static void warn(struct leap *l, const struct visit *v, const char *when)
{
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };

	if (l->state == PREFLIGHT_WARNING || l->state == PREFLIGHT_WRONG)
		event_add(l->h, &e, "warning: %s%s", when, l->detail.data);
}

static int warn_all(struct leap *l, const struct visit *v, const char *when)
{
	int err = 0;

	for (size_t i = 0; !err && preflight_checks[i].name; i++) {
		if (!preflight_checks[i].aloud)
			continue;
		err = leap_check(l, &preflight_checks[i]);
		if (!err)
			warn(l, v, when);
	}
	return err;
}

int leap_registers(struct machine *m, unsigned int cpu, struct ahead *a)
{
	int err = machine_reg_read(m, cpu, "pc", &a->pc);

	for (unsigned int i = 0; !err && i < 31; i++)
		err = reg_x(m, cpu, i, &a->x[i]);
	if (!err)
		err = machine_reg_read(m, cpu, "sp", &a->x[31]);
	if (!err)
		err = machine_reg_read(m, cpu, "cpsr", &a->pstate);
	a->known = UINT32_MAX;
	return err;
}

enum leap_kind leap_of_write(const struct watch *w, uint64_t before, uint64_t value)
{
	return w->role == WATCH_SCTLR && (value & SCTLR_M) && !(before & SCTLR_M) ? LEAP_MMU
										  : LEAP_SWITCH;
}

bool leap_elsewhere(struct leap *l)
{
	struct pt_walk now;

	return l->kind == LEAP_SWITCH &&
	       (tables_walk(&l->now, l->pc, NULL, &now, NULL) || now.fault || now.oa != l->pc);
}

static int not_there(struct leap *l, const struct visit *v)
{
	struct pt_access fetch = { .kind = PT_FETCH, .el = l->to };

	if (leap_elsewhere(l)) {
		warn(l, v, "");
		return 0;
	}
	return trouble_jump(l->h, TROUBLE_MMU, v, &l->then, l->pc, &fetch, &l->walk,
			    l->walk.fault ? "" : l->detail.data);
}

int preflight_write(struct handoff *h, const struct visit *v, const struct watch *w,
		    uint64_t before, uint64_t value)
{
	struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct ahead at = { .pc = v->pc };
	struct leap l = { .h = h,
			  .at = &at,
			  .cpu = v->cpu,
			  .el = v->el,
			  .to = v->el,
			  .pc = v->pc + 4,
			  .watch = w,
			  .value = value };
	int err;

	l.kind = leap_of_write(w, before, value);
	if (l.kind == LEAP_SWITCH && v->site.kernel)
		return 0;
	err = leap_registers(machine_of(h), v->cpu, &at);
	if (!err)
		err = leap_open(&l);
	/* behind the loader the console is the kernel's, and sp and VBAR yet to be set by it */
	if (!err && !v->site.kernel)
		err = leap_board(&l);
	if (!err && l.kind == LEAP_MMU && !l.decoded)
		event_add(h, &e, "MMU on is not checked: %s", l.why.data ? l.why.data : "");
	if (!err && l.decoded && (l.kind == LEAP_MMU || regime_mmu_on(&l.now.regime))) {
		err = preflight_pc(&l, 0);
		if (!err && l.state == PREFLIGHT_WRONG)
			err = not_there(&l, v);
		else if (!err && l.kind == LEAP_MMU && !v->site.kernel)
			err = warn_all(&l, v, "with the MMU on ");
	}
	leap_free(&l);
	return err;
}

int preflight_leave(struct handoff *h, const struct visit *v, const struct target *t)
{
	struct ahead at = { 0 };
	struct leap l = { .h = h,
			  .at = &at,
			  .cpu = v->cpu,
			  .el = v->el,
			  .kind = LEAP_OUT,
			  .to = t->el,
			  .pc = t->va,
			  .target = *t };
	int err = leap_registers(machine_of(h), v->cpu, &at);

	l.pstate = at.pstate;
	if (!err && v->site.insn.kind == INSN_ERET)
		err = reg_of(machine_of(h), v->cpu, "SPSR", v->el, &l.pstate);
	if (!err)
		err = leap_open(&l);
	if (!err)
		err = leap_board(&l);
	if (!err && l.decoded) {
		l.contract = contract_of(&l);
		err = warn_all(&l, v, "");
	}
	if (!err)
		err = contract_entered(&l);
	leap_free(&l);
	return err;
}
