/* SPDX-License-Identifier: BSD-2-Clause */
/* A defect is a row of defects.c; the loader and baton-mkimage know of none. */
#ifndef ZOO_H
#define ZOO_H

#include <stdint.h>

/**
 * struct defect - some bytes of a good image, and what to put in their place.
 * @where:  a symbol of the loader's ELF file, or "region N" for what is copied to memory
 * @offset: in bytes, from there
 * @old:    what must be there, @new: what shall be there instead, of the same length.
 *          Words between blanks: 8 hex digits stand for a 32-bit word, an instruction;
 *          16 for a 64-bit one; `symbol+HEX` for a symbol's address and a number in 64 bits;
 *          `bl:symbol` for a call of it from there.
 *          All little-endian.
 */
struct defect {
	const char *name, *what;
	const char *where;
	uint64_t offset;
	const char *old, *new;
};

extern const struct defect defects[]; /* ends with a row without a name */

#endif
