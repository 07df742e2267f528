/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that do not leave the stack pointer where they found it. */
#ifndef BATON_HANDOFF_BALANCE_H
#define BATON_HANDOFF_BALANCE_H

#include "handoff/scan.h"

struct imbalance {
	uint64_t function; /* as it is called */
	uint64_t ret;	   /* the return that is reached with another sp */
	int64_t bytes;	   /* that were taken off too many; negative: left there */
};

/**
 * balance_check() - follow sp from each target of a `bl` to each return. Paths on which
 * sp is set to what is not known here say nothing.
 *
 * Return: how many there are, at most @max, by address; one for each function.
 */
size_t balance_check(const struct scan *s, struct imbalance *out, size_t max);

/** balance_change() - by how much an instruction moves sp; false: it sets it anew. */
bool balance_change(uint32_t word, int64_t *bytes);

#endif
