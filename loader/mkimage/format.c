// SPDX-License-Identifier: BSD-2-Clause
/* The image in a file format that somebody else loads. */
#include <arpa/inet.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mkimage.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ELF files are written as they lie here");

/* --- uImage: U-Boot's include/image.h, "legacy format", all big-endian --- */

struct uimage {
	uint32_t magic, header_crc, time, size, load, entry, data_crc;
	uint8_t os, arch, type, compression;
	char name[32];
};

enum { UIMAGE_MAGIC = 0x27051956, OS_U_BOOT = 17, ARCH_ARM64 = 22, TYPE_STANDALONE = 1 };

static unsigned char *wrap_uimage(const struct layout *l, const unsigned char *image,
				  uint64_t *size)
{
	struct uimage h = {
		.magic = htonl(UIMAGE_MAGIC),
		.size = htonl((uint32_t)l->image_size),
		.load = htonl((uint32_t)l->board.load_address),
		.entry = htonl((uint32_t)l->loader->entry),
		.data_crc = htonl((uint32_t)crc32_z(0, image, l->image_size)),
		.os = OS_U_BOOT,
		.arch = ARCH_ARM64,
		.type = TYPE_STANDALONE, /* entered as it is, where `autostart` is yes */
	};
	unsigned char *out;

	if ((l->board.load_address + l->image_size) >> 32) {
		complain_text(
			"--format uimage: its addresses have 32 bits, and the loader's image is at "
			"%#" PRIx64 "-%#" PRIx64 ": take --format elf or raw",
			l->board.load_address, l->board.load_address + l->image_size);
		return NULL;
	}
	*size = sizeof(h) + l->image_size;
	out = malloc(*size);
	if (!out) {
		complain_text("out of memory");
		return NULL;
	}
	snprintf(h.name, sizeof(h.name), "%.31s", l->board.name);
	h.header_crc = htonl((uint32_t)crc32_z(0, (void *)&h, sizeof(h)));
	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), image, l->image_size);
	return out;
}

/* --- ELF: one segment, and the loader's symbols in a section of the same name --- */

static const char section_names[] = "\0.image\0.symtab\0.strtab\0.shstrtab";

enum { NAME_IMAGE = 1, NAME_SYMTAB = 8, NAME_STRTAB = 16, NAME_SHSTRTAB = 24 };
enum { SEC_NULL, SEC_IMAGE, SEC_SYMTAB, SEC_STRTAB, SEC_SHSTRTAB, SECTIONS };

struct symbols {
	Elf64_Sym *sym;
	char *names;
	size_t count, locals, names_size;
};

/* One of the loader's; @s is where @list grows. Without memory the list stays short. */
static void add_symbol(struct symbols *list, FILE *s, FILE *names, const GElf_Sym *from,
		       const char *name)
{
	Elf64_Sym sym = {
		.st_name = (Elf64_Word)ftell(names),
		.st_info = from->st_info,
		.st_shndx = from->st_shndx == SHN_ABS ? SHN_ABS : SEC_IMAGE,
		.st_value = from->st_value,
		.st_size = from->st_size,
	};

	fwrite(name, 1, strlen(name) + 1, names);
	fwrite(&sym, sizeof(sym), 1, s);
	list->count++;
}

static void add_symbols(struct symbols *list, FILE *s, FILE *names, const struct elf *loader,
			bool local)
{
	GElf_Sym sym;
	const char *name;

	for (unsigned int i = 0; elf_next_symbol(loader, &i, &sym, &name);) {
		unsigned int type = GELF_ST_TYPE(sym.st_info);

		if ((GELF_ST_BIND(sym.st_info) == STB_LOCAL) != local || type == STT_FILE ||
		    type == STT_SECTION || sym.st_shndx == SHN_UNDEF || !*name)
			continue;
		add_symbol(list, s, names, &sym, name);
	}
}

static int collect_symbols(struct symbols *list, const struct elf *loader)
{
	static const Elf64_Sym none;
	size_t bytes = 0;
	FILE *s = open_memstream((char **)&list->sym, &bytes);
	FILE *names = open_memstream(&list->names, &list->names_size);
	bool bad = !s || !names;

	if (!bad) {
		fwrite(&none, sizeof(none), 1, s);
		fputc('\0', names);
		list->count = 1;
		/* Local ones first: that is what sh_info counts. */
		add_symbols(list, s, names, loader, true);
		list->locals = list->count;
		add_symbols(list, s, names, loader, false);
	}
	bad |= !s || fclose(s);
	bad |= !names || fclose(names);
	return bad || bytes != list->count * sizeof(Elf64_Sym) ? -1 : 0;
}

static void put_elf(const struct layout *l, const struct symbols *list, const unsigned char *image,
		    unsigned char *out, const uint64_t *at)
{
	const Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_entry = l->loader->entry,
		.e_phoff = sizeof(eh),
		.e_shoff = at[SECTIONS],
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
		.e_shstrndx = SEC_SHSTRTAB,
	};
	const Elf64_Phdr ph = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = at[SEC_IMAGE],
		.p_vaddr = l->board.load_address,
		.p_paddr = l->board.load_address,
		.p_filesz = l->image_size,
		.p_memsz = l->image_size,
		.p_align = PAGE_SIZE,
	};
	const Elf64_Shdr sh[SECTIONS] = {
		[SEC_IMAGE] = { NAME_IMAGE, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR,
				l->board.load_address, at[SEC_IMAGE], l->image_size, 0, 0,
				PAGE_SIZE, 0 },
		[SEC_SYMTAB] = { NAME_SYMTAB, SHT_SYMTAB, 0, 0, at[SEC_SYMTAB],
				 list->count * sizeof(Elf64_Sym), SEC_STRTAB,
				 (Elf64_Word)list->locals, 8, sizeof(Elf64_Sym) },
		[SEC_STRTAB] = { NAME_STRTAB, SHT_STRTAB, 0, 0, at[SEC_STRTAB], list->names_size, 0,
				 0, 1, 0 },
		[SEC_SHSTRTAB] = { NAME_SHSTRTAB, SHT_STRTAB, 0, 0, at[SEC_SHSTRTAB],
				   sizeof(section_names), 0, 0, 1, 0 },
	};

	memcpy(out, &eh, sizeof(eh));
	memcpy(out + sizeof(eh), &ph, sizeof(ph));
	memcpy(out + at[SEC_IMAGE], image, l->image_size);
	memcpy(out + at[SEC_SYMTAB], list->sym, list->count * sizeof(Elf64_Sym));
	memcpy(out + at[SEC_STRTAB], list->names, list->names_size);
	memcpy(out + at[SEC_SHSTRTAB], section_names, sizeof(section_names));
	memcpy(out + at[SECTIONS], sh, sizeof(sh));
}

static unsigned char *wrap_elf(const struct layout *l, const unsigned char *image, uint64_t *size)
{
	struct symbols list = { 0 };
	unsigned char *out = NULL;
	uint64_t at[SECTIONS + 1] = { [SEC_IMAGE] = PAGE_SIZE };

	if (!collect_symbols(&list, l->loader)) {
		at[SEC_SYMTAB] = ALIGN_UP(at[SEC_IMAGE] + l->image_size, 8);
		at[SEC_STRTAB] = at[SEC_SYMTAB] + list.count * sizeof(Elf64_Sym);
		at[SEC_SHSTRTAB] = at[SEC_STRTAB] + list.names_size;
		at[SECTIONS] = ALIGN_UP(at[SEC_SHSTRTAB] + sizeof(section_names), 8);
		*size = at[SECTIONS] + SECTIONS * sizeof(Elf64_Shdr);
		out = calloc(1, *size);
		if (out)
			put_elf(l, &list, image, out, at);
	}
	free(list.sym);
	free(list.names);
	if (!out)
		complain_text("out of memory");
	return out;
}

unsigned char *format_wrap(const struct layout *l, enum format format, const unsigned char *image,
			   uint64_t *size)
{
	return format == FORMAT_ELF ? wrap_elf(l, image, size) : wrap_uimage(l, image, size);
}
