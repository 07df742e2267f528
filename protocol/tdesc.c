/* SPDX-License-Identifier: BSD-2-Clause */
#include "tdesc.h"

#include "bisect.h"
#include "buf.h"
#include "error.h"

#include <errno.h>
#include <expat.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BITSIZE 65536

struct tdesc_string {
	struct tdesc_string *next;
	char text[];
};

/* What the documents of one description share. */
struct builder {
	struct tdesc *t;
	const struct tdesc_source *source;
	struct buf *err;
	int annexes;
	size_t total;
	unsigned int next_regnum;
	size_t cap;
};

/* One document; the chain of parents finds cycles. */
struct document {
	struct builder *b;
	struct document *parent;
	const char *annex, *feature;
	XML_Parser xml;
	struct buf architecture;
	bool in_architecture;
	int depth, rc;
};

static int parse_annex(struct builder *b, struct document *parent, const char *annex);

/* Ends this document's parse; the first complaint stays. */
__attribute__((format(printf, 3, 4))) static void fail(struct document *d, int code,
						       const char *fmt, ...)
{
	va_list ap;

	if (d->rc)
		return;
	d->rc = code;
	XML_StopParser(d->xml, XML_FALSE);
	if (!d->b->err)
		return;
	buf_printf(d->b->err, "%s:%lu: ", d->annex, XML_GetCurrentLineNumber(d->xml));
	va_start(ap, fmt);
	buf_vprintf(d->b->err, fmt, ap);
	va_end(ap);
}

static const char *keep(struct tdesc *t, const char *text)
{
	size_t len = strlen(text) + 1;
	struct tdesc_string *s = malloc(sizeof(*s) + len);

	if (!s)
		abort();
	memcpy(s->text, text, len);
	s->next = t->strings;
	t->strings = s;
	return s->text;
}

static const char *attribute(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (!strcmp(atts[0], name))
			return atts[1];
	return NULL;
}

/* A decimal (or, as GDB takes it too, 0x) number up to @max. */
static bool parse_number(const char *text, unsigned int max, unsigned int *value)
{
	unsigned long v;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 0);
	if (errno || *end || v > max)
		return false;
	*value = (unsigned int)v;
	return true;
}

static void add_reg(struct document *d, const char **atts)
{
	const char *name = attribute(atts, "name"), *size = attribute(atts, "bitsize");
	const char *num = attribute(atts, "regnum"), *type = attribute(atts, "type");
	const char *group = attribute(atts, "group");
	struct tdesc *t = d->b->t;
	struct tdesc_reg reg = { .regnum = d->b->next_regnum, .annex = d->annex };

	if (!name || !*name)
		return fail(d, -BATON_EPROTO, "a register without a name");
	if (!size || !parse_number(size, MAX_BITSIZE, &reg.bitsize) || !reg.bitsize)
		return fail(d, -BATON_EPROTO, "register %.60s: bitsize \"%.30s\" is not 1 to %d",
			    name, size ? size : "", MAX_BITSIZE);
	if (num && !parse_number(num, TDESC_MAX_REGNUM, &reg.regnum))
		return fail(d, -BATON_EPROTO, "register %.60s: regnum \"%.30s\" is not 0 to %u",
			    name, num, TDESC_MAX_REGNUM);
	if (reg.regnum > TDESC_MAX_REGNUM || t->count == TDESC_MAX_REGS)
		return fail(d, -BATON_ETOOBIG, "register %.60s: more than %d registers", name,
			    TDESC_MAX_REGS);
	d->b->next_regnum = reg.regnum + 1;
	reg.name = keep(t, name);
	reg.type = type ? keep(t, type) : "int";
	reg.group = group ? keep(t, group) : NULL;
	reg.feature = d->feature ? d->feature : "";
	if (t->count == d->b->cap) {
		d->b->cap = d->b->cap ? d->b->cap * 2 : 64;
		t->regs = realloc(t->regs, d->b->cap * sizeof(*t->regs));
		if (!t->regs)
			abort();
	}
	t->regs[t->count++] = reg;
}

static void include(struct document *d, const char **atts)
{
	const char *href = attribute(atts, "href");
	int rc;

	if (!href || !*href)
		return fail(d, -BATON_EPROTO, "xi:include without href");
	for (struct document *p = d; p; p = p->parent)
		if (!strcmp(p->annex, href))
			return fail(d, -BATON_EPROTO, "%.80s includes itself", href);
	if (d->depth == TDESC_MAX_DEPTH)
		return fail(d, -BATON_ETOOBIG, "xi:include nested deeper than %d", TDESC_MAX_DEPTH);
	if (d->b->annexes == TDESC_MAX_ANNEX)
		return fail(d, -BATON_ETOOBIG, "more than %d documents", TDESC_MAX_ANNEX);
	rc = parse_annex(d->b, d, href);
	if (rc) {
		d->rc = rc; /* said already, where it happened */
		XML_StopParser(d->xml, XML_FALSE);
	}
}

static void XMLCALL on_start(void *user, const char *element, const char **atts)
{
	struct document *d = user;
	const char *colon = strchr(element, ':');

	if (d->rc)
		return;
	/* QEMU writes xi:include without declaring xi: go by the local name. */
	if (colon && !strcmp(colon + 1, "include"))
		return include(d, atts);
	if (!strcmp(element, "architecture")) {
		d->in_architecture = true;
	} else if (!strcmp(element, "feature")) {
		const char *name = attribute(atts, "name");

		if (!name)
			return fail(d, -BATON_EPROTO, "a feature without a name");
		d->feature = keep(d->b->t, name);
	} else if (!strcmp(element, "reg")) {
		add_reg(d, atts);
	}
	/* Whatever else there is, types above all, is GDB's business. */
}

static void XMLCALL on_end(void *user, const char *element)
{
	struct document *d = user;

	if (!strcmp(element, "feature"))
		d->feature = d->parent ? d->parent->feature : NULL;
	if (strcmp(element, "architecture") != 0)
		return;
	d->in_architecture = false;
	if (!d->b->t->architecture && d->architecture.len)
		d->b->t->architecture = strdup(d->architecture.data);
}

static void XMLCALL on_text(void *user, const char *text, int len)
{
	struct document *d = user;

	if (d->in_architecture && d->architecture.len < 256)
		buf_add(&d->architecture, text, (size_t)len);
}

/*
 * `<!DOCTYPE target SYSTEM "gdb-target.dtd">` is usual and harmless, as nothing
 * fetches it. Declarations in the document itself can only be an attack: without
 * them there is no entity to expand.
 */
static void XMLCALL on_doctype(void *user, const char *name, const char *sysid, const char *pubid,
			       int has_internal_subset)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	if (has_internal_subset)
		fail(user, -BATON_EPROTO, "a DOCTYPE with declarations is refused");
}

static void XMLCALL on_skipped(void *user, const char *name, int is_parameter)
{
	(void)is_parameter;
	fail(user, -BATON_EPROTO, "unknown entity &%.60s;", name);
}

static void run_expat(struct document *d, const struct buf *text)
{
	d->xml = XML_ParserCreate(NULL);
	if (!d->xml)
		abort();
	XML_SetUserData(d->xml, d);
	XML_SetElementHandler(d->xml, on_start, on_end);
	XML_SetCharacterDataHandler(d->xml, on_text);
	XML_SetStartDoctypeDeclHandler(d->xml, on_doctype);
	XML_SetSkippedEntityHandler(d->xml, on_skipped);
	if (XML_Parse(d->xml, text->data ? text->data : "", (int)text->len, 1) == XML_STATUS_ERROR)
		fail(d, -BATON_EPROTO, "%s", XML_ErrorString(XML_GetErrorCode(d->xml)));
	XML_ParserFree(d->xml);
	buf_free(&d->architecture);
}

static int parse_annex(struct builder *b, struct document *parent, const char *annex)
{
	struct document d = {
		.b = b,
		.parent = parent,
		.annex = keep(b->t, annex),
		.feature = parent ? parent->feature : NULL,
		.depth = parent ? parent->depth + 1 : 0,
	};
	struct buf text = { 0 };
	int rc = b->source->fetch(b->source->ctx, annex, &text);

	b->annexes++;
	b->total += text.len;
	if (!rc && b->total > TDESC_MAX_SIZE)
		rc = -BATON_ETOOBIG;
	if (!rc) {
		run_expat(&d, &text);
		rc = d.rc;
	} else if (b->err) {
		buf_printf(b->err, "%.80s: %s", annex, baton_strerror(rc));
	}
	buf_free(&text);
	return rc;
}

static int by_number(const void *a, const void *b)
{
	const struct tdesc_reg *x = a, *y = b;

	return x->regnum < y->regnum ? -1 : x->regnum > y->regnum;
}

static int by_name(const void *a, const void *b)
{
	const struct tdesc_reg *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : by_number(*x, *y);
}

/* The places in `g`, and the two orders in which registers are looked up. */
static int finish(struct builder *b)
{
	struct tdesc *t = b->t;
	long offset = 0;

	t->by_name = calloc(t->count + 1, sizeof(struct tdesc_reg *));
	if (!t->by_name)
		abort();
	if (t->count)
		qsort(t->regs, t->count, sizeof(*t->regs), by_number);
	for (size_t i = 0; i < t->count; i++) {
		struct tdesc_reg *r = &t->regs[i];

		if (i && r[-1].regnum == r->regnum) {
			if (b->err)
				buf_printf(b->err, "%s: register number %u is both %.60s and %.60s",
					   r->annex, r->regnum, r[-1].name, r->name);
			return -BATON_EPROTO;
		}
		r->offset = offset;
		offset = offset < 0 || r->bitsize % 8 ? -1 : offset + (long)(r->bitsize / 8);
		t->by_name[i] = r;
	}
	qsort(t->by_name, t->count, sizeof(struct tdesc_reg *), by_name);
	return 0;
}

int tdesc_parse(struct tdesc *t, const struct tdesc_source *source, struct buf *err)
{
	struct builder b = { .t = t, .source = source, .err = err };
	int rc;

	memset(t, 0, sizeof(*t));
	rc = parse_annex(&b, NULL, "target.xml");
	if (!rc)
		rc = finish(&b);
	if (rc)
		tdesc_free(t);
	return rc;
}

void tdesc_free(struct tdesc *t)
{
	while (t->strings) {
		struct tdesc_string *next = t->strings->next;

		free(t->strings);
		t->strings = next;
	}
	free(t->regs);
	free(t->by_name);
	free(t->architecture);
	memset(t, 0, sizeof(*t));
}

const struct tdesc_reg *tdesc_find(const struct tdesc *t, const char *name)
{
	size_t at;

	/* The lowest of equal names: bsearch() would give any. */
	BISECT(at, i, t->count, strcmp(t->by_name[i]->name, name) < 0);
	return at < t->count && !strcmp(t->by_name[at]->name, name) ? t->by_name[at] : NULL;
}

const struct tdesc_reg *tdesc_reg(const struct tdesc *t, unsigned int regnum)
{
	struct tdesc_reg key = { .regnum = regnum };

	return t->count ? bsearch(&key, t->regs, t->count, sizeof(key), by_number) : NULL;
}
