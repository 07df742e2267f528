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
	return fake_patched(f->ctx.journal, &p);
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
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 1);
	assert_int_equal(undo(f, number), 0);
	assert_true(fake_u64(f, at) == 0x1122334455667788);
	assert_said(f, "undone 1: 0x40000100: 0x0000000000000099 -> 0x1122334455667788");
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 0);
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

/* The old value is there, but it is the later one's: the order counts, not the value. */
static void what_a_later_one_lies_upon_waits_for_it(void **state)
{
	struct fake *f = *state;

	made(f, at, 0, 1);
	made(f, at, 1, 0);
	assert_int_equal(undo(f, 1), -BATON_EBUSY);
	assert_said(f, "undo 1: not done, patch 2 wrote there after it: undo 2 first, or undo all");
	assert_int_equal(journal_find(f->ctx.journal, 1)->state, ENTRY_APPLIED);
	assert_true(fake_u64(f, at) == 0);
	assert_int_equal(undo(f, 2), 0);
	assert_true(fake_u64(f, at) == 1);
	assert_int_equal(undo(f, 1), 0);
	assert_true(fake_u64(f, at) == 0);
	made(f, at, 0, 1);
	made(f, at, 1, 0);
	assert_int_equal(fake_command(f, "undo all"), 0);
	assert_true(fake_u64(f, at) == 0);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 0);
}

/* One byte in common is enough; a neighbour, and a patch that was undone, are not. */
static void only_what_overlaps_waits(void **state)
{
	struct patch p = { .kind = PATCH_TABLE, .regime = "el1", .address = at + 7, .size = 1 };
	struct fake *f = *state;

	made(f, at, 0, 1);
	made(f, at + 8, 0, 1);
	made(f, at - 8, 0, 1);
	fake_patched(f->ctx.journal, &p);
	assert_int_equal(undo(f, 1), -BATON_EBUSY);
	assert_said(f, "patch 4 wrote there after it");
	assert_int_equal(undo(f, 4), 0);
	assert_int_equal(undo(f, 1), 0);
	assert_true(fake_u64(f, at) == 0);
}

/* The same register of another CPU is another place. */
static void a_register_waits_for_its_later_patch(void **state)
{
	struct patch p = { .kind = PATCH_REGISTER, .reg = "pc", .size = 8 };
	struct journal *j = ((struct fake *)*state)->ctx.journal;
	struct fake *f = *state;

	le_write(p.old, 8, FAKE_RAM);
	le_write(p.new, 8, FAKE_RAM);
	fake_patched(j, &p);
	p.cpu = 1;
	fake_patched(j, &p);
	assert_int_equal(undo(f, 1), 0);
	p.cpu = 0;
	fake_patched(j, &p);
	fake_patched(j, &p);
	assert_int_equal(undo(f, 3), -BATON_EBUSY);
	assert_said(f, "patch 4 wrote there after it");
}

static void registers_are_undone_too(void **state)
{
	struct patch p = { .kind = PATCH_REGISTER, .reg = "pc", .size = 8 };
	struct fake *f = *state;

	le_write(p.old, 8, FAKE_RAM);
	le_write(p.new, 8, FAKE_RAM + 0x40);
	fake_set_reg(f, "pc", FAKE_RAM + 0x40);
	assert_int_equal(undo(f, fake_patched(f->ctx.journal, &p)), 0);
	assert_true(fake_reg(f, "pc")->value == FAKE_RAM);
}

/* What every instruction changes is no conflict, and no patch any more. */
static void the_pc_goes_on(void **state)
{
	struct patch p = { .kind = PATCH_REGISTER, .reg = "pc", .size = 8 };
	struct fake *f = *state;

	made(f, at, 0, 1);
	le_write(p.old, 8, FAKE_RAM);
	le_write(p.new, 8, FAKE_RAM + 0x40);
	fake_set_reg(f, "pc", FAKE_RAM + 0x40);
	fake_patched(f->ctx.journal, &p);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 2);
	fake_set_reg(f, "pc", FAKE_RAM + 0x44);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 1);
	assert_int_equal(undo(f, 2), -BATON_EBUSY);
	assert_said(f, "CPU 0 has run on since");
	assert_int_equal(fake_command(f, "patches"), 0);
	assert_said(f, "  2  passed     CPU 0 pc");
	assert_int_equal(fake_command(f, "undo all"), 0);
	assert_true(fake_u64(f, at) == 0);
}

static void a_table_is_undone_with_its_translations(void **state)
{
	struct patch p = { .kind = PATCH_TABLE, .address = at, .size = 8, .va = 0xffff80001234 };
	struct fake *f = *state;

	assert_int_equal(undo(f, fake_patched(f->ctx.journal, &p)), 0);
	assert_log(f, "Z2 0xff8 16\nz2 0xff8 16\n");
	buf_clear(&f->log);
	p.leaf = true;
	assert_int_equal(undo(f, fake_patched(f->ctx.journal, &p)), 0);
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
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 0);
}

static unsigned int lines(struct fake *f, const char *with)
{
	unsigned int n = 0;

	for (const char *at_line = f->out.data; (at_line = strstr(at_line, with)); n++)
		at_line++;
	return n;
}

static void write_many(struct fake *f)
{
	unsigned int number = journal_begin(f->ctx.journal, "pt-map");

	for (unsigned int i = 0; i < 65; i++)
		write_noted(f, number, FAKE_RAM + 0x800 + 8 * i, 1);
}

/* A block split is 65 writes: nobody reads them all, unless asked for by number. */
static void many_writes_are_cut_short(void **state)
{
	struct fake *f = *state;
	struct journal *j = f->ctx.journal;

	write_many(f);
	assert_int_equal(journal_abort(j, &f->m, 1, &f->out), 0);
	assert_int_equal(lines(f, "rolled back 1: "), 8);
	assert_said(f, "... and 57 more (`patches 1` lists all)\n");
	write_many(f);
	assert_int_equal(journal_end(j, 2), 0);
	assert_int_equal(fake_command(f, "patches 2"), 0);
	assert_int_equal(lines(f, " -> 0x0000000000000001"), 65);
	assert_int_equal(undo(f, 2), 0);
	assert_int_equal(lines(f, "undone 2: "), 8);
	assert_said(f, "... and 57 more (`patches 2` lists all)\n");
	for (unsigned int i = 0; i < 65; i++)
		assert_true(fake_u64(f, FAKE_RAM + 0x800 + 8 * i) == 0);
	assert_int_equal(fake_command(f, "patches"), 0);
	assert_int_equal(lines(f, " -> "), 16);
	assert_int_equal(lines(f, "... and 57 more (`patches "), 2);
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
		T(what_a_later_one_lies_upon_waits_for_it),
		T(only_what_overlaps_waits),
		T(a_register_waits_for_its_later_patch),
		T(registers_are_undone_too),
		T(the_pc_goes_on),
		T(a_table_is_undone_with_its_translations),
		T(a_reset_closes_what_is_applied),
		T(several_writes_are_one_patch),
		T(several_writes_go_back_all_or_none),
		T(a_failed_patch_is_rolled_back),
		T(many_writes_are_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
