/* SPDX-License-Identifier: BSD-2-Clause */
/* Exception levels: where we are, what EL2 leaves behind, and the way down. */
#include "macros.inc"

function el_current
	mrs	x0, currentel
	ubfx	x0, x0, #2, #2
	ret
end_function el_current

function vectors_install
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	mrs	x1, currentel
	cmp	x1, #CURRENTEL_EL2
	b.hi	2f
	b.eq	1f
	msr	vbar_el1, x0
	isb
	ret
1:	msr	vbar_el2, x0
	isb
2:	ret
end_function vectors_install

function el2_setup
	mov	x0, #(1 << 31)			/* HCR_EL2: EL1 is AArch64; nothing trapped, no stage 2, no VHE */
	msr	hcr_el2, x0
	mov	x0, #3				/* EL1 may use the counter and the physical timer */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #0x33ff			/* CPTR_EL2: RES1 bits; FP and SIMD are not trapped */
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x0, midr_el1			/* what EL1 reads as its own identity */
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	isb
	ret
end_function el2_setup

function el2_drop_to_el1
	load_imm x0, SCTLR_EL1_OFF
	msr	sctlr_el1, x0
	mov	x0, sp
	msr	sp_el1, x0
	mov	x0, #0x3c5			/* EL1h, D A I F masked */
	msr	spsr_el2, x0
	msr	elr_el2, x30
	isb
	eret
end_function el2_drop_to_el1
