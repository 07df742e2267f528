/* SPDX-License-Identifier: BSD-2-Clause */
/* Subcommands of `handoff`: a function here, its row in handoff.c, a file each. */
#ifndef BATON_MONITOR_HANDOFF_H
#define BATON_MONITOR_HANDOFF_H

#include "monitor/command.h"

/** struct handoff_sub - @run sees the subcommand's name as word 0, its arguments behind. */
struct handoff_sub {
	const char *name;
	const char *args; /* synopsis; "" if there are none */
	int most;	  /* words behind the name that are taken; -1: it looks itself */
	int (*run)(struct cmd *c);
};

/** handoff_seconds() - word @i as SECONDS, in milliseconds; the default if it is missing. */
int handoff_seconds(struct cmd *c, int i, int *ms);

/** handoff_cpu() - the option -c CPU; *@cpu stays as it is without. Errors are said. */
int handoff_cpu(struct cmd *c, unsigned int *cpu);

/** handoff_sub_trace() - handoff_trace.c */
int handoff_sub_trace(struct cmd *c);

/** handoff_sub_preflight() - handoff_preflight.c */
int handoff_sub_preflight(struct cmd *c);

#endif
