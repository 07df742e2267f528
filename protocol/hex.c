/* SPDX-License-Identifier: BSD-2-Clause */
#include "hex.h"

#include "buf.h"
#include "error.h"

/* One more than what a digit is worth, 0 for what is none: megabytes come this way. */
static const uint8_t worth[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_digit(char c)
{
	return worth[(uint8_t)c] - 1;
}

int hex_decode(const char *text, size_t len, void *out)
{
	const uint8_t *from = (const uint8_t *)text;
	uint8_t *p = out;
	unsigned int any = 0;

	if (len % 2)
		return -BATON_EPROTO;
	for (size_t i = 0; i < len; i += 2) {
		unsigned int hi = worth[from[i]] - 1u, lo = worth[from[i + 1]] - 1u;

		any |= hi | lo;
		*p++ = (uint8_t)(hi << 4 | lo);
	}
	return any > 15 ? -BATON_EPROTO : 0;
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
