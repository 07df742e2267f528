// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a walk goes and how it ends, against tables made by hand from the Arm ARM's
 * descriptor formats, not by the code's own rows.
 */
#include "mmu/map.h"
#include "walk_unit.h"

static void seed_block_maps(void **state)
{
	(void)state;
	put_kernel_tables();
	walk(KERNEL + 0x1234, &fetch_el1);
	assert_oa(0x40001234, 0x200000);
	assert_int_equal(w.steps, 3);
	assert_int_equal(w.step[0].address, L0 + 0xff8);
	assert_int_equal(w.step[1].index, 1);
	assert_int_equal(w.step[2].kind, PT_BLOCK);
	assert_int_equal(w.attrs.mair, 0xff);
	assert_int_equal(w.attrs.share, PT_SHARE_INNER);
	assert_int_equal(w.attrs.own, PT_R | PT_W | PT_X);
	assert_int_equal(w.attrs.el0, PT_X);
}

static void seed_empty_level0_faults(void **state)
{
	(void)state;
	put_kernel_tables();
	fake_put(&ram, L0, 511, 0);
	walk(KERNEL, &fetch_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 0);
	assert_int_equal(w.steps, 1);
	assert_int_equal(w.step[0].index, 511);
	assert_int_equal(pt_walk_esr(&w, &fetch_el1), 0x86000004);
	assert_int_equal(pt_walk_esr(&w, &fetch_el0), 0x82000004);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x96000004);
	assert_int_equal(pt_walk_esr(&w, &write_el1), 0x96000044);
	assert_int_equal(pt_walk_esr(&w, &write_el0), 0x92000044);
}

static void seed_user_fault_is_92000006(void **state)
{
	(void)state;
	fake_put(&ram, L0, 0, L1 | TABLE);
	fake_put(&ram, L1, 0, L2 | TABLE);
	walk(0, &read_el0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 2);
	assert_int_equal(pt_walk_esr(&w, &read_el0), 0x92000006);
}

static void page_maps(void **state)
{
	(void)state;
	put_page(A_PAGE, 0, 0, 0);
	walk(LOW, &read_el1);
	assert_oa(0x41234123, 0x1000);
	assert_int_equal(w.step[3].kind, PT_PAGE);
}

static void one_gib_block_maps(void **state)
{
	(void)state;
	fake_put(&ram, L0, 0, L1 | TABLE);
	fake_put(&ram, L1, 2, 0x80000000 | VALID | AF | IDX(0));
	walk(0x8abcdef0, &read_el1);
	assert_oa(0x8abcdef0, 0x40000000);
}

/* Bit 0 is what makes an entry valid: 0b10 is not. */
static void type_10_is_invalid(void **state)
{
	(void)state;
	put_page(A_PAGE & ~UINT64_C(1), 0, 0, 0);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 3);
	fake_put(&ram, L1, 0, L2 | 2);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 1);
}

/* A level-3 descriptor of type 0b01 is reserved: it faults, it is not a page. */
static void level3_type_01_faults(void **state)
{
	(void)state;
	put_page((A_PAGE & ~UINT64_C(2)), 0, 0, 0);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_RESERVED, 3);
	assert_false(w.mapped);
}

static void level0_block_faults(void **state)
{
	(void)state;
	fake_put(&ram, L0, 0, VALID | AF);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_RESERVED, 0);
}

/* Bits above TxSZ have to be all the same as bit 55: between the halves is a hole. */
static void hole_between_the_halves_faults(void **state)
{
	(void)state;
	put_kernel_tables();
	walk(UINT64_C(0xff7fff8040000000), &fetch_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
	walk(UINT64_C(0x8000000040000000), &fetch_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
	walk(UINT64_C(0x0001000000000000), &fetch_el1);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
	assert_int_equal(w.steps, 0);
	assert_int_equal(ram.reads, 0);
}

/* With a small T1SZ half, an address that is not sign-extended from bit 38 is in the hole. */
static void hole_depends_on_txsz(void **state)
{
	struct regime r = fake_el1(L0, L1);

	(void)state;
	r.tcr = (SEED_TCR & ~(UINT64_C(63) << 16)) | (UINT64_C(25) << 16);
	fake_put(&ram, L1, 256, 0x40000000 | VALID | AF);
	assert_int_equal(walk_with(&r, UINT64_C(0xffffffc000000000), NULL), 0);
	assert_oa(0x40000000, 0x40000000);
	assert_int_equal(walk_with(&r, UINT64_C(0xffffff8000000000), NULL), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, 1);
	assert_int_equal(walk_with(&r, UINT64_C(0xffffff7fffffffff), NULL), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
}

/* Each half has its own size: T0SZ 25 starts at level 1, T1SZ 16 at level 0. */
static void halves_have_their_own_size(void **state)
{
	struct regime r = fake_el1(L1, L0);

	(void)state;
	r.tcr = (SEED_TCR & ~UINT64_C(63)) | 25;
	put_kernel_tables();
	assert_int_equal(walk_with(&r, 0x40000000, &read_el1), 0);
	assert_oa(0x40000000, 0x200000);
	assert_int_equal(w.step[0].level, 1);
	assert_int_equal(w.steps, 2);
	assert_int_equal(walk_with(&r, KERNEL, &read_el1), 0);
	assert_oa(0x40000000, 0x200000);
	assert_int_equal(w.step[0].level, 0);
}

/* TG0 and TG1 encode granules differently: each half has its own. */
static void granules_are_per_half(void **state)
{
	static const struct {
		unsigned int tg0, tg1;
		unsigned int low, high; /* log2; 0: refused */
	} cases[] = {
		{ 0, 2, 12, 12 }, { 1, 2, 16, 12 }, /* TG0 1: 64 KiB */
		{ 2, 2, 14, 12 },		    /* TG0 2: 16 KiB, TG1 2: 4 KiB */
		{ 3, 2, 0, 12 },  { 0, 0, 12, 0 },  /* TG1 0: reserved */
		{ 0, 1, 12, 14 }, { 0, 3, 12, 16 },
	};
	struct regime r = fake_el1(L0, L0);
	struct pt_config cfg;

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.tcr = (SEED_TCR & ~UINT64_C(0xc000c000)) | (uint64_t)cases[i].tg0 << 14 |
			(uint64_t)cases[i].tg1 << 30;
		assert_int_equal(pt_config_from_regime(&cfg, &r, LOW, NULL),
				 cases[i].low ? 0 : -BATON_EUNSUPPORTED);
		assert_true(cfg.granule == cases[i].low);
		assert_int_equal(pt_config_from_regime(&cfg, &r, KERNEL, NULL),
				 cases[i].high ? 0 : -BATON_EUNSUPPORTED);
		assert_true(cfg.granule == cases[i].high);
	}
}

/* T0SZ 32: the first table is at level 1 and has 4 entries, aligned to 32 bytes. */
static void short_root_is_aligned_to_its_size(void **state)
{
	struct regime r = fake_el1(L1 + 0x60, L0);

	(void)state;
	r.tcr = (SEED_TCR & ~UINT64_C(63)) | 32;
	fake_put(&ram, L1, 12 + 3, 0xc0000000 | VALID | AF);
	assert_int_equal(walk_with(&r, 0xc0001000, &read_el1), 0);
	assert_oa(0xc0001000, 0x40000000);
	assert_int_equal(w.step[0].address, L1 + 0x60 + 24);
	assert_false(w.cfg.root_misaligned);
	r.ttbr[0] = L1 + 0x68;
	assert_int_equal(walk_with(&r, 0xc0001000, &read_el1), 0);
	assert_true(w.cfg.root_misaligned);
	assert_oa(0xc0001000, 0x40000000);
}

static void start_levels(void **state)
{
	static const struct {
		unsigned int txsz;
		int level;
	} cases[] = { { 16, 0 }, { 24, 0 }, { 25, 1 }, { 33, 1 }, { 34, 2 }, { 39, 2 } };
	struct regime r = fake_el1(L0, L0);
	struct pt_config cfg;

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.tcr = (SEED_TCR & ~UINT64_C(63)) | cases[i].txsz;
		assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), 0);
		assert_int_equal(cfg.start, cases[i].level);
		assert_int_equal(cfg.ia_bits, 64 - cases[i].txsz);
	}
}

static void txsz_out_of_range_faults(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	r.tcr = SEED_TCR & ~UINT64_C(63);
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_TXSZ, 0);
	r.tcr = 0; /* nothing was set up: TG1 is reserved too, but a fault it is */
	assert_int_equal(walk_with(&r, KERNEL, &fetch_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_TXSZ, 0);
	r.tcr = (SEED_TCR & ~UINT64_C(63)) | 15;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_TXSZ, 0);
}

/* 40 to 48 depend on FEAT_TTST: refused while that is not known. */
static void small_regions_need_ttst(void **state)
{
	struct regime r = fake_el1(L3, L0);

	(void)state;
	r.tcr = (SEED_TCR & ~UINT64_C(63)) | 43; /* 21 bits: level 3 alone */
	assert_int_equal(walk_with(&r, LOW, NULL), -BATON_EUNSUPPORTED);
	r.known |= REGIME_MMFR2;
	assert_int_equal(walk_with(&r, LOW, NULL), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_TXSZ, 0);
	r.mmfr[2] = UINT64_C(1) << 28;
	fake_put(&ram, L3, 5, A_PAGE);
	assert_int_equal(walk_with(&r, 0x5123, NULL), 0);
	assert_oa(0x41234123, 0x1000);
	assert_int_equal(w.step[0].level, 3);
}

/* DS counts where ID_AA64MMFR0_EL1.TGran4 says so; where that is not shown, nobody knows. */
static void lpa2_needs_its_feature(void **state)
{
	struct regime r = fake_el1(L0, L0);
	struct pt_config cfg;

	(void)state;
	r.tcr |= UINT64_C(1) << 59;
	assert_int_equal(walk_with(&r, LOW, NULL), -BATON_EUNSUPPORTED);
	/* TGran4 = 0: 4 KiB without LPA2, where DS has no effect. */
	r.known |= REGIME_MMFR0;
	r.mmfr[0] = 2;
	assert_int_equal(pt_config_from_regime(&cfg, &r, LOW, NULL), 0);
	assert_false(cfg.ds);
	r.mmfr[0] = 0x10000006;
	assert_int_equal(pt_config_from_regime(&cfg, &r, LOW, NULL), 0);
	assert_true(cfg.ds);
}

static void walks_disabled_by_epd(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	put_kernel_tables();
	r.tcr |= UINT64_C(1) << 23;
	assert_int_equal(walk_with(&r, KERNEL, &fetch_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_EPD, 0);
	assert_int_equal(pt_walk_esr(&w, &fetch_el1), 0x86000004);
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_int_equal(w.reason, PT_REASON_INVALID);
	/* U-Boot: EPD1 set, T1SZ and TG1 left zero. */
	r.tcr &= ~UINT64_C(0xc03f0000);
	assert_int_equal(walk_with(&r, KERNEL, &fetch_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_EPD, 0);
}

static void top_byte_ignored(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	put_page(A_PAGE, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW | UINT64_C(0x5a) << 56, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
	r.tcr |= UINT64_C(1) << 37; /* TBI0 */
	assert_int_equal(walk_with(&r, LOW | UINT64_C(0x5a) << 56, &read_el1), 0);
	assert_oa(0x41234123, 0x1000);
	/* TBI1 is another bit, and bit 55 goes on choosing the half. */
	put_kernel_tables();
	assert_int_equal(walk_with(&r, KERNEL ^ UINT64_C(0x5a) << 56, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
	r.tcr |= UINT64_C(1) << 38;
	assert_int_equal(walk_with(&r, KERNEL & ~(UINT64_C(0xff) << 56), &read_el1), 0);
	assert_oa(0x40000000, 0x200000);
	assert_int_equal(w.cfg.half, 1);
	/* Bits 55 to 48 still have to agree. */
	assert_int_equal(walk_with(&r, LOW | UINT64_C(1) << 48, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
}

static void tbid_keeps_the_tag_for_fetches(void **state)
{
	struct regime r = fake_el1(L0, L0);
	uint64_t tagged = LOW | UINT64_C(1) << 60;

	(void)state;
	put_page(A_PAGE, 0, 0, 0);
	r.tcr |= UINT64_C(1) << 37 | UINT64_C(1) << 51;
	assert_int_equal(walk_with(&r, tagged, &read_el1), 0);
	assert_oa(0x41234123, 0x1000);
	assert_int_equal(walk_with(&r, tagged, &fetch_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
}

static void unreadable_table_ends_the_walk(void **state)
{
	(void)state;
	fake_put(&ram, L0, 0, 0x09000000 | TABLE);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_EXTERNAL, PT_REASON_NONE, 1);
	assert_int_equal(w.fault_output, 0x09000000);
	assert_int_equal(w.steps, 2);
	assert_false(w.step[1].read);
	assert_false(w.mapped);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x96000015);
	assert_int_equal(pt_walk_esr(&w, &fetch_el0), 0x82000015);
}

/* 40 bits out: an address with bit 40 set is too big, in a leaf, a table and the root. */
static void output_beyond_ps_faults(void **state)
{
	struct regime r = fake_el1(UINT64_C(0x10070000000), L0);

	(void)state;
	put_page(A_PAGE | UINT64_C(1) << 40, 0, 0, 0);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, 3);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x96000003);
	put_page(A_PAGE, 0, UINT64_C(1) << 47, 0);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, 1);
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_ROOT, 0);
	assert_int_equal(pt_walk_esr(&w, &fetch_el1), 0x86000000);
	assert_int_equal(ram.reads, 4 + 2);
}

/* PS 32, 36, 40, 42, 44, 48, 52: not 32 + 4n. 4 KiB descriptors without LPA2 hold 48. */
static void ps_is_irregular(void **state)
{
	static const unsigned int bits[] = { 32, 36, 40, 42, 44, 48, 48 };
	struct regime r = fake_el1(L0, L0);
	struct pt_config cfg;

	(void)state;
	for (unsigned int ps = 0; ps < 7; ps++) {
		r.tcr = (SEED_TCR & ~(UINT64_C(7) << 32)) | (uint64_t)ps << 32;
		assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), 0);
		assert_int_equal(cfg.oa_bits, bits[ps]);
	}
	/* PARange limits what PS may say. */
	r.known |= REGIME_MMFR0;
	r.mmfr[0] = 3;
	assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), 0);
	assert_int_equal(cfg.oa_bits, 42);
	r.tcr |= UINT64_C(7) << 32;
	assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), -BATON_EUNSUPPORTED);
}

/* A table that points to itself is a level deeper each time, and then a page. */
static void self_pointing_table_ends(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, L0 | TABLE | AF);
	walk(~UINT64_C(0), &read_el1);
	assert_oa(L0 + 0xfff, 0x1000);
	assert_int_equal(w.steps, 4);
	assert_int_equal(ram.reads, 4);
}

static void big_endian_tables(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	r.sctlr |= UINT64_C(1) << 25;
	fake_put(&ram, L0, 0, __builtin_bswap64(L1 | TABLE));
	fake_put(&ram, L1, 2, __builtin_bswap64(0x80000000 | VALID | AF));
	assert_int_equal(walk_with(&r, 0x80000010, &read_el1), 0);
	assert_oa(0x80000010, 0x40000000);
	assert_int_equal(w.step[0].desc, L1 | TABLE);
}

static void mmu_off_is_flat(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	r.sctlr = 0xc50838; /* what QEMU shows at reset: M is clear */
	assert_int_equal(walk_with(&r, 0x40001234, &fetch_el1), 0);
	assert_oa(0x40001234, 0x1000);
	assert_true(w.cfg.flat);
	assert_int_equal(w.attrs.own, PT_R | PT_W | PT_X);
	assert_int_equal(ram.reads, 0);
	/* The PA size is not known, but nothing has bit 63. */
	assert_int_equal(walk_with(&r, KERNEL, &fetch_el1), 0);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_IA, 0);
	assert_int_equal(pt_walk_esr(&w, &fetch_el1), 0x86000000);
	r.known |= REGIME_MMFR0;
	r.mmfr[0] = 2;
	assert_int_equal(walk_with(&r, UINT64_C(1) << 40, &read_el1), 0);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_IA, 0);
	/* Pending: the same registers as if M were set. */
	r.pending = true;
	put_kernel_tables();
	assert_int_equal(walk_with(&r, KERNEL, &fetch_el1), 0);
	assert_oa(0x40000000, 0x200000);
}

static void overlay_pretends_a_descriptor(void **state)
{
	struct regime r = fake_el1(L0, L0);
	struct pt_overlay o = { .below = fake_reader(&ram),
				.address = L0 + 0xff8,
				.value = L1 | TABLE };
	struct pt_reader reader = pt_overlay_reader(&o);

	(void)state;
	put_kernel_tables();
	fake_put(&ram, L0, 511, 0);
	assert_int_equal(pt_walk_regime(&r, &reader, KERNEL, &fetch_el1, &w, NULL), 0);
	assert_oa(0x40000000, 0x200000);
	assert_int_equal(ram.word[(L0 + 0xff8 - FAKE_BASE) / 8], 0);
}

static void config_is_for_one_half(void **state)
{
	struct regime r = fake_el1(L0, L0);
	struct pt_reader reader = fake_reader(&ram);
	struct pt_config cfg;

	(void)state;
	assert_int_equal(pt_config_from_regime(&cfg, &r, LOW, NULL), 0);
	assert_int_equal(pt_walk(&cfg, &reader, KERNEL, NULL, &w), -BATON_EINVAL);
	r.known &= ~(unsigned int)REGIME_TCR;
	assert_int_equal(pt_config_from_regime(&cfg, &r, LOW, NULL), -BATON_ENOTFOUND);
}

struct seen {
	unsigned int leaves;
	uint64_t ia[8], oa[8];
	struct pt_map_stats stats;
};

static int see(void *ctx, const struct pt_mapping *m)
{
	struct seen *s = ctx;

	if (s->leaves++ < 8)
		s->ia[s->leaves - 1] = m->ia, s->oa[s->leaves - 1] = m->oa;
	return 0;
}

static int map(uint64_t from, uint64_t to, struct seen *s)
{
	const struct pt_map_sink sink = { .leaf = see, .ctx = s };
	struct regime r = fake_el1(L0, L0);
	struct pt_reader reader = fake_reader(&ram);
	struct pt_config cfg;

	assert_int_equal(pt_config_from_regime(&cfg, &r, from, NULL), 0);
	return pt_map_words(&cfg, &reader, from, to, &sink, &s->stats);
}

static void map_meets_everything_in_order(void **state)
{
	struct seen s = { 0 };

	(void)state;
	put_kernel_tables();
	fake_put(&ram, L2, 3, 0x40600711);
	fake_put(&ram, L2, 7, 0x40e00710); /* invalid */
	fake_put(&ram, L1, 2, 0x80000000 | VALID | AF);
	fake_put(&ram, L1, 9, 0x09000000 | TABLE);
	assert_int_equal(map(UINT64_C(0xffff000000000000), ~UINT64_C(0), &s), 0);
	assert_int_equal(s.stats.unreadable, 1);
	assert_int_equal(s.leaves, 3);
	assert_int_equal(s.ia[0], KERNEL);
	assert_int_equal(s.ia[1], KERNEL + 0x600000);
	assert_int_equal(s.oa[1], 0x40600000);
	assert_int_equal(s.ia[2], UINT64_C(0xffffff8080000000));
	/* A part of it. */
	s = (struct seen){ 0 };
	assert_int_equal(map(KERNEL + 0x7fffff, KERNEL + 0x800000, &s), 0);
	assert_int_equal(s.leaves, 1);
	assert_int_equal(s.ia[0], KERNEL + 0x600000);
}

static void map_of_a_loop_ends(void **state)
{
	struct seen s = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 512; i++)
		fake_put(&ram, L0, i, L0 | TABLE);
	assert_int_equal(map(0, (UINT64_C(1) << 48) - 1, &s), 0);
	assert_int_equal(s.stats.loops, 3);
	assert_int_equal(s.stats.tables[4], 1); /* each level once */
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(seed_block_maps),
		T(seed_empty_level0_faults),
		T(seed_user_fault_is_92000006),
		T(page_maps),
		T(one_gib_block_maps),
		T(type_10_is_invalid),
		T(level3_type_01_faults),
		T(level0_block_faults),
		T(hole_between_the_halves_faults),
		T(hole_depends_on_txsz),
		T(halves_have_their_own_size),
		T(granules_are_per_half),
		T(short_root_is_aligned_to_its_size),
		T(start_levels),
		T(txsz_out_of_range_faults),
		T(small_regions_need_ttst),
		T(lpa2_needs_its_feature),
		T(walks_disabled_by_epd),
		T(top_byte_ignored),
		T(tbid_keeps_the_tag_for_fetches),
		T(unreadable_table_ends_the_walk),
		T(output_beyond_ps_faults),
		T(ps_is_irregular),
		T(self_pointing_table_ends),
		T(big_endian_tables),
		T(mmu_off_is_flat),
		T(overlay_pretends_a_descriptor),
		T(config_is_for_one_half),
		T(map_meets_everything_in_order),
		T(map_of_a_loop_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
