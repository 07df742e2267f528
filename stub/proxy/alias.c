/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/alias.h"

#include "proxy/session.h"

#include <stdlib.h>
#include <string.h>

/* The one that GDB has, or room for it. */
static struct alias_asked *asked_at(struct aliases *a, uint64_t addr)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->asked[i].addr == addr)
			return &a->asked[i];
	a->asked = realloc(a->asked, (a->count + 1) * sizeof(*a->asked));
	if (!a->asked)
		abort();
	a->asked[a->count] = (struct alias_asked){ .addr = addr };
	return &a->asked[a->count++];
}

/* Where @va leads to now; with its MMU off a CPU takes any address for a physical one. */
static int where(struct session *s, uint64_t va, uint64_t *pa, bool *known)
{
	struct machine *m = &s->live->m;
	int err = live_where(s->live, m->last_stop.cpu, va, pa);

	*known = !err && machine_is_ram(m, *pa, 4, true);
	return err == -BATON_ELINK ? err : 0;
}

/*
 * What GDB has now. What an address leads to is found out once: a low one is repurposed when
 * a kernel takes over. Only what a file says is replaced, once there is a translation.
 */
static int learn(struct session *s)
{
	struct machine *m = &s->live->m;
	struct aliases *a = &s->aliases;
	size_t left = 0;
	int err = 0;

	for (size_t i = 0; i < a->count; i++)
		a->asked[i].here = false;
	for (size_t i = 0; i < m->break_count; i++)
		if (m->breaks[i].owners & 1u << BREAK_GDB && m->breaks[i].type <= BREAK_HARD)
			asked_at(a, m->breaks[i].addr)->here = true;
	for (size_t i = 0; i < a->count; i++)
		if (a->asked[i].here)
			a->asked[left++] = a->asked[i];
	a->count = left;
	for (size_t i = 0; !err && i < a->count; i++) {
		struct alias_asked *k = &a->asked[i];
		uint64_t pa;
		bool known;

		if (k->known)
			continue;
		err = where(s, k->addr, &pa, &known);
		k->known = known;
		k->by_file = !known && symbols_load_address(s->ctx->symbols, k->addr, &k->pa);
		if (known)
			k->pa = pa;
	}
	return err;
}

/* The @i-th place where @k may be executed, too: load address, link addresses, as code runs now. */
static bool candidate(const struct session *s, const struct alias_asked *k, uint64_t running,
		      size_t i, uint64_t *at)
{
	uint64_t shift = 0;

	if (!k->known && !k->by_file)
		return false;
	if (i == 1)
		shift = running;
	else if (i > 1 && !symbols_shift(s->ctx->symbols, i - 2, &shift))
		return false;
	*at = k->pa + shift;
	return true;
}

static bool is_wanted(const struct session *s, uint64_t addr, uint64_t running)
{
	const struct aliases *a = &s->aliases;
	uint64_t at;

	if (machine_break_has(&s->live->m, BREAK_GDB, addr))
		return false;
	for (size_t k = 0; k < a->count; k++)
		for (size_t i = 0; candidate(s, &a->asked[k], running, i, &at); i++)
			if (at == addr)
				return true;
	return false;
}

/* Those that are there and no longer wanted go. */
static int prune(struct session *s, uint64_t running)
{
	struct machine *m = &s->live->m;
	int err = 0;

	for (size_t i = m->break_count; i-- > 0 && err != -BATON_ELINK;) {
		const struct machine_break b = m->breaks[i];

		if (b.owners & 1u << BREAK_ALIAS && !is_wanted(s, b.addr, running))
			err = machine_break_remove(m, BREAK_ALIAS, b.type, b.addr, b.kind);
	}
	return err == -BATON_ELINK ? err : 0;
}

/*
 * Under KVM in hardware alone: a trap would lie in the same memory as what it is an alias of,
 * and so be no breakpoint but an exception to whoever comes by another address.
 */
static int plant_one(struct session *s, uint64_t at)
{
	struct machine *m = &s->live->m;
	enum break_type type = m->accel == ACCEL_TCG ? BREAK_SOFT : BREAK_HARD;
	int err;

	if (machine_break_has(m, BREAK_GDB, at) || machine_break_has(m, BREAK_ALIAS, at))
		return 0;
	s->live->spare = true;
	err = machine_break_add(m, BREAK_ALIAS, type, at, 4);
	s->live->spare = false;
	s->aliases.planted |= !err;
	return err;
}

static int plant(struct session *s, uint64_t running)
{
	struct buf *notice = &s->live->m.notice;
	const struct aliases *a = &s->aliases;
	unsigned int short_of = 0;
	uint64_t at;
	int err;

	for (size_t k = 0; k < a->count; k++) {
		bool all = true;

		for (size_t i = 0; candidate(s, &a->asked[k], running, i, &at); i++) {
			err = plant_one(s, at);
			if (err == -BATON_ELINK)
				return err;
			all &= !err;
		}
		if (!all && !short_of++)
			buf_printf(notice, "GDB's breakpoint at %#" PRIx64, a->asked[k].addr);
	}
	if (short_of > 1)
		buf_printf(notice, " and %u more", short_of - 1);
	if (short_of)
		buf_printf(notice,
			   " stop%s there alone, not where else the same code may run: no "
			   "hardware breakpoint is left\n",
			   short_of > 1 ? "" : "s");
	return 0;
}

/* GDB was told that the CPU stands there: it would stop there again at once. */
static int step_off(struct session *s)
{
	struct machine *m = &s->live->m;
	struct aliases *a = &s->aliases;
	unsigned int cpu = m->last_stop.cpu;
	uint64_t pc;
	int err;

	if (!a->reported)
		return 0;
	a->reported = false;
	err = machine_reg_read(m, cpu, "pc", &pc);
	if (!err && pc == a->reported_at)
		err = machine_step(m, cpu, NULL);
	return err == -BATON_ELINK ? err : 0;
}

int alias_plant(struct session *s)
{
	struct machine *m = &s->live->m;
	struct aliases *a = &s->aliases;
	uint64_t pc, pa, running = 0;
	bool known;
	int err;

	if (!m->break_count && !a->count)
		return 0;
	err = learn(s);
	if (!err && a->count && !machine_reg_read(m, m->last_stop.cpu, "pc", &pc)) {
		err = where(s, pc, &pa, &known);
		running = known ? pc - pa : 0;
	}
	if (!err && a->planted)
		err = prune(s, running);
	if (!err)
		err = plant(s, running);
	return err ? err : step_off(s);
}

int alias_lift(struct session *s)
{
	int err = s->aliases.planted ? machine_break_clear(&s->live->m, BREAK_ALIAS) : 0;

	s->aliases.planted = false;
	return err == -BATON_ELINK ? err : 0;
}

/* GDB's breakpoint that leads to @pa. */
static int asked_for(struct session *s, uint64_t pa, const struct alias_asked **out)
{
	struct aliases *a = &s->aliases;
	int err = 0;

	*out = NULL;
	for (size_t i = 0; !err && !*out && i < a->count; i++) {
		const struct alias_asked *k = &a->asked[i];
		uint64_t now = pa;
		bool known = false;

		if (!(k->known || k->by_file) || k->pa != pa)
			continue;
		/* A file may be wrong about a machine: tables count more. */
		if (k->by_file)
			err = where(s, k->addr, &now, &known);
		if (!err && (!known || now == pa))
			*out = k;
	}
	return err;
}

static void say(struct session *s, const struct alias_asked *k, uint64_t pc, uint64_t pa)
{
	struct buf line = { 0 };

	buf_printf(&line, "GDB's breakpoint at %#" PRIx64, k->addr);
	symbols_say(s->ctx->symbols, k->addr, &line);
	buf_printf(&line, ": CPU %u executes it at %#" PRIx64, s->live->m.last_stop.cpu, pc);
	symbols_say(s->ctx->symbols, pc, &line);
	buf_printf(&line, ", the same physical %#" PRIx64 "\n", pa);
	client_console(&s->client, line.data, line.len);
	buf_free(&line);
}

int alias_seen(struct session *s, bool *go_on)
{
	struct machine *m = &s->live->m;
	const struct machine_stop *stop = &m->last_stop;
	const struct alias_asked *k = NULL;
	uint64_t pc, pa;
	bool known;
	int err;

	*go_on = s->aliases.reported = false;
	if (!s->aliases.planted || stop->kind != STOP_SIGNAL || stop->signal != 5 ||
	    (stop->packet.len && strstr(stop->packet.data, "watch:")))
		return 0;
	err = machine_reg_read(m, stop->cpu, "pc", &pc);
	if (err || !machine_break_has(m, BREAK_ALIAS, pc) || machine_break_has(m, BREAK_GDB, pc))
		return err == -BATON_ELINK ? err : 0;
	err = where(s, pc, &pa, &known);
	if (!err && known)
		err = asked_for(s, pa, &k);
	if (err)
		return err;
	if (k) {
		say(s, k, pc, pa);
		s->aliases.reported = true;
		s->aliases.reported_at = pc;
		return 0;
	}
	*go_on = true;
	err = machine_step(m, stop->cpu, NULL);
	return err == -BATON_ELINK ? err : 0;
}

void alias_free(struct aliases *a)
{
	free(a->asked);
	*a = (struct aliases){ 0 };
}
