// SPDX-License-Identifier: BSD-2-Clause
/* Stage 2 of the reference: AArch64.S2Translate() and what it calls (DDI 0487, J1.1.5). */
#include "reference.h"

#define bits ref_bits

/* AArch64.GetNSS2TTWParams() */
struct params {
	int kib, txsz, ps, pamax;
	int sl; /* SL2:SL0 */
	bool ps52, ds, ha, hd, ee, unknown;
	int sh;
};

/* Whether the granule is there at stage 2: a field of its own, 0 for "as at stage 1". */
static void params_granule(const struct ref_regs *r, struct params *p)
{
	uint64_t at1, at2;
	bool there, large;

	if (p->kib == 4) {
		at1 = bits(r->mmfr0, 31, 28);
		at2 = bits(r->mmfr0, 43, 40);
		there = at1 != 15;
		large = at1 == 1;
	} else if (p->kib == 16) {
		at1 = bits(r->mmfr0, 23, 20);
		at2 = bits(r->mmfr0, 35, 32);
		there = at1 != 0;
		large = at1 == 2;
	} else {
		at1 = bits(r->mmfr0, 27, 24);
		at2 = bits(r->mmfr0, 39, 36);
		there = at1 != 15;
		large = false;
	}
	if (at2 == 1)
		there = large = false;
	if (at2 == 2) {
		there = true;
		large = false;
	}
	if (at2 == 3)
		there = large = true;
	p->unknown |= !there;
	p->ds = p->ds && large && p->kib != 64;
}

static struct params get_params(const struct ref_regs *r)
{
	uint64_t vtcr = r->vtcr, tg = bits(vtcr, 15, 14);
	struct params p = {
		.kib = tg == 0	 ? 4
		       : tg == 1 ? 64
		       : tg == 2 ? 16
				 : 0,
		.txsz = (int)bits(vtcr, 5, 0),
		.sh = (int)bits(vtcr, 13, 12),
		.ds = bits(vtcr, 32, 32),
		.ha = bits(vtcr, 21, 21),
		.hd = bits(vtcr, 22, 22),
		.ee = bits(r->sctlr_el2, 25, 25),
		.ps52 = bits(vtcr, 18, 16) == 6,
		.unknown = tg == 3 || bits(vtcr, 18, 16) == 7,
	};

	if (p.kib)
		params_granule(r, &p);
	p.sl = (int)bits(vtcr, 7, 6);
	if (p.ds && p.kib == 4)
		p.sl |= (int)bits(vtcr, 33, 33) << 2;
	p.pamax = ref_size(bits(r->mmfr0, 3, 0));
	p.ps = ref_size(bits(vtcr, 18, 16));
	if (p.ps == 52 && !p.ds && p.kib != 64)
		p.ps = 48;
	if (p.ps > p.pamax)
		p.ps = p.pamax;
	if (bits(r->mmfr1, 3, 0) < 1)
		p.ha = false;
	if (bits(r->mmfr1, 3, 0) < 2 || !p.ha)
		p.hd = false;
	/* No granule allows these, so it does not matter which it is. */
	if (p.txsz < 12 || p.txsz > 48)
		p.unknown = false;
	return p;
}

bool ref_stage2_unknown(const struct ref_regs *r)
{
	return get_params(r).unknown;
}

/* AArch64.S2TxSZFaults(), AArch64.S2MinTxSZ(), AArch64.MaxTxSZ() */
static bool txsz_faults(const struct ref_regs *r, const struct params *p)
{
	int ips = p->pamax, max = 39;

	if (ips == 52 && !p->ds && p->kib != 64)
		ips = 48;
	if (bits(r->mmfr2, 31, 28) >= 1)
		max = p->kib == 64 ? 47 : 48;
	return p->txsz < 64 - ips || p->txsz > max;
}

/* AArch64.S2InvalidSL() */
static bool invalid_sl(const struct ref_regs *r, const struct params *p)
{
	if (p->kib == 4) {
		if (p->sl > 4)
			return true;
		if (p->sl == 2)
			return p->pamax < 44;
		return p->sl == 3 && bits(r->mmfr2, 31, 28) == 0;
	}
	if (p->kib == 16) {
		if (p->sl == 2)
			return p->pamax < 42;
		return p->sl == 3 && !p->ds;
	}
	if (p->sl == 2)
		return p->pamax < 44;
	return p->sl == 3;
}

/* AArch64.S2StartLevel() */
static int start_level(const struct params *p)
{
	static const int of_4kib[5] = { 2, 1, 0, 3, -1 };

	return p->kib == 4 ? of_4kib[p->sl] : 3 - p->sl;
}

/* AArch64.S2InconsistentSL() */
static bool inconsistent_sl(const struct params *p, int start, int granulebits, int stride)
{
	int min = (3 - start) * stride + granulebits + 1;
	int max = min + (stride - 1) + 4;

	return 64 - p->txsz < min || 64 - p->txsz > max;
}

static bool out_of_range(uint64_t address, int size)
{
	return size < 64 && bits(address, 63, size) != 0;
}

/* AArch64.BlockDescSupported() */
static bool block_supported(const struct params *p, int level)
{
	if (level == 2)
		return true;
	if (level == 1)
		return p->kib == 4 || (p->kib == 16 && p->ds) || (p->kib == 64 && p->pamax == 52);
	return level == 0 && p->kib == 4 && p->ds;
}

static uint64_t address_of(const struct params *p, uint64_t desc, int lsb)
{
	uint64_t base = bits(desc, 47, lsb) << lsb;

	if (p->kib == 64 && p->pamax == 52)
		base |= bits(desc, 15, 12) << 48;
	if (p->ds)
		base |= bits(desc, 9, 8) << 50 | bits(desc, 49, 48) << 48;
	return base;
}

/* AArch64.S2TTBaseAddress() */
static uint64_t base_address(const struct ref_regs *r, const struct params *p, int lsb)
{
	int tsize = 64 - p->txsz - lsb + 3;
	uint64_t base = bits(r->vttbr, 47, 1) << 1;

	if (p->ds || (p->kib == 64 && p->ps52 && p->pamax == 52)) {
		tsize = tsize > 6 ? tsize : 6;
		base = bits(r->vttbr, 5, 2) << 48 | bits(r->vttbr, 47, 6) << 6;
	}
	return base >> tsize << tsize;
}

static struct ref_result fault(enum ref_fault kind, int level, uint64_t ipa)
{
	return (struct ref_result){ .fault = kind, .level = level, .stage = 2, .fault_ipa = ipa };
}

/* AArch64.S2DirectBasePermissions() */
static void permissions(const struct ref_regs *r, const struct params *p, uint64_t desc,
			struct ref_result *out)
{
	uint64_t xn = bits(desc, 54, 53);
	bool px, ux;

	if (bits(r->mmfr1, 31, 28) == 0) /* FEAT_XNX */
		xn &= 2;
	px = xn == 0 || xn == 3;
	ux = xn == 0 || xn == 1;
	out->own_r = out->el0_r = bits(desc, 6, 6);
	out->own_w = out->el0_w = bits(desc, 7, 7) || (p->hd && bits(desc, 51, 51));
	out->own_x = px;
	out->el0_x = ux;
}

static bool device(unsigned int memattr, bool fwb)
{
	return fwb ? !(memattr & 4) : memattr < 4;
}

static bool fwb(const struct ref_regs *r)
{
	return bits(r->hcr, 46, 46) && bits(r->mmfr2, 43, 40);
}

/* AArch64.S2CheckPermissions() */
static bool allowed(const struct ref_regs *r, const struct ref_result *x,
		    const struct ref_access *acc, bool walker)
{
	if (walker && !x->own_r)
		return false;
	/* HCR_EL2.PTW */
	if (walker && bits(r->hcr, 2, 2) && device(x->memattr, fwb(r)))
		return false;
	if (acc->kind == 'r')
		return x->own_r;
	if (acc->kind == 'w')
		return x->own_w;
	if (acc->kind == 'x')
		return acc->el == 0 ? x->el0_x : x->own_x;
	return true;
}

static struct ref_result last(const struct ref_regs *r, const struct params *p, uint64_t ipa,
			      const struct ref_access *acc, bool walker, uint64_t desc, int level,
			      int lsb)
{
	const struct ref_result plain = { .attr = 0xff };
	struct ref_result out = { .level = level, .stage = 2, .leaf = true, .fault_ipa = ipa };

	out.oa = address_of(p, desc, lsb) | bits(ipa, lsb - 1, 0);
	if (out_of_range(out.oa, p->ps))
		return fault(REF_ADDRESS_SIZE, level, ipa);
	out.size = (uint64_t)1 << lsb;
	out.memattr = (unsigned int)bits(desc, 5, 2);
	out.sh = (unsigned int)(p->ds ? (uint64_t)p->sh : bits(desc, 9, 8));
	out.af = bits(desc, 10, 10);
	out.contiguous = bits(desc, 52, 52);
	permissions(r, p, desc, &out);
	if (!out.af && !p->ha)
		out.fault = REF_ACCESS_FLAG;
	else if (!allowed(r, &out, acc, walker))
		out.fault = REF_PERMISSION;
	/* Alone: what becomes of Normal write-back. */
	out.attr = ref_combine(r, &plain, &out).attr;
	out.reserved = ref_combine(r, &plain, &out).reserved;
	return out;
}

struct ref_result ref_stage2(const struct ref_regs *r, uint64_t ipa, const struct ref_access *acc,
			     bool walker, ref_read *read, void *ctx)
{
	struct params p = get_params(r);
	int granulebits = p.kib == 4 ? 12 : p.kib == 16 ? 14 : 16, stride = granulebits - 3;
	int level, msb = 63 - p.txsz;
	uint64_t base;

	if (p.txsz < 12 || p.txsz > 48)
		return fault(REF_TRANSLATION, 0, ipa);
	if (p.unknown)
		return fault(REF_UNKNOWN, 0, ipa);
	if (txsz_faults(r, &p) || invalid_sl(r, &p))
		return fault(REF_TRANSLATION, 0, ipa);
	level = start_level(&p);
	if (inconsistent_sl(&p, level, granulebits, stride) || out_of_range(ipa, 64 - p.txsz))
		return fault(REF_TRANSLATION, 0, ipa);
	base = base_address(r, &p, granulebits + (3 - level) * stride);
	if (out_of_range(base, p.ps))
		return fault(REF_ADDRESS_SIZE, 0, ipa);
	for (;; level++) {
		int lsb = granulebits + (3 - level) * stride;
		uint64_t desc;

		if (!read(ctx, base + 8 * bits(ipa, msb, lsb), &desc))
			return fault(REF_EXTERNAL, level, ipa);
		if (p.ee)
			desc = ref_swap(desc);
		if (!bits(desc, 0, 0))
			return fault(REF_TRANSLATION, level, ipa);
		if (!bits(desc, 1, 1) && (level == 3 || !block_supported(&p, level)))
			return fault(REF_TRANSLATION, level, ipa);
		if (!bits(desc, 1, 1) || level == 3)
			return last(r, &p, ipa, acc, walker, desc, level, lsb);
		base = address_of(&p, desc, granulebits);
		if (out_of_range(base, p.ps))
			return fault(REF_ADDRESS_SIZE, level, ipa);
		msb = lsb - 1;
	}
}

/* Memory attributes, taken apart. */

enum cache { NC, WT, WB };

struct half {
	enum cache attrs;
	unsigned int hints; /* RA:WA */
	bool transient;
};

struct type {
	bool is_device, tagged;
	unsigned int device; /* 0 nGnRnE to 3 GRE */
	struct half outer, inner;
};

/* DecodeLDFAttr() */
static struct half decode_half(unsigned int x)
{
	struct half h = { .hints = x & 3 };

	if (x == 4)
		return (struct half){ .attrs = NC };
	h.attrs = x & 4 ? WB : WT;
	h.transient = !(x & 8);
	return h;
}

static unsigned int encode_half(const struct half *h)
{
	if (h->attrs == NC)
		return 4;
	return (h->transient ? 0 : 8) | (h->attrs == WB ? 4 : 0) | h->hints;
}

static struct type decode(unsigned int attr)
{
	struct type t = { .is_device = attr < 16, .device = attr >> 2 & 3 };

	t.tagged = attr == 0xf0;
	if (t.tagged)
		attr = 0xff;
	t.outer = decode_half(attr >> 4);
	t.inner = decode_half(attr & 15);
	return t;
}

/* PAREncode...(); S2MemTagType(): tagged as long as it is write-back with all hints. */
static unsigned int encode(const struct type *t)
{
	unsigned int attr;

	if (t->is_device)
		return t->device << 2;
	attr = encode_half(&t->outer) << 4 | encode_half(&t->inner);
	return t->tagged && attr == 0xff ? 0xf0 : attr;
}

/* S2CombineS1AttrHints() */
static struct half combine_half(const struct half *one, enum cache two)
{
	struct half h = *one;

	if (one->attrs == NC || two == NC)
		h.attrs = NC;
	else if (one->attrs == WT || two == WT)
		h.attrs = WT;
	else
		h.attrs = WB;
	return h;
}

/* AArch64.S2ApplyFWBMemAttrs(), its case of "force writeback" */
static struct half force_wb(const struct type *one, const struct half *half)
{
	struct half h = { .attrs = WB, .hints = 3 };

	if (!one->is_device && half->attrs != NC) {
		h = *half;
		h.attrs = WB;
	}
	return h;
}

static struct type with_device(struct type t, unsigned int device)
{
	if (!t.is_device || device < t.device)
		t.device = device;
	t.is_device = true;
	return t;
}

static struct type apply_fwb(struct type t, unsigned int memattr)
{
	if (!(memattr & 4))
		return with_device(t, memattr & 3);
	if ((memattr & 3) == 3)
		return t;
	if ((memattr & 3) == 2) {
		t.outer = force_wb(&t, &t.outer);
		t.inner = force_wb(&t, &t.inner);
		t.is_device = false;
	} else if (!t.is_device) {
		t.outer = t.inner = (struct half){ .attrs = NC };
	}
	return t;
}

/* S2DecodeMemAttrs(), S2DecodeCacheability(), S2CombineS1MemAttrs() */
static struct type apply(struct type t, unsigned int memattr)
{
	static const enum cache cacheability[4] = { NC, NC, WT, WB };

	if (memattr < 4)
		return with_device(t, memattr);
	if (t.is_device)
		return t;
	t.outer = combine_half(&t.outer, cacheability[memattr >> 2]);
	t.inner = combine_half(&t.inner, cacheability[memattr & 3]);
	return t;
}

/* S2CombineS1Shareability() */
static unsigned int combine_sh(unsigned int one, unsigned int two)
{
	if (one == 2 || two == 2)
		return 2;
	return one == 3 || two == 3 ? 3 : 0;
}

struct ref_result ref_combine(const struct ref_regs *r, const struct ref_result *one,
			      const struct ref_result *two)
{
	struct ref_result out = *two;
	struct type t = decode(one->attr);

	out.ipa_known = one->ipa_known;
	out.ipa = one->ipa;
	if (!two->leaf)
		return out;
	out.size = one->size < two->size ? one->size : two->size;
	out.own_r &= one->own_r;
	out.own_w &= one->own_w;
	out.own_x &= one->own_x;
	out.el0_r &= one->el0_r;
	out.el0_w &= one->el0_w;
	out.el0_x &= one->el0_x;
	out.reserved = fwb(r) ? (two->memattr & 7) == 4 : two->memattr > 3 && !(two->memattr & 3);
	t = fwb(r) ? apply_fwb(t, two->memattr) : apply(t, two->memattr);
	/* HCR_EL2.CD, of what stage 2 makes Normal */
	if (bits(r->hcr, 32, 32) && !t.is_device)
		t.outer = t.inner = (struct half){ .attrs = NC };
	out.attr = encode(&t);
	out.sh = combine_sh(one->sh, two->sh);
	out.af = one->af && two->af;
	out.ng = one->ng;
	out.ns = one->ns;
	out.contiguous = one->contiguous && two->contiguous;
	return out;
}
