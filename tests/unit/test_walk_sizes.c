// SPDX-License-Identifier: BSD-2-Clause
/*
 * Granules of 16 and 64 KiB, 52-bit addresses in and out (LVA, LPA, LPA2), level -1: bit
 * positions by hand from DDI 0487, D8.2 and D8.3.
 */
#include "mmu/a64.h"
#include "walk_unit.h"

#define DS (UINT64_C(1) << 59)

/* -cpu max: PARange 52 bits, TGran4 and TGran16 with LPA2, VARange 52 bits, small tables. */
static void big(struct regime *r, unsigned int tg0, unsigned int t0sz, unsigned int ips)
{
	*r = fake_el1(L0, L0);
	r->known |= REGIME_MMFR0 | REGIME_MMFR1 | REGIME_MMFR2;
	r->mmfr[0] = 0x10200006;
	r->mmfr[2] = UINT64_C(1) << 28 | 1 << 16;
	r->tcr = t0sz | (uint64_t)tg0 << 14 | UINT64_C(16) << 16 | UINT64_C(2) << 30 |
		 (uint64_t)ips << 32;
}

static struct pt_config config(const struct regime *r)
{
	struct pt_config cfg;

	assert_int_equal(pt_config_from_regime(&cfg, r, 0, NULL), 0);
	return cfg;
}

/* D8.2.4 and its tables of start levels: granule, input bits, level. */
static void start_levels_of_all_granules(void **state)
{
	static const struct {
		unsigned int tg0, bits;
		bool ds;
		int level;
	} cases[] = {
		{ 0, 52, true, -1 }, { 0, 49, true, -1 }, { 0, 48, true, 0 },  { 0, 39, false, 1 },
		{ 0, 21, false, 3 }, { 2, 52, true, 0 },  { 2, 48, false, 0 }, { 2, 47, false, 1 },
		{ 2, 36, false, 2 }, { 2, 25, false, 3 }, { 1, 52, false, 1 }, { 1, 48, false, 1 },
		{ 1, 43, false, 1 }, { 1, 42, false, 2 }, { 1, 29, false, 3 },
	};
	struct regime r;

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		big(&r, cases[i].tg0, 64 - cases[i].bits, 6);
		r.tcr |= cases[i].ds ? DS : 0;
		assert_int_equal(config(&r).start, cases[i].level);
	}
}

static void pages_of_16k(void **state)
{
	struct regime r;

	(void)state;
	/* 36 bits: level 2 (bits 35:25), level 3 (24:14). */
	big(&r, 2, 28, 5);
	fake_put(&ram, L0, 3, L2 | TABLE);
	r.ttbr[0] = L0;
	/* L2 is 0x7000a000: not on 16 KiB, so the table is at 0x70008000. */
	fake_put(&ram, 0x70008000, 5, 0x41238000 | PAGE | AF);
	assert_int_equal(walk_with(&r, (UINT64_C(3) << 25) + (5 << 14) + 0x123, &read_el1), 0);
	assert_oa(0x41238123, 0x4000);
	/* A block of 32 MiB at level 2; at level 1 there is none without LPA2. */
	fake_put(&ram, L0, 4, 0x42000000 | VALID | AF);
	assert_int_equal(walk_with(&r, UINT64_C(4) << 25, &read_el1), 0);
	assert_oa(0x42000000, 0x2000000);
}

static void pages_of_64k(void **state)
{
	struct regime r;

	(void)state;
	/* 42 bits: level 2 (41:29), level 3 (28:16). */
	big(&r, 1, 22, 5);
	r.ttbr[0] = 0x70010000;
	fake_put(&ram, 0x70010000, 2, 0x70020000 | TABLE);
	fake_put(&ram, 0x70020000, 7, 0x41250000 | PAGE | AF);
	assert_int_equal(walk_with(&r, (UINT64_C(2) << 29) + (7 << 16) + 0x1234, &read_el1), 0);
	assert_oa(0x41251234, 0x10000);
	fake_put(&ram, 0x70010000, 3, 0x60000000 | VALID | AF);
	assert_int_equal(walk_with(&r, UINT64_C(3) << 29, &read_el1), 0);
	assert_oa(0x60000000, 0x20000000);
}

/* LPA: with 64 KiB granules OA[51:48] are bits 15:12, of tables, blocks and pages. */
static void lpa_keeps_the_top_below(void **state)
{
	struct regime r;

	(void)state;
	big(&r, 1, 22, 6);
	r.ttbr[0] = 0x70010000;
	fake_put(&ram, 0x70010000, 3, 0x6000a000 | VALID | AF);
	assert_int_equal(walk_with(&r, UINT64_C(3) << 29, &read_el1), 0);
	assert_oa(UINT64_C(0xa000060000000), 0x20000000);
	/* And level 1 has blocks, of 4 TiB. */
	big(&r, 1, 16, 6);
	r.ttbr[0] = 0x70018000;
	fake_put(&ram, 0x70018000, 1, UINT64_C(0x40000000000) | VALID | AF);
	assert_int_equal(walk_with(&r, UINT64_C(0x40000000123), &read_el1), 0);
	assert_oa(UINT64_C(0x40000000123), UINT64_C(0x40000000000));
	r.mmfr[0] = 0x10200005;
	assert_int_equal(walk_with(&r, UINT64_C(0x40000000123), &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_RESERVED, 1);
	/* With a smaller PS they are beyond it. */
	big(&r, 1, 22, 5);
	r.ttbr[0] = 0x70010000;
	assert_int_equal(walk_with(&r, UINT64_C(3) << 29, &read_el1), 0);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, 2);
	assert_int_equal(w.fault_output, UINT64_C(0xa000060000000));
	/* Without LPA (PARange 48 bits) they are RES0. */
	r.mmfr[0] = 0x10200005;
	assert_int_equal(walk_with(&r, UINT64_C(3) << 29, &read_el1), 0);
	assert_oa(0x60000000, 0x20000000);
}

/* LPA2: OA[51:50] are bits 9:8, OA[49:48] in place; shareability is TCR's. */
static void lpa2_takes_the_shareability(void **state)
{
	struct regime r;

	(void)state;
	big(&r, 0, 16, 6);
	r.tcr |= DS | UINT64_C(2) << 12; /* SH0: outer */
	put_page((A_PAGE & ~ISH) | 0x300 | UINT64_C(2) << 48, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_oa(UINT64_C(0xe000041234123), 0x1000);
	assert_int_equal(w.attrs.share, PT_SHARE_OUTER);
	assert_null(pt_field_find(pt_desc_fields(&w.cfg, PT_PAGE), "SH"));
	/* A block of 512 GiB at level 0. */
	fake_put(&ram, L0, 1, UINT64_C(0x8000000000) | VALID | AF);
	assert_int_equal(walk_with(&r, UINT64_C(0x8000000005), &read_el1), 0);
	assert_oa(UINT64_C(0x8000000005), UINT64_C(0x8000000000));
}

/* TTBR[5:2] are the root's bits 51:48, and the root is aligned to 64 bytes at least. */
static void roots_of_52_bits(void **state)
{
	struct regime r;

	(void)state;
	big(&r, 1, 22, 6);
	r.ttbr[0] = 0x70010000 | 5 << 2 | 1;
	assert_int_equal(config(&r).root, UINT64_C(0x5000070010000));
	assert_false(config(&r).root_misaligned);
	r.ttbr[0] = 0x70010000 | 8 << 2;
	assert_int_equal(config(&r).root, UINT64_C(0x8000070010000));
	big(&r, 0, 32, 6);
	r.tcr |= DS;
	r.ttbr[0] = 0x70000060; /* bit 5 is PA[51] */
	assert_int_equal(config(&r).root, UINT64_C(0x8000070000040));
	assert_false(config(&r).root_misaligned);
	/* Without: 4 entries of level 1 need 32 bytes. */
	big(&r, 0, 32, 5);
	r.ttbr[0] = 0x70000060;
	assert_int_equal(config(&r).root, 0x70000060);
}

/* Level -1 has fault status codes of its own (D24.2.40): 0x29, 0x2b, 0x13. */
static void faults_of_level_minus_one(void **state)
{
	struct regime r;

	(void)state;
	big(&r, 0, 12, 6);
	r.tcr |= DS;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_INVALID, -1);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x9600002b);
	fake_put(&ram, L0, 0, L1 | VALID); /* no blocks there */
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_RESERVED, -1);
	assert_int_equal(pt_walk_esr(&w, &fetch_el1), 0x8600002b);
	fake_put(&ram, L0, 0, L1 | TABLE | 0x300);
	r.tcr = (r.tcr & ~(UINT64_C(7) << 32)) | UINT64_C(5) << 32;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, -1);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x96000029);
	r.ttbr[0] = 0x09000000;
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_fault(PT_FAULT_EXTERNAL, PT_REASON_NONE, -1);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x96000013);
	/* Before any table is read a fault is of level 0. */
	assert_int_equal(walk_with(&r, LOW | UINT64_C(1) << 52, &read_el1), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
}

static void least_txsz(void **state)
{
	struct regime r;

	(void)state;
	big(&r, 1, 12, 6);
	assert_false(config(&r).txsz_bad); /* LVA */
	r.mmfr[2] = 0;
	assert_true(config(&r).txsz_bad);
	r.known &= ~(unsigned int)REGIME_MMFR2;
	assert_int_equal(walk_with(&r, LOW, NULL), -BATON_EUNSUPPORTED);
	big(&r, 0, 12, 6);
	assert_true(config(&r).txsz_bad);
	r.tcr |= DS;
	assert_false(config(&r).txsz_bad);
	/* TTST: 48, but 47 with 64 KiB. */
	big(&r, 1, 48, 5);
	assert_true(config(&r).txsz_bad);
	big(&r, 1, 47, 5);
	assert_false(config(&r).txsz_bad);
	big(&r, 2, 48, 5);
	assert_false(config(&r).txsz_bad);
}

static void a_granule_that_is_not_there(void **state)
{
	struct regime r;
	struct pt_config cfg;

	(void)state;
	big(&r, 2, 16, 5);
	r.mmfr[0] = 0x00000005; /* TGran16 0 */
	assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), -BATON_EUNSUPPORTED);
	big(&r, 1, 16, 5);
	r.mmfr[0] = 0x0f000005; /* TGran64 15 */
	assert_int_equal(pt_config_from_regime(&cfg, &r, 0, NULL), -BATON_EUNSUPPORTED);
}

/* D8.7.1: 16 with 4 KiB; 16 KiB 128 and 32; 64 KiB 32. */
static void contiguous_groups(void **state)
{
	struct pt_reader reader = fake_reader(&ram);
	struct regime r;
	struct pt_config cfg;
	unsigned int bad = 0;

	(void)state;
	big(&r, 2, 16, 5);
	cfg = config(&r);
	assert_int_equal(pt_contiguous_entries(&cfg, 3), 128);
	assert_int_equal(pt_contiguous_entries(&cfg, 2), 32);
	big(&r, 1, 16, 5);
	cfg = config(&r);
	assert_int_equal(pt_contiguous_entries(&cfg, 3), 32);
	big(&r, 0, 16, 5);
	cfg = config(&r);
	assert_int_equal(pt_contiguous_entries(&cfg, 2), 16);
	put_page(0, 0, 0, 0);
	for (unsigned int i = 0; i < 16; i++)
		fake_put(&ram, L3, i, (0x41230000 + (i << 12)) | PAGE | AF | CONTIG);
	assert_int_equal(walk_with(&r, LOW, NULL), 0);
	assert_int_equal(pt_contiguous_check(&cfg, &reader, &w.step[3], &bad), 1);
	/* AF may differ, an address or a permission may not. */
	fake_put(&ram, L3, 3, 0x41233000 | PAGE | CONTIG);
	assert_int_equal(pt_contiguous_check(&cfg, &reader, &w.step[3], &bad), 1);
	fake_put(&ram, L3, 3, 0x41233000 | PAGE | AF | CONTIG | AP_RO);
	assert_int_equal(pt_contiguous_check(&cfg, &reader, &w.step[3], &bad), 0);
	assert_int_equal(bad, 3);
	fake_put(&ram, L3, 3, 0x41234000 | PAGE | AF | CONTIG);
	assert_int_equal(pt_contiguous_check(&cfg, &reader, &w.step[3], &bad), 0);
	/* Right among themselves but not aligned to the group. */
	for (unsigned int i = 0; i < 16; i++)
		fake_put(&ram, L3, i, (0x41231000 + (i << 12)) | PAGE | AF | CONTIG);
	assert_int_equal(walk_with(&r, LOW, NULL), 0);
	assert_int_equal(pt_contiguous_check(&cfg, &reader, &w.step[3], &bad), 0);
}

/* What an edit puts in place the walk finds again. */
static void addresses_go_in_and_out(void **state)
{
	static const uint64_t addr = UINT64_C(0xd0000e0000000);
	struct regime r;
	struct pt_config cfg;
	uint64_t desc;

	(void)state;
	big(&r, 1, 16, 6);
	cfg = config(&r);
	desc = pt_desc_with_address(&cfg, 2, PT_BLOCK, ~UINT64_C(0), addr);
	assert_int_equal(desc & 0xffffffffffff, UINT64_C(0xe0000000) | 0x1fff0fff | 0xd000);
	assert_int_equal(pt_desc_address(&cfg, 2, PT_BLOCK, desc), addr);
	big(&r, 0, 16, 6);
	r.tcr |= DS;
	cfg = config(&r);
	desc = pt_desc_with_address(&cfg, 3, PT_PAGE, 3, addr);
	assert_int_equal(desc, UINT64_C(0x10000e0000303));
	assert_int_equal(pt_desc_address(&cfg, 3, PT_PAGE, desc), addr);
	assert_int_equal(pt_desc_edit(&cfg, 3, &desc, "OA=0x4000041230000", NULL), 0);
	assert_int_equal(desc, UINT64_C(0x41230103));
}

/* Output addresses count in full: a 512 GiB block at 0 with 36 bits of output. */
static void block_larger_than_the_output(void **state)
{
	struct regime r;

	(void)state;
	big(&r, 0, 16, 1);
	r.tcr |= DS;
	fake_put(&ram, L0, 0, VALID | AF | IDX(4));
	assert_int_equal(walk_with(&r, UINT64_C(0xfffffffff), &read_el1), 0);
	assert_oa(UINT64_C(0xfffffffff), UINT64_C(1) << 39);
	assert_int_equal(walk_with(&r, UINT64_C(0x1000000000), &read_el1), 0);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, 0);
	assert_int_equal(w.fault_output, UINT64_C(0x1000000000));
	assert_false(w.mapped);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(start_levels_of_all_granules),
		T(pages_of_16k),
		T(pages_of_64k),
		T(lpa_keeps_the_top_below),
		T(lpa2_takes_the_shareability),
		T(roots_of_52_bits),
		T(faults_of_level_minus_one),
		T(least_txsz),
		T(a_granule_that_is_not_there),
		T(contiguous_groups),
		T(addresses_go_in_and_out),
		T(block_larger_than_the_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
