/* SPDX-License-Identifier: BSD-2-Clause */
/* What walk.c, map.c, attrs.c and format.c share; nobody else includes this. */
#ifndef BATON_MMU_INTERNAL_H
#define BATON_MMU_INTERNAL_H

#include "mmu/walk.h"

#define BIT(n) (UINT64_C(1) << (n))

static inline uint64_t low_bits(unsigned int n)
{
	return n >= 64 ? ~UINT64_C(0) : BIT(n) - 1;
}

static inline unsigned int field(uint64_t word, unsigned int lsb, unsigned int width)
{
	return (unsigned int)(word >> lsb & low_bits(width));
}

/** attrs_of_leaf() - pt_leaf_attrs() before E0PD. */
void attrs_of_leaf(const struct pt_config *cfg, uint64_t desc, unsigned int tables,
		   struct pt_attrs *a);

/** attrs_apply_e0pd() - E0PD takes the half away from EL0, while PAN goes on asking what AP says.
 */
void attrs_apply_e0pd(const struct pt_config *cfg, struct pt_attrs *a);

/** attrs_of_flat() - stage 1 with the MMU off. */
void attrs_of_flat(const struct pt_config *cfg, const struct pt_access *acc, struct pt_attrs *a);

/** attrs_allow() - whether @acc may. */
bool attrs_allow(const struct pt_config *cfg, const struct pt_attrs *a,
		 const struct pt_access *acc);

#endif
