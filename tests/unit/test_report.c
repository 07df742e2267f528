/* SPDX-License-Identifier: BSD-2-Clause */
/* --junit and --tap: whatever is printed, the XML can be parsed and says it; TAP keeps its lines.
 */
#include "unit.h"

#include "report.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char first[] = "handoff run", second[] = "cont <2> \"#\"", third[] = "why";
static char *commands[] = { first, second, third };

struct file {
	struct options o;
	struct report *r;
	char path[48];
	struct buf text;       /* the file */
	struct buf system_out; /* of the first case */
	struct buf failure;    /* elements' names and messages */
	unsigned int in_out, outs;
};

static int setup(void **state)
{
	struct file *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	snprintf(t->path, sizeof(t->path), "/tmp/baton-report.%d.xml", (int)getpid());
	t->o = (struct options){ .junit = t->path, .commands = { commands, 3 } };
	t->r = report_new(&t->o, "baton run", "qemu & \"more\"", NULL);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct file *t = *state;

	report_free(t->r);
	buf_free(&t->text);
	buf_free(&t->system_out);
	buf_free(&t->failure);
	unlink(t->path);
	free(t);
	return 0;
}

static void element_start(void *ctx, const char *name, const char **attr)
{
	struct file *t = ctx;

	t->in_out = !strcmp(name, "system-out") && ++t->outs == 1;
	if (strcmp(name, "failure") && strcmp(name, "error") && strcmp(name, "skipped"))
		return;
	assert_string_equal(attr[0], "message");
	buf_printf(&t->failure, "%s: %s\n", name, attr[1]);
}

static void element_end(void *ctx, const char *name)
{
	(void)name;
	((struct file *)ctx)->in_out = 0;
}

static void characters(void *ctx, const char *s, int len)
{
	struct file *t = ctx;

	if (t->in_out)
		buf_add(&t->system_out, s, (size_t)len);
}

static void write_and_parse(struct file *t, int status)
{
	struct buf why = { 0 };
	XML_Parser p = XML_ParserCreate(NULL);
	char bytes[4096];
	struct stat st;
	size_t n;
	FILE *f;

	assert_int_equal(report_prepare(t->r, &why), 0);
	assert_int_equal(report_write(t->r, status, &why), 0);
	f = fopen(t->path, "r");
	assert_non_null(f);
	while ((n = fread(bytes, 1, sizeof(bytes), f)))
		buf_add(&t->text, bytes, n);
	assert_false(fstat(fileno(f), &st));
	assert_int_equal(st.st_mode & 0600, 0600);
	fclose(f);
	XML_SetUserData(p, t);
	XML_SetElementHandler(p, element_start, element_end);
	XML_SetCharacterDataHandler(p, characters);
	if (!XML_Parse(p, t->text.data, (int)t->text.len, 1))
		fail_msg("line %lu: %s", XML_GetCurrentLineNumber(p),
			 XML_ErrorString(XML_GetErrorCode(p)));
	XML_ParserFree(p);
}

static void say(struct file *t, const char *text)
{
	report_said(t->r, text, strlen(text));
}

static void any_bytes_are_valid_xml_and_can_be_told_apart(void **state)
{
	struct file *t = *state;
	static const char console[] = "a\r\nb\rc\033[0m\0]]>&<\"\t\x80\xff\xc3\xa9\xed\xa0\x80"
				      "\xef\xbf\xbf\xe2\x80\xa8\xc0\xaf\xf4\x90\x80\x80\xe2\x82";

	report_begin(t->r, 0);
	report_console(t->r, console, sizeof(console) - 1);
	report_end(t->r, 0);
	write_and_parse(t, 0);
	assert_string_equal(t->system_out.data,
			    "a\nb\\x0dc\\x1b[0m\\x00]]>&<\"\t\\x80\\xff\xc3\xa9\\xed\\xa0\\x80"
			    "\\xef\\xbf\\xbf\\xe2\\x80\\xa8\\xc0\\xaf\\xf4\\x90\\x80\\x80"
			    "\\xe2\\x82");
}

static void each_byte_by_itself(void **state)
{
	struct file *t = *state;

	report_begin(t->r, 0);
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;

		report_console(t->r, &byte, 1);
		report_said(t->r, "\n", 1);
	}
	report_end(t->r, 1);
	write_and_parse(t, 1);
}

static void endless_output_keeps_its_begin_and_its_end(void **state)
{
	struct file *t = *state;
	const char *note;
	char line[64];

	report_begin(t->r, 0);
	say(t, "the first line\n");
	for (int i = 0; i < 300000; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		report_console(t->r, line, strlen(line));
	}
	say(t, "the last line\n");
	report_end(t->r, 1);
	write_and_parse(t, 1);
	assert_true(t->system_out.len < 520 * 1024);
	assert_memory_equal(t->system_out.data, "the first line\nline 0\n", 22);
	assert_string_equal(t->system_out.data + t->system_out.len - 26,
			    "\nline 299999\nthe last line\n" + 1);
	note = strstr(t->system_out.data, "\n[... ");
	assert_non_null(note);
	/* what is there and what is not is all of it */
	assert_int_equal(atoi(note + 6) + (int)(t->system_out.len - strcspn(note + 1, "\n") - 2),
			 15 + 14 + 300000 * 6 + 10 * 1 + 90 * 2 + 900 * 3 + 9000 * 4 + 90000 * 5 +
				 200000 * 6);
	assert_string_equal(t->failure.data, "failure: the last line\n"
					     "skipped: not run: the run had ended\n"
					     "skipped: not run: the run had ended\n");
}

static void one_piece_that_is_too_large(void **state)
{
	struct file *t = *state;
	size_t len = 3u << 20;
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, 'x', len);
	text[len - 1] = 'z';
	report_begin(t->r, 0);
	report_said(t->r, text, len);
	report_end(t->r, 0);
	free(text);
	write_and_parse(t, 0);
	assert_true(t->system_out.len < 520 * 1024);
	assert_int_equal(t->system_out.data[t->system_out.len - 1], 'z');
	assert_non_null(strstr(t->system_out.data, "\n[... 2621440 bytes left out here ...]\n"));
}

static void trouble_is_the_message_and_what_was_not_run_is_skipped(void **state)
{
	struct file *t = *state;

	report_trouble(t->r, "a remark of before");
	report_begin(t->r, 0);
	say(t, "fix: this\n");
	report_end(t->r, 1);
	report_begin(t->r, 1);
	report_trouble(t->r, "QEMU \"died\"");
	report_end(t->r, 2);
	write_and_parse(t, 2);
	assert_string_equal(t->failure.data, "failure: fix: this\nerror: QEMU \"died\"\n"
					     "skipped: not run: the run had ended\n");
	assert_string_equal(t->system_out.data, "baton: a remark of before\nfix: this\n");
	assert_non_null(
		strstr(t->text.data, "tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"1\""));
}

static void trouble_before_the_first_command_is_its_error(void **state)
{
	struct file *t = *state;

	report_trouble(t->r, "no such QEMU");
	write_and_parse(t, 2);
	assert_memory_equal(t->failure.data, "error: no such QEMU\nskipped: ", 29);
}

static void tap_has_one_line_a_case_and_the_rest_indented(void **state)
{
	struct file *t = *state;

	report_begin(t->r, 0);
	say(t, "well\n\n  not ok 7 - of a guest's\r\n...\n");
	report_end(t->r, 0);
	report_begin(t->r, 1);
	say(t, "a \"quoted\\\" word");
	report_end(t->r, 2);
	t->r->cases[0].start = t->r->cases[0].end = 1;
	t->r->cases[1].start = t->r->cases[1].end = 1;
	report_tap(t->r, &t->text);
	assert_string_equal(t->text.data, "TAP version 13\n1..3\n# baton run: qemu & \"more\"\n"
					  "ok 1 - handoff run\n  ---\n  status: 0\n"
					  "  duration_ms: 0\n  output: |\n    $ handoff run\n"
					  "    well\n    \n      not ok 7 - of a guest's\n"
					  "    ...\n  ...\n"
					  "not ok 2 - cont <2> \"\\#\"\n  ---\n  status: 2\n"
					  "  message: \"a \\\"quoted\\\\\\\" word\"\n"
					  "  duration_ms: 0\n  output: |\n    $ cont <2> \"#\"\n"
					  "    a \"quoted\\\" word\n  ...\n"
					  "ok 3 - why # SKIP not run: the run had ended\n");
}

static void old_report_goes_and_what_is_no_file_stays(void **state)
{
	struct file *t = *state;
	struct buf why = { 0 };
	FILE *f = fopen(t->path, "w");

	assert_non_null(f);
	fclose(f);
	assert_int_equal(report_prepare(t->r, &why), 0);
	assert_int_not_equal(access(t->path, F_OK), 0);
	t->o.junit = "/dev/null";
	assert_true(report_prepare(t->r, &why) < 0);
	assert_non_null(strstr(why.data, "--junit /dev/null: "));
	buf_clear(&why);
	t->o.junit = "/nowhere/report.xml";
	assert_true(report_prepare(t->r, &why) < 0);
	assert_non_null(strstr(why.data, "--junit /nowhere/report.xml: No such file"));
	buf_free(&why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_bytes_are_valid_xml_and_can_be_told_apart),
		TEST(each_byte_by_itself),
		TEST(endless_output_keeps_its_begin_and_its_end),
		TEST(one_piece_that_is_too_large),
		TEST(trouble_is_the_message_and_what_was_not_run_is_skipped),
		TEST(trouble_before_the_first_command_is_its_error),
		TEST(tap_has_one_line_a_case_and_the_rest_indented),
		TEST(old_report_goes_and_what_is_no_file_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
