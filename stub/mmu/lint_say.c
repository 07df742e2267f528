// SPDX-License-Identifier: BSD-2-Clause
/* The report for people. */
#include "mmu/lint_internal.h"

#include "buf.h"
#include "mmu/a64.h"
#include "mmu/sysreg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const severities[] = { "error", "warning", "note" };

static void expand_one(const char *word, size_t len, const struct finding *f, struct buf *out)
{
	const struct {
		const char *word;
		uint64_t number;
		bool hex;
	} numbers[] = {
		{ "va", f->ia, true },	    { "value", f->value, true }, { "fix", f->fix, true },
		{ "num", f->value, false }, { "fixnum", f->fix, false },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strlen(numbers[i].word) != len || memcmp(numbers[i].word, word, len) != 0)
			continue;
		buf_printf(out, numbers[i].hex ? "%#" PRIx64 : "%" PRIu64, numbers[i].number);
		return;
	}
	if (len == 5 && !memcmp(word, "level", 5))
		buf_printf(out, "%d", f->level);
	else if (len == 4 && !memcmp(word, "name", 4))
		buf_puts(out, f->name ? f->name : "?");
	else if (len == 4 && !memcmp(word, "mair", 4))
		mair_say(f->mair, out);
	else if (len == 5 && !memcmp(word, "mair2", 5))
		mair_say(f->mair2, out);
	else if (len == 3 && !memcmp(word, "esr", 3)) {
		const char *words = esr_fault_words(f->value);

		buf_printf(out, "%s (ESR would be %#" PRIx64 ")", words ? words : "a fault",
			   f->value);
	}
}

void lint_expand(const char *text, const struct finding *f, struct buf *out)
{
	while (*text) {
		size_t plain = strcspn(text, "{"), word;

		buf_add(out, text, plain);
		text += plain;
		if (!*text)
			break;
		word = strcspn(text + 1, "}");
		expand_one(text + 1, word, f, out);
		text += 1 + word + (text[1 + word] == '}');
	}
}

static void say_symbol(const struct pt_names *names, uint64_t address, struct buf *out)
{
	uint64_t offset = 0;
	const char *name =
		names && names->symbol ? names->symbol(names->ctx, address, &offset) : NULL;

	if (!name)
		return;
	buf_printf(out, " <%s", name);
	if (offset)
		buf_printf(out, "+%#" PRIx64, offset);
	buf_putc(out, '>');
}

/* 12,345 */
static void say_number(const char *before, uint64_t number, const char *behind, struct buf *out)
{
	uint64_t part = 1;

	while (number / part >= 1000)
		part *= 1000;
	buf_printf(out, "%s%" PRIu64, before, number / part);
	for (part /= 1000; part; part /= 1000)
		buf_printf(out, ",%03" PRIu64, number / part % 1000);
	buf_puts(out, behind);
}

/* Where: input addresses, then the descriptor, the table or nothing. */
static void say_where(const struct finding *f, const struct pt_names *names, struct buf *out)
{
	if (f->size)
		buf_printf(out, "0x%016" PRIx64 " - 0x%016" PRIx64 "", f->ia,
			   f->ia + (f->size - 1));
	if (f->size && f->level != LINT_REGISTER)
		buf_puts(out, "  ");
	if (f->level == LINT_TABLE) {
		buf_printf(out, "table %#" PRIx64, f->address);
		say_symbol(names, f->address, out);
	} else if (f->level != LINT_REGISTER) {
		buf_printf(out, "L%d [%3u] %#" PRIx64 " = 0x%016" PRIx64, f->level, f->index,
			   f->address, f->desc);
		say_symbol(names, f->address, out);
	} else if (!f->size) {
		buf_puts(out, "register");
	}
	if (f->count > 1)
		say_number("  and ", f->count - 1, " more", out);
}

static void say_place(const struct finding *f, const struct pt_names *names, struct buf *out)
{
	buf_puts(out, "  ");
	say_where(f, names, out);
	buf_puts(out, "\n    ");
	lint_expand(f->rule->what, f, out);
	buf_putc(out, '\n');
}

/* A remedy ends with the command that it has, if it has one. */
static bool has_command(const char *remedy)
{
	return strstr(remedy, "pt-") != NULL;
}

static void say_rule(const struct lint_report *r, unsigned int id, size_t places,
		     const struct pt_names *names, struct buf *out)
{
	const struct lint_rule *rule = &lint_rules[id];
	const struct finding *first = &r->of[id].list[0];
	const char *remedy = first->remedy ? first->remedy : rule->remedy;
	size_t n = places && places < r->of[id].count ? places : r->of[id].count;

	buf_printf(out, "%s: %s", severities[rule->severity], rule->id);
	if (r->of[id].findings > 1)
		say_number(", ", r->of[id].findings, " times", out);
	if (r->of[id].places > 1 && r->of[id].places != r->of[id].findings)
		say_number(" in ", r->of[id].places, " places", out);
	buf_printf(out, "  (Arm ARM %s)\n", rule->section);
	for (size_t i = 0; i < n; i++)
		say_place(&r->of[id].list[i], names, out);
	if (n < r->of[id].places) {
		say_number("  and ", r->of[id].places - n, " more like it", out);
		buf_puts(out, n < r->of[id].count ? " (--all)\n" : "\n");
	}
	buf_puts(out, "  so: ");
	lint_expand(rule->so, first, out);
	buf_puts(out, "\n  do: ");
	lint_expand(remedy, first, out);
	if (r->options && has_command(remedy))
		buf_puts(out, r->options);
	buf_putc(out, '\n');
}

struct order {
	const struct finding *first;
	unsigned int id;
};

static int by_severity(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->first->severity != y->first->severity)
		return x->first->severity < y->first->severity ? -1 : 1;
	if (x->first->address != y->first->address)
		return x->first->address < y->first->address ? -1 : 1;
	return x->id < y->id ? -1 : 1;
}

void lint_say(const struct lint_report *r, size_t places, const struct pt_names *names,
	      struct buf *out)
{
	struct order order[RULE_COUNT];
	size_t n = 0;

	for (unsigned int i = 0; i < RULE_COUNT; i++) {
		if (r->of[i].count)
			order[n++] = (struct order){ &r->of[i].list[0], i };
	}
	if (n)
		qsort(order, n, sizeof(order[0]), by_severity);
	for (size_t i = 0; i < n; i++)
		say_rule(r, order[i].id, places, names, out);
	for (unsigned int s = 0; s < LINT_SEVERITIES; s++)
		buf_printf(out, "%s%" PRIu64 " %s%s", s ? ", " : "", r->total[s], severities[s],
			   r->total[s] == 1 ? "" : "s");
	buf_putc(out, '\n');
}

/* The words of a rule without a finding: what stands in braces as VALUE, NAME. */
static void say_template(const char *text, struct buf *out)
{
	bool in = false;

	for (; *text; text++) {
		if (*text == '{' || *text == '}')
			in = *text == '{';
		else
			buf_putc(out,
				 in && *text >= 'a' && *text <= 'z' ? (char)(*text - 32) : *text);
	}
}

void lint_say_rules(struct buf *out)
{
	for (unsigned int i = 0; i < RULE_COUNT; i++) {
		const struct lint_rule *r = &lint_rules[i];

		buf_printf(out, "%-8s %-24s (Arm ARM %s)\n         ", severities[r->severity],
			   r->id, r->section);
		say_template(r->what, out);
		buf_puts(out, "\n         so: ");
		say_template(r->so, out);
		buf_putc(out, '\n');
	}
}
