// SPDX-License-Identifier: BSD-2-Clause
#include "kernel.h"
#include <stdarg.h>

/* PL011 (DDI 0183): data and flag register, transmit FIFO full. */
#define UART_DR 0x00
#define UART_FR 0x18
#define FR_TXFF (1u << 5)

static uintptr_t uart;
static bool shared, locked;

void console_use(uintptr_t base, bool others)
{
	uart = base;
	shared = others;
}

static void put(char c)
{
	while (*(volatile uint32_t *)(uart + UART_FR) & FR_TXFF)
		;
	*(volatile uint32_t *)(uart + UART_DR) = (unsigned char)c;
}

static void put_string(const char *s)
{
	while (*s)
		put(*s++);
}

static void put_number(uint64_t v, unsigned int base, unsigned int width)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (width > n) {
		put('0');
		width--;
	}
	while (n)
		put(digits[--n]);
}

static void put_format(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		unsigned int width = 0;
		bool is_long;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		for (fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (unsigned int)(*fmt - '0');
		is_long = *fmt == 'l';
		if (is_long)
			fmt++;
		if (*fmt == 's')
			put_string(va_arg(ap, const char *));
		else
			put_number(is_long ? va_arg(ap, uint64_t) : va_arg(ap, unsigned int),
				   *fmt == 'x' ? 16 : 10, width);
	}
}

/* Exclusive accesses need normal memory (DDI 0487, B2.12.5), hence the MMU. */
static bool lock(void)
{
	if (!shared)
		return false;
	while (__atomic_test_and_set(&locked, __ATOMIC_ACQUIRE))
		;
	return true;
}

static void say_list(const char *fmt, va_list ap)
{
	bool held = lock();

	if (uart) {
		put_format(fmt, ap);
		put('\n');
	}
	if (held)
		__atomic_clear(&locked, __ATOMIC_RELEASE);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_list(fmt, ap);
	va_end(ap);
	stop();
}

void stop(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

void console_task_char(char c)
{
	static char line[120];
	static unsigned int n;

	if (c != '\n')
		line[n++] = c;
	if (c == '\n' || n == sizeof(line) - 1) {
		line[n] = 0;
		n = 0;
		say("%s", line);
	}
}
