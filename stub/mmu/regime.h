/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A translation regime: the registers that decide how input addresses become
 * output addresses, as values. Whoever has the registers (a stopped CPU, a file,
 * a test) answers for them by their architectural names.
 */
#ifndef BATON_MMU_REGIME_H
#define BATON_MMU_REGIME_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Which of the registers were really read; the others hold 0 and mean nothing. */
enum regime_known {
	REGIME_TTBR0 = 1 << 0,
	REGIME_TTBR1 = 1 << 1,
	REGIME_TCR = 1 << 2,
	REGIME_MAIR = 1 << 3,
	REGIME_SCTLR = 1 << 4,
	REGIME_MMFR0 = 1 << 5,
	REGIME_MMFR1 = 1 << 6,
	REGIME_MMFR2 = 1 << 7,
};

/* HCR_EL2, DDI 0487 D24.2.48: what concerns translation. */
#define HCR_VM	(UINT64_C(1) << 0)
#define HCR_PTW (UINT64_C(1) << 2)
#define HCR_DC	(UINT64_C(1) << 12)
#define HCR_TGE (UINT64_C(1) << 27)
#define HCR_RW	(UINT64_C(1) << 31)
#define HCR_CD	(UINT64_C(1) << 32)
#define HCR_ID	(UINT64_C(1) << 33)
#define HCR_E2H (UINT64_C(1) << 34)
#define HCR_NV	(UINT64_C(1) << 42)
#define HCR_NV1 (UINT64_C(1) << 43)
#define HCR_FWB (UINT64_C(1) << 46)

struct regime {
	const char *name;  /* "el1", "el2", "el3", "s2": what -r takes */
	const char *title; /* "EL1&0 stage 1", "EL2&0 stage 1", "EL1&0 stage 2" */
	unsigned int el;   /* the level that owns the regime; 1 for stage 2 */
	bool two_halves;   /* TTBR0 below and TTBR1 above, instead of TTBR0 alone */
	bool stage2;	   /* ttbr[0] is VTTBR_EL2, tcr VTCR_EL2, sctlr SCTLR_EL2 */
	bool nested;	   /* stage 1 with a second stage behind: vttbr and vtcr hold */
	bool secure;	   /* SCR_EL3 exists and NS is 0 */
	bool sif;	   /* SCR_EL3.SIF: secure state fetches nothing from non-secure memory */
	bool pending;	   /* as if SCTLR.M (stage 2: HCR_EL2.VM) were 1 */
	unsigned int own;  /* REGIME_TTBR0 or _TTBR1: that root is the user's, not the register's */
	unsigned int only; /* REGIME_TTBR0 or _TTBR1: the half that was asked for; 0: either */
	unsigned int known;
	uint64_t ttbr[2], tcr, mair, sctlr;
	uint64_t hcr; /* HCR_EL2 as it acts on this regime; 0 where there is no EL2 */
	uint64_t vttbr, vtcr;
	bool s2_big_endian; /* SCTLR_EL2.EE, with .nested */
	uint64_t mmfr[3];   /* ID_AA64MMFR0_EL1 to 2 */
};

/**
 * struct regime_source - where register values come from.
 * @sysreg: puts the value of the register of that architectural name ("SCTLR_EL1",
 *          "TTBR1_EL1", "HCR_EL2", "ID_AA64MMFR0_EL1") into @value;
 *          -BATON_ENOTFOUND where the machine has or shows none
 */
struct regime_source {
	int (*sysreg)(void *ctx, const char *name, uint64_t *value);
	void *ctx;
};

/**
 * regime_read() - fill @r with the regime that @spec names.
 * @spec: NULL or "": that of @current_el. Else parts joined by ':' -
 *        "el1", "el2" (EL2&0 where HCR_EL2.E2H is set), "el3", "s2" (the second stage
 *        of EL1&0 alone): by name; "pending": as if SCTLR.M were already 1;
 *        "ttbr0", "ttbr1": that half alone; "ttbr0=N", "ttbr1=N", "vttbr=N": a root of
 *        the user's own (implies pending, since it asks for a walk of that table
 *        whatever SCTLR says)
 * @why:  words for an error are added here; may be NULL
 *
 * Return: 0; -BATON_EINVAL for a @spec that makes no sense; -BATON_EUNSUPPORTED for
 * what is not decoded (AArch32, nested virtualization, Secure stage 2, Realms, granule
 * protection, permission indirection and overlays, 128-bit descriptors);
 * -BATON_ENOTFOUND where the machine lacks its registers; or @src's error.
 */
int regime_read(struct regime *r, const char *spec, unsigned int current_el,
		const struct regime_source *src, struct buf *why);

/** regime_stage2() - the regime behind @r, which is nested. */
struct regime regime_stage2(const struct regime *r);

/** regime_has_el0() - whether EL0 has a part in it. */
bool regime_has_el0(const struct regime *r);

/**
 * regime_root_name(), regime_tcr_name() - "TTBR1_EL1", "VTTBR_EL2"; "TCR_EL1", "VTCR_EL2".
 */
const char *regime_root_name(const struct regime *r, unsigned int half);
const char *regime_tcr_name(const struct regime *r);

/** regime_mmu_on() - whether addresses are translated, or would be where pending. */
bool regime_mmu_on(const struct regime *r);

/** regime_pa_bits() - what ID_AA64MMFR0_EL1.PARange says; 0: not known. */
unsigned int regime_pa_bits(const struct regime *r);

/**
 * regime_ps_bits() - TCR.PS or IPS as a number of bits: 32, 36, 40, 42, 44, 48, 52, 56.
 * The steps are irregular (DDI 0487, D24.2.207 TCR_EL1, IPS).
 */
unsigned int regime_ps_bits(unsigned int ps);

#endif
