/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_machine.h"

#define VA	  0x40003000ull /* of page 3, not that of the pc */
#define VA_DESC	  (FAKE_L3 + 3 * 8)
#define HIGH	  "0xffffff8040000000"
#define HIGH_DESC (FAKE_UPPER + 511 * 8)

static int setup(void **state)
{
	fake_setup(state);
	fake_tables(*state);
	return 0;
}

static void a_table_descriptor_is_written_and_all_is_flushed(void **state)
{
	struct fake *f = *state;

	/* The upper half gets the lower half's tables: index 1 of level 1 is 0x40000000. */
	assert_int_equal(fake_command(f, "pt-set " HIGH " L0 0x40081003"), 0);
	assert_true(fake_u64(f, HIGH_DESC) == 0x40081003);
	assert_log(f, "Z2 0xff8 16\nz2 0xff8 16\n");
	assert_said(f, "L0 [511] 0x40090ff8: 0x0000000000000000 -> 0x0000000040081003");
	assert_said(f, "`undo 1`");
	assert_int_equal(fake_command(f, "pt-walk " HIGH), 0);
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_true(fake_u64(f, HIGH_DESC) == 0);
	assert_int_equal(fake_command(f, "pt-walk " HIGH), 1);
}

static void a_page_flushes_that_page_alone(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003210 L3 AF=0"), 0);
	assert_true(fake_u64(f, VA_DESC) == (VA | (FAKE_PAGE & ~0x400ull)));
	assert_log(f, "Z2 0x40003000 3\nz2 0x40003000 3\n");
	assert_true(journal_at(f->ctx.journal, 0)->write[0].leaf);
}

/* Contiguous entries may be cached as one (DDI 0487, D8.7.1). */
static void a_contiguous_page_flushes_all(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 0x10000040003703"), 0);
	assert_log(f, "Z2 0xff8 16\nz2 0xff8 16\n");
}

static void a_broken_contiguous_group_is_warned_of(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 contiguous=1 -n"), 0);
	assert_said(f, "warning: L3 [3] is in a group of 16 with the contiguous bit");
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0 -n"), 0);
	assert_null(strstr(f->out.data, "warning"));
}

static void a_watchpoint_of_the_users_does_not_hide_ours(void **state)
{
	struct fake *f = *state;

	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, WATCH_WRITE, 0x40003000, 8), 0);
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0"), 0);
	assert_log(f, "Z2 0x40003000 3\nz2 0x40003000 3\n");
}

static void addresses_in_fields_are_expressions(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0,oa=$pc+0x5000,SH=3"), 0);
	assert_true(fake_u64(f, VA_DESC) == ((FAKE_RAM + 0x5000) | (FAKE_PAGE & ~0x400ull)));
	assert_int_equal(fake_command(f, "pt-set " HIGH " L0 type=table,table=nothing"), 2);
	assert_said(f, "nothing");
}

static void n_only_shows(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set -n " HIGH " 0 0x40081003"), 0);
	assert_said(f, "would be:");
	assert_said(f, "nothing was written");
	assert_true(fake_u64(f, HIGH_DESC) == 0);
	assert_int_equal(journal_count(f->ctx.journal), 0);
	assert_log(f, "");
}

static void what_is_so_already_is_not_written(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=1"), 0);
	assert_said(f, "it is so already");
	assert_int_equal(journal_count(f->ctx.journal), 0);
}

static void r_chooses_another_root(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003000 L0 0x40081003 -r el1:ttbr0=0x40092000"),
			 0);
	assert_true(fake_u64(f, FAKE_RAM + 0x92000) == 0x40081003);
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *line, *said;
	} bad[] = {
		{ "pt-set " HIGH " L2 0", "does not reach L2: it ends at L0 [511]" },
		{ "pt-set 0x40003000 -1 0", "starts at L0" },
		{ "pt-set 0x40003000 L3 0x40003701", "reserved at L3" },
		{ "pt-set " HIGH " L0 0x40000701", "reserved at L0" },
		{ "pt-set " HIGH " L0 0x9000003", "0x9000000 is pl011, not RAM" },
		{ "pt-set " HIGH " L0 0x3", "not be in RAM: 0 is nothing" },
		{ "pt-set 0x40003000 L2 0x40001701", "not aligned to the block's 0x200000" },
		{ "pt-set 0x40003000 L3 0x800040003703", "beyond the 40 bits" },
		{ "pt-set 0x40003000 L3 nonsense=1", "nonsense" },
		{ "pt-set 0x40003000 L3 AF=7", "AF" },
	};
	struct fake *f = *state;

	fake_set_reg(f, "ID_AA64MMFR0_EL1", 0x1122); /* 40 bits */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (fake_command(f, bad[i].line) != 2)
			fail_msg("`%s` was not refused: %s", bad[i].line, f->out.data);
		assert_said(f, bad[i].said);
	}
	assert_int_equal(journal_count(f->ctx.journal), 0);
	assert_true(fake_u64(f, VA_DESC) == (VA | FAKE_PAGE));
}

static void cutting_off_the_pc_is_refused(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40000000 L3 type=invalid"), 2);
	assert_said(f, "refused (pc): the pc, 0x40000000, would no longer be executable");
	assert_said(f, "(-f pc does it all the same)");
	assert_said(f, "nothing was written");
	assert_int_equal(fake_command(f, "pt-set 0x40000000 L3 0x40005703 -n"), 2);
	assert_said(f, "would be:");
	assert_said(f, "would be other code: 0x40005000 instead of 0x40000000");
	assert_int_equal(journal_count(f->ctx.journal), 0);
	assert_true(fake_u64(f, FAKE_L3) == (FAKE_RAM | FAKE_PAGE));
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 type=invalid -n"), 0);
	assert_null(strstr(f->out.data, "refused"));
}

static void f_overrides_one_check_and_says_so(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40000000 L3 type=invalid -f sp"), 2);
	assert_int_equal(fake_command(f, "pt-set 0x40000000 L3 type=invalid -f nonsense"), 2);
	assert_said(f, "-f nonsense: there is no such check");
	assert_int_equal(journal_count(f->ctx.journal), 0);
	assert_int_equal(fake_command(f, "pt-set 0x40000000 L3 0 -f pc -f other-cpu"), 0);
	assert_said(f, "forced (pc): the pc");
	assert_said(f, "forced (other-cpu): the pc of CPU 1");
	assert_true(fake_u64(f, FAKE_L3) == 0);
}

/* A CPU at EL0 executes no `tlbi`: what cannot be made visible is not written. */
static void what_cannot_be_refreshed_is_not_begun(void **state)
{
	struct fake *f = *state;

	f->m.accel = ACCEL_KVM;
	fake_set_reg(f, "cpsr", 0x3c0);
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0 -r el1"), 2);
	assert_said(f, "CPU 0 is at EL0, and a tlbi for el1 takes EL1");
	assert_said(f, "nothing was written");
	assert_int_equal(journal_count(f->ctx.journal), 0);
	assert_true(fake_u64(f, VA_DESC) == (VA | FAKE_PAGE));
	/* Invalid entries are not cached: nothing is missing here. */
	assert_int_equal(fake_command(f, "pt-set " HIGH " L0 0x40081003 -r el1"), 0);
	assert_log(f, "");
}

static void a_write_that_does_not_stick_is_an_error(void **state)
{
	struct fake *f = *state;

	f->stuck = true;
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0"), 2);
	assert_said(f, "stopped at L3 [3], 0x40083018: ");
	assert_said(f, "did not read back");
	assert_int_equal(journal_at(f->ctx.journal, 0)->state, ENTRY_ABORTED);
}

static void without_an_mmu_there_is_no_descriptor(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "SCTLR_EL1", 0xc50838);
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0"), 2);
	assert_said(f, "the MMU is off");
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0 -r pending"), 0);
}

static void big_endian_tables_are_written_so(void **state)
{
	struct fake *f = *state;

	for (uint64_t pa = FAKE_TABLES; pa < FAKE_TABLES + 0x4000; pa += 8)
		fake_set_u64(f, pa, __builtin_bswap64(fake_u64(f, pa)));
	fake_set_reg(f, "SCTLR_EL1", 0x30d0180d | 1u << 25);
	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 AF=0"), 0);
	assert_true(fake_u64(f, VA_DESC) == __builtin_bswap64(VA | (FAKE_PAGE & ~0x400ull)));
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_true(fake_u64(f, VA_DESC) == __builtin_bswap64(VA | FAKE_PAGE));
}

/* A tag in the top byte is no part of the address that the TLB knows. */
static void tags_do_not_reach_the_watchpoint(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "TCR_EL1", 0x12b5103510 | 1ull << 37);
	assert_int_equal(fake_command(f, "pt-set 0xab00000040003000 L3 AF=0"), 0);
	assert_log(f, "Z2 0x40003000 3\nz2 0x40003000 3\n");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		T(a_table_descriptor_is_written_and_all_is_flushed),
		T(a_page_flushes_that_page_alone),
		T(a_contiguous_page_flushes_all),
		T(a_watchpoint_of_the_users_does_not_hide_ours),
		T(addresses_in_fields_are_expressions),
		T(n_only_shows),
		T(what_is_so_already_is_not_written),
		T(r_chooses_another_root),
		T(what_cannot_be_is_refused),
		T(cutting_off_the_pc_is_refused),
		T(f_overrides_one_check_and_says_so),
		T(what_cannot_be_refreshed_is_not_begun),
		T(a_broken_contiguous_group_is_warned_of),
		T(a_write_that_does_not_stick_is_an_error),
		T(without_an_mmu_there_is_no_descriptor),
		T(big_endian_tables_are_written_so),
		T(tags_do_not_reach_the_watchpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
