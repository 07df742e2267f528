/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AArch64 stage 1 translation tables, 4 KiB granule, 48-bit addresses, for who
 * writes them: baton-mkimage the tables, the loader the registers. Who reads
 * tables has rows of its own on purpose: a definition that encoder and decoder
 * share proves nothing. Sections are those of the Arm ARM (DDI 0487).
 */
#ifndef BATON_VMSA_A64_H
#define BATON_VMSA_A64_H

#include <stdint.h>

/* D8.2.7 "VMSAv8-64 translation using the 4KB granule": 9 bits a level. */
#define VMSA_ENTRIES	       512
#define VMSA_SHIFT(level)      (39 - 9 * (level))
#define VMSA_BLOCK_SIZE(level) (UINT64_C(1) << VMSA_SHIFT(level))
#define VMSA_INDEX(va, level)  (((va) >> VMSA_SHIFT(level)) & (VMSA_ENTRIES - 1))
#define VMSA_VA_BITS	       48
#define VMSA_UPPER_START       (~UINT64_C(0) << VMSA_VA_BITS)

/* D8.3.1 "VMSAv8-64 descriptor formats". */
#define VMSA_TABLE	 UINT64_C(3)
#define VMSA_BLOCK	 UINT64_C(1)
#define VMSA_ATTR(index) ((uint64_t)(index) << 2)
#define VMSA_AP_RES1	 (UINT64_C(1) << 6) /* AP[1], where there is one privilege level */
#define VMSA_SH_OUTER	 (UINT64_C(2) << 8)
#define VMSA_SH_INNER	 (UINT64_C(3) << 8)
#define VMSA_AF		 (UINT64_C(1) << 10)
#define VMSA_PXN	 (UINT64_C(1) << 53) /* RES0 where there is one privilege level */
#define VMSA_XN		 (UINT64_C(1) << 54) /* UXN at EL1&0 */

/* MAIR_ELx: 0 Device-nGnRnE, 1 -nGnRE, 2 -GRE, 3 Normal non-cacheable, 4 write-back. */
#define VMSA_MAIR	 UINT64_C(0xff440c0400)
#define VMSA_MAIR_DEVICE 0
#define VMSA_MAIR_NORMAL 4

/*
 * TCR_EL1 (D19.2.139): T0SZ and T1SZ 16, 4 KiB granules (TG0 0b00, TG1 0b10),
 * walks through inner shareable, write-back memory. IPS and AS are the CPU's.
 */
#define VMSA_TCR_HALF	       UINT64_C(0x3510) /* SH0 0b11, ORGN0 and IRGN0 0b01, T0SZ 16 */
#define VMSA_TCR_EL1	       (UINT64_C(2) << 30 | VMSA_TCR_HALF << 16 | VMSA_TCR_HALF)
#define VMSA_TCR_EL1_IPS_SHIFT 32
#define VMSA_TCR_EL1_AS	       (UINT64_C(1) << 36)
/* TCR_EL2 with HCR_EL2.E2H 0 (D19.2.140): bits 31 and 23 are RES1. */
#define VMSA_TCR_EL2	      (UINT64_C(0x80800000) | VMSA_TCR_HALF)
#define VMSA_TCR_EL2_PS_SHIFT 16

#endif
