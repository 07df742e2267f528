/* SPDX-License-Identifier: BSD-2-Clause */
/* `baton check --json`, read back by a JSON parser: an image made by hand, good and broken. */
#include "unit.h"

#include "check.h"

#include "monitor/command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BASE  UINT64_C(0x40000000)
#define NOP   0xd503201fu
#define WORDS 0x4000 /* 128 KiB: two of the largest granules */
#define LINES 64

/* A page of code, and tables that map 2 MiB onto themselves: L0, L1, L2. */
struct file {
	uint64_t word[WORDS];
	char path[48];
	json_t *json;
	json_t *line[LINES]; /* what comes behind it */
	size_t lines;
	struct options o;
	int status;
};

static struct given_value given(uint64_t value)
{
	return (struct given_value){ true, value };
}

static int setup(void **state)
{
	struct file *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->word[0] = NOP;
	t->word[512] = (BASE + 0x2000) | 3;
	t->word[1024 + 1] = (BASE + 0x3000) | 3;
	t->word[1536] = BASE | 0x711;
	snprintf(t->path, sizeof(t->path), "/tmp/baton-json.XXXXXX");
	t->o = (struct options){ .mode = MODE_CHECK, .json = true, .image = t->path };
	t->o.given[GIVEN_LOAD] = t->o.given[GIVEN_ENTRY] = given(BASE);
	t->o.given[GIVEN_TTBR0] = given(BASE + 0x1000);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct file *t = *state;

	json_decref(t->json);
	for (size_t i = 0; i < t->lines; i++)
		json_decref(t->line[i]);
	unlink(t->path);
	free(t);
	return 0;
}

static void put_file(struct file *t)
{
	int fd = mkstemp(t->path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, t->word, sizeof(t->word)), sizeof(t->word));
	close(fd);
}

/* What stands for an address, a size or a register, and what for a number. */
static const char *const hex_keys[] = { "address", "descriptor", "end",	       "entry",
					"esr",	   "ia",	 "load",       "oa",
					"size",	   "start",	 "va",	       "value",
					"type",	   "task_end",	 "task_start", "task_entry" };
static const char *const number_keys[] = { "count", "el",     "error",	"findings_left_out",
					   "index", "level",  "note",	"others",
					   "stage", "status", "warning" };

#define HAS(list, key) has(list, sizeof(list) / sizeof((list)[0]), key)

static bool has(const char *const *list, size_t n, const char *key)
{
	while (n && strcmp(list[n - 1], key) != 0)
		n--;
	return n;
}

static void assert_schema(json_t *j)
{
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(j, i, value) assert_schema(value);
	json_object_foreach(j, key, value)
	{
		const char *text = json_string_value(value);

		assert_schema(value);
		assert_false(json_is_real(value));
		if (json_is_integer(value) && !HAS(number_keys, key))
			fail_msg("%s is a number", key);
		if (!HAS(hex_keys, key) || json_is_null(value))
			continue;
		assert_non_null(text);
		if (strncmp(text, "0x", 2) || !text[2] ||
		    text[2 + strspn(text + 2, "0123456789abcdef")])
			fail_msg("%s is \"%s\", no hex string", key, text);
	}
}

/* With standard output in a file; what is in it has to be objects and nothing else. */
static void check(struct file *t)
{
	size_t flags = JSON_REJECT_DUPLICATES | (t->o.commands.count ? JSON_DISABLE_EOF_CHECK : 0);
	FILE *f = tmpfile();
	json_error_t why;
	int old;

	assert_non_null(f);
	fflush(stdout);
	old = dup(STDOUT_FILENO);
	dup2(fileno(f), STDOUT_FILENO);
	t->status = check_run(&t->o);
	fflush(stdout);
	dup2(old, STDOUT_FILENO);
	close(old);
	rewind(f);
	t->json = json_loadf(f, flags, &why);
	assert_non_null(t->json);
	assert_string_equal(json_string_value(json_object_get(t->json, "command")), "check");
	assert_schema(t->json);
	while (t->o.commands.count && fgetc(f) == '\n' && ungetc(fgetc(f), f) != EOF) {
		assert_true(t->lines < LINES);
		t->line[t->lines] = json_loadf(f, flags, &why);
		assert_non_null(t->line[t->lines]);
		assert_schema(t->line[t->lines++]);
	}
	assert_int_equal(fgetc(f), EOF);
	fclose(f);
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

static void use(struct file *t, char **lines, size_t n)
{
	t->o.commands = (struct strings){ lines, n };
}

/* Each command is a line of its own: the name, the status, what it said as text. */
static void assert_line(const struct file *t, size_t i, const char *command, int status)
{
	const json_t *j = t->line[i];

	assert_true(i < t->lines);
	assert_int_equal(json_object_size(j), 4);
	assert_string_equal(string(j, "command"), command);
	assert_int_equal(json_integer_value(json_object_get(j, "status")), status);
	assert_int_equal(json_is_true(json_object_get(j, "ok")), !status);
	assert_true(json_is_string(json_object_get(j, "output")));
}

static void every_command_that_a_file_answers_has_its_line(void **state)
{
	static char list[][40] = { "help",
				   "help pt-walk",
				   "loader",
				   "mem 0x40000000 16",
				   "mem -p 0x40000000 16",
				   "pt-dump",
				   "pt-dump x",
				   "pt-find 0x40000000",
				   "pt-lint",
				   "pt-lint --rules",
				   "pt-snap a",
				   "pt-diff a",
				   "pt-tables",
				   "pt-walk $pc",
				   "ram",
				   "sysreg",
				   "patches",
				   "sysreg TCR_EL1" };
	enum { COUNT = sizeof(list) / sizeof(list[0]) };
	struct file *t = *state;
	char *lines[COUNT];

	for (size_t i = 0; i < COUNT; i++)
		lines[i] = list[i];
	use(t, lines, COUNT);
	put_file(t);
	check(t);
	assert_int_equal(t->status, 0);
	assert_int_equal(t->lines, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_line(t, i, list[i], 0);
}

/* Whatever the table has, without a word behind it: fails or not, it is a line. */
static void every_command_of_the_table_is_an_object(void **state)
{
	struct file *t = *state;

	put_file(t);
	for (const struct command *const *row = commands; *row; row++) {
		char name[40], *line = name;

		snprintf(name, sizeof(name), "%s", (*row)->name);
		use(t, &line, 1);
		check(t);
		assert_int_equal(t->lines, 1);
		assert_line(t, 0, name, t->status);
		json_decref(t->line[0]);
		json_decref(t->json);
		t->json = NULL;
		t->lines = 0;
	}
}

static void a_command_that_fails_is_the_last_line(void **state)
{
	char first_one[] = "pt-walk 0x7000000000", bad[] = "pt-walk \"", never[] = "ram";
	char *lines[] = { first_one, bad, never };
	struct file *t = *state;

	use(t, lines, 3);
	put_file(t);
	check(t);
	assert_int_equal(t->status, 2);
	assert_int_equal(t->lines, 2);
	assert_line(t, 0, first_one, 1);
	assert_line(t, 1, bad, 2);
}

static void no_file_for_commands_is_one_error(void **state)
{
	char ram[] = "ram", *command = ram;
	struct file *t = *state;

	use(t, &command, 1);
	check(t);
	assert_int_equal(t->status, 2);
	assert_int_equal(t->lines, 0);
	assert_non_null(strstr(string(t->json, "error"), "No such file"));
}

/* One root at level 2, of the other granules, for EL2: a block at @index maps the file. */
static void walk_at_el2(struct file *t, uint64_t tcr, unsigned int index)
{
	memset(t->word, 0, sizeof(t->word));
	t->word[0] = NOP;
	t->word[0x10000 / 8 + index] = BASE | 0x751;
	t->o.given[GIVEN_EL] = given(2);
	t->o.given[GIVEN_TTBR0] = given(BASE + 0x10000);
	t->o.given[GIVEN_TCR] = given(tcr);
	put_file(t);
	check(t);
}

static void assert_block_at_el2(const struct file *t)
{
	const json_t *walk = first(t, "walks");

	assert_int_equal(t->status, 0);
	assert_string_equal(string(walk, "oa"), "0x40000000");
	assert_string_equal(string(json_array_get(json_object_get(walk, "steps"), 0), "kind"),
			    "block");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(t->json, "regime"), "el")), 2);
}

static void tables_of_64_kib_at_el2(void **state)
{
	walk_at_el2(*state, 0x80827516, 2);
	assert_block_at_el2(*state);
}

static void tables_of_16_kib_at_el2(void **state)
{
	walk_at_el2(*state, 0x8082b51c, 32);
	assert_block_at_el2(*state);
}

static void an_entry_off_by_one_at_el2_faults(void **state)
{
	struct file *t = *state;

	walk_at_el2(t, 0x8082b51c, 33);
	assert_int_equal(t->status, 1);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(first(t, "walks"), "fault"), "level")),
			 2);
}

/* EL1 under a hypervisor: VTCR of 39 bits that starts at level 1, 4 KiB. */
static void set_stage2(struct file *t)
{
	t->o.given[GIVEN_VTTBR] = given(BASE + 0x4000);
	t->o.given[GIVEN_VTCR] = given(0x80023559);
}

static void a_second_stage_is_walked_too(void **state)
{
	struct file *t = *state;

	t->word[0x4000 / 8 + 1] = BASE | 0x7fd;
	set_stage2(t);
	put_file(t);
	check(t);
	assert_int_equal(t->status, 0);
	assert_string_equal(string(first(t, "walks"), "oa"), "0x40000000");
}

static void a_hole_in_the_second_stage_is_named(void **state)
{
	struct file *t = *state;
	const json_t *fault;

	set_stage2(t);
	put_file(t);
	check(t);
	assert_int_equal(t->status, 1);
	fault = json_object_get(first(t, "walks"), "fault");
	assert_int_equal(json_integer_value(json_object_get(fault, "stage")), 2);
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
		TEST(every_command_that_a_file_answers_has_its_line),
		TEST(every_command_of_the_table_is_an_object),
		TEST(a_command_that_fails_is_the_last_line),
		TEST(no_file_for_commands_is_one_error),
		TEST(tables_of_64_kib_at_el2),
		TEST(tables_of_16_kib_at_el2),
		TEST(an_entry_off_by_one_at_el2_faults),
		TEST(a_second_stage_is_walked_too),
		TEST(a_hole_in_the_second_stage_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
