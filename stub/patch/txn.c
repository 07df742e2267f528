/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carrying a plan out. The tables are valid at every moment: new ones are filled while
 * nothing leads to them, and what becomes invalid goes before what is made. Where a CPU
 * may be caching what is replaced and only an executed `tlbi` makes it forget, that is
 * invalid in between (break-before-make; DDI 0487, D8.17.1). Under TCG the machine stands
 * still until the whole TLB is dropped, and nothing can be caught in between.
 */
#include "patch/plan_internal.h"

#include "hex.h"
#include "patch/journal.h"
#include "patch/tlb.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum phase { PHASE_FILL, PHASE_BREAK, PHASE_MAKE };

struct txn {
	struct plan *p;
	struct journal *journal;
	const char *why;
	struct buf *say;
	bool one_page;
	bool broken;  /* something valid became invalid: the TLB may hold it */
	bool changed; /* something valid became something else that is valid */
	bool any;     /* something that is linked changed */
};

/* Bits of a leaf that may change while it is valid: AP, XN, AF, DBM, software's. */
#define LEAF_FREE \
	(UINT64_C(3) << 6 | DESC_AF | UINT64_C(1) << 51 | UINT64_C(3) << 53 | UINT64_C(0x1ff) << 55)

bool plan_must_break(const struct pt_config *cfg, int level, uint64_t old, uint64_t new)
{
	enum pt_kind was = pt_desc_kind(cfg, level, old);
	enum pt_kind is = pt_desc_kind(cfg, level, new);

	if (was == PT_INVALID || is == PT_INVALID)
		return false;
	if (was != is)
		return true;
	if (was == PT_TABLE)
		return pt_desc_address(cfg, level, was, old) !=
		       pt_desc_address(cfg, level, is, new);
	return (old ^ new) & ~LEAF_FREE;
}

bool plan_needs_break(const struct plan *p, const struct plan_table *t, unsigned int i)
{
	return plan_must_break(&p->cfg, t->level, t->fresh ? 0 : t->old[i], t->new[i]);
}

/* Only one page of 4 KiB changes: its own translation is all that can be stale. */
static bool one_page(const struct plan *p)
{
	const struct plan_table *last = NULL;
	uint64_t bits = 0;
	unsigned int n = 0;

	for (size_t i = 0; i < p->tables_count; i++) {
		const struct plan_table *t = &p->table[i];

		for (unsigned int k = 0; k < t->entries && !t->fresh; k++) {
			if (t->old[k] == t->new[k])
				continue;
			bits |= t->old[k] | t->new[k];
			last = t;
			n++;
		}
	}
	return n == 1 && pt_level_shift(&p->cfg, last->level) == 12 && !p->cfg.regime.stage2 &&
	       !(bits & DESC_CONTIGUOUS);
}

/* Is it written twice, invalid in between? */
static bool is_twice(const struct txn *x, const struct plan_table *t, unsigned int i)
{
	return x->p->tables->machine->accel != ACCEL_TCG && !t->fresh &&
	       plan_needs_break(x->p, t, i);
}

static uint64_t goal(const struct txn *x, const struct plan_table *t, unsigned int i,
		     enum phase phase)
{
	switch (phase) {
	case PHASE_FILL:
		return t->fresh ? t->new[i] : t->now[i];
	case PHASE_BREAK:
		if (t->fresh || !(t->now[i] & DESC_VALID))
			return t->now[i];
		if (!(t->new[i] & DESC_VALID))
			return t->new[i];
		return is_twice(x, t, i) ? 0 : t->now[i];
	case PHASE_MAKE:
		break;
	}
	return t->new[i];
}

static void describe(const struct txn *x, const struct plan_table *t, unsigned int i,
		     unsigned int n, struct patch *p)
{
	struct tables *tables = x->p->tables;
	struct buf name = { 0 };
	char more[16] = "";

	*p = (struct patch){
		.kind = PATCH_TABLE,
		.cpu = tables->cpu,
		.address = plan_address(t, i),
		.va = plan_covers(x->p, t, i),
		.level = t->level,
		.leaf = x->one_page,
		.size = 8 * n,
	};
	if (tables->symbols)
		symbols_say(tables->symbols, p->address, &name);
	if (n > 1)
		snprintf(more, sizeof(more), "-%u", i + n - 1);
	snprintf(p->regime, sizeof(p->regime), "%s", tables->regime.name);
	snprintf(p->where, sizeof(p->where), "L%d [%u%s]%.70s", t->level, i, more,
		 name.len ? name.data : "");
	buf_free(&name);
}

static void note_kind(struct txn *x, const struct plan_table *t, uint64_t was, uint64_t is)
{
	if (t->fresh)
		return;
	x->any = true;
	if (was & DESC_VALID && is & DESC_VALID)
		x->changed = true;
	else if (was & DESC_VALID)
		x->broken = true;
}

/* Up to 8 descriptors side by side: written, and read back by machine_phys_write(). */
static int write_run(struct txn *x, struct plan_table *t, unsigned int i, unsigned int n,
		     enum phase phase)
{
	struct machine *m = x->p->tables->machine;
	struct patch p;
	int err;

	describe(x, t, i, n, &p);
	for (unsigned int k = 0; k < n; k++) {
		le_write(p.old + 8 * k, 8, plan_in_memory(x->p, t->now[i + k]));
		le_write(p.new + 8 * k, 8, plan_in_memory(x->p, goal(x, t, i + k, phase)));
	}
	err = journal_note(x->journal, x->p->number, &p);
	if (!err)
		err = machine_phys_write(m, p.address, p.new, p.size);
	if (err) {
		buf_printf(x->say, "stopped at %s, %#" PRIx64 ": %s\n", p.where, p.address,
			   machine_error(m, err));
		return err;
	}
	for (unsigned int k = i; k < i + n; k++) {
		uint64_t is = goal(x, t, k, phase);

		note_kind(x, t, t->now[k], is);
		t->now[k] = is;
	}
	return 0;
}

/* What is written twice, is so by the same runs: it is one change to the user. */
static int write_table(struct txn *x, struct plan_table *t, enum phase phase)
{
	int err = 0;

	for (unsigned int i = 0, n; i < t->entries && !err; i += n) {
		unsigned int room = 8 - i % 8;

		for (n = 0; n < room && i + n < t->entries; n++)
			if (goal(x, t, i + n, phase) == t->now[i + n] ||
			    is_twice(x, t, i + n) != is_twice(x, t, i))
				break;
		if (n)
			err = write_run(x, t, i, n, phase);
		else
			n = 1;
	}
	return err;
}

static int write_phase(struct txn *x, enum phase phase)
{
	int err = 0;

	for (size_t i = 0; i < x->p->tables_count && !err; i++)
		err = write_table(x, &x->p->table[i], phase);
	return err;
}

static struct tlb_what concerned(const struct txn *x)
{
	return (struct tlb_what){
		.regime = x->p->tables->regime.name,
		.all = !x->one_page,
		.va = x->p->from,
		.cpu = x->p->tables->cpu,
	};
}

/* Before anything is written: if the TLB has to be refreshed, can it be? */
static int reach(struct txn *x)
{
	const struct plan *p = x->p;
	struct tlb_what what = concerned(x);
	bool valid = false;
	int err = 0;

	for (size_t i = 0; i < p->tables_count; i++)
		for (unsigned int k = 0; k < p->table[i].entries && !p->table[i].fresh; k++)
			valid |= p->table[i].old[k] != p->table[i].new[k] &&
				 p->table[i].old[k] & DESC_VALID;
	if (valid)
		err = tlb_reach(p->tables->machine, &what, x->say);
	if (err)
		buf_puts(x->say, "nothing was written\n");
	return err;
}

static int refresh(struct txn *x)
{
	struct tlb_what what = concerned(x);
	int err = tlb_refresh(x->p->tables->machine, &what, x->say);

	x->any = x->broken = x->changed = false;
	return err;
}

static int make(struct txn *x)
{
	bool tcg = x->p->tables->machine->accel == ACCEL_TCG;
	int err = write_phase(x, PHASE_FILL);

	if (!err)
		err = write_phase(x, PHASE_BREAK);
	if (!err && !tcg && x->broken)
		err = refresh(x);
	if (!err)
		err = write_phase(x, PHASE_MAKE);
	/* What was invalid is not cached (D8.16.2); where a refresh costs nothing it is done. */
	if (!err && (x->changed || x->broken || (tcg && x->any)))
		err = refresh(x);
	return err;
}

static int verify(struct txn *x)
{
	struct plan *p = x->p;
	struct plan_view now = { 0 };
	int err = plan_look(p, false, NULL, &now);

	if (!err)
		err = tables_walk(p->tables, p->va, NULL, &p->walk_after, x->say);
	if (!err && (now.digest != p->after.digest || now.ranges != p->after.ranges)) {
		buf_puts(x->say, "stopped: what is there now does not translate as planned\n");
		err = -BATON_EVERIFY;
	}
	return err;
}

int plan_apply(struct plan *p, struct journal *j, const char *why, struct buf *say)
{
	struct txn x = { .p = p, .journal = j, .why = why, .say = say, .one_page = one_page(p) };
	int err, back;

	assert(p->after.digest);
	for (size_t i = 0; i < p->tables_count; i++)
		memcpy(p->table[i].now, p->table[i].old, p->table[i].entries * sizeof(uint64_t));
	err = reach(&x);
	if (err)
		return err;
	p->number = journal_begin(j, why);
	err = make(&x);
	if (!err)
		err = verify(&x);
	if (!err)
		err = journal_end(j, p->number);
	if (!err || err == -BATON_ELINK)
		return err;
	back = journal_abort(j, p->tables->machine, p->number, say);
	if (!back)
		buf_puts(say, "nothing was changed: all that was written is taken back\n");
	return back == -BATON_ELINK ? back : err;
}
