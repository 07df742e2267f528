/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing was seen to leave, and yet the CPU is elsewhere: what is it that it runs? */
#include "handoff/internal.h"

#include "hex.h"

#include <string.h>

#define LOOK_BYTES 64

/* How much of the loader's known code has to be at a copy of it. */
#define COPY_WORDS 16

bool code_all_moved(struct handoff *h, uint64_t from, uint64_t to)
{
	unsigned int seen = 0, same = 0;
	uint8_t bytes[4];

	for (size_t i = 0; i < h->scan.size && seen < COPY_WORDS; i++) {
		const struct scan_word *w = &h->scan.words[i];

		if (w->pc == SCAN_NO_PC || !image_holds(&h->image, w->pc))
			continue;
		seen++;
		same += !machine_phys_read(machine_of(h), w->pc - from + to, bytes, 4) &&
			w->word == (uint32_t)le_read(bytes, 4);
	}
	/* some words are addresses, which a copy has changed */
	return same * 2 > seen;
}

/**
 * unseen_way() - the CPU that started is where a copy of what the image carries lies:
 * then the loader has been left, by a `ret` through the stack or the like.
 *
 * @moved: what it runs is the loader's copy of itself, which is watched from now on
 *
 * Return: DONE; GO: nothing of that kind, or @moved.
 */
int unseen_way(struct handoff *h, bool *moved)
{
	struct machine *m = machine_of(h);
	struct event e = { .kind = EVENT_LEFT, .cpu = h->boot_cpu };
	uint8_t bytes[LOOK_BYTES];
	struct pt_walk walk = { 0 };
	struct tables t;
	uint64_t at = 0;
	bool found = false;
	int el = machine_el(m, h->boot_cpu);
	int err = el < 0 ? el : machine_reg_read(m, h->boot_cpu, "pc", &e.pc);

	if (!err)
		err = tables_init(&t, m, h->ctx->symbols, h->boot_cpu, NULL, NULL);
	if (!err)
		err = tables_walk(&t, e.pc, NULL, &walk, NULL);
	if (!err && walk.fault)
		return GO;
	if (!err)
		err = machine_phys_read(m, walk.oa, bytes, sizeof(bytes));
	if (!err)
		err = image_load(&h->image, m);
	if (err || image_intact(&h->image, walk.oa, bytes, sizeof(bytes), &at))
		return err == -BATON_ELINK ? err : GO;
	at = 0;
	found = image_search(&h->image, bytes, sizeof(bytes), &at);
	if (!found && !image_region(&h->image, walk.oa))
		return GO;
	e.el = (unsigned int)el;
	e.after = e.pc;
	if (found && code_all_moved(h, at, walk.oa)) {
		e.kind = EVENT_MOVED;
		e.before = at;
		event_add(h, &e, "runs in a copy of the loader, by a jump that was not watched");
		image_copied(&h->image, m, at, walk.oa, true);
		*moved = true;
		return code_follow_anew(h, h->boot_cpu, NULL, e.pc);
	}
	event_add(h, &e, "runs what was copied to %#" PRIx64 ", by a jump that was not watched",
		  walk.oa);
	h->left = true;
	return DONE;
}
