/* SPDX-License-Identifier: BSD-2-Clause */
/* What a write to a system register changes, in words. */
#include "unit.h"

#include "buf.h"
#include "handoff/fields.h"

static void expect(const char *name, uint64_t before, uint64_t after, const char *text)
{
	struct buf out = { 0 };

	fields_changed(sysreg_find(name, false), before, after, &out);
	assert_string_equal(out.len ? out.data : "", text);
	buf_free(&out);
}

static void flags_are_set_and_cleared(void **state)
{
	(void)state;
	expect("SCTLR_EL1", 0x30d00800, 0x30d0180d, "sets M, C, SA, I");
	expect("SCTLR_EL1", 0xc50838, 0x30d0180d,
	       "sets M, C, I, TSCXT, nTLSMD, LSMAOE; clears SA0, CP15BEN, nTWI, nTWE");
	expect("HCR_EL2", 0x80000000, 0, "clears RW");
}

static void numbers_with_what_they_mean(void **state)
{
	(void)state;
	expect("TCR_EL1", 0, 0x80100010,
	       "T0SZ 16 (48-bit input), T1SZ 16 (48-bit input), TG1 4 KiB");
	expect("MAIR_EL1", 0, 0xff00, "Attr1 Normal WB");
}

static void old_value_where_there_was_one(void **state)
{
	(void)state;
	expect("TCR_EL1", 0x19, 0x10, "T0SZ 25 (39-bit input) -> 16 (48-bit input)");
	expect("TCR_EL1", 0x10, 0x2000800010, "sets EPD1, TBI0");
}

static void no_change_is_no_words(void **state)
{
	(void)state;
	expect("TCR_EL1", 0x19, 0x19, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_are_set_and_cleared),
		cmocka_unit_test(numbers_with_what_they_mean),
		cmocka_unit_test(old_value_where_there_was_one),
		cmocka_unit_test(no_change_is_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
