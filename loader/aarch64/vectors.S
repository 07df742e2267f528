/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vector table for all CPUs and levels. Nothing of the interrupted program
 * is lost but TPIDR_EL0 and TPIDRRO_EL0, where its first two registers wait (the
 * loader does not use them). Each CPU saves into an area of its own, which is the
 * handler's stack too, so that a broken stack pointer cannot hide its own fault.
 */
#include "macros.inc"

.macro vector kind
	.balign	128
	msr	tpidr_el0, x0
	mov	x0, #\kind
	b	trap_enter
.endm

	.section .text.vectors, "ax"
	.global vectors
	.balign 2048
vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind
	.endr

function trap_enter
	msr	tpidrro_el0, x1
	mrs	x1, tpidr_el1
	ubfiz	x1, x1, #TRAP_AREA_SHIFT, #MAX_CPUS_SHIFT
	add	x0, x0, x1			/* area's offset and kind in one register */
	adrp	x1, trap_areas
	add	x1, x1, :lo12:trap_areas
	add	x1, x1, x0
	and	x0, x1, #15			/* kind */
	and	x1, x1, #~15			/* area */
	add	x1, x1, #((1 << TRAP_AREA_SHIFT) - TRAP_FRAME_SIZE)
	stp	x2, x3, [x1, #16]
	stp	x4, x5, [x1, #32]
	stp	x6, x7, [x1, #48]
	stp	x8, x9, [x1, #64]
	stp	x10, x11, [x1, #80]
	stp	x12, x13, [x1, #96]
	stp	x14, x15, [x1, #112]
	stp	x16, x17, [x1, #128]
	stp	x18, x19, [x1, #144]
	stp	x20, x21, [x1, #160]
	stp	x22, x23, [x1, #176]
	stp	x24, x25, [x1, #192]
	stp	x26, x27, [x1, #208]
	stp	x28, x29, [x1, #224]
	mrs	x2, tpidr_el0
	mrs	x3, tpidrro_el0
	stp	x2, x3, [x1]
	mov	x2, sp				/* trap.c knows whose it was */
	stp	x30, x2, [x1, #240]
	mrs	x2, currentel
	cmp	x2, #CURRENTEL_EL2
	b.hi	1f
	b.eq	2f
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	mrs	x4, esr_el1
	mrs	x5, far_el1
	b	3f
1:	mrs	x2, elr_el3
	mrs	x3, spsr_el3
	mrs	x4, esr_el3
	mrs	x5, far_el3
	b	3f
2:	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	mrs	x4, esr_el2
	mrs	x5, far_el2
3:	stp	x2, x3, [x1, #256]
	stp	x4, x5, [x1, #272]
	mov	sp, x1
	ldr	x2, [x1, #288]			/* how often the handler was entered */
	add	x3, x2, #1
	str	x3, [x1, #288]
	mov	x1, x0
	mov	x0, sp
	cbnz	x2, 6f
	bl	trap_handler

	/* It returns only from a call that it has recovered from, which ran on SP_ELx. */
	mov	x1, sp
	str	xzr, [x1, #288]
	ldp	x30, x2, [x1, #240]
	mov	sp, x2
	ldr	x2, [x1, #256]
	mrs	x3, currentel
	cmp	x3, #CURRENTEL_EL2
	b.hi	3f
	b.eq	4f
	msr	elr_el1, x2
	b	5f
3:	msr	elr_el3, x2
	b	5f
4:	msr	elr_el2, x2
5:	ldp	x2, x3, [x1, #16]
	ldp	x4, x5, [x1, #32]
	ldp	x6, x7, [x1, #48]
	ldp	x8, x9, [x1, #64]
	ldp	x10, x11, [x1, #80]
	ldp	x12, x13, [x1, #96]
	ldp	x14, x15, [x1, #112]
	ldp	x16, x17, [x1, #128]
	ldp	x18, x19, [x1, #144]
	ldp	x20, x21, [x1, #160]
	ldp	x22, x23, [x1, #176]
	ldp	x24, x25, [x1, #192]
	ldp	x26, x27, [x1, #208]
	ldp	x28, x29, [x1, #224]
	ldp	x0, x1, [x1]
	eret

	/* A fault of the handler itself can be told once, on the same stack. */
6:	cmp	x2, #1
	b.ne	cpu_halt
	bl	trap_nested
	b	cpu_halt
end_function trap_enter

	/* Not in the BSS: a CPU may be in its handler while CPU 0 clears that. */
	.section .data.trap_areas, "aw"
	.balign	1 << TRAP_AREA_SHIFT
trap_areas:
	.skip	1 << (TRAP_AREA_SHIFT + MAX_CPUS_SHIFT)
