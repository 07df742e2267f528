/* SPDX-License-Identifier: BSD-2-Clause */
/* `baton check --json`, read back by a JSON parser: an image made by hand, good and broken. */
#include "unit.h"

#include "check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BASE  UINT64_C(0x40000000)
#define NOP   0xd503201fu
#define WORDS (4 * 512)

/* A page of code, and tables that map 2 MiB onto themselves: L0, L1, L2. */
struct file {
	uint64_t word[WORDS];
	char path[48];
	json_t *json;
	int status;
};

static int setup(void **state)
{
	struct file *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->word[0] = NOP;
	t->word[512] = (BASE + 0x2000) | 3;
	t->word[1024 + 1] = (BASE + 0x3000) | 3;
	t->word[1536] = BASE | 0x711;
	snprintf(t->path, sizeof(t->path), "/tmp/baton-json.XXXXXX");
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct file *t = *state;

	json_decref(t->json);
	unlink(t->path);
	free(t);
	return 0;
}

static struct given_value given(uint64_t value)
{
	return (struct given_value){ true, value };
}

static void put_file(struct file *t)
{
	int fd = mkstemp(t->path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, t->word, sizeof(t->word)), sizeof(t->word));
	close(fd);
}

/* With standard output in a file; what is in it has to be one object and nothing else. */
static void check(struct file *t)
{
	struct options o = { .mode = MODE_CHECK, .json = true, .image = t->path };
	FILE *f = tmpfile();
	json_error_t why;
	int old;

	assert_non_null(f);
	o.given[GIVEN_LOAD] = o.given[GIVEN_ENTRY] = given(BASE);
	o.given[GIVEN_TTBR0] = given(BASE + 0x1000);
	fflush(stdout);
	old = dup(STDOUT_FILENO);
	dup2(fileno(f), STDOUT_FILENO);
	t->status = check_run(&o);
	fflush(stdout);
	dup2(old, STDOUT_FILENO);
	close(old);
	rewind(f);
	t->json = json_loadf(f, JSON_REJECT_DUPLICATES, &why);
	fclose(f);
	assert_non_null(t->json);
	assert_string_equal(json_string_value(json_object_get(t->json, "command")), "check");
}

static const json_t *first(const struct file *t, const char *list)
{
	const json_t *j = json_array_get(json_object_get(t->json, list), 0);

	assert_non_null(j);
	return j;
}

static const char *string(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	assert_non_null(s);
	return s;
}

static bool is_null(const json_t *j, const char *key)
{
	return json_is_null(json_object_get(j, key));
}

static void good_image_is_ok_and_says_where_the_entry_ends(void **state)
{
	struct file *t = *state;
	const json_t *walk, *regime;

	put_file(t);
	check(t);
	assert_int_equal(t->status, 0);
	assert_true(json_is_true(json_object_get(t->json, "ok")));
	walk = first(t, "walks");
	assert_string_equal(string(walk, "va"), "0x40000000");
	assert_string_equal(string(walk, "oa"), "0x40000000");
	assert_true(is_null(walk, "fault"));
	assert_int_equal(json_array_size(json_object_get(walk, "steps")), 3);
	assert_int_equal(json_array_size(json_object_get(t->json, "repairs")), 0);
	assert_true(is_null(json_object_get(t->json, "image"), "header"));
	regime = json_object_get(t->json, "regime");
	assert_true(is_null(regime, "ttbr1"));
	assert_string_equal(string(json_object_get(regime, "ttbr0"), "value"), "0x40001000");
	assert_string_equal(string(json_object_get(regime, "ttbr0"), "how"), "--ttbr0");
}

/* The text's status, the very descriptor and what to do. */
static void missing_table_is_named_with_its_remedy(void **state)
{
	struct file *t = *state;
	const json_t *walk, *fault, *step;

	t->word[1024 + 1] = 0;
	put_file(t);
	check(t);
	assert_int_equal(t->status, 1);
	assert_true(json_is_false(json_object_get(t->json, "ok")));
	walk = first(t, "walks");
	fault = json_object_get(walk, "fault");
	assert_string_equal(string(fault, "kind"), "translation");
	assert_int_equal(json_integer_value(json_object_get(fault, "level")), 1);
	assert_string_equal(string(fault, "esr"), "0x86000005");
	assert_true(is_null(walk, "oa"));
	step = json_array_get(json_object_get(walk, "steps"), 1);
	assert_string_equal(string(step, "address"), "0x40002008");
	assert_string_equal(string(step, "kind"), "invalid");
	assert_non_null(strstr(string(walk, "advice"), "0x40003000 looks like a table"));
	assert_string_equal(string(first(t, "findings"), "remedy"),
			    "pt-set 0x40000000 L1 0x40003003");
	assert_string_equal(string(first(t, "findings"), "severity"), "error");
}

/* Type 0b01 at level 0 of 4 KiB tables is no block (DDI 0487, D8.3.1). */
static void reserved_descriptor_is_called_so(void **state)
{
	struct file *t = *state;
	const json_t *steps;

	t->word[512] = BASE | 0x711;
	put_file(t);
	check(t);
	assert_int_equal(t->status, 1);
	steps = json_object_get(first(t, "walks"), "steps");
	assert_string_equal(string(json_array_get(steps, 0), "kind"), "reserved");
}

static void no_file_is_an_error_and_nothing_else(void **state)
{
	struct file *t = *state;

	check(t);
	assert_int_equal(t->status, 2);
	assert_true(json_is_false(json_object_get(t->json, "ok")));
	assert_non_null(strstr(string(t->json, "error"), "No such file"));
	assert_int_equal(json_object_size(t->json), 3);
}

/* JSON is UTF-8, a path need not be. */
static void name_that_is_not_utf8_does_not_break_it(void **state)
{
	struct file *t = *state;

	snprintf(t->path, sizeof(t->path), "/tmp/baton-\xff\xfe.XXXXXX");
	put_file(t);
	check(t);
	assert_int_equal(t->status, 0);
	assert_int_equal(
		strncmp(string(json_object_get(t->json, "image"), "name"), "baton-\?\?.", 9), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_image_is_ok_and_says_where_the_entry_ends),
		TEST(missing_table_is_named_with_its_remedy),
		TEST(reserved_descriptor_is_called_so),
		TEST(no_file_is_an_error_and_nothing_else),
		TEST(name_that_is_not_utf8_does_not_break_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
