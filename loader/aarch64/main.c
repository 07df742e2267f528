/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of CPU 0: from reset to the kernel. */
#include <stdbool.h>
#include <stddef.h>

#include "loader.h"

#define FDT_MAGIC 0xd00dfeed

void loader_main(void);

static const struct baton_image_region *region_table(void)
{
	return (const struct baton_image_region *)(image_header + 1);
}

static const char *image_end(void)
{
	if (image_header->magic != BATON_IMAGE_MAGIC)
		return (const char *)image_header;
	return (const char *)image_header + image_header->size;
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* baton-mkimage has checked all this; a debugger or a bad download may have changed it. */
static void check_header(void)
{
	const struct baton_image_header *h = image_header;
	uint64_t start = (uintptr_t)loader_start, end = (uintptr_t)image_end(), data;

	if (h->magic != BATON_IMAGE_MAGIC)
		fatal("no image header at %X: magic is %X\n", (uint64_t)(uintptr_t)h, h->magic);
	if (h->num_regions > BATON_IMAGE_MAX_REGIONS)
		fatal("header has %d regions, more than the %d that there may be\n", h->num_regions,
		      (uint64_t)BATON_IMAGE_MAX_REGIONS);
	data = (uintptr_t)(region_table() + h->num_regions);
	for (uint64_t i = 0; i < h->num_regions; i++) {
		const struct baton_image_region *r = &region_table()[i];

		if (r->type != BATON_REGION_DATA)
			fatal("region %x has a type that this loader does not know: %X\n", i,
			      r->type);
		if (r->offset > end - data || r->size > end - data - r->offset)
			fatal("region %x reaches beyond the image\n", i);
		if (overlaps(r->load_addr, r->size, start, end - start))
			fatal("region %x would overwrite the loader's image\n", i);
	}
}

static void print_header(void)
{
	const struct baton_image_header *h = image_header;

	log_printf("LDR|INFO: flags:\n");
	log_printf("LDR|INFO: kernel:      entry:   %X\n", h->kernel_entry);
	log_printf("LDR|INFO: root server: physmem: %X -- %X\n", h->ui_p_reg_start,
		   h->ui_p_reg_end);
	log_printf("LDR|INFO:              virtmem: %X -- %X\n", h->ui_p_reg_start - h->pv_offset,
		   h->ui_p_reg_end - h->pv_offset);
	log_printf("LDR|INFO:              entry  : %X\n", h->v_entry);
	for (uint64_t i = 0; i < h->num_regions; i++) {
		const struct baton_image_region *r = &region_table()[i];

		log_printf("LDR|INFO: region: %x   addr: %X   size: %X   offset: %X   type: %X\n",
			   i, r->load_addr, r->size, r->offset, r->type);
	}
}

/*
 * 32 bytes a turn, in pairs of registers. baton-mkimage gives source and target
 * the same alignment; bytes are left for the two ends.
 */
static void copy(char *to, const char *from, uint64_t size)
{
	if (((uintptr_t)to & 15) == ((uintptr_t)from & 15)) {
		for (; size && (uintptr_t)to & 15; size--)
			*to++ = *from++;
		for (; size >= 32; size -= 32, to += 32, from += 32)
			__asm__ volatile("ldp x2, x3, [%1]\n\t"
					 "ldp x4, x5, [%1, #16]\n\t"
					 "stp x2, x3, [%0]\n\t"
					 "stp x4, x5, [%0, #16]"
					 :
					 : "r"(to), "r"(from)
					 : "x2", "x3", "x4", "x5", "memory");
	}
	while (size--)
		*to++ = *from++;
}

/* The MMU is off: a line that firmware left in a cache must not come over the copy later. */
static void copy_regions(void)
{
	const char *data = (const char *)(region_table() + image_header->num_regions);

	for (uint64_t i = 0; i < image_header->num_regions; i++) {
		const struct baton_image_region *r = &region_table()[i];
		char *to = (char *)r->load_addr;

		log_printf("LDR|INFO: copying region %x\n", i);
		dcache_clean_invalidate(to, to + r->size);
		copy(to, data + r->offset, r->size);
	}
}

/* Only what survives the copying is passed on: QEMU's lies where the kernel goes. */
static void find_dtb(struct kernel_args *args)
{
	const uint32_t *dtb = (const uint32_t *)board.dtb;
	uint32_t size;

	if (!dtb || __builtin_bswap32(dtb[0]) != FDT_MAGIC)
		return;
	size = __builtin_bswap32(dtb[1]);
	for (uint64_t i = 0; i < image_header->num_regions; i++)
		if (overlaps(board.dtb, size, region_table()[i].load_addr, region_table()[i].size))
			return;
	args->dtb = board.dtb;
	args->dtb_size = size;
}

void loader_main(void)
{
	const struct baton_image_header *h = image_header;
	struct kernel_args args = {
		.ui_p_reg_start = h->ui_p_reg_start,
		.ui_p_reg_end = h->ui_p_reg_end,
		.pv_offset = h->pv_offset,
		.v_entry = h->v_entry,
	};

	vectors_install();
	log_printf("LDR|INFO: disabling MMU (if it was enabled)\n");
	mmu_disable(loader_start, image_end());
	psci_init(el_current());
	log_printf("LDR|INFO: loader for seL4 starting\n");
	check_header();
	print_header();
	find_dtb(&args);
	copy_regions();
	cpu_prepare();
	secondaries_start(&args);
	log_printf("LDR|INFO|CPU0: jumping to kernel\n");
	kernel_jump(&args, h->kernel_entry);
}
