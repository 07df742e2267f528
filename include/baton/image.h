/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader image, as the loader, baton-mkimage and baton agree on it: the
 * loader's own memory, flat from its load address; then, at the loader's symbol
 * `image_header`, a header, a table of regions and the regions' bytes. All
 * fields are little-endian, all addresses and sizes are in bytes.
 */
#ifndef BATON_IMAGE_H
#define BATON_IMAGE_H

#include <stdint.h>

#define BATON_IMAGE_MAGIC	UINT64_C(0x5e14dead14de5ead)
#define BATON_IMAGE_MAX_REGIONS 32
#define BATON_IMAGE_MAX_CPUS	8

struct baton_image_header {
	uint64_t magic;		 /* BATON_IMAGE_MAGIC */
	uint64_t size;		 /* from the first byte of this header to the end of the image */
	uint64_t kernel_entry;	 /* virtual */
	uint64_t ui_p_reg_start; /* the initial task: physical start, page aligned */
	uint64_t ui_p_reg_end;	 /* ... and the first byte behind it, page aligned */
	uint64_t pv_offset;	 /* the initial task: physical minus virtual, modulo 2^64 */
	uint64_t v_entry;	 /* the initial task's entry, virtual */
	uint64_t num_regions;	 /* entries of the table that follows this header */
};

#define BATON_REGION_DATA 1 /* copied to load_addr before the kernel starts */

struct baton_image_region {
	uint64_t load_addr; /* physical */
	uint64_t size;
	uint64_t offset; /* of the bytes, counted from the end of the region table */
	uint64_t type;	 /* BATON_REGION_... */
};

enum baton_psci {
	PSCI_AUTO, /* what the exception level calls for that the loader is entered in */
	PSCI_HVC,
	PSCI_SMC,
	PSCI_NONE,
};

enum baton_gic {
	GIC_AUTO, /* v3 where ID_AA64PFR0_EL1.GIC says so, else v2 if there is a gicd */
	GIC_NONE,
	GIC_V2,
	GIC_V3,
};

/* How the kernel is entered. */
enum baton_kernel_type {
	KERNEL_SEL4,  /* MMU on, by the boot tables; x0 to x5 as seL4 has them */
	KERNEL_LINUX, /* MMU off, x0: device tree (Documentation/arm64/booting.rst) */
};

/*
 * A board's values after inheritance, `board` in the loader's ELF file. What
 * they mean is said in loader/board/defaults. baton-mkimage takes them from
 * here, so that image and loader cannot disagree, and writes what its options and
 * the device tree say: `cpus`, `kernel_type`, `dtb` and `psci`.
 */
struct baton_image_board {
	char name[64];
	uint64_t load_address;
	uint64_t memory_start;
	uint64_t memory_size;
	uint64_t uart;
	uint64_t dtb;
	uint32_t kernel_el;
	uint32_t cpus;
	uint32_t psci;	      /* enum baton_psci */
	uint32_t cpu_timeout; /* seconds */
	uint64_t gicd;	      /* the distributor; 0: none, here and below */
	uint64_t gicc;	      /* v2's CPU interface */
	uint64_t gicr;	      /* v3's first redistributor */
	uint64_t spin_table;  /* CPU n waits for an address at spin_table + 8n */
	uint32_t gic;	      /* enum baton_gic */
	uint32_t kernel_type; /* enum baton_kernel_type */
	uint64_t timer;	      /* Hz, where CNTFRQ_EL0 is ours to set and reads 0; 0: unknown */
};

#endif
