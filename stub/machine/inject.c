/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/inject_internal.h"

#include "hex.h"
#include "machine/moment.h"
#include "machine/tables.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PAGE	4096u
#define STEP_MS 500 /* a CPU that is on steps in microseconds */

#define PSTATE_AARCH32 (1u << 4)
#define PSTATE_DAIF    (0xfu << 6)
#define PSTATE_BTYPE   (3u << 10)
#define PSTATE_IL      (1u << 20)
#define PSTATE_SS      (1u << 21)

#define NOP  0xd503201fu
#define ERET 0xd69f03e0u

/* x0 to x30, sp, pc, cpsr: all of them in `g`. */
const char *const inject_core_names[INJECT_CORE] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",	 "x7",	"x8",  "x9",   "x10", "x11",
	"x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",  "x22", "x23",
	"x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",	"pc",  "cpsr",
};
/* What an exception overwrites, by the level that it is taken to. */
const char *const inject_left_names[4][LEFT] = {
	[1] = { "ELR_EL1", "SPSR_EL1", "ESR_EL1", "FAR_EL1", "HPFAR_EL2", "VBAR_EL1" },
	[2] = { "ELR_EL2", "SPSR_EL2", "ESR_EL2", "FAR_EL2", "HPFAR_EL2", "VBAR_EL2" },
	[3] = { "ELR_EL3", "SPSR_EL3", "ESR_EL3", "FAR_EL3", "HPFAR_EL2", "VBAR_EL3" },
};
/* msr ELR, x0; msr SPSR, x1; msr ESR, x2; msr FAR, x3; HPFAR_EL2 has x0. */
static const uint32_t put_left[4][4] = {
	[1] = { 0xd5184020, 0xd5184001, 0xd5185202, 0xd5186003 },
	[2] = { 0xd51c4020, 0xd51c4001, 0xd51c5202, 0xd51c6003 },
	[3] = { 0xd51e4020, 0xd51e4001, 0xd51e5202, 0xd51e6003 },
};
#define MSR_HPFAR_EL2_X0 0xd51c6080u

int inject_read(struct run *r, const char *const *names, struct machine_reg *regs, size_t n)
{
	for (size_t k = 0; k < n; k++)
		regs[k] = (struct machine_reg){ .name = names[k] };
	return machine_regs_read(r->m, r->cpu, regs, n);
}

/* Core registers as they are now. */
static int read_core(struct run *r, struct machine_reg *now)
{
	int err = inject_read(r, inject_core_names, now, INJECT_CORE);

	for (size_t k = 0; !err && k < INJECT_CORE; k++)
		if (now[k].err)
			err = machine_fail(r->m, now[k].err,
					   "CPU %u shows no %s: no instructions can be injected",
					   r->cpu, inject_core_names[k]);
	return err;
}

static int set_core(struct run *r, unsigned int which, uint64_t value)
{
	uint64_t now;
	int err = machine_reg_read(r->m, r->cpu, inject_core_names[which], &now);

	if (err || now == value)
		return err;
	return machine_reg_write(r->m, r->cpu, inject_core_names[which], value);
}

/* May code of @t's level be put at @va? Then @p says where. */
static bool fits(struct run *r, struct tables *t, uint64_t va, struct place *p)
{
	const struct inject *i = r->i;
	struct pt_access fetch = tables_access(t, PT_FETCH, false);
	uint64_t in_page = va & (PAGE - 4);
	struct pt_walk w;

	if (i->keep && (va ^ i->keep_va) / PAGE == 0)
		return false;
	if (in_page > PAGE - sizeof(p->old))
		in_page = PAGE - sizeof(p->old);
	/*
	 * Under KVM a CPU does not step off a breakpoint, and one of the soft kind is an
	 * instruction in memory, not to be written over.
	 */
	for (unsigned int k = 0; k < PAGE / 4; k++) {
		p->va = (va & ~(uint64_t)(PAGE - 1)) | in_page;
		if (!machine_break_within(r->m, p->va, sizeof(p->old)))
			break;
		in_page = in_page >= sizeof(p->old) ? in_page - sizeof(p->old)
						    : PAGE - sizeof(p->old);
	}
	if (tables_walk(t, p->va, &fetch, &w, NULL) || w.fault)
		return false;
	p->pa = w.oa;
	if (i->keep && p->pa < i->keep_pa + 8 && i->keep_pa < p->pa + sizeof(p->old)) {
		p->va ^= PAGE / 2;
		p->pa ^= PAGE / 2;
	}
	return machine_is_ram(r->m, p->pa, sizeof(p->old), false);
}

/*
 * Under TCG a CPU may still fetch a page from where it was; that would be executed instead.
 * The watchpoint is patch/tlb.c's, which makes QEMU forget the page and touches no guest.
 */
static int forget_page(struct machine *m, uint64_t va)
{
	uint64_t page = va & ~(uint64_t)(PAGE - 1);
	int err;

	if (m->accel != ACCEL_TCG)
		return 0;
	err = machine_break_add(m, BREAK_COMMAND, WATCH_WRITE, page, 3);
	return err ? err : machine_break_remove(m, BREAK_COMMAND, WATCH_WRITE, page, 3);
}

/* The first RAM that there is: with the MMU off code may be anywhere. */
static uint64_t some_ram(const struct machine *m)
{
	for (size_t k = 0; k < m->ram_count; k++)
		if (m->ram[k].kind == RAM_RAM)
			return m->ram[k].first;
	return 0;
}

/* A place for the code of level @el, where the CPU is now, and what is there kept. */
static int find_place(struct run *r, unsigned int el, uint64_t pc)
{
	struct place *p = &r->place[el];
	const uint64_t where[] = { pc, r->left[el][VBAR].value, r->core[LR].value };
	struct buf why = { 0 };
	struct tables t;
	bool found = false;
	int err = tables_init(&t, r->m, NULL, r->cpu, NULL, &why);

	for (size_t k = 0; !err && !found && k < sizeof(where) / sizeof(where[0]); k++)
		found = fits(r, &t, where[k], p);
	if (!err && !found && !regime_mmu_on(&t.regime))
		found = fits(r, &t, some_ram(r->m), p);
	if (!err && t.lost)
		err = t.lost;
	else if (err && err != -BATON_ELINK)
		err = machine_fail(r->m, -BATON_EREFUSED, "CPU %u cannot be given code: %s", r->cpu,
				   why.len ? why.data : "its regime is not known");
	else if (!err && !found)
		err = machine_fail(
			r->m, -BATON_EREFUSED,
			"CPU %u cannot be given code: neither at its pc, its vectors nor x30 "
			"is there RAM that EL%u may execute%s",
			r->cpu, el, r->i->keep ? ", but for the page in question" : "");
	buf_free(&why);
	if (!err)
		err = machine_phys_read(r->m, p->pa, p->old, sizeof(p->old));
	return err || r->i->keep ? err : forget_page(r->m, p->va);
}

/* One step; *@pc is where it led to. */
static int step(struct run *r, uint64_t *pc)
{
	uint64_t before = *pc;
	int err = 0;

	/* A breakpoint or watchpoint of somebody's may end a step before anything was done. */
	for (int tries = 0; !err && *pc == before && tries < 3; tries++) {
		struct machine_stop stop = { 0 };
		int stepped = r->m->ops->step(r->m, r->cpu, STEP_MS, &stop);

		buf_free(&stop.packet);
		if (stepped && stepped != -BATON_ETIMEDOUT)
			return stepped;
		err = machine_reg_read(r->m, r->cpu, "pc", pc);
		if (!err && stepped && *pc == before)
			err = machine_fail(
				r->m, -BATON_EREFUSED,
				"CPU %u does not step: powered off, or waiting (wfi) - take "
				"another (-c), or run until it is awake",
				r->cpu);
	}
	if (!err && *pc == before)
		err = machine_fail(r->m, -BATON_EREFUSED,
				   "CPU %u does not step: a breakpoint at %#" PRIx64 " holds it",
				   r->cpu, before);
	return err;
}

/* Where the pc went that should be behind an instruction: into the vectors of which level? */
static int which_exception(struct run *r, uint64_t at, uint64_t pc)
{
	int el = machine_el(r->m, r->cpu);
	uint64_t vbar;

	if (el < 0)
		return el;
	vbar = el ? r->left[el][VBAR].value : 0;
	if (el >= (int)r->el && pc - vbar < 0x800 && (pc & 0x7f) == 0)
		return el;
	return machine_fail(r->m, -BATON_EVERIFY,
			    "CPU %u did not execute what was put at %#" PRIx64
			    ", but went to %#" PRIx64
			    ": does it use an old translation of its own code? (tlb-flush all)",
			    r->cpu, at, pc);
}

/*
 * Put @code to the place of level @el and step through it.
 * Return: 0; the level (1 to 3) that an exception was taken to; or an error.
 */
static int execute(struct run *r, unsigned int el, const uint32_t *code, unsigned int words)
{
	struct place *p = &r->place[el];
	uint8_t bytes[4 * INJECT_WORDS] = { 0 };
	int err = p->used ? 0 : inject_note_place(r, el);

	if (err)
		return err;

	for (unsigned int k = 0; k < words; k++)
		le_write(bytes + 4 * k, 4, code[k]);
	p->used = true;
	err = machine_phys_write(r->m, p->pa, bytes, 4 * words);
	if (!err)
		err = set_core(r, PC, p->va);
	for (unsigned int k = 0; !err && k < words; k++) {
		uint64_t at = p->va + 4 * k, pc = at;

		err = step(r, &pc);
		if (!err && pc != at + 4)
			return code[k] == ERET ? 0 : which_exception(r, at, pc);
	}
	return err;
}

static int execute_safely(struct run *r, unsigned int el, const uint32_t *code, unsigned int words)
{
	int err = execute(r, el, code, words);

	return err <= 0 ? err
			: machine_fail(
				  r->m, -BATON_EVERIFY,
				  "CPU %u faults while what an exception has changed is put back: "
				  "ELR, SPSR, ESR and FAR of EL%d are no longer the guest's",
				  r->cpu, err);
}

/* `eret`: back to the instruction that was not done, with the PSTATE that it had. */
static int leave_handler(struct run *r, unsigned int el, uint64_t elr)
{
	static const uint32_t code[] = { NOP, ERET };
	/* Not from where it leads to: that would look like a step that did not happen. */
	bool same = elr == r->place[el].va;
	uint64_t pc;
	int err = execute_safely(r, el, same ? code : code + 1, same ? 2 : 1);

	if (!err)
		err = machine_reg_read(r->m, r->cpu, "pc", &pc);
	if (!err && pc != elr)
		err = machine_fail(r->m, -BATON_EVERIFY,
				   "CPU %u did not return from the exception: it is at %#" PRIx64,
				   r->cpu, pc);
	return err;
}

/* Is what level @el had back? ELR and SPSR of a higher level cannot be. */
static int check_left(struct run *r, unsigned int el)
{
	struct machine_reg now[LEFT];
	int err = inject_read(r, inject_left_names[el], now, LEFT);

	for (size_t k = el == r->el ? ELR : ESR; !err && k < LEFT; k++)
		if (now[k].value != r->left[el][k].value)
			err = machine_fail(r->m, -BATON_EVERIFY,
					   "%s is %#" PRIx64
					   " after the injection, it was %#" PRIx64,
					   now[k].name, now[k].value, r->left[el][k].value);
	return err;
}

int inject_undo_exception(struct run *r, unsigned int el)
{
	const struct machine_reg *was = r->left[el];
	struct machine_reg now[LEFT];
	uint32_t code[3];
	uint64_t pc;
	bool higher = el != r->el, interrupt;
	int err = inject_read(r, inject_left_names[el], now, LEFT);

	if (!err)
		err = machine_reg_read(r->m, r->cpu, "pc", &pc);
	if (err)
		return err;
	interrupt = pc & 0x180;
	r->i->fault = true;
	r->i->level = el;
	r->i->esr = now[ESR].value;
	r->i->far = now[FAR].value;
	if (higher)
		err = find_place(r, el, pc);
	if (!err && higher) {
		code[0] = put_left[el][2];
		code[1] = put_left[el][3];
		code[2] = MSR_HPFAR_EL2_X0;
		err = set_core(r, 0, was[HPFAR].value);
	}
	if (!err && !higher)
		err = leave_handler(r, el, now[ELR].value);
	if (!err && !higher) {
		err = set_core(r, 0, was[ELR].value);
		if (!err)
			err = set_core(r, 1, was[SPSR].value);
	}
	if (!err)
		err = set_core(r, 2, was[ESR].value);
	if (!err)
		err = set_core(r, 3, was[FAR].value);
	if (!err)
		err = execute_safely(r, el, higher ? code : put_left[el],
				     !higher   ? 4
				     : el == 2 ? 3
					       : 2);
	if (!err && higher)
		err = leave_handler(r, el, now[ELR].value);
	if (!err)
		err = check_left(r, el);
	if (!err && interrupt)
		err = machine_fail(r->m, -BATON_EBUSY, "an interrupt came in between (to EL%u)",
				   el);
	return err;
}

int inject_put_back(struct run *r)
{
	struct machine_reg now[INJECT_CORE];
	int first = 0, err;

	for (unsigned int el = 0; el < 4; el++) {
		const struct place *p = &r->place[el];

		err = p->used ? machine_phys_write(r->m, p->pa, p->old, sizeof(p->old)) : 0;
		first = first ? first : err;
	}
	err = read_core(r, now);
	for (unsigned int k = 0; !err && k < INJECT_CORE; k++)
		if (now[k].value != r->core[k].value)
			err = machine_reg_write(r->m, r->cpu, inject_core_names[k],
						r->core[k].value);
	return first ? first : err;
}

/* Is this CPU one that can be given code? What it has is kept. */
static int reach(struct run *r)
{
	uint64_t cpsr;
	int err = read_core(r, r->core);

	if (err)
		return err;
	cpsr = r->core[CPSR].value;
	r->el = cpsr >> 2 & 3;
	if (cpsr & PSTATE_AARCH32)
		return machine_fail(r->m, -BATON_EREFUSED, "CPU %u is in AArch32, out of reach",
				    r->cpu);
	if (!r->el)
		return machine_fail(
			r->m, -BATON_EREFUSED,
			"CPU %u is at EL0, out of reach: let it come to its kernel first "
			"(a breakpoint at VBAR_EL1+0x400 or +0x480)",
			r->cpu);
	if (cpsr & (PSTATE_SS | PSTATE_IL))
		return machine_fail(r->m, -BATON_EREFUSED,
				    "CPU %u is out of reach: PSTATE.%s is set", r->cpu,
				    cpsr & PSTATE_IL ? "IL" : "SS (the guest steps itself)");
	for (unsigned int el = r->el; !err && el < 4; el++)
		err = inject_read(r, inject_left_names[el], r->left[el], LEFT);
	return err;
}

static int run(struct run *r)
{
	struct inject *i = r->i;
	uint64_t cpsr = (r->core[CPSR].value | PSTATE_DAIF) & ~(uint64_t)PSTATE_BTYPE;
	uint64_t out[4];
	int err = 0, el;

	for (unsigned int k = 0; !err && k < 4; k++)
		err = set_core(r, k, i->x[k]);
	if (!err)
		err = set_core(r, CPSR, cpsr);
	if (err)
		return err;
	el = execute(r, r->el, i->code, i->words);
	if (el > 0)
		return inject_undo_exception(r, (unsigned int)el);
	for (unsigned int k = 0; !el && k < 4; k++)
		el = machine_reg_read(r->m, r->cpu, inject_core_names[k], &out[k]);
	if (!el)
		memcpy(i->x, out, sizeof(out));
	return el;
}

int inject_run(struct machine *m, struct inject *i)
{
	struct run r = { .m = m, .i = i, .cpu = i->cpu };
	struct machine_stop keep = m->last_stop;
	unsigned int cpu = m->cpu;
	int err, back = 0;

	assert(i->words && i->words <= INJECT_WORDS);
	i->fault = false;
	if (!m->ops->step || !m->ops->reg_write || !m->ops->phys_write)
		return machine_fail(
			m, -BATON_EUNSUPPORTED,
			"no instructions can be injected here: it is no running machine");
	err = reach(&r);
	if (!err)
		err = find_place(&r, r.el, r.core[PC].value);
	if (err)
		return err;
	moment_begin(m);
	err = inject_note(&r);
	if (err) {
		moment_end(m, true);
		return err;
	}
	m->last_stop.packet = (struct buf){ 0 };
	err = run(&r);
	if (err != -BATON_ELINK) {
		char words[sizeof(m->error)];

		memcpy(words, m->error, sizeof(words));
		back = inject_put_back(&r);
		if (back && back != -BATON_ELINK)
			back = machine_fail(
				m, -BATON_EVERIFY,
				"CPU %u: not all is as it was before the injection: %.150s", i->cpu,
				baton_strerror(back));
		else if (!back)
			memcpy(m->error, words, sizeof(words));
		err = back ? back : err;
		/* The machine stands as it stood: for GDB, too, nothing has happened. */
		buf_free(&m->last_stop.packet);
		m->last_stop = keep;
		m->cpu = cpu;
	} else {
		buf_free(&keep.packet);
	}
	moment_end(m, err != -BATON_ELINK && !back);
	return err;
}

/* Where it leads nobody else may have been, and there only pc and PSTATE are other ones. */
static int executed_eret(struct run *r)
{
	unsigned int to = r->left[r->el][SPSR].value >> 2 & 3;
	int err = leave_handler(r, r->el, r->left[r->el][ELR].value);
	int el = err ? err : machine_el(r->m, r->cpu);

	if (el >= 0 && (unsigned int)el != to)
		return machine_fail(r->m, -BATON_EVERIFY,
				    "CPU %u did not go to EL%u by the eret, but is at EL%d", r->cpu,
				    to, el);
	return el < 0 ? el : 0;
}

/* The bytes alone: all else is as the eret has left it. */
static int bytes_back(struct run *r)
{
	const struct place *p = &r->place[r->el];

	return p->used ? machine_phys_write(r->m, p->pa, p->old, sizeof(p->old)) : 0;
}

int inject_eret(struct machine *m, unsigned int cpu)
{
	struct inject none = { .cpu = cpu };
	struct run r = { .m = m, .i = &none, .cpu = cpu };
	struct machine_stop keep = m->last_stop;
	unsigned int selected = m->cpu;
	int err = reach(&r), back;

	if (!err && (r.left[r.el][SPSR].value & PSTATE_AARCH32))
		err = machine_fail(m, -BATON_EREFUSED, "CPU %u came from AArch32, out of reach",
				   cpu);
	if (!err)
		err = find_place(&r, r.el, r.core[PC].value);
	if (err)
		return err;
	moment_begin(m);
	err = inject_note(&r);
	m->last_stop.packet = (struct buf){ 0 };
	if (!err)
		err = executed_eret(&r);
	back = err == -BATON_ELINK ? err : bytes_back(&r);
	buf_free(&m->last_stop.packet);
	m->last_stop = keep;
	m->cpu = selected;
	moment_end(m, !back);
	return err ? err : back;
}
