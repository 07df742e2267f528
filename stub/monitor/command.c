/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/command.h"

#include "monitor/hmp.h"

#include <assert.h>
#include <string.h>

void cmd_text(struct cmd *c, const struct buf *text)
{
	if (!text->len)
		return;
	c->sink->write(c->sink->ctx, text->data, text->len);
	if (text->data[text->len - 1] != '\n')
		c->sink->write(c->sink->ctx, "\n", 1);
}

__attribute__((format(printf, 3, 0))) static void say(struct cmd *c, const char *prefix,
						      const char *fmt, va_list ap)
{
	struct buf line = { 0 };

	if (prefix)
		buf_printf(&line, "%s: ", prefix);
	buf_vprintf(&line, fmt, ap);
	buf_putc(&line, '\n');
	c->sink->write(c->sink->ctx, line.data, line.len);
	buf_free(&line);
}

void cmd_say(struct cmd *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, NULL, fmt, ap);
	va_end(ap);
}

int cmd_fail(struct cmd *c, int err, const char *fmt, ...)
{
	va_list ap;

	assert(err < 0);
	if (!fmt) {
		cmd_say(c, "%s: %s", c->args.word[0], machine_error(c->machine, err));
		return err;
	}
	va_start(ap, fmt);
	say(c, c->args.word[0], fmt, ap);
	va_end(ap);
	return err;
}

/* The words live in args.store, so taking one out is moving the others. */
static void take_out(struct args *args, int i)
{
	memmove(&args->word[i], &args->word[i + 1],
		sizeof(args->word[0]) * (size_t)(args->count - i));
	args->count--;
}

bool cmd_option(struct cmd *c, const char *name)
{
	for (int i = 1; i < c->args.count; i++) {
		if (strcmp(c->args.word[i], name))
			continue;
		take_out(&c->args, i);
		return true;
	}
	return false;
}

const char *cmd_option_value(struct cmd *c, const char *name)
{
	for (int i = 1; i + 1 < c->args.count; i++) {
		const char *value = c->args.word[i + 1];

		if (strcmp(c->args.word[i], name))
			continue;
		take_out(&c->args, i);
		take_out(&c->args, i);
		return value;
	}
	return NULL;
}

const char *cmd_word(struct cmd *c, int i)
{
	return i + 1 < c->args.count ? c->args.word[i + 1] : NULL;
}

int cmd_count(const struct cmd *c)
{
	return c->args.count - 1;
}

static int usage(struct cmd *c, const char *wrong, const char *what)
{
	const struct command *row = command_find(c->args.word[0]);
	const char *args = row && row->args ? row->args : "";

	return cmd_fail(c, -BATON_EINVAL, "%s%s (usage: %s%s%s)", wrong, what, c->args.word[0],
			*args ? " " : "", args);
}

static int expr_reg(void *ctx, const char *name, uint64_t *value)
{
	struct cmd *c = ctx;

	return machine_reg_read(c->machine, c->cpu, name, value);
}

static int expr_symbol(void *ctx, const char *name, uint64_t *value)
{
	struct cmd *c = ctx;

	if (!c->ctx->symbols)
		return -BATON_ENOTFOUND;
	return symbols_find(c->ctx->symbols, name, value);
}

int cmd_eval(struct cmd *c, const char *what, const char *text, uint64_t *value)
{
	const struct expr_env env = { .reg = expr_reg, .symbol = expr_symbol, .ctx = c };
	struct buf why = { 0 };
	int err = expr_eval(text, &env, value, &why);

	if (err)
		cmd_fail(c, err, "%s: %s", what, why.len ? why.data : baton_strerror(err));
	buf_free(&why);
	return err;
}

int cmd_arg(struct cmd *c, int i, const char *what, uint64_t *value)
{
	const char *text = cmd_word(c, i);

	return text ? cmd_eval(c, what, text, value) : usage(c, what, " is missing");
}

static bool looks_like_option(const char *word)
{
	return word[0] == '-' && (word[1] == '-' || (word[1] >= 'a' && word[1] <= 'z'));
}

int cmd_no_more(struct cmd *c, int n)
{
	for (int i = 0; i < cmd_count(c); i++)
		if (looks_like_option(cmd_word(c, i)))
			return usage(c, cmd_word(c, i),
				     ": no such option here, or its value is missing");
	if (cmd_count(c) > n)
		return usage(c, cmd_word(c, n), ": one argument too many");
	return 0;
}

const struct command *command_find(const char *name)
{
	for (const struct command *const *row = commands; *row; row++)
		if (!strcmp((*row)->name, name))
			return *row;
	return NULL;
}

/* -c CPU and -r REGIME, for the rows that take them. */
static int take_common_options(struct cmd *c, unsigned int needs)
{
	const char *cpu = needs & (CMD_TABLES | CMD_CPU) ? cmd_option_value(c, "-c") : NULL;
	uint64_t number;
	int err;

	c->cpu = c->machine->cpu;
	if (cpu) {
		err = cmd_eval(c, "-c", cpu, &number);
		if (err)
			return err;
		if (number >= c->machine->cpus)
			return cmd_fail(c, -BATON_EINVAL, "-c %s: no such CPU (there are 0 to %u)",
					cpu, c->machine->cpus - 1);
		c->cpu = (unsigned int)number;
	}
	if (needs & CMD_TABLES)
		c->regime = cmd_option_value(c, "-r");
	return 0;
}

static int run_ours(struct cmd *c, const struct command *row)
{
	int err;

	if ((row->needs & (CMD_STOPPED | CMD_TABLES | CMD_CPU)) &&
	    c->machine->last_stop.kind == STOP_EXITED)
		return cmd_fail(c, -BATON_ELINK, "the machine is gone");
	err = take_common_options(c, row->needs);
	return err ? err : row->run(c);
}

static int status_of(struct cmd *c, int err)
{
	cmd_text(c, &c->machine->notice);
	buf_clear(&c->machine->notice);
	if (err == -BATON_ELINK)
		return err;
	if (err)
		return 2;
	return c->found ? 1 : 0;
}

/* Before a command has a name, and for QEMU's, errors carry ours. */
static char no_name[] = "baton";

int command_run(struct context *ctx, struct sink *sink, const char *line)
{
	struct cmd c = { .ctx = ctx, .machine = ctx->machine, .sink = sink };
	const struct command *row;
	int err;

	line += strspn(line, " \t");
	if (!*line || *line == '#') {
		if (!*line)
			cmd_say(&c, "`help` lists baton's commands, `qemu help` QEMU's");
		return 0;
	}
	c.line = line;
	c.args.word[0] = no_name;
	ctx->machine->error[0] = '\0';
	row = hmp_find_ours(line);
	if (!row) {
		err = hmp_run(&c, line);
		return status_of(&c, err);
	}
	err = args_split(line, &c.args);
	if (err) {
		c.args.word[0] = no_name;
		cmd_fail(&c, err, "%s",
			 err == -BATON_ETOOBIG ? "too many words" : "a quote that does not end");
		return 2;
	}
	err = run_ours(&c, row);
	err = status_of(&c, err);
	args_free(&c.args);
	return err;
}
