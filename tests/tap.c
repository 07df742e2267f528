/* SPDX-License-Identifier: BSD-2-Clause */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int tests, failed;

void tap(bool ok, const char *fmt, ...)
{
	va_list ap;

	failed += !ok;
	printf("%s %u - ", ok ? "ok" : "not ok", ++tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

int tap_end(void)
{
	printf("1..%u\n", tests);
	return failed > 0;
}

void die(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1); /* QEMU ends with us: PR_SET_PDEATHSIG */
}
