/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place where baton waits. Whoever has a file descriptor registers it;
 * whoever waits for something calls loop_wait() until it is there. Callbacks move
 * bytes and set flags; they never wait themselves, so the code that waits can be
 * written in plain sequence.
 */
#ifndef BATON_LOOP_H
#define BATON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_SOURCES 8

struct loop_source {
	/* Descriptor and poll() events that are wanted now; fd -1: nothing. */
	int (*want)(void *ctx, short *events);
	void (*ready)(void *ctx, short events);
	void *ctx;
};

struct loop {
	struct loop_source source[LOOP_SOURCES];
	unsigned int count;
	bool quit; /* a signal asked for the end: every wait returns at once */
	int quit_signal;
};

void loop_add(struct loop *l, struct loop_source source);
void loop_remove(struct loop *l, void *ctx);

/**
 * loop_wait() - wait until something happened or @timeout_ms is over (-1: no limit).
 * Return: true if some callback ran; false for the time limit.
 */
bool loop_wait(struct loop *l, int timeout_ms);

/** loop_now() - milliseconds of a clock that only goes forward. */
int64_t loop_now(void);

#endif
