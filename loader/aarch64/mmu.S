/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MMU and caches, off and on. What was pushed on one side of the switch has to
 * be found on the other, so the stack is cleaned and invalidated in between, and
 * nothing is pushed until the switch is made.
 */
#include "macros.inc"

/* x0, x1: what has to be in memory once the caches are off, the stack included. */
function mmu_disable
	mrs	x2, currentel
	cmp	x2, #CURRENTEL_EL2
	stp	x30, xzr, [sp, #-16]!
	b.hi	1f
	b.eq	2f
	bl	el1_mmu_disable
	b	3f
1:	bl	el3_mmu_disable
	b	3f
2:	bl	el2_mmu_disable
3:	ldr	x30, [sp], #16
	ret
end_function mmu_disable

function el1_mmu_disable
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	dcache_clean_invalidate
	load_imm x0, SCTLR_EL1_OFF
	msr	sctlr_el1, x0
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	sy
	isb
	ldp	x29, x30, [sp], #16
	ret
end_function el1_mmu_disable

function el2_mmu_disable
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	dcache_clean_invalidate
	load_imm x0, SCTLR_EL2_OFF
	msr	sctlr_el2, x0
	isb
	tlbi	alle2
	ic	iallu
	dsb	sy
	isb
	ldp	x29, x30, [sp], #16
	ret
end_function el2_mmu_disable

function el3_mmu_disable
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	dcache_clean_invalidate
	load_imm x0, SCTLR_EL3_OFF
	msr	sctlr_el3, x0
	isb
	tlbi	alle3
	ic	iallu
	dsb	sy
	isb
	ldp	x29, x30, [sp], #16
	ret
end_function el3_mmu_disable

/* x0: struct mmu_regs; x1, x2: the caller's stack. */
function el1_mmu_enable
	ldp	x5, x6, [x0]
	ldp	x7, x8, [x0, #16]
	dcache_range civac, x1, x2, x3, x4
	msr	mair_el1, x5
	msr	tcr_el1, x6
	msr	ttbr0_el1, x7
	msr	ttbr1_el1, x8
	isb
	tlbi	vmalle1
	ic	iallu				/* the kernel's code is new */
	dsb	nsh
	isb
	load_imm x0, (SCTLR_EL1_OFF | SCTLR_ON)
	msr	sctlr_el1, x0
	isb
	ret
end_function el1_mmu_enable

function el2_mmu_enable
	ldp	x5, x6, [x0]
	ldr	x7, [x0, #16]
	dcache_range civac, x1, x2, x3, x4
	msr	mair_el2, x5
	msr	tcr_el2, x6
	msr	ttbr0_el2, x7
	isb
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	load_imm x0, (SCTLR_EL2_OFF | SCTLR_ON)
	msr	sctlr_el2, x0
	isb
	ret
end_function el2_mmu_enable
