/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/run.h"

#define STEPS_MAX 1000000

/* One instruction; false in @again if something else than the step stopped the machine. */
static int step_once(struct cmd *c, bool *again)
{
	struct machine_stop stop = { 0 };
	struct buf where = { 0 };
	int err = machine_step(c->machine, c->cpu, &stop);

	*again = !err && stop.kind == STOP_SIGNAL && stop.signal == 5;
	if (err)
		cmd_fail(c, err, NULL);
	else if (!*again)
		err = run_say_stop(c, &stop);
	else
		err = run_where(c, c->cpu, &where);
	if (where.len)
		cmd_say(c, "%s", where.data);
	buf_free(&where);
	buf_free(&stop.packet);
	return err;
}

static int run(struct cmd *c)
{
	uint64_t steps = 1;
	bool again = true;
	int err = run_allowed(c, "stepi");

	if (!err)
		err = cmd_no_more(c, 1);
	if (!err && cmd_count(c))
		err = cmd_arg(c, 0, "N", &steps);
	if (!err && (!steps || steps > STEPS_MAX))
		err = cmd_fail(c, -BATON_EINVAL, "N is 1 to %d", STEPS_MAX);
	while (!err && again && steps--)
		err = machine_canceled(c->machine) ? -BATON_ECANCELED : step_once(c, &again);
	return err;
}

COMMAND(step, "step", run, .args = "[N]", .needs = CMD_STOPPED | CMD_CPU,
	.help = "one instruction, or N, on one CPU; the others stand (where there is no GDB)");
