/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "buf.h"
#include "error.h"
#include "hex.h"

static void both_cases_decode(void **state)
{
	unsigned char out[4];

	(void)state;
	assert_int_equal(hex_decode("00fFA59c", 8, out), 0);
	assert_memory_equal(out, "\x00\xff\xa5\x9c", 4);
	assert_int_equal(hex_decode("", 0, out), 0);
}

static void decoding_in_place_works(void **state)
{
	char text[] = "68656c6c6f";

	(void)state;
	assert_int_equal(hex_decode(text, 10, text), 0);
	assert_memory_equal(text, "hello", 5);
}

static void what_is_not_hex_is_refused(void **state)
{
	static const char *const bad[] = { "0",	 "000", "0g",  "g0", " 0", "0 ", "0x",
					   "+1", "-1",	"\n0", "0:", "@0", "`0", "G0" };
	unsigned char out[8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hex_decode(bad[i], strlen(bad[i]), out), -BATON_EPROTO);
	assert_int_equal(hex_decode("0\0", 2, out), -BATON_EPROTO);
}

static void encode_appends_lower_case(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "m");
	hex_encode(&b, "\x00\xff\xa5", 3);
	assert_string_equal(b.data, "m00ffa5");
	hex_encode(&b, "", 0);
	assert_int_equal(b.len, 7);
	buf_free(&b);
}

static void u64_stops_behind_its_digits(void **state)
{
	const char *p = "1f,2";
	uint64_t v;

	(void)state;
	assert_int_equal(hex_u64(&p, &v), 0);
	assert_int_equal(v, 0x1f);
	assert_string_equal(p, ",2");
	p = "FFFFffff00000001";
	assert_int_equal(hex_u64(&p, &v), 0);
	assert_true(v == 0xffffffff00000001);
}

static void u64_refuses_none_and_a_17th(void **state)
{
	static const char *const bad[] = { "", ",", "x1", "-1", " 1", "00000000000000001" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *p = bad[i];
		uint64_t v = 77;

		assert_int_equal(hex_u64(&p, &v), -BATON_EPROTO);
		assert_ptr_equal(p, bad[i]);
		assert_int_equal(v, 77);
	}
}

static void little_endian_of_any_size(void **state)
{
	uint8_t b[8];

	(void)state;
	for (unsigned int n = 0; n <= 8; n++) {
		uint64_t mask = n == 8 ? UINT64_MAX : (1ull << (8 * n)) - 1;

		memset(b, 0xee, sizeof(b));
		le_write(b, n, 0x8877665544332211);
		assert_true(le_read(b, n) == (0x8877665544332211 & mask));
		if (n < 8)
			assert_int_equal(b[n], 0xee);
	}
	assert_int_equal(b[0], 0x11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_cases_decode),
		cmocka_unit_test(decoding_in_place_works),
		cmocka_unit_test(what_is_not_hex_is_refused),
		cmocka_unit_test(encode_appends_lower_case),
		cmocka_unit_test(u64_stops_behind_its_digits),
		cmocka_unit_test(u64_refuses_none_and_a_17th),
		cmocka_unit_test(little_endian_of_any_size),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
