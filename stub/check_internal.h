/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of `baton check` share. */
#ifndef BATON_CHECK_INTERNAL_H
#define BATON_CHECK_INTERNAL_H

#include "check.h"
#include "handoff/check.h"
#include "machine/image.h"

#define PAGE 4096u

struct checking {
	const struct options *o;
	const char *name; /* of the file, without its folder */
	struct machine_image mi;
	struct context ctx;
	struct sink sink;
	struct buf text;
	uint64_t load;
	struct baton_image_board board;
	bool has_board;
	unsigned int el;
	uint64_t root[2];
	bool has_root[2];
	bool found;
};

/** checking_flush() - what was gathered; with -e on standard error, since commands speak then. */
void checking_flush(struct checking *k);
/** checking_unusable() - say why, after all that was gathered. Return: -BATON_EINVAL. */
int checking_unusable(struct checking *k, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** checking_given() - what an option says, or NULL. */
const uint64_t *checking_given(const struct checking *k, enum given which);
void checking_say_symbol(struct checking *k, uint64_t addr);

/** checking_open_file() - check_file.c: the file as it will lie in memory. Errors are said. */
int checking_open_file(struct checking *k);

/** checking_set_regs() - check_regs.c: level, registers and roots. Errors are said. */
int checking_set_regs(struct checking *k);
/** checking_bare_regime() - the registers so far, for a regime whose roots are not known. */
int checking_bare_regime(struct checking *k, struct regime *r);

#endif
