/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's own monitor (HMP), and what of it is not passed on: commands that run, end or
 * take away the machine behind our back, and reads that touch devices.
 */
#ifndef BATON_MONITOR_HMP_H
#define BATON_MONITOR_HMP_H

#include "monitor/command.h"

/** hmp_find_ours() - the row that @line calls, NULL: it is for QEMU. */
const struct command *hmp_find_ours(const char *line);

/**
 * hmp_run() - pass a line on and say what comes back. What QEMU calls an error sets
 * c->found.
 *
 * Return: 0; -BATON_EREFUSED: it would do harm, said; or the machine's error, said.
 */
int hmp_run(struct cmd *c, const char *line);

/** hmp_strip() - QEMU ends lines with \r\n: drop each \r. */
void hmp_strip(struct buf *text);

#endif
