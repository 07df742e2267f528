/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is put into the machine for a moment and comes back: the words of an injection and its
 * CPU's registers, tlb-check's mark. Whoever keeps a journal (m->moment) is told before, and
 * when all is back, so that after a baton that was killed in between the next one can put it
 * back. Moments are within one another; all is back when the outermost ends.
 */
#ifndef BATON_MOMENT_H
#define BATON_MOMENT_H

#include "machine/machine.h"

void moment_begin(struct machine *m);
/** moment_end() - @back: all is as it was; else it is left to the next baton. */
void moment_end(struct machine *m, bool back);

/**
 * moment_note() - one line of what is about to be changed, before it is.
 * moment_mark() - @len bytes (up to 64) at physical @pa.
 * Return: 0; -BATON_ESYS with words: it could not be kept, and nothing may be changed.
 */
int moment_note(struct machine *m, const struct buf *line);
int moment_mark(struct machine *m, uint64_t pa, const void *old, const void *new, size_t len);

/**
 * moment_recover() - put back what these lines, all of a moment that did not end, say was there.
 * @say: lines of what was done, or of what is left. Where the CPU has run on since, nothing of
 * it is touched.
 * Return: 0; -BATON_ELINK.
 */
int moment_recover(struct machine *m, char *const *line, size_t n, struct buf *say);

#endif
