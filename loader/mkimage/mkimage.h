/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BATON_MKIMAGE_H
#define BATON_MKIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baton/image.h"

/** complain() - "baton-mkimage: ..." on stderr; the macro is -1, for the caller to return. */
#define complain(...) (complain_text(__VA_ARGS__), -1)
void complain_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A loadable segment; elf_load() has checked that its bytes are in the file. */
struct segment {
	uint64_t vaddr, paddr, memsz, filesz;
	const unsigned char *bytes; /* filesz of them */
	unsigned int index;	    /* in the file's program headers */
	bool exec;
};

#define MAX_SEGMENTS 16

/* An AArch64 program, all of it in memory. Segments of no size are left out. */
struct elf {
	const char *path;
	unsigned char *data;
	size_t size;
	void *handle; /* libelf's */
	uint64_t entry;
	struct segment segments[MAX_SEGMENTS];
	unsigned int count;
};

/** elf_load() - 0, or -1 with the reason on stderr. elf_free() afterwards in any case. */
int elf_load(struct elf *elf, const char *path);
void elf_free(struct elf *elf);
/** elf_symbol() - address of @name, which has to be @size bytes (0: any) in the file. */
int elf_symbol(const struct elf *elf, const char *name, uint64_t size, uint64_t *addr);
/** elf_span_*() - the lowest address and the one behind the highest, modulo 2^64. */
void elf_span_virt(const struct elf *elf, uint64_t *start, uint64_t *end);
void elf_span_phys(const struct elf *elf, uint64_t *start, uint64_t *end);

/* Something that takes physical memory. */
struct extent {
	char name[512];
	uint64_t start, end;
};

struct layout {
	const struct elf *loader, *kernel, *task;
	struct baton_image_board board;
	struct baton_image_header header;
	struct baton_image_region regions[BATON_IMAGE_MAX_REGIONS];
	uint64_t task_virt; /* page aligned; its physical start is the header's */
	uint64_t header_at; /* offset of the header in the image */
	uint64_t image_size;
	struct extent extents[BATON_IMAGE_MAX_REGIONS + 2];
	unsigned int extent_count;
};

/** layout_board() - the board's values, from the loader's ELF file. */
int layout_board(struct layout *l);
/** layout_plan() - where everything goes; refuses what cannot work. */
int layout_plan(struct layout *l);
/** layout_image() - the image, l->image_size bytes, or NULL; for the caller to free. */
unsigned char *layout_image(const struct layout *l);

/** tables_fill() - the boot tables in @image, for the kernel and level of @l. */
int tables_fill(const struct layout *l, unsigned char *image);

#define PAGE_SIZE	 UINT64_C(4096)
#define ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define ALIGN_UP(x, a)	 ALIGN_DOWN((x) + ((a)-1), a)

#endif
