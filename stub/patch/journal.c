/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/journal_internal.h"

#include "hex.h"
#include "patch/icache.h"
#include "patch/tlb.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct journal *journal_new(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->fd = -1;
	return j;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	if (j->machine)
		j->machine->moment = NULL;
	for (size_t i = 0; i < j->count; i++)
		free(j->entry[i].write);
	if (j->fd >= 0)
		close(j->fd);
	free(j->entry);
	free(j->path);
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
	e->why[strcspn(e->why, "\r\n")] = '\0';
	/* A failure is remembered: the first note says it. */
	journal_log(j, "begin %u %s", e->number, e->why);
	return e->number;
}

int journal_note_all(struct journal *j, unsigned int number, const struct patch *write, size_t n)
{
	struct journal_entry *e = entry_of(j, number);
	int err;

	assert(e && e->state == ENTRY_UNDER_WAY && n);
	for (size_t i = 0; i < n; i++)
		assert(write[i].size && write[i].size <= PATCH_BYTES);
	err = journal_log_writes(j, number, write, n);
	if (err)
		return err;
	while (e->cap < e->count + n) {
		e->cap = e->cap ? 2 * e->cap : 1;
		e->write = realloc(e->write, e->cap * sizeof(*e->write));
		if (!e->write)
			abort();
	}
	memcpy(e->write + e->count, write, n * sizeof(*write));
	e->count += n;
	return 0;
}

int journal_note(struct journal *j, unsigned int number, const struct patch *write)
{
	return journal_note_all(j, number, write, 1);
}

int journal_end(struct journal *j, unsigned int number)
{
	struct journal_entry *e = entry_of(j, number);
	int err;

	assert(e && e->state == ENTRY_UNDER_WAY);
	err = journal_log(j, "end %u", number);
	if (!err)
		e->state = ENTRY_APPLIED;
	e->whole |= !err;
	return err;
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
	if (e->elsewhere)
		return false;
	return e->state == ENTRY_UNDER_WAY || e->state == ENTRY_APPLIED ||
	       e->state == ENTRY_UNDOING;
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

/* The way back */

static int patch_restore(struct machine *m, const struct patch *p)
{
	if (p->kind == PATCH_REGISTER)
		return machine_reg_write(m, p->cpu, p->reg, le_read(p->old, p->size));
	return machine_phys_write(m, p->address, p->old, p->size);
}

static int conflict(const struct journal_entry *e, const struct patch *p, const uint8_t *now,
		    struct buf *out)
{
	if (entry_is_passing(e)) {
		buf_printf(out,
			   "undo %u: CPU %u has run on since, its %s is no longer the one that was "
			   "set; nothing to take back\n",
			   e->number, p->cpu, p->reg);
		return -BATON_EBUSY;
	}
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

/* Most have nothing in common: whatever lies outside all that @a wrote is passed over at once. */
static bool entries_overlap(const struct journal_entry *a, const struct journal_entry *b,
			    uint64_t first, uint64_t last)
{
	for (size_t k = 0; k < b->count; k++) {
		const struct patch *p = &b->write[k];

		if (p->kind != PATCH_REGISTER &&
		    (p->address > last || p->address + (p->size - 1) < first))
			continue;
		for (size_t i = 0; i < a->count; i++)
			if (patch_overlap(&a->write[i], p))
				return true;
	}
	return false;
}

/*
 * What a later one found must be there when that one goes: else its undo would bring back a
 * value that is undone already.
 */
static int check_later(const struct journal *j, const struct journal_entry *e, struct buf *out)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (size_t i = 0; i < e->count; i++) {
		const struct patch *p = &e->write[i];

		if (p->kind == PATCH_REGISTER)
			continue;
		first = p->address < first ? p->address : first;
		last = p->address + (p->size - 1) > last ? p->address + (p->size - 1) : last;
	}
	for (size_t n = j->count; n > e->number; n--) {
		if (!entry_is_live(&j->entry[n - 1]) ||
		    !entries_overlap(e, &j->entry[n - 1], first, last))
			continue;
		buf_printf(out,
			   "undo %u: not done, patch %zu wrote there after it: undo %zu first, or "
			   "undo all; nothing was touched\n",
			   e->number, n, n);
		return -BATON_EBUSY;
	}
	return 0;
}

/* Is each place as we left it, or as we found it? */
static int check_places(const struct journal *j, struct machine *m, const struct journal_entry *e,
			struct buf *out)
{
	uint8_t now[PATCH_BYTES];
	enum place place;
	int err;

	for (size_t i = e->count; i; i--) {
		const struct patch *p = &e->write[i - 1];

		err = patch_place(j, m, e, i - 1, false, now, &place);
		if (err)
			return err;
		if (place == PLACE_OTHER)
			return conflict(e, p, now, out);
	}
	return 0;
}

static struct icache_what code_of(const struct patch *p)
{
	return (struct icache_what){ p->address, p->address, p->size, p->cpu };
}

/* A failure has said so, and what is in memory is there all the same. */
static int refresh_code(struct machine *m, const struct journal_entry *e, struct buf *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < e->count; i++) {
		struct icache_what what = code_of(&e->write[i]);

		if (e->write[i].kind == PATCH_MEMORY)
			err = icache_refresh(m, &what, out);
	}
	return err == -BATON_ELINK ? err : 0;
}

/* Which translations its writes are of; no regime: none. */
static struct tlb_what translations_of(const struct journal_entry *e)
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
	return what;
}

int journal_entry_refresh(struct machine *m, const struct journal_entry *e, struct buf *out)
{
	struct tlb_what what = translations_of(e);
	int err = refresh_code(m, e, out);

	return err || !what.regime ? err : tlb_refresh(m, &what, out);
}

/*
 * Does it take a valid descriptor away? What was invalid is cached nowhere (DDI 0487, D8.16.2).
 * In whichever order its bytes are: the other one's bit 0 is software's, and seldom set.
 */
static bool takes_valid(const struct patch *p)
{
	for (unsigned int i = 0; p->kind == PATCH_TABLE && i + 8 <= p->size; i += 8)
		if (memcmp(p->old + i, p->new + i, 8) && (p->new[i] | p->new[i + 7]) & 1)
			return true;
	return false;
}

/* May a CPU have cached any of what goes? */
static bool is_cached(const struct journal_entry *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->write[i].kind == PATCH_MEMORY || takes_valid(&e->write[i]))
			return true;
	return false;
}

static int reach(const struct journal *j, struct machine *m, const struct journal_entry *e,
		 struct buf *why)
{
	struct tlb_what what = translations_of(e);
	bool valid = false;
	int err = 0;

	for (size_t i = 0; !err && i < e->count; i++) {
		const struct patch *p = &e->write[i];
		struct icache_what code = code_of(p);
		uint8_t now[PATCH_BYTES];
		enum place place;

		err = patch_place(j, m, e, i, true, now, &place);
		if (err || place != PLACE_NEW)
			continue;
		valid |= takes_valid(p);
		if (p->kind == PATCH_MEMORY)
			err = icache_reach(m, &code, why);
	}
	return err || !valid ? err : tlb_reach(m, &what, why);
}

int journal_reach(const struct journal *j, struct machine *m, const struct journal_entry *e,
		  struct buf *out)
{
	struct buf why = { 0 };
	/* under TCG nothing has to be executed, and each write is looked up among all later ones */
	int err = m->accel == ACCEL_TCG ? 0 : reach(j, m, e, &why);

	if (err)
		buf_printf(out, "undo %u: %s%snothing was written\n", e->number,
			   why.len ? why.data : machine_error(m, err), why.len ? "" : "; ");
	buf_free(&why);
	return err;
}

/* An entry on its way back. */
struct way_back {
	struct machine *m;
	const struct journal_entry *e;
	bool whole;  /* all of it or nothing; else as much as can be */
	bool *taken; /* which writes are back */
	bool stale;  /* a CPU may have cached what they took away */
};

/* Is @zero nothing where @other is something? */
static bool has_gap(const struct patch *p, const uint8_t *zero, const uint8_t *other)
{
	static const uint8_t gap[8];

	for (unsigned int i = 0; p->kind == PATCH_TABLE && i + 8 <= p->size; i += 8)
		if (!memcmp(zero + i, gap, 8) && memcmp(other + i, gap, 8))
			return true;
	return false;
}

static int put_again(struct way_back *w)
{
	char words[sizeof(w->m->error)];
	int err = 0;

	memcpy(words, w->m->error, sizeof(words));
	for (size_t i = 0; !err && i < w->e->count; i++) {
		const struct patch *p = &w->e->write[i];

		if (!w->taken[i])
			continue;
		err = machine_phys_write(w->m, p->address, p->new, p->size);
		w->taken[i] = err;
	}
	if (err)
		return err;
	return machine_fail(w->m, -BATON_EREFUSED,
			    "it has to be invalid for a moment (break-before-make), and then "
			    "%.120s; nothing was changed",
			    words);
}

/*
 * Break-before-make is in an entry as two writes, nothing in between (plan_apply(),
 * touch_begin()), and so it is on the way back: invalid, `tlbi`, valid.
 */
static int forget_between(struct way_back *w, const struct patch *p, struct buf *out)
{
	struct buf why = { 0 };
	int err = 0;

	if (w->stale && w->m->accel != ACCEL_TCG && has_gap(p, p->new, p->old)) {
		err = journal_entry_refresh(w->m, w->e, w->whole ? &why : out);
		w->stale = false;
	}
	buf_free(&why);
	if (err && err != -BATON_ELINK)
		err = w->whole ? put_again(w) : 0;
	return err;
}

/* What is not there was never written, or is back already. */
static int take_back(struct way_back *w, size_t i, struct buf *out)
{
	const struct patch *p = &w->e->write[i];
	uint8_t now[PATCH_BYTES];
	int err = patch_read(w->m, p, now);

	if (err || memcmp(now, p->new, p->size))
		return err;
	err = forget_between(w, p, out);
	if (!err)
		err = patch_restore(w->m, p);
	w->taken[i] = !err;
	w->stale |= has_gap(p, p->old, p->new);
	return err;
}

/*
 * What the place of write @i, which is back, holds now: both writes of break-before-make are one
 * change. NULL: it is not back, or was only in between.
 */
static const uint8_t *found(const struct way_back *w, size_t i)
{
	const struct patch *p = &w->e->write[i];
	const uint8_t *old = w->taken[i] ? p->old : NULL;

	for (size_t k = i + 1; old && k < w->e->count; k++)
		if (w->taken[k] && patch_same_place(p, &w->e->write[k]))
			old = NULL;
	for (size_t k = i; old && k; k--)
		if (w->taken[k - 1] && patch_same_place(p, &w->e->write[k - 1]))
			old = w->e->write[k - 1].old;
	return old;
}

static int roll_back(struct machine *m, const struct journal_entry *e, bool whole, const char *said,
		     struct buf *out)
{
	struct way_back w = { m, e, whole, calloc(e->count + 1, sizeof(bool)), false };
	size_t back = 0;
	int err = 0;

	if (!w.taken)
		abort();
	for (size_t i = e->count; i && !err; i--)
		err = take_back(&w, i - 1, out);
	for (size_t i = e->count; i; i--) {
		const uint8_t *to = found(&w, i - 1);

		if (!to || back++ >= JOURNAL_SHOWN)
			continue;
		buf_printf(out, "%s %u: ", said, e->number);
		say_change(&e->write[i - 1], e->write[i - 1].new, to, out);
	}
	if (back > JOURNAL_SHOWN)
		buf_printf(out, "... and %zu more (`patches %u` lists all)\n", back - JOURNAL_SHOWN,
			   e->number);
	free(w.taken);
	return err;
}

int journal_abort(struct journal *j, struct machine *m, unsigned int number, struct buf *say)
{
	struct journal_entry *e = entry_of(j, number);
	int err;

	assert(e && e->state == ENTRY_UNDER_WAY);
	j->rolling = true;
	err = roll_back(m, e, false, "rolled back", say);
	if (err) {
		j->rolling = false;
		buf_printf(say, "%u could not be rolled back: %s; `patches` shows what is there\n",
			   number, machine_error(m, err));
		return err;
	}
	e->state = ENTRY_ABORTED;
	journal_log(j, "aborted %u", number);
	err = journal_entry_refresh(m, e, say);
	j->rolling = false;
	return err == -BATON_ELINK ? err : 0;
}

static const char *not_live(const struct journal_entry *e)
{
	if (!e)
		return "there is no such patch (`patches` lists them)";
	return e->elsewhere		  ? "was made on another machine"
	       : e->state == ENTRY_UNDONE ? "was undone before"
					  : "was not made, or rolled back when it failed";
}

int journal_undo(struct journal *j, struct machine *m, unsigned int number, struct buf *out)
{
	struct journal_entry *e = entry_of(j, number);
	enum entry_state before = e ? e->state : ENTRY_CLOSED;
	size_t said = out->len;
	int err;

	if (!e || !entry_is_live(e)) {
		buf_printf(out, "undo %u: ", number);
		if (e && !e->elsewhere && e->state == ENTRY_CLOSED)
			journal_say_reset(j, m, e, out);
		else
			buf_puts(out, not_live(e));
		buf_putc(out, '\n');
		return -BATON_ENOTFOUND;
	}
	err = check_later(j, e, out);
	if (!err)
		err = check_places(j, m, e, out);
	if (err == -BATON_EBUSY)
		return err;
	if (!err) {
		err = journal_reach(j, m, e, out);
		if (err)
			return err;
		err = journal_log(j, "undoing %u", number);
	}
	if (!err) {
		e->state = ENTRY_UNDOING;
		err = roll_back(m, e, before == ENTRY_APPLIED, "undone", out);
	}
	if (err) {
		/* Nothing went back: it is as it was. */
		if (e->state == ENTRY_UNDOING && out->len == said)
			e->state = before;
		buf_printf(out, "undo %u: %s\n", number, machine_error(m, err));
		return err;
	}
	e->state = ENTRY_UNDONE;
	journal_log(j, "undone %u", number);
	if (out->len == said)
		buf_printf(out, "undo %u: the old value is there already, nothing to write\n",
			   number);
	/* A failed refresh has said so; what was in memory is back all the same. */
	if (m->accel == ACCEL_TCG || is_cached(e))
		err = journal_entry_refresh(m, e, out);
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
	if (!closed)
		return;
	journal_log(j, "reset");
	buf_printf(out,
		   "journal: the machine starts anew, %u patch%s gone with it "
		   "(`patches` shows what was there)\n",
		   closed, closed == 1 ? " is" : "es are");
}
