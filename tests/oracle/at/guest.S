/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs address translation instructions for campaign.c. It stays at EL3 with the MMU off
 * (but for EL3's own regime, whose tables map this code onto itself), so that nothing of
 * what is tested need map it. Memory is shared with the host: at JOB lies a struct at_job
 * (at.h); JOB_GO is 1 when it is to be done, 2 when it is done.
 */
	.arch armv8.2-a
	.set	JOB, 0x40300000
	.set	TTBR1_EL2_SKIP, 34	/* HCR_EL2.E2H */

	.text
_start:
	ldr	x28, =JOB
	adr	x0, vectors
	msr	vbar_el3, x0
	mov	x0, #0
	msr	cptr_el3, x0
	mrs	x0, id_aa64mmfr0_el1
	mrs	x1, id_aa64mmfr1_el1
	stp	x0, x1, [x28, #16]
	mrs	x2, id_aa64mmfr2_el1
	str	x2, [x28, #32]
	isb
	tst	x1, #0xf00000		/* ID_AA64MMFR1_EL1.PAN */
	b.eq	1f
	msr	pan, #1			/* counts for AT S1E1RP and S1E1WP alone */
1:	mov	x0, #2
	stlr	x0, [x28]

wait:
	yield
	ldar	x0, [x28]
	cmp	x0, #1
	b.ne	wait

	/* struct at_job, from its registers on */
	add	x9, x28, #40
	ldp	x0, x1, [x9], #16
	msr	scr_el3, x0
	isb
	msr	hcr_el2, x1
	mov	x10, x1
	ldp	x0, x1, [x9], #16
	msr	sctlr_el1, x0
	msr	tcr_el1, x1
	ldp	x0, x1, [x9], #16
	msr	mair_el1, x0
	msr	ttbr0_el1, x1
	ldp	x0, x1, [x9], #16
	msr	ttbr1_el1, x0
	msr	sctlr_el2, x1
	ldp	x0, x1, [x9], #16
	msr	tcr_el2, x0
	msr	mair_el2, x1
	ldp	x0, x1, [x9], #16
	msr	ttbr0_el2, x0
	tbz	x10, #TTBR1_EL2_SKIP, 2f
	msr	s3_4_c2_c0_1, x1	/* TTBR1_EL2 */
2:	ldp	x0, x1, [x9], #16
	msr	vtcr_el2, x0
	msr	vttbr_el2, x1
	ldp	x11, x1, [x9], #16
	msr	tcr_el3, x1
	ldp	x0, x1, [x9], #16
	msr	mair_el3, x0
	msr	ttbr0_el3, x1
	isb
	tlbi	alle1
	tlbi	alle2
	tlbi	alle3
	dsb	sy
	isb
	mrs	x12, sctlr_el3
	msr	sctlr_el3, x11
	isb

	/* count, then struct at_access for each */
	ldr	x13, [x9], #8
	adr	x14, ops
next:
	cbz	x13, done
	ldp	x0, x1, [x9]
	str	xzr, [x9, #8]
	add	x1, x14, x1, lsl #3
	mov	x15, #0
	blr	x1
	isb
	cbnz	x15, 3f
	mrs	x15, par_el1
3:	str	x15, [x9, #16]
	add	x9, x9, #24
	sub	x13, x13, #1
	b	next
done:
	msr	sctlr_el3, x12
	isb
	mov	x0, #2
	stlr	x0, [x28]
	b	wait

	/* enum at_op */
	.align	3
ops:
	at	s1e0r, x0
	ret
	at	s1e0w, x0
	ret
	at	s1e1r, x0
	ret
	at	s1e1w, x0
	ret
	at	s1e1rp, x0
	ret
	at	s1e1wp, x0
	ret
	at	s12e0r, x0
	ret
	at	s12e0w, x0
	ret
	at	s12e1r, x0
	ret
	at	s12e1w, x0
	ret
	at	s1e2r, x0
	ret
	at	s1e2w, x0
	ret
	at	s1e3r, x0
	ret
	at	s1e3w, x0
	ret
	b	fetch_el0
	nop
	b	fetch_el1
	nop

	/*
	 * One instruction at x0, by software step with debug exceptions routed to EL2
	 * (MDCR_EL2.TDE): what EL1 takes ends at EL2 before the first instruction of its
	 * vector, of which QEMU wants no more than that it could be fetched. x15: 1 executed, ESR_EL1 with bit 63, ESR_EL2
	 * with bit 62; HPFAR_EL2 goes where the operation was.
	 */
fetch_el0:
	mov	x1, #0x3c0
	b	1f
fetch_el1:
	mov	x1, #0x3c5
1:	orr	x1, x1, #(1 << 21)
	msr	spsr_el3, x1
	msr	elr_el3, x0
	mov	x27, x0
	mov	x26, x30
	mov	x1, #(1 << 8)
	msr	mdcr_el2, x1
	mov	x1, #1
	msr	mdscr_el1, x1
	msr	oslar_el1, xzr
	adr	x1, vectors_el2
	msr	vbar_el2, x1
	ldr	x1, [x28, #8]
	msr	vbar_el1, x1
	mov	x25, #0
	isb
	eret
back:
	str	x25, [x9, #8]
	msr	mdscr_el1, xzr
	msr	mdcr_el2, xzr
	isb
	mov	x30, x26
	ret

	/*
	 * An external abort on the walk is taken as an exception: as PAR_EL1 would have it,
	 * F, FST and PTW, with bit 63 to tell.
	 */
	.align	11
vectors:
	.space	0x200
	mrs	x15, esr_el3
	and	x16, x15, #0x3f
	and	x15, x15, #0x80
	lsl	x15, x15, #1
	orr	x15, x15, x16, lsl #1
	orr	x15, x15, #1
	orr	x15, x15, #(1 << 63)
	mrs	x16, elr_el3
	add	x16, x16, #4
	msr	elr_el3, x16
	eret
	.space	0x1d4
	/* 0x400: the SMC of vectors_el2 */
	adr	x16, back
	msr	elr_el3, x16
	mov	x16, #0x3cd
	msr	spsr_el3, x16
	eret

	.align	11
vectors_el2:
	.space	0x400
	mrs	x15, esr_el2
	lsr	x16, x15, #26
	cmp	x16, #0x32		/* software step from a lower level */
	b.eq	1f
	orr	x15, x15, #(1 << 62)
	mrs	x25, hpfar_el2		/* kept for EL3: EL2 may be big-endian */
	smc	#0
1:	mrs	x15, elr_el2
	sub	x15, x15, x27
	cmp	x15, #4
	mov	x15, #1
	b.eq	2f
	mrs	x15, esr_el1
	orr	x15, x15, #(1 << 63)
2:	smc	#0
	.ltorg
