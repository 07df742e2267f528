// SPDX-License-Identifier: BSD-2-Clause
/* System registers as rows of fields (DDI 0487, D24.2). A new register is a new array. */
#include <inttypes.h>
#include <strings.h>

#include "buf.h"
#include "mmu/a64.h"
#include "mmu/sysreg.h"
#include "mmu/sysreg_rows.h"

static const struct pt_value cacheability[] = { { 0, "non-cacheable" },
						{ 1, "write-back" },
						{ 2, "write-through" },
						{ 3, "write-back, no write-allocate" },
						{ 0, NULL } };
const struct pt_value sysreg_share[] = {
	{ 0, "non-shareable" }, { 2, "outer shareable" }, { 3, "inner shareable" }, { 0, NULL }
};
/* TG0 and TG1 encode the same sizes differently. */
static const struct pt_value tg0[] = {
	{ 0, "4 KiB" }, { 1, "64 KiB" }, { 2, "16 KiB" }, { 0, NULL }
};
static const struct pt_value tg1[] = {
	{ 1, "16 KiB" }, { 2, "4 KiB" }, { 3, "64 KiB" }, { 0, NULL }
};
/* The steps are irregular. */
const struct pt_value sysreg_pa_size[] = { { 0, "32-bit" }, { 1, "36-bit" }, { 2, "40-bit" },
					   { 3, "42-bit" }, { 4, "44-bit" }, { 5, "48-bit" },
					   { 6, "52-bit" }, { 7, "56-bit" }, { 0, NULL } };
static const struct pt_value tcf[] = { { 0, "tag check faults have no effect" },
				       { 1, "tag check faults are synchronous" },
				       { 2, "tag check faults are accumulated" },
				       { 3, "synchronous for reads, accumulated for writes" },
				       { 0, NULL } };

static void say_txsz(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)word, (void)mair;
	buf_printf(out, "%d-bit input", 64 - (int)value);
}

/* All of EL1's, and of EL2's with E2H; EL2 without it and EL3 have some: SCTLR_ONE. */
static const struct pt_field sctlr[] = {
	B("M", 0, "MMU on", "MMU off"),
	B("A", 1, "alignment is checked", NULL),
	B("C", 2, "data cacheable", "data not cacheable"),
	B("SA", 3, "SP alignment checked", NULL),
	B("SA0", 4, "SP alignment checked at EL0", NULL),
	B("CP15BEN", 5, NULL, NULL),
	B("nAA", 6, NULL, NULL),
	B("ITD", 7, NULL, NULL),
	B("SED", 8, "SETEND disabled", NULL),
	B("UMA", 9, NULL, "EL0 access to DAIF traps"),
	B("EnRCTX", 10, NULL, NULL),
	B("EOS", 11, "exception exit synchronizes context", NULL),
	B("I", 12, "instructions cacheable", "instructions not cacheable"),
	B("EnDB", 13, "pointer authentication, key DB", NULL),
	B("DZE", 14, NULL, "DC ZVA at EL0 traps"),
	B("UCT", 15, NULL, "EL0 access to CTR_EL0 traps"),
	B("nTWI", 16, NULL, "WFI at EL0 traps"),
	B("nTWE", 18, NULL, "WFE at EL0 traps"),
	B("WXN", 19, "writable is not executable", NULL),
	B("TSCXT", 20, NULL, NULL),
	B("IESB", 21, NULL, NULL),
	B("EIS", 22, "exception entry synchronizes context", NULL),
	B("SPAN", 23, NULL, "PAN is set on exceptions to this level"),
	B("E0E", 24, "EL0 data is big-endian", NULL),
	B("EE", 25, "data and tables are big-endian", "little-endian"),
	B("UCI", 26, NULL, "cache maintenance at EL0 traps"),
	B("EnDA", 27, "pointer authentication, key DA", NULL),
	B("nTLSMD", 28, NULL, NULL),
	B("LSMAOE", 29, NULL, NULL),
	B("EnIB", 30, "pointer authentication, key IB", NULL),
	B("EnIA", 31, "pointer authentication, key IA", NULL),
	B("CMOW", 32, NULL, NULL),
	B("MSCEn", 33, NULL, NULL),
	B("BT0", 35, NULL, NULL),
	B("BT", 36, NULL, NULL), /* BT1 where there is BT0 */
	B("ITFSB", 37, NULL, NULL),
	V("TCF0", 38, 2, tcf),
	V("TCF", 40, 2, tcf),
	B("ATA0", 42, NULL, NULL),
	B("ATA", 43, NULL, NULL),
	B("DSSBS", 44, NULL, NULL),
	B("TWEDEn", 45, NULL, NULL),
	F("TWEDEL", 46, 4),
	B("TMT0", 50, NULL, NULL),
	B("TMT", 51, NULL, NULL),
	B("TME0", 52, NULL, NULL),
	B("TME", 53, NULL, NULL),
	B("EnASR", 54, NULL, NULL),
	B("EnAS0", 55, NULL, NULL),
	B("EnALS", 56, NULL, NULL),
	B("EPAN", 57, "PAN counts what EL0 may execute", NULL),
	B("TCSO0", 58, NULL, NULL),
	B("TCSO", 59, NULL, NULL),
	B("EnTP2", 60, NULL, NULL),
	B("NMI", 61, NULL, NULL),
	B("SPINTMASK", 62, NULL, NULL),
	B("TIDCP", 63, NULL, NULL),
	END
};

/* M A C SA nAA EOS I EnDB WXN IESB EIS EE EnDA EnIB EnIA BT ITFSB TCF ATA DSSBS TMT TME TCSO NMI.
 */
#define SCTLR_ONE      UINT64_C(0x68281b30ca68384f)
#define SCTLR_ONE_RES1 UINT64_C(0x30850030) /* of what is left: 4 5 16 18 23 28 29 */

/* What TCR_EL1, TCR_EL2, TCR_EL3 and VTCR_EL2 have alike. */
/* clang-format off */
#define T0SZ_ROW S("T0SZ", 0, 6, say_txsz)
#define WALK_ROWS \
	V("IRGN0", 8, 2, cacheability), \
	V("ORGN0", 10, 2, cacheability), \
	V("SH0", 12, 2, sysreg_share), \
	V("TG0", 14, 2, tg0)
#define PS_ROW V("PS", 16, 3, sysreg_pa_size)
#define HA_HD_ROWS \
	B("HA", 21, "hardware sets the access flag", NULL), \
	B("HD", 22, "hardware sets the dirty state", NULL)
#define HWU_ROW F("HWU", 25, 4)
#define DS_ROW B("DS", 32, "52-bit descriptors (LPA2)", NULL)
/* clang-format on */

static const struct pt_field tcr_el1[] = {
	T0SZ_ROW,
	B("EPD0", 7, "no walks with TTBR0", NULL),
	WALK_ROWS,
	S("T1SZ", 16, 6, say_txsz),
	B("A1", 22, "the ASID is in TTBR1", "the ASID is in TTBR0"),
	B("EPD1", 23, "no walks with TTBR1", NULL),
	V("IRGN1", 24, 2, cacheability),
	V("ORGN1", 26, 2, cacheability),
	V("SH1", 28, 2, sysreg_share),
	V("TG1", 30, 2, tg1),
	V("IPS", 32, 3, sysreg_pa_size),
	B("AS", 36, "16-bit ASID", "8-bit ASID"),
	B("TBI0", 37, "top byte ignored below", NULL),
	B("TBI1", 38, "top byte ignored above", NULL),
	B("HA", 39, "hardware sets the access flag", NULL),
	B("HD", 40, "hardware sets the dirty state", NULL),
	B("HPD0", 41, "hierarchical permissions off below", NULL),
	B("HPD1", 42, "hierarchical permissions off above", NULL),
	F("HWU0", 43, 4),
	F("HWU1", 47, 4),
	B("TBID0", 51, "TBI0 is for data only", NULL),
	B("TBID1", 52, "TBI1 is for data only", NULL),
	B("NFD0", 53, NULL, NULL),
	B("NFD1", 54, NULL, NULL),
	B("E0PD0", 55, "EL0 may not use the lower half", NULL),
	B("E0PD1", 56, "EL0 may not use the upper half", NULL),
	B("TCMA0", 57, NULL, NULL),
	B("TCMA1", 58, NULL, NULL),
	B("DS", 59, "52-bit descriptors (LPA2)", NULL),
	B("MTX0", 60, NULL, NULL),
	B("MTX1", 61, NULL, NULL),
	END
};

/* EL2 without E2H, and EL3, which has more of it: TCR_EL2. */
static const struct pt_field tcr_one[] = { T0SZ_ROW,
					   WALK_ROWS,
					   PS_ROW,
					   B("TBI", 20, "top byte ignored", NULL),
					   HA_HD_ROWS,
					   B("HPD", 24, "hierarchical permissions off", NULL),
					   HWU_ROW,
					   B("TBID", 29, "TBI is for data only", NULL),
					   B("TCMA", 30, NULL, NULL),
					   DS_ROW,
					   B("MTX", 33, NULL, NULL),
					   B("PnCH", 34, NULL, NULL),
					   B("PIE", 35, "permission indirection", NULL),
					   B("POE", 36, "permission overlays", NULL),
					   B("AIE", 37, "16 memory attributes", NULL),
					   B("D128", 38, "128-bit descriptors", NULL),
					   END };

#define TCR_EL2_HAS  UINT64_C(0x3ffffffff)
#define TCR_ONE_RES1 (UINT64_C(1) << 31 | UINT64_C(1) << 23)

/* What SL0 says depends on the granule, and with DS on SL2 (D24.2.218). */
static void say_sl0(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	static const signed char of_4k[4] = { 2, 1, 0, 3 };
	unsigned int tg = word >> 14 & 3;

	(void)mair;
	if (tg == 3 || (tg == 1 && value == 3))
		buf_puts(out, "reserved");
	else if (tg)
		buf_printf(out, "first level %d", 3 - (int)value);
	else if ((word >> 32 & 3) == 3) /* DS and SL2 */
		buf_puts(out, value ? "reserved" : "first level -1");
	else
		buf_printf(out, "first level %d", of_4k[value & 3]);
}

static const struct pt_field vtcr[] = { T0SZ_ROW,
					S("SL0", 6, 2, say_sl0),
					WALK_ROWS,
					PS_ROW,
					B("VS", 19, "16-bit VMID", "8-bit VMID"),
					HA_HD_ROWS,
					HWU_ROW,
					B("NSW", 29, "non-secure IPA: non-secure tables", NULL),
					B("NSA", 30, "non-secure IPA: non-secure output", NULL),
					DS_ROW,
					B("SL2", 33, "with DS: first level -1", NULL),
					F("AssuredOnly", 34, 1),
					F("TL1", 35, 1),
					B("S2PIE", 36, "permission indirection", NULL),
					B("S2POE", 37, "permission overlays", NULL),
					B("D128", 38, "128-bit descriptors", NULL),
					F("TL0", 41, 1),
					B("HAFT", 44, "hardware sets the access flag of tables",
					  NULL),
					END };

static void say_baddr(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)value, (void)mair;
	buf_printf(out, "table at 0x%" PRIx64, word & 0xfffffffffffe);
}

static const struct pt_field ttbr[] = {
	B("CnP", 0, "common to all CPUs", NULL),
	{ .name = "BADDR", .lsb = 1, .width = 47, .say = say_baddr },
	H("ASID", 48, 16),
	END
};

static const struct pt_field vttbr[] = {
	B("CnP", 0, "common to all CPUs", NULL),
	{ .name = "BADDR", .lsb = 1, .width = 47, .say = say_baddr },
	H("VMID", 48, 16),
	END
};

static void say_attr(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)word, (void)mair;
	mair_say((uint8_t)value, out);
}

static const struct pt_field mair_rows[] = {
	S("Attr0", 0, 8, say_attr),  S("Attr1", 8, 8, say_attr),  S("Attr2", 16, 8, say_attr),
	S("Attr3", 24, 8, say_attr), S("Attr4", 32, 8, say_attr), S("Attr5", 40, 8, say_attr),
	S("Attr6", 48, 8, say_attr), S("Attr7", 56, 8, say_attr), END
};

static void say_vbar(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)value, (void)mair;
	buf_printf(out, "vectors at 0x%" PRIx64, word & ~UINT64_C(0x7ff));
}

static const struct pt_field vbar[] = { { .name = "base", .lsb = 11, .width = 53, .say = say_vbar },
					END };

static const struct pt_value modes[] = { { 0x00, "EL0t" },
					 { 0x04, "EL1t" },
					 { 0x05, "EL1h" },
					 { 0x08, "EL2t" },
					 { 0x09, "EL2h" },
					 { 0x0c, "EL3t" },
					 { 0x0d, "EL3h" },
					 { 0x10, "User, AArch32" },
					 { 0x11, "FIQ, AArch32" },
					 { 0x12, "IRQ, AArch32" },
					 { 0x13, "Supervisor, AArch32" },
					 { 0x16, "Monitor, AArch32" },
					 { 0x17, "Abort, AArch32" },
					 { 0x1a, "Hyp, AArch32" },
					 { 0x1b, "Undefined, AArch32" },
					 { 0x1f, "System, AArch32" },
					 { 0, NULL } };

static const struct pt_field spsr[] = {
	{ .name = "M", .lsb = 0, .width = 5, .values = modes, .hex = true },
	B("F", 6, "FIQ masked", NULL),
	B("I", 7, "IRQ masked", NULL),
	B("A", 8, "SError masked", NULL),
	B("D", 9, "debug exceptions masked", NULL),
	F("BTYPE", 10, 2),
	B("SSBS", 12, NULL, NULL),
	B("ALLINT", 13, "all interrupts masked", NULL),
	B("IL", 20, "Illegal Execution state", NULL),
	B("SS", 21, "software step", NULL),
	B("PAN", 22, "EL1 may not touch what EL0 may", NULL),
	B("UAO", 23, NULL, NULL),
	B("DIT", 24, NULL, NULL),
	B("TCO", 25, NULL, NULL),
	B("V", 28, NULL, NULL),
	B("C", 29, NULL, NULL),
	B("Z", 30, NULL, NULL),
	B("N", 31, NULL, NULL),
	END
};

static void say_class(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)value, (void)mair;
	buf_puts(out, esr_class_words(word));
}

static const struct pt_field esr[] = {
	{ .name = "EC", .lsb = 26, .width = 6, .say = say_class, .hex = true },
	B("IL", 25, "32-bit instruction", "16-bit instruction"),
	H("ISS", 0, 25),
	H("ISS2", 32, 24),
	END
};

static void say_status(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	const char *words = esr_fault_words(word);

	(void)value, (void)mair;
	buf_puts(out, words ? words : "");
}

static const struct pt_field iss_fetch[] = {
	{ .name = "IFSC", .lsb = 0, .width = 6, .say = say_status, .hex = true },
	B("S1PTW", 7, "on the second stage of a table walk", NULL),
	B("EA", 9, NULL, NULL),
	B("FnV", 10, "FAR is not valid", "FAR is valid"),
	END
};

static const struct pt_value access_size[] = {
	{ 0, "byte" }, { 1, "halfword" }, { 2, "word" }, { 3, "doubleword" }, { 0, NULL }
};

static const struct pt_field iss_data[] = {
	{ .name = "DFSC", .lsb = 0, .width = 6, .say = say_status, .hex = true },
	B("WnR", 6, "write", "read"),
	B("S1PTW", 7, "on the second stage of a table walk", NULL),
	B("CM", 8, "by cache maintenance or AT", NULL),
	B("EA", 9, NULL, NULL),
	B("FnV", 10, "FAR is not valid", "FAR is valid"),
	B("ISV", 24, "the access is described", "SAS, SSE, SRT, SF do not count"),
	V("SAS", 22, 2, access_size),
	B("SSE", 21, "sign-extended", NULL),
	F("SRT", 16, 5),
	B("SF", 15, "64-bit register", "32-bit register"),
	END
};

static void say_msr(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	unsigned int op0 = word >> 20 & 3, op2 = word >> 17 & 7, op1 = word >> 14 & 7;
	unsigned int crn = word >> 10 & 15, crm = word >> 1 & 15;
	const char *name = sysreg_name(op0, op1, crn, crm, op2);

	(void)value, (void)mair;
	if (name)
		buf_puts(out, name);
	else
		buf_printf(out, "S%u_%u_C%u_C%u_%u", op0, op1, crn, crm, op2);
}

static const struct pt_field iss_msr[] = {
	{ .name = "register", .lsb = 0, .width = 22, .say = say_msr, .hex = true },
	B("direction", 0, "read (MRS)", "write (MSR)"),
	F("Rt", 5, 5),
	END
};
static const struct pt_field iss_imm16[] = { H("imm16", 0, 16), END };
static const struct pt_field iss_serror[] = { B("IDS", 24, "IMPLEMENTATION DEFINED syndrome", NULL),
					      H("AET", 10, 3), B("EA", 9, NULL, NULL),
					      H("DFSC", 0, 6), END };
static const struct pt_value wfx[] = {
	{ 0, "WFI" }, { 1, "WFE" }, { 2, "WFIT" }, { 3, "WFET" }, { 0, NULL }
};
static const struct pt_field iss_wfx[] = { V("TI", 0, 2, wfx), END };

#define ISS UINT64_C(0x1ffffff)

static const struct pt_field *iss_rows(uint64_t value)
{
	switch (value >> 26 & 63) {
	case 0x01:
		return iss_wfx;
	case 0x15: /* SVC */
	case 0x16: /* HVC */
	case 0x17: /* SMC */
	case 0x3c: /* BRK */
		return iss_imm16;
	case 0x18:
		return iss_msr;
	case 0x20:
	case 0x21:
		return iss_fetch;
	case 0x24:
	case 0x25:
		return iss_data;
	case 0x2f:
		return iss_serror;
	default: /* no ISS, or one that is not decoded */
		return NULL;
	}
}

static void say_unnamed(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)value, (void)word, (void)mair;
	buf_puts(out, "set, and not known to baton");
}

#define FIELDS 96

/*
 * The rows of a register that has those bits of them. What else is set, and not @ignored, is
 * said to be: a later architecture may have named it.
 */
static void describe(const struct pt_field *rows, uint64_t has, uint64_t ignored, uint64_t value,
		     struct buf *out)
{
	struct pt_field shown[FIELDS + 1]; /* they do not overlap, but for iss_msr */
	uint64_t left = value & ~ignored;
	size_t n = 0;

	for (; rows->name; rows++) {
		if (!(pt_field_mask(rows) & has))
			continue;
		shown[n++] = *rows;
		left &= ~pt_field_mask(rows);
	}
	while (left) {
		unsigned int lsb = (unsigned int)__builtin_ctzll(left);
		uint64_t run = ~(left >> lsb);
		unsigned int width = run ? (unsigned int)__builtin_ctzll(run) : 64;

		shown[n] = (struct pt_field){ .name = "?",
					      .lsb = (uint8_t)lsb,
					      .width = (uint8_t)width,
					      .say = say_unnamed,
					      .hex = true };
		left &= ~pt_field_mask(&shown[n++]);
	}
	shown[n] = (struct pt_field){ .name = NULL };
	pt_fields_describe(shown, value, 0, out);
}

static void esr_more(uint64_t value, struct buf *out)
{
	const struct pt_field *rows = iss_rows(value);

	if (rows)
		describe(rows, ISS, ~ISS, value, out);
}

static const struct sysreg regs[] = {
	{ .name = "SCTLR_EL1", .title = "System Control Register (EL1)", .fields = sctlr },
	{ .name = "SCTLR_EL2",
	  .title = "System Control Register (EL2) with E2H; what it says of EL0 counts with TGE",
	  .fields = sctlr,
	  .e2h = true },
	{ .name = "SCTLR_EL2",
	  .title = "System Control Register (EL2)",
	  .fields = sctlr,
	  .has = SCTLR_ONE,
	  .res1 = SCTLR_ONE_RES1 },
	{ .name = "SCTLR_EL3",
	  .title = "System Control Register (EL3)",
	  .fields = sctlr,
	  .has = SCTLR_ONE,
	  .res1 = SCTLR_ONE_RES1 },
	{ .name = "TCR_EL1", .title = "Translation Control Register (EL1)", .fields = tcr_el1 },
	{ .name = "TCR_EL2",
	  .title = "Translation Control Register (EL2) with E2H: as TCR_EL1",
	  .fields = tcr_el1,
	  .e2h = true },
	{ .name = "TCR_EL2",
	  .title = "Translation Control Register (EL2)",
	  .fields = tcr_one,
	  .has = TCR_EL2_HAS,
	  .res1 = TCR_ONE_RES1 },
	{ .name = "TCR_EL3",
	  .title = "Translation Control Register (EL3)",
	  .fields = tcr_one,
	  .res1 = TCR_ONE_RES1 },
	{ .name = "TTBR0_EL1", .title = "Translation Table Base Register 0 (EL1)", .fields = ttbr },
	{ .name = "TTBR1_EL1", .title = "Translation Table Base Register 1 (EL1)", .fields = ttbr },
	{ .name = "TTBR0_EL2", .title = "Translation Table Base Register 0 (EL2)", .fields = ttbr },
	{ .name = "TTBR1_EL2", .title = "Translation Table Base Register 1 (EL2)", .fields = ttbr },
	{ .name = "TTBR0_EL3", .title = "Translation Table Base Register 0 (EL3)", .fields = ttbr },
	{ .name = "MAIR_EL1",
	  .title = "Memory Attribute Indirection Register (EL1)",
	  .fields = mair_rows },
	{ .name = "MAIR_EL2",
	  .title = "Memory Attribute Indirection Register (EL2)",
	  .fields = mair_rows },
	{ .name = "MAIR_EL3",
	  .title = "Memory Attribute Indirection Register (EL3)",
	  .fields = mair_rows },
	{ .name = "ESR_EL1",
	  .title = "Exception Syndrome Register (EL1)",
	  .fields = esr,
	  .more = esr_more },
	{ .name = "ESR_EL2",
	  .title = "Exception Syndrome Register (EL2)",
	  .fields = esr,
	  .more = esr_more },
	{ .name = "ESR_EL3",
	  .title = "Exception Syndrome Register (EL3)",
	  .fields = esr,
	  .more = esr_more },
	{ .name = "SPSR_EL1", .title = "Saved Program Status Register (EL1)", .fields = spsr },
	{ .name = "SPSR_EL2", .title = "Saved Program Status Register (EL2)", .fields = spsr },
	{ .name = "SPSR_EL3", .title = "Saved Program Status Register (EL3)", .fields = spsr },
	{ .name = "CPSR", .title = "PSTATE, as GDB shows it", .fields = spsr },
	{ .name = "VBAR_EL1", .title = "Vector Base Address Register (EL1)", .fields = vbar },
	{ .name = "VBAR_EL2", .title = "Vector Base Address Register (EL2)", .fields = vbar },
	{ .name = "VBAR_EL3", .title = "Vector Base Address Register (EL3)", .fields = vbar },
	{ .name = "HCR_EL2", .title = "Hypervisor Configuration Register", .fields = sysreg_hcr },
	{ .name = "VTCR_EL2",
	  .title = "Virtualization Translation Control Register",
	  .fields = vtcr,
	  .res1 = UINT64_C(1) << 31 },
	{ .name = "VTTBR_EL2",
	  .title = "Virtualization Translation Table Base Register",
	  .fields = vttbr },
	{ .name = "HPFAR_EL2",
	  .title = "Hypervisor IPA Fault Address Register",
	  .fields = sysreg_hpfar },
	{ .name = "SCR_EL3",
	  .title = "Secure Configuration Register",
	  .fields = sysreg_scr,
	  .res1 = 0x30 },
	{ .name = "PAR_EL1",
	  .title = "Physical Address Register",
	  .fields = sysreg_par,
	  .res1 = 0x800 },
	{ .name = "ID_AA64MMFR0_EL1",
	  .title = "AArch64 Memory Model Feature Register 0",
	  .fields = sysreg_mmfr0 },
	{ .name = "ID_AA64MMFR1_EL1",
	  .title = "AArch64 Memory Model Feature Register 1",
	  .fields = sysreg_mmfr1 },
	{ .name = "ID_AA64MMFR2_EL1",
	  .title = "AArch64 Memory Model Feature Register 2",
	  .fields = sysreg_mmfr2 },
};

const struct sysreg *sysreg_each(unsigned int n)
{
	return n < sizeof(regs) / sizeof(regs[0]) ? &regs[n] : NULL;
}

const struct sysreg *sysreg_find(const char *name, bool e2h)
{
	const struct sysreg *s;

	for (unsigned int n = 0; (s = sysreg_each(n)); n++)
		if (!strcasecmp(s->name, name) && (e2h || !s->e2h))
			return s;
	return NULL;
}

void sysreg_describe(const struct sysreg *s, uint64_t value, struct buf *out)
{
	uint64_t has = s->has ? s->has : UINT64_MAX;

	describe(s->fields, has, s->res1, value, out);
	if (s->more)
		s->more(value, out);
}
