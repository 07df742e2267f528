/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monitor commands. A command is one file here: a function and its row. It sees a
 * machine, words and a sink; how its text reaches GDB or a terminal is decided by
 * who runs it.
 */
#ifndef BATON_COMMAND_H
#define BATON_COMMAND_H

#include "expr.h"
#include "machine/machine.h"
#include "machine/symbols.h"

struct handoff;
struct journal;
struct json_t; /* jansson's */
struct snaps;

/** struct sink - where text goes: whole lines, as they come. */
struct sink {
	void (*write)(void *ctx, const char *text, size_t len);
	void *ctx;
};

/** struct context - what commands share and keep from one to the next. */
struct context {
	struct machine *machine;
	struct symbols *symbols;
	struct journal *journal;
	struct handoff *handoff;
	struct snaps *snaps;  /* pt-snap's, NULL until the first; monitor/snap.h */
	bool gdb;	      /* GDB is attached: it runs the machine, commands must not */
	struct json_t *facts; /* --json: a command's own members of its object; NULL: text */
};

enum command_flags {
	CMD_STOPPED = 1, /* needs a machine that stands still */
	CMD_TABLES = 2,	 /* takes -c CPU and -r REGIME; cmd->cpu, cmd->regime */
	CMD_CPU = 4,	 /* takes -c CPU */
};

/** struct cmd - one invocation. */
struct cmd {
	struct context *ctx;
	struct machine *machine;
	struct sink *sink;
	const char *line;   /* as it was typed */
	struct args args;   /* word[0] is the command's name; -c and -r are taken out */
	unsigned int cpu;   /* -c, or the machine's current one */
	const char *regime; /* -r, or NULL for that of the CPU's level */
	bool found;	    /* it worked, and found something wrong: exit status 1 */
};

/**
 * struct command - a row of the table. @run returns 0, or a negative BATON_E whose
 * words are already said (cmd_fail()).
 */
struct command {
	const char *name;
	int (*run)(struct cmd *c);
	const char *args; /* synopsis: "VA [-a r|w|x]" */
	const char *help; /* one line */
	const char *more; /* further lines for `help CMD`, each ending with \n; may be NULL */
	unsigned int needs;
};

#define COMMAND(ident, cname, fn, ...) \
	const struct command command_##ident = { .name = (cname), .run = (fn), __VA_ARGS__ }

/** commands - the table, generated from the files; ends with NULL. */
extern const struct command *const commands[];

/** cmd_say() - one line of output (the newline is added). */
void cmd_say(struct cmd *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** cmd_text() - text with newlines of its own. */
void cmd_text(struct cmd *c, const struct buf *text);
/** cmd_fail() - say "NAME: ..." and return @err. With @fmt NULL: the machine's words. */
int cmd_fail(struct cmd *c, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** cmd_option() - true if word @name is there; it is taken out. */
bool cmd_option(struct cmd *c, const char *name);
/** cmd_option_value() - the word behind @name, both taken out; NULL if not given. */
const char *cmd_option_value(struct cmd *c, const char *name);
/**
 * cmd_arg() - argument @i (0 is the first behind the name) as an expression; @what
 * names it in the error: "VA". -BATON_EINVAL if missing or no expression, said.
 */
int cmd_arg(struct cmd *c, int i, const char *what, uint64_t *value);
/** cmd_eval() - the same for any text. */
int cmd_eval(struct cmd *c, const char *what, const char *text, uint64_t *value);
/** cmd_word() - argument @i as it stands, or NULL. cmd_count() - how many there are. */
const char *cmd_word(struct cmd *c, int i);
int cmd_count(const struct cmd *c);
/** cmd_no_more() - error, said, if there are more than @n arguments or an unknown option. */
int cmd_no_more(struct cmd *c, int n);

/** command_find() - by exact name; NULL. */
const struct command *command_find(const char *name);

/**
 * command_run() - run one line: ours, or QEMU's monitor.
 *
 * Return: the exit status: 0 all well, 1 it found something wrong, 2 failure; or
 * -BATON_ELINK: the session is over (words in the sink).
 */
int command_run(struct context *ctx, struct sink *sink, const char *line);

#endif
