/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/sysreg_edit.h"

#include "hex.h"
#include "machine/inject.h"
#include "machine/tables.h"
#include "mmu/sysreg.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Writing it, and what it holds then. */
static int write_and_read(struct machine *m, const struct sysreg_edit *e)
{
	uint64_t now = e->old;
	int err = inject_sysreg_write(m, e->cpu, e->name, e->value);

	if (!err)
		err = e->by_cpu ? inject_sysreg_read(m, e->cpu, e->name, &now)
				: machine_reg_read(m, e->cpu, e->name, &now);
	if (err || now == e->value)
		return err;
	if (now != e->old)
		inject_sysreg_write(m, e->cpu, e->name, e->old);
	return machine_fail(m, -BATON_EVERIFY,
			    "%s does not take that value: it reads 0x%016" PRIx64
			    " then, and has been left at 0x%016" PRIx64,
			    e->name, now, e->old);
}

/* The machine's registers, but for one. */
struct as_written {
	struct machine *m;
	const struct sysreg_edit *edit;
};

static int sysreg_as_written(void *ctx, const char *name, uint64_t *value)
{
	const struct as_written *a = ctx;

	if (strcasecmp(name, a->edit->name))
		return machine_reg_read(a->m, a->edit->cpu, name, value);
	*value = a->edit->value;
	return 0;
}

/*
 * Would the CPU lose the code that it is at? Then nothing could be undone either, since that
 * takes an instruction, too.
 */
static int check_pc(struct machine *m, const struct sysreg_edit *e)
{
	struct as_written a = { m, e };
	const struct regime_source source = { sysreg_as_written, &a };
	struct pt_access fetch;
	struct regime after;
	struct pt_walk w;
	struct tables t;
	uint64_t pc;

	/* Where it cannot be said now there is nothing to lose. */
	if (machine_reg_read(m, e->cpu, "pc", &pc) || tables_init(&t, m, NULL, e->cpu, NULL, NULL))
		return 0;
	fetch = tables_access(&t, PT_FETCH, false);
	if (tables_walk(&t, pc, &fetch, &w, NULL) || w.fault)
		return 0;
	if (!regime_read(&after, NULL, t.el, &source, NULL) &&
	    !pt_walk_regime(&after, &t.reader, pc, &fetch, &w, NULL) && !w.fault)
		return 0;
	return machine_fail(m, -BATON_EREFUSED,
			    "with %s = %#" PRIx64
			    " the CPU could no longer execute at its pc, %#" PRIx64
			    ", and this could not be undone (`sysreg %s = ... -f` writes it)",
			    e->name, e->value, pc, e->name);
}

/* By a name that it can be read by again, and that has room. */
static void name_it(const struct sysreg_edit *e, struct patch *p)
{
	unsigned int n = 0;

	if ((e->by_cpu || strlen(e->name) >= sizeof(p->reg)) && sysreg_encode(e->name, &n))
		snprintf(p->reg, sizeof(p->reg), "S%u_%u_C%u_C%u_%u", n >> 14 & 3, n >> 11 & 7,
			 n >> 7 & 15, n >> 3 & 15, n & 7);
	else
		snprintf(p->reg, sizeof(p->reg), "%.15s", e->name);
}

int sysreg_edit(struct machine *m, struct journal *j, struct sysreg_edit *e)
{
	struct patch p = { .kind = PATCH_REGISTER, .cpu = e->cpu, .size = 8 };
	struct buf said = { 0 };
	char words[sizeof(m->error)];
	int err = e->insist ? 0 : check_pc(m, e);

	if (err)
		return err;
	name_it(e, &p);
	le_write(p.old, 8, e->old);
	le_write(p.new, 8, e->value);
	e->number = journal_begin(j, e->why);
	err = journal_note(j, e->number, &p);
	if (err)
		machine_fail(m, err, "%s: the journal cannot be written, nothing was changed",
			     e->name);
	else
		err = write_and_read(m, e);
	if (!err)
		err = journal_end(j, e->number);
	if (!err)
		return 0;
	memcpy(words, m->error, sizeof(words));
	if (err != -BATON_ELINK)
		journal_abort(j, m, e->number, &said);
	memcpy(m->error, words, sizeof(words));
	buf_free(&said);
	return err;
}
