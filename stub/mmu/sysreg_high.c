// SPDX-License-Identifier: BSD-2-Clause
/*
 * System registers of EL2 and EL3, and of translation in general, as rows of fields
 * (DDI 0487, D24.2).
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

/* What SL0 says depends on the granule, and with DS on SL2 (D24.2.218). */
static void say_sl0(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	static const signed char of_4k[4] = { 2, 1, 0, 3 };
	unsigned int tg0 = word >> 14 & 3;

	(void)mair;
	if (tg0 == 3 || (tg0 == 1 && value == 3))
		buf_puts(out, "reserved");
	else if (tg0)
		buf_printf(out, "first level %d", 3 - (int)value);
	else if ((word >> 32 & 3) == 3) /* DS and SL2 */
		buf_puts(out, value ? "reserved" : "first level -1");
	else
		buf_printf(out, "first level %d", of_4k[value & 3]);
}

const struct pt_field sysreg_vtcr[] = { S("T0SZ", 0, 6, sysreg_say_txsz),
					S("SL0", 6, 2, say_sl0),
					V("IRGN0", 8, 2, sysreg_cacheability),
					V("ORGN0", 10, 2, sysreg_cacheability),
					V("SH0", 12, 2, sysreg_share),
					V("TG0", 14, 2, sysreg_tg0),
					V("PS", 16, 3, sysreg_pa_size),
					B("VS", 19, "16-bit VMID", "8-bit VMID"),
					B("HA", 21, "hardware sets the access flag", NULL),
					B("HD", 22, "hardware sets the dirty state", NULL),
					F("HWU", 25, 4),
					B("NSW", 29, "non-secure IPA: non-secure tables", NULL),
					B("NSA", 30, "non-secure IPA: non-secure output", NULL),
					B("DS", 32, "52-bit descriptors (LPA2)", NULL),
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

const struct pt_field sysreg_vttbr[] = {
	B("CnP", 0, "common to all CPUs", NULL),
	{ .name = "BADDR", .lsb = 1, .width = 47, .say = say_baddr },
	H("VMID", 48, 16),
	END
};

const struct pt_field sysreg_tcr_el3[] = { S("T0SZ", 0, 6, sysreg_say_txsz),
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
					   F("MTX", 33, 1),
					   F("PnCH", 34, 1),
					   B("PIE", 35, "permission indirection", NULL),
					   B("POE", 36, "permission overlays", NULL),
					   B("AIE", 37, "16 memory attributes", NULL),
					   B("D128", 38, "128-bit descriptors", NULL),
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
	B("APK", 16, NULL, "pointer authentication keys trap"),
	B("API", 17, NULL, "pointer authentication traps"),
	B("EEL2", 18, "Secure EL2 on", NULL),
	B("ATA", 26, NULL, NULL),
	B("FGTEn", 27, NULL, NULL),
	B("HXEn", 38, NULL, NULL),
	B("TCR2En", 43, NULL, NULL),
	B("SCTLR2En", 44, NULL, NULL),
	B("PIEn", 45, NULL, NULL),
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
