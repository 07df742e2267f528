/* SPDX-License-Identifier: BSD-2-Clause */
/* What is bound to be executed between two instructions. */
#include "unit.h"

#include "handoff/path.h"

#define BASE 0x1000u

#define NOP	0xd503201fu
#define ISB	0xd5033fdfu
#define DSB	0xd5033f9fu
#define DSB_NSH 0xd503379fu
#define RET	0xd65f03c0u
#define ERET	0xd69f03e0u
#define BR_X9	0xd61f0120u
#define BL_8	0x94000002u /* bl .+8 */
#define B_8	0x14000002u
#define CBZ_8	0xb4000040u
#define LDP_LR	0xa8c17bfdu /* ldp x29, x30, [sp], #16 */

struct code {
	const uint32_t *words;
	size_t n;
};

static int word(void *ctx, uint64_t pc, uint32_t *w)
{
	const struct code *c = ctx;
	size_t i = (pc - BASE) / 4;

	if (pc < BASE || i >= c->n)
		return -1;
	*w = c->words[i];
	return 0;
}

static struct path way(const uint32_t *words, size_t n, uint64_t link, size_t until, bool through)
{
	struct code code = { words, n };
	struct path_source s = { word, &code };
	struct path p;

	path_follow(&s, BASE, link, BASE + 4 * until, through, &p);
	return p;
}

#define WAY(words, ...) way(words, sizeof(words) / sizeof((words)[0]), __VA_ARGS__)

static void straight_on(void **state)
{
	const uint32_t plain[] = { NOP, NOP, BR_X9 };
	const uint32_t isb[] = { NOP, ISB, BR_X9 };
	const uint32_t eret[] = { NOP, ERET, BR_X9 };

	(void)state;
	assert_int_equal(WAY(plain, 0, 2, false).end, PATH_THERE);
	assert_int_equal(WAY(isb, 0, 2, false).end, PATH_SYNC);
	assert_int_equal(WAY(eret, 0, 2, false).end, PATH_SYNC);
}

static void a_condition_proves_nothing(void **state)
{
	const uint32_t cond[] = { CBZ_8, NOP, BR_X9 };

	(void)state;
	assert_int_equal(WAY(cond, 0, 2, false).end, PATH_LOST);
}

static void through_calls_and_returns(void **state)
{
	const uint32_t call[] = { BL_8, B_8, RET, BR_X9 };
	const uint32_t ret[] = { RET, NOP, NOP, BR_X9 };
	const uint32_t lost[] = { LDP_LR, RET, NOP, BR_X9 };

	(void)state;
	assert_int_equal(WAY(call, 0, 3, false).end, PATH_THERE);
	assert_int_equal(WAY(ret, BASE + 8, 3, false).end, PATH_THERE);
	assert_int_equal(WAY(ret, 0, 3, false).end, PATH_LOST);
	assert_int_equal(WAY(lost, BASE + 8, 3, false).end, PATH_LOST);
}

static void a_dsb_on_the_way(void **state)
{
	const uint32_t with[] = { DSB, ISB, BR_X9 };
	const uint32_t near[] = { DSB_NSH, ISB, BR_X9 };
	const uint32_t without[] = { NOP, ISB, BR_X9 };

	(void)state;
	assert_true(WAY(with, 0, 2, true).dsb);
	assert_true(WAY(near, 0, 2, true).dsb);
	assert_false(WAY(without, 0, 2, true).dsb);
	assert_int_equal(WAY(without, 0, 2, true).end, PATH_THERE);
}

static void no_end_is_no_proof(void **state)
{
	const uint32_t loop[] = { 0x14000000, BR_X9 }; /* b . */

	(void)state;
	assert_int_equal(WAY(loop, 0, 1, false).end, PATH_LOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(straight_on),
		cmocka_unit_test(a_condition_proves_nothing),
		cmocka_unit_test(through_calls_and_returns),
		cmocka_unit_test(a_dsb_on_the_way),
		cmocka_unit_test(no_end_is_no_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
