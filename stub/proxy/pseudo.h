/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that QEMU does not show, or not by their name, offered to GDB as more of the machine's:
 * behind the last of the target description (GDB manual, appendix G), each with `p` and `P`, so
 * that `g` stays what it is and a step costs nothing more.
 */
#ifndef BATON_PSEUDO_H
#define BATON_PSEUDO_H

#include "machine/live.h"

#define PSEUDO_REGS 10

enum pseudo_state {
	PSEUDO_UNKNOWN,
	PSEUDO_FIXED,	/* of the hardware: it never changes */
	PSEUDO_FOR_NOW, /* until the machine moves */
	PSEUDO_NOWHERE, /* this CPU does not let it be read, until it moves */
};

struct pseudo_value {
	uint64_t value;
	enum pseudo_state state;
};

struct pseudo {
	struct pseudo_value (*cpu)[PSEUDO_REGS]; /* of each CPU, once one was asked for */
	bool *unreachable;			 /* CPUs that could not be asked */
};

/**
 * pseudo_annex() - one document of the target description: target.xml with ours in it, or ours.
 * Return: false: it is one of QEMU's alone.
 */
bool pseudo_annex(const struct live *l, const char *annex, struct buf *out);

/** pseudo_name() - the name of register @number; NULL: none of ours. */
const char *pseudo_name(const struct live *l, uint64_t number);

/**
 * pseudo_read() - what it holds. What QEMU knows is computed; an identification register is read
 * by the CPU itself, once, and not where that does not leave everything as it is.
 * Return: 0; -BATON_ENOTFOUND: unavailable now; or the machine's error.
 */
int pseudo_read(struct pseudo *p, struct live *l, unsigned int cpu, uint64_t number,
		uint64_t *value);

/** pseudo_forget() - the machine has moved, or somebody has changed it. */
void pseudo_forget(struct pseudo *p, const struct live *l);
void pseudo_free(struct pseudo *p);

#endif
