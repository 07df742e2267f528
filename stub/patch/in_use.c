/* SPDX-License-Identifier: BSD-2-Clause */
/* Which memory tables that are in use lie in, by pages of 4 KiB. */
#include "bisect.h"
#include "patch/plan_internal.h"

#include <stdlib.h>
#include <string.h>

#define PAGE	   4096u
#define IN_USE_MAX (1u << 17)

struct collect {
	struct in_use *u;
	struct tables *t;
	const struct pt_config *cfg;
	struct pt_config s2;
};

static int keep(struct in_use *u, uint64_t pa)
{
	if (u->count == IN_USE_MAX) {
		u->partial = true;
		return -BATON_ETOOBIG;
	}
	if (u->count == u->cap) {
		u->cap = u->cap ? 2 * u->cap : 64;
		u->table = realloc(u->table, u->cap * sizeof(*u->table));
		if (!u->table)
			abort();
	}
	u->table[u->count++] = pa & ~(uint64_t)(PAGE - 1);
	return 0;
}

static int keep_table(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	struct collect *c = ctx;
	uint64_t size = UINT64_C(8) << pt_index_bits(c->cfg, level);
	int err = 0;

	(void)ia, (void)data;
	for (uint64_t at = 0; at < size && !err; at += PAGE) {
		uint64_t pa = table + at;

		/* What stage 2 does not map is no table that can be used. */
		if (c->cfg->regime.nested &&
		    pt_stage2_address(&c->s2, &c->t->reader, table + at, &pa))
			continue;
		err = keep(c->u, pa);
	}
	return err;
}

static int gather(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		  bool *ok)
{
	struct collect *c = ctx;
	int err = machine_phys_gather(c->t->machine, pa, n, size, data, ok);

	return err ? err : machine_phys_gathered(c->t->machine, n - 1);
}

static int collect_half(struct collect *c, struct pt_config *cfg)
{
	const struct pt_map_sink sink = { .table = keep_table, .ctx = c };
	const struct pt_bulk bulk = { gather, c, NULL };
	int err;

	c->cfg = cfg;
	if (cfg->flat || cfg->epd || cfg->txsz_bad || cfg->sl_bad)
		return 0;
	if (cfg->regime.nested && pt_config_stage2(&c->s2, cfg, NULL))
		return 0;
	if (cfg->regime.nested)
		err = pt_map_words(cfg, &c->t->reader, 0, UINT64_MAX, &sink, NULL);
	else
		err = pt_map(cfg, &bulk, 0, UINT64_MAX, &sink, NULL);
	if (c->t->lost)
		return c->t->lost;
	return err == -BATON_ETOOBIG ? 0 : err;
}

static int collect_regime(struct in_use *u, struct tables *t)
{
	struct collect c = { .u = u, .t = t };
	int err = 0;

	for (unsigned int half = 0; !err && half <= (t->regime.two_halves ? 1u : 0u); half++) {
		struct pt_config cfg;

		/* a half that cannot be decoded is not in use here */
		if (!pt_config_from_regime(&cfg, &t->regime, half ? UINT64_MAX : 0, NULL))
			err = collect_half(&c, &cfg);
	}
	return err;
}

static bool is_before(const struct regime *a, const struct regime *b)
{
	return !strcmp(a->name, b->name) && a->ttbr[0] == b->ttbr[0] && a->ttbr[1] == b->ttbr[1] &&
	       a->tcr == b->tcr && a->vttbr == b->vttbr && a->secure == b->secure;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

#define SEEN 16

int in_use_collect(struct in_use *u, struct plan *p, bool others)
{
	static const char *const names[] = { "el1", "el2", "el3", "s2" };
	struct machine *m = p->tables->machine;
	struct regime seen[SEEN];
	unsigned int known = 0;
	int err = 0;

	for (unsigned int i = 0; i < 4 * m->cpus && !err; i++) {
		struct tables t;
		bool again = false;

		err = tables_init(&t, m, NULL, i / 4, names[i % 4], NULL);
		if (err == -BATON_ELINK || err == -BATON_ECANCELED)
			break;
		if (err || !regime_mmu_on(&t.regime) ||
		    (others && !strcmp(t.regime.name, p->tables->regime.name))) {
			err = 0;
			continue;
		}
		for (unsigned int k = 0; k < known; k++)
			again |= is_before(&seen[k], &t.regime);
		if (again)
			continue;
		if (known < SEEN)
			seen[known++] = t.regime;
		err = collect_regime(u, &t);
	}
	if (u->count)
		qsort(u->table, u->count, sizeof(*u->table), compare);
	return err;
}

bool in_use_has(const struct in_use *u, uint64_t first, uint64_t last)
{
	size_t at;

	first &= ~(uint64_t)(PAGE - 1);
	BISECT(at, i, u->count, u->table[i] < first);
	return at < u->count && u->table[at] <= last;
}

void in_use_free(struct in_use *u)
{
	free(u->table);
	*u = (struct in_use){ 0 };
}
