/* SPDX-License-Identifier: BSD-2-Clause */
/* What was executed before an instruction, and what it has stored where. */
#include "unit.h"

#include "handoff/ahead.h"
#include "handoff/back.h"
#include "hex.h"

#define BASE 0x1000u
#define PAGE SCAN_PAGE

#define NOP	 0xd503201fu
#define DSB	 0xd5033f9fu
#define RET	 0xd65f03c0u
#define HVC	 0xd4000002u
#define BR_X9	 0xd61f0120u
#define BLR_X9	 0xd63f0120u
#define B(n)	 (0x14000000u | ((uint32_t)(n)&0x3ffffffu))
#define BL(n)	 (0x94000000u | ((uint32_t)(n)&0x3ffffffu))
#define BNE(n)	 (0x54000001u | ((uint32_t)(n)&0x7ffffu) << 5)
#define CBZ(n)	 (0xb4000000u | ((uint32_t)(n)&0x7ffffu) << 5)
#define MOV_X30	 0xaa0003feu /* mov x30, x0 */
#define LDR_X1_8 0x58000041u /* ldr x1, .+8 */
#define STR_POST 0xf8008420u /* str x0, [x1], #8 */
#define STR_16	 0xf9000820u /* str x0, [x1, #16] */
#define STP_PRE	 0xa9bf0020u /* stp x0, x0, [x1, #-16]! */
#define STR_X2	 0xf8227820u /* str x0, [x1, x2, lsl #3] */
#define MOV_X2_3 0xd2800062u /* mov x2, #3 */
#define SUBS_X2	 0xf1000442u /* subs x2, x2, #1 */

static struct scan scan;
static uint8_t memory[PAGE];
static struct back_step step[BACK_MOST];

static int page(void *ctx, uint64_t address, uint8_t *data)
{
	(void)ctx;
	if (address != BASE)
		return -1;
	memcpy(data, memory, PAGE);
	return 0;
}

static int load(void *ctx, uint64_t va, unsigned int len, uint64_t *value)
{
	(void)ctx;
	*value = le_read(memory + (va - BASE), len);
	return 0;
}

/* How far back from the instruction with that number; the scan starts at number 0. */
static size_t back(const uint32_t *words, size_t n, size_t from, uint64_t link)
{
	const struct scan_source source = { page, NULL };
	const struct scan_span bounds = { BASE, BASE + PAGE - 1 };

	scan_free(&scan);
	memset(memory, 0, sizeof(memory));
	for (size_t i = 0; i < n; i++)
		le_write(memory + 4 * i, 4, words[i]);
	scan_from(&scan, &source, &bounds, 1, BASE, SCAN_UNKNOWN);
	return back_path(&scan, BASE + 4 * from, link, step);
}

#define BACK(words, ...) back(words, sizeof(words) / sizeof((words)[0]), __VA_ARGS__)

static void straight_back_to_the_entry(void **state)
{
	const uint32_t code[] = { NOP, NOP, NOP, BR_X9 };

	(void)state;
	assert_int_equal(BACK(code, 3, 0), 3);
	assert_int_equal(step[0].pc, BASE + 8);
	assert_int_equal(step[2].pc, BASE);
}

static void a_dsb_ends_it(void **state)
{
	const uint32_t code[] = { NOP, DSB, NOP, BR_X9 };

	(void)state;
	assert_int_equal(BACK(code, 3, 0), 1);
}

static void two_ways_are_none(void **state)
{
	/* cbz over one: the last can be come to from both */
	const uint32_t joined[] = { NOP, CBZ(2), NOP, BR_X9 };
	const uint32_t apart[] = { NOP, CBZ(2), NOP, NOP, BR_X9 };
	/* a jump over what returns elsewhere is the only way */
	const uint32_t only[] = { NOP, B(2), HVC, BR_X9 };

	(void)state;
	assert_int_equal(BACK(joined, 3, 0), 0);
	assert_int_equal(BACK(apart, 4, 0), 1);
	assert_int_equal(BACK(only, 3, 0), 2);
}

static void an_entry_ends_it(void **state)
{
	const uint32_t code[] = { NOP, NOP, NOP, BR_X9 };

	(void)state;
	BACK(code, 3, 0);
	scan_entry(&scan, BASE + 8);
	assert_int_equal(back_path(&scan, BASE + 12, 0, step), 1);
}

static void what_somebody_else_did_is_not_known(void **state)
{
	const uint32_t call[] = { NOP, HVC, BR_X9 };
	const uint32_t indirect[] = { NOP, BLR_X9, BR_X9 };

	(void)state;
	assert_int_equal(BACK(call, 2, 0), 0);
	assert_int_equal(BACK(indirect, 2, 0), 0);
}

static void through_the_end_of_a_function(void **state)
{
	/* 0: nop; bl 4; nop; br x9. 4: nop; ret */
	const uint32_t code[] = { NOP, BL(3), NOP, BR_X9, NOP, RET };
	/* two returns: which of them? */
	const uint32_t two[] = { NOP, BL(3), NOP, BR_X9, CBZ(2), RET, RET };

	(void)state;
	assert_int_equal(BACK(code, 3, 0), 5);
	assert_int_equal(step[1].pc, BASE + 20);
	assert_int_equal(step[2].pc, BASE + 16);
	assert_int_equal(step[3].pc, BASE + 4);
	assert_int_equal(BACK(two, 3, 0), 1);
}

static void to_who_called_by_x30(void **state)
{
	/* 0: bl 4; nop; bl 4; br x9. 4: nop; (here) nop; ret */
	const uint32_t code[] = { BL(4), NOP, BL(2), BR_X9, NOP, NOP, RET };
	const uint32_t lost[] = { BL(4), NOP, BL(2), BR_X9, MOV_X30, NOP, RET };

	(void)state;
	/* nop, the second bl, nop; then the end of the first call, and its beginning */
	assert_int_equal(BACK(code, 5, BASE + 12), 7);
	assert_int_equal(step[1].pc, BASE + 8);
	assert_int_equal(step[3].pc, BASE + 24);
	assert_int_equal(step[6].pc, BASE);
	assert_int_equal(BACK(code, 5, 0), 1);
	assert_int_equal(BACK(lost, 5, BASE + 12), 1);
}

static void one_round_of_a_loop(void **state)
{
	/* nop; 1: str; subs; b.ne 1b; br */
	const uint32_t loop[] = { NOP, STR_POST, SUBS_X2, BNE(-2), BR_X9 };
	/* somebody jumps into it */
	const uint32_t into[] = { CBZ(2), STR_POST, SUBS_X2, BNE(-2), BR_X9 };

	(void)state;
	assert_int_equal(BACK(loop, 4, 0), 4);
	assert_int_equal(step[0].loop, 2);
	assert_int_equal(step[3].pc, BASE);
	assert_int_equal(BACK(into, 4, 0), 2);
}

static void where_a_store_goes(void **state)
{
	const uint32_t code[] = { LDR_X1_8, BR_X9, 0x40001000, 0 };
	const struct ahead_source source = { .load = load };
	struct ahead a = { .pc = BASE };

	(void)state;
	BACK(code, 1, 0);
	ahead_past(&source, &a, STR_16);
	assert_int_equal(a.stores, 0);
	ahead_past(&source, &a, LDR_X1_8);
	ahead_past(&source, &a, STR_16);
	assert_int_equal(a.stores, 8);
	assert_int_equal(a.store, 0x40001010);
	ahead_past(&source, &a, STR_POST);
	assert_int_equal(a.store, 0x40001000);
	ahead_past(&source, &a, STP_PRE); /* 0x40001008 - 16 */
	assert_int_equal(a.stores, 16);
	assert_int_equal(a.store, 0x40000ff8);
	ahead_past(&source, &a, MOV_X2_3);
	ahead_past(&source, &a, STR_X2); /* 0x40000ff8 + 3 * 8 */
	assert_int_equal(a.stores, 8);
	assert_int_equal(a.store, 0x40001010);
	ahead_past(&source, &a, NOP);
	assert_int_equal(a.stores, 0);
	ahead_forget(&a, STR_POST);
	ahead_past(&source, &a, STR_16);
	assert_int_equal(a.stores, 0);
}

static int teardown(void **state)
{
	(void)state;
	scan_free(&scan);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(straight_back_to_the_entry),
		cmocka_unit_test(a_dsb_ends_it),
		cmocka_unit_test(two_ways_are_none),
		cmocka_unit_test(an_entry_ends_it),
		cmocka_unit_test(what_somebody_else_did_is_not_known),
		cmocka_unit_test(through_the_end_of_a_function),
		cmocka_unit_test(to_who_called_by_x30),
		cmocka_unit_test(one_round_of_a_loop),
		cmocka_unit_test(where_a_store_goes),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
