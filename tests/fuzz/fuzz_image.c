/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `baton check` on a file of anybody's: a flat image, an ELF file or a core, each with tables
 * that hold, and what the input does to it. The first byte says which, and what is asked; then
 * three bytes each put a value that hurts at some word, or cut the file.
 */
#include "fuzz.h"

#include "baton/image.h"
#include "check.h"

#include <elf.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BASE   UINT64_C(0x70000000)
#define HEADER 0x4000
#define SIZE   0x5000
#define FRONT  0x1000 /* of an ELF file, before what it loads */
#define NOTE   412

const unsigned int fuzz_runs = 4000;

const char *const fuzz_words[] = { "\x01",	   "\x11",
				   "\x21",	   "\x02",
				   "\x08\x01\x03", "\x10\x01\x04",
				   "\x20\x01\x05", "\x40\x10\x02",
				   "\x42\x10\x07", "\x47\x10\x06",
				   "\x48\x10\x03", "\x03\x0c\x03",
				   "\xff\x04\x08", NULL };

static const uint64_t values[] = {
	0,
	1,
	UINT64_MAX,
	UINT64_C(1) << 60,
	UINT64_C(1) << 63,
	UINT32_MAX,
	UINT64_MAX - BASE,
	SIZE,
	BASE,
	BASE + 0x1003,
	BASE + 0x2003,
	0x711,
	0x40000003,
	BATON_IMAGE_MAGIC,
	0x8000000000000fff,
	0x0000ffffffffffff,
};

struct file {
	uint8_t byte[FRONT + SIZE];
	size_t size;
};

static void put(struct file *f, size_t at, uint64_t value)
{
	memcpy(f->byte + at, &value, 8);
}

/* Code, a root for both halves, a table of each, a header with two regions. */
static void make_image(struct file *f, size_t at)
{
	const uint64_t header[] = { BATON_IMAGE_MAGIC,	SIZE - HEADER,
				    0xffffff8040000000, 0x41000000,
				    0x41000100,		0x40e00000,
				    0x200000,		2 };
	const uint64_t regions[] = { 0x40000000, 0x800, 0, 1, 0x41000000, 0x100, 0x800, 1 };

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < 0x1000; i += 8)
		put(f, at + i, 0xd503201fd503201f); /* nop */
	put(f, at + 0x1000, BASE + 0x2003);
	put(f, at + 0x1ff8, BASE + 0x3003);
	put(f, at + 0x2000, 0x0060000000000601);
	put(f, at + 0x2008, 0x40000711);
	put(f, at + 0x3008, 0x40000711);
	for (size_t i = 0; i < 8; i++) {
		put(f, at + HEADER + 8 * i, header[i]);
		put(f, at + HEADER + 64 + 8 * i, regions[i]);
	}
	for (size_t i = HEADER + 128; i + 8 <= SIZE; i += 8)
		put(f, at + i, 0xd503201fd503201f);
	f->size = at + SIZE;
}

static void make_elf(struct file *f, bool core)
{
	Elf64_Ehdr h = { .e_ident = ELFMAG,
			 .e_type = core ? ET_CORE : ET_EXEC,
			 .e_machine = EM_AARCH64,
			 .e_version = EV_CURRENT,
			 .e_entry = BASE,
			 .e_phoff = sizeof(Elf64_Ehdr),
			 .e_ehsize = sizeof(Elf64_Ehdr),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = core ? 3 : 2 };
	const Elf64_Phdr p[] = {
		{ PT_LOAD, 7, FRONT, BASE, BASE, HEADER, HEADER, 1 },
		{ PT_LOAD, 7, FRONT + HEADER, 0x40000000, 0x40000000, 0x1000, 0x2000, 1 },
		{ PT_NOTE, 0, 0x100, 0, 0, 2 * NOTE, 0, 1 },
	};
	const uint32_t note[] = { 5, NOTE - 20, 1 };

	make_image(f, FRONT);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	h.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(f->byte, &h, sizeof(h));
	memcpy(f->byte + sizeof(h), p, sizeof(p));
	for (size_t at = 0x100; core && at < 0x100 + 2 * NOTE; at += NOTE) {
		memcpy(f->byte + at, note, sizeof(note));
		memcpy(f->byte + at + 12, "CORE", 5);
		put(f, at + 20 + 112 + 32 * 8, BASE);
		put(f, at + 20 + 112 + 33 * 8, 0x3c5);
	}
}

/* The words of a file's headers and notes more often than those of its middle. */
static void hurt(struct file *f, bool elf, const uint8_t *op)
{
	size_t at = ((size_t)op[0] << 3 | (op[1] & 7)) + ((size_t)(op[1] >> 4) << 12);
	uint64_t value = values[op[2] & 15];

	if (!elf && !(op[2] & 0x80))
		at = HEADER + at % 192;
	if (op[2] & 0x40)
		f->size = at < f->size ? at : f->size;
	else if (at + 8 <= f->size && (op[2] & 0x20))
		memcpy(f->byte + at, &value, 2);
	else if (at + 8 <= f->size)
		put(f, at, value);
}

static struct given_value given(uint64_t value)
{
	return (struct given_value){ true, value };
}

static void parse_lines(int fd, bool lines)
{
	FILE *out = fdopen(dup(fd), "r");
	json_t *j;

	FUZZ_CHECK(out);
	rewind(out);
	do {
		j = json_loadf(out, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
		FUZZ_CHECK(json_is_string(json_object_get(j, "command")));
		FUZZ_CHECK(json_is_boolean(json_object_get(j, "ok")));
		json_decref(j);
		FUZZ_CHECK(fgetc(out) == '\n');
	} while (lines && ungetc(fgetc(out), out) != EOF);
	FUZZ_CHECK(fgetc(out) == EOF);
	fclose(out);
}

/* With both outputs in a file; what is said as JSON has to be such. */
static void run(const struct options *o)
{
	int out = memfd_create("out", 0), old[2] = { dup(1), dup(2) };
	int status;

	FUZZ_CHECK(out >= 0);
	fflush(stdout);
	dup2(out, 1);
	dup2(out, 2); /* nor may anything else be said */
	status = check_run(o);
	fflush(stdout);
	dup2(old[0], 1);
	dup2(old[1], 2);
	close(old[0]);
	close(old[1]);
	FUZZ_CHECK(status >= 0 && status <= 2);
	if (o->json)
		parse_lines(out, o->commands.count);
	close(out);
}

static char c_loader[] = "loader", c_ram[] = "ram", c_dump[] = "pt-dump", c_tables[] = "pt-tables",
	    c_find[] = "pt-find 0x40000000", c_mem[] = "mem -p 0x70000000 64";
static char *lines[] = { c_loader, c_ram, c_dump, c_tables, c_find, c_mem };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct file file;
	uint8_t what = size ? data[0] : 0;
	struct options o = { .mode = MODE_CHECK, .json = what & 0x10 };
	unsigned int kind = what % 3;
	char path[40];
	int fd = memfd_create("image", 0);

	FUZZ_CHECK(fd >= 0);
	if (kind)
		make_elf(&file, kind == 2);
	else
		make_image(&file, 0);
	for (size_t i = 1; i + 3 <= size; i += 3)
		hurt(&file, kind != 0, data + i);
	FUZZ_CHECK(write(fd, file.byte, file.size) == (ssize_t)file.size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o.image = path;
	if (what & 0x20)
		o.commands = (struct strings){ lines, sizeof(lines) / sizeof(lines[0]) };
	if (kind || what & 0x40)
		o.given[GIVEN_TTBR0] = o.given[GIVEN_TTBR1] = given(BASE + 0x1000);
	if (kind)
		o.given[GIVEN_TCR] = given(0x2b5103510);
	else if (what & 0x80)
		o.given[GIVEN_LOAD] = given(BASE);
	run(&o);
	close(fd);
	return 0;
}
