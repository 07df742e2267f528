/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one journal of all that was changed in the machine, so that every change can be
 * shown, undone and exported. One entry is one change to the user, of any number of writes:
 *
 *	n = journal_begin(j, "pt-map ...");
 *	for each write {
 *		err = journal_note(j, n, &write);	before it is made
 *		err = err ?: ... make it, read it back ...
 *	}
 *	err ? journal_abort(j, machine, n, &say) : journal_end(j, n);
 *
 * With a file (journal_open()) an entry is on disk before the machine is touched, so whenever
 * baton dies, the file and the memory together say what was done.
 */
#ifndef BATON_PATCH_JOURNAL_H
#define BATON_PATCH_JOURNAL_H

#include "buf.h"
#include "machine/machine.h"

enum patch_kind { PATCH_MEMORY, PATCH_REGISTER, PATCH_TABLE };

#define PATCH_BYTES    64
#define PATCH_NO_LEVEL 99
#define JOURNAL_SHOWN  8 /* writes of one entry that are said, unless all are asked for */

/** struct patch - one place that is changed. Values are as in memory, lowest byte first. */
struct patch {
	enum patch_kind kind;
	unsigned int cpu;
	char regime[24];   /* PATCH_TABLE: "el1" */
	char reg[16];	   /* PATCH_REGISTER: its name */
	uint64_t address;  /* physical; PATCH_MEMORY and PATCH_TABLE */
	uint64_t va;	   /* PATCH_TABLE: the input address that it was made for */
	int level;	   /* PATCH_TABLE; PATCH_NO_LEVEL: a table that no regime uses yet */
	bool leaf;	   /* PATCH_TABLE: only the page of @va is affected */
	unsigned int size; /* bytes, up to PATCH_BYTES */
	uint8_t old[PATCH_BYTES], new[PATCH_BYTES];
	char where[96]; /* for people: "L0 [511] boot_lvl0_upper+0xff8" */
};

enum entry_state {
	ENTRY_UNDER_WAY, /* begun, or found so after baton died: some of it may be there */
	ENTRY_APPLIED,
	ENTRY_UNDOING, /* the same on the way back */
	ENTRY_UNDONE,
	ENTRY_ABORTED, /* it failed, and was rolled back */
	ENTRY_CLOSED,  /* the machine was reset: neither old nor new value means anything now */
};

/** struct journal_entry - one change. */
struct journal_entry {
	unsigned int number; /* from 1 */
	enum entry_state state;
	bool whole;	/* its end is known: what is noted is all of it */
	bool elsewhere; /* of the file, made on another machine: nothing of it is in this one */
	char why[160];	/* the command that made it: "pt-set 0x... L0 0x7000b003" */
	struct patch *write;
	size_t count, cap;
};

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *j);

/**
 * journal_open() - keep the journal in @path from now on, and take over what is in it.
 * A file of another machine (another QEMU process too) keeps its entries, as made elsewhere.
 * What was under way when baton died is compared with memory, and its TLB entries refreshed;
 * what an injection had put into a CPU is put back.
 * @say: on error one line, else lines of what was found
 *
 * Return: 0; -BATON_EINVAL: no journal, or a damaged one: it is not touched; -BATON_EBUSY:
 * another baton has it; -BATON_ESYS; or the machine's error.
 */
int journal_open(struct journal *j, struct machine *m, const char *path, struct buf *say);

/** journal_begin() - a new entry, under way; its number. */
unsigned int journal_begin(struct journal *j, const char *why);
/**
 * journal_note() - what is about to be written, before it is. In the order of writing.
 * Return: 0; -BATON_ESYS: the journal's file cannot be written, so nothing may be.
 */
int journal_note(struct journal *j, unsigned int number, const struct patch *write);
/** journal_note_all() - @n of them, on disk at once. */
int journal_note_all(struct journal *j, unsigned int number, const struct patch *write, size_t n);
/**
 * journal_end() - all is written, read back and verified. Errors as journal_note(): then it is
 * under way as before, to be taken back by journal_abort().
 */
int journal_end(struct journal *j, unsigned int number);
/**
 * journal_abort() - put the old values back, in reverse order, wherever the new ones are,
 * and refresh the TLB. @say: lines of what was done, or could not be.
 * Return: 0: it is as it was before; or what the machine failed with.
 */
int journal_abort(struct journal *j, struct machine *m, unsigned int number, struct buf *say);

/**
 * journal_entry_refresh() - make every CPU forget what it has cached of the places: code, and one
 * page's translation where there is one write to a table, else all. @out: a line if it could not be
 * done Return: 0; as tlb_refresh().
 */
int journal_entry_refresh(struct machine *m, const struct journal_entry *e, struct buf *out);

/* What memory says of an entry's writes, those of later live entries taken off. */
enum journal_verdict {
	VERDICT_APPLIED, /* all the new values are there, and there are no more to come */
	VERDICT_ABSENT,	 /* all the old ones */
	VERDICT_PARTLY,	 /* some of each, or more were to come */
	VERDICT_CHANGED, /* something else has written there */
	VERDICT_PASSED,	 /* pc and the like alone, and the CPU has gone on from there */
};

struct judgement {
	enum journal_verdict verdict;
	size_t there;		    /* writes whose new value is there */
	const struct patch *other;  /* VERDICT_CHANGED, _PASSED: the place, */
	uint8_t holds[PATCH_BYTES]; /* and what it holds */
};

/** journal_judge() - compare a live entry with the machine. Errors are the machine's. */
int journal_judge(const struct journal *j, struct machine *m, const struct journal_entry *e,
		  struct judgement *out);

/** journal_say_reset() - words for a closed entry: what is in the machine of it now. */
void journal_say_reset(const struct journal *j, struct machine *m, const struct journal_entry *e,
		       struct buf *out);

/** journal_count() - of all, and journal_at() - by index from 0, in order of making. */
size_t journal_count(const struct journal *j);
const struct journal_entry *journal_at(const struct journal *j, size_t i);

/** journal_find() - by number; NULL. */
const struct journal_entry *journal_find(const struct journal *j, unsigned int number);

/** entry_is_live() - may any of it be in the machine, as far as the journal knows? */
bool entry_is_live(const struct journal_entry *e);

/**
 * journal_last() - the number of the last one that is live, and no CPU has gone on from; 0: none.
 */
unsigned int journal_last(const struct journal *j, struct machine *m);

/**
 * journal_reach() - is there, where it takes a `tlbi` or `ic`, a CPU that can execute what the undo
 * of @e would take? @out: lines that say why not, and what to do
 * Return: 0; -BATON_EREFUSED; or the machine's error.
 */
int journal_reach(const struct journal *j, struct machine *m, const struct journal_entry *e,
		  struct buf *out);

/**
 * journal_undo() - put the old values back, in reverse order, if the new ones (or the old) are
 * still there, all of them; for tables the TLB is refreshed too.
 * @out: one or more lines of what was done, or why not
 *
 * Return: 0; -BATON_ENOTFOUND: no such entry, or not live; -BATON_EBUSY: a later live entry
 * or something else has written there since, or -BATON_EREFUSED: as journal_reach(), nothing is
 * touched; or the machine's error.
 */
int journal_undo(struct journal *j, struct machine *m, unsigned int number, struct buf *out);

/**
 * journal_reset() - the machine was reset or replaced: what is applied is gone. One line
 * that says so goes to @out, none if nothing was applied.
 */
void journal_reset(struct journal *j, struct buf *out);

/**
 * journal_changes() - its writes as a user sees them: what is broken and then made
 * (break-before-make) is one change, from the first old to the last new value. @out: to be freed.
 * Return: how many.
 */
size_t journal_changes(const struct journal_entry *e, struct patch **out);

/** patch_say_value() - bytes of memory: up to 8 as one number. */
void patch_say_value(const uint8_t *bytes, unsigned int size, struct buf *out);

/** journal_say() - a line for the entry: number, state, place, old and new; more for more writes.
 */
void journal_say(const struct journal_entry *e, struct buf *out);

#endif
