/* SPDX-License-Identifier: BSD-2-Clause */
/* What the forms of `export` share. */
#ifndef BATON_MONITOR_EXPORT_H
#define BATON_MONITOR_EXPORT_H

#include "monitor/command.h"
#include "patch/journal.h"

/**
 * export_each() - @entry for each patch that is whole in the machine; the others are said.
 * Return: the first error of @entry's, or the machine's, said.
 */
int export_each(struct cmd *c, int (*entry)(void *ctx, const struct journal_entry *e), void *ctx);

/** export_image() - `export image IMG [OUT]`. */
int export_image(struct cmd *c);

#endif
