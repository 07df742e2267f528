/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loader says of an exception. Sections: DDI 0487, D19.2.40 "ESR_EL1". */
#include <stdbool.h>
#include <stddef.h>

#include "asm.h"
#include "loader.h"
#include "trap.h"

_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "vectors.S has another size");
_Static_assert(offsetof(struct trap_frame, sp) == 248, "vectors.S has another layout");
_Static_assert(offsetof(struct trap_frame, elr) == 256, "vectors.S has another layout");
_Static_assert(offsetof(struct trap_frame, busy) == 288, "vectors.S has another layout");
_Static_assert(1 << MAX_CPUS_SHIFT == BATON_IMAGE_MAX_CPUS, "asm.h has another number");
_Static_assert(1 << STACK_SHIFT == STACK_SIZE, "asm.h has another size");

#define NO_LEVEL 127

enum {
	EC_UNKNOWN = 0x00,
	EC_HVC64 = 0x16,
	EC_SMC64 = 0x17,
	EC_IABORT_LOWER = 0x20,
	EC_IABORT = 0x21,
	EC_PC_ALIGNMENT = 0x22,
	EC_DABORT_LOWER = 0x24,
	EC_DABORT = 0x25,
	EC_WATCHPOINT_LOWER = 0x34,
	EC_WATCHPOINT = 0x35,
};

static const struct {
	unsigned int ec;
	const char *words;
} classes[] = {
	{ EC_UNKNOWN, "Unknown reason" },
	{ 0x01, "Trapped WFI or WFE instruction" },
	{ 0x07, "Access to SVE, Advanced SIMD or floating-point functionality" },
	{ 0x09, "Trapped pointer authentication instruction" },
	{ 0x0a, "Trapped execution of an instruction that no other class covers" },
	{ 0x0d, "Branch Target Exception" },
	{ 0x0e, "Illegal Execution state" },
	{ 0x11, "SVC instruction execution in AArch32 state" },
	{ 0x15, "SVC instruction execution in AArch64 state" },
	{ EC_HVC64, "HVC instruction execution in AArch64 state" },
	{ EC_SMC64, "SMC instruction execution in AArch64 state" },
	{ 0x18, "Trapped MSR, MRS or System instruction execution in AArch64 state" },
	{ 0x19, "Access to SVE functionality" },
	{ 0x1a, "Trapped ERET, ERETAA or ERETAB instruction execution" },
	{ 0x1c, "Pointer authentication failure" },
	{ 0x1d, "Access to SME functionality" },
	{ 0x1e, "Granule Protection Check exception" },
	{ 0x1f, "IMPLEMENTATION DEFINED exception to EL3" },
	{ EC_IABORT_LOWER, "Instruction Abort from a lower Exception level" },
	{ EC_IABORT, "Instruction Abort taken without a change in Exception level" },
	{ EC_PC_ALIGNMENT, "PC alignment fault" },
	{ EC_DABORT_LOWER, "Data Abort from a lower Exception level" },
	{ EC_DABORT, "Data Abort taken without a change in Exception level" },
	{ 0x26, "SP alignment fault" },
	{ 0x27, "Memory Copy and Memory Set exception" },
	{ 0x2c, "Trapped floating-point exception" },
	{ 0x2d, "Guarded Control Stack exception" },
	{ 0x2f, "SError interrupt" },
	{ 0x30, "Breakpoint from a lower Exception level" },
	{ 0x31, "Breakpoint taken without a change in Exception level" },
	{ 0x32, "Software Step from a lower Exception level" },
	{ 0x33, "Software Step taken without a change in Exception level" },
	{ EC_WATCHPOINT_LOWER, "Watchpoint from a lower Exception level" },
	{ EC_WATCHPOINT, "Watchpoint taken without a change in Exception level" },
	{ 0x3c, "BRK instruction execution in AArch64 state" },
};

/* The fault status code, bits 5:0 of an abort's ISS; those with a level first. */
static const struct {
	uint8_t first, last;
	int8_t level; /* of the first */
	const char *words;
} statuses[] = {
	{ 0x00, 0x03, 0, "address size fault" },
	{ 0x04, 0x07, 0, "translation fault" },
	{ 0x08, 0x0b, 0, "access flag fault" },
	{ 0x0c, 0x0f, 0, "permission fault" },
	{ 0x12, 0x17, -2, "synchronous external abort on a table walk" },
	{ 0x1b, 0x1f, -1, "parity or ECC error on a table walk" },
	{ 0x22, 0x27, -2, "granule protection fault on a table walk" },
	{ 0x29, 0x29, -1, "address size fault" },
	{ 0x2a, 0x2b, -2, "translation fault" },
	{ 0x2c, 0x2c, -2, "address size fault" },
	{ 0x10, 0x10, NO_LEVEL, "synchronous external abort" },
	{ 0x11, 0x11, NO_LEVEL, "tag check fault" },
	{ 0x18, 0x18, NO_LEVEL, "parity or ECC error" },
	{ 0x21, 0x21, NO_LEVEL, "alignment fault" },
	{ 0x28, 0x28, NO_LEVEL, "granule protection fault" },
	{ 0x30, 0x30, NO_LEVEL, "TLB conflict" },
	{ 0x31, 0x31, NO_LEVEL, "unsupported atomic hardware update" },
	{ 0x34, 0x34, NO_LEVEL, "IMPLEMENTATION DEFINED, lockdown" },
	{ 0x35, 0x35, NO_LEVEL, "IMPLEMENTATION DEFINED, unsupported exclusive or atomic access" },
};

static const char *const kinds[] = { "Synchronous", "IRQ", "FIQ", "SError" };
static const char *const sources[] = {
	"Current Exception level with SP_EL0",
	"Current Exception level with SP_ELx",
	"Lower Exception level using AArch64",
	"Lower Exception level using AArch32",
};

static const char *class_words(unsigned int ec)
{
	for (unsigned int i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].ec == ec)
			return classes[i].words;
	return "a class that this loader has no words for";
}

static bool is_abort(unsigned int ec)
{
	return ec == EC_IABORT || ec == EC_IABORT_LOWER || ec == EC_DABORT || ec == EC_DABORT_LOWER;
}

static bool is_data_abort(unsigned int ec)
{
	return ec == EC_DABORT || ec == EC_DABORT_LOWER;
}

/* FAR is written for these alone, and for an external abort only where FnV is clear. */
static bool far_is_valid(unsigned int ec, uint64_t iss)
{
	if (is_abort(ec))
		return !((iss & 0x3f) == 0x10 && iss >> 10 & 1);
	return ec == EC_PC_ALIGNMENT || ec == EC_WATCHPOINT || ec == EC_WATCHPOINT_LOWER;
}

/*
 * HPFAR_EL2 (D19.2.62): a fault of stage 2, which only a lower level can have,
 * by its status, or by S1PTW: on the way to a descriptor of stage 1.
 */
static bool hpfar_is_valid(unsigned int ec, uint64_t iss)
{
	return el_current() == 2 && (ec == EC_IABORT_LOWER || ec == EC_DABORT_LOWER) &&
	       ((iss & 0x3f) < 0x0c || (iss >> 7 & 1) ||
		((iss & 0x3f) >= 0x29 && (iss & 0x3f) <= 0x2c));
}

/* WnR (bit 6) says "write" of cache maintenance and address translation as well: CM, bit 8. */
static const char *access_words(unsigned int ec, uint64_t iss)
{
	if (!is_data_abort(ec))
		return "an instruction fetch";
	if (iss >> 8 & 1)
		return "cache maintenance or an address translation";
	return iss >> 6 & 1 ? "a write" : "a read";
}

static void print_fault(unsigned int ec, uint64_t iss)
{
	uint64_t fsc = iss & 0x3f;
	unsigned int i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (fsc >= statuses[i].first && fsc <= statuses[i].last)
			break;
	if (i == sizeof(statuses) / sizeof(statuses[0])) {
		log_printf(" (a fault that this loader has no words for");
	} else {
		int level = statuses[i].level + (int)(fsc - statuses[i].first);

		log_printf(" (%s", statuses[i].words);
		if (statuses[i].level != NO_LEVEL)
			log_printf(", level %s%d", level < 0 ? "-" : "",
				   (uint64_t)(level < 0 ? -level : level));
	}
	log_printf(") on %s%s", access_words(ec, iss),
		   iss >> 7 & 1 ? ", in stage 2 of a table walk" : "");
}

/* The interrupted program's: SPSR (C5.2.19) says which it used. AArch32's are x0 to x30. */
static uint64_t stack_pointer(const struct trap_frame *f)
{
	unsigned int el = f->spsr >> 2 & 3;

	if (f->spsr & 0x10)
		return f->x[13];
	if (!(f->spsr & 1))
		return READ_SYSREG(sp_el0);
	if (el == el_current())
		return f->sp;
	return el == 2 ? READ_SYSREG(sp_el2) : READ_SYSREG(sp_el1);
}

static void print_head(const char *what)
{
	uint64_t cpu = cpu_id();

	/* A kernel may have put anything into TPIDR_EL1. */
	if (cpu >= BATON_IMAGE_MAX_CPUS)
		log_printf("LDR|ERROR|MPIDR %X: %s", READ_SYSREG(mpidr_el1), what);
	else if (cpu)
		log_printf("LDR|ERROR|CPU%d: %s", cpu, what);
	else
		log_printf("LDR|ERROR: %s", what);
}

static void dump(const struct trap_frame *f, uint64_t kind)
{
	unsigned int ec = f->esr >> 26 & 0x3f, el = el_current();
	uint64_t iss = f->esr & 0x1ffffff;

	log_lock();
	print_head("loader trapped exception: ");
	log_printf("%s (%s)\n", kinds[kind & 3], sources[kind >> 2]);
	log_printf("    esr_el%d: %X\n", (uint64_t)el, f->esr);
	log_printf("    ec: %x (%s)\n", (uint64_t)ec, class_words(ec));
	log_printf("    il: %X\n    iss: %X", f->esr >> 25 & 1, iss);
	if (is_abort(ec))
		print_fault(ec, iss);
	if (far_is_valid(ec, iss))
		log_printf("\n    far: %X\n", f->far);
	else
		log_printf("\n    far: not set by this exception\n");
	if (hpfar_is_valid(ec, iss))
		log_printf("    ipa: %X (hpfar_el2)\n", (READ_SYSREG(hpfar_el2) & 0xfffffffffff0)
								<< 8);
	log_printf("    elr: %X\n    spsr: %X\n    sp: %X\n", f->elr, f->spsr, stack_pointer(f));
	for (uint64_t i = 0; i < 31; i++)
		log_printf("    reg: %x: %X\n", i, f->x[i]);
	log_abandon(); /* it stops here */
}

/*
 * Where nobody implements PSCI's conduit, the call is undefined (ELR on it), or
 * an hvc at EL2, an smc at EL3 comes back to ourselves (ELR behind it). That is
 * an answer too.
 */
static bool trap_recover(struct trap_frame *f)
{
	unsigned int ec = f->esr >> 26 & 0x3f;

	if (ec == EC_UNKNOWN && (f->elr == (uintptr_t)psci_smc || f->elr == (uintptr_t)psci_hvc))
		f->elr += 4;
	else if (!(ec == EC_HVC64 && f->elr == (uintptr_t)psci_hvc + 4) &&
		 !(ec == EC_SMC64 && f->elr == (uintptr_t)psci_smc + 4))
		return false;
	f->x[0] = (uint64_t)PSCI_NOT_SUPPORTED;
	return true;
}

void trap_handler(struct trap_frame *frame, uint64_t kind)
{
	if (kind == 4 && trap_recover(frame))
		return;
	dump(frame, kind);
	cpu_halt();
}

void trap_nested(const struct trap_frame *f)
{
	log_lock();
	print_head("the exception handler itself failed: ");
	log_printf("esr_el%d %X elr %X far %X\n", (uint64_t)el_current(), f->esr, f->elr, f->far);
	log_abandon();
}
