// SPDX-License-Identifier: BSD-2-Clause
/*
 * System registers that say who controls what, what a translation came to, and what the CPU
 * can, as rows of fields (DDI 0487, D24.2).
 */
#include <inttypes.h>

#include "buf.h"
#include "mmu/a64.h"
#include "mmu/sysreg.h"
#include "mmu/sysreg_rows.h"

const struct pt_field sysreg_hcr[] = { B("VM", 0, "second stage on for EL1&0", NULL),
				       B("SWIO", 1, NULL, NULL),
				       B("PTW", 2, "table walks through device memory fault", NULL),
				       B("FMO", 3, "FIQ goes to EL2", NULL),
				       B("IMO", 4, "IRQ goes to EL2", NULL),
				       B("AMO", 5, "SError goes to EL2", NULL),
				       B("VF", 6, "virtual FIQ pending", NULL),
				       B("VI", 7, "virtual IRQ pending", NULL),
				       B("VSE", 8, "virtual SError pending", NULL),
				       B("FB", 9, "maintenance is broadcast", NULL),
				       F("BSU", 10, 2),
				       B("DC", 12, "default cacheable, second stage on", NULL),
				       B("TWI", 13, "WFI traps", NULL),
				       B("TWE", 14, "WFE traps", NULL),
				       F("TID0", 15, 1),
				       F("TID1", 16, 1),
				       F("TID2", 17, 1),
				       B("TID3", 18, "ID registers trap", NULL),
				       B("TSC", 19, "SMC traps", NULL),
				       B("TIDCP", 20, NULL, NULL),
				       B("TACR", 21, NULL, NULL),
				       B("TSW", 22, "set/way maintenance traps", NULL),
				       B("TPCP", 23, NULL, NULL),
				       B("TPU", 24, NULL, NULL),
				       B("TTLB", 25, "TLB maintenance traps", NULL),
				       B("TVM", 26, "writes to translation registers trap", NULL),
				       B("TGE", 27, "all exceptions go to EL2", NULL),
				       B("TDZ", 28, "DC ZVA traps", NULL),
				       B("HCD", 29, "HVC is undefined", NULL),
				       B("TRVM", 30, "reads of translation registers trap", NULL),
				       B("RW", 31, "EL1 is AArch64", "EL1 is AArch32"),
				       B("CD", 32, "second stage: data not cacheable", NULL),
				       B("ID", 33, "second stage: instructions not cacheable",
					 NULL),
				       B("E2H", 34, "EL2&0 regime (VHE)", NULL),
				       F("TLOR", 35, 1),
				       F("TERR", 36, 1),
				       B("TEA", 37, "external aborts go to EL2", NULL),
				       F("MIOCNCE", 38, 1),
				       F("TME", 39, 1),
				       B("APK", 40, NULL, "pointer authentication keys trap"),
				       B("API", 41, NULL, "pointer authentication traps"),
				       B("NV", 42, "nested virtualization", NULL),
				       B("NV1", 43, "EL1 descriptors as at EL2", NULL),
				       B("AT", 44, "AT instructions trap", NULL),
				       B("NV2", 45, NULL, NULL),
				       B("FWB", 46, "second stage overrides cacheability", NULL),
				       F("FIEN", 47, 1),
				       F("GPF", 48, 1),
				       F("TID4", 49, 1),
				       F("TICAB", 50, 1),
				       F("AMVOFFEN", 51, 1),
				       F("TOCU", 52, 1),
				       F("EnSCXT", 53, 1),
				       F("TTLBIS", 54, 1),
				       F("TTLBOS", 55, 1),
				       F("ATA", 56, 1),
				       B("DCT", 57, "with DC: tagged", NULL),
				       F("TID5", 58, 1),
				       F("TWEDEn", 59, 1),
				       F("TWEDEL", 60, 4),
				       END };

const struct pt_field sysreg_scr[] = {
	B("NS", 0, "below EL3 is Non-secure", "below EL3 is Secure"),
	B("IRQ", 1, "IRQ goes to EL3", NULL),
	B("FIQ", 2, "FIQ goes to EL3", NULL),
	B("EA", 3, "external aborts and SError go to EL3", NULL),
	B("SMD", 7, "SMC is undefined", NULL),
	B("HCE", 8, "HVC works", "HVC is undefined"),
	B("SIF", 9, "Secure state fetches nothing from Non-secure memory", NULL),
	B("RW", 10, "the next level is AArch64", "all below is AArch32"),
	B("ST", 11, NULL, NULL),
	B("TWI", 12, "WFI traps", NULL),
	B("TWE", 13, "WFE traps", NULL),
	F("TLOR", 14, 1),
	F("TERR", 15, 1),
	B("APK", 16, NULL, "pointer authentication keys trap"),
	B("API", 17, NULL, "pointer authentication traps"),
	B("EEL2", 18, "Secure EL2 on", NULL),
	F("EASE", 19, 1),
	F("NMEA", 20, 1),
	F("FIEN", 21, 1),
	F("EnSCXT", 25, 1),
	F("ATA", 26, 1),
	F("FGTEn", 27, 1),
	F("ECVEn", 28, 1),
	F("TWEDEn", 29, 1),
	F("TWEDEL", 30, 4),
	F("TME", 34, 1),
	F("AMVOFFEN", 35, 1),
	F("EnAS0", 36, 1),
	F("ADEn", 37, 1),
	F("HXEn", 38, 1),
	F("GCSEn", 39, 1),
	F("TRNDR", 40, 1),
	F("EnTP2", 41, 1),
	F("RCWMASKEn", 42, 1),
	F("TCR2En", 43, 1),
	F("SCTLR2En", 44, 1),
	F("PIEn", 45, 1),
	F("AIEn", 46, 1),
	F("D128En", 47, 1),
	B("GPF", 48, "granule protection faults go to EL3", NULL),
	B("NSE", 62, "with NS: Realm", NULL),
	END
};

static void say_fipa(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)word, (void)mair;
	buf_printf(out, "IPA 0x%" PRIx64, value << 12);
}

const struct pt_field sysreg_hpfar[] = { { .name = "FIPA", .lsb = 4, .width = 44, .say = say_fipa },
					 B("NS", 63, "Non-secure IPA space", NULL),
					 END };

static void say_fst(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)mair;
	if (word & 1) /* words for a fault status are ESR's */
		buf_puts(out, esr_fault_words(UINT64_C(0x25) << 26 | value));
}

/* D24.2.136: with F the fault, without it the address; one set of rows for both. */
const struct pt_field sysreg_par[] = {
	B("F", 0, "the translation faulted: FST, PTW, S", "it worked: SH, NS, PA, ATTR"),
	{ .name = "FST", .lsb = 1, .width = 6, .say = say_fst, .hex = true },
	V("SH", 7, 2, sysreg_share),
	B("NS_S", 9, "Non-secure; of a fault: in stage 2", NULL),
	{ .name = "PA", .lsb = 12, .width = 40, .hex = true },
	{ .name = "ATTR", .lsb = 56, .width = 8, .hex = true },
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

const struct pt_field sysreg_mmfr0[] = { V("PARange", 0, 4, sysreg_pa_size),
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

static const struct pt_value hafdbs[] = { { 0, "none" },
					  { 1, "access flag" },
					  { 2, "access flag and dirty state" },
					  { 3, "those, and of tables" },
					  { 0, NULL } };
static const struct pt_value pan[] = { { 0, "none" },
				       { 1, "PAN" },
				       { 2, "PAN and AT S1E1RP" },
				       { 3, "those and EPAN" },
				       { 0, NULL } };
static const struct pt_value varange[] = {
	{ 0, "48-bit" }, { 1, "52-bit with 64 KiB" }, { 2, "56-bit" }, { 0, NULL }
};

const struct pt_field sysreg_mmfr1[] = { V("HAFDBS", 0, 4, hafdbs),
					 F("VMIDBits", 4, 4),
					 F("VH", 8, 4),
					 F("HPDS", 12, 4),
					 F("LO", 16, 4),
					 V("PAN", 20, 4, pan),
					 F("SpecSEI", 24, 4),
					 F("XNX", 28, 4),
					 F("TWED", 32, 4),
					 F("ETS", 36, 4),
					 F("HCX", 40, 4),
					 F("AFP", 44, 4),
					 F("nTLBPA", 48, 4),
					 F("TIDCP1", 52, 4),
					 F("CMOW", 56, 4),
					 F("ECBHB", 60, 4),
					 END };

const struct pt_field sysreg_mmfr2[] = { F("CnP", 0, 4),
					 F("UAO", 4, 4),
					 F("LSM", 8, 4),
					 F("IESB", 12, 4),
					 V("VARange", 16, 4, varange),
					 F("CCIDX", 20, 4),
					 F("NV", 24, 4),
					 F("ST", 28, 4),
					 F("AT", 32, 4),
					 F("IDS", 36, 4),
					 F("FWB", 40, 4),
					 F("TTL", 48, 4),
					 F("BBM", 52, 4),
					 F("EVT", 56, 4),
					 F("E0PD", 60, 4),
					 END };
