// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stage 2, and stage 1 with stage 2 behind it: tables by hand from DDI 0487, D8.2.3, D8.3.1
 * and D8.6.
 */
#include "mmu/a64.h"
#include "mmu/map.h"
#include "mmu/sysreg.h"
#include "walk_unit.h"

/* Stage 2's tables: two roots of level 1 behind each other, one of level 2, one of level 3. */
#define S2_ROOT UINT64_C(0x70020000)
#define S2_L2	UINT64_C(0x70022000)
#define S2_L3	UINT64_C(0x70023000)

/* MemAttr write-back, S2AP read and write, inner shareable, AF. */
#define S2_ATTRS UINT64_C(0x7fc)
#define S2_BLOCK (S2_ATTRS | VALID)
#define S2_PAGE	 (S2_ATTRS | PAGE)
#define S2_R	 (UINT64_C(1) << 6)
#define S2_W	 (UINT64_C(1) << 7)
#define XN_S2(n) ((uint64_t)(n) << 53)

/* 40-bit input from level 1: 512 GiB a root, so two of them. PS 40 bits. */
#define VTCR UINT64_C(0x80023558)

/* IPA 0x40000000 on is PA 0x70000000 on: stage 1's tables lie 0x30000000 below. */
#define DOWN UINT64_C(0x30000000)

static struct regime nested(void)
{
	struct regime r = fake_el1(L0 - DOWN, L0 - DOWN);

	r.nested = true;
	r.hcr = HCR_RW | HCR_VM;
	r.vtcr = VTCR;
	r.vttbr = S2_ROOT;
	return r;
}

static struct regime stage2(void)
{
	struct regime r = nested();

	return regime_stage2(&r);
}

/* Stage 1 by put_page() with IPAs; stage 2: the tables, and the page at IPA 0x41234000. */
static void put_both(uint64_t leaf, uint64_t s2_leaf)
{
	fake_put(&ram, L0, 0, (L1 - DOWN) | TABLE);
	fake_put(&ram, L1, 0, (L2 - DOWN) | TABLE);
	fake_put(&ram, L2, 1, (L3 - DOWN) | TABLE);
	fake_put(&ram, L3, 5, leaf);
	fake_put(&ram, S2_ROOT, 1, S2_L2 | TABLE);
	fake_put(&ram, S2_L2, 0, 0x70000000 | S2_BLOCK);
	fake_put(&ram, S2_L2, 9, S2_L3 | TABLE);
	fake_put(&ram, S2_L3, 0x34, s2_leaf);
}

static void walk_both(const struct pt_access *acc)
{
	struct regime r = nested();

	assert_int_equal(walk_with(&r, LOW, acc), 0);
}

static void roots_lie_behind_each_other(void **state)
{
	struct regime r = stage2();

	(void)state;
	/* Index 513 is in the second of two tables. */
	fake_put(&ram, S2_ROOT, 513, 0x40000000 | S2_BLOCK);
	assert_int_equal(walk_with(&r, UINT64_C(513) << 30, &read_el1), 0);
	assert_oa(0x40000000, 0x40000000);
	assert_int_equal(w.step[0].index, 513);
	assert_int_equal(w.step[0].stage, 2);
	assert_int_equal(w.step[0].address, S2_ROOT + 0x1008);
	/* The root is aligned to all of it. */
	r.ttbr[0] = S2_ROOT + 0x1000;
	assert_int_equal(walk_with(&r, UINT64_C(513) << 30, &read_el1), 0);
	assert_true(w.cfg.root_misaligned);
	assert_int_equal(w.cfg.root, S2_ROOT);
	assert_int_equal(walk_with(&r, UINT64_C(1) << 40, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
	assert_int_equal(w.stage, 2);
}

/* VTCR_EL2.SL0 by granule, and SL2 with DS (D24.2.218); what does not fit T0SZ faults. */
static void start_levels(void **state)
{
	static const struct {
		unsigned int tg0, sl0, sl2, bits;
		int level; /* 9: bad */
	} cases[] = {
		{ 0, 0, 0, 34, 2 },  { 0, 1, 0, 40, 1 }, { 0, 2, 0, 48, 0 }, { 0, 3, 0, 20, 3 },
		{ 0, 0, 1, 52, -1 }, { 0, 1, 1, 52, 9 }, { 0, 0, 0, 36, 9 }, { 0, 1, 0, 44, 9 },
		{ 0, 1, 0, 43, 1 },  { 0, 2, 0, 39, 9 }, { 2, 0, 0, 25, 3 }, { 2, 1, 0, 40, 2 },
		{ 2, 2, 0, 48, 1 },  { 2, 3, 0, 48, 9 }, { 1, 0, 0, 29, 3 }, { 1, 1, 0, 42, 2 },
		{ 1, 2, 0, 48, 1 },  { 1, 3, 0, 48, 9 }, { 1, 1, 0, 47, 9 }, { 1, 1, 0, 46, 2 },
	};
	struct regime r = stage2();
	struct pt_config cfg;

	(void)state;
	r.known |= REGIME_MMFR0 | REGIME_MMFR2;
	r.mmfr[0] = 0x10200006;
	r.mmfr[2] = 1 << 28;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.tcr = (64 - cases[i].bits) | cases[i].sl0 << 6 | cases[i].tg0 << 14 | 6 << 16 |
			(uint64_t)cases[i].sl2 * (UINT64_C(3) << 32);
		assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), 0);
		assert_int_equal(cfg.sl_bad, cases[i].level == 9);
		if (!cfg.sl_bad)
			assert_int_equal(cfg.start, cases[i].level);
	}
	r.tcr = 16 | 3 << 6 | 1 << 14 | 6 << 16;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_SL, 0);
	/* T0SZ is limited by PARange: 40 bits. */
	r.mmfr[0] = 0x10200002;
	r.tcr = VTCR - 1;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_TXSZ, 0);
}

/* S2AP and XN[1:0] (D8.4.2). */
static void permissions(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned int el1, el0;
	} cases[] = {
		{ S2_R | S2_W | XN_S2(0), PT_R | PT_W | PT_X, PT_R | PT_W | PT_X },
		{ S2_R | XN_S2(1), PT_R, PT_R | PT_X },
		{ S2_W | XN_S2(2), PT_W, PT_W },
		{ S2_R | XN_S2(3), PT_R | PT_X, PT_R },
		{ 0, PT_X, PT_X },
	};
	struct regime r = stage2();

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_put(&ram, S2_ROOT, 1, 0x40000000 | VALID | AF | 0x3c | cases[i].bits);
		assert_int_equal(walk_with(&r, 0x40000000, NULL), 0);
		assert_int_equal(w.attrs.own, cases[i].el1);
		assert_int_equal(w.attrs.el0, cases[i].el0);
	}
	/* Without FEAT_XNX bit 53 is nothing. */
	r.known |= REGIME_MMFR1;
	fake_put(&ram, S2_ROOT, 1, 0x40000000 | VALID | AF | 0x3c | S2_R | XN_S2(3));
	assert_int_equal(walk_with(&r, 0x40000000, NULL), 0);
	assert_int_equal(w.attrs.own, PT_R);
	assert_int_equal(w.attrs.el0, PT_R);
}

static void ipa_is_not_pa(void **state)
{
	(void)state;
	put_both(A_PAGE, 0x51239000 | S2_PAGE);
	walk_both(&read_el1);
	assert_oa(0x51239123, 0x1000);
	assert_true(w.ipa_known);
	assert_int_equal(w.ipa, 0x41234123);
	/* Each of stage 1's four descriptors has two steps of stage 2 before it; then three. */
	assert_int_equal(w.steps, 4 * 3 + 3);
	assert_int_equal(w.step[2].stage, 1);
	assert_int_equal(w.step[2].ipa, L0 - DOWN);
	assert_int_equal(w.step[2].address, L0);
	assert_int_equal(w.step[2].next, L1 - DOWN);
	assert_int_equal(w.step[14].stage, 2);
}

/* The smaller of both; stage 2's block of 2 MiB does not make a page larger. */
static void the_smaller_size_counts(void **state)
{
	(void)state;
	put_both(UINT64_C(0x40000000) | PAGE | AF, 0);
	walk_both(&read_el1);
	assert_oa(0x70000123, 0x1000);
}

static void failing_stage_is_named(void **state)
{
	uint64_t hpfar = 0;

	(void)state;
	put_both(A_PAGE, 0);
	walk_both(&read_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 3);
	assert_int_equal(w.stage, 2);
	assert_false(w.s1ptw);
	assert_int_equal(w.ipa, 0x41234123);
	/* Taken to EL2: from a lower level. */
	assert_int_equal(pt_walk_fault_el(&w), 2);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x92000007);
	assert_true(pt_walk_hpfar(&w, &hpfar));
	assert_int_equal(hpfar, 0x412340);
	put_both(A_PAGE & ~VALID, 0x51239000 | S2_PAGE);
	walk_both(&read_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 3);
	assert_int_equal(w.stage, 1);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x96000007);
	assert_false(pt_walk_hpfar(&w, &hpfar));
	assert_false(w.ipa_known);
}

/* A descriptor of stage 1 that stage 2 does not map: S1PTW, and stage 2's level. */
static void s1ptw_is_reported(void **state)
{
	uint64_t hpfar = 0;

	(void)state;
	put_both(A_PAGE, 0x51239000 | S2_PAGE);
	fake_put(&ram, S2_L2, 0, 0);
	walk_both(&write_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 2);
	assert_true(w.s1ptw);
	assert_int_equal(w.stage, 2);
	assert_int_equal(pt_walk_esr(&w, &write_el1), 0x920000c6);
	assert_true(pt_walk_hpfar(&w, &hpfar));
	assert_int_equal(hpfar, (L0 - DOWN) >> 12 << 4);
	assert_int_equal(w.steps, 3);
	assert_false(w.step[2].read);
	/* No read permission for the walker: HPFAR holds for that too. */
	fake_put(&ram, S2_L2, 0, 0x70000000 | (S2_BLOCK & ~S2_R));
	walk_both(&fetch_el1);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 2);
	assert_int_equal(pt_walk_esr(&w, &fetch_el1), 0x8200008e);
	assert_true(pt_walk_hpfar(&w, &hpfar));
	/* A permission fault on the output leaves it UNKNOWN. */
	put_both(A_PAGE, 0x51239000 | (S2_PAGE & ~S2_W));
	walk_both(&write_el1);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
	assert_int_equal(w.stage, 2);
	assert_true(w.mapped);
	assert_false(pt_walk_hpfar(&w, &hpfar));
}

static void tables_in_device_memory(void **state)
{
	struct regime r = nested();

	(void)state;
	put_both(A_PAGE, 0x51239000 | S2_PAGE);
	fake_put(&ram, S2_L2, 0, 0x70000000 | (S2_BLOCK & ~UINT64_C(0x3c)) | 1 << 2);
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	r.hcr |= HCR_PTW;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_PTW, 2);
	assert_true(w.s1ptw);
	assert_int_equal(w.fault_ipa, L0 - DOWN);
}

/* Hardware that sets AF has to be able to write the descriptor. */
static void updates_need_a_writable_table(void **state)
{
	struct regime r = nested();

	(void)state;
	r.tcr |= UINT64_C(1) << 39; /* HA */
	put_both(A_PAGE & ~AF, 0x51239000 | S2_PAGE);
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	fake_put(&ram, S2_L2, 0, 0x70000000 | (S2_BLOCK & ~S2_W));
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_UPDATE, 2);
	assert_true(w.s1ptw);
}

/* D8.6.6: stage 1's MAIR byte and stage 2's MemAttr, without and with FWB. */
static void types_combine(void **state)
{
	static const struct {
		uint64_t one, two; /* MAIR byte, MemAttr */
		bool fwb;
		uint64_t both;
	} cases[] = {
		{ 0xff, 0xf, false, 0xff }, /* WB, WB */
		{ 0xff, 0x5, false, 0x44 }, /* NC wins */
		{ 0xee, 0xa, false, 0xaa }, /* WT, hints of stage 1 */
		{ 0x77, 0xa, false, 0x33 }, /* and its transience */
		{ 0xbb, 0xf, false, 0xbb }, /* stage 1 WT stays */
		{ 0x4f, 0xd, false, 0x44 }, /* outer and inner by themselves: NC, NC */
		{ 0xff, 0x1, false, 0x04 }, /* device wins: nGnRE */
		{ 0x08, 0xf, false, 0x08 }, /* of either */
		{ 0x08, 0xd, false, 0x08 }, /* whatever the other's inner bits are */
		{ 0x0c, 0x0, false, 0x00 }, /* the more restrictive */
		{ 0x04, 0x2, false, 0x04 },
		{ 0xf0, 0xf, false, 0xf0 }, /* tagged stays while write-back */
		{ 0xf0, 0xa, false, 0xbb },
		{ 0x00, 0x6, true, 0xff }, /* FWB: forced to WB */
		{ 0x44, 0x6, true, 0xff },
		{ 0xaa, 0x6, true, 0xee },
		{ 0x04, 0x7, true, 0x04 }, /* as stage 1 */
		{ 0xbb, 0x7, true, 0xbb },
		{ 0x08, 0x5, true, 0x08 }, /* NC unless device */
		{ 0xff, 0x5, true, 0x44 },
		{ 0xff, 0x2, true, 0x08 }, /* device */
		{ 0x04, 0x2, true, 0x04 }, /* of two the more restrictive, with FWB too */
		{ 0x0c, 0x0, true, 0x00 },
		{ 0x0d, 0x1, false, 0x05 }, /* XS is stage 1's */
		{ 0xff, 0xd, true, 0x44 },  /* bit 3 is RES0 with FWB */
		{ 0xff, 0xa, true, 0x08 },
		{ 0xbb, 0xf, true, 0xbb },
	};
	struct regime r = nested();

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t s2 = (S2_PAGE & ~UINT64_C(0x3c)) | cases[i].two << 2;

		r.mair = cases[i].one;
		r.hcr = HCR_RW | HCR_VM | (cases[i].fwb ? HCR_FWB : 0);
		put_both((A_PAGE & ~IDX(7)), 0x51239000 | s2);
		assert_int_equal(walk_with(&r, LOW, NULL), 0);
		assert_int_equal(w.attrs.mair, cases[i].both);
	}
}

/* HCR_EL2.CD makes data non-cacheable, FWB or not, and leaves devices alone. */
static void cacheability_can_be_disabled(void **state)
{
	static const struct {
		uint64_t one, two, fwb, both;
	} cases[] = {
		{ 0xff, 0xf, 0, 0x44 },	      { 0x04, 0xf, 0, 0x04 },
		{ 0xff, 0x6, HCR_FWB, 0x44 }, { 0xff, 0x7, HCR_FWB, 0x44 },
		{ 0x04, 0x7, HCR_FWB, 0x04 }, { 0x04, 0x6, HCR_FWB, 0x44 },
	};
	struct regime r = nested();

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.mair = cases[i].one;
		r.hcr = HCR_RW | HCR_VM | HCR_CD | cases[i].fwb;
		put_both(A_PAGE & ~IDX(7),
			 0x51239000 | (S2_PAGE & ~UINT64_C(0x3c)) | cases[i].two << 2);
		assert_int_equal(walk_with(&r, LOW, NULL), 0);
		assert_int_equal(w.attrs.mair, cases[i].both);
	}
}

static void shareability_combines(void **state)
{
	static const uint8_t cases[][3] = { { 0, 0, 0 }, { 0, 3, 3 }, { 3, 0, 3 },
					    { 3, 2, 2 }, { 2, 0, 2 }, { 3, 3, 3 } };
	struct regime r = nested();

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_both((A_PAGE & ~ISH) | (uint64_t)cases[i][0] << 8,
			 0x51239000 | (S2_PAGE & ~ISH) | (uint64_t)cases[i][1] << 8);
		assert_int_equal(walk_with(&r, LOW, NULL), 0);
		assert_int_equal(w.attrs.share, cases[i][2]);
	}
}

static void permissions_of_both_count(void **state)
{
	(void)state;
	put_both(A_PAGE | AP_EL0, 0x51239000 | (S2_PAGE & ~S2_W) | XN_S2(1));
	walk_both(NULL);
	assert_int_equal(w.attrs.own, PT_R);
	assert_int_equal(w.attrs.el0, PT_R | PT_X);
	assert_int_equal(w.s1.own, PT_R | PT_W);
	/* Stage 1's fault comes first. */
	put_both(A_PAGE | AP_RO, 0);
	walk_both(&write_el1);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
	assert_int_equal(w.stage, 1);
	assert_int_equal(w.ipa, 0x41234123);
}

/* HCR_EL2.DC: stage 1 is off, its type Normal write-back, non-shareable. */
static void dc_switches_stage_1_off(void **state)
{
	struct regime r = nested();

	(void)state;
	r.hcr = HCR_RW | HCR_DC;
	put_both(0, 0x51239000 | S2_PAGE);
	assert_int_equal(walk_with(&r, 0x41234567, &read_el1), 0);
	assert_oa(0x51239567, 0x1000);
	assert_true(w.cfg.flat);
	assert_int_equal(w.s1.mair, 0xff);
	assert_int_equal(w.attrs.share, PT_SHARE_INNER);
	assert_int_equal(w.steps, 3);
}

/* SCTLR_EL2.EE is stage 2's byte order, SCTLR_EL1.EE stage 1's. */
static void byte_order_is_per_stage(void **state)
{
	struct regime r = nested();

	(void)state;
	put_both(A_PAGE, 0x51239000 | S2_PAGE);
	for (uint64_t at = S2_ROOT; at < S2_L3 + 0x1000; at += 8) {
		uint64_t *word = &ram.word[(at - FAKE_BASE) / 8];

		*word = __builtin_bswap64(*word);
	}
	r.s2_big_endian = true;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_oa(0x51239123, 0x1000);
}

static int see_page(void *ctx, const struct pt_mapping *m)
{
	(void)ctx;
	assert_int_equal(m->oa, 0x41234000);
	assert_int_equal(m->step->address, L3 + 40 - DOWN);
	return 0;
}

static void map_reads_by_way_of_stage_2(void **state)
{
	const struct pt_map_sink sink = { .leaf = see_page };
	struct regime r = nested();
	struct pt_reader reader = fake_reader(&ram);
	struct pt_map_stats stats;
	struct pt_config cfg;

	(void)state;
	put_both(A_PAGE, 0x51239000 | S2_PAGE);
	assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), 0);
	assert_int_equal(pt_map_words(&cfg, &reader, 0, ~UINT64_C(0), &sink, &stats), 0);
	assert_int_equal(stats.leaves[4], 1);
	assert_int_equal(stats.unreadable, 0);
}

static void limited_to_a_half(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	r.only = REGIME_TTBR1;
	assert_int_equal(walk_with(&r, LOW, NULL), -BATON_EINVAL);
	assert_int_equal(walk_with(&r, KERNEL, NULL), 0);
}

static void fields_of_stage_2(void **state)
{
	struct regime r = stage2();
	struct pt_config cfg;
	uint64_t desc = 0x40000000 | S2_BLOCK;

	(void)state;
	assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), 0);
	assert_int_equal(pt_desc_edit(&cfg, 2, &desc, "S2AP=ro,XN=el0-only,MemAttr=5", NULL), 0);
	assert_int_equal(desc, UINT64_C(0x0020000040000755));
	assert_null(pt_field_find(pt_desc_fields(&cfg, PT_BLOCK), "AP"));
	assert_null(pt_desc_fields(&cfg, PT_TABLE)->name);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(roots_lie_behind_each_other),
		T(start_levels),
		T(permissions),
		T(ipa_is_not_pa),
		T(the_smaller_size_counts),
		T(failing_stage_is_named),
		T(s1ptw_is_reported),
		T(tables_in_device_memory),
		T(updates_need_a_writable_table),
		T(types_combine),
		T(cacheability_can_be_disabled),
		T(shareability_combines),
		T(permissions_of_both_count),
		T(dc_switches_stage_1_off),
		T(byte_order_is_per_stage),
		T(map_reads_by_way_of_stage_2),
		T(limited_to_a_half),
		T(fields_of_stage_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
