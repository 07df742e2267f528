/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers by field (DDI 0487, D24), and words for what ESR_ELx says. */
#ifndef BATON_MMU_SYSREG_H
#define BATON_MMU_SYSREG_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu/field.h"

struct sysreg {
	const char *name;  /* architectural: "TCR_EL1" */
	const char *title; /* "Translation Control Register" */
	const struct pt_field *fields;
	uint64_t has;  /* the bits that are its own where others have more of @fields; 0: all */
	uint64_t res1; /* bits without a name that are 1 */
	bool e2h;      /* these rows hold while HCR_EL2.E2H is 1 */
	/* more lines than the fields give: ESR's ISS; may be NULL */
	void (*more)(uint64_t value, struct buf *out);
};

/**
 * sysreg_find() - the register of that name, upper or lower case; NULL: no rows for it.
 * @e2h: HCR_EL2.E2H is 1, which gives some registers of EL2 the fields of EL1's
 */
const struct sysreg *sysreg_find(const char *name, bool e2h);

/** sysreg_each() - the @n-th register that has rows, NULL behind the last. */
const struct sysreg *sysreg_each(unsigned int n);

/**
 * sysreg_describe() - one aligned line a field: name, bits, value, meaning; and one for what
 * is set and has no name.
 */
void sysreg_describe(const struct sysreg *s, uint64_t value, struct buf *out);

/** sysreg_name() - the name of a register by its encoding, NULL if it is not among the known. */
const char *sysreg_name(unsigned int op0, unsigned int op1, unsigned int crn, unsigned int crm,
			unsigned int op2);

/**
 * sysreg_encode() - the other way: by name (also QEMU's own: SCTLR) or as S3_0_C2_C0_1.
 * @encoding: op0, op1, CRn, CRm, op2 as mrs and msr have them in bits 20:5, op0 whole
 * Return: false if the name is not known.
 */
bool sysreg_encode(const char *name, unsigned int *encoding);
/** sysreg_is_pstate() - a field of PSTATE that mrs shows as a register: DAIF, PAN, SPSel, ... */
bool sysreg_is_pstate(unsigned int encoding);

/**
 * sysreg_near() - known names that hold @name, or differ from it in one or two letters: the
 * nearest first. Return: how many of @max.
 */
unsigned int sysreg_near(const char *name, const char **out, unsigned int max);

/** esr_class_words() - the exception class: "Instruction Abort from the current level". */
const char *esr_class_words(uint64_t esr);

/**
 * esr_fault_words() - the fault status of an abort: "translation fault, level 0";
 * NULL where @esr is not of an abort.
 */
const char *esr_fault_words(uint64_t esr);

/** esr_is_fetch_abort(), esr_is_data_abort() - from the same level or a lower one. */
int esr_is_fetch_abort(uint64_t esr);
int esr_is_data_abort(uint64_t esr);

#endif
