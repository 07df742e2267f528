/* SPDX-License-Identifier: BSD-2-Clause */
/* The first and the last instructions of each CPU. */
#include "macros.inc"

	.section .text.start, "ax"
	.global _start
	.type _start, %function
_start:
	msr	daifset, #0xf
	msr	spsel, #1
	/* CPU 0 alone goes on; where firmware starts all CPUs here, the others are parked. */
	mrs	x1, mpidr_el1
	load_imm x2, 0x00ffffff
	movk	x2, #0xff, lsl #32
	tst	x1, x2
	b.ne	cpu_halt
	msr	tpidr_el1, xzr
	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	add	x1, x1, #(1 << STACK_SHIFT)
	mov	sp, x1
	adrp	x1, bss_start
	add	x1, x1, :lo12:bss_start
	adrp	x2, bss_end
	add	x2, x2, :lo12:bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b
2:	mov	x29, xzr
	mov	x30, xzr
	bl	loader_main
	.size _start, . - _start

/* x0: the logical number, PSCI's context argument. MMU and caches are off (PSCI, 6.4). */
function secondary_start
	msr	daifset, #0xf
	msr	spsel, #1
	msr	tpidr_el1, x0
	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	add	x2, x0, #1
	add	x1, x1, x2, lsl #STACK_SHIFT
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	secondary_main
end_function secondary_start

function cpu_halt
	msr	daifset, #0xf
1:	wfi
	b	1b
end_function cpu_halt

/* x0: struct kernel_args, x1: entry. */
function kernel_jump
	mov	x8, x1
	ldp	x4, x5, [x0, #32]
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	msr	daifset, #0xf
	isb
	br	x8
end_function kernel_jump
