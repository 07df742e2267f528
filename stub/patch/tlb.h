/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a CPU see a changed table. Under TCG a watchpoint that comes and goes makes QEMU
 * drop the translation of its page, and one that crosses a page boundary drops them all,
 * on every CPU, without touching the guest (measured on QEMU 7.2 and 10.0). Elsewhere a CPU
 * executes a `tlbi` for all of them (machine/inject.h).
 */
#ifndef BATON_PATCH_TLB_H
#define BATON_PATCH_TLB_H

#include "buf.h"
#include "machine/machine.h"

/** struct tlb_what - which cached translations are no longer true. */
struct tlb_what {
	const char *regime; /* struct regime's name: "el1", "el2", "el3", "s2" */
	bool all;	    /* all of the regime (of @asid alone with @one_asid), not only @va */
	uint64_t va;	    /* without a tag; any address in the page; stage 2: an IPA */
	bool one_asid;
	uint16_t asid;
	unsigned int cpu; /* whose table it is; where it takes a `tlbi`, this one executes it */
};

/**
 * tlb_refresh() - drop cached translations on all CPUs, at least those that @what names.
 * @say: a line (with \n) if it could not be done
 *
 * Return: 0; -BATON_EREFUSED: where it takes a `tlbi`, no CPU is at a level that may, or can be
 * given code (@say tells); or the machine's error.
 */
int tlb_refresh(struct machine *m, const struct tlb_what *what, struct buf *say);
/**
 * tlb_reach() - the same where it takes a `tlbi`, to know before anything is written that there is
 * a CPU for it; else nothing.
 */
int tlb_reach(struct machine *m, const struct tlb_what *what, struct buf *say);
/** tlb_invalidate() - the same by an executed `tlbi`, under TCG too. */
int tlb_invalidate(struct machine *m, const struct tlb_what *what, struct buf *say);

#endif
