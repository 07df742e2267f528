/* SPDX-License-Identifier: BSD-2-Clause */
/* Code and data, changed where they lie. */
#include "handoff/insn.h"
#include "hex.h"
#include "monitor/maps.h"
#include "patch/icache.h"
#include "patch/touch.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 1024u
#define SEARCH_MAX  (UINT64_C(1) << 24)
#define NEAR	    64u /* instructions behind ADDR, where a conduit is looked for */
#define PAGE	    4096u

/* hvc and smc differ in one bit (DDI 0487, C6.2 "HVC", "SMC"). */
#define CONDUIT_BIT 1u

struct change {
	uint64_t va, pa, old, new;
};

struct plan {
	struct cmd *cmd;
	bool physical;
	struct tables tables; /* unless physical */
	unsigned int size;    /* of each change: 1, 4 or 8 */
	struct change change[CHANGES_MAX];
	unsigned int count;
};

static int translate(struct plan *p, uint64_t va, uint64_t *pa)
{
	struct pt_access acc;
	struct buf why = { 0 };
	struct pt_walk w;
	int err;

	*pa = va;
	if (p->physical)
		return 0;
	err = tables_walk(&p->tables, va, NULL, &w, &why);
	if (err) {
		cmd_fail(p->cmd, err, "%s", why.data);
	} else if (!w.mapped) {
		acc = tables_access(&p->tables, PT_ANY, false);
		pt_render_fault(&w, &acc, &why);
		err = cmd_fail(p->cmd, -BATON_EFAULT, "%#" PRIx64 ": %s (`pt-walk %#" PRIx64 "`)",
			       va, why.len ? why.data : "not mapped", va);
	}
	*pa = w.oa;
	buf_free(&why);
	return err;
}

static int read_old(struct plan *p, uint64_t va, struct change *c)
{
	uint8_t old[8];
	int err = translate(p, va, &c->pa);

	c->va = va;
	if (err)
		return err;
	err = machine_phys_read(p->cmd->machine, c->pa, old, p->size);
	c->old = c->new = le_read(old, p->size);
	return err ? cmd_fail(p->cmd, err, NULL) : 0;
}

/* ADDR = WORD... */
static int plan_words(struct plan *p, uint64_t va)
{
	struct cmd *c = p->cmd;
	int err = 0;

	if (va % p->size)
		return cmd_fail(c, -BATON_EINVAL,
				"%#" PRIx64 " is no multiple of the word's %u bytes", va, p->size);
	if (cmd_count(c) < 3)
		return cmd_fail(c, -BATON_EINVAL, "WORD is missing: `patch ADDR = WORD...`");
	if (cmd_count(c) - 2 > (int)CHANGES_MAX)
		return cmd_fail(c, -BATON_ETOOBIG, "at most %u words", CHANGES_MAX);
	for (int i = 2; !err && i < cmd_count(c); i++, va += p->size) {
		struct change *change = &p->change[p->count++];

		err = read_old(p, va, change);
		if (!err)
			err = cmd_arg(c, i, "WORD", &change->new);
		if (!err && p->size < 8 && change->new >> (8 * p->size))
			err = cmd_fail(c, -BATON_EINVAL,
				       "%s: more than %u bytes (-g takes words of 8)",
				       cmd_word(c, i), p->size);
	}
	return err;
}

static bool is_kind(uint64_t word, enum insn_kind kind)
{
	return insn_decode((uint32_t)word).kind == kind;
}

/* smc->hvc at one address: elsewhere it would have been meant by mistake. */
static int plan_one_conduit(struct plan *p, uint64_t va, enum insn_kind from)
{
	struct buf text = { 0 };
	int err = read_old(p, va, &p->change[0]);

	if (err)
		return err;
	p->count = 1;
	p->change[0].new = p->change[0].old ^ CONDUIT_BIT;
	if (is_kind(p->change[0].old, from))
		return 0;
	insn_text((uint32_t)p->change[0].old, va, &text);
	err = cmd_fail(p->cmd, -BATON_EINVAL, "%#" PRIx64 " is `%s`, no %s", va, text.data,
		       from == INSN_SMC ? "smc" : "hvc");
	buf_free(&text);
	for (unsigned int i = 1; i < NEAR && !read_old(p, va + 4 * i, &p->change[0]); i++) {
		if (!is_kind(p->change[0].old, from))
			continue;
		cmd_say(p->cmd, "next: patch %#" PRIx64 " %s", va + 4 * i, cmd_word(p->cmd, 1));
		break;
	}
	return err;
}

/* All of a range. */
static int plan_conduits(struct plan *p, uint64_t from_va, uint64_t to, enum insn_kind from)
{
	uint8_t page[PAGE];
	uint64_t pa;

	if (to - from_va > SEARCH_MAX)
		return cmd_fail(p->cmd, -BATON_ETOOBIG, "FROM-TO: at most 16 MiB");
	for (uint64_t va = from_va & ~(uint64_t)3; va <= to;) {
		size_t n = PAGE - va % PAGE;
		int err = translate(p, va, &pa);

		if (!err && machine_canceled(p->cmd->machine))
			return -BATON_ECANCELED;
		if (!err && (err = machine_phys_read(p->cmd->machine, pa, page, n)))
			cmd_fail(p->cmd, err, NULL);
		if (err)
			return err;
		for (size_t i = 0; i < n && va + i <= to; i += 4) {
			uint64_t word = le_read(page + i, 4);

			if (!is_kind(word, from))
				continue;
			if (p->count == CHANGES_MAX)
				return cmd_fail(p->cmd, -BATON_ETOOBIG, "more than %u of them",
						CHANGES_MAX);
			p->change[p->count++] =
				(struct change){ va + i, pa + i, word, word ^ CONDUIT_BIT };
		}
		va += n;
		if (va < from_va)
			break;
	}
	return p->count ? 0
			: cmd_fail(p->cmd, -BATON_ENOTFOUND,
				   "there is none from %#" PRIx64 " to %#" PRIx64, from_va, to);
}

static int plan_conduit(struct plan *p, enum insn_kind from)
{
	uint64_t va, to;
	int err;

	if (p->size != 4)
		return cmd_fail(p->cmd, -BATON_EINVAL,
				"instructions have 4 bytes: leave -b and -g out");
	if (strchr(cmd_word(p->cmd, 0), '-')) {
		err = maps_arg_span(p->cmd, 0, &va, &to);
		return err ? err : plan_conduits(p, va, to, from);
	}
	err = cmd_arg(p->cmd, 0, "ADDR", &va);
	return err ? err : plan_one_conduit(p, va, from);
}

/* Showing it */

static void say_place(const struct plan *p, const struct change *c, struct buf *out)
{
	buf_printf(out, "0x%08" PRIx64, c->va);
	if (p->cmd->ctx->symbols)
		symbols_say(p->cmd->ctx->symbols, c->va, out);
}

static void say_value(const struct plan *p, const struct change *c, uint64_t value, struct buf *out)
{
	buf_printf(out, "%0*" PRIx64, (int)(2 * p->size), value);
	if (p->size != 4)
		return;
	buf_puts(out, "  ");
	insn_text((uint32_t)value, c->va, out);
}

static void say_changes(const struct plan *p)
{
	struct buf place = { 0 }, old = { 0 }, new = { 0 };
	size_t width[2] = { 0 };

	for (int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < p->count; i++) {
			const struct change *c = &p->change[i];

			buf_clear(&place);
			buf_clear(&old);
			buf_clear(&new);
			say_place(p, c, &place);
			say_value(p, c, c->old, &old);
			say_value(p, c, c->new, &new);
			width[0] = place.len > width[0] ? place.len : width[0];
			width[1] = old.len > width[1] ? old.len : width[1];
			if (pass)
				cmd_say(p->cmd, "  %-*s  %-*s  ->  %s", (int)width[0], place.data,
					(int)width[1], old.data, new.data);
		}
	}
	buf_free(&place);
	buf_free(&old);
	buf_free(&new);
}

/* Doing it */

/* What lies together from change @first on. */
static unsigned int run_length(const struct plan *p, unsigned int first)
{
	unsigned int n = 1;

	while (first + n < p->count &&
	       p->change[first + n].pa == p->change[first].pa + (uint64_t)n * p->size)
		n++;
	return n;
}

/* ... is one write. */
static int write_run(struct plan *p, struct touch *t, unsigned int first, unsigned int n)
{
	uint8_t *data = malloc((size_t)n * p->size);
	int err;

	if (!data)
		abort();
	for (unsigned int i = 0; i < n; i++)
		le_write(data + (size_t)i * p->size, p->size, p->change[first + i].new);
	err = touch_begin(t, p->change[first].pa, data, (size_t)n * p->size, true, p->cmd->line);
	if (!err && t->number) {
		err = machine_phys_write(t->machine, p->change[first].pa, data,
					 (size_t)n * p->size);
		if (err) {
			struct buf say = { 0 };

			touch_end(t, err, &say);
			cmd_text(p->cmd, &say);
			buf_free(&say);
		}
	}
	free(data);
	return err;
}

static int apply(struct plan *p)
{
	struct touch t = { .machine = p->cmd->machine,
			   .symbols = p->cmd->ctx->symbols,
			   .journal = p->cmd->ctx->journal,
			   .cpu = p->cmd->cpu };
	struct buf say = { 0 };
	unsigned int n;
	int err = 0;

	for (unsigned int i = 0; !err && i < p->count; i += n) {
		n = run_length(p, i);
		err = write_run(p, &t, i, n);
	}
	if (err)
		return cmd_fail(p->cmd, err, NULL);
	err = touch_end(&t, 0, &say);
	cmd_text(p->cmd, &say);
	buf_free(&say);
	return err ? cmd_fail(p->cmd, err, NULL) : 0;
}

/* What could not be made visible when it was written: once more. */
static int refresh_again(struct plan *p)
{
	struct buf say = { 0 };
	unsigned int n;
	int err = 0;

	for (unsigned int i = 0; !err && i < p->count; i += n) {
		struct icache_what what = { p->change[i].pa, p->change[i].va, 0, p->cmd->cpu };

		/* Within a page. */
		n = run_length(p, i);
		while (n > 1 && what.pa % PAGE + (uint64_t)n * p->size > PAGE)
			n--;
		what.len = (size_t)n * p->size;
		err = icache_refresh(p->cmd->machine, &what, &say);
	}
	cmd_text(p->cmd, &say);
	buf_free(&say);
	return err ? cmd_fail(p->cmd, err, NULL) : 0;
}

static int make_plan(struct plan *p)
{
	const char *verb = cmd_word(p->cmd, 1);
	uint64_t va;
	int err;

	if (verb && (!strcmp(verb, "smc->hvc") || !strcmp(verb, "hvc->smc"))) {
		err = cmd_no_more(p->cmd, 2);
		return err ? err : plan_conduit(p, *verb == 's' ? INSN_SMC : INSN_HVC);
	}
	if (!verb || strcmp(verb, "=") != 0)
		return cmd_fail(p->cmd, -BATON_EINVAL,
				"`patch ADDR = WORD...` or `patch ADDR smc->hvc` (`help patch`)");
	err = cmd_no_more(p->cmd, INT32_MAX);
	if (!err)
		err = cmd_arg(p->cmd, 0, "ADDR", &va);
	return err ? err : plan_words(p, va);
}

static int run(struct cmd *c)
{
	bool show_only = cmd_option(c, "-n"), bytes = cmd_option(c, "-b");
	bool giant = cmd_option(c, "-g"), same = true;
	struct plan *p = calloc(1, sizeof(*p));
	int err = 0;

	if (!p)
		abort();
	p->cmd = c;
	p->physical = cmd_option(c, "-p");
	p->size = bytes ? 1 : giant ? 8 : 4;
	if (!p->physical)
		err = tables_open(&p->tables, c);
	if (!err)
		err = make_plan(p);
	if (!err)
		say_changes(p);
	for (unsigned int i = 0; i < p->count; i++)
		same &= p->change[i].old == p->change[i].new;
	if (!err && (show_only || same))
		cmd_say(c, show_only ? "nothing was written (-n)"
				     : "nothing to write: it is so already");
	if (!err && !show_only)
		err = same ? refresh_again(p) : apply(p);
	free(p);
	return err;
}

COMMAND(patch, "patch", run, .args = "ADDR = WORD...|ADDR[-TO] smc->hvc [-b|-g] [-p] [-n]",
	.needs = CMD_STOPPED | CMD_TABLES,
	.help = "change code or data: shown as instructions, read back, journalled",
	.more = "  WORD         of 4 bytes; -b: of one, -g: of 8\n"
		"  smc->hvc     the instruction at ADDR, or all from ADDR to TO, uses the other\n"
		"               conduit (so does hvc->smc)\n"
		"  -p           ADDR is physical\n"
		"  -n           only show\n"
		"Code that QEMU has translated is dropped, under KVM what CPUs have cached (by an\n"
		"executed dc and ic); a word in a table is a patch of it.\n");
