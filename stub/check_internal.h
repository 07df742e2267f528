/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of `baton check` share. */
#ifndef BATON_CHECK_INTERNAL_H
#define BATON_CHECK_INTERNAL_H

#include "check.h"
#include "handoff/check.h"
#include "machine/image.h"

#define PAGE 4096u

struct json_t; /* jansson's */

struct checking {
	const struct options *o;
	const char *name; /* of the file, without its folder */
	struct machine_image mi;
	struct context ctx;
	struct sink sink;
	struct report *report; /* --junit, --tap; or NULL */
	bool aside; /* what is wrong with the file goes to the sink, too: not to standard error */
	struct buf text;
	struct json_t *json; /* --json: what was gathered so far; NULL: text is wanted */
	uint64_t load;
	struct buf load_how;
	struct baton_image_board board;
	bool has_board;
	unsigned int el;
	uint64_t root[2];
	bool has_root[2];
	const char *root_how[2];
	unsigned int root_others[2]; /* pages that would do as well */
	uint64_t tcr, mair;
	bool lost; /* there are tables, and no root to them */
	bool said_orphans;
	bool found;
};

/** checking_flush() - what was gathered; with -e on standard error, since commands speak then. */
void checking_flush(struct checking *k);
/** checking_unusable() - say why, after all that was gathered. Return: -BATON_EINVAL. */
int checking_unusable(struct checking *k, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** checking_wrong() - say "WRONG: ..." of @va, which @what names. */
void checking_wrong(struct checking *k, const char *what, uint64_t va, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/** checking_given() - what an option says, or NULL. */
const uint64_t *checking_given(const struct checking *k, enum given which);
void checking_say_symbol(struct checking *k, uint64_t addr);

/** begin_size() - how much of a flat file is looked through: IMAGE_MAX at most. */
static inline uint64_t begin_size(const struct checking *k)
{
	return k->mi.size < IMAGE_MAX ? k->mi.size : IMAGE_MAX;
}

/** checking_begin() - @to: NULL for standard output and error. checking_end() - all of it. */
void checking_begin(struct checking *k, const struct options *o, struct sink *to);
void checking_end(struct checking *k);

/** checking_open_file() - check_file.c: the file as it will lie in memory. Errors are said. */
int checking_open_file(struct checking *k);

/** checking_set_regs() - check_regs.c: level, registers and roots. Errors are said. */
int checking_set_regs(struct checking *k);
/** checking_bare_regime() - the registers so far, for a regime whose roots are not known. */
int checking_bare_regime(struct checking *k, struct regime *r);

/* check_json.c: the same facts as JSON; where text is wanted, all but the first do nothing. */
void checking_json_begin(struct checking *k);
void checking_json_walk(struct checking *k, const char *what, const struct check_result *r);
void checking_json_wrong(struct checking *k, const char *what, uint64_t va, const char *words);
/** checking_json_lint() - what `pt-lint` says; sets found. Errors are said. */
int checking_json_lint(struct checking *k);
/** checking_json_error() - all that there is to say is @why. */
void checking_json_error(struct checking *k, const char *why);
/** checking_json_end() - add image and registers, and print it. -BATON_ESYS: could not, said. */
int checking_json_end(struct checking *k);

#endif
