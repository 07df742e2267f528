/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A write to physical memory that somebody else decides upon - GDB's `set var`, `patch` - seen
 * for what it is: where it changes descriptors of a translation table, it is journalled as a
 * patch of that table and made visible to the CPU as one of ours.
 *
 *	err = touch_begin(&t, pa, data, len, false, "GDB");
 *	if (!err)
 *		err = touch_end(&t, ... make the write ..., &say);
 *
 * A register likewise, which touch_reg() writes itself.
 */
#ifndef BATON_PATCH_TOUCH_H
#define BATON_PATCH_TOUCH_H

#include "machine/symbols.h"
#include "patch/journal.h"

struct touch {
	struct machine *machine;
	struct symbols *symbols; /* may be NULL */
	struct journal *journal;
	unsigned int cpu;    /* whose regimes are asked */
	unsigned int number; /* of the journal's entry; 0: the writes so far are none of ours */
};

/**
 * touch_plausible() - could this write change a descriptor? For whoever would have to find out
 * more at some cost. @old and @new: whole words as in memory, @len bytes.
 */
bool touch_plausible(const struct machine *m, const uint8_t *old, const uint8_t *new, size_t len);

enum touch_kind {
	TOUCH_DATA,
	TOUCH_TABLE,  /* of a regime of the CPU, as things are, or once its MMU is on */
	TOUCH_UNUSED, /* looks like one */
};

/** struct touch_piece - a write within one page of 4 KiB. */
struct touch_piece {
	uint64_t pa;
	const uint8_t *data;
	size_t len;
	enum touch_kind kind;
};

/**
 * touch_sort() - the kind of each piece, all by one look at the tables.
 * Return: 0; or what the machine failed with.
 */
int touch_sort(struct touch *t, struct touch_piece *piece, size_t n);

/**
 * touch_begin() - what is about to be written to physical memory; journals what it changes if
 * it is a table that a regime of the CPU uses (as things are, or once its MMU is on), or that
 * looks like one; with @always whatever it is.
 *
 * Several of it, each followed by its write, and one touch_end() make one patch.
 *
 * Where it takes break-before-make (KVM), descriptors are what they are to be once it returns.
 *
 * Return: 0, with t->number or without; -BATON_EREFUSED: no CPU can execute the `tlbi` for that;
 * or what the journal or the machine failed with: then the write must not be made, and those
 * before it were rolled back.
 */
int touch_begin(struct touch *t, uint64_t pa, const void *data, size_t len, bool always,
		const char *why);

/**
 * touch_reg() - journal and write a register of t->cpu, if it holds something else; one patch
 * with what t has begun already. touch_end() comes behind it, after a failure too.
 */
int touch_reg(struct touch *t, const char *name, uint64_t value, const char *why);

/**
 * touch_end() - the write is made, or failed with @err: reads it back, refreshes the TLB, or
 * rolls it back. @say: one line of what it was, then lines of what went wrong
 * Return: @err, or -BATON_EVERIFY, or what the machine failed with.
 */
int touch_end(struct touch *t, int err, struct buf *say);

#endif
