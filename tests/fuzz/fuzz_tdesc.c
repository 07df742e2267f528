/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stub may send any bytes as a target description. A line of `==` ends a document:
 * the first is target.xml, the next are 1.xml, 2.xml, ...
 */
#include "fuzz.h"

#include "buf.h"
#include "error.h"
#include "tdesc.h"

#include <string.h>

const char *const fuzz_words[] = {
	"<target>",
	"</target>",
	"<feature name='f'>",
	"</feature>",
	"<reg name='r' bitsize='64'/>",
	"<reg name='s' bitsize='1' regnum='9'/>",
	"<reg ",
	"name=",
	"'x'",
	"bitsize='8'",
	"/>",
	"regnum='0'",
	"<xi:include href='1.xml'/>",
	"<xi:include href='2.xml'/>",
	"<xi:include href='target.xml'/>",
	"\n==\n",
	"<architecture>",
	"</architecture>",
	"&x;",
	"&lt;",
	"<!DOCTYPE target SYSTEM 'gdb-target.dtd'>",
	"<!DOCTYPE t [<!ENTITY a 'b'>]>",
	"<?xml version='1.0'?>",
	"<target><feature name='a'><reg name='q' bitsize='8'/></feature>",
	NULL
};

struct input {
	const char *text;
	size_t len;
};

static int fetch(void *ctx, const char *annex, struct buf *out)
{
	const struct input *in = ctx;
	int number = strcmp(annex, "target.xml") ? annex[0] - '0' : 0;
	const char *p = in->text, *end = in->text + in->len, *next;

	for (; number > 0; number--) {
		p = memmem(p, (size_t)(end - p), "\n==\n", 4);
		if (!p)
			return -BATON_ENOTFOUND;
		p += 4;
	}
	next = memmem(p, (size_t)(end - p), "\n==\n", 4);
	buf_add(out, p, (size_t)((next ? next : end) - p));
	return 0;
}

static void parse(const char *text, size_t len)
{
	struct input in = { .text = text, .len = len };
	struct tdesc_source source = { .fetch = fetch, .ctx = &in };
	struct buf err = { 0 };
	struct tdesc t;
	int rc = tdesc_parse(&t, &source, &err);

	FUZZ_CHECK(rc <= 0 && !rc == !err.len);
	FUZZ_CHECK(!rc || !t.count);
	for (size_t i = 0; i < t.count; i++) {
		const struct tdesc_reg *r = &t.regs[i];

		FUZZ_CHECK(!i || r[-1].regnum < r->regnum);
		FUZZ_CHECK(tdesc_reg(&t, r->regnum) == r);
		FUZZ_CHECK(!strcmp(tdesc_find(&t, r->name)->name, r->name));
		FUZZ_CHECK(tdesc_find(&t, r->name)->regnum <= r->regnum);
		FUZZ_CHECK(r->bitsize && r->type && r->feature && r->annex);
	}
	tdesc_free(&t);
	buf_free(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };

	parse(size ? (const char *)data : "", size);

	/* Noise is rarely well-formed as a whole; as the inside of a feature it may be. */
	buf_puts(&b, "<target><feature name='f'>");
	buf_add(&b, data, size);
	buf_puts(&b, "</feature></target>");
	parse(b.data, b.len);
	buf_free(&b);
	return 0;
}
