/* SPDX-License-Identifier: BSD-2-Clause */
/* Is all of the task there that the kernel is told of? */
#include "handoff/preflight.h"

/* The first address from @at on that no region is copied to. */
static uint64_t copied_up_to(const struct image *img, uint64_t at)
{
	const struct baton_image_region *r;

	while ((r = image_region(img, at)) && r->load_addr + r->size > at)
		at = r->load_addr + r->size;
	return at;
}

/*
 * What lies behind the last region in the image belongs to none. Memory that is meant to be
 * zero has no bytes there, so what is not zero was meant to be copied.
 */
static bool left_over(const struct image *img, uint64_t size)
{
	uint64_t last = 0;
	uint64_t from = img->header_at + sizeof(img->header) +
			img->header.num_regions * sizeof(img->region[0]);
	const uint8_t *byte;

	for (size_t i = 0; i < img->header.num_regions; i++)
		if (img->region[i].offset + img->region[i].size > last)
			last = img->region[i].offset + img->region[i].size;
	for (uint64_t i = 0; i < size && (byte = image_bytes(img, from + last + i, 1)); i++)
		if (*byte)
			return true;
	return false;
}

int contract_task(struct leap *l, unsigned int n)
{
	const struct image *img = &l->h->image;
	uint64_t start = img->header.ui_p_reg_start, end = img->header.ui_p_reg_end, at;

	(void)n;
	if (l->contract != CONTRACT_SEL4 || start >= end)
		return 0;
	at = copied_up_to(img, start);
	if (at >= end)
		leap_say(l, PREFLIGHT_OK, "%#" PRIx64 " to %#" PRIx64 ", copied", start, end - 1);
	else if (at > start && left_over(img, end - at))
		leap_say(l, PREFLIGHT_WARNING,
			 "the task, %#" PRIx64 " to %#" PRIx64 ", was copied only up to %#" PRIx64
			 ", and behind its last region the image holds more",
			 start, end - 1, at - 1);
	return 0;
}
