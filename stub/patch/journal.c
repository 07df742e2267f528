/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/journal_internal.h"

#include "hex.h"
#include "patch/tlb.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct journal *journal_new(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	return j;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->count; i++)
		free(j->entry[i].write);
	free(j->entry);
	free(j);
}

static struct journal_entry *entry_of(struct journal *j, unsigned int number)
{
	return number && number <= j->count ? &j->entry[number - 1] : NULL;
}

/* Making an entry */

unsigned int journal_begin(struct journal *j, const char *why)
{
	struct journal_entry *e;

	if (j->count == j->cap) {
		j->cap = j->cap ? 2 * j->cap : 16;
		j->entry = realloc(j->entry, j->cap * sizeof(*j->entry));
		if (!j->entry)
			abort();
	}
	e = &j->entry[j->count++];
	*e = (struct journal_entry){ .number = (unsigned int)j->count };
	snprintf(e->why, sizeof(e->why), "%s", why);
	return e->number;
}

int journal_note(struct journal *j, unsigned int number, const struct patch *write)
{
	struct journal_entry *e = entry_of(j, number);

	assert(e && e->state == ENTRY_UNDER_WAY);
	assert(write->size && write->size <= PATCH_BYTES);
	if (e->count == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 1;
		e->write = realloc(e->write, e->cap * sizeof(*e->write));
		if (!e->write)
			abort();
	}
	e->write[e->count++] = *write;
	return 0;
}

int journal_end(struct journal *j, unsigned int number)
{
	struct journal_entry *e = entry_of(j, number);

	assert(e && e->state == ENTRY_UNDER_WAY);
	e->state = ENTRY_APPLIED;
	return 0;
}

unsigned int journal_add(struct journal *j, const struct patch *p)
{
	unsigned int number = journal_begin(j, p->why);

	journal_note(j, number, p);
	journal_end(j, number);
	return number;
}

/* Looking at entries */

size_t journal_count(const struct journal *j)
{
	return j->count;
}

const struct journal_entry *journal_at(const struct journal *j, size_t i)
{
	return &j->entry[i];
}

const struct journal_entry *journal_find(const struct journal *j, unsigned int number)
{
	return number && number <= j->count ? &j->entry[number - 1] : NULL;
}

bool entry_is_live(const struct journal_entry *e)
{
	return e->state == ENTRY_UNDER_WAY || e->state == ENTRY_APPLIED ||
	       e->state == ENTRY_UNDOING;
}

unsigned int journal_last(const struct journal *j)
{
	for (size_t i = j->count; i; i--)
		if (entry_is_live(&j->entry[i - 1]))
			return j->entry[i - 1].number;
	return 0;
}

void patch_say_value(const uint8_t *bytes, unsigned int size, struct buf *out)
{
	if (size <= 8)
		buf_printf(out, "0x%0*" PRIx64, (int)(2 * size), le_read(bytes, size));
	else
		hex_encode(out, bytes, size);
}

static void say_change(const struct patch *p, const uint8_t *from, const uint8_t *to,
		       struct buf *out)
{
	if (p->kind == PATCH_REGISTER)
		buf_printf(out, "CPU %u %s: ", p->cpu, p->reg);
	else
		buf_printf(out, "%s%s%#" PRIx64 ": ", p->where, p->where[0] ? " at " : "",
			   p->address);
	patch_say_value(from, p->size, out);
	buf_puts(out, " -> ");
	patch_say_value(to, p->size, out);
	buf_putc(out, '\n');
}

void journal_say(const struct journal_entry *e, struct buf *out)
{
	static const char *const states[] = {
		[ENTRY_UNDER_WAY] = "partly", [ENTRY_APPLIED] = "applied",
		[ENTRY_UNDOING] = "partly",   [ENTRY_UNDONE] = "undone",
		[ENTRY_ABORTED] = "failed",   [ENTRY_CLOSED] = "reset",
	};

	buf_printf(out, "%3u  %-7s  ", e->number, states[e->state]);
	for (size_t i = 0; i < e->count; i++) {
		buf_puts(out, i ? "              " : "");
		say_change(&e->write[i], e->write[i].old, e->write[i].new, out);
	}
	buf_puts(out, e->count ? "" : "nothing written\n");
	if (e->why[0])
		buf_printf(out, "              by %s\n", e->why);
}

/* The way back */

static int patch_read(struct machine *m, const struct patch *p, uint8_t *now)
{
	uint64_t value;
	int err;

	if (p->kind != PATCH_REGISTER)
		return machine_phys_read(m, p->address, now, p->size);
	err = machine_reg_read(m, p->cpu, p->reg, &value);
	if (!err)
		le_write(now, p->size, value);
	return err;
}

static int patch_restore(struct machine *m, const struct patch *p)
{
	if (p->kind == PATCH_REGISTER)
		return machine_reg_write(m, p->cpu, p->reg, le_read(p->old, p->size));
	return machine_phys_write(m, p->address, p->old, p->size);
}

/* What @p's place held before @later was written there too. */
static void peel(const struct patch *p, const struct patch *later, uint8_t *now)
{
	uint64_t from = p->address > later->address ? p->address : later->address;
	uint64_t p_end = p->address + p->size, later_end = later->address + later->size;
	uint64_t end = p_end < later_end ? p_end : later_end;
	bool reg = p->kind == PATCH_REGISTER;

	if (reg != (later->kind == PATCH_REGISTER) ||
	    (reg && (p->cpu != later->cpu || strcmp(p->reg, later->reg) != 0)))
		return;
	if (from < end &&
	    !memcmp(now + (from - p->address), later->new + (from - later->address), end - from))
		memcpy(now + (from - p->address), later->old + (from - later->address), end - from);
}

/* What the place of write @i holds, without what this entry wrote there later. */
static int entry_read(struct machine *m, const struct journal_entry *e, size_t i, uint8_t *now)
{
	int err = patch_read(m, &e->write[i], now);

	for (size_t k = e->count; !err && k > i + 1; k--)
		peel(&e->write[i], &e->write[k - 1], now);
	return err;
}

static int conflict(const struct journal_entry *e, const struct patch *p, const uint8_t *now,
		    struct buf *out)
{
	buf_printf(out, "undo %u: not done, something else has written there: ", e->number);
	if (e->count > 1)
		buf_printf(out, "%s%s%#" PRIx64 " ", p->where, p->where[0] ? " at " : "",
			   p->address);
	buf_puts(out, e->count > 1 ? "holds " : "it holds ");
	patch_say_value(now, p->size, out);
	buf_puts(out, ", not ");
	patch_say_value(p->new, p->size, out);
	buf_puts(out, " as patched; nothing was touched\n");
	return -BATON_EBUSY;
}

/* Is each place as we left it, or as we found it? */
static int check_places(struct machine *m, const struct journal_entry *e, struct buf *out)
{
	uint8_t now[PATCH_BYTES];
	int err;

	for (size_t i = e->count; i; i--) {
		const struct patch *p = &e->write[i - 1];

		err = entry_read(m, e, i - 1, now);
		if (err)
			return err;
		if (memcmp(now, p->new, p->size) && memcmp(now, p->old, p->size))
			return conflict(e, p, now, out);
	}
	return 0;
}

/* One page's translation where there is one write, else all. A failure has said so. */
static int refresh(struct machine *m, const struct journal_entry *e, struct buf *out)
{
	struct tlb_what what = { 0 };

	for (size_t i = 0; i < e->count; i++) {
		const struct patch *p = &e->write[i];

		if (p->kind != PATCH_TABLE)
			continue;
		what.all = what.regime || !p->leaf;
		what.regime = p->regime;
		what.va = p->va;
		what.cpu = p->cpu;
	}
	return what.regime ? tlb_refresh(m, &what, out) : 0;
}

/* What is not there was never written, or is back already. */
static int roll_back(struct machine *m, const struct journal_entry *e, const char *said,
		     struct buf *out)
{
	uint8_t now[PATCH_BYTES];
	int err = 0;

	for (size_t i = e->count; i && !err; i--) {
		const struct patch *p = &e->write[i - 1];

		err = patch_read(m, p, now);
		if (err || memcmp(now, p->new, p->size))
			continue;
		err = patch_restore(m, p);
		if (err)
			continue;
		buf_printf(out, "%s %u: ", said, e->number);
		say_change(p, p->new, p->old, out);
	}
	return err;
}

int journal_abort(struct journal *j, struct machine *m, unsigned int number, struct buf *say)
{
	struct journal_entry *e = entry_of(j, number);
	int err;

	assert(e && e->state == ENTRY_UNDER_WAY);
	err = roll_back(m, e, "rolled back", say);
	if (err) {
		buf_printf(say, "%u could not be rolled back: %s; `patches` shows what is there\n",
			   number, machine_error(m, err));
		return err;
	}
	e->state = ENTRY_ABORTED;
	err = refresh(m, e, say);
	return err == -BATON_ELINK ? err : 0;
}

static const char *not_live(const struct journal_entry *e)
{
	if (!e)
		return "there is no such patch (`patches` lists them)";
	return e->state == ENTRY_UNDONE	   ? "was undone before"
	       : e->state == ENTRY_ABORTED ? "failed, and was rolled back then"
					   : "went with the machine's reset";
}

int journal_undo(struct journal *j, struct machine *m, unsigned int number, struct buf *out)
{
	struct journal_entry *e = entry_of(j, number);
	enum entry_state before = e ? e->state : ENTRY_CLOSED;
	size_t said = out->len;
	int err;

	if (!e || !entry_is_live(e)) {
		buf_printf(out, "undo %u: %s\n", number, not_live(e));
		return -BATON_ENOTFOUND;
	}
	err = check_places(m, e, out);
	if (err == -BATON_EBUSY)
		return err;
	if (!err) {
		e->state = ENTRY_UNDOING;
		err = roll_back(m, e, "undone", out);
	}
	if (err) {
		/* Nothing went back: it is as it was. */
		if (e->state == ENTRY_UNDOING && out->len == said)
			e->state = before;
		buf_printf(out, "undo %u: %s\n", number, machine_error(m, err));
		return err;
	}
	e->state = ENTRY_UNDONE;
	/* A failed refresh has said so; what was in memory is back all the same. */
	err = refresh(m, e, out);
	return err == -BATON_ELINK ? err : 0;
}

void journal_reset(struct journal *j, struct buf *out)
{
	unsigned int closed = 0;

	for (size_t i = 0; i < j->count; i++) {
		if (!entry_is_live(&j->entry[i]))
			continue;
		j->entry[i].state = ENTRY_CLOSED;
		closed++;
	}
	if (closed)
		buf_printf(out,
			   "journal: the machine starts anew, %u patch%s gone with it "
			   "(`patches` shows what was there)\n",
			   closed, closed == 1 ? " is" : "es are");
}
