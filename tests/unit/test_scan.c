// SPDX-License-Identifier: BSD-2-Clause
/* What is found by following direct branches through small programs made by hand. */
#include "unit.h"

#include "handoff/scan.h"
#include "hex.h"

#define BASE UINT64_C(0x48000000)
#define SIZE 0x3000u

#define NOP    0xd503201fu
#define RET    0xd65f03c0u
#define BR_X4  0xd61f0080u
#define B_SELF 0x14000000u

static struct scan scan;
static uint8_t memory[SIZE];
static unsigned int pages;

static int page(void *ctx, uint64_t address, uint8_t *data)
{
	(void)ctx;
	pages++;
	if (address < BASE || address + SCAN_PAGE > BASE + SIZE)
		return -1;
	memcpy(data, memory + (address - BASE), SCAN_PAGE);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	scan_free(&scan);
	memset(memory, 0, sizeof(memory));
	pages = 0;
	return 0;
}

static void put(uint64_t at, uint32_t word)
{
	le_write(memory + (at - BASE), 4, word);
}

static uint32_t bl(uint64_t from, uint64_t to)
{
	return 0x94000000u | ((uint32_t)((to - from) >> 2) & 0x3ffffffu);
}

static size_t follow(uint64_t entry, enum scan_link link)
{
	const struct scan_source source = { .page = page };
	const struct scan_span bounds = { BASE, BASE + SIZE - 1 };

	return scan_from(&scan, &source, &bounds, 1, entry, link);
}

static void path_ends_at_an_indirect_branch(void **state)
{
	(void)state;
	put(BASE, NOP);
	put(BASE + 4, BR_X4);
	put(BASE + 8, NOP);
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), 2);
	assert_int_equal(scan.site_count, 1);
	assert_int_equal(scan.sites[0].pc, BASE + 4);
	assert_int_equal(scan.sites[0].word, BR_X4);
	assert_null(scan_word(&scan, BASE + 8));
}

static void both_sides_of_a_condition_are_followed(void **state)
{
	(void)state;
	put(BASE, 0xb4000081); /* cbz x1, .+16 */
	put(BASE + 4, B_SELF);
	put(BASE + 16, 0xd69f03e0); /* eret */
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), 3);
	assert_non_null(scan_site(&scan, BASE + 16));
}

static void call_is_followed_and_falls_through(void **state)
{
	(void)state;
	put(BASE, bl(BASE, BASE + 0x2000));
	put(BASE + 4, 0xd5181000); /* msr sctlr_el1, x0 */
	put(BASE + 8, B_SELF);
	put(BASE + 0x2000, RET);
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), 4);
	assert_int_equal(scan.site_count, 1);
	assert_non_null(scan_site(&scan, BASE + 4));
}

static void return_to_the_caller_is_no_site(void **state)
{
	(void)state;
	put(BASE, 0xa9bf7bfd); /* stp x29, x30, [sp, #-16]! */
	put(BASE + 4, bl(BASE + 4, BASE + 0x100));
	put(BASE + 8, 0xa8c17bfd); /* ldp x29, x30, [sp], #16 */
	put(BASE + 12, RET);
	put(BASE + 0x100, RET);
	follow(BASE, SCAN_LINKED);
	assert_int_equal(scan.site_count, 0);
}

static void return_by_a_computed_x30_is_a_site(void **state)
{
	(void)state;
	put(BASE, 0xaa1303fe); /* mov x30, x19 */
	put(BASE + 4, RET);
	follow(BASE, SCAN_LINKED);
	assert_non_null(scan_site(&scan, BASE + 4));
}

/* U-Boot goes on in its copy so: an address of its own in x30, a branch, and a function's return.
 */
static void return_by_way_of_the_stack_to_a_computed_x30_is_a_site(void **state)
{
	(void)state;
	put(BASE, bl(BASE, BASE + 0x100));
	put(BASE + 4, 0x10000a1e);     /* adr x30, .+0x140 */
	put(BASE + 8, 0x1400003e);     /* b .+0xf8 */
	put(BASE + 0x100, 0xa9be7bfd); /* stp x29, x30, [sp, #-32]! */
	put(BASE + 0x104, bl(BASE + 0x104, BASE + 0x200));
	put(BASE + 0x108, 0xa8c27bfd); /* ldp x29, x30, [sp], #32 */
	put(BASE + 0x10c, RET);
	put(BASE + 0x200, RET);
	follow(BASE, SCAN_LINKED);
	assert_int_equal(scan.site_count, 1);
	assert_non_null(scan_site(&scan, BASE + 0x10c));
}

static void return_by_another_register_is_a_site(void **state)
{
	(void)state;
	put(BASE, 0xd65f0060); /* ret x3 */
	follow(BASE, SCAN_LINKED);
	assert_non_null(scan_site(&scan, BASE));
}

/* The same function reached by a call and by falling into it from reset. */
/* Code that nobody called has nowhere to return to, wherever its x30 is from. */
static void return_from_where_nobody_called_is_a_site(void **state)
{
	(void)state;
	put(BASE, bl(BASE, BASE + 0x100));
	put(BASE + 4, 0xa8c17bfd); /* ldp x29, x30, [sp], #16 */
	put(BASE + 8, RET);
	put(BASE + 0x100, RET);
	follow(BASE, SCAN_UNKNOWN);
	assert_int_equal(scan.site_count, 1);
	assert_non_null(scan_site(&scan, BASE + 8));
}

static void any_doubtful_way_makes_a_return_a_site(void **state)
{
	(void)state;
	put(BASE, bl(BASE, BASE + 8));
	put(BASE + 4, 0x14000001); /* b .+4 */
	put(BASE + 8, RET);
	follow(BASE, SCAN_LINKED);
	assert_null(scan_site(&scan, BASE + 8));
	follow(BASE + 4, SCAN_UNKNOWN);
	assert_non_null(scan_site(&scan, BASE + 8));
}

static void nothing_is_followed_out_of_bounds(void **state)
{
	(void)state;
	put(BASE, 0x17ffffff); /* b .-4 */
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), 1);
	put(BASE + 0x100, bl(BASE + 0x100, BASE + SIZE));
	put(BASE + 0x104, B_SELF);
	assert_int_equal(follow(BASE + 0x100, SCAN_UNKNOWN), 2);
	assert_int_equal(follow(BASE + SIZE, SCAN_UNKNOWN), 0);
	assert_int_equal(follow(BASE + 2, SCAN_UNKNOWN), 0);
}

static void zeros_end_a_path(void **state)
{
	(void)state;
	put(BASE, NOP);
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), 2);
	assert_int_equal(scan.site_count, 0);
}

static void scanning_again_finds_nothing_new(void **state)
{
	(void)state;
	put(BASE, BR_X4);
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), 1);
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), 0);
	assert_int_equal(scan.site_count, 1);
}

static void code_that_changed_is_scanned_anew(void **state)
{
	(void)state;
	put(BASE, NOP);
	put(BASE + 4, B_SELF);
	follow(BASE, SCAN_UNKNOWN);
	put(BASE, BR_X4);
	follow(BASE, SCAN_UNKNOWN);
	assert_int_equal(scan_word(&scan, BASE)->word, BR_X4);
	assert_non_null(scan_site(&scan, BASE));
}

static void pages_are_read_when_they_are_needed(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 64; i++)
		put(BASE + 4 * i, NOP);
	put(BASE + 256, B_SELF);
	follow(BASE, SCAN_UNKNOWN);
	assert_int_equal(pages, 1);
}

static void a_copy_is_recognized(void **state)
{
	const uint32_t copy[] = { 0xd2800020, NOP, BR_X4 };
	const uint32_t other[] = { 0xd2800020, NOP, RET };
	const uint32_t alike[] = { NOP, NOP };
	uint64_t pc = 0;

	(void)state;
	put(BASE, NOP);
	put(BASE + 4, NOP);
	put(BASE + 8, copy[0]);
	put(BASE + 12, copy[1]);
	put(BASE + 16, copy[2]);
	follow(BASE, SCAN_UNKNOWN);
	assert_true(scan_same_code(&scan, copy, 3, &pc));
	assert_int_equal(pc, BASE + 8);
	assert_false(scan_same_code(&scan, other, 3, &pc));
	assert_false(scan_same_code(&scan, alike, 2, &pc));
}

static unsigned int gone;

static void is_gone(void *ctx, struct scan_site *site)
{
	assert_ptr_equal(ctx, &scan);
	assert_int_equal(site->pc, BASE + SCAN_PAGE);
	gone++;
}

/* A line where something else is by now is forgotten, and what is still the same followed again. */
static void overwritten_code_is_forgotten(void **state)
{
	const struct scan_source source = { .page = page };
	const struct scan_span bounds = { BASE, BASE + SIZE - 1 };

	(void)state;
	put(BASE, NOP);
	put(BASE + 4, 0x14000000 | (SCAN_PAGE - 4) / 4);
	put(BASE + SCAN_PAGE, BR_X4);
	put(BASE + SCAN_PAGE + 8, RET);
	follow(BASE, SCAN_UNKNOWN);
	follow(BASE + SCAN_PAGE + 8, SCAN_LINKED);
	gone = 0;
	scan_drop_stale(&scan, &source, &bounds, 1, is_gone, &scan);
	assert_int_equal(gone, 0);
	assert_int_equal(scan.count, 4);
	put(BASE + SCAN_PAGE + 8, NOP);
	put(BASE + SCAN_PAGE + 64, RET);
	follow(BASE + SCAN_PAGE + 64, SCAN_LINKED);
	scan_drop_stale(&scan, &source, &bounds, 1, is_gone, &scan);
	assert_int_equal(gone, 1);
	assert_int_equal(scan.count, 4);
	assert_non_null(scan_word(&scan, BASE + SCAN_PAGE + 64));
	assert_non_null(scan_word(&scan, BASE + 4));
	assert_null(scan_word(&scan, BASE + SCAN_PAGE + 8));
	/* what is still the same there is followed again */
	assert_non_null(scan_site(&scan, BASE + SCAN_PAGE));
}

/* More than the table of words begins with. */
static void long_programs_are_kept_whole(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SIZE / 4; i++)
		put(BASE + 4 * i, NOP);
	assert_int_equal(follow(BASE, SCAN_UNKNOWN), SIZE / 4);
	for (unsigned int i = 0; i < SIZE / 4; i++)
		assert_non_null(scan_word(&scan, BASE + 4 * i));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(path_ends_at_an_indirect_branch),
		TEST(both_sides_of_a_condition_are_followed),
		TEST(call_is_followed_and_falls_through),
		TEST(return_to_the_caller_is_no_site),
		TEST(return_by_a_computed_x30_is_a_site),
		TEST(return_by_way_of_the_stack_to_a_computed_x30_is_a_site),
		TEST(return_by_another_register_is_a_site),
		TEST(return_from_where_nobody_called_is_a_site),
		TEST(any_doubtful_way_makes_a_return_a_site),
		TEST(nothing_is_followed_out_of_bounds),
		TEST(zeros_end_a_path),
		TEST(scanning_again_finds_nothing_new),
		TEST(code_that_changed_is_scanned_anew),
		TEST(pages_are_read_when_they_are_needed),
		TEST(a_copy_is_recognized),
		TEST(overwritten_code_is_forgotten),
		TEST(long_programs_are_kept_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
