// SPDX-License-Identifier: BSD-2-Clause
/*
 * The boot CPU's way through: trust nothing that the loader said, make tables,
 * start the task. Complaints name the register that was wrong.
 */
#include "kernel.h"

#define RAM_START 0x40000000ul
#define USER_END  (1ul << 39) /* fits the smaller of the two regimes that the task may get */
#define PAGE_MASK 4095ul
#define DAIF_IF	  0xc0ul
#define FDT_MAGIC 0xedfe0dd0u /* 0xd00dfeed, big-endian */

static unsigned int wrong;

/*
 * Before our own tables are in force the UART is where the loader has it: at its
 * physical address, if it has mapped it at all.
 */
static void check_entry(void)
{
	uint64_t el = sysreg_read("CurrentEL") >> 2;

	console_use(UART_PHYS, false);
	if (el != KERNEL_EL)
		die("kernel: entered at EL%lu, built for EL" EL, el);
	if (!(sysreg_read("sctlr_el" EL) & 1))
		die("kernel: entered with the MMU off, at 0x%lx", (uint64_t)kernel_entry);
	if ((uint64_t)kernel_entry != kernel_linked_at)
		die("kernel: entered at 0x%lx, linked at 0x%lx", (uint64_t)kernel_entry,
		    kernel_linked_at);
}

static void complain(const char *reg, uint64_t value, const char *why)
{
	say("kernel: %s = 0x%016lx %s", reg, value, why);
	wrong++;
}

static void check_task(const struct boot_args *a)
{
	uint64_t va = a->task_start - a->pv_offset;
	uint64_t end = va + (a->task_end - a->task_start);

	if (a->task_start < RAM_START || a->task_start & PAGE_MASK)
		complain("x0", a->task_start, "is no page of RAM: the task's physical start");
	else if (a->task_start < kernel_pa(kernel_end) && a->task_end > kernel_pa(kernel_start))
		complain("x0", a->task_start, "is the kernel's own memory: the task's start");
	if (a->task_end <= a->task_start || a->task_end & PAGE_MASK)
		complain("x1", a->task_end, "is no page behind x0: the task's physical end");
	if (va & PAGE_MASK || va >= USER_END || end > USER_END || end < va)
		complain("x2", a->pv_offset, "takes the task out of user space: the offset");
	else if (a->task_entry < va || a->task_entry >= end || a->task_entry & 3)
		complain("x3", a->task_entry, "is not in the task: its virtual entry");
}

static void check_dtb(const struct boot_args *a)
{
	if (!a->dtb && !a->dtb_size)
		return;
	if (a->dtb < RAM_START || a->dtb & 7) {
		complain("x4", a->dtb, "is not the address of a device tree");
		return;
	}
	if (*(const volatile uint32_t *)tables_peek(a->dtb) != FDT_MAGIC)
		complain("x4", a->dtb, "has no device tree's magic number");
	if (a->dtb_size < 40)
		complain("x5", a->dtb_size, "is too small for a device tree");
	say("kernel: device tree at 0x%lx, %lu bytes", a->dtb, a->dtb_size);
}

static void check_args(const struct boot_args *a)
{
	if ((a->daif & DAIF_IF) != DAIF_IF)
		complain("daif", a->daif, "does not mask interrupts");
	if (a->cpu >= KERNEL_MAX_CPUS)
		complain("tpidr_el1", a->cpu, "is not a logical CPU");
	check_task(a);
	check_dtb(a);
	if (wrong)
		die("kernel: %u of the loader's arguments wrong, stopped", wrong);
}

void kernel_main(struct boot_args *args)
{
	struct mapping m;

	check_entry();
	if (!verify_mapping(&m))
		verify_say(&m, args->cpu);
	tables_build();
	verify_kernel(args);
	tables_install();
	say("Bootstrapping kernel");
	say("kernel: EL" EL ", 0x%016lx is physical 0x%lx", kernel_linked_at,
	    kernel_pa(kernel_start));
	check_args(args);
	verify_task(args);
	tables_map_task(args);

	__atomic_store_n(&kernel_ready, 1, __ATOMIC_RELEASE);
	__asm__ volatile("dsb ish\n\tsev");
	say("Booting all finished, dropped to user space");
	task_enter(args->task_entry);
}

void kernel_secondary(uint64_t cpu)
{
	struct mapping m;
	bool good = verify_mapping(&m);

	/* By now the console is on CPU 0's tables alone. */
	tables_install();
	/* A number that is no CPU's shares the last stack: it may complain and no more. */
	if (cpu >= KERNEL_MAX_CPUS)
		die("kernel: tpidr_el1 = 0x%016lx is not a logical CPU", cpu);
	if (!good)
		verify_say(&m, cpu);
	die("kernel: CPU %u up", (unsigned int)cpu);
}
