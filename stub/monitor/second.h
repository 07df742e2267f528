/* SPDX-License-Identifier: BSD-2-Clause */
/* What stage 2 makes of the ranges of stage 1: to where, how far, or why not. */
#ifndef BATON_MONITOR_SECOND_H
#define BATON_MONITOR_SECOND_H

#include "monitor/maps.h"

/* Of stage 2, and of both together in one dump: tables that are shared multiply each other. */
#define SECOND_MAX (1u << 20)

/** struct second - all of stage 2 by IPA. All zero at first. */
struct second {
	struct maps *maps;
	struct second_item *item; /* ascending, apart */
	size_t count, size;
	struct pt_attrs *attrs; /* all that are different */
	unsigned int kinds, last;
	uint64_t pieces; /* given out */
	struct buf fault;
};

/**
 * second_read() - stage 2 behind @m, which is nested.
 * Return: 0; -BATON_ETOOBIG beyond SECOND_MAX ranges; what reading ended with. Nothing is said.
 */
int second_read(struct second *s, struct maps *m);

/**
 * second_split() - stage 1's @r as pieces that stage 2 leaves whole.
 * Return: 0; what @fn returned; -BATON_ETOOBIG beyond SECOND_MAX pieces; a lost link.
 */
int second_split(struct second *s, const struct pt_range *r,
		 int (*fn)(void *ctx, const struct maps_range *piece), void *ctx);

void second_free(struct second *s);

#endif
