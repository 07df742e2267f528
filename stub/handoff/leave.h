/* SPDX-License-Identifier: BSD-2-Clause */
/* A branch by register, or an eret: does it leave the loader, and for what? */
#ifndef BATON_HANDOFF_LEAVE_H
#define BATON_HANDOFF_LEAVE_H

#include "handoff/internal.h"

#define LOOK_WORDS 16
#define LOOK_BYTES (4 * LOOK_WORDS)

/** struct target - where a jump goes, and what is there. */
struct target {
	uint64_t va, pa;
	bool unchecked; /* pa is not known */
	unsigned int el;
	uint8_t bytes[LOOK_BYTES];
	uint32_t words[LOOK_WORDS];
};

enum leave_way {
	LEAVE_OUT,
	LEAVE_STAY,  /* in the loader as it is */
	LEAVE_COPY,  /* ... in a copy of it, or under another address */
	LEAVE_STAGE, /* in code of its own that was not loaded there */
	LEAVE_ROM,   /* from QEMU's own first instructions to the loader */
};

/** struct move - LEAVE_COPY: of what. */
struct move {
	uint64_t from; /* physical, what is still there; the target itself under another address */
	uint64_t origin; /* where that was loaded */
	bool all;	 /* the code that is running now is there, too */
};

/**
 * leave_judge() - which way does it go, and is there code?
 * @t: va and el; pa and what is there is filled in, as far as it was looked at
 * @walk: of va as a fetch from that level
 * *@what: why it is no good where @walk does not say it, or NULL
 */
int leave_judge(struct handoff *h, const struct visit *v, struct tables *tables,
		const struct pt_walk *walk, struct target *t, enum leave_way *way,
		const char **what, struct move *move);

/* move.c */
/** move_find() - is a copy of the loader there, and the loader's way to go on? */
bool move_find(struct handoff *h, const struct visit *v, const struct target *t, struct move *move);
/** move_follow() - told, watched from now on, and past the jump. */
int move_follow(struct handoff *h, struct visit *v, struct tables *tables, const struct target *t,
		const struct move *move);
/** move_follow_stage() - the same for code that was not loaded there; told once for what is near.
 */
int move_follow_stage(struct handoff *h, struct visit *v, struct tables *tables,
		      const struct target *t);

/** leave_is_linux() - the header of a Linux image is there, or of one that is started alike. */
bool leave_is_linux(const struct target *t);

/** struct leave_regions - those of the image that are copied. */
struct leave_regions {
	size_t count;
	uint64_t first, bytes; /* where the first lies; of all of them */
	size_t bad;	       /* the one that is not what the image holds */
	bool changed;	       /* they are, but not as it was loaded */
	uint64_t differs;
};

/**
 * leave_regions() - compare them with the image.
 * Return: 0: all the same; 1: @bad differs first at @differs; -BATON_ENOTFOUND: its bytes are
 * not in the image; what reading failed with.
 */
int leave_regions(struct handoff *h, struct leave_regions *out);

/** leave_is_not_first() - another CPU than @cpu runs the kernel already: it writes to its data. */
bool leave_is_not_first(const struct handoff *h, unsigned int cpu);

#endif
