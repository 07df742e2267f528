/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of a plan share; nobody else includes this. */
#ifndef BATON_PATCH_PLAN_INTERNAL_H
#define BATON_PATCH_PLAN_INTERNAL_H

#include "patch/plan.h"

#define DESC_VALID	UINT64_C(1)
#define DESC_AP_RO	(UINT64_C(1) << 7)
#define DESC_AF		(UINT64_C(1) << 10)
#define DESC_NT		(UINT64_C(1) << 16) /* FEAT_BBM, in blocks (D8.3.1) */
#define DESC_CONTIGUOUS (UINT64_C(1) << 52)

/**
 * plan_load() - the table at @table, which serves @ia at @level, as it is; once.
 * The pointer holds until the next table is loaded.
 * Return: 0; or an error with words in @why.
 */
int plan_load(struct plan *p, uint64_t table, int level, uint64_t ia, struct plan_table **out,
	      struct buf *why);

/** plan_fresh() - a new table, empty, from where new tables come from. Errors likewise. */
int plan_fresh(struct plan *p, int level, uint64_t ia, struct plan_table **out, struct buf *why);

/**
 * pool_take() - where the next new table may lie; it may turn out not to (CHECK_POOL).
 * Return: 0; -BATON_ENOTFOUND: nowhere; or what reading ended with.
 */
int pool_take(struct plan *p, uint64_t *table);

/** plan_refuse() - one refusal, said once for each check; words end without \n. */
struct refusals {
	unsigned int said; /* 1 << enum plan_check */
	bool refused;
	struct buf *out;
};
void plan_refuse(struct plan *p, struct refusals *r, enum plan_check check, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** plan_check_entry(), ..._output(), ..._cpus(), ..._tables(), ..._regimes() - by their names. */
void plan_check_entry(struct plan *p, struct refusals *r);
void plan_check_output(struct plan *p, struct refusals *r);
int plan_check_cpus(struct plan *p, struct refusals *r);
int plan_check_regimes(struct plan *p, struct refusals *r);
int plan_check_pool(struct plan *p, struct refusals *r);

/** struct in_use - the tables that a regime's roots lead to, physical, ascending. */
struct in_use {
	uint64_t *table;
	size_t count, cap;
	bool partial; /* there are more than are looked at */
};

/**
 * in_use_collect() - add those of every regime that is on, on any CPU: all of them, or
 * those of other regimes than @p's.
 */
int in_use_collect(struct in_use *u, struct plan *p, bool others);
bool in_use_has(const struct in_use *u, uint64_t first, uint64_t last);
void in_use_free(struct in_use *u);

#endif
