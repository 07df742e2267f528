// SPDX-License-Identifier: BSD-2-Clause
/*
 * The VMSAv8-64 walk (DDI 0487, D8.2 "Translation process"): one stage, or stage 1 with
 * each of its addresses going through stage 2.
 */
#include "buf.h"
#include "error.h"
#include "mmu/internal.h"

/* A walk under way. */
struct walker {
	const struct pt_reader *reader;
	const struct pt_config *s2; /* NULL: there is one stage */
	struct pt_walk *out;
	/* stage 2's leaf for the stage-1 descriptor read last: may the walker write it? */
	bool writable;
	int writable_level;
};

/* Where one stage ended. */
struct leaf {
	uint64_t oa, size;
	int level;
	struct pt_attrs attrs;
};

/* What stage 1 may do is of no concern to stage 2's answer, and the reverse. */
static const struct pt_access by_walker = { .kind = PT_READ, .el = 1 };

static bool fail(struct walker *k, const struct pt_config *cfg, enum pt_fault fault,
		 enum pt_reason reason, int level)
{
	k->out->fault = fault;
	k->out->reason = reason;
	k->out->level = level;
	k->out->stage = cfg->regime.stage2 ? 2 : 1;
	return false;
}

/* MMU off (D8.2.12): input is output, as far as the physical address size goes. */
static bool walk_flat(struct walker *k, const struct pt_config *cfg, const struct pt_access *acc,
		      struct leaf *leaf)
{
	unsigned int top = cfg->tbi && !(cfg->tbid && acc->kind == PT_FETCH) ? 56 : 64;
	uint64_t ia = k->out->ia & low_bits(top);

	/* Not known: at least no address has more than 52 bits. */
	if (ia & ~low_bits(cfg->oa_bits ? cfg->oa_bits : 52)) {
		k->out->fault_output = ia;
		return fail(k, cfg, PT_FAULT_ADDRESS_SIZE, PT_REASON_IA, 0);
	}
	leaf->oa = ia;
	leaf->size = 4096;
	leaf->level = 0;
	attrs_of_flat(cfg, acc, &leaf->attrs);
	return true;
}

/* What faults before any table is read: all of it a translation fault of level 0. */
static enum pt_reason early_reason(const struct pt_config *cfg, uint64_t ia,
				   const struct pt_access *acc)
{
	unsigned int top = cfg->tbi && !(cfg->tbid && acc->kind == PT_FETCH) ? 56 : 64;
	uint64_t upper = low_bits(top) & ~low_bits(cfg->ia_bits);

	if (cfg->epd)
		return PT_REASON_EPD;
	if (cfg->e0pd && acc->kind != PT_ANY && acc->el == 0)
		return PT_REASON_E0PD;
	if (cfg->txsz_bad)
		return PT_REASON_TXSZ;
	if (cfg->sl_bad)
		return PT_REASON_SL;
	if ((ia & upper) != (cfg->half ? upper : 0))
		return PT_REASON_HOLE;
	return PT_REASON_NONE;
}

static bool walk_stage(struct walker *k, const struct pt_config *cfg, uint64_t ia,
		       const struct pt_access *acc, struct leaf *leaf);

/* The IPA of a stage-1 descriptor to where it lies (D8.2.3). */
static bool find_descriptor(struct walker *k, uint64_t ipa, uint64_t *pa)
{
	struct leaf leaf;

	if (!walk_stage(k, k->s2, ipa, &by_walker, &leaf)) {
		k->out->s1ptw = true;
		return false;
	}
	k->writable = leaf.attrs.own & PT_W;
	k->writable_level = leaf.level;
	*pa = leaf.oa;
	/* HCR_EL2.PTW: tables in device memory. */
	if (!(k->s2->regime.hcr & HCR_PTW) || leaf.attrs.mair >> 4)
		return true;
	k->out->s1ptw = true;
	k->out->fault_ipa = ipa;
	return fail(k, k->s2, PT_FAULT_PERMISSION, PT_REASON_PTW, leaf.level);
}

/* Look one descriptor up; NULL: the walk ends here with a fault. */
static const struct pt_step *look_up(struct walker *k, const struct pt_config *cfg, uint64_t ia,
				     uint64_t table, int level)
{
	unsigned int index = field(ia, pt_level_shift(cfg, level), pt_index_bits(cfg, level));
	uint64_t ipa = table + 8 * (uint64_t)index, pa = ipa;
	bool found = cfg->regime.stage2 || !k->s2 || find_descriptor(k, ipa, &pa);
	struct pt_step *s = &k->out->step[k->out->steps++];

	*s = (struct pt_step){
		.stage = cfg->regime.stage2 ? 2 : 1, .level = level, .index = index, .ipa = ipa
	};
	if (!found)
		return NULL;
	s->address = pa;
	s->table = pa - 8 * (uint64_t)index;
	if (pt_read_desc(cfg, k->reader, pa, &s->desc)) {
		k->out->fault_output = pa;
		fail(k, cfg, PT_FAULT_EXTERNAL, PT_REASON_NONE, level);
		return NULL;
	}
	s->read = true;
	s->kind = pt_desc_kind(cfg, level, s->desc);
	if (s->kind == PT_INVALID) {
		fail(k, cfg, PT_FAULT_TRANSLATION,
		     s->desc & 1 ? PT_REASON_RESERVED : PT_REASON_INVALID, level);
		return NULL;
	}
	s->next = pt_desc_address(cfg, level, s->kind, s->desc);
	if (s->next & ~low_bits(cfg->oa_bits)) {
		k->out->fault_output = s->next;
		fail(k, cfg, PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, level);
		return NULL;
	}
	return s;
}

/* Would the hardware write to the descriptor for this access, AF or dirty state? */
static bool is_updated(const struct pt_config *cfg, const struct pt_step *s,
		       const struct pt_attrs *a, const struct pt_access *acc)
{
	return (cfg->ha && !a->af) ||
	       (cfg->hd && a->dbm && (s->desc & BIT(7)) && acc->kind == PT_WRITE);
}

static bool reach_leaf(struct walker *k, const struct pt_config *cfg, const struct pt_step *s,
		       uint64_t ia, unsigned int tables, const struct pt_access *acc,
		       struct leaf *leaf)
{
	bool ok = true;

	leaf->level = s->level;
	leaf->size = BIT(pt_level_shift(cfg, s->level));
	leaf->oa = s->next | (ia & (leaf->size - 1));
	/* A block that is larger than the output: its address fits, not all of it does. */
	if (leaf->oa & ~low_bits(cfg->oa_bits)) {
		k->out->fault_output = leaf->oa;
		*leaf = (struct leaf){ 0 };
		return fail(k, cfg, PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, s->level);
	}
	attrs_of_leaf(cfg, s->desc, tables, &leaf->attrs);
	/* The access flag comes before permissions (D8.15.5 "MMU fault prioritization"). */
	if (!leaf->attrs.af && !cfg->ha) {
		ok = fail(k, cfg, PT_FAULT_ACCESS_FLAG, PT_REASON_NONE, s->level);
	} else if (!attrs_allow(cfg, &leaf->attrs, acc)) {
		ok = fail(k, cfg, PT_FAULT_PERMISSION, PT_REASON_NONE, s->level);
	} else if (s->stage == 1 && k->s2 && !k->writable &&
		   is_updated(cfg, s, &leaf->attrs, acc)) {
		k->out->s1ptw = true;
		k->out->fault_ipa = s->ipa;
		ok = fail(k, k->s2, PT_FAULT_PERMISSION, PT_REASON_UPDATE, k->writable_level);
	}
	attrs_apply_e0pd(cfg, &leaf->attrs);
	return ok;
}

/*
 * One stage, from its root to a leaf. False: a fault is noted; leaf->size is not 0 if a
 * leaf was reached all the same. Stage 1 of two calls this again for each table.
 */
static bool walk_stage(struct walker *k, const struct pt_config *cfg, uint64_t ia,
		       const struct pt_access *acc, struct leaf *leaf)
{
	enum pt_reason early = early_reason(cfg, ia, acc);
	uint64_t table = cfg->root;
	unsigned int tables = 0;

	*leaf = (struct leaf){ 0 };
	if (cfg->regime.stage2)
		k->out->fault_ipa = ia; /* counts only with a fault of stage 2 */
	if (early != PT_REASON_NONE)
		return fail(k, cfg, PT_FAULT_TRANSLATION, early, 0);
	if (table & ~low_bits(cfg->oa_bits)) {
		k->out->fault_output = table;
		return fail(k, cfg, PT_FAULT_ADDRESS_SIZE, PT_REASON_ROOT, 0);
	}
	for (int level = cfg->start; level <= 3; level++) {
		const struct pt_step *s = look_up(k, cfg, ia, table, level);

		if (!s)
			return false;
		if (s->kind != PT_TABLE)
			return reach_leaf(k, cfg, s, ia, tables, acc, leaf);
		tables |= pt_table_hier(cfg, s->desc);
		table = s->next;
	}
	return false; /* not reached: level 3 has no tables */
}

static bool walk_or_flat(struct walker *k, const struct pt_config *cfg, uint64_t ia,
			 const struct pt_access *acc, struct leaf *leaf)
{
	*leaf = (struct leaf){ 0 };
	return cfg->flat ? walk_flat(k, cfg, acc, leaf) : walk_stage(k, cfg, ia, acc, leaf);
}

/* Stage 1's output, and all on the way to it, through stage 2. */
static void walk_both(struct walker *k, const struct pt_config *cfg, const struct pt_access *acc)
{
	struct pt_walk *w = k->out;
	struct leaf one, two;
	bool ok = walk_or_flat(k, cfg, w->ia, acc, &one);

	w->ipa_known = one.size != 0;
	w->ipa = one.oa;
	w->attrs = w->s1 = one.attrs;
	if (!ok)
		return;
	walk_stage(k, k->s2, one.oa, acc, &two);
	w->mapped = two.size != 0;
	if (!w->mapped)
		return;
	w->s2_attrs = two.attrs;
	w->oa = two.oa;
	w->size = one.size < two.size ? one.size : two.size;
	pt_combine_attrs(k->s2, &one.attrs, &two.attrs, &w->attrs);
}

static void walk_one(struct walker *k, const struct pt_config *cfg, const struct pt_access *acc)
{
	struct pt_walk *w = k->out;
	struct leaf leaf;

	walk_or_flat(k, cfg, w->ia, acc, &leaf);
	w->mapped = leaf.size != 0;
	w->oa = leaf.oa;
	w->size = leaf.size;
	w->attrs = leaf.attrs;
}

int pt_walk(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t ia,
	    const struct pt_access *acc, struct pt_walk *out)
{
	const struct pt_access any = { .kind = PT_ANY, .el = cfg->regime.el };
	struct walker k = { .reader = reader, .out = out };

	acc = acc ? acc : &any;
	*out = (struct pt_walk){ .cfg = *cfg, .ia = ia };
	if (cfg->regime.two_halves && field(ia, 55, 1) != cfg->half)
		return -BATON_EINVAL;
	if (!regime_has_el0(&cfg->regime) && acc->el == 0)
		return -BATON_EINVAL;
	if (!cfg->regime.nested) {
		walk_one(&k, cfg, acc);
		return 0;
	}
	int err = pt_config_stage2(&out->s2, cfg, NULL);
	if (err)
		return err;
	k.s2 = &out->s2;
	walk_both(&k, cfg, acc);
	return 0;
}

int pt_walk_regime(const struct regime *r, const struct pt_reader *reader, uint64_t ia,
		   const struct pt_access *acc, struct pt_walk *out, struct buf *why)
{
	struct pt_config cfg, s2;
	int err = pt_config_from_regime(&cfg, r, ia, why);

	if (!err && r->nested)
		err = pt_config_stage2(&s2, &cfg, why);
	if (err)
		return err;
	err = pt_walk(&cfg, reader, ia, acc, out);
	if (err && why)
		buf_printf(why, "EL0 has no part in the EL%u regime", r->el);
	return err;
}

int pt_stage2_address(const struct pt_config *s2, const struct pt_reader *reader, uint64_t ipa,
		      uint64_t *pa)
{
	struct pt_walk w;
	int err = pt_walk(s2, reader, ipa, &by_walker, &w);

	if (err)
		return err;
	*pa = w.oa;
	return w.fault == PT_FAULT_NONE ? 0 : -BATON_EFAULT;
}

static int overlay_read(void *ctx, uint64_t pa, uint64_t *value)
{
	const struct pt_overlay *o = ctx;

	if (pa == o->address) {
		*value = o->value;
		return 0;
	}
	return o->below.read(o->below.ctx, pa, value);
}

struct pt_reader pt_overlay_reader(struct pt_overlay *o)
{
	return (struct pt_reader){ .read = overlay_read, .ctx = o };
}
