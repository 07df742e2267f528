/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/run.h"
#include "monitor/handoff.h"

int handoff_sub_preflight(struct cmd *c)
{
	struct buf out = { 0 };
	int err = handoff_preflight(c->ctx, c->cpu, &out, &c->found);

	if (err)
		cmd_fail(c, err, NULL);
	else
		cmd_text(c, &out);
	buf_free(&out);
	return err;
}
