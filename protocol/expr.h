/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows the name of a monitor command: words, and expressions in them.
 */
#ifndef BATON_EXPR_H
#define BATON_EXPR_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define ARGS_MAX 64

/** struct args - the words of a line; args_free() when done. */
struct args {
	int count;
	char *word[ARGS_MAX + 1]; /* NULL behind the last */
	char *store;
};

/**
 * args_split() - split @line at spaces and tabs; '...' and "..." keep them, and may
 * stand in the middle of a word; inside "..." a backslash keeps the next character.
 *
 * Return: 0; -BATON_EINVAL: a quote that does not end; -BATON_ETOOBIG: more than
 * ARGS_MAX words. On error @args is empty.
 */
int args_split(const char *line, struct args *args);
void args_free(struct args *args);

/**
 * struct expr_env - where names get their values; either callback may be NULL.
 * @reg: @name without its `$`. Both return 0 or a negative BATON_E number.
 */
struct expr_env {
	int (*reg)(void *ctx, const char *name, uint64_t *value);
	int (*symbol)(void *ctx, const char *name, uint64_t *value);
	void *ctx;
};

/** EXPR_DEPTH - how deep parentheses, indexes and unary operators may nest. */
#define EXPR_DEPTH 64

/**
 * expr_eval() - the value of an expression, in 64 bits that wrap.
 * @env:   may be NULL: numbers alone
 * @err:   on error, one line that names the token and its place is appended, such as
 *         `"0x12g4": not a number at "g4" (column 5)`; may be NULL
 *
 * Numbers: 0x1f, 0b101, decimal, each optionally with K, M or G (times 1024, ...).
 * $name: a register. Names of letters, digits, `_`, `.` and, not first, `$`: a symbol.
 * symbol[N]: symbol + 8 * N, an entry of a table of 64-bit descriptors.
 * Operators, by C's precedence: unary - ~ +; *; + -; << >>; &; |. Shifts by 64 or
 * more give 0. Spaces are allowed between tokens.
 *
 * Return: 0; -BATON_EINVAL: no expression; -BATON_ETOOBIG: nested too deep;
 * -BATON_ERANGE: a number over 64 bits;
 * -BATON_ENOTFOUND: an unknown name; else what the callback returned.
 */
int expr_eval(const char *text, const struct expr_env *env, uint64_t *value, struct buf *err);

#endif
