// SPDX-License-Identifier: BSD-2-Clause
/*
 * The boot tables: levels 0 to 2 of the 4 KiB granule, 2 MiB blocks. Six of them
 * have names and a place in the loader; what is needed beyond lies at the image's end.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkimage.h"

enum { LOWER, UPPER };

#define NAMED(half, level) (3 * (half) + (level)) /* its place in l->tables */
#define MAX_TABLES	   256

/* What is under way: whose addresses, for the named tables and for the words of a refusal. */
struct filling {
	struct layout *l;
	uint64_t tail; /* physical address of the first further table */
	unsigned int half, root;
	const char *who;
	bool used[LOADER_TABLES];
};

static int find_named(struct layout *l, unsigned int half, unsigned int level)
{
	struct table *t = &l->tables[NAMED(half, level)];
	char name[32];

	snprintf(name, sizeof(name), "boot_lvl%u_%s", level, half == UPPER ? "upper" : "lower");
	if (elf_symbol(l->loader, name, VMSA_ENTRIES * 8, &t->addr))
		return -1;
	if (t->addr % PAGE_SIZE || l->header_at < PAGE_SIZE || t->addr < l->board.load_address ||
	    t->addr - l->board.load_address > l->header_at - PAGE_SIZE)
		return complain("%s: `%s` (%#" PRIx64 ") is not a page of the loader",
				l->loader->file.path, name, t->addr);
	return 0;
}

static struct table *new_table(struct filling *f, unsigned int level)
{
	struct layout *l = f->l;
	struct table *t = &l->tables[NAMED(f->half, level)];

	if (!f->used[NAMED(f->half, level)]) {
		f->used[NAMED(f->half, level)] = true;
		return t;
	}
	if (l->table_count == MAX_TABLES) {
		complain_text("%s would need more than %u boot tables, each for 1 GiB of virtual "
			      "addresses: link its segments closer to each other",
			      f->who, MAX_TABLES);
		return NULL;
	}
	t = &l->tables[l->table_count];
	t->addr = f->tail + PAGE_SIZE * (l->table_count++ - LOADER_TABLES);
	return t;
}

static struct table *find_table(struct layout *l, uint64_t desc)
{
	for (unsigned int i = 0; i < l->table_count; i++)
		if ((l->tables[i].addr | VMSA_TABLE) == desc)
			return &l->tables[i];
	return NULL;
}

/*
 * The entry for @va at @level, with the tables above it; NULL where the addresses
 * are somebody else's block, or there are no more tables.
 */
static uint64_t *entry(struct filling *f, uint64_t va, unsigned int level)
{
	struct table *t = &f->l->tables[f->root];

	for (unsigned int i = 0; i < level; i++) {
		uint64_t *e = &t->entry[VMSA_INDEX(va, i)];

		t = *e ? find_table(f->l, *e) : new_table(f, i + 1);
		if (!t)
			return NULL;
		*e = t->addr | VMSA_TABLE;
	}
	return &t->entry[VMSA_INDEX(va, level)];
}

static uint64_t normal(const struct layout *l, uint64_t pa)
{
	return pa | VMSA_BLOCK | VMSA_ATTR(VMSA_MAIR_NORMAL) | VMSA_SH_INNER | VMSA_AF |
	       (l->board.kernel_el == 2 ? VMSA_AP_RES1 : 0);
}

static uint64_t device(const struct layout *l, uint64_t pa)
{
	return pa | VMSA_BLOCK | VMSA_ATTR(VMSA_MAIR_DEVICE) | VMSA_SH_OUTER | VMSA_AF | VMSA_XN |
	       (l->board.kernel_el == 2 ? VMSA_AP_RES1 : VMSA_PXN);
}

/* [start, start + size) by 2 MiB blocks; what is there already may only be the same. */
static int map_normal(struct filling *f, uint64_t start, uint64_t phys, uint64_t size)
{
	uint64_t blocks = ((start % MIB2) + (size - 1)) / MIB2 + 1;

	start = ALIGN_DOWN(start, MIB2);
	phys = ALIGN_DOWN(phys, MIB2);
	for (uint64_t i = 0; i < blocks; i++, start += MIB2, phys += MIB2) {
		uint64_t *e = entry(f, start, 2);

		if (!e)
			return -1;
		if (*e && *e != normal(f->l, phys))
			return complain("%s at virtual %#" PRIx64 "-%#" PRIx64
					" is to be at physical %#" PRIx64 "-%#" PRIx64
					", but the loader, at EL2 in the same tables, has %#" PRIx64
					" there; link it to start 512 GiB higher",
					f->who, start, start + MIB2, phys, phys + MIB2,
					*e & ~(MIB2 - 1) & ((UINT64_C(1) << VMSA_VA_BITS) - 1));
		*e = normal(f->l, phys);
	}
	return 0;
}

/* The image where it is, so that the loader goes on once the MMU is on. */
static int map_loader(struct filling *f)
{
	f->half = LOWER;
	f->root = NAMED(LOWER, 0);
	f->who = "the loader's image";
	return map_normal(f, f->l->board.load_address, f->l->board.load_address, f->l->image_size);
}

static int map_kernel(struct filling *f)
{
	uint64_t virt, virt_end, phys, phys_end;

	f->half = UPPER;
	f->root = NAMED(f->l->board.kernel_el == 2 ? LOWER : UPPER, 0);
	f->who = f->l->kernel->file.path;
	elf_span_virt(f->l->kernel, &virt, &virt_end);
	elf_span_phys(f->l->kernel, &phys, &phys_end);
	return map_normal(f, virt, phys, virt_end - virt);
}

/*
 * The console: its whole GiB as one block, or 2 MiB where somebody has pages in the
 * same GiB.
 */
static int map_uart(struct filling *f)
{
	uint64_t uart = f->l->board.uart, *e;

	f->half = LOWER;
	f->root = NAMED(LOWER, 0);
	f->who = "the UART";
	e = entry(f, uart, 1);
	if (!e)
		return -1;
	if (!*e) {
		*e = device(f->l, ALIGN_DOWN(uart, VMSA_BLOCK_SIZE(1)));
		return 0;
	}
	e = entry(f, uart, 2);
	if (!e)
		return -1;
	if (*e)
		return complain("board %s: the UART (%#" PRIx64
				") is in 2 MiB that the loader or the kernel has: link the kernel "
				"elsewhere",
				f->l->board.name, uart);
	*e = device(f->l, ALIGN_DOWN(uart, MIB2));
	return 0;
}

/*
 * Kernels use what is behind them, to the end of their last level-2 table; but only
 * RAM may be mapped as memory, and nobody else's addresses.
 */
static int map_behind_kernel(struct filling *f)
{
	const struct baton_image_board *b = &f->l->board;
	uint64_t virt, virt_end, phys, phys_end;

	elf_span_virt(f->l->kernel, &virt, &virt_end);
	elf_span_phys(f->l->kernel, &phys, &phys_end);
	f->root = NAMED(b->kernel_el == 2 ? LOWER : UPPER, 0);
	virt = ALIGN_DOWN(virt_end - 1, MIB2);
	phys = ALIGN_DOWN(phys_end - 1, MIB2);
	while (VMSA_INDEX(virt, 2) != VMSA_ENTRIES - 1 &&
	       phys + 2 * MIB2 <= b->memory_start + b->memory_size) {
		uint64_t *e = entry(f, virt += MIB2, 2);

		phys += MIB2;
		if (!*e)
			*e = normal(f->l, phys);
	}
	return 0;
}

static int fill(struct layout *l, uint64_t tail)
{
	/* The roots are there from the beginning, and nobody gets them for a table below. */
	struct filling f = { .l = l, .tail = tail };

	for (unsigned int i = 0; i < l->table_count; i++)
		memset(l->tables[i].entry, 0, sizeof(l->tables[i].entry));
	l->table_count = LOADER_TABLES;
	return map_loader(&f) || (l->kernel && map_kernel(&f)) || map_uart(&f) ||
	       (l->kernel && map_behind_kernel(&f));
}

int tables_plan(struct layout *l, uint64_t tail)
{
	uint64_t pages = ALIGN_UP(tail, PAGE_SIZE);
	unsigned int further = 0;

	l->tables = calloc(MAX_TABLES, sizeof(*l->tables));
	if (!l->tables)
		return complain("out of memory");
	for (unsigned int half = LOWER; half <= UPPER; half++)
		for (unsigned int level = 0; level < 3; level++)
			if (find_named(l, half, level))
				return -1;
	/* The image's end is mapped as well, so further tables may call for a further one. */
	l->image_size = tail;
	while (!fill(l, l->board.load_address + pages)) {
		if (l->table_count - LOADER_TABLES == further)
			return 0;
		further = l->table_count - LOADER_TABLES;
		l->image_size = pages + further * PAGE_SIZE;
	}
	return -1;
}

void tables_put(const struct layout *l, unsigned char *image)
{
	for (unsigned int i = 0; i < l->table_count; i++)
		for (unsigned int k = 0; k < VMSA_ENTRIES; k++) {
			uint64_t desc = htole64(l->tables[i].entry[k]);

			memcpy(image + (l->tables[i].addr - l->board.load_address) + 8 * k, &desc,
			       sizeof(desc));
		}
}
