/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report as JUnit XML, in the shape that Jenkins and GitLab read, and as TAP 13 with YAML
 * diagnostics (version 14 reads them, too). Status 1 is a failure, 2 an error.
 */
#include "report.h"

#include "loop.h"

#include <stdio.h>
#include <string.h>

static double seconds(int64_t from, int64_t to)
{
	return to > from ? (double)(to - from) / 1000 : 0;
}

static double seconds_of(const struct report_case *c)
{
	return c->start ? seconds(c->start, c->end ? c->end : loop_now()) : 0;
}

/* XML; @text is clean: excerpt_text(). Line ends within an attribute would become spaces. */

static void xml(const char *text, struct buf *out)
{
	for (const char *s = text; s && *s; s++) {
		switch (*s) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>': /* "]]>" may not be written out */
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		default:
			buf_putc(out, *s);
		}
	}
}

static void attribute(const char *name, const char *text, struct buf *out)
{
	struct buf clean = { 0 };

	report_clean(text, strlen(text), &clean);
	buf_printf(out, " %s=\"", name);
	xml(clean.data, out);
	buf_putc(out, '"');
	buf_free(&clean);
}

static void property(const char *name, const char *value, struct buf *out)
{
	buf_puts(out, "      <property");
	attribute("name", name, out);
	attribute("value", value, out);
	buf_puts(out, "/>\n");
}

static void element(const char *name, const struct excerpt *e, struct buf *out)
{
	struct buf text = { 0 };

	excerpt_text(e, &text);
	buf_printf(out, "<%s>", name);
	xml(text.data, out);
	buf_printf(out, "</%s>\n", name);
	buf_free(&text);
}

static void junit_case(const struct report *r, const struct report_case *c, struct buf *out)
{
	const char *kind = c->status == 1 ? "failure" : c->status == 2 ? "error" : NULL;
	struct buf message = { 0 }, text = { 0 };
	char class[32];

	snprintf(class, sizeof(class), "%s", r->title);
	class[strcspn(class, " ")] = '.';
	buf_puts(out, "    <testcase");
	attribute("classname", class, out);
	attribute("name", c->name, out);
	buf_printf(out, " time=\"%.3f\">\n", c->status < 0 ? 0.0 : seconds_of(c));
	report_message(c, &message);
	if (c->status < 0) {
		buf_puts(out, "      <skipped");
		attribute("message", message.data, out);
		buf_puts(out, "/>\n    </testcase>\n");
		buf_free(&message);
		return;
	}
	if (kind) {
		buf_printf(out, "      <%s", kind);
		attribute("message", message.len ? message.data : "it says nothing", out);
		buf_printf(out, " type=\"%s\">", kind);
		excerpt_text(&c->said, &text);
		xml(text.data, out);
		buf_printf(out, "</%s>\n", kind);
	}
	buf_puts(out, "      ");
	element("system-out", &c->all, out);
	buf_puts(out, "    </testcase>\n");
	buf_free(&message);
	buf_free(&text);
}

static unsigned int count_of(const struct report *r, int status)
{
	unsigned int n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->cases[i].status == status;
	return n;
}

static void junit_suite(const struct report *r, const char *element, bool all, struct buf *out)
{
	buf_printf(out, "<%s", element);
	attribute("name", r->title, out);
	buf_printf(out, " tests=\"%zu\" failures=\"%u\" errors=\"%u\"", r->count, count_of(r, 1),
		   count_of(r, 2));
	if (all)
		buf_printf(out, " skipped=\"%u\" timestamp=\"%s\"", count_of(r, -1), r->began);
	buf_printf(out, " time=\"%.3f\">\n", seconds(r->start, loop_now()));
}

void report_junit(const struct report *r, struct buf *out)
{
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	junit_suite(r, "testsuites", false, out);
	buf_puts(out, "  ");
	junit_suite(r, "testsuite", true, out);
	buf_puts(out, "    <properties>\n");
	property("baton", BATON_VERSION, out);
	property("subject", r->subject, out);
	if (r->about)
		property("console", r->about, out);
	buf_puts(out, "    </properties>\n");
	for (size_t i = 0; i < r->count; i++)
		junit_case(r, &r->cases[i], out);
	buf_puts(out, "  </testsuite>\n</testsuites>\n");
}

/* In one line, a backslash before each of @marks: behind a bare `#` is a directive of TAP. */
static void escaped(const char *name, const char *marks, struct buf *out)
{
	struct buf clean = { 0 };

	report_clean(name, strlen(name), &clean);
	for (const char *s = clean.data; s && *s; s++) {
		if (strchr(marks, *s))
			buf_putc(out, '\\');
		buf_putc(out, *s == '\n' ? ' ' : *s);
	}
	buf_free(&clean);
}

/*
 * A block scalar is indented as its first line is, so that is one which begins at the left;
 * an empty line gets the indentation, since simple readers end the block there else.
 */
static void block(const struct report_case *c, struct buf *out)
{
	struct buf text = { 0 };

	buf_puts(out, "  output: |\n    $ ");
	escaped(c->name, "", out);
	buf_puts(out, "\n    ");
	excerpt_text(&c->all, &text);
	for (const char *s = text.data; s && *s; s++) {
		buf_putc(out, *s);
		if (*s == '\n' && s[1])
			buf_puts(out, "    ");
	}
	if (!text.data || !text.len || text.data[text.len - 1] != '\n')
		buf_putc(out, '\n');
	buf_free(&text);
}

static void tap_case(const struct report_case *c, size_t number, struct buf *out)
{
	struct buf message = { 0 };

	buf_printf(out, "%s %zu - ", c->status > 0 ? "not ok" : "ok", number);
	escaped(c->name, "#\\", out);
	report_message(c, &message);
	if (c->status < 0) {
		buf_printf(out, " # SKIP %s\n", message.data);
		buf_free(&message);
		return;
	}
	buf_puts(out, "\n  ---\n");
	buf_printf(out, "  status: %d\n", c->status);
	if (c->status) {
		buf_puts(out, "  message: \"");
		escaped(message.len ? message.data : "it says nothing", "\"\\", out);
		buf_puts(out, "\"\n");
	}
	buf_printf(out, "  duration_ms: %.0f\n", seconds_of(c) * 1000);
	block(c, out);
	buf_puts(out, "  ...\n");
	buf_free(&message);
}

void report_tap(const struct report *r, struct buf *out)
{
	buf_printf(out, "TAP version 13\n1..%zu\n# %s: ", r->count, r->title);
	escaped(r->subject, "", out);
	buf_putc(out, '\n');
	if (r->about)
		buf_printf(out, "# console: %s\n", r->about);
	for (size_t i = 0; i < r->count; i++)
		tap_case(&r->cases[i], i + 1, out);
}
