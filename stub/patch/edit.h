/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One descriptor of a live translation table, changed: planned, checked, written,
 * made visible to the CPU and journalled.
 *
 *	err = edit_open(&e, &tables, va, level, &why);
 *	e.new = ...			(a number, or pt_desc_edit(&e.before.cfg, ...))
 *	err = err ?: edit_check(&e, &why);
 *	err = err ?: edit_apply(&e, journal, "pt-set ...", &say);
 */
#ifndef BATON_PATCH_EDIT_H
#define BATON_PATCH_EDIT_H

#include "machine/tables.h"

struct journal;

struct edit {
	struct tables *tables;
	uint64_t va;
	int level;
	unsigned int index;
	uint64_t address; /* physical, of the descriptor */
	uint64_t old, new;
	unsigned int number;   /* in the journal, once applied */
	struct pt_walk before; /* as it is */
	struct pt_walk after;  /* edit_check(): as it would be; edit_apply(): as it is then */
};

/**
 * edit_open() - find the descriptor for @va at @level by walking to it. old and new are
 * what is there.
 *
 * Return: 0; -BATON_EINVAL with words in @why: the walk ends before that level (they
 * name where), there is no such level, or the MMU is off; or the walk's error.
 */
int edit_open(struct edit *e, struct tables *t, uint64_t va, int level, struct buf *why);

/**
 * edit_check() - what would come of writing e->new; fills e->after without writing.
 * @why: words for an error, or lines of warning, each ending with \n
 *
 * Return: 0, also with warnings; -BATON_EREFUSED: an output address beyond the physical
 * size, a next table that is not in RAM, a reserved encoding; or the machine's error.
 */
int edit_check(struct edit *e, struct buf *why);

/**
 * edit_apply() - write, read back, refresh the TLB, walk again (e->after), journal.
 * @why: for the journal: the command; @say: lines of what was done
 *
 * Return: 0; -BATON_EVERIFY: it did not read back; or the machine's error, with words in
 * @say. If the refresh alone failed the edit stays, is journalled, and @say tells.
 */
int edit_apply(struct edit *e, struct journal *j, const char *why, struct buf *say);

#endif
