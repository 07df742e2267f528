/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry, vectors and the way to EL0 and back. All addresses are made relative to
 * the pc, so that the code reaches its complaints even where it was entered at
 * its physical address.
 */
#include "kernel.h"

#if KERNEL_EL == 1
#define VBAR vbar_el1
#define ELR  elr_el1
#define SPSR spsr_el1
#else
#define VBAR vbar_el2
#define ELR  elr_el2
#define SPSR spsr_el2
#endif

.macro load_addr reg, sym
	adrp	\reg, \sym
	add	\reg, \reg, :lo12:\sym
.endm

	.section .text.entry, "ax"
	.global kernel_entry
	.type kernel_entry, %function
kernel_entry:
	mrs	x6, daif
	mrs	x7, tpidr_el1
	msr	daifset, #0xf

	/* A CPU that nobody has numbered gets the last stack, to say so. */
	mov	x9, #KERNEL_MAX_CPUS
	cmp	x7, x9
	csel	x9, x7, x9, lo
	load_addr x10, kernel_stacks + KERNEL_STACK
	mov	x11, #KERNEL_STACK
	madd	x10, x9, x11, x10
	mov	sp, x10

	mrs	x9, CurrentEL
	cmp	x9, #KERNEL_EL << 2
	b.ne	1f
	load_addr x9, kernel_vectors
	msr	VBAR, x9
	isb
	cbnz	x7, secondary

	/* .data has nothing but zeros either. What is not zero is cleared, and told later. */
	mov	x8, xzr
	load_addr x9, kernel_data
	load_addr x10, kernel_end
0:	ldp	x11, x12, [x9], #16
	orr	x11, x11, x12
	cbz	x11, 4f
	sub	x8, x9, #16
	stp	xzr, xzr, [x8]
4:	cmp	x9, x10
	b.lo	0b
1:
	sub	sp, sp, #80
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	str	x8, [sp, #64]
	mov	x0, sp
	mov	x29, xzr
	mov	x30, xzr
	bl	kernel_main
	b	.

	/* Others stay on the loader's tables until CPU 0 has made better ones. */
secondary:
	load_addr x9, kernel_ready
2:	ldar	x10, [x9]
	cbnz	x10, 3f
	wfe
	b	2b
3:	mov	x0, x7
	mov	x29, xzr
	bl	kernel_secondary
	b	.
	.size kernel_entry, . - kernel_entry

	.text
	.global task_enter
	.type task_enter, %function
task_enter:
	/* EL0, AArch64, everything masked: there is nothing that could interrupt. */
	msr	ELR, x0
	mov	x9, #0x3c0
	msr	SPSR, x9
	msr	sp_el0, xzr
.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	mov	x\n, xzr
.endr
	eret
	.size task_enter, . - task_enter

.macro to_kernel_trap number
	.balign 0x80
	mov	x0, #\number
	b	kernel_trap
.endm

	/* DDI 0487, D1.3.1.5: four groups of four vectors, 0x80 bytes each. */
	.balign 0x800
	.global kernel_vectors
	.type kernel_vectors, %function
kernel_vectors:
.irp n, 0,1,2,3,4,5,6,7
	to_kernel_trap \n
.endr
	.balign 0x80
	b	from_task
.irp n, 9,10,11,12,13,14,15
	to_kernel_trap \n
.endr
	.size kernel_vectors, . - kernel_vectors

.macro frame_each op
	\op	x0, x1, [sp]
	\op	x2, x3, [sp, #16]
	\op	x4, x5, [sp, #32]
	\op	x6, x7, [sp, #48]
	\op	x8, x9, [sp, #64]
	\op	x10, x11, [sp, #80]
	\op	x12, x13, [sp, #96]
	\op	x14, x15, [sp, #112]
	\op	x16, x17, [sp, #128]
	\op	x18, x19, [sp, #144]
	\op	x20, x21, [sp, #160]
	\op	x22, x23, [sp, #176]
	\op	x24, x25, [sp, #192]
	\op	x26, x27, [sp, #208]
	\op	x28, x29, [sp, #224]
.endm

	.type from_task, %function
from_task:
	sub	sp, sp, #FRAME_SIZE
	frame_each stp
	mrs	x9, sp_el0
	mrs	x10, ELR
	mrs	x11, SPSR
	stp	x30, x9, [sp, #240]
	stp	x10, x11, [sp, #256]
	mov	x0, sp
	mov	x29, xzr
	bl	task_trap
	ldp	x30, x9, [sp, #240]
	ldp	x10, x11, [sp, #256]
	msr	sp_el0, x9
	msr	ELR, x10
	msr	SPSR, x11
	frame_each ldp
	add	sp, sp, #FRAME_SIZE
	eret
	.size from_task, . - from_task

	.section .rodata
	.balign 8
	.global kernel_linked_at
kernel_linked_at:
	.quad kernel_entry

	/* By examples/module.mk: CRC-32 of .text and of .rodata. */
	.section .sums, "a"
	.balign 4
	.global kernel_sums
kernel_sums:
	.word 0, 0

	/* Set once CPU 0 has made the tables; in .data, for it is read before .bss is clear. */
	.data
	.balign 8
	.global kernel_ready
kernel_ready:
	.quad 0

	.section .stacks, "aw", %nobits
	.balign 16
kernel_stacks:
	.space KERNEL_STACK * (KERNEL_MAX_CPUS + 1)
