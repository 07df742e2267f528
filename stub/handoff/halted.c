/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing happens, and nothing can: every CPU is off, or where no interrupt gets it out. */
#include "handoff/halted.h"

#include "handoff/internal.h"

#include "hex.h"

/* How long nothing happens before a look is worth its while. */
#define LOOK_MS 1000

/* How long a CPU that is on may take to notice a breakpoint where it stands. */
#define PROBE_MS 1000

/* How many instructions the loop that a CPU waits in may have. */
#define LOOP_WORDS 4

#define CPSR_AARCH32 (1u << 4)
#define CPSR_DAIF    (15u << 6)

#define SCTLR_NMI (1ull << 61) /* interrupts that DAIF does not mask (FEAT_NMI) */
/* What EL2 takes from EL1, masked there or not: FMO, IMO, AMO, TWI, TWE, TGE. */
#define HCR_TAKES 0x8006038ull
/* The same of EL3: IRQ, FIQ, EA, TWI, TWE; and NMEA, an SError that is not masked there. */
#define SCR_TAKES 0x10300eull

/* A register that this CPU has not takes nothing. */
static bool clear(struct machine *m, unsigned int cpu, const char *name, unsigned int el,
		  uint64_t bits)
{
	uint64_t value;
	int err = reg_of(m, cpu, name, el, &value);

	return err ? err == -BATON_ENOTFOUND : !(value & bits);
}

/* Masked, and taken by no higher level (DDI 0487, D1.3.6 "Asynchronous exceptions"). */
bool halted_masked(struct machine *m, unsigned int cpu)
{
	uint64_t cpsr;
	int el = machine_el(m, cpu);

	return el >= 1 && !machine_reg_read(m, cpu, "cpsr", &cpsr) && !(cpsr & CPSR_AARCH32) &&
	       (cpsr & CPSR_DAIF) == CPSR_DAIF &&
	       clear(m, cpu, "SCTLR", (unsigned int)el, SCTLR_NMI) &&
	       (el > 1 || clear(m, cpu, "HCR", 2, HCR_TAKES)) && clear(m, cpu, "SCR", 3, SCR_TAKES);
}

static enum insn_kind insn_at(struct machine *m, unsigned int cpu, uint64_t pc, int64_t *offset)
{
	struct insn insn;
	uint8_t raw[4];

	if (machine_virt_read(m, cpu, pc, raw, sizeof(raw)))
		return INSN_OTHER;
	insn = insn_decode((uint32_t)le_read(raw, 4));
	*offset = insn.offset;
	return insn.kind;
}

bool halted_cpu(struct machine *m, unsigned int cpu)
{
	uint64_t pc, at;
	int64_t offset = 0;

	if (machine_reg_read(m, cpu, "pc", &pc) || !halted_masked(m, cpu))
		return false;
	at = pc;
	for (int n = 0; n < LOOP_WORDS; n++) {
		enum insn_kind kind = insn_at(m, cpu, at, &offset);

		if (kind != INSN_B && kind != INSN_WFI && kind != INSN_WFE)
			return false;
		at += kind == INSN_B ? (uint64_t)offset : 4;
		if (at == pc)
			return true;
	}
	return false;
}

/* Behind one a CPU may stand still that is on. */
static bool waits(struct machine *m, unsigned int cpu, uint64_t pc)
{
	int64_t offset;
	enum insn_kind before = insn_at(m, cpu, pc - 4, &offset);

	return before == INSN_WFI || before == INSN_WFE;
}

/* What a look comes to; errors are negative. */
enum look { LOOK_STOP, LOOK_RUN_ON };

/* What the machine has stopped for is of nobody's interest but ours. */
static bool is_own_stop(struct machine *m)
{
	uint64_t pc;

	return m->last_stop.kind == STOP_SIGNAL && m->last_stop.signal == 5 &&
	       !machine_reg_read(m, m->last_stop.cpu, "pc", &pc) &&
	       machine_break_has(m, BREAK_COMMAND, pc) &&
	       !machine_break_has(m, BREAK_HANDOFF, pc) && !machine_break_has(m, BREAK_GDB, pc);
}

/* A CPU that is on stops at once where it stands. Are all that are not halted off? */
static int probe(struct handoff *h)
{
	struct machine *m = machine_of(h);
	int err = LOOK_STOP, gone;
	uint64_t pc;

	for (unsigned int cpu = 0; err == LOOK_STOP && cpu < m->cpus; cpu++) {
		if (halted_cpu(m, cpu))
			continue;
		err = machine_reg_read(m, cpu, "pc", &pc);
		if (!err)
			err = waits(m, cpu, pc)
				      ? LOOK_RUN_ON
				      : machine_break_add(m, BREAK_COMMAND, BREAK_HARD, pc, 4);
	}
	if (err == LOOK_STOP)
		err = machine_resume(m, PROBE_MS, NULL);
	if (err == LOOK_STOP && is_own_stop(m))
		err = LOOK_RUN_ON;
	if (err == LOOK_STOP && m->last_stop.kind == STOP_TIMEOUT)
		h->halted = HALTED_OR_OFF;
	gone = err == -BATON_ELINK ? 0 : machine_break_clear(m, BREAK_COMMAND);
	/* no breakpoint to be had there: then it is not known */
	if (err < 0 && err != -BATON_ELINK && err != -BATON_ECANCELED)
		err = LOOK_RUN_ON;
	return gone < 0 ? gone : err;
}

static int look(struct handoff *h, bool may_run)
{
	struct machine *m = machine_of(h);
	unsigned int others = 0;
	int err;

	if (!halted_cpu(m, h->boot_cpu))
		return LOOK_RUN_ON;
	for (unsigned int cpu = 0; cpu < m->cpus; cpu++)
		others += !halted_cpu(m, cpu);
	if (!others)
		h->halted = HALTED;
	if (others && !may_run)
		return LOOK_RUN_ON;
	err = others ? probe(h) : LOOK_STOP;
	if (h->halted)
		m->cpu = h->boot_cpu;
	return err;
}

int halted_resume(struct handoff *h, int silence_ms)
{
	struct machine *m = machine_of(h);
	int first = silence_ms < LOOK_MS ? silence_ms : LOOK_MS, rest = silence_ms - first;
	int err = machine_resume(m, first, NULL);

	h->halted = HALTED_NOT;
	if (err || m->last_stop.kind != STOP_TIMEOUT)
		return err;
	err = look(h, rest);
	if (err == LOOK_RUN_ON && rest) {
		err = machine_resume(m, rest, NULL);
		if (!err && m->last_stop.kind == STOP_TIMEOUT)
			err = look(h, false);
	}
	return err < 0 ? err : 0;
}

void halted_say(const struct handoff *h, int silence_ms, struct buf *out)
{
	if (!h->halted)
		buf_printf(out,
			   "nothing happened for %d.%d s; the CPU that started has not left the "
			   "loader\n",
			   silence_ms / 1000, silence_ms / 100 % 10);
	else if (machine_of(h)->cpus == 1)
		buf_puts(out, "CPU0 waits with interrupts masked: nothing can wake it\n");
	else
		buf_printf(out, "all CPUs wait with interrupts masked%s: nothing can wake them\n",
			   h->halted == HALTED_OR_OFF ? ", or are off" : "");
}
