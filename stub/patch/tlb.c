/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/tlb.h"

#include "machine/inject.h"
#include "mmu/regime.h"

#include <string.h>

/*
 * Lengths that GDB never asks for, so that a watchpoint of the user's at the same place
 * is another one, and ours really comes and goes.
 */
#define IN_PAGE_LEN    3
#define CROSS_PAGE     0xff8
#define CROSS_PAGE_LEN 16

/* sys #op1, C8, Cm, #op2, x0 (DDI 0487, C5.5), all for the Inner Shareable domain. */
#define TLBI(op1, cm, op2) (0xd5080000u | (op1) << 16 | 8 << 12 | (cm) << 8 | (op2) << 5)
#define ALLE1IS		   TLBI(4, 3, 4)
#define VMALLE1IS	   TLBI(0, 3, 0)
#define ASIDE1IS	   TLBI(0, 3, 2)
#define VAAE1IS		   TLBI(0, 3, 3)
#define IPAS2E1IS	   TLBI(4, 0, 1)
#define ALLE2IS		   TLBI(4, 3, 0)
#define VAE2IS		   TLBI(4, 3, 1)
#define ALLE3IS		   TLBI(6, 3, 0)
#define VAE3IS		   TLBI(6, 3, 1)
#define DSB_ISHST	   0xd5033a9fu
#define DSB_ISH		   0xd5033b9fu
#define ISB		   0xd5033fdfu
#define NOP		   0xd503201fu

static int by_watchpoint(struct machine *m, const struct tlb_what *what)
{
	uint64_t addr = what->all ? CROSS_PAGE : what->va & ~0xfffull;
	unsigned int len = what->all ? CROSS_PAGE_LEN : IN_PAGE_LEN;
	int err = machine_break_add(m, BREAK_COMMAND, WATCH_WRITE, addr, len);

	return err ? err : machine_break_remove(m, BREAK_COMMAND, WATCH_WRITE, addr, len);
}

/* The level that may drop translations of this regime, at least. */
static int level_needed(const struct tlb_what *what)
{
	if (!strcmp(what->regime, "el1"))
		return 1;
	return !strcmp(what->regime, "el3") ? 3 : 2;
}

/*
 * What to execute at @el; @e2h: HCR_EL2.E2H, with which the operations for EL1 mean EL2&0 while
 * TGE is set, and those by address for EL2 go by ASID (D8.14.5): all is dropped then.
 */
static void choose(const struct tlb_what *what, int el, bool e2h, uint32_t *op, uint32_t *then)
{
	*then = NOP;
	if (!strcmp(what->regime, "el3")) {
		*op = what->all ? ALLE3IS : VAE3IS;
	} else if (!strcmp(what->regime, "el2")) {
		*op = what->all || e2h ? ALLE2IS : VAE2IS;
	} else if (!strcmp(what->regime, "s2")) {
		/* Stage 1 and 2 are cached together, too, by the stage-1 address (D8.16.5). */
		*op = what->all ? NOP : IPAS2E1IS;
		*then = ALLE1IS;
	} else if (el > 1 && (e2h || what->all)) {
		*op = ALLE1IS;
	} else if (what->all) {
		*op = what->one_asid ? ASIDE1IS : VMALLE1IS;
	} else {
		*op = VAAE1IS;
	}
}

/* On one CPU, which tells the others. */
static int execute(struct machine *m, const struct tlb_what *what, unsigned int cpu)
{
	uint32_t code[] = { DSB_ISHST, 0, DSB_ISH, 0, DSB_ISH, ISB };
	struct inject i = {
		.cpu = cpu,
		.code = code,
		.words = sizeof(code) / sizeof(code[0]),
		/* The page in 43:0, the ASID in 63:48. */
		.x = { (what->all ? 0 : what->va >> 12 & ((1ull << 44) - 1)) |
		       (what->one_asid ? (uint64_t)what->asid << 48 : 0) },
	};
	int el = machine_el(m, cpu), needed = level_needed(what), err;
	uint64_t hcr = 0;

	if (el < 0)
		return el;
	if (el < needed)
		return machine_fail(
			m, -BATON_EREFUSED,
			"CPU %u is at EL%d, and a tlbi for %s takes EL%d: run until it is "
			"there",
			cpu, el, what->regime, needed);
	err = machine_reg_read(m, cpu, "HCR_EL2", &hcr);
	if (err == -BATON_ELINK)
		return err;
	choose(what, el, el > 1 && !err && (hcr & HCR_E2H), &code[1], &code[3]);
	err = inject_run(m, &i);
	if (!err && i.fault)
		err = machine_fail(m, -BATON_EREFUSED,
				   "the tlbi on CPU %u is trapped to EL%u (ESR %#" PRIx64 ")", cpu,
				   i.level, i.esr);
	return err;
}

/* The CPU that it is for, or any other: it is broadcast. */
static int by_tlbi(struct machine *m, const struct tlb_what *what)
{
	char words[sizeof(m->error)];
	int first = execute(m, what, what->cpu), err = first;

	memcpy(words, m->error, sizeof(words));
	for (unsigned int cpu = 0; err == -BATON_EREFUSED && cpu < m->cpus; cpu++)
		if (cpu != what->cpu)
			err = execute(m, what, cpu);
	if (err != -BATON_EREFUSED)
		return err;
	memcpy(m->error, words, sizeof(words));
	return first;
}

static int say_failure(struct machine *m, int err, struct buf *say)
{
	if (err)
		buf_printf(say,
			   "the TLB was not refreshed: %s: a CPU may go on using the old "
			   "translation\n",
			   machine_error(m, err));
	return err;
}

int tlb_refresh(struct machine *m, const struct tlb_what *what, struct buf *say)
{
	return say_failure(m, m->accel == ACCEL_TCG ? by_watchpoint(m, what) : by_tlbi(m, what),
			   say);
}

int tlb_reach(struct machine *m, const struct tlb_what *what, struct buf *say)
{
	/* a file has no CPU, and refuses the write in words of its own */
	int err = m->accel == ACCEL_TCG || m->file ? 0 : by_tlbi(m, what);

	if (err)
		buf_printf(say, "refused: no CPU can execute the tlbi that goes with it: %s\n",
			   machine_error(m, err));
	return err;
}

int tlb_invalidate(struct machine *m, const struct tlb_what *what, struct buf *say)
{
	return say_failure(m, by_tlbi(m, what), say);
}
