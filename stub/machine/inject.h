/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that a stopped CPU executes for us, and of which nothing remains: for what no
 * debug stub does (system registers, `tlbi`, `at`, the CPU's own loads).
 *
 * They are written over the bytes at its pc (or, where those are no RAM, in the page of its
 * vectors or of x30), and stepped through one by one: the other CPUs stand, interrupts are
 * masked. An exception inside is seen by where the pc is, and undone. What is restored, and
 * compared: x0-x30, sp, pc, PSTATE, the bytes; after an exception also ESR, ELR, SPSR and FAR
 * of its level. What is not: the exclusive monitor (a `stxr` under way may fail once, as after
 * any exception); and, where the instruction was trapped to a higher level, ELR and SPSR of that
 * level, which every entry to it writes anew before anybody there can read them.
 *
 * QEMU writes them through its own view of memory. Where instruction caches do not follow that
 * by themselves (KVM, CTR_EL0.DIC clear) a CPU might fetch what was there before: measured on TCG
 * alone, which has no caches.
 */
#ifndef BATON_INJECT_H
#define BATON_INJECT_H

#include "machine/machine.h"

#define INJECT_WORDS 16

/** struct inject - straight code: no branches, no loads or stores but those that are wanted. */
struct inject {
	unsigned int cpu;
	const uint32_t *code;
	unsigned int words; /* up to INJECT_WORDS */
	uint64_t x[4];	    /* x0 to x3, in and out; the other registers are the guest's */
	bool fault;	    /* out: it took an exception, which was undone; x means nothing */
	unsigned int level; /* of the exception: where it was taken to */
	uint64_t esr, far;
	/*
	 * Use neither the page of keep_va nor the 8 bytes at physical keep_pa, and leave the TLB
	 * alone: under TCG what it has of the code's own page is dropped before, and then mostly
	 * more than that. Where that page is stale something else is executed, so the code has to
	 * leave a sign in its registers.
	 */
	bool keep;
	uint64_t keep_va, keep_pa;
};

/**
 * inject_run() - execute @i->code once.
 *
 * Return: 0, also with @i->fault; -BATON_EREFUSED with words in m->error: the CPU is out of
 * reach (EL0, AArch32, powered off, waiting, no place for the code) and nothing was done;
 * -BATON_EVERIFY: something could not be restored, and the words say what; or the machine's
 * error.
 */
int inject_run(struct machine *m, struct inject *i);

/**
 * inject_eret() - an executed `eret`, where the CPU is: it goes to ELR with SPSR of its level,
 * whichever level, stack and PSTATE those are of. Its general registers stay; nothing else runs.
 *
 * Return: 0: it stands on ELR, nothing there has run; else as inject_run().
 */
int inject_eret(struct machine *m, unsigned int cpu);

/**
 * inject_sysreg_read(), inject_sysreg_write() - a system register by its architectural name, or
 * as S3_0_C2_C0_1, by an executed mrs or msr. The write is not read back.
 *
 * Return: as inject_run(); -BATON_ENOTFOUND: no register of that name is known;
 * -BATON_EFAULT with words: the CPU does not let this level do that.
 */
int inject_sysreg_read(struct machine *m, unsigned int cpu, const char *name, uint64_t *value);
int inject_sysreg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value);

#endif
