/* SPDX-License-Identifier: BSD-2-Clause */
/* The example kernel. KERNEL_EL, 1 or 2, is the exception level that it is built for. */
#ifndef EXAMPLE_KERNEL_H
#define EXAMPLE_KERNEL_H

#define KERNEL_MAX_CPUS 8
#define KERNEL_STACK	4096
#define FRAME_SIZE	272 /* struct frame */

#define UART_PHYS 0x09000000ul

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if KERNEL_EL == 1
#define EL "1"
#else
#define EL "2"
#endif

/* System registers by the name that the assembler knows: sysreg_read("sctlr_el" EL). */
#define sysreg_read(name)                                               \
	({                                                              \
		uint64_t v_;                                            \
		__asm__ volatile("mrs %0, " name : "=r"(v_)::"memory"); \
		v_;                                                     \
	})
#define sysreg_write(name, v) __asm__ volatile("msr " name ", %0" ::"r"((uint64_t)(v)) : "memory")

#define PA_MASK 0x0000fffffffff000ul

/* What the MMU makes of an address: PAR_EL1. */
static inline uint64_t translate(uint64_t va, bool write)
{
	if (write)
		__asm__ volatile("at s1e" EL "w, %0\n\tisb" ::"r"(va));
	else
		__asm__ volatile("at s1e" EL "r, %0\n\tisb" ::"r"(va));
	return sysreg_read("par_el1");
}

/* Bounds of the image, from kernel.ld; their addresses are what counts. */
extern char kernel_entry[], kernel_start[], kernel_text_end[], kernel_rodata[], kernel_rodata_end[];
extern char kernel_data[], kernel_end[];
extern char kernel_vectors[];

/** Registers of the interrupted task, in the order in which head.S stores them. */
struct frame {
	uint64_t x[31];
	uint64_t sp, elr, spsr;
};

/** What the loader left in x0 to x5, and in PSTATE and TPIDR_EL1 on the way in. */
struct boot_args {
	uint64_t task_start, task_end; /* physical, end exclusive */
	uint64_t pv_offset;	       /* the task's physical minus virtual address */
	uint64_t task_entry;	       /* virtual */
	uint64_t dtb, dtb_size;	       /* physical, or 0 and 0 */
	uint64_t daif, cpu;
	uint64_t dirty; /* an address of .data or .bss that was not zero, or 0 */
};

/* console.c: a PL011. One call prints one line, whole, whoever else is printing. */
void console_use(uintptr_t base, bool others); /* @others: may print too; the MMU is on */
/** say() - print a line; knows %s, %u, %lu, %x and %lx, with a width and zero padding. */
void say(const char *fmt, ...);
/** die() - say() it and stop this CPU. */
__attribute__((noreturn)) void die(const char *fmt, ...);
__attribute__((noreturn)) void stop(void);
/** console_task_char() - gather the task's output and print it line by line. */
void console_task_char(char c);

/* tables.c: the kernel's translation tables, and the task's. */
/** tables_build() - find out where the kernel lies and make its tables; dies if it cannot. */
void tables_build(void);
/** tables_install() - switch this CPU to the kernel's tables. */
void tables_install(void);
/** tables_peek() - map one page of physical memory, read-only; the next call replaces it. */
const volatile void *tables_peek(uint64_t pa);
/** tables_map_task() - map the task where its addresses say. */
void tables_map_task(const struct boot_args *args);
uint64_t kernel_pa(const void *va);

/* verify.c: what the loader has copied, and how it is mapped; what is wrong stops this CPU. */
struct mapping {
	uint64_t va, pa, par; /* @pa: where it should be */
};
/** verify_mapping() - on the loader's tables. Return: is all as it should be? If not, @m is not. */
bool verify_mapping(struct mapping *m);
__attribute__((noreturn)) void verify_say(const struct mapping *m, uint64_t cpu);
void verify_kernel(const struct boot_args *args); /* after tables_build() */
void verify_task(const struct boot_args *args);

/* trap.c */
void kernel_trap(uint64_t vector);
void task_trap(struct frame *f);

/* kernel.c, called by head.S */
void kernel_main(struct boot_args *args);
void kernel_secondary(uint64_t cpu);

/* head.S */
extern volatile uint64_t kernel_ready;
extern const uint64_t kernel_linked_at;
extern const volatile uint32_t kernel_sums[2]; /* CRC-32 of .text and .rodata */
__attribute__((noreturn)) void task_enter(uint64_t entry);

#endif
#endif
