/* SPDX-License-Identifier: BSD-2-Clause */
/* What the assembly files share; its numbers are for C, too. */
#ifndef BATON_LOADER_ASM_H
#define BATON_LOADER_ASM_H

#define MAX_CPUS_SHIFT	3  /* BATON_IMAGE_MAX_CPUS */
#define STACK_SHIFT	11 /* STACK_SIZE */
#define TRAP_AREA_SHIFT 10
#define TRAP_FRAME_SIZE 304 /* struct trap_frame */
#define CURRENTEL_EL2	(2 << 2)
#define CURRENTEL_EL3	(3 << 2)

/* RES1 bits alone: MMU, caches and alignment checks off, little-endian. */
#define SCTLR_EL1_OFF 0x30d00800
#define SCTLR_EL2_OFF 0x30c50830
#define SCTLR_M	      (1 << 0)
#define SCTLR_C	      (1 << 2)
#define SCTLR_SA      (1 << 3)
#define SCTLR_I	      (1 << 12)
#define SCTLR_ON      (SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I)

#ifdef __ASSEMBLER__
/* clang-format off */

.macro function name
	.section .text.\name, "ax"
	.global \name
	.type \name, %function
	.balign 4
\name:
.endm

.macro end_function name
	.size \name, . - \name
.endm

.macro load_imm reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #(((\value) >> 16) & 0xffff), lsl #16
.endm

/* For each line of [start, end): start moves, tmp1 and tmp2 are lost. */
.macro dcache_range op, start, end, tmp1, tmp2
	mrs	\tmp1, ctr_el0
	ubfx	\tmp1, \tmp1, #16, #4		/* DminLine: log2 of the words in a line */
	mov	\tmp2, #4
	lsl	\tmp1, \tmp2, \tmp1
	sub	\tmp2, \tmp1, #1
	bic	\start, \start, \tmp2
2:	cmp	\start, \end
	b.hs	3f
	dc	\op, \start
	add	\start, \start, \tmp1
	b	2b
3:	dsb	sy
.endm

/* clang-format on */
#endif /* __ASSEMBLER__ */

#endif
