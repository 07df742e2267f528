/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our walk against the CPU's own AT instructions (DDI 0487, C5.5), over random tables: what
 * campaign.c, generate.c and machine.c share. guest.S knows the layout of struct at_job.
 */
#ifndef BATON_TESTS_ORACLE_AT_H
#define BATON_TESTS_ORACLE_AT_H

#include <stdbool.h>
#include <stdint.h>

#define BIT(n) (UINT64_C(1) << (n))

/* Guest physical memory: 256 MiB at AT_RAM, the tables from AT_TABLES on. */
#define AT_RAM	      UINT64_C(0x40000000)
#define AT_SIZE	      UINT64_C(0x10000000)
#define AT_CODE	      UINT64_C(0x40200000)
#define AT_JOB	      UINT64_C(0x40300000)
#define AT_TABLES     UINT64_C(0x48000000)
#define AT_TABLES_END UINT64_C(0x48800000)

/* Full of SMC #0, to be executed: whoever does ends at EL3. */
#define AT_EXEC	    UINT64_C(0x4c000000)
#define AT_EXEC_END UINT64_C(0x50000000)

enum at_op {
	AT_S1E0R,
	AT_S1E0W,
	AT_S1E1R,
	AT_S1E1W,
	AT_S1E1RP,
	AT_S1E1WP,
	AT_S12E0R,
	AT_S12E0W,
	AT_S12E1R,
	AT_S12E1W,
	AT_S1E2R,
	AT_S1E2W,
	AT_S1E3R,
	AT_S1E3W,
	AT_FETCH0, /* no AT: one instruction at EL0, at EL1, ... */
	AT_FETCH1,
	AT_FETCH2,
	AT_FETCH3,
	AT_OPS
};

struct at_access {
	uint64_t va, op, par; /* of a fetch: par as guest.S has it, and op becomes HPFAR_EL2 */
};

#define AT_MAX_ACCESSES 4096

struct at_job {
	uint64_t go, vbar; /* of the level that takes what the regime under test faults with */
	uint64_t mmfr[3];
	uint64_t scr_el3, hcr_el2;
	uint64_t sctlr_el1, tcr_el1, mair_el1, ttbr0_el1, ttbr1_el1;
	uint64_t sctlr_el2, tcr_el2, mair_el2, ttbr0_el2, ttbr1_el2;
	uint64_t vtcr_el2, vttbr_el2;
	uint64_t sctlr_el3, tcr_el3, mair_el3, ttbr0_el3;
	uint64_t count;
	struct at_access access[AT_MAX_ACCESSES];
};

/* What kind of regime a job is about. */
enum at_class {
	CLASS_EL1,
	CLASS_SECURE,
	CLASS_EL2,
	CLASS_VHE,
	CLASS_EL3,
	CLASS_NESTED,
	CLASS_DC,	    /* two stages, the first off */
	CLASS_FETCH,	    /* EL1&0, executed */
	CLASS_FETCH_NESTED, /* two stages, executed */
	CLASS_FETCH_SECURE,
	CLASS_FETCH_EL2,
	CLASS_FETCH_VHE,
	CLASS_FETCH_EL3,
	CLASSES
};

/* One QEMU and a copy of its memory: @ram is shared with the guest, @copy is ours alone. */
struct at_machine {
	const char *cpu;
	bool max; /* -cpu max: the features that only it has */
	long pid;
	uint8_t *ram, *copy;
	uint64_t random;
	struct at_job *job; /* in @ram */
	struct at_job was;  /* what the job was given */
};

uint64_t at_random(struct at_machine *m);
/** at_below() - 0 to n - 1. */
unsigned int at_below(struct at_machine *m, unsigned int n);
/** at_word() - one word of @copy; NULL where no RAM is. */
uint64_t *at_word(struct at_machine *m, uint64_t pa);

/** at_start(), at_stop() - QEMU with the guest; dies with words. at_run() - the job in @was. */
void at_start(struct at_machine *m, const char *cpu);
void at_run(struct at_machine *m);
void at_stop(struct at_machine *m);

/** at_generate() - tables, registers and accesses of one job into @m->copy and @m->was. */
void at_generate(struct at_machine *m, enum at_class class);

#endif
