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
	b	fetch_el2
	nop
	b	fetch_el3
	nop

	/*
	 * One instruction at x0, an SMC: executed it ends at EL3 (from EL0, where it is
	 * undefined, by way of the vectors). What faults goes to vectors that are SMCs too:
	 * those at the job's address, in the regime under test, or ours at EL2 where its MMU
	 * is off. x15: 1 executed, else ESR_ELn with bit 60 + n; HPFAR_EL2 goes where the
	 * operation was.
	 */
fetch_el0:
	mov	x1, #0x3c0
	b	1f
fetch_el1:
	mov	x1, #0x3c5
	b	1f
fetch_el2:
	mov	x1, #0x3c9
1:	msr	spsr_el3, x1
	msr	elr_el3, x0
	mov	x27, x0
	mov	x26, x30
	mov	x25, #0
	ldr	x1, [x28, #8]
	msr	vbar_el1, x1
	mrs	x2, sctlr_el2
	tbnz	x2, #0, 2f
	adr	x1, vectors_el2
2:	msr	vbar_el2, x1
	isb
	eret
fetch_el3:
	mov	x26, x30
	mov	x25, #0
	ret	x0			/* no BR: that guarded pages would not like */
back:
	str	x25, [x9, #8]
	mov	x30, x26
	ret

	.align	11
vectors:
	.space	0x200
	mrs	x15, esr_el3
	lsr	x16, x15, #26
	cmp	x16, #0x25		/* data abort */
	b.ne	from_el3
	/*
	 * An external abort on the walk of an AT is taken as an exception: as PAR_EL1 would
	 * have it, F, FST and PTW, with bit 63 to tell.
	 */
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

	.org	vectors + 0x400
	mrs	x16, elr_el3
	sub	x16, x16, #4
	mov	x15, #1
	cmp	x16, x27
	b.eq	back
	mrs	x16, spsr_el3
	tbnz	x16, #3, 1f		/* from EL2 */
	mrs	x15, esr_el1
	mov	x16, #(1 << 61)
	b	2f
1:	mrs	x15, esr_el2
	mrs	x25, hpfar_el2
	mov	x16, #(1 << 62)
2:	lsr	x17, x15, #26
	orr	x15, x15, x16
	cbnz	x17, back
	mov	x15, #1			/* undefined: the SMC at EL0 */
	b	back

	.org	vectors + 0x800
from_el3:
	cmp	x16, #0x17		/* SMC */
	orr	x15, x15, #(1 << 63)
	b.ne	back
	mov	x15, #1
	b	back

	.align	11
vectors_el2:
	.space	0x400
	smc	#0
	.ltorg
