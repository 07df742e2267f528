/* SPDX-License-Identifier: BSD-2-Clause */
/* What the journal's parts share: what is remembered, and its file (journal_file.c). */
#ifndef BATON_PATCH_JOURNAL_INTERNAL_H
#define BATON_PATCH_JOURNAL_INTERNAL_H

#include "patch/journal.h"

struct journal {
	struct journal_entry *entry;
	size_t count, cap;
};

#endif
