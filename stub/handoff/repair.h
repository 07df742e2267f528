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
	REPAIR_BITS,	 /* valid, type, AF, permissions, attributes */
	REPAIR_ONTO,	 /* map the address onto itself */
	REPAIR_SYSREG,	 /* @reg of @el: the tables are right, and it does not lead to them */
	REPAIR_OPERAND,	 /* what the msr that comes next writes to @reg */
	REPAIR_TARGET,	 /* where the jump goes: the code is mapped at @new */
	REPAIR_CONDUIT,	 /* at @address: hvc instead of smc, or the other way round */
	REPAIR_VECTORS,	 /* VBAR of @el; pc goes on at its entry */
	REPAIR_STACK,	 /* sp, as it was before a function did not give it back */
	REPAIR_LINK,	 /* x30 of a `ret` in the function @address, as it was called */
	REPAIR_RESUME,	 /* it is repaired, by the patch @index: back to the instruction */
};

/* REPAIR_VECTORS: what says so; @address: where, @index: on which CPU. The best first. */
enum repair_basis {
	BASIS_WRITTEN, /* the register held it */
	BASIS_MADE,    /* code makes that address */
	BASIS_ONLY,    /* nothing else looks like it */
	/* REPAIR_STACK: of the function @address */
	BASIS_CALLED,  /* sp when it was called was seen */
	BASIS_BALANCE, /* its code says by how much it is off */
	/* REPAIR_CONDUIT */
	BASIS_ASKED, /* it is past: from reset again */
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
	enum repair_basis basis;
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
	const char *reg; /* REPAIR_SYSREG, REPAIR_OPERAND: "TCR" */
	unsigned int el;
	unsigned int changes; /* fields of it that change */
	struct pt_walk after; /* with it */
	char edit[80];	      /* what pt-set takes: "0x7000b003" or "AF=1"; fields of @reg */
};

/** struct repair_query - what is broken, and the world that the repair has to fit in. */
struct repair_query {
	const struct regime *regime;
	struct pt_reader reader;
	struct pt_access acc;	    /* that has to work */
	const struct pt_walk *walk; /* that does not, or that ends in the wrong place */
	bool onto_itself;	    /* the address has to be mapped onto itself */
	bool device;		    /* and is a device's */
	bool registers;		    /* they may be wrong, too */
	bool running;		    /* there is code at @pc, which has to go on as it is */
	uint64_t pc;
	const char *writes; /* "TCR_EL1": what the msr at @pc writes, from a register; or NULL */
	/* where tables may lie: physical, by pages */
	const struct scan_span *spans;
	size_t span_count;
	/* all callbacks get @ctx */
	int (*read)(void *ctx, uint64_t pa, void *data, size_t len);
	bool (*is_ram)(void *ctx, uint64_t pa);
	unsigned int (*judge)(void *ctx, uint64_t pa); /* enum repair_proof */
	/* something was copied into these bytes */
	bool (*holds)(void *ctx, uint64_t pa, uint64_t size);
	void *ctx;
};

#define REPAIR_MAX 8

struct repairs {
	struct repair list[REPAIR_MAX]; /* best first */
	size_t count;
};

/** repair_keep() - rate @r, which serves, and put it in its place. */
void repair_keep(const struct repair_query *q, struct repairs *out, struct repair *r);
/** repair_try() - keep @r if its walk, r->after, ends where it should. For who makes proposals. */
bool repair_try(const struct repair_query *q, struct repair *r, struct repairs *out);

/** regs_try() - registers, but for the roots: SCTLR, TCR, MAIR. */
void regs_try(const struct repair_query *q, struct repairs *out);
/** regs_try_root() - the root at @pa, which looks like one. */
void regs_try_root(const struct repair_query *q, uint64_t pa, enum repair_use use,
		   struct repairs *out);

/** repair_is_memory() - code lies in Normal memory; or nothing in this MAIR is (DDI 0487, B2.7). */
bool repair_is_memory(const struct pt_walk *w);

/** repair_find() - all that works, best first; none is a possible answer. */
void repair_find(const struct repair_query *q, struct repairs *out);

/** repair_best() - the one to apply; NULL if there is none, or others are as good. */
const struct repair *repair_best(const struct repairs *r);
/** repair_choices() - how many of the first to show: the best, or all that are as good. */
size_t repair_choices(const struct repairs *r);

#endif
