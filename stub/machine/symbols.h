/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for addresses, from ELF files.
 */
#ifndef BATON_SYMBOLS_H
#define BATON_SYMBOLS_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

struct symbols;

struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);

/**
 * symbols_load() - add the functions and objects of an ELF file, moved by @offset.
 * @err: on error one line that names the file and what is wrong with it
 *
 * Return: how many were added (0: a stripped file), or -BATON_ENOTFOUND: no such
 * file, -BATON_EINVAL: not an ELF file, or a broken one.
 */
int symbols_load(struct symbols *s, const char *path, uint64_t offset, struct buf *err);

/** symbols_find() - the value of a name; -BATON_ENOTFOUND. */
int symbols_find(const struct symbols *s, const char *name, uint64_t *value);

/**
 * symbols_name() - the symbol that holds @addr (a symbol without size reaches to the
 * next, but no further than its section), or NULL. @offset: into it.
 */
const char *symbols_name(const struct symbols *s, uint64_t addr, uint64_t *offset);

/** symbols_say() - append " <name+0x10>" or "name+0x10"-like text; nothing if unknown. */
void symbols_say(const struct symbols *s, uint64_t addr, struct buf *out);

/** symbols_load_address() - where a file has what is linked at @va loaded, if elsewhere. */
bool symbols_load_address(const struct symbols *s, uint64_t va, uint64_t *pa);
/**
 * symbols_shift() - the @i-th of the different distances, not 0, from load to link addresses
 * in all files. False: there are no more.
 */
bool symbols_shift(const struct symbols *s, size_t i, uint64_t *shift);

#endif
