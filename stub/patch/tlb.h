/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a CPU see a changed table. Under TCG a watchpoint that comes and goes makes QEMU
 * drop the translation of its page, and one that crosses a page boundary drops them all,
 * on every CPU, without touching the guest (measured on QEMU 7.2 and 10.0).
 */
#ifndef BATON_PATCH_TLB_H
#define BATON_PATCH_TLB_H

#include "buf.h"
#include "machine/machine.h"

/**
 * tlb_refresh() - drop cached translations on all CPUs: of the page of @va alone, or all.
 * @say: a line (with \n) if it could not be done
 *
 * Return: 0; -BATON_EUNSUPPORTED: not under TCG, where it takes an executed `tlbi`; or
 * the machine's error.
 */
int tlb_refresh(struct machine *m, bool all, uint64_t va, struct buf *say);

#endif
