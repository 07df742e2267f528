/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/run.h"
#include "monitor/handoff.h"
#include "monitor/json.h"

#include <stdlib.h>

/* With baton's own --json they are members of the command's object. */
int handoff_sub_preflight(struct cmd *c)
{
	bool json = cmd_option(c, "--json");
	json_t *own = json && !c->ctx->facts ? json_need(json_object()) : NULL;
	unsigned int cpu = c->cpu;
	struct buf out = { 0 };
	char *line = NULL;
	int err = handoff_cpu(c, &cpu);

	if (!err)
		err = cmd_no_more(c, 1);
	if (!err) {
		err = handoff_preflight(c->ctx, cpu, &out, own ? own : c->ctx->facts, &c->found);
		if (err)
			cmd_fail(c, err, NULL);
	}
	if (!err && own)
		line = json_dumps(own, JSON_COMPACT);
	if (line)
		cmd_say(c, "%s", line);
	else if (!err && !c->ctx->facts)
		cmd_text(c, &out);
	free(line);
	json_decref(own);
	buf_free(&out);
	return err;
}
