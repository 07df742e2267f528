/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of CPU 0: from reset to the kernel. */
#include <stdbool.h>
#include <stddef.h>

#include "loader.h"

#define FDT_MAGIC 0xd00dfeed

void loader_main(const char *loaded_at);

static const struct baton_image_region *region_table(void)
{
	return (const struct baton_image_region *)(image_header + 1);
}

static uint64_t ram_end(void)
{
	return board.memory_start + board.memory_size;
}

/* From the header on; 0 if that cannot be, and check_header() says why. */
static uint64_t image_size(void)
{
	if (image_header->magic != BATON_IMAGE_MAGIC ||
	    image_header->size < sizeof(*image_header) ||
	    image_header->size > ram_end() - (uintptr_t)image_header)
		return 0;
	return image_header->size;
}

static const char *image_end(void)
{
	return (const char *)image_header + image_size();
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
	if (!image_size())
		fatal("no room for the image: its header at %X says %X bytes, RAM is up to %X "
		      "(board %s; build the loader with as much as the machine has: "
		      "SET=\"memory_size=...\")\n",
		      (uint64_t)(uintptr_t)h, h->size, ram_end(), board.name);
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

static void print_task(void)
{
	const struct baton_image_header *h = image_header;

	log_printf("LDR|INFO: root server: physmem: %X -- %X\n", h->ui_p_reg_start,
		   h->ui_p_reg_end);
	log_printf("LDR|INFO:              virtmem: %X -- %X\n", h->ui_p_reg_start - h->pv_offset,
		   h->ui_p_reg_end - h->pv_offset);
	log_printf("LDR|INFO:              entry  : %X\n", h->v_entry);
}

static void print_header(void)
{
	const struct baton_image_header *h = image_header;

	log_printf("LDR|INFO: flags:\n");
	log_printf("LDR|INFO: kernel:      entry:   %X\n", h->kernel_entry);
	if (board.kernel_type == KERNEL_SEL4)
		print_task();
	for (uint64_t i = 0; i < h->num_regions; i++) {
		const struct baton_image_region *r = &region_table()[i];

		log_printf("LDR|INFO: region: %x   addr: %X   size: %X   offset: %X   type: %X\n",
			   i, r->load_addr, r->size, r->offset, r->type);
	}
}

/* Source and target need not be aligned alike: words are put together from their parts. */
static char *copy_skewed(char *to, const char *from, uint64_t words)
{
	unsigned int shift = ((uintptr_t)from & 7) * 8;
	const uint64_t *src = (const uint64_t *)((uintptr_t)from & ~7ul);
	uint64_t *dst = (uint64_t *)to, low = *src++;

#pragma GCC unroll 4
	for (; words; words--) {
		uint64_t high = *src++;

		*dst++ = low >> shift | high << (64 - shift);
		low = high;
	}
	return (char *)dst;
}

static char *copy_words(char *to, const char *from, uint64_t words)
{
	for (; words >= 8; words -= 8, to += 64, from += 64)
		__asm__ volatile("ldp x2, x3, [%1]\n\t"
				 "ldp x4, x5, [%1, #16]\n\t"
				 "ldp x6, x7, [%1, #32]\n\t"
				 "ldp x8, x9, [%1, #48]\n\t"
				 "stp x2, x3, [%0]\n\t"
				 "stp x4, x5, [%0, #16]\n\t"
				 "stp x6, x7, [%0, #32]\n\t"
				 "stp x8, x9, [%0, #48]"
				 :
				 : "r"(to), "r"(from)
				 : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "memory");
	for (; words; words--, to += 8, from += 8)
		*(uint64_t *)to = *(const uint64_t *)from;
	return to;
}

/* MMU off: each access has to be aligned. Bytes are left for the two ends, 7 at most each. */
static void copy(char *to, const char *from, uint64_t size)
{
	for (; size && (uintptr_t)to & 7; size--)
		*to++ = *from++;
	if (size >= 8) {
		to = (uintptr_t)from & 7 ? copy_skewed(to, from, size / 8)
					 : copy_words(to, from, size / 8);
		from += size & ~7ul;
	}
	for (size &= 7; size; size--)
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

/*
 * Only what has survived the copying is passed on: QEMU's lies where the kernel goes.
 * One from baton-mkimage is a region of its own, and board.dtb says where.
 */
static void find_dtb(struct kernel_args *args)
{
	const uint32_t *dtb = (const uint32_t *)board.dtb;
	uint32_t size;

	if (!dtb || __builtin_bswap32(dtb[0]) != FDT_MAGIC)
		return;
	size = __builtin_bswap32(dtb[1]);
	for (uint64_t i = 0; i < image_header->num_regions; i++) {
		const struct baton_image_region *r = &region_table()[i];

		if (r->load_addr != board.dtb && overlaps(board.dtb, size, r->load_addr, r->size))
			return;
	}
	args->dtb = board.dtb;
	args->dtb_size = size;
}

/* The loader's own memory and the image's header. */
static uint64_t own_size(void)
{
	return (uintptr_t)(image_header + 1) - (uintptr_t)loader_start;
}

/* start.S has moved text and data, enough to say this. */
static void check_place(uint64_t at)
{
	uint64_t start = (uintptr_t)loader_start;

	if (at < start && start - at < own_size())
		fatal("loaded at %X, so near below %X that moving there overwrites the loader: "
		      "load it at %X, or at %X or below\n",
		      at, start, start, start - own_size());
}

/*
 * start.S has brought text and data here, or all of the image if it was below; the
 * rest is still where it was loaded. Up there nothing of it is overwritten before
 * it has been read, and nobody runs there any more.
 */
static void image_fetch(const char *from)
{
	char *rest = loader_tables, *end = loader_start + own_size();
	bool above = from > loader_start;

	if (above)
		image_move(rest, from + (rest - loader_start), (uint64_t)(end - rest));
	if (above && image_end() > end)
		image_move(end, from + own_size(), (uint64_t)(image_end() - end + 63) & ~63ul);
	log_printf("LDR|INFO: moved from %X to %X\n", (uint64_t)(uintptr_t)from,
		   (uint64_t)(uintptr_t)loader_start);
}

/* x0 is the device tree, x1 to x3 are 0 (Documentation/arch/arm64/booting.rst). */
static void linux_args(struct kernel_args *args)
{
	if (!args->dtb)
		fatal("Linux wants a device tree, and there is none at %X: give one to "
		      "baton-mkimage (--dtb)\n",
		      board.dtb);
	*args = (struct kernel_args){ .ui_p_reg_start = args->dtb };
}

static void enter_kernel(void)
{
	const struct baton_image_header *h = image_header;
	struct kernel_args args = {
		.ui_p_reg_start = h->ui_p_reg_start,
		.ui_p_reg_end = h->ui_p_reg_end,
		.pv_offset = h->pv_offset,
		.v_entry = h->v_entry,
	};

	copy_regions();
	find_dtb(&args);
	if (board.kernel_type == KERNEL_LINUX)
		linux_args(&args);
	cpu_prepare();
	secondaries_start(&args);
	log_printf("LDR|INFO|CPU0: jumping to kernel\n");
	kernel_jump(&args, h->kernel_entry);
}

/* @loaded_at: where the image was when it was entered; the text that runs is where it is linked */
void loader_main(const char *loaded_at)
{
	bool moved = loaded_at != loader_start;

	log_printf("LDR|INFO: disabling MMU (if it was enabled)\n");
	mmu_disable(loader_start, moved ? (const char *)image_header : image_end());
	/* What was read ahead until the caches were off is old once we have written there. */
	dcache_clean_invalidate(loader_start, image_header);
	psci_init(el_current());
	check_place((uintptr_t)loaded_at);
	secondaries_gather(moved);
	if (moved)
		image_fetch(loaded_at);
	log_printf("LDR|INFO: loader for %s starting\n",
		   board.kernel_type == KERNEL_LINUX ? "Linux" : "seL4");
	check_header();
	print_header();
	enter_kernel();
}
