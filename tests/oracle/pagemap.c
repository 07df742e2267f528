// SPDX-License-Identifier: BSD-2-Clause
/*
 * A Linux process's own /proc/self/pagemap, as tests/guests/grow.c prints it, against our
 * map of the lower half. Known: pages of PROT_NONE areas count there and are invalid here.
 */
#include "oracle.h"

#include "mmu/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 8

struct area {
	uint64_t first, end; /* pages */
	char perm[5];
};

struct page {
	uint64_t page, frame;
	unsigned int el0; /* ours: enum pt_perm */
};

struct pages {
	struct page *page;
	size_t count, cap;
};

struct theirs {
	struct pages pages;
	struct area *area;
	size_t areas;
	uint64_t told;
};

static void add(struct pages *p, uint64_t page, uint64_t frame, unsigned int el0)
{
	if (p->count == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 65536;
		p->page = realloc(p->page, p->cap * sizeof(*p->page));
		if (!p->page)
			abort();
	}
	p->page[p->count++] = (struct page){ page, frame, el0 };
}

/* "[-]HEX" */
static uint64_t difference(const char *word)
{
	return *word == '-' ? -strtoull(word + 1, NULL, 16) : strtoull(word, NULL, 16);
}

static void parse_line(struct theirs *t, char *line, uint64_t *page, uint64_t *frame)
{
	char a[20], b[20], c[20];
	int n = sscanf(line, "%19s %19s %19s", a, b, c);
	uint64_t count;

	if (n == 3 && strcmp(a, "guest:") == 0) {
		t->told = strcmp(b, "pagemap") == 0 ? strtoull(c, NULL, 16) : t->told;
	} else if (sscanf(line, "v %19s %19s %4s", a, b, c) == 3) {
		t->area = realloc(t->area, (t->areas + 1) * sizeof(*t->area));
		if (!t->area)
			abort();
		t->area[t->areas] = (struct area){ strtoull(a, NULL, 16) >> 12,
						   strtoull(b, NULL, 16) >> 12, "" };
		memcpy(t->area[t->areas++].perm, c, 5);
	} else if (t->areas && !t->told && n >= 2 && strspn(a, "-0123456789abcdef") == strlen(a)) {
		*page += difference(a);
		*frame += difference(b);
		count = n == 3 ? strtoull(c, NULL, 16) : 1;
		for (uint64_t i = 0; i < count; i++)
			add(&t->pages, *page + i, *frame + i, 0);
	}
}

static void parse(struct theirs *t, const char *console)
{
	static const char prefix[] = "(XEN) DOM1: ";
	uint64_t page = 0, frame = 0;
	char line[512];
	FILE *f = fopen(console, "r");

	while (f && fgets(line, sizeof(line), f)) {
		bool xen = strncmp(line, prefix, strlen(prefix)) == 0;

		parse_line(t, line + (xen ? strlen(prefix) : 0), &page, &frame);
	}
	if (f)
		fclose(f);
}

static int keep_pages(void *ctx, const struct pt_mapping *m)
{
	struct pages *p = ctx;

	for (uint64_t at = 0; at < m->size; at += 4096)
		add(p, (m->ia + at) >> 12, (m->oa + at) >> 12, m->attrs->el0);
	return 0;
}

/* A table that cannot be read, or that two parents share: then pages are missing. */
static int refuse(void *ctx, const struct pt_note *n)
{
	(void)ctx;
	(void)n;
	return -BATON_ERANGE;
}

static const struct area *area_of(const struct theirs *t, uint64_t page)
{
	for (size_t i = 0; i < t->areas; i++) {
		if (page >= t->area[i].first && page < t->area[i].end)
			return &t->area[i];
	}
	return NULL;
}

static void wrong(unsigned int *n, const char *what, uint64_t page, const struct area *a)
{
	if ((*n)++ < SHOWN)
		printf("# 0x%" PRIx64 " (%s): %s\n", page << 12, a ? a->perm : "no area", what);
}

/* Writable only where the area is (copy on write is not), executable exactly where it is. */
static bool fits(const struct page *p, const struct area *a)
{
	return a && (!(p->el0 & PT_W) || a->perm[1] == 'w') &&
	       !!(p->el0 & PT_X) == (a->perm[2] == 'x');
}

static unsigned int compare(const struct theirs *t, const struct pages *ours, unsigned int *none)
{
	size_t i = 0, j = 0;
	unsigned int bad = 0;

	while (i < ours->count || j < t->pages.count) {
		const struct page *o = i < ours->count ? &ours->page[i] : NULL;
		const struct page *p = j < t->pages.count ? &t->pages.page[j] : NULL;
		const struct area *a =
			area_of(t, o && (!p || o->page <= p->page) ? o->page : p->page);

		if (o && (!p || o->page < p->page)) {
			wrong(&bad, "mapped here, but not in its pagemap", o->page, a);
			i++;
		} else if (!o || p->page < o->page) {
			if (a && strncmp(a->perm, "---", 3) == 0)
				(*none)++;
			else
				wrong(&bad, "in its pagemap, but not mapped here", p->page, a);
			j++;
		} else {
			if (o->frame != p->frame)
				wrong(&bad, "another frame", o->page, a);
			else if (!fits(o, a))
				wrong(&bad, "other permissions", o->page, a);
			i++;
			j++;
		}
	}
	return bad;
}

void pagemap_compare(struct oracle *o, const char *name, const char *console)
{
	struct theirs theirs = { 0 };
	struct pages ours = { 0 };
	const struct pt_map_sink sink = { .leaf = keep_pages, .note = refuse, .ctx = &ours };
	struct buf why = { 0 };
	struct pt_reader reader;
	struct pt_config cfg;
	struct tables t;
	unsigned int none = 0, bad;

	parse(&theirs, console);
	tap(theirs.told && theirs.told == theirs.pages.count,
	    "%s: its pagemap came whole, %zu areas, %zu pages", name, theirs.areas,
	    theirs.pages.count);
	if (tables_init(&t, &o->live.m, NULL, o->live.m.cpu, NULL, &why) ||
	    pt_config_from_regime(&cfg, &t.regime, 0, &why))
		die("%s: %s", name, why.data);
	reader = oracle_reader(o, &t);
	if (pt_map_words(&cfg, &reader, 0, ~UINT64_C(0), &sink, NULL))
		die("%s: pt_map_words does not end well", name);
	bad = compare(&theirs, &ours, &none);
	tap(!bad, "%s: its user half agrees with its pagemap: %zu pages, %u of PROT_NONE", name,
	    ours.count, none);
	free(theirs.pages.page);
	free(theirs.area);
	free(ours.page);
	buf_free(&why);
}
