/* SPDX-License-Identifier: BSD-2-Clause */
/* Having the CPU translate an address itself, by an injected AT. */
#ifndef BATON_MONITOR_ASK_H
#define BATON_MONITOR_ASK_H

#include "monitor/tables.h"

/**
 * ask_cpu() - AT for @va, compared with @w, our walk of it for a read or write @acc.
 * Sets c->found where they disagree. Errors are said; a fetch and a regime that is not the
 * CPU's to ask for are errors.
 */
int ask_cpu(struct cmd *c, struct tables *t, uint64_t va, const struct pt_access *acc,
	    const struct pt_walk *w);

#endif
