/* SPDX-License-Identifier: BSD-2-Clause */
/* `why` and `fix`: the trouble that is there, found again if it has to be. */
#include "handoff/preflight.h"
#include "handoff/replay.h"

#include "mmu/sysreg.h"
#include "patch/plan.h"
#include "patch/touch.h"

#include <stdio.h>
#include <string.h>

/* A descriptor's page, of the smallest there are. */
#define ADDRESS UINT64_C(0xfffffffff000)

#define RESET_FIRST \
	"next: `system_reset`, `handoff run`, and `fix -y` there: a reset loads memory anew\n"

/* Exception classes that are business as usual: calls, and what a debugger makes. */
static bool is_fault(uint64_t esr)
{
	unsigned int ec = esr >> 26 & 63;

	switch (ec) {
	case 0x01: /* wfi, wfe */
	case 0x11: /* svc, hvc, smc */
	case 0x12:
	case 0x13:
	case 0x15:
	case 0x16:
	case 0x17:
	case 0x30: /* breakpoints, steps, watchpoints */
	case 0x31:
	case 0x32:
	case 0x33:
	case 0x34:
	case 0x35:
		return false;
	default:
		return esr != 0;
	}
}

/* Is the CPU about to take a jump that leads nowhere? */
static int find_jump(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc)
{
	struct pt_access acc = { .kind = PT_FETCH, .el = el };
	struct visit v = { .cpu = cpu, .el = el, .pc = pc };
	uint8_t raw[4];
	struct tables t;
	struct pt_walk walk;
	uint64_t target;
	int err = machine_virt_read(machine_of(h), cpu, pc, raw, sizeof(raw));

	if (err)
		return err == -BATON_ELINK ? err : 0;
	v.site.word = (uint32_t)raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 |
		      (uint32_t)raw[3] << 24;
	v.site.insn = insn_decode(v.site.word);
	if (v.site.insn.kind != INSN_BR && v.site.insn.kind != INSN_BLR &&
	    v.site.insn.kind != INSN_RET)
		return 0;
	err = reg_x(machine_of(h), cpu, v.site.insn.reg, &target);
	if (!err)
		err = tables_init(&t, machine_of(h), h->ctx->symbols, cpu, NULL, NULL);
	if (!err)
		err = tables_walk(&t, target, &acc, &walk, NULL);
	if (err || !walk.fault)
		return err == -BATON_ELINK ? err : 0;
	return trouble_jump(h, TROUBLE_JUMP, &v, &t, target, &acc, &walk, NULL);
}

/* The jump was taken already, by a single step: is the pc where nothing is? */
static int find_fetch(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc)
{
	struct pt_access acc = { .kind = PT_FETCH, .el = el };
	struct visit v = { .cpu = cpu, .el = el, .pc = pc };
	struct tables t;
	struct pt_walk walk = { 0 };
	int err = tables_init(&t, machine_of(h), h->ctx->symbols, cpu, NULL, NULL);

	if (!err)
		err = tables_walk(&t, pc, &acc, &walk, NULL);
	if (err || !walk.fault)
		return err == -BATON_ELINK ? err : 0;
	return trouble_jump(h, TROUBLE_FETCH, &v, &t, pc, &acc, &walk, NULL);
}

void served_note(struct handoff *h, unsigned int cpu, unsigned int el, bool fixed)
{
	struct served *s = &h->served;

	*s = (struct served){ .fixed = fixed, .cpu = cpu, .el = el };
	s->resets = machine_of(h)->resets;
	s->used = !reg_of(machine_of(h), cpu, "ESR", el, &s->esr) &&
		  !reg_of(machine_of(h), cpu, "ELR", el, &s->elr);
}

/* In the loader one that its handler survived may be why nothing goes on: it is told again. */
static bool was_served(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t esr)
{
	const struct served *s = &h->served;
	uint64_t elr;

	return s->used && s->resets == machine_of(h)->resets && s->cpu == cpu && s->el == el &&
	       s->esr == esr && !reg_of(machine_of(h), cpu, "ELR", el, &elr) && elr == s->elr &&
	       (s->fixed || h->left);
}

/*
 * A CPU whose last exception was a fault. Where its handler has run since, an abort from
 * EL0 or one that the tables no longer explain may long be dealt with: then it is none.
 */
static int find_fault(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc)
{
	uint64_t esr;
	bool over;
	int vector = vector_at(h, cpu, pc);
	int err = reg_of(machine_of(h), cpu, "ESR", el, &esr);

	if (err)
		return err == -BATON_ELINK ? err : 0;
	over = vector < 0 && is_fault(esr) && was_served(h, cpu, el, esr);
	h->served.met |= over;
	if (over || (vector < 0 && !is_fault(esr)))
		return 0;
	err = trouble_fault(h, cpu, el, vector);
	/* nobody saw it come: it may be the last of many */
	h->trouble.nested = !err && vector >= 0 && trouble_in_handler(h, &h->trouble);
	if (!err && vector < 0 && h->trouble.walked && !h->trouble.walk.fault)
		h->trouble.kind = TROUBLE_NONE;
	return err;
}

static int find_on(struct handoff *h, unsigned int cpu)
{
	uint64_t pc;
	bool judged;
	int el = machine_el(machine_of(h), cpu);
	int err = el < 0 ? el : machine_reg_read(machine_of(h), cpu, "pc", &pc);

	if (err)
		return err;
	err = preflight_here(h, cpu, (unsigned int)el, &judged);
	if (!err && !judged)
		err = find_jump(h, cpu, (unsigned int)el, pc);
	if (!err && !h->trouble.kind && vector_at(h, cpu, pc) < 0)
		err = find_fetch(h, cpu, (unsigned int)el, pc);
	if (err || h->trouble.kind)
		return err;
	/* at EL0 it is EL1 that would have taken the exception */
	return find_fault(h, cpu, el ? (unsigned int)el : 1, pc);
}

/* The image is evidence: without a run it has to be found first. */
static int find_image(struct handoff *h)
{
	struct machine *m = machine_of(h);
	uint64_t pa;
	int err;

	if (h->started && h->resets == m->resets)
		return 0;
	if (h->resets != m->resets) {
		h->trouble.kind = TROUBLE_NONE;
		h->fixed = false;
	}
	for (unsigned int cpu = 0; cpu < m->cpus; cpu++) {
		err = code_where(m, cpu, &pa);
		if (!err)
			err = image_open(&h->image, m, pa);
		if (err || h->image.listed)
			return err;
	}
	/* in the kernel or a handler of its own: what has the header, or all that was loaded */
	for (size_t i = 0; i < h->image.rom_count; i++) {
		uint64_t at = h->image.roms[i].addr;

		if (strncmp(h->image.roms[i].name, "dtb", 3) != 0)
			return image_open(&h->image, m, at);
	}
	return 0;
}

/* Tables, registers and memory may have been changed since it was seen. */
static int find_again(struct handoff *h)
{
	struct trouble was = h->trouble;
	bool leap = was.kind == TROUBLE_JUMP || was.kind == TROUBLE_MMU, judged = true;
	int err = 0;

	if (leap)
		err = preflight_here(h, was.cpu, was.el, &judged);
	else if (was.kind != TROUBLE_OTHER)
		err = find_on(h, was.cpu);
	h->trouble.nested &= was.nested;
	if (!err && !judged)
		h->trouble = was;
	return err;
}

static int find(struct context *ctx, unsigned int cpu)
{
	struct handoff *h = ctx->handoff;
	struct machine *m = ctx->machine;
	int err;

	h->ctx = ctx;
	h->served.met = false;
	err = find_image(h);
	if (err)
		return err;
	if (trouble_holds(h, cpu)) {
		err = find_again(h);
		if (err || h->trouble.kind)
			return err;
	}
	h->trouble.kind = TROUBLE_NONE;
	err = find_on(h, cpu);
	for (unsigned int other = 0; !err && !h->trouble.kind && other < m->cpus; other++)
		if (other != cpu)
			err = find_on(h, other);
	return err;
}

static bool taken_from_below(const struct trouble *t)
{
	return t->kind == TROUBLE_FAULT && !t->whole && !t->walked && (t->spsr >> 2 & 3) < t->el &&
	       (esr_is_fetch_abort(t->esr) || esr_is_data_abort(t->esr));
}

/* Nobody faults: but firmware was asked where there is none. */
static bool say_asked(struct handoff *h, unsigned int cpu)
{
	struct repairs repairs;
	uint64_t pc;

	if (!conduit_asked(h, &h->trouble) || machine_reg_read(machine_of(h), cpu, "pc", &pc))
		return false;
	repairs = h->trouble.repairs;
	trouble_other(h, cpu, 0, pc,
		      "PSCI was asked at %#" PRIx64 " by %s, which nobody serves here", h->asked.pc,
		      insn_decode(h->asked.word).kind == INSN_SMC ? "smc" : "hvc");
	h->trouble.repairs = repairs;
	return true;
}

int handoff_why(struct context *ctx, unsigned int cpu, struct buf *out, bool *found)
{
	struct handoff *h = ctx->handoff;
	int err = find(ctx, cpu);

	*found = !err && h->trouble.kind;
	if (err)
		return err;
	replay_repair(h);
	if (*found) {
		/* what a hypervisor took from its guest, and dealt with, is daily business */
		*found = !taken_from_below(&h->trouble);
		explain_trouble(h, &h->trouble, out);
		return 0;
	}
	buf_puts(out, "no fault, neither pending nor taken");
	if (h->served.met)
		buf_printf(out, ", but for the one with ELR_EL%u %#" PRIx64 " that was dealt with",
			   h->served.el, h->served.elr);
	buf_puts(out, ":\n");
	err = explain_cpus(h, out);
	if (!err && say_asked(h, cpu)) {
		*found = true;
		explain_trouble(h, &h->trouble, out);
	}
	return err;
}

static bool is_taken_hvc(const struct trouble *t)
{
	return t->repairs.count && t->repairs.list[0].kind == REPAIR_CONDUIT &&
	       t->repairs.list[0].address != t->elr;
}

static bool is_vectors(const struct trouble *t)
{
	return t->repairs.count && t->repairs.list[0].kind == REPAIR_VECTORS;
}

static int go_on(struct handoff *h, const struct trouble *t, struct buf *out, bool *found)
{
	const char *go = h->ctx->gdb ? "continue" : "cont";
	int err = 0;

	if (t->kind == TROUBLE_FAULT && t->whole && !is_vectors(t)) {
		/* an hvc that was taken left its address behind it */
		err = resume_back(h, t->cpu, is_taken_hvc(t) ? 4 : 0, out);
		if (!err)
			err = resume_others(h, t, out);
	}
	if (err && err != -BATON_EUNSUPPORTED)
		return err;
	*found = t->kind == TROUBLE_FAULT && (!t->whole || err);
	if (*found) {
		buf_puts(out,
			 t->whole ? "this exception came from another level or stack, and the CPU "
				    "cannot be given the eret that leads back: this run cannot go "
				    "on\n"
				  : "the handler has run, and the registers are no longer those of "
				    "the "
				    "fault: this run cannot go on\n");
		buf_puts(out, RESET_FIRST);
		return 0;
	}
	if (t->kind == TROUBLE_FAULT && h->ctx->gdb)
		buf_puts(out, "GDB shows the old registers until `maint flush register-cache`\n");
	buf_printf(out, "next: `%s`, or `handoff run` to watch the rest\n", go);
	return 0;
}

static int apply_plan(struct handoff *h, const struct repair *r, struct plan *p, struct buf *out)
{
	struct trouble *t = &h->trouble;
	struct buf command = { 0 };
	int err = plan_entry(p, p->tables, r->va, r->level, out);

	repair_command(t, r, &command);
	if (!err && (p->address != r->address || p->old != r->old)) {
		buf_puts(out, "the descriptor has changed since; `why` looks again\n");
		err = -BATON_EBUSY;
	}
	/* who pointed to its own table mapped that by accident */
	if (!err && r->kind == REPAIR_TABLE && !((r->old ^ r->address) & ADDRESS))
		p->force = 1u << CHECK_TABLES;
	if (!err) {
		plan_entry_set(p, r->new);
		err = plan_check(p, out);
	}
	if (!err)
		err = plan_apply(p, h->ctx->journal, command.data, out);
	if (!err) {
		buf_printf(out, "%s: %#" PRIx64 " at %#" PRIx64 " is now %#" PRIx64 "\n",
			   command.data, r->old, r->address, r->new);
		pt_render_line(&p->walk_after, &t->acc, &p->tables->names, out);
		buf_putc(out, '\n');
	}
	buf_free(&command);
	return err;
}

static void to_buf(void *ctx, const char *text, size_t len)
{
	buf_add(ctx, text, len);
}

/* A repair that is a command of its own: it checks, journals and reads back. */
static int apply_command(struct handoff *h, const struct repair *r, struct buf *out)
{
	struct sink sink = { to_buf, out };
	struct buf command = { 0 };
	int err;

	repair_command(&h->trouble, r, &command);
	err = command_run(h->ctx, &sink, command.data);
	buf_free(&command);
	return err > 0 ? -BATON_EREFUSED : err;
}

/* A register of the CPU's own. */
static int apply_core(struct handoff *h, const char *name, const struct repair *r, struct buf *out)
{
	struct touch t = { .machine = machine_of(h),
			   .journal = h->ctx->journal,
			   .cpu = h->trouble.cpu };
	struct buf command = { 0 };
	int err;

	repair_command(&h->trouble, r, &command);
	err = touch_reg(&t, name, r->new, command.data);
	err = touch_end(&t, err, out);
	if (!err)
		buf_printf(out, "CPU%u: %s is %#" PRIx64 " now\n", t.cpu, name, r->new);
	buf_free(&command);
	return err;
}

/* The CPU is as the exception left it: it goes on at the right vector's first instruction. */
static int apply_vectors(struct handoff *h, const struct repair *r, struct buf *out)
{
	const struct trouble *t = &h->trouble;
	struct touch touch = { .machine = machine_of(h),
			       .journal = h->ctx->journal,
			       .cpu = t->cpu };
	uint64_t pc = r->new + t->vector;
	/* where nothing can run the CPU cannot write a register either: pc first */
	int err = touch_reg(&touch, "pc", pc, "fix -y: to the entry of the right vectors");

	err = touch_end(&touch, err, out);
	if (err)
		return err;
	err = apply_command(h, r, out);
	if (!err) {
		buf_printf(out, "CPU%u: pc is %#" PRIx64 " now, the entry that was meant\n", t->cpu,
			   pc);
		return 0;
	}
	touch.number = 0;
	(void)touch_end(&touch, touch_reg(&touch, "pc", t->pc, "fix -y: as it was"), out);
	return err;
}

static int apply_table(struct handoff *h, const struct repair *r, struct buf *out)
{
	struct trouble *t = &h->trouble;
	struct tables tables;
	struct plan plan = { .tables = &tables };
	int err = tables_init(&tables, machine_of(h), h->ctx->symbols, t->cpu, NULL, out);

	if (err)
		return err;
	tables.regime = t->regime;
	err = apply_plan(h, r, &plan, out);
	plan_free(&plan);
	return err;
}

/* What was done, to know the same fault when it comes back. */
static void remember(struct handoff *h, const struct repair *r, const char *reg)
{
	h->fixed = true;
	h->fixed_va = r->va;
	h->fixed_address = r->address;
	h->fixed_value = r->new;
	h->fixed_cpu = h->trouble.cpu;
	snprintf(h->fixed_reg, sizeof(h->fixed_reg), "%s", reg);
}

static int apply(struct handoff *h, const struct repair *r, struct buf *out)
{
	char name[16] = "";
	int err = -BATON_EUNSUPPORTED;

	switch (r->kind) {
	case REPAIR_TABLE:
	case REPAIR_NEIGHBOR:
	case REPAIR_SHIFTED:
	case REPAIR_BITS:
	case REPAIR_ONTO:
		err = apply_table(h, r, out);
		break;
	case REPAIR_SYSREG:
		snprintf(name, sizeof(name), "%.7s_EL%u", r->reg, r->el);
		err = apply_command(h, r, out);
		break;
	case REPAIR_CONDUIT:
		err = apply_command(h, r, out);
		break;
	case REPAIR_OPERAND:
		snprintf(name, sizeof(name), "x%u", h->trouble.insn.reg);
		err = apply_core(h, name, r, out);
		break;
	case REPAIR_TARGET:
		snprintf(name, sizeof(name), "pc");
		err = apply_core(h, name, r, out);
		break;
	case REPAIR_RESUME: /* go_on() does it */
		err = 0;
		break;
	case REPAIR_LINK:
		snprintf(name, sizeof(name), "x30");
		err = apply_core(h, name, r, out);
		break;
	case REPAIR_STACK:
		snprintf(name, sizeof(name), "sp");
		err = apply_core(h, name, r, out);
		break;
	case REPAIR_VECTORS:
		snprintf(name, sizeof(name), "%.7s_EL%u", r->reg, r->el);
		err = apply_vectors(h, r, out);
		break;
	}
	if (!err)
		remember(h, r, name);
	return err;
}

static unsigned int live_changes(const struct journal *j)
{
	unsigned int n = 0;

	for (size_t i = 0; i < journal_count(j); i++)
		n += entry_is_live(journal_at(j, i)) && !journal_at(j, i)->elsewhere;
	return n;
}

/* What is past is repaired by a reset: the loader comes there again. */
static int start_over(struct handoff *h, const struct repair *r, struct buf *out, bool *found)
{
	struct sink sink = { to_buf, out };
	unsigned int live = live_changes(h->ctx->journal);
	const struct repair fix = *r;
	int err;

	if (live) {
		*found = true;
		buf_printf(
			out,
			"it takes a reset, and %u of your changes may be live (`patches`): ", live);
		buf_puts(out, "`system_reset`, then `");
		repair_command(&h->trouble, &fix, out);
		buf_puts(out, "`\n");
		return 0;
	}
	err = command_run(h->ctx, &sink, "system_reset");
	if (!err)
		err = apply_command(h, &fix, out);
	if (err)
		return err > 0 ? -BATON_EREFUSED : err;
	h->trouble.kind = TROUBLE_NONE;
	h->asked.used = false;
	buf_puts(out, "it is past in this run: the machine was reset, and has the patch\n"
		      "next: `handoff run`\n");
	return 0;
}

int handoff_fix(struct context *ctx, unsigned int cpu, bool apply_it, struct buf *out, bool *found)
{
	struct handoff *h = ctx->handoff;
	const struct repair *best;
	struct trouble was;
	int err = find(ctx, cpu);

	*found = false;
	if (err)
		return err;
	replay_repair(h);
	if (!h->trouble.kind)
		say_asked(h, cpu);
	if (!h->trouble.kind) {
		buf_puts(out, "nothing to repair: no fault, neither pending nor taken\n");
		return 0;
	}
	best = repair_best(&h->trouble.repairs);
	if (!best || !apply_it) {
		*found = !best;
		if (h->trouble.repairs.count || h->trouble.again)
			explain_repairs(h, &h->trouble, out);
		else
			buf_puts(out,
				 "I do not know how to repair this; `why` says what is known\n");
		if (best)
			buf_puts(out, "`fix -y` applies it\n");
		return 0;
	}
	if (best->kind == REPAIR_CONDUIT && best->basis == BASIS_ASKED)
		return start_over(h, best, out, found);
	err = apply(h, best, out);
	if (err && h->trouble.kind == TROUBLE_FAULT) /* before it the CPU could still do it */
		buf_puts(out, RESET_FIRST);
	if (err)
		return err;
	was = h->trouble;
	h->trouble.kind = TROUBLE_NONE;
	return go_on(h, &was, out, found);
}
