/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/run.h"

#include <stdlib.h>

struct handoff {
	bool armed;
};

struct handoff *handoff_new(void)
{
	return calloc(1, sizeof(struct handoff));
}

void handoff_free(struct handoff *h)
{
	free(h);
}

bool handoff_armed(const struct handoff *h)
{
	return h->armed;
}

int handoff_continue(struct context *ctx, struct sink *sink, struct machine_stop *stop)
{
	(void)sink;
	return machine_resume(ctx->machine, -1, stop);
}
