/* SPDX-License-Identifier: BSD-2-Clause */
/* Firmware calls in words. */
#include "unit.h"

#include "buf.h"
#include "handoff/psci.h"

static void answer(uint64_t function, uint64_t x0, const char *text)
{
	struct buf out = { 0 };

	psci_answer(psci_find(function), x0, &out);
	assert_string_equal(out.data, text);
	buf_free(&out);
}

static void numbers_have_names(void **state)
{
	(void)state;
	assert_string_equal(psci_find(0x84000003)->name, "CPU_ON");
	assert_string_equal(psci_find(0xc4000003)->name, "CPU_ON"); /* SMC64 */
	assert_string_equal(psci_find(0x80008000)->name, "SMCCC_ARCH_WORKAROUND_1");
	assert_null(psci_find(0x82000001));
}

static void answers_have_words(void **state)
{
	(void)state;
	answer(0x84000000, 0x10001, "1.1");
	answer(0x80000000, 0x10002, "1.2");
	answer(0x84000000, 0xffffffffffffffff, "NOT_SUPPORTED");
	answer(0xc4000003, 0, "SUCCESS");
	answer(0xc4000003, 0xfffffffffffffffc, "ALREADY_ON");
	answer(0xc4000004, 1, "OFF");
	answer(0x84000006, 2, "nothing to migrate");
	answer(0x8400000a, 0, "there");
	answer(0x8400000a, 2, "there, flags 0x2");
	answer(0x8400000a, 0xffffffff, "NOT_SUPPORTED");
}

static void others_have_an_owner(void **state)
{
	(void)state;
	assert_string_equal(psci_owner(0x82000001), "the chip (SiP)");
	assert_string_equal(psci_owner(0xbf00ff01), "a trusted OS");
	assert_null(psci_owner(0x12345678)); /* bit 31 clear: a yielding call */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_names),
		cmocka_unit_test(answers_have_words),
		cmocka_unit_test(others_have_an_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
