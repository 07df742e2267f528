/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes an arm64 Linux Image of the probe behind it (Documentation/arch/arm64/booting.rst). */
	.section .text, "ax"
	b	_start
	.long	0
	.quad	0				/* text_offset */
	.quad	0x4000				/* image_size */
	.quad	10				/* 4 KiB pages, anywhere in RAM */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
