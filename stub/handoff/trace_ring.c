/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/trace.h"

#include <stdlib.h>

/* Most instructions change one register or none. */
#define CHANGES_EACH 3

void trace_ring_init(struct trace_ring *r, size_t keep)
{
	trace_ring_free(r);
	r->keep = keep;
	r->change_keep = CHANGES_EACH * keep + CORE_COUNT;
	r->entry = calloc(r->keep, sizeof(*r->entry));
	r->change = calloc(r->change_keep, sizeof(*r->change));
	if (!r->entry || !r->change)
		abort();
}

void trace_ring_free(struct trace_ring *r)
{
	free(r->entry);
	free(r->change);
	*r = (struct trace_ring){ 0 };
}

const struct trace_entry *trace_ring_at(const struct trace_ring *r, uint64_t n)
{
	return &r->entry[n % r->keep];
}

const struct trace_change *trace_ring_change(const struct trace_ring *r,
					     const struct trace_entry *e, unsigned int i)
{
	return &r->change[(e->first + i) % r->change_keep];
}

void trace_ring_add(struct trace_ring *r, struct trace_entry e, const uint64_t *before,
		    const uint64_t *after)
{
	e.first = r->change_end;
	e.changes = 0;
	for (unsigned int i = 0; i < CORE_COUNT; i++) {
		if (i == CORE_PC || before[i] == after[i])
			continue;
		r->change[r->change_end++ % r->change_keep] =
			(struct trace_change){ i, before[i], after[i] };
		e.changes++;
	}
	r->entry[r->end++ % r->keep] = e;
	/* Without its changes an entry is none: what came before could not be told any more. */
	while (r->end - r->begin > r->keep ||
	       r->change_end - trace_ring_at(r, r->begin)->first > r->change_keep)
		r->begin++;
}
