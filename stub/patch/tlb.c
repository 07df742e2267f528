/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/tlb.h"

/*
 * Lengths that GDB never asks for, so that a watchpoint of the user's at the same place
 * is another one, and ours really comes and goes.
 */
#define IN_PAGE_LEN    3
#define CROSS_PAGE     0xff8
#define CROSS_PAGE_LEN 16

int tlb_refresh(struct machine *m, const struct tlb_what *what, struct buf *say)
{
	uint64_t addr = what->all ? CROSS_PAGE : what->va & ~0xfffull;
	unsigned int len = what->all ? CROSS_PAGE_LEN : IN_PAGE_LEN;
	int err;

	if (m->accel != ACCEL_TCG) {
		buf_printf(say,
			   "the TLB was not refreshed: %s it takes an executed `tlbi`, which "
			   "baton does not inject yet: a CPU may go on using the old translation\n",
			   m->accel == ACCEL_KVM ? "under KVM"
						 : "under an accelerator unknown here");
		return -BATON_EUNSUPPORTED;
	}
	err = machine_break_add(m, BREAK_COMMAND, WATCH_WRITE, addr, len);
	if (!err)
		err = machine_break_remove(m, BREAK_COMMAND, WATCH_WRITE, addr, len);
	if (err)
		buf_printf(say,
			   "the TLB was not refreshed: %s: a CPU may go on using the old "
			   "translation\n",
			   machine_error(m, err));
	return err;
}
