// SPDX-License-Identifier: BSD-2-Clause
/* Which regime, from which registers, and what is refused. */
#include "unit.h"

#include "buf.h"
#include "error.h"
#include "mmu/regime.h"

/* A machine: a list of registers by architectural name. */
struct reg {
	const char *name;
	uint64_t value;
};

static struct reg machine[32];
static struct regime r;
static struct buf why;

static int sysreg(void *ctx, const char *name, uint64_t *value)
{
	(void)ctx;
	for (const struct reg *m = machine; m->name; m++) {
		if (strcmp(m->name, name))
			continue;
		if (m->value == 0xdead)
			return -BATON_EREMOTE;
		*value = m->value;
		return 0;
	}
	return -BATON_ENOTFOUND;
}

static void put(const char *name, uint64_t value)
{
	struct reg *m = machine;

	while (m->name && strcmp(m->name, name))
		m++;
	*m = (struct reg){ name, value };
}

static int setup(void **state)
{
	(void)state;
	memset(machine, 0, sizeof(machine));
	put("SCTLR_EL1", 0x1005);
	put("TCR_EL1", 0x1285100510);
	put("MAIR_EL1", 0xff440c0400);
	put("TTBR0_EL1", 0x70010000);
	put("TTBR1_EL1", 0x7000c000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&why);
	return 0;
}

static int read_regime(const char *spec, unsigned int el)
{
	const struct regime_source src = { .sysreg = sysreg };

	buf_free(&why);
	return regime_read(&r, spec, el, &src, &why);
}

static void add_el2(void)
{
	put("SCTLR_EL2", 0x30c50830);
	put("TCR_EL2", 0x80823510);
	put("MAIR_EL2", 0xff);
	put("TTBR0_EL2", 0x70020000);
	put("HCR_EL2", UINT64_C(1) << 31);
}

static void default_is_that_of_the_current_level(void **state)
{
	(void)state;
	assert_int_equal(read_regime(NULL, 1), 0);
	assert_string_equal(r.name, "el1");
	assert_true(r.two_halves);
	assert_int_equal(r.ttbr[1], 0x7000c000);
	assert_int_equal(r.tcr, 0x1285100510);
	assert_true(regime_mmu_on(&r));
	assert_int_equal(read_regime("", 0), 0);
	assert_int_equal(r.el, 1);
	add_el2();
	assert_int_equal(read_regime(NULL, 2), 0);
	assert_string_equal(r.name, "el2");
	assert_false(r.two_halves);
	assert_int_equal(r.ttbr[0], 0x70020000);
	assert_false(regime_mmu_on(&r));
}

static void named_and_pending(void **state)
{
	(void)state;
	add_el2();
	assert_int_equal(read_regime("el1", 2), 0);
	assert_int_equal(r.el, 1);
	assert_false(r.pending);
	assert_int_equal(read_regime("pending", 2), 0);
	assert_int_equal(r.el, 2);
	assert_true(r.pending);
	assert_true(regime_mmu_on(&r));
	assert_int_equal(read_regime("el1:pending", 2), 0);
	assert_int_equal(r.el, 1);
	assert_int_equal(read_regime("pending:el1", 2), 0);
	assert_int_equal(r.el, 1);
}

static void root_of_ones_own(void **state)
{
	(void)state;
	assert_int_equal(read_regime("el1:ttbr0=0x4123f000", 1), 0);
	assert_int_equal(r.ttbr[0], 0x4123f000);
	assert_int_equal(r.ttbr[1], 0x7000c000);
	assert_int_equal(r.own, REGIME_TTBR0);
	assert_true(r.pending);
	assert_int_equal(read_regime("ttbr1=0x1000", 1), 0);
	assert_int_equal(r.ttbr[1], 0x1000);
	assert_int_equal(r.own, REGIME_TTBR1);
}

static void nonsense_is_named(void **state)
{
	static const char *const bad[] = { "el4",	 "elephant",	"el1:el2",
					   "el1:ttbr0=", "ttbr0=zebra", "s2:ttbr1",
					   "s2:el1",	 "el2:s2",	"ttbr0:ttbr1",
					   "vttbr=x",	 "el3:ttbr1",	"el2:vttbr=0x10",
					   "ttbr0x",	 "ttbr0=12x",	"el1:ttbr2=0x10",
					   "el1 ",	 "ttbr0=-1" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_regime(bad[i], 1), -BATON_EINVAL);
		assert_non_null(why.data);
	}
	add_el2();
	assert_int_equal(read_regime("el2:ttbr1=0x1000", 1), -BATON_EINVAL);
	assert_non_null(strstr(why.data, "no TTBR1"));
}

/* HCR_EL2: E2H 34, TGE 27, NV1 43, DC 12, PTW 2, VM 0, RW 31 (DDI 0487, HCR_EL2). */
#define RW  (UINT64_C(1) << 31)
#define E2H (UINT64_C(1) << 34)
#define TGE (UINT64_C(1) << 27)
#define NV1 (UINT64_C(1) << 43)
#define DC  (UINT64_C(1) << 12)

static void what_is_refused(void **state)
{
	(void)state;
	add_el2();
	put("HCR_EL2", RW | NV1);
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(why.data, "NV1"));
	put("HCR_EL2", 0);
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(why.data, "AArch32"));
	put("cpsr", 0x3c5); /* AArch64 at EL1: so there is no EL2, whatever QEMU shows of it */
	assert_int_equal(read_regime(NULL, 1), 0);
	assert_false(r.nested);
	put("cpsr", 0x1d3);
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
	assert_int_equal(read_regime("el1", 2), 0); /* before the drop: RW comes with it */
	put("HCR_EL2", RW);
	assert_int_equal(read_regime(NULL, 1), 0);
	put("GPCCR_EL3", UINT64_C(1) << 16);
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(why.data, "granule protection"));
	put("GPCCR_EL3", 0);
	put("SCR_EL3", UINT64_C(1) << 62 | 1);
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
	assert_non_null(strstr(why.data, "Realm"));
}

/* With E2H EL2 has two halves, and TCR_EL2 the layout of TCR_EL1. */
static void e2h_gives_el2_two_halves(void **state)
{
	(void)state;
	add_el2();
	put("HCR_EL2", RW | E2H);
	assert_int_equal(read_regime(NULL, 2), -BATON_ENOTFOUND);
	assert_non_null(strstr(why.data, "TTBR1_EL2"));
	put("TTBR1_EL2", 0x70030000);
	assert_int_equal(read_regime(NULL, 2), 0);
	assert_string_equal(r.title, "EL2&0 stage 1");
	assert_true(r.two_halves);
	assert_int_equal(r.ttbr[1], 0x70030000);
	/* EL0 belongs to it with TGE alone. */
	assert_int_equal(read_regime(NULL, 0), 0);
	assert_int_equal(r.el, 1);
	put("HCR_EL2", RW | E2H | TGE);
	assert_int_equal(read_regime(NULL, 0), 0);
	assert_int_equal(r.el, 2);
	assert_int_equal(read_regime("el1", 2), 0);
	assert_int_equal(r.el, 1);
	/* VM and DC behave as 0 with both. */
	put("HCR_EL2", RW | E2H | TGE | DC | 1);
	assert_int_equal(read_regime("el1", 2), 0);
	assert_false(r.nested);
}

static void el3_has_one_half(void **state)
{
	(void)state;
	assert_int_equal(read_regime(NULL, 3), -BATON_ENOTFOUND);
	assert_non_null(strstr(why.data, "EL3"));
	put("SCR_EL3", 0x401);
	put("SCTLR_EL3", 1);
	put("TCR_EL3", 0x80800010);
	put("MAIR_EL3", 0xff);
	put("TTBR0_EL3", 0x70040000);
	assert_int_equal(read_regime(NULL, 3), 0);
	assert_string_equal(r.name, "el3");
	assert_int_equal(r.ttbr[0], 0x70040000);
	assert_true(r.secure);
	assert_false(regime_has_el0(&r));
	assert_int_equal(read_regime("el3", 1), 0);
	put("TCR_EL3", UINT64_C(1) << 35); /* PIE */
	assert_int_equal(read_regime("el3", 1), -BATON_EUNSUPPORTED);
}

static void vm_puts_a_second_stage_behind(void **state)
{
	(void)state;
	add_el2();
	put("HCR_EL2", RW | 1);
	assert_int_equal(read_regime(NULL, 1), -BATON_ENOTFOUND);
	assert_non_null(strstr(why.data, "VTCR_EL2"));
	put("VTCR_EL2", 0x80023559);
	put("VTTBR_EL2", 0x70050000);
	assert_int_equal(read_regime(NULL, 1), 0);
	assert_true(r.nested);
	assert_int_equal(r.vttbr, 0x70050000);
	assert_true(regime_mmu_on(&r));
	assert_int_equal(read_regime(NULL, 2), 0);
	assert_false(r.nested);
	/* DC: stage 1 is off, stage 2 on. */
	put("HCR_EL2", RW | DC);
	assert_int_equal(read_regime(NULL, 1), 0);
	assert_true(r.nested);
	assert_false(regime_mmu_on(&r));
	/* TGE without E2H: EL0 runs with stage 1 off. */
	put("HCR_EL2", RW | TGE);
	assert_int_equal(read_regime(NULL, 0), 0);
	assert_false(regime_mmu_on(&r));
	assert_int_equal(read_regime("el1", 2), 0);
	assert_true(regime_mmu_on(&r));
	put("VTCR_EL2", UINT64_C(1) << 36); /* S2PIE */
	put("HCR_EL2", RW | 1);
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
}

static void stage2_alone(void **state)
{
	(void)state;
	add_el2();
	put("VTCR_EL2", 0x80023559);
	put("VTTBR_EL2", 0x70050000);
	assert_int_equal(read_regime("s2", 2), 0);
	assert_true(r.stage2);
	assert_true(regime_has_el0(&r));
	assert_int_equal(r.ttbr[0], 0x70050000);
	assert_int_equal(r.tcr, 0x80023559);
	assert_false(regime_mmu_on(&r));
	assert_string_equal(regime_root_name(&r, 0), "VTTBR_EL2");
	assert_int_equal(read_regime("s2:pending", 2), 0);
	assert_true(regime_mmu_on(&r));
	assert_int_equal(read_regime("s2:vttbr=0x1000", 2), 0);
	assert_int_equal(r.ttbr[0], 0x1000);
	assert_int_equal(read_regime("vttbr=0x1000", 1), 0);
	assert_true(r.stage2);
	put("HCR_EL2", RW | 1);
	assert_int_equal(read_regime("s2", 1), 0);
	assert_true(regime_mmu_on(&r));
	put("SCR_EL3", 0x400); /* Secure: there is no EL2 now, nor its stage 2 */
	assert_int_equal(read_regime("s2", 3), 0);
	assert_false(regime_mmu_on(&r));
	put("SCR_EL3", 0x40400); /* Secure, with EEL2 */
	assert_int_equal(read_regime("s2", 1), -BATON_EUNSUPPORTED);
}

static void a_half_may_be_named(void **state)
{
	(void)state;
	assert_int_equal(read_regime("el1:ttbr1", 1), 0);
	assert_int_equal(r.only, REGIME_TTBR1);
	assert_int_equal(r.own, 0);
	assert_false(r.pending);
	assert_int_equal(read_regime("ttbr0", 1), 0);
	assert_int_equal(r.only, REGIME_TTBR0);
}

static void secure_state_has_no_el2(void **state)
{
	(void)state;
	put("SCR_EL3", 0x400);
	put("HCR_EL2", 1);
	assert_int_equal(read_regime(NULL, 1), 0);
	assert_true(r.secure);
	assert_false(r.nested);
	put("SCR_EL3", 0x401);
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
}

static void other_formats_are_refused(void **state)
{
	(void)state;
	put("TCR2_EL1", 2); /* PIE */
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
	put("TCR2_EL1", 0x10); /* AIE */
	assert_int_equal(read_regime(NULL, 1), -BATON_EUNSUPPORTED);
	put("TCR2_EL1", 1);
	assert_int_equal(read_regime(NULL, 1), 0);
}

static void missing_register_is_named(void **state)
{
	(void)state;
	assert_int_equal(read_regime("el2", 1), -BATON_ENOTFOUND);
	assert_non_null(strstr(why.data, "SCTLR_EL2"));
	put("TTBR1_EL1", 0xdead);
	assert_int_equal(read_regime(NULL, 1), -BATON_EREMOTE);
	assert_non_null(strstr(why.data, "TTBR1_EL1"));
}

static void features_are_known_only_if_read(void **state)
{
	(void)state;
	assert_int_equal(read_regime(NULL, 1), 0);
	assert_int_equal(r.known & (REGIME_MMFR0 | REGIME_MMFR1 | REGIME_MMFR2), 0);
	assert_int_equal(regime_pa_bits(&r), 0);
	put("ID_AA64MMFR0_EL1", 0x1126);
	assert_int_equal(read_regime(NULL, 1), 0);
	assert_int_equal(regime_pa_bits(&r), 52);
}

static void physical_sizes_are_irregular(void **state)
{
	static const unsigned int bits[8] = { 32, 36, 40, 42, 44, 48, 52, 56 };

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(regime_ps_bits(i), bits[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(default_is_that_of_the_current_level),
		T(named_and_pending),
		T(root_of_ones_own),
		T(nonsense_is_named),
		T(what_is_refused),
		T(e2h_gives_el2_two_halves),
		T(el3_has_one_half),
		T(vm_puts_a_second_stage_behind),
		T(stage2_alone),
		T(a_half_may_be_named),
		T(secure_state_has_no_el2),
		T(other_formats_are_refused),
		T(missing_register_is_named),
		T(features_are_known_only_if_read),
		T(physical_sizes_are_irregular),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
