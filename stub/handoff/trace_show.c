/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was traced, for people and for programs. Only changes are kept: what the registers
 * were before any entry is found by taking back those of all that came behind it.
 */
#include "handoff/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NZCV	   0xf0000000u
#define PLACE_MOST 52
#define INSN_WIDTH 30

/* The registers before entry @from. */
static void rewind_to(const struct trace *t, uint64_t from, uint64_t core[CORE_COUNT])
{
	memcpy(core, t->core, sizeof(t->core));
	for (uint64_t n = t->ring.end; n > from; n--) {
		const struct trace_entry *e = trace_ring_at(&t->ring, n - 1);

		for (unsigned int i = 0; i < e->changes; i++) {
			const struct trace_change *c = trace_ring_change(&t->ring, e, i);

			core[c->reg] = c->old;
		}
	}
}

static void replay(const struct trace *t, const struct trace_entry *e, uint64_t core[CORE_COUNT])
{
	for (unsigned int i = 0; i < e->changes; i++) {
		const struct trace_change *c = trace_ring_change(&t->ring, e, i);

		core[c->reg] = c->new;
	}
}

static const char *name_of(const struct trace_change *c)
{
	return c->reg == CORE_CPSR ? "pstate" : machine_core_names[c->reg];
}

static void say_change(const struct trace_change *c, struct buf *out)
{
	if (c->reg == CORE_CPSR && !((c->old ^ c->new) & ~(uint64_t)NZCV))
		buf_printf(out, " nzcv %x -> %x", (unsigned int)(c->old >> 28 & 15),
			   (unsigned int)(c->new >> 28 & 15));
	else
		buf_printf(out, " %s %#" PRIx64 " -> %#" PRIx64, name_of(c), c->old, c->new);
}

static uint64_t stored(const uint64_t *core, const struct trace_access *a, unsigned int i)
{
	uint64_t value = a->reg[i] == 31 ? 0 : core[a->reg[i]];

	return a->size < 8 ? value & ((UINT64_C(1) << 8 * a->size) - 1) : value;
}

/* By the registers as they were: where it went, and what it was to write. */
static void say_access(const struct trace_entry *e, const uint64_t *core, struct buf *out)
{
	struct trace_access a;

	if (e->flags & TRACE_UNREAD || !trace_access(core, e->word, &a))
		return;
	buf_printf(out, " [%#" PRIx64 "]", a.address);
	if (e->flags & TRACE_EXCEPTION)
		return;
	for (unsigned int i = 0; i < a.count; i++)
		buf_printf(out, "%s%#" PRIx64, i ? ", " : " = ", stored(core, &a, i));
}

static void say_insn(const struct trace_entry *e, struct buf *out)
{
	if (e->flags & TRACE_UNREAD)
		buf_puts(out, "(cannot be read)");
	else
		insn_text(e->word, e->pc, out);
	if (e->flags & TRACE_LATE)
		buf_puts(out, " (read after it ran)");
}

static void pad(struct buf *out, size_t start, size_t width)
{
	do
		buf_putc(out, ' ');
	while (out->len - start < width);
}

static void say_symbol_of(const struct context *ctx, const struct trace_entry *e, struct buf *out)
{
	if (ctx->symbols)
		symbols_say(ctx->symbols, e->pc, out);
}

static void say_place(const struct context *ctx, const struct trace_entry *e, struct buf *out)
{
	buf_printf(out, "%#" PRIx64, e->pc);
	say_symbol_of(ctx, e, out);
}

static size_t place_width(const struct context *ctx, uint64_t from)
{
	const struct trace_ring *r = &ctx->handoff->trace->ring;
	struct buf text = { 0 };
	size_t width = 0;

	for (uint64_t n = from; n < r->end; n++) {
		buf_clear(&text);
		say_place(ctx, trace_ring_at(r, n), &text);
		width = text.len > width && text.len <= PLACE_MOST ? text.len : width;
	}
	buf_free(&text);
	return width;
}

static uint64_t first_of(const struct trace *t, uint64_t n)
{
	return t->ring.end - t->ring.begin > n ? t->ring.end - n : t->ring.begin;
}

static void say_entry(const struct context *ctx, uint64_t n, size_t width, const uint64_t *core,
		      struct buf *out)
{
	const struct trace_ring *r = &ctx->handoff->trace->ring;
	const struct trace_entry *e = trace_ring_at(r, n);
	size_t start;

	buf_printf(out, "%6" PRIu64 "  EL%u  ", n + 1, e->el);
	start = out->len;
	say_place(ctx, e, out);
	pad(out, start, width + 2);
	start = out->len;
	say_insn(e, out);
	pad(out, start, INSN_WIDTH);
	say_access(e, core, out);
	for (unsigned int i = 0; i < e->changes; i++)
		say_change(trace_ring_change(r, e, i), out);
	if (e->flags & TRACE_EXCEPTION)
		buf_puts(out, " takes an exception");
	while (out->data[out->len - 1] == ' ')
		out->data[--out->len] = 0;
	buf_putc(out, '\n');
}

void trace_show(const struct context *ctx, uint64_t n, struct buf *out)
{
	const struct trace *t = ctx->handoff->trace;
	uint64_t core[CORE_COUNT], from;
	size_t width;

	if (!t || t->ring.end == 0)
		return;
	from = first_of(t, n);
	width = place_width(ctx, from);
	rewind_to(t, from, core);
	for (uint64_t i = from; i < t->ring.end; i++) {
		core[CORE_PC] = trace_ring_at(&t->ring, i)->pc;
		say_entry(ctx, i, width, core, out);
		replay(t, trace_ring_at(&t->ring, i), core);
	}
}

static void put_hex(json_t *object, const char *key, uint64_t value)
{
	char hex[24];

	snprintf(hex, sizeof(hex), "0x%" PRIx64, value);
	json_object_set_new(object, key, json_string(hex));
}

static json_t *json_changes(const struct trace *t, const struct trace_entry *e)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < e->changes; i++) {
		const struct trace_change *c = trace_ring_change(&t->ring, e, i);
		json_t *one = json_object();

		put_hex(one, "old", c->old);
		put_hex(one, "new", c->new);
		json_object_set_new(all, name_of(c), one);
	}
	return all;
}

static json_t *json_entry(const struct context *ctx, uint64_t n, const uint64_t *core)
{
	const struct trace *t = ctx->handoff->trace;
	const struct trace_entry *e = trace_ring_at(&t->ring, n);
	json_t *one = json_pack("{sI si si}", "number", (json_int_t)n + 1, "cpu", (int)t->goal.cpu,
				"el", (int)e->el);
	struct buf text = { 0 };
	struct trace_access a;

	if (!one)
		abort();
	put_hex(one, "pc", e->pc);
	if (e->flags & TRACE_UNREAD) {
		json_object_set_new(one, "word", json_null());
	} else {
		put_hex(one, "word", e->word);
		insn_text(e->word, e->pc, &text);
		json_object_set_new(one, "insn", json_string(text.data));
		if (trace_access(core, e->word, &a))
			put_hex(one, "address", a.address);
	}
	buf_clear(&text);
	say_symbol(ctx, e->pc, "", "", &text);
	if (text.len)
		json_object_set_new(one, "symbol", json_string(text.data));
	json_object_set_new(one, "late", json_boolean(e->flags & TRACE_LATE));
	json_object_set_new(one, "exception", json_boolean(e->flags & TRACE_EXCEPTION));
	json_object_set_new(one, "changes", json_changes(t, e));
	buf_free(&text);
	return one;
}

void trace_each_json(const struct context *ctx, uint64_t n, void (*put)(void *ctx, json_t *one),
		     void *put_ctx)
{
	const struct trace *t = ctx->handoff->trace;
	uint64_t core[CORE_COUNT];

	if (!t || t->ring.end == 0)
		return;
	rewind_to(t, first_of(t, n), core);
	for (uint64_t i = first_of(t, n); i < t->ring.end; i++) {
		const struct trace_entry *e = trace_ring_at(&t->ring, i);

		core[CORE_PC] = e->pc;
		put(put_ctx, json_entry(ctx, i, core));
		replay(t, e, core);
	}
}
