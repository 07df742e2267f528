/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where new tables come from: what the user gives, or pages among the loader's own boot
 * tables that can be proved to be unused. Never guessed.
 */
#include "patch/plan_internal.h"

#include <string.h>

#define PAGE 4096u

/* What the loader family calls its tables: boot_lvl1_upper, ... */
#define LOADER_TABLE "boot_lvl"

static bool is_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

static bool is_loaders(const struct plan *p, uint64_t page)
{
	uint64_t first = 1, last = 0;
	const char *name;

	name = p->tables->symbols ? symbols_name(p->tables->symbols, page, &first) : NULL;
	if (!name || first || strncmp(name, LOADER_TABLE, strlen(LOADER_TABLE)) != 0)
		return false;
	return symbols_name(p->tables->symbols, page + PAGE - 8, &last) == name && last == PAGE - 8;
}

static bool in_plan(const struct plan *p, uint64_t page)
{
	for (size_t i = 0; i < p->tables_count; i++)
		if (p->table[i].table == page)
			return true;
	return false;
}

/* Zero, nobody's root or table, and by name one of the tables that its neighbor is, too. */
static int is_unused(const struct plan *p, const struct in_use *u, uint64_t page)
{
	uint8_t data[PAGE];
	int err;

	if (in_use_has(u, page, page + PAGE - 1) || in_plan(p, page) || !is_loaders(p, page) ||
	    !machine_is_ram(p->tables->machine, page, PAGE, false))
		return 0;
	err = machine_phys_read(p->tables->machine, page, data, PAGE);
	return err ? err : is_zero(data, PAGE);
}

static int find_unused(struct plan *p, uint64_t *table)
{
	const struct regime *r = &p->cfg.regime;
	struct in_use u = { 0 };
	int err;

	/* Before the MMU is on nobody knows which of them will be used. */
	if (p->cfg.granule != 12 || r->pending || r->nested || !regime_mmu_on(r))
		return -BATON_ENOTFOUND;
	err = in_use_collect(&u, p, false);
	for (size_t i = 0; i < u.count && !err; i++) {
		if (!is_loaders(p, u.table[i]) || u.partial)
			continue;
		for (int side = -1; side <= 1 && !err; side += 2) {
			*table = u.table[i] + (uint64_t)(int64_t)(side * (int)PAGE);
			err = is_unused(p, &u, *table);
		}
	}
	in_use_free(&u);
	return err > 0 ? 0 : err ? err : -BATON_ENOTFOUND;
}

int pool_take(struct plan *p, uint64_t *table)
{
	uint64_t size = UINT64_C(1) << p->cfg.granule;

	if (!p->pool_given)
		return find_unused(p, table);
	*table = (p->pool + size - 1) & ~(size - 1);
	if (*table >= p->pool_end || p->pool_end - *table < size)
		return -BATON_ENOTFOUND;
	p->pool = *table + size;
	return 0;
}

/* What a CPU runs or keeps its stack in. */
static const char *cpu_uses(struct plan *p, uint64_t pa, uint64_t last)
{
	static const char *const names[] = { "pc", "sp" };
	struct machine *m = p->tables->machine;

	for (unsigned int i = 0; i < 2 * m->cpus; i++) {
		struct pt_walk w;
		struct tables t;
		uint64_t at;

		if (!tables_init(&t, m, NULL, i / 2, NULL, NULL) &&
		    !machine_reg_read(m, i / 2, names[i % 2], &at) &&
		    !tables_walk(&t, i % 2 ? at - 16 : at, NULL, &w, NULL) && w.mapped &&
		    w.oa >= pa && w.oa <= last)
			return i % 2 ? "a CPU's stack" : "the code that a CPU runs";
	}
	return NULL;
}

static void check_piece(struct plan *p, const struct plan_table *t, unsigned int piece,
			const struct in_use *u, struct refusals *r)
{
	unsigned int first = piece * (PAGE / 8), n = t->entries - first;
	uint64_t pa = t->pa[piece], last = pa + PAGE - 1;
	const char *who = cpu_uses(p, pa, last);

	for (size_t i = 0; p->pool_given && i < p->taken_count; i++)
		if (p->taken[i].first <= last && p->taken[i].last >= pa)
			plan_refuse(p, r, CHECK_POOL, "%#" PRIx64 " is no place for a table: %s",
				    pa, p->taken[i].what);
	if (!machine_is_ram(p->tables->machine, pa, PAGE, false))
		plan_refuse(p, r, CHECK_POOL,
			    "%#" PRIx64 " of the pool is not RAM (`ram` lists it)", pa);
	if (in_use_has(u, pa, last))
		plan_refuse(p, r, CHECK_POOL, "%#" PRIx64 " of the pool is a table in use", pa);
	if (who)
		plan_refuse(p, r, CHECK_POOL, "%#" PRIx64 " of the pool is %s", pa, who);
	for (unsigned int i = 0; i < n && i < PAGE / 8; i++) {
		if (!t->old[first + i])
			continue;
		plan_refuse(p, r, CHECK_POOL,
			    "%#" PRIx64 " of the pool is not zero, so somebody may use it; choose "
			    "other pages, or say that nobody does",
			    pa + 8 * (uint64_t)i);
		break;
	}
}

int plan_check_pool(struct plan *p, struct refusals *r)
{
	struct in_use u = { 0 };
	bool fresh = false;
	int err = 0;

	for (size_t i = 0; i < p->tables_count; i++)
		fresh |= p->table[i].fresh;
	if (fresh)
		err = in_use_collect(&u, p, false);
	for (size_t i = 0; i < p->tables_count && !err; i++) {
		const struct plan_table *t = &p->table[i];

		for (unsigned int k = 0; t->fresh && k * (PAGE / 8) < t->entries; k++)
			check_piece(p, t, k, &u, r);
	}
	in_use_free(&u);
	return err;
}
