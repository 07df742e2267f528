// SPDX-License-Identifier: BSD-2-Clause
/* What 2 KiB of memory have to look like to be taken for exception vectors. */
#include "unit.h"

#include "handoff/internal.h"
#include "hex.h"

#define B_SELF 0x14000000u
#define NOP    0xd503201fu
#define RET    0xd65f03c0u
#define ERET   0xd69f03e0u
#define UDF    0x00000000u

static uint8_t raw[0x800];

static void put(unsigned int entry, unsigned int word, uint32_t insn)
{
	le_write(raw + 0x80 * (size_t)entry + 4 * (size_t)word, 4, insn);
}

static int prepare(void **state)
{
	(void)state;
	memset(raw, 0, sizeof(raw));
	for (unsigned int i = 0; i < 16; i++)
		put(i, 0, B_SELF);
	return 0;
}

static void branches_are_vectors(void **state)
{
	(void)state;
	assert_true(vbar_is_table(raw));
	put(4, 0, NOP);
	put(4, 1, ERET);
	assert_true(vbar_is_table(raw));
}

static void one_empty_entry_is_none(void **state)
{
	(void)state;
	put(15, 0, UDF);
	assert_false(vbar_is_table(raw));
}

/* The next one's code would follow. */
static void an_entry_that_runs_on_is_none(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 32; i++)
		put(7, i, NOP);
	assert_false(vbar_is_table(raw));
	put(7, 31, B_SELF);
	assert_true(vbar_is_table(raw));
}

static void an_entry_that_returns_by_ret_is_a_function(void **state)
{
	(void)state;
	put(0, 0, NOP);
	put(0, 1, RET);
	assert_false(vbar_is_table(raw));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(branches_are_vectors, prepare),
		cmocka_unit_test_setup(one_empty_entry_is_none, prepare),
		cmocka_unit_test_setup(an_entry_that_runs_on_is_none, prepare),
		cmocka_unit_test_setup(an_entry_that_returns_by_ret_is_a_function, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
