/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An injection that baton did not live to end: the CPU stands before, within or behind the
 * injected words, or in the vectors where one of them led to, and its registers are in part
 * ours. What it had was noted (machine/moment.h).
 */
#include "machine/inject_internal.h"

#include "hex.h"
#include "machine/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE (4 * INJECT_WORDS)

/* "cpu CPU EL x0 ... cpsr", and of each level from EL on ELR to VBAR; x: it has none. */
int inject_note(struct run *r)
{
	struct buf line = { 0 };
	int err;

	if (!r->m->moment)
		return 0;
	buf_printf(&line, "cpu %u %u", r->cpu, r->el);
	for (unsigned int k = 0; k < INJECT_CORE; k++)
		buf_printf(&line, " %" PRIx64, r->core[k].value);
	for (unsigned int el = r->el; el < 4; el++)
		for (unsigned int k = 0; k < LEFT; k++)
			if (r->left[el][k].err)
				buf_puts(&line, " x");
			else
				buf_printf(&line, " %" PRIx64, r->left[el][k].value);
	err = moment_note(r->m, &line);
	buf_free(&line);
	return err;
}

int inject_note_place(struct run *r, unsigned int el)
{
	const struct place *p = &r->place[el];
	struct buf line = { 0 };
	int err;

	if (!r->m->moment)
		return 0;
	buf_printf(&line, "code %u %" PRIx64 " %" PRIx64 " ", el, p->va, p->pa);
	hex_encode(&line, p->old, sizeof(p->old));
	err = moment_note(r->m, &line);
	buf_free(&line);
	return err;
}

static bool take_value(const char **text, struct machine_reg *reg)
{
	char *end;

	if (!strncmp(*text, " x", 2)) {
		reg->err = -BATON_ENOTFOUND;
		*text += 2;
		return true;
	}
	reg->value = strtoull(*text, &end, 16);
	if (**text != ' ' || end == *text)
		return false;
	*text = end;
	return true;
}

static bool take_cpu(struct run *r, const char *line)
{
	int at = 0;

	if (sscanf(line, "cpu %u %u%n", &r->cpu, &r->el, &at) != 2 || r->cpu >= r->m->cpus ||
	    r->el < 1 || r->el > 3)
		return false;
	line += at;
	for (unsigned int k = 0; k < INJECT_CORE; k++) {
		r->core[k].name = inject_core_names[k];
		if (!take_value(&line, &r->core[k]))
			return false;
	}
	for (unsigned int el = r->el; el < 4; el++)
		for (unsigned int k = 0; k < LEFT; k++)
			if (!take_value(&line, &r->left[el][k]))
				return false;
	return true;
}

static bool take_place(struct run *r, const char *line)
{
	char hex[2 * PLACE + 1];
	struct place p = { .used = true };
	unsigned int el;

	if (sscanf(line, "code %u %" SCNx64 " %" SCNx64 " %128s", &el, &p.va, &p.pa, hex) != 4 ||
	    el < 1 || el > 3 || strlen(hex) != 2 * PLACE || hex_decode(hex, 2 * PLACE, p.old))
		return false;
	r->place[el] = p;
	return true;
}

/* The vector of which level is it at? 0: none. */
static unsigned int vector_at(const struct run *r, uint64_t pc)
{
	for (unsigned int el = r->el; el < 4; el++)
		if (!r->left[el][VBAR].err && pc - r->left[el][VBAR].value < 0x800 && !(pc & 0x7f))
			return el;
	return 0;
}

/*
 * Is the CPU where an injection leaves it? It has changed x0 to x3, pc and PSTATE alone, and in
 * a vector sp is that of the handler.
 */
static bool is_within(const struct run *r, const struct machine_reg *now, unsigned int el)
{
	uint64_t pc = now[PC].value;
	bool there = pc == r->core[PC].value || vector_at(r, pc);

	for (unsigned int k = 4; k <= LR; k++)
		if (now[k].value != r->core[k].value)
			return false;
	for (unsigned int k = 1; !there && k < 4; k++)
		there = r->place[k].used && pc - r->place[k].va <= PLACE;
	return there && el >= r->el;
}

/* What is to be put back, and is not: as words for somebody who has to do it by hand. */
static int say_left(struct run *r, const struct machine_reg *was, const char *const *names,
		    size_t n, struct buf *say)
{
	struct machine_reg now[INJECT_CORE];
	int err = inject_read(r, names, now, n);

	for (size_t k = 0; !err && k < n; k++)
		if (!was[k].err && !now[k].err && now[k].value != was[k].value)
			buf_printf(say, "CPU %u: %s is %#" PRIx64 ", it was %#" PRIx64 "\n", r->cpu,
				   names[k], now[k].value, was[k].value);
	return err;
}

/* The bytes, wherever the CPU is: nobody has written there while it was stopped. */
static int put_bytes_back(struct run *r, bool *any)
{
	uint8_t now[PLACE];
	int err = 0;

	for (unsigned int el = 1; !err && el < 4; el++) {
		struct place *p = &r->place[el];

		if (!p->used)
			continue;
		err = machine_phys_read(r->m, p->pa, now, PLACE);
		if (!err && memcmp(now, p->old, PLACE)) {
			err = machine_phys_write(r->m, p->pa, p->old, PLACE);
			*any = true;
		}
		p->used = false;
	}
	return err;
}

/* What an exception has overwritten of its own level, one by one, each by an injection. */
static int put_left_back(struct run *r)
{
	struct machine_reg now[LEFT];
	int err = inject_read(r, inject_left_names[r->el], now, LEFT);

	for (unsigned int k = 0; !err && k < HPFAR; k++)
		if (!now[k].err && now[k].value != r->left[r->el][k].value)
			err = inject_sysreg_write(r->m, r->cpu, now[k].name,
						  r->left[r->el][k].value);
	return err;
}

static int put_all_back(struct run *r, unsigned int el, bool *any)
{
	struct machine_reg now[INJECT_CORE];
	int err = put_bytes_back(r, any);

	/* A level is left by an `eret` alone. */
	if (!err && el > r->el) {
		err = inject_undo_exception(r, el);
		*any = true;
	}
	if (err == -BATON_EBUSY)
		err = 0;
	if (!err)
		err = inject_read(r, inject_core_names, now, INJECT_CORE);
	for (unsigned int k = 0; !err && k < INJECT_CORE; k++)
		*any |= now[k].value != r->core[k].value;
	if (!err)
		err = inject_put_back(r);
	return err ? err : put_left_back(r);
}

int inject_recover(struct machine *m, char *const *line, size_t n, struct buf *say)
{
	struct inject none = { 0 };
	struct run r = { .m = m, .i = &none };
	struct machine_reg now[INJECT_CORE];
	unsigned int cpu = m->cpu;
	bool any = false;
	int el, err;

	if (!take_cpu(&r, line[0]))
		return 0;
	none.cpu = r.cpu;
	for (size_t i = 1; i < n; i++)
		take_place(&r, line[i]);
	err = inject_read(&r, inject_core_names, now, INJECT_CORE);
	el = err ? err : machine_el(m, r.cpu);
	if (el < 0)
		return el;
	if (!is_within(&r, now, (unsigned int)el)) {
		buf_printf(say,
			   "an injection was under way on CPU %u when baton ended, and the CPU has "
			   "run "
			   "since: it is at %#" PRIx64 ", it was at %#" PRIx64
			   "; nothing is put back\n",
			   r.cpu, now[PC].value, r.core[PC].value);
		return 0;
	}
	moment_begin(m);
	err = put_all_back(&r, (unsigned int)el, &any);
	m->cpu = cpu;
	moment_end(m, false);
	if (err == -BATON_ELINK)
		return err;
	if (err) {
		buf_printf(
			say,
			"an injection was under way on CPU %u when baton ended, and not all of it "
			"could be put back: %s\n",
			r.cpu, machine_error(m, err));
		err = say_left(&r, r.core, inject_core_names, INJECT_CORE, say);
		return err ? err : say_left(&r, r.left[r.el], inject_left_names[r.el], HPFAR, say);
	}
	if (any)
		buf_printf(
			say,
			"an injection was under way on CPU %u when baton ended: its registers and "
			"the code are put back\n",
			r.cpu);
	return 0;
}
