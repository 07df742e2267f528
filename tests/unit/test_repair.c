// SPDX-License-Identifier: BSD-2-Clause
/* Broken tables, and what is proposed for them: the descriptor, its value, its rank. */
#include "walk_unit.h"

#include "handoff/repair.h"

#define LOWER_L0 UINT64_C(0x7000f000)
#define LOWER_L1 UINT64_C(0x7000e000)
#define OTHER	 UINT64_C(0x70010000)

static struct repairs repairs;
static struct repair_query q;
static struct scan_span span;
static struct regime regime;
static uint64_t code_at; /* where the kernel lies: code, copied, its start */

static int read_fake(void *ctx, uint64_t pa, void *data, size_t len)
{
	(void)ctx;
	if (pa < FAKE_BASE || pa + len > FAKE_BASE + sizeof(ram.word))
		return -BATON_ERANGE;
	memcpy(data, (uint8_t *)ram.word + (pa - FAKE_BASE), len);
	return 0;
}

static bool is_ram(void *ctx, uint64_t pa)
{
	(void)ctx;
	return pa >= 0x40000000 && pa < 0xc0000000;
}

static unsigned int judge(void *ctx, uint64_t pa)
{
	(void)ctx;
	if (pa == code_at)
		return PROOF_CODE | PROOF_COPIED | PROOF_START;
	return pa > code_at && pa < code_at + 0x100000 ? PROOF_CODE : 0;
}

static int prepare(void **state)
{
	setup(state);
	code_at = 0x40000000;
	span = (struct scan_span){ 0x70008000, 0x70010fff };
	put_kernel_tables();
	/* the loader's own half: 1 GiB blocks onto themselves */
	fake_put(&ram, LOWER_L0, 0, LOWER_L1 | TABLE);
	fake_put(&ram, LOWER_L1, 1, 0x40000000 | VALID | AF | ISH | IDX(4));
	return 0;
}

static void find_for(const struct pt_access *acc)
{
	regime = fake_el1(LOWER_L0, L0);
	assert_int_equal(walk_with(&regime, KERNEL, acc), 0);
	q = (struct repair_query){
		.regime = &regime,
		.reader = fake_reader(&ram),
		.acc = *acc,
		.walk = &w,
		.spans = &span,
		.span_count = 1,
		.read = read_fake,
		.is_ram = is_ram,
		.judge = judge,
	};
	repair_find(&q, &repairs);
}

static void find(void)
{
	find_for(&fetch_el1);
}

static void assert_best(uint64_t address, uint64_t value, const char *edit)
{
	const struct repair *best = repair_best(&repairs);

	assert_non_null(best);
	assert_int_equal(best->address, address);
	assert_int_equal(best->new, value);
	assert_string_equal(best->edit, edit);
	assert_int_equal(best->after.fault, PT_FAULT_NONE);
}

/* The lower half's table has an entry at the same index that ends in the same place. */
static void seed_case_finds_the_orphan(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, 0);
	find();
	assert_best(L0 + 0xff8, L1 | TABLE, "0x7000b003");
	assert_int_equal(repairs.list[0].level, 0);
	assert_int_equal(repairs.list[0].index, 511);
	assert_int_equal(repairs.list[0].use, USE_ORPHAN);
	assert_int_equal(repairs.list[0].after.oa, 0x40000000);
}

static void table_that_the_lower_root_leads_to_is_as_good(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, 0);
	fake_put(&ram, LOWER_L0, 1, L1 | TABLE); /* for EL2 */
	find();
	assert_best(L0 + 0xff8, L1 | TABLE, "0x7000b003");
	assert_int_equal(repairs.list[0].use, USE_OTHER_HALF);
}

static void missing_level_1_entry_is_found(void **state)
{
	(void)state;
	fake_put(&ram, L1, 1, 0);
	find();
	assert_best(L1 + 8, L2 | TABLE, "0x7000a003");
}

static void entry_to_the_wrong_table_is_replaced(void **state)
{
	(void)state;
	/* an empty one */
	fake_put(&ram, L0, 511, OTHER | TABLE);
	find();
	assert_best(L0 + 0xff8, L1 | TABLE, "0x7000b003");
}

static void two_that_are_as_good_give_no_best(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, 0);
	fake_put(&ram, OTHER, 1, L2 | TABLE);
	find();
	assert_true(repairs.count >= 2);
	assert_null(repair_best(&repairs));
}

static void what_ends_nowhere_is_not_proposed(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, 0);
	fake_put(&ram, L2, 0, 0x09000000 | VALID | AF); /* not RAM */
	code_at = 0x50000000;
	find();
	assert_int_equal(repairs.count, 0);
	assert_null(repair_best(&repairs));
}

static void access_flag_is_set(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000311);
	find();
	assert_int_equal(w.fault, PT_FAULT_ACCESS_FLAG);
	assert_best(L2, 0x40000711, "AF=1");
}

static void execute_never_is_cleared(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000711 | PXN);
	find();
	assert_best(L2, 0x40000711, "PXN=0");
}

static void execute_never_of_a_table_is_cleared(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, L1 | TABLE | PXNT);
	find();
	assert_best(L0 + 0xff8, L1 | TABLE, "PXNTable=0");
}

static void memory_that_el0_may_write_is_not_executable_at_el1(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000711 | AP_EL0);
	find();
	assert_int_equal(w.fault, PT_FAULT_PERMISSION);
	assert_non_null(repair_best(&repairs));
	assert_int_equal(repair_best(&repairs)->new, 0x40000711);
}

static void read_only_is_lifted_for_a_write(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000711 | AP_RO);
	find_for(&write_el1);
	assert_non_null(repair_best(&repairs));
	assert_int_equal(repair_best(&repairs)->new, 0x40000711);
}

static void missing_block_continues_its_neighbors(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0);
	fake_put(&ram, L2, 1, 0x40200711);
	find();
	assert_best(L2, 0x40000711, "0x40000711");
}

static void cleared_valid_bit_is_set(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000710);
	find();
	assert_best(L2, 0x40000711, "0x40000711");
}

static void reserved_type_becomes_a_table(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, L1 | VALID);
	find();
	assert_int_equal(w.reason, PT_REASON_RESERVED);
	assert_best(L0 + 0xff8, L1 | TABLE, "0x7000b003");
}

static void wrong_output_address_continues_its_neighbors(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x48000711);
	fake_put(&ram, L2, 1, 0x40200711);
	find();
	assert_int_equal(w.fault, PT_FAULT_NONE);
	assert_best(L2, 0x40000711, "OA=0x40000000");
}

/* A block of 1 GiB then, and its output address has bits that no block has. */
static void table_that_lost_its_type_bit_gets_it_back(void **state)
{
	(void)state;
	fake_put(&ram, L1, 1, L2 | VALID);
	find();
	assert_int_equal(w.fault, PT_FAULT_ACCESS_FLAG);
	assert_best(L1 + 8, L2 | TABLE, "0x7000a003");
}

/* No bit of the leaf helps where the leaf is another table's. */
static void wrong_table_with_a_forbidding_leaf_is_replaced(void **state)
{
	(void)state;
	fake_put(&ram, OTHER, 0, 0x08000000 | VALID | AF | UINT64_C(1) << 53);
	fake_put(&ram, L1, 1, OTHER | TABLE);
	find();
	assert_int_equal(w.fault, PT_FAULT_PERMISSION);
	assert_best(L1 + 8, L2 | TABLE, "0x7000a003");
}

static void entries_that_are_one_off_are_seen(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 512; i++)
		fake_put(&ram, L2, i, (0x40200000 + i * UINT64_C(0x200000)) | 0x711);
	find();
	assert_best(L2, 0x40000711, "OA=0x40000000");
	assert_int_equal(repairs.list[0].kind, REPAIR_SHIFTED);
	assert_int_equal(repairs.list[0].shift, -0x200000);
}

/* Data: nothing speaks for a place but the entries around, and they need not be adjacent. */
static void distant_entry_of_the_same_table_is_continued(void **state)
{
	static const struct pt_access read = { .kind = PT_READ, .el = 1 };

	(void)state;
	for (unsigned int i = 0; i < 512; i++)
		fake_put(&ram, L2, i, 0);
	fake_put(&ram, L2, 5, 0x40a00711);
	find_for(&read);
	assert_best(L2, 0x40000711, "0x40000711");
	assert_int_equal(repairs.list[0].like, 5);
}

/* AP 0b01 would let EL1 write too, but then it may not execute what lies there. */
static void read_only_memory_becomes_writable_for_el1_alone(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000711 | 3 << 6);
	find_for(&write_el1);
	assert_best(L2, 0x40000711, "AP=0");
}

static void nothing_for_an_address_in_neither_half(void **state)
{
	(void)state;
	regime = fake_el1(LOWER_L0, L0);
	assert_int_equal(walk_with(&regime, UINT64_C(0x00ff000000000000), &fetch_el1), 0);
	repair_find(&q, &repairs);
	assert_int_equal(repairs.count, 0);
}

static void nothing_in_a_half_that_is_off(void **state)
{
	(void)state;
	find();
	regime.tcr |= 1 << 23; /* EPD1 */
	assert_int_equal(walk_with(&regime, KERNEL, &fetch_el1), 0);
	assert_int_equal(w.reason, PT_REASON_EPD);
	repair_find(&q, &repairs);
	assert_int_equal(repairs.count, 0);
}

static void el2_has_one_root(void **state)
{
	(void)state;
	fake_put(&ram, L0, 511, 0);
	regime = fake_el2(LOWER_L0);
	assert_int_equal(walk_with(&regime, UINT64_C(0x8040000000),
				   &(struct pt_access){ .kind = PT_FETCH, .el = 2 }),
			 0);
	q.acc.el = 2;
	repair_find(&q, &repairs);
	assert_best(LOWER_L0 + 8, L1 | TABLE, "0x7000b003");
}

/* --- registers: the tables are right */

#define EPD1	 (UINT64_C(1) << 23)
#define TG1_64K	 (UINT64_C(1) << 30) /* with 4 KiB's bit */
#define TCR_T1SZ (UINT64_C(63) << 16)
#define CODE_PC	 UINT64_C(0x70008000)

static void find_registers(uint64_t ttbr1, uint64_t tcr_clear, uint64_t tcr_set)
{
	regime = fake_el1(LOWER_L0, ttbr1);
	regime.tcr = (regime.tcr & ~tcr_clear) | tcr_set;
	q = (struct repair_query){
		.regime = &regime,
		.reader = fake_reader(&ram),
		.acc = fetch_el1,
		.walk = &w,
		.registers = true,
		.running = true,
		.pc = CODE_PC,
		.spans = &span,
		.span_count = 1,
		.read = read_fake,
		.is_ram = is_ram,
		.judge = judge,
	};
	assert_int_equal(walk_with(&regime, KERNEL, &fetch_el1), 0);
	repair_find(&q, &repairs);
}

static void assert_register(const char *reg, uint64_t value, const char *fields)
{
	const struct repair *best = repair_best(&repairs);

	assert_non_null(best);
	assert_int_equal(best->kind, REPAIR_SYSREG);
	assert_string_equal(best->reg, reg);
	assert_int_equal(best->new, value);
	assert_string_equal(best->edit, fields);
	assert_int_equal(best->after.oa, 0x40000000);
}

static void root_that_the_register_misses_is_found(void **state)
{
	(void)state;
	find_registers(OTHER, 0, 0);
	assert_register("TTBR1", L0, "");
	assert_int_equal(repairs.list[0].use, USE_ORPHAN);
}

static void size_that_starts_at_the_wrong_index_is_widened(void **state)
{
	uint64_t right = fake_el1(LOWER_L0, L0).tcr;

	(void)state;
	find_registers(L0, TCR_T1SZ, UINT64_C(24) << 16);
	assert_register("TCR", right, "T1SZ=16");
}

static void walks_that_are_off_are_turned_on(void **state)
{
	uint64_t right = fake_el1(LOWER_L0, L0).tcr;

	(void)state;
	find_registers(L0, 0, EPD1);
	assert_register("TCR", right, "EPD1=0");
}

static void granule_that_is_wrong_is_put_right(void **state)
{
	uint64_t right = fake_el1(LOWER_L0, L0).tcr;

	(void)state;
	find_registers(L0, 0, TG1_64K);
	assert_register("TCR", right, "TG1=2");
}

/* A block that is wrong is no reason to change a register. */
static void register_is_left_where_a_descriptor_is_wrong(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000311);
	find_registers(L0, 0, 0);
	assert_best(L2, 0x40000711, "AF=1");
	assert_int_equal(repairs.list[0].kind, REPAIR_BITS);
}

static void block_with_the_type_of_a_table_gets_its_own(void **state)
{
	(void)state;
	fake_put(&ram, L2, 0, 0x40000713);
	find();
	assert_int_equal(repair_best(&repairs)->new, 0x40000711);
}

/* The other granules, by hand: TCR.TG1, then KERNEL's indexes at each level. */
static void find_in_upper_half(uint64_t tg1, uint64_t t1sz, uint64_t root)
{
	regime = fake_el1(LOWER_L0, root);
	regime.tcr &= ~(UINT64_C(3) << 30 | UINT64_C(63) << 16);
	regime.tcr |= tg1 << 30 | t1sz << 16;
	q.regime = &regime;
	q.acc = fetch_el1;
	assert_int_equal(walk_with(&regime, KERNEL, &fetch_el1), 0);
	repair_find(&q, &repairs);
}

/* 16 KiB, 47 bits: level 1 has 36 bits below it, level 2 25, 32 MiB. */
#define L1_16K UINT64_C(0x70010000)
#define L2_16K UINT64_C(0x70014000)

static void tables_of_16k_are_repaired(void **state)
{
	(void)state;
	find(); /* for q */
	span = (struct scan_span){ L1_16K, 0x7001ffff };
	fake_put(&ram, L2_16K, 32, 0x40000711);
	find_in_upper_half(1, 17, L1_16K);
	assert_int_equal(w.level, 1);
	assert_best(L1_16K + 8 * UINT64_C(2040), L2_16K | TABLE, "0x70014003");
	/* behind the first 4 KiB of the table: the last of its 2048 entries speaks too */
	fake_put(&ram, L2_16K, 2047, 0x40004711); /* 32 MiB, not aligned */
	find_in_upper_half(1, 17, L1_16K);
	assert_int_equal(repairs.count, 0);
	fake_put(&ram, L2_16K, 2047, 0);
	fake_put(&ram, L1_16K, 2040, L2_16K | TABLE);
	fake_put(&ram, L2_16K, 32, 0x40000311);
	find_in_upper_half(1, 17, L1_16K);
	assert_best(L2_16K + 8 * UINT64_C(32), 0x40000711, "AF=1");
}

/* 64 KiB, 48 bits: level 1 has 42 bits below it and 64 entries, level 2 29, level 3 16. */
#define L1_64K UINT64_C(0x70010000)
#define L2_64K UINT64_C(0x70020000)
#define L3_64K UINT64_C(0x70030000)

static void tables_of_64k_are_repaired(void **state)
{
	(void)state;
	find();
	span = (struct scan_span){ L1_64K, 0x7005ffff };
	fake_put(&ram, L1_64K, 63, L2_64K | TABLE);
	fake_put(&ram, L3_64K, 0, 0x40000713);
	find_in_upper_half(3, 16, L1_64K);
	assert_int_equal(w.level, 2);
	assert_best(L2_64K + 8 * UINT64_C(7170), L3_64K | TABLE, "0x70030003");
	fake_put(&ram, L2_64K, 7170, L3_64K | TABLE);
	fake_put(&ram, L3_64K, 0, 0);
	fake_put(&ram, L3_64K, 8191, 0x5fff0713); /* the last entry: 8191 pages on */
	find_in_upper_half(3, 16, L1_64K);
	assert_best(L3_64K, 0x40000713, "0x40000713");
	assert_int_equal(repairs.list[0].like, 8191);
}

/* PS 6: a table's address has its bits 51:48 in 15:12. */
static void table_beyond_48_bits_is_compared_by_its_address(void **state)
{
	struct pt_config cfg;
	uint64_t to, entry = UINT64_C(0x7002f003);

	(void)state;
	regime = fake_el1(L0, L1_64K);
	regime.tcr |= UINT64_C(3) << 30 | UINT64_C(6) << 32;
	regime.known |= REGIME_MMFR0;
	regime.mmfr[0] = 6;
	assert_int_equal(pt_config_from_regime(&cfg, &regime, UINT64_MAX, NULL), 0);
	assert_true(pt_points_to_table(&cfg, (uint8_t *)&entry, 0, &to));
	assert_int_equal(to, UINT64_C(0xf000070020000));
}

static uint64_t page[8192];

static bool is_table(int level)
{
	return pt_looks_like_table(&w.cfg, level, (uint8_t *)page, is_ram, NULL);
}

static void page_is_a_table_or_not(void **state)
{
	(void)state;
	memset(page, 0, sizeof(page));
	find();
	assert_false(is_table(1)); /* empty */
	page[1] = L2 | TABLE;
	assert_true(is_table(1));
	assert_false(is_table(3));    /* no AF: no page */
	page[2] = 0x40000000 | VALID; /* a block without AF */
	assert_false(is_table(1));
	page[2] = 0x40000000 | VALID | AF;
	assert_true(is_table(1));
	assert_false(is_table(0));	   /* no blocks there */
	page[2] = 0x40200000 | VALID | AF; /* not aligned to 1 GiB */
	assert_false(is_table(1));
	page[2] = 0x40010000 | VALID | AF; /* bit 16 is nT */
	assert_true(is_table(1));
	page[2] = UINT64_C(0x10000000000) | VALID | AF; /* beyond 40 bits */
	assert_false(is_table(1));
	page[2] = 0x40000000 | VALID | AF | UINT64_C(1) << 49; /* reserved */
	assert_false(is_table(1));
	page[2] = 0x09000000 | TABLE; /* a table, and not in RAM */
	assert_false(is_table(1));
	page[2] = 0x40000710; /* invalid, but not zero */
	assert_false(is_table(1));
}

static void page_of_64k_is_a_table_or_not(void **state)
{
	(void)state;
	memset(page, 0, sizeof(page));
	find();
	find_in_upper_half(3, 16, L1_64K);
	page[1] = L3_64K | TABLE;
	page[8191] = 0x40000000 | VALID | AF;
	assert_true(is_table(2));
	page[8191] = 0x50000000 | VALID | AF; /* not aligned to 512 MiB */
	assert_false(is_table(2));
	page[8191] = (L3_64K + 0x1000) | TABLE; /* a table at 4 KiB */
	assert_false(is_table(2));
	assert_false(is_table(1));
}

#define TEST(f) cmocka_unit_test_setup(f, prepare)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(seed_case_finds_the_orphan),
		TEST(table_that_the_lower_root_leads_to_is_as_good),
		TEST(missing_level_1_entry_is_found),
		TEST(entry_to_the_wrong_table_is_replaced),
		TEST(two_that_are_as_good_give_no_best),
		TEST(what_ends_nowhere_is_not_proposed),
		TEST(access_flag_is_set),
		TEST(execute_never_is_cleared),
		TEST(execute_never_of_a_table_is_cleared),
		TEST(memory_that_el0_may_write_is_not_executable_at_el1),
		TEST(read_only_is_lifted_for_a_write),
		TEST(missing_block_continues_its_neighbors),
		TEST(cleared_valid_bit_is_set),
		TEST(reserved_type_becomes_a_table),
		TEST(wrong_output_address_continues_its_neighbors),
		TEST(table_that_lost_its_type_bit_gets_it_back),
		TEST(wrong_table_with_a_forbidding_leaf_is_replaced),
		TEST(entries_that_are_one_off_are_seen),
		TEST(distant_entry_of_the_same_table_is_continued),
		TEST(read_only_memory_becomes_writable_for_el1_alone),
		TEST(nothing_for_an_address_in_neither_half),
		TEST(nothing_in_a_half_that_is_off),
		TEST(el2_has_one_root),
		TEST(root_that_the_register_misses_is_found),
		TEST(size_that_starts_at_the_wrong_index_is_widened),
		TEST(walks_that_are_off_are_turned_on),
		TEST(granule_that_is_wrong_is_put_right),
		TEST(register_is_left_where_a_descriptor_is_wrong),
		TEST(block_with_the_type_of_a_table_gets_its_own),
		TEST(tables_of_16k_are_repaired),
		TEST(tables_of_64k_are_repaired),
		TEST(table_beyond_48_bits_is_compared_by_its_address),
		TEST(page_is_a_table_or_not),
		TEST(page_of_64k_is_a_table_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
