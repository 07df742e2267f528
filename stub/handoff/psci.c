/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/psci.h"

#include "buf.h"

#include <inttypes.h>
#include <stddef.h>

static const struct psci_call calls[] = {
	{ SMCCC_VERSION, "SMCCC_VERSION", 0, false },
	{ 0x80000001, "SMCCC_ARCH_FEATURES", 1, false },
	{ 0x80000002, "SMCCC_ARCH_SOC_ID", 1, false },
	{ 0x80003fff, "SMCCC_ARCH_WORKAROUND_3", 0, false },
	{ 0x80007fff, "SMCCC_ARCH_WORKAROUND_2", 1, false },
	{ 0x80008000, "SMCCC_ARCH_WORKAROUND_1", 0, false },
	{ PSCI_VERSION, "PSCI_VERSION", 0, false },
	{ 0x84000001, "CPU_SUSPEND", 3, false },
	{ PSCI_CPU_OFF, "CPU_OFF", 0, false },
	{ PSCI_CPU_ON, "CPU_ON", 3, false },
	{ PSCI_AFFINITY_INFO, "AFFINITY_INFO", 2, false },
	{ 0x84000005, "MIGRATE", 1, false },
	{ PSCI_MIGRATE_INFO, "MIGRATE_INFO_TYPE", 0, false },
	{ 0x84000007, "MIGRATE_INFO_UP_CPU", 0, false },
	{ 0x84000008, "SYSTEM_OFF", 0, true },
	{ 0x84000009, "SYSTEM_RESET", 0, true },
	{ PSCI_FEATURES, "PSCI_FEATURES", 1, false },
	{ 0x8400000b, "CPU_FREEZE", 0, false },
	{ 0x8400000c, "CPU_DEFAULT_SUSPEND", 2, false },
	{ 0x8400000d, "NODE_HW_STATE", 2, false },
	{ 0x8400000e, "SYSTEM_SUSPEND", 2, false },
	{ 0x8400000f, "PSCI_SET_SUSPEND_MODE", 1, false },
	{ 0x84000010, "PSCI_STAT_RESIDENCY", 2, false },
	{ 0x84000011, "PSCI_STAT_COUNT", 2, false },
	{ 0x84000012, "SYSTEM_RESET2", 2, true },
	{ 0x84000013, "MEM_PROTECT", 1, false },
	{ 0x84000014, "MEM_PROTECT_CHECK_RANGE", 2, false },
	{ 0x84000050, "TRNG_VERSION", 0, false },
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

const char *psci_reason(uint64_t x0)
{
	static const char *const reasons[] = {
		NULL,
		"it has no such call",
		"no CPU has that affinity, or the entry is none",
		"it does not let that CPU be started",
		"that CPU is on",
		"that CPU is being switched on",
		NULL,
		NULL,
		NULL,
		"the entry is no address that it takes",
	};
	int32_t status = (int32_t)x0;

	return status <= 0 && status > -10 ? reasons[-status] : NULL;
}

const char *psci_owner(uint64_t x0)
{
	static const char *const owners[] = {
		"the architecture", "the CPU",	    "the chip (SiP)",	     "the board (OEM)",
		"secure firmware",  "a hypervisor", "a hypervisor's vendor",
	};
	unsigned int owner = x0 >> 24 & 63;

	if (!(x0 >> 31 & 1))
		return NULL;
	if (owner >= 48)
		return owner < 50 ? "a trusted application" : "a trusted OS";
	return owner < sizeof(owners) / sizeof(owners[0]) ? owners[owner] : NULL;
}

void psci_answer(const struct psci_call *call, uint64_t x0, struct buf *out)
{
	static const char *const affinity[] = { "ON", "OFF", "ON_PENDING" };
	static const char *const migrate[] = { "may migrate", "may not migrate",
					       "nothing to migrate" };
	const char *status = psci_result(x0);
	bool failed = (int32_t)x0 < 0;

	if (failed && status)
		buf_puts(out, status);
	else if (!failed && (call->function == PSCI_VERSION || call->function == SMCCC_VERSION))
		buf_printf(out, "%" PRIu64 ".%" PRIu64, x0 >> 16, x0 & 0xffff);
	else if (call->function == PSCI_AFFINITY_INFO && x0 < 3)
		buf_puts(out, affinity[x0]);
	else if (call->function == PSCI_MIGRATE_INFO && x0 < 3)
		buf_puts(out, migrate[x0]);
	else if (call->function == PSCI_FEATURES && !failed)
		buf_printf(out, x0 ? "there, flags %#" PRIx64 : "there", x0);
	else if (call->function == PSCI_CPU_ON && status)
		buf_puts(out, status);
	else
		buf_printf(out, "%#" PRIx64, x0);
}
