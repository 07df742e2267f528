/* SPDX-License-Identifier: BSD-2-Clause */
/* Gathering a report; report_say.c writes it out. */
#include "report.h"

#include "error.h"
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of each end of what is said in one case. */
#define EXCERPT_MAX (256u * 1024)

static void excerpt_add(struct excerpt *e, const char *text, size_t len)
{
	size_t room = EXCERPT_MAX - e->head.len, n = len < room ? len : room;

	if (!len)
		return;
	buf_add(&e->head, text, n);
	text += n;
	len -= n;
	if (len > EXCERPT_MAX) {
		e->lost += e->tail.len + len - EXCERPT_MAX;
		buf_clear(&e->tail);
		text += len - EXCERPT_MAX;
		len = EXCERPT_MAX;
	}
	buf_add(&e->tail, text, len);
	/* not at each call: what is left moves */
	if (e->tail.len > 2 * EXCERPT_MAX) {
		e->lost += e->tail.len - EXCERPT_MAX;
		buf_consume(&e->tail, e->tail.len - EXCERPT_MAX);
	}
}

void excerpt_text(const struct excerpt *e, struct buf *out)
{
	size_t over = e->tail.len > EXCERPT_MAX ? e->tail.len - EXCERPT_MAX : 0;

	if (!e->lost && !over) {
		struct buf whole = { 0 };

		buf_add(&whole, e->head.data, e->head.len);
		buf_add(&whole, e->tail.data, e->tail.len);
		report_clean(whole.data, whole.len, out);
		buf_free(&whole);
		return;
	}
	report_clean(e->head.data, e->head.len, out);
	buf_printf(out, "\n[... %zu bytes left out here ...]\n", e->lost + over);
	report_clean(e->tail.data + over, e->tail.len - over, out);
}

static void excerpt_free(struct excerpt *e)
{
	buf_free(&e->head);
	buf_free(&e->tail);
}

/*
 * How many bytes a character has that both XML 1.0 (2.2) and YAML 1.2 (5.1) can show and that
 * ends no line (U+2028 does in YAML 1.1); 0: none. UTF-8 by table 3-7 of the Unicode Standard.
 */
static size_t showable(const unsigned char *s, size_t len)
{
	size_t n = *s < 0x80 ? 1 : *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	uint32_t c = n == 1 ? *s : *s & (0x7fu >> n);
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (n == 1)
		return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t';
	if (*s < 0xc2 || *s > 0xf4 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c < 0xa0 || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ||
	    c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffe) == 0xfffe)
		return 0;
	return n;
}

void report_clean(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len;) {
		const unsigned char *s = (const unsigned char *)text + i;
		size_t n = showable(s, len - i);

		if (n)
			buf_add(out, s, n);
		else if (*s != '\r' || len - i < 2 || s[1] != '\n')
			buf_printf(out, "\\x%02x", *s);
		i += n ? n : 1;
	}
}

/* The last line that is not empty: commands end with what counts. */
static void last_line(const struct excerpt *e, struct buf *out)
{
	struct buf text = { 0 };
	const char *line;

	excerpt_text(e, &text);
	while (text.len && strchr("\n\t ", text.data[text.len - 1]))
		text.data[--text.len] = 0;
	line = text.len ? strrchr(text.data, '\n') : NULL;
	if (text.len)
		buf_puts(out, line ? line + 1 : text.data);
	buf_free(&text);
}

void report_message(const struct report_case *c, struct buf *out)
{
	if (c->status == 2 && c->trouble)
		report_clean(c->trouble, strlen(c->trouble), out);
	else if (c->status > 0)
		last_line(&c->said, out);
	else if (c->status < 0)
		buf_puts(out, "not run: the run had ended");
}

struct report *report_new(const struct options *o, const char *title, const char *subject,
			  const char *about)
{
	size_t n = o->commands.count ? o->commands.count : 1;
	struct report *r;
	time_t now = time(NULL);
	struct tm tm;

	if (!o->junit && !o->tap)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	*r = (struct report){ .o = o, .title = title, .subject = subject, .about = about };
	r->cases = calloc(n, sizeof(*r->cases));
	if (!r->cases)
		abort();
	r->count = n;
	for (size_t i = 0; i < n; i++) {
		r->cases[i].name = o->commands.count ? o->commands.item[i] : "check";
		r->cases[i].status = -1;
	}
	r->start = loop_now();
	gmtime_r(&now, &tm);
	strftime(r->began, sizeof(r->began), "%Y-%m-%dT%H:%M:%S", &tm);
	return r;
}

void report_free(struct report *r)
{
	for (size_t i = 0; r && i < r->count; i++) {
		excerpt_free(&r->cases[i].said);
		excerpt_free(&r->cases[i].all);
		free(r->cases[i].trouble);
	}
	if (r)
		free(r->cases);
	free(r);
}

void report_begin(struct report *r, size_t i)
{
	if (!r)
		return;
	r->at = i;
	free(r->cases[i].trouble);
	r->cases[i].trouble = NULL;
	r->cases[i].start = loop_now();
}

void report_end(struct report *r, int status)
{
	if (!r)
		return;
	r->cases[r->at].status = status;
	r->cases[r->at].end = loop_now();
}

void report_said(struct report *r, const char *text, size_t len)
{
	if (!r)
		return;
	excerpt_add(&r->cases[r->at].said, text, len);
	excerpt_add(&r->cases[r->at].all, text, len);
}

void report_console(struct report *r, const char *text, size_t len)
{
	if (r)
		excerpt_add(&r->cases[r->at].all, text, len);
}

void report_trouble(struct report *r, const char *words)
{
	struct report_case *c = r ? &r->cases[r->at] : NULL;

	if (!c)
		return;
	free(c->trouble);
	c->trouble = strdup(words);
	excerpt_add(&c->all, "baton: ", strlen("baton: "));
	excerpt_add(&c->all, words, strlen(words));
	excerpt_add(&c->all, "\n", 1);
}

/* A file beside it that becomes it: whoever looks sees all of a report, or none. */

static FILE *create(const char *path, char **name, struct buf *why)
{
	struct buf b = { 0 };
	int fd;

	buf_printf(&b, "%s.XXXXXX", path);
	fd = mkstemp(b.data);
	*name = b.data;
	if (fd >= 0)
		return fdopen(fd, "w");
	buf_printf(why, "--junit %s: %s", path, strerror(errno));
	buf_free(&b);
	*name = NULL;
	return NULL;
}

int report_prepare(struct report *r, struct buf *why)
{
	const char *path = r ? r->o->junit : NULL;
	struct stat st;
	char *name;
	FILE *f;

	if (!path)
		return 0;
	if (!lstat(path, &st) && !S_ISREG(st.st_mode)) {
		buf_printf(why, "--junit %s: there is something that is no file", path);
		return -BATON_ESYS;
	}
	f = create(path, &name, why);
	if (!f)
		return -BATON_ESYS;
	fclose(f);
	unlink(name);
	free(name);
	if (!unlink(path) || errno == ENOENT)
		return 0;
	buf_printf(why, "--junit %s: %s", path, strerror(errno));
	return -BATON_ESYS;
}

static int put_file(const char *path, const struct buf *text, struct buf *why)
{
	mode_t mask = umask(0);
	char *name;
	FILE *f = create(path, &name, why);
	bool good;

	umask(mask);
	if (!f)
		return -BATON_ESYS;
	good = fwrite(text->data, 1, text->len, f) == text->len && !fchmod(fileno(f), 0666 & ~mask);
	good = !fclose(f) && good && !rename(name, path);
	if (!good) {
		buf_printf(why, "--junit %s: %s", path, strerror(errno));
		unlink(name);
	}
	free(name);
	return good ? 0 : -BATON_ESYS;
}

int report_write(struct report *r, int status, struct buf *why)
{
	struct buf text = { 0 };
	int err = 0;

	if (!r)
		return 0;
	/* what ended the run was between two commands, or before them */
	for (size_t i = 0; i < r->count && status == 2; i++)
		status = r->cases[i].status == 2 ? 0 : status;
	if (status == 2)
		r->cases[r->at].status = 2;
	if (r->o->junit) {
		report_junit(r, &text);
		err = put_file(r->o->junit, &text, why);
	}
	buf_clear(&text);
	if (r->o->tap) {
		report_tap(r, &text);
		if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout)) {
			buf_printf(why, "%s--tap: standard output: %s", why->len ? "; " : "",
				   strerror(errno));
			err = -BATON_ESYS;
		}
	}
	buf_free(&text);
	return err;
}
