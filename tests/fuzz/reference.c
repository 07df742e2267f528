// SPDX-License-Identifier: BSD-2-Clause
#include "reference.h"

/* AArch64.S1TTWParams(): all that steers the walk, of the half that the address is in. */
struct params {
	bool two;     /* HasUnprivileged() */
	bool upper;   /* VARange_UPPER */
	int kib;      /* granule: 4, 16, 64 */
	int txsz, ps; /* ps: bits of output address */
	int pamax;    /* AArch64.PAMax() */
	bool ps52;    /* TCR.PS is 0b110 */
	bool tbi, tbid, epd, e0pd, hpd, ha, hd, ds, wxn, epan, ee;
	bool unknown; /* the granule is reserved or not there, or PS is reserved */
	int sh;	      /* TCR.SHn */
	uint64_t ttbr;
};

/* x<hi:lo> */
uint64_t ref_bits(uint64_t x, int hi, int lo)
{
	uint64_t value = 0;

	for (int i = hi; i >= lo; i--)
		value = value << 1 | (x >> i & 1);
	return value;
}

int ref_size(uint64_t ps)
{
	if (ps == 0)
		return 32;
	if (ps == 1)
		return 36;
	if (ps == 2)
		return 40;
	if (ps == 3)
		return 42;
	if (ps == 4)
		return 44;
	if (ps == 5)
		return 48;
	return 52;
}

/* TCR_EL1, or TCR_EL2 with E2H: two halves, each with fields of its own. */
static void params_two(const struct ref_regs *r, struct params *p)
{
	uint64_t tg;

	if (!p->upper) {
		p->txsz = (int)ref_bits(r->tcr, 5, 0);
		p->epd = ref_bits(r->tcr, 7, 7);
		p->sh = (int)ref_bits(r->tcr, 13, 12);
		tg = ref_bits(r->tcr, 15, 14);
		p->kib = tg == 0 ? 4 : tg == 1 ? 64 : tg == 2 ? 16 : 0;
		p->tbi = ref_bits(r->tcr, 37, 37);
		p->hpd = ref_bits(r->tcr, 41, 41);
		p->tbid = ref_bits(r->tcr, 51, 51);
		p->e0pd = ref_bits(r->tcr, 55, 55);
		p->ttbr = r->ttbr0;
	} else {
		p->txsz = (int)ref_bits(r->tcr, 21, 16);
		p->epd = ref_bits(r->tcr, 23, 23);
		p->sh = (int)ref_bits(r->tcr, 29, 28);
		tg = ref_bits(r->tcr, 31, 30);
		p->kib = tg == 1 ? 16 : tg == 2 ? 4 : tg == 3 ? 64 : 0;
		p->tbi = ref_bits(r->tcr, 38, 38);
		p->hpd = ref_bits(r->tcr, 42, 42);
		p->tbid = ref_bits(r->tcr, 52, 52);
		p->e0pd = ref_bits(r->tcr, 56, 56);
		p->ttbr = r->ttbr1;
	}
	p->ps = (int)ref_bits(r->tcr, 34, 32);
	p->ha = ref_bits(r->tcr, 39, 39);
	p->hd = ref_bits(r->tcr, 40, 40);
	p->ds = ref_bits(r->tcr, 59, 59);
	p->epan = ref_bits(r->sctlr, 57, 57);
}

/* TCR_EL2 without E2H, TCR_EL3. */
static void params_one(const struct ref_regs *r, struct params *p)
{
	uint64_t tg = ref_bits(r->tcr, 15, 14);

	p->txsz = (int)ref_bits(r->tcr, 5, 0);
	p->sh = (int)ref_bits(r->tcr, 13, 12);
	p->kib = tg == 0 ? 4 : tg == 1 ? 64 : tg == 2 ? 16 : 0;
	p->ps = (int)ref_bits(r->tcr, 18, 16);
	p->tbi = ref_bits(r->tcr, 20, 20);
	p->ha = ref_bits(r->tcr, 21, 21);
	p->hd = ref_bits(r->tcr, 22, 22);
	p->hpd = ref_bits(r->tcr, 24, 24);
	p->tbid = ref_bits(r->tcr, 29, 29);
	p->ds = ref_bits(r->tcr, 32, 32);
	p->ttbr = r->ttbr0;
}

/* Whether the granule is there, and with 52 bits (ID_AA64MMFR0_EL1, D24.2.80). */
static void params_granule(const struct ref_regs *r, struct params *p)
{
	uint64_t tgran4 = ref_bits(r->mmfr0, 31, 28);
	uint64_t tgran64 = ref_bits(r->mmfr0, 27, 24);
	uint64_t tgran16 = ref_bits(r->mmfr0, 23, 20);

	if (p->kib == 4) {
		p->unknown |= tgran4 == 15;
		p->ds = p->ds && tgran4 == 1;
	} else if (p->kib == 16) {
		p->unknown |= tgran16 == 0;
		p->ds = p->ds && tgran16 == 2;
	} else if (p->kib == 64) {
		p->unknown |= tgran64 == 15;
		p->ds = false;
	} else {
		p->unknown = true;
	}
}

static struct params get_params(const struct ref_regs *r, uint64_t va)
{
	struct params p = { .two = r->el == 1 || (r->el == 2 && r->e2h) };

	p.upper = p.two && ref_bits(va, 55, 55);
	if (p.two)
		params_two(r, &p);
	else
		params_one(r, &p);
	params_granule(r, &p);
	p.pamax = ref_size(ref_bits(r->mmfr0, 3, 0));
	p.ps52 = p.ps == 6;
	p.unknown |= p.ps == 7;
	/* AArch64.PhysicalAddressSize() */
	p.ps = ref_size((uint64_t)p.ps);
	if (p.ps == 52 && !p.ds && p.kib != 64)
		p.ps = 48;
	if (p.ps > p.pamax)
		p.ps = p.pamax;
	p.wxn = ref_bits(r->sctlr, 19, 19);
	p.ee = ref_bits(r->sctlr, 25, 25);
	/* Without its feature a field is RES0. */
	if (ref_bits(r->mmfr1, 3, 0) < 1)
		p.ha = false;
	if (ref_bits(r->mmfr1, 3, 0) < 2 || !p.ha)
		p.hd = false;
	if (ref_bits(r->mmfr1, 15, 12) < 1)
		p.hpd = false;
	if (ref_bits(r->mmfr1, 23, 20) < 3)
		p.epan = false;
	if (ref_bits(r->mmfr2, 63, 60) < 1)
		p.e0pd = false;
	return p;
}

/* AArch64.S1TxSZFaults(), of the choices that there are for a CPU: to fault. */
static bool txsz_faults(const struct ref_regs *r, const struct params *p)
{
	int min = 16, max = 39;

	if (p->kib == 64 && ref_bits(r->mmfr2, 19, 16) >= 1)
		min = 12;
	if (p->ds)
		min = 12;
	if (ref_bits(r->mmfr2, 31, 28) >= 1)
		max = p->kib == 64 ? 47 : 48;
	return p->txsz < min || p->txsz > max;
}

/* AArch64.AddrTop() */
static int addr_top(const struct params *p, char kind)
{
	if (p->tbid && kind == 'x')
		return 63;
	return p->tbi ? 55 : 63;
}

/* AArch64.VAIsOutOfRange() */
static bool va_out_of_range(const struct params *p, uint64_t va, char kind)
{
	for (int i = addr_top(p, kind); i >= 64 - p->txsz; i--) {
		if (ref_bits(va, i, i) != p->upper)
			return true;
	}
	return false;
}

/* AArch64.OAOutOfRange() */
static bool oa_out_of_range(const struct params *p, uint64_t address)
{
	return p->ps < 52 && ref_bits(address, 51, p->ps) != 0;
}

/* AArch64.BlockDescSupported() */
static bool block_supported(const struct params *p, int level)
{
	if (p->kib == 4)
		return level == 2 || level == 1 || (level == 0 && p->ds);
	if (p->kib == 16)
		return level == 2 || (level == 1 && p->ds);
	return level == 2 || (level == 1 && p->pamax == 52);
}

/* AArch64.NextTableBase() and AArch64.LeafBase(): @lsb is the lowest bit that counts. */
static uint64_t address_of(const struct params *p, uint64_t desc, int lsb)
{
	uint64_t base = ref_bits(desc, 47, lsb) << lsb;

	if (p->kib == 64 && p->pamax == 52)
		base |= ref_bits(desc, 15, 12) << 48;
	if (p->ds)
		base |= ref_bits(desc, 9, 8) << 50 | ref_bits(desc, 49, 48) << 48;
	return base;
}

/* AArch64.S1TTBaseAddress() */
static uint64_t base_address(const struct params *p, int level, int stride, int granulebits)
{
	int iasize = 64 - p->txsz;
	int tsize = iasize - ((3 - level) * stride + granulebits) + 3;
	uint64_t base;

	if (p->ds || (p->kib == 64 && p->ps52 && p->pamax == 52)) {
		tsize = tsize > 6 ? tsize : 6;
		base = ref_bits(p->ttbr, 5, 2) << 48 | ref_bits(p->ttbr, 47, 6) << 6;
	} else {
		base = ref_bits(p->ttbr, 47, 1) << 1;
	}
	return base >> tsize << tsize;
}

struct table_bits {
	uint64_t ap; /* APTable<1:0> */
	bool uxn, pxn, ns;
};

/* AArch64.S1DirectBasePermissions(), for one exception level; fetches do not know of PAN. */
static void permissions(const struct ref_regs *r, const struct params *p, uint64_t desc,
			const struct table_bits *t, bool pan, struct ref_result *out)
{
	bool pr, pw, px, ur = false, uw = false, ux = false;
	bool ap2 = ref_bits(desc, 7, 7), ap1 = ref_bits(desc, 6, 6);

	/* A descriptor whose dirty state hardware manages is writable. */
	if (p->hd && ref_bits(desc, 51, 51))
		ap2 = false;
	pr = true;
	pw = !ap2;
	if (p->two) {
		ur = ap1;
		uw = ap1 && !ap2;
		if (t->ap == 1) {
			ur = uw = false;
		} else if (t->ap == 2) {
			pw = uw = false;
		} else if (t->ap == 3) {
			pw = ur = uw = false;
		}
		px = !(ref_bits(desc, 53, 53) || t->pxn || uw);
		ux = !(ref_bits(desc, 54, 54) || t->uxn);
	} else {
		if (t->ap & 2)
			pw = false;
		px = !(ref_bits(desc, 54, 54) || t->uxn);
	}
	if (p->wxn && pw)
		px = false;
	if (p->wxn && uw)
		ux = false;
	if (r->secure && out->ns && r->sif)
		px = ux = false;
	if (pan && p->two && (ur || uw || (p->epan && ux)))
		pr = pw = false;
	out->own_r = pr;
	out->own_w = pw;
	out->own_x = px;
	out->el0_r = ur;
	out->el0_w = uw;
	out->el0_x = ux;
}

static bool allowed(const struct ref_result *x, const struct ref_access *acc)
{
	if (acc->kind == 'r')
		return acc->el == 0 ? x->el0_r : x->own_r;
	if (acc->kind == 'w')
		return acc->el == 0 ? x->el0_w : x->own_w;
	if (acc->kind == 'x')
		return acc->el == 0 ? x->el0_x : x->own_x;
	return true;
}

static struct ref_result fault(enum ref_fault kind, int level)
{
	return (struct ref_result){ .fault = kind, .level = level, .stage = 1 };
}

/* The last descriptor of AArch64.S1Walk(), and AArch64.S1Translate() from there. */
static struct ref_result last(const struct ref_regs *r, const struct params *p, uint64_t va,
			      const struct ref_access *acc, uint64_t desc, int level, int lsb,
			      const struct table_bits *t)
{
	struct ref_result out = { .level = level, .stage = 1, .leaf = true };
	struct ref_result now;

	/* The address in full: a block may be larger than the output is. */
	out.oa = address_of(p, desc, lsb) | ref_bits(va, lsb - 1, 0);
	if (oa_out_of_range(p, out.oa))
		return fault(REF_ADDRESS_SIZE, level);
	out.size = (uint64_t)1 << lsb;
	out.attr = (unsigned int)ref_bits(r->mair >> 8 * ref_bits(desc, 4, 2), 7, 0);
	out.sh = (unsigned int)(p->ds ? (uint64_t)p->sh : ref_bits(desc, 9, 8));
	out.af = ref_bits(desc, 10, 10);
	out.ng = p->two && ref_bits(desc, 11, 11);
	out.ns = r->secure && (ref_bits(desc, 5, 5) || t->ns);
	out.contiguous = ref_bits(desc, 52, 52);
	permissions(r, p, desc, t, false, &out);
	now = out;
	permissions(r, p, desc, t, acc->pan && acc->el != 0 && acc->kind != 'x', &now);
	if (!out.af && !p->ha)
		out.fault = REF_ACCESS_FLAG;
	else if (!allowed(&now, acc))
		out.fault = REF_PERMISSION;
	if (p->e0pd)
		out.el0_r = out.el0_w = out.el0_x = false;
	return out;
}

/* AArch64.S1DisabledOutput() */
static struct ref_result disabled(const struct ref_regs *r, const struct params *p, uint64_t va,
				  char kind)
{
	struct ref_result out = { .stage = 1, .leaf = true, .size = 4096, .oa = va, .af = true };
	int top = addr_top(p, kind);

	if (ref_bits(va, top, p->pamax) != 0)
		return fault(REF_ADDRESS_SIZE, 0);
	out.oa = ref_bits(va, top, 0);
	out.own_r = out.own_w = out.own_x = true;
	out.el0_r = out.el0_w = out.el0_x = p->two;
	out.sh = 2;
	if (r->nested && ref_bits(r->hcr, 12, 12)) { /* DC */
		out.attr = 0xff;
		out.sh = 0;
	} else if (kind == 'x') {
		out.attr = ref_bits(r->sctlr, 12, 12) ? 0xaa : 0x44;
	}
	return out;
}

uint64_t ref_swap(uint64_t x)
{
	uint64_t y = 0;

	for (int i = 0; i < 8; i++)
		y |= ref_bits(x, 8 * i + 7, 8 * i) << (56 - 8 * i);
	return y;
}

/* A descriptor of stage 1: where it is, stage 2 decides. False: a fault, in @out. */
static bool fetch(const struct ref_regs *r, uint64_t address, int level, ref_read *read, void *ctx,
		  uint64_t *desc, struct ref_result *out)
{
	const struct ref_access acc = { .kind = 'r', .el = 1 };

	if (r->nested) {
		*out = ref_stage2(r, address, &acc, true, read, ctx);
		if (out->fault != REF_OK) {
			out->s1ptw = true;
			out->leaf = false;
			return false;
		}
		address = out->oa;
	}
	if (read(ctx, address, desc))
		return true;
	*out = fault(REF_EXTERNAL, level);
	return false;
}

/* AArch64.S1Translate(): what the hardware writes to a descriptor, stage 2 has to allow. */
static void update(const struct ref_regs *r, const struct params *p, uint64_t address,
		   uint64_t desc, const struct ref_access *acc, ref_read *read, void *ctx,
		   struct ref_result *out)
{
	const struct ref_access write = { .kind = 'w', .el = 1 };
	bool set_af = p->ha && !ref_bits(desc, 10, 10);
	bool clean = p->hd && ref_bits(desc, 51, 51) && ref_bits(desc, 7, 7);
	struct ref_result two;

	if (out->fault != REF_OK || !r->nested || !(set_af || (clean && acc->kind == 'w')))
		return;
	two = ref_stage2(r, address, &write, true, read, ctx);
	if (two.fault == REF_OK)
		return;
	out->fault = two.fault;
	out->level = two.level;
	out->stage = 2;
	out->s1ptw = true;
	out->fault_ipa = address;
}

/* AArch64.S1Walk(), of a regime that is on */
static struct ref_result stage1(const struct ref_regs *r, const struct params *p, uint64_t va,
				const struct ref_access *acc, ref_read *read, void *ctx)
{
	int granulebits = p->kib == 4 ? 12 : p->kib == 16 ? 14 : 16, stride = granulebits - 3;
	int iasize = 64 - p->txsz, level = 3 - (iasize - 1 - granulebits) / stride;
	uint64_t base = base_address(p, level, stride, granulebits);
	struct table_bits t = { 0 };
	struct ref_result out;
	int msb = iasize - 1;

	if (oa_out_of_range(p, base))
		return fault(REF_ADDRESS_SIZE, 0);
	for (;; level++) {
		int lsb = granulebits + (3 - level) * stride;
		uint64_t desc, address = base + 8 * ref_bits(va, msb, lsb);

		if (!fetch(r, address, level, read, ctx, &desc, &out))
			return out;
		if (p->ee)
			desc = ref_swap(desc);
		if (ref_bits(desc, 0, 0) == 0)
			return fault(REF_TRANSLATION, level);
		if (ref_bits(desc, 1, 1) == 0 && (level == 3 || !block_supported(p, level)))
			return fault(REF_TRANSLATION, level);
		if (ref_bits(desc, 1, 1) == 0 || level == 3) {
			out = last(r, p, va, acc, desc, level, lsb, &t);
			update(r, p, address, desc, acc, read, ctx, &out);
			return out;
		}
		base = address_of(p, desc, granulebits);
		if (oa_out_of_range(p, base))
			return fault(REF_ADDRESS_SIZE, level);
		t.ns |= ref_bits(desc, 63, 63);
		if (!p->hpd) {
			t.ap |= ref_bits(desc, 62, 61);
			t.uxn |= ref_bits(desc, 60, 60);
			t.pxn |= ref_bits(desc, 59, 59);
		}
		msb = lsb - 1;
	}
}

/* AArch64.S1Translate() as far as it needs no table. */
static struct ref_result stage1_all(const struct ref_regs *r, uint64_t va,
				    const struct ref_access *acc, ref_read *read, void *ctx)
{
	struct params p = get_params(r, va);

	if (!ref_bits(r->sctlr, 0, 0) || (r->nested && ref_bits(r->hcr, 12, 12)))
		return disabled(r, &p, va, acc->kind);
	if (p.two && p.epd)
		return fault(REF_TRANSLATION, 0);
	/* No granule allows these, so it does not matter which it is. */
	if (p.txsz < 12 || p.txsz > 48)
		return fault(REF_TRANSLATION, 0);
	if (p.unknown)
		return fault(REF_UNKNOWN, 0);
	if (p.e0pd && acc->el == 0 && acc->kind != '?')
		return fault(REF_TRANSLATION, 0);
	if (txsz_faults(r, &p) || va_out_of_range(&p, va, acc->kind))
		return fault(REF_TRANSLATION, 0);
	return stage1(r, &p, va, acc, read, ctx);
}

/* AArch64.FullTranslate() */
struct ref_result ref_walk(const struct ref_regs *r, uint64_t va, const struct ref_access *acc,
			   ref_read *read, void *ctx)
{
	struct ref_result one, two;

	if (r->s2_alone)
		return ref_stage2(r, va, acc, false, read, ctx);
	/* Said before anything is walked. */
	if (r->nested && ref_stage2_unknown(r))
		return fault(REF_UNKNOWN, 0);
	one = stage1_all(r, va, acc, read, ctx);
	if (!r->nested || one.fault == REF_UNKNOWN)
		return one;
	one.ipa_known = one.leaf;
	one.ipa = one.oa;
	if (one.fault != REF_OK) {
		one.leaf = false;
		return one;
	}
	two = ref_stage2(r, one.oa, acc, false, read, ctx);
	return ref_combine(r, &one, &two);
}
