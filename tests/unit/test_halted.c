/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU that nothing gets out of where it is, and those that only look like it. */
#include "fake_machine.h"

#include "handoff/halted.h"

#define WFI	 0xd503207fu
#define WFE	 0xd503205fu
#define NOP	 0xd503201fu
#define B_SELF	 0x14000000u
#define B_BACK	 0x17ffffffu /* to the instruction before */
#define B_BACK2	 0x17fffffeu
#define LDR	 0xf9400020u /* x0, [x1] */
#define CBZ_BACK 0xb4ffffe0u /* x0, the instruction before */

static int read_virt(struct machine *m, unsigned int cpu, uint64_t va, void *data, size_t len)
{
	(void)cpu;
	return machine_phys_read(m, va, data, len);
}

static int setup(void **state)
{
	static struct machine_ops ops;
	struct fake *f;
	int err = fake_setup(state);

	f = *state;
	ops = *f->m.ops;
	ops.virt_read = read_virt;
	f->m.ops = &ops;
	fake_set_reg(f, "SCTLR_EL1", 0x30d0180d);
	fake_set_reg(f, "SCTLR_EL2", 0x30c50830);
	return err;
}

static void code(struct fake *f, uint32_t a, uint32_t b, uint32_t c)
{
	le_write(f->ram + 0x100, 4, a);
	le_write(f->ram + 0x104, 4, b);
	le_write(f->ram + 0x108, 4, c);
}

/* With pc on instruction N of those that are there. */
static bool halted(struct fake *f, unsigned int n)
{
	fake_set_reg(f, "pc", FAKE_RAM + 0x100 + 4 * n);
	return halted_cpu(&f->m, 0);
}

static void loops_without_a_way_out(void **state)
{
	struct fake *f = *state;

	code(f, B_SELF, 0, 0);
	assert_true(halted(f, 0));
	code(f, WFI, B_BACK, 0);
	assert_true(halted(f, 0));
	assert_true(halted(f, 1));
	code(f, WFE, WFI, B_BACK2);
	for (unsigned int n = 0; n < 3; n++)
		assert_true(halted(f, n));
}

static void loops_with_one(void **state)
{
	struct fake *f = *state;

	code(f, WFI, NOP, B_BACK2);
	assert_false(halted(f, 0));
	code(f, WFE, LDR, CBZ_BACK);
	for (unsigned int n = 0; n < 3; n++)
		assert_false(halted(f, n));
	code(f, B_BACK2, 0, 0);
	assert_false(halted(f, 0));
	fake_set_reg(f, "pc", 0x1000);
	assert_false(halted_cpu(&f->m, 0));
}

/* DDI 0487, C5.2: PSTATE in cpsr. */
static void each_mask_counts(void **state)
{
	struct fake *f = *state;

	code(f, WFI, B_BACK, 0);
	for (unsigned int bit = 6; bit <= 9; bit++) {
		fake_set_reg(f, "cpsr", 0x3c5 & ~(1u << bit));
		assert_false(halted(f, 0));
	}
	fake_set_reg(f, "cpsr", 0x3c0); /* EL0 */
	assert_false(halted(f, 0));
	fake_set_reg(f, "cpsr", 0x3d3); /* AArch32 */
	assert_false(halted(f, 0));
	fake_set_reg(f, "cpsr", 0x3c9);
	assert_true(halted(f, 0));
}

static void nor_may_a_higher_level_take_them(void **state)
{
	static const unsigned int hcr[] = { 3, 4, 5, 13, 14, 27 }, scr[] = { 1, 2, 3, 12, 13, 20 };
	struct fake *f = *state;

	code(f, WFI, B_BACK, 0);
	fake_set_reg(f, "HCR_EL2", 1ull << 31);
	fake_set_reg(f, "SCR_EL3", 0x5b1);
	assert_true(halted(f, 0));
	for (size_t i = 0; i < 6; i++) {
		fake_set_reg(f, "HCR_EL2", 1ull << hcr[i]);
		assert_false(halted(f, 0));
		fake_set_reg(f, "cpsr", 0x3c9); /* at EL2 itself they are masked */
		assert_true(halted(f, 0));
		fake_set_reg(f, "SCR_EL3", 1ull << scr[i]);
		assert_false(halted(f, 0));
		fake_set_reg(f, "SCR_EL3", 0);
		fake_set_reg(f, "cpsr", 0x3c5);
	}
	fake_set_reg(f, "HCR_EL2", 0);
	fake_set_reg(f, "SCTLR_EL1", 1ull << 61);
	assert_false(halted(f, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fake_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(loops_without_a_way_out),
		TEST(loops_with_one),
		TEST(each_mask_counts),
		TEST(nor_may_a_higher_level_take_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
