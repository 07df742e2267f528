/* SPDX-License-Identifier: BSD-2-Clause */
/* What an injection and its recovery (inject_recover.c) share. */
#ifndef BATON_INJECT_INTERNAL_H
#define BATON_INJECT_INTERNAL_H

#include "machine/inject.h"

#define INJECT_CORE 34u /* x0 to x30, sp, pc, cpsr */
enum { LR = 30, SP, PC, CPSR };
extern const char *const inject_core_names[INJECT_CORE];

/* What an exception overwrites, by the level that it is taken to. */
enum { ELR, SPSR, ESR, FAR, HPFAR, VBAR, LEFT };
extern const char *const inject_left_names[4][LEFT];

/* Where the code of one level is put. */
struct place {
	uint64_t va, pa;
	uint8_t old[4 * INJECT_WORDS];
	bool used;
};

struct run {
	struct machine *m;
	struct inject *i;
	unsigned int cpu, el;
	struct machine_reg core[INJECT_CORE];
	struct machine_reg left[4][LEFT]; /* as they were, by level */
	struct place place[4];		  /* by level */
};

int inject_read(struct run *r, const char *const *names, struct machine_reg *regs, size_t n);
/** inject_undo_exception() - the CPU has taken one to @el: what it says, and then none of it. */
int inject_undo_exception(struct run *r, unsigned int el);
/** inject_put_back() - bytes and registers, whatever happened; the first error counts. */
int inject_put_back(struct run *r);

/** inject_note() - what the CPU has, before it is changed; inject_note_place() - the bytes. */
int inject_note(struct run *r);
int inject_note_place(struct run *r, unsigned int el);
/** inject_recover() - @line[0] is inject_note()'s, those behind it are of its places. */
int inject_recover(struct machine *m, char *const *line, size_t n, struct buf *say);

#endif
