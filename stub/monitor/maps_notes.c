/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries that are no mapping, as lines: tables that loop or hold noise have one of them
 * in each of their 512 entries, and nobody reads 512 lines that say the same.
 */
#include "monitor/maps.h"

#define LINES_A_TABLE 16

/* Of the half that @ia is in: their granules may differ. */
static const struct pt_config *config_of(const struct maps *m, uint64_t ia)
{
	unsigned int half = m->cfg[0].regime.two_halves ? (unsigned int)(ia >> 55 & 1) : 0;

	return &m->cfg[m->count > 1 && m->cfg[1].half == half ? 1 : 0];
}

/* A bad entry is of a type that is reserved, or points too far. */
static bool is_reserved(const struct maps *m, const struct pt_note *n)
{
	return pt_desc_kind(config_of(m, n->ia), n->level, n->desc) == PT_INVALID;
}

static void say_what(const struct maps *m, const struct maps_notes *s, struct buf *out)
{
	const struct pt_note *n = &s->note;
	bool one = s->count == 1;

	switch (n->kind) {
	case PT_NOTE_REPEAT:
		buf_printf(out, "the same table%s as for 0x%016" PRIx64, s->step ? "s" : "",
			   n->first);
		if (s->step)
			buf_printf(out, " - 0x%016" PRIx64, n->first + (s->count * n->size - 1));
		break;
	case PT_NOTE_LOOP:
		buf_puts(out,
			 one ? "a table that leads to itself" : "tables that lead to themselves");
		break;
	case PT_NOTE_UNREADABLE:
		if (one)
			buf_printf(out, "no table can be read at %#" PRIx64 ": that is no memory",
				   n->table);
		else
			buf_printf(
				out,
				"no table can be read where they point to, the first to %#" PRIx64
				": that is no memory",
				n->table);
		break;
	case PT_NOTE_BAD:
		if (is_reserved(m, n))
			buf_puts(out, "type 0b01, reserved at this level: a fault");
		else
			buf_printf(out, "%s%#" PRIx64 ", beyond %u bits: a fault",
				   one ? "points to " : "point too far, the first to ", n->table,
				   config_of(m, n->ia)->oa_bits);
		break;
	}
	if (m->tables.symbols && n->kind != PT_NOTE_BAD && (one || n->kind == PT_NOTE_REPEAT))
		symbols_say(m->tables.symbols, n->table, out);
	buf_putc(out, '\n');
}

static void say_more(struct maps_noted *t, int level, struct buf *out)
{
	static const char *const words[] = {
		[PT_NOTE_REPEAT] = "repeated tables",
		[PT_NOTE_LOOP] = "loops",
		[PT_NOTE_UNREADABLE] = "tables that cannot be read",
		[PT_NOTE_BAD] = "bad entries",
	};
	unsigned int total = 0;
	const char *before = ": ";

	for (int i = 0; i < 4; i++)
		total += t->more[i];
	if (total)
		buf_printf(out, "0x%016" PRIx64 " - 0x%016" PRIx64 "  L%d, %u entries more", t->ia,
			   t->ia + (t->size - 1), level, total);
	for (int i = 0; i < 4; i++) {
		if (t->more[i])
			buf_printf(out, "%s%u %s", before, t->more[i], words[i]);
		before = t->more[i] ? ", " : before;
	}
	if (total)
		buf_printf(out, " (`pt-tables %#" PRIx64 " L%d` lists them)\n", t->table, level);
	*t = (struct maps_noted){ 0 };
}

void maps_notes_flush(struct maps_notes *s, const struct maps *m, struct buf *out)
{
	const struct pt_note *n = &s->note;
	struct maps_noted *t = &s->noted[n->level + 2];

	if (!s->count)
		return;
	if (t->lines == LINES_A_TABLE) {
		t->more[n->kind] += (unsigned int)s->count;
		s->count = 0;
		return;
	}
	t->lines++;
	buf_printf(out, "0x%016" PRIx64 " - 0x%016" PRIx64 "  ", n->ia,
		   n->ia + (s->count * n->size - 1));
	if (n->level == -2)
		buf_puts(out, "the root: ");
	else if (s->count == 1)
		buf_printf(out, "L%d [%3u] %#" PRIx64 " = 0x%016" PRIx64 ": ", n->level, n->index,
			   n->address, n->desc);
	else
		buf_printf(out, "L%d [%3u-%u] %#" PRIx64 ", %" PRIu64 " entries: ", n->level,
			   n->index, n->index + (unsigned int)s->count - 1, n->address, s->count);
	say_what(m, s, out);
	s->count = 0;
}

/* Does @n say the same as what is pending, of the entry behind it? */
static bool goes_on(struct maps_notes *s, const struct maps *m, const struct pt_note *n)
{
	const struct pt_note *p = &s->note;

	if (!s->count || n->kind != p->kind || n->level != p->level || n->level == -2 ||
	    n->address != p->address + 8 * s->count || n->ia != p->ia + s->count * p->size)
		return false;
	if (n->kind == PT_NOTE_BAD)
		return is_reserved(m, n) == is_reserved(m, p);
	if (n->kind != PT_NOTE_REPEAT)
		return true;
	if (s->count == 1)
		s->step = n->first == p->first + p->size;
	return n->first == (s->step ? p->first + s->count * p->size : p->first);
}

/* Where the tables of that level are left, the ones below it are too. */
static void enter_table(struct maps_notes *s, const struct pt_note *n, struct buf *out)
{
	struct maps_noted *t = &s->noted[n->level + 2];
	uint64_t table = n->level == -2 ? 0 : n->address - 8 * (uint64_t)n->index;
	uint64_t ia = n->ia - n->index * n->size;

	for (int i = PT_LEVELS; i > n->level + 2; i--)
		say_more(&s->noted[i], i - 2, out);
	if (t->lines && (t->table != table || t->ia != ia))
		say_more(t, n->level, out);
	t->table = table;
	t->ia = ia;
	t->size = (n->index + 1) * n->size;
}

void maps_note(struct maps_notes *s, const struct maps *m, const struct pt_note *n, struct buf *out)
{
	if (goes_on(s, m, n)) {
		s->count++;
		s->noted[n->level + 2].size += n->size;
		return;
	}
	maps_notes_flush(s, m, out);
	enter_table(s, n, out);
	s->note = *n;
	s->count = 1;
	s->step = false;
}

void maps_notes_end(struct maps_notes *s, const struct maps *m, struct buf *out)
{
	maps_notes_flush(s, m, out);
	for (int i = PT_LEVELS; i >= 0; i--)
		say_more(&s->noted[i], i - 2, out);
}
