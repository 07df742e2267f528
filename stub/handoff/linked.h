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

struct linked {
	struct linked_table *tables[2]; /* by half: 0 below TTBR0, 1 below TTBR1; the roots too */
	size_t count[2], size[2];
};

void linked_collect(struct linked *l, const struct regime *r, const struct pt_reader *reader);
/** linked_find() - that table if the root of that half leads to it, or NULL. */
const struct linked_table *linked_find(const struct linked *l, unsigned int half, uint64_t table);
void linked_free(struct linked *l);

#endif
