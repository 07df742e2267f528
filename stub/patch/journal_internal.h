/* SPDX-License-Identifier: BSD-2-Clause */
/* What the journal's parts share: what is remembered, and its file (journal_file.c). */
#ifndef BATON_PATCH_JOURNAL_INTERNAL_H
#define BATON_PATCH_JOURNAL_INTERNAL_H

#include "patch/journal.h"

struct journal {
	struct journal_entry *entry;
	size_t count, cap;
	/* of the file, if there is one */
	int fd;			 /* -1: none, or not yet */
	struct machine *machine; /* whose m->error gets the words for a file that fails */
	char *path;
	uint64_t sum;  /* over all lines so far */
	uint64_t good; /* bytes of whole lines */
	bool rolling;  /* something goes back: then an injection need not be noted */
	int broken;    /* errno of the write that failed: nothing is written any more */
};

/**
 * journal_log() - append a line and wait until it is on disk; nothing where there is no file.
 * Return: 0; -BATON_ESYS.
 */
int journal_log(struct journal *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int journal_log_writes(struct journal *j, unsigned int number, const struct patch *p, size_t n);

/** patch_read() - what its place holds now. */
int patch_read(struct machine *m, const struct patch *p, uint8_t *now);
/** patch_same_place() - the same register, or the same bytes, all of them? */
bool patch_same_place(const struct patch *a, const struct patch *b);
/** patch_overlap() - have both a byte, or a register, in common? */
bool patch_overlap(const struct patch *a, const struct patch *b);

enum place { PLACE_NEW, PLACE_OLD, PLACE_OTHER };
/**
 * patch_place() - what the place of write @i holds, without what was written there later: by
 * this entry, and with @all by the live ones behind it.
 */
int patch_place(const struct journal *j, struct machine *m, const struct journal_entry *e, size_t i,
		bool all, uint8_t *now, enum place *place);
/** entry_is_passing() - is it only of what a CPU changes with every instruction? */
bool entry_is_passing(const struct journal_entry *e);

#endif
