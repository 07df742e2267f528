// SPDX-License-Identifier: BSD-2-Clause
/* The boot tables: levels 0 to 2 of the 4 KiB granule, 2 MiB blocks. */
#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "baton/vmsa_a64.h"
#include "mkimage.h"

struct table {
	uint64_t addr;
	unsigned char *bytes;
};

struct tables {
	struct table lower[3], upper[3]; /* by level */
};

static int find_table(const struct layout *l, unsigned char *image, const char *half,
		      unsigned int level, struct table *t)
{
	char name[] = "boot_lvl0_lower";

	name[8] = (char)('0' + level);
	memcpy(name + 10, half, 5);
	if (elf_symbol(l->loader, name, VMSA_ENTRIES * 8, &t->addr))
		return -1;
	if (t->addr % PAGE_SIZE || l->header_at < PAGE_SIZE || t->addr < l->board.load_address ||
	    t->addr - l->board.load_address > l->header_at - PAGE_SIZE)
		return complain("%s: `%s` (%#" PRIx64 ") is not a page of the loader",
				l->loader->path, name, t->addr);
	t->bytes = image + (t->addr - l->board.load_address);
	return 0;
}

/* The entry of @t, a table of level @level, that translates @va. */
static void set(const struct table *t, unsigned int level, uint64_t va, uint64_t desc)
{
	desc = htole64(desc);
	memcpy(t->bytes + 8 * VMSA_INDEX(va, level), &desc, sizeof(desc));
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

/*
 * The console: its whole GiB as one block, or 2 MiB where the loader is in the
 * same GiB. Called first, so that the loader's own blocks would win.
 */
static int fill_uart(const struct layout *l, const struct tables *t)
{
	uint64_t uart = l->board.uart, loader = l->board.load_address;

	if (VMSA_INDEX(uart, 0) != VMSA_INDEX(loader, 0))
		return complain("board %s: UART (%#" PRIx64 ") and loader (%#" PRIx64
				") are not in the same 512 GiB, which one level-1 table maps",
				l->board.name, uart, loader);
	if (uart >> VMSA_SHIFT(1) == loader >> VMSA_SHIFT(1))
		set(&t->lower[2], 2, uart, device(l, ALIGN_DOWN(uart, VMSA_BLOCK_SIZE(2))));
	else
		set(&t->lower[1], 1, uart, device(l, ALIGN_DOWN(uart, VMSA_BLOCK_SIZE(1))));
	return 0;
}

/* The image where it is, so that the loader goes on once the MMU is on. */
static int fill_loader(const struct layout *l, const struct tables *t)
{
	uint64_t start = l->board.load_address, end = start + l->image_size;

	if (start >> VMSA_SHIFT(1) != (end - 1) >> VMSA_SHIFT(1))
		return complain("the image (%#" PRIx64 "-%#" PRIx64
				") crosses the 1 GiB boundary %#" PRIx64
				", and one level-2 table maps it: make kernel and task smaller",
				start, end, ALIGN_DOWN(end - 1, VMSA_BLOCK_SIZE(1)));
	for (uint64_t pa = start; pa < end; pa += VMSA_BLOCK_SIZE(2))
		set(&t->lower[2], 2, pa, normal(l, pa));
	set(&t->lower[1], 1, start, t->lower[2].addr | VMSA_TABLE);
	set(&t->lower[0], 0, start, t->lower[1].addr | VMSA_TABLE);
	return 0;
}

/* From its first page to the end of that level-2 table: kernels use what is behind them. */
static void fill_kernel(const struct layout *l, const struct tables *t)
{
	uint64_t virt, phys, end;

	elf_span_virt(l->kernel, &virt, &end);
	elf_span_phys(l->kernel, &phys, &end);
	set(l->board.kernel_el == 2 ? &t->lower[0] : &t->upper[0], 0, virt,
	    t->upper[1].addr | VMSA_TABLE);
	set(&t->upper[1], 1, virt, t->upper[2].addr | VMSA_TABLE);
	for (uint64_t i = VMSA_INDEX(virt, 2); i < VMSA_ENTRIES; i++) {
		set(&t->upper[2], 2, virt, normal(l, phys));
		virt += VMSA_BLOCK_SIZE(2);
		phys += VMSA_BLOCK_SIZE(2);
	}
}

int tables_fill(const struct layout *l, unsigned char *image)
{
	struct tables t;

	for (unsigned int level = 0; level < 3; level++)
		if (find_table(l, image, "lower", level, &t.lower[level]) ||
		    find_table(l, image, "upper", level, &t.upper[level]))
			return -1;
	if (fill_uart(l, &t) || fill_loader(l, &t))
		return -1;
	fill_kernel(l, &t);
	return 0;
}
