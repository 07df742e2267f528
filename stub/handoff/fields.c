/* SPDX-License-Identifier: BSD-2-Clause */
/* What a write to a system register changes, by field. */
#include "handoff/fields.h"

#include "buf.h"

#include <inttypes.h>

/* Flags, as their names: "sets M, C; clears A". */
static void say_flags(const struct sysreg *s, uint64_t changed, uint64_t after, bool set,
		      struct buf *out)
{
	const char *before = set ? "sets " : "clears ";
	uint64_t has = s->has ? s->has : UINT64_MAX;

	for (const struct pt_field *f = s->fields; f->name; f++) {
		uint64_t mask = pt_field_mask(f);

		if (f->width != 1 || !(changed & has & mask) || !(after & mask) == set)
			continue;
		buf_printf(out, "%s%s", out->len && before[1] != ' ' ? "; " : "", before);
		buf_puts(out, f->name);
		before = ", ";
	}
}

/* Its name where the value has one, for that is what people know; else the number too. */
static void say_value(const struct pt_field *f, uint64_t word, struct buf *out)
{
	uint64_t value = pt_field_get(f, word);
	bool named = f->values || f->hex || f->width >= 8;
	struct buf words = { 0 };

	pt_field_say(f, word, 0, &words);
	if (!words.len || !named)
		buf_printf(out, named && value ? "%#" PRIx64 : "%" PRIu64, value);
	if (words.len)
		buf_printf(out, named ? "%s" : " (%s)", words.data);
	buf_free(&words);
}

void fields_changed(const struct sysreg *s, uint64_t before, uint64_t after, struct buf *out)
{
	uint64_t has = s->has ? s->has : UINT64_MAX, changed = before ^ after;
	const char *between;

	say_flags(s, changed, after, true, out);
	say_flags(s, changed, after, false, out);
	between = out->len ? "; " : "";
	for (const struct pt_field *f = s->fields; f->name; f++) {
		if (f->width == 1 || !(changed & has & pt_field_mask(f)))
			continue;
		buf_printf(out, "%s%s ", between, f->name);
		between = ", ";
		if (before) {
			say_value(f, before, out);
			buf_puts(out, " -> ");
		}
		say_value(f, after, out);
	}
}
