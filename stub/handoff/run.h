/* SPDX-License-Identifier: BSD-2-Clause */
/* The way from reset to the kernel's first instruction. */
#ifndef BATON_HANDOFF_RUN_H
#define BATON_HANDOFF_RUN_H

#include "monitor/command.h"

struct handoff;

struct handoff *handoff_new(void);
void handoff_free(struct handoff *h);

/** handoff_armed() - `handoff run` was typed in GDB: its next `continue` is ours. */
bool handoff_armed(const struct handoff *h);

/**
 * handoff_continue() - run the armed handoff until it ends or GDB has to be told of a
 * stop (m->last_stop; @stop may be NULL). The timeline goes to @sink.
 *
 * Return: 0 whatever was found; or the machine's error.
 */
int handoff_continue(struct context *ctx, struct sink *sink, struct machine_stop *stop);

#endif
