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
	unsigned int granule; /* log2 */
	unsigned int holes;   /* of 16 times 64 KiB outside, so many cannot be read */
	bool noise;	      /* all words are random */
	bool swapped;
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
	return desc | ((h >> 4 & 15) < 11 ? 3 : 1);
}

static bool memory_word(void *ctx, uint64_t pa, uint64_t *value)
{
	const struct memory *m = ctx;
	uint64_t h = mix(m->seed ^ pa * 0x9e3779b97f4a7c15);
	bool inside = pa - m->base < (uint64_t)TABLES << m->granule;

	if (pa % 8 || (!inside && mix(m->seed ^ pa >> 16) % 16 < m->holes))
		return false;
	if (m->noise || h % 16 == 15)
		*value = mix(h);
	else if (h % 16 == 14)
		*value = 0;
	else
		*value = make_desc(m, h);
	*value = m->swapped ? __builtin_bswap64(*value) : *value;
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

	r->mmfr1 = below(d, 4) | below(d, 3) << 12 | below(d, 4) << 20;
	r->mmfr2 = below(d, 2) << 16 | below(d, 2) << 28 | below(d, 2) << 60;
	return (one_in(d, 2) ? 6 : below(d, 7)) | tgran4 << 28 | tgran64 << 24 | tgran16 << 20;
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
}

static struct regime regime_of(const struct ref_regs *r)
{
	return (struct regime){
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
	};
}

/* In the half's range mostly, at its edges often. */
static uint64_t draw_va(struct draw *d, const struct ref_regs *r)
{
	bool upper = (r->el == 1 || r->e2h) && one_in(d, 2);
	unsigned int size = 64 - (r->tcr >> (upper ? 16 : 0) & 63);
	uint64_t mask = size >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << size) - 1;
	uint64_t va = one_in(d, 8) ? 0 : draw(d) & mask;

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
	if (w->mapped != x->leaf)
		return "mapped";
	if (!x->leaf)
		return NULL;
	if (w->oa != x->oa || w->size != x->size)
		return "output";
	if (w->attrs.own != own || w->attrs.el0 != el0)
		return "permissions";
	if (w->cfg.flat)
		return NULL;
	if (w->attrs.mair != x->attr || (unsigned int)w->attrs.sh != x->sh)
		return "type";
	if (w->attrs.af != x->af || w->attrs.ng != x->ng || w->attrs.ns != x->ns ||
	    w->attrs.contiguous != x->contiguous)
		return "flags";
	return NULL;
}

static void say_inputs(const struct ref_regs *r, uint64_t va, const struct ref_access *acc)
{
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
		fprintf(stderr, "  L%d %#" PRIx64 " = %#" PRIx64 "%s\n", w->step[i].level,
			w->step[i].address, w->step[i].desc, w->step[i].read ? "" : " unreadable");
	if (err)
		fprintf(stderr, "pt_walk: error %d\n", err);
	else
		fprintf(stderr,
			"pt_walk:   fault %d level %d mapped %d OA %#" PRIx64 " size %#" PRIx64
			" own %u el0 %u MAIR %#x SH %u\n",
			(int)w->fault, w->level, w->mapped, w->oa, w->size, w->attrs.own,
			w->attrs.el0, w->attrs.mair, (unsigned int)w->attrs.sh);
	fprintf(stderr,
		"reference: fault %d level %d mapped %d OA %#" PRIx64 " size %#" PRIx64
		" own %d%d%d el0 %d%d%d MAIR %#x SH %u\n",
		(int)x->fault, x->level, x->leaf, x->oa, x->size, x->own_r, x->own_w, x->own_x,
		x->el0_r, x->el0_w, x->el0_x, x->attr, x->sh);
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
	const struct pt_bulk bulk = { read_tables, m };
	struct met met = { 0 };
	const struct pt_map_sink sink = { .range = on_range, .ctx = &met };
	struct ref_result x;
	struct pt_walk w = { 0 }; /* as far as a range tells it */
	struct pt_config cfg;

	if (pt_config_from_regime(&cfg, &regime, va, NULL) || cfg.flat)
		return;
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
	w.size = met.range.size;
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
