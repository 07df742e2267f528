/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving an image that was loaded where it is not linked. This runs at any
 * address, without a stack, and knows nothing of what is around it: start.S puts
 * a copy of it aside where the image is moved over itself. MMU and caches are off,
 * so all memory is Device-nGnRnE and wants aligned accesses (DDI 0487, B2.7.2).
 */
#include "macros.inc"

/* 64 bytes, in registers of \size bytes; all are read first, so near may they be. */
.macro move_line r, size
	ldp	\r\()4, \r\()5, [x1]
	ldp	\r\()6, \r\()7, [x1, #(2 * \size)]
	ldp	\r\()8, \r\()9, [x1, #(4 * \size)]
	ldp	\r\()10, \r\()11, [x1, #(6 * \size)]
	.if	\size == 4
	ldp	\r\()12, \r\()13, [x1, #32]
	ldp	\r\()14, \r\()15, [x1, #40]
	ldp	\r\()16, \r\()17, [x1, #48]
	ldp	\r\()3, \r\()18, [x1, #56]
	stp	\r\()12, \r\()13, [x0, #32]
	stp	\r\()14, \r\()15, [x0, #40]
	stp	\r\()16, \r\()17, [x0, #48]
	stp	\r\()3, \r\()18, [x0, #56]
	.endif
	stp	\r\()4, \r\()5, [x0]
	stp	\r\()6, \r\()7, [x0, #(2 * \size)]
	stp	\r\()8, \r\()9, [x0, #(4 * \size)]
	stp	\r\()10, \r\()11, [x0, #(6 * \size)]
.endm

.macro move r, size
	cmp	x0, x1
	b.hi	2f
1:	move_line \r, \size
	add	x0, x0, #64
	add	x1, x1, #64
	subs	x2, x2, #64
	b.hi	1b
	b	9f
2:	add	x0, x0, x2			/* to a higher address: from the end */
	add	x1, x1, x2
3:	sub	x0, x0, #64
	sub	x1, x1, #64
	move_line \r, \size
	subs	x2, x2, #64
	b.hi	3b
	b	9f
.endm

/* x30: where to go on, which may be what has been written. */
function image_move
	orr	x3, x0, x1
	tst	x3, #7
	b.ne	4f
	move	x, 8
4:	move	w, 4
9:	dsb	sy
	ic	iallu
	dsb	sy
	isb
	br	x30				/* no return, where the caller has been moved */

/* x0: a word that becomes 1 once there is code at x30; x1: one that becomes 1 by our being here. */
	.global	image_wait
image_wait:
	mov	w2, #1
	str	w2, [x1]
	dsb	sy
	ldr	w2, [x0]
	cbnz	w2, 9b
	wfe
	b	image_wait
	.global	image_move_end
image_move_end:
end_function image_move
