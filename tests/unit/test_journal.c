/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_machine.h"

static const uint64_t at = FAKE_RAM + 0x100;

/* As a command would: the memory has the new value, and the journal knows. */
static unsigned int made(struct fake *f, uint64_t address, uint64_t old, uint64_t new)
{
	struct patch p = { .kind = PATCH_MEMORY, .address = address, .size = 8 };

	le_write(p.old, 8, old);
	le_write(p.new, 8, new);
	fake_set_u64(f, address, new);
	return journal_add(f->ctx.journal, &p);
}

static int undo(struct fake *f, unsigned int number)
{
	buf_clear(&f->out);
	return journal_undo(f->ctx.journal, &f->m, number, &f->out);
}

static void undo_restores_the_old_bytes(void **state)
{
	struct fake *f = *state;
	unsigned int number = made(f, at, 0x1122334455667788, 0x99);

	assert_int_equal(number, 1);
	assert_int_equal(journal_last(f->ctx.journal), 1);
	assert_int_equal(undo(f, number), 0);
	assert_true(fake_u64(f, at) == 0x1122334455667788);
	assert_said(f, "undone 1: 0x40000100: 0x0000000000000099 -> 0x1122334455667788");
	assert_int_equal(journal_last(f->ctx.journal), 0);
}

static void what_was_overwritten_is_left_alone(void **state)
{
	struct fake *f = *state;
	unsigned int number = made(f, at, 1, 2);

	fake_set_u64(f, at, 3);
	assert_int_equal(undo(f, number), -BATON_EBUSY);
	assert_true(fake_u64(f, at) == 3);
	assert_said(f, "it holds 0x0000000000000003, not 0x0000000000000002");
	assert_int_equal(journal_find(f->ctx.journal, number)->state, ENTRY_APPLIED);
	assert_int_equal(fake_command(f, "undo"), 1);
}

static void nothing_is_undone_twice(void **state)
{
	struct fake *f = *state;
	unsigned int number = made(f, at, 1, 2);

	assert_int_equal(undo(f, number), 0);
	fake_set_u64(f, at, 2);
	assert_int_equal(undo(f, number), -BATON_ENOTFOUND);
	assert_true(fake_u64(f, at) == 2);
	assert_int_equal(undo(f, 0), -BATON_ENOTFOUND);
	assert_int_equal(undo(f, 2), -BATON_ENOTFOUND);
}

static void a_write_that_does_not_stick_is_no_undo(void **state)
{
	struct fake *f = *state;
	unsigned int number = made(f, at, 1, 2);

	f->stuck = true;
	assert_int_equal(undo(f, number), -BATON_EVERIFY);
	assert_int_equal(journal_find(f->ctx.journal, number)->state, ENTRY_APPLIED);
}

/* Two patches of one place: the older one can only go when the later one has gone. */
static void all_are_undone_latest_first(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 1; i <= 20; i++)
		assert_int_equal(made(f, at, i - 1, i), i);
	assert_int_equal(fake_command(f, "undo 1"), 1);
	assert_int_equal(fake_command(f, "undo all"), 0);
	assert_true(fake_u64(f, at) == 0);
	assert_int_equal(fake_command(f, "undo all"), 0);
	assert_said(f, "nothing to undo");
}

static void registers_are_undone_too(void **state)
{
	struct patch p = { .kind = PATCH_REGISTER, .reg = "pc", .size = 8 };
	struct fake *f = *state;

	le_write(p.old, 8, FAKE_RAM);
	le_write(p.new, 8, FAKE_RAM + 0x40);
	fake_set_reg(f, "pc", FAKE_RAM + 0x40);
	assert_int_equal(undo(f, journal_add(f->ctx.journal, &p)), 0);
	assert_true(fake_reg(f, "pc")->value == FAKE_RAM);
}

static void a_table_is_undone_with_its_translations(void **state)
{
	struct patch p = { .kind = PATCH_TABLE, .address = at, .size = 8, .va = 0xffff80001234 };
	struct fake *f = *state;

	assert_int_equal(undo(f, journal_add(f->ctx.journal, &p)), 0);
	assert_log(f, "Z2 0xff8 16\nz2 0xff8 16\n");
	buf_clear(&f->log);
	p.leaf = true;
	assert_int_equal(undo(f, journal_add(f->ctx.journal, &p)), 0);
	assert_log(f, "Z2 0xffff80001000 3\nz2 0xffff80001000 3\n");
}

static void a_reset_closes_what_is_applied(void **state)
{
	struct fake *f = *state;

	made(f, at, 0, 1);
	assert_int_equal(undo(f, 1), 0);
	buf_clear(&f->out);
	journal_reset(f->ctx.journal, &f->out);
	assert_int_equal(f->out.len, 0);
	made(f, at, 0, 1);
	made(f, at + 8, 0, 1);
	journal_reset(f->ctx.journal, &f->out);
	assert_said(f, "2 patches are gone with it");
	assert_int_equal(journal_at(f->ctx.journal, 0)->state, ENTRY_UNDONE);
	assert_int_equal(undo(f, 2), -BATON_ENOTFOUND);
	assert_true(fake_u64(f, at) == 1);
	assert_int_equal(fake_command(f, "patches"), 0);
	assert_said(f, "  2  reset      0x40000100    0x0000000000000000 -> 0x0000000000000001");
}

static const uint64_t table = FAKE_RAM + 0x200;

/* A write of an entry of several: noted, then made. */
static void write_noted(struct fake *f, unsigned int number, uint64_t address, uint64_t new)
{
	struct patch p = { .kind = PATCH_TABLE, .regime = "el1", .address = address, .size = 8 };

	le_write(p.old, 8, fake_u64(f, address));
	le_write(p.new, 8, new);
	assert_int_equal(journal_note(f->ctx.journal, number, &p), 0);
	fake_set_u64(f, address, new);
}

/* Break-before-make writes one place twice: it is one patch, and goes back as one. */
static void several_writes_are_one_patch(void **state)
{
	struct fake *f = *state;
	unsigned int number = journal_begin(f->ctx.journal, "pt-map");

	fake_set_u64(f, table, 7);
	write_noted(f, number, at, 1);
	write_noted(f, number, table, 0);
	write_noted(f, number, table, 9);
	assert_int_equal(journal_end(f->ctx.journal, number), 0);
	assert_int_equal(journal_count(f->ctx.journal), 1);
	assert_int_equal(undo(f, number), 0);
	assert_true(fake_u64(f, table) == 7 && fake_u64(f, at) == 0);
	assert_log(f, "Z2 0xff8 16\nz2 0xff8 16\n");
}

/* One of its places has changed since: none is touched. */
static void several_writes_go_back_all_or_none(void **state)
{
	struct fake *f = *state;
	unsigned int number = journal_begin(f->ctx.journal, "pt-map");

	write_noted(f, number, at, 1);
	write_noted(f, number, table, 9);
	journal_end(f->ctx.journal, number);
	fake_set_u64(f, at, 3);
	assert_int_equal(undo(f, number), -BATON_EBUSY);
	assert_true(fake_u64(f, table) == 9);
	assert_said(f, "0x40000100 holds 0x0000000000000003, not 0x0000000000000001");
}

/* The last write that was noted need not have been made. */
static void a_failed_patch_is_rolled_back(void **state)
{
	struct fake *f = *state;
	unsigned int number = journal_begin(f->ctx.journal, "pt-map");

	write_noted(f, number, at, 1);
	write_noted(f, number, table, 9);
	fake_set_u64(f, table, 0);
	assert_int_equal(journal_abort(f->ctx.journal, &f->m, number, &f->out), 0);
	assert_true(fake_u64(f, at) == 0);
	assert_int_equal(journal_find(f->ctx.journal, number)->state, ENTRY_ABORTED);
	assert_int_equal(journal_last(f->ctx.journal), 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		T(undo_restores_the_old_bytes),
		T(what_was_overwritten_is_left_alone),
		T(nothing_is_undone_twice),
		T(a_write_that_does_not_stick_is_no_undo),
		T(all_are_undone_latest_first),
		T(registers_are_undone_too),
		T(a_table_is_undone_with_its_translations),
		T(a_reset_closes_what_is_applied),
		T(several_writes_are_one_patch),
		T(several_writes_go_back_all_or_none),
		T(a_failed_patch_is_rolled_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
