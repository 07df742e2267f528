/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `baton check --json`: one object, from the facts that the text is made of; with -e it says
 * what the file is, and each command's has a line of its own behind it. Addresses, sizes
 * and register values are hex strings, since JSON's numbers have but 53 bits in most readers;
 * levels, indexes and counts are numbers; what is not known is null.
 */
#include "check_internal.h"

#include "error.h"
#include "monitor/json.h"
#include "monitor/lints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *take_text(struct buf *b)
{
	json_t *j = json_text(b->data ? b->data : "");

	buf_free(b);
	return j;
}

static json_t *hex_if(bool known, uint64_t value)
{
	return known ? json_hex(value) : json_null();
}

static json_t *number(uint64_t n)
{
	return json_need(json_integer((json_int_t)n));
}

static json_t *number_if(bool known, int n)
{
	return known ? json_need(json_integer(n)) : json_null();
}

static void add(struct checking *k, const char *list, json_t *value)
{
	if (json_array_append_new(json_object_get(k->json, list), value))
		abort();
}

void checking_json_begin(struct checking *k)
{
	static const char *const lists[] = { "wrong", "walks", "repairs", "findings" };

	k->json = json_need(json_object());
	json_put(k->json, "command", json_text("check"));
	json_put(k->json, "ok", json_false());
	/* their place; values follow */
	json_put(k->json, "image", json_null());
	json_put(k->json, "regime", json_null());
	for (size_t i = 0; !k->o->commands.count && i < sizeof(lists) / sizeof(lists[0]); i++)
		json_put(k->json, lists[i], json_need(json_array()));
}

void checking_json_error(struct checking *k, const char *why)
{
	json_object_clear(k->json);
	json_put(k->json, "command", json_text("check"));
	json_put(k->json, "ok", json_false());
	json_put(k->json, "error", json_text(why));
}

void checking_json_wrong(struct checking *k, const char *what, uint64_t va, const char *words)
{
	json_t *j;

	if (!k->json)
		return;
	j = json_need(json_object());
	json_put(j, "what", json_text(what));
	json_put(j, "va", json_hex(va));
	json_put(j, "words", json_text(words));
	if (!json_object_get(k->json, "wrong"))
		json_put(k->json, "wrong", json_need(json_array()));
	add(k, "wrong", j);
}

/* Walks */

static json_t *fault_of(const struct check_result *r)
{
	static const char *const kinds[] = {
		[PT_FAULT_TRANSLATION] = "translation", [PT_FAULT_ADDRESS_SIZE] = "address size",
		[PT_FAULT_ACCESS_FLAG] = "access flag", [PT_FAULT_PERMISSION] = "permission",
		[PT_FAULT_EXTERNAL] = "external abort",
	};
	const struct pt_walk *w = &r->walk;
	struct buf words = { 0 };
	json_t *j;

	if (!w->fault)
		return json_null();
	j = json_need(json_object());
	pt_render_fault(w, &r->acc, &words);
	json_put(j, "kind", json_text(kinds[w->fault]));
	json_put(j, "level", number_if(true, w->level));
	json_put(j, "stage", number(w->stage));
	json_put(j, "esr", json_hex(pt_walk_esr(w, &r->acc)));
	json_put(j, "words", take_text(&words));
	return j;
}

static const char *step_kind(const struct pt_step *s)
{
	static const char *const kinds[] = {
		[PT_INVALID] = "invalid",
		[PT_TABLE] = "table",
		[PT_BLOCK] = "block",
		[PT_PAGE] = "page",
	};

	return s->kind == PT_INVALID && s->desc & 1 ? "reserved" : kinds[s->kind];
}

static json_t *steps_of(const struct pt_walk *w)
{
	json_t *list = json_need(json_array());

	for (unsigned int i = 0; i < w->steps; i++) {
		const struct pt_step *s = &w->step[i];
		json_t *j = json_need(json_object());

		json_put(j, "level", number_if(true, s->level));
		json_put(j, "index", number(s->index));
		json_put(j, "address", json_hex(s->address));
		json_put(j, "descriptor", hex_if(s->read, s->desc));
		json_put(j, "kind", s->read ? json_text(step_kind(s)) : json_null());
		if (json_array_append_new(list, j))
			abort();
	}
	return list;
}

static void add_repairs(struct checking *k, const char *what, const struct check_result *r)
{
	for (size_t i = 0; i < r->repairs; i++) {
		json_t *j = json_need(json_object());

		json_put(j, "what", json_text(what));
		json_put(j, "command", json_text(r->repair[i].command.data));
		json_put(j, "why", json_text(r->repair[i].why.data));
		json_put(j, "best", json_boolean(r->best));
		add(k, "repairs", j);
	}
}

void checking_json_walk(struct checking *k, const char *what, const struct check_result *r)
{
	const struct pt_walk *w = &r->walk;
	json_t *j;

	if (!k->json)
		return;
	j = json_need(json_object());
	json_put(j, "what", json_text(what));
	json_put(j, "va", json_hex(w->ia));
	json_put(j, "ok", json_boolean(r->good));
	json_put(j, "fault", fault_of(r));
	json_put(j, "steps", steps_of(w));
	json_put(j, "oa", hex_if(w->mapped && !w->fault, w->oa));
	json_put(j, "wrong", r->wrong.len ? json_text(r->wrong.data) : json_null());
	/* with a repair it says what the repair says */
	json_put(j, "advice",
		 r->advice.len && !r->repairs ? json_text(r->advice.data) : json_null());
	add(k, "walks", j);
	add_repairs(k, what, r);
}

/* What pt-lint finds */

static json_t *expand(const char *words, const struct finding *f)
{
	struct buf b = { 0 };

	lint_expand(words, f, &b);
	return take_text(&b);
}

static const char *const severities[] = { "error", "warning", "note" };

static json_t *finding_of(const struct finding *f)
{
	bool reg = f->level == LINT_REGISTER, table = f->level == LINT_TABLE;
	bool entry = !reg && !table;
	json_t *j = json_need(json_object());

	json_put(j, "severity", json_text(severities[f->severity]));
	json_put(j, "rule", json_text(f->rule->id));
	json_put(j, "section", json_text(f->rule->section));
	json_put(j, "of", json_text(reg ? "register" : table ? "table" : "descriptor"));
	json_put(j, "address", hex_if(!reg, f->address));
	json_put(j, "ia", hex_if(f->size, f->ia));
	json_put(j, "size", hex_if(f->size, f->size));
	json_put(j, "level", number_if(entry, f->level));
	json_put(j, "index", number_if(entry, (int)f->index));
	json_put(j, "descriptor", hex_if(entry, f->desc));
	json_put(j, "count", number(f->count ? f->count : 1));
	json_put(j, "words", expand(f->rule->what, f));
	json_put(j, "consequence", expand(f->rule->so, f));
	json_put(j, "remedy", expand(f->remedy ? f->remedy : f->rule->remedy, f));
	return j;
}

/* Errors first, as in the text. */
static void add_findings(struct checking *k, const struct lint_report *r)
{
	json_t *totals = json_need(json_object());
	uint64_t left = 0;

	for (unsigned int s = 0; s < LINT_SEVERITIES; s++) {
		json_put(totals, severities[s], number(r->total[s]));
		for (unsigned int id = 0; lint_rule(id); id++)
			for (size_t i = 0; lint_rule(id)->severity == s && i < r->of[id].count; i++)
				add(k, "findings", finding_of(&r->of[id].list[i]));
	}
	for (unsigned int id = 0; lint_rule(id); id++)
		left += r->of[id].places - r->of[id].count;
	json_put(k->json, "totals", totals);
	json_put(k->json, "findings_left_out", number(left));
}

static void gather(void *ctx, const char *words, size_t len)
{
	buf_add(ctx, words, len);
}

int checking_json_lint(struct checking *k)
{
	struct lint_report report = { .keep = LINT_KEEP };
	struct buf said = { 0 };
	struct sink sink = { gather, &said };
	char name[] = "pt-lint";
	struct cmd c = { .ctx = &k->ctx,
			 .machine = k->ctx.machine,
			 .sink = &sink,
			 .line = name,
			 .args = { .count = 1, .word = { name } },
			 .cpu = k->ctx.machine->cpu };
	struct lints *l = malloc(sizeof(*l));
	int err;

	if (!l)
		abort();
	err = lints_open(l, &c);
	if (!err)
		err = lints_run(l, &report);
	if (!err)
		add_findings(k, &report);
	else
		checking_unusable(k, "%.*s", (int)strcspn(said.data ? said.data : "", "\n"),
				  said.data ? said.data : "");
	k->found |= report.total[LINT_ERROR] > 0;
	lint_free(&report);
	lints_close(l);
	free(l);
	buf_free(&said);
	return err;
}

/* The image and its registers */

static json_t *regions_of(const struct image *img)
{
	json_t *list = json_need(json_array());

	for (size_t i = 0; i < img->header.num_regions; i++) {
		const struct baton_image_region *r = &img->region[i];
		json_t *j = json_need(json_object());

		json_put(j, "address", json_hex(r->load_addr));
		json_put(j, "size", json_hex(r->size));
		json_put(j, "type", json_hex(r->type));
		if (json_array_append_new(list, j))
			abort();
	}
	return list;
}

static json_t *header_of(const struct image *img)
{
	json_t *j;

	if (!img->has_header)
		return json_null();
	j = json_need(json_object());
	json_put(j, "address", json_hex(img->header_at));
	json_put(j, "entry", json_hex(img->header.kernel_entry));
	json_put(j, "task_start", json_hex(img->header.ui_p_reg_start));
	json_put(j, "task_end", json_hex(img->header.ui_p_reg_end));
	json_put(j, "task_entry", json_hex(img->header.v_entry));
	json_put(j, "regions", regions_of(img));
	return j;
}

static json_t *image_of(struct checking *k)
{
	static const char *const kinds[] = { [MACHINE_IMAGE_FLAT] = "flat",
					     [MACHINE_IMAGE_ELF] = "elf",
					     [MACHINE_IMAGE_CORE] = "core" };
	bool flat = k->mi.kind == MACHINE_IMAGE_FLAT;
	json_t *j = json_need(json_object());

	json_put(j, "name", json_text(k->name));
	json_put(j, "size", json_hex(k->mi.size));
	json_put(j, "kind", json_text(kinds[k->mi.kind]));
	json_put(j, "load", hex_if(flat, k->load));
	json_put(j, "load_how", flat ? json_text(k->load_how.data) : json_null());
	json_put(j, "header", header_of(check_image(&k->ctx)));
	return j;
}

static json_t *reg_of(uint64_t value, const char *how)
{
	json_t *j = json_need(json_object());

	json_put(j, "value", json_hex(value));
	json_put(j, "how", json_text(how));
	return j;
}

static json_t *root_of(const struct checking *k, unsigned int half)
{
	json_t *j;

	if (!k->has_root[half])
		return json_null();
	j = reg_of(k->root[half], k->root_how[half]);
	json_put(j, "others", number(k->root_others[half]));
	return j;
}

static json_t *regime_of(const struct checking *k)
{
	json_t *j = json_need(json_object());

	json_put(j, "el", number(k->el));
	json_put(j, "ttbr0", root_of(k, 0));
	json_put(j, "ttbr1", root_of(k, 1));
	json_put(j, "tcr", reg_of(k->tcr, checking_given(k, GIVEN_TCR) ? "--tcr" : "assumed"));
	json_put(j, "mair", reg_of(k->mair, checking_given(k, GIVEN_MAIR) ? "--mair" : "assumed"));
	return j;
}

int checking_json_end(struct checking *k)
{
	bool lines = k->o->commands.count;
	json_t *j = k->json;

	if (!j)
		return 0;
	if (!json_object_get(j, "error")) {
		json_put(j, "ok", json_boolean(!k->found));
		json_put(j, "image", image_of(k));
		json_put(j, "regime", regime_of(k));
	}
	k->json = NULL;
	return json_print(j, lines ? 0 : JSON_INDENT(2));
}
