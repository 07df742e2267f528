/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the registers of a translation regime from the parameters at 0x41000000 and
 * goes there: entered at EL2, it sets up EL1 and leaves by eret, or turns on the MMU of
 * EL2. Nothing need be mapped, since the test steps it and stops at `there`.
 *
 * Parameters (struct guest_params): mair, tcr, ttbr0, ttbr1, sctlr, spsr, el.
 */
	.text
	b	go
last:
	msr	sctlr_el2, x4
there:
	b	there
go:
	mov	x9, #0x41000000
	ldp	x0, x1, [x9]
	ldp	x2, x3, [x9, #16]
	ldp	x4, x5, [x9, #32]
	ldr	x6, [x9, #48]
	cmp	x6, #2
	b.eq	el2
	mov	x10, #1 << 31           /* HCR_EL2.RW */
	msr	hcr_el2, x10
	msr	mair_el1, x0
	msr	tcr_el1, x1
	msr	ttbr0_el1, x2
	msr	ttbr1_el1, x3
	msr	sctlr_el1, x4
	msr	spsr_el2, x5
	adr	x10, there
	msr	elr_el2, x10
	isb
	eret
el2:
	msr	mair_el2, x0
	msr	tcr_el2, x1
	msr	ttbr0_el2, x2
	isb
	b	last
