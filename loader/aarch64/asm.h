/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that assembly and C share. */
#ifndef BATON_LOADER_ASM_H
#define BATON_LOADER_ASM_H

#define MAX_CPUS_SHIFT	      3	 /* BATON_IMAGE_MAX_CPUS */
#define STACK_SHIFT	      11 /* STACK_SIZE */
#define TRAP_AREA_SHIFT	      10
#define IMAGE_MAGIC	      0x5e14dead14de5ead /* BATON_IMAGE_MAGIC */
#define IMAGE_HEADER_SIZE     64
#define BOARD_MEMORY_START_AT 72 /* in struct baton_image_board */
#define BOARD_MEMORY_SIZE_AT  80
#define BOARD_UART_AT	      88
#define BOARD_CPUS_AT	      108
#define TRAP_FRAME_SIZE	      304 /* struct trap_frame */
#define CURRENTEL_EL2	      (2 << 2)

/* RES1 bits alone: MMU, caches and alignment checks off, little-endian. */
#define SCTLR_EL1_OFF 0x30d00800
#define SCTLR_EL2_OFF 0x30c50830
#define SCTLR_EL3_OFF SCTLR_EL2_OFF
#define SCTLR_M	      (1 << 0)
#define SCTLR_C	      (1 << 2)
#define SCTLR_SA      (1 << 3)
#define SCTLR_I	      (1 << 12)
#define SCTLR_ON      (SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I)

#endif
