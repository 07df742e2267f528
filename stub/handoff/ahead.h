/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU is bound to do before it comes to the next instruction that matters: followed
 * without running it, as far as no flag decides, with what is certain of its registers there.
 */
#ifndef BATON_HANDOFF_AHEAD_H
#define BATON_HANDOFF_AHEAD_H

#include "handoff/insn.h"

#define AHEAD_MSRS 32

struct ahead {
	uint64_t pc;
	uint32_t word; /* the instruction there, where it could be read */
	struct insn insn;
	unsigned int steps;  /* instructions up to it */
	uint64_t x[32];	     /* 31: sp */
	uint32_t known;	     /* bit N: x[N] is certain */
	uint64_t pstate;     /* as SPSR has it */
	bool stored;	     /* memory was written to: what a load gives is not certain any more */
	uint64_t store;	     /* where the last instruction has stored to */
	unsigned int stores; /* bytes; 0: nothing, or it is not known where */
	bool lost;	     /* more system registers were written than there is room for */
	struct {
		uint16_t sysreg; /* SYSREG() */
		uint64_t value;
		bool known;
	} msr[AHEAD_MSRS]; /* written on the way */
	unsigned int msrs;
};

/**
 * struct ahead_source - the machine as it is; each returns 0, or that it is not known.
 * @word: the instruction at @pc; @load: @len bytes of memory
 * @ends: the instruction that @a has come to is what is looked for
 */
struct ahead_source {
	int (*word)(void *ctx, uint64_t pc, uint32_t *word);
	int (*load)(void *ctx, uint64_t va, unsigned int len, uint64_t *value);
	int (*sysreg)(void *ctx, uint16_t sysreg, uint64_t *value);
	bool (*ends)(void *ctx, const struct ahead *a);
	void *ctx;
};

/**
 * ahead_look() - from @a's pc and registers on.
 * Return: true: it has come to what is looked for; false: @a is where that is not certain any
 * more.
 */
bool ahead_look(const struct ahead_source *s, struct ahead *a);

/**
 * ahead_past() - what the instruction at @a's pc leaves in registers, wherever it leads. Of
 * memory only what was loaded from beside the code is taken for what it was.
 */
void ahead_past(const struct ahead_source *s, struct ahead *a, uint32_t word);
/** ahead_forget() - the registers that @word may write are not certain. */
void ahead_forget(struct ahead *a, uint32_t word);

/** ahead_sysreg() - was that register written on the way? *@known: with *@value. */
bool ahead_sysreg(const struct ahead *a, uint16_t sysreg, uint64_t *value, bool *known);

#endif
