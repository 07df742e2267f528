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

/* A copy that lies over its original is what is left of it: the original from now on. */
static void replace_original(struct image *img, struct scan_span *s, struct scan_span copy)
{
	struct scan_span was = *s;

	if (img->header_at >= s->first && img->header_at <= s->last) {
		img->header_was = img->header_at;
		img->header_at += copy.first - s->first;
	}
	*s = copy;
	add_span(img, was.first, was.last);
	img->loaded = false;
}

void image_moved(struct image *img, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < img->originals; i++) {
		struct scan_span *s = &img->span[i];
		struct scan_span copy = { s->first - from + to, s->last - from + to };

		if (from < s->first || from > s->last)
			continue;
		if (copy.first <= s->last && s->first <= copy.last)
			replace_original(img, s, copy);
		else
			add_span(img, copy.first, copy.last);
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

/*
 * A loader that moves up by less than its own size overwrites the image it came in, and
 * goes on at addresses that were the image's already: a second header tells. One that moves
 * down goes on before its header has come along, and that is still where it was.
 */
static bool second_header(const struct image *img, uint64_t *at)
{
	const struct baton_image_header *h = &img->header;
	const uint64_t fields[] = { h->magic,	       h->size,		h->kernel_entry,
				    h->ui_p_reg_start, h->ui_p_reg_end, h->pv_offset,
				    h->v_entry,	       h->num_regions };
	uint8_t bytes[sizeof(fields)];

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		le_write(bytes + 8 * i, 8, fields[i]);
	*at = img->header_at + 8;
	while (image_search(img, bytes, sizeof(bytes), at)) {
		if (*at != img->header_was)
			return true;
		*at += 8;
	}
	return false;
}

int image_load(struct image *img, struct machine *m)
{
	uint64_t left = KEPT, at;

	if (img->loaded && img->generation == m->generation)
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
	img->generation = m->generation;
	img->loaded = true;
	if (!img->has_header) {
		find_header(img);
	} else if (second_header(img, &at)) {
		image_moved(img, img->header_at, at);
		return image_load(img, m);
	}
	return 0;
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

/* What the image holds at @pa: kept, or to be read into @buf. */
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
		 uint64_t *differs)
{
	uint64_t from = img->header_at + sizeof(img->header) +
			img->header.num_regions * sizeof(img->region[0]) + r->offset;
	uint8_t now[32768], buf[sizeof(now)];

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
			return 1;
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
