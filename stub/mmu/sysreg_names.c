// SPDX-License-Identifier: BSD-2-Clause
/* System registers by encoding (DDI 0487, D23.3), those that a bring-up meets. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "mmu/sysreg.h"

#define ENC(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static const struct {
	uint16_t encoding;
	const char *name;
} names[] = {
	{ ENC(2, 0, 0, 2, 2), "MDSCR_EL1" },
	{ ENC(2, 0, 1, 0, 4), "OSLAR_EL1" },
	{ ENC(3, 0, 0, 0, 0), "MIDR_EL1" },
	{ ENC(3, 0, 0, 0, 5), "MPIDR_EL1" },
	{ ENC(3, 0, 0, 4, 0), "ID_AA64PFR0_EL1" },
	{ ENC(3, 0, 0, 4, 1), "ID_AA64PFR1_EL1" },
	{ ENC(3, 0, 0, 5, 0), "ID_AA64DFR0_EL1" },
	{ ENC(3, 0, 0, 6, 0), "ID_AA64ISAR0_EL1" },
	{ ENC(3, 0, 0, 6, 1), "ID_AA64ISAR1_EL1" },
	{ ENC(3, 0, 0, 7, 0), "ID_AA64MMFR0_EL1" },
	{ ENC(3, 0, 0, 7, 1), "ID_AA64MMFR1_EL1" },
	{ ENC(3, 0, 0, 7, 2), "ID_AA64MMFR2_EL1" },
	{ ENC(3, 0, 1, 0, 0), "SCTLR_EL1" },
	{ ENC(3, 0, 1, 0, 1), "ACTLR_EL1" },
	{ ENC(3, 0, 1, 0, 2), "CPACR_EL1" },
	{ ENC(3, 0, 2, 0, 0), "TTBR0_EL1" },
	{ ENC(3, 0, 2, 0, 1), "TTBR1_EL1" },
	{ ENC(3, 0, 2, 0, 2), "TCR_EL1" },
	{ ENC(3, 0, 2, 0, 3), "TCR2_EL1" },
	{ ENC(3, 0, 4, 0, 0), "SPSR_EL1" },
	{ ENC(3, 0, 4, 0, 1), "ELR_EL1" },
	{ ENC(3, 0, 4, 1, 0), "SP_EL0" },
	{ ENC(3, 0, 4, 2, 0), "SPSel" },
	{ ENC(3, 0, 4, 2, 2), "CurrentEL" },
	{ ENC(3, 0, 4, 2, 3), "PAN" },
	{ ENC(3, 0, 4, 6, 0), "ICC_PMR_EL1" },
	{ ENC(3, 0, 5, 1, 0), "AFSR0_EL1" },
	{ ENC(3, 0, 5, 1, 1), "AFSR1_EL1" },
	{ ENC(3, 0, 5, 2, 0), "ESR_EL1" },
	{ ENC(3, 0, 6, 0, 0), "FAR_EL1" },
	{ ENC(3, 0, 7, 4, 0), "PAR_EL1" },
	{ ENC(3, 0, 10, 2, 0), "MAIR_EL1" },
	{ ENC(3, 0, 10, 3, 0), "AMAIR_EL1" },
	{ ENC(3, 0, 12, 0, 0), "VBAR_EL1" },
	{ ENC(3, 0, 12, 0, 1), "RVBAR_EL1" },
	{ ENC(3, 0, 12, 1, 0), "ISR_EL1" },
	{ ENC(3, 0, 12, 8, 3), "ICC_BPR0_EL1" },
	{ ENC(3, 0, 12, 12, 0), "ICC_IAR1_EL1" },
	{ ENC(3, 0, 12, 12, 1), "ICC_EOIR1_EL1" },
	{ ENC(3, 0, 12, 12, 3), "ICC_BPR1_EL1" },
	{ ENC(3, 0, 12, 12, 4), "ICC_CTLR_EL1" },
	{ ENC(3, 0, 12, 12, 5), "ICC_SRE_EL1" },
	{ ENC(3, 0, 12, 12, 6), "ICC_IGRPEN0_EL1" },
	{ ENC(3, 0, 12, 12, 7), "ICC_IGRPEN1_EL1" },
	{ ENC(3, 0, 13, 0, 1), "CONTEXTIDR_EL1" },
	{ ENC(3, 0, 13, 0, 4), "TPIDR_EL1" },
	{ ENC(3, 0, 14, 1, 0), "CNTKCTL_EL1" },
	{ ENC(3, 3, 0, 0, 1), "CTR_EL0" },
	{ ENC(3, 3, 0, 0, 7), "DCZID_EL0" },
	{ ENC(3, 3, 4, 2, 0), "NZCV" },
	{ ENC(3, 3, 4, 2, 1), "DAIF" },
	{ ENC(3, 3, 4, 4, 0), "FPCR" },
	{ ENC(3, 3, 4, 4, 1), "FPSR" },
	{ ENC(3, 3, 9, 12, 0), "PMCR_EL0" },
	{ ENC(3, 3, 13, 0, 2), "TPIDR_EL0" },
	{ ENC(3, 3, 13, 0, 3), "TPIDRRO_EL0" },
	{ ENC(3, 3, 14, 0, 0), "CNTFRQ_EL0" },
	{ ENC(3, 3, 14, 0, 1), "CNTPCT_EL0" },
	{ ENC(3, 3, 14, 0, 2), "CNTVCT_EL0" },
	{ ENC(3, 3, 14, 2, 0), "CNTP_TVAL_EL0" },
	{ ENC(3, 3, 14, 2, 1), "CNTP_CTL_EL0" },
	{ ENC(3, 3, 14, 2, 2), "CNTP_CVAL_EL0" },
	{ ENC(3, 3, 14, 3, 0), "CNTV_TVAL_EL0" },
	{ ENC(3, 3, 14, 3, 1), "CNTV_CTL_EL0" },
	{ ENC(3, 3, 14, 3, 2), "CNTV_CVAL_EL0" },
	{ ENC(3, 4, 0, 0, 0), "VPIDR_EL2" },
	{ ENC(3, 4, 0, 0, 5), "VMPIDR_EL2" },
	{ ENC(3, 4, 1, 0, 0), "SCTLR_EL2" },
	{ ENC(3, 4, 1, 0, 1), "ACTLR_EL2" },
	{ ENC(3, 4, 1, 1, 0), "HCR_EL2" },
	{ ENC(3, 4, 1, 1, 1), "MDCR_EL2" },
	{ ENC(3, 4, 1, 1, 2), "CPTR_EL2" },
	{ ENC(3, 4, 1, 1, 3), "HSTR_EL2" },
	{ ENC(3, 4, 2, 0, 0), "TTBR0_EL2" },
	{ ENC(3, 4, 2, 0, 1), "TTBR1_EL2" },
	{ ENC(3, 4, 2, 0, 2), "TCR_EL2" },
	{ ENC(3, 4, 2, 1, 0), "VTTBR_EL2" },
	{ ENC(3, 4, 2, 1, 2), "VTCR_EL2" },
	{ ENC(3, 4, 4, 0, 0), "SPSR_EL2" },
	{ ENC(3, 4, 4, 0, 1), "ELR_EL2" },
	{ ENC(3, 4, 4, 1, 0), "SP_EL1" },
	{ ENC(3, 4, 5, 2, 0), "ESR_EL2" },
	{ ENC(3, 4, 6, 0, 0), "FAR_EL2" },
	{ ENC(3, 4, 6, 0, 4), "HPFAR_EL2" },
	{ ENC(3, 4, 10, 2, 0), "MAIR_EL2" },
	{ ENC(3, 4, 12, 0, 0), "VBAR_EL2" },
	{ ENC(3, 4, 12, 9, 5), "ICC_SRE_EL2" },
	{ ENC(3, 4, 12, 11, 0), "ICH_HCR_EL2" },
	{ ENC(3, 4, 13, 0, 2), "TPIDR_EL2" },
	{ ENC(3, 4, 14, 0, 3), "CNTVOFF_EL2" },
	{ ENC(3, 4, 14, 1, 0), "CNTHCTL_EL2" },
	{ ENC(3, 6, 1, 0, 0), "SCTLR_EL3" },
	{ ENC(3, 6, 1, 1, 0), "SCR_EL3" },
	{ ENC(3, 6, 1, 1, 2), "CPTR_EL3" },
	{ ENC(3, 6, 1, 3, 1), "MDCR_EL3" },
	{ ENC(3, 6, 2, 0, 0), "TTBR0_EL3" },
	{ ENC(3, 6, 2, 0, 2), "TCR_EL3" },
	{ ENC(3, 6, 4, 0, 0), "SPSR_EL3" },
	{ ENC(3, 6, 4, 0, 1), "ELR_EL3" },
	{ ENC(3, 6, 4, 1, 0), "SP_EL2" },
	{ ENC(3, 6, 5, 2, 0), "ESR_EL3" },
	{ ENC(3, 6, 6, 0, 0), "FAR_EL3" },
	{ ENC(3, 6, 10, 2, 0), "MAIR_EL3" },
	{ ENC(3, 6, 12, 0, 0), "VBAR_EL3" },
	{ ENC(3, 6, 12, 12, 5), "ICC_SRE_EL3" },
};

const char *sysreg_name(unsigned int op0, unsigned int op1, unsigned int crn, unsigned int crm,
			unsigned int op2)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].encoding == ENC(op0, op1, crn, crm, op2))
			return names[i].name;
	return NULL;
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
