/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/tables.h"

#include <string.h>

int tables_open(struct tables *t, struct cmd *c)
{
	struct buf why = { 0 };
	int err = tables_init(t, c->machine, c->ctx->symbols, c->cpu, c->regime, &why);

	if (err)
		cmd_fail(c, err, "%s", why.data);
	buf_free(&why);
	return err;
}

int tables_level(struct cmd *c, int arg, int *level)
{
	const char *word = cmd_word(c, arg);

	if (!word)
		return cmd_fail(c, -BATON_EINVAL, "LEVEL is missing: L0 to L3");
	if (*word == 'L' || *word == 'l')
		word++;
	if (word[0] >= '0' && word[0] <= '3' && !word[1])
		*level = word[0] - '0';
	else if (!strcmp(word, "-1"))
		*level = -1;
	else
		return cmd_fail(c, -BATON_EINVAL, "\"%s\" is no LEVEL: L0 to L3", cmd_word(c, arg));
	return 0;
}

void tables_say_options(const struct tables *t, struct buf *out)
{
	if (t->cpu != t->machine->cpu)
		buf_printf(out, " -c %u", t->cpu);
	if (t->spec)
		buf_printf(out, " -r %s", t->spec);
}

/* Behind a fault: what to type next, where that is known. */
static void say_next(const struct tables *t, const struct pt_walk *w, struct buf *out)
{
	const struct pt_step *last = w->steps ? &w->step[w->steps - 1] : NULL;

	if (!last || !last->read)
		return;
	if (w->stage == 2) {
		/* The tables of stage 2 have input addresses of their own. */
		if (w->cfg.regime.nested)
			buf_printf(out, "next: pt-walk %#" PRIx64 " -r s2\n", w->fault_ipa);
		return;
	}
	if (w->fault != PT_FAULT_ACCESS_FLAG && w->fault != PT_FAULT_PERMISSION &&
	    w->fault != PT_FAULT_TRANSLATION)
		return;
	buf_puts(out, "next: ");
	if (w->fault == PT_FAULT_TRANSLATION)
		buf_puts(out, "why   (or, once you know the descriptor: ");
	buf_printf(out, "pt-set %#" PRIx64 " L%d ", w->ia, last->level);
	buf_puts(out, w->fault == PT_FAULT_ACCESS_FLAG	 ? "AF=1"
		      : w->fault == PT_FAULT_TRANSLATION ? "DESC"
							 : "FIELD=VALUE");
	tables_say_options(t, out);
	buf_puts(out, w->fault == PT_FAULT_TRANSLATION	? ")\n"
		      : w->fault == PT_FAULT_PERMISSION ? "   (AP, PXN, UXN: see above)\n"
							: "\n");
}

/* A leaf with the contiguous bit whose neighbors say something else (D8.7.1). */
static void say_contiguous(struct tables *t, const struct pt_walk *w, const struct pt_step *s,
			   struct buf *out)
{
	const struct pt_config *cfg = s->stage == 2 && w->cfg.regime.nested ? &w->s2 : &w->cfg;
	unsigned int bad;

	if (!s->read || (s->kind != PT_BLOCK && s->kind != PT_PAGE) || !(s->desc >> 52 & 1) ||
	    pt_contiguous_check(cfg, &t->reader, s, &bad) != 0)
		return;
	buf_printf(out,
		   "warning: L%d [%u] is contiguous with %u entries, but [%u] does not agree: "
		   "which of them the TLB goes by is CONSTRAINED UNPREDICTABLE\n",
		   s->level, s->index, pt_contiguous_entries(cfg, s->level), bad);
}

/* The leaves that the address ends in: of stage 1, and of a stage 2 behind it. */
static void say_groups(struct tables *t, const struct pt_walk *w, struct buf *out)
{
	for (unsigned int i = 0; i < w->steps; i++)
		if (i == w->steps - 1 || (w->cfg.regime.nested && w->step[i].stage == 1))
			say_contiguous(t, w, &w->step[i], out);
}

int tables_say_walk(struct tables *t, struct cmd *c, uint64_t va, const struct pt_access *acc,
		    struct pt_walk *out)
{
	struct buf text = { 0 };
	struct pt_walk w;
	int err = tables_walk(t, va, acc, &w, &text);

	if (err) {
		cmd_fail(c, err, "%s", text.data);
		buf_free(&text);
		return err;
	}
	pt_render_walk(&w, acc, &t->names, &text);
	say_groups(t, &w, &text);
	if (w.fault) {
		c->found = true;
		say_next(t, &w, &text);
	}
	cmd_text(c, &text);
	buf_free(&text);
	if (out)
		*out = w;
	return 0;
}
