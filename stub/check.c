/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `baton check`: a file as it will lie in memory once its loader has copied what it
 * carries, and the registers as that loader will set them. What is assumed is said.
 */
#include "check.h"

#include "baton/vmsa_a64.h"
#include "handoff/check.h"
#include "handoff/run.h"
#include "hex.h"
#include "machine/image.h"
#include "monitor/snap.h"
#include "patch/journal.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_FOUND	1
#define EXIT_TROUBLE	2
#define DEFAULT_LOAD	UINT64_C(0x70000000)
#define PAGE		4096u
#define SCTLR_EL1_RES1	UINT64_C(0x30d00800)
#define SCTLR_EL23_RES1 UINT64_C(0x30c50830)
#define SCTLR_ON	UINT64_C(0x1005) /* M, C, I */
#define TCR_PS_40_BITS	UINT64_C(2)
#define TCR_EPD0	(UINT64_C(1) << 7)
#define TCR_EPD1	(UINT64_C(1) << 23)

struct checking {
	const struct options *o;
	const char *name; /* of the file, without its folder */
	struct machine_image mi;
	struct context ctx;
	struct sink sink;
	struct buf text;
	uint64_t load;
	struct baton_image_board board;
	bool has_board;
	unsigned int el;
	uint64_t root[2];
	bool has_root[2];
	bool found;
};

static void print(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	fwrite(text, 1, len, stdout);
	fflush(stdout);
}

/* With -e the commands alone speak on standard output. */
static void flush(struct checking *k)
{
	FILE *f = k->o->commands.count ? stderr : stdout;

	fwrite(k->text.data ? k->text.data : "", 1, k->text.len, f);
	fflush(f);
	buf_clear(&k->text);
}

static int unusable(struct checking *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int unusable(struct checking *k, const char *fmt, ...)
{
	struct buf why = { 0 };
	va_list ap;

	flush(k);
	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	fprintf(stderr, "baton: %s: %s\n", k->o->image, why.data);
	buf_free(&why);
	return -BATON_EINVAL;
}

static const uint64_t *given(const struct checking *k, enum given which)
{
	return k->o->given[which].set ? &k->o->given[which].value : NULL;
}

static void say_symbol(struct checking *k, uint64_t addr)
{
	symbols_say(k->ctx.symbols, addr, &k->text);
}

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

/* Does struct baton_image_board stand there? Its values have to go together. */
static bool is_board(const uint8_t *p, struct baton_image_board *board)
{
	size_t name = strnlen((const char *)p, sizeof(board->name));
	uint32_t word[4];

	if (!name || name >= sizeof(board->name))
		return false;
	for (size_t i = 0; i < sizeof(board->name); i++)
		if (i < name ? p[i] <= ' ' || p[i] > '~' : p[i] != 0)
			return false;
	memset(board, 0, sizeof(*board));
	memcpy(board->name, p, name);
	p += sizeof(board->name);
	board->load_address = le_read(p, 8);
	board->memory_start = le_read(p + 8, 8);
	board->memory_size = le_read(p + 16, 8);
	board->uart = le_read(p + 24, 8);
	board->dtb = le_read(p + 32, 8);
	for (unsigned int i = 0; i < 4; i++)
		word[i] = (uint32_t)le_read(p + 40 + 4 * (size_t)i, 4);
	board->kernel_el = word[0];
	board->cpus = word[1];
	return board->load_address && board->load_address % PAGE == 0 && board->memory_size &&
	       board->load_address >= board->memory_start &&
	       board->load_address - board->memory_start < board->memory_size &&
	       (word[0] == 1 || word[0] == 2) && word[1] >= 1 && word[1] <= BATON_IMAGE_MAX_CPUS &&
	       word[2] <= PSCI_NONE;
}

static uint64_t begin_size(const struct checking *k)
{
	return k->mi.size < IMAGE_MAX ? k->mi.size : IMAGE_MAX;
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
			k->has_board = data[i] && is_board(data + i, &k->board);
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
	const uint64_t *said = given(k, GIVEN_LOAD);

	find_board(k);
	if (said) {
		k->load = *said;
		buf_puts(&k->text, " (--load)");
		return;
	}
	for (size_t i = 0; i < k->o->symbols.count; i++) {
		if (link_address(k, k->o->symbols.item[i], &k->load)) {
			buf_printf(&k->text, " (where %s is linked)", k->o->symbols.item[i]);
			return;
		}
	}
	if (k->has_board) {
		k->load = k->board.load_address;
		buf_printf(&k->text, " (its board, %s)", k->board.name);
	} else if (guess_load(k)) {
		buf_puts(&k->text, " (where its tables fit: --load says otherwise)");
	} else {
		k->load = DEFAULT_LOAD;
		buf_puts(&k->text, " (assumed: --load says otherwise)");
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
	(void)machine_image_add(&k->mi, &memory);
	(void)machine_image_add(&k->mi, &uart);
}

static int open_flat(struct checking *k)
{
	struct machine_image_segment all = { .size = k->mi.size, .bytes = k->mi.size };
	struct buf line = { 0 };
	int err;

	buf_add(&line, k->text.data, k->text.len);
	buf_clear(&k->text);
	choose_load(k);
	all.pa = k->load;
	buf_printf(&line, "%s: an image of %" PRIu64 " bytes, loaded at %#" PRIx64 "%s\n", k->name,
		   k->mi.size, k->load, k->text.data);
	buf_clear(&k->text);
	buf_add(&k->text, line.data, line.len);
	buf_free(&line);
	if (k->load % PAGE)
		return unusable(k, "a load address that is not aligned to 4 KiB: %#" PRIx64,
				k->load);
	if (k->has_board)
		add_board(k);
	err = machine_image_add(&k->mi, &all);
	if (err)
		return unusable(k, "%" PRIu64 " bytes do not fit behind %#" PRIx64, k->mi.size,
				k->load);
	/* The loader, its tables and the header come first; what it carries may be large. */
	err = check_open(&k->ctx, k->name, k->load, k->load + (begin_size(k) - 1));
	return err ? unusable(k, "%s", machine_error(&k->mi.m, err)) : 0;
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

	if (overlap(r->load_addr, r->size, k->load, k->mi.size)) {
		k->found = true;
		buf_printf(&k->text,
			   "WRONG: region %u is copied over the image itself, %#" PRIx64
			   "-%#" PRIx64 "\n",
			   n, k->load, k->load + (k->mi.size - 1));
	}
	for (unsigned int i = 0; i < n; i++) {
		if (!overlap(r->load_addr, r->size, img->region[i].load_addr, img->region[i].size))
			continue;
		k->found = true;
		buf_printf(&k->text, "WRONG: region %u is copied over region %u\n", n, i);
	}
	if (k->has_board && r->size &&
	    (r->load_addr < k->board.memory_start ||
	     r->load_addr - k->board.memory_start > k->board.memory_size ||
	     r->size > k->board.memory_size - (r->load_addr - k->board.memory_start))) {
		k->found = true;
		buf_printf(&k->text, "WRONG: region %u is not within the board's memory\n", n);
	}
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
						   .bytes = r->size };

		buf_printf(&k->text,
			   "  region %u: %#" PRIx64 " bytes to %#" PRIx64 ", type %" PRIu64 "\n", n,
			   r->size, r->load_addr, r->type);
		if (r->type != BATON_REGION_DATA || !r->size)
			continue;
		if (r->offset > left || r->size > left - r->offset)
			return unusable(k,
					"truncated, or a broken header: region %u wants %#" PRIx64
					" bytes at offset %#" PRIx64 " of the %#" PRIx64
					" behind the region table",
					n, r->size, r->offset, left);
		if (machine_image_add(&k->mi, &s))
			return unusable(k,
					"region %u: %#" PRIx64 " bytes do not fit behind %#" PRIx64,
					n, r->size, r->load_addr);
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
	say_symbol(k, h->kernel_entry);
	buf_printf(&k->text, ", task %#" PRIx64 "-%#" PRIx64 " entered at %#" PRIx64 "\n",
		   h->ui_p_reg_start, h->ui_p_reg_end, h->v_entry);
	if (h->size > left)
		return unusable(k,
				"truncated: the header says %" PRIu64 " bytes from itself on, "
				"the file has %" PRIu64,
				h->size, left);
	return add_regions(k);
}

/* Registers */

static void set_sysreg(struct checking *k, const char *base, uint64_t value)
{
	char name[24];

	snprintf(name, sizeof(name), "%s_EL%u", base, k->el);
	machine_image_set_reg(&k->mi, MACHINE_IMAGE_ALL, name, value);
}

static void choose_level(struct checking *k)
{
	const uint64_t *said = given(k, GIVEN_EL);
	const struct image *img = check_image(&k->ctx);
	uint64_t cpsr, pc = k->mi.entry;

	if (said)
		k->el = (unsigned int)*said;
	else if (k->mi.kind == MACHINE_IMAGE_CORE && k->mi.regs)
		k->el = machine_reg_read(&k->mi.m, 0, "cpsr", &cpsr) ? 1 : cpsr >> 2 & 3;
	else if (k->has_board)
		k->el = k->board.kernel_el;
	else if (img->has_header) /* a kernel of EL1's upper half, or one that has but one */
		k->el = img->header.kernel_entry >> 63 ? 1 : 2;
	else
		k->el = 1;
	if (!k->el)
		k->el = 1;
	if (given(k, GIVEN_ENTRY))
		pc = *given(k, GIVEN_ENTRY);
	else if (img->has_header)
		pc = img->header.kernel_entry;
	if (given(k, GIVEN_ENTRY) || k->mi.kind != MACHINE_IMAGE_CORE || !k->mi.regs) {
		if (!k->mi.regs && k->mi.kind == MACHINE_IMAGE_CORE)
			buf_puts(&k->text, "no registers in its notes: none but those given\n");
		if (pc)
			machine_image_set_reg(&k->mi, 0, "pc", pc);
		machine_image_set_reg(&k->mi, 0, "cpsr", k->el << 2 | 0x3c1);
	}
}

static void set_controls(struct checking *k)
{
	const uint64_t *tcr = given(k, GIVEN_TCR), *mair = given(k, GIVEN_MAIR);
	const uint64_t *sctlr = given(k, GIVEN_SCTLR);
	uint64_t t = k->el == 1 ? VMSA_TCR_EL1 | TCR_PS_40_BITS << VMSA_TCR_EL1_IPS_SHIFT
				: VMSA_TCR_EL2 | TCR_PS_40_BITS << VMSA_TCR_EL2_PS_SHIFT;

	set_sysreg(k, "TCR", tcr ? *tcr : t);
	set_sysreg(k, "MAIR", mair ? *mair : VMSA_MAIR);
	set_sysreg(k, "SCTLR",
		   sctlr ? *sctlr | 1 : (k->el == 1 ? SCTLR_EL1_RES1 : SCTLR_EL23_RES1) | SCTLR_ON);
	buf_printf(&k->text, "TCR_EL%u %#" PRIx64 " (%s), MAIR_EL%u %#" PRIx64 " (%s)\n", k->el,
		   tcr ? *tcr : t, tcr ? "--tcr" : "assumed", k->el, mair ? *mair : VMSA_MAIR,
		   mair ? "--mair" : "assumed");
}

/* The registers so far, for a regime whose roots are not known. */
static int bare_regime(struct checking *k, struct regime *r)
{
	char spec[48];
	struct tables t;
	int err;

	snprintf(spec, sizeof(spec), k->el == 1 ? "el1:ttbr0=0:ttbr1=0" : "el%u:ttbr0=0", k->el);
	err = tables_init(&t, &k->mi.m, k->ctx.symbols, 0, spec, &k->text);
	*r = t.regime;
	r->own = 0;
	return err;
}

static void set_root(struct checking *k, unsigned int half, uint64_t pa, const char *how)
{
	char base[8];

	snprintf(base, sizeof(base), "TTBR%u", half);
	set_sysreg(k, base, pa);
	k->root[half] = pa;
	k->has_root[half] = true;
	buf_printf(&k->text, "TTBR%u_EL%u %#" PRIx64, half, k->el, pa);
	say_symbol(k, pa);
	buf_printf(&k->text, ": %s", how);
	if (!strncmp(how, "perhaps", 7))
		buf_printf(&k->text, " (--ttbr%u says otherwise)", half);
	buf_putc(&k->text, '\n');
}

static int find_root(struct checking *k, unsigned int half, uint64_t va, bool identity)
{
	static const char *const how[] = {
		[ROOT_LEADS] = "found: by it the address is reached",
		[ROOT_ASTRAY] = "perhaps: a table that nothing points to",
		[ROOT_EMPTY] = "perhaps: an empty page among the tables",
	};
	struct check_root root = { .how = ROOT_NONE };
	struct regime r;
	int err = bare_regime(k, &r);

	if (!err)
		err = check_find_root(&k->ctx, &r, va, identity, k->root[!half], &root);
	if (err || root.how == ROOT_NONE)
		return err;
	set_root(k, half, root.pa,
		 root.how == ROOT_LEADS && identity ? "found: it maps the loader onto itself"
						    : how[root.how]);
	if (root.others)
		buf_printf(&k->text, "  (%u other pages would do as well)\n", root.others);
	return 0;
}

/* By option, by the documented name, or by what they do. */
static int choose_roots(struct checking *k)
{
	static const char *const names[] = { "boot_lvl0_lower", "boot_lvl0_upper" };
	const struct image *img = check_image(&k->ctx);
	int err = 0;

	for (unsigned int half = 0; half < (k->el == 1 ? 2u : 1u); half++) {
		const uint64_t *said = given(k, half ? GIVEN_TTBR1 : GIVEN_TTBR0);
		uint64_t pa;

		if (said)
			set_root(k, half, *said, half ? "--ttbr1" : "--ttbr0");
		else if (!symbols_find(k->ctx.symbols, names[half], &pa))
			set_root(k, half, pa, "by its name");
	}
	/* Twice: what is only likely rests on the other root. */
	for (unsigned int turn = 0; !err && turn < 2; turn++) {
		if (!k->has_root[0] && img->spans)
			err = find_root(k, 0, k->load, true);
		if (!err && !k->has_root[1] && k->el == 1 && img->has_header &&
		    img->header.kernel_entry >> 63)
			err = find_root(k, 1, img->header.kernel_entry, false);
	}
	return err;
}

/* A half whose root nobody knows is not walked. */
static int settle_roots(struct checking *k)
{
	uint64_t tcr = 0;
	char name[16];

	if (!k->has_root[0] && !k->has_root[1])
		return unusable(k, "where are its tables? --ttbr0, --ttbr1 say it%s",
				k->mi.kind == MACHINE_IMAGE_CORE
					? " (QEMU's cores hold no system registers: `sysreg` of a "
					  "running machine has them)"
				: check_image(&k->ctx)->spans
					? " (nothing in it maps that address onto itself: is it "
					  "loaded elsewhere? --load)"
					: "");
	snprintf(name, sizeof(name), "TCR_EL%u", k->el);
	if (k->el != 1)
		return 0;
	for (unsigned int half = 0; half < 2; half++) {
		if (k->has_root[half])
			continue;
		machine_reg_read(&k->mi.m, 0, name, &tcr);
		set_sysreg(k, "TCR", tcr | (half ? TCR_EPD1 : TCR_EPD0));
		set_sysreg(k, half ? "TTBR1" : "TTBR0", 0);
		buf_printf(&k->text, "TTBR%u_EL1 is not known (--ttbr%u): its half is not walked\n",
			   half, half);
	}
	return 0;
}

/* What is looked at without -e */

/* Where an ELF file puts what it has at @va. */
static bool elf_place(const struct checking *k, uint64_t va, uint64_t *pa)
{
	for (size_t i = 0; i < k->mi.segments; i++) {
		const struct machine_image_segment *s = &k->mi.segment[i];

		if (va < s->va || va - s->va >= s->size)
			continue;
		*pa = s->pa + (va - s->va);
		return true;
	}
	return false;
}

/* Whether there is a root for @va; if not, the image's own addresses should have had one. */
static bool has_root_for(struct checking *k, uint64_t va)
{
	unsigned int half = k->el == 1 && va >> 63;
	struct regime r;

	if (k->has_root[half] || !check_image(&k->ctx)->has_header)
		return k->has_root[half];
	k->found = true;
	buf_printf(&k->text, "WRONG: no table in the image leads to it (--ttbr%u says otherwise)\n",
		   half);
	if (!bare_regime(k, &r)) {
		r.ttbr[0] = k->root[0];
		r.ttbr[1] = k->root[1];
		check_say_orphans(&k->ctx, &r, &k->text);
	}
	return false;
}

static int check_entry(struct checking *k)
{
	const struct image *img = check_image(&k->ctx);
	struct check_want want = { .fetch = true };
	int err = machine_reg_read(&k->mi.m, 0, "pc", &want.va);

	if (err || !want.va)
		return 0; /* nothing that has to be mapped */
	want.region = img->has_header;
	want.at = k->mi.kind == MACHINE_IMAGE_ELF && elf_place(k, want.va, &want.pa);
	buf_printf(&k->text, "\n%s %#" PRIx64 ":\n",
		   k->mi.kind == MACHINE_IMAGE_CORE ? "the pc," : "the entry,", want.va);
	if (!has_root_for(k, want.va) && img->has_header)
		return 0;
	return check_walk(&k->ctx, &want, false, &k->text, &k->found);
}

/* Behind the switch the loader goes on where it is. */
static int check_loader(struct checking *k)
{
	const struct image *img = check_image(&k->ctx);
	uint64_t end = k->load + (img->has_header ? img->header_at - k->load : PAGE);
	bool found = false;
	int err = 0;

	if (!img->spans)
		return 0;
	buf_printf(&k->text, "\nthe loader, %#" PRIx64 "-%#" PRIx64 ":%c", k->load, end - 1,
		   k->has_root[0] ? ' ' : '\n');
	if (!has_root_for(k, k->load))
		return 0;
	for (uint64_t pa = k->load; !err && !found && pa < end; pa += PAGE) {
		struct check_want want = { .va = pa, .fetch = pa == k->load, .at = true, .pa = pa };

		err = check_walk(&k->ctx, &want, true, &k->text, &found);
	}
	if (!err && !found)
		buf_puts(&k->text, "mapped onto itself\n");
	else if (!err)
		buf_puts(&k->text, "the loader would not survive turning the MMU on\n");
	k->found |= found;
	return err;
}

static int check_console(struct checking *k)
{
	struct check_want want = { .va = k->board.uart, .at = true, .pa = k->board.uart };
	bool found = false;

	if (!k->has_board || !k->board.uart || !k->has_root[0])
		return 0;
	buf_printf(&k->text, "the console, %#" PRIx64 ": ", k->board.uart);
	int err = check_walk(&k->ctx, &want, true, &k->text, &found);

	if (!err)
		buf_puts(&k->text, found ? "the loader falls silent once the MMU is on\n"
					 : "mapped onto itself\n");
	k->found |= found;
	return err;
}

static int look(struct checking *k)
{
	int status = 0, err = check_entry(k);

	if (!err)
		err = check_loader(k);
	if (!err)
		err = check_console(k);
	if (err)
		return unusable(k, "%s", machine_error(&k->mi.m, err));
	flush(k);
	if (command_find("pt-lint")) {
		print(NULL, "\n", 1);
		status = command_run(&k->ctx, &k->sink, "pt-lint");
	}
	if (status == EXIT_TROUBLE || status < 0)
		return -BATON_EINVAL;
	k->found |= status == EXIT_FOUND;
	puts(k->found ? "\nsomething is WRONG" : "\ngood: nothing wrong was found");
	return 0;
}

static int run_commands(struct checking *k)
{
	int status = 0;

	for (size_t i = 0; i < k->o->commands.count && status != EXIT_TROUBLE; i++) {
		status = command_run(&k->ctx, &k->sink, k->o->commands.item[i]);
		if (status < 0)
			status = EXIT_TROUBLE;
	}
	return status;
}

/* All together */

static int open_all(struct checking *k)
{
	static const char *const kinds[] = {
		[MACHINE_IMAGE_ELF] = "an ELF file", [MACHINE_IMAGE_CORE] = "a core of a guest"
	};
	struct buf why = { 0 };
	int err = machine_image_open(&k->mi, k->o->image, &why);

	if (err) {
		unusable(k, "%s", why.data ? why.data : baton_strerror(err));
		buf_free(&why);
		return err;
	}
	if (k->mi.kind == MACHINE_IMAGE_FLAT) {
		err = open_flat(k);
		return err ? err : open_header(k);
	}
	if (k->mi.kind == MACHINE_IMAGE_ELF) /* it names its own addresses */
		symbols_load(k->ctx.symbols, k->o->image, 0, NULL);
	buf_printf(&k->text, "%s: %s, %zu segment%s, %u CPU%s\n", k->name, kinds[k->mi.kind],
		   k->mi.segments, k->mi.segments == 1 ? "" : "s", k->mi.m.cpus,
		   k->mi.m.cpus == 1 ? "" : "s");
	return 0;
}

static int load_symbols(struct checking *k)
{
	for (size_t i = 0; i < k->o->symbols.count; i++) {
		struct buf why = { 0 };
		int n = symbols_load(k->ctx.symbols, k->o->symbols.item[i], 0, &why);

		if (n < 0)
			fprintf(stderr, "baton: -s %s\n", why.data);
		buf_free(&why);
		if (n < 0)
			return n;
	}
	return 0;
}

int check_run(const struct options *o)
{
	struct checking k = { .o = o, .sink = { print, NULL } };
	int err, status = EXIT_TROUBLE;

	k.name = strrchr(o->image, '/') ? strrchr(o->image, '/') + 1 : o->image;
	k.ctx = (struct context){ .machine = &k.mi.m,
				  .symbols = symbols_new(),
				  .journal = journal_new(),
				  .handoff = handoff_new() };
	err = load_symbols(&k);
	if (!err)
		err = open_all(&k);
	if (!err) {
		choose_level(&k);
		set_controls(&k);
		err = choose_roots(&k);
		if (err)
			unusable(&k, "%s", baton_strerror(err));
	}
	if (!err)
		err = settle_roots(&k);
	if (!err && o->commands.count) {
		flush(&k);
		status = run_commands(&k);
	} else if (!err && !look(&k)) {
		status = k.found ? EXIT_FOUND : 0;
	}
	snaps_free(k.ctx.snaps);
	handoff_free(k.ctx.handoff);
	journal_free(k.ctx.journal);
	symbols_free(k.ctx.symbols);
	buf_free(&k.text);
	machine_image_close(&k.mi);
	return status;
}
