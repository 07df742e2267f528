/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code that a loader runs, found by following direct branches from where it
 * starts. Nothing is guessed: no linear scan, no address constants. Where an indirect
 * jump leads is learnt when it happens, and the scan goes on from there.
 */
#ifndef BATON_HANDOFF_SCAN_H
#define BATON_HANDOFF_SCAN_H

#include "handoff/insn.h"

#include <stddef.h>

#define SCAN_PAGE 4096

/* More than any loader has; what is beyond is not followed and scan->full says so. */
#define SCAN_MAX_WORDS (1u << 20)

/**
 * struct scan_source - code, by pages of the addresses that it runs at.
 * @page: the SCAN_PAGE bytes at @address (aligned). Anything but 0: nothing is there,
 *        which ends the paths that lead into it.
 */
struct scan_source {
	int (*page)(void *ctx, uint64_t address, uint8_t *data);
	void *ctx;
};

/** struct scan_span - first to last byte. */
struct scan_span {
	uint64_t first, last;
};

/* Where x30 may have come from at an instruction, as a set. */
enum scan_link {
	SCAN_LINKED = 1,  /* a call, directly or by way of the stack */
	SCAN_UNKNOWN = 2, /* anything else */
	SCAN_TOP = 4,	  /* nobody called this code: there is nowhere to return to */
	SCAN_SAVED = 8,	  /* what was saved on the stack is no call's */
};

/** struct scan_word - an instruction that is known to be code. */
struct scan_word {
	uint64_t pc; /* SCAN_NO_PC: a free slot */
	uint32_t word;
	uint8_t link; /* enum scan_link */
	bool entry;   /* come to by something else than a direct branch */
};

/** struct scan_site - an instruction to stop at. */
struct scan_site {
	uint64_t pc;
	struct insn insn;
	uint32_t word;
	unsigned int hits;
	bool lifted; /* hit often and always harmless: not stopped at any more */
	bool rests;  /* lifted until something else was stopped at */
	bool kernel; /* the kernel's, not the loader's */
	bool replay; /* a call or a return, for handoff/replay.h alone */
};

#define SCAN_NO_PC UINT64_MAX /* code is aligned to 4 (DDI 0487, D1.3.1): no address of any */

struct scan {
	struct scan_word *words;
	size_t count, size; /* used and all slots; a power of two */
	struct scan_site *sites;
	size_t site_count;
	bool full;
};

void scan_free(struct scan *s);

/**
 * scan_from() - add all code that is reached from @entry by direct branches within
 * @bounds (one of the @n holds @entry, or nothing is found).
 * @link: where x30 comes from at @entry
 *
 * Return: how many instructions were new.
 */
size_t scan_from(struct scan *s, const struct scan_source *source, const struct scan_span *bounds,
		 size_t n, uint64_t entry, enum scan_link link);

/** scan_add() - a site more, whether or not anything known leads there; as scan_site(). */
struct scan_site *scan_add(struct scan *s, uint64_t pc, uint32_t word, const struct insn *insn);

/** scan_entry() - code that is known was come to by something else than a direct branch. */
void scan_entry(struct scan *s, uint64_t pc);
/** scan_word() - what is known at @pc, or NULL. */
const struct scan_word *scan_word(const struct scan *s, uint64_t pc);
/** scan_site() - the site at @pc, or NULL; valid until the next scan_from(). */
struct scan_site *scan_site(const struct scan *s, uint64_t pc);

/**
 * scan_drop_stale() - forget code where something else is by now, and its sites.
 * @bounds: as of scan_from(), for what is followed again
 * @gone: called for each of those before
 */
void scan_drop_stale(struct scan *s, const struct scan_source *source,
		     const struct scan_span *bounds, size_t bound_count,
		     void (*gone)(void *ctx, struct scan_site *site), void *ctx);

/**
 * scan_same_code() - known code that begins with the same @n words as @words.
 * *@pc: where it is. False if there is none, or if all words are alike.
 */
bool scan_same_code(const struct scan *s, const uint32_t *words, unsigned int n, uint64_t *pc);

#endif
