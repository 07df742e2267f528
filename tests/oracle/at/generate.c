// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random tables and registers. What a table is and where an address goes in a descriptor is
 * written down here once more, from DDI 0487, D8.3: an encoder that shared the decoder's
 * tables would prove nothing.
 */
#include <stddef.h>
#include <string.h>

#include "at.h"

/* The shape of one stage, or of one half of it. */
struct shape {
	bool stage2, ds, lpa, fwb;
	bool exec;   /* outputs are to be executed */
	bool behind; /* a second stage follows */
	unsigned int granule, ia, oa, tg0, ps;
	int start;
	uint64_t pool;		/* where its random tables are, as its descriptors have them ... */
	uint64_t where;		/* ... and in memory */
	unsigned int leaf_bits; /* outputs are mostly below this */
};

#define POOL 24u /* tables of each kind */

static unsigned int shift_at(const struct shape *s, int level)
{
	return s->granule + (unsigned int)(3 - level) * (s->granule - 3);
}

static bool one_in(struct at_machine *m, unsigned int n)
{
	return at_below(m, n) == 0;
}

static uint64_t bits(struct at_machine *m, unsigned int n)
{
	return n >= 64 ? at_random(m) : at_random(m) >> 3 & (BIT(n) - 1);
}

/* An address of the granule's alignment into a descriptor. */
static uint64_t encode(const struct shape *s, uint64_t addr)
{
	uint64_t desc = addr & (BIT(48) - 1) & ~(BIT(s->granule) - 1);

	if (s->ds)
		desc |= (addr & (BIT(50) - BIT(48))) | (addr >> 50 & 3) << 8;
	else if (s->lpa)
		desc |= (addr >> 48 & 15) << 12;
	return desc;
}

/* Bits 11:2 and 54:50 of a leaf of stage 1. */
static uint64_t attributes_s1(struct at_machine *m, const struct shape *s)
{
	uint64_t a = bits(m, 10) << 2 | (bits(m, 5) << 50);

	if (!one_in(m, 10))
		a |= BIT(10);
	if (!one_in(m, 3))
		a &= ~BIT(51);
	if (s->ds)
		a &= ~(UINT64_C(3) << 8); /* OA[51:50] */
	else if ((a >> 8 & 3) == 1)
		a ^= UINT64_C(3) << 8; /* reserved */
	return a;
}

static uint64_t attributes_s2(struct at_machine *m, const struct shape *s)
{
	static const uint8_t plain[] = { 0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 15 };
	static const uint8_t fwb[] = { 0, 1, 2, 3, 5, 6, 7, 7 };
	uint64_t a = attributes_s1(m, s) & ~(UINT64_C(15) << 2);

	a |= (uint64_t)(s->fwb ? fwb[at_below(m, sizeof(fwb))] : plain[at_below(m, sizeof(plain))])
	     << 2;
	return one_in(m, 4) ? a : a | UINT64_C(3) << 6;
}

static uint64_t attributes(struct at_machine *m, const struct shape *s)
{
	return s->stage2 ? attributes_s2(m, s) : attributes_s1(m, s);
}

static uint64_t random_output(struct at_machine *m, const struct shape *s)
{
	uint64_t oa = bits(m, s->leaf_bits);

	if (s->exec && !one_in(m, 8))
		return encode(s, AT_EXEC + bits(m, 26));
	if (one_in(m, 12))
		oa = bits(m, s->ds || s->lpa ? 52 : 48);
	if (one_in(m, 40))
		oa |= BIT(s->oa < 47 ? s->oa : 47);
	return encode(s, oa);
}

static uint64_t pool_table(struct at_machine *m, const struct shape *s)
{
	return s->pool + ((uint64_t)at_below(m, POOL) << s->granule);
}

/* Good at any level: a table that is a page at level 3, a block, or something odd. */
static uint64_t random_entry(struct at_machine *m, const struct shape *s)
{
	unsigned int kind = at_below(m, 100);
	uint64_t desc;

	if (kind < 62) {
		desc = encode(s, pool_table(m, s)) | 3 | attributes(m, s);
		if (one_in(m, 3))
			desc |= bits(m, 5) << 59;
		return desc;
	}
	if (kind < 72)
		return random_output(m, s) | 3 | attributes(m, s);
	if (kind < 93)
		return random_output(m, s) | 1 | attributes(m, s);
	if (kind < 96)
		return at_random(m) & ~UINT64_C(1);
	/* A table that is not there. */
	return kind < 97 ? encode(s, UINT64_C(0x60000000) + (bits(m, 4) << 16)) | 3 : 0;
}

static void fill_pool(struct at_machine *m, const struct shape *s)
{
	for (uint64_t at = 0; at < (uint64_t)POOL << s->granule; at += 8)
		*at_word(m, s->where + at) = random_entry(m, s);
}

/* TxSZ and what follows from it. @least: of the input; @most: as far as the features go. */
static void choose_size(struct at_machine *m, struct shape *s, unsigned int least)
{
	unsigned int most = s->ds || (s->granule == 16 && m->max) ? 52 : 48;

	s->ia = one_in(m, 3) ? most : least + at_below(m, most - least + 1);
	/* See safe_root(): of two stages any fault on the way would be one of level -1. */
	if (s->behind && s->granule == 12 && s->ia > 48)
		s->ia = 48;
	s->start = 3 - (int)((s->ia - s->granule - 1) / (s->granule - 3));
}

static unsigned int ps_bits(unsigned int ps)
{
	static const unsigned char of[8] = { 32, 36, 40, 42, 44, 48, 52, 52 };

	return of[ps];
}

static void choose_output(struct at_machine *m, struct shape *s)
{
	unsigned int most = m->max ? 6 : 4;

	s->ps = one_in(m, 2) ? most : at_below(m, most + 1);
	/* 52 bits are for LPA and LPA2; without, QEMU's answer is a known exception. */
	s->lpa = m->max && s->granule == 16;
	if (s->ps == 6 && !s->ds && !s->lpa && !one_in(m, 20))
		s->ps = 5;
	s->oa = ps_bits(s->ps);
	if (s->oa > 48 && !s->ds && !s->lpa)
		s->oa = 48;
	s->leaf_bits = s->oa;
}

static void choose_shape(struct at_machine *m, struct shape *s, bool ds, unsigned int least)
{
	static const unsigned char granule[3] = { 12, 16, 14 }; /* by TG0 */

	/* Cortex-A57 has no 16 KiB granule. */
	s->tg0 = at_below(m, m->max ? 3 : 2);
	s->granule = granule[s->tg0];
	s->ds = ds && s->granule != 16;
	choose_size(m, s, least);
	choose_output(m, s);
}

/*
 * QEMU 7.2 ends with an assertion on a fault of level -1: the entries of such a root lead
 * on, all of them. Its faults are left to the unit tests.
 */
static void safe_root(struct at_machine *m, const struct shape *s, uint64_t where)
{
	for (unsigned int i = 0; s->start < 0 && i < 16; i++)
		*at_word(m, where + 8 * (uint64_t)i) =
			encode(s, pool_table(m, s)) | 3 | (s->stage2 ? 0 : bits(m, 5) << 59);
}

/* A root in the pool: any table, at an offset that its size allows. */
static uint64_t choose_root(struct at_machine *m, const struct shape *s)
{
	unsigned int entries = s->ia - shift_at(s, s->start);
	uint64_t root = pool_table(m, s);
	bool wide = s->ds || (s->lpa && s->ps == 6);

	if (entries + 3 < s->granule)
		root += bits(m, s->granule - entries - 3) << (entries + 3);
	if (wide)
		root &= ~UINT64_C(0x7f); /* bits 5:2 are the address's 51:48 */
	safe_root(m, s, root - s->pool + s->where);
	if (!wide && one_in(m, 12))
		root |= bits(m, 6);
	if (one_in(m, 60))
		root |= BIT(s->oa < 47 ? s->oa : 47);
	return root | (bits(m, 16) << 48) | (at_random(m) & 1);
}

static uint64_t random_mair(struct at_machine *m)
{
	static const uint8_t types[] = { 0x00, 0x04, 0x08, 0x0c, 0x44, 0xff, 0xbb, 0xee, 0xdd,
					 0x77, 0x33, 0x4f, 0xf4, 0xaa, 0xf0, 0x99, 0xfb, 0xbf };
	uint64_t mair = 0;

	for (int i = 0; i < 8; i++)
		mair = mair << 8 | types[at_below(m, sizeof(types))];
	return mair;
}

/* SH that is not reserved. */
static uint64_t random_sh(struct at_machine *m)
{
	static const uint8_t sh[3] = { 0, 2, 3 };

	return sh[at_below(m, 3)];
}

/* T0SZ as the shape has it, or now and then anything. */
static uint64_t txsz_of(struct at_machine *m, const struct shape *s)
{
	return one_in(m, 40) ? bits(m, 6) : 64 - s->ia;
}

static unsigned int least_input(const struct at_machine *m)
{
	return m->max ? 18 : 25; /* FEAT_TTST */
}

/* TCR_EL1's layout, two halves; both are in one pool, which suits the first's shape. */
static uint64_t choose_two_halves(struct at_machine *m, struct shape s[2])
{
	static const uint8_t tg1_of_tg0[3] = { 2, 3, 1 };
	bool ds = m->max && one_in(m, 3);
	uint64_t tcr;

	choose_shape(m, &s[0], ds, least_input(m));
	s[1] = s[0];
	choose_size(m, &s[1], least_input(m));
	tcr = txsz_of(m, &s[0]) | random_sh(m) << 12 | (uint64_t)s[0].tg0 << 14;
	tcr |= txsz_of(m, &s[1]) << 16 | random_sh(m) << 28 | (uint64_t)tg1_of_tg0[s[0].tg0] << 30;
	tcr |= (uint64_t)s[0].ps << 32 | (at_random(m) & (UINT64_C(3) << 37));
	tcr |= one_in(m, 15) ? BIT(7) : 0;
	tcr |= one_in(m, 15) ? BIT(23) : 0;
	if (!m->max)
		return tcr;
	/* HPD, TBID, E0PD; HA, HD. */
	tcr |= at_random(m) & (UINT64_C(3) << 41 | UINT64_C(3) << 51);
	tcr |= one_in(m, 4) ? at_random(m) & UINT64_C(3) << 55 : 0;
	tcr |= one_in(m, 3) ? at_random(m) & UINT64_C(3) << 39 : 0;
	return tcr | (ds ? BIT(59) : 0);
}

/* TCR_EL2's and TCR_EL3's layout. */
static uint64_t choose_one_half(struct at_machine *m, struct shape *s, unsigned int least)
{
	bool ds = m->max && one_in(m, 3);
	uint64_t tcr;

	choose_shape(m, s, ds, least);
	tcr = BIT(31) | BIT(23) | random_sh(m) << 12 | (uint64_t)s->tg0 << 14;
	tcr |= (least > 30 ? 64 - s->ia : txsz_of(m, s)) | (uint64_t)s->ps << 16;
	tcr |= at_random(m) & BIT(20);
	if (!m->max)
		return tcr;
	tcr |= at_random(m) & (BIT(24) | BIT(29));
	tcr |= one_in(m, 3) ? at_random(m) & UINT64_C(3) << 21 : 0;
	return tcr | (ds ? BIT(32) : 0);
}

/* WXN and, rarely, EE; the RES1 bits of the Cortex-A57. */
static uint64_t random_sctlr(struct at_machine *m)
{
	return 0x30d00801 | (one_in(m, 3) ? BIT(19) : 0);
}

/* Now and then big-endian tables: SCTLR_ELx.EE. */
static uint64_t random_ee(struct at_machine *m, uint64_t from, uint64_t to)
{
	if (!one_in(m, 6))
		return 0;
	for (uint64_t at = from; at < to; at += 8)
		*at_word(m, at) = __builtin_bswap64(*at_word(m, at));
	return BIT(25);
}

/* Stage 1 of two halves at EL1 or EL2; @s is for the addresses. */
static void make_two_halves(struct at_machine *m, struct shape s[2], uint64_t *ttbr0,
			    uint64_t *ttbr1, uint64_t *sctlr)
{
	fill_pool(m, &s[0]);
	*ttbr0 = choose_root(m, &s[0]);
	*ttbr1 = choose_root(m, &s[1]);
	*sctlr = random_sctlr(m) |
		 random_ee(m, s[0].where, s[0].where + ((uint64_t)POOL << s[0].granule));
}

/* The entry of @table for @ia at @level, made a table descriptor to @next. */
static void put_entry(struct at_machine *m, const struct shape *s, uint64_t table, uint64_t ia,
		      int level, uint64_t desc)
{
	unsigned int shift = shift_at(s, level);
	uint64_t index = ia >> shift;

	if (level != s->start)
		index &= BIT(s->granule - 3) - 1;
	*at_word(m, table + 8 * index) = desc;
}

/* @ia to @pa at @last level, through tables of its own that lie from *@free on. */
static void map_path(struct at_machine *m, const struct shape *s, uint64_t root, uint64_t ia,
		     int last, uint64_t leaf, uint64_t *free)
{
	uint64_t table = root;

	for (int level = s->start; level < last; level++) {
		unsigned int shift = shift_at(s, level);
		uint64_t index = ia >> shift, *entry;

		if (level != s->start)
			index &= BIT(s->granule - 3) - 1;
		entry = at_word(m, table + 8 * index);
		/* Ours if it points behind the pool, and is nothing but a pointer. */
		if (*entry < s->where + ((uint64_t)POOL << s->granule) || *entry > *free ||
		    (*entry & 0xfff) != 3) {
			for (uint64_t at = 0; at < BIT(s->granule); at += 8)
				*at_word(m, *free + at) = random_entry(m, s) & ~UINT64_C(1);
			*entry = encode(s, *free) | 3;
			*free += BIT(s->granule);
		}
		table = *entry & 0xffffffff000 & ~(BIT(s->granule) - 1);
	}
	put_entry(m, s, table, ia, last, leaf);
}

/* Accesses: addresses that are mostly inside. */
static uint64_t random_va(struct at_machine *m, const struct shape *s, bool upper)
{
	uint64_t outside = ~(BIT(s->ia) - 1), va = at_random(m);
	unsigned int kind = at_below(m, 20);

	if (kind == 0)
		return va;
	va = upper ? va | outside : va & ~outside;
	if (kind <= 3 && !s->exec)
		va ^= (at_random(m) & 0xff) << 56;
	if (kind == 4)
		va ^= BIT(s->ia > 54 ? 54 : s->ia + at_below(m, 55 - s->ia));
	return va;
}

static void add_accesses(struct at_machine *m, const struct shape s[2], unsigned int halves,
			 const uint8_t *ops, unsigned int op_count)
{
	struct at_job *j = &m->was;

	for (j->count = 0; j->count + op_count <= (s->exec ? 1600 : 480);) {
		bool upper = halves == 2 && one_in(m, 2);
		uint64_t va = random_va(m, &s[upper], upper);

		for (unsigned int i = 0; i < op_count; i++)
			j->access[j->count++] = (struct at_access){ .va = va, .op = ops[i] };
	}
}

#define SCR_RW	 BIT(10)
#define SCR_SIF	 BIT(9)
#define HCR_RW	 BIT(31)
#define HCR_TGE	 BIT(27)
#define HCR_DC	 BIT(12)
#define HCR_PTW	 BIT(2)
#define HCR_E2H	 BIT(34)
#define HCR_FWB	 BIT(46)
#define HCR_CD	 BIT(32)
#define SCR_BASE (SCR_RW | 0x30)

static const uint8_t ops_el1[] = { AT_S1E0R, AT_S1E0W, AT_S1E1R, AT_S1E1W, AT_S1E1RP, AT_S1E1WP };
static const uint8_t ops_nested[] = { AT_S1E0R,	 AT_S1E1R,  AT_S1E1W, AT_S12E0R,
				      AT_S12E0W, AT_S12E1R, AT_S12E1W };
static const uint8_t ops_fetch[] = { AT_FETCH0, AT_FETCH1 };
static const uint8_t ops_fetch_vhe[] = { AT_FETCH0, AT_FETCH2 };
static const uint8_t ops_fetch_el2[] = { AT_FETCH2 };
static const uint8_t ops_fetch_el3[] = { AT_FETCH3 };
static const uint8_t ops_el2[] = { AT_S1E2R, AT_S1E2W };
static const uint8_t ops_el3[] = { AT_S1E3R, AT_S1E3W };

/* The first pool begins where the tables begin; a second, of stage 2, in their middle. */
#define POOL_1 AT_TABLES
#define POOL_2 (AT_TABLES + 0x300000)

static void make_el1(struct at_machine *m, bool secure, bool fetch)
{
	struct at_job *j = &m->was;
	struct shape s[2] = { { .pool = POOL_1, .where = POOL_1, .exec = fetch } };

	j->scr_el3 = SCR_BASE | !secure | (fetch && one_in(m, 2) ? SCR_SIF : 0);
	j->tcr_el1 = choose_two_halves(m, s);
	make_two_halves(m, s, &j->ttbr0_el1, &j->ttbr1_el1, &j->sctlr_el1);
	j->mair_el1 = random_mair(m);
	add_accesses(m, s, 2, fetch ? ops_fetch : ops_el1, fetch ? 2 : m->max ? 6 : 4);
}

static void make_vhe(struct at_machine *m, bool fetch)
{
	struct at_job *j = &m->was;
	struct shape s[2] = { { .pool = POOL_1, .where = POOL_1, .exec = fetch } };

	j->scr_el3 = SCR_BASE | 1;
	j->hcr_el2 = HCR_RW | HCR_E2H | HCR_TGE;
	j->tcr_el2 = choose_two_halves(m, s);
	make_two_halves(m, s, &j->ttbr0_el2, &j->ttbr1_el2, &j->sctlr_el2);
	j->mair_el2 = random_mair(m);
	add_accesses(m, s, 2, fetch ? ops_fetch_vhe : ops_el1, fetch ? 2 : 6);
}

static void make_el2(struct at_machine *m, bool fetch)
{
	struct at_job *j = &m->was;
	struct shape s[2] = { { .pool = POOL_1, .where = POOL_1, .exec = fetch } };

	j->scr_el3 = SCR_BASE | 1;
	j->tcr_el2 = choose_one_half(m, s, least_input(m));
	fill_pool(m, s);
	j->ttbr0_el2 = choose_root(m, s);
	j->sctlr_el2 =
		random_sctlr(m) | random_ee(m, POOL_1, POOL_1 + ((uint64_t)POOL << s->granule));
	j->mair_el2 = random_mair(m);
	add_accesses(m, s, 1, fetch ? ops_fetch_el2 : ops_el2, fetch ? 1 : 2);
}

/* EL3 runs the guest: its code and the job are mapped onto themselves. */
static void make_el3(struct at_machine *m, bool fetch)
{
	struct at_job *j = &m->was;
	struct shape s[2] = { { .pool = POOL_1, .where = POOL_1, .exec = fetch } };
	uint64_t free = POOL_2, root;

	j->scr_el3 = SCR_BASE | 1 | (fetch && one_in(m, 2) ? SCR_SIF : 0);
	j->tcr_el3 = choose_one_half(m, s, 32);
	fill_pool(m, s);
	/* A root of its own: its entry for the code leads behind the pool. */
	root = pool_table(m, s);
	safe_root(m, s, root);
	j->ttbr0_el3 = root;
	j->mair_el3 = (random_mair(m) & ~UINT64_C(0xff)) | 0xff;
	j->sctlr_el3 = 0x30c50831;
	if (s->start < 2)
		map_path(m, s, root, AT_CODE, 2,
			 (AT_CODE & ~(BIT(shift_at(s, 2)) - 1)) | BIT(10) | 1, &free);
	else
		put_entry(m, s, root, AT_CODE, 2,
			  (AT_CODE & ~(BIT(shift_at(s, 2)) - 1)) | BIT(10) | 1);
	j->sctlr_el3 |= random_ee(m, POOL_1, free);
	add_accesses(m, s, 1, fetch ? ops_fetch_el3 : ops_el3, fetch ? 1 : 2);
}

/* VTCR_EL2 with a start level that fits; now and then one that does not. */
static uint64_t choose_stage2(struct at_machine *m, struct shape *s)
{
	bool ds = m->max && one_in(m, 3);
	unsigned int sl0 = 0, sl2 = 0, stride, least, extra;

	choose_shape(m, s, ds, 32);
	s->stage2 = true;
	stride = s->granule - 3;
	/* QEMU goes by PS where the architecture goes by PARange: see known() in campaign.c. */
	if (!one_in(m, 12)) {
		s->ps = m->max ? (s->ds || s->lpa ? 6 : 5) : 4;
		s->oa = ps_bits(s->ps);
		s->leaf_bits = s->oa;
	}
	if (s->ia > s->oa)
		s->ia = s->oa;
	s->start = 3 - (int)((s->ia - s->granule - 1) / stride);
	least = shift_at(s, s->start + 1) + 1;
	extra = s->ia - least - (stride - 1);
	/* Up to 16 roots behind each other instead of another level. */
	if (s->start < 2 && s->ia >= least + stride && extra <= 4 && one_in(m, 2))
		s->start++;
	if (s->granule != 12 && s->start == 0)
		s->start = 1;
	if (s->granule == 12) {
		sl0 = s->start == 3 ? 3 : (unsigned int)(2 - s->start) & 3;
		sl2 = s->start < 0;
		sl0 = sl2 ? 0 : sl0;
	} else {
		sl0 = (unsigned int)(3 - s->start) & 3;
	}
	if (one_in(m, 30))
		sl0 = at_below(m, 4);
	return BIT(31) | (64 - s->ia) | (uint64_t)sl0 << 6 | random_sh(m) << 12 |
	       (uint64_t)s->tg0 << 14 | (uint64_t)s->ps << 16 | (s->ds ? BIT(32) : 0) |
	       (sl2 ? BIT(33) : 0) |
	       (m->max && one_in(m, 3) ? at_random(m) & UINT64_C(3) << 21 : 0);
}

/* Stage 1's pool through stage 2: mostly well, now and then not. */
static void map_stage1(struct at_machine *m, const struct shape *s2, uint64_t root, uint64_t ipa,
		       uint64_t pa, uint64_t size, uint64_t *free)
{
	uint64_t page = BIT(s2->granule);

	for (uint64_t at = 0; at < size; at += page) {
		uint64_t good = UINT64_C(0x4c0) | UINT64_C(15) << 2 | 3;
		uint64_t leaf = s2->fwb ? (good & ~(UINT64_C(15) << 2)) | 6 << 2 : good;

		if (one_in(m, 12))
			leaf = attributes(m, s2) | 3;
		if (one_in(m, 60))
			leaf &= ~UINT64_C(3);
		map_path(m, s2, root, ipa + at, 3, encode(s2, pa + at) | leaf, free);
	}
}

static void make_nested(struct at_machine *m, bool dc, bool fetch)
{
	struct at_job *j = &m->was;
	struct shape s2 = { .stage2 = true, .pool = POOL_2, .where = POOL_2, .exec = fetch };
	struct shape s[2] = { { .where = POOL_1, .behind = true, .exec = fetch } };
	uint64_t free, root;

	j->scr_el3 = SCR_BASE | 1;
	j->hcr_el2 = HCR_RW | (dc ? HCR_DC : 1) | (one_in(m, 3) ? HCR_PTW : 0) |
		     (one_in(m, 12) ? HCR_CD : 0);
	if (m->max && one_in(m, 2)) {
		j->hcr_el2 |= HCR_FWB;
		s2.fwb = true;
	}
	j->vtcr_el2 = choose_stage2(m, &s2);
	fill_pool(m, &s2);
	/* The roots lie behind the pool, up to 16 of them, and are random too. */
	root = (POOL_2 + ((uint64_t)POOL << s2.granule) + 0xfffff) & ~UINT64_C(0xfffff);
	for (uint64_t at = 0; at < (UINT64_C(8) << (s2.ia - shift_at(&s2, s2.start))); at += 8)
		*at_word(m, root + at) = random_entry(m, &s2);
	safe_root(m, &s2, root);
	j->vttbr_el2 = root | bits(m, 8) << 48 | (at_random(m) & 1);
	free = root + 0x100000;
	/* Stage 1's tables where only stage 2 finds them. */
	j->tcr_el1 = choose_two_halves(m, s);
	s[0].pool = s2.ia > 33 && s[0].oa > 33 ? UINT64_C(0x138000000) : UINT64_C(0x2000000);
	s[1].pool = s[0].pool;
	if (one_in(m, 4) == false)
		s[0].leaf_bits = s[1].leaf_bits = s2.ia < s[0].oa ? s2.ia : s[0].oa;
	make_two_halves(m, s, &j->ttbr0_el1, &j->ttbr1_el1, &j->sctlr_el1);
	j->mair_el1 = random_mair(m);
	map_stage1(m, &s2, root, s[0].pool, s[0].where, (uint64_t)POOL << s[0].granule, &free);
	if (fetch) /* what stage 1 leads to mostly */
		map_stage1(m, &s2, root, AT_EXEC, AT_EXEC, AT_EXEC_END - AT_EXEC, &free);
	j->sctlr_el2 = 0x30c50830 | random_ee(m, POOL_2, free);
	if (dc)
		s[0].ia = s[1].ia = s2.ia;
	add_accesses(m, s, dc ? 1 : 2, fetch ? ops_fetch : ops_nested, fetch ? 2 : 7);
}

void at_generate(struct at_machine *m, enum at_class class)
{
	struct at_job *j = &m->was;

	memset(&j->scr_el3, 0, offsetof(struct at_job, access) - offsetof(struct at_job, scr_el3));
	j->hcr_el2 = HCR_RW;
	j->sctlr_el3 = 0x30c50830;
	j->sctlr_el2 = 0x30c50830;
	switch (class) {
	case CLASS_EL1:
	case CLASS_SECURE:
	case CLASS_FETCH:
	case CLASS_FETCH_SECURE:
		make_el1(m, class == CLASS_SECURE || class == CLASS_FETCH_SECURE,
			 class >= CLASS_FETCH);
		break;
	case CLASS_VHE:
	case CLASS_FETCH_VHE:
		make_vhe(m, class == CLASS_FETCH_VHE);
		break;
	case CLASS_EL2:
	case CLASS_FETCH_EL2:
		make_el2(m, class == CLASS_FETCH_EL2);
		break;
	case CLASS_EL3:
	case CLASS_FETCH_EL3:
		make_el3(m, class == CLASS_FETCH_EL3);
		break;
	case CLASS_NESTED:
	case CLASS_DC:
	case CLASS_FETCH_NESTED:
		make_nested(m, class == CLASS_DC, class == CLASS_FETCH_NESTED);
		break;
	case CLASSES:
		break;
	}
}
