/* SPDX-License-Identifier: BSD-2-Clause */
#include "expr.h"

#include "error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copy one word without its quotes; NULL if a quote does not end. */
static const char *copy_word(const char *p, char **to)
{
	char quote = 0;

	for (; *p && (quote || !is_blank(*p)); p++) {
		if (*p == quote) {
			quote = 0;
		} else if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else {
			if (quote == '"' && *p == '\\' && p[1])
				p++;
			*(*to)++ = *p;
		}
	}
	*(*to)++ = 0;
	return quote ? NULL : p;
}

int args_split(const char *line, struct args *args)
{
	char *to;
	int err = 0;

	memset(args, 0, sizeof(*args));
	/* Each word costs at least its own length and the blank, or the end, behind it. */
	to = args->store = malloc(strlen(line) + 1);
	if (!to)
		abort();
	while (!err) {
		while (is_blank(*line))
			line++;
		if (!*line)
			return 0;
		if (args->count == ARGS_MAX) {
			err = -BATON_ETOOBIG;
			break;
		}
		args->word[args->count++] = to;
		line = copy_word(line, &to);
		if (!line)
			err = -BATON_EINVAL;
	}
	args_free(args);
	return err;
}

void args_free(struct args *args)
{
	free(args->store);
	memset(args, 0, sizeof(*args));
}
