/* SPDX-License-Identifier: BSD-2-Clause */
/* VMSAv8-64 descriptors by field: names, meanings and edits. */
#ifndef BATON_MMU_A64_H
#define BATON_MMU_A64_H

#include <stdint.h>

#include "mmu/field.h"
#include "mmu/walk.h"

/** pt_desc_fields() - the rows for a descriptor of @kind in @cfg's regime; PT_INVALID: type alone.
 */
const struct pt_field *pt_desc_fields(const struct pt_config *cfg, enum pt_kind kind);

/**
 * pt_desc_edit() - apply "AF=1,AP=ro,OA=0x40000000" to a descriptor.
 * @edits: field=value joined by ','; a value is a number or a name of the field's;
 *         OA (leaf) and table (table descriptor) take an aligned address; type=block, page, table
 * or invalid is applied before the others, wherever it stands
 *
 * Return: 0 with *@desc changed; -BATON_EINVAL with words in @why, *@desc as it was.
 */
int pt_desc_edit(const struct pt_config *cfg, int level, uint64_t *desc, const char *edits,
		 struct buf *why);

/** pt_desc_describe() - one aligned line for each field, as sysreg_describe() has them. */
void pt_desc_describe(const struct pt_config *cfg, int level, uint64_t desc, struct buf *out);

/** mair_say() - words for one byte of MAIR: "Normal WB", "Device-nGnRnE", ... */
void mair_say(uint8_t attr, struct buf *out);

/** mair_is_device(), mair_is_noncacheable() - as the effective shareability asks. */
int mair_is_device(uint8_t attr);
int mair_is_noncacheable(uint8_t attr);

#endif
