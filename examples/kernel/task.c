// SPDX-License-Identifier: BSD-2-Clause
/*
 * The initial task. TASK_FAULT makes it read address 0. It is several pages long,
 * and looks whether all of them arrived as they were linked.
 */
#include <stdint.h>

#define SYS_PUTCHAR 1
#define SYS_EXIT    2
#define WORDS	    2048

int task_main(void);

static const char padding[5000] = { [4999] = 7 };
static uint32_t numbers[WORDS] = { [0] = 1, [WORDS / 2] = 2, [WORDS - 1] = 3 };
static uint32_t zeros[WORDS];

static void syscall(uint64_t number, uint64_t arg)
{
	register uint64_t x8 __asm__("x8") = number;
	register uint64_t x0 __asm__("x0") = arg;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory");
}

static void print(const char *s)
{
	while (*s)
		syscall(SYS_PUTCHAR, (unsigned char)*s++);
}

static int memory_is_whole(void)
{
	const volatile char *p = padding;
	volatile uint32_t *n = numbers, *z = zeros;
	uint32_t sum = 0;

	for (unsigned int i = 0; i < WORDS; i++) {
		sum += n[i] | z[i];
		z[i] = i;
	}
	return sum == 6 && p[4999] == 7 && z[WORDS - 1] == WORDS - 1;
}

int task_main(void)
{
	print("task: hello from EL0\n");
	if (!memory_is_whole()) {
		print("task: its memory is not what was linked\n");
		return 1;
	}
#ifdef TASK_FAULT
	print("task: reading address 0\n");
	__asm__ volatile("ldr w0, [%0]" ::"r"(0ul) : "w0", "memory");
#endif
	return 0;
}

/* "task" and, by examples/module.mk, the CRC-32 of all behind these 8 bytes: for the kernel. */
__asm__(".section .sum, \"a\"\n"
	".word 0x6b736174, 0\n"
	".text\n");

/* Not the task's first instruction: the entry must come from the ELF file. */
__asm__(".section .text.entry, \"ax\"\n"
	".global task_entry\n"
	".type task_entry, %function\n"
	"task_entry:\n"
	"	adrp x0, task_stack_end\n"
	"	add x0, x0, :lo12:task_stack_end\n"
	"	mov sp, x0\n"
	"	bl task_main\n"
	"	mov x8, #2\n"
	"	svc #0\n"
	"	b .\n"
	".size task_entry, . - task_entry\n"
	".bss\n"
	".balign 16\n"
	"	.space 4096\n"
	"task_stack_end:\n"
	".text\n");
