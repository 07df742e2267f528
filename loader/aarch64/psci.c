/* SPDX-License-Identifier: BSD-2-Clause */
/* Power State Coordination Interface (Arm DEN 0022), by the SMC calling convention. */
#include "loader.h"

#define PSCI_VERSION   0x84000000
#define PSCI_CPU_ON_64 0xc4000003

typedef int64_t conduit_fn(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

static conduit_fn *conduit; /* NULL: no PSCI */

/* Returns PSCI's version or PSCI_NOT_SUPPORTED, and keeps a conduit that answers. */
static int64_t try(conduit_fn *fn)
{
	/* The version is 32 bits; an error may come sign-extended or not. */
	int32_t version = (int32_t)fn(PSCI_VERSION, 0, 0, 0);

	if (version < 0)
		return PSCI_NOT_SUPPORTED;
	conduit = fn;
	return version;
}

/*
 * An EL2 that is ours has nothing above but EL3: smc. Without an EL2 of ours a
 * hypervisor may be there: hvc, which is undefined where there is none, and then
 * smc. What counts is the level that the loader was entered in: after the drop
 * to EL1 nobody serves an hvc. Above EL3 there is nobody at all.
 */
void psci_init(unsigned int entry_el)
{
	int64_t version = PSCI_NOT_SUPPORTED;
	bool hvc = board.psci == PSCI_HVC || (board.psci == PSCI_AUTO && entry_el == 1);
	bool smc = board.psci == PSCI_SMC || board.psci == PSCI_AUTO;

	if (hvc && entry_el < 3)
		version = try(psci_hvc);
	if (smc && entry_el < 3 && version < 0)
		version = try(psci_smc);
	if (version < 0)
		log_printf("LDR|INFO: PSCI is not available\n");
	else
		log_printf("LDR|INFO: PSCI version is %d.%d\n", (uint64_t)version >> 16,
			   (uint64_t)version & 0xffff);
}

bool psci_answers(void)
{
	return conduit;
}

int64_t psci_cpu_on(uint64_t mpidr, void (*entry)(void), uint64_t context)
{
	if (!conduit)
		return PSCI_NOT_SUPPORTED;
	return (int32_t)conduit(PSCI_CPU_ON_64, mpidr, (uintptr_t)entry, context);
}

const char *psci_error(int64_t err)
{
	static const char *const words[] = {
		"success",    "not supported",	 "invalid parameters", "denied",
		"already on", "on pending",	 "internal failure",   "not present",
		"disabled",   "invalid address",
	};

	return err <= 0 && -err < (int64_t)(sizeof(words) / sizeof(words[0])) ? words[-err]
									      : "unknown error";
}
