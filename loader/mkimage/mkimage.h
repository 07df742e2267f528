/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BATON_MKIMAGE_H
#define BATON_MKIMAGE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baton/image.h"
#include "baton/vmsa_a64.h"

/** complain() - "baton-mkimage: ..." on stderr; the macro is -1, for the caller to return. */
#define complain(...) (complain_text(__VA_ARGS__), -1)
void complain_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- blob.c: a file, all of it in memory --- */
struct blob {
	const char *path;
	unsigned char *data;
	size_t size;
};

/** blob_read() - 0, or -1 with the reason on stderr. free() data afterwards in any case. */
int blob_read(struct blob *b, const char *path);

/* --- elf.c --- */

/* A loadable segment; elf_parse() has checked that its bytes are in the file. */
struct segment {
	uint64_t vaddr, paddr, memsz, filesz;
	const unsigned char *bytes; /* filesz of them */
	unsigned int index;	    /* in the file's program headers */
	bool exec;
};

#define MAX_SEGMENTS 16

/* An AArch64 program. Segments of no size are left out. */
struct elf {
	struct blob file;
	Elf *handle;
	uint64_t entry;
	struct segment segments[MAX_SEGMENTS];
	unsigned int count;
};

/** elf_parse() - of elf->file, all else zero; 0, or -1 with the reason. elf_free() in any case. */
int elf_parse(struct elf *elf);
void elf_free(struct elf *elf);
/** elf_symbol() - address of @name, which has to be @size bytes (0: any) in the file. */
int elf_symbol(const struct elf *elf, const char *name, uint64_t size, uint64_t *addr);
/** elf_next_symbol() - one after the other, *index from 0 on; false: that was all. */
bool elf_next_symbol(const struct elf *elf, unsigned int *index, GElf_Sym *sym, const char **name);
/** elf_span_*() - the lowest address and the one behind the highest, modulo 2^64. */
void elf_span_virt(const struct elf *elf, uint64_t *start, uint64_t *end);
void elf_span_phys(const struct elf *elf, uint64_t *start, uint64_t *end);

/* --- layout.c --- */

/* Something that takes physical memory. */
struct extent {
	char name[512];
	uint64_t start, end;
	uint64_t virt; /* of its first byte, where it has one besides the physical one */
	bool has_virt;
};

/* Bytes of a file in a region; all else of it is zero. */
struct piece {
	uint64_t region, offset, size;
	const unsigned char *bytes;
};

/* The image's parts before its regions, and the further tables behind them. */
#define MAX_PARTS 5

/* boot_lvl{0,1,2}_{lower,upper}; tables.c has their order. */
#define LOADER_TABLES 6

struct table {
	uint64_t addr;
	uint64_t entry[VMSA_ENTRIES];
};

struct layout {
	enum baton_kernel_type type;
	const struct elf *loader, *kernel, *task; /* Linux: no task, and instead of kernel ... */
	const struct blob *linux_image, *initrd;  /* initrd may be missing (NULL) */
	struct blob *dtb;			  /* may be missing; is patched */
	uint64_t release;			  /* Linux: the loader's `linux_release` */
	const char *bootargs;			  /* NULL: leave them as they are in dtb */
	struct baton_image_board board;
	struct baton_image_header header;
	struct baton_image_region regions[BATON_IMAGE_MAX_REGIONS];
	struct piece pieces[2 * MAX_SEGMENTS + 3];
	unsigned int piece_count;
	uint64_t task_virt; /* page aligned; its physical start is the header's */
	uint64_t header_at; /* offset of the header in the image */
	uint64_t image_size;
	struct table *tables; /* the six of the loader, then further ones */
	unsigned int table_count;
	struct extent extents[BATON_IMAGE_MAX_REGIONS + MAX_PARTS];
	unsigned int extent_count;
};

/** layout_board() - the board's values, from the loader's ELF file. */
int layout_board(struct layout *l);
/** layout_plan() - where everything goes; refuses what cannot work. layout_free() in any case. */
int layout_plan(struct layout *l);
void layout_free(struct layout *l);
/** layout_image() - the image, l->image_size bytes, or NULL; for the caller to free. */
unsigned char *layout_image(const struct layout *l);

/**
 * layout_add() - another region: @size bytes at physical @start, refused outside of RAM.
 * layout_piece() puts bytes into the region that was added last.
 */
int layout_add(struct layout *l, const char *name, uint64_t start, uint64_t size);
void layout_piece(struct layout *l, uint64_t offset, const unsigned char *bytes, uint64_t size);

/** layout_check_ram() - 0, or the refusal. */
int layout_check_ram(const struct layout *l, const struct extent *e);

/* --- sel4.c, linux.c: kernel, task, initrd and device tree --- */
int sel4_plan(struct layout *l);
int linux_plan(struct layout *l);

/* --- dtb.c: flattened device trees (Devicetree Specification, chapter 5) --- */

/** dtb_check() - is it one, all of it? Then the board's `psci` follows it where that is auto. */
int dtb_check(struct layout *l);
/** dtb_plan() - @l's, patched for @initrd (0, 0: none) where a Linux is to read it, at @start. */
int dtb_plan(struct layout *l, uint64_t start, uint64_t initrd, uint64_t initrd_end);
/** dtb_check_memory() - what @l uses of RAM has to be RAM by the device tree as well. */
int dtb_check_memory(const struct layout *l);

/* --- tables.c --- */

/** tables_plan() - the boot tables, those that the loader has no place for from @tail on. */
int tables_plan(struct layout *l, uint64_t tail);
/** tables_put() - into the image. */
void tables_put(const struct layout *l, unsigned char *image);

/* --- format.c, map.c --- */

enum format { FORMAT_RAW, FORMAT_ELF, FORMAT_UIMAGE };

/**
 * format_wrap() - @image in a file format, in new memory of *size bytes; NULL with the
 * reason on stderr.
 */
unsigned char *format_wrap(const struct layout *l, enum format format, const unsigned char *image,
			   uint64_t *size);
/** map_text() - the layout for people; map_svg() as a drawing. */
void map_text(const struct layout *l);
void map_svg(const struct layout *l);

#define PAGE_SIZE	 UINT64_C(4096)
#define MIB2		 VMSA_BLOCK_SIZE(2)
#define ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define ALIGN_UP(x, a)	 ALIGN_DOWN((x) + ((a)-1), a)

#endif
