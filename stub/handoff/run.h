/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way from reset to the jump that leaves the loader: the machine runs between the
 * instructions that matter, each of them becomes an event, and the target of the last
 * jump is walked before it is taken.
 */
#ifndef BATON_HANDOFF_RUN_H
#define BATON_HANDOFF_RUN_H

#include "monitor/command.h"

/* How long nothing may happen before a run ends, unless told. */
#define HANDOFF_SILENCE_MS 10000

struct handoff *handoff_new(void);
void handoff_free(struct handoff *h);

/* What a run ends after; its words are the user's. */
enum handoff_until {
	UNTIL_KERNEL, /* its first instruction */
	UNTIL_MMU_ON,
	UNTIL_EL_CHANGE,
	UNTIL_PSCI,
	UNTIL_JUMP, /* before it */
	UNTIL_EXCEPTION,
	UNTIL_USER, /* the first instruction at EL0 */
	UNTIL_EVENT,
};

/** handoff_until() - by its word, or -BATON_ENOTFOUND. handoff_until_name() - the word. */
int handoff_until(const char *name);
const char *handoff_until_name(enum handoff_until kind);

/** struct handoff_goal - how far a run is to go. */
struct handoff_goal {
	enum handoff_until kind;
	size_t event;	/* UNTIL_EVENT: how many there are then */
	int silence_ms; /* how long to wait for the next event */
};

/**
 * handoff_run() - run from where the machine is until @goal is reached: by default until
 * the CPU that started leaves the loader; or something is wrong. The timeline goes to @sink as it
 * happens. The machine stands at the kernel's first instruction, or before the jump that would
 * fail, or at the first instruction of the vector that a fault took it to.
 * @found: something is wrong, and was said
 *
 * Return: 0, or a negative BATON_E; -BATON_ECANCELED: the user interrupted, said.
 */
int handoff_run(struct context *ctx, struct sink *sink, const struct handoff_goal *goal,
		bool *found);

/** handoff_over() - the loader was left already; said to @sink. */
bool handoff_over(struct context *ctx, struct sink *sink);

/** handoff_arm() - GDB runs the machine: its next `continue` is to be a handoff_run(). */
void handoff_arm(struct handoff *h, const struct handoff_goal *goal);
bool handoff_armed(const struct handoff *h);

/**
 * handoff_continue() - GDB continues and a run is armed. A stop of GDB's own (its
 * breakpoints, an interrupt) ends it early; it stays armed then.
 * @stop: the stop to report, as machine_resume() has it; may be NULL, the machine's
 *        last_stop is the same
 */
int handoff_continue(struct context *ctx, struct sink *sink, struct machine_stop *stop);

/** handoff_events() - how many events there have been since reset. */
size_t handoff_events(const struct context *ctx);

/** handoff_warnings() - how many of them are warnings. */
size_t handoff_warnings(const struct context *ctx);

/** handoff_log() - the timeline so far, again. */
void handoff_log(struct context *ctx, struct buf *out);

/** handoff_log_json() - the same as an array of jansson's, an object an event. */
struct json_t *handoff_log_json(struct context *ctx);

/**
 * handoff_preflight() - all that is looked at before the next instruction that switches
 * translation or leaves, as a list; nothing runs.
 * @facts: an object of jansson's, which gets the same as members; may be NULL
 * @found: something is wrong
 */
int handoff_preflight(struct context *ctx, unsigned int cpu, struct buf *out, struct json_t *facts,
		      bool *found);

/**
 * handoff_why() - explain the pending or the last fault, or say what the CPUs do.
 * @found: there is one
 */
int handoff_why(struct context *ctx, unsigned int cpu, struct buf *out, bool *found);

/**
 * handoff_replay() - the machine was reset: the next run is quiet, checks every return, and
 * ends at the first that is wrong.
 */
void handoff_replay(struct context *ctx);

/**
 * handoff_fix() - what would repair it; with @apply it is done, and where the CPU has
 * just taken the fault it is put back on the instruction.
 * @found: something is still wrong
 */
int handoff_fix(struct context *ctx, unsigned int cpu, bool apply, struct buf *out, bool *found);

#endif
