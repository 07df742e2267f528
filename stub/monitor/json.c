/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/json.h"

#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_need(json_t *j)
{
	if (!j)
		abort();
	return j;
}

/* Names come from files, and what a guest prints is anything. */
json_t *json_text(const char *words)
{
	json_t *j = json_string(words);
	char *copy;

	if (j)
		return j;
	copy = strdup(words);
	if (!copy)
		abort();
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	j = json_need(json_string(copy));
	free(copy);
	return j;
}

json_t *json_hex(uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "0x%" PRIx64, value);
	return json_text(digits);
}

void json_put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, json_need(value)))
		abort();
}

int json_print(json_t *object, size_t flags)
{
	bool written =
		!json_dumpf(object, stdout, flags) && putchar('\n') != EOF && !fflush(stdout);

	json_decref(object);
	if (written)
		return 0;
	fprintf(stderr, "baton: standard output: %s\n", strerror(errno));
	return -BATON_ESYS;
}

int json_command(const char *line, int status, const struct buf *said, json_t *facts)
{
	json_t *j = json_need(json_object());

	json_put(j, "command", json_text(line));
	json_put(j, "ok", json_boolean(!status));
	json_put(j, "status", json_integer(status));
	json_put(j, "output", json_text(said->data ? said->data : ""));
	if (facts && json_object_update(j, facts))
		abort();
	return json_print(j, 0);
}
