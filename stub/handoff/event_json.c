/* SPDX-License-Identifier: BSD-2-Clause */
/* The timeline for programs: the same events, an object each. */
#include "handoff/internal.h"
#include "monitor/json.h"

#include <stdlib.h>

/* What an event of that kind is called, and whether before and after mean anything in it. */
struct shape {
	const char *name;
	bool before, after;
};

/* No default: the compiler asks for the row of a new kind. */
static struct shape shape_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_NOTE:
		return (struct shape){ "note", false, false };
	case EVENT_START:
		return (struct shape){ "start", false, false };
	case EVENT_SYSREG:
		return (struct shape){ "sysreg", true, true };
	case EVENT_ERET:
		return (struct shape){ "eret", true, true };
	case EVENT_CALL:
		return (struct shape){ "call", true, true };
	case EVENT_MOVED:
		return (struct shape){ "moved", true, true };
	case EVENT_COPIED:
		return (struct shape){ "copied", true, true };
	case EVENT_LEFT:
		return (struct shape){ "left", false, true };
	case EVENT_FAULT:
		return (struct shape){ "fault", true, false };
	case EVENT_EXCEPTION:
		return (struct shape){ "exception", true, true };
	case EVENT_USER:
		return (struct shape){ "user", true, true };
	case EVENT_TLBI:
		return (struct shape){ "tlbi", true, false };
	case EVENT_CACHE:
		return (struct shape){ "cache", true, true };
	case EVENT_WARNING:
		return (struct shape){ "warning", false, false };
	}
	return (struct shape){ "unknown", false, false };
}

static json_t *text_if(const char *words)
{
	return words ? json_text(words) : json_null();
}

static json_t *symbol_of(const struct context *ctx, uint64_t pc)
{
	struct buf name = { 0 };
	json_t *j;

	say_symbol(ctx, pc, "", "", &name);
	j = text_if(name.data);
	buf_free(&name);
	return j;
}

static json_t *event_json(const struct handoff *h, const struct event *e)
{
	struct shape s = shape_of(e->kind);
	json_t *j = json_need(json_object());

	json_put(j, "kind", json_text(s.name));
	json_put(j, "cpu", json_integer(e->cpu));
	json_put(j, "el", json_integer(e->el));
	json_put(j, "pc", json_hex(e->pc));
	json_put(j, "symbol", symbol_of(h->ctx, e->pc));
	json_put(j, "before", s.before && !e->no_before ? json_hex(e->before) : json_null());
	json_put(j, "after", s.after && !e->no_after ? json_hex(e->after) : json_null());
	json_put(j, "name", text_if(e->name));
	json_put(j, "text", json_text(e->text));
	json_put(j, "fields", text_if(e->fields));
	return j;
}

json_t *handoff_log_json(struct context *ctx)
{
	struct handoff *h = ctx->handoff;
	json_t *list = json_need(json_array());

	h->ctx = ctx;
	for (size_t i = 0; i < h->event_count; i++)
		if (json_array_append_new(list, event_json(h, &h->events[i])))
			abort();
	return list;
}
