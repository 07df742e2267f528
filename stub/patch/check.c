/* SPDX-License-Identifier: BSD-2-Clause */
/* What a plan must not do, each by its name: `-f NAME` overrides one, and says so. */
#include "patch/plan_internal.h"

#include "mmu/a64.h"

#include <stdio.h>
#include <string.h>

static const char *const names[CHECK_COUNT] = {
	[CHECK_FORMAT] = "format",
	[CHECK_OUTPUT_SIZE] = "output-size",
	[CHECK_ALIGNMENT] = "alignment",
	[CHECK_MEMORY] = "memory",
	[CHECK_ATTRIBUTES] = "attributes",
	[CHECK_PC] = "pc",
	[CHECK_SP] = "sp",
	[CHECK_VECTORS] = "vectors",
	[CHECK_TABLES] = "tables",
	[CHECK_BREAK] = "break-before-make",
	[CHECK_OTHER_CPU] = "other-cpu",
	[CHECK_OTHER_REGIME] = "table-of-other-regime",
	[CHECK_POOL] = "pool",
};

const char *plan_check_name(enum plan_check check)
{
	return names[check];
}

enum plan_check plan_check_find(const char *name)
{
	for (unsigned int i = 0; i < CHECK_COUNT; i++)
		if (!strcmp(names[i], name))
			return (enum plan_check)i;
	return CHECK_COUNT;
}

void plan_refuse(struct plan *p, struct refusals *r, enum plan_check check, const char *fmt, ...)
{
	bool forced = p->force & 1u << check;
	va_list ap;

	r->refused |= !forced;
	if (r->said & 1u << check)
		return;
	r->said |= 1u << check;
	buf_printf(r->out, "%s (%s): ", forced ? "forced" : "refused", names[check]);
	va_start(ap, fmt);
	buf_vprintf(r->out, fmt, ap);
	va_end(ap);
	if (!forced)
		buf_printf(r->out, " (-f %s does it all the same)", names[check]);
	buf_putc(r->out, '\n');
}

static void refuse_output_size(struct plan *p, struct refusals *r, uint64_t address)
{
	const struct pt_config *cfg = &p->cfg;
	char tcr[12] = "VTCR_EL2";

	if (!cfg->regime.stage2)
		snprintf(tcr, sizeof(tcr), "TCR_EL%u", cfg->regime.el & 3u);
	plan_refuse(p, r, CHECK_OUTPUT_SIZE,
		    "the address %#" PRIx64
		    " is beyond the %u bits of an output address here: take one below %#" PRIx64
		    ", or another size first (sysreg %s)",
		    address, cfg->oa_bits, UINT64_C(1) << cfg->oa_bits, tcr);
}

/* One descriptor of the user's own making (D8.3.1). */
void plan_check_entry(struct plan *p, struct refusals *r)
{
	const struct pt_config *cfg = &p->cfg;
	enum pt_kind kind = pt_desc_kind(cfg, p->level, p->new);
	uint64_t size = UINT64_C(1) << pt_level_shift(cfg, p->level);
	uint64_t stray, reserved;

	if (!p->single || p->new == p->old)
		return;
	stray = pt_desc_stray(cfg, p->level, kind, p->new);
	reserved = pt_desc_reserved(cfg, kind, p->new);
	if (kind == PT_INVALID && p->new & 1)
		plan_refuse(p, r, CHECK_FORMAT,
			    "%#" PRIx64 " is reserved at L%d: bits 1:0 are 0b01; a %s ends in 0b11",
			    p->new, p->level, p->level == 3 ? "page" : "table");
	/* Those are bits of an address that is too large, where there are more than 48 bits. */
	if (reserved & ~(UINT64_C(3) << 48))
		plan_refuse(p, r, CHECK_FORMAT, "bits 0x%" PRIx64 " have to be zero here",
			    reserved);
	if (stray && kind == PT_TABLE)
		plan_refuse(p, r, CHECK_ALIGNMENT,
			    "the next table's address %#" PRIx64 " is not aligned to %#" PRIx64
			    ", the granule",
			    p->oa | stray, UINT64_C(1) << cfg->granule);
	else if (stray)
		plan_refuse(p, r, CHECK_ALIGNMENT,
			    "the output address %#" PRIx64
			    " is not aligned to the block's %#" PRIx64
			    ": pt-map takes pages where no block fits",
			    p->oa | stray, size);
	else if (reserved & UINT64_C(3) << 48)
		refuse_output_size(p, r, p->oa | (reserved & UINT64_C(3) << 48));
}

static void say_place(const struct machine *m, uint64_t pa, struct buf *out)
{
	const struct ram_range *range = machine_ram_find(m, pa);

	buf_printf(out, "%#" PRIx64 " is %s%s", pa, range ? range->name : "nothing",
		   range && range->kind == RAM_IO ? ", not RAM" : "");
}

/* From @pa on, what can be mapped as @device: the last byte, or @pa - 1 if it cannot. */
static uint64_t good_until(const struct machine *m, uint64_t pa, bool device)
{
	const struct ram_range *range = machine_ram_find(m, pa);

	if (range && (device || range->kind != RAM_IO))
		return range->last;
	return range || !m->ram_partial ? pa - 1 : UINT64_MAX;
}

/* The first address of a device's range may be a hole: something of it has to be there. */
static bool any_of(const struct machine *m, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < m->ram_count; i++)
		if (m->ram[i].first <= last && m->ram[i].last >= first)
			return true;
	return m->ram_partial || !m->ram_count;
}

static bool is_device(const struct plan *p)
{
	struct pt_attrs a;

	if (!p->single)
		return p->want.type == WANT_DEVICE;
	pt_leaf_attrs(&p->cfg, p->level, p->new, 0, &a);
	return mair_is_device(a.mair);
}

static void check_memory(struct plan *p, struct refusals *r, uint64_t first, uint64_t last)
{
	bool table = p->single && pt_desc_kind(&p->cfg, p->level, p->new) == PT_TABLE;
	const struct machine *m = p->tables->machine;
	struct buf place = { 0 };
	uint64_t at = first;

	if (!m->ram_count)
		return;
	if (table && !machine_is_ram(m, first, last - first + 1, false)) {
		say_place(m, first, &place);
		plan_refuse(p, r, CHECK_MEMORY, "the next table would not be in RAM: %s (`ram`)",
			    place.data);
	} else if (!table && is_device(p)) {
		if (!any_of(m, first, last))
			plan_refuse(p, r, CHECK_MEMORY,
				    "nothing is at %#" PRIx64 " to %#" PRIx64
				    " (`ram` lists what is)",
				    first, last);
	} else if (!table) {
		while (at >= first && at <= last && good_until(m, at, p->single) >= at &&
		       good_until(m, at, p->single) < last)
			at = good_until(m, at, p->single) + 1;
		if (good_until(m, at, p->single) < at) {
			say_place(m, at, &place);
			plan_refuse(p, r, CHECK_MEMORY, "%s (`ram` lists what is where%s)",
				    place.data, p->single ? "" : "; `device` maps devices");
		}
	}
	buf_free(&place);
}

/* Stage 1's output is an IPA: where stage 2 puts it counts. */
static void check_memory_nested(struct plan *p, struct refusals *r)
{
	uint64_t at = p->oa;

	do {
		struct pt_walk w;
		uint64_t left;

		if (pt_walk(&p->s2, &p->tables->reader, at, NULL, &w) || w.fault) {
			plan_refuse(p, r, CHECK_MEMORY,
				    "stage 2 does not map IPA %#" PRIx64 " (next: pt-walk %#" PRIx64
				    " -r s2)",
				    at, at);
			return;
		}
		left = w.size - (w.oa & (w.size - 1));
		if (left > p->oa_last - at)
			left = p->oa_last - at + 1;
		check_memory(p, r, w.oa, w.oa + (left - 1));
		at += left;
	} while (at > p->oa && at <= p->oa_last);
}

void plan_check_output(struct plan *p, struct refusals *r)
{
	const struct pt_config *cfg = &p->cfg;

	if (!p->output)
		return;
	if (cfg->oa_bits && cfg->oa_bits < 64 && p->oa_last >> cfg->oa_bits)
		refuse_output_size(p, r, p->oa >> cfg->oa_bits ? p->oa : p->oa_last);
	else if (cfg->regime.nested)
		check_memory_nested(p, r);
	else
		check_memory(p, r, p->oa, p->oa_last);
}

/* Does what comes out allow what was asked for, the tables above and SCTLR included? */
struct asked {
	struct plan *p;
	struct refusals *r;
	struct pt_attrs want;
};

static int compare_asked(void *ctx, const struct pt_range *range)
{
	struct asked *a = ctx;

	if (range->attrs.own == a->want.own && range->attrs.el0 == a->want.el0)
		return 0;
	plan_refuse(a->p, a->r, CHECK_ATTRIBUTES,
		    "%#" PRIx64 " would be %s (EL0 %s), not %s (EL0 %s): the tables above%s%s take "
		    "that away (pt-walk shows them)",
		    range->ia, pt_render_perm(range->attrs.own), pt_render_perm(range->attrs.el0),
		    pt_render_perm(a->want.own), pt_render_perm(a->want.el0),
		    a->p->cfg.wxn ? " or SCTLR.WXN" : "", a->p->cfg.e0pd ? " or TCR.E0PD" : "");
	return 0;
}

/* The tables that the plan goes through: are they mapped by what it takes away? */
struct own_tables {
	struct plan *p;
	struct refusals *r;
	struct pt_reader to_be;
};

static int check_own_table(struct own_tables *o, const struct pt_range *range, uint64_t table)
{
	struct plan *p = o->p;
	uint64_t va = range->ia + (table - range->oa);
	struct pt_walk after;
	struct buf name = { 0 };
	int err;

	if (table < range->oa || table - range->oa >= range->size)
		return 0;
	err = pt_walk_regime(&p->tables->regime, &o->to_be, va, NULL, &after, NULL);
	if (err || (after.mapped && (p->cfg.regime.nested ? after.ipa : after.oa) == table))
		return err;
	if (p->tables->symbols)
		symbols_say(p->tables->symbols, table, &name);
	plan_refuse(p, o->r, CHECK_TABLES,
		    "the table at %#" PRIx64 "%s is mapped at %#" PRIx64
		    " and would not be any more: whoever runs could not change it",
		    table, name.len ? name.data : "", va);
	buf_free(&name);
	return 0;
}

static int check_own_tables(void *ctx, const struct pt_range *range)
{
	struct own_tables *o = ctx;
	int err = 0;

	for (size_t i = 0; i < o->p->tables_count && !err; i++)
		if (!o->p->table[i].fresh)
			err = check_own_table(o, range, o->p->table[i].table);
	return err;
}

static int check_views(struct plan *p, struct refusals *r)
{
	struct own_tables own = { p, r, plan_reader(p) };
	struct asked asked = { .p = p, .r = r };
	/* In a file nobody runs. */
	const struct pt_map_sink before = { .range = p->tables->machine->file ? NULL
									      : check_own_tables,
					    .ctx = &own };
	const struct pt_map_sink after = { .range = compare_asked, .ctx = &asked };
	struct pt_config plain = p->cfg;
	uint64_t mask, bits;
	int err;

	plain.wxn = plain.e0pd = plain.regime.sif = false;
	if (p->want.perm_given && !pt_want_bits(&p->cfg, &p->want, true, &mask, &bits, NULL))
		pt_leaf_attrs(&plain, 3, bits, 0, &asked.want);
	err = plan_look(p, false, &before, &p->before);
	if (!err)
		err = plan_look(p, true, p->want.perm_given ? &after : NULL, &p->after);
	return err;
}

int plan_check(struct plan *p, struct buf *say)
{
	struct pt_reader to_be = plan_reader(p);
	struct refusals r = { .out = say };
	int err;

	plan_check_entry(p, &r);
	plan_check_output(p, &r);
	err = plan_check_pool(p, &r);
	if (!err)
		err = plan_check_regimes(p, &r);
	if (!err)
		err = check_views(p, &r);
	if (!err && !p->tables->machine->file)
		err = plan_check_cpus(p, &r);
	if (!err)
		err = tables_walk(p->tables, p->va, NULL, &p->walk_before, NULL);
	if (!err)
		err = pt_walk_regime(&p->tables->regime, &to_be, p->va, NULL, &p->walk_after, NULL);
	if (p->tables->lost)
		return p->tables->lost;
	return err ? err : r.refused ? -BATON_EREFUSED : 0;
}
