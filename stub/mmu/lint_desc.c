// SPDX-License-Identifier: BSD-2-Clause
/* Descriptors as such: encodings, reserved bits, addresses, groups (DDI 0487, D8.3.1). */
#include "mmu/lint_internal.h"

#include "error.h"
#include "hex.h"

#include <string.h>

/*
 * A rule of one descriptor. @bad: does it break it? It fills in the values that the rule's
 * words ask for.
 */
struct entry_check {
	enum lint_id id;
	bool (*bad)(const struct pt_config *cfg, const struct pt_step *s, struct finding *f);
};

static bool is_leaf(const struct pt_step *s)
{
	return s->kind == PT_BLOCK || s->kind == PT_PAGE;
}

static bool level3_block(const struct pt_config *cfg, const struct pt_step *s, struct finding *f)
{
	(void)cfg, (void)f;
	return s->level == 3 && (s->desc & 3) == 1;
}

static bool no_such_block(const struct pt_config *cfg, const struct pt_step *s, struct finding *f)
{
	(void)cfg, (void)f;
	return s->level < 3 && (s->desc & 3) == 1 && s->kind == PT_INVALID;
}

static bool beyond_ps(const struct pt_config *cfg, const struct pt_step *s, struct finding *f)
{
	f->value = s->next;
	f->fix = cfg->oa_bits;
	return s->kind != PT_INVALID && (s->next & ~low_bits(cfg->oa_bits));
}

static bool misaligned(const struct pt_config *cfg, const struct pt_step *s, struct finding *f)
{
	f->value = pt_desc_stray(cfg, s->level, s->kind, s->desc);
	f->fix = s->desc & ~f->value;
	return is_leaf(s) && f->value;
}

static bool misaligned_table(const struct pt_config *cfg, const struct pt_step *s,
			     struct finding *f)
{
	f->value = pt_desc_stray(cfg, s->level, s->kind, s->desc);
	f->fix = s->desc & ~f->value;
	return s->kind == PT_TABLE && f->value;
}

static bool reserved(const struct pt_config *cfg, const struct pt_step *s, struct finding *f)
{
	f->value = pt_desc_reserved(cfg, s->kind, s->desc);
	f->fix = s->desc & ~f->value;
	return f->value;
}

static bool ap1_clear(const struct pt_config *cfg, const struct pt_step *s, struct finding *f)
{
	f->fix = s->desc | BIT(6);
	return !cfg->regime.stage2 && !cfg->regime.two_halves && is_leaf(s) && !(s->desc & BIT(6));
}

/*
 * Stage 2's MemAttr 0b1111 reaches into NS (bit 5), which has no meaning outside Secure state.
 * Who has write-back at AttrIndx 7 (Xen does) may set bit 5 too: it comes to the same.
 */
static bool stage2_in_stage1(const struct pt_config *cfg, const struct pt_step *s,
			     struct finding *f)
{
	f->mair = (uint8_t)(cfg->regime.mair >> 56);
	lint_mend_type(&cfg->regime, false, f);
	if (!f->remedy)
		f->remedy = "pt-set {va} L{level} AttrIndx={fixnum},NS=0";
	return !cfg->regime.stage2 && !cfg->regime.secure && is_leaf(s) && f->mair != 0xff &&
	       field(s->desc, 2, 4) == 15;
}

static bool stage1_in_stage2(const struct pt_config *cfg, const struct pt_step *s,
			     struct finding *f)
{
	if (!cfg->regime.stage2)
		return false;
	if (s->kind == PT_TABLE && s->desc >> 59) {
		f->name = "a table descriptor of stage 2 has no APTable, XNTable or NSTable";
		f->remedy = "pt-set {va} L{level} {fix}";
		f->fix = s->desc & low_bits(59);
		return true;
	}
	f->name = "S2AP is 0: nothing may be accessed; in stage 1 that would be read and write";
	return is_leaf(s) && !field(s->desc, 6, 2);
}

/* D8.6.5: without FWB outer Normal and inner Device; with it 0b0100 and 0b1xxx. */
static bool memattr_reserved(const struct pt_config *cfg, const struct pt_step *s,
			     struct finding *f)
{
	unsigned int attr = field(s->desc, 2, 4);

	f->value = attr;
	f->fix = cfg->fwb ? 6 : 15;
	if (!cfg->regime.stage2 || !is_leaf(s))
		return false;
	return cfg->fwb ? attr == 4 || attr > 7 : attr > 3 && !(attr & 3);
}

static bool sh_reserved(const struct pt_config *cfg, const struct pt_step *s, struct finding *f)
{
	(void)f;
	return is_leaf(s) && !cfg->ds && field(s->desc, 8, 2) == PT_SHARE_RESERVED;
}

static const struct entry_check checks[] = {
	{ RULE_LEVEL3, level3_block },
	{ RULE_ENCODING, no_such_block },
	{ RULE_BEYOND_PS, beyond_ps },
	{ RULE_MISALIGNED, misaligned },
	{ RULE_MISALIGNED_TABLE, misaligned_table },
	{ RULE_RESERVED, reserved },
	{ RULE_AP1, ap1_clear },
	{ RULE_S2_IN_S1, stage2_in_stage1 },
	{ RULE_S1_IN_S2, stage1_in_stage2 },
	{ RULE_MEMATTR, memattr_reserved },
	{ RULE_LEAF_SH, sh_reserved },
};

/* Memory that is one table: pt_contiguous_check() asks for its words again. */
struct table_words {
	uint64_t table;
	const uint8_t *data;
	size_t size;
};

static int read_word(void *ctx, uint64_t pa, uint64_t *value)
{
	const struct table_words *t = ctx;

	if (pa < t->table || pa - t->table > t->size - 8)
		return -BATON_ERANGE; /* a table that is smaller than the group */
	*value = le_read(t->data + (pa - t->table), 8);
	return 0;
}

static struct finding at(const struct pt_step *s, uint64_t ia, uint64_t size)
{
	return (struct finding){
		.ia = ia,
		.size = size,
		.level = s->level,
		.index = s->index,
		.address = s->address,
		.desc = s->desc,
	};
}

/* The first entry of a group that has the bit speaks for all of it. */
static void check_group(struct lint *l, const struct pt_step *s, uint64_t ia,
			struct table_words *words, unsigned int *group)
{
	unsigned int shift = pt_level_shift(l->now, s->level);
	unsigned int n = pt_contiguous_entries(l->now, s->level), bad = s->index;
	const struct pt_reader reader = { read_word, words };
	struct finding f = at(s, ia, n * BIT(shift));

	if (!is_leaf(s) || !n || !(s->desc & BIT(52)) || *group == s->index / n)
		return;
	*group = s->index / n;
	if (pt_contiguous_check(l->now, &reader, s, &bad) == 1)
		return;
	f.ia = ia - (s->index % n) * BIT(shift);
	f.value = bad;
	lint_add(l, RULE_CONTIGUOUS, f);
}

static void check_entry(struct lint *l, const struct pt_step *s, uint64_t ia, uint64_t size)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct finding f = at(s, ia, size);

		if (checks[i].bad(l->now, s, &f))
			lint_add(l, checks[i].id, f);
	}
}

void lint_table_entries(struct lint *l, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	unsigned int shift = pt_level_shift(l->now, level), group = ~0U;
	unsigned int n = 1U << pt_index_bits(l->now, level);
	struct table_words words = { table, data, 8 * (size_t)n };

	for (unsigned int i = 0; i < n; i++) {
		struct pt_step s = { .stage = l->now->regime.stage2 ? 2 : 1,
				     .level = level,
				     .table = table,
				     .index = i,
				     .address = table + 8 * (uint64_t)i,
				     .read = true,
				     .desc = pt_table_entry(l->now, data, i) };

		if (!s.desc)
			continue;
		s.kind = pt_desc_kind(l->now, level, s.desc);
		s.next = pt_desc_address(l->now, level, s.kind, s.desc);
		check_entry(l, &s, ia + ((uint64_t)i << shift), BIT(shift));
		check_group(l, &s, ia + ((uint64_t)i << shift), &words, &group);
	}
}
