// SPDX-License-Identifier: BSD-2-Clause
//
// A guest that reads two pages for ever, so that a test can tell what the CPU sees
// from what the tables say: x1 is the first word at 0x40000000, x2 that at 0x40001000.
// Linked and loaded at 0x40200000; the level-3 table `one` maps the two pages to a and b,
// the table `two`, which nothing points to, maps them to c and d. At EL1, with -DEL=2 at EL2.

#if EL == 2
#define REG(name) name##_el2
#define TCR  ((1 << 31) | (1 << 23) | (2 << 16) | 0x3500 | 16)
#else
#define REG(name) name##_el1
#define TCR  ((2 << 32) | (1 << 23) | 0x3500 | 16) // 40 bits out, no TTBR1, 48 bits in
#endif
#define LEAF 0x700				    // AF, inner shareable, MAIR's first

	.text
	.global	_start
_start:
	ldr	x0, =zero
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
	ldr	x0, =vectors
	msr	REG(vbar), x0
	mov	x10, #0x40000000
	add	x11, x10, #0x1000
loop:	ldr	x1, [x10]
	ldr	x2, [x11]
	add	x3, x3, #1
	b	loop

	.balign	2048
vectors:
	.space	0x200
	b	.			// a synchronous exception from here: ESR and FAR stay

	.data
	.balign	4096
	.global	zero, one, two, a, b, c, d
zero:	.quad	first + 3
	.balign	4096
first:	.quad	0, second + 3
	.balign	4096
second:	.quad	one + 3, 0x40200000 + LEAF + 1
	.balign	4096
one:	.quad	a + LEAF + 3, b + LEAF + 3
	.balign	4096
two:	.quad	c + LEAF + 3, d + LEAF + 3
	.balign	4096
a:	.quad	0xaaaa
	.balign	4096
b:	.quad	0xbbbb
	.balign	4096
c:	.quad	0xcccc
	.balign	4096
d:	.quad	0xdddd
	.balign	4096
