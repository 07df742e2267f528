/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text is either a value, or an error with one line of words. */
#include "fuzz.h"

#include "buf.h"
#include "error.h"
#include "expr.h"

#include <string.h>

const char *const fuzz_words[] = { "0x12", "7",	 "0b1", "$pc", "sym", "[", "]",	   "(",	 ")",
				   "+",	   "-",	 "*",	"<<",  ">>",  "&", "|",	   "~",	 " ",
				   "0x",   "4K", "'",	"\"",  "\\",  "$", "sym[", "1)", NULL };

static int name(void *ctx, const char *text, uint64_t *value)
{
	(void)ctx;
	*value = text[0];
	return strlen(text) > 3 ? -BATON_ENOTFOUND : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct expr_env env = { .reg = name, .symbol = name };
	struct buf text = { 0 }, err = { 0 };
	uint64_t value = 77;
	struct args args;
	int rc;

	buf_add(&text, data, size);
	rc = expr_eval(text.data, &env, &value, &err);
	FUZZ_CHECK(rc <= 0 && !rc == !err.len);
	FUZZ_CHECK(!rc || value == 77);

	rc = args_split(text.data, &args);
	FUZZ_CHECK(args.count <= ARGS_MAX && !args.word[args.count]);
	FUZZ_CHECK(!rc || !args.count);
	for (int i = 0; i < args.count; i++)
		FUZZ_CHECK(strlen(args.word[i]) <= text.len);
	args_free(&args);
	buf_free(&text);
	buf_free(&err);
	return 0;
}
