/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `baton check`: the file as it will lie in memory once its loader has copied what it
 * carries. What has to be assumed is said.
 */
#include "check_internal.h"

#include "baton/vmsa_a64.h"
#include "hex.h"

#include <string.h>

#define DEFAULT_LOAD   UINT64_C(0x70000000)
#define TCR_PS_40_BITS UINT64_C(2)

/* Where a flat image is loaded */

/* The first bytes of a loader's ELF file are those of its image; its tables are filled later. */
static bool link_address(struct checking *k, const char *path, uint64_t *load)
{
	struct machine_image elf;
	struct buf why = { 0 };
	uint8_t a[64], b[64];
	uint64_t first = UINT64_MAX;
	bool same;
	int err = machine_image_open(&elf, path, &why);

	for (size_t i = 0; !err && i < elf.segments; i++)
		first = elf.segment[i].pa < first ? elf.segment[i].pa : first;
	same = !err && elf.segments && !machine_phys_read(&elf.m, first, a, sizeof(a)) &&
	       !machine_image_bytes(&k->mi, 0, b, sizeof(b)) && !memcmp(a, b, sizeof(a));
	machine_image_close(&elf);
	buf_free(&why);
	*load = first;
	return same;
}

static void find_board(struct checking *k)
{
	enum { CHUNK = 1 << 16, SIZE = sizeof(struct baton_image_board) };
	static uint8_t data[CHUNK + SIZE];
	uint64_t end = begin_size(k);

	for (uint64_t at = 0; at < end && !k->has_board; at += CHUNK) {
		size_t n = end - at < sizeof(data) ? (size_t)(end - at) : sizeof(data);

		if (machine_image_bytes(&k->mi, at, data, n))
			return;
		for (size_t i = 0; i + SIZE <= n && !k->has_board; i += 8)
			k->has_board = data[i] && image_is_board(data + i, &k->board);
	}
}

/* Tables point to one another, which they do at one address alone. */
static bool guess_load(struct checking *k)
{
	const struct machine_image_segment all = { .size = k->mi.size, .bytes = k->mi.size };
	const struct regime r = {
		.name = "el1",
		.title = "EL1&0 stage 1",
		.el = 1,
		.two_halves = true,
		.pending = true,
		.known = REGIME_TTBR0 | REGIME_TTBR1 | REGIME_TCR | REGIME_MAIR | REGIME_SCTLR,
		.tcr = VMSA_TCR_EL1 | TCR_PS_40_BITS << VMSA_TCR_EL1_IPS_SHIFT,
		.mair = VMSA_MAIR,
	};
	bool found = !machine_image_add(&k->mi, &all) &&
		     !check_open(&k->ctx, k->name, 0, begin_size(k) - 1) &&
		     check_guess_load(&k->ctx, &r, &k->load);

	machine_image_forget(&k->mi);
	return found && k->load % PAGE == 0 && k->load + (k->mi.size - 1) >= k->load;
}

static void choose_load(struct checking *k)
{
	const uint64_t *said = checking_given(k, GIVEN_LOAD);

	find_board(k);
	if (k->mi.begin) {
		k->load = k->mi.load;
		buf_puts(&k->load_how, "its file's header");
		return;
	}
	if (said) {
		k->load = *said;
		buf_puts(&k->load_how, "--load");
		return;
	}
	for (size_t i = 0; i < k->o->symbols.count; i++) {
		if (link_address(k, k->o->symbols.item[i], &k->load)) {
			buf_printf(&k->load_how, "where %s is linked", k->o->symbols.item[i]);
			return;
		}
	}
	if (k->has_board) {
		k->load = k->board.load_address;
		buf_printf(&k->load_how, "its board, %s", k->board.name);
	} else if (guess_load(k)) {
		buf_puts(&k->load_how, "where its tables fit: --load says otherwise");
	} else {
		k->load = DEFAULT_LOAD;
		buf_puts(&k->load_how, "assumed: --load says otherwise");
	}
}

/* The file in memory */

/* What the board has besides: memory whose contents nobody knows, and its console. */
static void add_board(struct checking *k)
{
	const struct machine_image_segment memory = { .pa = k->board.memory_start,
						      .size = k->board.memory_size,
						      .name = "the board's memory",
						      .absent = true };
	const struct machine_image_segment uart = {
		.pa = k->board.uart & ~(uint64_t)(PAGE - 1),
		.size = k->board.uart ? PAGE : 0,
		.kind = RAM_IO,
		.name = "uart",
		.absent = true,
	};

	/* a board that says what cannot be adds nothing */
	k->mi.m.ram_partial = machine_image_add(&k->mi, &memory) != 0;
	(void)machine_image_add(&k->mi, &uart);
}

static int open_flat(struct checking *k)
{
	struct machine_image_segment all = { .size = k->mi.size, .bytes = k->mi.size };
	int err;

	choose_load(k);
	all.pa = k->load;
	buf_printf(&k->text, "%s: an image of %" PRIu64 " bytes, loaded at %#" PRIx64 " (%s)\n",
		   k->name, k->mi.size, k->load, k->load_how.data);
	if (k->load % PAGE)
		return checking_unusable(
			k, "a load address that is not aligned to 4 KiB: %#" PRIx64, k->load);
	if (k->has_board)
		add_board(k);
	err = machine_image_add(&k->mi, &all);
	if (err)
		return checking_unusable(k, "%" PRIu64 " bytes do not fit behind %#" PRIx64,
					 k->mi.size, k->load);
	/* The loader, its tables and the header come first; what it carries may be large. */
	err = check_open(&k->ctx, k->name, k->load, k->load + (begin_size(k) - 1));
	return err ? checking_unusable(k, "%s", machine_error(&k->mi.m, err)) : 0;
}

static uint64_t bytes_begin(const struct image *img)
{
	return img->header_at + sizeof(img->header) +
	       img->header.num_regions * sizeof(img->region[0]);
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a <= b + (b_size - 1) && b <= a + (a_size - 1);
}

/* What a region lands on: the image, or another region. */
static void check_region(struct checking *k, unsigned int n)
{
	const struct image *img = check_image(&k->ctx);
	const struct baton_image_region *r = &img->region[n];

	if (overlap(r->load_addr, r->size, k->load, k->mi.size))
		checking_wrong(k, "region", r->load_addr,
			       "region %u is copied over the image itself, %#" PRIx64 "-%#" PRIx64,
			       n, k->load, k->load + (k->mi.size - 1));
	for (unsigned int i = 0; i < n; i++) {
		if (!overlap(r->load_addr, r->size, img->region[i].load_addr, img->region[i].size))
			continue;
		checking_wrong(k, "region", r->load_addr, "region %u is copied over region %u", n,
			       i);
	}
	if (k->has_board && r->size &&
	    (r->load_addr < k->board.memory_start ||
	     r->load_addr - k->board.memory_start > k->board.memory_size ||
	     r->size > k->board.memory_size - (r->load_addr - k->board.memory_start)))
		checking_wrong(k, "region", r->load_addr,
			       "region %u is not within the board's memory", n);
}

/* The regions, where the loader will have copied them to. */
static int add_regions(struct checking *k)
{
	const struct image *img = check_image(&k->ctx);
	uint64_t begin = bytes_begin(img) - k->load, left = k->mi.size - begin;

	for (unsigned int n = 0; n < img->header.num_regions; n++) {
		const struct baton_image_region *r = &img->region[n];
		struct machine_image_segment s = { .pa = r->load_addr,
						   .size = r->size,
						   .offset = begin + r->offset,
						   .bytes = r->size,
						   .name = "region" };

		buf_printf(&k->text,
			   "  region %u: %#" PRIx64 " bytes to %#" PRIx64 ", type %" PRIu64 "\n", n,
			   r->size, r->load_addr, r->type);
		if (r->type != BATON_REGION_DATA || !r->size)
			continue;
		if (r->offset > left || r->size > left - r->offset)
			return checking_unusable(
				k,
				"truncated, or a broken header: region %u wants %#" PRIx64
				" bytes at offset %#" PRIx64 " of the %#" PRIx64
				" behind the region table",
				n, r->size, r->offset, left);
		if (machine_image_add(&k->mi, &s))
			return checking_unusable(
				k, "region %u: %#" PRIx64 " bytes do not fit behind %#" PRIx64, n,
				r->size, r->load_addr);
		check_region(k, n);
	}
	return 0;
}

static int open_header(struct checking *k)
{
	const struct image *img = check_image(&k->ctx);
	const struct baton_image_header *h = &img->header;
	uint64_t left = img->has_header ? k->mi.size - (img->header_at - k->load) : 0;

	if (!img->has_header) {
		buf_puts(&k->text, "no header: what it loads, and where to, is not known\n");
		return 0;
	}
	buf_printf(&k->text, "header at %#" PRIx64 ": kernel entry %#" PRIx64, img->header_at,
		   h->kernel_entry);
	checking_say_symbol(k, h->kernel_entry);
	if (k->has_board && k->board.kernel_type == KERNEL_LINUX)
		buf_puts(&k->text, ", a Linux: the MMU is off there, and no table has to map it\n");
	else
		buf_printf(&k->text, ", task %#" PRIx64 "-%#" PRIx64 " entered at %#" PRIx64 "\n",
			   h->ui_p_reg_start, h->ui_p_reg_end, h->v_entry);
	if (h->size > left)
		return checking_unusable(k,
					 "truncated: the header says %" PRIu64
					 " bytes from itself on, "
					 "the file has %" PRIu64,
					 h->size, left);
	return add_regions(k);
}

/* The loader's image as an ELF file is one segment, and has its header in there. */
static void unwrap_elf(struct checking *k)
{
	struct machine_image_segment s = { 0 };
	uint64_t bytes;

	if (k->mi.kind != MACHINE_IMAGE_ELF || k->mi.segments != 1 || !k->mi.segment[0].bytes)
		return;
	s = k->mi.segment[0];
	bytes = s.bytes < IMAGE_MAX ? s.bytes : IMAGE_MAX;
	if (check_open(&k->ctx, k->name, s.pa, s.pa + (bytes - 1)) ||
	    !check_image(&k->ctx)->has_header) {
		check_close(&k->ctx);
		return;
	}
	k->mi.kind = MACHINE_IMAGE_FLAT;
	k->mi.begin = s.offset;
	k->mi.size = s.bytes;
	k->mi.load = s.pa;
	machine_image_forget(&k->mi);
}

int checking_open_file(struct checking *k)
{
	static const char *const kinds[] = {
		[MACHINE_IMAGE_ELF] = "an ELF file", [MACHINE_IMAGE_CORE] = "a core of a guest"
	};
	struct buf why = { 0 };
	int err = machine_image_open(&k->mi, k->o->image, &why);

	if (err) {
		checking_unusable(k, "%s", why.data ? why.data : baton_strerror(err));
		buf_free(&why);
		return err;
	}
	k->mi.m.ram_partial = true;
	if (k->mi.kind == MACHINE_IMAGE_ELF) /* it names its own addresses */
		symbols_load(k->ctx.symbols, k->o->image, 0, NULL);
	unwrap_elf(k);
	if (k->mi.kind == MACHINE_IMAGE_FLAT) {
		err = open_flat(k);
		return err ? err : open_header(k);
	}
	buf_printf(&k->text, "%s: %s, %zu segment%s", k->name, kinds[k->mi.kind], k->mi.segments,
		   k->mi.segments == 1 ? "" : "s");
	if (k->mi.kind == MACHINE_IMAGE_CORE)
		buf_printf(&k->text, ", %u CPU%s", k->mi.m.cpus, k->mi.m.cpus == 1 ? "" : "s");
	buf_putc(&k->text, '\n');
	return 0;
}
