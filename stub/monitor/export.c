/* SPDX-License-Identifier: BSD-2-Clause */
/* What is applied, as a script for GDB, as C, or in the image file (export_image.c). */
#include "monitor/export.h"

#include "hex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct export
{
	struct cmd *cmd;
	FILE *file;
	unsigned int count;
};

/* How much of @p from @at on is one number: 8, 4 or 1 bytes. */
static unsigned int unit(const struct patch *p, unsigned int at)
{
	unsigned int left = p->size - at;
	uint64_t address = p->address + at;

	return left >= 8 && address % 8 == 0 ? 8 : left >= 4 && address % 4 == 0 ? 4 : 1;
}

static void gdb_write(struct export *x, const struct patch *p)
{
	static const char *const types[] = { [1] = "char", [4] = "int", [8] = "long" };

	for (unsigned int at = 0, n; at < p->size; at += n) {
		n = unit(p, at);
		fprintf(x->file, "set {unsigned %s}%#" PRIx64 " = %#" PRIx64 "\n", types[n],
			p->address + at, le_read(p->new + at, n));
	}
}

/* Addresses are physical, whatever the CPU translates: QEMU's own mode for that. */
static int gdb_entry(void *ctx, const struct journal_entry *e)
{
	struct export *x = ctx;
	bool table = false;
	struct patch *change;
	size_t changes = journal_changes(e, &change);

	x->count++;
	fprintf(x->file, "\n# patch %u: %s\n", e->number, e->why);
	for (size_t i = 0; i < changes; i++) {
		const struct patch *p = &change[i];

		if (p->kind == PATCH_REGISTER) {
			fprintf(x->file, "# CPU %u\nset $%s = %#" PRIx64 "\n", p->cpu, p->reg,
				le_read(p->new, p->size));
			continue;
		}
		table |= p->kind == PATCH_TABLE;
		fprintf(x->file,
			"# %s, physical %#" PRIx64 "\nmaintenance packet Qqemu.PhyMemMode:1\n",
			p->where, p->address);
		gdb_write(x, p);
		fputs("maintenance packet Qqemu.PhyMemMode:0\n", x->file);
	}
	free(change);
	/* Stale translations: a watchpoint across two pages, in and out (QEMU's TCG). */
	if (table)
		fputs("maintenance packet Z2,ff8,10\nmaintenance packet z2,ff8,10\n", x->file);
	return 0;
}

static void c_place(struct export *x, const struct patch *p, unsigned int at, unsigned int n)
{
	uint64_t address = p->address + at, offset = 0;
	const char *name = symbols_name(x->cmd->ctx->symbols, address, &offset);

	if (!name || offset % n)
		fprintf(x->file, "*(volatile uint%u_t *)%#" PRIx64, 8 * n, address);
	else if (n == 8 && p->kind == PATCH_TABLE)
		fprintf(x->file, "%s[%#" PRIx64 "]", name, offset / n);
	else
		fprintf(x->file, "((uint%u_t *)%s)[%#" PRIx64 "]", 8 * n, name, offset / n);
}

static int c_entry(void *ctx, const struct journal_entry *e)
{
	struct export *x = ctx;
	struct patch *change;
	size_t changes = journal_changes(e, &change);

	x->count++;
	fprintf(x->file, "\n/* patch %u: %s */\n", e->number, e->why);
	for (size_t i = 0; i < changes; i++) {
		const struct patch *p = &change[i];

		if (p->kind == PATCH_REGISTER) {
			fprintf(x->file, "/* CPU %u: %s = %#" PRIx64 " */\n", p->cpu, p->reg,
				le_read(p->new, p->size));
			continue;
		}
		for (unsigned int at = 0, n; at < p->size; at += n) {
			n = unit(p, at);
			c_place(x, p, at, n);
			fprintf(x->file, " = %#" PRIx64 "; /* %s, was %#" PRIx64 " */\n",
				le_read(p->new + at, n), p->where, le_read(p->old + at, n));
		}
	}
	free(change);
	return 0;
}

/* Only what is whole in the machine now: the rest is no change that somebody has tried. */
int export_each(struct cmd *c, int (*entry)(void *ctx, const struct journal_entry *e), void *ctx)
{
	struct journal *j = c->ctx->journal;

	for (size_t i = 0; i < journal_count(j); i++) {
		const struct journal_entry *e = journal_at(j, i);
		struct judgement jd;
		int err;

		if (!entry_is_live(e))
			continue;
		err = journal_judge(j, c->machine, e, &jd);
		if (err)
			return cmd_fail(c, err, NULL);
		if (jd.verdict == VERDICT_APPLIED) {
			err = entry(ctx, e);
			if (err)
				return err;
			continue;
		}
		cmd_say(c, "patch %u is left out: it is not wholly in memory (`patches %u`)",
			e->number, e->number);
		c->found = true;
	}
	return 0;
}

static int export_script(struct cmd *c, const char *path, bool gdb)
{
	struct export x = { .cmd = c, .file = fopen(path, "we") };
	int err;

	if (!x.file)
		return cmd_fail(c, -BATON_ESYS, "%s: %s", path, strerror(errno));
	fputs(gdb ? "# Written by baton; for a GDB at QEMU's gdbstub, or at baton.\n"
		  : "/* Written by baton. */\n",
	      x.file);
	err = export_each(c, gdb ? gdb_entry : c_entry, &x);
	if (fclose(x.file) && !err)
		err = cmd_fail(c, -BATON_ESYS, "%s: %s", path, strerror(errno));
	if (!err)
		cmd_say(c, "%u patch%s written to %s", x.count, x.count == 1 ? "" : "es", path);
	return err;
}

static int run(struct cmd *c)
{
	const char *what = cmd_word(c, 0), *path = cmd_word(c, 1);
	bool image = what && !strcmp(what, "image");
	int err = cmd_no_more(c, image ? 3 : 2);

	if (err)
		return err;
	if (path && image)
		return export_image(c);
	if (what && path && (!strcmp(what, "gdb") || !strcmp(what, "c")))
		return export_script(c, path, *what == 'g');
	return cmd_fail(c, -BATON_EINVAL,
			"`export gdb FILE`, `export c FILE` or `export image IMG [OUT]`");
}

COMMAND(export, "export", run, .args = "gdb|c FILE | image IMG [OUT]", .needs = CMD_STOPPED,
	.help = "what is applied, as a script for GDB, as C, or in the image file",
	.more = "  gdb    plain GDB at QEMU's gdbstub: physical writes, TLB refreshed as TCG needs "
		"it\n"
		"  c      by symbol and index where there is a symbol\n"
		"  image  a copy of IMG with the changes, then checked as by `baton check`: a raw "
		"file\n"
		"         that QEMU loaded, an ELF file, a uImage; where the loader copies the "
		"bytes\n"
		"         from is found by the image's header. OUT is IMG.patched, never "
		"overwritten.\n"
		"         What no file holds (registers, .bss) is said; other old bytes refuse "
		"it.\n");
