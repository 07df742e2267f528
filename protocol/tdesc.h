/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Target descriptions (GDB manual, appendix G): which registers a stub has, their
 * numbers, sizes and places in the `g` packet.
 */
#ifndef BATON_TDESC_H
#define BATON_TDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct tdesc_reg {
	const char *name;
	unsigned int regnum; /* the number in `p`, `P` and stop replies */
	unsigned int bitsize;
	/*
	 * Bytes into the `g` packet, by ascending register number. A stub may send a
	 * shorter `g`: what lies behind its end is fetched with `p`. -1 where the place
	 * is unknown: behind a register whose size is no whole number of bytes.
	 */
	long offset;
	const char *type;    /* "int" if not given */
	const char *group;   /* NULL if not given */
	const char *feature; /* "org.gnu.gdb.aarch64.core" */
	const char *annex;   /* the document it came from */
};

/** struct tdesc - regs are sorted by number. */
struct tdesc {
	struct tdesc_reg *regs;
	size_t count;
	char *architecture; /* "aarch64", or NULL */
	struct tdesc_reg **by_name;
	struct tdesc_string *strings; /* owns what the pointers above point to */
};

#define TDESC_MAX_DEPTH	 8   /* xi:include in xi:include */
#define TDESC_MAX_ANNEX	 256 /* documents altogether */
#define TDESC_MAX_REGS	 65536
#define TDESC_MAX_REGNUM 0xffffffu
#define TDESC_MAX_SIZE	 (16u << 20) /* bytes of all documents together */

/**
 * struct tdesc_source - where documents come from.
 * @fetch: appends the whole annex to @out (qXfer:features:read). Returns 0, or a
 *         negative BATON_E number that ends the parse and is passed on.
 */
struct tdesc_source {
	int (*fetch)(void *ctx, const char *annex, struct buf *out);
	void *ctx;
};

/**
 * tdesc_parse() - read target.xml and all that it includes.
 * @err: on error one line, such as `target.xml:12: reg without a name`; may be NULL
 *
 * A register has the number that `regnum` gives, or else one more than the register
 * before it in document order, from 0 on (GDB manual, G.2.6 "Registers").
 *
 * Return: 0 and @t, for tdesc_free(); -BATON_EPROTO: not well-formed, an entity, a
 * second register of a number, a cycle of includes; -BATON_ETOOBIG: over a limit
 * above; else what @fetch returned. On error @t is empty.
 */
int tdesc_parse(struct tdesc *t, const struct tdesc_source *source, struct buf *err);
void tdesc_free(struct tdesc *t);

/** tdesc_find() - by name, case matters (the first of several: by number); NULL if there is none.
 */
const struct tdesc_reg *tdesc_find(const struct tdesc *t, const char *name);

/** tdesc_reg() - by number; NULL if there is none. */
const struct tdesc_reg *tdesc_reg(const struct tdesc *t, unsigned int regnum);

#endif
