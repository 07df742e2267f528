/* SPDX-License-Identifier: BSD-2-Clause */
/* The lint over a machine: what mmu/lint.h wants to know of it. */
#ifndef BATON_MONITOR_LINTS_H
#define BATON_MONITOR_LINTS_H

#include "handoff/image.h"
#include "mmu/lint.h"
#include "monitor/maps.h"

#define LINTS_PLACES 20
#define LINTS_SERIAL 8
#define LINTS_ROOTS  8

/** struct lints - an input and all that it points to. Large, and do not copy it. */
struct lints {
	struct maps maps;  /* .tables is what is looked at */
	struct tables now; /* the regime in use, which may be another */
	bool now_known;
	struct image image;
	struct lint_input in;
	struct lint_place places[LINTS_PLACES];
	struct lint_span lost[BATON_IMAGE_MAX_REGIONS], spans[IMAGE_SPANS], serial[LINTS_SERIAL];
	char names[BATON_IMAGE_MAX_REGIONS][48];
	uint64_t roots[LINTS_ROOTS];
};

/**
 * lints_open() - gather it for the regime that -c and -r chose; errors are said. Only
 * what machine/ offers is asked, so that a machine made from a file serves as well.
 * lints_close() in any case.
 */
int lints_open(struct lints *l, struct cmd *c);
void lints_close(struct lints *l);
/** lints_run() - lint_run() over it. Errors are said, a lost link and a cancellation among them. */
int lints_run(struct lints *l, struct lint_report *report);

/** lints_memory_at() - struct lint_input's memory; @ctx: the machine. */
enum lint_memory lints_memory_at(void *ctx, uint64_t pa, uint64_t *last, const char **name);
/** lints_serial() - devices that look like a console by their name, at most LINTS_SERIAL. */
size_t lints_serial(const struct machine *m, struct lint_span *out);

#endif
