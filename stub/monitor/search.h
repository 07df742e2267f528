/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes in memory that is mapped. One frame may be mapped thousands of times: what was
 * searched and has nothing is not read again, but for the few bytes at its ends.
 */
#ifndef BATON_MONITOR_SEARCH_H
#define BATON_MONITOR_SEARCH_H

#include "mmu/map.h"
#include "monitor/command.h"

#define SEARCH_MAX 256 /* bytes to look for */

/** struct search - all zero, then search_bytes(). */
struct search {
	struct cmd *c;
	uint8_t *needle;
	size_t len;
	/* a hit: where it begins. Return 0, or a negative number that ends it */
	int (*hit)(void *ctx, uint64_t ia, uint64_t pa);
	void *ctx;
	uint64_t hits, passed; /* passed: bytes that are no memory */
	uint8_t *page;	       /* what is known of each page of RAM and ROM */
	size_t *base;	       /* of each of the machine's ranges: its first page */
	/* the last bytes before @next */
	uint64_t next, tail_pa;
	size_t tail_len;
	bool tail_read;
	uint8_t data[65536 + SEARCH_MAX];
};

/**
 * search_bytes() - take @word as what to look for: pairs of hex digits, or s:TEXT.
 * Return: 0; -BATON_EINVAL, said.
 */
int search_bytes(struct search *s, struct cmd *c, const char *word);

/**
 * search_range() - look for it in memory at [@pa, @pa + @size), mapped at @ia; all are
 * multiples of 4 KiB. Ranges are given ascending: a hit may begin in the one before.
 * Return: 0; what hit() returned; -BATON_ECANCELED; what reading ended with.
 */
int search_range(struct search *s, uint64_t ia, uint64_t pa, uint64_t size);

void search_free(struct search *s);

#endif
