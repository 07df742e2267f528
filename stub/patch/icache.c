/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/icache.h"

#include "machine/inject.h"
#include "machine/tables.h"
#include "mmu/map.h"

#include <string.h>

/*
 * Cleaned to the point of coherency, not of unification: a CPU whose caches are off fetches from
 * behind that. All instruction caches, not by address: one that is virtually indexed may have
 * the line under another address, too.
 */
#define DC_CVAC(t) (0xd50b7a20u | (t))
#define IC_IALLUIS 0xd508711fu
#define DSB_ISH	   0xd5033b9fu
#define ISB	   0xd5033fdfu
#define LINE	   16u /* the smallest there is: CTR_EL0.DminLine counts words */
#define LINES	   4u  /* as many as there are registers to pass them */
#define FOUND	   1

struct look {
	const struct icache_what *what;
	struct tables tables;
	uint64_t va;
	unsigned int perms; /* of whoever may do most */
};

/* Does it translate to what was written? */
static bool is_at(struct look *l, uint64_t va)
{
	struct pt_walk w;

	if (tables_walk(&l->tables, va, NULL, &w, NULL) || !w.mapped || w.oa != l->what->pa)
		return false;
	l->va = va;
	l->perms = w.attrs.own | w.attrs.el0;
	return true;
}

static int on_range(void *ctx, const struct pt_range *r)
{
	struct look *l = ctx;

	return l->what->pa - r->oa < r->size && is_at(l, r->ia + (l->what->pa - r->oa)) ? FOUND : 0;
}

static int bulk_read(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		     bool *ok)
{
	return machine_phys_gather(ctx, pa, n, size, data, ok);
}

static int bulk_wait(void *ctx, unsigned int i)
{
	return machine_phys_gathered(ctx, i);
}

/* Where the CPU has it mapped: where it was written to, at its own address, or anywhere. */
static int find(struct look *l, struct machine *m, unsigned int cpu)
{
	const struct pt_map_sink sink = { .range = on_range, .ctx = l };
	struct pt_bulk bulk = { bulk_read, m, bulk_wait };
	int err = tables_init(&l->tables, m, NULL, cpu, NULL, NULL);
	struct pt_config cfg;

	if (err == -BATON_ELINK)
		return err;
	if (!err && (is_at(l, l->what->va) || is_at(l, l->what->pa)))
		return 0;
	for (int half = 0; !err && half <= l->tables.regime.two_halves; half++)
		if (!pt_config_from_regime(&cfg, &l->tables.regime, half ? UINT64_MAX : 0, NULL))
			err = pt_map(&cfg, &bulk, 0, UINT64_MAX, &sink, NULL);
	if (err == FOUND || err == -BATON_ELINK || err == -BATON_ECANCELED)
		return err == FOUND ? 0 : err;
	return machine_fail(m, -BATON_EREFUSED, "CPU %u has physical %#" PRIx64 " mapped nowhere",
			    cpu, l->what->pa);
}

/*
 * Not from the page itself, if there is another place: what is put back there after the code has
 * run is not invalidated any more.
 */
static int execute(struct machine *m, unsigned int cpu, const struct look *l, uint64_t va)
{
	static const uint32_t code[] = { DC_CVAC(0), DC_CVAC(1), DC_CVAC(2), DC_CVAC(3),
					 DSB_ISH,    IC_IALLUIS, DSB_ISH,    ISB };
	struct inject i = { .cpu = cpu,
			    .code = code,
			    .words = sizeof(code) / sizeof(code[0]),
			    .keep = true,
			    .keep_va = va,
			    .keep_pa = l->what->pa + (va - l->va) };
	uint64_t last = l->va + (l->what->len - 1);
	int err;

	for (unsigned int k = 0; k < LINES; k++)
		i.x[k] = va + LINE * k < last ? va + LINE * k : last;
	err = inject_run(m, &i);
	i.keep = false;
	if (err == -BATON_EREFUSED)
		err = inject_run(m, &i);
	if (!err && i.fault)
		err = machine_fail(m, -BATON_EREFUSED,
				   "what CPU %u executes for that is trapped to EL%u (ESR %#" PRIx64
				   ")",
				   cpu, i.level, i.esr);
	return err;
}

static int by_cpu(struct look *l, struct machine *m, unsigned int cpu)
{
	int err = find(l, m, cpu);

	for (uint64_t va = l->va; !err && va - l->va < l->what->len; va += LINE * LINES)
		err = execute(m, cpu, l, va);
	return err;
}

/* The CPU that it is for, or any other. */
static int by_any(struct look *l, struct machine *m)
{
	unsigned int own = l->what->cpu;
	char words[sizeof(m->error)];
	int err = by_cpu(l, m, own);

	memcpy(words, m->error, sizeof(words));
	for (unsigned int cpu = 0; err == -BATON_EREFUSED && cpu < m->cpus; cpu++)
		if (cpu != own)
			err = by_cpu(l, m, cpu);
	if (err == -BATON_EREFUSED)
		memcpy(m->error, words, sizeof(words));
	return err;
}

int icache_refresh(struct machine *m, const struct icache_what *what, struct buf *say)
{
	struct look l = { .what = what, .perms = PT_X };
	int err;

	if (m->accel != ACCEL_KVM)
		return 0;
	err = by_any(&l, m);
	if (err && err != -BATON_ELINK && l.perms & PT_X)
		buf_printf(say,
			   "a CPU may go on executing what was at %#" PRIx64 " before: %s; then "
			   "`patch` it again\n",
			   what->va, machine_error(m, err));
	return err;
}

int icache_reach(struct machine *m, const struct icache_what *what, struct buf *say)
{
	struct look l = { .what = what };
	int err = m->accel == ACCEL_KVM ? by_any(&l, m) : 0;

	/* What is mapped nowhere, or not executable, nobody has fetched. */
	if (err == -BATON_EREFUSED && !(l.perms & PT_X))
		return 0;
	if (err)
		buf_printf(say,
			   "refused: no CPU can execute the ic that makes others fetch it anew: "
			   "%s\n",
			   machine_error(m, err));
	return err;
}
