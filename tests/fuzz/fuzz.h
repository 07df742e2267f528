/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each fuzz_NAME.c is one libFuzzer program (`make fuzz`), and is run on a short
 * deterministic stream of noise by driver.c in `make check`. A broken promise aborts.
 */
#ifndef BATON_TESTS_FUZZ_H
#define BATON_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Not assert(): it must hold whatever NDEBUG says. */
#define FUZZ_CHECK(condition)     \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** fuzz_words - what driver.c builds its noise from besides random bytes; ends with NULL. */
extern const char *const fuzz_words[];
/** fuzz_runs - how many inputs of noise; for who is slow, others have driver.c's. */
extern const unsigned int fuzz_runs __attribute__((weak));

#endif
