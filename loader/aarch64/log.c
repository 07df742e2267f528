/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdbool.h>

#include "loader.h"

#define LOCK_TRIES 100000000

static struct {
	uint32_t held;	/* by logical CPU held - 1 */
	uint32_t depth; /* of that CPU's log_lock(), or 1 for log_lend() */
} lock;

/*
 * Exclusives need cacheable memory (DDI 0487, B2.12). Until its MMU is on a CPU talks
 * without: CPU 0 is alone, and to the others, one after the other, it lends the console.
 */
void log_lock(void)
{
	uint32_t self = cpu_id() + 1;

	if (!mmu_is_on())
		return;
	/* Better mixed lines than none: a CPU may have died with the lock. */
	for (unsigned int n = 0; n < LOCK_TRIES; n++) {
		uint32_t none = 0;

		if (__atomic_load_n(&lock.held, __ATOMIC_RELAXED) == self ||
		    __atomic_compare_exchange_n(&lock.held, &none, self, true, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			break;
	}
	lock.depth++;
}

void log_unlock(void)
{
	if (mmu_is_on() && --lock.depth == 0)
		__atomic_store_n(&lock.held, 0, __ATOMIC_RELEASE);
}

void log_lend(uint32_t cpu)
{
	if (!mmu_is_on())
		return;
	log_lock();
	lock.depth = 1;
	__atomic_store_n(&lock.held, cpu + 1, __ATOMIC_RELEASE);
}

void log_abandon(uint32_t cpu)
{
	if (mmu_is_on() && __atomic_load_n(&lock.held, __ATOMIC_ACQUIRE) == cpu + 1) {
		lock.depth = 0;
		__atomic_store_n(&lock.held, 0, __ATOMIC_RELEASE);
	}
}

static void put_hex(uint64_t value, unsigned int digits)
{
	uart_putc('0');
	uart_putc('x');
	while (digits--)
		uart_putc("0123456789abcdef"[value >> (4 * digits) & 15]);
}

static void put_decimal(uint64_t value)
{
	if (value >= 10)
		put_decimal(value / 10);
	uart_putc((char)('0' + value % 10));
}

static void put_string(const char *s)
{
	while (*s)
		uart_putc(*s++);
}

void log_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_lock();
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			uart_putc(*fmt);
			continue;
		}
		switch (*++fmt) {
		case 's':
			put_string(va_arg(ap, const char *));
			break;
		case 'd':
			put_decimal(va_arg(ap, uint64_t));
			break;
		case 'x':
			put_hex(va_arg(ap, uint64_t), 8);
			break;
		default:
			put_hex(va_arg(ap, uint64_t), 16);
		}
	}
	log_unlock();
	va_end(ap);
}
