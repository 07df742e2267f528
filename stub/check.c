/* SPDX-License-Identifier: BSD-2-Clause */
/* `baton check`: what is said of a file, or the commands that are run on it. */
#include "check_internal.h"

#include "handoff/run.h"
#include "monitor/hmp.h"
#include "monitor/json.h"
#include "monitor/snap.h"
#include "patch/journal.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

#define EXIT_FOUND   1
#define EXIT_TROUBLE 2

static void print(void *ctx, const char *text, size_t len)
{
	struct checking *k = ctx;
	FILE *to = k->o->tap ? stderr : stdout;

	report_said(k->report, text, len);
	fwrite(text, 1, len, to);
	fflush(to);
}

void checking_flush(struct checking *k)
{
	if (k->json || k->o->commands.count)
		report_said(k->report, k->text.data, k->text.len);
	if (k->text.len && !k->json && k->o->commands.count)
		fwrite(k->text.data, 1, k->text.len, stderr);
	else if (k->text.len && !k->json)
		k->sink.write(k->sink.ctx, k->text.data, k->text.len);
	buf_clear(&k->text);
}

static void complain(struct checking *k, const char *what, const char *why)
{
	struct buf text = { 0 };

	buf_printf(&text, "%s: %s", what, why);
	report_trouble(k->report, text.data);
	if (k->json) {
		checking_json_error(k, text.data);
	} else if (k->aside) {
		buf_putc(&text, '\n');
		k->sink.write(k->sink.ctx, text.data, text.len);
	} else {
		fprintf(stderr, "baton: %s\n", text.data);
	}
	buf_free(&text);
}

int checking_unusable(struct checking *k, const char *fmt, ...)
{
	struct buf why = { 0 };
	va_list ap;

	checking_flush(k);
	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	complain(k, k->o->image, why.data);
	buf_free(&why);
	return -BATON_EINVAL;
}

void checking_wrong(struct checking *k, const char *what, uint64_t va, const char *fmt, ...)
{
	struct buf words = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&words, fmt, ap);
	va_end(ap);
	k->found = true;
	buf_printf(&k->text, "WRONG: %s\n", words.data);
	checking_json_wrong(k, what, va, words.data);
	buf_free(&words);
}

const uint64_t *checking_given(const struct checking *k, enum given which)
{
	return k->o->given[which].set ? &k->o->given[which].value : NULL;
}

void checking_say_symbol(struct checking *k, uint64_t addr)
{
	symbols_say(k->ctx.symbols, addr, &k->text);
}

/* What is looked at without -e */

/* Where an ELF file puts what it has at @va. */
static bool elf_place(const struct checking *k, uint64_t va, uint64_t *pa)
{
	for (size_t i = 0; i < k->mi.segments; i++) {
		const struct machine_image_segment *s = &k->mi.segment[i];

		if (va < s->va || va - s->va >= s->size)
			continue;
		*pa = s->pa + (va - s->va);
		return true;
	}
	return false;
}

/* Whether there is a root for @va; if not, the image's own addresses should have had one. */
static bool has_root_for(struct checking *k, const char *what, uint64_t va)
{
	unsigned int half = k->el == 1 && va >> 63;
	struct regime r;

	if (k->has_root[half] || (!check_image(&k->ctx)->has_header && !k->lost))
		return k->has_root[half];
	checking_wrong(k, what, va, "no table in the image leads to it (--ttbr%u says otherwise)",
		       half);
	if (!k->said_orphans && !checking_bare_regime(k, &r)) {
		k->said_orphans = true;
		r.ttbr[0] = k->root[0];
		r.ttbr[1] = k->root[1];
		check_say_orphans(&k->ctx, &r, &k->text);
	}
	return false;
}

/* @all: programs want to know of it even where it is good. */
static int walk_to(struct checking *k, const char *what, const struct check_want *want, bool quiet,
		   bool all)
{
	struct check_result r;
	int err = check_walk(&k->ctx, want, quiet, &k->text, &r);

	if (!err && (all || !r.good))
		checking_json_walk(k, what, &r);
	k->found |= !err && !r.good;
	check_result_free(&r);
	return err ? err : !r.good;
}

static int check_entry(struct checking *k)
{
	const char *what = k->mi.kind == MACHINE_IMAGE_CORE ? "pc" : "entry";
	const struct image *img = check_image(&k->ctx);
	struct check_want want = { .fetch = true };
	int err = machine_reg_read(&k->mi.m, k->mi.m.cpu, "pc", &want.va);

	if (err || !want.va)
		return 0; /* nothing that has to be mapped */
	want.region = img->has_header;
	want.at = k->mi.kind == MACHINE_IMAGE_ELF && elf_place(k, want.va, &want.pa);
	buf_printf(&k->text, "\nthe %s, %#" PRIx64 ":\n", what, want.va);
	if (!has_root_for(k, what, want.va) && (img->has_header || k->lost))
		return 0;
	err = walk_to(k, what, &want, false, true);
	return err < 0 ? err : 0;
}

/* Behind the switch the loader goes on where it is. */
static int check_loader(struct checking *k)
{
	const struct image *img = check_image(&k->ctx);
	uint64_t end = k->load + (img->has_header ? img->header_at - k->load : PAGE);
	int err = 0;

	if (!img->spans)
		return 0;
	buf_printf(&k->text, "\nthe loader, %#" PRIx64 "-%#" PRIx64 ":%c", k->load, end - 1,
		   k->has_root[0] ? ' ' : '\n');
	if (!has_root_for(k, "loader", k->load))
		return 0;
	for (uint64_t pa = k->load; !err && pa < end; pa += PAGE) {
		struct check_want want = { .va = pa, .fetch = pa == k->load, .at = true, .pa = pa };

		err = walk_to(k, "loader", &want, true, pa == k->load);
	}
	if (err >= 0)
		buf_puts(&k->text, err ? "the loader would not survive turning the MMU on\n"
				       : "mapped onto itself\n");
	return err < 0 ? err : 0;
}

static int check_console(struct checking *k)
{
	struct check_want want = { .va = k->board.uart, .at = true, .pa = k->board.uart };
	int err;

	if (!k->has_board || !k->board.uart || !k->has_root[0])
		return 0;
	buf_printf(&k->text, "the console, %#" PRIx64 ": ", k->board.uart);
	err = walk_to(k, "console", &want, true, true);
	if (err >= 0)
		buf_puts(&k->text, err ? "the loader falls silent once the MMU is on\n"
				       : "mapped onto itself\n");
	return err < 0 ? err : 0;
}

static int look(struct checking *k)
{
	int status = 0, err = check_entry(k);

	if (!err)
		err = check_loader(k);
	if (!err)
		err = check_console(k);
	if (err)
		return checking_unusable(k, "%s", machine_error(&k->mi.m, err));
	checking_flush(k);
	if (k->json)
		return k->lost ? 0 : checking_json_lint(k);
	if (!k->lost) {
		k->sink.write(k->sink.ctx, "\n", 1);
		status = command_run(&k->ctx, &k->sink, "pt-lint");
	}
	if (status == EXIT_TROUBLE || status < 0)
		return -BATON_EINVAL;
	k->found |= status == EXIT_FOUND;
	buf_puts(&k->text,
		 k->found ? "\nsomething is WRONG\n" : "\ngood: nothing wrong was found\n");
	checking_flush(k);
	return 0;
}

/* Commands that no file has an answer for. */
static const char *not_for_files(const char *line)
{
	static const struct {
		const char *name, *instead;
	} rows[] = {
		{ "handoff", "a file does not run: `baton run -e 'handoff run' -- "
			     "qemu-system-aarch64 ...` follows it, `baton check FILE` without -e "
			     "says where it would go" },
		{ "why", "no exception is recorded in a file: `baton check FILE` without -e says "
			 "what would fault, and why" },
		{ "fix", "the file is not changed: `baton check FILE` without -e names the repair, "
			 "`pt-set ... -n` shows it" },
		{ "qemu", "there is no QEMU behind a file: `help` lists baton's commands" },
	};
	const struct command *row = hmp_find_ours(line);

	if (!row)
		return "none of baton's commands (`help` lists them), and there is no QEMU behind "
		       "a file";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(row->name, rows[i].name))
			return rows[i].instead;
	return NULL;
}

static int run_command(struct checking *k, struct sink *sink, const char *line)
{
	const char *words = line + strspn(line, " \t");
	const char *instead = *words && *words != '#' ? not_for_files(words) : NULL;
	struct buf text = { 0 };
	int status;

	if (!instead) {
		status = command_run(&k->ctx, sink, line);
		return status < 0 ? EXIT_TROUBLE : status;
	}
	buf_printf(&text, "%.*s: %s\n", (int)strcspn(words, " \t"), words, instead);
	sink->write(sink->ctx, text.data, text.len);
	buf_free(&text);
	return EXIT_TROUBLE;
}

/* For JSON; the report has it at once. */
struct gathered {
	struct checking *k;
	struct buf said;
};

static void gather(void *ctx, const char *text, size_t len)
{
	struct gathered *g = ctx;

	report_said(g->k->report, text, len);
	buf_add(&g->said, text, len);
}

static int run_commands(struct checking *k)
{
	struct gathered g = { .k = k };
	struct sink keep = { gather, &g };
	bool json = k->json;
	int status = json && checking_json_end(k) ? EXIT_TROUBLE : 0;

	for (size_t i = 0; i < k->o->commands.count && status != EXIT_TROUBLE; i++) {
		const char *line = k->o->commands.item[i];

		buf_clear(&g.said);
		report_begin(k->report, i);
		status = run_command(k, json ? &keep : &k->sink, line);
		if (json && json_command(line, status, &g.said, NULL))
			status = EXIT_TROUBLE;
		report_end(k->report, status);
	}
	buf_free(&g.said);
	return status;
}

/* All together */

static int load_symbols(struct checking *k)
{
	for (size_t i = 0; i < k->o->symbols.count; i++) {
		struct buf why = { 0 };
		int n = symbols_load(k->ctx.symbols, k->o->symbols.item[i], 0, &why);

		if (n < 0)
			complain(k, "-s", why.data);
		buf_free(&why);
		if (n < 0)
			return n;
	}
	return 0;
}

void checking_begin(struct checking *k, const struct options *o, struct sink *to)
{
	*k = (struct checking){ .o = o, .sink = { print, k }, .mi = { .fd = -1 } };
	if (to)
		k->sink = *to;
	k->aside = to;
	k->name = strrchr(o->image, '/') ? strrchr(o->image, '/') + 1 : o->image;
	k->ctx = (struct context){ .machine = &k->mi.m,
				   .symbols = symbols_new(),
				   .journal = journal_new(),
				   .handoff = handoff_new() };
}

void checking_end(struct checking *k)
{
	snaps_free(k->ctx.snaps);
	handoff_free(k->ctx.handoff);
	journal_free(k->ctx.journal);
	symbols_free(k->ctx.symbols);
	buf_free(&k->text);
	buf_free(&k->load_how);
	machine_image_close(&k->mi);
}

static int check_all(struct checking *k)
{
	int err, status = EXIT_TROUBLE;

	if (k->o->json)
		checking_json_begin(k);
	err = load_symbols(k);
	if (!err)
		err = checking_open_file(k);
	if (!err)
		err = checking_set_regs(k);
	if (!err && k->o->commands.count) {
		checking_flush(k);
		status = run_commands(k);
	} else if (!err) {
		report_begin(k->report, 0);
		status = look(k) ? EXIT_TROUBLE : k->found ? EXIT_FOUND : 0;
		report_end(k->report, status);
	}
	if (checking_json_end(k))
		status = EXIT_TROUBLE;
	return status;
}

int check_say(const struct options *o, struct sink *to)
{
	struct checking k;
	int status;

	checking_begin(&k, o, to);
	status = check_all(&k);
	checking_end(&k);
	return status;
}

int check_run(const struct options *o)
{
	struct report *r = report_new(o, "baton check", o->image, NULL);
	struct buf why = { 0 };
	struct checking k;
	int status = EXIT_TROUBLE;

	checking_begin(&k, o, NULL);
	k.report = r;
	if (!report_prepare(r, &why))
		status = check_all(&k);
	if (why.len || report_write(r, status, &why)) {
		fprintf(stderr, "baton: %s\n", why.data);
		status = EXIT_TROUBLE;
	}
	checking_end(&k);
	buf_free(&why);
	report_free(r);
	return status;
}
