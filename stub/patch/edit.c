/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/edit.h"

#include "hex.h"
#include "mmu/a64.h"
#include "patch/journal.h"
#include "patch/tlb.h"

#include <stdio.h>
#include <string.h>

#define DESC_CONTIGUOUS (1ull << 52)
#define DESC_NT		(1ull << 16) /* FEAT_BBM, in blocks (DDI 0487, D8.3.1.2) */

static const struct pt_step *step_at(const struct pt_walk *w, int level)
{
	for (unsigned int i = 0; i < w->steps; i++)
		if (w->step[i].level == level && (w->step[i].stage == 2) == w->cfg.regime.stage2)
			return &w->step[i];
	return NULL;
}

static int no_such_level(const struct edit *e, const struct pt_walk *w, struct buf *why)
{
	const struct pt_step *last = w->steps ? &w->step[w->steps - 1] : NULL;
	static const char *const ends[] = {
		[PT_INVALID] = "an invalid descriptor",
		[PT_TABLE] = "a table",
		[PT_BLOCK] = "a block",
		[PT_PAGE] = "a page",
	};

	if (w->cfg.flat)
		buf_puts(why,
			 "the MMU is off, there is no walk (-r pending walks as if it were on)");
	else if (!last)
		buf_printf(why, "%#" PRIx64 " is not looked up in any table", e->va);
	else if (e->level < w->cfg.start)
		buf_printf(why, "there is no level %d: the walk of %#" PRIx64 " starts at L%d",
			   e->level, e->va, w->cfg.start);
	else
		buf_printf(why,
			   "the walk of %#" PRIx64 " does not reach L%d: it ends at L%d [%u] "
			   "(%#" PRIx64 "), %s",
			   e->va, e->level, last->level, last->index, last->address,
			   last->read ? ends[last->kind] : "which could not be read");
	return -BATON_EINVAL;
}

int edit_open(struct edit *e, struct tables *t, uint64_t va, int level, struct buf *why)
{
	const struct pt_step *s;
	int err;

	memset(e, 0, sizeof(*e));
	e->tables = t;
	e->va = va;
	e->level = level;
	err = tables_walk(t, va, NULL, &e->before, why);
	if (err)
		return err;
	s = step_at(&e->before, level);
	if (!s || !s->read)
		return no_such_level(e, &e->before, why);
	e->index = s->index;
	e->address = s->address;
	e->old = e->new = s->desc;
	e->after = e->before;
	return 0;
}

static void say_range(const struct tables *t, uint64_t pa, struct buf *why)
{
	const struct ram_range *r = machine_ram_find(t->machine, pa);

	buf_printf(why, "%#" PRIx64 " is %s%s", pa, r ? r->name : "nothing",
		   r && r->kind != RAM_RAM ? ", not RAM" : "");
}

static int check_table(const struct edit *e, uint64_t next, struct buf *why)
{
	if (machine_is_ram(e->tables->machine, next, 1ull << e->before.cfg.granule, false))
		return 0;
	buf_puts(why, "the next table would not be in RAM: ");
	say_range(e->tables, next, why);
	return -BATON_EREFUSED;
}

static int check_leaf(const struct edit *e, uint64_t oa, struct buf *why)
{
	const struct pt_config *cfg = &e->before.cfg;
	uint64_t size = 1ull << pt_level_shift(cfg, e->level);
	/* Address bits below a block's size, which are RES0, but for nT. */
	uint64_t low = e->new &(size - 1) & ~((1ull << cfg->granule) - 1) & ~DESC_NT;

	if (low) {
		buf_printf(why,
			   "the output address %#" PRIx64
			   " is not aligned to the block's %#" PRIx64,
			   oa | low, size);
		return -BATON_EREFUSED;
	}
	if (!machine_ram_find(e->tables->machine, oa)) {
		buf_puts(why, "warning: ");
		say_range(e->tables, oa, why);
		buf_putc(why, '\n');
	}
	return 0;
}

static int check_desc(const struct edit *e, struct buf *why)
{
	const struct pt_config *cfg = &e->before.cfg;
	enum pt_kind kind = pt_desc_kind(cfg, e->level, e->new);
	/* All the bits that the format has for an address, not those of a block alone. */
	uint64_t addr = pt_desc_address(cfg, e->level, PT_TABLE, e->new);

	if (kind == PT_INVALID && e->new & 1) {
		buf_printf(why, "%#" PRIx64 " is reserved at L%d: bits 1:0 are 0b01", e->new,
			   e->level);
		return -BATON_EREFUSED;
	}
	if (kind == PT_INVALID)
		return 0;
	if (cfg->oa_bits && cfg->oa_bits < 64 && addr >> cfg->oa_bits) {
		buf_printf(why,
			   "the address %#" PRIx64 " is beyond the %u bits of an output address "
			   "here",
			   addr, cfg->oa_bits);
		return -BATON_EREFUSED;
	}
	if (kind == PT_TABLE)
		return check_table(e, addr, why);
	return check_leaf(e, pt_desc_address(cfg, e->level, kind, e->new), why);
}

static uint64_t in_memory(const struct edit *e, uint64_t desc)
{
	return e->before.cfg.big_endian ? __builtin_bswap64(desc) : desc;
}

/* The regime that the CPU fetches by is this one, so the pc depends on it. */
static bool pc_is_ours(const struct tables *t)
{
	return !t->regime.pending && !t->regime.stage2 && regime_mmu_on(&t->regime) &&
	       (t->el == t->regime.el || (!t->el && t->regime.two_halves));
}

/* Would the CPU lose the code that it is running? */
static int check_pc(struct edit *e, const struct pt_reader *as_new, struct buf *why)
{
	struct tables *t = e->tables;
	struct pt_access fetch = { .kind = PT_FETCH, .el = t->el };
	struct pt_walk before, after;
	uint64_t pc;
	int err;

	if (!pc_is_ours(t))
		return 0;
	err = machine_reg_read(t->machine, t->cpu, "pc", &pc);
	if (!err)
		err = tables_walk(t, pc, &fetch, &before, NULL);
	if (!err)
		err = pt_walk_regime(&t->regime, as_new, pc, &fetch, &after, NULL);
	if (err)
		return err;
	if (!before.fault && after.fault) {
		buf_printf(why,
			   "warning: the pc, %#" PRIx64 ", would no longer be executable: ", pc);
		pt_render_fault(&after, &fetch, why);
		buf_putc(why, '\n');
	} else if (!before.fault && before.oa != after.oa) {
		buf_printf(why,
			   "warning: the pc, %#" PRIx64 ", would be other code: %#" PRIx64
			   " instead of %#" PRIx64 "\n",
			   pc, after.oa, before.oa);
	}
	return 0;
}

int edit_check(struct edit *e, struct buf *why)
{
	struct pt_overlay overlay = {
		.below = e->tables->reader,
		.address = e->address,
		.value = in_memory(e, e->new),
	};
	struct pt_reader as_new = pt_overlay_reader(&overlay);
	int err = check_desc(e, why);

	if (!err)
		err = pt_walk_regime(&e->tables->regime, &as_new, e->va, NULL, &e->after, why);
	if (!err)
		err = check_pc(e, &as_new, why);
	return e->tables->lost ? e->tables->lost : err;
}

/* Only one page of 4 KiB changes: its own translation is all that can be stale. */
static bool one_page(const struct edit *e)
{
	const struct pt_config *cfg = &e->before.cfg;

	return pt_level_shift(cfg, e->level) == 12 && !cfg->regime.stage2 &&
	       !((e->old | e->new) & DESC_CONTIGUOUS);
}

/* Addresses as the TLB knows them: without a tag, bit 55 says which half. */
static uint64_t untagged(const struct edit *e)
{
	if (!e->before.cfg.tbi)
		return e->va;
	return (uint64_t)((int64_t)(e->va << 8) >> 8);
}

static void journal_edit(struct edit *e, struct journal *j, const char *why)
{
	struct tables *t = e->tables;
	struct patch p = {
		.kind = PATCH_TABLE,
		.cpu = t->cpu,
		.address = e->address,
		.va = untagged(e),
		.level = e->level,
		.leaf = one_page(e),
		.size = 8,
	};
	struct buf name = { 0 };

	if (t->symbols)
		symbols_say(t->symbols, e->address, &name);
	snprintf(p.regime, sizeof(p.regime), "%s", t->regime.name);
	snprintf(p.where, sizeof(p.where), "L%d [%u]%.80s", e->level, e->index,
		 name.len ? name.data : "");
	snprintf(p.why, sizeof(p.why), "%s", why);
	le_write(p.old, 8, in_memory(e, e->old));
	le_write(p.new, 8, in_memory(e, e->new));
	e->number = journal_add(j, &p);
	buf_free(&name);
}

int edit_apply(struct edit *e, struct journal *j, const char *why, struct buf *say)
{
	struct tables *t = e->tables;
	uint8_t bytes[8];
	int err;

	le_write(bytes, 8, in_memory(e, e->new));
	err = machine_phys_write(t->machine, e->address, bytes, sizeof(bytes));
	if (err) {
		buf_printf(say, "%#" PRIx64 ": %s\n", e->address, machine_error(t->machine, err));
		return err;
	}
	journal_edit(e, j, why);
	/*
	 * What is invalid is never cached (DDI 0487, D8.16): nothing can be stale behind a
	 * new entry, and a refresh is done where it costs nothing.
	 */
	if (e->old & 1 || t->machine->accel == ACCEL_TCG) {
		struct tlb_what what = { .regime = t->regime.name,
					 .all = !one_page(e),
					 .va = untagged(e),
					 .cpu = t->cpu };

		err = tlb_refresh(t->machine, &what, say);
		if (err == -BATON_ELINK)
			return err;
	}
	return tables_walk(t, e->va, NULL, &e->after, say);
}
