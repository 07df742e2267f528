/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands share that change translation tables. */
#ifndef BATON_MONITOR_EDITS_H
#define BATON_MONITOR_EDITS_H

#include "monitor/tables.h"
#include "patch/plan.h"

/* For `help`: the options that all of them have. */
#define EDITS_MORE                                                                           \
	"  -n        only show\n"                                                            \
	"  -f CHECK  do it although that check refuses it, by name; repeatable: format,\n"   \
	"            output-size, alignment, memory, attributes, pc, sp, vectors, tables,\n" \
	"            break-before-make, other-cpu, table-of-other-regime, pool\n"
#define EDITS_MORE_POOL                                                                       \
	"  --pool ADDR,SIZE  RAM for new tables that nobody uses: zero, and none of the\n"    \
	"            loader's; without it, pages among the loader's tables that are proved\n" \
	"            to be unused\n"
#define EDITS_MORE_ATTRS                                                                 \
	"  ATTRS     letters of rwx (r-x), user; normal, nc or device; ish, osh, nsh;\n" \
	"            ng, global: as words, or with commas between\n"

/** struct edits - one such command. Give it back with edits_free(), also after an error. */
struct edits {
	struct cmd *cmd;
	struct tables tables;
	struct plan plan;
	bool show_only, pool_given;
	unsigned int force;
	uint64_t pool, pool_size;
};

/** edits_options() - -n, -f and (with @pool) --pool. Errors are said, as in all of these. */
int edits_options(struct edits *e, struct cmd *c, bool pool);

/** edits_open() - a plan for SIZE bytes at VA, arguments 0 and @size, with the options. */
int edits_open(struct edits *e, int size);

/** edits_attrs() - ATTRS: all arguments from @first on. */
int edits_attrs(struct edits *e, int first, struct pt_want *want);

/** edits_planned() - @err and @why of planning, said if it failed. */
int edits_planned(struct edits *e, int err, struct buf *why);

/** edits_finish() - check, show, and unless -n was given, do it. */
int edits_finish(struct edits *e);

void edits_free(struct edits *e);

#endif
