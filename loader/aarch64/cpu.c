/* SPDX-License-Identifier: BSD-2-Clause */
/* What each CPU goes through on its way to the kernel. */
#include "asm.h"
#include "baton/vmsa_a64.h"
#include "loader.h"

unsigned int cpu_id(void)
{
	return (unsigned int)READ_SYSREG(tpidr_el1);
}

uint64_t time_now(void)
{
	__asm__ volatile("isb" ::: "memory"); /* or the counter is read ahead of time */
	return READ_SYSREG(cntvct_el0);
}

/* Firmware at EL3 that has not written the frequency leaves 0; then 1 GHz is the longest wait. */
uint64_t time_ticks(uint64_t ms)
{
	uint64_t hz = READ_SYSREG(cntfrq_el0);

	return (hz ? hz : 1000000000) / 1000 * ms;
}

/* ID_AA64MMFR0_EL1.PARange; 52 bits are not to be had with these tables: 48. */
static uint64_t physical_size(void)
{
	uint64_t parange = READ_SYSREG(id_aa64mmfr0_el1) & 15;

	return parange > 5 ? 5 : parange;
}

static void mmu_enable(void)
{
	struct mmu_regs regs = { .mair = VMSA_MAIR, .ttbr0 = (uintptr_t)boot_lvl0_lower };
	const char *stack = &stacks[cpu_id() * STACK_SIZE];

	if (board.kernel_el == 2) {
		regs.tcr = VMSA_TCR_EL2 | physical_size() << VMSA_TCR_EL2_PS_SHIFT;
		el2_mmu_enable(&regs, stack, stack + STACK_SIZE);
		return;
	}
	regs.ttbr1 = (uintptr_t)boot_lvl0_upper;
	regs.tcr = VMSA_TCR_EL1 | physical_size() << VMSA_TCR_EL1_IPS_SHIFT;
	if ((READ_SYSREG(id_aa64mmfr0_el1) >> 4 & 15) == 2) /* ASIDBits: 16 */
		regs.tcr |= VMSA_TCR_EL1_AS;
	el1_mmu_enable(&regs, stack, stack + STACK_SIZE);
}

static void refuse(uint64_t cpu, uint64_t el, const char *why)
{
	fatal("board %s enters the kernel at EL2, but CPU%d came up at EL%d%s: give the "
	      "machine an EL2 (QEMU: virtualization=on) or take a board without "
	      "hypervisor support\n",
	      board.name, cpu, el, why);
}

/* Down by one level, or from EL3 past the EL2 that is not there. Returns where it came to. */
static unsigned int drop(uint64_t cpu, unsigned int el)
{
	unsigned int to = el == 3 && el2_exists() ? 2 : 1;

	log_printf("LDR|INFO|CPU%d: dropping to EL%d\n", cpu, (uint64_t)to);
	if (el == 2)
		el2_drop_to_el1();
	else if (to == 2)
		el3_drop_to_el2();
	else
		el3_drop_to_el1();
	vectors_install();
	return to;
}

void cpu_prepare(void)
{
	uint64_t cpu = cpu_id();
	unsigned int el = el_current();

	log_printf("LDR|INFO|CPU%d: CurrentEL=EL%d\n", cpu, (uint64_t)el);
	if (el < board.kernel_el)
		refuse(cpu, el, "");
	if (el == 3 && board.kernel_el == 2 && !el2_exists())
		refuse(cpu, el, ", without an EL2");
	if (el == 3) {
		el3_setup();
		gic_setup_el3();
		el = drop(cpu, el);
	}
	if (el == 2)
		el2_setup();
	if (el > board.kernel_el)
		drop(cpu, el);
	if (board.kernel_type == KERNEL_LINUX) {
		/* It does the rest itself; caches of instructions have not seen its code. */
		__asm__ volatile("ic iallu\n\tdsb nsh\n\tisb" ::: "memory");
		return;
	}
	log_printf("LDR|INFO|CPU%d: enabling MMU\n", cpu);
	mmu_enable();
}
