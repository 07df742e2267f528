/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader may run into: code that is put behind an image and branched to
 * from within, at any level and with the MMU off. All registers have values that
 * can be told apart. CAUSE is the instruction at the end.
 */
	.text
	.global _start
_start:
#ifdef STAGE2
	/* A stage 2 that translates nothing, and a drop to EL1 into it. */
	ldr	x0, =0x80023558			/* VTCR_EL2: 40 bits of IPA, from level 1, 4 KiB */
	msr	vtcr_el2, x0
	ldr	x0, =0x50000000			/* zeros */
	msr	vttbr_el2, x0
	ldr	x0, =0x80000001			/* RW, VM */
	msr	hcr_el2, x0
	ldr	x0, =0x30d00800
	msr	sctlr_el1, x0
	mov	x0, #0x5ee0
	msr	sp_el1, x0
	mov	x0, #0x3c5
	msr	spsr_el2, x0
	ldr	x0, =0x60123450
	msr	elr_el2, x0
	isb
	eret
#endif
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #(0xabc00 + \n) & 0xf0000
	movk	x\n, #(0xbc00 + \n)
	.endr
	mov	x0, #0x5ee0
	mov	sp, x0
	mov	x0, #0xab << 56			/* beyond any size of physical addresses */
	CAUSE
	.ltorg
