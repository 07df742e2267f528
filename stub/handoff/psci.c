/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/psci.h"

#include <stddef.h>

static const struct psci_call calls[] = {
	{ 0x80000000, "SMCCC_VERSION", 0, false },
	{ 0x80000001, "SMCCC_ARCH_FEATURES", 1, false },
	{ 0x84000000, "PSCI_VERSION", 0, false },
	{ 0x84000001, "CPU_SUSPEND", 3, false },
	{ PSCI_CPU_OFF, "CPU_OFF", 0, false },
	{ PSCI_CPU_ON, "CPU_ON", 3, false },
	{ 0x84000004, "AFFINITY_INFO", 2, false },
	{ 0x84000005, "MIGRATE", 1, false },
	{ 0x84000006, "MIGRATE_INFO_TYPE", 0, false },
	{ 0x84000007, "MIGRATE_INFO_UP_CPU", 0, false },
	{ 0x84000008, "SYSTEM_OFF", 0, true },
	{ 0x84000009, "SYSTEM_RESET", 0, true },
	{ 0x8400000a, "PSCI_FEATURES", 1, false },
	{ 0x84000012, "SYSTEM_RESET2", 2, true },
};

const struct psci_call *psci_find(uint64_t x0)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].function == ((uint32_t)x0 & ~(1u << 30)))
			return &calls[i];
	return NULL;
}

const char *psci_result(uint64_t x0)
{
	static const char *const words[] = {
		"SUCCESS",    "NOT_SUPPORTED",	 "INVALID_PARAMETERS", "DENIED",
		"ALREADY_ON", "ON_PENDING",	 "INTERNAL_FAILURE",   "NOT_PRESENT",
		"DISABLED",   "INVALID_ADDRESS",
	};
	int32_t status = (int32_t)x0;

	return status <= 0 && status > -10 ? words[-status] : NULL;
}
