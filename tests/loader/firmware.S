/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may run before the loader, at its worst: whatever a level can trap is
 * trapped, EL2 has VHE on, the counter is shifted and has no frequency. Then it
 * goes to LOADER; with FIRMWARE_EL0 in EL0, as nobody should.
 */
	.text
	.global _start
_start:
	ldr	x9, =LOADER
	mrs	x0, currentel
	cmp	x0, #8
	b.lo	2f
	b.eq	1f
	msr	cntfrq_el0, xzr
	ldr	x0, =0x80100400			/* TCPAC, TTA, TFP */
	msr	cptr_el3, x0
	mov	x0, #0x640			/* TDOSA, TDA, TPM */
	msr	mdcr_el3, x0
	mov	x0, #0x3e			/* all to EL3, Secure below */
	msr	scr_el3, x0
	mrs	x0, id_aa64pfr0_el1
	tst	x0, #0xf00			/* EL2 is there? */
	b.eq	3f
1:	mov	x0, #0x1234
	msr	cntvoff_el2, x0
	msr	cnthctl_el2, xzr
	ldr	x0, =0x80107fff			/* TCPAC, TTA, TFP, TZ */
	msr	cptr_el2, x0
	mov	x0, #0xfe0			/* TDRA, TDOSA, TDA, TDE, HPME, TPM, TPMCR */
	msr	mdcr_el2, x0
	mov	x0, #-1
	msr	vpidr_el2, x0
	msr	vmpidr_el2, x0
	msr	hstr_el2, x0
	mrs	x0, id_aa64mmfr1_el1
	tst	x0, #0xf00			/* VHE is there? */
	ldr	x0, =0x4088000a			/* TRVM, TVM, TIDCP, TSC, and no RW */
	ldr	x1, =0x488000000		/* E2H, RW, TGE */
	csel	x0, x0, x1, eq
	msr	hcr_el2, x0
	b	3f
2:
#ifdef FIRMWARE_EL0
	msr	elr_el1, x9
	mov	x0, #0x3c0
	msr	spsr_el1, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	eret
	.balign	2048
vectors:
	.fill	16 * 32, 4, 0x14000000		/* b . */
#endif
3:	isb
	br	x9
	.ltorg
