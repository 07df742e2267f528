/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reset that the guest makes (PSCI SYSTEM_RESET, a watchdog): QEMU's stub says nothing of it.
 * Where the first instruction after one is known, a breakpoint lies there while the machine
 * runs and somebody wants to know; a CPU in it with all registers zero has been reset.
 */
#include "machine/live.h"

#include <stdio.h>
#include <string.h>

#define GENERAL 32u /* x0 to x30, sp */

/* QEMU clears all of them, and sets the pc (arm_cpu_reset(), do_cpu_reset()). */
static int looks_reset(struct machine *m, unsigned int cpu, uint64_t *pc, bool *reset)
{
	struct machine_reg regs[GENERAL + 1];
	char name[GENERAL][8];
	int err;

	for (unsigned int i = 0; i < GENERAL; i++) {
		snprintf(name[i], sizeof(name[i]), i < 31 ? "x%u" : "sp", i);
		regs[i] = (struct machine_reg){ .name = name[i] };
	}
	regs[GENERAL] = (struct machine_reg){ .name = "pc" };
	err = machine_regs_read(m, cpu, regs, GENERAL + 1);
	*reset = !err && !regs[GENERAL].err;
	for (unsigned int i = 0; i < GENERAL; i++)
		*reset &= !regs[i].err && !regs[i].value;
	*pc = regs[GENERAL].value;
	return err;
}

int live_reset_learn(struct live *l)
{
	return looks_reset(&l->m, 0, &l->m.reset_pc, &l->m.reset_known);
}

static bool is_wanted(const struct machine *m)
{
	return machine_break_has(m, BREAK_GDB, m->reset_pc) ||
	       machine_break_has(m, BREAK_HANDOFF, m->reset_pc) ||
	       machine_break_has(m, BREAK_COMMAND, m->reset_pc);
}

/*
 * A CPU that is in that place would stop there at once: the one that is reset first is led over
 * it, others are left alone (they may be off, and then do not step).
 */
static int leave_place(struct live *l, bool *free)
{
	struct machine *m = &l->m;
	unsigned int selected = m->cpu;
	int err = 0;

	*free = true;
	for (unsigned int cpu = m->cpus; !err && *free && cpu--;) {
		uint64_t pc;

		err = machine_reg_read(m, cpu, "pc", &pc);
		if (err || pc != m->reset_pc)
			continue;
		if (cpu)
			*free = false;
		else
			err = machine_step(m, 0, NULL);
	}
	m->cpu = selected;
	return err == -BATON_ELINK ? err : 0;
}

int live_reset_watch(struct live *l, bool on)
{
	struct machine *m = &l->m;
	bool free = true;
	int err = 0;

	if (!m->reset_known || !m->wants_reset || (on && !m->wants_reset(m->reset_ctx)))
		return 0;
	/* Under KVM there are few, and they are the user's: one that lies there will do. */
	if (on && m->accel != ACCEL_TCG && m->break_count && !is_wanted(m))
		return 0;
	if (on)
		err = leave_place(l, &free);
	if (err || !free)
		return err;
	err = on ? machine_break_add(m, BREAK_RESET, BREAK_HARD, m->reset_pc, 4)
		 : machine_break_remove(m, BREAK_RESET, BREAK_HARD, m->reset_pc, 4);
	/* Where none is left it is not known, and nobody is to suffer from that. */
	return err == -BATON_ELINK ? err : 0;
}

int live_reset_seen(struct live *l, bool *go_on)
{
	struct machine *m = &l->m;
	unsigned int cpu = m->last_stop.cpu;
	bool reset;
	uint64_t pc;
	int err;

	*go_on = false;
	if (m->last_stop.kind != STOP_SIGNAL || !machine_break_has(m, BREAK_RESET, m->reset_pc))
		return 0;
	err = looks_reset(m, cpu, &pc, &reset);
	if (err || pc != m->reset_pc)
		return err;
	if (reset) {
		m->resets++;
		m->was_reset(m->reset_ctx);
	}
	*go_on = !is_wanted(m);
	return 0;
}
