/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A change of translation tables as a transaction: planned on copies of the tables,
 * checked by name, then written, read back, made visible to the CPUs, verified by a
 * fresh look at all that it concerns, and journalled as one entry.
 *
 *	err = plan_open(&p, &tables, va, size, &why);
 *	err = err ?: plan_map(&p, pa, &want, &why);	(or one of the others)
 *	err = err ?: plan_check(&p, &say);
 *	err = err ?: plan_apply(&p, journal, "pt-map ...", &say);
 *	plan_free(&p);
 */
#ifndef BATON_PATCH_PLAN_H
#define BATON_PATCH_PLAN_H

#include "machine/tables.h"
#include "mmu/map.h"
#include "patch/want.h"

struct journal;

/* By these names `-f` overrides them, and a refusal is known. */
enum plan_check {
	CHECK_FORMAT,	    /* a reserved encoding, or bits that have to be zero */
	CHECK_OUTPUT_SIZE,  /* an address beyond the physical size */
	CHECK_ALIGNMENT,    /* a block's address that is not a multiple of its size */
	CHECK_MEMORY,	    /* an address where neither RAM nor a device is */
	CHECK_ATTRIBUTES,   /* the tables above, WXN, E0PD make something else of what was asked */
	CHECK_PC,	    /* this CPU would lose the code that it runs, */
	CHECK_SP,	    /* its stack, */
	CHECK_VECTORS,	    /* its exception vectors, */
	CHECK_TABLES,	    /* or whoever runs the tables themselves */
	CHECK_BREAK,	    /* break-before-make would take the code away that executes `tlbi` */
	CHECK_OTHER_CPU,    /* another CPU would lose one of those */
	CHECK_OTHER_REGIME, /* a table that another regime uses too */
	CHECK_POOL,	    /* a page for a new table is not free */
	CHECK_COUNT
};

/** plan_check_name() - "output-size"; plan_check_find() - by name, or CHECK_COUNT. */
const char *plan_check_name(enum plan_check check);
enum plan_check plan_check_find(const char *name);

/** struct plan_table - a table as it is and as it is to be. */
struct plan_table {
	uint64_t table; /* as the descriptor that leads to it has it (nested: an IPA) */
	uint64_t *pa;	/* where each 4 KiB of it lie */
	int level;
	uint64_t ia;	      /* the first address that it serves */
	unsigned int entries; /* of concatenated roots all */
	bool fresh;	      /* from the pool: nothing leads to it yet */
	uint64_t *old, *new;  /* descriptors, as numbers */
	uint64_t *now;	      /* plan_apply(): what is in memory by then */
};

/** struct plan_span - addresses that new tables must stay out of, first to last. */
struct plan_span {
	uint64_t first, last;
	char what[64];
};

#define PLAN_SHOWN 8 /* ranges that are kept to be shown */

/** struct plan_view - all that a span translates to, as far as it has to be compared. */
struct plan_view {
	uint64_t ranges, bytes, digest;
	struct pt_range first[PLAN_SHOWN];
};

struct plan {
	struct tables *tables;
	struct pt_config cfg, s2; /* of the half that is edited; s2: of a nested regime */
	uint64_t va;		  /* as it was given */
	uint64_t from, to;	  /* that is edited, without a tag */
	unsigned int force;	  /* 1 << enum plan_check: say it and go on */
	struct plan_table *table;
	size_t tables_count;
	/* where new tables come from; not given: what can be proved unused */
	bool pool_given;
	uint64_t pool, pool_end;
	struct plan_span *taken;
	size_t taken_count;
	/* what is new about it, for checks */
	bool single, output; /* one descriptor; output: oa to oa_last is new */
	int level;	     /* single */
	unsigned int index;
	uint64_t address, old, new; /* single: the descriptor */
	uint64_t oa, oa_last;
	struct pt_want want;
	/* what comes of it: filled by plan_check() and plan_apply() */
	struct pt_walk walk_before, walk_after; /* of va */
	struct plan_view before, after;
	unsigned int number; /* in the journal */
};

/**
 * plan_open() - a plan for the @size bytes at @va in the regime of @t. Give it back with
 * plan_free() whatever comes of it.
 *
 * Return: 0; -BATON_EINVAL with words: MMU off, misaligned, outside of the regime; or what
 * reading ended with.
 */
int plan_open(struct plan *p, struct tables *t, uint64_t va, uint64_t size, struct buf *why);
void plan_free(struct plan *p);

/** plan_forbid() - new tables stay out of @first to @last, because of @what. */
void plan_forbid(struct plan *p, uint64_t first, uint64_t last, const char *what);

/**
 * plan_entry() - a plan for one descriptor: that of @va at @level, which is walked to. p->old
 * and p->new are what is there; set another by plan_entry_set().
 *
 * Return: 0; -BATON_EINVAL with words in @why: the walk ends before that level (they
 * name where), there is no such level, or the MMU is off; or the walk's error.
 */
int plan_entry(struct plan *p, struct tables *t, uint64_t va, int level, struct buf *why);
void plan_entry_set(struct plan *p, uint64_t desc);
/** plan_breaks_group() - entries of its contiguous group, if they would not agree; else 0. */
unsigned int plan_breaks_group(const struct plan *p);

/**
 * plan_map() - onto @pa, by the largest blocks that fit, with the contiguous hint where it
 * does. plan_unmap() - nothing is mapped; tables below are left where nothing leads to.
 * plan_protect() - what is mapped gets what @want says.
 *
 * Return: 0; -BATON_EINVAL, -BATON_ENOTFOUND, -BATON_EREFUSED with words in @why (misaligned,
 * nothing mapped, no memory for tables); or what reading ended with.
 */
int plan_map(struct plan *p, uint64_t pa, const struct pt_want *want, struct buf *why);
int plan_unmap(struct plan *p, struct buf *why);
int plan_protect(struct plan *p, const struct pt_want *want, struct buf *why);

/** plan_changes() - how many descriptors in how many tables that are linked, or are new. */
struct plan_count {
	size_t linked, filled; /* descriptors of tables in use, and of new ones */
	size_t fresh;	       /* new tables */
};
struct plan_count plan_changes(const struct plan *p);

/**
 * plan_check() - all checks; fills what comes of it without writing.
 * @say: a line for each refusal, and for each that was overridden
 *
 * Return: 0; -BATON_EREFUSED; or the machine's error.
 */
int plan_check(struct plan *p, struct buf *say);

/**
 * plan_apply() - new tables are filled before anything leads to them, what becomes invalid
 * goes before what becomes valid, and the TLB is refreshed before the fresh look.
 * @why: for the journal: the command; @say: lines of what went wrong
 *
 * Return: 0; or an error with words in @say, and everything is as it was (or @say tells).
 */
int plan_apply(struct plan *p, struct journal *j, const char *why, struct buf *say);

/** plan_reader() - memory as it is to be; plan_look() - what the span translates to. */
struct pt_reader plan_reader(struct plan *p);
int plan_look(struct plan *p, bool to_be, const struct pt_map_sink *sink, struct plan_view *v);

/** plan_address() - where the @i-th descriptor of @t lies. */
static inline uint64_t plan_address(const struct plan_table *t, unsigned int i)
{
	return t->pa[i / 512] + 8 * (uint64_t)(i % 512);
}

/** plan_in_memory() - a descriptor in the byte order of the tables. */
static inline uint64_t plan_in_memory(const struct plan *p, uint64_t desc)
{
	return p->cfg.big_endian ? __builtin_bswap64(desc) : desc;
}

/** plan_covers() - the first address that the @i-th descriptor of @t serves. */
static inline uint64_t plan_covers(const struct plan *p, const struct plan_table *t, unsigned int i)
{
	return t->ia + ((uint64_t)i << pt_level_shift(&p->cfg, t->level));
}

/**
 * plan_must_break() - does this change of a descriptor need break-before-make (DDI 0487,
 * D8.17.1)? plan_needs_break() - the change of the @i-th one of @t.
 */
bool plan_must_break(const struct pt_config *cfg, int level, uint64_t old, uint64_t new);
bool plan_needs_break(const struct plan *p, const struct plan_table *t, unsigned int i);

#endif
