/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "buf.h"
#include "error.h"

#include <limits.h>

static void text_is_always_terminated(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		buf_putc(&b, 'x');
		assert_int_equal(b.data[b.len], 0);
		assert_true(b.cap > b.len);
	}
	assert_int_equal(b.len, 1000);
	buf_free(&b);
	assert_null(b.data);
}

static void printf_appends_any_length(void **state)
{
	struct buf b = { 0 };
	char big[5000];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	buf_puts(&b, "n=");
	buf_printf(&b, "%d %s", 7, big);
	assert_int_equal(b.len, 4 + sizeof(big) - 1);
	assert_memory_equal(b.data, "n=7 aaa", 7);
	assert_int_equal(b.data[b.len], 0);
	buf_free(&b);
}

static void consume_moves_the_rest_up(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_consume(&b, 3);
	buf_add(&b, "ab\0cd", 5);
	buf_consume(&b, 0);
	buf_consume(&b, 1);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "b\0cd", 5);
	buf_consume(&b, 99);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_free(&b);
}

static void clear_keeps_the_memory(void **state)
{
	struct buf b = { 0 };
	char *before;

	(void)state;
	buf_clear(&b);
	buf_puts(&b, "text");
	before = b.data;
	buf_clear(&b);
	assert_string_equal(b.data, "");
	buf_puts(&b, "t");
	assert_ptr_equal(b.data, before);
	buf_free(&b);
}

static void adding_nothing_gives_an_empty_text(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add(&b, NULL, 0);
	assert_string_equal(b.data, "");
	buf_free(&b);
}

static void every_error_has_words_and_a_wire_number_of_its_own(void **state)
{
	(void)state;
	for (int i = 1; i < BATON_ERROR_COUNT; i++) {
		assert_non_null(baton_strerror(i));
		assert_string_equal(baton_strerror(i), baton_strerror(-i));
		assert_in_range(baton_wire(-i), 1, 255);
		for (int j = 1; j < i; j++) {
			assert_string_not_equal(baton_strerror(i), baton_strerror(j));
			assert_int_not_equal(baton_wire(i), baton_wire(j));
		}
	}
}

static void an_unknown_error_is_said_to_be_one(void **state)
{
	static const int unknown[] = { BATON_ERROR_COUNT, -BATON_ERROR_COUNT, INT_MIN, INT_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_string_equal(baton_strerror(unknown[i]), "unknown error");
		assert_in_range(baton_wire(unknown[i]), 1, 255);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_always_terminated),
		cmocka_unit_test(printf_appends_any_length),
		cmocka_unit_test(consume_moves_the_rest_up),
		cmocka_unit_test(clear_keeps_the_memory),
		cmocka_unit_test(adding_nothing_gives_an_empty_text),
		cmocka_unit_test(every_error_has_words_and_a_wire_number_of_its_own),
		cmocka_unit_test(an_unknown_error_is_said_to_be_one),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
