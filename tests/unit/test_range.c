/* SPDX-License-Identifier: BSD-2-Clause */
/* pt-map, pt-unmap, pt-protect: what they write, in which order, and what they refuse. */
#include "fake_machine.h"

#include "machine/tables.h"

#define L2    (FAKE_TABLES + 0x2000)
#define POOL  0x400a0000
#define BLOCK 0x40200000ull /* L2 [1]: 2 MiB onto itself, like the pages below it */
#define RO    (1ull << 7)
#define CONT  (1ull << 52)
#define XN    (3ull << 53)

static struct machine_ops ops, fake_ops;
static int writes_left;	      /* before memory fails; -1: never */
static uint64_t watched;      /* an address that has to translate after every write */
static uint64_t other_pc = 0; /* of CPU 1, if not 0 */
static unsigned int writes;

static int counted_write(struct machine *m, uint64_t pa, const void *data, size_t len)
{
	struct tables t;
	struct pt_walk w;
	int err;

	writes++;
	if (!writes_left)
		return -BATON_EREMOTE;
	writes_left -= writes_left > 0;
	err = fake_ops.phys_write(m, pa, data, len);
	if (!watched || err)
		return err;
	assert_int_equal(tables_init(&t, m, NULL, 0, NULL, NULL), 0);
	assert_int_equal(tables_walk(&t, watched, NULL, &w, NULL), 0);
	if (w.fault || w.oa != watched)
		fail_msg("write %u: %#" PRIx64 " does not translate", writes, watched);
	return 0;
}

static int regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n)
{
	int err = fake_ops.regs_read(m, cpu, regs, n);

	for (size_t i = 0; i < n; i++)
		if (cpu == 1 && other_pc && !strcmp(regs[i].name, "pc"))
			regs[i].value = other_pc;
	return err;
}

static int setup(void **state)
{
	struct fake *f;

	fake_setup(state);
	f = *state;
	fake_tables(f);
	fake_set_u64(f, L2 + 8, BLOCK | 0x701);
	f->map[1].last = 0x7fffffff; /* only tables are ever read */
	fake_ops = *f->m.ops;
	ops = fake_ops;
	ops.phys_write = counted_write;
	ops.regs_read = regs_read;
	f->m.ops = &ops;
	fake_set_reg(f, "MAIR_EL1", 0x4400ff);
	writes_left = -1;
	watched = other_pc = 0;
	writes = 0;
	return 0;
}

static void ok(struct fake *f, const char *line)
{
	if (fake_command(f, line))
		fail_msg("`%s`: %s", line, f->out.data);
}

/* Refused, with these words, and nothing is written. */
static void refused(struct fake *f, const char *line, const char *words)
{
	writes = 0;
	if (fake_command(f, line) != 2)
		fail_msg("`%s` was not refused: %s", line, f->out.data);
	assert_said(f, words);
	assert_int_equal(writes, 0);
	assert_int_equal(journal_count(f->ctx.journal), 0);
}

static void a_block_is_split_keeping_what_it_is(void **state)
{
	struct fake *f = *state;

	watched = BLOCK + 0x7000;
	ok(f, "pt-protect 0x40203000 0x1000 r --pool 0x400a0000,0x1000");
	assert_true(fake_u64(f, L2 + 8) == (POOL | 3));
	for (uint64_t i = 0; i < 512; i++)
		assert_true(fake_u64(f, POOL + 8 * i) ==
			    ((BLOCK + i * 0x1000) | 0x703 | (i == 3 ? RO | XN : 0)));
	assert_non_null(strstr(f->log.data, "Z2 0xff8 16\nz2 0xff8 16\n"));
	assert_said(f, "new L3 table at 0x400a0000 for 0x40200000");
	assert_said(f, "journalled as patch 1");
	ok(f, "undo 1");
	assert_true(fake_u64(f, L2 + 8) == (BLOCK | 0x701));
	for (uint64_t i = 0; i < 512; i++)
		assert_true(fake_u64(f, POOL + 8 * i) == 0);
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_said(f, "nothing to undo");
}

static void what_fits_a_block_is_one_with_the_hint(void **state)
{
	struct fake *f = *state;

	/* 32 MiB are one contiguous group of blocks; one more is not */
	ok(f, "pt-map 0x42000000 0x44000000 0x2200000 rw,normal");
	for (uint64_t i = 0; i < 16; i++)
		assert_true(fake_u64(f, L2 + 8 * (16 + i)) ==
			    ((0x44000000 + (i << 21)) | 0x701 | XN | CONT));
	assert_true(fake_u64(f, L2 + 8 * 32) == (0x46000000 | 0x701 | XN));
	assert_said(f, "ranges after:");
	/* one of them is taken out: the others are no group any more */
	ok(f, "pt-unmap 0x42200000 0x200000");
	assert_true(fake_u64(f, L2 + 8 * 17) == 0);
	assert_true(fake_u64(f, L2 + 8 * 16) == (0x44000000 | 0x701 | XN));
	ok(f, "undo all");
	assert_true(fake_u64(f, L2 + 8 * 16) == 0 && fake_u64(f, L2 + 8 * 32) == 0);
}

static void attributes_are_found_in_mair(void **state)
{
	struct fake *f = *state;

	ok(f, "pt-map 0x50000000 0x9000000 0x1000 rw,device --pool 0x400a0000,0x1000");
	assert_true(fake_u64(f, POOL) == (0x9000000 | 0x603 | 1 << 2 | XN));
	ok(f, "pt-map 0x50001000 0x41000000 0x1000 r-x user nc ng");
	assert_true(fake_u64(f, POOL + 8) == (0x41000000 | 0xe03 | 2 << 2 | 3 << 6 | 1ull << 53));
	fake_set_reg(f, "MAIR_EL1", 0xff);
	assert_int_equal(fake_command(f, "pt-map 0x50002000 0x41000000 0x1000 rw,nc"), 2);
	assert_said(f, "has no nc memory; it has 0: Normal WB, 1: Device-nGnRnE");
}

static void what_is_so_already_splits_nothing(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, L2 + 8, BLOCK | 0x701 | 1ull << 54);
	ok(f, "pt-map 0x40203000 0x40203000 0x5000 rwx,normal");
	assert_said(f, "so already");
	ok(f, "pt-protect 0x40203000 0x5000 ish");
	assert_said(f, "so already");
	assert_int_equal(journal_count(f->ctx.journal), 0);
}

static void a_failure_at_any_write_leaves_nothing(void **state)
{
	struct fake *f = *state;
	uint8_t *before = malloc(FAKE_SIZE);
	int n = 0;

	assert_non_null(before);
	memcpy(before, f->ram, FAKE_SIZE);
	for (;; n++) {
		int status;

		writes_left = n;
		status = fake_command(f, "pt-unmap 0x40203000 0x2000 --pool 0x400a0000,0x1000");
		writes_left = -1;
		if (!status)
			break;
		assert_said(f, "stopped at L");
		/* it failed on the way back as well, as a dead memory does: undo does it */
		if (journal_last(f->ctx.journal, &f->m))
			assert_int_equal(fake_command(f, "undo"), 0);
		assert_memory_equal(f->ram, before, FAKE_SIZE);
	}
	assert_true(n > 60); /* 512 entries, 8 at a time, and the block */
	ok(f, "undo");
	assert_memory_equal(f->ram, before, FAKE_SIZE);
	free(before);
}

static void arguments_that_make_no_sense_are_named(void **state)
{
	struct fake *f = *state;

	refused(f, "pt-map", "VA is missing");
	refused(f, "pt-map 0x40200800 0x41000000 0x1000 rw", "multiples of the granule, 0x1000");
	refused(f, "pt-map 0x40203000 0x41000800 0x1000 rw", "PA 0x41000800 is not a multiple");
	refused(f, "pt-unmap 0x40203000 0", "VA and SIZE");
	refused(f, "pt-unmap 0xfffffffff000 0x2000", "not within what TTBR0_EL1 translates");
	refused(f, "pt-map 0x40203000 0x41000000 0x1000 normal", "no letters of rwx");
	refused(f, "pt-map 0x40203000 0x41000000 0x1000 rw,soft", "\"soft\" is no attribute");
	refused(f, "pt-map 0x40203000 0x41000000 0x1000 w", "cannot be read");
	refused(f, "pt-protect 0x40203000 0x1000", "ATTRS is missing");
	refused(f, "pt-protect 0x40203000 0x1000 user", "goes with letters");
	refused(f, "pt-protect 0x50003000 0x1000 r", "nothing is mapped at 0x50003000");
	refused(f, "pt-map 0x40203000 0x41000000 0x1000 rw --pool 7", "ADDR,SIZE is wanted");
	refused(f, "pt-unmap 0x40203000 0x1000", "pass --pool ADDR,SIZE");
	refused(f, "pt-unmap 0x40203000 0x1000 --pool 0x400a0000,0x800", "the pool is used up");
	refused(f, "pt-map 0x40203000 0x10000000000000 0x1000 rw", "refused (output-size)");
}

static void what_is_no_memory_is_refused(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "ID_AA64MMFR0_EL1", 0x1122); /* 40 bits */
	refused(f, "pt-map 0x40003000 0x8000000000000 0x1000 rw", "output-size");
	refused(f, "pt-map 0x40003000 0x10000000000 0x1000 rw",
		"refused (output-size): the address 0x10000000000 is beyond the 40 bits");
	refused(f, "pt-map 0x40003000 0x9000000 0x1000 rw",
		"refused (memory): 0x9000000 is pl011, not RAM");
	refused(f, "pt-map 0x40003000 0x7ffff000 0x2000 rw", "0x80000000 is nothing");
	refused(f, "pt-map 0x40003000 0x8000000 0x1000 rw,device", "nothing is at 0x8000000");
	ok(f, "pt-map 0x40003000 0x8000000 0x1000 rw,device -f memory");
	assert_said(f, "forced (memory)");
}

static void what_the_tables_above_take_away_is_refused(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, FAKE_TABLES + 0x1000 + 8, L2 | 3 | 1ull << 62); /* APTable: read-only */
	refused(f, "pt-map 0x42000000 0x42000000 0x200000 rw",
		"refused (attributes): 0x42000000 "
		"would be r-- (EL0 ---), not rw-");
}

static void what_the_cpu_lives_on_is_not_cut_off(void **state)
{
	struct fake *f = *state;

	refused(f, "pt-unmap 0x40000000 0x1000", "refused (pc): the pc, 0x40000000");
	refused(f, "pt-protect 0x40000000 0x1000 rw", "refused (pc)");
	refused(f, "pt-map 0x40000000 0x41000000 0x1000 rx", "other code: 0x41000000");
	fake_set_reg(f, "sp", 0x40006000);
	refused(f, "pt-unmap 0x40005000 0x1000", "refused (sp): the stack, 0x40005ff0");
	refused(f, "pt-protect 0x40005000 0x1000 r", "no longer be writable");
	fake_set_reg(f, "VBAR_EL1", 0x40007000);
	refused(f, "pt-unmap 0x40007000 0x1000", "refused (vectors): the vectors, 0x40007200");
	refused(f, "pt-unmap 0x40080000 0x1000",
		"refused (tables): the table at 0x40080000 is mapped at 0x40080000");
}

static void nor_is_another_cpu(void **state)
{
	struct fake *f = *state;

	other_pc = 0x40010000;
	refused(f, "pt-unmap 0x40010000 0x1000",
		"refused (other-cpu): the pc of CPU 1, 0x40010000");
	ok(f, "pt-unmap 0x40010000 0x1000 -f other-cpu");
}

/* CPU and pc are where the entry is invalid for a moment. */
static void break_before_make_of_ones_own_code_is_refused(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "pc", BLOCK + 0x123000);
	f->m.accel = ACCEL_KVM;
	refused(f, "pt-unmap 0x40203000 0x1000 --pool 0x400a0000,0x1000",
		"refused (break-before-make): L2 [1] has to be invalid for a moment");
	/* permissions change in place (D8.17.1) */
	assert_int_equal(fake_command(f, "pt-protect 0x40200000 0x200000 rx -n"), 0);
}

static void a_table_of_another_regime_is_refused(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "HCR_EL2", 0x80000000);
	fake_set_reg(f, "SCTLR_EL2", 0x30c50831);
	fake_set_reg(f, "TCR_EL2", 0x80823510);
	fake_set_reg(f, "MAIR_EL2", 0xff);
	fake_set_reg(f, "TTBR0_EL2", 0x400b0000);
	fake_set_u64(f, 0x400b0000, (FAKE_TABLES + 0x1000) | 3);
	refused(f, "pt-unmap 0x40010000 0x1000",
		"refused (table-of-other-regime): the table at 0x40083000, which is written to");
	refused(f, "pt-set 0xffffff8040000000 L0 0x40081003", "which is linked");
}

static void a_pool_that_somebody_uses_is_refused(void **state)
{
	static const char *const roms[] = {
		"info roms", "addr=00000000400c0000 size=0x001000 mem=ram name=\"dtb\"\r\n", NULL
	};
	struct fake *f = *state;

	refused(f, "pt-unmap 0x40203000 0x1000 --pool 0x9000000,0x1000", "cannot be read");
	fake_set_u64(f, POOL + 0x10, 1);
	refused(f, "pt-unmap 0x40203000 0x1000 --pool 0x400a0000,0x1000",
		"refused (pool): 0x400a0010 of the pool is not zero");
	/* the upper half's root is all zero, and in use */
	refused(f, "pt-unmap 0x40203000 0x1000 --pool 0x40090000,0x1000", "is a table in use");
	fake_set_reg(f, "sp", 0x40011000);
	refused(f, "pt-unmap 0x40203000 0x1000 --pool 0x40010000,0x1000", "a CPU's stack");
	f->hmp = roms;
	refused(f, "pt-unmap 0x40203000 0x1000 --pool 0x400c0000,0x1000",
		"no place for a table: dtb");
	ok(f, "pt-unmap 0x40203000 0x1000 --pool 0x400a0000,0x1000 -f pool");
	assert_true(fake_u64(f, POOL + 0x10) == ((BLOCK + 0x2000) | 0x703));
	ok(f, "undo");
	assert_true(fake_u64(f, POOL + 0x10) == 1);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		T(a_block_is_split_keeping_what_it_is),
		T(what_fits_a_block_is_one_with_the_hint),
		T(attributes_are_found_in_mair),
		T(what_is_so_already_splits_nothing),
		T(a_failure_at_any_write_leaves_nothing),
		T(arguments_that_make_no_sense_are_named),
		T(what_is_no_memory_is_refused),
		T(what_the_tables_above_take_away_is_refused),
		T(what_the_cpu_lives_on_is_not_cut_off),
		T(nor_is_another_cpu),
		T(break_before_make_of_ones_own_code_is_refused),
		T(a_table_of_another_regime_is_refused),
		T(a_pool_that_somebody_uses_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
