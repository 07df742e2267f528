/* SPDX-License-Identifier: BSD-2-Clause */
/* Exception levels: where we are, and the way down. */
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
	ret
2:	msr	vbar_el3, x0
	isb
	ret
end_function vectors_install

/* Its own registers are unknown before anybody has written them; el2_setup() does the rest. */
function el3_drop_to_el2
	mov	x0, #(1 << 31)			/* HCR_EL2: EL1 is AArch64, no VHE */
	msr	hcr_el2, x0
	load_imm x0, SCTLR_EL2_OFF
	msr	sctlr_el2, x0
	mov	x0, sp
	msr	sp_el2, x0
	mov	x0, #0x3c9			/* EL2h, D A I F masked */
	b	el3_leave
end_function el3_drop_to_el2

function el3_drop_to_el1
	load_imm x0, SCTLR_EL1_OFF
	msr	sctlr_el1, x0
	mov	x0, sp
	msr	sp_el1, x0
	mov	x0, #0x3c5			/* EL1h, D A I F masked */
	b	el3_leave
end_function el3_drop_to_el1

function el3_leave
	msr	spsr_el3, x0
	msr	elr_el3, x30
	isb
	eret
end_function el3_leave

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

/*
 * At EL0 nothing can be asked without a trap to who is above, so _start goes on
 * after this and ends there. But DC ZVA is prohibited by SCTLR_EL1.DZE 0, at EL0
 * alone (at EL1 by HCR_EL2.TDZ, which nobody sets): reason enough for a line, which
 * the console takes from EL0 as well while the MMU is off. No address is linked.
 */
function el0_say
	adr	x2, board
	load_pair 3, 4, x2, BOARD_UART_AT
	adr	x2, 4f
1:	ldrb	w4, [x2], #1
	cbz	w4, 3f
2:	ldr	w5, [x3, #0x18]			/* UARTFR.TXFF */
	tbnz	w5, #5, 2b
	str	w4, [x3]
	b	1b
3:	b	going_on
4:	.ascii	"LDR|ERROR: DC ZVA is prohibited, as it is at EL0, where this loader cannot work: "
	.asciz	"enter it at EL1, EL2 or EL3 (firmware: by a branch, not by an eret to EL0)\r\n"
	.balign	4
end_function el0_say
