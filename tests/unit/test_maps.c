/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that go through all that is mapped: pt-find, pt-tables, pt-snap, pt-diff. */
#include "fake_machine.h"

#include "monitor/snap.h"

#define L0 FAKE_TABLES
#define L1 (FAKE_TABLES + 0x1000)
#define L2 (FAKE_TABLES + 0x2000)

static int setup(void **state)
{
	int err = fake_setup(state);

	if (!err)
		fake_tables(*state);
	return err;
}

static int teardown(void **state)
{
	snaps_free(((struct fake *)*state)->ctx.snaps);
	return fake_teardown(state);
}

static void find_says_the_one_address(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-find 0x40003456"), 0);
	assert_said(f, "0x0000000040003456  → 0x40003456  EL1 rwx  EL0 --x  Normal WB");
	assert_said(f, "1 alias\n");
}

static void find_of_nothing_is_status_1(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-find 0x50000000"), 1);
	assert_said(f, "nothing in el1 maps 0x50000000");
	assert_said(f, "(next: ram, or of a virtual one pt-walk 0x50000000)");
	assert_int_equal(fake_command(f, "pt-find"), 2);
	assert_int_equal(fake_command(f, "pt-find 0 0"), 2);
	assert_int_equal(fake_command(f, "pt-find -1 2"), 2);
}

static void find_of_a_length_says_ranges(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-find 0x3ffff800 0x2000"), 0);
	assert_said(f, "0x0000000040000000 - 0x00000000400017ff  → 0x40000000");
	assert_said(f, "1 range\n");
}

/* A table that two entries point to: the second alias is derived, and of the same type. */
static void find_goes_by_repeated_tables(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, L2 + 8 * 5, FAKE_L3 | 3);
	fake_set_u64(f, FAKE_UPPER + 8 * 511, L1 | 3);
	assert_int_equal(fake_command(f, "pt-find 0x40003456"), 0);
	assert_said(f, "0x0000000040003456  → 0x40003456");
	assert_said(f, "0x0000000040a03456  → 0x40003456");
	assert_said(f, "0xffffff8040003456  → 0x40003456");
	assert_said(f, "0xffffff8040a03456  → 0x40003456");
	assert_said(f, "4 aliases\n");
}

/* 512 entries for one table, of which 512 more point to the table above: 2^18 aliases. */
static void find_counts_what_it_does_not_list(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 0; i < 512; i++) {
		fake_set_u64(f, L2 + 8 * i, FAKE_L3 | 3);
		fake_set_u64(f, L1 + 8 * i, L2 | 3);
	}
	assert_int_equal(fake_command(f, "pt-find 0x40000000"), 0);
	assert_said(f, "262144 aliases, the first 16 shown");
	assert_said(f, "0x0000000001e00000  → 0x40000000"); /* the 16th */
	assert_null(strstr(f->out.data, "0x0000000002000000  →"));
	assert_int_equal(fake_command(f, "pt-find 0x40000000 --all"), 0);
	assert_said(f, "262144 aliases\n");
	assert_said(f, "0x0000007fffe00000  → 0x40000000");
}

static void find_ends_in_tables_that_loop(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 0; i < 512; i++)
		fake_set_u64(f, L0 + 8 * i, L0 | 3);
	assert_int_equal(fake_command(f, "pt-find 0x40080000"), 0);
	assert_said(f, "the first 16 shown");
	assert_said(f, "68719476736 aliases"); /* 512^4: its last level is pages of itself */
	assert_int_equal(fake_command(f, "pt-find 0x40080000 --all"), 0);
	assert_said(f, "68719476736 aliases, the first 262144 shown\n");
}

static void find_flags_mismatched_types(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "MAIR_EL1", 0x04ff); /* 1: device */
	fake_set_u64(f, FAKE_L3 + 8 * 300, (FAKE_RAM + 0x3000) | FAKE_PAGE | 1 << 2);
	assert_int_equal(fake_command(f, "pt-find 0x40003000"), 1);
	assert_said(f, "2 aliases");
	assert_said(f, "Device-nGnRE");
	assert_said(f, "MISMATCH");
}

/* Neighbors of different types are no aliases of one another. */
static void find_compares_types_of_the_same_memory_alone(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "MAIR_EL1", 0x04ff);
	fake_set_u64(f, FAKE_L3 + 8 * 3, (FAKE_RAM + 0x3000) | FAKE_PAGE | 1 << 2);
	assert_int_equal(fake_command(f, "pt-find 0x40002000 0x3000"), 0);
	assert_said(f, "3 ranges\n");
	fake_set_u64(f, FAKE_L3 + 8 * 300, (FAKE_RAM + 0x3000) | FAKE_PAGE);
	assert_int_equal(fake_command(f, "pt-find 0x40002000 0x3000"), 1);
	assert_said(f, "4 ranges\n");
	assert_said(f, "MISMATCH");
}

/* By TTBR1 and by TTBR0 it is the same memory. */
static void find_compares_types_across_the_halves(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "MAIR_EL1", 0x04ff);
	fake_set_u64(f, FAKE_UPPER + 8 * 511, (FAKE_UPPER + 0x1000) | 3);
	fake_set_u64(f, FAKE_UPPER + 0x1000 + 8, FAKE_RAM | 0x705);
	assert_int_equal(fake_command(f, "pt-find 0x40003000"), 1);
	assert_said(f, "0xffffff8040003000  → 0x40003000");
	assert_said(f, "MISMATCH");
}

static void tables_are_listed_with_their_way(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, L2 + 8 * 5, FAKE_L3 | 3);
	assert_int_equal(fake_command(f, "pt-tables"), 0);
	assert_said(
		f,
		"L0 root               0x40080000  0x0000000000000000  1 of 512 valid, 1 table\n");
	assert_said(
		f,
		"L2 [0][1]             0x40082000  0x0000000040000000  2 of 512 valid, 2 tables\n");
	assert_said(f, "L3 [0][1][0]          0x40083000  0x0000000040000000  256 of 512 valid, "
		       "256 pages\n");
	assert_said(f, "the same table as for 0x0000000040000000");
	assert_said(f, "L0 root               0x40090000  0xffff000000000000  0 of 512 valid\n");
}

static void one_table_by_its_entries(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-tables 0x40083000 L3"), 0);
	assert_said(f, "L3 [  2]  0x40083010  0x0000000040002703  page    4 KiB, Normal WB, inner "
		       "shareable, AF → 0x40002000  EL1 rwx  EL0 --x\n");
	assert_int_equal(fake_command(f, "pt-tables 0x40090000 0"), 0);
	assert_said(f, "all of its 512 entries are zero");
	assert_int_equal(fake_command(f, "pt-tables 0x40083001 3"), 2);
	assert_said(f, "aligned to the granule");
	assert_int_equal(fake_command(f, "pt-tables 0x50000000 3"), 2);
	assert_said(f, "no table can be read there");
	assert_int_equal(fake_command(f, "pt-tables 0x40083000"), 2);
	assert_int_equal(fake_command(f, "pt-tables 0x40083000 4"), 2);
}

static void a_snapshot_differs_in_nothing_from_itself(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-snap"), 0);
	assert_said(f, "none");
	assert_int_equal(fake_command(f, "pt-snap a"), 0);
	assert_said(f, "a: 1 ranges of EL1&0 stage 1");
	assert_int_equal(fake_command(f, "pt-snap"), 0);
	assert_said(f, "TTBR1_EL1 0x40090000");
	assert_int_equal(fake_command(f, "pt-diff a"), 0);
	assert_said(f, "no difference");
	assert_int_equal(fake_command(f, "pt-diff a a"), 0);
	assert_int_equal(fake_command(f, "pt-diff b"), 2);
	assert_int_equal(fake_command(f, "pt-diff"), 2);
	assert_int_equal(fake_command(f, "pt-snap --drop a"), 0);
	assert_int_equal(fake_command(f, "pt-diff a"), 2);
}

static void differences_are_by_range_and_kind(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-snap a"), 0);
	fake_set_u64(f, FAKE_L3 + 8 * 4, 0);
	fake_set_u64(f, FAKE_L3 + 8 * 5, 0);
	fake_set_u64(f, FAKE_L3 + 8 * 8, (FAKE_RAM + 0x20000) | FAKE_PAGE);
	fake_set_u64(f, FAKE_L3 + 8 * 9, (FAKE_RAM + 0x21000) | FAKE_PAGE);
	fake_set_u64(f, FAKE_L3 + 8 * 12, (FAKE_RAM + 0xc000) | FAKE_PAGE | 1 << 7);
	fake_set_u64(f, FAKE_L3 + 8 * 14, ((FAKE_RAM + 0xe000) | FAKE_PAGE) & ~0x300ull);
	fake_set_u64(f, FAKE_L3 + 8 * 300, FAKE_RAM | FAKE_PAGE);
	assert_int_equal(fake_command(f, "pt-diff a"), 1);
	assert_said(f, "- 0x0000000040004000 - 0x0000000040005fff  → 0x40004000");
	assert_said(f, "~ 0x0000000040008000 - 0x0000000040009fff  → 0x40008000 now → 0x40020000");
	assert_said(f, "~ 0x000000004000c000 - 0x000000004000cfff  EL1 rwx  EL0 --x now EL1 r-x");
	assert_said(f, "~ 0x000000004000e000 - 0x000000004000efff  Normal WB, inner shareable, AF "
		       "now Normal WB, non-shareable, AF");
	assert_said(f, "+ 0x000000004012c000 - 0x000000004012cfff  → 0x40000000");
	assert_said(f, "1 added, 1 removed, 3 changed");
	/* a second one, and the other way round */
	assert_int_equal(fake_command(f, "pt-snap b"), 0);
	assert_int_equal(fake_command(f, "pt-diff b a"), 1);
	assert_said(f, "+ 0x0000000040004000 - 0x0000000040005fff");
	assert_said(f, "1 added, 1 removed, 3 changed");
}

/* What a process got: pages from here and there, and some that were moved. */
static void scattered_pages_share_a_line(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, FAKE_L3 + 8 * 200, (FAKE_RAM + 0x1000) | FAKE_PAGE | 1 << 7);
	assert_int_equal(fake_command(f, "pt-snap a"), 0);
	for (uint64_t i = 300; i < 400; i++)
		fake_set_u64(f, FAKE_L3 + 8 * i, (FAKE_RAM + (400 - i) * 0x1000) | FAKE_PAGE);
	fake_set_u64(f, FAKE_L3 + 8 * 8, (FAKE_RAM + 0x21000) | FAKE_PAGE);
	fake_set_u64(f, FAKE_L3 + 8 * 9, (FAKE_RAM + 0x20000) | FAKE_PAGE);
	fake_set_u64(f, FAKE_L3 + 8 * 199, (FAKE_RAM + 0xc7000) | FAKE_PAGE | 1 << 7);
	fake_set_u64(f, FAKE_L3 + 8 * 200, (FAKE_RAM + 0x9000) | FAKE_PAGE | 1 << 7);
	assert_int_equal(fake_command(f, "pt-diff a"), 1);
	assert_said(f, "+ 0x000000004012c000 - 0x000000004018ffff  → 0x40064000 and 99 more places"
		       "  EL1 rwx  EL0 --x  Normal WB");
	assert_said(f, "~ 0x0000000040008000 - 0x0000000040009fff  → 0x40008000 now → 0x40021000 "
		       "and 1 more place\n");
	/* one has become read-only, the other has moved: no line for both */
	assert_said(f, "~ 0x00000000400c7000 - 0x00000000400c7fff  EL1 rwx");
	assert_said(f,
		    "~ 0x00000000400c8000 - 0x00000000400c8fff  → 0x40001000 now → 0x40009000\n");
	assert_said(f, "1 added, 0 removed, 3 changed\n");
	assert_int_equal(fake_command(f, "pt-diff a --all"), 1);
	assert_said(f, "100 added, 0 removed, 4 changed\n");
}

/* Where the bytes lie, and how they are cut into blocks, is none of its business. */
static void other_tables_same_translation_no_difference(void **state)
{
	struct fake *f = *state;
	uint64_t copy = FAKE_RAM + 0xa0000;

	fake_set_u64(f, L2 + 8 * 5, FAKE_L3 | 3);
	assert_int_equal(fake_command(f, "pt-snap a"), 0);
	memcpy(f->ram + (copy - FAKE_RAM), f->ram + (FAKE_L3 - FAKE_RAM), 0x1000);
	fake_set_u64(f, L2 + 8 * 5, copy | 3);
	assert_int_equal(fake_command(f, "pt-diff a"), 0);
	fake_set_u64(f, copy + 8, 0);
	assert_int_equal(fake_command(f, "pt-diff a"), 1);
	assert_said(f, "- 0x0000000040a01000 - 0x0000000040a01fff");
	assert_said(f, "0 added, 1 removed, 0 changed");
}

static void a_change_in_a_repeated_table_is_said_of_both(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, L2 + 8 * 5, FAKE_L3 | 3);
	assert_int_equal(fake_command(f, "pt-snap a"), 0);
	fake_set_u64(f, FAKE_L3 + 8, 0);
	assert_int_equal(fake_command(f, "pt-diff a"), 1);
	assert_said(f, "- 0x0000000040001000 - 0x0000000040001fff");
	assert_said(f, "~ 0x0000000040a00000 - 0x0000000040bfffff  the same table as for "
		       "0x0000000040000000");
}

static void huge_repetition_is_compared_in_no_time(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-snap small"), 0);
	for (unsigned int i = 0; i < 512; i++)
		fake_set_u64(f, L0 + 8 * i, L0 | 3);
	assert_int_equal(fake_command(f, "pt-snap a"), 0);
	assert_int_equal(fake_command(f, "pt-diff a"), 0);
	assert_int_equal(fake_command(f, "pt-diff small"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(find_says_the_one_address),
		T(find_of_nothing_is_status_1),
		T(find_of_a_length_says_ranges),
		T(find_goes_by_repeated_tables),
		T(find_counts_what_it_does_not_list),
		T(find_ends_in_tables_that_loop),
		T(find_flags_mismatched_types),
		T(find_compares_types_of_the_same_memory_alone),
		T(find_compares_types_across_the_halves),
		T(tables_are_listed_with_their_way),
		T(one_table_by_its_entries),
		T(a_snapshot_differs_in_nothing_from_itself),
		T(differences_are_by_range_and_kind),
		T(scattered_pages_share_a_line),
		T(other_tables_same_translation_no_difference),
		T(a_change_in_a_repeated_table_is_said_of_both),
		T(huge_repetition_is_compared_in_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
