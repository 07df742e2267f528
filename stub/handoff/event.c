/* SPDX-License-Identifier: BSD-2-Clause */
/* The timeline: short aligned lines, as they happen. */
#include "handoff/internal.h"

#include <stdlib.h>
#include <string.h>

#define PLACE_COLUMNS 44
#define LINE_COLUMNS  100

void say_symbol(const struct context *ctx, uint64_t addr, const char *before, const char *after,
		struct buf *out)
{
	uint64_t offset = 0;
	const char *name = ctx->symbols ? symbols_name(ctx->symbols, addr, &offset) : NULL;

	if (!name)
		return;
	buf_printf(out, offset ? "%s%s+%#" PRIx64 : "%s%s", before, name, offset);
	buf_puts(out, after);
}

void handoff_say(struct handoff *h, const struct buf *text)
{
	if (h->sink && text->len)
		h->sink->write(h->sink->ctx, text->data, text->len);
}

/* Behind each other up to the right edge, each line below the text's first letters. */
static void render_fields(const char *fields, size_t indent, struct buf *out)
{
	while (*fields) {
		size_t room = LINE_COLUMNS - indent, len = strlen(fields), at = len;

		if (len > room)
			for (at = room; at && !(fields[at] == ' ' && strchr(",;", fields[at - 1]));)
				at--;
		buf_printf(out, "%*s%.*s\n", (int)indent, "", (int)(at ? at : len), fields);
		fields += at ? at : len;
		fields += *fields == ' ';
	}
}

void event_render(const struct handoff *h, const struct event *e, struct buf *out)
{
	size_t start = out->len, width = PLACE_COLUMNS;

	buf_puts(out, "  ");
	if (machine_of(h)->cpus > 1) {
		buf_printf(out, "CPU%u ", e->cpu);
		width += 5;
	}
	buf_printf(out, "EL%u  %#" PRIx64, e->el, e->pc);
	say_symbol(h->ctx, e->pc, " ", "", out);
	do
		buf_putc(out, ' ');
	while (out->len - start < width);
	buf_printf(out, "%s\n", e->text);
	if (e->fields)
		render_fields(e->fields, width + 2, out);
}

void event_add(struct handoff *h, const struct event *e, const char *fmt, ...)
{
	struct buf text = { 0 }, line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	h->events = realloc(h->events, (h->event_count + 1) * sizeof(*h->events));
	if (!h->events)
		abort();
	h->events[h->event_count] = *e;
	h->events[h->event_count].text = text.data;
	event_render(h, &h->events[h->event_count++], &line);
	if (!h->reached && goal_met(h, &h->events[h->event_count - 1]))
		h->reached = h->event_count;
	handoff_say(h, &machine_of(h)->notice);
	if (h->sink)
		buf_clear(&machine_of(h)->notice);
	if (!h->replay) /* it was all told the first time */
		handoff_say(h, &line);
	buf_free(&line);
}

void event_clear(struct handoff *h)
{
	for (size_t i = 0; i < h->event_count; i++) {
		free(h->events[i].text);
		free(h->events[i].fields);
	}
	free(h->events);
	h->events = NULL;
	h->event_count = 0;
}

size_t handoff_events(const struct context *ctx)
{
	return ctx->handoff->resets == ctx->machine->resets ? ctx->handoff->event_count : 0;
}

size_t handoff_warnings(const struct context *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < handoff_events(ctx); i++)
		n += ctx->handoff->events[i].kind == EVENT_WARNING;
	return n;
}

void handoff_log(struct context *ctx, struct buf *out)
{
	struct handoff *h = ctx->handoff;

	h->ctx = ctx;
	for (size_t i = 0; i < h->event_count; i++)
		event_render(h, &h->events[i], out);
	if (!h->event_count)
		buf_puts(out, "no timeline yet: `handoff run` makes one\n");
}
