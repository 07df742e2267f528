/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs that have not been seen, and what firmware had to do with it. */
#include "fake_machine.h"

#include "handoff/internal.h"

static char text[] = "hvc CPU_ON(CPU 0x1, entry 0x1000, context 0)";

static struct event cpu_on(uint64_t result)
{
	return (struct event){ .kind = EVENT_CALL,
			       .name = "CPU_ON",
			       .before = 0xc4000003,
			       .after = result,
			       .text = text };
}

static void says(struct fake *f, struct event *events, size_t count, const char *words)
{
	struct context ctx = { .machine = &f->m };
	struct handoff h = { .ctx = &ctx,
			     .events = events,
			     .event_count = count,
			     .started = true,
			     .conduit = "hvc" };
	struct buf out = { 0 };

	f->m.cpus = 4;
	power_say(&h, &out);
	assert_string_equal(out.data ? out.data : "", words);
	buf_free(&out);
}

static void nobody_asked(void **state)
{
	struct event e[] = { { .kind = EVENT_SYSREG },
			     { .kind = EVENT_EXCEPTION, .name = "hvc", .el = 2 } };

	says(*state, e, 1,
	     "CPU1 to CPU3 have not been seen, and no PSCI CPU_ON was seen: the machine's device "
	     "tree "
	     "has PSCI, by hvc\n");
	says(*state, e, 2,
	     "CPU1 to CPU3 have not been seen, and no PSCI CPU_ON was seen: the machine's device "
	     "tree "
	     "has PSCI, by hvc; the hvc went to vectors of the loader's own at EL2\n");
}

static void firmware_refused(void **state)
{
	struct event e[] = { cpu_on((uint64_t)-4) };

	says(*state, e, 1,
	     "firmware refused: hvc CPU_ON(CPU 0x1, entry 0x1000, context 0): that CPU is on\n");
}

static void firmware_lied(void **state)
{
	struct event e[] = { cpu_on(0), { .kind = EVENT_NOTE, .cpu = 1 }, cpu_on(0) };

	says(*state, e, 1, "CPU1 to CPU3 have not been seen, though CPU_ON said SUCCESS 1 time\n");
	says(*state, e, 3, "CPU2 to CPU3 have not been seen, though CPU_ON said SUCCESS 2 times\n");
	/* who was asked for has come */
	says(*state, e, 2, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_asked, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(firmware_refused, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(firmware_lied, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
