/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to the other loader (tests/loader2): it is linked high, wherever it is loaded, and what
 * stands here takes it there. All of them are right. MMU off but for ALIAS, at EL1. Linked at 0x60000000.
 *
 * HIGH     one copy
 * TWICE    a copy, and from there another one; the first one wipes out where it came from
 * RELOCATE a copy in which words among the instructions are other addresses
 * UNPACK   writes code, which is stored inverted, into its own image, and goes there
 * UNPACK_OUTSIDE, UNPACK_BRANCH: to other memory; and by a direct branch
 * OVERLAY  runs two programs at one place, one after the other
 * ALIAS    copies through another mapping of the same memory, and goes on in that
 * SECOND   another CPU stays in the old copy, and comes along later
 */
#define FIRST_COPY 0x58000000		/* TWICE */
#define OUTSIDE    0x50000000		/* UNPACK_OUTSIDE */
#define ALIAS_AT   0x40000000		/* ALIAS: from physical to virtual */

	.text
	.type	start, %function
start:
	/* x0: from, x1: to, x2: end */
	.macro	copy_to to
	adr	x0, start
	ldr	x1, =\to
	ldr	x2, =image_end
	ldr	x3, =start
	sub	x2, x2, x3
	add	x2, x0, x2
	bl	copy
	.endm

#if defined(TWICE)
	copy_to FIRST_COPY
	mov	x28, x0
	ldr	x9, =FIRST_COPY
	adr	x10, start
	sub	x9, x9, x10
	adr	x10, second_hop
	add	x9, x9, x10
	br	x9
second_hop:
	adr	x9, wiped
	mov	x1, #0x48000000
	add	x2, x1, #0x800
1:	str	xzr, [x1], #8
	cmp	x1, x2
	b.lo	1b
wiped:
	copy_to start
#elif defined(RELOCATE)
	copy_to start
	ldr	x1, =words
	adr	x3, words
	str	x1, [x1]
	str	x3, [x1, #8]
	mvn	x3, x3
	str	x3, [x1, #16]
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	ldr	x9, =relocated
	br	x9
	.balign	16
relocated:
	b	2f
	.balign	8
words:
	.quad	0, 0, 0
2:	mov	x9, #1
	nop
	nop
#elif defined(UNPACK) || defined(UNPACK_OUTSIDE) || defined(UNPACK_BRANCH)
	copy_to start
	adr	x0, packed
#ifdef UNPACK_OUTSIDE
	ldr	x1, =OUTSIDE
#else
	adr	x1, hole
#endif
	mov	x3, x1
	mov	x4, #16
1:	ldr	w5, [x0], #4
	mvn	w5, w5
	str	w5, [x1], #4
	subs	x4, x4, #1
	b.ne	1b
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	ldr	x9, =go
#ifdef UNPACK_BRANCH
	b	hole
#else
	br	x3
#endif
packed:
	/* the same inverted: nop, mov x10 #0x777, add x10 x10 #1, br x9 */
	.word	~0xd503201f, ~0xd280eeea, ~0x9100054a, ~0xd503201f
	.word	~0xd280eeea, ~0x9100054a, ~0xd503201f, ~0xd61f0120
	.fill	8, 4, ~0xd503201f
	.balign	16
	.word	0
hole:
	.fill	16, 4, 0
#elif defined(OVERLAY)
	copy_to start
	adr	x0, program_1
	bl	overlay
	adr	x0, program_2
	bl	overlay
	b	3f
program_1:
	mrs	x5, sctlr_el1
	msr	sctlr_el1, x5
	mov	x6, #1
	add	x6, x6, #1
	add	x6, x6, #2
	add	x6, x6, #3
	add	x6, x6, #4
	br	x30
program_2:
	mov	x6, #2
	add	x6, x6, #5
	msr	mair_el1, xzr
	add	x6, x6, #6
	add	x6, x6, #7
	add	x6, x6, #8
	add	x6, x6, #9
	br	x30
overlay:
	mov	x27, x30
	adr	x1, place
	mov	x3, x1
	mov	x4, #8
1:	ldr	w5, [x0], #4
	str	w5, [x1], #4
	subs	x4, x4, #1
	b.ne	1b
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	blr	x3
	br	x27
place:
	.fill	8, 4, 0xd503201f
3:
#elif defined(ALIAS)
	ldr	x0, =0x4ff
	msr	mair_el1, x0
	ldr	x0, =0x200803519
	msr	tcr_el1, x0
	adr	x0, alias_l1
	msr	ttbr0_el1, x0
	isb
	tlbi	vmalle1
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	mrs	x0, sctlr_el1
	orr	x0, x0, #1
	msr	sctlr_el1, x0
	isb
	adr	x9, 1f
	mov	x10, #ALIAS_AT
	add	x9, x9, x10
	br	x9
1:	copy_to start+ALIAS_AT
	ldr	x9, =2f + ALIAS_AT
	br	x9
2:	ldr	x9, =3f
	br	x9
3:	mrs	x0, sctlr_el1
	bic	x0, x0, #1
	msr	sctlr_el1, x0
	isb
#elif defined(SECOND)
	ldr	x0, =0xc4000003		/* CPU_ON */
	mov	x1, #1
	adr	x2, other
	mov	x3, #0
	hvc	#0
	adr	x5, flag
1:	ldr	w6, [x5]
	cbz	w6, 1b
	copy_to start
	mov	w6, #2
	adr	x5, flag
	str	w6, [x5]
	dsb	sy
	ldr	x9, =go
	br	x9
	.balign	16
other:
	adr	x5, flag
	mov	w6, #1
	str	w6, [x5]
	dsb	sy
	adr	x9, 4f
	br	x9
4:	ldr	w6, [x5]
	cmp	w6, #2
	b.ne	4b
	msr	mair_el1, xzr
	ldr	x9, =5f
	br	x9
5:	msr	tcr_el1, xzr
6:	wfi
	b	6b
flag:
	.word	0
	.balign	8
#else
	copy_to start
#endif
	ldr	x9, =go
	br	x9

copy:
	ldp	x4, x5, [x0], #16
	stp	x4, x5, [x1], #16
	cmp	x0, x2
	b.lo	copy
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	ret
	.size	start, . - start
	.ltorg

	.section .tables, "aw"
	.balign	4096
alias_l1:
	.quad	0x405 | 3 << 53
	.quad	0x40000701, 0x40000701	/* the same memory twice */
	.fill	509, 8, 0
	.text

#include "../loader2/loader2.S"

	.section .tables, "aw"
	.balign	4096
image_end:
