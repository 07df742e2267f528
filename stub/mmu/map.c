/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmu/map.h"

#include "error.h"
#include "mmu/internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Tables that are read at once, for each level: enough to keep a connection busy. */
#define BATCH_BYTES (1u << 20)
#define ROOT_MAX    16u /* concatenated tables */

/* A table as it was decoded: the same bits above it, at the same level. */
struct seen {
	uint64_t table, ia;
	int level;
	unsigned int hier;
	bool used;
};

/* What is read ahead for one level. */
struct batch {
	uint8_t *data;
	uint64_t pa[PT_BULK_MAX];
	bool ok[PT_BULK_MAX];
	unsigned int count;
};

struct map {
	const struct pt_config *cfg;
	const struct pt_bulk *bulk;
	const struct pt_map_sink *sink;
	struct pt_map_stats *stats;
	uint64_t from, to;
	unsigned int stage;
	size_t table_size;
	unsigned int batch_max;
	struct batch batch[PT_LEVELS];
	uint64_t path[PT_LEVELS];
	struct seen *seen; /* open addressing, at most half full */
	size_t seen_count, seen_size;
	struct pt_range run; /* not yet given out; size 0: none */
};

bool pt_attrs_same(const struct pt_attrs *a, const struct pt_attrs *b)
{
	return a->el0 == b->el0 && a->own == b->own && a->mair == b->mair && a->share == b->share &&
	       a->af == b->af && a->ng == b->ng && a->ns == b->ns && a->dbm == b->dbm &&
	       a->guarded == b->guarded;
}

static int flush(struct map *m)
{
	if (!m->run.size)
		return 0;
	m->stats->ranges++;
	int ret = m->sink->range ? m->sink->range(m->sink->ctx, &m->run) : 0;

	m->run.size = 0;
	return ret;
}

static int add_leaf(struct map *m, const struct pt_mapping *l)
{
	struct pt_range *r = &m->run;
	unsigned int level = (unsigned int)(l->step->level + 1);
	int ret = m->sink->leaf ? m->sink->leaf(m->sink->ctx, l) : 0;

	m->stats->leaves[level]++;
	m->stats->bytes += l->size;
	if (ret)
		return ret;
	if (r->size && r->ia + r->size == l->ia && r->oa + r->size == l->oa &&
	    pt_attrs_same(&r->attrs, l->attrs)) {
		r->size += l->size;
		r->levels |= 1u << level;
		return 0;
	}
	ret = flush(m);
	*r = (struct pt_range){ l->ia, l->oa, l->size, *l->attrs, 1u << level };
	return ret;
}

static int add_note(struct map *m, enum pt_note_kind kind, const struct pt_step *s, uint64_t ia,
		    uint64_t size, uint64_t first)
{
	struct pt_note n = { .kind = kind,
			     .ia = ia,
			     .size = size,
			     .level = s->level,
			     .index = s->index,
			     .address = s->address,
			     .desc = s->desc,
			     .table = s->next,
			     .first = first };
	uint64_t *count = kind == PT_NOTE_REPEAT       ? &m->stats->repeats
			  : kind == PT_NOTE_LOOP       ? &m->stats->loops
			  : kind == PT_NOTE_UNREADABLE ? &m->stats->unreadable
						       : &m->stats->bad;
	int ret = flush(m);

	++*count;
	return ret || !m->sink->note ? ret : m->sink->note(m->sink->ctx, &n);
}

/* Tables that were decoded */

static struct seen *seen_slot(const struct map *m, uint64_t table, int level, unsigned int hier)
{
	uint64_t key = (table >> 10 ^ (uint64_t)(level + 1) << 58 ^ (uint64_t)hier << 48) *
		       0x9e3779b97f4a7c15u;
	size_t i = (size_t)(key >> 32) & (m->seen_size - 1);

	while (m->seen[i].used &&
	       (m->seen[i].table != table || m->seen[i].level != level || m->seen[i].hier != hier))
		i = (i + 1) & (m->seen_size - 1);
	return &m->seen[i];
}

static void seen_grow(struct map *m)
{
	struct seen *old = m->seen;
	size_t size = m->seen_size;

	m->seen_size = size ? 2 * size : 1024;
	m->seen = calloc(m->seen_size, sizeof(*m->seen));
	if (!m->seen)
		abort();
	for (size_t i = 0; i < size; i++) {
		if (old[i].used)
			*seen_slot(m, old[i].table, old[i].level, old[i].hier) = old[i];
	}
	free(old);
}

static const struct seen *seen_find(const struct map *m, uint64_t table, int level,
				    unsigned int hier)
{
	const struct seen *s = seen_slot(m, table, level, hier);

	return s->used ? s : NULL;
}

static void seen_add(struct map *m, uint64_t table, int level, unsigned int hier, uint64_t ia)
{
	if (2 * (m->seen_count + 1) > m->seen_size)
		seen_grow(m);
	*seen_slot(m, table, level, hier) = (struct seen){ table, ia, level, hier, true };
	m->seen_count++;
}

/* Reading ahead */

static unsigned int entries_of(const struct map *m, int level)
{
	return 1u << pt_index_bits(m->cfg, level);
}

static uint64_t desc_at(const struct map *m, const uint8_t *table, unsigned int index)
{
	uint64_t d;

	memcpy(&d, table + 8 * (size_t)index, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	d = __builtin_bswap64(d);
#endif
	return m->cfg->big_endian ? __builtin_bswap64(d) : d;
}

/* Most entries of most tables are zero, in any byte order: eight are passed over at a time. */
static unsigned int next_entry(const uint8_t *table, unsigned int index, unsigned int n)
{
	uint64_t d[8], any = 0;

	for (; index + 8 <= n && !any; index += 8) {
		memcpy(d, table + 8 * (size_t)index, sizeof(d));
		for (int i = 0; i < 8; i++)
			any |= d[i];
	}
	if (any)
		index -= 8;
	for (; index < n; index++) {
		memcpy(d, table + 8 * (size_t)index, 8);
		if (d[0])
			break;
	}
	return index;
}

/* Those up to the @i-th of the batch that was asked for last. */
static int wait(struct map *m, unsigned int i)
{
	return m->bulk->wait ? m->bulk->wait(m->bulk->ctx, i) : 0;
}

int pt_bulk_read(const struct pt_bulk *bulk, const uint64_t *pa, unsigned int n, size_t size,
		 uint8_t *data, bool *ok)
{
	int err = bulk->read(bulk->ctx, pa, n, size, data, ok);

	return err || !bulk->wait ? err : bulk->wait(bulk->ctx, UINT_MAX);
}

static bool in_reach(const struct map *m, uint64_t next)
{
	return m->cfg->oa_bits >= 64 || !(next >> m->cfg->oa_bits);
}

static struct batch *batch_of(struct map *m, int level)
{
	return &m->batch[level + 1];
}

/* The tables that entries @index and following of @table point to, as many as fit. */
static int read_ahead(struct map *m, const uint8_t *table, int level, unsigned int index,
		      uint64_t base, unsigned int hier)
{
	struct batch *b = batch_of(m, level + 1);
	unsigned int shift = pt_level_shift(m->cfg, level), n = entries_of(m, level);
	int ret = wait(m, UINT_MAX); /* some may never have been needed */

	if (ret)
		return ret;
	b->count = 0;
	for (index = next_entry(table, index, n); index < n && b->count < m->batch_max;
	     index = next_entry(table, index + 1, n)) {
		uint64_t desc = desc_at(m, table, index), next;
		bool twice = false;

		if (base + ((uint64_t)index << shift) > m->to)
			break;
		if (pt_desc_kind(m->cfg, level, desc) != PT_TABLE)
			continue;
		next = pt_desc_address(m->cfg, level, PT_TABLE, desc);
		for (unsigned int i = 0; i < b->count && !twice; i++)
			twice = b->pa[i] == next;
		if (!twice && in_reach(m, next) &&
		    !seen_find(m, next, level + 1, hier | pt_table_hier(m->cfg, desc)))
			b->pa[b->count++] = next;
	}
	if (!b->data) {
		b->data = malloc(BATCH_BYTES);
		if (!b->data)
			abort();
	}
	memset(b->ok, 0, sizeof(b->ok));
	return b->count
		       ? m->bulk->read(m->bulk->ctx, b->pa, b->count, m->table_size, b->data, b->ok)
		       : 0;
}

static int batch_index(struct map *m, int level, uint64_t table)
{
	const struct batch *b = batch_of(m, level);

	for (unsigned int i = 0; i < b->count; i++) {
		if (b->pa[i] == table)
			return (int)i;
	}
	return -1;
}

/* The walk */

static int map_table(struct map *m, const uint8_t *data, uint64_t table, int level, uint64_t base,
		     unsigned int hier);

static bool on_path(const struct map *m, int level, uint64_t table)
{
	for (int l = m->cfg->start; l <= level; l++) {
		if (m->path[l + 1] == table)
			return true;
	}
	return false;
}

static int enter(struct map *m, const uint8_t *from, const struct pt_step *s, uint64_t base,
		 uint64_t ia, uint64_t size, unsigned int hier)
{
	unsigned int below = hier | pt_table_hier(m->cfg, s->desc);
	const struct seen *before = seen_find(m, s->next, s->level + 1, below);
	const struct batch *b = batch_of(m, s->level + 1);
	int ret, i;

	if (before)
		return add_note(m, PT_NOTE_REPEAT, s, ia, size, before->ia);
	if (on_path(m, s->level, s->next)) {
		ret = add_note(m, PT_NOTE_LOOP, s, ia, size, 0);
		if (ret)
			return ret;
	}
	i = batch_index(m, s->level + 1, s->next);
	if (i < 0) {
		ret = read_ahead(m, from, s->level, s->index, base, hier);
		if (ret)
			return ret;
		i = batch_index(m, s->level + 1, s->next);
	}
	ret = i < 0 ? 0 : wait(m, (unsigned int)i);
	if (ret)
		return ret;
	if (i < 0 || !b->ok[i])
		return add_note(m, PT_NOTE_UNREADABLE, s, ia, size, 0);
	seen_add(m, s->next, s->level + 1, below, ia);
	return map_table(m, b->data + (size_t)i * m->table_size, s->next, s->level + 1, ia, below);
}

static int map_entry(struct map *m, const uint8_t *data, struct pt_step *s, uint64_t base,
		     unsigned int hier)
{
	uint64_t size = BIT(pt_level_shift(m->cfg, s->level));
	uint64_t ia = base + s->index * size;
	struct pt_mapping leaf = { .ia = ia, .size = size, .step = s };
	struct pt_attrs attrs;
	int ret;

	s->kind = pt_desc_kind(m->cfg, s->level, s->desc);
	s->next = pt_desc_address(m->cfg, s->level, s->kind, s->desc);
	if (s->kind == PT_INVALID)
		return s->desc & 1 ? add_note(m, PT_NOTE_BAD, s, ia, size, 0) : 0;
	if (!in_reach(m, s->next))
		return add_note(m, PT_NOTE_BAD, s, ia, size, 0);
	if (s->kind == PT_TABLE)
		return enter(m, data, s, base, ia, size, hier);
	pt_leaf_attrs(m->cfg, s->level, s->desc, hier, &attrs);
	leaf.attrs = &attrs;
	leaf.oa = s->next;
	/* A block that is larger than the output: what is beyond faults. */
	if (m->cfg->oa_bits < 64 && leaf.size > BIT(m->cfg->oa_bits))
		leaf.size = BIT(m->cfg->oa_bits);
	ret = ia + (leaf.size - 1) < m->from ? 0 : add_leaf(m, &leaf);
	if (ret || leaf.size == size)
		return ret;
	return add_note(m, PT_NOTE_BAD, s, ia + leaf.size, size - leaf.size, 0);
}

static int map_table(struct map *m, const uint8_t *data, uint64_t table, int level, uint64_t base,
		     unsigned int hier)
{
	unsigned int shift = pt_level_shift(m->cfg, level), n = entries_of(m, level);
	unsigned int first = m->from > base ? (unsigned int)((m->from - base) >> shift) : 0;
	int ret = 0;

	m->stats->tables[level + 1]++;
	m->path[level + 1] = table;
	if (level < 3)
		batch_of(m, level + 1)->count = 0;
	if (m->sink->table)
		ret = m->sink->table(m->sink->ctx, table, level, base, data);
	for (unsigned int i = next_entry(data, first, n); i < n && !ret;
	     i = next_entry(data, i + 1, n)) {
		struct pt_step s = {
			.stage = m->stage, .level = level, .table = table, .index = i
		};

		if (base + ((uint64_t)i << shift) > m->to)
			break;
		s.desc = desc_at(m, data, i);
		s.address = table + 8 * (uint64_t)i;
		s.read = true;
		ret = map_entry(m, data, &s, base, hier);
	}
	return ret;
}

/* A root of stage 2 may be several tables side by side (D8.2.2), each of them there or not. */
static int map_root(struct map *m)
{
	const struct pt_config *cfg = m->cfg;
	size_t size = 8 * (size_t)entries_of(m, cfg->start);
	size_t part = size < m->table_size ? size : m->table_size;
	unsigned int parts = (unsigned int)(size / part), read = 0;
	uint64_t base = cfg->half ? ~low_bits(cfg->ia_bits) : 0, pa[ROOT_MAX];
	uint64_t covers = BIT(cfg->ia_bits) / parts;
	struct pt_step s = { .stage = m->stage, .level = -2 };
	uint8_t *data = calloc(parts, part);
	bool ok[ROOT_MAX] = { false };
	int ret = 0;

	if (!data)
		abort();
	for (unsigned int i = 0; i < parts; i++)
		pa[i] = cfg->root + i * part;
	if (in_reach(m, cfg->root))
		ret = pt_bulk_read(m->bulk, pa, parts, part, data, ok);
	for (unsigned int i = 0; i < parts && !ret; i++) {
		uint64_t ia = base + i * covers;

		read += ok[i];
		if (ok[i])
			continue;
		memset(data + i * part, 0, part);
		s.next = pa[i];
		if (ia <= m->to && ia + (covers - 1) >= m->from)
			ret = add_note(m, PT_NOTE_UNREADABLE, &s, ia, covers, 0);
	}
	if (!ret && read) {
		seen_add(m, cfg->root, cfg->start, 0, base);
		ret = map_table(m, data, cfg->root, cfg->start, base, 0);
	}
	free(data);
	return ret ? ret : flush(m);
}

int pt_map(const struct pt_config *cfg, const struct pt_bulk *bulk, uint64_t from, uint64_t to,
	   const struct pt_map_sink *sink, struct pt_map_stats *stats)
{
	struct pt_map_stats unused = { 0 };
	struct map m = { .cfg = cfg, .bulk = bulk, .sink = sink, .from = from, .to = to };
	int ret;

	m.stats = stats ? stats : &unused;
	*m.stats = (struct pt_map_stats){ 0 };
	if (cfg->flat || cfg->epd || cfg->txsz_bad || cfg->sl_bad)
		return -BATON_EINVAL;
	m.stage = cfg->regime.stage2 ? 2 : 1;
	m.table_size = BIT(cfg->granule);
	m.batch_max = BATCH_BYTES / m.table_size < PT_BULK_MAX
			      ? BATCH_BYTES / (unsigned int)m.table_size
			      : PT_BULK_MAX;
	seen_grow(&m);
	ret = map_root(&m);
	wait(&m, UINT_MAX);
	for (int i = 0; i < PT_LEVELS; i++)
		free(m.batch[i].data);
	free(m.seen);
	return ret;
}
