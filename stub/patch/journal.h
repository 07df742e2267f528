/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one journal of all that baton changed in the machine, so that every change can
 * be shown, undone and exported.
 */
#ifndef BATON_PATCH_JOURNAL_H
#define BATON_PATCH_JOURNAL_H

#include "buf.h"
#include "machine/machine.h"

enum patch_kind { PATCH_MEMORY, PATCH_REGISTER, PATCH_TABLE };

enum patch_state {
	PATCH_APPLIED,
	PATCH_UNDONE,
	PATCH_CLOSED, /* the machine was reset: neither old nor new value means anything now */
};

#define PATCH_BYTES 64

/** struct patch - one place that was changed. Values are as in memory, lowest byte first. */
struct patch {
	unsigned int number; /* from 1; journal_add() gives it */
	enum patch_kind kind;
	enum patch_state state;
	unsigned int cpu;
	char regime[24];   /* PATCH_TABLE: "el1" */
	char reg[16];	   /* PATCH_REGISTER: its name */
	uint64_t address;  /* physical; PATCH_MEMORY and PATCH_TABLE */
	uint64_t va;	   /* PATCH_TABLE: the input address that it was made for */
	int level;	   /* PATCH_TABLE */
	bool leaf;	   /* PATCH_TABLE: only the page of @va is affected */
	unsigned int size; /* bytes, up to PATCH_BYTES */
	uint8_t old[PATCH_BYTES], new[PATCH_BYTES];
	char where[96]; /* for people: "L0 [511] boot_lvl0_upper+0xff8" */
	char why[96];	/* the command that made it: "pt-set 0x... L0 0x7000b003" */
};

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *j);

/** journal_add() - note a change that was made (state and number are set); its number. */
unsigned int journal_add(struct journal *j, const struct patch *p);

/** journal_count() - of all, and journal_at() - by index from 0, in order of making. */
size_t journal_count(const struct journal *j);
const struct patch *journal_at(const struct journal *j, size_t i);

/** journal_find() - by number; NULL. */
const struct patch *journal_find(const struct journal *j, unsigned int number);

/** journal_last() - the number of the last one that is still applied; 0: none. */
unsigned int journal_last(const struct journal *j);

/**
 * journal_undo() - put the old value back, if the new one is still there; for tables
 * the TLB is refreshed too.
 * @out: one or more lines of what was done, or why not
 *
 * Return: 0; -BATON_ENOTFOUND: no such patch, or not applied; -BATON_EBUSY: something
 * else was written there since, nothing is touched; or the machine's error.
 */
int journal_undo(struct journal *j, struct machine *m, unsigned int number, struct buf *out);

/**
 * journal_reset() - the machine was reset or replaced: what is applied is gone. One line
 * that says so goes to @out, none if nothing was applied.
 */
void journal_reset(struct journal *j, struct buf *out);

/** patch_say() - one line for a patch: number, state, place, old and new value. */
void patch_say(const struct patch *p, struct buf *out);

#endif
