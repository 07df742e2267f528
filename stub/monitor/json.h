/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON, for who writes it. Addresses, sizes and register values are hex strings, since
 * JSON's numbers have but 53 bits in most readers. Running out of memory aborts, as in buf.
 */
#ifndef BATON_MONITOR_JSON_H
#define BATON_MONITOR_JSON_H

#include "buf.h"

#include <jansson.h>
#include <stdint.h>

/** json_need() - @j, which may not be NULL. */
json_t *json_need(json_t *j);
/** json_text() - @words; a byte that is not ASCII shows as '?' unless all is UTF-8. */
json_t *json_text(const char *words);
/** json_hex() - "0x1f". */
json_t *json_hex(uint64_t value);
/** json_put() - a member of @object; takes @value over. */
void json_put(json_t *object, const char *key, json_t *value);

/**
 * json_command() - print {"command", "ok", "status", "output"} as one line of standard output.
 * @facts: further members; may be NULL
 *
 * Return: 0, or -BATON_ESYS: cannot be written, said.
 */
int json_command(const char *line, int status, const struct buf *said, json_t *facts);

/** json_print() - @object on standard output, by jansson's @flags; taken over. As above. */
int json_print(json_t *object, size_t flags);

#endif
