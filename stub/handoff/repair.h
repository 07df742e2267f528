/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What descriptor would make an address translate: proposals, each of them tried on
 * tables that only pretend to hold it, and ranked by what is then found at the address.
 */
#ifndef BATON_HANDOFF_REPAIR_H
#define BATON_HANDOFF_REPAIR_H

#include "handoff/scan.h"
#include "mmu/walk.h"

#include <stddef.h>

/* What speaks for an output address being the right one, as a set. */
enum repair_proof {
	PROOF_CODE = 1,	  /* instructions lie there */
	PROOF_COPIED = 2, /* in a region that was copied or loaded there */
	PROOF_START = 4,  /* at the very start of one */
	PROOF_SERVES = 8, /* for data: RAM, which is all that can be said */
};

enum repair_kind {
	REPAIR_TABLE,	 /* point to a table that is there already */
	REPAIR_NEIGHBOR, /* continue what the entries next to it map */
	REPAIR_SHIFTED,	 /* the same, but @shift bytes away: on code that was copied there */
	REPAIR_BITS,	 /* valid, AF, permissions */
};

/* REPAIR_TABLE: who points to the table as things are. */
enum repair_use {
	USE_ORPHAN,
	USE_CHILD /* of an orphan */,
	USE_OTHER_HALF,
	USE_IDENTITY,
	USE_THIS_HALF
};

struct repair {
	enum repair_kind kind;
	enum repair_use use;
	uint64_t va;
	int level;
	unsigned int index;
	uint64_t address; /* physical, of the descriptor */
	uint64_t old, new;
	uint64_t table;	   /* REPAIR_TABLE: where it points */
	unsigned int like; /* REPAIR_NEIGHBOR, REPAIR_SHIFTED: the entry that is continued */
	int64_t shift;	   /* REPAIR_SHIFTED */
	unsigned int proofs;
	int score;
	struct pt_walk after; /* with it */
	char edit[80];	      /* what pt-set takes: "0x7000b003" or "AF=1" */
};

/** struct repair_query - what is broken, and the world that the repair has to fit in. */
struct repair_query {
	const struct regime *regime;
	struct pt_reader reader;
	struct pt_access acc;	    /* that has to work */
	const struct pt_walk *walk; /* that does not, or that ends in the wrong place */
	bool onto_itself;	    /* the address has to be mapped onto itself */
	/* where tables may lie: physical, by pages */
	const struct scan_span *spans;
	size_t span_count;
	/* all callbacks get @ctx */
	int (*read)(void *ctx, uint64_t pa, void *data, size_t len);
	bool (*is_ram)(void *ctx, uint64_t pa);
	unsigned int (*judge)(void *ctx, uint64_t pa); /* enum repair_proof */
	void *ctx;
};

#define REPAIR_MAX 8

struct repairs {
	struct repair list[REPAIR_MAX]; /* best first */
	size_t count;
};

/** repair_find() - all that works, best first; none is a possible answer. */
void repair_find(const struct repair_query *q, struct repairs *out);

/** repair_best() - the one to apply; NULL if there is none, or others are as good. */
const struct repair *repair_best(const struct repairs *r);
/** repair_choices() - how many of the first to show: the best, or all that are as good. */
size_t repair_choices(const struct repairs *r);

#endif
