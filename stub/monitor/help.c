/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/hmp.h"

#include <stdlib.h>
#include <string.h>

#define COLUMN 46

static int by_name(const void *a, const void *b)
{
	const struct command *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void say_row(const struct command *row, struct buf *out)
{
	size_t start = out->len;

	buf_printf(out, "  %s%s%s", row->name, row->args ? " " : "", row->args ? row->args : "");
	if (out->len - start + 2 > COLUMN) {
		buf_putc(out, '\n');
		start = out->len;
	}
	buf_printf(out, "%*s%s\n", (int)(COLUMN - (out->len - start)), "", row->help);
}

static void say_all(struct cmd *c)
{
	const struct command **rows;
	struct buf out = { 0 };
	size_t n = 0;

	while (commands[n])
		n++;
	rows = malloc((n + 1) * sizeof(*rows));
	if (!rows)
		abort();
	memcpy(rows, commands, (n + 1) * sizeof(*rows));
	qsort(rows, n, sizeof(*rows), by_name);
	for (size_t i = 0; i < n; i++)
		say_row(rows[i], &out);
	free(rows);
	buf_puts(&out, "Arguments are expressions: numbers, $registers, symbols, symbol[N], "
		       "+ - * << >> & | ~ ( ).\n"
		       "Commands on tables take -c CPU and -r REGIME (el1, el2, el3, s2, pending, "
		       "el1:ttbr1, el1:ttbr0=0x4123f000, s2:vttbr=N).\n"
		       "`help CMD` says more of one; any other command goes to QEMU's monitor.\n");
	cmd_text(c, &out);
	buf_free(&out);
}

static void say_one(struct cmd *c, const struct command *row)
{
	cmd_say(c, "%s%s%s%s", row->name, row->args ? " " : "", row->args ? row->args : "",
		row->needs & CMD_TABLES ? " [-c CPU] [-r REGIME]"
		: row->needs & CMD_CPU	? " [-c CPU]"
					: "");
	cmd_say(c, "  %s", row->help);
	if (row->more)
		cmd_text(c, &(struct buf){ .data = (char *)(uintptr_t)row->more,
					   .len = strlen(row->more) });
}

static int run(struct cmd *c)
{
	const char *name = cmd_word(c, 0);
	const struct command *row;
	int err;

	if (!name) {
		say_all(c);
		return 0;
	}
	err = cmd_no_more(c, 1);
	if (err)
		return err;
	row = command_find(name);
	if (!row)
		return hmp_run(c, c->line); /* QEMU's help knows its own commands */
	say_one(c, row);
	return 0;
}

COMMAND(help, "help", run, .args = "[CMD]", .help = "this list, or more about one command");
