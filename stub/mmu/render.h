/* SPDX-License-Identifier: BSD-2-Clause */
/* A walk as text for people: the conclusion is the last line. */
#ifndef BATON_MMU_RENDER_H
#define BATON_MMU_RENDER_H

#include "mmu/walk.h"

struct buf;

/**
 * struct pt_names - symbols for addresses; give NULL where there are none.
 * @symbol: the symbol that @addr is in and how far, or NULL
 */
struct pt_names {
	const char *(*symbol)(void *ctx, uint64_t addr, uint64_t *offset);
	void *ctx;
};

/** pt_render_head() - the regime, its root and sizes: the first line of a walk. */
void pt_render_head(const struct pt_config *c, const struct pt_names *names, struct buf *out);

/** pt_render_walk() - header, one line per level, conclusion. @acc: as walked with, may be NULL. */
void pt_render_walk(const struct pt_walk *w, const struct pt_access *acc,
		    const struct pt_names *names, struct buf *out);

/** pt_render_line() - the conclusion alone, on one line without its end. */
void pt_render_line(const struct pt_walk *w, const struct pt_access *acc,
		    const struct pt_names *names, struct buf *out);

/**
 * pt_render_fault() - "translation fault, level 0: the entry is invalid (ESR would be
 * 0x86000004 for a fetch from EL1)"; without the end of the line; nothing without a fault.
 */
void pt_render_fault(const struct pt_walk *w, const struct pt_access *acc, struct buf *out);

/** pt_render_step() - one level, as a line of pt_render_walk(), indented by two. */
void pt_render_step(const struct pt_walk *w, unsigned int step, const struct pt_names *names,
		    struct buf *out);

/** pt_render_attrs() - "Normal WB, inner shareable, AF". */
void pt_render_attrs(const struct pt_attrs *a, struct buf *out);

/** pt_render_perm() - "rwx", "r--": three characters for a set of enum pt_perm. */
const char *pt_render_perm(unsigned int perm);

/** pt_render_size() - "4 KiB", "2 MiB", "1 GiB". */
void pt_render_size(uint64_t size, struct buf *out);

#endif
