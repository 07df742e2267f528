/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making CPUs execute code that was written. TCG drops what it has translated when memory is
 * written. Under KVM QEMU writes through a mapping of its own, and tells neither the caches nor
 * the guest: what was fetched before may go on being executed (DDI 0487, B2.7.4 "Concurrent
 * modification and execution of instructions").
 */
#ifndef BATON_PATCH_ICACHE_H
#define BATON_PATCH_ICACHE_H

#include "buf.h"
#include "machine/machine.h"

/** struct icache_what - what was written, within one page. */
struct icache_what {
	uint64_t pa;
	uint64_t va; /* where it is likely to be for the CPU; else it is looked for */
	size_t len;
	unsigned int cpu; /* asked first */
};

/**
 * icache_refresh() - under KVM one of the CPUs cleans it from the data caches and invalidates
 * all instruction caches, by injected code (machine/inject.h); else nothing is to be done.
 * @say: a line (with \n) if it could not be done and may be code
 *
 * Return: 0; -BATON_EREFUSED: no CPU can be given code, or none has it mapped (@say tells); or
 * the machine's error.
 */
int icache_refresh(struct machine *m, const struct icache_what *what, struct buf *say);
/**
 * icache_reach() - the same, to know before anything is written that there is a CPU for it, if the
 * place is executable.
 */
int icache_reach(struct machine *m, const struct icache_what *what, struct buf *say);

#endif
