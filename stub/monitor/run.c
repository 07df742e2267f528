/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/run.h"

int run_allowed(struct cmd *c, const char *instead)
{
	if (!c->ctx->gdb)
		return 0;
	return cmd_fail(c, -BATON_EREFUSED, "GDB runs the machine: type `%s` there", instead);
}

int run_where(struct cmd *c, unsigned int cpu, struct buf *out)
{
	uint64_t pc;
	int el = machine_el(c->machine, cpu);
	int err = el < 0 ? el : machine_reg_read(c->machine, cpu, "pc", &pc);

	if (err)
		return err;
	if (c->machine->cpus > 1)
		buf_printf(out, "CPU %u, ", cpu);
	buf_printf(out, "pc %#" PRIx64, pc);
	if (c->ctx->symbols)
		symbols_say(c->ctx->symbols, pc, out);
	buf_printf(out, ", EL%d", el);
	return 0;
}

static const char *reason(const struct machine_stop *stop)
{
	switch (stop->kind) {
	case STOP_TIMEOUT:
		return "time is over";
	case STOP_INTERRUPT:
		return "interrupted";
	case STOP_SIGNAL:
		return stop->signal == 5 ? "a breakpoint or a step" : NULL;
	case STOP_NONE:
	case STOP_EXITED:
		break;
	}
	return NULL;
}

int run_say_stop(struct cmd *c, const struct machine_stop *stop)
{
	const char *why = reason(stop);
	struct buf where = { 0 };
	int err;

	if (stop->kind == STOP_EXITED) {
		cmd_say(c, "the machine has ended");
		return 0;
	}
	err = run_where(c, stop->cpu, &where);
	if (err)
		cmd_fail(c, err, NULL);
	else if (why)
		cmd_say(c, "stopped, %s: %s", why, where.data);
	else
		cmd_say(c, "stopped, signal %d: %s", stop->signal, where.data);
	buf_free(&where);
	return err;
}
