// SPDX-License-Identifier: BSD-2-Clause
/* System registers by encoding (DDI 0487, D23.3), those that a bring-up meets. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mmu/sysreg.h"

#define ENC(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static const struct {
	uint16_t encoding;
	const char *name;
} names[] = {
	{ ENC(3, 0, 0, 0, 0), "MIDR_EL1" },
	{ ENC(3, 0, 0, 0, 5), "MPIDR_EL1" },
	{ ENC(3, 0, 0, 0, 6), "REVIDR_EL1" },
	{ ENC(3, 0, 0, 4, 0), "ID_AA64PFR0_EL1" },
	{ ENC(3, 0, 0, 4, 1), "ID_AA64PFR1_EL1" },
	{ ENC(3, 0, 0, 4, 2), "ID_AA64PFR2_EL1" },
	{ ENC(3, 0, 0, 4, 4), "ID_AA64ZFR0_EL1" },
	{ ENC(3, 0, 0, 4, 5), "ID_AA64SMFR0_EL1" },
	{ ENC(3, 0, 0, 5, 0), "ID_AA64DFR0_EL1" },
	{ ENC(3, 0, 0, 5, 1), "ID_AA64DFR1_EL1" },
	{ ENC(3, 0, 0, 5, 4), "ID_AA64AFR0_EL1" },
	{ ENC(3, 0, 0, 5, 5), "ID_AA64AFR1_EL1" },
	{ ENC(3, 0, 0, 6, 0), "ID_AA64ISAR0_EL1" },
	{ ENC(3, 0, 0, 6, 1), "ID_AA64ISAR1_EL1" },
	{ ENC(3, 0, 0, 6, 2), "ID_AA64ISAR2_EL1" },
	{ ENC(3, 0, 0, 7, 0), "ID_AA64MMFR0_EL1" },
	{ ENC(3, 0, 0, 7, 1), "ID_AA64MMFR1_EL1" },
	{ ENC(3, 0, 0, 7, 2), "ID_AA64MMFR2_EL1" },
	{ ENC(3, 0, 0, 7, 3), "ID_AA64MMFR3_EL1" },
	{ ENC(3, 0, 0, 7, 4), "ID_AA64MMFR4_EL1" },
	{ ENC(3, 0, 1, 0, 0), "SCTLR_EL1" },
	{ ENC(3, 0, 1, 0, 1), "ACTLR_EL1" },
	{ ENC(3, 0, 1, 0, 2), "CPACR_EL1" },
	{ ENC(3, 0, 1, 0, 3), "SCTLR2_EL1" },
	{ ENC(3, 0, 1, 0, 5), "RGSR_EL1" },
	{ ENC(3, 0, 1, 0, 6), "GCR_EL1" },
	{ ENC(3, 0, 1, 2, 0), "ZCR_EL1" },
	{ ENC(3, 0, 1, 2, 1), "TRFCR_EL1" },
	{ ENC(3, 0, 1, 2, 4), "SMPRI_EL1" },
	{ ENC(3, 0, 1, 2, 6), "SMCR_EL1" },
	{ ENC(3, 0, 2, 0, 0), "TTBR0_EL1" },
	{ ENC(3, 0, 2, 0, 1), "TTBR1_EL1" },
	{ ENC(3, 0, 2, 0, 2), "TCR_EL1" },
	{ ENC(3, 0, 2, 0, 3), "TCR2_EL1" },
	{ ENC(3, 0, 2, 1, 0), "APIAKeyLo_EL1" },
	{ ENC(3, 0, 2, 1, 1), "APIAKeyHi_EL1" },
	{ ENC(3, 0, 2, 1, 2), "APIBKeyLo_EL1" },
	{ ENC(3, 0, 2, 1, 3), "APIBKeyHi_EL1" },
	{ ENC(3, 0, 2, 2, 0), "APDAKeyLo_EL1" },
	{ ENC(3, 0, 2, 2, 1), "APDAKeyHi_EL1" },
	{ ENC(3, 0, 2, 2, 2), "APDBKeyLo_EL1" },
	{ ENC(3, 0, 2, 2, 3), "APDBKeyHi_EL1" },
	{ ENC(3, 0, 2, 3, 0), "APGAKeyLo_EL1" },
	{ ENC(3, 0, 2, 3, 1), "APGAKeyHi_EL1" },
	{ ENC(3, 0, 4, 0, 0), "SPSR_EL1" },
	{ ENC(3, 0, 4, 0, 1), "ELR_EL1" },
	{ ENC(3, 0, 4, 1, 0), "SP_EL0" },
	{ ENC(3, 0, 4, 2, 0), "SPSel" },
	{ ENC(3, 0, 4, 2, 2), "CurrentEL" },
	{ ENC(3, 0, 4, 2, 3), "PAN" },
	{ ENC(3, 0, 4, 2, 4), "UAO" },
	{ ENC(3, 0, 4, 6, 0), "ICC_PMR_EL1" },
	{ ENC(3, 0, 5, 1, 0), "AFSR0_EL1" },
	{ ENC(3, 0, 5, 1, 1), "AFSR1_EL1" },
	{ ENC(3, 0, 5, 2, 0), "ESR_EL1" },
	{ ENC(3, 0, 5, 3, 0), "ERRIDR_EL1" },
	{ ENC(3, 0, 5, 3, 1), "ERRSELR_EL1" },
	{ ENC(3, 0, 5, 6, 0), "TFSR_EL1" },
	{ ENC(3, 0, 5, 6, 1), "TFSRE0_EL1" },
	{ ENC(3, 0, 6, 0, 0), "FAR_EL1" },
	{ ENC(3, 0, 7, 4, 0), "PAR_EL1" },
	{ ENC(3, 0, 9, 14, 1), "PMINTENSET_EL1" },
	{ ENC(3, 0, 9, 14, 2), "PMINTENCLR_EL1" },
	{ ENC(3, 0, 9, 14, 6), "PMMIR_EL1" },
	{ ENC(3, 0, 10, 2, 0), "MAIR_EL1" },
	{ ENC(3, 0, 10, 2, 2), "PIRE0_EL1" },
	{ ENC(3, 0, 10, 2, 3), "PIR_EL1" },
	{ ENC(3, 0, 10, 3, 0), "AMAIR_EL1" },
	{ ENC(3, 0, 10, 4, 0), "LORSA_EL1" },
	{ ENC(3, 0, 10, 4, 1), "LOREA_EL1" },
	{ ENC(3, 0, 10, 4, 2), "LORN_EL1" },
	{ ENC(3, 0, 10, 4, 3), "LORC_EL1" },
	{ ENC(3, 0, 10, 4, 7), "LORID_EL1" },
	{ ENC(3, 0, 10, 5, 0), "MPAM1_EL1" },
	{ ENC(3, 0, 10, 5, 1), "MPAM0_EL1" },
	{ ENC(3, 0, 12, 0, 0), "VBAR_EL1" },
	{ ENC(3, 0, 12, 0, 1), "RVBAR_EL1" },
	{ ENC(3, 0, 12, 0, 2), "RMR_EL1" },
	{ ENC(3, 0, 12, 1, 0), "ISR_EL1" },
	{ ENC(3, 0, 12, 1, 1), "DISR_EL1" },
	{ ENC(3, 0, 12, 8, 0), "ICC_IAR0_EL1" },
	{ ENC(3, 0, 12, 8, 1), "ICC_EOIR0_EL1" },
	{ ENC(3, 0, 12, 8, 2), "ICC_HPPIR0_EL1" },
	{ ENC(3, 0, 12, 8, 3), "ICC_BPR0_EL1" },
	{ ENC(3, 0, 12, 8, 4), "ICC_AP0R0_EL1" },
	{ ENC(3, 0, 12, 9, 0), "ICC_AP1R0_EL1" },
	{ ENC(3, 0, 12, 11, 1), "ICC_DIR_EL1" },
	{ ENC(3, 0, 12, 11, 3), "ICC_RPR_EL1" },
	{ ENC(3, 0, 12, 11, 5), "ICC_SGI1R_EL1" },
	{ ENC(3, 0, 12, 11, 6), "ICC_ASGI1R_EL1" },
	{ ENC(3, 0, 12, 11, 7), "ICC_SGI0R_EL1" },
	{ ENC(3, 0, 12, 12, 0), "ICC_IAR1_EL1" },
	{ ENC(3, 0, 12, 12, 1), "ICC_EOIR1_EL1" },
	{ ENC(3, 0, 12, 12, 2), "ICC_HPPIR1_EL1" },
	{ ENC(3, 0, 12, 12, 3), "ICC_BPR1_EL1" },
	{ ENC(3, 0, 12, 12, 4), "ICC_CTLR_EL1" },
	{ ENC(3, 0, 12, 12, 5), "ICC_SRE_EL1" },
	{ ENC(3, 0, 12, 12, 6), "ICC_IGRPEN0_EL1" },
	{ ENC(3, 0, 12, 12, 7), "ICC_IGRPEN1_EL1" },
	{ ENC(3, 0, 13, 0, 1), "CONTEXTIDR_EL1" },
	{ ENC(3, 0, 13, 0, 4), "TPIDR_EL1" },
	{ ENC(3, 0, 13, 0, 5), "ACCDATA_EL1" },
	{ ENC(3, 0, 13, 0, 7), "SCXTNUM_EL1" },
	{ ENC(3, 0, 14, 1, 0), "CNTKCTL_EL1" },
	{ ENC(3, 1, 0, 0, 0), "CCSIDR_EL1" },
	{ ENC(3, 1, 0, 0, 1), "CLIDR_EL1" },
	{ ENC(3, 1, 0, 0, 2), "CCSIDR2_EL1" },
	{ ENC(3, 1, 0, 0, 4), "GMID_EL1" },
	{ ENC(3, 1, 0, 0, 6), "SMIDR_EL1" },
	{ ENC(3, 1, 0, 0, 7), "AIDR_EL1" },
	{ ENC(3, 2, 0, 0, 0), "CSSELR_EL1" },
	{ ENC(3, 3, 0, 0, 1), "CTR_EL0" },
	{ ENC(3, 3, 0, 0, 7), "DCZID_EL0" },
	{ ENC(3, 3, 2, 4, 0), "RNDR" },
	{ ENC(3, 3, 2, 4, 1), "RNDRRS" },
	{ ENC(3, 3, 4, 2, 0), "NZCV" },
	{ ENC(3, 3, 4, 2, 1), "DAIF" },
	{ ENC(3, 3, 4, 2, 2), "SVCR" },
	{ ENC(3, 3, 4, 2, 5), "DIT" },
	{ ENC(3, 3, 4, 2, 6), "SSBS" },
	{ ENC(3, 3, 4, 2, 7), "TCO" },
	{ ENC(3, 3, 4, 4, 0), "FPCR" },
	{ ENC(3, 3, 4, 4, 1), "FPSR" },
	{ ENC(3, 3, 9, 12, 0), "PMCR_EL0" },
	{ ENC(3, 3, 9, 12, 1), "PMCNTENSET_EL0" },
	{ ENC(3, 3, 9, 12, 2), "PMCNTENCLR_EL0" },
	{ ENC(3, 3, 9, 12, 3), "PMOVSCLR_EL0" },
	{ ENC(3, 3, 9, 12, 4), "PMSWINC_EL0" },
	{ ENC(3, 3, 9, 12, 5), "PMSELR_EL0" },
	{ ENC(3, 3, 9, 12, 6), "PMCEID0_EL0" },
	{ ENC(3, 3, 9, 12, 7), "PMCEID1_EL0" },
	{ ENC(3, 3, 9, 13, 0), "PMCCNTR_EL0" },
	{ ENC(3, 3, 9, 13, 1), "PMXEVTYPER_EL0" },
	{ ENC(3, 3, 9, 13, 2), "PMXEVCNTR_EL0" },
	{ ENC(3, 3, 9, 14, 0), "PMUSERENR_EL0" },
	{ ENC(3, 3, 9, 14, 3), "PMOVSSET_EL0" },
	{ ENC(3, 3, 13, 0, 2), "TPIDR_EL0" },
	{ ENC(3, 3, 13, 0, 3), "TPIDRRO_EL0" },
	{ ENC(3, 3, 13, 0, 5), "TPIDR2_EL0" },
	{ ENC(3, 3, 13, 0, 7), "SCXTNUM_EL0" },
	{ ENC(3, 3, 14, 0, 0), "CNTFRQ_EL0" },
	{ ENC(3, 3, 14, 0, 1), "CNTPCT_EL0" },
	{ ENC(3, 3, 14, 0, 2), "CNTVCT_EL0" },
	{ ENC(3, 3, 14, 0, 5), "CNTPCTSS_EL0" },
	{ ENC(3, 3, 14, 0, 6), "CNTVCTSS_EL0" },
	{ ENC(3, 3, 14, 2, 0), "CNTP_TVAL_EL0" },
	{ ENC(3, 3, 14, 2, 1), "CNTP_CTL_EL0" },
	{ ENC(3, 3, 14, 2, 2), "CNTP_CVAL_EL0" },
	{ ENC(3, 3, 14, 3, 0), "CNTV_TVAL_EL0" },
	{ ENC(3, 3, 14, 3, 1), "CNTV_CTL_EL0" },
	{ ENC(3, 3, 14, 3, 2), "CNTV_CVAL_EL0" },
	{ ENC(3, 3, 14, 8, 0), "PMEVCNTR0_EL0" },
	{ ENC(3, 3, 14, 8, 1), "PMEVCNTR1_EL0" },
	{ ENC(3, 3, 14, 8, 2), "PMEVCNTR2_EL0" },
	{ ENC(3, 3, 14, 8, 3), "PMEVCNTR3_EL0" },
	{ ENC(3, 3, 14, 8, 4), "PMEVCNTR4_EL0" },
	{ ENC(3, 3, 14, 8, 5), "PMEVCNTR5_EL0" },
	{ ENC(3, 3, 14, 12, 0), "PMEVTYPER0_EL0" },
	{ ENC(3, 3, 14, 12, 1), "PMEVTYPER1_EL0" },
	{ ENC(3, 3, 14, 12, 2), "PMEVTYPER2_EL0" },
	{ ENC(3, 3, 14, 12, 3), "PMEVTYPER3_EL0" },
	{ ENC(3, 3, 14, 12, 4), "PMEVTYPER4_EL0" },
	{ ENC(3, 3, 14, 12, 5), "PMEVTYPER5_EL0" },
	{ ENC(3, 3, 14, 15, 7), "PMCCFILTR_EL0" },
	{ ENC(3, 4, 0, 0, 0), "VPIDR_EL2" },
	{ ENC(3, 4, 0, 0, 5), "VMPIDR_EL2" },
	{ ENC(3, 4, 1, 0, 0), "SCTLR_EL2" },
	{ ENC(3, 4, 1, 0, 1), "ACTLR_EL2" },
	{ ENC(3, 4, 1, 1, 0), "HCR_EL2" },
	{ ENC(3, 4, 1, 1, 1), "MDCR_EL2" },
	{ ENC(3, 4, 1, 1, 2), "CPTR_EL2" },
	{ ENC(3, 4, 1, 1, 3), "HSTR_EL2" },
	{ ENC(3, 4, 1, 1, 4), "HFGRTR_EL2" },
	{ ENC(3, 4, 1, 1, 5), "HFGWTR_EL2" },
	{ ENC(3, 4, 1, 1, 6), "HFGITR_EL2" },
	{ ENC(3, 4, 1, 1, 7), "HACR_EL2" },
	{ ENC(3, 4, 1, 2, 0), "ZCR_EL2" },
	{ ENC(3, 4, 1, 2, 2), "HCRX_EL2" },
	{ ENC(3, 4, 1, 2, 5), "SMPRIMAP_EL2" },
	{ ENC(3, 4, 1, 2, 6), "SMCR_EL2" },
	{ ENC(3, 4, 2, 0, 0), "TTBR0_EL2" },
	{ ENC(3, 4, 2, 0, 1), "TTBR1_EL2" },
	{ ENC(3, 4, 2, 0, 2), "TCR_EL2" },
	{ ENC(3, 4, 2, 0, 3), "TCR2_EL2" },
	{ ENC(3, 4, 2, 1, 0), "VTTBR_EL2" },
	{ ENC(3, 4, 2, 1, 2), "VTCR_EL2" },
	{ ENC(3, 4, 2, 6, 0), "VSTTBR_EL2" },
	{ ENC(3, 4, 2, 6, 2), "VSTCR_EL2" },
	{ ENC(3, 4, 3, 0, 0), "DACR32_EL2" },
	{ ENC(3, 4, 3, 1, 4), "HDFGRTR_EL2" },
	{ ENC(3, 4, 3, 1, 5), "HDFGWTR_EL2" },
	{ ENC(3, 4, 3, 1, 6), "HAFGRTR_EL2" },
	{ ENC(3, 4, 4, 0, 0), "SPSR_EL2" },
	{ ENC(3, 4, 4, 0, 1), "ELR_EL2" },
	{ ENC(3, 4, 4, 1, 0), "SP_EL1" },
	{ ENC(3, 4, 4, 3, 0), "SPSR_irq" },
	{ ENC(3, 4, 4, 3, 1), "SPSR_abt" },
	{ ENC(3, 4, 4, 3, 2), "SPSR_und" },
	{ ENC(3, 4, 4, 3, 3), "SPSR_fiq" },
	{ ENC(3, 4, 5, 0, 1), "IFSR32_EL2" },
	{ ENC(3, 4, 5, 1, 0), "AFSR0_EL2" },
	{ ENC(3, 4, 5, 1, 1), "AFSR1_EL2" },
	{ ENC(3, 4, 5, 2, 0), "ESR_EL2" },
	{ ENC(3, 4, 5, 2, 3), "VSESR_EL2" },
	{ ENC(3, 4, 5, 3, 0), "FPEXC32_EL2" },
	{ ENC(3, 4, 5, 6, 0), "TFSR_EL2" },
	{ ENC(3, 4, 6, 0, 0), "FAR_EL2" },
	{ ENC(3, 4, 6, 0, 4), "HPFAR_EL2" },
	{ ENC(3, 4, 10, 2, 0), "MAIR_EL2" },
	{ ENC(3, 4, 10, 3, 0), "AMAIR_EL2" },
	{ ENC(3, 4, 12, 0, 0), "VBAR_EL2" },
	{ ENC(3, 4, 12, 0, 1), "RVBAR_EL2" },
	{ ENC(3, 4, 12, 0, 2), "RMR_EL2" },
	{ ENC(3, 4, 12, 1, 1), "VDISR_EL2" },
	{ ENC(3, 4, 12, 8, 0), "ICH_AP0R0_EL2" },
	{ ENC(3, 4, 12, 9, 0), "ICH_AP1R0_EL2" },
	{ ENC(3, 4, 12, 9, 5), "ICC_SRE_EL2" },
	{ ENC(3, 4, 12, 11, 0), "ICH_HCR_EL2" },
	{ ENC(3, 4, 12, 11, 1), "ICH_VTR_EL2" },
	{ ENC(3, 4, 12, 11, 2), "ICH_MISR_EL2" },
	{ ENC(3, 4, 12, 11, 3), "ICH_EISR_EL2" },
	{ ENC(3, 4, 12, 11, 5), "ICH_ELRSR_EL2" },
	{ ENC(3, 4, 12, 11, 7), "ICH_VMCR_EL2" },
	{ ENC(3, 4, 12, 12, 0), "ICH_LR0_EL2" },
	{ ENC(3, 4, 12, 12, 1), "ICH_LR1_EL2" },
	{ ENC(3, 4, 12, 12, 2), "ICH_LR2_EL2" },
	{ ENC(3, 4, 12, 12, 3), "ICH_LR3_EL2" },
	{ ENC(3, 4, 13, 0, 1), "CONTEXTIDR_EL2" },
	{ ENC(3, 4, 13, 0, 2), "TPIDR_EL2" },
	{ ENC(3, 4, 13, 0, 7), "SCXTNUM_EL2" },
	{ ENC(3, 4, 14, 0, 3), "CNTVOFF_EL2" },
	{ ENC(3, 4, 14, 1, 0), "CNTHCTL_EL2" },
	{ ENC(3, 4, 14, 2, 0), "CNTHP_TVAL_EL2" },
	{ ENC(3, 4, 14, 2, 1), "CNTHP_CTL_EL2" },
	{ ENC(3, 4, 14, 2, 2), "CNTHP_CVAL_EL2" },
	{ ENC(3, 4, 14, 3, 0), "CNTHV_TVAL_EL2" },
	{ ENC(3, 4, 14, 3, 1), "CNTHV_CTL_EL2" },
	{ ENC(3, 4, 14, 3, 2), "CNTHV_CVAL_EL2" },
	{ ENC(3, 5, 1, 0, 0), "SCTLR_EL12" },
	{ ENC(3, 5, 1, 0, 2), "CPACR_EL12" },
	{ ENC(3, 5, 1, 2, 0), "ZCR_EL12" },
	{ ENC(3, 5, 1, 2, 6), "SMCR_EL12" },
	{ ENC(3, 5, 2, 0, 0), "TTBR0_EL12" },
	{ ENC(3, 5, 2, 0, 1), "TTBR1_EL12" },
	{ ENC(3, 5, 2, 0, 2), "TCR_EL12" },
	{ ENC(3, 5, 4, 0, 0), "SPSR_EL12" },
	{ ENC(3, 5, 4, 0, 1), "ELR_EL12" },
	{ ENC(3, 5, 5, 1, 0), "AFSR0_EL12" },
	{ ENC(3, 5, 5, 1, 1), "AFSR1_EL12" },
	{ ENC(3, 5, 5, 2, 0), "ESR_EL12" },
	{ ENC(3, 5, 6, 0, 0), "FAR_EL12" },
	{ ENC(3, 5, 10, 2, 0), "MAIR_EL12" },
	{ ENC(3, 5, 10, 3, 0), "AMAIR_EL12" },
	{ ENC(3, 5, 12, 0, 0), "VBAR_EL12" },
	{ ENC(3, 5, 13, 0, 1), "CONTEXTIDR_EL12" },
	{ ENC(3, 5, 13, 0, 7), "SCXTNUM_EL12" },
	{ ENC(3, 5, 14, 1, 0), "CNTKCTL_EL12" },
	{ ENC(3, 5, 14, 2, 1), "CNTP_CTL_EL02" },
	{ ENC(3, 5, 14, 2, 2), "CNTP_CVAL_EL02" },
	{ ENC(3, 5, 14, 3, 1), "CNTV_CTL_EL02" },
	{ ENC(3, 5, 14, 3, 2), "CNTV_CVAL_EL02" },
	{ ENC(3, 6, 1, 0, 0), "SCTLR_EL3" },
	{ ENC(3, 6, 1, 0, 1), "ACTLR_EL3" },
	{ ENC(3, 6, 1, 1, 0), "SCR_EL3" },
	{ ENC(3, 6, 1, 1, 1), "SDER32_EL3" },
	{ ENC(3, 6, 1, 1, 2), "CPTR_EL3" },
	{ ENC(3, 6, 1, 2, 0), "ZCR_EL3" },
	{ ENC(3, 6, 1, 2, 6), "SMCR_EL3" },
	{ ENC(3, 6, 1, 3, 1), "MDCR_EL3" },
	{ ENC(3, 6, 2, 0, 0), "TTBR0_EL3" },
	{ ENC(3, 6, 2, 0, 2), "TCR_EL3" },
	{ ENC(3, 6, 2, 1, 4), "GPTBR_EL3" },
	{ ENC(3, 6, 2, 1, 6), "GPCCR_EL3" },
	{ ENC(3, 6, 4, 0, 0), "SPSR_EL3" },
	{ ENC(3, 6, 4, 0, 1), "ELR_EL3" },
	{ ENC(3, 6, 4, 1, 0), "SP_EL2" },
	{ ENC(3, 6, 5, 1, 0), "AFSR0_EL3" },
	{ ENC(3, 6, 5, 1, 1), "AFSR1_EL3" },
	{ ENC(3, 6, 5, 2, 0), "ESR_EL3" },
	{ ENC(3, 6, 5, 6, 0), "TFSR_EL3" },
	{ ENC(3, 6, 6, 0, 0), "FAR_EL3" },
	{ ENC(3, 6, 6, 0, 5), "MFAR_EL3" },
	{ ENC(3, 6, 10, 2, 0), "MAIR_EL3" },
	{ ENC(3, 6, 10, 3, 0), "AMAIR_EL3" },
	{ ENC(3, 6, 12, 0, 0), "VBAR_EL3" },
	{ ENC(3, 6, 12, 0, 1), "RVBAR_EL3" },
	{ ENC(3, 6, 12, 0, 2), "RMR_EL3" },
	{ ENC(3, 6, 12, 12, 4), "ICC_CTLR_EL3" },
	{ ENC(3, 6, 12, 12, 5), "ICC_SRE_EL3" },
	{ ENC(3, 6, 12, 12, 7), "ICC_IGRPEN1_EL3" },
	{ ENC(3, 6, 13, 0, 2), "TPIDR_EL3" },
	{ ENC(3, 6, 13, 0, 7), "SCXTNUM_EL3" },
	{ ENC(3, 7, 14, 2, 0), "CNTPS_TVAL_EL1" },
	{ ENC(3, 7, 14, 2, 1), "CNTPS_CTL_EL1" },
	{ ENC(3, 7, 14, 2, 2), "CNTPS_CVAL_EL1" },
	{ ENC(2, 0, 0, 0, 4), "DBGBVR0_EL1" },
	{ ENC(2, 0, 0, 0, 5), "DBGBCR0_EL1" },
	{ ENC(2, 0, 0, 0, 6), "DBGWVR0_EL1" },
	{ ENC(2, 0, 0, 0, 7), "DBGWCR0_EL1" },
	{ ENC(2, 0, 0, 1, 4), "DBGBVR1_EL1" },
	{ ENC(2, 0, 0, 1, 5), "DBGBCR1_EL1" },
	{ ENC(2, 0, 0, 1, 6), "DBGWVR1_EL1" },
	{ ENC(2, 0, 0, 1, 7), "DBGWCR1_EL1" },
	{ ENC(2, 0, 0, 2, 2), "MDSCR_EL1" },
	{ ENC(2, 0, 0, 2, 4), "DBGBVR2_EL1" },
	{ ENC(2, 0, 0, 2, 5), "DBGBCR2_EL1" },
	{ ENC(2, 0, 0, 2, 6), "DBGWVR2_EL1" },
	{ ENC(2, 0, 0, 2, 7), "DBGWCR2_EL1" },
	{ ENC(2, 0, 0, 3, 4), "DBGBVR3_EL1" },
	{ ENC(2, 0, 0, 3, 5), "DBGBCR3_EL1" },
	{ ENC(2, 0, 0, 3, 6), "DBGWVR3_EL1" },
	{ ENC(2, 0, 0, 3, 7), "DBGWCR3_EL1" },
	{ ENC(2, 0, 0, 4, 4), "DBGBVR4_EL1" },
	{ ENC(2, 0, 0, 4, 5), "DBGBCR4_EL1" },
	{ ENC(2, 0, 0, 5, 4), "DBGBVR5_EL1" },
	{ ENC(2, 0, 0, 5, 5), "DBGBCR5_EL1" },
	{ ENC(2, 0, 0, 6, 2), "OSECCR_EL1" },
	{ ENC(2, 0, 1, 0, 0), "MDRAR_EL1" },
	{ ENC(2, 0, 1, 0, 4), "OSLAR_EL1" },
	{ ENC(2, 0, 1, 1, 4), "OSLSR_EL1" },
	{ ENC(2, 0, 1, 3, 4), "OSDLR_EL1" },
	{ ENC(2, 0, 7, 8, 6), "DBGCLAIMSET_EL1" },
	{ ENC(2, 0, 7, 9, 6), "DBGCLAIMCLR_EL1" },
	{ ENC(2, 0, 7, 14, 6), "DBGAUTHSTATUS_EL1" },
	{ ENC(2, 3, 0, 1, 0), "MDCCSR_EL0" },
};

const char *sysreg_name(unsigned int op0, unsigned int op1, unsigned int crn, unsigned int crm,
			unsigned int op2)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].encoding == ENC(op0, op1, crn, crm, op2))
			return names[i].name;
	return NULL;
}

/* "S3_0_C2_C0_1" (D23.1.1); false if it is nothing of the kind. */
static bool encode_generic(const char *name, unsigned int *encoding)
{
	unsigned int op0, op1, crn, crm, op2;
	int end = 0;

	if (sscanf(name, "%*1[Ss]%1u_%1u_%*1[Cc]%2u_%*1[Cc]%2u_%1u%n", &op0, &op1, &crn, &crm, &op2,
		   &end) != 5 ||
	    name[end] || op0 < 2 || op0 > 3 || op1 > 7 || crn > 15 || crm > 15 || op2 > 7)
		return false;
	*encoding = ENC(op0, op1, crn, crm, op2);
	return true;
}

static bool encode_named(const char *name, unsigned int *encoding)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *known = names[i].name;

		/* QEMU has ID_ISAR0, and SCTLR for SCTLR_EL1. */
		if (!strncasecmp(known, name, n) && (!known[n] || !strcmp(known + n, "_EL1"))) {
			*encoding = names[i].encoding;
			return true;
		}
	}
	return false;
}

bool sysreg_encode(const char *name, unsigned int *encoding)
{
	/* QEMU's name for it, which is AArch32's. */
	if (!strcasecmp(name, "AMAIR0"))
		name = "AMAIR_EL1";
	return encode_generic(name, encoding) || encode_named(name, encoding);
}

bool sysreg_is_pstate(unsigned int encoding)
{
	/* All that have CRn 4 and CRm 2 (D23.3.1). */
	return (encoding & ~(7u << 11) & ~7u) == ENC(3, 0, 4, 2, 0);
}

#define LONGEST 31

/* How many letters to change, add or drop (Levenshtein), in upper case. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[LONGEST + 1];
	size_t m = strlen(b);

	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i + 1;
		for (size_t j = 0; j < m; j++) {
			unsigned int change = diagonal + (strncasecmp(&a[i], &b[j], 1) != 0);
			unsigned int more = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

			diagonal = row[j + 1];
			row[j + 1] = change < more ? change : more;
		}
	}
	return row[m];
}

static bool holds(const char *name, const char *part)
{
	size_t len = strlen(part);

	for (; strlen(name) >= len; name++)
		if (!strncasecmp(name, part, len))
			return true;
	return false;
}

unsigned int sysreg_near(const char *name, const char **out, unsigned int max)
{
	unsigned int n = 0;

	if (strlen(name) < 2 || strlen(name) > LONGEST)
		return 0;
	for (unsigned int far = 0; far <= 2; far++) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && n < max; i++) {
			bool part = holds(names[i].name, name);

			if (part ? !far : far && distance(name, names[i].name) == far)
				out[n++] = names[i].name;
		}
	}
	return n;
}
