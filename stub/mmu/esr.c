// SPDX-License-Identifier: BSD-2-Clause
/* Words for ESR_ELx: classes and fault status (DDI 0487, D24.2.40 ESR_EL1). */
#include <stddef.h>

#include "mmu/sysreg.h"

static const char *const classes[64] = {
	[0x00] = "Unknown reason (an undefined instruction, mostly)",
	[0x01] = "Trapped WFI or WFE",
	[0x03] = "Trapped MCR or MRC (coproc 0b1111)",
	[0x04] = "Trapped MCRR or MRRC (coproc 0b1111)",
	[0x05] = "Trapped MCR or MRC (coproc 0b1110)",
	[0x06] = "Trapped LDC or STC",
	[0x07] = "Access to SVE, Advanced SIMD or floating-point trapped",
	[0x08] = "Trapped VMRS",
	[0x09] = "Trapped pointer authentication instruction",
	[0x0a] = "Trapped instruction not covered by another class",
	[0x0c] = "Trapped MRRC (coproc 0b1110)",
	[0x0d] = "Branch Target exception",
	[0x0e] = "Illegal Execution state",
	[0x11] = "SVC in AArch32",
	[0x12] = "HVC in AArch32",
	[0x13] = "SMC in AArch32",
	[0x14] = "Trapped MSRR, MRRS or SYSP",
	[0x15] = "SVC in AArch64",
	[0x16] = "HVC in AArch64",
	[0x17] = "SMC in AArch64",
	[0x18] = "Trapped MSR, MRS or system instruction",
	[0x19] = "Access to SVE trapped",
	[0x1a] = "Trapped ERET",
	[0x1b] = "Trapped TSTART",
	[0x1c] = "Pointer authentication failure",
	[0x1d] = "Access to SME trapped",
	[0x1e] = "Granule Protection Check",
	[0x1f] = "IMPLEMENTATION DEFINED exception to EL3",
	[0x20] = "Instruction Abort from a lower Exception level",
	[0x21] = "Instruction Abort taken without a change in Exception level",
	[0x22] = "PC alignment fault",
	[0x24] = "Data Abort from a lower Exception level",
	[0x25] = "Data Abort taken without a change in Exception level",
	[0x26] = "SP alignment fault",
	[0x27] = "Memory Operation exception",
	[0x28] = "Floating-point exception in AArch32",
	[0x2c] = "Floating-point exception in AArch64",
	[0x2d] = "Guarded Control Stack exception",
	[0x2f] = "SError",
	[0x30] = "Breakpoint from a lower Exception level",
	[0x31] = "Breakpoint taken without a change in Exception level",
	[0x32] = "Software Step from a lower Exception level",
	[0x33] = "Software Step taken without a change in Exception level",
	[0x34] = "Watchpoint from a lower Exception level",
	[0x35] = "Watchpoint taken without a change in Exception level",
	[0x38] = "BKPT in AArch32",
	[0x3a] = "Vector Catch in AArch32",
	[0x3c] = "BRK in AArch64",
	[0x3d] = "Profiling exception",
};

#define LEVELS(first, words)                                            \
	[first] = words ", level 0", [(first) + 1] = words ", level 1", \
	[(first) + 2] = words ", level 2", [(first) + 3] = words ", level 3"

/* DFSC and IFSC. */
static const char *const faults[64] = {
	LEVELS(0x00, "address size fault"),
	LEVELS(0x04, "translation fault"),
	LEVELS(0x08, "access flag fault"),
	LEVELS(0x0c, "permission fault"),
	[0x10] = "external abort, not on a table walk",
	[0x11] = "tag check fault",
	[0x12] = "external abort on the table walk, level -2",
	[0x13] = "external abort on the table walk, level -1",
	LEVELS(0x14, "external abort on the table walk"),
	[0x18] = "parity or ECC error, not on a table walk",
	[0x1b] = "parity or ECC error on the table walk, level -1",
	LEVELS(0x1c, "parity or ECC error on the table walk"),
	[0x21] = "alignment fault",
	[0x22] = "granule protection fault on the table walk, level -2",
	[0x23] = "granule protection fault on the table walk, level -1",
	LEVELS(0x24, "granule protection fault on the table walk"),
	[0x28] = "granule protection fault, not on a table walk",
	[0x29] = "address size fault, level -1",
	[0x2a] = "translation fault, level -2",
	[0x2b] = "translation fault, level -1",
	[0x2c] = "address size fault, level -2",
	[0x30] = "TLB conflict abort",
	[0x31] = "unsupported atomic hardware update",
	[0x34] = "IMPLEMENTATION DEFINED fault (lockdown)",
	[0x35] = "IMPLEMENTATION DEFINED fault (unsupported exclusive or atomic access)",
};

const char *esr_class_words(uint64_t esr)
{
	const char *words = classes[esr >> 26 & 63];

	return words ? words : "reserved exception class";
}

int esr_is_fetch_abort(uint64_t esr)
{
	return (esr >> 26 & 62) == 0x20;
}

int esr_is_data_abort(uint64_t esr)
{
	return (esr >> 26 & 62) == 0x24;
}

const char *esr_fault_words(uint64_t esr)
{
	if (!esr_is_fetch_abort(esr) && !esr_is_data_abort(esr))
		return NULL;
	return faults[esr & 63] ? faults[esr & 63] : "reserved fault status";
}
