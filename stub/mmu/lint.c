// SPDX-License-Identifier: BSD-2-Clause
/* One run of the lint: both halves gone through once, then what needs all of them. */
#include "mmu/lint_internal.h"

#include "buf.h"
#include "error.h"
#include "mmu/a64.h"
#include "mmu/sysreg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Sets */

static uint64_t *set_slot(const struct lint_set *s, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (s->size - 1);

	while (s->slot[i] && s->slot[i] != key)
		i = (i + 1) & (s->size - 1);
	return &s->slot[i];
}

static void set_grow(struct lint_set *s)
{
	struct lint_set old = *s;

	s->size = old.size ? 2 * old.size : 256;
	s->slot = calloc(s->size, sizeof(*s->slot));
	if (!s->slot)
		abort();
	for (size_t i = 0; i < old.size; i++) {
		if (old.slot[i])
			*set_slot(s, old.slot[i]) = old.slot[i];
	}
	free(old.slot);
}

/* Address 0 may hold a table too; bit 63 is no part of any. */
#define KEY(k) ((k) | BIT(63))

bool lint_set_add(struct lint_set *s, uint64_t key)
{
	uint64_t *slot;

	if (2 * (s->count + 1) > s->size)
		set_grow(s);
	slot = set_slot(s, KEY(key));
	if (*slot)
		return false;
	*slot = KEY(key);
	s->count++;
	return true;
}

bool lint_set_has(const struct lint_set *s, uint64_t key)
{
	return s->size && *set_slot(s, KEY(key));
}

/* Findings */

static bool goes_on(const struct finding *last, const struct finding *f)
{
	return last->size && f->size && last->ia + last->size == f->ia && last->level == f->level &&
	       last->name == f->name && last->mair == f->mair && last->mair2 == f->mair2 &&
	       last->remedy == f->remedy;
}

static void put_away(struct lint_report *r, unsigned int id)
{
	struct finding *last = &r->of[id].last;

	if (!last->count)
		return;
	if (r->of[id].count < r->keep) {
		if (r->of[id].count == r->of[id].size) {
			r->of[id].size = r->of[id].size ? 2 * r->of[id].size : 16;
			r->of[id].list =
				realloc(r->of[id].list, r->of[id].size * sizeof(*r->of[id].list));
			if (!r->of[id].list)
				abort();
		}
		r->of[id].list[r->of[id].count++] = *last;
	}
	r->of[id].places++;
	r->total[last->severity]++;
	last->count = 0;
}

void lint_add(struct lint *l, enum lint_id id, struct finding f)
{
	struct lint_report *r = l->report;
	struct finding *last = &r->of[id].last;

	f.rule = &lint_rules[id];
	f.severity = f.rule->severity;
	f.count = 1;
	if (r->only && r->only != f.rule)
		return;
	r->of[id].findings++;
	if (last->count && goes_on(last, &f)) {
		last->size += f.size;
		last->count++;
		return;
	}
	put_away(r, id);
	*last = f;
}

struct finding lint_leaf_finding(const struct pt_mapping *m)
{
	return (struct finding){
		.ia = m->ia,
		.size = m->size,
		.level = m->step->level,
		.index = m->step->index,
		.address = m->step->address,
		.desc = m->step->desc,
	};
}

enum lint_memory lint_memory_at(const struct lint *l, uint64_t pa, uint64_t *last,
				const char **name)
{
	*last = UINT64_MAX;
	*name = "RAM";
	if (!l->in->memory || l->in->regime->nested)
		return LINT_RAM;
	return l->in->memory(l->in->ctx, pa, last, name);
}

/* The sink */

static void keep_table(struct lint *l, uint64_t table, int level, uint64_t ia)
{
	if (l->table_count == LINT_TABLES_MAX)
		return;
	if (!l->tables || l->table_count == l->table_size) {
		l->table_size = l->table_size ? 2 * l->table_size : 64;
		l->tables = realloc(l->tables, l->table_size * sizeof(*l->tables));
		if (!l->tables)
			abort();
	}
	l->tables[l->table_count++] =
		(struct lint_table){ table, ia, (size_t)8 << pt_index_bits(l->now, level), level };
}

/* A table comes once for each level and each set of bits above it: its entries are the same. */
static int on_table(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	struct lint *l = ctx;

	if (!lint_set_add(&l->seen, table << 3 | (uint64_t)(level + 1)))
		return 0;
	if (lint_set_add(&l->reached, table))
		keep_table(l, table, level, ia);
	lint_table_entries(l, table, level, ia, data);
	lint_table_place(l, table, level, ia);
	return 0;
}

static int on_leaf(void *ctx, const struct pt_mapping *m)
{
	lint_leaf(ctx, m);
	return 0;
}

static void table_missing(struct lint *l, const struct pt_note *n)
{
	struct finding f = {
		.ia = n->ia,
		.size = n->size,
		.level = n->level == -2 ? LINT_REGISTER : n->level,
		.index = n->index,
		.address = n->address,
		.desc = n->desc,
		.value = n->table,
	};
	uint64_t last;
	enum lint_memory kind = lint_memory_at(l, n->table, &last, &f.name);

	if (n->level == -2) {
		if (l->now->root & ~low_bits(l->now->oa_bits))
			return; /* said of the register */
		f.remedy = "load the root with the address of a table in RAM";
	}
	lint_add(l, kind == LINT_DEVICE ? RULE_TABLE_DEVICE : RULE_TABLE_OUTSIDE, f);
}

static int on_note(void *ctx, const struct pt_note *n)
{
	struct lint *l = ctx;
	struct finding f = { .ia = n->ia,
			     .size = n->size,
			     .level = n->level,
			     .index = n->index,
			     .address = n->address,
			     .desc = n->desc,
			     .value = n->table };

	switch (n->kind) {
	case PT_NOTE_UNREADABLE:
		table_missing(l, n);
		break;
	case PT_NOTE_LOOP:
		lint_add(l, RULE_TABLE_LOOP, f);
		break;
	case PT_NOTE_REPEAT:
	case PT_NOTE_BAD: /* lint_table_entries() has seen it, and why */
		break;
	}
	return 0;
}

static int one_half(struct lint *l, unsigned int half)
{
	const struct pt_map_sink sink = {
		.leaf = on_leaf, .table = on_table, .note = on_note, .ctx = l
	};

	if (!l->usable[half])
		return 0;
	l->now = &l->cfg[half];
	return pt_map(l->now, &l->in->bulk, 0, UINT64_MAX, &sink, NULL);
}

/* MAIR bytes that are neither Normal nor Device (D24.2.109): their words begin so. */
static uint8_t reserved_bytes(uint64_t mair)
{
	static const char mark[] = "UNPREDICTABLE";
	struct buf text = { 0 };
	uint8_t bad = 0;

	for (unsigned int i = 0; i < 8; i++) {
		buf_clear(&text);
		mair_say((uint8_t)(mair >> 8 * i), &text);
		if (text.len >= sizeof(mark) - 1 && !memcmp(text.data, mark, sizeof(mark) - 1))
			bad |= (uint8_t)(1u << i);
	}
	buf_free(&text);
	return bad;
}

/* What is beyond the limits is not passed over in silence. */
static void say_limits(struct lint *l)
{
	struct finding f = { .level = LINT_REGISTER };

	f.name = "aliases and mapped tables beyond 524288 ranges";
	if (l->run_count == LINT_RUNS_MAX)
		lint_add(l, RULE_UNKNOWN, f);
	f.name = "how tables beyond the first 1048576 are mapped";
	if (l->table_count == LINT_TABLES_MAX)
		lint_add(l, RULE_UNKNOWN, f);
}

static int look(struct lint *l)
{
	int err = 0;

	lint_registers(l);
	for (unsigned int half = 0; half < 2 && !err; half++)
		err = one_half(l, half);
	if (err)
		return err;
	lint_aliases(l);
	lint_tables_mapped(l);
	err = lint_orphans(l);
	if (!err)
		lint_places(l);
	say_limits(l);
	return err;
}

int lint_run(const struct lint_input *in, struct lint_report *report)
{
	struct lint l = { .in = in, .report = report };
	int err;

	if (!report->keep)
		report->keep = LINT_KEEP;
	l.mair_bad = in->regime->stage2 ? 0 : reserved_bytes(in->regime->mair);
	err = look(&l);
	for (unsigned int i = 0; i < RULE_COUNT; i++)
		put_away(report, i);
	free(l.seen.slot);
	free(l.reached.slot);
	free(l.tables);
	free(l.runs);
	free(l.orphans);
	return err;
}

void lint_free(struct lint_report *r)
{
	for (unsigned int i = 0; i < LINT_RULES_MAX; i++)
		free(r->of[i].list);
	memset(r, 0, sizeof(*r));
}
