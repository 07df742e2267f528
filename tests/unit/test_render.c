// SPDX-License-Identifier: BSD-2-Clause
/* What a person sees of a walk, to the letter. */
#include "unit.h"

#include "buf.h"
#include "fake_ram.h"
#include "mmu/render.h"

#define KERNEL UINT64_C(0xffffff8040000000)

static struct fake_ram ram;
static struct pt_walk w;
static struct buf out;

static const char *symbol(void *ctx, uint64_t addr, uint64_t *offset)
{
	(void)ctx;
	*offset = addr & 0xfff;
	switch (addr & ~UINT64_C(0xfff)) {
	case 0x7000a000:
		return "boot_lvl2_upper";
	case 0x7000b000:
		return "boot_lvl1_upper";
	case 0x7000c000:
		return "boot_lvl0_upper";
	default:
		return NULL;
	}
}

static const struct pt_names names = { .symbol = symbol };
static const struct pt_access fetch_el1 = { .kind = PT_FETCH, .el = 1 };

static int setup(void **state)
{
	(void)state;
	memset(&ram, 0, sizeof(ram));
	fake_put(&ram, 0x7000c000, 511, 0x7000b003);
	fake_put(&ram, 0x7000b000, 1, 0x7000a003);
	fake_put(&ram, 0x7000a000, 0, 0x40000711);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static const char *render(const struct regime *r, uint64_t ia, const struct pt_access *acc,
			  const struct pt_names *n)
{
	struct pt_reader reader = fake_reader(&ram);

	assert_int_equal(pt_walk_regime(r, &reader, ia, acc, &w, NULL), 0);
	buf_clear(&out);
	pt_render_walk(&w, acc, n, &out);
	return out.data;
}

static void a_mapping(void **state)
{
	struct regime r = fake_el1(0, 0x7000c000);

	(void)state;
	assert_string_equal(
		render(&r, KERNEL, NULL, &names),
		"EL1&0 stage 1 · TTBR1_EL1 0x7000c000 (boot_lvl0_upper) · 4 KiB granule · "
		"48-bit in, 40-bit out\n"
		"  L0 [511]  0x7000cff8  0x000000007000b003  table   boot_lvl1_upper\n"
		"  L1 [  1]  0x7000b008  0x000000007000a003  table   boot_lvl2_upper\n"
		"  L2 [  0]  0x7000a000  0x0000000040000711  block   2 MiB, Normal WB, inner "
		"shareable, AF\n"
		"0xffffff8040000000 → 0x40000000   EL1 rwx   EL0 --x (UXN clear: EL0 may fetch "
		"what "
		"it may not read)\n");
}

static void the_seed_fault(void **state)
{
	struct regime r = fake_el1(0, 0x7000c000);

	(void)state;
	fake_put(&ram, 0x7000c000, 511, 0);
	assert_string_equal(
		render(&r, KERNEL, &fetch_el1, NULL),
		"EL1&0 stage 1 · TTBR1_EL1 0x7000c000 · 4 KiB granule · 48-bit in, 40-bit out\n"
		"  L0 [511]  0x7000cff8  0x0000000000000000  invalid\n"
		"0xffffff8040000000: translation fault, level 0: the entry is invalid (ESR would "
		"be "
		"0x86000004 for a fetch from EL1)\n");
	render(&r, KERNEL, NULL, NULL);
	assert_non_null(strstr(out.data, "(ESR would be 0x96000004 for a read from EL1, "
					 "0x86000004 for a fetch)"));
}

static void table_attributes_are_named(void **state)
{
	struct regime r = fake_el1(0, 0x7000c000);

	(void)state;
	fake_put(&ram, 0x7000c000, 511, UINT64_C(0x480000007000b003));
	render(&r, KERNEL, NULL, &names);
	assert_non_null(strstr(out.data, "table   boot_lvl1_upper   (PXNTable, APTable ro)\n"));
	assert_non_null(strstr(out.data, "EL1 r--   EL0 --x"));
}

/* TCR_EL1.HPD1 takes away hierarchical permissions, and NSTable is none. */
static void disabled_permissions_are_told(void **state)
{
	struct regime r = fake_el1(0x7000c000, 0x7000c000);

	(void)state;
	r.secure = true;
	r.tcr |= UINT64_C(1) << 42;
	fake_put(&ram, 0x7000c000, 511, 0x7000b003 | UINT64_C(9) << 60);
	render(&r, KERNEL, NULL, NULL);
	assert_non_null(strstr(out.data, "(UXNTable disabled by TCR.HPD, NSTable)"));
}

static void an_unreadable_table(void **state)
{
	struct regime r = fake_el1(0, 0x7000c000);

	(void)state;
	fake_put(&ram, 0x7000b000, 1, 0x09000003);
	render(&r, KERNEL, &fetch_el1, NULL);
	assert_non_null(strstr(out.data, "  L1 [  1]  0x7000b008  0x0000000009000003  table\n"
					 "  L2 [  0]   0x9000000  unreadable"));
	assert_non_null(strstr(out.data, "external abort on the table walk, level 2: no table "
					 "could be read at 0x9000000 (ESR would be 0x86000016"));
}

static void mmu_off_and_pending(void **state)
{
	struct regime r = fake_el1(0, 0x7000c000);

	(void)state;
	r.sctlr = 0xc50838;
	assert_string_equal(render(&r, 0x70000000, NULL, NULL),
			    "EL1&0 stage 1 · MMU off (SCTLR_EL1.M = 0)\n"
			    "0x70000000 → 0x70000000   EL1 rwx   EL0 rwx\n");
	r.pending = true;
	render(&r, KERNEL, NULL, NULL);
	assert_non_null(strstr(out.data, "40-bit out · pending (the MMU is off now)\n"));
}

static void el2_has_no_el0(void **state)
{
	struct regime r = fake_el2(0x7000c000);

	(void)state;
	fake_put(&ram, 0x7000c000, 0, 0x7000b003);
	assert_string_equal(
		render(&r, 0x40000000, NULL, NULL),
		"EL2 stage 1 · TTBR0_EL2 0x7000c000 · 4 KiB granule · 48-bit in, 40-bit out\n"
		"  L0 [  0]  0x7000c000  0x000000007000b003  table\n"
		"  L1 [  1]  0x7000b008  0x000000007000a003  table\n"
		"  L2 [  0]  0x7000a000  0x0000000040000711  block   2 MiB, Normal WB, inner "
		"shareable, AF\n"
		"0x40000000 → 0x40000000   EL2 rwx\n");
}

/* Stage 1's tables at IPA 0x1000a000 to 0x1000c000; stage 2 maps 0x10000000 to 0x70000000. */
static struct regime two_stages(void)
{
	struct regime r = fake_el1(0, 0x1000c000);

	r.nested = true;
	r.hcr = HCR_RW | HCR_VM;
	r.vtcr = 0x80023558;
	r.vttbr = 0x70020000;
	fake_put(&ram, 0x7000c000, 511, 0x1000b003);
	fake_put(&ram, 0x7000b000, 1, 0x1000a003);
	fake_put(&ram, 0x70020000, 0, 0x70022003);
	fake_put(&ram, 0x70022000, 128, 0x700007fd);
	fake_put(&ram, 0x70020000, 1, 0xc00007fd);
	return r;
}

static void two_stages_side_by_side(void **state)
{
	struct regime r = two_stages();

	(void)state;
	assert_string_equal(
		render(&r, KERNEL, NULL, NULL),
		"EL1&0 stage 1 · TTBR1_EL1 0x1000c000 · 4 KiB granule · 48-bit in, 40-bit out\n"
		"then EL1&0 stage 2 · VTTBR_EL2 0x70020000 · 4 KiB granule · 40-bit in, 40-bit "
		"out · 2 tables at L1\n"
		"  L0 [511]  0x1000cff8 → 0x7000cff8  0x000000001000b003  table\n"
		"  L1 [  1]  0x1000b008 → 0x7000b008  0x000000001000a003  table\n"
		"  L2 [  0]  0x1000a000 → 0x7000a000  0x0000000040000711  block   2 MiB, Normal "
		"WB, inner shareable, AF\n"
		"  s2  L1 [  1]  0x70020008  0x00000000c00007fd  block   1 GiB, Normal WB, inner "
		"shareable, AF, EL1 rwx, EL0 rwx\n"
		"0xffffff8040000000 → IPA 0x40000000 → PA 0xc0000000   EL1 rwx   EL0 --x (UXN "
		"clear: EL0 may fetch what it may not read)   Normal WB, inner shareable\n");
}

static void a_table_that_stage_2_hides(void **state)
{
	struct regime r = two_stages();

	(void)state;
	fake_put(&ram, 0x7000c000, 511, 0x2000b003);
	assert_string_equal(
		render(&r, KERNEL, &fetch_el1, NULL),
		"EL1&0 stage 1 · TTBR1_EL1 0x1000c000 · 4 KiB granule · 48-bit in, 40-bit out\n"
		"then EL1&0 stage 2 · VTTBR_EL2 0x70020000 · 4 KiB granule · 40-bit in, 40-bit "
		"out · 2 tables at L1\n"
		"  L0 [511]  0x1000cff8 → 0x7000cff8  0x000000002000b003  table\n"
		"  s2  L1 [  0]  0x70020000  0x0000000070022003  table\n"
		"  s2  L2 [256]  0x70022800  0x0000000000000000  invalid\n"
		"  L1 [  1]           0x2000b008 → ?  unreadable          stage 2 leads nowhere\n"
		"0xffffff8040000000: translation fault, level 2 of stage 2, on a table of stage 1: "
		"the entry is invalid (ESR would be 0x82000086 for a fetch from EL1, HPFAR_EL2 "
		"0x2000b0)\n");
}

/* Each reason for a fault has words of its own. */
static void every_reason_has_words(void **state)
{
	static const struct {
		enum pt_fault fault;
		enum pt_reason reason;
		const char *words;
	} cases[] = {
		{ PT_FAULT_TRANSLATION, PT_REASON_RESERVED, "type 0b01" },
		{ PT_FAULT_TRANSLATION, PT_REASON_HOLE, "neither half" },
		{ PT_FAULT_TRANSLATION, PT_REASON_EPD, "TCR_EL1.EPD1 = 1" },
		{ PT_FAULT_TRANSLATION, PT_REASON_E0PD, "TCR_EL1.E0PD1 = 1" },
		{ PT_FAULT_TRANSLATION, PT_REASON_TXSZ, "TCR_EL1.T1SZ = 16" },
		{ PT_FAULT_ADDRESS_SIZE, PT_REASON_ROOT, "TTBR1_EL1 points to" },
		{ PT_FAULT_ADDRESS_SIZE, PT_REASON_IA, "MMU is off" },
		{ PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, "beyond 40 bits" },
		{ PT_FAULT_ACCESS_FLAG, PT_REASON_NONE, "AF is clear" },
		{ PT_FAULT_PERMISSION, PT_REASON_NONE, "EL1 may rwx here" },
	};
	struct regime r = fake_el1(0, 0x7000c000);

	(void)state;
	render(&r, KERNEL, NULL, NULL);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w.fault = cases[i].fault;
		w.reason = cases[i].reason;
		w.level = 2;
		buf_clear(&out);
		pt_render_line(&w, &fetch_el1, NULL, &out);
		if (!strstr(out.data, cases[i].words))
			fail_msg("no \"%s\" in: %s", cases[i].words, out.data);
	}
}

static void sizes(void **state)
{
	(void)state;
	pt_render_size(0x1000, &out);
	pt_render_size(0x200000, &out);
	pt_render_size(0x40000000, &out);
	assert_string_equal(out.data, "4 KiB2 MiB1 GiB");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mapping),
		T(the_seed_fault),
		T(table_attributes_are_named),
		T(disabled_permissions_are_told),
		T(an_unreadable_table),
		T(mmu_off_and_pending),
		T(el2_has_no_el0),
		T(two_stages_side_by_side),
		T(a_table_that_stage_2_hides),
		T(every_reason_has_words),
		T(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
