/* SPDX-License-Identifier: BSD-2-Clause */
/* PL011 (Arm DDI 0183), set up by firmware or QEMU. */
#include "loader.h"

#define UARTDR	    0x00
#define UARTFR	    0x18
#define UARTFR_TXFF (1U << 5)

static volatile uint32_t *uart_reg(unsigned int offset)
{
	return (volatile uint32_t *)(board.uart + offset);
}

void uart_putc(char c)
{
	if (c == '\n')
		uart_putc('\r');
	while (*uart_reg(UARTFR) & UARTFR_TXFF)
		;
	*uart_reg(UARTDR) = (unsigned char)c;
}
