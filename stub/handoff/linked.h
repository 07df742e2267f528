/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tables a regime's roots lead to. */
#ifndef BATON_HANDOFF_LINKED_H
#define BATON_HANDOFF_LINKED_H

#include "mmu/walk.h"

#include <stddef.h>

/* Beyond this nothing is said of being linked. */
#define LINKED_MAX 65536

struct linked_table {
	uint64_t address;
	uint64_t ia; /* first input address that it serves where it was first met */
};

/* Lists: below TTBR0, below TTBR1 (the roots too), and what tables in memory point to. */
enum { LINKED_MEMORY = 2, LINKED_LISTS };

struct linked {
	struct linked_table *tables[LINKED_LISTS];
	size_t count[LINKED_LISTS], size[LINKED_LISTS];
};

void linked_collect(struct linked *l, const struct regime *r, const struct pt_reader *reader);
/** linked_find() - that table if it is in the list, or NULL. */
const struct linked_table *linked_find(const struct linked *l, unsigned int list, uint64_t table);
/** linked_add() - note a table, once. */
void linked_add(struct linked *l, unsigned int list, uint64_t table, uint64_t ia);
void linked_free(struct linked *l);

#endif
