/* SPDX-License-Identifier: BSD-2-Clause */
/* A system register that a CPU is made to write: checked, journalled, read back. */
#ifndef BATON_PATCH_SYSREG_EDIT_H
#define BATON_PATCH_SYSREG_EDIT_H

#include "patch/journal.h"

struct sysreg_edit {
	unsigned int cpu;
	const char *name; /* architectural */
	uint64_t old;	  /* what it holds, */
	bool by_cpu;	  /* read by the CPU itself: QEMU does not show it */
	uint64_t value;	  /* what it is to hold */
	bool insist;	  /* even if the CPU cannot execute at its pc then */
	const char *why;
	unsigned int number; /* out: of the journal's entry */
};

/**
 * sysreg_edit() - make it so. What does not take the value keeps the old one.
 * Return: 0; -BATON_EREFUSED: the CPU would lose its pc, or is out of reach; -BATON_EVERIFY: it
 * does not take it; -BATON_EFAULT: not this level's to write; -BATON_ESYS: the journal. Words
 * are in m->error, and nothing has changed.
 */
int sysreg_edit(struct machine *m, struct journal *j, struct sysreg_edit *e);

#endif
