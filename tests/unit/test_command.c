/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_machine.h"

static void an_empty_line_points_to_help(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "  "), 0);
	assert_said(f, "`help` lists");
	assert_log(f, "");
}

static void help_lists_every_command(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "help"), 0);
	for (const struct command *const *row = commands; *row; row++) {
		char line[64];

		snprintf(line, sizeof(line), "\n  %s", (*row)->name);
		if (strncmp(f->out.data, line + 1, strlen(line + 1)))
			assert_said(f, line);
		assert_non_null((*row)->help);
	}
}

static void help_of_one_shows_its_synopsis(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "help pt-walk"), 0);
	assert_said(f, "pt-walk VA [-a r|w|x] [-u] [-q] [--ask-cpu] [-c CPU] [-r REGIME]\n");
}

/* The man page is written by hand, so it is checked against the table. */
static void the_man_page_has_every_command(void **state)
{
	FILE *page = fopen("stub/baton.1", "r");
	static char text[1 << 18];
	size_t len;

	(void)state;
	assert_non_null(page);
	len = fread(text, 1, sizeof(text) - 1, page);
	fclose(page);
	text[len] = '\0';
	for (const struct command *const *row = commands; *row; row++) {
		char name[64], bare[80], with_args[80], *to = name;

		for (const char *from = (*row)->name; *from; from++) {
			if (*from == '-')
				*to++ = '\\';
			*to++ = *from;
		}
		*to = '\0';
		snprintf(bare, sizeof(bare), "\n.TP\n.B %s\n", name);
		snprintf(with_args, sizeof(with_args), "\n.TP\n.BR %s ", name);
		if (!strstr(text, bare) && !strstr(text, with_args))
			fail_msg("stub/baton.1 has no entry for %s", (*row)->name);
	}
}

static void unknown_commands_say_where_help_is(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "xyz 1"), 2);
	assert_log(f, "hmp xyz 1\n");
	assert_said(f, "unknown command: 'xyz 1'\n"); /* without QEMU's \r */
	assert_said(f, "`help` lists baton's commands");
}

static void other_commands_reach_qemu_as_typed(void **state)
{
	static const char *const hmp[] = { "info \"a  b\"", "fine\r\n", "bad", "Error: no\r\n",
					   NULL };
	struct fake *f = *state;

	f->hmp = hmp;
	assert_int_equal(fake_command(f, "info \"a  b\""), 0);
	assert_string_equal(f->out.data, "fine\n");
	assert_int_equal(fake_command(f, " qemu  info \"a  b\""), 0);
	assert_string_equal(f->out.data, "fine\n");
	assert_int_equal(fake_command(f, "bad"), 1);
}

/* By QEMU's rules a name ends at '/' too, and any white space may stand before it. */
static void what_harms_is_not_passed_on(void **state)
{
	static const char *const bad[] = { "q",
					   "quit",
					   "qemu quit",
					   "gdbserver",
					   "gdbserver none",
					   "qemu c",
					   "qemu cont",
					   "qemu \n cont",
					   "c/x",
					   "quit/x",
					   "system_wakeup",
					   "migrate_incoming tcp:0:1",
					   "qemu\tq",
					   "replay_seek 100",
					   "qemu  c" };
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(fake_command(f, bad[i]), 2);
		assert_said(f, "not passed on");
		assert_log(f, "");
	}
}

static void c_is_our_cont(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "c 0.5"), 0);
	assert_log(f, "resume 500\n");
	assert_said(f, "time is over");
	assert_int_equal(fake_command(f, "cont nonsense"), 2);
	assert_int_equal(fake_command(f, "cont -1"), 2);
	assert_int_equal(fake_command(f, "cont nan"), 2);
	assert_log(f, "");
}

static void gdb_runs_the_machine_where_it_is_there(void **state)
{
	struct fake *f = *state;

	f->ctx.gdb = true;
	assert_int_equal(fake_command(f, "cont"), 2);
	assert_said(f, "type `continue` there");
	assert_int_equal(fake_command(f, "step"), 2);
	assert_log(f, "");
}

static void reading_devices_is_refused(void **state)
{
	static const char *const hmp[] = { "print/x  0x9000000",
					   "0x9000000\r\n",
					   "print/x  0x40000000",
					   "0x40000000\r\n",
					   "print/x 0x9000000",
					   "0x9000000\r\n",
					   "print/x 4",
					   "0x4\r\n",
					   "gva2gpa 0xffff0000",
					   "gpa: 0x9000000\r\n",
					   "print/x  0xffff0000",
					   "0xffff0000\r\n",
					   "xp/4xw 0x40000000",
					   "0000000040000000: 0x0\r\n",
					   NULL };
	struct fake *f = *state;

	f->hmp = hmp;
	assert_int_equal(fake_command(f, "xp 0x9000000"), 2);
	assert_said(f, "pl011");
	assert_int_equal(fake_command(f, "xp /4xw 0x9000000"), 2);
	assert_int_equal(fake_command(f, "x/4xw 0xffff0000"), 2);
	assert_int_equal(fake_command(f, "sum 0x9000000 4"), 2);
	assert_said(f, "pl011");
	assert_int_equal(fake_command(f, "sum 0x9000000 + 0 4"), 2);
	assert_int_equal(fake_command(f, "xp/4xw 0x40000000"), 0);
	assert_said(f, "0000000040000000");
	/* What is no expression to QEMU's `print` is none to its `x`, which then reads nothing. */
	assert_int_equal(fake_command(f, "x/2i $nothing"), 2);
	f->m.allow_mmio = true;
	fake_command(f, "xp 0x9000000");
	assert_log(f, "hmp xp 0x9000000\n");
}

static void a_reset_closes_the_journal(void **state)
{
	static const char *const hmp[] = { "system_reset", "", NULL };
	struct patch p = { .kind = PATCH_MEMORY, .address = FAKE_RAM, .size = 8 };
	struct fake *f = *state;
	uint64_t generation = f->m.generation;

	f->hmp = hmp;
	fake_patched(f->ctx.journal, &p);
	assert_int_equal(fake_command(f, "system_reset"), 0);
	assert_said(f, "1 patch is gone with it");
	assert_int_equal(f->m.resets, 1);
	assert_true(f->m.generation > generation);
	assert_int_equal(journal_at(f->ctx.journal, 0)->state, ENTRY_CLOSED);
	assert_int_equal(fake_command(f, "undo 1"), 2);
	assert_int_equal(fake_command(f, "undo"), 0);
}

static void wrong_arguments_are_named(void **state)
{
	static const struct {
		const char *line, *said;
	} bad[] = {
		{ "pt-walk", "VA is missing" },
		{ "pt-walk 0x12g4", "0x12g4" },
		{ "pt-walk nothing", "nothing" },
		{ "pt-walk $nothing", "nothing" },
		{ "pt-walk 1 2", "2: one argument too many" },
		{ "pt-walk 1 -z", "-z: no such option" },
		{ "pt-walk 1 -r", "-r: no such option here, or its value is missing" },
		{ "pt-walk 1 -c 2", "-c 2: no such CPU (there are 0 to 1)" },
		{ "pt-walk 1 -c x", "-c" },
		{ "pt-walk 1 -r nonsense", "nonsense" },
		{ "pt-walk 1 -a q", "-a q" },
		{ "pt-walk \"1", "a quote that does not end" },
		{ "pt-set 1 L4 0", "\"L4\" is no LEVEL" },
		{ "pt-set 1 L0", "DESC is missing" },
		{ "sysreg SCTLR_EL1 = 1", "no instructions can be injected" },
		{ "sysreg NOTHING_EL1", "NOTHING_EL1" },
		{ "symbols", "which ELF file" },
		{ "mem 0x40000000 0", "LEN is 1 to" },
		{ "mem 0xffffffffffffffff 2", "LEN is 1 to" },
		{ "mem -p 0x9000000 4", "pl011" },
		{ "mem -p 0x1000 4", "nothing is there" },
		{ "mem -p 0x400ffff8 16", "nothing is there" },
		{ "undo 7", "there is no patch 7" },
		{ "undo 0x100000001", "there is no patch 0x100000001" },
		{ "step 0", "N is 1 to" },
	};
	struct fake *f = *state;

	fake_tables(f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (fake_command(f, bad[i].line) != 2)
			fail_msg("`%s` did not fail, but: %s", bad[i].line, f->out.data);
		assert_said(f, bad[i].said);
	}
	assert_int_equal(f->device_reads, 0);
}

static void a_walk_that_faults_is_found(void **state)
{
	struct fake *f = *state;

	fake_tables(f);
	assert_int_equal(fake_command(f, "pt-walk $pc"), 0);
	assert_said(f, "0x40000000");
	assert_int_equal(fake_command(f, "pt-walk 0xffffff8040000000 -a x"), 1);
	assert_said(f, "L0 [511]");
	assert_said(f, "\nnext: ");
	fake_set_u64(f, FAKE_L3 + 8, (FAKE_RAM + 0x1000) | (FAKE_PAGE & ~0x400ull));
	assert_int_equal(fake_command(f, "pt-walk 0x40001000"), 1);
	assert_said(f, "next: pt-set 0x40001000 L3 AF=1\n");
}

/* HCR_EL2.E2H is bit 34. Of names near to one only those are said that the CPU has. */
static void sysreg_asks_whether_el2_has_two_halves(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "TCR_EL2", UINT64_C(0x12b5103510));
	assert_int_equal(fake_command(f, "sysreg tcr_el2"), 0);
	assert_said(f, "  PS         [18:16]  0       32-bit\n");
	fake_set_reg(f, "HCR_EL2", UINT64_C(1) << 34);
	assert_int_equal(fake_command(f, "sysreg tcr_el2"), 0);
	assert_said(f, "with E2H");
	assert_said(f, "  IPS        [34:32]  2       40-bit\n");
	assert_int_equal(fake_command(f, "sysreg VTCR_EL2"), 2);
	assert_said(f, "near it: TCR_EL2, HCR_EL2 (`sysreg`");
}

static void a_lost_link_ends_the_session(void **state)
{
	struct fake *f = *state;

	f->lost = true;
	assert_int_equal(fake_command(f, "sysreg"), -BATON_ELINK);
	assert_int_equal(fake_command(f, "pt-walk 1"), -BATON_ELINK);
	assert_int_equal(fake_command(f, "mem -p 0x40000000 16"), -BATON_ELINK);
}

static void memory_is_read_page_by_page(void **state)
{
	struct fake *f = *state;

	fake_tables(f);
	/* Two pages side by side whose memory is not. */
	fake_set_u64(f, FAKE_L3 + 8, (FAKE_RAM + 0x5000) | FAKE_PAGE);
	memcpy(f->ram + 0xff8, "end of 1", 8);
	memcpy(f->ram + 0x5000, "begin 2\x7f", 8);
	assert_int_equal(fake_command(f, "mem 0x40000ff8 16"), 0);
	assert_said(f, "0x0000000040000ff8  65 6e 64 20 6f 66 20 31");
	assert_said(f, "|end of 1|\n");
	assert_said(f, "0x0000000040001000  62 65 67 69 6e 20 32 7f");
	assert_said(f, "|begin 2.|\n");
	fake_set_u64(f, FAKE_L3 + 8, 0);
	assert_int_equal(fake_command(f, "mem 0x40000ff8 16"), 1);
	assert_said(f, "0x40001000: translation fault, level 3");
}

static void mem_reads_a_device_only_when_told(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "mem -p --allow-mmio 0x9000000 4"), 0);
	assert_said(f, "dd dd dd dd");
	assert_false(f->m.allow_mmio);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		T(an_empty_line_points_to_help),
		T(help_lists_every_command),
		T(help_of_one_shows_its_synopsis),
		T(the_man_page_has_every_command),
		T(unknown_commands_say_where_help_is),
		T(other_commands_reach_qemu_as_typed),
		T(what_harms_is_not_passed_on),
		T(c_is_our_cont),
		T(gdb_runs_the_machine_where_it_is_there),
		T(reading_devices_is_refused),
		T(a_reset_closes_the_journal),
		T(wrong_arguments_are_named),
		T(a_walk_that_faults_is_found),
		T(sysreg_asks_whether_el2_has_two_halves),
		T(a_lost_link_ends_the_session),
		T(memory_is_read_page_by_page),
		T(mem_reads_a_device_only_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
