/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables FILE N - an ELF file whose one segment is N table pages (4 KiB granule, 48 bits,
 * root first): as few of levels 0 to 2 as it takes, the rest of level 3 with two pages
 * each, which is about what a process has that grew at random.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE	4096u
#define ENTRIES 512u
#define BASE	UINT64_C(0x40000000)
#define LEAF	UINT64_C(0x0060000080000703)

static uint64_t page[PAGE / 8];

static void put(FILE *f)
{
	if (fwrite(page, sizeof(page), 1, f) != 1) {
		perror("tables");
		exit(2);
	}
	memset(page, 0, sizeof(page));
}

/* @parents tables that point to @children, which begin with page @first. */
static void put_level(FILE *f, unsigned int parents, unsigned int children, unsigned int first)
{
	for (unsigned int i = 0; i < parents; i++) {
		for (unsigned int e = 0; e < ENTRIES && i * ENTRIES + e < children; e++)
			page[e] = (BASE + (uint64_t)(first + i * ENTRIES + e) * PAGE) | 3;
		put(f);
	}
}

static void put_header(FILE *f, uint64_t size)
{
	const Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_entry = BASE,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	const Elf64_Phdr p = {
		.p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_offset = PAGE,
		.p_vaddr = BASE,
		.p_paddr = BASE,
		.p_filesz = size,
		.p_memsz = size,
		.p_align = PAGE,
	};

	memcpy(page, &e, sizeof(e));
	memcpy((char *)page + sizeof(e), &p, sizeof(p));
	put(f);
}

int main(int argc, char **argv)
{
	unsigned int n = argc == 3 ? (unsigned int)strtoul(argv[2], NULL, 0) : 0;
	unsigned int l1 = 1, l2 = 1, l3;
	FILE *f = n > 3 ? fopen(argv[1], "wb") : NULL;

	if (!f) {
		fprintf(stderr, "usage: tables FILE N, N from 4 to 100000000\n");
		return 2;
	}
	while (l2 * ENTRIES < n - 1 - l1 - l2) {
		l2++;
		l1 = (l2 + ENTRIES - 1) / ENTRIES;
	}
	l3 = n - 1 - l1 - l2;
	put_header(f, (uint64_t)n * PAGE);
	put_level(f, 1, l1, 1);
	put_level(f, l1, l2, 1 + l1);
	put_level(f, l2, l3, 1 + l1 + l2);
	for (unsigned int i = 0; i < l3; i++) {
		page[i % ENTRIES] = LEAF;
		page[(i + 7) % ENTRIES] = LEAF | (uint64_t)(i & 0xfffff) << 12;
		put(f);
	}
	return fclose(f) ? 2 : 0;
}
