// SPDX-License-Identifier: BSD-2-Clause
/* Where everything goes, and why it may not go there. */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baton/vmsa_a64.h"
#include "mkimage.h"

#define MIB2 VMSA_BLOCK_SIZE(2)

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
		return 0;
	}
	return complain("%s: `board` is not in a loaded segment", l->loader->path);
}

static int check_ram(const struct layout *l, const char *name, uint64_t start, uint64_t size)
{
	uint64_t ram = l->board.memory_start, ram_size = l->board.memory_size;

	if (start >= ram && size <= ram_size && start - ram <= ram_size - size)
		return 0;
	return complain("%s wants physical %#" PRIx64 "-%#" PRIx64
			", but the RAM of board %s is %#" PRIx64 "-%#" PRIx64
			"; link it for that (in a linker script AT() gives the physical "
			"address)",
			name, start, start + size, l->board.name, ram, ram + ram_size);
}

static int add_extent(struct layout *l, const char *name, uint64_t start, uint64_t size)
{
	struct extent *e = &l->extents[l->extent_count++];

	snprintf(e->name, sizeof(e->name), "%s", name);
	e->start = start;
	e->end = start + size;
	return check_ram(l, name, start, size);
}

static void add_region(struct layout *l, uint64_t load_addr, uint64_t size)
{
	l->regions[l->header.num_regions++] = (struct baton_image_region){
		.load_addr = load_addr,
		.size = size,
		.type = BATON_REGION_DATA,
	};
}

static int plan_loader(struct layout *l)
{
	uint64_t start, end, header;

	for (unsigned int i = 0; i < l->loader->count; i++)
		if (l->loader->segments[i].vaddr != l->loader->segments[i].paddr)
			return complain(
				"%s: segment %u has different virtual and physical addresses, "
				"and the loader starts without MMU",
				l->loader->path, l->loader->segments[i].index);
	elf_span_phys(l->loader, &start, &end);
	if (start != l->board.load_address)
		return complain("%s: linked at %#" PRIx64 ", but its board %s says %#" PRIx64,
				l->loader->path, start, l->board.name, l->board.load_address);
	if (elf_symbol(l->loader, "image_header", 0, &header))
		return -1;
	if (header < end || header - end > PAGE_SIZE)
		return complain("%s: `image_header` (%#" PRIx64
				") is not behind its last byte (%#" PRIx64 ")",
				l->loader->path, header, end);
	l->header_at = header - start;
	return 0;
}

/* The kernel's half of the address space, and the one level-2 table that maps it. */
static int check_kernel_virt(const struct layout *l)
{
	uint64_t start, end, last;
	const char *path = l->kernel->path;
	bool el2 = l->board.kernel_el == 2;

	elf_span_virt(l->kernel, &start, &end);
	last = end - 1;
	if (el2 && last >> VMSA_VA_BITS)
		return complain(
			"%s is linked at %#" PRIx64
			", but board %s enters the kernel at EL2, where there is no upper half: "
			"take a kernel with hypervisor support, or a board without (make "
			"list-boards)",
			path, start, l->board.name);
	if (!el2 && start < VMSA_UPPER_START)
		return complain(
			"%s is linked at %#" PRIx64
			", but board %s enters the kernel at EL1, where kernels live from %#" PRIx64
			" on: take a kernel without hypervisor support, or a board with (make "
			"list-boards)",
			path, start, l->board.name, VMSA_UPPER_START);
	if (el2 && (VMSA_INDEX(start, 0) == VMSA_INDEX(l->board.load_address, 0) ||
		    VMSA_INDEX(start, 0) == VMSA_INDEX(l->board.uart, 0)))
		return complain("%s is linked at %#" PRIx64
				", in the same 512 GiB as the loader (%#" PRIx64
				") and the UART (%#" PRIx64 "): link it at 0x8000000000 or above",
				path, start, l->board.load_address, l->board.uart);
	if (start >> VMSA_SHIFT(1) != last >> VMSA_SHIFT(1))
		return complain(
			"%s (virtual %#" PRIx64 "-%#" PRIx64
			") crosses the 1 GiB boundary %#" PRIx64
			", and one level-2 table maps it: link it lower, or make it smaller",
			path, start, last, ALIGN_DOWN(last, VMSA_BLOCK_SIZE(1)));
	return 0;
}

static int check_kernel_offset(const struct layout *l)
{
	const struct segment *first = &l->kernel->segments[0];
	const char *path = l->kernel->path;
	uint64_t virt, phys, end;

	for (unsigned int i = 1; i < l->kernel->count; i++) {
		const struct segment *s = &l->kernel->segments[i];

		if (s->vaddr - s->paddr != first->vaddr - first->paddr)
			return complain("%s: segment %u (virtual %#" PRIx64 ", physical %#" PRIx64
					") is %#" PRIx64 " apart, segment %u (virtual %#" PRIx64
					", physical %#" PRIx64 ") %#" PRIx64
					"; a kernel needs one offset for all: look at AT() in its "
					"linker script",
					path, s->index, s->vaddr, s->paddr, s->vaddr - s->paddr,
					first->index, first->vaddr, first->paddr,
					first->vaddr - first->paddr);
	}
	elf_span_virt(l->kernel, &virt, &end);
	elf_span_phys(l->kernel, &phys, &end);
	if (virt % MIB2 || phys % MIB2)
		return complain(
			"%s starts at virtual %#" PRIx64 ", physical %#" PRIx64
			": %s not on a 2 MiB boundary, and 2 MiB blocks map it; link it on one",
			path, virt, phys,
			virt % MIB2 && phys % MIB2 ? "both are"
			: virt % MIB2		   ? "the virtual address is"
						   : "the physical address is");
	return 0;
}

static int plan_kernel(struct layout *l)
{
	char name[512];

	if (check_kernel_virt(l))
		return -1;
	for (unsigned int i = 0; i < l->kernel->count; i++) {
		const struct segment *s = &l->kernel->segments[i];

		snprintf(name, sizeof(name), "%s, segment %u,", l->kernel->path, s->index);
		if (add_extent(l, name, s->paddr, s->memsz))
			return -1;
		add_region(l, s->paddr, s->memsz);
	}
	l->header.kernel_entry = l->kernel->entry;
	return check_kernel_offset(l);
}

static int check_task(const struct layout *l)
{
	const struct elf *t = l->task;

	for (unsigned int i = 0; i < t->count; i++)
		for (unsigned int k = 0; k < i; k++) {
			const struct segment *a = &t->segments[k], *b = &t->segments[i];

			if (a->vaddr <= b->vaddr + (b->memsz - 1) &&
			    b->vaddr <= a->vaddr + (a->memsz - 1))
				return complain("%s: segment %u (virtual %#" PRIx64 "-%#" PRIx64
						") overlaps segment %u (virtual %#" PRIx64
						"-%#" PRIx64 "); look at its linker script",
						t->path, a->index, a->vaddr, a->vaddr + a->memsz,
						b->index, b->vaddr, b->vaddr + b->memsz);
		}
	return 0;
}

/* One piece, gaps and all: the kernel knows the task by one range and one offset. */
static int plan_task(struct layout *l)
{
	uint64_t kernel, end, virt, virt_end, size;
	char name[512];

	elf_span_virt(l->task, &virt, &virt_end);
	if (!virt_end || (virt_end - 1) >> VMSA_VA_BITS)
		return complain("%s reaches to virtual %#" PRIx64
				", but a task lives below %#" PRIx64 ": is it a kernel?",
				l->task->path, virt_end - 1, UINT64_C(1) << VMSA_VA_BITS);
	if (check_task(l))
		return -1;
	l->task_virt = ALIGN_DOWN(virt, PAGE_SIZE);
	size = ALIGN_UP(virt_end, PAGE_SIZE) - l->task_virt;
	elf_span_phys(l->kernel, &kernel, &end);
	end = ALIGN_UP(end, PAGE_SIZE);
	snprintf(name, sizeof(name), "%s, placed behind the kernel,", l->task->path);
	if (add_extent(l, name, end, size))
		return -1;
	add_region(l, end, size);
	l->header.ui_p_reg_start = end;
	l->header.ui_p_reg_end = end + size;
	l->header.pv_offset = end - l->task_virt;
	l->header.v_entry = l->task->entry;
	return 0;
}

/* Source and target alike modulo 32: that lets the loader copy by pairs of registers. */
static int plan_image(struct layout *l)
{
	uint64_t table_end =
		l->header_at + sizeof(l->header) + l->header.num_regions * sizeof(l->regions[0]);
	uint64_t at = table_end;
	char name[512];

	for (uint64_t i = 0; i < l->header.num_regions; i++) {
		at += (l->regions[i].load_addr - at) % 32;
		l->regions[i].offset = at - table_end;
		at += l->regions[i].size;
	}
	l->image_size = at;
	l->header.magic = BATON_IMAGE_MAGIC;
	l->header.size = at - l->header_at;
	snprintf(name, sizeof(name), "the loader's image (%s)", l->board.name);
	return add_extent(l, name, l->board.load_address, at);
}

static int check_overlaps(const struct layout *l)
{
	for (unsigned int i = 0; i < l->extent_count; i++)
		for (unsigned int k = 0; k < i; k++) {
			const struct extent *a = &l->extents[k], *b = &l->extents[i];

			if (a->start >= b->end || b->start >= a->end)
				continue;
			return complain("%s at physical %#" PRIx64 "-%#" PRIx64
					" overlaps %s at physical %#" PRIx64 "-%#" PRIx64
					"; link the kernel where there is room for it and the task "
					"(AT() in its linker script), or make them smaller",
					a->name, a->start, a->end, b->name, b->start, b->end);
		}
	return 0;
}

int layout_plan(struct layout *l)
{
	if (plan_loader(l) || plan_kernel(l) || plan_task(l) || plan_image(l))
		return -1;
	return check_overlaps(l);
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

static void put_payload(const struct layout *l, unsigned char *table_end)
{
	const struct baton_image_region *r = l->regions;
	unsigned char *task = table_end + r[l->kernel->count].offset;

	for (unsigned int i = 0; i < l->kernel->count; i++)
		memcpy(table_end + r[i].offset, l->kernel->segments[i].bytes,
		       l->kernel->segments[i].filesz);
	for (unsigned int i = 0; i < l->task->count; i++)
		memcpy(task + (l->task->segments[i].vaddr - l->task_virt),
		       l->task->segments[i].bytes, l->task->segments[i].filesz);
}

unsigned char *layout_image(const struct layout *l)
{
	unsigned char *image = calloc(1, l->image_size), *header;
	uint64_t board;

	if (!image) {
		complain_text("out of memory: the image has %" PRIu64 " bytes", l->image_size);
		return NULL;
	}
	for (unsigned int i = 0; i < l->loader->count; i++) {
		const struct segment *s = &l->loader->segments[i];

		memcpy(image + (s->paddr - l->board.load_address), s->bytes, s->filesz);
	}
	header = image + l->header_at;
	put_header(l, header);
	put_payload(l, header + sizeof(l->header) + l->header.num_regions * sizeof(l->regions[0]));
	/* Found before, by layout_board(), and by now with the number of CPUs. */
	if (elf_symbol(l->loader, "board", sizeof(l->board), &board) || tables_fill(l, image)) {
		free(image);
		return NULL;
	}
	memcpy(image + (board - l->board.load_address), &l->board, sizeof(l->board));
	return image;
}
