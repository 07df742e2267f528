/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other CPUs, one after the other, so that the console stays readable and a
 * missing one has a name. CPU 0 has its MMU on by then: what the two share is
 * cacheable on both sides once the other's is on as well.
 *
 * PSCI switches them on. Without it they come to _start, all at reset or from
 * firmware's spin table, and wait there for their word of the mailbox (`park`).
 */
#include <stddef.h>

#include "asm.h"
#include "loader.h"

_Static_assert(IMAGE_MAGIC == BATON_IMAGE_MAGIC, "asm.h has another number");
_Static_assert(IMAGE_HEADER_SIZE == sizeof(struct baton_image_header), "asm.h has another size");
_Static_assert(BOARD_MEMORY_START_AT == offsetof(struct baton_image_board, memory_start),
	       "asm.h has another layout");
_Static_assert(BOARD_CPUS_AT == offsetof(struct baton_image_board, cpus),
	       "asm.h has another layout");
_Static_assert(BOARD_UART_AT == offsetof(struct baton_image_board, uart),
	       "asm.h has another offset");
_Static_assert(BOARD_MEMORY_SIZE_AT == offsetof(struct baton_image_board, memory_size),
	       "asm.h has another layout");

#define GRACE_MS 100
#define QUIET_MS 500		 /* longer than that nobody shall wait without knowing for what */
#define AFFINITY 0xff00ffffffull /* of MPIDR_EL1 */

void secondary_main(void);
_Noreturn void stranger_main(void);
void _start(void);

/* In .data: start.S needs them before there is a BSS, and nobody clears them. */
#define DATA __attribute__((section(".data")))

DATA uint64_t cpu_mpidr[BATON_IMAGE_MAX_CPUS] = { 0, 1, 2, 3, 4, 5, 6, 7 };

/*
 * Cache lines (at most 256 bytes anywhere, CTR_EL0.CWG) that only CPU 0 writes,
 * and cleans, and others that only CPUs write whose caches are off.
 */
#define MAILBOX __attribute__((section(".data.mailbox"), aligned(256)))
extern uint32_t mailbox_go[64], mailbox_here[64];
MAILBOX uint32_t mailbox_go[64];
MAILBOX uint32_t mailbox_here[64];

static struct kernel_args shared_args;
static uint32_t reported; /* the highest logical CPU that is ready to jump */

/*
 * Where a Linux without PSCI writes the address at which CPU n shall go on: each is
 * a `cpu-release-addr` of the device tree, by baton-mkimage, which reserves this memory.
 */
extern uint64_t linux_release[BATON_IMAGE_MAX_CPUS];
MAILBOX uint64_t linux_release[BATON_IMAGE_MAX_CPUS];

static _Noreturn void linux_wait(uint64_t cpu)
{
	static const struct kernel_args none;
	uint64_t entry;

	log_printf("LDR|INFO|CPU%d: waiting for the kernel at %X\n", cpu,
		   (uint64_t)(uintptr_t)&linux_release[cpu]);
	__atomic_store_n(&reported, (uint32_t)cpu, __ATOMIC_RELEASE);
	while (!(entry = __atomic_load_n(&linux_release[cpu], __ATOMIC_RELAXED)))
		__asm__ volatile("wfe");
	kernel_jump(&none, entry);
}

void secondary_main(void)
{
	uint32_t cpu = cpu_id();

	cpu_prepare();
	if (board.kernel_type == KERNEL_LINUX)
		linux_wait(cpu);
	log_printf("LDR|INFO|CPU%d: jumping to kernel\n", (uint64_t)cpu);
	__atomic_store_n(&reported, cpu, __ATOMIC_RELEASE);
	kernel_jump(&shared_args, image_header->kernel_entry);
}

void stranger_main(void)
{
	fatal("CPU0 is missing: a CPU with affinity %X has come, CPU0 has %X (symbol `cpu_mpidr` "
	      "of "
	      "the loader)\n",
	      READ_SYSREG(mpidr_el1) & AFFINITY, cpu_mpidr[0]);
}

static bool is_here(uint64_t cpu)
{
	const uint32_t *word = &mailbox_here[cpu];

	dcache_clean_invalidate(word, word + 1); /* never dirty: what a waiting CPU wrote is kept */
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Also wakes the others, to look and to say again that they are here. */
static bool comes(uint64_t cpu, uint64_t ms)
{
	uint64_t start = time_now();

	while (!is_here(cpu)) {
		if (time_now() - start > time_ticks(ms))
			return false;
		__asm__ volatile("sev");
	}
	return true;
}

/* Where there is nothing to wait for nothing is said. */
static bool comes_in_time(uint64_t cpu)
{
	if (comes(cpu, QUIET_MS))
		return true;
	log_printf("LDR|INFO: waiting for CPU%d, %d s at most\n", cpu, (uint64_t)board.cpu_timeout);
	return comes(cpu, board.cpu_timeout * UINT64_C(1000));
}

/* Firmware's CPUs read these words from memory, and firmware may have had its caches on. */
static void spin_table_release(void)
{
	for (uint64_t cpu = 1; cpu < board.cpus; cpu++) {
		uint64_t *word = (uint64_t *)(board.spin_table + 8 * cpu);

		dcache_clean_invalidate(word, word + 1);
		*word = (uintptr_t)_start;
		dcache_clean_invalidate(word, word + 1);
	}
	__asm__ volatile("sev");
}

void secondaries_gather(bool moved)
{
	mailbox_here[0] = 1;
	if (psci_answers())
		return;
	if (board.spin_table)
		spin_table_release();
	for (uint64_t cpu = 1; cpu < board.cpus; cpu++) {
		if (comes_in_time(cpu))
			continue;
		if (board.spin_table)
			fatal("CPU%d is missing: it has not come from the spin table at %X within "
			      "%d s (board %s, `spin_table`)\n",
			      cpu, board.spin_table + 8 * cpu, (uint64_t)board.cpu_timeout,
			      board.name);
		fatal("CPU%d is missing: there is no PSCI to switch it on, and it has not come to "
		      "the loader within %d s (start each CPU there: QEMU's -device "
		      "loader,addr=...,cpu-num=%d)\n",
		      cpu, (uint64_t)board.cpu_timeout, cpu);
	}
	for (uint64_t cpu = board.cpus; moved && cpu < BATON_IMAGE_MAX_CPUS; cpu++)
		if (!comes(cpu, GRACE_MS))
			break;
}

static void wait_for(uint64_t cpu, const char *what)
{
	uint64_t start = time_now();

	while (__atomic_load_n(&reported, __ATOMIC_ACQUIRE) != cpu)
		if (time_now() - start > time_ticks(board.cpu_timeout * UINT64_C(1000)))
			fatal("CPU%d is missing: it was %s and has not reported within %d s (where "
			      "is its pc? baton: `cpus`)\n",
			      cpu, what, (uint64_t)board.cpu_timeout);
}

/* One CPU; what was done to get it, for the case that it does not come. */
static const char *start_cpu(uint64_t cpu)
{
	int64_t err;

	if (psci_answers()) {
		err = psci_cpu_on(cpu_mpidr[cpu], secondary_start, cpu);
		if (!err)
			return "switched on";
		if (!is_here(cpu))
			fatal("CPU%d is missing: PSCI CPU_ON says %s (has the machine %d CPUs? "
			      "baton-mkimage --cpus)\n",
			      cpu, psci_error(err), (uint64_t)board.cpus);
	}
	mailbox_go[cpu] = 1;
	dcache_clean_invalidate(&mailbox_go[cpu], &mailbox_go[cpu + 1]);
	__asm__ volatile("sev");
	return "released";
}

void secondaries_start(const struct kernel_args *args)
{
	shared_args = *args;
	__asm__ volatile("dsb ish" ::: "memory");
	for (uint64_t cpu = 1; cpu < board.cpus; cpu++) {
		log_printf("LDR|INFO: starting CPU%d\n", cpu);
		wait_for(cpu, start_cpu(cpu));
	}
}
