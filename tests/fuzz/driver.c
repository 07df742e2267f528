/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzz target without libFuzzer: the files named on the command line (a crash to
 * look at), or noise from a fixed seed and the corpus that is kept, as one TAP test.
 */
#include "fuzz.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

#define RUNS 20000

/* xorshift64: the same noise with every C library. */
static uint64_t noise = 0x9e3779b97f4a7c15;

static unsigned int below(unsigned int limit)
{
	noise ^= noise << 13;
	noise ^= noise >> 7;
	noise ^= noise << 17;
	return (unsigned int)(noise >> 33) % limit;
}

static void run_noise(unsigned int runs)
{
	struct buf b = { 0 };
	unsigned int words = 0;

	while (fuzz_words[words])
		words++;
	for (unsigned int i = 0; i < runs; i++) {
		buf_clear(&b);
		for (unsigned int n = below(40); n; n--) {
			if (below(8))
				buf_puts(&b, fuzz_words[below(words)]);
			else
				buf_putc(&b, (char)below(256));
		}
		LLVMFuzzerTestOneInput((const uint8_t *)b.data, b.len);
	}
	buf_free(&b);
}

/* tests/fuzz/NAME.corpus, if there is one: a line of hexadecimal for each input (corpus.sh). */
static int run_corpus(const char *name)
{
	struct buf b = { 0 };
	char path[256];
	unsigned int byte;
	FILE *f;
	int n, inputs = 0;

	snprintf(path, sizeof(path), "tests/fuzz/%s.corpus", name);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while ((n = fscanf(f, "%2x", &byte)) == 1) {
		buf_putc(&b, (char)byte);
		n = fgetc(f);
		if (n != '\n') {
			ungetc(n, f);
			continue;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)b.data, b.len);
		buf_clear(&b);
		inputs++;
	}
	FUZZ_CHECK(n == EOF);
	fclose(f);
	buf_free(&b);
	return inputs;
}

static int run_file(const char *path)
{
	struct buf b = { 0 };
	char block[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		return 1;
	}
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&b, block, n);
	fclose(f);
	LLVMFuzzerTestOneInput((const uint8_t *)b.data, b.len);
	buf_free(&b);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	unsigned int runs = &fuzz_runs ? fuzz_runs : RUNS;
	int failed = 0, kept;

	for (int i = 1; i < argc; i++)
		failed |= run_file(argv[i]);
	if (argc > 1)
		return failed;
	name = name ? name + 1 : argv[0];
	kept = run_corpus(name);
	run_noise(runs);
	printf("1..1\nok 1 - %s survives %u inputs of noise, %d kept ones\n", name, runs, kept);
	return 0;
}
