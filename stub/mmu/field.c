// SPDX-License-Identifier: BSD-2-Clause
/* Named bit fields: find, get, set, say, parse. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "buf.h"
#include "error.h"
#include "mmu/field.h"

const struct pt_field *pt_field_find(const struct pt_field *rows, const char *name)
{
	for (; rows->name; rows++)
		if (!strcasecmp(rows->name, name))
			return rows;
	return NULL;
}

static uint64_t largest(const struct pt_field *f)
{
	return f->width >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << f->width) - 1;
}

uint64_t pt_field_mask(const struct pt_field *f)
{
	return largest(f) << f->lsb;
}

uint64_t pt_field_get(const struct pt_field *f, uint64_t word)
{
	return word >> f->lsb & largest(f);
}

uint64_t pt_field_set(const struct pt_field *f, uint64_t word, uint64_t value)
{
	return (word & ~pt_field_mask(f)) | (value & largest(f)) << f->lsb;
}

static const char *value_name(const struct pt_field *f, uint64_t value)
{
	for (const struct pt_value *v = f->values; v && v->name; v++)
		if (v->value == value)
			return v->name;
	return NULL;
}

void pt_field_say(const struct pt_field *f, uint64_t word, uint64_t mair, struct buf *out)
{
	uint64_t value = pt_field_get(f, word);
	const char *name = value_name(f, value);

	if (name)
		buf_puts(out, name);
	else if (f->say)
		f->say(out, value, word, mair);
	else if (f->values)
		buf_puts(out, "reserved");
	else if (value ? f->set : f->unset)
		buf_puts(out, value ? f->set : f->unset);
}

static void describe(const struct pt_field *f, int width, uint64_t word, uint64_t mair,
		     struct buf *out)
{
	uint64_t value = pt_field_get(f, word);
	char bits[24], number[24];

	if (f->width == 1)
		snprintf(bits, sizeof(bits), "[%d]", f->lsb);
	else
		snprintf(bits, sizeof(bits), "[%d:%d]", f->lsb + f->width - 1, f->lsb);
	snprintf(number, sizeof(number), f->hex || f->width >= 8 ? "0x%" PRIx64 : "%" PRIu64,
		 value);
	buf_printf(out, "  %-*s %-7s  %-6s  ", width, f->name, bits, number);
	pt_field_say(f, word, mair, out);
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = 0;
	buf_putc(out, '\n');
}

void pt_fields_describe(const struct pt_field *rows, uint64_t word, uint64_t mair, struct buf *out)
{
	int width = 10;

	for (const struct pt_field *f = rows; f->name; f++) {
		int len = snprintf(NULL, 0, "%s", f->name);

		width = len > width ? len : width;
	}
	for (; rows->name; rows++)
		describe(rows, width, word, mair, out);
}

int pt_field_parse(const struct pt_field *f, const char *text, uint64_t *value, struct buf *why)
{
	char *end;

	for (const struct pt_value *v = f->values; v && v->name; v++) {
		if (!strcasecmp(v->name, text)) {
			*value = v->value;
			return 0;
		}
	}
	if (*text >= '0' && *text <= '9') {
		*value = strtoull(text, &end, 0);
		if (!*end && *value <= largest(f))
			return 0;
	}
	if (!why)
		return -BATON_EINVAL;
	buf_printf(why, "%s=%s: %s is 0 to 0x%" PRIx64, f->name, text, f->name, largest(f));
	for (const struct pt_value *v = f->values; v && v->name; v++)
		buf_printf(why, "%s%s", v == f->values ? ", or " : ", ", v->name);
	return -BATON_EINVAL;
}
