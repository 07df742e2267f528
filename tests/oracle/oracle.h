/* SPDX-License-Identifier: BSD-2-Clause */
/* Our walk against QEMU's own (`gva2gpa`), address by address, on real machines. */
#ifndef BATON_TESTS_ORACLE_H
#define BATON_TESTS_ORACLE_H

#include "../tap.h"
#include "machine/live.h"
#include "machine/tables.h"
#include "spawn.h"

#include <stdbool.h>
#include <stdint.h>

/* One QEMU and the counts of what was compared on it. */
struct oracle {
	struct child child;
	struct loop loop;
	struct live live;
	uint64_t random;	/* state of the generator: a fixed seed */
	bool af_ignored;	/* gva2gpa takes no notice of the access flag */
	bool af_either;		/* ... or may not: such addresses are only counted */
	size_t leaves_at_most;	/* of one half: beyond, every n-th */
	unsigned int addresses; /* at least so many */
	struct oracle_cache *cache;
	unsigned int compared, mapped, wrong, refused;
	unsigned int known; /* exceptions: compare.c */
	unsigned int af_clear;
};

/** oracle_start() - QEMU with @args behind its own; dies with words if that fails. */
void oracle_start(struct oracle *o, char *const *args, const char *console);
void oracle_end(struct oracle *o);
/** oracle_compare() - every leaf, its edges and 2000 addresses at random, in the CPU's regime. */
void oracle_compare(struct oracle *o, const char *name);
/** oracle_ask() - QEMU's answer. Return: true with @pa, or false: it says "Unmapped". */
bool oracle_ask(struct oracle *o, uint64_t va, uint64_t *pa);
uint64_t oracle_random(struct oracle *o);

/** oracle_reader() - @t's memory, kept by the page until the machine moves. */
struct pt_reader oracle_reader(struct oracle *o, struct tables *t);

/** handmade_run() - tables that no sane kernel has. */
void handmade_run(void);
/** guest_run() - one row of tests/guests/list.sh: NAME LEVELS MARKER QEMU'S ARGUMENTS... */
void guest_run(char **argv);
/** pagemap_compare() - the user half of a Linux process that printed its own to @console. */
void pagemap_compare(struct oracle *o, const char *name, const char *console);

/** file_has() - is there a line with @text in it? */
bool file_has(const char *path, const char *text);

/** built() - a path below the output folder; valid to the fourth call from here. */
char *built(const char *name);

#endif
