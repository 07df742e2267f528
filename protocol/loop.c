/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <time.h>

void loop_add(struct loop *l, struct loop_source source)
{
	assert(l->count < LOOP_SOURCES);
	l->source[l->count++] = source;
}

void loop_remove(struct loop *l, void *ctx)
{
	for (unsigned int i = 0; i < l->count; i++) {
		if (l->source[i].ctx == ctx) {
			l->source[i] = l->source[--l->count];
			return;
		}
	}
}

bool loop_wait(struct loop *l, int timeout_ms)
{
	struct pollfd fds[2 * LOOP_SOURCES];
	struct loop_source who[2 * LOOP_SOURCES];
	unsigned int n = 0;
	bool any = false;

	for (unsigned int i = 0; i < l->count; i++) {
		short events = POLLIN;
		int fd = l->source[i].want(l->source[i].ctx, &events);

		if (fd < 0)
			continue;
		fds[n] = (struct pollfd){ .fd = fd, .events = events };
		who[n++] = l->source[i];
	}
	if (poll(fds, n, timeout_ms) <= 0)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		who[i].ready(who[i].ctx, fds[i].revents);
		any = true;
	}
	return any;
}

int64_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
