/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine: run to the next stop, look, go past it. */
#include "handoff/internal.h"
#include "handoff/replay.h"
#include "handoff/trace.h"

#include "hex.h"
#include "mmu/sysreg.h"

#include <stdlib.h>
#include <string.h>

/* How often the same undefined instruction may be survived before it is a loop. */
#define CHANCES 16

#define KERNEL_SLICE_MS 250

/* More verdicts, of the engine alone. */
enum { ENDED = REACHED + 1, SILENT, INTERRUPTED };

/* Exception classes of calls: a loader may serve them itself (DDI 0487, D24.2.40). */
#define EC_UNKNOWN 0x00
#define EC_SVC	   0x15
#define EC_HVC	   0x16
#define EC_SMC	   0x17

struct handoff *handoff_new(void)
{
	struct handoff *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	return h;
}

void handoff_free(struct handoff *h)
{
	if (!h)
		return;
	scan_free(&h->scan);
	image_free(&h->image);
	event_clear(h);
	trace_free(h->trace);
	replay_free(h);
	free(h);
}

void handoff_arm(struct handoff *h, const struct handoff_goal *goal)
{
	trace_disarm(h);
	h->armed = true;
	h->goal = *goal;
}

bool handoff_armed(const struct handoff *h)
{
	return h && (h->armed || trace_armed(h));
}

static int take_call(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc,
		     uint64_t esr, bool *taken)
{
	static const char *const names[] = { "svc", "hvc", "smc" };
	struct machine *m = machine_of(h);
	struct event e = { .kind = EVENT_EXCEPTION, .cpu = cpu, .el = el, .pc = pc, .after = el };
	unsigned int ec = esr >> 26 & 63;
	uint8_t raw[4];
	int err;

	*taken = false;
	if (ec < EC_SVC || ec > EC_SMC)
		return GO;
	/* vectors that nobody set up hold nothing */
	err = machine_virt_read(m, cpu, pc, raw, sizeof(raw));
	if (err == -BATON_ELINK)
		return err;
	if (err || !le_read(raw, 4))
		return GO;
	*taken = true;
	err = reg_of(m, cpu, "SPSR", el, &e.before);
	if (err)
		return err;
	e.before = e.before >> 2 & 3;
	e.name = names[ec - EC_SVC];
	event_add(h, &e, "takes %s #%u", names[ec - EC_SVC], (unsigned int)(esr & 0xffff));
	return code_follow(h, cpu, NULL, pc, SCAN_UNKNOWN);
}

static int visit_site(struct handoff *h, unsigned int cpu, uint64_t pc, bool *is_site);

/* Past the first instruction of a vector, into a handler that is known to be one. */
static int enter_handler(struct handoff *h, unsigned int cpu, uint64_t pc)
{
	bool site;
	int err = visit_site(h, cpu, pc, &site);

	if (err || site)
		return err;
	err = machine_step(machine_of(h), cpu, NULL);
	return err == -BATON_ETIMEDOUT ? GO : err;
}

/*
 * An undefined instruction may be a question, as whether smc is served here. Nothing can
 * be repaired about it anyway, so a handler that can return gets the chance: either its
 * eret is seen, or the exception is told when nothing more happens.
 */
static int let_it_try(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc,
		      bool *tried)
{
	struct trouble *t = &h->trouble;
	struct event e = { .kind = EVENT_EXCEPTION, .cpu = cpu, .el = el, .pc = pc, .after = el };
	bool same = h->pending.elr == t->elr && h->pending.cpu == cpu;

	h->chances = same ? h->chances + 1 : 1;
	*tried = (t->esr >> 26 & 63) == EC_UNKNOWN && h->chances <= CHANCES &&
		 code_returns(h, cpu, pc);
	if (!*tried)
		return GO;
	h->pending = *t;
	t->kind = TROUBLE_NONE;
	e.before = t->spsr >> 2 & 3;
	event_add(h, &e, "undefined instruction at %#" PRIx64 ": its handler may return",
		  h->pending.elr);
	return code_follow(h, cpu, NULL, pc, SCAN_UNKNOWN);
}

/* A CPU stands on the first instruction of a vector. */
static int vector_hit(struct handoff *h, unsigned int cpu, uint64_t pc, int vector)
{
	struct machine *m = machine_of(h);
	int el = machine_el(m, cpu);
	struct event e = { .kind = EVENT_FAULT, .cpu = cpu, .pc = pc };
	const char *words;
	bool taken;
	uint64_t esr;
	int err;

	if (el < 0)
		return el;
	if (kernel_owns_vectors(h, cpu, (unsigned int)el)) {
		err = kernel_exception(h, cpu, (unsigned int)el, pc, vector, &taken);
		if (err || taken)
			return err ? err : enter_handler(h, cpu, pc);
	}
	err = reg_of(m, cpu, "ESR", (unsigned int)el, &esr);
	if (!err)
		err = take_call(h, cpu, (unsigned int)el, pc, esr, &taken);
	if (err)
		return err;
	if (taken)
		return enter_handler(h, cpu, pc);
	err = trouble_fault(h, cpu, (unsigned int)el, vector);
	if (!err)
		err = let_it_try(h, cpu, (unsigned int)el, pc, &taken);
	if (err)
		return err;
	if (taken)
		return enter_handler(h, cpu, pc);
	e.el = (unsigned int)el;
	e.before = esr;
	words = esr_fault_words(esr);
	event_add(h, &e, "exception: %s", words ? words : esr_class_words(esr));
	return FOUND;
}

/* Only that CPU moves, so a stop that is stepped over is missed by no other one. */
int step_over(struct handoff *h, const struct visit *v)
{
	struct machine *m = machine_of(h);
	struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	uint64_t pc = 0;
	int vector;
	int err = machine_step(m, v->cpu, NULL);

	if (err == -BATON_ETIMEDOUT) {
		event_add(h, &e, "does not come back: the CPU is off, or waits");
		return GO;
	}
	if (!err)
		err = machine_reg_read(m, v->cpu, "pc", &pc);
	if (err || pc == v->pc + 4)
		return err;
	vector = vector_at(h, v->cpu, pc);
	return vector < 0 ? GO : vector_hit(h, v->cpu, pc, vector);
}

/* A CPU whose start was not seen: told when it is first stopped at. */
static void first_seen(struct handoff *h, const struct visit *v)
{
	struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };

	for (size_t i = 0; i < h->event_count; i++)
		if (h->events[i].cpu == v->cpu)
			return;
	if (v->cpu != h->boot_cpu)
		event_add(h, &e, "is on, first seen here");
}

static int visit_site(struct handoff *h, unsigned int cpu, uint64_t pc, bool *is_site)
{
	struct scan_site *s = scan_site(&h->scan, pc);
	int el = machine_el(machine_of(h), cpu);
	struct visit v;

	*is_site = s && !s->lifted;
	if (el < 0 || !*is_site)
		return el < 0 ? el : GO;
	s->hits++;
	v = (struct visit){ .cpu = cpu, .el = (unsigned int)el, .pc = pc, .site = *s };
	first_seen(h, &v);
	if (s->insn.kind == INSN_ERET && h->pending.cpu == cpu)
		h->pending.kind = TROUBLE_NONE;
	if (s->insn.kind != INSN_CACHE && s->insn.kind != INSN_TLBI) {
		int err = maintenance_again(h);

		if (err)
			return err;
	}
	el = replay_visit(h, &v);
	if (el)
		return el;
	return v.site.kernel ? kernel_visit(h, &v) : site_visit(h, &v);
}

/*
 * A CPU is where the header says that the kernel begins, and no jump there was seen: a
 * `ret` by way of the stack. A stop there fires even if nothing is mapped, so the tables
 * are asked, and where they say no the CPU may try.
 */
static int at_entry(struct handoff *h, unsigned int cpu, uint64_t pc)
{
	struct machine *m = machine_of(h);
	int el = machine_el(m, cpu);
	struct visit v = { .cpu = cpu, .el = el < 0 ? 0 : (unsigned int)el, .pc = pc };
	struct event e = { .kind = EVENT_LEFT, .cpu = cpu, .el = v.el, .pc = pc, .after = pc };
	struct pt_access fetch = { .kind = PT_FETCH, .el = v.el };
	struct tables t;
	struct pt_walk walk = { 0 };
	int err = el < 0 ? el : tables_init(&t, m, h->ctx->symbols, cpu, NULL, NULL);

	if (!err)
		err = tables_walk(&t, pc, &fetch, &walk, NULL);
	if (err && err != -BATON_EUNSUPPORTED && err != -BATON_ENOTFOUND)
		return err;
	if (cpu != h->boot_cpu || h->left || walk.fault)
		return step_over(h, &v);
	event_add(h, &e, "is at the kernel's entry, by a jump that was not watched");
	h->left = true;
	return DONE;
}

static int on_trap(struct handoff *h, unsigned int cpu, bool first)
{
	struct machine *m = machine_of(h);
	uint64_t pc;
	bool site;
	int vector;
	int err = machine_reg_read(m, cpu, "pc", &pc);

	if (err)
		return err;
	if (!first && machine_break_has(m, BREAK_GDB, pc))
		return ENDED;
	vector = vector_at(h, cpu, pc);
	if (vector >= 0)
		return vector_hit(h, cpu, pc, vector);
	err = visit_site(h, cpu, pc, &site);
	if (err || site)
		return err;
	if (code_is_entry(h, pc))
		return at_entry(h, cpu, pc);
	/* an entry of vectors that are no longer, or not at this level, the CPU's */
	if (machine_break_has(m, BREAK_HANDOFF, pc)) {
		err = machine_step(m, cpu, NULL);
		return err == -BATON_ETIMEDOUT ? GO : err;
	}
	return ENDED;
}

static int on_silence(struct handoff *h)
{
	bool moved = false;
	int err;

	if (h->pending.kind) {
		h->trouble = h->pending;
		h->trouble.whole = false;
		h->pending.kind = TROUBLE_NONE;
		return FOUND;
	}
	err = h->kernel.entered ? GO : unseen_way(h, &moved);
	return err == GO && !moved ? SILENT : err;
}

/* A kernel maps more code as it goes: it is looked at again while nothing else happens. */
static int slice(const struct handoff *h)
{
	int left = h->goal.silence_ms - h->silent_ms;

	return h->kernel.entered && !h->kernel.user && left > KERNEL_SLICE_MS ? KERNEL_SLICE_MS
									      : left;
}

/* Only a part of the time may be over. */
static int on_slice(struct handoff *h)
{
	if (h->silent_events != h->event_count)
		h->silent_ms = 0;
	h->silent_events = h->event_count;
	h->silent_ms += slice(h);
	return h->silent_ms < h->goal.silence_ms ? kernel_tick(h) : on_silence(h);
}

static int on_stop(struct handoff *h)
{
	const struct machine_stop *stop = &machine_of(h)->last_stop;

	switch (stop->kind) {
	case STOP_TIMEOUT:
		return on_slice(h);
	case STOP_INTERRUPT:
		return INTERRUPTED;
	case STOP_SIGNAL:
		return stop->signal == 5 ? on_trap(h, stop->cpu, false) : ENDED;
	case STOP_NONE:
	case STOP_EXITED:
		break;
	}
	return -BATON_ELINK;
}

/*
 * GDB's breakpoint where the machine stands: QEMU would stop there at once. It was
 * reported; what is there is done now.
 */
static int leave_gdbs(struct handoff *h)
{
	struct machine *m = machine_of(h);
	uint64_t pc;
	int err = machine_reg_read(m, m->cpu, "pc", &pc);

	if (err || !machine_break_has(m, BREAK_GDB, pc))
		return err;
	if (vector_at(h, m->cpu, pc) < 0 && !scan_site(&h->scan, pc)) {
		err = machine_step(m, m->cpu, NULL);
		return err == -BATON_ETIMEDOUT ? GO : err;
	}
	return on_trap(h, m->cpu, true);
}

/* Behind a repaired fault: the CPU stands where the loader meant it to go. */
static int outside(struct handoff *h)
{
	struct machine *m = machine_of(h);
	struct event e = { .kind = EVENT_LEFT, .cpu = h->boot_cpu };
	uint64_t pc;
	int el = machine_el(m, h->boot_cpu);
	int err = el < 0 ? el : machine_reg_read(m, h->boot_cpu, "pc", &pc);

	if (err || h->left || !h->fixed || pc != h->fixed_va || h->image.spans == 0 ||
	    scan_word(&h->scan, pc))
		return err;
	e.el = (unsigned int)el;
	e.pc = e.after = pc;
	event_add(h, &e, "is where the loader meant it to go");
	h->left = true;
	return DONE;
}

static void say_start(struct handoff *h)
{
	struct machine *m = machine_of(h);
	struct buf line = { 0 };

	buf_puts(&line, "handoff: ");
	if (h->image.spans)
		buf_printf(&line, "%s at %#" PRIx64 " to %#" PRIx64, h->image.name,
			   h->image.span[0].first, h->image.span[0].last);
	else
		buf_puts(&line, "no memory where the CPU is");
	buf_printf(&line, "; %u CPU%s, %zu instructions followed, %zu stops%s\n", m->cpus,
		   m->cpus == 1 ? "" : "s", h->scan.count, h->scan.site_count,
		   h->image.has_header ? "; it has a header" : "");
	handoff_say(h, &line);
	buf_free(&line);
}

static int engine(struct handoff *h)
{
	int err;

	h->trouble.kind = TROUBLE_NONE;
	h->pending.kind = TROUBLE_NONE;
	/* before stops are planted where the CPU is: that is not the loader any more */
	if (h->started && h->resets == machine_of(h)->resets) {
		err = outside(h);
		if (err == DONE && h->reached)
			return REACHED;
		if (err && (err != DONE || h->goal.kind == UNTIL_KERNEL))
			return err;
	}
	err = code_start(h);
	if (err)
		return err;
	if (!h->started)
		say_start(h);
	h->started = true;
	if (h->left && h->goal.kind != UNTIL_KERNEL)
		err = kernel_enter(h);
	if (!err)
		err = leave_gdbs(h);
	while (err == GO) {
		if (machine_canceled(machine_of(h)))
			return -BATON_ECANCELED;
		err = loop_resume(h, slice(h));
		if (!err)
			err = on_stop(h);
		if (err == DONE && h->goal.kind != UNTIL_KERNEL && !h->reached)
			err = kernel_enter(h);
		if (h->reached && (err == GO || err == DONE))
			err = REACHED;
	}
	return err;
}

static int say_silence(struct handoff *h, struct buf *out)
{
	struct machine *m = machine_of(h);
	uint64_t pc = 0;
	int err;

	halted_say(h, h->goal.silence_ms, out);
	err = explain_cpus(h, out);
	if (!err)
		err = machine_reg_read(m, h->boot_cpu, "pc", &pc);
	if (!err && !scan_word(&h->scan, pc))
		buf_printf(out,
			   "%#" PRIx64 " is not code that was seen to be reached: CPU%u went "
			   "there in a way that was not watched\n",
			   pc, h->boot_cpu);
	if (!err)
		buf_puts(out, "next: the console's last line may say why; `why` has the last "
			      "exception, if there was one\n");
	return err;
}

/* What a goal was, where it ends, how to go on. */
static int say_reached(struct handoff *h, struct buf *out)
{
	struct machine *m = machine_of(h);
	const char *word = handoff_until_name(h->goal.kind);
	uint64_t pc;
	unsigned int cpu = h->reached ? h->events[h->reached - 1].cpu : h->hold.cpu;
	int el = machine_el(m, cpu);
	int err = el < 0 ? el : machine_reg_read(m, cpu, "pc", &pc);

	if (err)
		return err;
	if (h->goal.kind != UNTIL_EVENT)
		buf_puts(out, word);
	if (h->reached)
		buf_printf(out, "%sevent %zu", h->goal.kind != UNTIL_EVENT ? ", " : "", h->reached);
	if (m->cpus > 1)
		buf_printf(out, ": CPU%u stands", cpu);
	else
		buf_puts(out, ": it stands");
	buf_printf(out, " at EL%d, %#" PRIx64, el, pc);
	say_symbol(h->ctx, pc, " <", ">", out);
	if (!h->reached) {
		buf_puts(out, ", before ");
		insn_text(h->hold.word, h->hold.pc, out);
		buf_printf(out, " -> %#" PRIx64, h->hold.target);
		say_symbol(h->ctx, h->hold.target, " <", ">", out);
	}
	buf_printf(out, ". next: %s`handoff until %s` or `%s`\n", h->left ? "" : "`handoff run`, ",
		   h->goal.kind == UNTIL_EVENT ? "..." : word, h->ctx->gdb ? "continue" : "cont");
	return 0;
}

/* Who has been warned is not told that nothing is wrong. */
static int say_left(struct handoff *h, struct buf *out)
{
	struct machine *m = machine_of(h);
	size_t warnings = handoff_warnings(h->ctx);
	uint64_t pc = 0;
	int el = machine_el(m, h->boot_cpu);
	int err = el < 0 ? el : machine_reg_read(m, h->boot_cpu, "pc", &pc);

	if (err)
		return err;
	buf_printf(out, "the loader is left: EL%d, %#" PRIx64, el, pc);
	say_symbol(h->ctx, pc, " <", ">", out);
	if (h->unchecked)
		buf_puts(out, ", by a jump that was not checked (why is said above)");
	if (warnings)
		buf_printf(out, ", with %zu warning%s on the way (`handoff log`)", warnings,
			   warnings == 1 ? "" : "s");
	else if (!h->unchecked)
		buf_puts(out, ", nothing wrong in sight");
	buf_printf(out, ". next: `%s`\n", h->ctx->gdb ? "continue" : "cont");
	return 0;
}

static int say_end(struct handoff *h, int verdict, struct buf *out)
{
	switch (verdict) {
	case DONE:
		return say_left(h, out);
	case FOUND:
		explain_trouble(h, &h->trouble, out);
		break;
	case SILENT:
		return h->kernel.entered ? kernel_silence(h, out) : say_silence(h, out);
	case REACHED:
		return say_reached(h, out);
	case INTERRUPTED:
		buf_puts(out, "interrupted; `handoff run` goes on\n");
		break;
	default:
		buf_puts(out, "stopped for another reason; `handoff run` goes on\n");
		break;
	}
	return 0;
}

/* The whole of a run; what it ends with is in *@verdict. */
static int run(struct context *ctx, struct sink *sink, int *verdict)
{
	struct handoff *h = ctx->handoff;
	struct buf out = { 0 };
	int err, gone;

	h->ctx = ctx;
	h->sink = sink;
	h->reached = 0;
	h->silent_ms = 0;
	err = engine(h);
	if (err >= 0) {
		*verdict = err;
		err = say_end(h, *verdict, &out);
		replay_end(h, &out);
		handoff_say(h, &out);
	}
	buf_free(&out);
	replay_free(h);
	gone = err == -BATON_ELINK ? 0 : machine_break_clear(ctx->machine, BREAK_HANDOFF);
	h->sink = NULL;
	return err ? err : gone;
}

bool handoff_over(struct context *ctx, struct sink *sink)
{
	static const char text[] = "the loader has been left already; `system_reset` starts over, "
				   "then `handoff run`\n";
	const struct handoff *h = ctx->handoff;

	if (!h->left || h->resets != ctx->machine->resets)
		return false;
	sink->write(sink->ctx, text, sizeof(text) - 1);
	return true;
}

int handoff_run(struct context *ctx, struct sink *sink, const struct handoff_goal *goal,
		bool *found)
{
	struct handoff *h = ctx->handoff;
	int verdict = GO, err;

	*found = false;
	h->goal = *goal;
	err = run(ctx, sink, &verdict);
	*found = verdict != DONE && verdict != REACHED;
	return !err && verdict == INTERRUPTED ? -BATON_ECANCELED : err;
}

int handoff_continue(struct context *ctx, struct sink *sink, struct machine_stop *stop)
{
	const struct machine_stop *last = &ctx->machine->last_stop;
	bool traces = trace_armed(ctx->handoff);
	int verdict = GO;
	int err = traces ? trace_continue(ctx, sink) : run(ctx, sink, &verdict);

	if (verdict == DONE || verdict == FOUND || verdict == SILENT || verdict == REACHED ||
	    (err && !traces))
		ctx->handoff->armed = false;
	if (stop && !err) {
		struct buf keep = stop->packet;

		*stop = *last;
		stop->packet = keep;
		buf_clear(&stop->packet);
		buf_add(&stop->packet, last->packet.data, last->packet.len);
	}
	return err;
}
