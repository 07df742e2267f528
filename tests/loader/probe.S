/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that does nothing but say how it was entered, one CPU after the
 * other: "probe: NAME=VALUE". It lives on the loader's tables. With PROBE_FAULT
 * each of so many CPUs reads where nothing is mapped, to see the loader's vectors.
 * UART: its address, QEMU's virt's without.
 * With PROBE_RIGHTS it uses what the levels above may have left trapped.
 */
	.arch	armv8.5-a+sve+sme+memtag+mops
#ifndef UART
#define UART 0x09000000
#endif
	.section .text, "ax"
	.global _start
_start:
	adrp	x28, data
	add	x28, x28, :lo12:data
	mrs	x29, tpidr_el1
	add	x27, x28, #8
	str	x0, [x27, x29, lsl #3]		/* by each CPU in memory of its own */
1:	ldar	x27, [x28]			/* whose turn is it? */
	cmp	x27, x29
	b.ne	1b

	.macro	say name, reg
	mov	x26, \reg
	adr	x25, 8f
	bl	put_line
	b	9f
8:	.asciz	"\name"
	.balign	4
9:
	.endm
	.macro	say_sysreg name, reg
	mrs	x24, \reg
	say	\name, x24
	.endm

	say_sysreg cpu, tpidr_el1
	say	x0, x0
	say	x1, x1
	say	x2, x2
	say	x3, x3
	say	x4, x4
	say	x5, x5
	adr	x24, .
	say	pc, x24
	say_sysreg daif, daif
	say_sysreg el, currentel
	say_sysreg mpidr, mpidr_el1
	mrs	x24, currentel
	cmp	x24, #8
	b.ne	2f
	say_sysreg sctlr, sctlr_el2
	say_sysreg tcr, tcr_el2
	say_sysreg mair, mair_el2
	say_sysreg cntvoff, cntvoff_el2
	b	3f
2:	say_sysreg sctlr, sctlr_el1
	say_sysreg tcr, tcr_el1
	say_sysreg mair, mair_el1
3:
#ifdef PROBE_RIGHTS
#include "rights.inc"
#endif
	say	end, x29
	add	x27, x29, #1
	stlr	x27, [x28]
#ifdef PROBE_FAULT
5:	ldar	x27, [x28]			/* lines of ours would get into the dumps */
	cmp	x27, #PROBE_FAULT
	b.lo	5b
	mov	x30, #0x1e1e
	mov	x0, #0x5500000000
	ldr	x1, [x0]
#endif
4:	wfi
	b	4b

/* x25: name, x26: value; x20 to x24 and x27 are lost. */
put_line:
	mov	x20, x30
	adr	x21, prefix
	bl	put_text
	mov	x21, x25
	bl	put_text
	mov	x22, #'='
	bl	put
	mov	x24, #60
1:	lsr	x22, x26, x24
	and	x22, x22, #15
	cmp	x22, #10
	add	x27, x22, #'0'
	add	x22, x22, #('a' - 10)
	csel	x22, x27, x22, lo
	bl	put
	subs	x24, x24, #4
	b.pl	1b
	mov	x22, #'\n'
	bl	put
	br	x20

put_text:
	mov	x23, x30
1:	ldrb	w22, [x21], #1
	cbz	w22, 2f
	bl	put
	b	1b
2:	br	x23

put:	movz	x27, #(UART >> 16), lsl #16
	movk	x27, #(UART & 0xffff)
	str	w22, [x27]
	ret

prefix:	.asciz	"probe: "

	.section .data, "aw"
	.balign	64
data:	.skip	8 + 8 * 8
