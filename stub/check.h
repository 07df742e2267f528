/* SPDX-License-Identifier: BSD-2-Clause */
/* `baton check`: the same eyes on a file. */
#ifndef BATON_CHECK_H
#define BATON_CHECK_H

#include "monitor/command.h"
#include "options.h"

/**
 * check_run() - open the file, and run the commands of -e, or say all that is known.
 * Return: the exit status: 0 good, 1 something is wrong, 2 not usable.
 */
int check_run(const struct options *o);

/** check_say() - the same without -e and --json, all that is said to @to. */
int check_say(const struct options *o, struct sink *to);

/** struct check_file - a file, and what of memory comes from it. */
struct check_file;

/**
 * check_file_open() - as `baton check` would lay it into memory, what its header's regions are
 * copied to included; @rom: and as QEMU has laid it, NULL: it has not.
 * Return: NULL, and @why has one line.
 */
struct check_file *check_file_open(const char *path, const struct rom *rom, struct buf *why);
void check_file_close(struct check_file *f);

/**
 * check_file_where() - where all @len bytes of physical @pa are in the file, from its first byte
 * on. Return: false if they are not in it.
 */
bool check_file_where(const struct check_file *f, uint64_t pa, size_t len, uint64_t *offset);

/** check_file_sums() - @data is the whole file: its checksums, where it has such, made right. */
void check_file_sums(const struct check_file *f, uint8_t *data);

/** check_file_tells_load() - the file says itself where it belongs. */
bool check_file_tells_load(const struct check_file *f);

#endif
