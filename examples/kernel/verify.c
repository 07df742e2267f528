// SPDX-License-Identifier: BSD-2-Clause
/*
 * Is everything that the loader has copied as it was linked, and mapped as memory?
 * `make` writes checksums where they are wanted: examples/module.mk.
 */
#include "kernel.h"

#define PAGE_SIZE 4096ul

/* The first 8 bytes of a task; the checksum is of all behind them, to the end of its last page. */
struct task_head {
	uint32_t magic, crc;
};
#define TASK_MAGIC 0x6b736174 /* "task" */

/* CRC-32 as in gzip (RFC 1952, 8), four bits at a time. */
static uint32_t crc32(uint32_t crc, const volatile unsigned char *p, uint64_t size)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	for (crc = ~crc; size; size--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static void compare(const char *what, uint64_t pa, uint64_t size, uint32_t found, uint32_t linked)
{
	if (found != linked)
		die("kernel: %s at 0x%lx, %lu bytes, is not as linked: CRC-32 0x%08x, not 0x%08x",
		    what, pa, size, found, linked);
}

static void compare_own(const char *what, const char *from, const char *to, uint32_t linked)
{
	uint64_t size = (uint64_t)(to - from);

	compare(what, kernel_pa(from), size, crc32(0, (const unsigned char *)from, size), linked);
}

void verify_kernel(const struct boot_args *args)
{
	compare_own("text", kernel_start, kernel_text_end, kernel_sums[0]);
	compare_own("rodata", kernel_rodata, kernel_rodata_end, kernel_sums[1]);
	if (args->dirty)
		die("kernel: data at 0x%lx is not as linked: not zero",
		    kernel_pa((const void *)args->dirty));
}

void verify_task(const struct boot_args *args)
{
	uint64_t size = args->task_end - args->task_start;
	const volatile struct task_head *head = tables_peek(args->task_start);
	struct task_head want = { head->magic, head->crc };
	uint32_t crc = 0;

	if (want.magic != TASK_MAGIC)
		die("kernel: task at 0x%lx is not as linked: it begins with 0x%08x, not 0x%08x",
		    args->task_start, want.magic, (unsigned int)TASK_MAGIC);
	for (uint64_t done = sizeof(want); done < size; done += PAGE_SIZE - done % PAGE_SIZE)
		crc = crc32(crc, tables_peek(args->task_start + done),
			    PAGE_SIZE - done % PAGE_SIZE);
	compare("task", args->task_start + sizeof(want), size - sizeof(want), crc, want.crc);
	say("kernel: memory is as linked, write-back, inner shareable");
}

/* PAR_EL1 (DDI 0487, D17.2.118): ATTR as in MAIR, SH, F. */
static bool is_memory(uint64_t par)
{
	return !(par & 1) && par >> 56 == 0xff && (par >> 7 & 3) == 3;
}

static bool is_device(uint64_t par)
{
	return !(par & 1) && !(par >> 56 & 0xf0);
}

bool verify_mapping(struct mapping *m)
{
	uint64_t first = translate((uint64_t)kernel_start, false) & PA_MASK;

	for (m->va = (uint64_t)kernel_start; m->va < (uint64_t)kernel_end; m->va += PAGE_SIZE) {
		m->par = translate(m->va, m->va >= (uint64_t)kernel_data);
		m->pa = first + (m->va - (uint64_t)kernel_start);
		if (!is_memory(m->par) || (m->par & PA_MASK) != m->pa)
			return false;
	}
	m->va = m->pa = UART_PHYS;
	m->par = translate(UART_PHYS, true);
	return m->par & 1 || is_device(m->par); /* it need not be mapped */
}

void verify_say(const struct mapping *m, uint64_t cpu)
{
	if (m->par & 1)
		die("kernel: CPU %lu cannot translate its own address 0x%lx: PAR_EL1 = 0x%016lx",
		    cpu, m->va, m->par);
	die("kernel: CPU %lu has 0x%lx at 0x%lx as %s memory (MAIR 0x%02x, SH %u), wanted: %s", cpu,
	    m->va, m->par & PA_MASK, is_device(m->par) ? "device" : "normal",
	    (unsigned int)(m->par >> 56), (unsigned int)(m->par >> 7 & 3),
	    m->va == UART_PHYS ? "device" : "write-back (0xff), inner shareable (3)");
}
