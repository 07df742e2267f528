/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU from one instruction to the next. */
#include "machine/machine.h"

const char *const machine_core_names[CORE_COUNT] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",	 "x7",	"x8",  "x9",   "x10", "x11",
	"x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",  "x22", "x23",
	"x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",	"pc",  "cpsr",
};

int machine_look(struct machine *m, unsigned int cpu, uint64_t core[CORE_COUNT])
{
	struct machine_reg regs[CORE_COUNT];
	int err;

	for (unsigned int i = 0; i < CORE_COUNT; i++)
		regs[i] = (struct machine_reg){ .name = machine_core_names[i] };
	err = machine_regs_read(m, cpu, regs, CORE_COUNT);
	for (unsigned int i = 0; !err && i < CORE_COUNT; i++) {
		core[i] = regs[i].value;
		err = regs[i].err;
	}
	return err;
}

int machine_look_step(struct machine *m, unsigned int cpu, uint64_t core[CORE_COUNT])
{
	int err;

	m->error[0] = 0;
	/* Under KVM a breakpoint where the CPU stands has to be lifted: machine_step(). */
	if (m->ops->look_step && !(m->accel == ACCEL_KVM && m->break_count))
		return m->ops->look_step(m, cpu, core);
	err = machine_look(m, cpu, core);
	return err ? err : machine_step(m, cpu, NULL);
}

int machine_where(struct machine *m, unsigned int cpu, uint64_t va, uint64_t *pa)
{
	m->error[0] = 0;
	if (m->ops->where)
		return m->ops->where(m, cpu, va, pa);
	return machine_fail(m, -BATON_EUNSUPPORTED,
			    "this machine does not say where %#" PRIx64 " is", va);
}
