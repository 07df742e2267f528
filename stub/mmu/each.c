// SPDX-License-Identifier: BSD-2-Clause
/* All that one root maps, in the order of addresses. */
#include <stddef.h>

#include "error.h"
#include "mmu/internal.h"

/* The state of pt_map_each(): it goes down at most one table a level. */
struct each {
	const struct pt_config *cfg;
	const struct pt_config *s2; /* NULL: one stage */
	const struct pt_reader *reader;
	uint64_t from, to;
	pt_each_fn *fn;
	void *ctx;
	unsigned int tables;
};

static int each_table(struct each *e, uint64_t table, int level, uint64_t base, unsigned int hier);

static int each_entry(struct each *e, const struct pt_step *s, uint64_t ia, unsigned int hier)
{
	struct pt_mapping m = { .ia = ia, .step = s };
	struct pt_attrs attrs;
	int ret;

	m.size = BIT(pt_level_shift(e->cfg, s->level));
	if (s->read && s->kind != PT_TABLE) {
		pt_leaf_attrs(e->cfg, s->level, s->desc, hier, &attrs);
		m.attrs = &attrs;
		m.oa = s->next;
	}
	ret = e->fn(e->ctx, &m);
	if (ret || !s->read || s->kind != PT_TABLE || (s->next & ~low_bits(e->cfg->oa_bits)))
		return ret < 0 ? ret : 0;
	return each_table(e, s->next, s->level + 1, ia, hier | pt_table_hier(e->cfg, s->desc));
}

/* The entry's own place: of two stages, each page of 4 KiB may lie elsewhere. */
static bool read_entry(struct each *e, struct pt_step *s, uint64_t table)
{
	s->ipa = table + 8 * (uint64_t)s->index;
	if (!e->s2)
		s->address = s->ipa;
	else if (!s->address || !(s->ipa & 0xfff))
		s->read = !pt_stage2_address(e->s2, e->reader, s->ipa, &s->address);
	else
		s->address += 8;
	if (e->s2 && !s->read)
		return false;
	s->table = s->address - 8 * (uint64_t)s->index;
	s->read = !pt_read_desc(e->cfg, e->reader, s->address, &s->desc);
	return s->read;
}

static int each_table(struct each *e, uint64_t table, int level, uint64_t base, unsigned int hier)
{
	const struct pt_config *cfg = e->cfg;
	unsigned int shift = pt_level_shift(cfg, level);
	unsigned int bits = pt_index_bits(cfg, level);
	struct pt_step s = { .stage = cfg->regime.stage2 ? 2 : 1, .level = level };
	int ret = 0;

	if (++e->tables > PT_EACH_MAX_TABLES)
		return -BATON_ETOOBIG;
	for (unsigned int i = 0; i < 1U << bits && !ret; i++) {
		uint64_t ia = base + ((uint64_t)i << shift);

		if (ia > e->to)
			break;
		if (ia + (BIT(shift) - 1) < e->from)
			continue;
		s.index = i;
		if (!read_entry(e, &s, table)) {
			ret = each_entry(e, &s, ia, hier);
			break; /* once is enough to say that this table is unreadable */
		}
		s.kind = pt_desc_kind(cfg, level, s.desc);
		s.next = pt_desc_address(cfg, level, s.kind, s.desc);
		if (s.kind != PT_INVALID)
			ret = each_entry(e, &s, ia, hier);
	}
	return ret;
}

int pt_map_each(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t from,
		uint64_t to, pt_each_fn *fn, void *ctx)
{
	uint64_t first = cfg->half ? ~low_bits(cfg->ia_bits) : 0;
	uint64_t last = first | low_bits(cfg->ia_bits);
	struct each e = { .cfg = cfg, .reader = reader, .fn = fn, .ctx = ctx };
	struct pt_config s2;

	if (cfg->flat || cfg->epd || cfg->txsz_bad || cfg->sl_bad)
		return -BATON_EINVAL;
	if (cfg->regime.nested) {
		int err = pt_config_stage2(&s2, cfg, NULL);

		if (err)
			return err;
		e.s2 = &s2;
	}
	e.from = from > first ? from : first;
	e.to = to < last ? to : last;
	if (e.from > e.to || (cfg->root & ~low_bits(cfg->oa_bits)))
		return 0;
	return each_table(&e, cfg->root, cfg->start, first, 0);
}
