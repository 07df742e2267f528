/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader's files offer each other. Everything runs at EL1 to EL3 from
 * the load address on, where virtual and physical addresses are the same.
 */
#ifndef BATON_LOADER_H
#define BATON_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "baton/image.h"

#define READ_SYSREG(name)                                          \
	({                                                         \
		uint64_t value_;                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)); \
		value_;                                            \
	})
#define WRITE_SYSREG(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)))

/* --- board.c, tables.c, loader.ld: data --- */
extern const struct baton_image_board board;
extern const struct baton_image_header image_header[]; /* one; regions follow */
extern char loader_start[], loader_tables[];
extern char stacks[]; /* one for each CPU, the first CPU's first */
extern uint64_t boot_lvl0_lower[512], boot_lvl0_upper[512];

#define STACK_SIZE 2048

/* --- log.c, uart.c --- */
void uart_putc(char c);

/**
 * log_printf() - one line (or several) on the console, not mixed with another CPU's.
 * %s string, %d unsigned decimal, %x and %X 32 and 64 bit hexadecimal, both with
 * 0x and all zeros; all but %s take a uint64_t.
 */
void log_printf(const char *fmt, ...);
/** log_lock() - hold the console for more than one log_printf(); log_unlock() ends it. */
void log_lock(void);
void log_unlock(void);
void log_abandon(void); /* however often this CPU has locked it */
/** fatal() - "LDR|ERROR: " and the text, then this CPU stops for good. */
#define fatal(...)                                     \
	do {                                           \
		log_printf("LDR|ERROR: " __VA_ARGS__); \
		cpu_halt();                            \
	} while (0)

/* --- move.S --- */
/**
 * image_move() - @size bytes, a multiple of 64 and not 0, to where they may overlap.
 * Aligned to 4 at least, MMU off; the instruction cache is invalidated as well.
 */
void image_move(void *to, const void *from, uint64_t size);

/* --- start.S --- */
void secondary_start(void); /* where PSCI starts a CPU; x0: its logical number */
_Noreturn void cpu_halt(void);

/* What seL4 finds in x0 to x5 (start.S depends on the order). */
struct kernel_args {
	uint64_t ui_p_reg_start, ui_p_reg_end, pv_offset, v_entry, dtb, dtb_size;
};
_Noreturn void kernel_jump(const struct kernel_args *args, uint64_t entry);

/* --- el.S --- */
unsigned int el_current(void);
void vectors_install(void); /* at the present level */
/** elN_drop_to_elM() - returns at that level, Non-secure, on the same stack, MMU off. */
void el3_drop_to_el2(void);
void el3_drop_to_el1(void);
void el2_drop_to_el1(void);

/* --- el.c: what the levels below rely on, by the features that there are --- */
bool el2_exists(void);
void el3_setup(void);
void el2_setup(void);

/* --- gic.c --- */
void gic_setup_el3(void); /* this CPU's interrupts, and those that all CPUs share, Non-secure */
void gic_setup_el2(void); /* GICv3: EL1 may use the CPU interface's registers */

/* --- cache.S --- */
void dcache_clean_invalidate(const void *start, const void *end); /* to the point of coherency */

/* --- mmu.S --- */
struct mmu_regs {
	uint64_t mair, tcr, ttbr0, ttbr1; /* mmu.S depends on the order */
};
/** mmu_disable() - MMU and caches off at the present level; [start, end) is in memory then. */
void mmu_disable(const void *start, const void *end);
/** elN_mmu_enable() - MMU and caches on; [start, end) is the caller's stack. */
void el1_mmu_enable(const struct mmu_regs *regs, const void *start, const void *end);
void el2_mmu_enable(const struct mmu_regs *regs, const void *start, const void *end);

/* --- cpu.c --- */
unsigned int cpu_id(void); /* logical number */
uint64_t time_now(void);
uint64_t time_ticks(uint64_t ms);
void cpu_prepare(void); /* from the level that the CPU came up in to MMU on at the kernel's */

/* --- psci.c, psci_call.S --- */
/* One call; an undefined conduit gives PSCI_NOT_SUPPORTED, see trap_recover(). */
int64_t psci_hvc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
int64_t psci_smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
void psci_init(unsigned int entry_el);
bool psci_answers(void);
/** psci_cpu_on() - 0 or a negative PSCI error; psci_error() has words for it. */
int64_t psci_cpu_on(uint64_t mpidr, void (*entry)(void), uint64_t context);
const char *psci_error(int64_t err);

#define PSCI_NOT_SUPPORTED (-1)

/* --- secondaries.c --- */
extern uint64_t cpu_mpidr[]; /* by logical CPU: its affinity, as PSCI counts */
/**
 * secondaries_gather() - without PSCI, until all that the kernel wants wait in the
 * loader: where they came from may be overwritten then. MMU off.
 * @moved: the image was, and CPUs that nobody wants may still be at its old place
 */
void secondaries_gather(bool moved);
void secondaries_start(const struct kernel_args *args);

#endif
