/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What baton-mkimage reads may be anything. The input is a list of edits, six to
 * twelve bytes each, of good files: a loader, a kernel and a task, a device tree, a
 * Linux Image. What it makes of them either has one complaint, or is an image whose
 * regions and tables say the same as the files.
 */
#include "fuzz.h"

#include "../../loader/mkimage/mkimage.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOAD	 UINT64_C(0x70000000)
#define RAM	 UINT64_C(0x40000000)
#define MAX_MADE (UINT64_C(8) << 20) /* larger images are planned and not made */

const char *const fuzz_words[] = { "\1\1",
				   "\2\1",
				   "\3\1",
				   "\4\1",
				   "\5\1",
				   "\6\1",
				   "\7\1",
				   "\10\1",
				   "\1\x18\4",
				   "\1\x40\3",
				   "\1\x50\3\xff",
				   "\1\x58\3\xff\xff\xff",
				   "\1\x68\3",
				   "\1\x60\3\xff\xff",
				   "\2\x58\4",
				   "\3\x08\2",
				   "\4\x10\4",
				   "\xff\xff\xff\xff",
				   "\x80\x80",
				   "\x7f\xff",
				   "@",
				   "AAAA",
				   NULL };

static unsigned int complaints;

void complain_text(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	FUZZ_CHECK(vsnprintf(text, sizeof(text), fmt, ap) > 0);
	va_end(ap);
	complaints++;
}

/* --- the good files --- */

enum file { LOADER, KERNEL, TASK, DTB, IMAGE, FILES };

static struct good {
	size_t size;
	_Alignas(16) unsigned char data[8192];
} good[FILES];

static void put(struct good *g, size_t at, const void *from, size_t size)
{
	FUZZ_CHECK(at + size <= sizeof(g->data));
	memcpy(g->data + at, from, size);
	g->size = at + size > g->size ? at + size : g->size;
}

static void put_elf(struct good *g, uint64_t entry, const Elf64_Phdr *ph, unsigned int count,
		    uint64_t sections)
{
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_entry = entry,
		.e_phoff = sizeof(eh),
		.e_shoff = sections,
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(*ph),
		.e_phnum = (Elf64_Half)count,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = sections ? 3 : 0,
	};

	put(g, 0, &eh, sizeof(eh));
	put(g, sizeof(eh), ph, count * sizeof(*ph));
}

static void make_loader(uint32_t el)
{
	static const char names[] =
		"\0board\0image_header\0stacks\0boot_lvl0_lower\0boot_lvl1_lower"
		"\0boot_lvl2_lower\0boot_lvl0_upper\0boot_lvl1_upper"
		"\0boot_lvl2_upper\0linux_release\0";
	const Elf64_Phdr ph = {
		PT_LOAD, PF_R | PF_W | PF_X, 0x400, LOAD, LOAD, 0x400, 0x8000, 0x400
	};
	const struct baton_image_board board = {
		.name = "fuzz",
		.load_address = LOAD,
		.memory_start = RAM,
		.memory_size = UINT64_C(2) << 30,
		.uart = 0x09000000,
		.dtb = RAM,
		.kernel_el = el,
		.cpus = 1,
	};
	const Elf64_Shdr sh[3] = {
		[1] = { 0, SHT_SYMTAB, 0, 0, 0x800, 11 * sizeof(Elf64_Sym), 2, 1, 8,
			sizeof(Elf64_Sym) },
		[2] = { 0, SHT_STRTAB, 0, 0, 0xa00, sizeof(names), 0, 0, 1, 0 },
	};
	static const struct {
		uint16_t at, size;
	} where[] = { { 0, sizeof(board) }, { 0x8000, 0 },	{ 0x1000, 0x1000 },
		      { 0x2000, 0x1000 },   { 0x3000, 0x1000 }, { 0x4000, 0x1000 },
		      { 0x5000, 0x1000 },   { 0x6000, 0x1000 }, { 0x7000, 0x1000 },
		      { 0x200, 64 } };
	Elf64_Sym sym = { .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = SHN_ABS };
	struct good *g = &good[LOADER];

	put_elf(g, LOAD, &ph, 1, 0xc00);
	put(g, 0x400, &board, sizeof(board));
	sym.st_name = 1;
	for (unsigned int i = 0; i < 10; i++) {
		sym.st_value = LOAD + where[i].at;
		sym.st_size = where[i].size;
		put(g, 0x800 + (i + 1) * sizeof(sym), &sym, sizeof(sym));
		sym.st_name += (Elf64_Word)strlen(names + sym.st_name) + 1;
	}
	put(g, 0xa00, names, sizeof(names));
	put(g, 0xc00, sh, sizeof(sh));
}

static void make_kernel(uint64_t virt)
{
	const Elf64_Phdr ph[2] = {
		{ PT_LOAD, PF_R | PF_X, 0x100, virt, RAM, 0x80, 0x80, 0x1000 },
		{ PT_LOAD, PF_R | PF_W, 0x180, virt + 0x880, RAM + 0x880, 0x40, 0x1800, 0x1000 },
	};

	memset(&good[KERNEL], 0x5a, sizeof(good[KERNEL]));
	put_elf(&good[KERNEL], virt + 4, ph, 2, 0);
	good[KERNEL].size = 0x200;
}

static void make_task(void)
{
	const Elf64_Phdr ph[2] = {
		{ PT_LOAD, PF_R | PF_X, 0x100, 0x200040, 0x200040, 0x40, 0x40, 0x1000 },
		{ PT_LOAD, PF_R | PF_W, 0x140, 0x203000, 0x203000, 0x20, 0x900, 0x1000 },
	};

	put_elf(&good[TASK], 0x200040, ph, 2, 0);
	good[TASK].size = 0x180;
}

static void make_dtb(void)
{
	void *fdt = good[DTB].data;
	const fdt32_t reg[4] = { 0, cpu_to_fdt32(RAM), 0, cpu_to_fdt32(0x80000000) };
	int node;

	FUZZ_CHECK(!fdt_create_empty_tree(fdt, 2048));
	fdt_setprop_u32(fdt, 0, "#address-cells", 2);
	fdt_setprop_u32(fdt, 0, "#size-cells", 2);
	node = fdt_add_subnode(fdt, 0, "memory@40000000");
	fdt_setprop(fdt, node, "reg", reg, sizeof(reg));
	fdt_setprop_string(fdt, node, "device_type", "memory");
	node = fdt_add_subnode(fdt, 0, "cpus");
	for (unsigned int i = 0; i < 2; i++) {
		int cpu = fdt_add_subnode(fdt, node, i ? "cpu@1" : "cpu@0");

		fdt_setprop_u32(fdt, cpu, "reg", i);
		fdt_setprop_string(fdt, cpu, "device_type", "cpu");
		node = fdt_path_offset(fdt, "/cpus");
	}
	node = fdt_add_subnode(fdt, 0, "chosen");
	fdt_setprop_string(fdt, node, "bootargs", "quiet");
	fdt_setprop_u64(fdt, node, "linux,initrd-end", 1);
	node = fdt_add_subnode(fdt, 0, "psci");
	fdt_setprop_string(fdt, node, "method", "hvc");
	FUZZ_CHECK(!fdt_pack(fdt));
	good[DTB].size = fdt_totalsize(fdt);
}

static void make_image(void)
{
	const uint64_t words[8] = { 0x14000010, 0, 0x20000, 10, 0, 0, 0, 0x644d5241 };

	put(&good[IMAGE], 0, words, sizeof(words));
	good[IMAGE].size = 0x400;
}

/* --- edits --- */

struct input {
	const uint8_t *data;
	size_t size;
};

static uint64_t take(struct input *in, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes && in->size; i++, in->size--)
		value |= (uint64_t)*in->data++ << 8 * i;
	return value;
}

static void edit(struct blob file[FILES], struct input *in)
{
	struct blob *f = &file[take(in, 1) % FILES];
	size_t at = take(in, 2);
	unsigned int op = (unsigned int)take(in, 1) % 8;
	uint64_t value, old = 0;
	size_t len;

	if (at >= f->size)
		return;
	if (op == 7) {
		f->size = at;
		return;
	}
	len = op < 4 ? UINT64_C(1) << op : 8;
	len = len < f->size - at ? len : f->size - at;
	memcpy(&old, f->data + at, len);
	switch (op) {
	case 4: /* a bit less or more */
		value = old + (uint64_t)(int8_t)take(in, 1) * 8;
		break;
	case 5: /* around a power of two */
		value = (UINT64_C(1) << take(in, 1) % 64) + (uint64_t)(int8_t)take(in, 1);
		break;
	case 6: /* somebody else's */
		value = old;
		at = take(in, 2);
		if (at > f->size - len)
			return;
		break;
	default:
		value = take(in, (unsigned int)len);
	}
	memcpy(f->data + at, &value, len);
}

/* --- what has to hold --- */

static uint64_t word(const unsigned char *p)
{
	uint64_t value;

	memcpy(&value, p, 8);
	return value;
}

/* Our own walk through the image's bytes. */
static uint64_t walk(const struct layout *l, const unsigned char *image, uint64_t table,
		     uint64_t va)
{
	for (unsigned int level = 0; level < 3; level++) {
		uint64_t offset = table - l->board.load_address, desc;

		FUZZ_CHECK(offset <= l->image_size - 4096 && offset % 4096 == 0);
		desc = word(image + offset + 8 * (va >> (39 - 9 * level) & 511));
		if ((desc & 3) == 1)
			return (desc & UINT64_C(0xffffffe00000)) | (va & 0x1fffff);
		FUZZ_CHECK((desc & 3) == 3);
		table = desc & UINT64_C(0xfffffffff000);
	}
	abort();
}

/* Two symbols at one address, as only an edited loader has them: its tables say nothing then. */
static bool tables_apart(const struct layout *l)
{
	for (unsigned int i = 0; i < LOADER_TABLES; i++)
		for (unsigned int k = 0; k < i; k++)
			if (l->tables[i].addr == l->tables[k].addr)
				return false;
	return true;
}

/* The file's bytes, and zeros. */
static void check_region(const struct layout *l, const unsigned char *image, unsigned int i,
			 const struct segment *s)
{
	const unsigned char *header = image + l->header_at, *r = header + 64 + 32 * i;
	const unsigned char *bytes = header + 64 + 32 * word(header + 56) + word(r + 16);

	FUZZ_CHECK(word(r) == s->paddr && word(r + 8) == s->memsz);
	FUZZ_CHECK(!memcmp(bytes, s->bytes, s->filesz));
	for (uint64_t k = s->filesz; k < s->memsz; k++)
		FUZZ_CHECK(!bytes[k]);
}

static void check_kernel(const struct layout *l, const unsigned char *image)
{
	bool apart = tables_apart(l);
	uint64_t root;

	if (elf_symbol(l->loader, l->board.kernel_el == 2 ? "boot_lvl0_lower" : "boot_lvl0_upper",
		       0, &root))
		abort();
	for (unsigned int i = 0; i < l->kernel->count; i++) {
		const struct segment *s = &l->kernel->segments[i];

		check_region(l, image, i, s);
		FUZZ_CHECK(!apart || walk(l, image, root, s->vaddr) == s->paddr);
		FUZZ_CHECK(!apart || walk(l, image, root, s->vaddr + (s->memsz - 1)) ==
					     s->paddr + (s->memsz - 1));
	}
}

static void check_image(const struct layout *l, const unsigned char *image)
{
	const unsigned char *header = image + l->header_at;
	uint64_t count = word(header + 56), data = 64 + 32 * count;

	FUZZ_CHECK(word(header) == BATON_IMAGE_MAGIC &&
		   word(header + 8) == l->image_size - l->header_at);
	FUZZ_CHECK(count && count <= BATON_IMAGE_MAX_REGIONS);
	for (uint64_t i = 0; i < count; i++) {
		const unsigned char *r = header + 64 + 32 * i;
		uint64_t start = word(r), size = word(r + 8), offset = word(r + 16);

		FUZZ_CHECK(size && offset <= word(header + 8) - data &&
			   size <= word(header + 8) - data - offset);
		FUZZ_CHECK(start >= l->board.memory_start &&
			   start + size <= l->board.memory_start + l->board.memory_size);
		FUZZ_CHECK(start + size <= l->board.load_address ||
			   start >= l->board.load_address + l->image_size);
	}
	if (l->kernel)
		check_kernel(l, image);
}

static void make(struct layout *l, unsigned int format)
{
	unsigned char *image, *wrapped;
	uint64_t size;

	if (l->image_size > MAX_MADE)
		return;
	image = layout_image(l);
	FUZZ_CHECK(image);
	check_image(l, image);
	for (unsigned int i = FORMAT_ELF; format && i <= FORMAT_UIMAGE; i++) {
		wrapped = format_wrap(l, (enum format)i, image, &size);
		FUZZ_CHECK(!wrapped == !!complaints);
		free(wrapped);
		complaints = 0;
	}
	free(image);
}

static int plan(struct layout *l, struct elf elf[3], struct blob file[FILES])
{
	unsigned int elfs = l->type == KERNEL_LINUX ? 1 : 3;

	for (unsigned int i = 0; i < elfs; i++) {
		elf[i].file = file[i];
		file[i].data = NULL;
		if (elf_parse(&elf[i]))
			return -1;
	}
	return layout_board(l) || layout_plan(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int flags = (unsigned int)take(&in, 1);
	bool is_linux = flags & 1;
	static unsigned char byte;
	struct blob file[FILES], initrd = { .path = "initrd", .data = &byte, .size = 1 };
	struct elf elf[3] = { 0 };
	struct layout l = {
		.type = is_linux ? KERNEL_LINUX : KERNEL_SEL4,
		.loader = &elf[0],
		.kernel = is_linux ? NULL : &elf[1],
		.task = is_linux ? NULL : &elf[2],
		.linux_image = is_linux ? &file[IMAGE] : NULL,
		.dtb = flags & 2 ? &file[DTB] : NULL,
		.initrd = is_linux && (flags & 6) == 6 ? &initrd : NULL,
		.bootargs = is_linux && flags & 8 ? "console=ttyAMA0" : NULL,
	};
	int err;

	make_loader(flags & 16 ? 2 : 1);
	make_kernel(flags & 16 ? 0x8040000000 : 0xffffff8040000000);
	if (!good[DTB].size) {
		make_task();
		make_dtb();
		make_image();
	}
	for (unsigned int i = 0; i < FILES; i++) {
		file[i] = (struct blob){ "file", malloc(good[i].size), good[i].size };
		memcpy(file[i].data, good[i].data, good[i].size);
	}
	while (in.size)
		edit(file, &in);
	/* To its last byte and no further: what reads beyond is found. */
	for (unsigned int i = 0; i < FILES; i++)
		file[i].data = realloc(file[i].data, file[i].size ? file[i].size : 1);
	complaints = 0;
	err = plan(&l, elf, file);
	FUZZ_CHECK(complaints == (err ? 1 : 0));
	if (!err)
		make(&l, flags & 32);
	FUZZ_CHECK(size > 1 || !err); /* nothing edited */
	layout_free(&l);
	for (unsigned int i = 0; i < 3; i++)
		elf_free(&elf[i]);
	for (unsigned int i = 0; i < FILES; i++)
		free(file[i].data);
	return 0;
}
