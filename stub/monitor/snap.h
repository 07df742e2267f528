/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translations as they were: all ranges of a regime, 24 bytes each, and of a table that
 * was met again only where it was met first.
 */
#ifndef BATON_MONITOR_SNAP_H
#define BATON_MONITOR_SNAP_H

#include "monitor/maps.h"

/* Of all that are kept, together with the one that is taken: 24 MiB. */
#define SNAP_MAX_ITEMS (1u << 20)

/* Input addresses and sizes are multiples of 4 KiB: the low bits hold what else there is. */
struct snap_item {
	uint64_t ia : 52, repeat : 1, own : 3, el0 : 3, share : 2, af : 1, ng : 1, ns : 1;
	uint64_t oa : 52, mair : 8, dbm : 1, guarded : 1, nse : 1, s1_decides : 1;
	uint64_t pages; /* all three in 4 KiB; repeat: oa is where it was met first */
};

struct snap_half {
	struct snap_item *item; /* ascending, apart */
	size_t count, size;
	uint64_t root;
	unsigned int half; /* 1: that of TTBR1 */
};

struct snap {
	char *name, *spec; /* -r, NULL: none was given */
	struct regime regime;
	unsigned int cpu, halves;
	struct snap_half half[2];
	struct snap *next;
};

struct snaps {
	struct snap *first; /* in the order of taking */
};

/**
 * snap_take() - all that @m maps now. @kept: items that are kept already.
 * Return: 0; -BATON_ETOOBIG beyond SNAP_MAX_ITEMS; or what reading ended with. Nothing is
 * said; @s is to be cleared either way.
 */
int snap_take(struct snap *s, struct maps *m, size_t kept);
void snap_clear(struct snap *s);
size_t snap_items(const struct snap *s);
/** snaps_items() - of all that are kept. */
size_t snaps_items(const struct snaps *all);
struct snap *snaps_find(const struct snaps *all, const char *name);
void snaps_free(struct snaps *all);

/** struct snap_piece - addresses that translate alike, or (!mapped) not at all. */
struct snap_piece {
	uint64_t first, last, oa;
	bool mapped;
	struct pt_attrs attrs;
};

/** snap_item_at() - what covers @ia; NULL: nothing, up to and with *@last. */
const struct snap_item *snap_item_at(const struct snap_half *h, uint64_t ia, uint64_t *last);
/** snap_look() - how @ia translates, and how far on, by way of repeated tables too. */
struct snap_piece snap_look(const struct snap_half *h, uint64_t ia);

static inline uint64_t snap_item_first(const struct snap_item *i)
{
	return (uint64_t)i->ia << 12;
}

static inline uint64_t snap_item_last(const struct snap_item *i)
{
	return ((uint64_t)i->ia << 12) + ((i->pages << 12) - 1);
}

#endif
