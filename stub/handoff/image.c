/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/image.h"

#include "hex.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of all spans together: the loader and its header come first, what they carry is only compared. */
#define KEPT (16u << 20)

/* Where nobody says what was loaded: this much around the pc. */
#define AROUND (2u << 20)

/* Bytes of a copy that are compared at once. */
#define LINE 64
/* Bytes of a region that are compared at once. */
#define CHUNK 32768

#define ELF_SEGMENT " ELF program header"

void image_free(struct image *img)
{
	for (size_t i = 0; i < IMAGE_SPANS; i++)
		free(img->data[i]);
	free(img->roms);
	memset(img, 0, sizeof(*img));
}

static bool rom_holds(const struct rom *r, uint64_t pa)
{
	return pa >= r->addr && pa - r->addr < r->size;
}

/* QEMU's own device tree lies in memory like an image and is none. */
static bool is_dtb(const struct rom *r)
{
	return strncmp(r->name, "dtb", 3) == 0;
}

/* The segments of one ELF file are one image. */
static bool same_file(const struct rom *a, const struct rom *b)
{
	const char *end = strstr(a->name, ELF_SEGMENT);
	size_t len = end ? (size_t)(end - a->name) + strlen(ELF_SEGMENT) : strlen(a->name) + 1;

	return a == b || (end && strncmp(a->name, b->name, len) == 0);
}

static void add_span(struct image *img, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < img->spans; i++)
		if (img->span[i].first == first && img->span[i].last == last)
			return;
	if (img->spans < IMAGE_SPANS && last >= first)
		img->span[img->spans++] = (struct scan_span){ first, last };
}

static void set_name(struct image *img, const struct rom *r)
{
	const char *end = strstr(r->name, ELF_SEGMENT);
	const char *slash = NULL;
	size_t len = end ? (size_t)(end - r->name) : strlen(r->name);

	for (size_t i = 0; i < len; i++)
		if (r->name[i] == '/')
			slash = r->name + i + 1;
	if (slash)
		len -= (size_t)(slash - r->name);
	snprintf(img->name, sizeof(img->name), "%.*s", (int)len, slash ? slash : r->name);
}

static void around(struct image *img, const struct machine *m, uint64_t pa)
{
	const struct ram_range *r = machine_ram_find(m, pa);

	if (!r)
		r = machine_secure_find(m, pa);
	if (!r || r->kind == RAM_IO)
		return;
	add_span(img, pa - r->first > AROUND ? pa - AROUND : r->first,
		 r->last - pa > AROUND ? pa + AROUND : r->last);
	snprintf(img->name, sizeof(img->name), "memory around %#" PRIx64, pa);
}

int image_open(struct image *img, struct machine *m, uint64_t pa)
{
	const struct rom *mine = NULL;
	int err;

	image_free(img);
	err = machine_roms(m, &img->roms, &img->rom_count);
	if (err == -BATON_ELINK)
		return err;
	for (size_t i = 0; i < img->rom_count && !mine; i++)
		if (!is_dtb(&img->roms[i]) && rom_holds(&img->roms[i], pa))
			mine = &img->roms[i];
	if (mine) {
		img->listed = true;
		set_name(img, mine);
		for (size_t i = 0; i < img->rom_count; i++)
			if (img->roms[i].size && same_file(mine, &img->roms[i]))
				add_span(img, img->roms[i].addr,
					 img->roms[i].addr + (img->roms[i].size - 1));
	} else {
		around(img, m, pa);
	}
	img->originals = img->spans;
	return 0;
}

bool image_holds(const struct image *img, uint64_t pa)
{
	for (size_t i = 0; i < img->spans; i++)
		if (pa >= img->span[i].first && pa <= img->span[i].last)
			return true;
	return false;
}

/* Which spans hold @pa, from @i on; *@origin: where it was loaded if it is what belongs there. */
static bool next_span(const struct image *img, uint64_t pa, size_t *i, uint64_t *origin)
{
	for (; *i < img->spans; ++*i) {
		const struct scan_span *s = &img->span[*i];

		if (pa < s->first || pa > s->last)
			continue;
		*origin = pa - s->first + (*i < img->originals ? s->first : img->from[*i]);
		return true;
	}
	return false;
}

bool image_alike(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t same = 0;

	for (size_t i = 0; i + 4 <= len; i += 4)
		same += !memcmp(a + i, b + i, 4);
	return same > len / 8;
}

bool image_intact(const struct image *img, uint64_t pa, const uint8_t *now, size_t len,
		  uint64_t *origin)
{
	for (size_t i = 0; next_span(img, pa, &i, origin); i++) {
		const uint8_t *was = image_bytes(img, *origin, len);

		if (was ? image_alike(was, now, len) : i < img->originals)
			return true;
	}
	return false;
}

/* From @to on, or before it, as long as it is what was loaded at @origin. */
static uint64_t reach(const struct image *img, struct machine *m, uint64_t origin, uint64_t to,
		      int64_t step)
{
	uint8_t now[LINE];
	uint64_t n = 0;

	while (n < AROUND) {
		uint64_t off = (uint64_t)step * (n / LINE + (step < 0));
		const uint8_t *was = image_bytes(img, origin + off, LINE);

		if (!was || machine_phys_read(m, to + off, now, LINE) || memcmp(was, now, LINE))
			break;
		n += LINE;
	}
	return n;
}

static void add_copy(struct image *img, uint64_t origin, uint64_t first, uint64_t last)
{
	size_t n = img->spans;

	add_span(img, first, last);
	if (img->spans > n)
		img->from[n] = origin;
}

void image_copied(struct image *img, struct machine *m, uint64_t origin, uint64_t to, bool all)
{
	for (size_t i = 0; i < img->originals; i++) {
		const struct scan_span *s = &img->span[i];
		uint64_t before, behind;

		if (origin < s->first || origin > s->last)
			continue;
		before = all ? origin - s->first : reach(img, m, origin, to, -LINE);
		behind = all ? s->last - origin : reach(img, m, origin, to, LINE) + LINE - 1;
		add_copy(img, origin - before, to - before, to + behind);
	}
}

const struct rom *image_rom(const struct image *img, uint64_t pa)
{
	for (size_t i = 0; i < img->rom_count; i++)
		if (rom_holds(&img->roms[i], pa) && !is_dtb(&img->roms[i]) &&
		    !image_holds(img, img->roms[i].addr))
			return &img->roms[i];
	return NULL;
}

const uint8_t *image_bytes(const struct image *img, uint64_t pa, size_t len)
{
	for (size_t i = 0; i < img->originals; i++) {
		const struct scan_span *s = &img->span[i];

		if (len && pa >= s->first && pa - s->first < img->kept[i] &&
		    img->kept[i] - (pa - s->first) >= len)
			return img->data[i] + (pa - s->first);
	}
	return NULL;
}

static void read_header(struct image *img, uint64_t at)
{
	const uint8_t *p = image_bytes(img, at, sizeof(img->header));
	uint64_t fields[8];
	size_t n;

	if (!p)
		return;
	for (size_t i = 0; i < 8; i++)
		fields[i] = le_read(p + 8 * i, 8);
	if (fields[0] != BATON_IMAGE_MAGIC || !fields[7] || fields[7] > BATON_IMAGE_MAX_REGIONS)
		return;
	n = (size_t)fields[7];
	p = image_bytes(img, at + sizeof(img->header), n * sizeof(img->region[0]));
	if (!p)
		return;
	img->header = (struct baton_image_header){ fields[0], fields[1], fields[2], fields[3],
						   fields[4], fields[5], fields[6], fields[7] };
	for (size_t i = 0; i < n; i++, p += sizeof(img->region[0]))
		img->region[i] =
			(struct baton_image_region){ le_read(p, 8), le_read(p + 8, 8),
						     le_read(p + 16, 8), le_read(p + 24, 8) };
	img->header_at = at;
	img->has_header = true;
}

/* The magic number also is a constant in the loader's code: what follows it decides. */
static void find_header(struct image *img)
{
	uint8_t magic[8];
	uint64_t at = 0;

	le_write(magic, 8, BATON_IMAGE_MAGIC);
	while (!img->has_header && image_search(img, magic, sizeof(magic), &at)) {
		if (!(at & 7))
			read_header(img, at);
		at++;
	}
}

int image_load(struct image *img, struct machine *m)
{
	uint64_t left = KEPT;

	if (img->loaded)
		return 0;
	for (size_t i = 0; i < img->originals; i++) {
		uint64_t size = img->span[i].last - img->span[i].first + 1;
		size_t len = (size_t)(size < left ? size : left);
		int err;

		img->data[i] = realloc(img->data[i], len + 1);
		if (!img->data[i])
			abort();
		img->kept[i] = 0;
		err = len ? machine_phys_read(m, img->span[i].first, img->data[i], len) : 0;
		if (err == -BATON_ELINK || err == -BATON_ECANCELED)
			return err;
		if (err) /* not readable: do without it */
			continue;
		img->kept[i] = len;
		left -= len;
	}
	img->loaded = true;
	find_header(img);
	return 0;
}

bool image_is_kept(const struct image *img)
{
	for (size_t i = 0; i < img->originals; i++)
		if (img->kept[i] != img->span[i].last - img->span[i].first + 1)
			return false;
	return true;
}

bool image_search(const struct image *img, const void *data, size_t len, uint64_t *pa)
{
	for (size_t i = 0; i < img->originals; i++) {
		const struct scan_span *s = &img->span[i];
		uint64_t from = *pa > s->first ? *pa : s->first;
		const uint8_t *hit;

		if (from - s->first >= img->kept[i])
			continue;
		hit = memmem(img->data[i] + (from - s->first), img->kept[i] - (from - s->first),
			     data, len);
		if (hit) {
			*pa = s->first + (uint64_t)(hit - img->data[i]);
			return true;
		}
	}
	return false;
}

const struct baton_image_region *image_region(const struct image *img, uint64_t pa)
{
	for (size_t i = 0; img->has_header && i < img->header.num_regions; i++)
		if (pa >= img->region[i].load_addr &&
		    pa - img->region[i].load_addr < img->region[i].size)
			return &img->region[i];
	return NULL;
}

/* Where region @r's bytes were loaded. */
static uint64_t source_of(const struct image *img, const struct baton_image_region *r)
{
	return img->header_at + sizeof(img->header) +
	       img->header.num_regions * sizeof(img->region[0]) + r->offset;
}

/* Is it what lies in the image now, wherever that is? */
static bool as_it_is_now(const struct image *img, struct machine *m,
			 const struct baton_image_region *r)
{
	uint8_t here[CHUNK], there[CHUNK];
	uint64_t origin, from = source_of(img, r);

	for (size_t i = 0; i < img->spans; i++) {
		const struct scan_span *s = &img->span[i];
		uint64_t at = 0, first;

		origin = i < img->originals ? s->first : img->from[i];
		first = from - origin + s->first;
		if (from < origin || first + (r->size - 1) > s->last)
			continue;
		while (at < r->size) {
			size_t n = r->size - at < CHUNK ? (size_t)(r->size - at) : CHUNK;

			if (machine_phys_read(m, r->load_addr + at, here, n) ||
			    machine_phys_read(m, first + at, there, n) || memcmp(here, there, n))
				break;
			at += n;
		}
		if (at >= r->size)
			return true;
	}
	return false;
}

/* What was loaded at @pa: kept, or, as it is now, to be read into @buf. */
static int original(const struct image *img, struct machine *m, uint64_t pa, size_t len,
		    uint8_t *buf, const uint8_t **out)
{
	*out = image_bytes(img, pa, len);
	if (*out)
		return 0;
	*out = buf;
	for (size_t i = 0; i < img->originals; i++)
		if (pa >= img->span[i].first && pa <= img->span[i].last &&
		    img->span[i].last - pa >= len - 1)
			return machine_phys_read(m, pa, buf, len);
	return -BATON_ENOTFOUND;
}

int image_verify(struct image *img, struct machine *m, const struct baton_image_region *r,
		 uint64_t *differs, bool *changed)
{
	uint64_t from = source_of(img, r);
	uint8_t now[CHUNK], buf[CHUNK];

	for (uint64_t at = 0; at < r->size; at += sizeof(now)) {
		size_t n = r->size - at < sizeof(now) ? (size_t)(r->size - at) : sizeof(now);
		const uint8_t *want;
		int err = original(img, m, from + at, n, buf, &want);

		if (!err)
			err = machine_phys_read(m, r->load_addr + at, now, n);
		if (err)
			return err;
		for (size_t i = 0; memcmp(now, want, n) != 0 && i < n; i++) {
			if (now[i] == want[i])
				continue;
			*differs = r->load_addr + at + i;
			if (!as_it_is_now(img, m, r))
				return 1;
			*changed |= want != buf;
			return 0;
		}
	}
	return 0;
}

bool image_is_board(const uint8_t *p, struct baton_image_board *board)
{
	size_t name = strnlen((const char *)p, sizeof(board->name));
	uint32_t word[4];

	if (!name || name >= sizeof(board->name))
		return false;
	for (size_t i = 0; i < sizeof(board->name); i++)
		if (i < name ? p[i] <= ' ' || p[i] > '~' : p[i] != 0)
			return false;
	memset(board, 0, sizeof(*board));
	memcpy(board->name, p, name);
	board->kernel_type =
		(uint32_t)le_read(p + offsetof(struct baton_image_board, kernel_type), 4);
	p += sizeof(board->name);
	board->load_address = le_read(p, 8);
	board->memory_start = le_read(p + 8, 8);
	board->memory_size = le_read(p + 16, 8);
	board->uart = le_read(p + 24, 8);
	board->dtb = le_read(p + 32, 8);
	for (unsigned int i = 0; i < 4; i++)
		word[i] = (uint32_t)le_read(p + 40 + 4 * (size_t)i, 4);
	board->kernel_el = word[0];
	board->cpus = word[1];
	return board->load_address && board->load_address % SCAN_PAGE == 0 && board->memory_size &&
	       board->load_address >= board->memory_start &&
	       board->load_address - board->memory_start < board->memory_size &&
	       (word[0] == 1 || word[0] == 2) && word[1] >= 1 && word[1] <= BATON_IMAGE_MAX_CPUS &&
	       word[2] <= PSCI_NONE;
}

bool image_board(const struct image *img, struct baton_image_board *board)
{
	for (size_t i = 0; img->has_header && i < img->originals; i++) {
		const struct scan_span *s = &img->span[i];
		uint64_t end = img->header_at >= s->first && img->header_at <= s->last
				       ? img->header_at
				       : s->first;

		for (uint64_t at = s->first; img->data[i] && at + sizeof(*board) <= end; at += 8) {
			const uint8_t *p = img->data[i] + (at - s->first);

			if (*p && image_is_board(p, board))
				return true;
		}
	}
	return false;
}
