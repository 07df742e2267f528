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
/**
 * maps_bulk() - memory as m->tables see it: of a nested regime by way of stage 2, which is m->s2
 * where m->cfg[0] says that it is one. Nothing else of @m is asked.
 */
struct pt_bulk maps_bulk(struct maps *m);
/** maps_of_stage2() - the second stage of @m, which is nested, by itself. */
void maps_of_stage2(struct maps *alone, const struct maps *m);
/** maps_run() - pt_map() over root @i, memory read as fast as it goes. */
int maps_run(struct maps *m, unsigned int i, uint64_t from, uint64_t to,
	     const struct pt_map_sink *sink, struct pt_map_stats *stats);

/** maps_arg_span() - argument @i as FROM-TO, or FROM alone for its page; errors are said. */
int maps_arg_span(struct cmd *c, int i, uint64_t *from, uint64_t *to);

/** maps_has() - could root @i translate any of @from to @to? */
bool maps_has(const struct maps *m, unsigned int i, uint64_t from, uint64_t to);
/** maps_is_wrong() - an input size that does not fit, or no root that is walked at all. */
bool maps_is_wrong(const struct maps *m);

/**
 * struct maps_range - a range as it ends: of two stages, what both make of it.
 * @r:     .oa is the physical address, .attrs what both stages leave
 * @ipa:   of two stages: what stage 1 makes of r.ia
 * @fault: NULL; or why stage 2 leads nowhere: r.oa means nothing then
 * @times: of r.size, the same r.oa again and again; 1 for all that is not so
 */
struct maps_range {
	struct pt_range r;
	uint64_t ipa, times;
	const char *fault;
};

/**
 * struct maps_notes - notes on their way to lines: neighbors that say the same share a
 * line, and no table gets more than a few. All zero at first.
 */
struct maps_notes {
	struct pt_note note; /* the first that is not yet said */
	uint64_t count;	     /* with it; 0: none */
	bool step;	     /* REPEAT: of tables one behind the other */
	/* per level (index LEVEL + 2): the table that notes were last of */
	struct maps_noted {
		uint64_t table, ia, size;
		unsigned int lines, more[4];
	} noted[PT_LEVELS + 1];
};

/* Lines of text, each with its end. */
void maps_say_head(const struct maps *m, unsigned int i, struct buf *out);
void maps_say_range(const struct maps *m, const struct maps_range *r, struct buf *out);
void maps_say_stats(const struct maps *m, const struct pt_map_stats *s, struct buf *out);

/** maps_note() - one more. maps_notes_flush(): a line of another kind comes; _end(): nothing more.
 */
void maps_note(struct maps_notes *s, const struct maps *m, const struct pt_note *n,
	       struct buf *out);
void maps_notes_flush(struct maps_notes *s, const struct maps *m, struct buf *out);
void maps_notes_end(struct maps_notes *s, const struct maps *m, struct buf *out);

#endif
