/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BATON_HANDOFF_TRACE_INTERNAL_H
#define BATON_HANDOFF_TRACE_INTERNAL_H

#include "handoff/internal.h"
#include "handoff/trace.h"

/* Code that was read: pages by where they lead, lines of memory by what is in them. */
#define TRACE_PAGES 16u
#define TRACE_LINES 64u
#define TRACE_LINE  64u

struct trace_page {
	uint64_t va, pa;
	bool valid;
};

struct trace_line {
	uint64_t pa;
	bool valid;
	uint8_t data[TRACE_LINE];
};

struct trace {
	struct trace_ring ring;
	struct trace_goal goal;
	uint64_t core[CORE_COUNT]; /* behind the newest entry */
	struct trace_page page[TRACE_PAGES];
	struct trace_line line[TRACE_LINES];
	bool armed;
	bool mmu; /* until mmu-on: is it? */
};

static inline unsigned int trace_el(const uint64_t *core)
{
	return core[CORE_CPSR] >> 2 & 3;
}

/** trace_next() - where @word leads without an exception; false: that is not known. */
bool trace_next(const uint64_t *core, uint32_t word, uint64_t *pc);
/** trace_may_fault() - it may end in an exception; false only where it is sure not to. */
bool trace_may_fault(uint32_t word);
/** trace_may_write() - memory may be other than before; trace_may_move() - what is where. */
bool trace_may_write(uint32_t word);
bool trace_may_move(uint32_t word);

/** struct trace_access - a load's or store's address, where it is simple to know. */
struct trace_access {
	uint64_t address;
	unsigned int size;  /* bytes of each register */
	unsigned int count; /* registers that are stored, 0 for a load or a vector's */
	unsigned int reg[2];
};
bool trace_access(const uint64_t *core, uint32_t word, struct trace_access *a);

#endif
