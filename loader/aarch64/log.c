/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdbool.h>

#include "loader.h"

#define HELD_MS 5000 /* a dump of all registers takes 3 s at 9600 baud */

/*
 * One console for CPUs whose MMU is on and for others whose MMU is off, by Lamport's one-bit
 * algorithm ("The mutual exclusion problem", part II, 1986): each CPU writes a word of its
 * own alone. Exclusives want memory that is cacheable to all of them (DDI 0487, B2.12); and
 * as what one holds in its cache another may have written past it (B2.8), each word has a
 * cache line to itself, which is cleaned when it was written, invalidated before it is read.
 * In .data: a CPU may be speaking while CPU 0 clears the BSS.
 */
static struct speaker {
	uint32_t depth; /* of its log_lock(); unless 0 it speaks, or is about to */
	uint32_t dead;	/* a bit for each CPU that it has waited for in vain */
} __attribute__((aligned(256))) speakers[BATON_IMAGE_MAX_CPUS] __attribute__((section(".data")));

static unsigned int speaker_id(void)
{
	return cpu_id() % BATON_IMAGE_MAX_CPUS; /* a kernel may have put anything there */
}

/* A barrier as well: all of the system has seen it before it sees what comes next. */
static void set_depth(struct speaker *self, uint32_t depth)
{
	__atomic_store_n(&self->depth, depth, __ATOMIC_RELEASE);
	dcache_clean_invalidate(&self->depth, &self->depth + 1);
}

static bool speaks(const struct speaker *other)
{
	dcache_clean_invalidate(&other->depth, &other->depth + 1);
	return __atomic_load_n(&other->depth, __ATOMIC_ACQUIRE);
}

/* Better mixed lines than none: a CPU may have died with the console. */
static bool is_in_the_way(const struct speaker *self, unsigned int cpu)
{
	return !(self->dead >> cpu & 1) && speaks(&speakers[cpu]);
}

static void wait_for(struct speaker *self, unsigned int cpu)
{
	uint64_t start = time_now();

	while (is_in_the_way(self, cpu))
		if (time_now() - start > time_ticks(HELD_MS))
			self->dead |= 1U << cpu;
}

void log_lock(void)
{
	unsigned int id = speaker_id(), cpu;
	struct speaker *self = &speakers[id];

	if (speaks(self)) {
		self->depth++;
		return;
	}
again:
	set_depth(self, 1);
	for (cpu = 0; cpu < id; cpu++)
		if (is_in_the_way(self, cpu)) {
			set_depth(self, 0);
			wait_for(self, cpu);
			goto again;
		}
	for (cpu = id + 1; cpu < BATON_IMAGE_MAX_CPUS; cpu++)
		if (is_in_the_way(self, cpu))
			wait_for(self, cpu);
}

void log_unlock(void)
{
	struct speaker *self = &speakers[speaker_id()];

	if (self->depth > 1)
		self->depth--;
	else
		set_depth(self, 0);
}

void log_abandon(void)
{
	set_depth(&speakers[speaker_id()], 0);
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
