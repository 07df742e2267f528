/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other CPUs, one after the other, so that the console stays readable and a
 * missing one has a name. CPU 0 has its MMU on by then: what the two share is
 * cacheable on both sides once the other's is on as well.
 */
#include "loader.h"

void secondary_main(void);

static struct kernel_args shared_args;
static uint32_t reported; /* the highest logical CPU that is ready to jump */

void secondary_main(void)
{
	uint32_t cpu = cpu_id();

	vectors_install();
	cpu_prepare();
	log_printf("LDR|INFO|CPU%d: jumping to kernel\n", (uint64_t)cpu);
	__atomic_store_n(&reported, cpu, __ATOMIC_RELEASE);
	kernel_jump(&shared_args, image_header->kernel_entry);
}

static uint64_t now(void)
{
	__asm__ volatile("isb" ::: "memory"); /* or the counter is read ahead of time */
	return READ_SYSREG(cntvct_el0);
}

static void wait_for(uint64_t cpu)
{
	uint64_t limit = READ_SYSREG(cntfrq_el0) * board.cpu_timeout, start = now();

	while (__atomic_load_n(&reported, __ATOMIC_ACQUIRE) != cpu)
		if (now() - start > limit)
			fatal("CPU%d is missing: it was switched on and has not reported within "
			      "%d s\n",
			      cpu, (uint64_t)board.cpu_timeout);
}

void secondaries_start(const struct kernel_args *args)
{
	shared_args = *args;
	__asm__ volatile("dsb ish" ::: "memory");
	for (uint64_t cpu = 1; cpu < board.cpus; cpu++) {
		int64_t err;

		log_printf("LDR|INFO: starting CPU%d\n", cpu);
		/* Affinity 0 counts the CPUs of a cluster; BATON_IMAGE_MAX_CPUS fit one. */
		err = psci_cpu_on(cpu, secondary_start, cpu);
		if (err)
			fatal("CPU%d is missing: PSCI CPU_ON says %s (has the machine %d CPUs? "
			      "baton-mkimage --cpus)\n",
			      cpu, psci_error(err), (uint64_t)board.cpus);
		wait_for(cpu);
	}
}
