/* SPDX-License-Identifier: BSD-2-Clause */
/* What each CPU goes through on its way to the kernel. */
#include "baton/vmsa_a64.h"
#include "loader.h"

unsigned int cpu_id(void)
{
	return (unsigned int)READ_SYSREG(tpidr_el1);
}

void mmu_disable(const void *start, const void *end)
{
	uint64_t el = el_current();

	if (el == 1)
		el1_mmu_disable(start, end);
	else if (el == 2)
		el2_mmu_disable(start, end);
	else
		fatal("entered at EL%d, and this loader knows EL1 and EL2 alone\n", el);
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

void cpu_prepare(void)
{
	uint64_t cpu = cpu_id(), el = el_current();

	log_printf("LDR|INFO|CPU%d: CurrentEL=EL%d\n", cpu, el);
	if (el < board.kernel_el)
		fatal("board %s enters the kernel at EL2, but CPU%d came up at EL1: give the "
		      "machine an EL2 (QEMU: virtualization=on) or take a board without "
		      "hypervisor support\n",
		      board.name, cpu);
	if (el == 2)
		el2_setup();
	if (el > board.kernel_el) {
		log_printf("LDR|INFO|CPU%d: dropping to EL1\n", cpu);
		el2_drop_to_el1();
		vectors_install();
	}
	log_printf("LDR|INFO|CPU%d: enabling MMU\n", cpu);
	mmu_enable();
}
