/* SPDX-License-Identifier: BSD-2-Clause */
/* pt-lint on registers and descriptors: each rule by tables that break it and no other. */
#include "lint_unit.h"

static void nothing_is_wrong_with_good_tables(void **state)
{
	struct buf text = { 0 };

	(void)state;
	only("", 0);
	say_all(&text);
	assert_string_equal(text.data, "0 errors, 0 warnings, 0 notes\n");
	buf_free(&text);
	make_el2();
	only("", 0);
	make_s2();
	only("", 0);
}

/* Registers */

static void set(unsigned int lsb, unsigned int width, uint64_t value)
{
	reg.tcr &= ~(((UINT64_C(1) << width) - 1) << lsb);
	reg.tcr |= value << lsb;
}

static void txsz_out_of_range(void **state)
{
	(void)state;
	set(16, 6, 5);
	only_says("txsz-range", "TCR.T1SZ = 5 is out of range");
}

static void a_size_that_depends_on_what_is_not_shown(void **state)
{
	(void)state;
	set(0, 6, 14);
	set(14, 2, 1); /* 64 KiB: T0SZ 14 needs FEAT_LVA */
	only_says("unknown", "needs FEAT_LVA");
}

static void reserved_granule(void **state)
{
	(void)state;
	set(14, 2, 3);
	only_says("granule-missing", "TCR.TG0 = 3 ");
}

static void granule_that_the_cpu_lacks(void **state)
{
	(void)state;
	set(30, 2, 1); /* 16 KiB above */
	reg.known |= REGIME_MMFR0;
	reg.mmfr[0] = 2; /* TGran16 0: none */
	only_says("granule-missing", "TCR.TG1 = 1 ");
}

static void reserved_output_size(void **state)
{
	(void)state;
	set(32, 3, 7);
	only("ps-reserved", 2); /* both halves are undecided */
}

static void output_size_above_what_there_is(void **state)
{
	(void)state;
	reg.known |= REGIME_MMFR0;
	reg.mmfr[0] = 1;
	only("ps-above-parange", 2);
}

static void start_level_that_does_not_fit(void **state)
{
	(void)state;
	make_s2();
	set(6, 2, 3);
	only_says("sl0-range", "VTCR.SL0 = 3 ");
}

static void root_misaligned(void **state)
{
	(void)state;
	reg.ttbr[0] = L0 + 0x40;
	only_says("root-misaligned", "TTBR0_EL1 = 0x7000c040 ");
}

static void root_beyond_the_output_size(void **state)
{
	(void)state;
	reg.ttbr[0] = UINT64_C(1) << 41;
	only_says("root-beyond-ps", "TTBR0_EL1 points to 0x20000000000");
}

static void control_without_its_feature(void **state)
{
	(void)state;
	reg.known |= REGIME_MMFR1;
	set(39, 1, 1);
	only_says("feature-missing", "TCR.HA is set");
}

static void reserved_shareability_of_walks(void **state)
{
	(void)state;
	set(12, 2, 1);
	only_says("sh-reserved", "TCR.SH0 = 1 ");
}

static void walks_that_bypass_the_cache(void **state)
{
	(void)state;
	set(26, 2, 0);
	only_says("walks-uncached", "TCR.IRGN1: table walks bypass a cache (IRGN 1, ORGN 0)");
}

static void walks_that_nobody_shares(void **state)
{
	(void)state;
	set(28, 2, 0);
	only_says("walks-unshared", "TCR.SH1 = 0");
}

/* Descriptors */

static void level3_block(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~UINT64_C(2));
	only_says("level3-block", "pt-set 0x206000 L3 type=page");
}

static void block_at_level_0(void **state)
{
	(void)state;
	fake_put(&ram, L0, 1, 0x401);
	only_says("reserved-encoding", "L0 [  1] 0x7000c008 = 0x0000000000000401");
}

static void address_beyond_the_output_size(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(UINT64_C(1) << 44));
	only_says("oa-beyond-ps", "0x100000000000, is beyond the output size of 40 bits");
}

static void table_beyond_the_output_size(void **state)
{
	(void)state;
	fake_put(&ram, L0, 1, UINT64_C(1) << 44 | TABLE);
	only_says("oa-beyond-ps", "address size fault, level 0");
}

static void block_misaligned(void **state)
{
	(void)state;
	fake_put(&ram, L2, 2, 0x40200000 | 0x3000 | VALID | AF | ISH | IDX(4) | NX);
	only_says("misaligned-block", "pt-set 0x400000 L2 0x60000040200711");
}

static void nt_is_no_address(void **state)
{
	(void)state;
	fake_put(&ram, L2, 2, 0x40200000 | 1 << 16 | VALID | AF | ISH | IDX(4) | NX);
	only("", 0);
}

static void table_misaligned(void **state)
{
	(void)state;
	set(14, 2, 1); /* 64 KiB */
	reg.ttbr[0] = 0x70010000;
	fake_put(&ram, 0x70010000, 0, UINT64_C(0x70021000) | TABLE);
	only_says("misaligned-table", "pt-set 0 L1 0x70020003");
}

static void reserved_bits(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) | UINT64_C(1) << 49);
	only_says("reserved-bits", "pt-set 0x206000 L3 0x60000041235713");
}

static void reserved_bit_of_a_table(void **state)
{
	(void)state;
	fake_put(&ram, L2, 1, L3 | TABLE | UINT64_C(1) << 50);
	only_says("reserved-bits", "reserved bits are set: 0x4000000000000");
}

static void ap1_clear_at_el2(void **state)
{
	(void)state;
	make_el2();
	fake_put(&ram, L3, 6, PAGE_B | PAGE | AF | ISH | IDX(4) | UXN);
	only_says("ap1-clear", "pt-set 0x206000 L3 0x40000041235753");
}

static void contiguous_group_that_does_not_agree(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		fake_put(&ram, L3, 16 + i, MEM(0x41240000 + i * 0x1000ull) | CONTIG);
	only("", 0);
	fake_put(&ram, L3, 20, MEM(0x41244000) | CONTIG | AP_RO);
	only_says("contiguous-inconsistent", "see entry 20");
}

static void stage2_attributes_in_stage1(void **state)
{
	(void)state;
	reg.mair |= UINT64_C(0x44) << 56;
	fake_put(&ram, L3, 6, PAGE_B | PAGE | AF | ISH | 15 << 2 | NX);
	only_says("stage2-in-stage1", "pt-set 0x206000 L3 AttrIndx=4,NS=0");
}

static void no_index_is_named_that_is_not_write_back(void **state)
{
	(void)state;
	reg.mair = UINT64_C(0x44) << 56 | 0xbb << 8;
	fake_put(&ram, L3, 5, 0); /* LOW's page selects a byte that is gone */
	fake_put(&ram, L3, 6, PAGE_B | PAGE | AF | ISH | 15 << 2 | NX);
	only_says("stage2-in-stage1", "do: load a byte of MAIR with 0xff (write-back)");
}

static void bit_5_where_index_7_is_write_back(void **state)
{
	(void)state;
	reg.mair |= UINT64_C(0xff) << 56;
	fake_put(&ram, L3, 6, PAGE_B | PAGE | AF | ISH | 15 << 2 | NX);
	only("", 0);
}

static void stage1_permissions_in_stage2(void **state)
{
	(void)state;
	make_s2();
	fake_put(&ram, S2_L2, 1, (S2_LEAF & ~UINT64_C(0xc0)) + 0x200000);
	only_says("stage1-in-stage2", "pt-set 0x200000 L2 S2AP=rw");
}

static void hierarchical_bits_in_stage2(void **state)
{
	(void)state;
	make_s2();
	fake_put(&ram, S2_ROOT, 0, S2_L2 | TABLE | PXNT);
	only_says("stage1-in-stage2", "pt-set 0 L1 0x70012003");
}

static void reserved_memattr(void **state)
{
	(void)state;
	make_s2();
	fake_put(&ram, S2_L2, 1, ((S2_LEAF & ~UINT64_C(0x3c)) | 4 << 2) + 0x200000);
	only_says("memattr-reserved", "MemAttr 4 is reserved");
}

static void reserved_mair_byte(void **state)
{
	(void)state;
	reg.mair |= UINT64_C(0x10) << 40;
	only("", 0); /* nobody selects it */
	fake_put(&ram, L3, 6, PAGE_B | PAGE | AF | ISH | IDX(5) | NX);
	only_says("mair-reserved", "MAIR byte 0x10, which is reserved");
}

static void reserved_shareability(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, (MEM(PAGE_B) & ~ISH) | 0x100);
	only_says("leaf-sh-reserved", "pt-set 0x206000 L3 SH=inner");
}

static void access_flag_clear(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~AF);
	only_says("af-clear", "pt-set 0x206000 L3 AF=1");
}

static void access_flag_that_hardware_sets(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~AF);
	set(39, 1, 1);
	only("", 0);
}

static void writable_and_executable(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~PXN);
	only_says("writable-executable", "read-only if it is code");
}

static void wxn_takes_execution_away(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~NX);
	reg.sctlr |= 1 << 19;
	only("", 0);
}

static void big_endian_tables(void **state)
{
	(void)state;
	reg.sctlr |= 1 << 25;
	for (unsigned int i = 0; i < 0x10000 / 8; i++)
		ram.word[i] = __builtin_bswap64(ram.word[i]);
	only("", 0);
	fake_put(&ram, L3, 6, __builtin_bswap64(MEM(PAGE_B) & ~AF));
	only_says("af-clear", "= 0x0060000041235313");
}

/* The report */

static void findings_in_a_row_are_one_place(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (unsigned int i = 64; i < 128; i++)
		fake_put(&ram, L3, i, MEM(0x41200000 + i * 0x1000ull) & ~AF);
	fake_put(&ram, L3, 300, MEM(PAGE_B) & ~AF);
	only("af-clear", 65);
	assert_int_equal(report.total[LINT_WARNING], 2);
	say_all(&text);
	assert_non_null(strstr(text.data, "warning: af-clear, 65 times in 2 places"));
	assert_non_null(strstr(text.data, "0x0000000000240000 - 0x000000000027ffff"));
	assert_non_null(strstr(text.data, " and 63 more\n"));
	assert_non_null(strstr(text.data, "0 errors, 2 warnings, 0 notes\n"));
	buf_free(&text);
}

static void the_first_places_are_shown_and_the_rest_is_counted(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (unsigned int i = 64; i < 128; i += 2)
		fake_put(&ram, L3, i, MEM(0x41200000 + i * 0x1000ull) & ~AF);
	only("af-clear", 32);
	lint_say(&report, 3, NULL, &text);
	assert_non_null(strstr(text.data, "  and 29 more like it (--all)\n"));
	buf_free(&text);
}

/* Every other of 2 x 8192 pages: counts that a person can read. */
static void thousands_are_one_line(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (unsigned int t = 0; t < 32; t++) {
		uint64_t table = 0x70010000 + t * 0x1000ull;

		fake_put(&ram, L2, 8 + t, table | TABLE);
		for (unsigned int i = 0; i < 512; i += 2)
			fake_put(&ram, table, i, MEM(0x44000000 + (t * 512 + i) * 0x1000ull) & ~AF);
	}
	only("af-clear", 8192);
	lint_say(&report, 3, NULL, &text);
	assert_non_null(strstr(text.data, "warning: af-clear, 8,192 times  (Arm ARM"));
	assert_non_null(strstr(text.data, "  and 8,189 more like it (--all)\n"));
	assert_true(text.len < 1000);
	buf_free(&text);
}

static void a_command_is_for_the_regime_that_was_asked_for(void **state)
{
	struct buf text = { 0 };

	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~AF);
	fake_put(&ram, L3, 7, MEM(PAGE_A + 0x3000) & ~PXN);
	lint();
	report.options = " -r el1";
	say_all(&text);
	assert_non_null(strstr(text.data, "  do: pt-set 0x206000 L3 AF=1 -r el1\n"));
	assert_non_null(strstr(text.data, "apart if it is both\n")); /* no command */
	buf_free(&text);
}

static void errors_come_first(void **state)
{
	struct buf text = { 0 };
	const char *error, *warning;

	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~AF);
	fake_put(&ram, L3, 7, 0x401);
	lint();
	say_all(&text);
	error = strstr(text.data, "error: level3-block");
	warning = strstr(text.data, "warning: af-clear");
	assert_true(error && warning && error < warning);
	buf_free(&text);
}

static void one_rule_alone(void **state)
{
	(void)state;
	fake_put(&ram, L3, 6, MEM(PAGE_B) & ~AF);
	fake_put(&ram, L3, 7, 0x401);
	lint_free(&report);
	report.only = lint_rule_find("af-clear");
	assert_int_equal(lint_run(&in, &report), 0);
	assert_int_equal(report.total[LINT_ERROR], 0);
	assert_int_equal(report.total[LINT_WARNING], 1);
}

static void ids_are_unique_and_all_is_said(void **state)
{
	(void)state;
	for (unsigned int i = 0; lint_rule(i); i++) {
		const struct lint_rule *r = lint_rule(i);

		assert_ptr_equal(lint_rule_find(r->id), r);
		assert_true(*r->section && *r->what && *r->so && *r->remedy);
	}
	assert_null(lint_rule_find("nonsense"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINT_TEST(nothing_is_wrong_with_good_tables),
		LINT_TEST(txsz_out_of_range),
		LINT_TEST(a_size_that_depends_on_what_is_not_shown),
		LINT_TEST(reserved_granule),
		LINT_TEST(granule_that_the_cpu_lacks),
		LINT_TEST(reserved_output_size),
		LINT_TEST(output_size_above_what_there_is),
		LINT_TEST(start_level_that_does_not_fit),
		LINT_TEST(root_misaligned),
		LINT_TEST(root_beyond_the_output_size),
		LINT_TEST(control_without_its_feature),
		LINT_TEST(reserved_shareability_of_walks),
		LINT_TEST(walks_that_bypass_the_cache),
		LINT_TEST(walks_that_nobody_shares),
		LINT_TEST(level3_block),
		LINT_TEST(block_at_level_0),
		LINT_TEST(address_beyond_the_output_size),
		LINT_TEST(table_beyond_the_output_size),
		LINT_TEST(block_misaligned),
		LINT_TEST(nt_is_no_address),
		LINT_TEST(table_misaligned),
		LINT_TEST(reserved_bits),
		LINT_TEST(reserved_bit_of_a_table),
		LINT_TEST(ap1_clear_at_el2),
		LINT_TEST(contiguous_group_that_does_not_agree),
		LINT_TEST(stage2_attributes_in_stage1),
		LINT_TEST(no_index_is_named_that_is_not_write_back),
		LINT_TEST(bit_5_where_index_7_is_write_back),
		LINT_TEST(stage1_permissions_in_stage2),
		LINT_TEST(hierarchical_bits_in_stage2),
		LINT_TEST(reserved_memattr),
		LINT_TEST(reserved_mair_byte),
		LINT_TEST(reserved_shareability),
		LINT_TEST(access_flag_clear),
		LINT_TEST(access_flag_that_hardware_sets),
		LINT_TEST(writable_and_executable),
		LINT_TEST(wxn_takes_execution_away),
		LINT_TEST(big_endian_tables),
		LINT_TEST(findings_in_a_row_are_one_place),
		LINT_TEST(the_first_places_are_shown_and_the_rest_is_counted),
		LINT_TEST(thousands_are_one_line),
		LINT_TEST(a_command_is_for_the_regime_that_was_asked_for),
		LINT_TEST(errors_come_first),
		LINT_TEST(one_rule_alone),
		LINT_TEST(ids_are_unique_and_all_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
