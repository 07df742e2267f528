// SPDX-License-Identifier: BSD-2-Clause
/* A kernel with seL4's entry contract, and the task behind it. */
#include <inttypes.h>
#include <stdio.h>

#include "mkimage.h"

/* What the level of the kernel leaves of the address space. */
static int check_half(const struct layout *l)
{
	uint64_t start, end;
	const char *path = l->kernel->file.path;

	elf_span_virt(l->kernel, &start, &end);
	if (l->board.kernel_el == 2 && (end - 1) >> VMSA_VA_BITS)
		return complain(
			"%s is linked at %#" PRIx64
			", but board %s enters the kernel at EL2, where there is no upper half: "
			"take a kernel with hypervisor support, or a board without (make "
			"list-boards)",
			path, start, l->board.name);
	if (l->board.kernel_el == 1 && start < VMSA_UPPER_START)
		return complain(
			"%s is linked at %#" PRIx64
			", but board %s enters the kernel at EL1, where kernels live from %#" PRIx64
			" on: take a kernel without hypervisor support, or a board with (make "
			"list-boards)",
			path, start, l->board.name, VMSA_UPPER_START);
	return 0;
}

static int check_offset(const struct layout *l)
{
	const struct segment *first = &l->kernel->segments[0];
	const char *path = l->kernel->file.path;

	for (unsigned int i = 1; i < l->kernel->count; i++) {
		const struct segment *s = &l->kernel->segments[i];

		if (s->vaddr - s->paddr != first->vaddr - first->paddr)
			return complain("%s: segment %u (virtual %#" PRIx64 ", physical %#" PRIx64
					") is %#" PRIx64 " apart, segment %u (virtual %#" PRIx64
					", physical %#" PRIx64 ") %#" PRIx64
					"; a kernel needs one offset for all: look at AT() in its "
					"linker script",
					path, s->index, s->vaddr, s->paddr, s->vaddr - s->paddr,
					first->index, first->vaddr, first->paddr,
					first->vaddr - first->paddr);
	}
	if ((first->vaddr - first->paddr) % MIB2)
		return complain("%s: segment %u is at virtual %#" PRIx64 ", physical %#" PRIx64
				": their difference %#" PRIx64
				" is no multiple of 2 MiB, and 2 MiB blocks map the kernel; link "
				"it so that it is (AT() in its linker script)",
				path, first->index, first->vaddr, first->paddr,
				first->vaddr - first->paddr);
	return 0;
}

static int plan_kernel(struct layout *l)
{
	char name[sizeof(l->extents[0].name)];

	if (check_half(l))
		return -1;
	for (unsigned int i = 0; i < l->kernel->count; i++) {
		const struct segment *s = &l->kernel->segments[i];
		struct extent *e = &l->extents[l->extent_count];

		snprintf(name, sizeof(name), "%s, segment %u,", l->kernel->file.path, s->index);
		if (layout_add(l, name, s->paddr, s->memsz))
			return -1;
		layout_piece(l, 0, s->bytes, s->filesz);
		e->virt = s->vaddr;
		e->has_virt = true;
	}
	l->header.kernel_entry = l->kernel->entry;
	return check_offset(l);
}

static int check_task(const struct layout *l)
{
	const struct elf *t = l->task;

	for (unsigned int i = 0; i < t->count; i++)
		for (unsigned int k = 0; k < i; k++) {
			const struct segment *a = &t->segments[k], *b = &t->segments[i];

			if (a->vaddr <= b->vaddr + (b->memsz - 1) &&
			    b->vaddr <= a->vaddr + (a->memsz - 1))
				return complain("%s: segment %u (virtual %#" PRIx64 "-%#" PRIx64
						") overlaps segment %u (virtual %#" PRIx64
						"-%#" PRIx64 "); look at its linker script",
						t->file.path, a->index, a->vaddr,
						a->vaddr + a->memsz, b->index, b->vaddr,
						b->vaddr + b->memsz);
		}
	return 0;
}

/* One piece, gaps and all: the kernel knows the task by one range and one offset. */
static int plan_task(struct layout *l)
{
	struct extent *e = &l->extents[l->extent_count];
	uint64_t kernel, end, virt, virt_end, size;
	char name[sizeof(l->extents[0].name)];

	elf_span_virt(l->task, &virt, &virt_end);
	if (!virt_end || (virt_end - 1) >> VMSA_VA_BITS)
		return complain("%s reaches to virtual %#" PRIx64
				", but a task lives below %#" PRIx64 ": is it a kernel?",
				l->task->file.path, virt_end - 1, UINT64_C(1) << VMSA_VA_BITS);
	if (check_task(l))
		return -1;
	l->task_virt = ALIGN_DOWN(virt, PAGE_SIZE);
	size = ALIGN_UP(virt_end, PAGE_SIZE) - l->task_virt;
	elf_span_phys(l->kernel, &kernel, &end);
	end = ALIGN_UP(end, PAGE_SIZE);
	snprintf(name, sizeof(name), "%s, placed behind the kernel,", l->task->file.path);
	if (layout_add(l, name, end, size))
		return -1;
	e->virt = l->task_virt;
	e->has_virt = true;
	for (unsigned int i = 0; i < l->task->count; i++)
		layout_piece(l, l->task->segments[i].vaddr - l->task_virt,
			     l->task->segments[i].bytes, l->task->segments[i].filesz);
	l->header.ui_p_reg_start = end;
	l->header.ui_p_reg_end = end + size;
	l->header.pv_offset = end - l->task_virt;
	l->header.v_entry = l->task->entry;
	return 0;
}

int sel4_plan(struct layout *l)
{
	if (plan_kernel(l) || plan_task(l))
		return -1;
	return l->dtb ? dtb_plan(l, l->header.ui_p_reg_end, 0, 0) : 0;
}
