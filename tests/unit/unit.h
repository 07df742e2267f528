/* SPDX-License-Identifier: BSD-2-Clause */
/* What every unit test includes first: cmocka and what cmocka needs before it. */
#ifndef BATON_TESTS_UNIT_H
#define BATON_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
