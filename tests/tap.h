/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test program that boots machines says (the Test Anything Protocol). */
#ifndef BATON_TESTS_TAP_H
#define BATON_TESTS_TAP_H

#include <stdbool.h>

/** tap() - one test. tap_end() - the plan, and main()'s status. die() - no sense in going on. */
void tap(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int tap_end(void);
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
