/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of a trace, and what it knows of an instruction before that runs. */
#include "handoff/trace_internal.h"

#include "unit.h"

static struct trace_ring ring;

/* Number @i: one register more changes than with the one before. */
static void add(uint64_t i, unsigned int changes)
{
	uint64_t before[CORE_COUNT] = { 0 }, after[CORE_COUNT] = { 0 };
	struct trace_entry e = { .pc = 4 * i, .word = (uint32_t)i };

	before[CORE_PC] = 4 * i;
	after[CORE_PC] = 4 * i + 4;
	for (unsigned int k = 0; k < changes; k++)
		after[k] = 100 * i + k + 1;
	trace_ring_add(&ring, e, before, after);
}

static void whole(void)
{
	for (uint64_t n = ring.begin; n < ring.end; n++) {
		const struct trace_entry *e = trace_ring_at(&ring, n);

		assert_int_equal(e->pc, 4 * n);
		for (unsigned int k = 0; k < e->changes; k++) {
			const struct trace_change *c = trace_ring_change(&ring, e, k);

			assert_int_equal(c->reg, k);
			assert_int_equal(c->old, 0);
			assert_int_equal(c->new, 100 * n + k + 1);
		}
	}
}

static void ring_keeps_the_newest(void **state)
{
	(void)state;
	trace_ring_init(&ring, 10);
	for (uint64_t i = 0; i < 1000; i++) {
		add(i, i % 3);
		whole();
		assert_int_equal(ring.end, i + 1);
		assert_int_equal(ring.begin, i < 10 ? 0 : i - 9);
	}
	trace_ring_free(&ring);
}

/* An entry whose changes are gone is gone: none is ever told without them. */
static void ring_drops_what_lost_its_changes(void **state)
{
	(void)state;
	trace_ring_init(&ring, 10);
	for (uint64_t i = 0; i < 50; i++) {
		add(i, 30);
		whole();
		assert_true(ring.end - ring.begin >= (i ? 2 : 1));
	}
	for (uint64_t i = 50; i < 70; i++)
		add(i, 0);
	whole();
	assert_int_equal(ring.end - ring.begin, 10);
	/* one that changes all but the pc is never too much for a ring of one */
	trace_ring_init(&ring, 1);
	add(0, 31);
	add(1, 31);
	whole();
	assert_int_equal(ring.begin, 1);
	trace_ring_free(&ring);
}

static void next_is(uint32_t word, const uint64_t *core, uint64_t want)
{
	uint64_t pc;

	assert_true(trace_next(core, word, &pc));
	assert_int_equal(pc, want);
}

static void next_follows_registers_and_flags(void **state)
{
	uint64_t core[CORE_COUNT] = { [CORE_PC] = 0x1000, [3] = 0x100000000, [30] = 0x2000 }, pc;
	static const struct {
		unsigned int nzcv, holds; /* a bit for each of the conditions EQ to LE */
	} flags[] = {
		{ 0x0, 0x16aa }, { 0x4, 0x26a9 }, { 0x2, 0x15a6 }, { 0x6, 0x26a5 },
		{ 0x8, 0x2a9a }, { 0x1, 0x2a6a }, { 0x9, 0x165a },
	};

	(void)state;
	next_is(0xd503201f, core, 0x1004); /* nop */
	next_is(0x17ffffff, core, 0x0ffc); /* b . - 4 */
	next_is(0x94000002, core, 0x1008); /* bl . + 8 */
	next_is(0xd65f03c0, core, 0x2000); /* ret */
	next_is(0xb4000043, core, 0x1004); /* cbz x3, . + 8 */
	next_is(0x34000043, core, 0x1008); /* cbz w3, . + 8 */
	next_is(0xb5000043, core, 0x1008); /* cbnz x3 */
	next_is(0xb400005f, core, 0x1008); /* cbz xzr */
	next_is(0xb7000043, core, 0x1008); /* tbnz x3, #32 */
	next_is(0xb6000043, core, 0x1004); /* tbz x3, #32 */
	next_is(0x37000043, core, 0x1004); /* tbnz w3, #0 */
	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		core[CORE_CPSR] = (uint64_t)flags[i].nzcv << 28;
		for (unsigned int cond = 0; cond < 14; cond++)
			next_is(0x54000040 | cond, core,
				flags[i].holds >> cond & 1 ? 0x1008 : 0x1004);
		next_is(0x5400004e, core, 0x1008);
		next_is(0x5400004f, core, 0x1008);
	}
	assert_false(trace_next(core, 0xd69f03e0, &pc)); /* eret */
	assert_false(trace_next(core, 0xd4000002, &pc)); /* hvc */
	assert_false(trace_next(core, 0xd65f0bff, &pc)); /* retaa */
	assert_false(trace_next(core, 0, &pc));
}

static void only_what_is_sure_is_sure(void **state)
{
	static const uint32_t writes[] = {
		0xf9000001, /* str x1, [x0] */
		0xa9be7bfd, /* stp x29, x30, [sp, #-32]! */
		0x3d800000, /* str q0, [x0] */
		0x4c007000, /* st1 {v0.16b}, [x0] */
		0x08007c01, /* stxrb w0, w1, [x0] */
		0xf8210000, /* ldadd x1, x0, [x0] */
		0xd50b7420, /* dc zva, x0 */
		0xd4000002, /* hvc */
	};
	static const uint32_t reads[] = {
		0xf9400001, /* ldr x1, [x0] */
		0xa8c27bfd, /* ldp x29, x30, [sp], #32 */
		0x3dc00000, /* ldr q0, [x0] */
		0x58000000, /* ldr x0, . */
		0x39800000, /* ldrsb x0, [x0] */
		0x8b000000, /* add x0, x0, x0 */
		0x1e604000, /* fmov d0, d0 */
		0xd65f03c0, /* ret */
		0xd53b4200, /* mrs x0, nzcv */
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		assert_true(trace_may_write(writes[i]));
	for (unsigned int i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		assert_false(trace_may_write(reads[i]));
	assert_true(trace_may_move(0xd5181000));  /* msr sctlr_el1, x0 */
	assert_true(trace_may_move(0xd508871f));  /* tlbi vmalle1 */
	assert_false(trace_may_move(0xd51b4200)); /* msr nzcv, x0 */
	assert_true(trace_may_fault(0xf9400001));
	assert_true(trace_may_fault(0x1e604000)); /* CPACR_EL1 may forbid it */
	assert_false(trace_may_fault(0x8b000000));
	assert_false(trace_may_fault(0x91000000)); /* add x0, x0, #0 */
	assert_false(trace_may_fault(0x14000000));
}

static void access_is(uint32_t word, uint64_t address, unsigned int size, unsigned int count)
{
	uint64_t core[CORE_COUNT] = { 0x1000, 0x2, 0xffffffff, [CORE_SP] = 0x9000, 0x400 };
	struct trace_access a;

	assert_true(trace_access(core, word, &a));
	assert_int_equal(a.address, address);
	assert_int_equal(a.count, count);
	if (size)
		assert_int_equal(a.size, size);
}

static void addresses(void **state)
{
	const uint64_t core[CORE_COUNT] = { 0 };
	struct trace_access a;

	(void)state;
	access_is(0xf9000801, 0x1010, 8, 1);		  /* str x1, [x0, #16] */
	access_is(0x39000401, 0x1001, 1, 1);		  /* strb w1, [x0, #1] */
	access_is(0xf81f8c01, 0x0ff8, 8, 1);		  /* str x1, [x0, #-8]! */
	access_is(0xf81f8401, 0x1000, 8, 1);		  /* str x1, [x0], #-8 */
	access_is(0xf8617803, 0x1010, 8, 0);		  /* ldr x3, [x0, x1, lsl #3] */
	access_is(0xb862c803, 0x0fff, 4, 0);		  /* ldr w3, [x0, w2, sxtw] */
	access_is(0xb8624803, 0x100000fff, 4, 0);	  /* ldr w3, [x0, w2, uxtw] */
	access_is(0x3dc00400, 0x1010, 16, 0);		  /* ldr q0, [x0, #16] */
	access_is(0xa9be7bfd, 0x8fe0, 8, 2);		  /* stp x29, x30, [sp, #-32]! */
	access_is(0xa8c27bfd, 0x9000, 8, 0);		  /* ldp x29, x30, [sp], #32 */
	access_is(0x29010400, 0x1008, 4, 2);		  /* stp w0, w1, [x0, #8] */
	access_is(0xad010400, 0x1020, 16, 0);		  /* stp q0, q1, [x0, #32] */
	access_is(0x58000040, 0x408, 0, 0);		  /* ldr x0, . + 8 */
	assert_false(trace_access(core, 0x8b000000, &a)); /* add */
	assert_false(trace_access(core, 0xf9800000, &a)); /* prfm */
	assert_false(trace_access(core, 0xf8210000, &a)); /* ldadd */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_keeps_the_newest),
		cmocka_unit_test(ring_drops_what_lost_its_changes),
		cmocka_unit_test(next_follows_registers_and_flags),
		cmocka_unit_test(only_what_is_sure_is_sure),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
