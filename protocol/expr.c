/* SPDX-License-Identifier: BSD-2-Clause */
/* Recursive descent, one function for unary, one for all binary operators. */
#include "expr.h"

#include "buf.h"
#include "error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define NAME_MAX_LEN 255

struct parser {
	const char *text, *p;
	const struct expr_env *env;
	struct buf *err;
	int depth;
};

static int parse_binary(struct parser *x, int min_level, uint64_t *value);

/* @at: the token that is wrong; "the end" if there is none. */
__attribute__((format(printf, 4, 5))) static int fail(struct parser *x, int code, const char *at,
						      const char *fmt, ...)
{
	va_list ap;

	if (!x->err)
		return code;
	buf_printf(x->err, "\"%.80s\": ", x->text);
	va_start(ap, fmt);
	buf_vprintf(x->err, fmt, ap);
	va_end(ap);
	if (*at)
		buf_printf(x->err, " at \"%.40s\" (column %zu)", at, (size_t)(at - x->text) + 1);
	else
		buf_puts(x->err, " at the end");
	return code;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

static bool is_name(char c)
{
	return is_name_start(c) || is_digit(c) || c == '$';
}

static void skip_blanks(struct parser *x)
{
	x->p += strspn(x->p, " \t");
}

static unsigned int digit_value(char c)
{
	if (is_digit(c))
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 99;
}

static unsigned int suffix_shift(char c)
{
	return c == 'K' ? 10 : c == 'M' ? 20 : c == 'G' ? 30 : 0;
}

static int parse_number(struct parser *x, uint64_t *value)
{
	const char *start = x->p;
	unsigned int base = 10, digit, shift;
	uint64_t v = 0;
	bool any = false, fits = true;

	if (start[0] == '0' && (start[1] == 'x' || start[1] == 'X'))
		base = 16;
	else if (start[0] == '0' && (start[1] == 'b' || start[1] == 'B'))
		base = 2;
	if (base != 10)
		x->p += 2;
	for (; (digit = digit_value(*x->p)) < base; x->p++, any = true) {
		fits = fits && v <= (UINT64_MAX - digit) / base;
		v = v * base + digit;
	}
	shift = any ? suffix_shift(*x->p) : 0;
	if (shift) {
		fits = fits && v <= UINT64_MAX >> shift;
		v <<= shift;
		x->p++;
	}
	if (!any || is_name(*x->p))
		return fail(x, -BATON_EINVAL, x->p, "not a number");
	if (!fits)
		return fail(x, -BATON_ERANGE, start, "a number that does not fit in 64 bits");
	*value = v;
	return 0;
}

/* A name that could be a hex number without its 0x deserves the hint. */
static const char *hint(const char *name)
{
	for (; *name; name++)
		if (digit_value(*name) > 15)
			return "";
	return " (hexadecimal numbers begin with 0x)";
}

static int parse_name(struct parser *x, uint64_t *value)
{
	const char *start = x->p, *first = x->p + (*x->p == '$');
	bool reg = *start == '$';
	char name[NAME_MAX_LEN + 1];
	int (*get)(void *, const char *, uint64_t *) = NULL;
	int err = -BATON_ENOTFOUND;
	size_t len;

	for (x->p = first; is_name(*x->p); x->p++)
		;
	len = (size_t)(x->p - first);
	if (!len)
		return fail(x, -BATON_EINVAL, start, "no register name behind $");
	if (len > NAME_MAX_LEN)
		return fail(x, -BATON_EINVAL, start, "a name of more than %d characters",
			    NAME_MAX_LEN);
	memcpy(name, first, len);
	name[len] = 0;
	if (x->env)
		get = reg ? x->env->reg : x->env->symbol;
	if (get)
		err = get(x->env->ctx, name, value);
	if (!err)
		return 0;
	if (err == -BATON_ENOTFOUND)
		return fail(x, err, start, "no %s named %s%s", reg ? "register" : "symbol", name,
			    reg ? "" : hint(name));
	return fail(x, err, start, "%s %s: %s", reg ? "register" : "symbol", name,
		    baton_strerror(err));
}

static int parse_bracketed(struct parser *x, char close, uint64_t *value)
{
	int err;

	x->p++;
	err = parse_binary(x, 0, value);
	if (err)
		return err;
	skip_blanks(x);
	if (*x->p != close)
		return fail(x, -BATON_EINVAL, x->p, "'%c' is missing", close);
	x->p++;
	return 0;
}

static int parse_symbol(struct parser *x, uint64_t *value)
{
	uint64_t index = 0;
	int err = parse_name(x, value);

	if (err)
		return err;
	skip_blanks(x);
	if (*x->p != '[')
		return 0;
	err = parse_bracketed(x, ']', &index);
	*value += 8 * index;
	return err;
}

static int parse_operand(struct parser *x, uint64_t *value)
{
	char c = *x->p;
	int err;

	if (c == '(')
		return parse_bracketed(x, ')', value);
	if (is_digit(c))
		return parse_number(x, value);
	if (c == '$')
		return parse_name(x, value);
	if (is_name_start(c))
		return parse_symbol(x, value);
	if (c != '-' && c != '~' && c != '+')
		return fail(x, -BATON_EINVAL, x->p,
			    "a number, $register, symbol or ( was expected");
	x->p++;
	err = parse_binary(x, -1, value);
	if (!err && c != '+')
		*value = c == '-' ? 0 - *value : ~*value;
	return err;
}

/* C's precedence, loosest first; two characters where the operator has them. */
static const struct {
	char op[3];
	int level;
} operators[] = {
	{ "|", 0 }, { "&", 1 }, { "<<", 2 }, { ">>", 2 }, { "+", 3 }, { "-", 3 }, { "*", 4 },
};

static int operator_at(const char *p)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (!strncmp(p, operators[i].op, strlen(operators[i].op)))
			return (int)i;
	return -1;
}

static uint64_t apply(char op, uint64_t a, uint64_t b)
{
	switch (op) {
	case '|':
		return a | b;
	case '&':
		return a & b;
	case '<':
		return b < 64 ? a << b : 0;
	case '>':
		return b < 64 ? a >> b : 0;
	case '+':
		return a + b;
	case '-':
		return a - b;
	default:
		return a * b;
	}
}

/* Operators of @min_level and tighter; -1: an operand alone. */
static int parse_binary(struct parser *x, int min_level, uint64_t *value)
{
	uint64_t right = 0;
	int err;

	skip_blanks(x);
	if (x->depth == EXPR_DEPTH)
		return fail(x, -BATON_ETOOBIG, x->p, "nested deeper than %d", EXPR_DEPTH);
	x->depth++;
	err = parse_operand(x, value);
	x->depth--;
	while (!err && min_level >= 0) {
		int i;

		skip_blanks(x);
		i = operator_at(x->p);
		if (i < 0 || operators[i].level < min_level)
			break;
		x->p += strlen(operators[i].op);
		err = parse_binary(x, operators[i].level + 1, &right);
		if (!err)
			*value = apply(operators[i].op[0], *value, right);
	}
	return err;
}

int expr_eval(const char *text, const struct expr_env *env, uint64_t *value, struct buf *err)
{
	struct parser x = { .text = text, .p = text, .env = env, .err = err };
	uint64_t v = 0;
	int rc = parse_binary(&x, 0, &v);

	if (rc)
		return rc;
	skip_blanks(&x);
	if (*x.p)
		return fail(&x, -BATON_EINVAL, x.p, "an operator was expected");
	*value = v;
	return 0;
}
