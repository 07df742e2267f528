/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was executed before an instruction: the only way back through code that is known, as
 * far as nothing else leads into it.
 */
#ifndef BATON_HANDOFF_BACK_H
#define BATON_HANDOFF_BACK_H

#include "handoff/scan.h"

#define BACK_MOST 256

/** struct back_step - an instruction on the way. */
struct back_step {
	uint64_t pc;
	uint32_t word;
	size_t loop; /* not 0: it ends a loop that may have run more often, from step @loop on */
};

/**
 * back_path() - what was executed before the instruction at @pc, the newest first: up to a dsb
 * (left out), or to where it may have been come to in more than one way. Of a loop one round,
 * the first as far as registers from before it count.
 * @link: x30 there
 *
 * Return: how many there are, at most BACK_MOST.
 */
size_t back_path(const struct scan *s, uint64_t pc, uint64_t link, struct back_step *out);

#endif
