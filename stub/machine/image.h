/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that is a file: a flat image at an address, an ELF file, or a core of QEMU's
 * `dump-guest-memory`. It has memory and the registers that it is told, and stands still.
 */
#ifndef BATON_MACHINE_IMAGE_H
#define BATON_MACHINE_IMAGE_H

#include "machine/machine.h"

#define MACHINE_IMAGE_SEGMENTS 1024
#define MACHINE_IMAGE_UIMAGE   64u /* bytes of U-Boot's header, "legacy format" */

enum machine_image_kind { MACHINE_IMAGE_FLAT, MACHINE_IMAGE_ELF, MACHINE_IMAGE_CORE };

/* A piece of physical memory: @bytes from the file, zeros behind them. */
struct machine_image_segment {
	uint64_t pa, size, offset, bytes;
	uint64_t va;	    /* of an ELF file */
	enum ram_kind kind; /* of what is there */
	const char *name;   /* and its name; NULL: "image", laid there as it is */
	bool absent;	    /* it is there, but what it holds is not in the file */
};

struct machine_image_reg {
	unsigned int cpu; /* MACHINE_IMAGE_ALL */
	char name[24];
	uint64_t value;
};

#define MACHINE_IMAGE_ALL UINT32_MAX

struct machine_image {
	struct machine m;
	enum machine_image_kind kind;
	int fd;
	uint64_t size;	/* of the file, without what is wrapped around it */
	uint64_t begin; /* MACHINE_IMAGE_UIMAGE bytes of a uImage's header, or 0 */
	uint64_t load;	/* where that header says that it goes */
	uint64_t entry; /* of an ELF file; 0: it has none */
	/* where they overlap, the later counts */
	struct machine_image_segment *segment;
	size_t segments;
	struct machine_image_reg *reg;
	size_t regs;
};

/**
 * machine_image_open() - open @path: an ELF file with its segments (and, of a core, the
 * registers in its notes), or anything else, without any memory yet; of a uImage, what it wraps.
 * @why: on error, one line without the file's name
 *
 * Return: 0; -BATON_ENOTFOUND: it cannot be opened; -BATON_EINVAL: truncated, of another
 * architecture, or with segments that cannot be; -BATON_ETOOBIG: more than
 * MACHINE_IMAGE_SEGMENTS. Close it either way.
 */
int machine_image_open(struct machine_image *mi, const char *path, struct buf *why);
void machine_image_close(struct machine_image *mi);

/**
 * machine_image_add() - more memory, over what is there. -BATON_EINVAL: beyond the file, or
 * it wraps around; -BATON_ETOOBIG: too many.
 */
int machine_image_add(struct machine_image *mi, const struct machine_image_segment *s);

/** machine_image_forget() - no memory at all, as after opening a flat image. */
void machine_image_forget(struct machine_image *mi);

/** machine_image_set_reg() - @cpu or MACHINE_IMAGE_ALL; replaces an older value. */
void machine_image_set_reg(struct machine_image *mi, unsigned int cpu, const char *name,
			   uint64_t value);

/** machine_image_bytes() - @len bytes of the file; -BATON_ERANGE: it has not that many. */
int machine_image_bytes(struct machine_image *mi, uint64_t offset, void *data, size_t len);

/**
 * machine_image_where() - where in the file, counted as by machine_image_bytes(), all @len bytes
 * of physical @pa are. Return: false if any of them is not in it.
 */
bool machine_image_where(const struct machine_image *mi, uint64_t pa, size_t len, uint64_t *offset);

/** machine_image_sums() - a uImage's checksums, from its first byte on, made right again. */
void machine_image_sums(uint8_t *file, size_t size);

#endif
