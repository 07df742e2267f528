/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hexadecimal text and little-endian bytes. Strict: what the remote protocol
 * does not allow is an error, never a guess.
 */
#ifndef BATON_HEX_H
#define BATON_HEX_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/** hex_digit() - the value of one digit, 0 to 15; -1 if @c is none. */
int hex_digit(char c);

/**
 * hex_decode() - text to bytes, two digits for each.
 * @out: room for @len / 2 bytes; may be @text itself
 *
 * Return: 0; -BATON_EPROTO if @len is odd or a character is no hex digit (@out is
 * then undefined).
 */
int hex_decode(const char *text, size_t len, void *out);

/** hex_encode() - append @len bytes as 2 * @len lower-case digits. */
void hex_encode(struct buf *out, const void *data, size_t len);

/**
 * hex_u64() - read one number of 1 to 16 hex digits, most significant first, no `0x`.
 * @cursor: moved behind the last digit; untouched on error
 *
 * Return: 0; -BATON_EPROTO if there is no digit, or a 17th.
 */
int hex_u64(const char **cursor, uint64_t *value);

/** le_read() - the little-endian number in @bytes (0 to 8) bytes at @p. */
uint64_t le_read(const uint8_t *p, unsigned int bytes);

/** le_write() - store the low @bytes (0 to 8) bytes of @value, least significant first. */
void le_write(uint8_t *p, unsigned int bytes, uint64_t value);

#endif
