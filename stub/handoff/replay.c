/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/replay.h"

#include "hex.h"

#include <stdlib.h>
#include <string.h>

/* Calls within calls; of more the oldest are forgotten. */
#define DEPTH 64
/* A call or return that was right this often is not stopped at any more: else no loop ends. */
#define MOST_HITS  2000
#define SAME_STACK UINT64_C(0x10000)
/* Instructions of one function: more is too odd to judge. */
#define FUNCTION_WORDS 4096
/* How far around sp the lost address is looked for. */
#define NEAR_SP 128

/** struct frame - a call that has not come back. */
struct frame {
	uint64_t call, callee; /* callee: 0 if it was called through a register */
	uint64_t link, sp;
};

struct shadow {
	struct frame frame[DEPTH];
	unsigned int depth;
};

/** struct back - a return, as it was before it was made. */
struct back {
	bool used;
	unsigned int cpu;
	uint64_t ret, target, sp;
	struct frame from; /* the call seen last; link 0: none */
};

struct replay {
	struct back wrong;
	struct back jump; /* by a `ret`; wrong if it leads nowhere */
	struct back odd;  /* the first that came back with another sp */
	size_t returns, lifted;
	unsigned int cpus;
	struct shadow *of;
};

void replay_free(struct handoff *h)
{
	if (h->replay)
		free(h->replay->of);
	free(h->replay);
	h->replay = NULL;
}

void handoff_replay(struct context *ctx)
{
	struct handoff *h = ctx->handoff;

	replay_free(h);
	h->replay = calloc(1, sizeof(*h->replay));
	if (!h->replay)
		abort();
}

void replay_plant(struct handoff *h)
{
	if (!h->replay || h->left)
		return;
	for (size_t i = 0; i < h->scan.size; i++) {
		const struct scan_word *w = &h->scan.words[i];
		struct insn insn = insn_decode(w->word);

		if (w->pc != SCAN_NO_PC && !scan_site(&h->scan, w->pc) &&
		    (insn.kind == INSN_BL || insn.kind == INSN_BLR ||
		     (insn.kind == INSN_RET && insn.reg == 30)))
			scan_add(&h->scan, w->pc, w->word, &insn)->replay = true;
	}
}

static struct shadow *shadow_of(struct handoff *h, unsigned int cpu)
{
	struct replay *r = h->replay;

	if (!r->of) {
		r->cpus = machine_of(h)->cpus;
		r->of = calloc(r->cpus, sizeof(*r->of));
	}
	if (!r->of)
		abort();
	return cpu < r->cpus ? &r->of[cpu] : NULL;
}

static int note_call(struct handoff *h, const struct visit *v, struct shadow *s)
{
	struct frame f = { .call = v->pc, .link = v->pc + 4 };
	int err = machine_reg_read(machine_of(h), v->cpu, "sp", &f.sp);

	if (err)
		return err;
	if (v->site.insn.kind == INSN_BL)
		f.callee = v->pc + (uint64_t)v->site.insn.offset;
	if (s->depth == DEPTH)
		memmove(s->frame, s->frame + 1, --s->depth * sizeof(f));
	s->frame[s->depth++] = f;
	return 0;
}

/* Is @ret reached from @function without a return on the way? */
static bool is_part(const struct scan *s, uint64_t function, uint64_t ret)
{
	uint64_t *seen = calloc(FUNCTION_WORDS, sizeof(*seen));
	size_t count = 0;
	bool found = false;

	if (!seen)
		abort();
	seen[count++] = function;
	for (size_t next = 0; next < count && !found; next++) {
		const struct scan_word *w = scan_word(s, seen[next]);
		struct insn i = insn_decode(w ? w->word : 0);
		uint64_t to[2] = { 0 };

		found = seen[next] == ret;
		if (w && (i.kind == INSN_B || i.kind == INSN_COND))
			to[0] = seen[next] + (uint64_t)i.offset;
		if (w && !insn_ends_path(&i))
			to[1] = seen[next] + 4;
		for (unsigned int k = 0; k < 2; k++) {
			size_t n = 0;

			while (to[k] && n < count && seen[n] != to[k])
				n++;
			if (to[k] && n == count && count < FUNCTION_WORDS)
				seen[count++] = to[k];
		}
	}
	found |= count == FUNCTION_WORDS;
	free(seen);
	return found;
}

/* Could the call before @target be of the function that @ret is part of? */
static int belongs(struct handoff *h, unsigned int cpu, uint64_t target, uint64_t ret, bool *yes)
{
	uint8_t raw[4];
	struct insn i;
	int err = target & 3 ? -BATON_EFAULT
			     : machine_virt_read(machine_of(h), cpu, target - 4, raw, sizeof(raw));

	*yes = false;
	if (err)
		return err == -BATON_ELINK ? err : 0;
	i = insn_decode((uint32_t)le_read(raw, 4));
	*yes = i.kind == INSN_BLR ||
	       (i.kind == INSN_BL && is_part(&h->scan, target - 4 + (uint64_t)i.offset, ret));
	return 0;
}

/* The calls from @target on have come back. */
static void pop(struct shadow *s, uint64_t target)
{
	for (unsigned int n = s->depth; n--;)
		if (s->frame[n].link == target) {
			s->depth = n;
			return;
		}
}

static int check_return(struct handoff *h, const struct visit *v, struct shadow *s)
{
	const struct scan_word *w = scan_word(&h->scan, v->pc);
	struct replay *r = h->replay;
	struct back b = { .used = true, .cpu = v->cpu, .ret = v->pc };
	bool right;
	int err = reg_x(machine_of(h), v->cpu, 30, &b.target);

	if (!err)
		err = machine_reg_read(machine_of(h), v->cpu, "sp", &b.sp);
	if (err)
		return err;
	if (v->site.insn.pauth)
		b.target = insn_strip_pauth(b.target);
	if (s->depth)
		b.from = s->frame[s->depth - 1];
	r->jump.used = false;
	right = b.from.link && b.from.link == b.target;
	if (right && b.sp != b.from.sp && !r->odd.used)
		r->odd = b;
	if (!right)
		err = belongs(h, v->cpu, b.target, v->pc, &right);
	if (err)
		return err;
	if (right) {
		r->returns++;
		pop(s, b.target);
		return GO;
	}
	/*
	 * Who is not in the function called last was jumped to, with an x30 of its own; who is on
	 * another stack now takes up what was left there.
	 */
	if (!w || (w->link & (SCAN_UNKNOWN | SCAN_TOP)) || !b.from.callee ||
	    !is_part(&h->scan, b.from.callee, v->pc) ||
	    b.sp - b.from.sp + SAME_STACK > 2 * SAME_STACK) {
		r->jump = b;
		return GO;
	}
	r->wrong = b;
	trouble_other(h, v->cpu, v->el, v->pc, "a return goes where nobody called from");
	return FOUND;
}

int replay_visit(struct handoff *h, const struct visit *v)
{
	enum insn_kind kind = v->site.insn.kind;
	struct shadow *s = h->replay && !h->left ? shadow_of(h, v->cpu) : NULL;

	if (!s || v->site.kernel)
		return GO;
	if (v->site.replay && v->site.hits > MOST_HITS) {
		h->replay->lifted++;
		return code_lift(h, scan_site(&h->scan, v->pc));
	}
	if (kind == INSN_BL || kind == INSN_BLR)
		return note_call(h, v, s);
	return kind == INSN_RET && v->site.insn.reg == 30 ? check_return(h, v, s) : GO;
}

static void say_at(struct handoff *h, const char *before, uint64_t pc, struct buf *out)
{
	buf_printf(out, "%s%#" PRIx64, before, pc);
	say_symbol(h->ctx, pc, " <", ">", out);
}

static void say_sp(const struct back *b, struct buf *out)
{
	uint64_t up = b->sp - b->from.sp;

	buf_printf(out, "sp is %#" PRIx64 ", %" PRId64 " bytes %s than when it was called", b->sp,
		   up >> 63 ? -(int64_t)up : (int64_t)up, up >> 63 ? "lower" : "higher");
}

/* The address that was lost, where it still lies near the stack pointer. */
static void say_lost(struct handoff *h, const struct back *b, struct buf *out)
{
	uint64_t first = (b->sp - NEAR_SP) & ~UINT64_C(7);

	for (uint64_t at = first; b->from.link && at < b->sp + NEAR_SP; at += 8) {
		uint8_t raw[8];

		if (machine_virt_read(machine_of(h), b->cpu, at, raw, sizeof(raw)) ||
		    le_read(raw, 8) != b->from.link)
			continue;
		buf_printf(out,
			   "replay: %#" PRIx64 " lies on the stack at %#" PRIx64 ", %" PRIu64
			   " bytes %s sp\n",
			   b->from.link, at, at < b->sp ? b->sp - at : at - b->sp,
			   at < b->sp ? "below" : "above");
	}
}

static void say_wrong(struct handoff *h, const struct back *b, struct buf *out)
{
	struct buf text = { 0 };

	buf_puts(out, "replay: the first wrong return: ");
	if (machine_of(h)->cpus > 1)
		buf_printf(out, "CPU%u, ", b->cpu);
	say_at(h, "the ret at ", b->ret, out);
	say_at(h, " goes to ", b->target, out);
	buf_putc(out, '\n');
	cause_say_link(h, b->ret, &text);
	if (text.len)
		buf_printf(out, "replay: %s", text.data);
	buf_free(&text);
	if (!b->from.link)
		return;
	if (b->from.callee)
		say_at(h, "replay: the last call: of ", b->from.callee, out);
	else
		buf_puts(out, "replay: the last call: through a register");
	say_at(h, ", at ", b->from.call, out);
	say_at(h, "; behind it is ", b->from.link, out);
	if (b->sp != b->from.sp) {
		buf_puts(out, "\nreplay: ");
		say_sp(b, out);
	}
	buf_putc(out, '\n');
	say_lost(h, b, out);
}

/* What came back to its caller, but with another sp: it may have meant to. */
static void say_odd(struct handoff *h, const struct back *b, struct buf *out)
{
	if (b->from.callee)
		say_at(h, "replay: before that ", b->from.callee, out);
	else
		buf_puts(out, "replay: before that a function");
	say_at(h, ", called at ", b->from.call, out);
	say_at(h, ", came back by the ret at ", b->ret, out);
	buf_puts(out, ": ");
	say_sp(b, out);
	buf_putc(out, '\n');
}

/* Where it is sp that is wrong now: what it was at the call is what it has to be. */
static void keep_odd(struct handoff *h, const struct back *b, struct buf *out)
{
	struct trouble *t = &h->trouble;

	h->stack_was = (struct stack_was){
		.used = true, .cpu = b->cpu, .link = b->target, .right = b->from.sp, .wrong = b->sp
	};
	if (t->kind == TROUBLE_FAULT && t->whole && !t->repairs.count && !stack_find(h, t) &&
	    t->repairs.count)
		explain_repairs(h, t, out);
}

/*
 * AAPCS64, 6.1.1: a function comes back behind its call. Where sp is another one more than x30 may
 * be lost.
 */
static void keep_link(struct handoff *h, const struct back *b)
{
	h->link_was =
		(struct link_was){ .used = b->from.link && b->from.callee && b->sp == b->from.sp,
				   .cpu = b->cpu,
				   .ret = b->ret,
				   .function = b->from.callee,
				   .right = b->from.link,
				   .wrong = b->target };
}

void replay_repair(struct handoff *h)
{
	const struct link_was *was = &h->link_was;
	struct trouble *t = &h->trouble;
	uint64_t x30;

	if (!was->used || (t->kind != TROUBLE_JUMP && t->kind != TROUBLE_OTHER) ||
	    t->cpu != was->cpu || t->pc != was->ret || reg_x(machine_of(h), t->cpu, 30, &x30) ||
	    x30 != was->wrong)
		return;
	t->repairs.list[0] = (struct repair){ .kind = REPAIR_LINK,
					      .address = was->function,
					      .va = was->wrong,
					      .old = was->wrong,
					      .new = was->right };
	t->repairs.count = 1;
}

void replay_end(struct handoff *h, struct buf *out)
{
	struct replay *r = h->replay;
	const struct trouble *t = &h->trouble;

	if (!r)
		return;
	if (!r->wrong.used && r->jump.used && t->kind == TROUBLE_JUMP && t->pc == r->jump.ret)
		r->wrong = r->jump;
	if (r->wrong.used)
		say_wrong(h, &r->wrong, out);
	else
		buf_puts(out, "replay: no return of the loader's went wrong up to here\n");
	if (r->odd.used && t->kind)
		say_odd(h, &r->odd, out);
	if (r->odd.used)
		keep_odd(h, &r->odd, out);
	if (r->wrong.used) {
		keep_link(h, &r->wrong);
		replay_repair(h);
		if (h->link_was.used)
			explain_repairs(h, t, out);
	}
	buf_printf(out, "replay: %zu returns were right%s\n", r->returns,
		   h->complained ? "; those that could not be stopped at were not checked" : "");
	if (r->lifted)
		buf_printf(out,
			   "replay: %zu calls and returns came more than %u times, and then were "
			   "checked no more\n",
			   r->lifted, MOST_HITS);
	/* they cost time, and nobody asks for them any more */
	for (size_t i = 0; i < h->scan.site_count; i++)
		h->scan.sites[i].lifted |= h->scan.sites[i].replay;
	replay_free(h);
}
