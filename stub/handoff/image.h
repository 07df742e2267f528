/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader image in a machine's memory: where it lies, its bytes as they are now,
 * and its header if it has the documented one (include/baton/image.h).
 */
#ifndef BATON_HANDOFF_IMAGE_H
#define BATON_HANDOFF_IMAGE_H

#include "baton/image.h"
#include "handoff/scan.h"
#include "machine/machine.h"

#define IMAGE_SPANS 16
#define IMAGE_MAX   (64u << 20) /* bytes of a file that are looked at */

struct image {
	struct scan_span span[IMAGE_SPANS]; /* physical; behind @originals: copies of it */
	uint64_t from[IMAGE_SPANS];	    /* of a copy: what its first byte was copied from */
	size_t spans, originals;
	bool listed; /* QEMU says that it loaded it; else RAM around the pc */
	char name[64];
	struct rom *roms; /* all that QEMU loaded */
	size_t rom_count;
	/* the originals' bytes as they were first seen: moved, they may be overwritten */
	uint8_t *data[IMAGE_SPANS];
	size_t kept[IMAGE_SPANS]; /* how many there are, from the span's beginning */
	bool loaded;
	bool has_header;
	uint64_t header_at; /* physical, where it was loaded */
	struct baton_image_header header;
	struct baton_image_region region[BATON_IMAGE_MAX_REGIONS];
};

/** image_open() - find the image that @pa is in; it is empty if nothing is known there. */
int image_open(struct image *img, struct machine *m, uint64_t pa);
void image_free(struct image *img);

/** image_holds() - @pa is in the image or in a copy of it; what is there now is another matter. */
bool image_holds(const struct image *img, uint64_t pa);
/** image_alike() - more than half of the words: addresses may be relocated, code patched. */
bool image_alike(const uint8_t *a, const uint8_t *b, size_t len);
/**
 * image_intact() - is it what was loaded there, or copied there from where it was loaded?
 * @now: the @len bytes at @pa now, image_alike()
 * *@origin: where it was loaded
 * True, too, where an original's bytes are not kept.
 */
bool image_intact(const struct image *img, uint64_t pa, const uint8_t *now, size_t len,
		  uint64_t *origin);
/**
 * image_copied() - what was loaded at @origin is now at @to.
 * @all: and so is all of its span, or will be; else as far around as it is the same now
 */
void image_copied(struct image *img, struct machine *m, uint64_t origin, uint64_t to, bool all);
/** image_rom() - what QEMU loaded at @pa other than the image, or NULL. */
const struct rom *image_rom(const struct image *img, uint64_t pa);

/** image_load() - read the image's first bytes, unless that was done. */
int image_load(struct image *img, struct machine *m);
/** image_bytes() - the @len bytes that were loaded at @pa, or NULL. */
const uint8_t *image_bytes(const struct image *img, uint64_t pa, size_t len);
/** image_is_kept() - image_search() knows all of it. */
bool image_is_kept(const struct image *img);
/** image_search() - where in the image, from *@pa on, @data was loaded. */
bool image_search(const struct image *img, const void *data, size_t len, uint64_t *pa);
/** image_region() - the header's region that @pa lies in once copied, or NULL. */
const struct baton_image_region *image_region(const struct image *img, uint64_t pa);

/**
 * image_verify() - compare a region with what was loaded for it, or what is there now instead.
 * *@differs: address of the first byte that does not agree with what was loaded
 * *@changed: set if it is the same as in the image, where it lies now: that was changed before it
 * was copied; else left as it is
 *
 * Return: 0: the same; 1: it differs; -BATON_ENOTFOUND: the bytes are not in the image.
 */
int image_verify(struct image *img, struct machine *m, const struct baton_image_region *r,
		 uint64_t *differs, bool *changed);

/**
 * image_is_board() - does struct baton_image_board stand at @p, of which all its bytes are there?
 * Its values have to go together. @board: name, addresses, kernel_el, cpus and kernel_type.
 */
bool image_is_board(const uint8_t *p, struct baton_image_board *board);
/** image_board() - of an image with a header: the board that its loader was built for. */
bool image_board(const struct image *img, struct baton_image_board *board);

#endif
