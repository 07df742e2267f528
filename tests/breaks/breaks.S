// SPDX-License-Identifier: BSD-2-Clause
//
// A guest that runs the same code at different addresses, as loaders and kernels do while
// they come up. Linked at 0xffffff8040200000, loaded at 0x40200000, where it begins with its
// MMU off, at EL1. It calls `shared` at its load address, there again with the MMU on, at its
// link address, and there once more with nothing mapped low; then f1 to f8, and `later`, which
// it has copied to physical 0x40300000. Another segment says that it is loaded at 0x80200000;
// what the guest executes at that virtual address is `other`, which is elsewhere.

#define TCR  ((2 << 32) | (3 << 28) | (25 << 16) | (3 << 12) | 25) // 39 bits in, either half
#define TCR1 (TCR | (2 << 30) | (1 << 26) | (1 << 24) | (1 << 10) | (1 << 8))
#define LEAF 0x701						    // AF, inner shareable
#define SHIFT 0xffffff8000000000

	.macro	low reg, symbol
	ldr	\reg, =\symbol - SHIFT
	.endm

	.text
	.global	_start, shared, other, high, end, later
_start:
	bl	shared
	// before anything is mapped: what `later` is copied to
	adr	x1, template
	ldr	x2, =0x40300000
	ldr	x3, [x1]
	str	x3, [x2]
	ldr	x3, [x1, #8]
	str	x3, [x2, #8]
	low	x0, tables
	msr	ttbr0_el1, x0
	msr	ttbr1_el1, x0
	ldr	x0, =TCR1
	msr	tcr_el1, x0
	mov	x0, #0xff
	msr	mair_el1, x0
	ic	iallu
	dsb	sy
	isb
	mrs	x0, sctlr_el1
	orr	x0, x0, #1
	msr	sctlr_el1, x0
	isb
	bl	shared
	ldr	x0, =0x80200000
	ldr	x1, =other
	ldr	x2, =_start
	sub	x1, x1, x2
	add	x0, x0, x1
	blr	x0
	ldr	x0, =high
	br	x0

high:	bl	shared
	low	x0, none
	msr	ttbr0_el1, x0
	dsb	sy
	tlbi	vmalle1
	dsb	sy
	isb
	bl	shared
	bl	f1
	bl	f2
	bl	f3
	bl	f4
	bl	f5
	bl	f6
	bl	f7
	bl	f8
	ldr	x0, =later
	blr	x0
end:	b	end

shared:	add	x19, x19, #1
	ret
other:	add	x20, x20, #1
	ret

	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8
	.global	f\n
f\n:	add	x21, x21, #1
	ret
	.endr

template:
	nop
	add	x22, x22, #1
	ret
	.ltorg

	.balign	4096
tables:	.quad	0, 0x40000000 + LEAF, 0x40000000 + LEAF
	.balign	4096
none:	.space	4096

	.section .wrong, "ax"
	.space	4096
	.set	later, SHIFT + 0x40300000
