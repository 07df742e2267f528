// SPDX-License-Identifier: BSD-2-Clause
/* Flattened device trees, by libfdt. What comes from a file is checked as a whole first. */
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkimage.h"

#define MAX_BOOTARGS 2048 /* COMMAND_LINE_SIZE of arm64's <uapi/asm/setup.h> */

int dtb_check(struct layout *l)
{
	const struct blob *dtb = l->dtb;
	int len, err = fdt_check_full(dtb->data, dtb->size);
	const char *method;

	if (err)
		return complain("%s: not a device tree, or a broken one (%s); QEMU makes one with "
				"-machine virt,dumpdtb=FILE",
				dtb->path, fdt_strerror(err));
	if (l->board.psci != PSCI_AUTO)
		return 0;
	method = fdt_getprop(dtb->data, fdt_path_offset(dtb->data, "/psci"), "method", &len);
	if (method && len == 4 && !memcmp(method, "hvc", 4))
		l->board.psci = PSCI_HVC;
	else if (method && len == 4 && !memcmp(method, "smc", 4))
		l->board.psci = PSCI_SMC;
	return 0;
}

static int set_initrd(void *fdt, int chosen, uint64_t start, uint64_t end)
{
	int err;

	/* What was dumped with an initrd of QEMU's would be looked for where it is not. */
	if (!end) {
		fdt_delprop(fdt, chosen, "linux,initrd-start");
		fdt_delprop(fdt, chosen, "linux,initrd-end");
		return 0;
	}
	err = fdt_setprop_u64(fdt, chosen, "linux,initrd-start", start);
	return err ? err : fdt_setprop_u64(fdt, chosen, "linux,initrd-end", end);
}

/* The logical number by which the loader knows the CPU of @node: its affinity 0. */
static unsigned int cpu_number(const void *fdt, int node)
{
	int len;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	return reg && len >= 4 ? fdt32_ld(reg + len / 4 - 1) : BATON_IMAGE_MAX_CPUS;
}

/*
 * CPUs without PSCI: the loader gathers them, and they wait in its memory for
 * Linux's word ("spin-table" in booting.rst). With PSCI Linux switches them on itself.
 */
static int set_spin_table(struct layout *l, void *fdt)
{
	int node = -1, err = 0;

	l->board.cpus = 1;
	if (fdt_path_offset(fdt, "/psci") >= 0)
		return 0;
	while (!err &&
	       (node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "cpu", 4)) >= 0) {
		unsigned int cpu = cpu_number(fdt, node);

		if (cpu >= BATON_IMAGE_MAX_CPUS)
			continue;
		l->board.cpus = cpu >= l->board.cpus ? cpu + 1 : l->board.cpus;
		err = fdt_setprop_string(fdt, node, "enable-method", "spin-table");
		if (!err)
			err = fdt_setprop_u64(fdt, node, "cpu-release-addr", l->release + 8 * cpu);
	}
	if (err || l->board.cpus == 1)
		return err;
	return fdt_add_mem_rsv(fdt, l->board.load_address, l->header_at);
}

static int patch(struct layout *l, void *fdt, uint64_t initrd, uint64_t initrd_end)
{
	int chosen, err;

	if (l->type != KERNEL_LINUX)
		return 0;
	chosen = fdt_path_offset(fdt, "/chosen");
	if (chosen == -FDT_ERR_NOTFOUND)
		chosen = fdt_add_subnode(fdt, 0, "chosen");
	if (chosen < 0)
		return chosen;
	if (l->bootargs) {
		err = fdt_setprop_string(fdt, chosen, "bootargs", l->bootargs);
		if (err)
			return err;
	}
	err = set_initrd(fdt, chosen, initrd, initrd_end);
	return err ? err : set_spin_table(l, fdt);
}

int dtb_plan(struct layout *l, uint64_t start, uint64_t initrd, uint64_t initrd_end)
{
	size_t bootargs = l->bootargs ? strlen(l->bootargs) : 0;
	size_t size = fdt_totalsize(l->dtb->data) + bootargs + 2048;
	char name[sizeof(l->extents[0].name)];
	void *fdt;
	int err;

	if (bootargs >= MAX_BOOTARGS)
		return complain("--bootargs: %zu characters, and Linux takes %d: make them shorter",
				bootargs, MAX_BOOTARGS - 1);
	fdt = calloc(1, size);
	if (!fdt)
		return complain("out of memory");
	err = fdt_open_into(l->dtb->data, fdt, (int)size);
	if (!err)
		err = patch(l, fdt, initrd, initrd_end);
	if (!err)
		err = fdt_pack(fdt);
	if (err) {
		free(fdt);
		return complain("%s: cannot be patched (%s)", l->dtb->path, fdt_strerror(err));
	}
	free(l->dtb->data);
	l->dtb->data = fdt;
	l->dtb->size = fdt_totalsize(fdt);
	if (l->dtb->size > MIB2)
		return complain("%s: %zu bytes, and a device tree may have 2 MiB", l->dtb->path,
				l->dtb->size);
	l->board.dtb = start;
	snprintf(name, sizeof(name), "%s", l->dtb->path);
	if (layout_add(l, name, start, l->dtb->size))
		return -1;
	layout_piece(l, 0, l->dtb->data, l->dtb->size);
	return 0;
}

static uint64_t cells(const fdt32_t *p, int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 32 | fdt32_ld(p++);
	return value;
}

/* Is [start, end) in one bank of @node? Counts those that firmware has not left empty. */
static bool holds(const void *fdt, int node, const struct extent *e, struct extent *bank)
{
	int len, address = fdt_address_cells(fdt, 0), size = fdt_size_cells(fdt, 0);
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || address < 1 || address > 2 || size < 1 || size > 2)
		return false;
	for (; len >= 4 * (address + size); len -= 4 * (address + size), reg += address + size) {
		uint64_t start = cells(reg, address), bytes = cells(reg + address, size);

		if (!bytes || start + bytes < start)
			continue;
		bank->start = start;
		bank->end = start + bytes;
		if (e->start >= bank->start && e->end <= bank->end)
			return true;
	}
	return false;
}

int dtb_check_memory(const struct layout *l)
{
	const void *fdt = l->dtb->data;

	for (unsigned int i = 0; i < l->extent_count; i++) {
		const struct extent *e = &l->extents[i];
		struct extent bank = { .end = 0 };
		int node = -1;

		do
			node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7);
		while (node >= 0 && !holds(fdt, node, e, &bank));
		/* None at all: firmware will say it, as a Raspberry Pi's does. */
		if (node < 0 && bank.end)
			return complain("%s wants physical %#" PRIx64 "-%#" PRIx64
					", but %s says that RAM is %#" PRIx64 "-%#" PRIx64
					"; dump it from a machine with enough (QEMU: -m 2G with "
					"dumpdtb as well)",
					e->name, e->start, e->end, l->dtb->path, bank.start,
					bank.end);
	}
	return 0;
}
