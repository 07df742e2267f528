// SPDX-License-Identifier: BSD-2-Clause
/* Where everything goes, and why it may not go there. */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkimage.h"

/* Files are limited already, but a few bytes of ELF can ask for any amount of zeros. */
#define MAX_IMAGE (UINT64_C(4) << 30)

/* As the types in loader/board/defaults and aarch64 have it. */
static int check_alignment(const struct layout *l)
{
	const struct baton_image_board *b = &l->board;
	const struct {
		const char *name;
		uint64_t value, unit;
	} addresses[] = {
		{ "load_address", b->load_address, MIB2 },
		{ "uart", b->uart, 4 },
		{ "dtb", b->dtb, 8 },
		{ "spin_table", b->spin_table, 8 },
		{ "gicd", b->gicd, 0x1000 },
		{ "gicc", b->gicc, 0x1000 },
		{ "gicr", b->gicr, 0x10000 },
	};

	for (unsigned int i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (addresses[i].value % addresses[i].unit)
			return complain("%s: board %s has %s = %#" PRIx64
					", and wanted is a multiple of %#" PRIx64
					": build the loader anew with another (SET=\"%s=...\")",
					l->loader->file.path, b->name, addresses[i].name,
					addresses[i].value, addresses[i].unit, addresses[i].name);
	return 0;
}

/* A loader from anywhere may have been given: its board's values are input as well. */
static int check_board(const struct layout *l)
{
	const struct baton_image_board *b = &l->board;
	const uint64_t limit = UINT64_C(1) << VMSA_VA_BITS;

	if (b->memory_start >= limit || b->memory_size > limit - b->memory_start ||
	    b->uart >= limit || b->load_address >= limit ||
	    (b->kernel_el != 1 && b->kernel_el != 2))
		return complain("%s: board %s makes no sense (RAM %#" PRIx64 ", size %#" PRIx64
				", UART %#" PRIx64 ", load address %#" PRIx64 ", EL%" PRIu32
				"): build the loader anew (make show-board)",
				l->loader->file.path, b->name, b->memory_start, b->memory_size,
				b->uart, b->load_address, b->kernel_el);
	return check_alignment(l);
}

int layout_board(struct layout *l)
{
	uint64_t addr;

	if (elf_symbol(l->loader, "board", sizeof(l->board), &addr))
		return -1;
	for (unsigned int i = 0; i < l->loader->count; i++) {
		const struct segment *s = &l->loader->segments[i];

		if (addr < s->vaddr || addr - s->vaddr > s->filesz ||
		    s->filesz - (addr - s->vaddr) < sizeof(l->board))
			continue;
		memcpy(&l->board, s->bytes + (addr - s->vaddr), sizeof(l->board));
		l->board.name[sizeof(l->board.name) - 1] = '\0';
		return check_board(l);
	}
	return complain("%s: `board` is not in a loaded segment", l->loader->file.path);
}

int layout_check_ram(const struct layout *l, const struct extent *e)
{
	uint64_t ram = l->board.memory_start, ram_end = ram + l->board.memory_size;

	if (e->start >= ram && e->end <= ram_end && e->start < e->end)
		return 0;
	return complain("%s wants physical %#" PRIx64 "-%#" PRIx64
			", but the RAM of board %s is %#" PRIx64 "-%#" PRIx64 "; %s%s",
			e->name, e->start, e->end, l->board.name, ram, ram_end,
			l->type == KERNEL_LINUX ? "take a board with more (make list-boards)"
						: "link it for that (in a linker script AT() gives "
						  "the physical address)",
			e->start >= ram && !(e->end >> VMSA_VA_BITS)
				? ", or build the loader with as much as the machine has "
				  "(SET=\"memory_size=...\")"
				: "");
}

static int add_extent(struct layout *l, const char *name, uint64_t start, uint64_t size)
{
	struct extent *e = &l->extents[l->extent_count++];

	snprintf(e->name, sizeof(e->name), "%s", name);
	e->start = start;
	e->end = start + size;
	return layout_check_ram(l, e);
}

int layout_add(struct layout *l, const char *name, uint64_t start, uint64_t size)
{
	l->regions[l->header.num_regions++] = (struct baton_image_region){
		.load_addr = start,
		.size = size,
		.type = BATON_REGION_DATA,
	};
	return add_extent(l, name, start, size);
}

void layout_piece(struct layout *l, uint64_t offset, const unsigned char *bytes, uint64_t size)
{
	l->pieces[l->piece_count++] = (struct piece){
		.region = l->header.num_regions - 1,
		.offset = offset,
		.size = size,
		.bytes = bytes,
	};
}

static int check_loader(struct layout *l)
{
	const char *path = l->loader->file.path;
	uint64_t start, end, header;

	for (unsigned int i = 0; i < l->loader->count; i++)
		if (l->loader->segments[i].vaddr != l->loader->segments[i].paddr)
			return complain(
				"%s: segment %u has different virtual and physical addresses, "
				"and the loader starts without MMU",
				path, l->loader->segments[i].index);
	elf_span_phys(l->loader, &start, &end);
	if (start != l->board.load_address)
		return complain("%s: linked at %#" PRIx64 ", but its board %s says %#" PRIx64, path,
				start, l->board.name, l->board.load_address);
	if (end - start > MAX_IMAGE)
		return complain("%s: %#" PRIx64 " bytes: no loader is as large as that", path,
				end - start);
	if (elf_symbol(l->loader, "image_header", 0, &header))
		return -1;
	if (header < end || header - end > PAGE_SIZE)
		return complain("%s: `image_header` (%#" PRIx64
				") is not behind its last byte (%#" PRIx64 ")",
				path, header, end);
	l->header_at = header - start;
	return 0;
}

static uint64_t table_end(const struct layout *l)
{
	return l->header_at + sizeof(l->header) + l->header.num_regions * sizeof(l->regions[0]);
}

/* Source and target alike modulo 32: that lets the loader copy by pairs of registers. */
static int plan_payload(struct layout *l, uint64_t *end)
{
	uint64_t at = table_end(l);

	for (uint64_t i = 0; i < l->header.num_regions; i++) {
		at += (l->regions[i].load_addr - at) % 32;
		l->regions[i].offset = at - table_end(l);
		at += l->regions[i].size;
		if (at > MAX_IMAGE)
			return complain("the image would have more than %" PRIu64
					" GiB: what is loaded, zeros included, is stored in it; "
					"make kernel and task smaller",
					MAX_IMAGE >> 30);
	}
	*end = at;
	return 0;
}

static int add_part(struct layout *l, const char *what, uint64_t start, uint64_t end)
{
	char name[sizeof(l->extents[0].name)];

	snprintf(name, sizeof(name), "the loader's image (%s), %s,", l->board.name, what);
	return end > start ? add_extent(l, name, start, end - start) : 0;
}

/* The image's own memory, by what is in it. */
static int add_parts(struct layout *l, uint64_t payload_end)
{
	uint64_t start = l->board.load_address, header = start + l->header_at, stacks, tables;

	if (elf_symbol(l->loader, "stacks", 0, &stacks))
		return -1;
	tables = l->tables[0].addr;
	for (unsigned int i = 1; i < LOADER_TABLES; i++)
		tables = l->tables[i].addr < tables ? l->tables[i].addr : tables;
	if (stacks < start || stacks > tables)
		return complain("%s: `stacks` (%#" PRIx64 ") are not between its start (%#" PRIx64
				") and its tables (%#" PRIx64
				"): loader and baton-mkimage are of different versions",
				l->loader->file.path, stacks, start, tables);
	return add_part(l, "code and data", start, stacks) ||
	       add_part(l, "stacks", stacks, tables) ||
	       add_part(l, "boot tables", tables, header) ||
	       add_part(l, "header and what it copies", header, start + payload_end) ||
	       add_part(l, "further boot tables",
			l->table_count > LOADER_TABLES ? l->tables[LOADER_TABLES].addr : 0,
			l->table_count > LOADER_TABLES ? start + l->image_size : 0);
}

static int check_overlaps(const struct layout *l)
{
	for (unsigned int i = 0; i < l->extent_count; i++)
		for (unsigned int k = 0; k < i; k++) {
			const struct extent *a = &l->extents[k], *b = &l->extents[i];

			if (a->start >= b->end || b->start >= a->end)
				continue;
			return complain(
				"%s at physical %#" PRIx64 "-%#" PRIx64
				" overlaps %s at physical %#" PRIx64 "-%#" PRIx64 "; %s",
				a->name, a->start, a->end, b->name, b->start, b->end,
				l->type == KERNEL_LINUX
					? "there is no room for all of them: make the initrd "
					  "smaller, or build the loader for a higher place "
					  "(SET=\"load_address=...\")"
					: "link the kernel where there is room for it and the "
					  "task (AT() in its linker script), or make them "
					  "smaller");
		}
	return 0;
}

int layout_plan(struct layout *l)
{
	uint64_t payload_end;

	l->board.kernel_type = l->type;
	if (check_loader(l) || (l->dtb && dtb_check(l)) ||
	    (l->type == KERNEL_LINUX ? linux_plan(l) : sel4_plan(l)) ||
	    plan_payload(l, &payload_end) || tables_plan(l, payload_end) ||
	    add_parts(l, payload_end) || check_overlaps(l) || (l->dtb && dtb_check_memory(l)))
		return -1;
	l->header.magic = BATON_IMAGE_MAGIC;
	l->header.size = l->image_size - l->header_at;
	return 0;
}

void layout_free(struct layout *l)
{
	free(l->tables);
	l->tables = NULL;
}

static void put64(unsigned char **at, uint64_t value)
{
	value = htole64(value);
	memcpy(*at, &value, sizeof(value));
	*at += sizeof(value);
}

static void put_header(const struct layout *l, unsigned char *at)
{
	const struct baton_image_header *h = &l->header;

	put64(&at, h->magic);
	put64(&at, h->size);
	put64(&at, h->kernel_entry);
	put64(&at, h->ui_p_reg_start);
	put64(&at, h->ui_p_reg_end);
	put64(&at, h->pv_offset);
	put64(&at, h->v_entry);
	put64(&at, h->num_regions);
	for (uint64_t i = 0; i < h->num_regions; i++) {
		put64(&at, l->regions[i].load_addr);
		put64(&at, l->regions[i].size);
		put64(&at, l->regions[i].offset);
		put64(&at, l->regions[i].type);
	}
}

unsigned char *layout_image(const struct layout *l)
{
	unsigned char *image;
	uint64_t board;

	if (elf_symbol(l->loader, "board", sizeof(l->board), &board))
		return NULL;
	image = calloc(1, l->image_size);
	if (!image) {
		complain_text("out of memory: the image has %" PRIu64 " bytes", l->image_size);
		return NULL;
	}
	for (unsigned int i = 0; i < l->loader->count; i++) {
		const struct segment *s = &l->loader->segments[i];

		memcpy(image + (s->paddr - l->board.load_address), s->bytes, s->filesz);
	}
	/* Found before, by layout_board(), and by now with what options and device tree say. */
	memcpy(image + (board - l->board.load_address), &l->board, sizeof(l->board));
	put_header(l, image + l->header_at);
	for (unsigned int i = 0; i < l->piece_count; i++) {
		const struct piece *p = &l->pieces[i];

		memcpy(image + table_end(l) + l->regions[p->region].offset + p->offset, p->bytes,
		       p->size);
	}
	tables_put(l, image);
	return image;
}
