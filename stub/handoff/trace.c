/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps and looks. What a CPU does next is mostly known from its registers and the word at
 * its pc: then the look at where it came to and the next step go out in one exchange, and the
 * word there is read before it runs. A step does not go ahead of a look where the look could
 * show that the trace ends there.
 */
#include "handoff/trace_internal.h"
#include "hex.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE	  4096u
#define VECTOR	  0x80u /* bytes of an entry, to which it is aligned */
#define LAST_SAID 10u
#define SCTLR_M	  1u

/* How a step, and with it the trace, ended. */
enum end {
	END_NOT,
	END_LIMIT,
	END_TO,
	END_EVENT,
	END_GDB,
	END_INTERRUPT,
	END_WAITS, /* it did not come back */
	END_OTHER,
};

/* The CPU before an instruction; @ran: that has run already, and @end how. */
struct moment {
	uint64_t core[CORE_COUNT];
	uint32_t word;
	unsigned int flags;
	bool ran;
	enum end end;
};

bool trace_knows(int until)
{
	return until == UNTIL_MMU_ON || until == UNTIL_EL_CHANGE || until == UNTIL_PSCI ||
	       until == UNTIL_EXCEPTION || until == UNTIL_USER;
}

void trace_list(struct buf *out)
{
	for (int i = 0, n = 0; i <= UNTIL_EVENT; i++)
		if (trace_knows(i))
			buf_printf(out, "%s%s", n++ ? ", " : "", handoff_until_name(i));
}

static void forget_lines(struct trace *t)
{
	for (unsigned int i = 0; i < TRACE_LINES; i++)
		t->line[i].valid = false;
}

static void forget_pages(struct trace *t)
{
	for (unsigned int i = 0; i < TRACE_PAGES; i++)
		t->page[i].valid = false;
	forget_lines(t);
}

static int read_line(struct trace *t, struct machine *m, uint64_t pa, struct trace_line **out)
{
	uint64_t base = pa & ~(uint64_t)(TRACE_LINE - 1);
	struct trace_line *line = &t->line[base / TRACE_LINE % TRACE_LINES];
	int err = 0;

	*out = line;
	if (!line->valid || line->pa != base) {
		err = machine_phys_read(m, base, line->data, TRACE_LINE);
		line->pa = base;
		line->valid = !err;
	}
	return err;
}

static int find_page(struct trace *t, struct machine *m, uint64_t va, uint64_t *pa)
{
	uint64_t base = va & ~(uint64_t)(PAGE - 1);
	struct trace_page *page = &t->page[base / PAGE % TRACE_PAGES];
	int err = 0;

	if (!page->valid || page->va != base) {
		err = machine_where(m, t->goal.cpu, base, &page->pa);
		page->va = base;
		page->valid = !err;
	}
	*pa = page->pa + va % PAGE;
	return err;
}

/* The word at @va as the CPU is to fetch it. That it cannot be read is an answer. */
static int fetch(struct trace *t, struct machine *m, uint64_t va, struct moment *now)
{
	struct trace_line *line;
	uint64_t pa;
	int err;

	now->word = 0;
	now->flags = TRACE_UNREAD;
	if (va & 3)
		return 0;
	err = find_page(t, m, va, &pa);
	if (!err)
		err = read_line(t, m, pa, &line);
	if (err)
		return err == -BATON_ELINK ? err : 0;
	now->word = (uint32_t)le_read(line->data + pa % TRACE_LINE, 4);
	now->flags = 0;
	return 0;
}

/* What the last stop was; a watchpoint stops behind the access. */
static enum end how_stopped(const struct machine *m)
{
	const struct machine_stop *stop = &m->last_stop;

	if (stop->kind == STOP_INTERRUPT)
		return END_INTERRUPT;
	if (stop->kind != STOP_SIGNAL || stop->signal != 5 ||
	    (stop->packet.len && strstr(stop->packet.data, "watch:")))
		return END_OTHER;
	return END_NOT;
}

/* The registers of @now, and the step from there. */
static int look_step(struct trace *t, struct machine *m, struct moment *now)
{
	int err = machine_look_step(m, t->goal.cpu, now->core);

	now->ran = true;
	now->end = err == -BATON_ETIMEDOUT ? END_WAITS : err ? END_NOT : how_stopped(m);
	return err == -BATON_ETIMEDOUT ? 0 : err;
}

static bool is_stop(const struct context *ctx, const struct trace_goal *g, uint64_t pc)
{
	return (g->to && pc == g->address) ||
	       (ctx->gdb && machine_break_has(ctx->machine, BREAK_GDB, pc));
}

/* Could the trace end in the vector that @word faults into? */
static bool fears_faults(const struct context *ctx, const struct trace_goal *g)
{
	return g->until == UNTIL_EXCEPTION || g->until == UNTIL_EL_CHANGE ||
	       (g->to && g->address % VECTOR == 0) || (ctx->gdb && ctx->machine->break_count);
}

/* May the CPU, which @now was run on, step on before it is looked at? *@pc: from there. */
static bool goes_ahead(const struct context *ctx, const struct trace *t, const struct moment *now,
		       uint64_t *pc)
{
	const struct trace_goal *g = &t->goal;

	if (now->end || now->flags & TRACE_UNREAD || t->ring.end + 2 > g->limit ||
	    !trace_next(now->core, now->word, pc) || is_stop(ctx, g, *pc))
		return false;
	if (g->until == UNTIL_MMU_ON && insn_decode(now->word).kind == INSN_MSR)
		return false;
	return !trace_may_fault(now->word) || !fears_faults(ctx, g);
}

static bool is_jump(enum insn_kind kind)
{
	return kind == INSN_BR || kind == INSN_BLR || kind == INSN_RET;
}

/* Did @word, which ran from @now, end in an exception instead of where it leads? */
static bool took_exception(const struct moment *now, const uint64_t *next)
{
	enum insn_kind kind = insn_decode(now->word).kind;
	uint64_t pc;

	if (now->flags & TRACE_UNREAD)
		return next[CORE_PC] != now->core[CORE_PC] + 4;
	/* A tag of a pointer's is not part of the pc. */
	if (trace_next(now->core, now->word, &pc))
		return next[CORE_PC] != pc && !is_jump(kind);
	/* Only a call that firmware of QEMU's serves comes back; a jump that is not known goes on.
	 */
	if (kind == INSN_ERET || is_jump(kind))
		return trace_el(next) > trace_el(now->core);
	return next[CORE_PC] != pc;
}

static int learn_mmu(struct trace *t, struct machine *m, const uint64_t *core)
{
	char name[] = "SCTLR_EL1";
	uint64_t value;
	int err;

	if (t->goal.until != UNTIL_MMU_ON)
		return 0;
	name[8] = (char)('0' + (trace_el(core) ? trace_el(core) : 1));
	err = machine_reg_read(m, t->goal.cpu, name, &value);
	if (!err)
		t->mmu = value & SCTLR_M;
	return err;
}

static int goal_reached(struct trace *t, struct machine *m, const struct moment *now,
			const uint64_t *next, bool exception, bool *reached)
{
	enum insn_kind kind = now->flags & TRACE_UNREAD ? INSN_OTHER : insn_decode(now->word).kind;
	bool el = trace_el(next) != trace_el(now->core), was = t->mmu;
	int err = 0;

	*reached = false;
	switch (t->goal.until) {
	case UNTIL_MMU_ON:
		if (el || kind == INSN_MSR)
			err = learn_mmu(t, m, next);
		*reached = !el && t->mmu && !was;
		break;
	case UNTIL_EL_CHANGE:
		*reached = el;
		break;
	case UNTIL_USER:
		*reached = el && !trace_el(next);
		break;
	case UNTIL_EXCEPTION:
		*reached = exception;
		break;
	case UNTIL_PSCI:
		*reached = kind == INSN_SMC || kind == INSN_HVC;
		break;
	default:
		break;
	}
	return err;
}

/* @now has run, and the CPU came to @next: kept, and is it the end? */
static int keep(struct context *ctx, struct trace *t, const struct moment *now,
		const uint64_t *next, enum end *end)
{
	bool exception = took_exception(now, next), reached;
	struct trace_entry e = { .pc = now->core[CORE_PC], .word = now->word };
	int err;

	e.el = (uint8_t)trace_el(now->core);
	e.flags = (uint8_t)(now->flags | (exception ? TRACE_EXCEPTION : 0));
	trace_ring_add(&t->ring, e, now->core, next);
	memcpy(t->core, next, sizeof(t->core));
	err = goal_reached(t, ctx->machine, now, next, exception, &reached);
	if (reached)
		*end = END_EVENT;
	else if (t->goal.to && next[CORE_PC] == t->goal.address)
		*end = END_TO;
	else if (now->end)
		*end = now->end;
	else if (is_stop(ctx, &t->goal, next[CORE_PC]))
		*end = END_GDB;
	else if (t->ring.end >= t->goal.limit)
		*end = END_LIMIT;
	if (exception || trace_el(next) != e.el)
		forget_pages(t);
	return err;
}

/* What @word may have changed of what is known of the code. */
static void forget(struct trace *t, const struct moment *now)
{
	if (now->flags & TRACE_UNREAD || trace_may_move(now->word))
		forget_pages(t);
	else if (trace_may_write(now->word))
		forget_lines(t);
}

/* From @now, which has run, to the next moment. */
static int advance(struct context *ctx, struct trace *t, struct moment *now, enum end *end)
{
	struct machine *m = ctx->machine;
	struct moment next = { 0 };
	uint64_t pc;
	bool ahead = goes_ahead(ctx, t, now, &pc);
	int err;

	forget(t, now);
	err = ahead ? fetch(t, m, pc, &next) : 0;
	if (!err)
		err = ahead ? look_step(t, m, &next) : machine_look(m, t->goal.cpu, next.core);
	if (err)
		return err;
	/* What was interrupted, or waits where it is, has not run. */
	if (!now->end || memcmp(now->core, next.core, sizeof(next.core)) != 0)
		err = keep(ctx, t, now, next.core, end);
	else
		*end = now->end;
	if (!err && !*end && (!ahead || next.core[CORE_PC] != pc)) {
		err = fetch(t, m, next.core[CORE_PC], &next);
		next.flags |= ahead && !next.flags ? TRACE_LATE : 0;
	}
	*now = next;
	return err;
}

static int engine(struct context *ctx, struct trace *t, enum end *end)
{
	struct machine *m = ctx->machine;
	struct moment now = { 0 };
	int err = machine_look(m, t->goal.cpu, now.core);

	memcpy(t->core, now.core, sizeof(t->core));
	if (!err)
		err = learn_mmu(t, m, now.core);
	if (!err)
		err = fetch(t, m, now.core[CORE_PC], &now);
	while (!err && !*end) {
		if (machine_canceled(m))
			return -BATON_ECANCELED;
		if (!now.ran)
			err = look_step(t, m, &now);
		if (!err)
			err = advance(ctx, t, &now, end);
	}
	return err;
}

static void say_why(const struct context *ctx, const struct trace *t, enum end end, struct buf *out)
{
	const char *go = ctx->gdb ? "continue" : "cont";

	switch (end) {
	case END_TO:
		buf_puts(out, "there");
		break;
	case END_EVENT:
		buf_puts(out, handoff_until_name((enum handoff_until)t->goal.until));
		break;
	case END_GDB:
		buf_puts(out, "a breakpoint of GDB's");
		break;
	case END_INTERRUPT:
		buf_puts(out, "interrupted");
		break;
	case END_WAITS:
		buf_printf(out,
			   "it does not step: it waits for an interrupt, which steps do not "
			   "let in (`%s` does), or is off",
			   go);
		break;
	case END_OTHER:
		buf_printf(out, "stopped, signal %d or a watchpoint",
			   ctx->machine->last_stop.signal);
		break;
	case END_NOT:
	case END_LIMIT:
		buf_puts(out, "as many as asked for");
		break;
	}
}

static void say_end(const struct context *ctx, const struct trace *t, enum end end, double seconds,
		    struct buf *out)
{
	uint64_t n = t->ring.end;

	trace_show(ctx, LAST_SAID, out);
	buf_printf(out, "%" PRIu64 " instruction%s of CPU%u in %.2f s", n, n == 1 ? "" : "s",
		   t->goal.cpu, seconds);
	if (n >= 100 && seconds > 0)
		buf_printf(out, " (%.0f/s)", (double)n / seconds);
	buf_puts(out, ": ");
	say_why(ctx, t, end, out);
	buf_printf(out, ".\nit stands at EL%u, %#" PRIx64, trace_el(t->core), t->core[CORE_PC]);
	if (ctx->symbols)
		symbols_say(ctx->symbols, t->core[CORE_PC], out);
	buf_puts(out, n ? ". next: `handoff trace show [LAST]`\n" : "\n");
}

static double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct trace *get(struct handoff *h)
{
	if (!h->trace)
		h->trace = calloc(1, sizeof(*h->trace));
	if (!h->trace)
		abort();
	return h->trace;
}

int trace_run(struct context *ctx, struct sink *sink, const struct trace_goal *goal, bool *reached)
{
	struct trace *t = get(ctx->handoff);
	struct buf out = { 0 };
	enum end end = END_NOT;
	double start = now_seconds();
	int err;

	t->goal = *goal;
	t->armed = false;
	trace_ring_init(&t->ring, goal->keep);
	forget_pages(t);
	err = engine(ctx, t, &end);
	if (err == -BATON_ECANCELED)
		end = END_INTERRUPT;
	if (!err || err == -BATON_ECANCELED) {
		say_end(ctx, t, end, now_seconds() - start, &out);
		sink->write(sink->ctx, out.data, out.len);
	}
	buf_free(&out);
	*reached = end == END_TO || end == END_EVENT ||
		   (end == END_LIMIT && !goal->to && goal->until < 0);
	return err;
}

int trace_continue(struct context *ctx, struct sink *sink)
{
	struct trace_goal goal = ctx->handoff->trace->goal;
	bool reached;
	int err = trace_run(ctx, sink, &goal, &reached);

	return err == -BATON_ECANCELED ? 0 : err;
}

void trace_arm(struct handoff *h, const struct trace_goal *goal)
{
	struct trace *t = get(h);

	t->goal = *goal;
	t->armed = true;
}

void trace_disarm(struct handoff *h)
{
	if (h->trace)
		h->trace->armed = false;
}

bool trace_armed(const struct handoff *h)
{
	return h->trace && h->trace->armed;
}

void trace_free(struct trace *t)
{
	if (t)
		trace_ring_free(&t->ring);
	free(t);
}
