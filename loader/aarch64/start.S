/* SPDX-License-Identifier: BSD-2-Clause */
/* The first and the last instructions of each CPU. */
#include "macros.inc"

/*
 * Where an image is not linked, its first stack has a word for each CPU: CPU 0's says
 * that the image has moved, the others' that they wait for that. Then, the copy of
 * image_move().
 */
#define ASIDE_AT 64

.macro load_symbol reg, symbol
	movz	\reg, #:abs_g3:\symbol
	movk	\reg, #:abs_g2_nc:\symbol
	movk	\reg, #:abs_g1_nc:\symbol
	movk	\reg, #:abs_g0_nc:\symbol
.endm

/* sp, aligned wherever the image is; \top is where the CPU's stack ends. */
.macro stack_of cpu, top
	adr	\top, stacks
	add	\top, \top, \cpu, lsl #STACK_SHIFT
	add	\top, \top, #(1 << STACK_SHIFT)
	and	sp, \top, #~15
.endm

/*
 * Every CPU that PSCI has not switched on comes along here: at any level, MMU and
 * caches on or off, wherever the image may have been loaded. Up to `placed` no
 * address is linked: adr reaches all of the loader, adrp would want whole pages.
 *
 *   x19  where this is      x20  where it should be      x21  logical CPU
 */
	.section .text.start, "ax"
	.global _start, going_on
	.type _start, %function
_start:
	mrs	x1, dczid_el0
	tbnz	x1, #4, el0_say			/* DZP: see there */
going_on:
	msr	daifset, #0xf
	msr	spsel, #1
	adr	x19, _start
	load_symbol x20, loader_start
	mrs	x1, mpidr_el1
	load_imm x2, 0x00ffffff
	movk	x2, #0xff, lsl #32
	and	x1, x1, x2
	adr	x2, cpu_mpidr
	mov	x21, #0
1:	load_pair 3, 4, x2, 0
	cmp	x1, x3
	b.eq	2f
	add	x2, x2, #8
	add	x21, x21, #1
	cmp	x21, #(1 << MAX_CPUS_SHIFT)
	b.lo	1b
	b	stranger
2:	cmp	x19, x20
	b.ne	misplaced

placed:
	msr	tpidr_el1, x21
	bl	vectors_install
	stack_of x21, x1
	mov	x29, xzr
	mov	x30, xzr
	cbnz	x21, park
	adr	x1, bss_start
	adr	x2, bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b
2:	mov	x0, x19
	b	loader_main			/* x30 is 0: a backtrace ends there */

/*
 * The others wait here until CPU 0 wants them. Their caches are off: what they
 * write is in memory, and what CPU 0 writes it cleans to there (secondaries.c).
 * Each says at every turn that it is here, since firmware's caches may yet be
 * written back over it.
 */
park:
	sub	x0, x1, #(1 << STACK_SHIFT)
	bl	mmu_disable
	adr	x1, mailbox_here
	adr	x2, mailbox_go
	mov	w3, #1
1:	str	w3, [x1, x21, lsl #2]
	dsb	sy
	ldr	w4, [x2, x21, lsl #2]
	cbnz	w4, 2f
	wfe
	b	1b
2:	mov	x0, x21
	b	secondary_start
	.size _start, . - _start

/*
 * One more CPU than the board can have, which is nobody's business; or CPU 0 is missing,
 * which one has to say. CPU 0 comes within 3 seconds or not at all. There is one stack
 * for strangers and no number for the console, so one speaks: who is the last to write its
 * MPIDR (not 0) behind the mailbox, by M. Fischer's algorithm. In half of the time whoever
 * had found nobody's there has written its own.
 */
function stranger
	cmp	x19, x20
	b.ne	cpu_halt
	mrs	x0, mpidr_el1
	counter_hz x1, x2
	add	x1, x1, x1, lsr #1
	adr	x3, mailbox_here
	mov	x6, xzr				/* first nobody's is wanted there, then ours */
1:	mrs	x2, cntvct_el0
2:	dc	civac, x3			/* our caches may be on */
	dsb	sy
	ldr	w4, [x3]
	cbnz	w4, cpu_halt
	ldr	x5, [x3, #(4 << MAX_CPUS_SHIFT)]
	cmp	x5, x6
	b.ne	cpu_halt
	isb
	mrs	x4, cntvct_el0
	sub	x4, x4, x2
	cmp	x4, x1
	b.lo	2b
	cbnz	x6, 3f
	mov	x6, x0
	str	x6, [x3, #(4 << MAX_CPUS_SHIFT)]
	b	1b
3:	msr	tpidr_el1, xzr
	bl	vectors_install
	stack_of xzr, x1
	b	stranger_main
end_function stranger

/*
 * The image is not where it is linked, and has to go there without a moment at
 * which code that runs is overwritten:
 *   up:   all of it at once, from its end. It must not reach the loader itself,
 *         which is running: then only enough goes to let loader_main() refuse it.
 *   down: text and data, which then go on where they belong and fetch the rest.
 * Where text and data would be written over the loader that runs, a copy of
 * image_move() does it from CPU 0's stack in the upper one of the two places: stacks
 * lie behind text and data, and neither image has anything in them yet.
 */
function misplaced
	stack_of x21, x1
	load_symbol x22, loader_size		/* without the header */
	cbnz	x21, misplaced_secondary

	/* x23: bytes of the image if it has a header and there is RAM for it, else of the loader */
	add	x1, x19, x22
	add	x23, x22, #IMAGE_HEADER_SIZE
	load_pair 2, 3, x1, 0
	load_imm x4, (IMAGE_MAGIC & 0xffffffff)
	load_imm x5, (IMAGE_MAGIC >> 32)
	orr	x4, x4, x5, lsl #32
	cmp	x2, x4
	b.ne	1f
	load_pair 2, 3, x1, 8
	adr	x1, board
	load_pair 4, 3, x1, BOARD_MEMORY_START_AT
	load_pair 5, 3, x1, BOARD_MEMORY_SIZE_AT
	add	x4, x4, x5
	sub	x4, x4, x20
	sub	x4, x4, x22
	cmp	x2, x4
	b.hi	1f
	add	x23, x22, x2

	/* Firmware's caches may hold the newest of this image, and old bytes of its place. */
1:	mov	x0, x19
	add	x1, x19, x23
	bl	mmu_disable
	mov	x0, x20
	add	x1, x20, x23
	bl	dcache_clean_invalidate

	adr	x9, image_move
	add	x2, x23, #63
	bic	x2, x2, #63
	load_symbol x3, loader_text_size
	subs	x4, x20, x19
	csel	x2, x2, x3, hi			/* up: all; down: text and data */
	cneg	x4, x4, lo			/* the distance */
	cmp	x4, x22
	b.hs	2f
	cmp	x19, x20
	csel	x0, x19, x20, hi
	bl	move_aside
	bl	others_aside
	load_symbol x2, loader_text_size
2:	load_symbol x30, moved
	mov	x0, x20
	mov	x1, x19
	br	x9

moved:						/* here everything is linked again */
	load_symbol x1, stacks_at
	add	x1, x1, x19
	mov	w2, #1
	str	w2, [x1]
	dsb	sy
	sev
	b	placed
end_function misplaced

/* The others leave for the place to be as soon as CPU 0 says that they can. */
function misplaced_secondary
	sub	x0, x1, #(1 << STACK_SHIFT)
	bl	mmu_disable
	adr	x9, image_wait
	subs	x4, x19, x20
	b.lo	1f
	cmp	x4, x22
	b.hs	1f
	mov	x0, x19
	bl	move_aside
	adr	x3, image_wait
	adr	x4, image_move
	sub	x3, x3, x4
	add	x9, x9, x3
1:	adr	x0, stacks
	add	x1, x0, x21, lsl #2
	mov	x30, x20
	br	x9
end_function misplaced_secondary

/*
 * Gives the others time to leave code that will be overwritten: a second for those
 * that the kernel wants, a tenth for others that there may be. Keeps x9.
 */
function others_aside
	adr	x1, board
	ldr	w1, [x1, #BOARD_CPUS_AT]
	counter_hz x2, x3
	mov	x3, #10
	udiv	x3, x2, x3
	mrs	x4, cntvct_el0
1:	adr	x5, stacks
	mov	w6, #1				/* CPUs that are here, this one too */
	mov	x7, #1
2:	ldr	w8, [x5, x7, lsl #2]
	add	w6, w6, w8
	add	x7, x7, #1
	cmp	x7, #(1 << MAX_CPUS_SHIFT)
	b.lo	2b
	cmp	w6, #(1 << MAX_CPUS_SHIFT)
	b.hs	3f
	cmp	w6, w1
	csel	x7, x3, x2, hs
	sev
	isb
	mrs	x8, cntvct_el0
	sub	x8, x8, x4
	cmp	x8, x7
	b.lo	1b
3:	ret
end_function others_aside

/* x0: an image's place; in x9 where image_move() is then. */
function move_aside
	load_symbol x9, stacks_at
	add	x9, x9, x0
	add	x9, x9, #ASIDE_AT
	adr	x5, image_move
	adr	x6, image_move_end
	mov	x7, x9
1:	ldr	w8, [x5], #4
	str	w8, [x7], #4
	cmp	x5, x6
	b.lo	1b
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	ret
end_function move_aside

/* x0: the logical number, PSCI's context argument. MMU and caches are off (PSCI, 6.4). */
function secondary_start
	msr	daifset, #0xf
	msr	spsel, #1
	msr	tpidr_el1, x0			/* whose number a dump has to name */
	bl	vectors_install
	mrs	x0, tpidr_el1
	stack_of x0, x1
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
