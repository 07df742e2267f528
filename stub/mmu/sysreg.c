// SPDX-License-Identifier: BSD-2-Clause
/* System registers as rows of fields (DDI 0487, D24.2). A new register is a new array. */
#include <inttypes.h>
#include <strings.h>

#include "buf.h"
#include "mmu/a64.h"
#include "mmu/sysreg.h"
#include "mmu/sysreg_rows.h"

const struct pt_value sysreg_cacheability[] = { { 0, "non-cacheable" },
						{ 1, "write-back" },
						{ 2, "write-through" },
						{ 3, "write-back, no write-allocate" },
						{ 0, NULL } };
const struct pt_value sysreg_share[] = {
	{ 0, "non-shareable" }, { 2, "outer shareable" }, { 3, "inner shareable" }, { 0, NULL }
};
/* TG0 and TG1 encode the same sizes differently. */
const struct pt_value sysreg_tg0[] = {
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

void sysreg_say_txsz(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)word, (void)mair;
	buf_printf(out, "%d-bit input", 64 - (int)value);
}

static const struct pt_field sctlr_el1[] = {
	B("M", 0, "MMU on", "MMU off"),
	B("A", 1, "alignment is checked", NULL),
	B("C", 2, "data cacheable", "data not cacheable"),
	B("SA", 3, "SP alignment checked at EL1", NULL),
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
	B("SPAN", 23, NULL, "PAN is set on exceptions to EL1"),
	B("E0E", 24, "EL0 data is big-endian", NULL),
	B("EE", 25, "EL1 data and tables are big-endian", "little-endian"),
	B("UCI", 26, NULL, "cache maintenance at EL0 traps"),
	B("EnDA", 27, "pointer authentication, key DA", NULL),
	B("nTLSMD", 28, NULL, NULL),
	B("LSMAOE", 29, NULL, NULL),
	B("EnIB", 30, "pointer authentication, key IB", NULL),
	B("EnIA", 31, "pointer authentication, key IA", NULL),
	B("BT0", 35, NULL, NULL),
	B("BT1", 36, NULL, NULL),
	B("ITFSB", 37, NULL, NULL),
	V("TCF0", 38, 2, tcf),
	V("TCF", 40, 2, tcf),
	B("ATA0", 42, NULL, NULL),
	B("ATA", 43, NULL, NULL),
	B("DSSBS", 44, NULL, NULL),
	B("EPAN", 57, "PAN counts what EL0 may execute", NULL),
	END
};

static const struct pt_field sctlr_el2[] = {
	B("M", 0, "MMU on", "MMU off"),
	B("A", 1, "alignment is checked", NULL),
	B("C", 2, "data cacheable", "data not cacheable"),
	B("SA", 3, "SP alignment checked", NULL),
	B("nAA", 6, NULL, NULL),
	B("EOS", 11, "exception exit synchronizes context", NULL),
	B("I", 12, "instructions cacheable", "instructions not cacheable"),
	B("EnDB", 13, "pointer authentication, key DB", NULL),
	B("WXN", 19, "writable is not executable", NULL),
	B("IESB", 21, NULL, NULL),
	B("EIS", 22, "exception entry synchronizes context", NULL),
	B("EE", 25, "data and tables are big-endian", "little-endian"),
	B("EnDA", 27, "pointer authentication, key DA", NULL),
	B("EnIB", 30, "pointer authentication, key IB", NULL),
	B("EnIA", 31, "pointer authentication, key IA", NULL),
	B("BT", 36, NULL, NULL),
	B("ITFSB", 37, NULL, NULL),
	V("TCF", 40, 2, tcf),
	B("ATA", 43, NULL, NULL),
	B("DSSBS", 44, NULL, NULL),
	END
};

static const struct pt_field tcr_el1[] = {
	S("T0SZ", 0, 6, sysreg_say_txsz),
	B("EPD0", 7, "no walks with TTBR0", NULL),
	V("IRGN0", 8, 2, sysreg_cacheability),
	V("ORGN0", 10, 2, sysreg_cacheability),
	V("SH0", 12, 2, sysreg_share),
	V("TG0", 14, 2, sysreg_tg0),
	S("T1SZ", 16, 6, sysreg_say_txsz),
	B("A1", 22, "the ASID is in TTBR1", "the ASID is in TTBR0"),
	B("EPD1", 23, "no walks with TTBR1", NULL),
	V("IRGN1", 24, 2, sysreg_cacheability),
	V("ORGN1", 26, 2, sysreg_cacheability),
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
	END
};

static const struct pt_field tcr_el2[] = { S("T0SZ", 0, 6, sysreg_say_txsz),
					   V("IRGN0", 8, 2, sysreg_cacheability),
					   V("ORGN0", 10, 2, sysreg_cacheability),
					   V("SH0", 12, 2, sysreg_share),
					   V("TG0", 14, 2, sysreg_tg0),
					   V("PS", 16, 3, sysreg_pa_size),
					   B("TBI", 20, "top byte ignored", NULL),
					   B("HA", 21, "hardware sets the access flag", NULL),
					   B("HD", 22, "hardware sets the dirty state", NULL),
					   B("HPD", 24, "hierarchical permissions off", NULL),
					   F("HWU", 25, 4),
					   B("TBID", 29, "TBI is for data only", NULL),
					   B("TCMA", 30, NULL, NULL),
					   B("DS", 32, "52-bit descriptors (LPA2)", NULL),
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

static const struct pt_value tgran4[] = {
	{ 0, "supported" }, { 1, "supported, also 52-bit" }, { 15, "not supported" }, { 0, NULL }
};
static const struct pt_value tgran16[] = {
	{ 0, "not supported" }, { 1, "supported" }, { 2, "supported, also 52-bit" }, { 0, NULL }
};
static const struct pt_value tgran64[] = { { 0, "supported" },
					   { 15, "not supported" },
					   { 0, NULL } };
static const struct pt_value tgran_s2[] = { { 0, "as at stage 1" },
					    { 1, "not supported" },
					    { 2, "supported" },
					    { 3, "supported, also 52-bit" },
					    { 0, NULL } };
static const struct pt_value asid_bits[] = { { 0, "8-bit" }, { 2, "16-bit" }, { 0, NULL } };

static const struct pt_field mmfr0[] = { V("PARange", 0, 4, sysreg_pa_size),
					 V("ASIDBits", 4, 4, asid_bits),
					 F("BigEnd", 8, 4),
					 F("SNSMem", 12, 4),
					 F("BigEndEL0", 16, 4),
					 V("TGran16", 20, 4, tgran16),
					 V("TGran64", 24, 4, tgran64),
					 V("TGran4", 28, 4, tgran4),
					 V("TGran16_2", 32, 4, tgran_s2),
					 V("TGran64_2", 36, 4, tgran_s2),
					 V("TGran4_2", 40, 4, tgran_s2),
					 F("ExS", 44, 4),
					 F("FGT", 56, 4),
					 F("ECV", 60, 4),
					 END };

static void say_class(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)value, (void)mair;
	buf_puts(out, esr_class_words(word));
}

static const struct pt_field esr[] = {
	{ .name = "EC", .lsb = 26, .width = 6, .say = say_class, .hex = true },
	B("IL", 25, "32-bit instruction", "16-bit instruction"),
	H("ISS", 0, 25),
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

static void esr_more(uint64_t value, struct buf *out)
{
	const struct pt_field *rows = iss_rows(value);

	if (rows)
		pt_fields_describe(rows, value, 0, out);
}

static const struct sysreg regs[] = {
	{ "SCTLR_EL1", "System Control Register (EL1)", sctlr_el1, NULL },
	{ "SCTLR_EL2", "System Control Register (EL2)", sctlr_el2, NULL },
	{ "SCTLR_EL3", "System Control Register (EL3)", sctlr_el2, NULL },
	{ "TCR_EL1", "Translation Control Register (EL1)", tcr_el1, NULL },
	{ "TCR_EL2", "Translation Control Register (EL2)", tcr_el2, NULL },
	{ "TCR_EL3", "Translation Control Register (EL3)", sysreg_tcr_el3, NULL },
	{ "TTBR0_EL1", "Translation Table Base Register 0 (EL1)", ttbr, NULL },
	{ "TTBR1_EL1", "Translation Table Base Register 1 (EL1)", ttbr, NULL },
	{ "TTBR0_EL2", "Translation Table Base Register 0 (EL2)", ttbr, NULL },
	{ "TTBR1_EL2", "Translation Table Base Register 1 (EL2)", ttbr, NULL },
	{ "TTBR0_EL3", "Translation Table Base Register 0 (EL3)", ttbr, NULL },
	{ "MAIR_EL1", "Memory Attribute Indirection Register (EL1)", mair_rows, NULL },
	{ "MAIR_EL2", "Memory Attribute Indirection Register (EL2)", mair_rows, NULL },
	{ "MAIR_EL3", "Memory Attribute Indirection Register (EL3)", mair_rows, NULL },
	{ "ESR_EL1", "Exception Syndrome Register (EL1)", esr, esr_more },
	{ "ESR_EL2", "Exception Syndrome Register (EL2)", esr, esr_more },
	{ "ESR_EL3", "Exception Syndrome Register (EL3)", esr, esr_more },
	{ "SPSR_EL1", "Saved Program Status Register (EL1)", spsr, NULL },
	{ "SPSR_EL2", "Saved Program Status Register (EL2)", spsr, NULL },
	{ "SPSR_EL3", "Saved Program Status Register (EL3)", spsr, NULL },
	{ "CPSR", "PSTATE, as GDB shows it", spsr, NULL },
	{ "VBAR_EL1", "Vector Base Address Register (EL1)", vbar, NULL },
	{ "VBAR_EL2", "Vector Base Address Register (EL2)", vbar, NULL },
	{ "VBAR_EL3", "Vector Base Address Register (EL3)", vbar, NULL },
	{ "HCR_EL2", "Hypervisor Configuration Register", sysreg_hcr, NULL },
	{ "VTCR_EL2", "Virtualization Translation Control Register", sysreg_vtcr, NULL },
	{ "VTTBR_EL2", "Virtualization Translation Table Base Register", sysreg_vttbr, NULL },
	{ "HPFAR_EL2", "Hypervisor IPA Fault Address Register", sysreg_hpfar, NULL },
	{ "SCR_EL3", "Secure Configuration Register", sysreg_scr, NULL },
	{ "PAR_EL1", "Physical Address Register", sysreg_par, NULL },
	{ "ID_AA64MMFR0_EL1", "AArch64 Memory Model Feature Register 0", mmfr0, NULL },
	{ "ID_AA64MMFR1_EL1", "AArch64 Memory Model Feature Register 1", sysreg_mmfr1, NULL },
	{ "ID_AA64MMFR2_EL1", "AArch64 Memory Model Feature Register 2", sysreg_mmfr2, NULL },
};

const struct sysreg *sysreg_each(unsigned int n)
{
	return n < sizeof(regs) / sizeof(regs[0]) ? &regs[n] : NULL;
}

const struct sysreg *sysreg_find(const char *name)
{
	const struct sysreg *s;

	for (unsigned int n = 0; (s = sysreg_each(n)); n++)
		if (!strcasecmp(s->name, name))
			return s;
	return NULL;
}

void sysreg_describe(const struct sysreg *s, uint64_t value, struct buf *out)
{
	pt_fields_describe(s->fields, value, 0, out);
	if (s->more)
		s->more(value, out);
}
