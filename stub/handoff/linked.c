/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/linked.h"

#include "error.h"
#include "mmu/map.h"

#include <stdlib.h>
#include <string.h>

struct collect {
	struct linked *linked;
	unsigned int half;
};

const struct linked_table *linked_find(const struct linked *l, unsigned int half, uint64_t table)
{
	for (size_t i = 0; i < l->count[half]; i++)
		if (l->tables[half][i].address == table)
			return &l->tables[half][i];
	return NULL;
}

void linked_add(struct linked *l, unsigned int half, uint64_t table, uint64_t ia)
{
	if (linked_find(l, half, table) || l->count[half] >= LINKED_MAX)
		return;
	if (l->count[half] == l->size[half]) {
		l->size[half] = l->size[half] ? l->size[half] * 2 : 64;
		l->tables[half] = realloc(l->tables[half], l->size[half] * sizeof(**l->tables));
		if (!l->tables[half])
			abort();
	}
	l->tables[half][l->count[half]++] = (struct linked_table){ table, ia };
}

static int keep(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	struct collect *c = ctx;

	(void)level;
	(void)data;
	if (c->linked->count[c->half] >= LINKED_MAX)
		return -BATON_ETOOBIG;
	linked_add(c->linked, c->half, table, ia);
	return 0;
}

void linked_collect(struct linked *l, const struct regime *r, const struct pt_reader *reader)
{
	for (unsigned int half = 0; half <= (r->two_halves ? 1u : 0u); half++) {
		struct collect c = { .linked = l, .half = half };
		const struct pt_map_sink sink = { .table = keep, .ctx = &c };
		struct pt_config cfg;

		/* an unusable half has no tables: that is all there is to know here */
		if (pt_config_from_regime(&cfg, r, half ? UINT64_MAX : 0, NULL) == 0)
			(void)pt_map_words(&cfg, reader, 0, UINT64_MAX, &sink, NULL);
	}
}

void linked_free(struct linked *l)
{
	for (unsigned int i = 0; i < LINKED_LISTS; i++)
		free(l->tables[i]);
	memset(l, 0, sizeof(*l));
}
