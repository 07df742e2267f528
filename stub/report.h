/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What -e and -x did, for CI: one test case a command, as JUnit XML in a file (--junit) and
 * as TAP on standard output (--tap). All that was printed goes with its case: the command's
 * text and the guest's console, in order. Every function takes NULL: no report is wanted.
 */
#ifndef BATON_REPORT_H
#define BATON_REPORT_H

#include "options.h"

struct report;

/**
 * report_new() - for what @o asks for; NULL if that is no report.
 * @title: the suite's name: "baton run"
 * @subject: QEMU's command line, an address or a file
 * @about: one line on the console that is missing, or NULL
 */
struct report *report_new(const struct options *o, const char *title, const char *subject,
			  const char *about);
void report_free(struct report *r);

/**
 * report_prepare() - make sure that the file can be written, and take an old one away: what is
 * there later is of this run.
 * Return: 0, or -BATON_ESYS with one line in @why.
 */
int report_prepare(struct report *r, struct buf *why);

/** report_begin() - command @i begins; report_end() - with that status: 0, 1 or 2. */
void report_begin(struct report *r, size_t i);
void report_end(struct report *r, int status);

/** report_said() - text of the command; report_console() - of the guest. Any bytes. */
void report_said(struct report *r, const char *text, size_t len);
void report_console(struct report *r, const char *text, size_t len);

/** report_trouble() - one line of baton's own: the reason, should it end the run. */
void report_trouble(struct report *r, const char *words);

/**
 * report_write() - the whole report; with @status 2 at least one case is an error.
 * Return: 0, or -BATON_ESYS with one line in @why.
 */
int report_write(struct report *r, int status, struct buf *why);

/* What the files of the report share. */

/** struct excerpt - text that may be endless: its begin and its end. */
struct excerpt {
	struct buf head, tail;
	size_t lost; /* bytes between them */
};

struct report_case {
	const char *name;
	int status; /* -1: not run */
	int64_t start, end;
	struct excerpt said, all; /* the command's; with the console */
	char *trouble;
};

struct report {
	const struct options *o;
	const char *title, *subject, *about;
	int64_t start;
	char began[32]; /* ISO 8601, UTC */
	struct report_case *cases;
	size_t count, at;
};

/** excerpt_text() - valid UTF-8 that XML and YAML take; what is not is shown as \x1b. */
void excerpt_text(const struct excerpt *e, struct buf *out);
/** report_message() - in one line why a case is not well; "" if it is. */
void report_message(const struct report_case *c, struct buf *out);
/** report_clean() - the same for any bytes. */
void report_clean(const char *text, size_t len, struct buf *out);

void report_junit(const struct report *r, struct buf *out);
void report_tap(const struct report *r, struct buf *out);

#endif
