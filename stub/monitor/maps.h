/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands share that go through all that a regime maps. */
#ifndef BATON_MONITOR_MAPS_H
#define BATON_MONITOR_MAPS_H

#include "mmu/map.h"
#include "monitor/tables.h"

/** struct maps - the roots of one regime: one, or one for each half. Do not copy it. */
struct maps {
	struct cmd *cmd;
	struct tables tables;
	struct pt_config cfg[2], s2; /* s2: of a nested regime */
	unsigned int count;
};

/** maps_open() - the regime that -c and -r chose; errors are said. */
int maps_open(struct maps *m, struct cmd *c);
/** maps_bulk() - memory as m->tables see it: of a nested regime by way of stage 2. */
struct pt_bulk maps_bulk(struct maps *m);
/** maps_run() - pt_map() over root @i, memory read as fast as it goes. */
int maps_run(struct maps *m, unsigned int i, uint64_t from, uint64_t to,
	     const struct pt_map_sink *sink, struct pt_map_stats *stats);

/** maps_arg_span() - argument @i as FROM-TO, or FROM alone for its page; errors are said. */
int maps_arg_span(struct cmd *c, int i, uint64_t *from, uint64_t *to);

/* Lines of text, each with its end. */
void maps_say_head(const struct maps *m, unsigned int i, struct buf *out);
void maps_say_range(const struct maps *m, const struct pt_range *r, struct buf *out);
void maps_say_note(const struct maps *m, const struct pt_note *n, struct buf *out);
void maps_say_stats(const struct pt_map_stats *s, struct buf *out);

#endif
