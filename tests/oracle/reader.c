// SPDX-License-Identifier: BSD-2-Clause
/* Whole pages, kept while the machine stands: a real guest has tens of thousands of tables. */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#define PAGE  4096
#define PAGES 32768 /* a power of two */

struct oracle_cache {
	uint64_t generation;
	uint64_t address[PAGES]; /* 1: nothing */
	uint64_t word[PAGES][PAGE / 8];
	struct machine *machine;
	struct pt_reader below;
};

static int read_word(void *ctx, uint64_t pa, uint64_t *value)
{
	struct oracle_cache *c = ctx;
	uint64_t page = pa & ~(uint64_t)(PAGE - 1);
	size_t slot = page / PAGE % PAGES;

	if (c->generation != c->machine->generation) {
		memset(c->address, 1, sizeof(c->address));
		c->generation = c->machine->generation;
	}
	if (c->address[slot] != page) {
		/* Not all of the page is memory: let the machine say what it is. */
		if (!machine_is_ram(c->machine, page, PAGE, true) ||
		    machine_phys_read(c->machine, page, c->word[slot], PAGE))
			return c->below.read(c->below.ctx, pa, value);
		c->address[slot] = page;
	}
	*value = c->word[slot][pa % PAGE / 8];
	return 0;
}

struct pt_reader oracle_reader(struct oracle *o, struct tables *t)
{
	if (!o->cache) {
		o->cache = calloc(1, sizeof(*o->cache));
		if (!o->cache)
			abort();
		o->cache->generation = ~UINT64_C(0);
	}
	o->cache->machine = &o->live.m;
	o->cache->below = t->reader;
	return (struct pt_reader){ read_word, o->cache };
}
