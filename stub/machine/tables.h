/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The translation tables of a stopped machine: a regime of one CPU, read from its
 * registers, with physical memory and names for addresses.
 */
#ifndef BATON_MACHINE_TABLES_H
#define BATON_MACHINE_TABLES_H

#include "machine/machine.h"
#include "machine/symbols.h"
#include "mmu/map.h"
#include "mmu/render.h"
#include "mmu/walk.h"

/** struct tables - do not copy it: the reader points back to it. */
struct tables {
	struct machine *machine;
	struct symbols *symbols; /* may be NULL */
	unsigned int cpu;
	unsigned int el;  /* where that CPU is now */
	bool pan;	  /* PSTATE.PAN */
	const char *spec; /* what -r said, NULL for the CPU's own regime */
	struct regime regime;
	struct pt_reader reader;
	struct pt_names names;
	int lost; /* what a read ended with that no walk can answer: link lost, canceled */
};

/**
 * tables_init() - the regime that @spec names (regime_read()), or that of the CPU's
 * level if it is NULL.
 * @why: on error one line is appended; may be NULL
 *
 * Return: 0, or what regime_read() or the machine returned.
 */
int tables_init(struct tables *t, struct machine *m, struct symbols *symbols, unsigned int cpu,
		const char *spec, struct buf *why);

/**
 * tables_access() - an access of @kind as that CPU would make it: from the regime's own
 * level, or from EL0 if the CPU is there or @el0 asks for it.
 */
struct pt_access tables_access(const struct tables *t, enum pt_access_kind kind, bool el0);

/**
 * tables_walk() - pt_walk_regime() over @t. A lost link or a cancellation is an error
 * here, not a fault of the walk.
 */
int tables_walk(struct tables *t, uint64_t va, const struct pt_access *acc, struct pt_walk *out,
		struct buf *why);

/** tables_bulk() - whole tables of that machine; nothing is left under way. Not by IPA. */
struct pt_bulk tables_bulk(struct machine *m);

#endif
