/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader's image in memory: what QEMU laid there, and, where an image has the
 * header of baton/image.h, whether its regions have been copied.
 */
#include "baton/image.h"

#include "hex.h"
#include "monitor/command.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK	4096
#define FAR_END 64 /* bytes that tell one place of an image from another */

/* A header that was found, and what it leads to. */
struct image {
	uint64_t at;	/* of the header */
	uint64_t end;	/* of what QEMU loaded */
	uint64_t bytes; /* of the first region's data: behind the table */
	struct baton_image_header h;
};

static int read_u64s(struct machine *m, uint64_t pa, uint64_t *out, size_t n)
{
	uint8_t raw[8 * 8];
	int err = machine_phys_read(m, pa, raw, 8 * n);

	for (size_t i = 0; !err && i < n; i++)
		out[i] = le_read(raw + 8 * i, 8);
	return err;
}

/*
 * The magic number alone may be a constant in the loader's code: what follows it has
 * to make sense. Return: 1 it does, 0 it does not, or an error.
 */
static int read_header(struct machine *m, uint64_t at, uint64_t end, struct image *img)
{
	uint64_t f[8] = { 0 };
	int err;

	if (end - at < sizeof(img->h))
		return 0;
	err = read_u64s(m, at, f, 8);
	if (err)
		return err;
	img->h = (struct baton_image_header){ f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7] };
	img->at = at;
	img->end = end;
	/* Bounded before it is multiplied; a foreign builder may allow more than ours. */
	if (!img->h.num_regions || img->h.num_regions > 1024)
		return 0;
	img->bytes = at + sizeof(img->h) + img->h.num_regions * sizeof(struct baton_image_region);
	return img->bytes <= end && img->h.ui_p_reg_start <= img->h.ui_p_reg_end;
}

/* The next header in [*at, end). Return: 1 found, 0 none, or an error. */
static int find_header(struct machine *m, uint64_t *at, uint64_t end, struct image *img)
{
	uint8_t data[CHUNK];

	while (*at < end) {
		size_t len = end - *at < CHUNK ? (size_t)(end - *at) : CHUNK;
		int err = machine_canceled(m) ? -BATON_ECANCELED
					      : machine_phys_read(m, *at, data, len);

		if (err)
			return err;
		for (size_t i = 0; i + 8 <= len; i += 8) {
			if (le_read(data + i, 8) != BATON_IMAGE_MAGIC)
				continue;
			err = read_header(m, *at + i, end, img);
			if (!err)
				continue;
			*at += i + 8;
			return err;
		}
		*at += len;
	}
	return 0;
}

/* How much of a region is at its destination. */
struct compared {
	uint64_t first;	      /* offset of the first byte that differs */
	uint64_t differ;      /* bytes that differ */
	uint64_t words, same; /* words of the source that are not zero, and those that are there */
};

static int compare(struct machine *m, uint64_t src, uint64_t dst, uint64_t size,
		   struct compared *out)
{
	uint8_t a[CHUNK], b[CHUNK];

	*out = (struct compared){ 0 };
	for (uint64_t done = 0; done < size; done += CHUNK) {
		size_t len = size - done < CHUNK ? (size_t)(size - done) : CHUNK;
		int err = machine_canceled(m) ? -BATON_ECANCELED
					      : machine_phys_read(m, src + done, a, len);

		if (!err)
			err = machine_phys_read(m, dst + done, b, len);
		if (err)
			return err;
		for (size_t i = 0; i < len; i++) {
			if (a[i] != b[i] && !out->differ++)
				out->first = done + i;
		}
		for (size_t i = 0; i + 8 <= len; i += 8) {
			if (!le_read(a + i, 8))
				continue;
			out->words++;
			out->same += !memcmp(a + i, b + i, 8);
		}
	}
	return 0;
}

static int say_copied(struct cmd *c, uint64_t src, uint64_t dst, uint64_t size)
{
	struct compared cmp;
	int err;

	if (!machine_is_ram(c->machine, dst, size, false)) {
		c->found = true;
		cmd_say(c, "             the destination is not all RAM (`ram` lists what is)");
		return 0;
	}
	err = compare(c->machine, src, dst, size, &cmp);
	if (err)
		return cmd_fail(c, err, NULL);
	if (!cmp.differ && !cmp.words)
		cmd_say(c, "             zeros, and zeros are there: copied or not, it looks the "
			   "same");
	else if (!cmp.differ)
		cmd_say(c, "             copied: the destination equals the image");
	else if (!cmp.same && cmp.words)
		cmd_say(c, "             not copied yet");
	else
		cmd_say(c,
			"             differs at %#" PRIx64 " (%" PRIu64 " of %" PRIu64
			" bytes): %s, or changed since",
			dst + cmp.first, cmp.differ, size,
			cmp.words ? "half copied" : "not copied yet");
	return 0;
}

static int say_region(struct cmd *c, const struct image *img, uint64_t i)
{
	uint64_t at = img->at + sizeof(img->h) + i * sizeof(struct baton_image_region);
	uint64_t src, f[4] = { 0 }; /* load_addr, size, offset, type */
	int err = read_u64s(c->machine, at, f, 4);

	if (err)
		return cmd_fail(c, err, NULL);
	src = img->bytes + f[2];
	cmd_say(c, "  region %-3" PRIu64 " %#" PRIx64 " -> %#" PRIx64 ", %#" PRIx64 " bytes%s", i,
		src, f[0], f[1], f[3] == BATON_REGION_DATA ? "" : ", of an unknown type");
	if (src < img->bytes || src > img->end || f[1] > img->end - src) {
		c->found = true;
		cmd_say(c, "             its bytes lie outside the image, which ends at %#" PRIx64,
			img->end);
		return 0;
	}
	/* in a file nothing was copied yet, nor is there anything to copy to */
	return c->machine->file ? 0 : say_copied(c, src, f[0], f[1]);
}

static int say_image(struct cmd *c, const struct image *img)
{
	const struct baton_image_header *h = &img->h;
	int err = 0;

	cmd_say(c, "  image header at %#" PRIx64 ", %#" PRIx64 " bytes, %" PRIu64 " region%s",
		img->at, h->size, h->num_regions, h->num_regions == 1 ? "" : "s");
	cmd_say(c, "  kernel     entry %#" PRIx64, h->kernel_entry);
	cmd_say(c,
		"  task       physical %#" PRIx64 " - %#" PRIx64 ", entry %#" PRIx64
		", physical minus virtual %#" PRIx64,
		h->ui_p_reg_start, h->ui_p_reg_end, h->v_entry, h->pv_offset);
	for (uint64_t i = 0; !err && i < h->num_regions; i++)
		err = say_region(c, img, i);
	return err;
}

/* A move leaves the far end of where it came from as it was: the same is at both places. */
static bool has_moved(struct machine *m, const struct rom *rom, const struct image *img)
{
	uint64_t start = img->at - (rom->size - img->h.size), far;
	uint8_t old[FAR_END], new[FAR_END];

	if (img->h.size < FAR_END || img->h.size > rom->size || start == rom->addr)
		return false;
	far = start > rom->addr ? 0 : rom->size - FAR_END;
	return !machine_phys_read(m, rom->addr + far, old, FAR_END) &&
	       !machine_phys_read(m, start + far, new, FAR_END) && !memcmp(old, new, FAR_END);
}

/* A loader that was loaded near its place has overwritten itself: the image is beside the ROM. */
static int find_moved(struct machine *m, const struct rom *rom, struct image *img)
{
	const struct ram_range *ram = machine_ram_find(m, rom->addr);
	uint64_t at, end, size = rom->size;
	int found;

	if (!ram || m->file)
		return 0;
	at = rom->addr - ram->first > size ? rom->addr - size : ram->first;
	end = ram->last - rom->addr > 2 * size ? rom->addr + 2 * size : ram->last + 1;
	at = (at + 7) & ~7ull;
	while ((found = find_header(m, &at, end, img)) > 0)
		if (has_moved(m, rom, img)) {
			img->end = img->at + img->h.size;
			return 1;
		}
	return found;
}

static int say_rom(struct cmd *c, const struct rom *rom, unsigned int *images)
{
	uint64_t at = (rom->addr + 7) & ~7ull;
	struct image img = { 0 };
	int found;

	cmd_say(c, "%#" PRIx64 " - %#" PRIx64 "  %s", rom->addr, rom->addr + rom->size - 1,
		rom->name);
	if (!machine_is_ram(c->machine, rom->addr, rom->size, true)) {
		cmd_say(c, "  not RAM or ROM: not looked at");
		return 0;
	}
	found = find_moved(c->machine, rom, &img);
	if (found > 0) {
		cmd_say(c, "  it has moved itself to %#" PRIx64, img.at - (rom->size - img.h.size));
		++*images;
		return say_image(c, &img);
	}
	if (found < 0)
		return cmd_fail(c, found, NULL);
	while ((found = find_header(c->machine, &at, rom->addr + rom->size, &img)) > 0) {
		int err = say_image(c, &img);

		++*images;
		if (err)
			return err;
	}
	return found ? cmd_fail(c, found, NULL) : 0;
}

static int run(struct cmd *c)
{
	unsigned int images = 0;
	struct rom *roms;
	size_t n;
	int err = cmd_no_more(c, 0);

	if (err)
		return err;
	err = machine_roms(c->machine, &roms, &n);
	if (err)
		return cmd_fail(c, err, NULL);
	for (size_t i = 0; !err && i < n; i++)
		if (roms[i].size)
			err = say_rom(c, &roms[i], &images);
	free(roms);
	if (!err && !n)
		cmd_say(c, c->machine->file ? "a core does not tell what was loaded, and where"
					    : "QEMU laid nothing into memory that it tells of");
	else if (!err && !images)
		cmd_say(c, "no image header among these (magic %#" PRIx64 ")", BATON_IMAGE_MAGIC);
	return err;
}

COMMAND(loader, "loader", run, .needs = CMD_STOPPED,
	.help = "what QEMU laid into memory; a loader image's regions, and whether they are copied",
	.more = "An image is known by the header that Microkit-style loaders carry. Exit status 1 "
		"if\n"
		"a region lies outside the image, or goes where there is no RAM.\n");
