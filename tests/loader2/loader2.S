/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other loader: no header, no log, no vectors, no stack. Its tables are laid
 * out by the assembler; it copies a kernel that is linked at 0xffffff8040000000
 * to 0x40000000 and a task behind it, and is gone. Entered at EL2 it first drops
 * to EL1. It says `L` once.
 *
 * ORPHAN          leaves out the level-0 descriptor of the kernel's half
 * LEAVE_BY_ERET   goes to the kernel by eret instead of br
 * STAY_AT_EL2     does not drop, and takes a kernel that is linked at 0x8040000000
 * ASK_SMC         tries an smc that may be undefined; its handler goes on behind it
 * PROBE           the same with a register that the CPU may lack
 * ONE_OFF         maps the kernel's half from one block too far on
 * SWITCH          turns the MMU on with older tables, in which the kernel is elsewhere; its own
 *                 come with another ASID, and no tlbi. SWITCH_NG: the older ones are not global
 * HEADER          says what it copies, as our images do. IC_EARLY: the instruction cache is
 *                 invalidated before, not behind; COPY_ON: copies with the MMU on, and with CLEAN
 *                 cleans the kernel; CLEAN_HALF: but for its first page;
 *                 LEAVE_OFF: two of its pages alone, and leaves with the MMU off
 * STAGE2          leaves a second stage behind at EL2, which maps all onto itself
 * FILL            fills the kernel's level-2 table as it runs; FILL_LATE: behind the last dsb;
 *                 FILL_ON: with the MMU on
 */
#ifdef STAY_AT_EL2
#define KERNEL_VIRT  0x8040000000
#define KERNEL_BIN   "kernel-el2.bin"
#define EL(reg)      reg##_el2
#define TLBI_ALL     alle2
/* One root for both, T0SZ 16, 4 KiB, 40 bits out, RES1 bits. */
#define TCR          0x80823510
#define NORMAL       0x741             /* block, inner shareable, AF, AP[1] is RES1, AttrIndx 0 */
#define DEVICE       (0x445 | 1 << 54) /* block, AF, never executed, AttrIndx 1 */
#else
#define KERNEL_VIRT  0xffffff8040000000
#define KERNEL_BIN   "kernel-el1.bin"
#define EL(reg)      reg##_el1
#define TLBI_ALL     vmalle1
/* T0SZ 25: the lower half is 39 bits and starts at level 1. T1SZ 16. 4 KiB, 40 bits out. */
#define TCR          ((2 << 32) | (0xb510 << 16) | 0x3519)
#define NORMAL       0x701             /* block, inner shareable, AF, AttrIndx 0 */
#define DEVICE       (0x405 | 3 << 53) /* block, AF, never executed, AttrIndx 1 */
#endif
#define KERNEL_PHYS  0x40000000
#define TASK_PHYS    0x41000000
#define TASK_VIRT    0x00200000
#define UART         0x09000000
/* AttrIndx 0 is normal write-back, 1 device-nGnRE: not the usual order. */
#define MAIR         0x04ff
#define TABLE        0x3
/* 39 bits from level 1, 4 KiB, 40 bits out. Blocks: all may be done to them, Normal write-back,
 * inner shareable; Device-nGnRnE. */
#define S2_TCR       0x80023559
#define S2_NORMAL    0x7fd
#define S2_DEVICE    0x4c1

	.macro	copy_all
	ldr	x23, =kernel_image
	ldr	x24, =kernel_image_end
	ldr	x25, =KERNEL_PHYS
	bl	move
	ldr	x23, =task_image
	ldr	x24, =task_image_end
	ldr	x25, =TASK_PHYS
	bl	move
	.endm

	.text
	.global go
	.type	go, %function
go:
#ifndef STAY_AT_EL2
	mrs	x20, CurrentEL
	tbz	x20, #3, at_el1
#ifdef STAGE2
	ldr	x20, =S2_TCR
	msr	vtcr_el2, x20
	ldr	x20, =s2_l1
	msr	vttbr_el2, x20
	ldr	x20, =(1 << 31) | 1     /* HCR_EL2.RW, VM */
#else
	mov	x20, #1 << 31           /* HCR_EL2.RW */
#endif
	msr	hcr_el2, x20
	mrs	x20, cnthctl_el2
	orr	x20, x20, #3
	msr	cnthctl_el2, x20
	msr	cntvoff_el2, xzr
	mov	x20, #0x3c5             /* EL1h, DAIF */
	msr	spsr_el2, x20
	adr	x20, at_el1
	msr	elr_el2, x20
	eret
at_el1:
#endif
	msr	daifset, #0xf
#ifdef ASK_SMC
	adr	x20, answers
	msr	vbar_el1, x20
	mov	w0, #0x84000000
	smc	#0
#endif
#ifdef PROBE
	adr	x20, answers
	msr	EL(vbar), x20
	isb
	mrs	x0, s3_0_c2_c0_3        /* TCR2_EL1, of FEAT_TCR2 */
#endif
	mov	w21, #'L'
	mov	x22, #UART
	str	w21, [x22]

#ifdef IC_EARLY
	ic	iallu
#endif
#ifndef COPY_ON
	copy_all
#endif

	ldr	x26, =MAIR
	msr	EL(mair), x26
	ldr	x26, =TCR
	msr	EL(tcr), x26
#ifdef STAY_AT_EL2
	ldr	x26, =root
	msr	ttbr0_el2, x26
#else
	ldr	x26, =low_l1
	msr	ttbr0_el1, x26
#ifdef SWITCH
	ldr	x26, =old_root
#else
	ldr	x26, =root
#endif
	msr	ttbr1_el1, x26
#endif
#ifdef FILL
	bl	fill
#endif
#ifndef IC_EARLY
	ic	iallu
#endif
	tlbi	TLBI_ALL
	dsb	sy
	isb
#ifdef FILL_LATE
	bl	fill
#endif
	mrs	x26, EL(sctlr)
	mov	x27, #0x1005            /* I, C, M */
	orr	x26, x26, x27
	msr	EL(sctlr), x26
	isb
#ifdef FILL_ON
	bl	fill
#endif
#ifdef SWITCH
	ldr	x26, =root
	msr	ttbr1_el1, x26
	ldr	x26, =low_l1 + (1 << 48)
	msr	ttbr0_el1, x26
	isb
#endif
#ifdef COPY_ON
	copy_all
#ifdef CLEAN
	ldr	x26, =kernel_image
	ldr	x27, =kernel_image_end
	sub	x27, x27, x26
	ldr	x26, =KERNEL_PHYS
	add	x27, x27, x26
#ifdef CLEAN_HALF
	add	x26, x26, #0x1000
#endif
#ifdef LEAVE_OFF
	add	x27, x26, #0x2000
#endif
clean:	dc	cvau, x26
	add	x26, x26, #16           /* the shortest line */
	cmp	x26, x27
	b.lo	clean
	dsb	ish
#endif
	ic	iallu
	dsb	ish
	isb
#endif

	/* The kernel's arguments; TPIDR_EL1 is the logical CPU. */
	msr	tpidr_el1, xzr
	ldr	x0, =TASK_PHYS
	mov	x1, x25                 /* where the last move ended */
	ldr	x2, =TASK_PHYS - TASK_VIRT
	ldr	x3, =TASK_ENTRY
	mov	x4, xzr
	mov	x5, xzr
#ifdef LEAVE_OFF
	mrs	x9, EL(sctlr)
	mov	x10, #5                 /* M, C */
	bic	x9, x9, x10
	msr	EL(sctlr), x9
	isb
	ldr	x9, =KERNEL_PHYS
#else
	ldr	x9, =KERNEL_VIRT
#endif
#ifdef LEAVE_BY_ERET
	mov	x10, #0x3c5
	msr	EL(spsr), x10
	msr	EL(elr), x9
	eret
#else
	br	x9
#endif
	.size	go, . - go

	/* x23 to x24, 16 bytes at a time, to x25. */
	.type	move, %function
move:
	ldp	x27, x28, [x23], #16
	stp	x27, x28, [x25], #16
	cmp	x23, x24
	b.lo	move
	ret
	.size	move, . - move

#if defined(FILL) || defined(FILL_LATE) || defined(FILL_ON)
	.type	fill, %function
fill:
	ldr	x26, =high_l2
	ldr	x27, =KERNEL_PHYS | NORMAL
	mov	x28, #512
1:	str	x27, [x26], #8
	add	x27, x27, #0x200000
	subs	x28, x28, #1
	b.ne	1b
	ret
	.size	fill, . - fill
#endif
	.ltorg

#if defined(ASK_SMC) || defined(PROBE)
	.balign	2048
	.type	answers, %object
answers:
	.fill	0x200 / 4, 4, 0x14000000        /* b . */
	mrs	x27, EL(elr)
	add	x27, x27, #4
	msr	EL(elr), x27
	eret
	.fill	0x5f0 / 4, 4, 0x14000000
	.size	answers, . - answers
#endif

	.section .payload, "a"
	.balign	4096
#ifdef HEADER
image_header:
#ifdef LEAVE_OFF
	.quad	0x5e14dead14de5ead, task_image_end - image_header, KERNEL_PHYS
#else
	.quad	0x5e14dead14de5ead, task_image_end - image_header, KERNEL_VIRT
#endif
	.quad	TASK_PHYS, TASK_PHYS + (task_image_end - task_image), TASK_PHYS - TASK_VIRT
	.quad	TASK_ENTRY, 2
	.quad	KERNEL_PHYS, kernel_image_end - kernel_image, kernel_image - regions_end, 1
	.quad	TASK_PHYS, task_image_end - task_image, task_image - regions_end, 1
regions_end:
	.balign	4096
#endif
kernel_image:
	.incbin	KERNEL_BIN
	.balign	16
kernel_image_end:
	.balign	4096
task_image:
	.incbin	"task.bin"
	.balign	4096
task_image_end:

	.section .tables, "aw"
	.macro	table name
	.balign	4096
	.type	\name, %object
	.size	\name, 4096
\name:
	.endm

	/* The upper half, from the leaves to the root. */
	table	high_l2
#if defined(FILL) || defined(FILL_LATE) || defined(FILL_ON)
	.fill	512, 8, 0
#else
#ifdef ONE_OFF
	.set	.Lblock, (KERNEL_PHYS + 0x200000) | NORMAL
#else
	.set	.Lblock, KERNEL_PHYS | NORMAL
#endif
	.rept	512
	.quad	.Lblock
	.set	.Lblock, .Lblock + 0x200000
	.endr
#endif

	table	high_l1
	.quad	0
	.quad	high_l2 + TABLE
	.fill	510, 8, 0

#ifdef SWITCH
#ifdef SWITCH_NG
	.set	.Lold, 1 << 11
#else
	.set	.Lold, 0
#endif
	table	old_l2
	.quad	KERNEL_PHYS + 0x200000 + NORMAL + .Lold
	.fill	511, 8, 0

	table	old_l1
	.quad	0
	.quad	old_l2 + TABLE
	.fill	510, 8, 0

	table	old_root
	.fill	511, 8, 0
	.quad	old_l1 + TABLE
#endif

#ifdef STAGE2
	table	s2_l1
	.quad	S2_DEVICE
	.quad	0x40000000 | S2_NORMAL
	.fill	510, 8, 0
#endif

	/* The lower half has no level 0: devices and flash, then RAM, as 1 GiB blocks. */
	table	low_l1
	.quad	DEVICE
	.quad	0x40000000 | NORMAL
	.fill	510, 8, 0

	table	root
#ifdef STAY_AT_EL2
	.quad	low_l1 + TABLE
	.set	.Lslot, 1
#else
	.set	.Lslot, 511
	.fill	.Lslot, 8, 0
#endif
#ifdef ORPHAN
	.quad	0
#else
	.quad	high_l1 + TABLE
#endif
	.fill	511 - .Lslot, 8, 0
