/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands that run the machine themselves share; only where there is no GDB. */
#ifndef BATON_MONITOR_RUN_H
#define BATON_MONITOR_RUN_H

#include "monitor/command.h"

/** run_allowed() - refused, said, with GDB attached; @instead is what to type there. */
int run_allowed(struct cmd *c, const char *instead);

/** run_say_stop() - one line: why and where the machine stands still. */
int run_say_stop(struct cmd *c, const struct machine_stop *stop);

/** run_where() - append "pc 0x... <symbol>, EL1" of one CPU. */
int run_where(struct cmd *c, unsigned int cpu, struct buf *out);

#endif
