/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt_walk() against reference.c: any registers, any memory, the same answer; and pt_map(),
 * of one address. Memory is a function of the address, so that there is all of it and none
 * has to be filled.
 */
#include "fuzz.h"

#include "error.h"
#include "mmu/map.h"
#include "reference.h"

#include <inttypes.h>
#include <stdio.h>

#define ADDRESSES 12
#define TABLES	  16

const char *const fuzz_words[] = { "regs", "tables", "a", "\xff", NULL };

/* What is drawn depends on all bytes used so far; after the last, on those alone. */
struct draw {
	const uint8_t *data;
	size_t left;
	uint64_t state;
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t draw(struct draw *d)
{
	for (int i = 0; i < 4 && d->left; i++, d->left--)
		d->state = d->state * 0x100000001b3 + *d->data++;
	d->state += 0x9e3779b97f4a7c15;
	return mix(d->state);
}

static uint64_t below(struct draw *d, uint64_t limit)
{
	return draw(d) % limit;
}

static bool one_in(struct draw *d, uint64_t n)
{
	return below(d, n) == 0;
}

/* Memory */

struct memory {
	uint64_t seed;
	uint64_t base;	      /* of TABLES tables that descriptors like to point to */
	uint64_t stage2;      /* of as many that are mostly good for stage 2; 0: none */
	unsigned int granule; /* log2 */
	unsigned int holes;   /* of 16 times 64 KiB outside, so many cannot be read */
	bool noise;	      /* all words are random */
	bool swapped, swapped2;
};

/* A descriptor that means something: a table or a leaf, its address mostly in the arena. */
static uint64_t make_desc(const struct memory *m, uint64_t h)
{
	uint64_t desc = mix(h + 1), addr = m->base + ((h >> 40) % TABLES << m->granule);

	desc &= ~UINT64_C(0x0003fffffffff003);
	if (h >> 8 & 3)
		desc |= 1 << 10;
	if (h >> 10 & 3)
		desc &= ~UINT64_C(0x300); /* with LPA2 these are address bits */
	if ((h >> 12 & 15) == 0)	  /* anywhere below some power of two */
		addr = mix(h + 2) & ((UINT64_C(1) << (h >> 16) % 51) - 1);
	desc |= addr & 0x0003fffffffff000;
	if ((h >> 24 & 31) == 0)
		desc |= h >> 32 & 0xf000;
	/* Through two stages it is far to a leaf. */
	return desc | ((h >> 4 & 15) < (m->stage2 ? 15 : 11) ? 3 : 1);
}

/* Of stage 2: its tables are among themselves, what it maps is stage 1's; readable mostly. */
static uint64_t make_desc2(const struct memory *m, uint64_t h)
{
	struct memory to = *m;

	to.base = h >> 54 & 3 ? m->stage2 : m->base;
	return make_desc(&to, h) | (h >> 48 & 7 ? UINT64_C(1) << 6 : 0) |
	       (h >> 52 & 3 ? UINT64_C(1) << 7 | UINT64_C(1) << 10 : 0);
}

static bool memory_word(void *ctx, uint64_t pa, uint64_t *value)
{
	const struct memory *m = ctx;
	uint64_t h = mix(m->seed ^ pa * 0x9e3779b97f4a7c15);
	uint64_t size = (uint64_t)TABLES << m->granule;
	bool inside2 = m->stage2 && pa - m->stage2 < size;
	bool inside = inside2 || pa - m->base < size;

	if (pa % 8 || (!inside && mix(m->seed ^ pa >> 16) % 16 < m->holes))
		return false;
	if (m->noise || h % 16 == 15)
		*value = mix(h);
	else if (h % 16 == 14)
		*value = 0;
	else
		*value = inside2 ? make_desc2(m, h) : make_desc(m, h);
	if (inside2 ? m->swapped2 : m->swapped)
		*value = __builtin_bswap64(*value);
	return true;
}

static int read_word(void *ctx, uint64_t pa, uint64_t *value)
{
	return memory_word(ctx, pa, value) ? 0 : -BATON_ERANGE;
}

/* Registers */

/* Sizes in the range that most CPUs have, now and then any. */
static uint64_t draw_txsz(struct draw *d)
{
	return one_in(d, 8) ? below(d, 64) : one_in(d, 4) ? 12 + below(d, 37) : 16 + below(d, 24);
}

static uint64_t draw_features(struct draw *d, struct ref_regs *r)
{
	uint64_t tgran4 = one_in(d, 16) ? 15 : below(d, 2);
	uint64_t tgran64 = one_in(d, 16) ? 15 : 0;
	uint64_t tgran16 = one_in(d, 16) ? 0 : 1 + below(d, 2);

	uint64_t tgran_2 = one_in(d, 16) ? draw(d) & 0x333 : 0;

	r->mmfr1 = below(d, 4) | below(d, 3) << 12 | below(d, 4) << 20 | below(d, 2) << 28;
	r->mmfr2 = below(d, 2) << 16 | below(d, 2) << 28 | below(d, 2) << 40 | below(d, 2) << 60;
	return (one_in(d, 2) ? 6 : below(d, 7)) | tgran4 << 28 | tgran64 << 24 | tgran16 << 20 |
	       tgran_2 << 32;
}

static uint64_t draw_tcr(struct draw *d, bool two)
{
	uint64_t tcr = draw(d), ps = one_in(d, 16) ? below(d, 8) : 3 + below(d, 4);

	if (!one_in(d, 8)) { /* granules that are not reserved */
		tcr &= ~(UINT64_C(1) << 15);
		tcr |= UINT64_C(1) << 30;
	}
	if (!two)
		return (tcr & ~UINT64_C(0x7003f)) | draw_txsz(d) | ps << 16;
	tcr &= ~UINT64_C(0x7003f003f);
	tcr |= draw_txsz(d) | draw_txsz(d) << 16 | ps << 32;
	if (!one_in(d, 8)) /* the walks are not disabled */
		tcr &= ~(UINT64_C(1) << 7 | UINT64_C(1) << 23);
	if (!one_in(d, 4)) /* nor are EL0's */
		tcr &= ~(UINT64_C(3) << 55);
	return tcr;
}

/* A root in the arena, its bits 5:2 mostly clear; or anything. */
static uint64_t draw_ttbr(struct draw *d, const struct memory *m)
{
	uint64_t ttbr = m->base + (below(d, TABLES) << m->granule);

	if (one_in(d, 16))
		return draw(d);
	return ttbr | (one_in(d, 4) ? draw(d) & 0xffff00000000007f : below(d, 2));
}

/* A start level that suits the size mostly, in one of the ways that do. */
static uint64_t draw_vtcr(struct draw *d)
{
	uint64_t tg = one_in(d, 16) ? 3 : below(d, 3),
		 t0sz = (one_in(d, 4) ? 12 : 16) + below(d, 18);
	unsigned int granule = tg == 0 ? 12 : tg == 1 ? 16 : 14, ia = 64 - (unsigned int)t0sz;
	int start = 3 - (int)((ia - granule - 1) / (granule - 3));
	uint64_t ps = one_in(d, 8) ? below(d, 8) : 2 + below(d, 5), sl;

	if (one_in(d, 2)) /* roots behind each other */
		start++;
	sl = granule == 12 ? (start == 3 ? 3 : (uint64_t)(2 - start) & 3)
			   : (uint64_t)(3 - start) & 3;
	if (start < 0)
		sl = UINT64_C(1) << 27; /* SL2 is bit 33 */
	if (one_in(d, 16))
		sl = below(d, 4) | below(d, 2) << 27;
	if (one_in(d, 16))
		t0sz = below(d, 64);
	return UINT64_C(1) << 31 | (draw(d) & 0x100603f00) | tg << 14 | t0sz | sl << 6 | ps << 16;
}

/* What MAIR can hold without FEAT_XS, which concerns TLBI alone. */
static uint64_t draw_types(struct draw *d)
{
	static const uint8_t types[] = { 0x00, 0x04, 0x08, 0x0c, 0x44, 0xff, 0xbb, 0xee, 0xdd,
					 0x77, 0x33, 0x4f, 0xf4, 0xaa, 0xf0, 0x99, 0xfb, 0xbf };
	uint64_t mair = 0;

	for (int i = 0; i < 8; i++)
		mair = mair << 8 | types[below(d, sizeof(types))];
	return mair;
}

/* HCR_EL2: VM or DC, now and then CD, PTW, FWB. */
static void draw_stage2(struct draw *d, struct ref_regs *r, struct memory *m)
{
	r->s2_alone = one_in(d, 2);
	r->nested = !r->s2_alone;
	r->secure = false;
	r->hcr = UINT64_C(1) << 31 | (one_in(d, 8) ? UINT64_C(1) << 12 : 1);
	r->hcr |= one_in(d, 4) ? UINT64_C(1) << 2 : 0;
	r->hcr |= one_in(d, 8) ? UINT64_C(1) << 32 : 0;
	r->hcr |= one_in(d, 2) ? UINT64_C(1) << 46 : 0;
	r->sctlr_el2 = one_in(d, 4) ? draw(d) & UINT64_C(1) << 25 : r->sctlr & UINT64_C(1) << 25;
	if (!one_in(d, 4))
		r->mmfr0 = (r->mmfr0 & ~UINT64_C(15)) | (4 + below(d, 3)); /* PARange */
	r->mair = draw_types(d);
	r->vtcr = draw_vtcr(d);
	m->stage2 = m->base + (UINT64_C(1) << 28);
	m->swapped2 = r->sctlr_el2 >> 25 & 1;
	r->vttbr = m->stage2 + (one_in(d, 2) ? 0 : below(d, TABLES) << m->granule);
	r->vttbr |= draw(d) & UINT64_C(0xff00000000000001);
}

static void draw_regs(struct draw *d, struct ref_regs *r, struct memory *m)
{
	*r = (struct ref_regs){ .el = 1 + (unsigned int)below(d, 3) };
	r->e2h = r->el == 2 && one_in(d, 2);
	r->mmfr0 = draw_features(d, r);
	r->tcr = draw_tcr(d, r->el == 1 || r->e2h);
	r->mair = draw(d);
	/* WXN, EE and EPAN at random */
	r->sctlr = (draw(d) & (UINT64_C(1) << 19 | UINT64_C(1) << 25 | UINT64_C(1) << 57)) |
		   !one_in(d, 32);
	r->secure = r->el == 3 || one_in(d, 4);
	r->sif = one_in(d, 4);
	*m = (struct memory){
		.seed = draw(d),
		.base = UINT64_C(0x40000000) + (below(d, 64) << 20),
		.granule = 12 + 2 * (unsigned int)below(d, 3),
		.holes = (unsigned int)below(d, 17),
		.noise = one_in(d, 16),
		.swapped = r->sctlr >> 25 & 1,
	};
	r->ttbr0 = draw_ttbr(d, m);
	r->ttbr1 = draw_ttbr(d, m);
	if (r->el == 1 && !one_in(d, 3))
		draw_stage2(d, r, m);
}

static struct regime regime_of(const struct ref_regs *r)
{
	const struct regime both = {
		.name = "el",
		.title = "fuzzed",
		.el = r->el,
		.two_halves = r->el == 1 || r->e2h,
		.secure = r->secure,
		.sif = r->sif,
		.known = REGIME_TTBR0 | REGIME_TTBR1 | REGIME_TCR | REGIME_MAIR | REGIME_SCTLR |
			 REGIME_MMFR0 | REGIME_MMFR1 | REGIME_MMFR2,
		.ttbr = { r->ttbr0, r->ttbr1 },
		.tcr = r->tcr,
		.mair = r->mair,
		.sctlr = r->sctlr,
		.mmfr = { r->mmfr0, r->mmfr1, r->mmfr2 },
		.nested = r->nested,
		.hcr = r->hcr,
		.vttbr = r->vttbr,
		.vtcr = r->vtcr,
		.s2_big_endian = r->sctlr_el2 >> 25 & 1,
	};

	return r->s2_alone ? regime_stage2(&both) : both;
}

/* In the half's range mostly, at its edges often. */
static uint64_t draw_va(struct draw *d, const struct ref_regs *r)
{
	bool upper = (r->el == 1 || r->e2h) && one_in(d, 2);
	unsigned int size = 64 - (r->tcr >> (upper ? 16 : 0) & 63);
	uint64_t mask = size >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << size) - 1;
	uint64_t va = one_in(d, 8) ? 0 : draw(d) & mask;

	if (r->s2_alone) {
		size = 64 - (r->vtcr & 63);
		va = size >= 64 || one_in(d, 16) ? va : va & ((UINT64_C(1) << size) - 1);
		return one_in(d, 16) ? va ^ UINT64_C(1) << below(d, 64) : va;
	}
	if (one_in(d, 16))
		va = draw(d);
	else if (upper)
		va = ~va;
	if (one_in(d, 8)) /* a tag */
		va = (va & ~(UINT64_C(0xff) << 56)) | draw(d) << 56;
	if (one_in(d, 16))
		va ^= UINT64_C(1) << below(d, 64);
	return va;
}

/* Answers */

/* The address that stage 2 failed on, where HPFAR_EL2 tells it: IPAValid(). */
static bool hpfar_differs(const struct pt_walk *w, const struct ref_result *x)
{
	bool valid = x->stage == 2 && x->fault != REF_OK && x->fault != REF_EXTERNAL &&
		     (x->s1ptw || x->fault != REF_PERMISSION);
	uint64_t hpfar = 0;

	if (pt_walk_hpfar(w, &hpfar) != valid)
		return true;
	return valid && hpfar != (x->fault_ipa << 12 >> 24 << 4);
}

static const char *first_difference(const struct pt_walk *w, const struct ref_result *x)
{
	/* REF_... as pt_walk() says it */
	static const enum pt_fault faults[] = {
		PT_FAULT_NONE,	      PT_FAULT_TRANSLATION, PT_FAULT_ADDRESS_SIZE,
		PT_FAULT_ACCESS_FLAG, PT_FAULT_PERMISSION,  PT_FAULT_EXTERNAL,
	};
	unsigned int own = (x->own_r ? PT_R : 0) | (x->own_w ? PT_W : 0) | (x->own_x ? PT_X : 0);
	unsigned int el0 = (x->el0_r ? PT_R : 0) | (x->el0_w ? PT_W : 0) | (x->el0_x ? PT_X : 0);

	if (x->fault == REF_UNKNOWN || w->fault != faults[x->fault])
		return "fault";
	if (x->fault != REF_OK && w->level != x->level)
		return "level";
	if (x->fault != REF_OK && w->stage && (int)w->stage != x->stage)
		return "stage";
	if (w->stage && (w->s1ptw != x->s1ptw || hpfar_differs(w, x)))
		return "S1PTW, HPFAR_EL2";
	if (w->cfg.regime.nested &&
	    (w->ipa_known != x->ipa_known || (x->ipa_known && w->ipa != x->ipa)))
		return "IPA";
	if (w->mapped != x->leaf)
		return "mapped";
	if (!x->leaf)
		return NULL;
	if (w->oa != x->oa || w->size != x->size)
		return "output";
	if (w->attrs.own != own || w->attrs.el0 != el0)
		return "permissions";
	if (w->cfg.flat && !w->cfg.regime.nested)
		return NULL;
	if (x->reserved)
		return w->attrs.mair == 0x10 ? NULL : "reserved type";
	if (w->attrs.mair != x->attr || (unsigned int)w->attrs.sh != x->sh)
		return "type";
	if (w->attrs.af != x->af || w->attrs.ng != x->ng || w->attrs.ns != x->ns ||
	    w->attrs.contiguous != x->contiguous)
		return "flags";
	return NULL;
}

static void say_inputs(const struct ref_regs *r, uint64_t va, const struct ref_access *acc)
{
	if (r->nested || r->s2_alone)
		fprintf(stderr,
			"%s HCR %#" PRIx64 " VTTBR %#" PRIx64 " VTCR %#" PRIx64
			" SCTLR_EL2 %#" PRIx64 "\n",
			r->nested ? "two stages" : "stage 2", r->hcr, r->vttbr, r->vtcr,
			r->sctlr_el2);
	fprintf(stderr,
		"EL%u E2H %d secure %d SIF %d\n"
		"TTBR0 %#" PRIx64 " TTBR1 %#" PRIx64 " TCR %#" PRIx64 " MAIR %#" PRIx64
		" SCTLR %#" PRIx64 "\nMMFR0 %#" PRIx64 " MMFR1 %#" PRIx64 " MMFR2 %#" PRIx64
		"\nVA %#" PRIx64 ", access %c from EL%u, PAN %d\n",
		r->el, r->e2h, r->secure, r->sif, r->ttbr0, r->ttbr1, r->tcr, r->mair, r->sctlr,
		r->mmfr0, r->mmfr1, r->mmfr2, va, acc->kind, acc->el, acc->pan);
}

static void disagree(const char *what, const struct ref_regs *r, uint64_t va,
		     const struct ref_access *acc, const struct pt_walk *w, int err,
		     const struct ref_result *x)
{
	fprintf(stderr, "disagreement: %s\n", what);
	say_inputs(r, va, acc);
	for (unsigned int i = 0; !err && i < w->steps; i++)
		fprintf(stderr, "  S%u L%d %#" PRIx64 " = %#" PRIx64 "%s\n", w->step[i].stage,
			w->step[i].level, w->step[i].address, w->step[i].desc,
			w->step[i].read ? "" : " unreadable");
	if (err)
		fprintf(stderr, "pt_walk: error %d\n", err);
	else
		fprintf(stderr,
			"pt_walk:   fault %d stage %u level %d mapped %d IPA %#" PRIx64
			" OA %#" PRIx64 " size %#" PRIx64 " own %u el0 %u MAIR %#x SH %u\n",
			(int)w->fault, w->stage, w->level, w->mapped, w->ipa, w->oa, w->size,
			w->attrs.own, w->attrs.el0, w->attrs.mair, (unsigned int)w->attrs.sh);
	fprintf(stderr,
		"reference: fault %d stage %d level %d mapped %d IPA %#" PRIx64 " OA %#" PRIx64
		" size %#" PRIx64 " own %d%d%d el0 %d%d%d MAIR %#x SH %u\n",
		(int)x->fault, x->stage, x->level, x->leaf, x->ipa, x->oa, x->size, x->own_r,
		x->own_w, x->own_x, x->el0_r, x->el0_w, x->el0_x, x->attr, x->sh);
	abort();
}

static void compare(const struct ref_regs *r, struct memory *m, uint64_t va,
		    const struct ref_access *acc)
{
	const struct regime regime = regime_of(r);
	const struct pt_reader reader = { .read = read_word, .ctx = m };
	const struct pt_access access = {
		.kind = acc->kind == 'r'   ? PT_READ
			: acc->kind == 'w' ? PT_WRITE
			: acc->kind == 'x' ? PT_FETCH
					   : PT_ANY,
		.el = acc->el,
		.pan = acc->pan,
	};
	struct ref_result x = ref_walk(r, va, acc, memory_word, m);
	struct pt_walk w;
	int err = pt_walk_regime(&regime, &reader, va, &access, &w, NULL);
	const char *what = NULL;

	if (err)
		what = err == -BATON_EUNSUPPORTED && x.fault == REF_UNKNOWN ? NULL : "error";
	else
		what = first_difference(&w, &x);
	if (what)
		disagree(what, r, va, acc, &w, err, &x);
}

/* What pt_map() says of one address. */

struct met {
	struct pt_range range;
	unsigned int ranges;
};

static int read_tables(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		       bool *ok)
{
	for (unsigned int i = 0; i < n; i++) {
		ok[i] = true;
		for (size_t at = 0; at < size && ok[i]; at += 8) {
			uint64_t word = 0;

			ok[i] = memory_word(ctx, pa[i] + at, &word);
			for (unsigned int b = 0; b < 8; b++)
				data[i * size + at + b] = (uint8_t)(word >> 8 * b);
		}
	}
	return 0;
}

static int on_range(void *ctx, const struct pt_range *r)
{
	struct met *met = ctx;

	met->range = *r;
	met->ranges++;
	return 0;
}

static void compare_map(const struct ref_regs *r, struct memory *m, uint64_t va)
{
	const struct ref_access acc = { .kind = '?', .el = r->el };
	const struct regime regime = regime_of(r);
	const struct pt_bulk bulk = { read_tables, m, NULL };
	struct met met = { 0 };
	const struct pt_map_sink sink = { .range = on_range, .ctx = &met };
	struct ref_result x;
	struct pt_walk w = { 0 }; /* as far as a range tells it */
	struct pt_config cfg;

	if (r->nested || pt_config_from_regime(&cfg, &regime, va, NULL) || cfg.flat)
		return; /* of two stages it is the first's, over a reader that knows the second */
	if (cfg.ia_bits < 64) /* pt_map() knows of no tags */
		va = cfg.half ? va | ~UINT64_C(0) << cfg.ia_bits
			      : va & ~(~UINT64_C(0) << cfg.ia_bits);
	x = ref_walk(r, va, &acc, memory_word, m);
	if (pt_map(&cfg, &bulk, va, va, &sink, NULL)) {
		if (x.leaf || x.fault != REF_TRANSLATION)
			disagree("map: error", r, va, &acc, &w, 0, &x);
		return;
	}
	w.mapped = met.ranges != 0;
	w.oa = met.range.oa + (va - met.range.ia);
	/* A block larger than the output is told as far as that goes. */
	w.size = met.range.size >> cfg.oa_bits ? x.size : met.range.size;
	w.attrs = met.range.attrs;
	/* It does not tell one fault from another. */
	w.fault = x.fault == REF_ACCESS_FLAG && w.mapped ? PT_FAULT_ACCESS_FLAG : PT_FAULT_NONE;
	w.level = x.level;
	if (met.ranges > 1 || w.mapped != x.leaf || (x.leaf && first_difference(&w, &x)))
		disagree("map", r, va, &acc, &w, 0, &x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draw d = { .data = data, .left = size, .state = 0xcbf29ce484222325 };
	struct ref_regs r;
	struct memory m;

	draw_regs(&d, &r, &m);
	for (int i = 0; i < ADDRESSES; i++) {
		struct ref_access acc = { .kind = "rwx?"[below(&d, 4)], .el = r.el };

		if ((r.el == 1 || r.e2h) && one_in(&d, 3))
			acc.el = 0;
		acc.pan = one_in(&d, 3);
		compare(&r, &m, draw_va(&d, &r), &acc);
	}
	compare_map(&r, &m, draw_va(&d, &r));
	return 0;
}
