/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "error.h"
#include "machine/symbols.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT 0x70000000ull
#define DATA 0x70002000ull

/* An ELF file: header, section headers, symbols, their names. */
static const char names[] = "\0function\0label\0local\0table\0constant\0$x\0.L1\0elsewhere\0hidden";

enum {
	FUNCTION = 1,
	LABEL = 10,
	LOCAL = 16,
	TABLE = 22,
	CONSTANT = 28,
	MAPPING = 37,
	DOT_L = 40,
	ELSEWHERE = 44,
	HIDDEN = 54
};

struct file {
	Elf64_Ehdr header;
	Elf64_Shdr section[5];
	Elf64_Sym symbol[11];
	char names[sizeof(names)];
};

#define SYMBOL(name, bind, type, section, value, size)                               \
	{                                                                            \
		name, ELF64_ST_INFO(STB_##bind, STT_##type), 0, section, value, size \
	}

static const struct file good = {
	.header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_version = EV_CURRENT,
		.e_shoff = offsetof(struct file, section), .e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 5,
	},
	.section = {
		{ .sh_type = SHT_NULL },
		{ .sh_type = SHT_NOBITS, .sh_addr = TEXT, .sh_size = 0x1000 },
		{ .sh_type = SHT_NOBITS, .sh_addr = DATA, .sh_size = 0x2000 },
		{ .sh_type = SHT_SYMTAB, .sh_offset = offsetof(struct file, symbol),
		  .sh_size = sizeof(((struct file *)NULL)->symbol), .sh_link = 4,
		  .sh_entsize = sizeof(Elf64_Sym), .sh_addralign = 8 },
		{ .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct file, names),
		  .sh_size = sizeof(names), .sh_addralign = 1 },
	},
	.symbol = {
		{ 0 },
		SYMBOL(MAPPING, LOCAL, NOTYPE, 1, TEXT, 0),
		SYMBOL(LOCAL, LOCAL, FUNC, 1, TEXT + 0x100, 0x20),
		SYMBOL(DOT_L, LOCAL, NOTYPE, 1, TEXT + 0x108, 0),
		SYMBOL(FUNCTION, GLOBAL, FUNC, 1, TEXT, 0x40),
		SYMBOL(HIDDEN, GLOBAL, NOTYPE, 1, TEXT, 0),
		SYMBOL(LABEL, GLOBAL, NOTYPE, 1, TEXT + 0x800, 0),
		SYMBOL(TABLE, GLOBAL, OBJECT, 2, DATA, 0x1000),
		SYMBOL(CONSTANT, GLOBAL, NOTYPE, SHN_ABS, TEXT + 0x200, 0),
		SYMBOL(ELSEWHERE, GLOBAL, FUNC, SHN_UNDEF, 0, 0),
		SYMBOL(LABEL, LOCAL, NOTYPE, 1, TEXT + 0x900, 0),
	},
};

static char path[] = "/tmp/baton-test-symbols.XXXXXX";

static int setup(void **state)
{
	struct file f = good;
	int fd;

	memcpy(f.names, names, sizeof(names));
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, &f, sizeof(f)), sizeof(f));
	close(fd);
	*state = symbols_new();
	return 0;
}

static int teardown(void **state)
{
	symbols_free(*state);
	unlink(path);
	return 0;
}

static void rewrite(const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void assert_name(struct symbols *s, uint64_t addr, const char *text)
{
	struct buf out = { 0 };

	symbols_say(s, addr, &out);
	assert_string_equal(out.len ? out.data : "", text);
	buf_free(&out);
}

static void addresses_get_names(void **state)
{
	struct symbols *s = *state;

	assert_int_equal(symbols_load(s, path, 0, NULL), 7);
	assert_name(s, TEXT, " <function>");
	assert_name(s, TEXT + 0x3f, " <function+0x3f>");
	assert_name(s, TEXT + 0x40, "");
	assert_name(s, TEXT - 1, "");
	assert_name(s, TEXT + 0x10c, " <local+0xc>");
	assert_name(s, DATA + 0xff8, " <table+0xff8>");
	assert_name(s, DATA + 0x1000, "");
	assert_name(s, UINT64_MAX, "");
	assert_name(s, 0, "");
}

/* A label has no size: it reaches to the next symbol, and not beyond its section. */
static void labels_reach_to_the_next(void **state)
{
	struct symbols *s = *state;

	symbols_load(s, path, 0, NULL);
	assert_name(s, TEXT + 0x8fc, " <label+0xfc>");
	assert_name(s, TEXT + 0x900, " <label>");
	assert_name(s, TEXT + 0xfff, " <label+0x6ff>");
	assert_name(s, TEXT + 0x1000, "");
}

static void absolute_numbers_name_no_place(void **state)
{
	struct symbols *s = *state;
	uint64_t value;

	symbols_load(s, path, 0, NULL);
	assert_name(s, TEXT + 0x200, "");
	assert_int_equal(symbols_find(s, "constant", &value), 0);
	assert_true(value == TEXT + 0x200);
}

static void names_give_addresses(void **state)
{
	struct symbols *s = *state;
	uint64_t value;

	assert_int_equal(symbols_find(s, "label", &value), -BATON_ENOTFOUND);
	symbols_load(s, path, 0, NULL);
	assert_int_equal(symbols_find(s, "label", &value), 0);
	assert_true(value == TEXT + 0x800); /* the global one */
	assert_int_equal(symbols_find(s, "hidden", &value), 0);
	assert_int_equal(symbols_find(s, "elsewhere", &value), -BATON_ENOTFOUND);
	assert_int_equal(symbols_find(s, "$x", &value), -BATON_ENOTFOUND);
	assert_int_equal(symbols_find(s, "", &value), -BATON_ENOTFOUND);
}

static void a_second_file_may_be_moved(void **state)
{
	struct symbols *s = *state;
	uint64_t value;

	symbols_load(s, path, 0, NULL);
	assert_int_equal(symbols_load(s, path, 0x10000000, NULL), 7);
	assert_name(s, TEXT + 0x10000004, " <function+0x4>");
	assert_name(s, TEXT + 4, " <function+0x4>");
	assert_int_equal(symbols_find(s, "function", &value), 0);
	assert_true(value == TEXT);
}

static void what_is_no_elf_file_is_said(void **state)
{
	static const char jpeg[] = "\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01";
	struct buf err = { 0 };

	rewrite(jpeg, sizeof(jpeg));
	assert_int_equal(symbols_load(*state, path, 0, &err), -BATON_EINVAL);
	assert_non_null(strstr(err.data, path));
	assert_non_null(strstr(err.data, "not an ELF file"));
	buf_clear(&err);
	rewrite("", 0);
	assert_int_equal(symbols_load(*state, path, 0, &err), -BATON_EINVAL);
	buf_clear(&err);
	assert_int_equal(symbols_load(*state, "/nonexistent", 0, &err), -BATON_ENOTFOUND);
	assert_string_equal(err.data, "/nonexistent: No such file or directory");
	buf_clear(&err);
	assert_true(symbols_load(*state, "/", 0, &err) < 0);
	buf_free(&err);
}

static void a_stripped_file_has_none(void **state)
{
	struct file f = good;

	f.section[3].sh_type = SHT_PROGBITS;
	rewrite(&f, sizeof(f));
	assert_int_equal(symbols_load(*state, path, 0, NULL), 0);
}

/* A file that ends early is an error or has fewer symbols, never a crash. */
static void truncated_files_are_survived(void **state)
{
	struct file f = good;

	memcpy(f.names, names, sizeof(names));
	for (size_t len = 0; len < sizeof(f); len += 3) {
		struct symbols *s = symbols_new();
		uint64_t value;

		rewrite(&f, len);
		assert_true(symbols_load(s, path, 0, NULL) <= 7);
		symbols_find(s, "label", &value);
		symbols_name(s, TEXT, &value);
		symbols_free(s);
	}
	rewrite(&f, sizeof(f.header));
	assert_int_equal(symbols_load(*state, path, 0, NULL), -BATON_EINVAL);
}

static void corrupt_files_are_survived(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct symbols *s = symbols_new();
		struct file f = good;
		uint64_t value;

		memcpy(f.names, names, sizeof(names));
		for (int i = 0; i < 1 + round % 8; i++)
			((uint8_t *)&f)[(size_t)rand_r(&seed) % sizeof(f)] = (uint8_t)rand_r(&seed);
		rewrite(&f, sizeof(f));
		symbols_load(s, path, (uint64_t)rand_r(&seed) << 33, NULL);
		symbols_find(s, "label", &value);
		symbols_name(s, TEXT, &value);
		symbols_free(s);
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(addresses_get_names),
		T(labels_reach_to_the_next),
		T(absolute_numbers_name_no_place),
		T(names_give_addresses),
		T(a_second_file_may_be_moved),
		T(what_is_no_elf_file_is_said),
		T(a_stripped_file_has_none),
		T(truncated_files_are_survived),
		T(corrupt_files_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
