/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine says of what the journal knows. */
#include "patch/journal_internal.h"

#include "hex.h"

#include <stdlib.h>
#include <string.h>

int patch_read(struct machine *m, const struct patch *p, uint8_t *now)
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

bool patch_same_place(const struct patch *a, const struct patch *b)
{
	if ((a->kind == PATCH_REGISTER) != (b->kind == PATCH_REGISTER) || a->size != b->size)
		return false;
	return a->kind == PATCH_REGISTER ? a->cpu == b->cpu && !strcmp(a->reg, b->reg)
					 : a->address == b->address;
}

bool patch_overlap(const struct patch *a, const struct patch *b)
{
	if (a->kind == PATCH_REGISTER || b->kind == PATCH_REGISTER)
		return patch_same_place(a, b);
	return a->address <= b->address + (b->size - 1) && b->address <= a->address + (a->size - 1);
}

size_t journal_changes(const struct journal_entry *e, struct patch **out)
{
	struct patch *all = malloc((e->count + 1) * sizeof(*all));
	size_t n = 0;

	if (!all)
		abort();
	for (size_t i = 0; i < e->count; i++) {
		const struct patch *p = &e->write[i];
		size_t k = 0;

		while (k < n && !patch_same_place(&all[k], p))
			k++;
		if (k == n)
			all[n++] = *p;
		else
			memcpy(all[k].new, p->new, p->size);
	}
	*out = all;
	return n;
}

/* What @p's place held before @later was written there too. */
static void peel(const struct patch *p, const struct patch *later, uint8_t *now)
{
	uint64_t from = p->address > later->address ? p->address : later->address;
	uint64_t p_last = p->address + (p->size - 1),
		 later_last = later->address + (later->size - 1);
	uint64_t last = p_last < later_last ? p_last : later_last;
	size_t n, at, of;

	if (!patch_overlap(p, later))
		return;
	if (p->kind == PATCH_REGISTER) {
		if (!memcmp(now, later->new, p->size))
			memcpy(now, later->old, p->size);
		return;
	}
	n = (size_t)(last - from + 1);
	at = (size_t)(from - p->address);
	of = (size_t)(from - later->address);
	if (!memcmp(now + at, later->new + of, n))
		memcpy(now + at, later->old + of, n);
}

int patch_place(const struct journal *j, struct machine *m, const struct journal_entry *e, size_t i,
		bool all, uint8_t *now, enum place *place)
{
	const struct patch *p = &e->write[i];
	int err = patch_read(m, p, now);

	if (err)
		return err;
	for (size_t n = j->count; all && n > e->number; n--) {
		const struct journal_entry *later = &j->entry[n - 1];

		for (size_t k = entry_is_live(later) ? later->count : 0; k; k--)
			peel(p, &later->write[k - 1], now);
	}
	for (size_t k = e->count; k > i + 1; k--)
		peel(p, &e->write[k - 1], now);
	*place = !memcmp(now, p->new, p->size)	 ? PLACE_NEW
		 : !memcmp(now, p->old, p->size) ? PLACE_OLD
						 : PLACE_OTHER;
	/* Break-before-make: what was there before the first of both writes. */
	for (size_t k = i; k && *place == PLACE_OTHER; k--)
		if (patch_same_place(p, &e->write[k - 1]) &&
		    !memcmp(now, e->write[k - 1].old, p->size))
			*place = PLACE_OLD;
	return 0;
}

bool entry_is_passing(const struct journal_entry *e)
{
	for (size_t i = 0; i < e->count; i++) {
		const char *reg = e->write[i].reg;

		if (e->write[i].kind != PATCH_REGISTER ||
		    (strcmp(reg, "pc") != 0 && strcmp(reg, "cpsr") != 0))
			return false;
	}
	return e->count;
}

int journal_judge(const struct journal *j, struct machine *m, const struct journal_entry *e,
		  struct judgement *out)
{
	size_t absent = 0;

	*out = (struct judgement){ .verdict = VERDICT_CHANGED };
	for (size_t i = e->count; i; i--) {
		enum place place;
		uint8_t now[PATCH_BYTES];
		int err = patch_place(j, m, e, i - 1, true, now, &place);

		if (err)
			return err;
		/* A write that changes nothing proves nothing. */
		if (!memcmp(e->write[i - 1].old, e->write[i - 1].new, e->write[i - 1].size))
			out->there += place == PLACE_NEW;
		else if (place == PLACE_NEW)
			out->there++;
		else if (place == PLACE_OLD)
			absent++;
		if (place != PLACE_OTHER)
			continue;
		out->other = &e->write[i - 1];
		memcpy(out->holds, now, sizeof(now));
	}
	if (out->other && entry_is_passing(e))
		out->verdict = VERDICT_PASSED;
	if (!out->other)
		out->verdict = !absent && e->whole ? VERDICT_APPLIED
			       : out->there	   ? VERDICT_PARTLY
						   : VERDICT_ABSENT;
	/* What was begun without any write is not there. */
	if (!e->count)
		out->verdict = VERDICT_ABSENT;
	return 0;
}

unsigned int journal_last(const struct journal *j, struct machine *m)
{
	for (size_t i = j->count; i; i--) {
		struct judgement jd;

		if (entry_is_live(&j->entry[i - 1]) &&
		    (journal_judge(j, m, &j->entry[i - 1], &jd) || jd.verdict != VERDICT_PASSED))
			return j->entry[i - 1].number;
	}
	return 0;
}

void journal_say_reset(const struct journal *j, struct machine *m, const struct journal_entry *e,
		       struct buf *out)
{
	struct judgement jd;
	int err = journal_judge(j, m, e, &jd);

	buf_puts(out, "the machine was reset since: ");
	if (err)
		buf_printf(out, "what is there now cannot be told (%s)", machine_error(m, err));
	else if (jd.verdict == VERDICT_ABSENT)
		buf_puts(out, "not applied any more, all is as before it");
	else if (jd.verdict == VERDICT_APPLIED || jd.verdict == VERDICT_PARTLY)
		buf_printf(out,
			   "%s still there, since a reset loads only what QEMU was given; `patch` "
			   "and the like change %s",
			   jd.there == 1 ? "its new value is" : "new values of it are",
			   jd.there == 1 ? "it" : "them");
	else
		buf_puts(out, "not applied any more, neither the old nor the new values are there");
}
