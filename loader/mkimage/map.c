// SPDX-License-Identifier: BSD-2-Clause
/* What went where, in words and as a drawing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkimage.h"

/* Pixels of the drawing. */
enum { LEFT = 200, WIDTH = 640, RIGHT = 200, GAP = 28, TEXT = 18 };

static int by_start(const void *a, const void *b)
{
	const struct extent *x = *(const struct extent *const *)a;
	const struct extent *y = *(const struct extent *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void sort(const struct layout *l, const struct extent **sorted)
{
	for (unsigned int i = 0; i < l->extent_count; i++)
		sorted[i] = &l->extents[i];
	qsort(sorted, l->extent_count, sizeof(*sorted), by_start);
}

/* Names end in a comma, for refusals to go on. */
static int name_len(const struct extent *e)
{
	size_t len = strlen(e->name);

	return (int)(len && e->name[len - 1] == ',' ? len - 1 : len);
}

void map_text(const struct layout *l)
{
	const struct extent *sorted[sizeof(l->extents) / sizeof(l->extents[0])] = { NULL };

	sort(l, sorted);
	printf("%-25s %10s  %-18s  %s\n", "physical", "size", "virtual", "what");
	for (unsigned int i = 0; i < l->extent_count; i++) {
		const struct extent *e = sorted[i];
		char range[48], virt[24] = "";

		snprintf(range, sizeof(range), "%#" PRIx64 "-%#" PRIx64, e->start, e->end);
		if (e->has_virt)
			snprintf(virt, sizeof(virt), "%#" PRIx64, e->virt);
		printf("%-25s %#10" PRIx64 "  %-18s  %.*s\n", range, e->end - e->start, virt,
		       name_len(e), e->name);
	}
	printf("board %s: RAM %#" PRIx64 "-%#" PRIx64 ", kernel entry %#" PRIx64 " at EL%" PRIu32,
	       l->board.name, l->board.memory_start, l->board.memory_start + l->board.memory_size,
	       l->header.kernel_entry, l->board.kernel_el);
	if (l->type == KERNEL_LINUX)
		puts(" with the MMU off");
	else
		printf(" on %" PRIu32 " CPU%s, task entry %#" PRIx64 "\n", l->board.cpus,
		       l->board.cpus == 1 ? "" : "s", l->header.v_entry);
}

/* There is room for a file's name, not for its folder. */
static int skip_folder(const struct extent *e)
{
	const char *slash = strrchr(e->name, '/');

	return slash ? (int)(slash + 1 - e->name) : 0;
}

/* Any name is well-formed XML afterwards. */
static void put_escaped(const char *s, int len)
{
	for (; len-- > 0; s++) {
		if (*s == '&' || *s == '<' || *s == '>')
			printf("&#%d;", *s);
		else
			putchar(*s < ' ' || *s > '~' ? '?' : *s);
	}
}

/* Twice as large is a bit higher: a stack and an initrd are both to be seen. */
static int height(uint64_t size)
{
	int h = 22;

	for (size /= PAGE_SIZE; size; size /= 2)
		h += 4;
	return h;
}

static void draw_address(int y, uint64_t address)
{
	printf("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%#" PRIx64 "</text>\n", LEFT - 8, y,
	       address);
}

/* In a unit that leaves a few digits; rounded down. */
static const char *say_size(char *text, size_t room, uint64_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB" };
	unsigned int u = 0;

	for (; size >= 100000 && u < 2; u++)
		size /= 1024;
	snprintf(text, room, "%" PRIu64 " %s", size, units[u]);
	return text;
}

static int draw_gap(int y, uint64_t start, uint64_t end)
{
	char text[32];

	if (start >= end)
		return y;
	draw_address(y + 12, start);
	printf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\" "
	       "stroke-dasharray=\"4\"/>\n<text x=\"%d\" y=\"%d\" fill=\"#777\">free, %s</text>\n",
	       LEFT, y, WIDTH, GAP, LEFT + 8, y + TEXT, say_size(text, sizeof(text), end - start));
	return y + GAP;
}

static int draw_extent(int y, const struct layout *l, const struct extent *e)
{
	/* Regions come first among the extents, and one for one. */
	const char *fill = e >= l->extents + l->header.num_regions ? "#ddd"
			   : e->has_virt			   ? "#bcd8f5"
								   : "#cdebc5";
	int h = height(e->end - e->start);

	draw_address(y + 12, e->start);
	printf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#333\"/>\n"
	       "<text x=\"%d\" y=\"%d\">",
	       LEFT, y, WIDTH, h, fill, LEFT + 8, y + TEXT);
	put_escaped(e->name + skip_folder(e), name_len(e) - skip_folder(e));
	printf(", %" PRIu64 " bytes</text>\n", e->end - e->start);
	if (e->has_virt)
		printf("<text x=\"%d\" y=\"%d\">%#" PRIx64 "</text>\n", LEFT + WIDTH + 8, y + 12,
		       e->virt);
	return y + h;
}

void map_svg(const struct layout *l)
{
	const struct extent *sorted[sizeof(l->extents) / sizeof(l->extents[0])] = { NULL };
	uint64_t at = l->board.memory_start, end = at + l->board.memory_size;
	int y = 40, all = 2 * y;

	sort(l, sorted);
	for (unsigned int i = 0; i < l->extent_count; i++) {
		all += (sorted[i]->start > at ? GAP : 0) +
		       height(sorted[i]->end - sorted[i]->start);
		at = sorted[i]->end;
	}
	all += end > at ? GAP : 0;
	at = l->board.memory_start;
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
	       "font-family=\"monospace\" font-size=\"12\">\n<text x=\"%d\" y=\"24\">",
	       LEFT + WIDTH + RIGHT, all, LEFT);
	put_escaped(l->board.name, (int)strlen(l->board.name));
	printf(": physical left, virtual right</text>\n");
	for (unsigned int i = 0; i < l->extent_count; i++) {
		y = draw_gap(y, at, sorted[i]->start);
		y = draw_extent(y, l, sorted[i]);
		at = sorted[i]->end;
	}
	y = draw_gap(y, at, end);
	draw_address(y + 12, end);
	puts("</svg>");
}
