// SPDX-License-Identifier: BSD-2-Clause
/* The VMSAv8-64 walk, stage 1 (DDI 0487, D8.2 "Translation process"). */
#include <string.h>

#include "buf.h"
#include "error.h"
#include "mmu/a64.h"
#include "mmu/walk.h"

#define BIT(n) (UINT64_C(1) << (n))

static uint64_t low_bits(unsigned int n)
{
	return n >= 64 ? ~UINT64_C(0) : BIT(n) - 1;
}

static unsigned int field(uint64_t word, unsigned int lsb, unsigned int width)
{
	return (unsigned int)(word >> lsb & low_bits(width));
}

unsigned int pt_level_shift(const struct pt_config *cfg, int level)
{
	return cfg->granule + (unsigned int)(3 - level) * (cfg->granule - 3);
}

/*
 * Bit 0 is valid; bit 1 tells a table from a block. 0b10 is invalid, 0b01 at level 3 is
 * reserved and faults like an invalid one; level 0 has no blocks with a 4 KiB granule
 * and 48-bit addresses (D8.3.1, table "Block descriptor" by granule and level).
 */
enum pt_kind pt_desc_kind(const struct pt_config *cfg, int level, uint64_t desc)
{
	(void)cfg;
	if (!(desc & 1))
		return PT_INVALID;
	if (desc & 2)
		return level == 3 ? PT_PAGE : PT_TABLE;
	return level == 1 || level == 2 ? PT_BLOCK : PT_INVALID;
}

uint64_t pt_desc_address_mask(const struct pt_config *cfg, int level, enum pt_kind kind)
{
	unsigned int lsb = kind == PT_TABLE ? cfg->granule : pt_level_shift(cfg, level);

	return kind == PT_INVALID ? 0 : low_bits(48) & ~low_bits(lsb);
}

int pt_read_desc(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t pa,
		 uint64_t *desc)
{
	uint64_t value = 0;
	int err = reader->read(reader->ctx, pa, &value);

	*desc = err ? 0 : cfg->big_endian ? __builtin_bswap64(value) : value;
	return err;
}

/* What the tables on the way take away (D8.4.4.2 "Hierarchical permissions"). */
static unsigned int table_hier(const struct pt_config *cfg, uint64_t desc)
{
	unsigned int h = 0;

	if (cfg->regime.secure && (desc & BIT(63)))
		h |= PT_HIER_NS;
	if (cfg->hpd)
		return h;
	if (desc & BIT(62))
		h |= PT_HIER_RO;
	if (desc & BIT(60))
		h |= PT_HIER_XN;
	if (!cfg->regime.two_halves)
		return h; /* APTable[0] and bit 59 are RES0 */
	if (desc & BIT(61))
		h |= PT_HIER_NO_EL0;
	if (desc & BIT(59))
		h |= PT_HIER_PXN;
	return h;
}

/* D8.4.3 "Direct permissions": what AP, XN, PXN, WXN and the tables leave. */
static void leaf_permissions(const struct pt_config *cfg, uint64_t desc, struct pt_attrs *a)
{
	bool halves = cfg->regime.two_halves;
	bool el0 = halves && (desc & BIT(6)) && !(a->tables & PT_HIER_NO_EL0);
	bool ro = (desc & BIT(7)) && !(cfg->hd && a->dbm);
	bool xn = (desc & BIT(54)) || (a->tables & PT_HIER_XN);
	bool pxn = (desc & BIT(53)) || (a->tables & PT_HIER_PXN);

	ro = ro || (a->tables & PT_HIER_RO);
	a->own = PT_R | (ro ? 0 : PT_W);
	a->el0 = el0 ? a->own : 0;
	if (!halves) {
		a->own |= xn ? 0 : PT_X;
	} else {
		/* What EL0 may write, EL1 may not execute, whatever PXN says. */
		a->own |= pxn || (a->el0 & PT_W) ? 0 : PT_X;
		a->el0 |= xn ? 0 : PT_X;
	}
	if (cfg->wxn) {
		a->own &= a->own & PT_W ? ~(unsigned int)PT_X : ~0U;
		a->el0 &= a->el0 & PT_W ? ~(unsigned int)PT_X : ~0U;
	}
	if (cfg->regime.sif && cfg->regime.secure && a->ns) {
		a->own &= ~(unsigned int)PT_X;
		a->el0 &= ~(unsigned int)PT_X;
	}
}

/* E0PD takes the half away from EL0, while PAN goes on asking what AP says. */
static void apply_e0pd(const struct pt_config *cfg, struct pt_attrs *a)
{
	if (cfg->e0pd)
		a->el0 = 0;
}

static void leaf_attributes(const struct pt_config *cfg, uint64_t desc, unsigned int tables,
			    struct pt_attrs *a)
{
	*a = (struct pt_attrs){
		.attrindx = field(desc, 2, 3),
		.sh = (enum pt_share)field(desc, 8, 2),
		.af = desc & BIT(10),
		.ng = cfg->regime.two_halves && (desc & BIT(11)),
		.ns = cfg->regime.secure && ((desc & BIT(5)) || (tables & PT_HIER_NS)),
		.dbm = desc & BIT(51),
		.contiguous = desc & BIT(52),
		.guarded = desc & BIT(50),
		.tables = tables,
	};
	a->mair = (uint8_t)(cfg->regime.mair >> 8 * a->attrindx);
	a->share = a->sh;
	/* D8.6.2: Device and Normal Non-cacheable are outer shareable whatever SH says. */
	if (mair_is_device(a->mair) || mair_is_noncacheable(a->mair))
		a->share = PT_SHARE_OUTER;
	leaf_permissions(cfg, desc, a);
}

static void set_fault(struct pt_walk *w, enum pt_fault fault, enum pt_reason reason, int level)
{
	w->fault = fault;
	w->reason = reason;
	w->level = level;
}

static bool allowed(const struct pt_config *cfg, const struct pt_attrs *a,
		    const struct pt_access *acc)
{
	unsigned int perm = acc->el ? a->own : a->el0;

	/* D8.4.3.4: PAN stops EL1 from what EL0 may access, not from fetching it. */
	if (acc->pan && acc->el && cfg->regime.two_halves &&
	    (a->el0 & (PT_R | PT_W | (cfg->epan ? PT_X : 0))))
		perm &= PT_X;
	switch (acc->kind) {
	case PT_READ:
		return perm & PT_R;
	case PT_WRITE:
		return perm & PT_W;
	case PT_FETCH:
		return perm & PT_X;
	case PT_ANY:
		break;
	}
	return true;
}

/* MMU off (D8.2.12): input is output, as far as the physical address size goes. */
static void walk_flat(const struct pt_config *cfg, const struct pt_access *acc, struct pt_walk *w)
{
	bool fetch = acc->kind == PT_FETCH;
	unsigned int top = cfg->tbi && !(cfg->tbid && fetch) ? 56 : 64;
	uint64_t ia = w->ia & low_bits(top);

	/* Not known: at least no address has more than 52 bits. */
	if (ia & ~low_bits(cfg->oa_bits ? cfg->oa_bits : 52)) {
		set_fault(w, PT_FAULT_ADDRESS_SIZE, PT_REASON_IA, 0);
		w->fault_output = ia;
		return;
	}
	w->mapped = true;
	w->oa = ia;
	w->size = 4096;
	w->attrs = (struct pt_attrs){
		.own = PT_R | PT_W | PT_X,
		.el0 = cfg->regime.two_halves ? PT_R | PT_W | PT_X : 0,
		.sh = PT_SHARE_OUTER,
		.share = PT_SHARE_OUTER,
		.af = true,
	};
	/* Data is Device-nGnRnE; fetches are Normal, write-through if SCTLR.I is set. */
	if (fetch)
		w->attrs.mair = (cfg->regime.sctlr & BIT(12)) ? 0xaa : 0x44;
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
	if ((ia & upper) != (cfg->half ? upper : 0))
		return PT_REASON_HOLE;
	return PT_REASON_NONE;
}

static void reach_leaf(const struct pt_config *cfg, const struct pt_step *s, unsigned int tables,
		       const struct pt_access *acc, struct pt_walk *w)
{
	w->size = BIT(pt_level_shift(cfg, s->level));
	w->oa = s->next | (w->ia & (w->size - 1));
	w->mapped = true;
	leaf_attributes(cfg, s->desc, tables, &w->attrs);
	/* The access flag comes before permissions (D8.15.5 "MMU fault prioritization"). */
	if (!w->attrs.af && !cfg->ha)
		set_fault(w, PT_FAULT_ACCESS_FLAG, PT_REASON_NONE, s->level);
	else if (!allowed(cfg, &w->attrs, acc))
		set_fault(w, PT_FAULT_PERMISSION, PT_REASON_NONE, s->level);
	apply_e0pd(cfg, &w->attrs);
}

/* Look one descriptor up; false: the walk ends here with a fault. */
static bool look_up(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t table,
		    int level, struct pt_walk *w)
{
	struct pt_step *s = &w->step[w->steps++];
	unsigned int shift = pt_level_shift(cfg, level);
	unsigned int bits = level == cfg->start ? cfg->ia_bits - shift : cfg->granule - 3;

	*s = (struct pt_step){ .stage = 1, .level = level, .table = table };
	s->index = field(w->ia, shift, bits);
	s->address = table + 8 * (uint64_t)s->index;
	if (pt_read_desc(cfg, reader, s->address, &s->desc)) {
		set_fault(w, PT_FAULT_EXTERNAL, PT_REASON_NONE, level);
		w->fault_output = s->address;
		return false;
	}
	s->read = true;
	s->kind = pt_desc_kind(cfg, level, s->desc);
	if (s->kind == PT_INVALID) {
		set_fault(w, PT_FAULT_TRANSLATION,
			  s->desc & 1 ? PT_REASON_RESERVED : PT_REASON_INVALID, level);
		return false;
	}
	s->next = s->desc & pt_desc_address_mask(cfg, level, s->kind);
	if (s->next & ~low_bits(cfg->oa_bits)) {
		set_fault(w, PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, level);
		w->fault_output = s->next;
		return false;
	}
	return true;
}

int pt_walk(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t ia,
	    const struct pt_access *acc, struct pt_walk *out)
{
	const struct pt_access any = { .kind = PT_ANY, .el = cfg->regime.el };
	uint64_t table = cfg->root;
	unsigned int tables = 0;

	acc = acc ? acc : &any;
	*out = (struct pt_walk){ .cfg = *cfg, .ia = ia };
	if (cfg->regime.two_halves && field(ia, 55, 1) != cfg->half)
		return -BATON_EINVAL;
	if (!cfg->regime.two_halves && acc->el == 0)
		return -BATON_EINVAL;
	if (cfg->flat) {
		walk_flat(cfg, acc, out);
		return 0;
	}
	enum pt_reason early = early_reason(cfg, ia, acc);
	if (early != PT_REASON_NONE) {
		set_fault(out, PT_FAULT_TRANSLATION, early, 0);
		return 0;
	}
	if (table & ~low_bits(cfg->oa_bits)) {
		set_fault(out, PT_FAULT_ADDRESS_SIZE, PT_REASON_ROOT, 0);
		out->fault_output = table;
		return 0;
	}
	for (int level = cfg->start; level <= 3; level++) {
		if (!look_up(cfg, reader, table, level, out))
			return 0;
		const struct pt_step *s = &out->step[out->steps - 1];
		if (s->kind != PT_TABLE) {
			reach_leaf(cfg, s, tables, acc, out);
			return 0;
		}
		tables |= table_hier(cfg, s->desc);
		table = s->next;
	}
	return 0; /* not reached: level 3 has no tables */
}

int pt_walk_regime(const struct regime *r, const struct pt_reader *reader, uint64_t ia,
		   const struct pt_access *acc, struct pt_walk *out, struct buf *why)
{
	struct pt_config cfg;
	int err = pt_config_from_regime(&cfg, r, ia, why);

	if (err)
		return err;
	err = pt_walk(&cfg, reader, ia, acc, out);
	if (err && why)
		buf_printf(why, "EL0 has no part in the EL%u regime", r->el);
	return err;
}

/* DFSC and IFSC (DDI 0487, D24.2.40, ISS encoding for an exception from an abort). */
static unsigned int fault_status(const struct pt_walk *w)
{
	static const unsigned char base[] = {
		[PT_FAULT_ADDRESS_SIZE] = 0x00, [PT_FAULT_TRANSLATION] = 0x04,
		[PT_FAULT_ACCESS_FLAG] = 0x08,	[PT_FAULT_PERMISSION] = 0x0c,
		[PT_FAULT_EXTERNAL] = 0x14,
	};
	static const unsigned char minus_one[] = {
		[PT_FAULT_ADDRESS_SIZE] = 0x29,
		[PT_FAULT_TRANSLATION] = 0x2b,
		[PT_FAULT_EXTERNAL] = 0x13,
	};

	return w->level < 0 ? minus_one[w->fault] : base[w->fault] + (unsigned int)w->level;
}

uint64_t pt_walk_esr(const struct pt_walk *w, const struct pt_access *acc)
{
	bool fetch = acc && acc->kind == PT_FETCH;
	bool write = acc && acc->kind == PT_WRITE;
	bool lower = acc && acc->el < w->cfg.regime.el;
	uint64_t class = fetch ? 0x20 : 0x24;

	if (w->fault == PT_FAULT_NONE)
		return 0;
	return (class + !lower) << 26 | BIT(25) | (write ? BIT(6) : 0) | fault_status(w);
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

/* The state of pt_map_each(): it goes down at most one table a level. */
struct each {
	const struct pt_config *cfg;
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
		leaf_attributes(e->cfg, s->desc, hier, &attrs);
		apply_e0pd(e->cfg, &attrs);
		m.attrs = &attrs;
		m.oa = s->next;
	}
	ret = e->fn(e->ctx, &m);
	if (ret || !s->read || s->kind != PT_TABLE || (s->next & ~low_bits(e->cfg->oa_bits)))
		return ret < 0 ? ret : 0;
	return each_table(e, s->next, s->level + 1, ia, hier | table_hier(e->cfg, s->desc));
}

static int each_table(struct each *e, uint64_t table, int level, uint64_t base, unsigned int hier)
{
	const struct pt_config *cfg = e->cfg;
	unsigned int shift = pt_level_shift(cfg, level);
	unsigned int bits = level == cfg->start ? cfg->ia_bits - shift : cfg->granule - 3;
	int ret = 0;

	if (++e->tables > PT_EACH_MAX_TABLES)
		return -BATON_ETOOBIG;
	for (unsigned int i = 0; i < 1U << bits && !ret; i++) {
		uint64_t ia = base + ((uint64_t)i << shift);
		struct pt_step s = { .stage = 1, .level = level, .table = table, .index = i };

		if (ia > e->to)
			break;
		if (ia + (BIT(shift) - 1) < e->from)
			continue;
		s.address = table + 8 * (uint64_t)i;
		s.read = !pt_read_desc(cfg, e->reader, s.address, &s.desc);
		if (!s.read) {
			ret = each_entry(e, &s, ia, hier);
			break; /* once is enough to say that this table is unreadable */
		}
		s.kind = pt_desc_kind(cfg, level, s.desc);
		s.next = s.desc & pt_desc_address_mask(cfg, level, s.kind);
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

	if (cfg->flat || cfg->epd || cfg->txsz_bad)
		return -BATON_EINVAL;
	e.from = from > first ? from : first;
	e.to = to < last ? to : last;
	if (e.from > e.to || (cfg->root & ~low_bits(cfg->oa_bits)))
		return 0;
	return each_table(&e, cfg->root, cfg->start, first, 0);
}
