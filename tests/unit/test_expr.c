/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "buf.h"
#include "error.h"
#include "expr.h"

static int reg(void *ctx, const char *name, uint64_t *value)
{
	(void)ctx;
	if (!strcmp(name, "busy"))
		return -BATON_EBUSY;
	if (strcmp(name, "pc"))
		return -BATON_ENOTFOUND;
	*value = 0xffffff8040000000;
	return 0;
}

static int symbol(void *ctx, const char *name, uint64_t *value)
{
	(void)ctx;
	if (!strcmp(name, "boot_lvl0_upper"))
		*value = 0x7000c000;
	else if (!strcmp(name, "a.b$2"))
		*value = 5;
	else
		return -BATON_ENOTFOUND;
	return 0;
}

static const struct expr_env env = { .reg = reg, .symbol = symbol };

static void gives(const char *text, uint64_t want)
{
	struct buf err = { 0 };
	uint64_t v = 0xdead;

	if (expr_eval(text, &env, &v, &err))
		fail_msg("%s: %s", text, err.data);
	if (v != want)
		fail_msg("%s = 0x%llx, not 0x%llx", text, (unsigned long long)v,
			 (unsigned long long)want);
	assert_int_equal(err.len, 0);
	buf_free(&err);
}

static void fails(const char *text, int code, const char *words)
{
	struct buf err = { 0 };
	uint64_t v = 77;

	assert_int_equal(expr_eval(text, &env, &v, &err), code);
	assert_int_equal(v, 77);
	assert_string_equal(err.data, words);
	assert_int_equal(expr_eval(text, &env, &v, NULL), code);
	buf_free(&err);
}

static void numbers(void **state)
{
	(void)state;
	gives("0", 0);
	gives(" 42 ", 42);
	gives("0x1fF", 0x1ff);
	gives("0XA", 10);
	gives("0b101", 5);
	gives("010", 10);
	gives("18446744073709551615", UINT64_MAX);
	gives("0xffffffffffffffff", UINT64_MAX);
	gives("0x0000000000000000000001", 1);
	gives("4K", 4096);
	gives("2M", 2 << 20);
	gives("0x1G", 1 << 30);
}

static void registers_and_symbols(void **state)
{
	(void)state;
	gives("$pc", 0xffffff8040000000);
	gives("boot_lvl0_upper", 0x7000c000);
	gives("boot_lvl0_upper[0x1ff]", 0x7000cff8);
	gives("boot_lvl0_upper[2*(1+1)]+1", 0x7000c021);
	gives("boot_lvl0_upper [ 1 ]", 0x7000c008);
	gives("a.b$2", 5);
}

static void precedence_is_that_of_c(void **state)
{
	(void)state;
	gives("1+2*3", 7);
	gives("(1+2)*3", 9);
	gives("10-3-2", 5);
	gives("1<<2+1", 8);
	gives("0x100>>4>>1", 8);
	gives("6|1&3", 7);
	gives("1&1<<0", 1);
	gives("1|2&2+1", 1 | (2 & 3));
	gives("-1", UINT64_MAX);
	gives("- 1 + 2", 1);
	gives("~0", UINT64_MAX);
	gives("-~0", 1);
	gives("--5", 5);
	gives("+5", 5);
	gives("2*-1", UINT64_MAX - 1);
	gives("$pc & ~(2M - 1)", 0xffffff8040000000);
	gives("0xffff0000 | 0x10 << 1", 0xffff0020);
}

static void arithmetic_wraps_and_wide_shifts_give_zero(void **state)
{
	(void)state;
	gives("0xffffffffffffffff + 1", 0);
	gives("0 - 1", UINT64_MAX);
	gives("0x100000000 * 0x100000000", 0);
	gives("1 << 63", 1ull << 63);
	gives("1 << 64", 0);
	gives("$pc >> 63", 1);
	gives("$pc >> 64", 0);
	gives("1 >> 0xffffffffffffffff", 0);
}

static void errors_name_the_token(void **state)
{
	(void)state;
	fails("0x12g4", -BATON_EINVAL, "\"0x12g4\": not a number at \"g4\" (column 5)");
	fails("12_000", -BATON_EINVAL, "\"12_000\": not a number at \"_000\" (column 3)");
	fails("0x", -BATON_EINVAL, "\"0x\": not a number at the end");
	fails("0b2", -BATON_EINVAL, "\"0b2\": not a number at \"2\" (column 3)");
	fails("5k", -BATON_EINVAL, "\"5k\": not a number at \"k\" (column 2)");
	fails("5KB", -BATON_EINVAL, "\"5KB\": not a number at \"B\" (column 3)");
	fails("", -BATON_EINVAL, "\"\": a number, $register, symbol or ( was expected at the end");
	fails("1+", -BATON_EINVAL,
	      "\"1+\": a number, $register, symbol or ( was expected at the end");
	fails("1 2", -BATON_EINVAL, "\"1 2\": an operator was expected at \"2\" (column 3)");
	fails("1/2", -BATON_EINVAL, "\"1/2\": an operator was expected at \"/2\" (column 2)");
	fails("a.b$2::c", -BATON_EINVAL,
	      "\"a.b$2::c\": an operator was expected at \"::c\" (column 6)");
	fails("(1", -BATON_EINVAL, "\"(1\": ')' is missing at the end");
	fails("1)", -BATON_EINVAL, "\"1)\": an operator was expected at \")\" (column 2)");
	fails("a.b$2[1", -BATON_EINVAL, "\"a.b$2[1\": ']' is missing at the end");
	fails("$", -BATON_EINVAL, "\"$\": no register name behind $ at \"$\" (column 1)");
	fails("$pc[1]", -BATON_EINVAL,
	      "\"$pc[1]\": an operator was expected at \"[1]\" (column 4)");
	fails("1<2", -BATON_EINVAL, "\"1<2\": an operator was expected at \"<2\" (column 2)");
	fails("\xff", -BATON_EINVAL,
	      "\"\xff\": a number, $register, symbol or ( was expected at \"\xff\" (column 1)");
}

static void unknown_names(void **state)
{
	(void)state;
	fails("1+$xx", -BATON_ENOTFOUND, "\"1+$xx\": no register named xx at \"$xx\" (column 3)");
	fails("start", -BATON_ENOTFOUND,
	      "\"start\": no symbol named start at \"start\" (column 1)");
	fails("ffff8000", -BATON_ENOTFOUND,
	      "\"ffff8000\": no symbol named ffff8000 (hexadecimal numbers begin with 0x) "
	      "at \"ffff8000\" (column 1)");
	fails("$busy", -BATON_EBUSY,
	      "\"$busy\": register busy: the machine is running at \"$busy\" (column 1)");
}

static void without_an_environment_there_are_no_names(void **state)
{
	struct expr_env none = { 0 };
	uint64_t v;

	(void)state;
	assert_int_equal(expr_eval("$pc", NULL, &v, NULL), -BATON_ENOTFOUND);
	assert_int_equal(expr_eval("main", &none, &v, NULL), -BATON_ENOTFOUND);
	assert_int_equal(expr_eval("1+1", NULL, &v, NULL), 0);
	assert_int_equal(v, 2);
}

static void numbers_over_64_bits_are_refused(void **state)
{
	(void)state;
	fails("18446744073709551616", -BATON_ERANGE,
	      "\"18446744073709551616\": a number that does not fit in 64 bits "
	      "at \"18446744073709551616\" (column 1)");
	fails("0x10000000000000000", -BATON_ERANGE,
	      "\"0x10000000000000000\": a number that does not fit in 64 bits "
	      "at \"0x10000000000000000\" (column 1)");
	fails("0xffffffffffffffffK", -BATON_ERANGE,
	      "\"0xffffffffffffffffK\": a number that does not fit in 64 bits "
	      "at \"0xffffffffffffffffK\" (column 1)");
}

static void nesting_has_a_limit(void **state)
{
	static char text[400000];
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		memset(text, "(-~"[i], sizeof(text) - 1);
		assert_int_equal(expr_eval(text, NULL, &v, NULL), -BATON_ETOOBIG);
	}
	memset(text, 0, sizeof(text));
	memset(text, '(', EXPR_DEPTH - 1);
	text[EXPR_DEPTH - 1] = '7';
	memset(text + EXPR_DEPTH, ')', EXPR_DEPTH - 1);
	gives(text, 7);
	memset(text, '(', EXPR_DEPTH);
	assert_int_equal(expr_eval(text, NULL, &v, NULL), -BATON_ETOOBIG);
}

static void long_chains_are_not_nesting(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "1");
	for (int i = 1; i < 10000; i++)
		buf_puts(&b, "+1");
	gives(b.data, 10000);
	buf_free(&b);
}

static void long_names_are_refused(void **state)
{
	char text[301];
	uint64_t v;

	(void)state;
	memset(text, 'n', 300);
	text[300] = 0;
	assert_int_equal(expr_eval(text, &env, &v, NULL), -BATON_EINVAL);
}

static void words_split_at_blanks(void **state)
{
	struct args a;

	(void)state;
	assert_int_equal(args_split("  pt-walk\t$pc  -a r\n", &a), 0);
	assert_int_equal(a.count, 4);
	assert_string_equal(a.word[0], "pt-walk");
	assert_string_equal(a.word[1], "$pc");
	assert_string_equal(a.word[3], "r");
	assert_null(a.word[4]);
	args_free(&a);
	assert_int_equal(args_split("", &a), 0);
	assert_int_equal(a.count, 0);
	assert_null(a.word[0]);
	args_free(&a);
}

static void quotes_keep_blanks(void **state)
{
	struct args a;

	(void)state;
	assert_int_equal(args_split("a 'b  c' \"d \\\"e\\\" f\" g'h i'j '' k\\n", &a), 0);
	assert_int_equal(a.count, 6);
	assert_string_equal(a.word[1], "b  c");
	assert_string_equal(a.word[2], "d \"e\" f");
	assert_string_equal(a.word[3], "gh ij");
	assert_string_equal(a.word[4], "");
	assert_string_equal(a.word[5], "k\\n");
	args_free(&a);
}

static void an_open_quote_is_an_error(void **state)
{
	static const char *const bad[] = { "'", "\"", "a 'b", "a \"b\\\"", "'a'b'", "\"\\" };
	struct args a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(args_split(bad[i], &a), -BATON_EINVAL);
		assert_int_equal(a.count, 0);
		assert_null(a.store);
	}
}

static void words_have_a_limit(void **state)
{
	char line[2 * ARGS_MAX + 3] = "";
	struct args a;

	(void)state;
	for (int i = 0; i < ARGS_MAX; i++)
		strcat(line, "x ");
	assert_int_equal(args_split(line, &a), 0);
	assert_int_equal(a.count, ARGS_MAX);
	assert_null(a.word[ARGS_MAX]);
	args_free(&a);
	strcat(line, "x");
	assert_int_equal(args_split(line, &a), -BATON_ETOOBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(registers_and_symbols),
		cmocka_unit_test(precedence_is_that_of_c),
		cmocka_unit_test(arithmetic_wraps_and_wide_shifts_give_zero),
		cmocka_unit_test(errors_name_the_token),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(without_an_environment_there_are_no_names),
		cmocka_unit_test(numbers_over_64_bits_are_refused),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(long_chains_are_not_nesting),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(words_split_at_blanks),
		cmocka_unit_test(quotes_keep_blanks),
		cmocka_unit_test(an_open_quote_is_an_error),
		cmocka_unit_test(words_have_a_limit),
	};

	return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}
