/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction of a stretch: one CPU is stepped, and what it did is kept in a ring, so
 * that the newest stay however long the stretch is. The other CPUs stand still meanwhile,
 * and no interrupt is taken (QEMU's single steps mask them and stop the timers).
 */
#ifndef BATON_HANDOFF_TRACE_H
#define BATON_HANDOFF_TRACE_H

#include "handoff/run.h"

#include <jansson.h>

#define TRACE_KEEP     10000u
#define TRACE_KEEP_MAX 1000000u
#define TRACE_MANY     1000000u /* instructions, where a goal alone was given */

/** struct trace_goal - how far to go: whatever comes first. */
struct trace_goal {
	unsigned int cpu;
	uint64_t limit; /* instructions */
	bool to;	/* up to where the CPU stands at @address */
	uint64_t address;
	int until;   /* an enum handoff_until of trace_knows(); -1: none */
	size_t keep; /* the newest of them stay */
};

/** struct trace_change - of one register, by number (enum CORE_*, but never CORE_PC). */
struct trace_change {
	unsigned int reg;
	uint64_t old, new;
};

enum trace_flags {
	TRACE_UNREAD = 1,    /* @word could not be read */
	TRACE_LATE = 2,	     /* @word was read only after it had run */
	TRACE_EXCEPTION = 4, /* it ended in the vector of an exception */
};

/** struct trace_entry - one instruction that has run. */
struct trace_entry {
	uint64_t pc, first; /* the number of its first change */
	uint32_t word;
	uint8_t el, flags;
	uint16_t changes;
};

/** struct trace_ring - entries [begin, end), numbered from 0 since trace_ring_init(). */
struct trace_ring {
	struct trace_entry *entry;
	struct trace_change *change;
	size_t keep, change_keep;
	uint64_t begin, end, change_end;
};

void trace_ring_init(struct trace_ring *r, size_t keep);
void trace_ring_free(struct trace_ring *r);
/** trace_ring_add() - @e ran from @before to @after (CORE_COUNT each); its changes are found. */
void trace_ring_add(struct trace_ring *r, struct trace_entry e, const uint64_t *before,
		    const uint64_t *after);
const struct trace_entry *trace_ring_at(const struct trace_ring *r, uint64_t n);
const struct trace_change *trace_ring_change(const struct trace_ring *r,
					     const struct trace_entry *e, unsigned int i);

struct trace; /* of a struct handoff */

void trace_free(struct trace *t);

/** trace_knows() - it can go until that; trace_list() - append those that it knows. */
bool trace_knows(int until);
void trace_list(struct buf *out);

/** trace_arm() - GDB's next `continue` is to be it. trace_disarm(), trace_armed(). */
void trace_arm(struct handoff *h, const struct trace_goal *goal);
void trace_disarm(struct handoff *h);
bool trace_armed(const struct handoff *h);

/**
 * trace_run() - from where the CPU stands. What was traced before is forgotten. The end of it
 * goes to @sink. @reached: the goal, or all of the instructions where none was given
 */
int trace_run(struct context *ctx, struct sink *sink, const struct trace_goal *goal, bool *reached);
/** trace_continue() - what was armed; machine.last_stop is the stop to report. */
int trace_continue(struct context *ctx, struct sink *sink);

/** trace_show() - the last @n, a line each. */
void trace_show(const struct context *ctx, uint64_t n, struct buf *out);
/** trace_each_json() - the last @n, oldest first: one object each, which @put takes over. */
void trace_each_json(const struct context *ctx, uint64_t n, void (*put)(void *ctx, json_t *one),
		     void *put_ctx);

#endif
