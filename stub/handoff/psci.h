/* SPDX-License-Identifier: BSD-2-Clause */
/* Firmware calls by number: PSCI 1.1 (DEN 0022) and SMCCC (DEN 0028). */
#ifndef BATON_HANDOFF_PSCI_H
#define BATON_HANDOFF_PSCI_H

#include <stdbool.h>
#include <stdint.h>

struct psci_call {
	uint32_t function; /* of the SMC32 form; the SMC64 one has bit 30 set */
	const char *name;
	unsigned int args; /* that x1 and the following hold */
	bool ends;	   /* the whole machine: off, or from the start */
};

struct buf;

#define SMCCC_VERSION	   0x80000000u
#define PSCI_VERSION	   0x84000000u
#define PSCI_AFFINITY_INFO 0x84000004u
#define PSCI_MIGRATE_INFO  0x84000006u
#define PSCI_FEATURES	   0x8400000au
#define PSCI_CPU_ON	   0x84000003u
#define PSCI_CPU_OFF	   0x84000002u

/** psci_find() - by the function number in x0; NULL. */
const struct psci_call *psci_find(uint64_t x0);

/** psci_result() - "SUCCESS", "NOT_SUPPORTED", ...; NULL if it is no status. */
const char *psci_result(uint64_t x0);

/** psci_reason() - what a CPU_ON was refused for, by that result (DEN 0022, 5.1.4); NULL. */
const char *psci_reason(uint64_t x0);

/** psci_owner() - whose call a number that psci_find() does not know is (DEN 0028, 2.5). */
const char *psci_owner(uint64_t x0);

/** psci_answer() - append what @call returned: "1.1", "SUCCESS", "OFF", "there", ... */
void psci_answer(const struct psci_call *call, uint64_t x0, struct buf *out);

#endif
