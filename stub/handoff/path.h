/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is bound to be executed behind an instruction: the straight way on, through direct
 * branches and calls, as far as no condition decides. For what is missing on it.
 */
#ifndef BATON_HANDOFF_PATH_H
#define BATON_HANDOFF_PATH_H

#include <stdbool.h>
#include <stdint.h>

struct path_source {
	int (*word)(void *ctx, uint64_t pc, uint32_t *word); /* 0, or nothing is there */
	void *ctx;
};

enum path_end {
	PATH_LOST,  /* a condition, a register, or too far */
	PATH_SYNC,  /* a context synchronization event (DDI 0487, glossary): isb, exception, eret */
	PATH_THERE, /* at @until */
};

struct path {
	enum path_end end;
	uint64_t pc; /* of the instruction that ends it */
	uint32_t word;
	bool dsb; /* one is on the way */
};

/**
 * path_follow() - from @pc on.
 * @link: x30 there, 0: not known
 * @until: ends there
 * @through: an isb does not end it
 */
void path_follow(const struct path_source *s, uint64_t pc, uint64_t link, uint64_t until,
		 bool through, struct path *out);

/** path_is_dsb() - one that waits for what was written before it, or the like. */
bool path_is_dsb(uint32_t word);

#endif
