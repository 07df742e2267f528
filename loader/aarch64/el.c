/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What EL3 and EL2 leave behind for the levels below: nothing that the kernel
 * may use is trapped. Sections: DDI 0487, D19.2; the list is that of Linux's
 * Documentation/arch/arm64/booting.rst, whose demands include seL4's.
 */
#include "loader.h"

/* Registers that this file composes, one row below for each bit that depends on a feature. */
enum reg {
	SCR_EL3,
	CPTR_EL3,
	MDCR_EL3,
	SMCR, /* of EL3 and of EL2 */
	HCR_EL2,
	CPTR_EL2, /* these are cleared: with HCR_EL2.E2H 0 they are RES1 without the feature */
	MDCR_EL2,
	HCRX_EL2,
	HFGTR, /* HFGRTR_EL2 and HFGWTR_EL2 */
	HFGITR_EL2,
	HDFGTR, /* HDFGRTR_EL2 and HDFGWTR_EL2 */
	HDFGTR2,
};

enum id { PFR0, PFR1, ISAR1, ISAR2, MMFR0, MMFR1, MMFR3, DFR0, SMFR0 };

#define BIT(n) (UINT64_C(1) << (n))

static const struct {
	uint8_t id, shift, least; /* the feature: a field of an ID register, and its least value */
	uint8_t reg;
	uint64_t bits;
} enables[] = {
	{ ISAR1, 4, 1, SCR_EL3, BIT(16) | BIT(17) }, /* PAuth by APA, API, APA3: APK, API */
	{ ISAR1, 8, 1, SCR_EL3, BIT(16) | BIT(17) },
	{ ISAR2, 12, 1, SCR_EL3, BIT(16) | BIT(17) },
	{ ISAR1, 4, 1, HCR_EL2, BIT(40) | BIT(41) },
	{ ISAR1, 8, 1, HCR_EL2, BIT(40) | BIT(41) },
	{ ISAR2, 12, 1, HCR_EL2, BIT(40) | BIT(41) },
	{ PFR1, 8, 2, SCR_EL3, BIT(26) }, /* MTE2: ATA */
	{ PFR1, 8, 2, HCR_EL2, BIT(56) },
	{ MMFR0, 56, 1, SCR_EL3, BIT(27) },	   /* FGT: FGTEn */
	{ MMFR0, 56, 2, SCR_EL3, BIT(59) },	   /* FGT2: FGTEn2 */
	{ MMFR1, 40, 1, SCR_EL3, BIT(38) },	   /* HCX: HXEn */
	{ PFR0, 32, 1, CPTR_EL3, BIT(8) },	   /* SVE: EZ */
	{ PFR0, 32, 1, CPTR_EL2, BIT(8) },	   /* TZ */
	{ PFR1, 24, 1, CPTR_EL3, BIT(12) },	   /* SME: ESM */
	{ PFR1, 24, 1, CPTR_EL2, BIT(12) },	   /* TSM */
	{ PFR1, 24, 1, SCR_EL3, BIT(41) },	   /* EnTP2 */
	{ PFR1, 24, 1, HFGTR, BIT(54) | BIT(55) }, /* nSMPRI_EL1, nTPIDR2_EL0 */
	{ SMFR0, 60, 8, SMCR, BIT(31) },	   /* FA64, the uppermost bit of the register */
	{ PFR1, 24, 2, SMCR, BIT(30) },		   /* SME2: EZT0 */
	{ ISAR2, 16, 1, HCRX_EL2, BIT(11) },	   /* MOPS: MSCEn; it is EL1 that handles them */
	{ MMFR3, 0, 1, SCR_EL3, BIT(43) },	   /* TCR2: TCR2En */
	{ MMFR3, 0, 1, HCRX_EL2, BIT(14) },
	{ MMFR3, 4, 1, SCR_EL3, BIT(44) }, /* SCTLR2: SCTLR2En */
	{ MMFR3, 4, 1, HCRX_EL2, BIT(15) },
	{ MMFR3, 8, 1, SCR_EL3, BIT(45) },	    /* S1PIE: PIEn */
	{ MMFR3, 8, 1, HFGTR, BIT(57) | BIT(58) },  /* nPIRE0_EL1, nPIR_EL1 */
	{ MMFR3, 16, 1, SCR_EL3, BIT(45) },	    /* S1POE: PIEn */
	{ MMFR3, 16, 1, HFGTR, BIT(59) | BIT(60) }, /* nPOR_EL0, nPOR_EL1 */
	{ PFR1, 44, 1, SCR_EL3, BIT(39) },	    /* GCS: GCSEn */
	{ PFR1, 44, 1, HCRX_EL2, BIT(22) },
	{ PFR1, 44, 1, HFGTR, BIT(52) | BIT(53) },		  /* nGCS_EL0, nGCS_EL1 */
	{ PFR1, 44, 1, HFGITR_EL2, BIT(57) | BIT(58) | BIT(59) }, /* nGCSPUSHM, nGCSSTR, nGCSEPP */
	{ DFR0, 52, 1, MDCR_EL3, UINT64_C(3) << 32 },		  /* BRBE: SBRBE */
	{ DFR0, 52, 1, HDFGTR, BIT(59) | BIT(60) | BIT(61) },	  /* nBRBIDR, nBRBCTL, nBRBDATA */
	{ DFR0, 52, 1, HFGITR_EL2, BIT(55) | BIT(56) },		  /* nBRBINJ, nBRBIALL */
	{ DFR0, 32, 1, MDCR_EL3, 3 << 12 }, /* SPE: NSPB, Non-secure owns the buffer */
	{ DFR0, 32, 1, MDCR_EL2, 3 << 12 }, /* E2PB, and EL1 does */
	{ DFR0, 44, 1, MDCR_EL3, 3 << 24 }, /* TRBE: NSTB */
	{ DFR0, 44, 1, MDCR_EL2, 3 << 24 }, /* E2TB */
	{ DFR0, 8, 9, MDCR_EL3, BIT(7) },   /* PMUv3p9: EnPM2 */
	{ DFR0, 8, 9, HDFGTR2, BIT(2) | BIT(3) | BIT(4) }, /* nPMICNTR, nPMICFILTR, nPMUACR */
};

static uint64_t id_read(enum id id)
{
	switch (id) {
	case PFR0:
		return READ_SYSREG(id_aa64pfr0_el1);
	case PFR1:
		return READ_SYSREG(id_aa64pfr1_el1);
	case ISAR1:
		return READ_SYSREG(id_aa64isar1_el1);
	case ISAR2:
		return READ_SYSREG(s3_0_c0_c6_2);
	case MMFR0:
		return READ_SYSREG(id_aa64mmfr0_el1);
	case MMFR1:
		return READ_SYSREG(id_aa64mmfr1_el1);
	case MMFR3:
		return READ_SYSREG(s3_0_c0_c7_3);
	case DFR0:
		return READ_SYSREG(id_aa64dfr0_el1);
	case SMFR0:
		return READ_SYSREG(s3_0_c0_c4_5);
	}
	return 0;
}

/* 15 in the fields of DFR0 says: not the architecture's. */
static bool has(enum id id, unsigned int shift, unsigned int least)
{
	unsigned int value = id_read(id) >> shift & 15;

	return value >= least && !(id == DFR0 && value == 15);
}

static uint64_t enabled(enum reg reg)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < sizeof(enables) / sizeof(enables[0]); i++)
		if (enables[i].reg == reg && has(enables[i].id, enables[i].shift, enables[i].least))
			bits |= enables[i].bits;
	return bits;
}

#define HAS_SVE	 has(PFR0, 32, 1)
#define HAS_SME	 has(PFR1, 24, 1)
#define HAS_PMU	 has(DFR0, 8, 1)
#define HAS_FGT	 has(MMFR0, 56, 1)
#define HAS_FGT2 has(MMFR0, 56, 2)

bool el2_exists(void)
{
	return has(PFR0, 8, 1);
}

void el3_setup(void)
{
	/* NS, RES1, RW; SMD: nobody stays here who would serve an smc, so it is undefined. */
	uint64_t scr = BIT(0) | BIT(4) | BIT(5) | BIT(7) | BIT(10);

	if (el2_exists())
		scr |= BIT(8); /* HCE */
	WRITE_SYSREG(scr_el3, scr | enabled(SCR_EL3));
	WRITE_SYSREG(cptr_el3, enabled(CPTR_EL3));
	WRITE_SYSREG(mdcr_el3, enabled(MDCR_EL3));
	__asm__ volatile("isb");
	/* The longest vectors; hardware takes its own maximum. */
	if (HAS_SVE)
		WRITE_SYSREG(s3_6_c1_c2_0, 15); /* ZCR_EL3 */
	if (HAS_SME)
		WRITE_SYSREG(s3_6_c1_c2_6, 15 | enabled(SMCR)); /* SMCR_EL3 */
	if (has(PFR0, 44, 1))
		WRITE_SYSREG(s3_3_c13_c2_5, 15); /* AMU: AMCNTENSET0_EL0 */
	if (!READ_SYSREG(cntfrq_el0)) {
		if (!board.timer)
			log_printf("LDR|INFO|CPU%d: CNTFRQ_EL0 is 0, and the board's `timer` says "
				   "nothing better\n",
				   (uint64_t)cpu_id());
		WRITE_SYSREG(cntfrq_el0, board.timer);
	}
}

static void fine_grained_traps_off(void)
{
	uint64_t hfg = enabled(HFGTR), hdfg = enabled(HDFGTR);

	WRITE_SYSREG(s3_4_c1_c1_4, hfg);		 /* HFGRTR_EL2 */
	WRITE_SYSREG(s3_4_c1_c1_5, hfg);		 /* HFGWTR_EL2 */
	WRITE_SYSREG(s3_4_c1_c1_6, enabled(HFGITR_EL2)); /* HFGITR_EL2 */
	WRITE_SYSREG(s3_4_c3_c1_4, hdfg);		 /* HDFGRTR_EL2 */
	WRITE_SYSREG(s3_4_c3_c1_5, hdfg & ~BIT(59));	 /* HDFGWTR_EL2 */
	if (has(PFR0, 44, 1))
		WRITE_SYSREG(s3_4_c3_c1_6, 0); /* AMU: HAFGRTR_EL2 */
	if (!HAS_FGT2)
		return;
	WRITE_SYSREG(s3_4_c3_c1_0, enabled(HDFGTR2)); /* HDFGRTR2_EL2 */
	WRITE_SYSREG(s3_4_c3_c1_1, enabled(HDFGTR2)); /* HDFGWTR2_EL2 */
}

/* What is enabled below must not start with what a register held by chance. */
static void extensions_reset(void)
{
	if (has(MMFR3, 0, 1)) {
		WRITE_SYSREG(s3_0_c2_c0_3, 0); /* TCR2_EL1 */
		WRITE_SYSREG(s3_4_c2_c0_3, 0); /* TCR2_EL2 */
	}
	if (has(MMFR3, 4, 1)) {
		WRITE_SYSREG(s3_0_c1_c0_3, 0); /* SCTLR2_EL1 */
		WRITE_SYSREG(s3_4_c1_c0_3, 0); /* SCTLR2_EL2 */
	}
	if (has(PFR1, 44, 1)) {
		WRITE_SYSREG(s3_0_c2_c5_0, 0); /* GCSCR_EL1 */
		WRITE_SYSREG(s3_0_c2_c5_2, 0); /* GCSCRE0_EL1 */
		WRITE_SYSREG(s3_4_c2_c5_0, 0); /* GCSCR_EL2 */
	}
}

void el2_setup(void)
{
	/* RW: EL1 is AArch64. Nothing trapped, no stage 2, and no VHE (E2H), which firmware may
	 * use. */
	WRITE_SYSREG(hcr_el2, BIT(31) | enabled(HCR_EL2));
	__asm__ volatile("isb");
	if (READ_SYSREG(hcr_el2) & BIT(34))
		fatal("CPU%d has VHE alone (HCR_EL2.E2H stays 1), which this loader does not "
		      "know\n",
		      (uint64_t)cpu_id());
	WRITE_SYSREG(cnthctl_el2, 3); /* EL1 may use the counter and the physical timer */
	WRITE_SYSREG(cntvoff_el2, 0);
	WRITE_SYSREG(cptr_el2, 0x33ff & ~enabled(CPTR_EL2)); /* RES1 bits; FP is not trapped */
	WRITE_SYSREG(hstr_el2, 0);
	WRITE_SYSREG(vttbr_el2, 0);
	WRITE_SYSREG(vpidr_el2, READ_SYSREG(midr_el1)); /* what EL1 reads as its own identity */
	WRITE_SYSREG(vmpidr_el2, READ_SYSREG(mpidr_el1));
	/* HPMN: all of the counters are EL1's. */
	WRITE_SYSREG(mdcr_el2,
		     (HAS_PMU ? READ_SYSREG(pmcr_el0) >> 11 & 31 : 0) | enabled(MDCR_EL2));
	__asm__ volatile("isb");
	if (HAS_SVE)
		WRITE_SYSREG(s3_4_c1_c2_0, 15); /* ZCR_EL2 */
	if (HAS_SME)
		WRITE_SYSREG(s3_4_c1_c2_6, 15 | enabled(SMCR)); /* SMCR_EL2 */
	if (has(MMFR1, 40, 1))
		WRITE_SYSREG(s3_4_c1_c2_2, enabled(HCRX_EL2)); /* HCRX_EL2 */
	if (has(DFR0, 52, 1))
		WRITE_SYSREG(s2_4_c9_c0_0, BIT(3) | BIT(4)); /* BRBE: BRBCR_EL2.CC, MPRED */
	if (HAS_FGT)
		fine_grained_traps_off();
	extensions_reset();
	gic_setup_el2();
	__asm__ volatile("isb");
}
