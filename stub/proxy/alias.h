/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A breakpoint of GDB's is meant for an instruction; the same instruction may be executed at
 * another address: the loader's once it goes on in a high alias of itself, a kernel's before
 * its MMU is on, below where it is linked. While the machine is continued, a breakpoint also
 * lies at those addresses that may become one; it counts if, as the CPU then translates,
 * what is executed there is at the physical address that the one asked for leads to.
 */
#ifndef BATON_ALIAS_H
#define BATON_ALIAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

/** struct alias_asked - a breakpoint of GDB's: where it leads to. */
struct alias_asked {
	uint64_t addr, pa;
	bool known;   /* @pa: by the translation in force when it was first run with */
	bool by_file; /* else, where nothing was mapped: by the program headers of an ELF file */
	bool here;    /* GDB still has it */
};

/** struct aliases - zeroed at first. */
struct aliases {
	struct alias_asked *asked;
	size_t count;
	bool planted;
	bool reported; /* GDB was told of a stop at one, and has not gone on since */
	uint64_t reported_at;
};

/**
 * alias_plant() - before the machine is continued: a CPU that stands on one is led over it.
 * alias_lift() - before anything else that runs it: none of them is there.
 * alias_seen() - after a stop. @go_on: it was at such a place, and not for GDB
 * Return: 0; -BATON_ELINK.
 */
int alias_plant(struct session *s);
int alias_lift(struct session *s);
int alias_seen(struct session *s, bool *go_on);
void alias_free(struct aliases *a);

#endif
