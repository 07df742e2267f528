/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands on translation tables share. */
#ifndef BATON_MONITOR_TABLES_H
#define BATON_MONITOR_TABLES_H

#include "machine/tables.h"
#include "monitor/command.h"

/** tables_open() - the tables that -c and -r chose. The error is said. */
int tables_open(struct tables *t, struct cmd *c);

/** tables_say_options() - the -c and -r that lead to @t again, for a command to type next. */
void tables_say_options(const struct tables *t, struct buf *out);

/** tables_level() - "L0" to "L3" or "0" to "3", also "L-1"; -BATON_EINVAL, said. */
int tables_level(struct cmd *c, int arg, int *level);

/**
 * tables_say_walk() - walk @va and say it, with what to type next behind a fault.
 * @out: the walk; may be NULL
 *
 * Sets c->found if it faults. Errors are said.
 */
int tables_say_walk(struct tables *t, struct cmd *c, uint64_t va, const struct pt_access *acc,
		    struct pt_walk *out);

#endif
