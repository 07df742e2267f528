// SPDX-License-Identifier: BSD-2-Clause
/* Where tables lie, who may write to them, and which of them nothing points to. */
#include "bisect.h"
#include "mmu/lint_internal.h"

#include <stdlib.h>
#include <string.h>

static struct finding of_table(uint64_t table, int level, uint64_t ia)
{
	(void)level;
	return (struct finding){ .ia = ia, .level = LINT_TABLE, .address = table, .value = table };
}

void lint_table_place(struct lint *l, uint64_t table, int level, uint64_t ia)
{
	uint64_t size = UINT64_C(8) << pt_index_bits(l->now, level);
	struct finding f = of_table(table, level, ia);

	/* memory that can be read and is a device: the user insisted */
	if (!l->in->regime->nested) {
		uint64_t last;
		enum lint_memory kind = lint_memory_at(l, table, &last, &f.name);

		f.remedy = "pt-walk {va}; the entry above it should point to RAM";
		if (kind == LINT_DEVICE)
			lint_add(l, RULE_TABLE_DEVICE, f);
		f.remedy = NULL;
	}
	for (size_t i = 0; i < l->in->lost_count && !l->in->regime->nested; i++) {
		const struct lint_span *s = &l->in->lost[i];

		if (table > s->last || s->first > table + (size - 1))
			continue;
		f.name = s->name;
		lint_add(l, RULE_TABLE_LOST, f);
		break;
	}
}

/* Runs of one kind without overlaps, by output address, to find one fast. */
struct cover {
	uint64_t first, last, ia;
	uint8_t mair;
};

static bool is_el0(const struct lint_run *r)
{
	return r->el0_writes;
}

static bool is_uncached(const struct lint_run *r)
{
	return r->uncached;
}

/* l->runs are sorted: what reaches beyond those before is what is new. */
static struct cover *cover_of(const struct lint *l, bool (*want)(const struct lint_run *),
			      size_t *n)
{
	struct cover *list = malloc((l->run_count + 1) * sizeof(*list));
	uint64_t next = 0;

	if (!list)
		abort();
	*n = 0;
	for (size_t i = 0; i < l->run_count; i++) {
		const struct lint_run *r = &l->runs[i];
		uint64_t first = r->oa > next ? r->oa : next, last = r->oa + (r->size - 1);

		if (!want(r) || last < first)
			continue;
		list[(*n)++] = (struct cover){ first, last, r->ia + (first - r->oa), r->mair };
		next = last + 1;
	}
	return list;
}

static const struct cover *cover_find(const struct cover *list, size_t n, uint64_t first,
				      uint64_t last)
{
	size_t at;

	BISECT(at, i, n, list[i].last < first);
	return at < n && list[at].first <= last ? &list[at] : NULL;
}

static void check_cover(struct lint *l, enum lint_id id, bool (*want)(const struct lint_run *))
{
	size_t n;
	struct cover *list = cover_of(l, want, &n);

	for (size_t i = 0; i < l->table_count && n; i++) {
		const struct lint_table *t = &l->tables[i];
		const struct cover *c = cover_find(list, n, t->address, t->address + (t->size - 1));
		struct finding f = of_table(t->address, t->level, t->ia);

		if (!c)
			continue;
		f.fix = c->ia + ((t->address > c->first ? t->address : c->first) - c->first);
		f.mair = c->mair;
		lint_add(l, id, f);
	}
	free(list);
}

void lint_tables_mapped(struct lint *l)
{
	check_cover(l, RULE_TABLE_EL0, is_el0);
	/* Of a stage 2 the guest's mappings of its own decide. */
	if ((l->walks_cached[0] || l->walks_cached[1]) && !l->in->regime->stage2)
		check_cover(l, RULE_TABLE_UNCACHED, is_uncached);
}

/* Orphans */

static bool is_ram(void *ctx, uint64_t pa)
{
	const char *name;
	uint64_t last;

	return lint_memory_at(ctx, pa, &last, &name) == LINT_RAM;
}

static void add_children(const struct pt_config *cfg, const uint8_t *data, int level,
			 struct lint_set *children)
{
	unsigned int n = 1U << (cfg->granule - 3);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t desc = pt_table_entry(cfg, data, i);

		if (pt_desc_kind(cfg, level, desc) == PT_TABLE)
			lint_set_add(children, pt_desc_address(cfg, level, PT_TABLE, desc));
	}
}

static void keep_orphan(struct lint *l, uint64_t page)
{
	if (!l->orphans || l->orphan_count == l->orphan_size) {
		l->orphan_size = l->orphan_size ? 2 * l->orphan_size : 16;
		l->orphans = realloc(l->orphans, l->orphan_size * sizeof(*l->orphans));
		if (!l->orphans)
			abort();
	}
	l->orphans[l->orphan_count++] = page;
}

static void look_at_page(struct lint *l, const struct pt_config *cfg, uint64_t page,
			 const uint8_t *data, struct lint_set *children)
{
	bool candidate = false;

	for (int level = cfg->start; level <= 3; level++) {
		if (!pt_looks_like_table(cfg, level, data, is_ram, l))
			continue;
		candidate = true;
		if (level < 3)
			add_children(cfg, data, level, children);
	}
	if (candidate && !lint_set_has(&l->reached, page))
		keep_orphan(l, page);
}

#define PAGES 16

static int look_at_span(struct lint *l, const struct pt_config *cfg, const struct lint_span *s,
			uint8_t *data, struct lint_set *children)
{
	uint64_t size = BIT(cfg->granule), first = (s->first + size - 1) & ~(size - 1);

	while (first >= s->first && first <= s->last && s->last - first >= size - 1) {
		uint64_t pa[PAGES];
		bool ok[PAGES] = { false };
		unsigned int n = 0;
		int err;

		for (; n < PAGES && s->last - first >= size - 1; n++, first += size)
			pa[n] = first;
		err = pt_bulk_read(&l->in->bulk, pa, n, size, data, ok);
		if (err)
			return err;
		for (unsigned int i = 0; i < n; i++) {
			if (ok[i])
				look_at_page(l, cfg, pa[i], data + i * size, children);
		}
		if (n < PAGES)
			break;
	}
	return 0;
}

/* Tables of the image are looked for where some of it are in use. */
static bool image_has_tables(const struct lint *l)
{
	for (size_t i = 0; i < l->in->image_count; i++) {
		const struct lint_span *s = &l->in->image[i];

		for (size_t t = 0; t < l->table_count; t++) {
			if (l->tables[t].address >= s->first && l->tables[t].address <= s->last)
				return true;
		}
	}
	return false;
}

static bool is_root(const struct lint *l, uint64_t page)
{
	for (size_t i = 0; i < l->in->root_count; i++) {
		if (l->in->roots[i] == page)
			return true;
	}
	return false;
}

int lint_orphans(struct lint *l)
{
	const struct pt_config *cfg = l->usable[0] ? &l->cfg[0] : &l->cfg[1];
	struct lint_set children = { 0 };
	uint8_t *data;
	size_t kept = 0;
	int err = 0;

	if ((!l->usable[0] && !l->usable[1]) || cfg->regime.stage2 || cfg->regime.nested ||
	    !image_has_tables(l))
		return 0;
	data = malloc(PAGES << cfg->granule);
	if (!data)
		abort();
	for (size_t i = 0; i < l->in->image_count && !err; i++)
		err = look_at_span(l, cfg, &l->in->image[i], data, &children);
	for (size_t i = 0; i < l->orphan_count && !err; i++) {
		struct finding f = of_table(l->orphans[i], 0, 0);

		if (is_root(l, f.value) || lint_set_has(&children, f.value))
			continue;
		l->orphans[kept++] = f.value;
		lint_add(l, RULE_ORPHAN, f);
	}
	l->orphan_count = kept;
	free(children.slot);
	free(data);
	return err;
}
