/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing byte buffer. data[len] is always 0, so that text can be used as a
 * string. Running out of memory aborts: there is nothing sensible to do.
 */
#ifndef BATON_BUF_H
#define BATON_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL until the first byte */
	size_t len, cap;
};

void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/** buf_consume() - drop the first @n bytes. */
void buf_consume(struct buf *b, size_t n);
/** buf_clear() - empty it, keeping the memory. buf_free() - give the memory back. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

#endif
