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

#define PSCI_CPU_ON  0x84000003u
#define PSCI_CPU_OFF 0x84000002u

/** psci_find() - by the function number in x0; NULL. */
const struct psci_call *psci_find(uint64_t x0);

/** psci_result() - "SUCCESS", "NOT_SUPPORTED", ...; NULL if it is no status. */
const char *psci_result(uint64_t x0);

#endif
