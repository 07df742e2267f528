/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/journal.h"

#include "hex.h"
#include "patch/tlb.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct journal {
	struct patch *patch;
	size_t count, cap;
};

struct journal *journal_new(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	return j;
}

void journal_free(struct journal *j)
{
	if (j)
		free(j->patch);
	free(j);
}

unsigned int journal_add(struct journal *j, const struct patch *p)
{
	struct patch *mine;

	assert(p->size && p->size <= PATCH_BYTES);
	if (j->count == j->cap) {
		j->cap = j->cap ? 2 * j->cap : 16;
		j->patch = realloc(j->patch, j->cap * sizeof(*j->patch));
		if (!j->patch)
			abort();
	}
	mine = &j->patch[j->count++];
	*mine = *p;
	mine->number = (unsigned int)j->count;
	mine->state = PATCH_APPLIED;
	return mine->number;
}

size_t journal_count(const struct journal *j)
{
	return j->count;
}

const struct patch *journal_at(const struct journal *j, size_t i)
{
	return &j->patch[i];
}

const struct patch *journal_find(const struct journal *j, unsigned int number)
{
	return number && number <= j->count ? &j->patch[number - 1] : NULL;
}

unsigned int journal_last(const struct journal *j)
{
	for (size_t i = j->count; i; i--)
		if (j->patch[i - 1].state == PATCH_APPLIED)
			return j->patch[i - 1].number;
	return 0;
}

static void say_bytes(const uint8_t *bytes, unsigned int size, struct buf *out)
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
	say_bytes(from, p->size, out);
	buf_puts(out, " -> ");
	say_bytes(to, p->size, out);
	buf_putc(out, '\n');
}

void patch_say(const struct patch *p, struct buf *out)
{
	static const char *const states[] = {
		[PATCH_APPLIED] = "applied",
		[PATCH_UNDONE] = "undone",
		[PATCH_CLOSED] = "reset",
	};

	buf_printf(out, "%3u  %-7s  ", p->number, states[p->state]);
	say_change(p, p->old, p->new, out);
	if (p->why[0])
		buf_printf(out, "              by %s\n", p->why);
}

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

static int conflict(const struct patch *p, const uint8_t *now, struct buf *out)
{
	buf_printf(out, "undo %u: not done, something else has written there: it holds ",
		   p->number);
	say_bytes(now, p->size, out);
	buf_puts(out, ", not ");
	say_bytes(p->new, p->size, out);
	buf_puts(out, " as patched; nothing was touched\n");
	return -BATON_EBUSY;
}

int journal_undo(struct journal *j, struct machine *m, unsigned int number, struct buf *out)
{
	struct patch *p = number && number <= j->count ? &j->patch[number - 1] : NULL;
	uint8_t now[PATCH_BYTES];
	int err;

	if (!p || p->state != PATCH_APPLIED) {
		buf_printf(out, "undo %u: %s\n", number,
			   !p ? "there is no such patch (`patches` lists them)"
			   : p->state == PATCH_UNDONE ? "was undone before"
						      : "went with the machine's reset");
		return -BATON_ENOTFOUND;
	}
	err = patch_read(m, p, now);
	if (!err && memcmp(now, p->new, p->size))
		return conflict(p, now, out);
	if (!err)
		err = patch_restore(m, p);
	if (err) {
		buf_printf(out, "undo %u: %s\n", number, machine_error(m, err));
		return err;
	}
	p->state = PATCH_UNDONE;
	buf_printf(out, "undone %u: ", number);
	say_change(p, p->new, p->old, out);
	/* A failed refresh has said so; what was in memory is back all the same. */
	if (p->kind == PATCH_TABLE) {
		struct tlb_what what = {
			.regime = p->regime, .all = !p->leaf, .va = p->va, .cpu = p->cpu
		};

		tlb_refresh(m, &what, out);
	}
	return 0;
}

void journal_reset(struct journal *j, struct buf *out)
{
	unsigned int closed = 0;

	for (size_t i = 0; i < j->count; i++) {
		if (j->patch[i].state != PATCH_APPLIED)
			continue;
		j->patch[i].state = PATCH_CLOSED;
		closed++;
	}
	if (closed)
		buf_printf(out,
			   "journal: the machine starts anew, %u patch%s gone with it "
			   "(`patches` shows what was there)\n",
			   closed, closed == 1 ? " is" : "es are");
}
