/* SPDX-License-Identifier: BSD-2-Clause */
/* What each CPU is doing where nothing is wrong, and nothing goes on. */
#include "handoff/internal.h"

#include "hex.h"

/* How long a loop may be that is told as one. */
#define LOOP_WORDS 48
/* ... and how many of its loads. */
#define SHOWN 3

/* C4.1.96: ldr, ldrb, ldrh with an unsigned offset; ldar, ldaxr, ldxr. */
static bool load_address(struct handoff *h, unsigned int cpu, uint32_t w, uint64_t *va, bool *lock)
{
	bool plain = (w & 0x3fc00000) == 0x39400000;
	bool ordered = (w & 0x3fe08000) == 0x08c08000 || (w & 0x3fe00000) == 0x08400000;
	unsigned int rn = w >> 5 & 31;

	if ((!plain && !ordered) || rn == 31 || reg_x(machine_of(h), cpu, rn, va))
		return false;
	*va += plain ? (uint64_t)(w >> 10 & 0xfff) << (w >> 30) : 0;
	*lock = (w & 0x3fe00000) == 0x08400000;
	return true;
}

/* The end of a loop that @pc is in: the next branch back to it or before it. */
static bool find_loop(struct handoff *h, unsigned int cpu, uint64_t pc, uint64_t *first,
		      uint64_t *last)
{
	for (unsigned int n = 0; n < LOOP_WORDS; n++, pc += 4) {
		struct insn i;
		uint8_t raw[4];

		if (machine_virt_read(machine_of(h), cpu, pc, raw, sizeof(raw)))
			return false;
		i = insn_decode((uint32_t)le_read(raw, 4));
		*last = pc;
		*first = pc + (uint64_t)i.offset;
		if ((i.kind == INSN_B || i.kind == INSN_COND) && i.offset < 0 &&
		    *first <= pc - 4ull * n && i.offset >= -4 * LOOP_WORDS)
			return true;
		if (insn_ends_path(&i))
			return false;
	}
	return false;
}

/* What a loop waits for is among the words that it reads. */
static void say_loop(struct handoff *h, unsigned int cpu, uint64_t pc, struct buf *out)
{
	unsigned int shown = 0;
	uint64_t first, last, va;
	bool lock;

	if (!find_loop(h, cpu, pc, &first, &last))
		return;
	buf_printf(out, "        in a loop, %#" PRIx64 " to %#" PRIx64, first, last);
	for (uint64_t at = first; at <= last; at += 4) {
		uint8_t raw[4];

		if (machine_virt_read(machine_of(h), cpu, at, raw, sizeof(raw)) ||
		    !load_address(h, cpu, (uint32_t)le_read(raw, 4), &va, &lock))
			continue;
		buf_printf(out, "%s %s %#" PRIx64, shown ? "," : ", that",
			   lock ? "takes a lock at" : "reads", va);
		say_symbol(h->ctx, va, " <", ">", out);
		if (!machine_virt_read(machine_of(h), cpu, va, raw, sizeof(raw)))
			buf_printf(out, " (%#" PRIx64 ")", le_read(raw, 4));
		if (++shown == SHOWN)
			break;
	}
	buf_putc(out, '\n');
}

static const char *doing(const struct insn *i)
{
	if (i->kind == INSN_WFI)
		return ", waiting for an interrupt";
	if (i->kind == INSN_WFE)
		return ", waiting for an event";
	if (i->kind == INSN_B && i->offset == 0)
		return ", a branch to itself: it spins";
	if (i->kind == INSN_UDF)
		return ", no code";
	return "";
}

int explain_cpus(struct handoff *h, struct buf *out)
{
	struct machine *m = machine_of(h);

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++) {
		struct buf text = { 0 };
		uint32_t word, before;
		bool known, had;
		struct insn i;
		uint64_t pc;
		int el = machine_el(m, cpu);
		int err = el < 0 ? el : machine_reg_read(m, cpu, "pc", &pc);

		if (err)
			return err;
		say_word_at(h, cpu, pc, &word, &known, &text);
		/* a CPU that waits shows the address behind its wfi or wfe */
		buf_printf(out, "  CPU%u  EL%d  %#" PRIx64, cpu, el, pc);
		say_symbol(h->ctx, pc, " <", ">", out);
		i = insn_decode(word);
		buf_printf(out, ": %s%s", known ? text.data : "nothing can be read there",
			   known ? doing(&i) : "");
		buf_clear(&text);
		if (known && pc >= 4) {
			say_word_at(h, cpu, pc - 4, &before, &had, &text);
			i = insn_decode(before);
			if (had && (i.kind == INSN_WFI || i.kind == INSN_WFE))
				buf_printf(out, " (behind a %s)", text.data);
		}
		buf_puts(out, power_unseen(h, cpu) ? " (not seen to run)\n" : "\n");
		say_loop(h, cpu, pc, out);
		buf_free(&text);
	}
	if (h->started)
		power_say(h, out);
	return 0;
}
