// SPDX-License-Identifier: BSD-2-Clause
/* ELF files in, every byte of them suspect. */
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkimage.h"

static int not_elf(const struct elf *elf)
{
	char bytes[3 * 8 + 1] = "";

	for (size_t i = 0; i < 8 && i < elf->file.size; i++)
		sprintf(bytes + 3 * i, " %02x", elf->file.data[i]);
	return complain("%s: not an ELF file (%s%s)", elf->file.path,
			elf->file.size ? "it starts with" : "it is empty", bytes);
}

static int check_header(struct elf *elf, const GElf_Ehdr *eh)
{
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_machine != EM_AARCH64)
		return complain(
			"%s: not for little-endian AArch64 (class %u, data %u, machine %u); "
			"build it with aarch64-linux-gnu-gcc or alike",
			elf->file.path, eh->e_ident[EI_CLASS], eh->e_ident[EI_DATA], eh->e_machine);
	if (eh->e_type != ET_EXEC)
		return complain(
			"%s: not linked at fixed addresses (ELF type %u, not ET_EXEC); link "
			"it with -static -no-pie",
			elf->file.path, eh->e_type);
	if (eh->e_phoff > elf->file.size ||
	    (uint64_t)eh->e_phnum * eh->e_phentsize > elf->file.size - eh->e_phoff)
		return complain("%s: truncated: its %u program headers at offset %" PRIu64
				" reach beyond its %zu bytes",
				elf->file.path, eh->e_phnum, eh->e_phoff, elf->file.size);
	return 0;
}

static int add_segment(struct elf *elf, const GElf_Phdr *ph, unsigned int index)
{
	if (ph->p_offset > elf->file.size || ph->p_filesz > elf->file.size - ph->p_offset)
		return complain("%s: truncated: segment %u wants bytes %" PRIu64 " to %" PRIu64
				" of %zu",
				elf->file.path, index, ph->p_offset, ph->p_offset + ph->p_filesz,
				elf->file.size);
	if (ph->p_filesz > ph->p_memsz)
		return complain("%s: segment %u has more bytes in the file (%" PRIu64
				") than in memory (%" PRIu64 ")",
				elf->file.path, index, ph->p_filesz, ph->p_memsz);
	/* The last byte, not the one behind it: a kernel may end where the address space does. */
	if (ph->p_vaddr + (ph->p_memsz - 1) < ph->p_vaddr ||
	    ph->p_paddr + (ph->p_memsz - 1) < ph->p_paddr)
		return complain("%s: segment %u (%#" PRIx64 " bytes at %#" PRIx64
				") goes around the end of the address space",
				elf->file.path, index, ph->p_memsz, ph->p_vaddr);
	if (elf->count == MAX_SEGMENTS)
		return complain(
			"%s: more than %u loadable segments; join some in its linker script",
			elf->file.path, MAX_SEGMENTS);
	elf->segments[elf->count++] = (struct segment){
		.vaddr = ph->p_vaddr,
		.paddr = ph->p_paddr,
		.memsz = ph->p_memsz,
		.filesz = ph->p_filesz,
		.bytes = elf->file.data + ph->p_offset,
		.index = index,
		.exec = ph->p_flags & PF_X,
	};
	return 0;
}

static int check_entry(const struct elf *elf)
{
	for (unsigned int i = 0; i < elf->count; i++) {
		const struct segment *s = &elf->segments[i];

		if (s->exec && elf->entry >= s->vaddr && elf->entry - s->vaddr < s->filesz)
			return 0;
	}
	return complain("%s: its entry %#" PRIx64 " is in no executable segment", elf->file.path,
			elf->entry);
}

int elf_parse(struct elf *elf)
{
	const char *path = elf->file.path;
	GElf_Ehdr eh;

	elf_version(EV_CURRENT);
	if (elf->file.size >= EI_NIDENT)
		elf->handle = elf_memory((char *)elf->file.data, elf->file.size);
	if (!elf->handle || elf_kind(elf->handle) != ELF_K_ELF)
		return not_elf(elf);
	if (!gelf_getehdr(elf->handle, &eh))
		return complain("%s: truncated or broken: %s", path, elf_errmsg(-1));
	if (check_header(elf, &eh))
		return -1;
	elf->entry = eh.e_entry;
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf->handle, (int)i, &ph))
			return complain("%s: program header %u: %s", path, i, elf_errmsg(-1));
		if (ph.p_type == PT_LOAD && ph.p_memsz && add_segment(elf, &ph, i))
			return -1;
	}
	if (!elf->count)
		return complain("%s: nothing to load in it", path);
	return check_entry(elf);
}

void elf_free(struct elf *elf)
{
	if (elf->handle)
		elf_end(elf->handle);
	free(elf->file.data);
}

bool elf_next_symbol(const struct elf *elf, unsigned int *index, GElf_Sym *sym, const char **name)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf->handle, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(scn, NULL);
		while (data && gelf_getsym(data, (int)*index, sym)) {
			++*index;
			*name = elf_strptr(elf->handle, sh.sh_link, sym->st_name);
			if (*name)
				return true;
		}
		return false; /* there is one symbol table at most */
	}
	return false;
}

static bool find_symbol(const struct elf *elf, const char *name, GElf_Sym *sym)
{
	const char *s;

	for (unsigned int i = 0; elf_next_symbol(elf, &i, sym, &s);)
		if (!strcmp(s, name) && sym->st_shndx != SHN_UNDEF)
			return true;
	return false;
}

int elf_symbol(const struct elf *elf, const char *name, uint64_t size, uint64_t *addr)
{
	GElf_Sym sym;

	if (!find_symbol(elf, name, &sym))
		return complain("%s: no symbol `%s`: not a loader of baton's, or stripped",
				elf->file.path, name);
	if (size && sym.st_size != size)
		return complain("%s: `%s` has %" PRIu64 " bytes, %" PRIu64
				" expected: loader and baton-mkimage are of different versions",
				elf->file.path, name, (uint64_t)sym.st_size, size);
	*addr = sym.st_value;
	return 0;
}

void elf_span_virt(const struct elf *elf, uint64_t *start, uint64_t *end)
{
	uint64_t last = 0;

	*start = UINT64_MAX;
	for (unsigned int i = 0; i < elf->count; i++) {
		const struct segment *s = &elf->segments[i];

		*start = s->vaddr < *start ? s->vaddr : *start;
		last = s->vaddr + (s->memsz - 1) > last ? s->vaddr + (s->memsz - 1) : last;
	}
	*end = last + 1;
}

void elf_span_phys(const struct elf *elf, uint64_t *start, uint64_t *end)
{
	uint64_t last = 0;

	*start = UINT64_MAX;
	for (unsigned int i = 0; i < elf->count; i++) {
		const struct segment *s = &elf->segments[i];

		*start = s->paddr < *start ? s->paddr : *start;
		last = s->paddr + (s->memsz - 1) > last ? s->paddr + (s->memsz - 1) : last;
	}
	*end = last + 1;
}
