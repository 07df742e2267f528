/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. */
#ifndef BATON_OPTIONS_H
#define BATON_OPTIONS_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mode {
	MODE_RUN,
	MODE_ATTACH,
	MODE_CHECK,
	MODE_DONE /* --help, --version: said, nothing to do */
};

/* What MODE_CHECK may be told: where the image goes, registers, the CPU that has them. */
enum given {
	GIVEN_LOAD,
	GIVEN_ENTRY,
	GIVEN_EL,
	GIVEN_TTBR0,
	GIVEN_TTBR1,
	GIVEN_TCR,
	GIVEN_MAIR,
	GIVEN_SCTLR,
	GIVEN_VTTBR,
	GIVEN_VTCR,
	GIVEN_CPU,
	GIVEN_COUNT
};

struct given_value {
	bool set;
	uint64_t value;
};

struct strings {
	char **item;
	size_t count;
};

struct options {
	enum mode mode;
	const char *listen;	 /* NULL: nobody; otherwise an address, or "stdio" */
	bool serve;		 /* wait for GDB after the commands */
	struct strings commands; /* -e and the lines of -x, in order */
	struct strings symbols;	 /* -s */
	int verbose;		 /* 1: what is done, 2: every packet */
	int timeout;		 /* seconds for everything; 0: no limit */
	bool allow_remote, allow_mmio;
	bool no_spin;	     /* sleep at once while GDB is awaited */
	bool packets;	     /* read memory by packets alone */
	const char *journal; /* a file, or NULL */
	const char *address; /* MODE_ATTACH */
	const char *image;   /* MODE_CHECK */
	bool json;	     /* JSON instead of text */
	const char *junit;   /* a report: a file, or NULL */
	bool tap;	     /* ... on standard output, all else on standard error */
	struct given_value given[GIVEN_COUNT];
	char **qemu; /* MODE_RUN: QEMU and its arguments, ends with NULL */
};

/**
 * options_parse() - read the command line.
 * @err: on error one or more lines, without "baton: "
 *
 * Return: 0, or -BATON_EINVAL (-BATON_ENOTFOUND: the file of -x cannot be read).
 */
int options_parse(struct options *o, int argc, char **argv, struct buf *err);
void options_free(struct options *o);

#endif
