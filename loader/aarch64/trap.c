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

enum {
	EC_UNKNOWN = 0x00,
	EC_HVC64 = 0x16,
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
	{ 0x0d, "Branch Target Exception" },
	{ 0x0e, "Illegal Execution state" },
	{ 0x15, "SVC instruction execution in AArch64 state" },
	{ EC_HVC64, "HVC instruction execution in AArch64 state" },
	{ 0x17, "SMC instruction execution in AArch64 state" },
	{ 0x18, "Trapped MSR, MRS or System instruction execution in AArch64 state" },
	{ EC_IABORT_LOWER, "Instruction Abort from a lower Exception level" },
	{ EC_IABORT, "Instruction Abort taken without a change in Exception level" },
	{ EC_PC_ALIGNMENT, "PC alignment fault" },
	{ EC_DABORT_LOWER, "Data Abort from a lower Exception level" },
	{ EC_DABORT, "Data Abort taken without a change in Exception level" },
	{ 0x26, "SP alignment fault" },
	{ 0x2c, "Trapped floating-point exception" },
	{ 0x2f, "SError interrupt" },
	{ 0x31, "Breakpoint taken without a change in Exception level" },
	{ 0x33, "Software Step taken without a change in Exception level" },
	{ EC_WATCHPOINT, "Watchpoint taken without a change in Exception level" },
	{ 0x3c, "BRK instruction execution in AArch64 state" },
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

/* FAR is written for these alone, and for an external abort only where FnV is clear. */
static bool far_is_valid(unsigned int ec, uint64_t iss)
{
	if (is_abort(ec))
		return !((iss & 0x3f) == 0x10 && iss >> 10 & 1);
	return ec == EC_PC_ALIGNMENT || ec == EC_WATCHPOINT || ec == EC_WATCHPOINT_LOWER;
}

/* The fault status code, bits 5:0 of an abort's ISS. */
static void print_fault_status(uint64_t fsc)
{
	static const char *const by_level[] = { "address size fault", "translation fault",
						"access flag fault", "permission fault" };

	if (fsc < 0x10)
		log_printf(" (%s, level %d)", by_level[fsc >> 2], fsc & 3);
	else if (fsc == 0x10)
		log_printf(" (synchronous external abort)");
	else if (fsc >= 0x14 && fsc <= 0x17)
		log_printf(" (synchronous external abort on a table walk, level %d)", fsc & 3);
	else if (fsc == 0x21)
		log_printf(" (alignment fault)");
	else if (fsc == 0x30)
		log_printf(" (TLB conflict)");
}

static void dump(const struct trap_frame *f, uint64_t kind)
{
	unsigned int ec = f->esr >> 26 & 0x3f, el = el_current();
	uint64_t iss = f->esr & 0x1ffffff;

	log_lock();
	if (cpu_id())
		log_printf("LDR|ERROR|CPU%d: ", (uint64_t)cpu_id());
	else
		log_printf("LDR|ERROR: ");
	log_printf("loader trapped exception: %s (%s)\n", kinds[kind & 3], sources[kind >> 2]);
	log_printf("    esr_el%d: %X\n", (uint64_t)el, f->esr);
	log_printf("    ec: %x (%s)\n", (uint64_t)ec, class_words(ec));
	log_printf("    il: %X\n    iss: %X", f->esr >> 25 & 1, iss);
	if (is_abort(ec))
		print_fault_status(iss & 0x3f);
	if (far_is_valid(ec, iss))
		log_printf("\n    far: %X\n", f->far);
	else
		log_printf("\n    far: not set by this exception\n");
	log_printf("    elr: %X\n    spsr: %X\n    sp: %X\n", f->elr, f->spsr, f->sp);
	for (uint64_t i = 0; i < 31; i++)
		log_printf("    reg: %x: %X\n", i, f->x[i]);
	log_unlock();
}

/*
 * Where nobody implements PSCI's conduit, the call is undefined (ELR on it), or
 * at EL2 an hvc comes back to ourselves (ELR behind it). That is an answer too.
 */
static bool trap_recover(struct trap_frame *f)
{
	unsigned int ec = f->esr >> 26 & 0x3f;

	if (ec == EC_UNKNOWN && (f->elr == (uintptr_t)psci_smc || f->elr == (uintptr_t)psci_hvc))
		f->elr += 4;
	else if (ec != EC_HVC64 || f->elr != (uintptr_t)psci_hvc + 4)
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
