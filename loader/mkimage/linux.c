// SPDX-License-Identifier: BSD-2-Clause
/*
 * An arm64 Linux: its Image, a device tree and an initrd, laid out by
 * Documentation/arch/arm64/booting.rst ("Call the kernel image", "Setup the device tree").
 */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mkimage.h"

struct image_header {
	uint32_t code[2];
	uint64_t text_offset; /* from a 2 MiB boundary */
	uint64_t image_size;  /* what it takes, BSS included */
	uint64_t flags;
	uint64_t reserved[3];
	unsigned char magic[4];
	uint32_t pe_header;
};

static int no_image(const struct blob *image)
{
	const unsigned char *d = image->data;
	const char *path = image->path;

	if (image->size > 2 && d[0] == 0x1f && d[1] == 0x8b)
		return complain("%s: compressed; give the Image itself (zcat %s > Image)", path,
				path);
	if (image->size > 8 && !memcmp(d, "MZ", 2) && !memcmp(d + 4, "zimg", 4))
		return complain("%s: compressed for EFI; give the Image that was built beside it "
				"(arch/arm64/boot/Image)",
				path);
	if (image->size > 4 && !memcmp(d, "\177ELF", 4))
		return complain("%s: an ELF file; give the Image that is made of it "
				"(arch/arm64/boot/Image)",
				path);
	return complain(
		"%s: not an arm64 Linux Image (no \"ARM\\x64\" at offset 56 of its %zu bytes)",
		path, image->size);
}

static int read_header(const struct blob *image, struct image_header *h)
{
	if (image->size < sizeof(*h))
		return no_image(image);
	memcpy(h, image->data, sizeof(*h));
	if (memcmp(h->magic, "ARM\x64", 4) != 0)
		return no_image(image);
	h->text_offset = le64toh(h->text_offset);
	h->image_size = le64toh(h->image_size);
	if (!h->image_size)
		return complain("%s: older than Linux 3.17, its header does not say what it takes",
				image->path);
	if (h->text_offset >= MIB2 || h->text_offset % PAGE_SIZE || h->image_size >> VMSA_VA_BITS)
		return complain("%s: broken header (text_offset %#" PRIx64 ", image_size %#" PRIx64
				")",
				image->path, h->text_offset, h->image_size);
	return 0;
}

/*
 * As low as RAM allows: what is below the Image was lost to kernels before 4.6. A
 * device tree of the machine's own, if none is given, has to survive, and is 2 MiB at most.
 */
static uint64_t choose_base(const struct layout *l, uint64_t size)
{
	uint64_t base = ALIGN_UP(l->board.memory_start, MIB2);

	if (!l->dtb && l->board.dtb >= base && l->board.dtb < base + size)
		return ALIGN_DOWN(l->board.dtb, MIB2) + MIB2;
	return base;
}

int linux_plan(struct layout *l)
{
	const struct blob *image = l->linux_image, *initrd = l->initrd;
	uint64_t start, end, initrd_start = 0, initrd_end = 0;
	char name[sizeof(l->extents[0].name)];
	struct extent *e = &l->extents[l->extent_count];
	struct image_header h;

	if (read_header(image, &h) ||
	    elf_symbol(l->loader, "linux_release", 8 * BATON_IMAGE_MAX_CPUS, &l->release))
		return -1;
	if (!l->dtb && !l->board.dtb)
		return complain(
			"%s: a Linux wants a device tree, and on board %s none is in memory: "
			"give one by --dtb",
			image->path, l->board.name);
	start = choose_base(l, h.text_offset + h.image_size) + h.text_offset;
	snprintf(name, sizeof(name), "%s", image->path);
	if (layout_add(l, name, start, image->size))
		return -1;
	layout_piece(l, 0, image->data, image->size);
	/* It clears its BSS itself, which is what the file does not have; a signature may be more.
	 */
	if (h.image_size > image->size) {
		e->end = start + h.image_size;
		if (layout_check_ram(l, e))
			return -1;
	}
	end = e->end;
	l->header.kernel_entry = start;
	if (initrd && initrd->size) {
		initrd_start = ALIGN_UP(end, PAGE_SIZE);
		end = initrd_end = initrd_start + initrd->size;
		snprintf(name, sizeof(name), "%s", initrd->path);
		if (layout_add(l, name, initrd_start, initrd->size))
			return -1;
		layout_piece(l, 0, initrd->data, initrd->size);
	}
	/* The kernel maps it by 2 MiB blocks before it knows anything: in a block of its own. */
	return l->dtb ? dtb_plan(l, ALIGN_UP(end, MIB2), initrd_start, initrd_end) : 0;
}
