/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Under KVM some of our stops are instructions in memory (machine/live_break.c), and a loader
 * that moves itself takes them along. QEMU knows nothing of those in the copy: to the guest each
 * is an exception. So they are taken out before anybody compares the copy, or runs there.
 */
#include "handoff/internal.h"

#include "hex.h"
#include "patch/icache.h"

#define BRK 0xd4200000u

/* What was at @from before it was copied or overwritten. */
static bool original(const struct handoff *h, uint64_t from, uint32_t *word)
{
	const struct scan_word *known = scan_word(&h->scan, from);
	uint8_t raw[4];

	if (!known && machine_phys_read(machine_of(h), from, raw, sizeof(raw)))
		return false;
	*word = known ? known->word : (uint32_t)le_read(raw, 4);
	return true;
}

bool copied_word(const struct handoff *h, uint64_t from, uint64_t to, uint32_t *word)
{
	struct machine *m = machine_of(h);
	struct machine_trap trap;
	uint8_t raw[4];

	if (machine_phys_read(m, to, raw, sizeof(raw)))
		return false;
	*word = (uint32_t)le_read(raw, 4);
	for (size_t i = 0; *word == BRK && machine_trap(m, i, &trap); i++)
		if (trap.pa == from)
			*word = trap.word;
	return true;
}

static bool same_code(const struct handoff *h, uint64_t from, uint64_t to, unsigned int words)
{
	uint32_t was, is;

	for (uint64_t at = 0; at < 4ull * words; at += 4)
		if (!original(h, from + at, &was) || !copied_word(h, from + at, to + at, &is) ||
		    was != is)
			return false;
	return true;
}

bool copied_from(const struct handoff *h, uint64_t to, const uint32_t *words, unsigned int n,
		 uint64_t *from)
{
	struct machine_trap trap;
	unsigned int k = 0;

	while (k < n && words[k] != BRK)
		k++;
	for (size_t i = 0; k < n && machine_trap(machine_of(h), i, &trap); i++) {
		*from = trap.pa - 4ull * k;
		if (*from != to && same_code(h, *from, to, n))
			return true;
	}
	return false;
}

/* A copy need not be of all: does the word before, or the one behind, look like it? */
static bool in_copy(const struct handoff *h, uint64_t from, uint64_t to)
{
	return same_code(h, from - 4, to - 4, 1) || same_code(h, from + 4, to + 4, 1);
}

int copied_clean(struct handoff *h, unsigned int cpu, uint64_t from, uint64_t to)
{
	struct machine *m = machine_of(h);
	const struct scan_span *s = h->image.span, *end = s + h->image.spans;
	struct machine_trap trap;
	struct buf say = { 0 };
	int err = 0;

	while (s < end && (from < s->first || from > s->last))
		s++;
	for (size_t i = 0; s < end && from != to && err >= 0 && machine_trap(m, i, &trap); i++) {
		uint64_t pa = trap.pa - from + to;
		struct icache_what what = { pa, pa, 4, cpu };

		if (trap.pa < s->first || trap.pa > s->last || !in_copy(h, trap.pa, pa))
			continue;
		err = machine_trap_copied(m, i, pa);
		if (err > 0 && icache_refresh(m, &what, &say) == -BATON_ELINK)
			err = -BATON_ELINK;
	}
	handoff_say(h, &say);
	buf_free(&say);
	return err < 0 ? err : 0;
}
