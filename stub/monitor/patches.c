/* SPDX-License-Identifier: BSD-2-Clause */
#include "hex.h"
#include "mmu/render.h"
#include "monitor/tables.h"
#include "patch/journal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The state as memory has it now: a journal tells what was done, not what happened since. */
static int state_of(struct cmd *c, const struct journal_entry *e, char *state, size_t size,
		    struct judgement *j)
{
	static const char *const states[] = {
		[ENTRY_UNDONE] = "undone",
		[ENTRY_ABORTED] = "not made",
		[ENTRY_CLOSED] = "reset",
	};
	static const char *const verdicts[] = {
		[VERDICT_APPLIED] = "applied",
		[VERDICT_ABSENT] = "absent",
		[VERDICT_CHANGED] = "changed",
		[VERDICT_PASSED] = "passed",
	};
	int err;

	*j = (struct judgement){ .verdict = VERDICT_APPLIED };
	if (!entry_is_live(e)) {
		snprintf(state, size, "%s", e->elsewhere ? "elsewhere" : states[e->state]);
		return 0;
	}
	err = journal_judge(c->ctx->journal, c->machine, e, j);
	if (err)
		snprintf(state, size, "unknown");
	else if (j->verdict == VERDICT_PARTLY && !e->whole)
		snprintf(state, size, "%zu of ?", j->there);
	else if (j->verdict == VERDICT_PARTLY)
		snprintf(state, size, "%zu of %zu", j->there, e->count);
	else
		snprintf(state, size, "%s", verdicts[j->verdict]);
	return err == -BATON_ELINK ? err : 0;
}

static void say_place(const struct patch *p, struct buf *out)
{
	if (p->kind == PATCH_REGISTER)
		buf_printf(out, "CPU %u %s", p->cpu, p->reg);
	else
		buf_printf(out, "0x%08" PRIx64 "  %s", p->address, p->where);
}

static size_t shown(size_t count, bool all)
{
	return all || count <= JOURNAL_SHOWN ? count : JOURNAL_SHOWN;
}

static int width_of(struct journal *j, size_t from, size_t to, bool all)
{
	struct buf place = { 0 };
	int width = 0;

	for (size_t i = from; i < to; i++) {
		struct patch *change;
		size_t n = journal_changes(journal_at(j, i), &change);

		for (size_t k = 0; k < shown(n, all); k++) {
			buf_clear(&place);
			say_place(&change[k], &place);
			if ((int)place.len > width)
				width = (int)place.len;
		}
		free(change);
	}
	buf_free(&place);
	return width;
}

/* Each write where only some are there: then what is in between matters, too. */
static size_t changes(const struct journal_entry *e, bool each, struct patch **out)
{
	size_t n = journal_changes(e, out);

	if (!each || n == e->count)
		return n;
	memcpy(*out, e->write, e->count * sizeof(**out));
	return e->count;
}

static int say_entry(struct cmd *c, const struct journal_entry *e, int width, bool all)
{
	struct buf line = { 0 }, place = { 0 };
	struct judgement jd;
	struct patch *change;
	char state[32];
	int err = state_of(c, e, state, sizeof(state), &jd);
	size_t n = changes(e, jd.verdict == VERDICT_PARTLY, &change);

	for (size_t i = 0; !err && i < shown(n, all); i++) {
		const struct patch *p = &change[i];

		buf_clear(&place);
		say_place(p, &place);
		if (i)
			buf_printf(&line, "%16s%-*s  ", "", width, place.data);
		else
			buf_printf(&line, "%3u  %-9s  %-*s  ", e->number, state, width, place.data);
		patch_say_value(p->old, p->size, &line);
		buf_puts(&line, " -> ");
		patch_say_value(p->new, p->size, &line);
		buf_printf(&line, i ? "\n" : "  %s\n", e->why);
	}
	if (!err && shown(n, all) < n)
		buf_printf(&line, "%16s... and %zu more (`patches %u` lists all)\n", "",
			   n - shown(n, all), e->number);
	if (!err && !e->count)
		buf_printf(&line, "%3u  %-9s  nothing was written  %s\n", e->number, state, e->why);
	if (jd.other && jd.verdict != VERDICT_PASSED) {
		buf_printf(&line, "%16s%#" PRIx64 " holds ", "", jd.other->address);
		patch_say_value(jd.holds, jd.other->size, &line);
		buf_puts(&line,
			 " now, which neither baton nor GDB wrote (the guest, or a reset)\n");
	}
	if (!err && e->state == ENTRY_CLOSED && !e->elsewhere) {
		buf_printf(&line, "%16s", "");
		journal_say_reset(c->ctx->journal, c->machine, e, &line);
		buf_putc(&line, '\n');
	}
	cmd_text(c, &line);
	free(change);
	buf_free(&line);
	buf_free(&place);
	return err;
}

/* The same walk with the entry's old values, and with its new ones. */
static void say_walk(struct cmd *c, const struct journal_entry *e, const struct patch *table,
		     bool new)
{
	struct pt_overlay *over = calloc(e->count, sizeof(*over));
	struct pt_reader reader;
	struct buf text = { 0 };
	struct pt_walk w;
	struct tables t;

	if (!over)
		abort();
	if (!tables_init(&t, c->machine, c->ctx->symbols, table->cpu, table->regime, &text)) {
		reader = t.reader;
		/* The outermost counts: the last write for what is new, the first for what was. */
		for (size_t i = 0; i < e->count; i++) {
			const struct patch *p = &e->write[new ? i : e->count - 1 - i];

			if (p->kind == PATCH_REGISTER || p->size != 8)
				continue;
			over[i] = (struct pt_overlay){ reader, p->address,
						       le_read(new ? p->new : p->old, 8) };
			reader = pt_overlay_reader(&over[i]);
		}
		if (!pt_walk_regime(&t.regime, &reader, table->va, NULL, &w, &text))
			pt_render_walk(&w, NULL, &t.names, &text);
	}
	cmd_say(c, "%s it, by the registers of now:", new ? "with" : "without");
	cmd_text(c, &text);
	buf_free(&text);
	free(over);
}

static int say_one(struct cmd *c, const struct journal_entry *e)
{
	int err = say_entry(c, e, width_of(c->ctx->journal, e->number - 1, e->number, true), true);

	for (size_t i = 0; !err && i < e->count; i++) {
		if (e->write[i].kind != PATCH_TABLE || e->write[i].level == PATCH_NO_LEVEL)
			continue;
		say_walk(c, e, &e->write[i], false);
		say_walk(c, e, &e->write[i], true);
		break;
	}
	return err;
}

static json_t *json_of_value(const struct patch *p, const uint8_t *bytes)
{
	struct buf text = { 0 };
	json_t *value;

	patch_say_value(bytes, p->size, &text);
	value = json_string(text.data);
	buf_free(&text);
	return value;
}

static json_t *json_of_write(const struct patch *p)
{
	static const char *const kinds[] = {
		[PATCH_MEMORY] = "memory", [PATCH_REGISTER] = "register", [PATCH_TABLE] = "table"
	};
	json_t *w = json_pack("{ss si ss so so}", "kind", kinds[p->kind], "size", (int)p->size,
			      "where", p->where, "old", json_of_value(p, p->old), "new",
			      json_of_value(p, p->new));
	char hex[24];

	if (p->kind == PATCH_REGISTER) {
		json_object_set_new(w, "register", json_string(p->reg));
		json_object_set_new(w, "cpu", json_integer(p->cpu));
		return w;
	}
	snprintf(hex, sizeof(hex), "%#" PRIx64, p->address);
	json_object_set_new(w, "address", json_string(hex));
	if (p->kind == PATCH_TABLE && p->level != PATCH_NO_LEVEL) {
		snprintf(hex, sizeof(hex), "%#" PRIx64, p->va);
		json_object_set_new(w, "va", json_string(hex));
		json_object_set_new(w, "level", json_integer(p->level));
		json_object_set_new(w, "regime", json_string(p->regime));
	}
	return w;
}

static int say_json(struct cmd *c, size_t from, size_t to)
{
	json_t *list = json_array();
	json_t *all = json_pack("{ss sb so}", "command", "patches", "ok", 1, "patches", list);
	int err = 0;

	for (size_t i = from; !err && i < to; i++) {
		const struct journal_entry *e = journal_at(c->ctx->journal, i);
		json_t *writes = json_array();
		struct judgement jd;
		char state[32];

		err = state_of(c, e, state, sizeof(state), &jd);
		if (jd.verdict == VERDICT_PARTLY)
			snprintf(state, sizeof(state), "partly");
		for (size_t k = 0; k < e->count; k++)
			json_array_append_new(writes, json_of_write(&e->write[k]));
		json_array_append_new(list,
				      json_pack("{si ss ss so}", "number", (int)e->number, "state",
						state, "why", e->why, "writes", writes));
	}
	if (!err) {
		char *text = all ? json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

		if (!text)
			abort();
		cmd_say(c, "%s", text);
		free(text);
	}
	json_decref(all);
	return err ? cmd_fail(c, err, NULL) : 0;
}

static int run(struct cmd *c)
{
	struct journal *j = c->ctx->journal;
	bool json = cmd_option(c, "--json");
	size_t from = 0, to = journal_count(j);
	uint64_t number = 0;
	int err = cmd_no_more(c, 1);

	if (!err && cmd_count(c))
		err = cmd_arg(c, 0, "N", &number);
	if (!err && number > to)
		err = cmd_fail(c, -BATON_ENOTFOUND, "there is no patch %s (`patches` lists them)",
			       cmd_word(c, 0));
	if (err)
		return err;
	if (number) {
		from = (size_t)number - 1;
		to = (size_t)number;
	}
	if (json)
		return say_json(c, from, to);
	if (number)
		return say_one(c, journal_at(j, from));
	if (!to)
		cmd_say(c, "no patches");
	for (size_t i = 0; i < to && !err; i++)
		err = say_entry(c, journal_at(j, i), width_of(j, 0, to, false), false);
	return err ? cmd_fail(c, err, NULL) : 0;
}

COMMAND(patches, "patches", run, .args = "[N] [--json]",
	.help = "all that was changed: state, where, old and new value, why",
	.more = "  N        that one, with all its writes, and the walk without and with it\n"
		"State is what memory says now: applied, `1 of 3` writes (`1 of ?`: baton ended\n"
		"before it had made, or noted, the last one), absent (the old values\n"
		"are back), changed (by something else), passed (the CPU has run on); undone, not "
		"made, reset, elsewhere (of\n"
		"another machine) are what the journal knows.\n");
