// SPDX-License-Identifier: BSD-2-Clause
/* Functions by hand, and whether their stack comes out even. */
#include "unit.h"

#include "handoff/balance.h"
#include "hex.h"

#define BASE   UINT64_C(0x48000000)
#define CALLEE (BASE + 0x100)

#define RET	    0xd65f03c0u
#define BL_CALLEE   0x94000040u
#define B_SELF	    0x14000000u
#define PUSH_FP_LR  0xa9bf7bfdu /* stp x29, x30, [sp, #-16]! */
#define POP_FP_LR   0xa8c17bfdu /* ldp x29, x30, [sp], #16 */
#define POP_X27_X28 0xa8c173fbu /* ldp x27, x28, [sp], #16 */

static struct scan scan;
static uint8_t memory[SCAN_PAGE];
static struct imbalance found[4];

static int page(void *ctx, uint64_t address, uint8_t *data)
{
	(void)ctx;
	(void)address;
	memcpy(data, memory, SCAN_PAGE);
	return 0;
}

/* A caller of the function whose words these are. */
static size_t check(const uint32_t *words, size_t n)
{
	const struct scan_source source = { .page = page };
	const struct scan_span bounds = { BASE, BASE + SCAN_PAGE - 1 };

	scan_free(&scan);
	memset(memory, 0, sizeof(memory));
	le_write(memory, 4, BL_CALLEE);
	le_write(memory + 4, 4, B_SELF);
	for (size_t i = 0; i < n; i++)
		le_write(memory + 0x100 + 4 * i, 4, words[i]);
	scan_from(&scan, &source, &bounds, 1, BASE, SCAN_UNKNOWN);
	n = balance_check(&scan, found, 4);
	scan_free(&scan);
	return n;
}

#define CHECK(...) check((const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4)

static void leaf_is_even(void **state)
{
	(void)state;
	assert_int_equal(CHECK(RET), 0);
}

static void push_and_pop_are_even(void **state)
{
	(void)state;
	assert_int_equal(CHECK(PUSH_FP_LR, POP_FP_LR, RET), 0);
	/* sub sp, sp, #0x20; add sp, sp, #0x20 */
	assert_int_equal(CHECK(0xd10083ff, 0x910083ff, RET), 0);
	/* str x30, [sp, #-16]!; ldr x30, [sp], #16 */
	assert_int_equal(CHECK(0xf81f0ffe, 0xf84107fe, RET), 0);
	/* stp q0, q1, [sp, #-32]!; ldp q0, q1, [sp], #32 */
	assert_int_equal(CHECK(0xadbf07e0, 0xacc107e0, RET), 0);
	/* stp w1, w2, [sp, #-8]!; ldp w1, w2, [sp], #8 */
	assert_int_equal(CHECK(0x29bf0be1, 0x28c10be1, RET), 0);
}

static void popping_four_after_pushing_two_is_found(void **state)
{
	(void)state;
	assert_int_equal(CHECK(PUSH_FP_LR, POP_X27_X28, POP_FP_LR, RET), 1);
	assert_int_equal(found[0].function, CALLEE);
	assert_int_equal(found[0].ret, CALLEE + 12);
	assert_int_equal(found[0].bytes, 16);
}

static void missing_pop_is_found(void **state)
{
	(void)state;
	assert_int_equal(CHECK(PUSH_FP_LR, RET), 1);
	assert_int_equal(found[0].bytes, -16);
}

/* cbz x0 over the pop: one of two ways to the return. */
static void one_bad_path_is_enough(void **state)
{
	(void)state;
	assert_int_equal(CHECK(PUSH_FP_LR, 0xb4000040, POP_FP_LR, RET), 1);
	assert_int_equal(found[0].bytes, -16);
}

/* mov sp, x29: whatever it is, it is meant. */
static void stack_pointer_from_elsewhere_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(CHECK(PUSH_FP_LR, 0x910003bf, RET), 0);
}

/* ldr x0, [sp, #8] and stp x0, x1, [sp, #16] leave sp alone. */
static void offsets_without_writeback_do_not_move_it(void **state)
{
	int64_t bytes;

	(void)state;
	assert_true(balance_change(0xf94007e0, &bytes));
	assert_int_equal(bytes, 0);
	assert_true(balance_change(0xa90107e0, &bytes));
	assert_int_equal(bytes, 0);
	/* post-indexed by another base */
	assert_true(balance_change(0xf8410402, &bytes));
	assert_int_equal(bytes, 0);
}

/* push; bl panic; then the next function's pop and ret. panic: b . */
static void call_that_never_returns_ends_the_path(void **state)
{
	(void)state;
	/* cbz x0, .+12; push; bl .+12 (panic); ret; pop; panic: b . */
	assert_int_equal(CHECK(0xb4000060, PUSH_FP_LR, 0x94000003, RET, POP_FP_LR, B_SELF), 0);
}

static void loops_end(void **state)
{
	(void)state;
	/* sub sp, sp, #16; b .-4: sp never comes to rest */
	assert_int_equal(CHECK(0xd10043ff, 0x17ffffff, RET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_is_even),
		cmocka_unit_test(push_and_pop_are_even),
		cmocka_unit_test(popping_four_after_pushing_two_is_found),
		cmocka_unit_test(missing_pop_is_found),
		cmocka_unit_test(one_bad_path_is_enough),
		cmocka_unit_test(stack_pointer_from_elsewhere_says_nothing),
		cmocka_unit_test(offsets_without_writeback_do_not_move_it),
		cmocka_unit_test(call_that_never_returns_ends_the_path),
		cmocka_unit_test(loops_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
