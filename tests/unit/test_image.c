/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that is a file: flat, ELF and core, made by hand, good and broken. */
#include "unit.h"

#include "machine/image.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BYTES 0x3000

struct file {
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr p[3];
		uint8_t rest[BYTES];
	} f;
	size_t size;
	char path[32];
	struct machine_image mi;
	struct buf why;
};

/* Two segments: 0x1000 bytes and as many zeros at 0x40000000, 0x100 at 0x50000000. */
static int setup(void **state)
{
	struct file *t = calloc(1, sizeof(*t));
	Elf64_Ehdr h = { .e_ident = ELFMAG,
			 .e_type = ET_EXEC,
			 .e_machine = EM_AARCH64,
			 .e_version = EV_CURRENT,
			 .e_entry = 0xffff000000000010,
			 .e_phoff = sizeof(Elf64_Ehdr),
			 .e_ehsize = sizeof(Elf64_Ehdr),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 2 };

	assert_non_null(t);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	h.e_ident[EI_VERSION] = EV_CURRENT;
	t->f.h = h;
	t->f.p[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_offset = 0x1000,
				  .p_vaddr = 0xffff000000000000,
				  .p_paddr = 0x40000000,
				  .p_filesz = 0x1000,
				  .p_memsz = 0x2000 };
	t->f.p[1] = t->f.p[0];
	t->f.p[1].p_offset = 0x2000;
	t->f.p[1].p_paddr = 0x50000000;
	t->f.p[1].p_filesz = t->f.p[1].p_memsz = 0x100;
	memset((uint8_t *)&t->f + 0x1000, 0xaa, 0x1000);
	memset((uint8_t *)&t->f + 0x2000, 0xbb, 0x100);
	t->size = 0x2100;
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct file *t = *state;

	machine_image_close(&t->mi);
	buf_free(&t->why);
	free(t);
	return 0;
}

static int open_it(struct file *t)
{
	int fd, err;

	snprintf(t->path, sizeof(t->path), "/tmp/baton-image.XXXXXX");
	fd = mkstemp(t->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, &t->f, t->size), (ssize_t)t->size);
	close(fd);
	err = machine_image_open(&t->mi, t->path, &t->why);
	unlink(t->path);
	return err;
}

static void assert_refused(struct file *t, const char *words)
{
	assert_int_equal(open_it(t), -BATON_EINVAL);
	if (!t->why.len || !strstr(t->why.data, words))
		fail_msg("\"%s\" was not said, but: %s", words, t->why.len ? t->why.data : "");
}

static void segments_are_where_they_are_loaded(void **state)
{
	struct file *t = *state;
	uint8_t data[0x1800];

	assert_int_equal(open_it(t), 0);
	assert_int_equal(t->mi.kind, MACHINE_IMAGE_ELF);
	assert_int_equal(t->mi.entry, 0xffff000000000010);
	assert_int_equal(machine_phys_read(&t->mi.m, 0x40000800, data, sizeof(data)), 0);
	assert_int_equal(data[0], 0xaa);
	assert_int_equal(data[0x7ff], 0xaa);
	assert_int_equal(data[0x800], 0); /* behind what the file has of it */
	assert_int_equal(machine_phys_read(&t->mi.m, 0x50000080, data, 0x80), 0);
	assert_int_equal(data[0], 0xbb);
}

static void what_is_not_in_the_file_is_an_error(void **state)
{
	struct file *t = *state;
	uint8_t data[16];

	assert_int_equal(open_it(t), 0);
	assert_int_equal(machine_phys_read(&t->mi.m, 0x40002000, data, 1), -BATON_ERANGE);
	assert_int_equal(machine_phys_read(&t->mi.m, 0x500000f8, data, 16), -BATON_ERANGE);
	assert_int_equal(machine_phys_write(&t->mi.m, 0x40000000, data, 1), -BATON_EUNSUPPORTED);
	assert_int_equal(t->mi.m.ram_count, 2);
}

/* A segment that says that memory is there, and not what it holds. */
static void absent_memory_is_known_and_not_read(void **state)
{
	const struct machine_image_segment s = { .pa = 0x60000000, .size = 0x1000, .absent = true };
	struct file *t = *state;
	uint8_t data[16];

	assert_int_equal(open_it(t), 0);
	assert_int_equal(machine_image_add(&t->mi, &s), 0);
	assert_true(machine_is_ram(&t->mi.m, 0x60000000, 0x1000, false));
	assert_int_equal(machine_phys_read(&t->mi.m, 0x60000000, data, 1), -BATON_ERANGE);
}

static void a_later_segment_lies_over_an_earlier(void **state)
{
	const struct machine_image_segment over = {
		.pa = 0x40000400, .size = 0x200, .offset = 0x2000, .bytes = 0x100
	};
	struct file *t = *state;
	uint8_t data[0x1000];

	assert_int_equal(open_it(t), 0);
	assert_int_equal(machine_image_add(&t->mi, &over), 0);
	assert_int_equal(t->mi.m.ram_count, 2);
	assert_int_equal(machine_phys_read(&t->mi.m, 0x40000000, data, sizeof(data)), 0);
	assert_int_equal(data[0x3ff], 0xaa);
	assert_int_equal(data[0x400], 0xbb);
	assert_int_equal(data[0x4ff], 0xbb);
	assert_int_equal(data[0x500], 0);
	assert_int_equal(data[0x600], 0xaa);
}

static void what_cannot_be_added_is_refused(void **state)
{
	struct machine_image_segment s = { .pa = 0x60000000, .size = 0x1000, .bytes = 0x1000 };
	struct file *t = *state;

	assert_int_equal(open_it(t), 0);
	s.offset = t->size;
	assert_int_equal(machine_image_add(&t->mi, &s), -BATON_EINVAL);
	s.offset = UINT64_MAX;
	assert_int_equal(machine_image_add(&t->mi, &s), -BATON_EINVAL);
	s.offset = 0;
	s.bytes = 0x1001;
	assert_int_equal(machine_image_add(&t->mi, &s), -BATON_EINVAL);
	s = (struct machine_image_segment){ .pa = UINT64_MAX, .size = 2 };
	assert_int_equal(machine_image_add(&t->mi, &s), -BATON_EINVAL);
}

static void truncated_files_are_refused(void **state)
{
	struct file *t = *state;

	t->size = 0x20ff;
	assert_refused(t, "truncated: segment 1 wants 0x100 bytes at offset 0x2000");
}

static void a_cut_header_is_refused(void **state)
{
	struct file *t = *state;

	t->size = 70;
	assert_refused(t, "truncated");
}

static void overlapping_segments_are_refused(void **state)
{
	struct file *t = *state;

	t->f.p[1].p_paddr = 0x40001fff;
	assert_refused(t, "overlap: segment 1 (0x40001fff-0x400020fe) and another (0x40000000-");
}

static void segments_that_wrap_around_are_refused(void **state)
{
	struct file *t = *state;

	t->f.p[0].p_memsz = UINT64_MAX;
	assert_refused(t, "segment 0 cannot be");
}

static void another_architecture_is_refused(void **state)
{
	struct file *t = *state;

	t->f.h.e_machine = EM_X86_64;
	assert_refused(t, "not of AArch64");
}

static void nothing_to_load_is_refused(void **state)
{
	struct file *t = *state;

	t->f.p[0].p_type = t->f.p[1].p_type = PT_NULL;
	assert_refused(t, "loads nothing");
}

static void a_huge_bss_costs_nothing(void **state)
{
	struct file *t = *state;
	uint64_t word;

	t->f.p[1].p_memsz = UINT64_C(1) << 60;
	assert_int_equal(open_it(t), 0);
	assert_int_equal(machine_phys_u64(&t->mi.m, 0x50000000 + (UINT64_C(1) << 50), &word), 0);
	assert_int_equal(word, 0);
}

static void what_was_loaded_ends_with_what_the_file_has(void **state)
{
	struct file *t = *state;
	struct rom *list;
	size_t n;

	t->f.p[1].p_memsz = UINT64_C(1) << 60;
	assert_int_equal(open_it(t), 0);
	assert_int_equal(machine_roms(&t->mi.m, &list, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].size, 0x1000);
	assert_int_equal(list[1].addr, 0x50000000);
	assert_int_equal(list[1].size, 0x100);
	free(list);
}

/* Words for who tries. */
static void what_a_file_cannot_do_is_said(void **state)
{
	struct file *t = *state;
	struct machine_stop stop = { 0 };

	assert_int_equal(open_it(t), 0);
	assert_int_equal(machine_resume(&t->mi.m, -1, &stop), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(t->mi.m.error, "a file does not run: `baton run"));
	assert_int_equal(machine_step(&t->mi.m, 0, &stop), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(t->mi.m.error, "a file does not run"));
	assert_int_equal(machine_phys_write(&t->mi.m, 0x40000000, "x", 1), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(t->mi.m.error, "the file is not changed"));
	assert_int_equal(machine_reg_write(&t->mi.m, 0, "x0", 1), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(t->mi.m.error, "--ttbr0"));
}

static void anything_else_is_flat_and_placed_by_whoever_knows(void **state)
{
	const struct machine_image_segment s = { .pa = 0x70000000,
						 .size = 0x2100,
						 .bytes = 0x2100 };
	struct file *t = *state;
	uint64_t word;

	t->f.h.e_ident[0] = 0;
	assert_int_equal(open_it(t), 0);
	assert_int_equal(t->mi.kind, MACHINE_IMAGE_FLAT);
	assert_int_equal(t->mi.m.ram_count, 0);
	assert_int_equal(machine_image_add(&t->mi, &s), 0);
	assert_int_equal(machine_phys_u64(&t->mi.m, 0x70001000, &word), 0);
	assert_int_equal(word, 0xaaaaaaaaaaaaaaaa);
}

/* Two CPUs' NT_PRSTATUS, as QEMU writes them. */
static void put_notes(struct file *t, size_t at)
{
	uint8_t *p = (uint8_t *)&t->f + at;

	for (unsigned int cpu = 0; cpu < 2; cpu++, p += 12 + 8 + 392) {
		uint32_t head[3] = { 5, 392, 1 };

		memset(p, 0, 12 + 8 + 392);
		memcpy(p, head, sizeof(head));
		memcpy(p + 12, "CORE", 5);
		for (uint64_t i = 0; i < 34; i++) {
			uint64_t value = 0x1000 * (cpu + 1) + i;

			memcpy(p + 20 + 112 + 8 * i, &value, 8);
		}
	}
	t->f.h.e_type = ET_CORE;
	t->f.h.e_phnum = 3;
	t->f.p[2] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = at, .p_filesz = 2 * 412 };
}

static void a_core_has_registers(void **state)
{
	struct file *t = *state;
	uint64_t v;

	put_notes(t, 0x2100);
	t->size = 0x2100 + 2 * 412;
	assert_int_equal(open_it(t), 0);
	assert_int_equal(t->mi.kind, MACHINE_IMAGE_CORE);
	assert_int_equal(t->mi.m.cpus, 2);
	assert_int_equal(machine_reg_read(&t->mi.m, 0, "x3", &v), 0);
	assert_int_equal(v, 0x1003);
	assert_int_equal(machine_reg_read(&t->mi.m, 1, "LR", &v), 0);
	assert_int_equal(v, 0x201e);
	assert_int_equal(machine_reg_read(&t->mi.m, 1, "pc", &v), 0);
	assert_int_equal(v, 0x2020);
	assert_int_equal(machine_reg_read(&t->mi.m, 0, "TTBR0_EL1", &v), -BATON_ENOTFOUND);
	machine_image_set_reg(&t->mi, MACHINE_IMAGE_ALL, "TTBR0_EL1", 0x4000);
	assert_int_equal(machine_reg_read(&t->mi.m, 1, "ttbr0_el1", &v), 0);
	assert_int_equal(v, 0x4000);
}

static void notes_that_lie_about_their_size_end(void **state)
{
	struct file *t = *state;
	uint32_t huge = UINT32_MAX;

	put_notes(t, 0x2100);
	memcpy((uint8_t *)&t->f + 0x2100 + 4, &huge, 4);
	t->size = 0x2100 + 2 * 412;
	assert_int_equal(open_it(t), 0);
	assert_int_equal(t->mi.regs, 0);
	assert_int_equal(t->mi.m.cpus, 1);
}

static void notes_beyond_the_file_are_refused(void **state)
{
	struct file *t = *state;

	put_notes(t, 0x2100);
	t->size = 0x2100 + 411;
	assert_refused(t, "truncated: its notes");
}

static void what_is_no_file_is_refused(void **state)
{
	struct file *t = *state;

	assert_int_equal(machine_image_open(&t->mi, "/", &t->why), -BATON_EINVAL);
	machine_image_close(&t->mi);
	assert_int_equal(machine_image_open(&t->mi, "/nonexistent/x", &t->why), -BATON_ENOTFOUND);
	machine_image_close(&t->mi);
	assert_int_equal(machine_image_open(&t->mi, "/dev/null", &t->why), -BATON_EINVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(segments_are_where_they_are_loaded),
		T(what_is_not_in_the_file_is_an_error),
		T(absent_memory_is_known_and_not_read),
		T(a_later_segment_lies_over_an_earlier),
		T(what_cannot_be_added_is_refused),
		T(truncated_files_are_refused),
		T(a_cut_header_is_refused),
		T(overlapping_segments_are_refused),
		T(segments_that_wrap_around_are_refused),
		T(another_architecture_is_refused),
		T(nothing_to_load_is_refused),
		T(a_huge_bss_costs_nothing),
		T(what_was_loaded_ends_with_what_the_file_has),
		T(what_a_file_cannot_do_is_said),
		T(anything_else_is_flat_and_placed_by_whoever_knows),
		T(a_core_has_registers),
		T(notes_that_lie_about_their_size_end),
		T(notes_beyond_the_file_are_refused),
		T(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
