/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mapping is to be, in the user's words, and as bits of a descriptor. */
#ifndef BATON_PATCH_WANT_H
#define BATON_PATCH_WANT_H

#include "mmu/walk.h"

enum pt_want_type { WANT_ANY_TYPE, WANT_NORMAL, WANT_NC, WANT_DEVICE };

/** struct pt_want - what is not given stays as it is, or is what one would expect. */
struct pt_want {
	bool perm_given, share_given, ng_given;
	unsigned int perm; /* enum pt_perm */
	bool user, ng;
	enum pt_want_type type;
	enum pt_share share;
};

/**
 * pt_want_parse() - one word: "rwx", "r-x", "user", "normal", "nc", "device", "ish", "osh",
 * "nsh", "ng", "global", or several with commas between; added to @w.
 * Return: 0; -BATON_EINVAL with words.
 */
int pt_want_parse(struct pt_want *w, const char *text, struct buf *why);

/**
 * pt_want_bits() - the bits of a leaf of @cfg's stage that @w is about.
 * @all: for a new leaf: all attributes, with what is not given as one would expect
 * @mask: bits that are to change; @bits: to what
 *
 * Return: 0; -BATON_EINVAL or -BATON_ENOTFOUND with words: what this regime cannot say,
 * a memory type that MAIR does not have.
 */
int pt_want_bits(const struct pt_config *cfg, const struct pt_want *w, bool all, uint64_t *mask,
		 uint64_t *bits, struct buf *why);

#endif
