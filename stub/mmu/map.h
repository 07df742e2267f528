/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that one root maps, as ranges. Tables are read whole and several at a time, each
 * is decoded once for a level, and the cost is that of the tables there are: a kernel
 * may share one table between thousands of parents, and a table may point to itself.
 */
#ifndef BATON_MMU_MAP_H
#define BATON_MMU_MAP_H

#include "mmu/walk.h"

#include <stddef.h>

/**
 * struct pt_bulk - whole tables of physical memory.
 * @read: @n tables of @size bytes each, from @pa[i] to @data + i * @size; at most
 *        PT_BULK_MAX, and one read after the other. ok[i] says which could be read. A
 *        negative return ends the map (a lost link, a user who has moved on); a table that
 *        is not there is no error.
 * @wait: the @i-th of the last read, and those before it, may only now be looked at
 *        (UINT_MAX: all), so that one is decoded while the others are on their way.
 *        NULL: read() leaves nothing under way.
 */
#define PT_BULK_MAX 256u
struct pt_bulk {
	int (*read)(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		    bool *ok);
	void *ctx;
	int (*wait)(void *ctx, unsigned int i);
};

/** pt_bulk_read() - all of them, at once. */
int pt_bulk_read(const struct pt_bulk *bulk, const uint64_t *pa, unsigned int n, size_t size,
		 uint8_t *data, bool *ok);

/* Input addresses, one behind the other, that translate alike. */
struct pt_range {
	uint64_t ia, oa, size;
	struct pt_attrs attrs;
	unsigned int levels; /* bit LEVEL + 1 for each level that has leaves in it */
};

enum pt_note_kind {
	PT_NOTE_REPEAT,	    /* the table was decoded at @first already, the same way */
	PT_NOTE_LOOP,	    /* the table is one of those that lead to it */
	PT_NOTE_UNREADABLE, /* the table is not in memory */
	PT_NOTE_BAD,	    /* a reserved encoding, or an address beyond the output size */
};

/* Something that is no mapping. */
struct pt_note {
	enum pt_note_kind kind;
	uint64_t ia, size; /* what the entry covers */
	int level;	   /* of the entry; -2: the root itself */
	unsigned int index;
	uint64_t address, desc; /* the entry */
	uint64_t table;		/* where it points to */
	uint64_t first;		/* REPEAT: the input address it was decoded for */
};

#define PT_LEVELS 5 /* -1 to 3; index LEVEL + 1 */

struct pt_map_stats {
	uint64_t tables[PT_LEVELS], leaves[PT_LEVELS];
	uint64_t ranges, repeats, loops, unreadable, bad;
	uint64_t bytes; /* mapped, repeated tables not counted again */
};

struct pt_map_sink {
	/* Ascending, apart. Return 0, or a negative number that ends the map. */
	int (*range)(void *ctx, const struct pt_range *r);
	int (*note)(void *ctx, const struct pt_note *n); /* may be NULL */
	/* every valid leaf by itself, before merging; may be NULL */
	int (*leaf)(void *ctx, const struct pt_mapping *m);
	/* every table that is decoded, with its bytes; may be NULL */
	int (*table)(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data);
	void *ctx;
};

/**
 * pt_map() - go through what @cfg's root maps from @from to @to (inclusive).
 * @stats: may be NULL; also filled where it ends early
 *
 * Return: 0; what a callback returned; -BATON_EINVAL where @cfg has no table.
 */
int pt_map(const struct pt_config *cfg, const struct pt_bulk *bulk, uint64_t from, uint64_t to,
	   const struct pt_map_sink *sink, struct pt_map_stats *stats);

/** pt_map_words() - the same over @reader; of a nested regime stage 1, read by way of stage 2. */
int pt_map_words(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t from,
		 uint64_t to, const struct pt_map_sink *sink, struct pt_map_stats *stats);

/** pt_attrs_same() - do two mappings behave alike? The contiguous hint does not matter. */
bool pt_attrs_same(const struct pt_attrs *a, const struct pt_attrs *b);

#endif
