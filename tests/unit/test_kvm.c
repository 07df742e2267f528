/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where only an executed instruction makes a CPU forget: what is written, and what the CPU is
 * made to do in between. Its pc moves by one word a step; x0 to x30 are its own.
 */
#include "fake_machine.h"

#include "patch/touch.h"

#define DESC (FAKE_L3 + 8 * 3) /* of 0x40003000 */
#define CODE (FAKE_RAM + 0x7000)

#define DC_CVAC	   0xd50b7a20u
#define IC_IALLUIS 0xd508711fu

static struct machine_ops ops, fake_ops;
static uint64_t x[31];
static unsigned int fails_at; /* the write to tables that fails; 0: none */
static unsigned int writes;

/* A write to tables: where, and the first descriptor, as an address and "-" where it is 0. */
static int phys_write(struct machine *m, uint64_t pa, const void *data, size_t len)
{
	struct fake *f = fake_of(m);

	if (pa < FAKE_TABLES)
		return fake_ops.phys_write(m, pa, data, len);
	if (++writes == fails_at)
		return -BATON_EREMOTE;
	buf_printf(&f->log, "[%u] %#" PRIx64 "\n", (unsigned int)((pa - FAKE_L3) / 8),
		   le_read(data, len < 8 ? (unsigned int)len : 8) & 0xfffffffff000);
	return fake_ops.phys_write(m, pa, data, len);
}

static int regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n)
{
	int err = fake_ops.regs_read(m, cpu, regs, n);

	for (size_t i = 0; i < n; i++)
		if (regs[i].name[0] == 'x') {
			regs[i].err = 0;
			regs[i].value = x[atoi(regs[i].name + 1)];
		}
	return err;
}

static int reg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value)
{
	if (*name != 'x')
		return fake_ops.reg_write(m, cpu, name, value);
	x[atoi(name + 1)] = value;
	return 0;
}

static int step(struct machine *m, unsigned int cpu, int timeout_ms, struct machine_stop *stop)
{
	struct fake *f = fake_of(m);
	uint64_t *pc = &fake_reg(f, "pc")->value;
	uint32_t word = (uint32_t)le_read(f->ram + (*pc - FAKE_RAM), 4);

	(void)cpu, (void)timeout_ms;
	if ((word & 0xfff8f000) == 0xd5088000)
		buf_puts(&f->log, "tlbi\n");
	if ((word & ~31u) == DC_CVAC)
		buf_printf(&f->log, "dc %#" PRIx64 "\n", x[word & 31]);
	if (word == IC_IALLUIS)
		buf_puts(&f->log, *pc / 0x1000 == CODE / 0x1000 ? "ic in place\n" : "ic\n");
	if (stop)
		*stop = (struct machine_stop){ .kind = STOP_SIGNAL, .signal = 5 };
	*pc += 4;
	return 0;
}

static uint64_t refused;    /* where no breakpoint can be laid */
static unsigned int places; /* in hardware, that are left */

static int stop_point(struct machine *m, bool insert, enum break_type type, uint64_t addr,
		      unsigned int kind)
{
	if (insert && addr == refused)
		return machine_fail(m, -BATON_EFAULT, "it is not mapped");
	if (insert && type == BREAK_HARD && !places)
		return -BATON_ETOOBIG;
	if (type == BREAK_HARD)
		places += insert ? -1u : 1u;
	return fake_ops.stop_point(m, insert, type, addr, kind);
}

static int setup(void **state)
{
	struct fake *f;

	fake_setup(state);
	f = *state;
	fake_tables(f);
	fake_ops = *f->m.ops;
	ops = fake_ops;
	ops.phys_write = phys_write;
	ops.regs_read = regs_read;
	ops.reg_write = reg_write;
	ops.step = step;
	ops.stop_point = stop_point;
	f->m.ops = &ops;
	f->m.accel = ACCEL_KVM;
	f->m.cpus = 1;
	fake_set_reg(f, "sp", FAKE_RAM + 0x2000);
	memset(x, 0, sizeof(x));
	fails_at = writes = 0;
	refused = 0;
	places = 4;
	return 0;
}

static void an_edit_and_its_undo_break_before_they_make(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 OA=0x40005000"), 0);
	/* the first one before anything is written: can it be done? */
	assert_log(f, "tlbi\n[3] 0\ntlbi\n[3] 0x40005000\n");
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_log(f, "tlbi\n[3] 0\ntlbi\n[3] 0x40003000\ntlbi\n");
}

/* Three runs of descriptors are broken, of the new ones the second cannot be written. */
static void a_rollback_breaks_before_it_makes(void **state)
{
	struct fake *f = *state;

	fails_at = 5;
	assert_int_equal(fake_command(f, "pt-map 0x40003000 0x40023000 0x12000 rwx"), 2);
	assert_said(f, "nothing was changed");
	assert_log(f, "tlbi\n[3] 0\n[8] 0\n[16] 0\ntlbi\n[3] 0x40023000\n"
		      "[3] 0\ntlbi\n[16] 0x40010000\n[8] 0x40008000\n[3] 0x40003000\ntlbi\n");
}

/* While it is invalid nobody could execute a `tlbi`: the pc, VBAR and x30 are there. */
static void an_undo_that_takes_the_code_away_is_not_done(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-set 0x40003000 L3 OA=0x40005000"), 0);
	fake_set_reg(f, "pc", FAKE_RAM + 0x3000);
	fake_set_reg(f, "VBAR_EL1", FAKE_RAM + 0x3800);
	x[30] = FAKE_RAM + 0x3040;
	assert_int_equal(fake_command(f, "undo"), 2);
	assert_said(f, "undo 1: it has to be invalid for a moment (break-before-make), and then "
		       "CPU 0 cannot be given code");
	assert_log(f, "[3] 0\n[3] 0x40005000\n");
	assert_int_equal(journal_at(f->ctx.journal, 0)->state, ENTRY_APPLIED);
	fake_set_reg(f, "pc", FAKE_RAM);
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_true(fake_u64(f, DESC) == ((FAKE_RAM + 0x3000) | FAKE_PAGE));
}

static int write_as_gdb(struct fake *f, uint64_t desc)
{
	struct touch t = { .machine = &f->m, .journal = f->ctx.journal };
	uint8_t data[8];
	int err;

	le_write(data, 8, desc);
	buf_clear(&f->log);
	err = touch_begin(&t, DESC, data, 8, false, "GDB");
	if (err)
		return err;
	return touch_end(&t, machine_phys_write(&f->m, DESC, data, 8), &f->out);
}

static void a_write_of_gdbs_is_broken_first(void **state)
{
	struct fake *f = *state;

	assert_int_equal(write_as_gdb(f, 0x40005000 | FAKE_PAGE), 0);
	assert_log(f, "[3] 0\ntlbi\n[3] 0x40005000\n[3] 0x40005000\ntlbi\n");
	assert_said(f, "0x0000000040003703 -> 0x0000000040005703 (`patches 1`");
	/* read-only: changes in place */
	assert_int_equal(write_as_gdb(f, 0x40005000 | FAKE_PAGE | 0x80), 0);
	assert_log(f, "[3] 0x40005000\ntlbi\n");
	assert_int_equal(fake_command(f, "undo all"), 0);
	/* it asks for both before it writes, and again for each */
	assert_log(f, "tlbi\ntlbi\n"
		      "tlbi\n[3] 0x40005000\ntlbi\n"
		      "tlbi\n[3] 0\ntlbi\n[3] 0x40003000\ntlbi\n");
}

/* Two bytes of a descriptor: the others stay. */
static void a_part_of_a_descriptor_is_broken_first(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "patch -b 0x40083019 = 0x57"), 0);
	assert_true(fake_u64(f, DESC) == (0x40005000 | FAKE_PAGE));
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_true(fake_u64(f, DESC) == ((FAKE_RAM + 0x3000) | FAKE_PAGE));
}

static void one_that_cannot_be_broken_is_not_made(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "cpsr", 0x3c0);
	assert_int_equal(write_as_gdb(f, 0x40005000 | FAKE_PAGE), -BATON_EREFUSED);
	assert_non_null(strstr(f->m.error, "at EL0"));
	assert_true(fake_u64(f, DESC) == ((FAKE_RAM + 0x3000) | FAKE_PAGE));
	assert_int_equal(journal_at(f->ctx.journal, 0)->state, ENTRY_ABORTED);
}

#define CLEAN "dc 0x40007000\ndc 0x40007003\ndc 0x40007003\ndc 0x40007003\nic\n"

static void code_is_cleaned_and_fetched_again(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "patch 0x40007000 = 0xd503201f"), 0);
	assert_log(f, CLEAN);
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_log(f, CLEAN CLEAN);
	assert_int_equal(fake_command(f, "patch 0x40007038 = 1 2 3 4"), 0);
	assert_log(f, "dc 0x40007038\ndc 0x40007047\ndc 0x40007047\ndc 0x40007047\nic\n");
}

/* Physical 0x40007000 is mapped at 0x40008000 alone. */
static void code_is_cleaned_where_it_is_mapped(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, FAKE_L3 + 8 * 7, 0);
	fake_set_u64(f, FAKE_L3 + 8 * 8, CODE | FAKE_PAGE);
	assert_int_equal(fake_command(f, "patch -p 0x40007010 = 1"), 0);
	assert_log(f, "dc 0x40008010\ndc 0x40008013\ndc 0x40008013\ndc 0x40008013\nic\n");
	fake_set_u64(f, FAKE_L3 + 8 * 8, 0);
	assert_int_equal(fake_command(f, "patch -p 0x40007010 = 2"), 0);
	assert_said(f, "what was at 0x40007010 before: CPU 0 has physical 0x40007010 mapped "
		       "nowhere; then `patch` it again");
}

/* What is put back at the pc is not invalidated: so from elsewhere, if there is anything. */
static void code_is_cleaned_from_another_page(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "pc", CODE);
	x[30] = FAKE_RAM + 0x1000;
	assert_int_equal(fake_command(f, "patch 0x40007000 = 1"), 0);
	assert_log(f, CLEAN);
	fake_set_reg(f, "VBAR_EL1", CODE + 0x800);
	x[30] = CODE;
	assert_int_equal(fake_command(f, "patch 0x40007800 = 1"), 0);
	assert_non_null(strstr(f->log.data, "ic in place\n"));
}

static void what_cannot_be_made_visible_is_said(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "cpsr", 0x3c0);
	assert_int_equal(fake_command(f, "patch 0x40007000 = 1 -r el1"), 0);
	assert_said(f, "a CPU may go on executing what was at 0x40007000 before: CPU 0 is at EL0, "
		       "out of reach: let it come to its kernel first (a breakpoint at "
		       "VBAR_EL1+0x400 or +0x480); then `patch` it again");
	assert_true((uint32_t)fake_u64(f, CODE) == 1);
	assert_int_equal(fake_command(f, "patch 0x40007000 = 1 -r el1"), 2);
	assert_said(f, "nothing to write");
	fake_set_reg(f, "cpsr", 0x3c5);
	assert_int_equal(fake_command(f, "patch 0x40007000 = 1"), 0);
	assert_said(f, "nothing to write");
	assert_log(f, CLEAN);
	f->m.accel = ACCEL_TCG;
	assert_int_equal(fake_command(f, "patch 0x40007000 = 2"), 0);
	assert_log(f, "");
}

/* A step over it has unmapped its page: it is wanted all the same. */
static void a_breakpoint_that_cannot_be_put_back_is_said(void **state)
{
	struct fake *f = *state;

	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, BREAK_SOFT, FAKE_RAM, 4), 0);
	refused = FAKE_RAM;
	assert_int_equal(fake_command(f, "step"), 0);
	assert_log(f, "z0 0x40000000 4\n");
	assert_said(f, "the breakpoint at 0x40000000 (GDB's) cannot be put back after a step over "
		       "it: it is not mapped; tried again at each run\n");
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_null(strstr(f->out.data, "breakpoint at"));
	refused = 0;
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_log(f, "Z0 0x40000000 4\nresume 1000\n");
	assert_said(f, "the breakpoint at 0x40000000 (GDB's) is there again\n");
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_log(f, "resume 1000\n");
}

/* Whoever asks for it again hears that it is not there; whoever takes it away, that it is not. */
static void one_that_is_out_is_answered_truly(void **state)
{
	struct fake *f = *state;

	assert_int_equal(machine_break_add(&f->m, BREAK_HANDOFF, BREAK_SOFT, FAKE_RAM, 4), 0);
	refused = FAKE_RAM;
	assert_int_equal(machine_step(&f->m, 0, NULL), 0);
	assert_non_null(strstr(f->m.notice.data, "0x40000000 (the handoff's)"));
	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, BREAK_HARD, FAKE_RAM, 4),
			 -BATON_EFAULT);
	assert_false(machine_break_has(&f->m, BREAK_GDB, FAKE_RAM));
	buf_clear(&f->log);
	assert_int_equal(machine_break_remove(&f->m, BREAK_HANDOFF, BREAK_SOFT, FAKE_RAM, 4), 0);
	assert_log(f, "");
	refused = 0;
	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, BREAK_SOFT, FAKE_RAM, 4), 0);
	assert_log(f, "Z0 0x40000000 4\n");
}

/* A CPU that stands there again would be held. */
static void one_where_the_cpu_stands_waits(void **state)
{
	struct fake *f = *state;

	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, BREAK_SOFT, FAKE_RAM, 4), 0);
	refused = FAKE_RAM;
	assert_int_equal(fake_command(f, "step"), 0);
	refused = 0;
	fake_set_reg(f, "pc", FAKE_RAM);
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_log(f, "resume 1000\n");
	assert_int_equal(fake_command(f, "step"), 0);
	assert_log(f, "Z0 0x40000000 4\n");
}

/* GDB's user is told, once, what a breakpoint waits for; and that it waits no more. */
static void one_of_gdbs_waits(void **state)
{
	struct fake *f = *state;

	refused = FAKE_RAM + 64;
	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, BREAK_SOFT, FAKE_RAM + 64, 4), 0);
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_log(f, "resume 1000\n");
	assert_said(f, "the breakpoint at 0x40000040 (GDB's) waits: it is not mapped; "
		       "tried again at each stop\n");
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_null(strstr(f->out.data, "breakpoint at"));
	refused = 0;
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_log(f, "Z0 0x40000040 4\nresume 1000\n");
	assert_said(f, "the breakpoint at 0x40000040 (GDB's) is there now\n");
	buf_clear(&f->log);
	assert_int_equal(machine_break_remove(&f->m, BREAK_GDB, BREAK_SOFT, FAKE_RAM + 64, 4), 0);
	assert_log(f, "z0 0x40000040 4\n");
}

/* With one place for all: the last to be asked for is the first to get it. */
static void gdbs_take_the_place_of_batons(void **state)
{
	struct fake *f = *state;

	places = 1;
	assert_int_equal(machine_break_add(&f->m, BREAK_HANDOFF, BREAK_HARD, FAKE_RAM + 64, 4), 0);
	assert_int_equal(machine_break_add(&f->m, BREAK_ALIAS, BREAK_HARD, FAKE_RAM + 4, 4),
			 -BATON_ETOOBIG);
	assert_log(f, "Z1 0x40000040 4\n");
	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, BREAK_HARD, FAKE_RAM + 8, 4), 0);
	assert_log(f, "Z1 0x40000040 4\nz1 0x40000040 4\nZ1 0x40000008 4\n");
	assert_string_equal(f->m.notice.data,
			    "no hardware breakpoint is left: the one at 0x40000040 (the handoff's) "
			    "gave way to 0x40000008 (GDB's); what happens there may be missed\n");
	assert_int_equal(machine_break_add(&f->m, BREAK_GDB, BREAK_HARD, FAKE_RAM + 12, 4),
			 -BATON_ETOOBIG);
	assert_string_equal(machine_break_whose(&f->m, FAKE_RAM + 8), "GDB's");
	assert_int_equal(machine_break_remove(&f->m, BREAK_GDB, BREAK_HARD, FAKE_RAM + 8, 4), 0);
	assert_int_equal(fake_command(f, "cont 1"), 0);
	assert_said(f, "the breakpoint at 0x40000040 (the handoff's) is there again\n");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		T(an_edit_and_its_undo_break_before_they_make),
		T(a_rollback_breaks_before_it_makes),
		T(an_undo_that_takes_the_code_away_is_not_done),
		T(a_write_of_gdbs_is_broken_first),
		T(a_part_of_a_descriptor_is_broken_first),
		T(one_that_cannot_be_broken_is_not_made),
		T(code_is_cleaned_and_fetched_again),
		T(code_is_cleaned_where_it_is_mapped),
		T(code_is_cleaned_from_another_page),
		T(what_cannot_be_made_visible_is_said),
		T(a_breakpoint_that_cannot_be_put_back_is_said),
		T(one_that_is_out_is_answered_truly),
		T(one_where_the_cpu_stands_waits),
		T(one_of_gdbs_waits),
		T(gdbs_take_the_place_of_batons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
