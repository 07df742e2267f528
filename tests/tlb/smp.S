// SPDX-License-Identifier: BSD-2-Clause
//
// A guest of four CPUs at EL1 or EL2 (-DEL=), MMU on: each goes for ever through a list of
// addresses, loads, stores or calls there, and notes what came of it and in which round. So
// a test reads from memory what every CPU sees. A fault is what came of it: ESR is noted,
// and the round goes on.
//
// Linked and loaded at 0x40200000. CPU 0 runs 1 GiB above that, so that the block under the
// others can be invalid for a moment while CPU 0 executes what is injected. smp.c fills the
// pages from 0x40300000 on with their own addresses, and with code that returns those.

#define ALIAS 0x40000000
#define LEAF  0x700 // AF, inner shareable, MAIR's first
#define BLOCK 1
#define TABLE 3
#define PAGE  3
#if EL == 1
#define REG(name) name##_el1
#define CALL	  hvc #0			       // PSCI's, where there is no EL2
#define TCR	  ((2 << 32) | (1 << 23) | 0x3500 | 16) // 40 bits out, no TTBR1, 48 bits in
#else
#define REG(name) name##_el2
#define CALL	  smc #0
#define TCR	  ((1 << 31) | (1 << 23) | (2 << 16) | 0x3500 | 16)
#endif
#define CPU_ON 0xc4000003

	.text
	.global	_start
_start:
	mov	x20, #1
1:	ldr	w0, =CPU_ON
	mov	x1, x20
	adr	x2, enter
	mov	x3, x20
	CALL
	add	x20, x20, #1
	cmp	x20, #4
	b.ne	1b
	mov	x0, #0
enter:					// x0: which CPU
	mov	x20, x0
	ldr	x0, =l0
	msr	REG(ttbr0), x0
	ldr	x0, =TCR
	msr	REG(tcr), x0
	mov	x0, #0xff
	msr	REG(mair), x0
	isb
	mrs	x0, REG(sctlr)
	orr	x0, x0, #1
	msr	REG(sctlr), x0
	isb
	cbnz	x20, run
	adr	x0, run
	mov	x1, #ALIAS
	add	x0, x0, x1
	br	x0

run:	adr	x0, vectors
	msr	REG(vbar), x0
	adrp	x21, reports
	add	x21, x21, x20, lsl #12		// this CPU's: rounds, then what was seen
	mov	x24, #0
round:	adr	x22, probes
	add	x23, x21, #16
next:	ldp	x1, x2, [x22], #16
	cbz	x1, 4f
	cbz	x2, 1f
	tbnz	x2, #1, 2f
	mov	x0, #0
	str	x24, [x1, x20, lsl #3]
	b	3f
1:	ldr	x0, [x1]
	b	3f
2:	blr	x1
3:	ldr	x3, [x23]
	cmp	x3, x0
	b.eq	1f
	stp	x0, x24, [x23]			// new: from this round on
1:	add	x23, x23, #16
	b	next
4:	add	x24, x24, #1
	str	x24, [x21]
	b	round

	.balign	8
probes: // address; 0: load, 1: store, 2: call. In this order in smp.c.
	.quad	0xc0004000, 0
	.quad	0xc0005000, 0
	.quad	0xc0006040, 1
	.quad	0xc0007010, 2
	.quad	0xc0211000, 0
	.quad	0xc0422000, 0
	.quad	0xc0423000, 0
	.quad	0xc05ff000, 0
	.quad	0x40308000, 0
	.quad	0x40309010, 2
	.quad	0, 0

	.balign	2048
vectors:
	.space	0x200
	mrs	x0, REG(esr)
	and	x0, x0, #~0x1ffff80		// EC, DFSC and WnR; the rest differs at EL2
	mrs	x16, REG(elr)
	add	x16, x16, #4			// a load or a store is left out,
	lsr	x17, x0, #26
	cmp	x17, #0x21
	csel	x16, x30, x16, eq		// a call comes back
	msr	REG(elr), x16
	eret
	.balign	4096
	.global	text_end
text_end:

	.data
	.global	reports, l2_far
	.balign	4096
reports:.space	4 * 4096
l0:	.quad	l1 + TABLE
	.balign	4096
l1:	.quad	0, l2_code + TABLE, l2_alias + TABLE, l2_near + TABLE
	.balign	4096
l2_code:.quad	0, 0x40200000 + LEAF + BLOCK
	.balign	4096
l2_alias:
	.quad	0, 0x40200000 + LEAF + BLOCK
	.balign	4096
l2_near:.quad	l3_near + TABLE, l3_next + TABLE, 0x40600000 + LEAF + BLOCK
	.balign	4096
l3_near:.quad	0, 0, 0, 0, 0x40404000 + LEAF + PAGE, 0x40405000 + LEAF + PAGE
	.quad	0x40406000 + LEAF + PAGE, 0x40407000 + LEAF + PAGE
	.balign	4096
l3_next:.space	0x11 * 8
	.quad	0x40411000 + LEAF + PAGE
	.balign	4096
l2_far:	.quad	l3_far + TABLE, l3_last + TABLE, 0x40800000 + LEAF + BLOCK // nothing leads here
	.balign	4096
l3_far:	.quad	0, 0, 0, 0, 0x40a04000 + LEAF + PAGE, 0x40a05000 + LEAF + PAGE
	.quad	0x40a06000 + LEAF + PAGE, 0x40a07000 + LEAF + PAGE
	.balign	4096
l3_last:.space	0x11 * 8
	.quad	0x40a11000 + LEAF + PAGE
	.balign	4096
