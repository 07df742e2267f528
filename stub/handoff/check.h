/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An image before any machine runs it: where its tables are, and whether they lead where
 * the loader will go. What `why` makes of a fault, made of a file.
 */
#ifndef BATON_HANDOFF_CHECK_H
#define BATON_HANDOFF_CHECK_H

#include "buf.h"
#include "handoff/image.h"
#include "handoff/repair.h"
#include "mmu/walk.h"
#include "monitor/command.h"

/**
 * check_open() - take the memory from @first to @last for the loader's image.
 * Return: 0; or what reading it failed with.
 */
int check_open(struct context *ctx, const char *name, uint64_t first, uint64_t last);
/** check_close() - it is not that. */
void check_close(struct context *ctx);
/** check_image() - its bytes and header, as found by check_open(). */
const struct image *check_image(const struct context *ctx);

/**
 * check_guess_load() - where an image is to be loaded, by its tables: they point to one
 * another. @r: the regime, for what a table looks like; the image is open at 0.
 * Return: false where that cannot be told.
 */
bool check_guess_load(struct context *ctx, const struct regime *r, uint64_t *load);

enum check_root_how {
	ROOT_NONE,   /* not found, or several are as likely */
	ROOT_LEADS,  /* the address resolves by it */
	ROOT_ASTRAY, /* a table that nothing points to, and does not lead there */
	ROOT_EMPTY,  /* a page of zeros between the other tables */
};

struct check_root {
	enum check_root_how how;
	uint64_t pa;
	unsigned int others; /* pages that would do as well */
};

/**
 * check_find_root() - the root of the half of @r that @va is in, by what it has to do: to
 * lead to @va itself (@identity), or into a region of the image's header.
 * @taken: the root of the other half, 0 if there is none
 *
 * Return: 0, also where none was found; or what reading failed with.
 */
int check_find_root(struct context *ctx, const struct regime *r, uint64_t va, bool identity,
		    uint64_t taken, struct check_root *out);

/** struct check_want - what a walk has to end in. */
struct check_want {
	uint64_t va;
	bool fetch;
	bool region; /* anywhere in a region of the header */
	bool at;     /* at @pa */
	uint64_t pa;
};

/** struct check_result - what a walk came to, for who wants more than words. */
struct check_result {
	struct pt_access acc;
	struct pt_walk walk;
	bool good;
	struct buf wrong; /* why it is not good though nothing faults; may be empty */
	struct {
		struct buf command, why;
	} repair[REPAIR_MAX];
	size_t repairs;
	bool best;	   /* the one repair is to be applied; else one of them may be */
	struct buf advice; /* all that is said of repairs, or of there being none */
};

void check_result_free(struct check_result *r);

/**
 * check_walk() - walk it by the registers that the machine has, as an access of its level;
 * say the walk, and what would repair it.
 * @quiet:  say nothing of what is good; what is not begins on a line of its own
 * @result: filled in; check_result_free() in any case
 */
int check_walk(struct context *ctx, const struct check_want *want, bool quiet, struct buf *out,
	       struct check_result *result);

/** check_has_tables() - the image has pages that look like tables, and that others point to. */
bool check_has_tables(struct context *ctx, const struct regime *r);
/** check_say_orphans() - pages of the image that look like tables and that nothing leads to. */
int check_say_orphans(struct context *ctx, const struct regime *r, struct buf *out);

#endif
