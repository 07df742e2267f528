/* SPDX-License-Identifier: BSD-2-Clause */
#include "hex.h"

#include "buf.h"
#include "error.h"

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *text, size_t len, void *out)
{
	uint8_t *p = out;

	if (len % 2)
		return -BATON_EPROTO;
	for (size_t i = 0; i < len; i += 2) {
		int hi = hex_digit(text[i]), lo = hex_digit(text[i + 1]);

		if (hi < 0 || lo < 0)
			return -BATON_EPROTO;
		*p++ = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

void hex_encode(struct buf *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	char *to;

	buf_reserve(out, len * 2);
	to = out->data + out->len;
	for (size_t i = 0; i < len; i++) {
		*to++ = digits[p[i] >> 4];
		*to++ = digits[p[i] & 15];
	}
	*to = 0;
	out->len += len * 2;
}

int hex_u64(const char **cursor, uint64_t *value)
{
	const char *p = *cursor;
	uint64_t v = 0;
	int digit;

	for (; (digit = hex_digit(*p)) >= 0; p++) {
		if (p - *cursor == 16)
			return -BATON_EPROTO;
		v = v << 4 | (uint64_t)digit;
	}
	if (p == *cursor)
		return -BATON_EPROTO;
	*cursor = p;
	*value = v;
	return 0;
}

uint64_t le_read(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

void le_write(uint8_t *p, unsigned int bytes, uint64_t value)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}
