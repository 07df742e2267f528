// SPDX-License-Identifier: BSD-2-Clause
/* Fields of descriptors and system registers: names, edits, words. */
#include "unit.h"

#include "buf.h"
#include "fake_ram.h"
#include "mmu/a64.h"
#include "mmu/sysreg.h"

static struct buf out;
static struct pt_config el1, el2;

static int setup(void **state)
{
	struct regime r = fake_el1(0, 0);

	(void)state;
	assert_int_equal(pt_config_from_regime(&el1, &r, 0, NULL), 0);
	r = fake_el2(0);
	assert_int_equal(pt_config_from_regime(&el2, &r, 0, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static const char *text(void)
{
	return out.data ? out.data : "";
}

static int edit(const struct pt_config *cfg, int level, uint64_t *desc, const char *edits)
{
	buf_free(&out);
	return pt_desc_edit(cfg, level, desc, edits, &out);
}

static void assert_edit(const struct pt_config *cfg, int level, uint64_t before, const char *edits,
			uint64_t after)
{
	assert_int_equal(edit(cfg, level, &before, edits), 0);
	assert_int_equal(before, after);
}

/* Bit positions from DDI 0487 D8.3.1.2, not from the rows. */
static void leaf_edits(void **state)
{
	(void)state;
	assert_edit(&el1, 2, 0x40000311, "AF=1", 0x40000711);
	assert_edit(&el1, 2, 0x40000711, "af=0", 0x40000311);
	assert_edit(&el1, 2, 0x40000711, "AP=ro", 0x40000791);
	assert_edit(&el1, 2, 0x40000711, "AP=rw+el0", 0x40000751);
	assert_edit(&el1, 2, 0x40000711, "AP=3", 0x400007d1);
	assert_edit(&el1, 2, 0x40000711, "SH=outer,AttrIndx=0", 0x40000601);
	assert_edit(&el1, 3, 0x40000713, "UXN=1,PXN=1", 0x0060000040000713);
	assert_edit(&el1, 3, 0x40000713, "contiguous=1,nG=1,DBM=1", 0x0018000040000f13);
	assert_edit(&el1, 3, 0x40000713, "OA=0x812345000", 0x812345713);
	assert_edit(&el1, 2, 0x40000711, "OA=0x80000000,AP=ro", 0x80000791);
}

static void table_edits(void **state)
{
	(void)state;
	assert_edit(&el1, 0, 0x7000b003, "table=0x70009000", 0x70009003);
	assert_edit(&el1, 0, 0x7000b003, "APTable=ro,PXNTable=1", 0x480000007000b003);
	assert_edit(&el1, 0, 0x7000b003, "UXNTable=1,APTable=no-el0", 0x300000007000b003);
	assert_edit(&el2, 0, 0x7000b003, "XNTable=1,APTable=ro", 0x500000007000b003);
}

/* EL2 has one privilege level: AP[2] alone, XN at bit 54, neither PXN nor nG. */
static void el2_fields_differ(void **state)
{
	uint64_t desc = 0x40000711;

	(void)state;
	assert_edit(&el2, 2, 0x40000751, "AP=ro", 0x400007d1);
	assert_edit(&el2, 2, 0x40000751, "XN=1", 0x0040000040000751);
	assert_int_equal(edit(&el2, 2, &desc, "PXN=1"), -BATON_EINVAL);
	assert_int_equal(edit(&el2, 2, &desc, "UXN=1"), -BATON_EINVAL);
	assert_int_equal(edit(&el2, 2, &desc, "nG=1"), -BATON_EINVAL);
	assert_int_equal(edit(&el1, 2, &desc, "XN=1"), -BATON_EINVAL);
	assert_non_null(strstr(text(), "UXN"));
	assert_int_equal(desc, 0x40000711);
}

static void type_comes_first(void **state)
{
	uint64_t desc = 0;

	(void)state;
	assert_edit(&el1, 0, 0, "table=0x7000b000,type=table", 0x7000b003);
	assert_edit(&el1, 2, 0, "OA=0x40000000,AttrIndx=4,SH=inner,AF=1,type=block", 0x40000711);
	assert_edit(&el1, 2, 0x40000711, "type=invalid", 0x40000710);
	assert_int_equal(edit(&el1, 0, &desc, "table=0x7000b000"), -BATON_EINVAL);
	assert_non_null(strstr(text(), "invalid"));
	assert_int_equal(edit(&el1, 0, &desc, "type=block"), -BATON_EINVAL);
	assert_int_equal(edit(&el1, 3, &desc, "type=table"), -BATON_EINVAL);
	assert_int_equal(edit(&el1, 2, &desc, "type=page"), -BATON_EINVAL);
	assert_edit(&el1, 3, 0, "type=page", 3);
	/* A table address does not fit a 2 MiB block. */
	desc = 0x7000b003;
	assert_int_equal(edit(&el1, 2, &desc, "type=block"), -BATON_EINVAL);
	assert_int_equal(desc, 0x7000b003);
}

static void bad_edits_change_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"AF",
		"AF=2",
		"AF=",
		"AP=purple",
		"ZZ=1",
		"OA=pony",
		"OA=0x1000",
		"AF=1,AP=bogus",
		"AttrIndx=8",
		"AF=1;AP=1",
		"=1",
		"AF=-1",
		"OA=-1",
		"AF=1 ",
		"table=0x1000",
		"AP=0x",
		"type=nonsense",
		"OA=0xffff000000000000",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=1",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t desc = 0x40000711;

		assert_int_equal(edit(&el1, 2, &desc, bad[i]), -BATON_EINVAL);
		assert_int_equal(desc, 0x40000711);
		assert_true(out.len > 0);
	}
}

static void every_row_holds_what_was_set(void **state)
{
	const struct pt_config *cfgs[] = { &el1, &el2 };

	(void)state;
	for (unsigned int c = 0; c < 2; c++) {
		for (int k = PT_TABLE; k <= PT_PAGE; k++) {
			const struct pt_field *f = pt_desc_fields(cfgs[c], (enum pt_kind)k);
			uint64_t used = 3 | pt_desc_address_mask(cfgs[c], k == PT_BLOCK ? 2 : 3,
								 (enum pt_kind)k);

			for (; f->name; f++) {
				uint64_t all = pt_field_set(f, 0, ~UINT64_C(0));

				assert_int_equal(all & used, 0);
				used |= all;
				assert_int_equal(pt_field_set(f, ~UINT64_C(0), 0), ~all);
				assert_ptr_equal(
					pt_field_find(pt_desc_fields(cfgs[c], (enum pt_kind)k),
						      f->name),
					f);
			}
		}
	}
}

static void sysreg_rows_do_not_overlap(void **state)
{
	const struct sysreg *s;

	(void)state;
	for (unsigned int n = 0; (s = sysreg_each(n)); n++) {
		uint64_t used = 0;

		assert_ptr_equal(sysreg_find(s->name, s->e2h), s);
		for (const struct pt_field *f = s->fields; f->name; f++) {
			assert_int_equal(used & pt_field_mask(f), 0);
			used |= pt_field_mask(f);
		}
	}
	assert_null(sysreg_find("NO_SUCH_EL1", false));
}

static const char *mair(uint8_t attr)
{
	buf_clear(&out);
	mair_say(attr, &out);
	return text();
}

/* DDI 0487, MAIR_EL1, tables of Attr<n>, dd, oooo and iiii. */
static void mair_words(void **state)
{
	(void)state;
	assert_string_equal(mair(0x00), "Device-nGnRnE");
	assert_string_equal(mair(0x04), "Device-nGnRE");
	assert_string_equal(mair(0x08), "Device-nGRE");
	assert_string_equal(mair(0x0c), "Device-GRE");
	assert_string_equal(mair(0x01), "Device-nGnRnE XS=0");
	assert_string_equal(mair(0x44), "Normal NC");
	assert_string_equal(mair(0xff), "Normal WB");
	assert_string_equal(mair(0xbb), "Normal WT");
	assert_string_equal(mair(0xee), "Normal WB read-allocate");
	assert_string_equal(mair(0xdd), "Normal WB write-allocate");
	assert_string_equal(mair(0x77), "Normal WB transient");
	assert_string_equal(mair(0x33), "Normal WT transient");
	assert_string_equal(mair(0x4f), "Normal inner WB, outer NC");
	assert_string_equal(mair(0xf4), "Normal inner NC, outer WB");
	assert_string_equal(mair(0x40), "Normal NC XS=0");
	assert_string_equal(mair(0xf0), "Normal WB tagged");
	assert_non_null(strstr(mair(0x02), "UNPREDICTABLE"));
	assert_non_null(strstr(mair(0x80), "UNPREDICTABLE"));
	assert_true(mair_is_device(0x0c));
	assert_false(mair_is_device(0x44));
	assert_true(mair_is_noncacheable(0x44));
	assert_true(mair_is_noncacheable(0x40));
	assert_false(mair_is_device(0x02));
	assert_false(mair_is_noncacheable(0x4f));
}

static const char *describe(const char *name, uint64_t value)
{
	const struct sysreg *s = sysreg_find(name, false);

	assert_non_null(s);
	buf_clear(&out);
	sysreg_describe(s, value, &out);
	return text();
}

static void has(const char *where, const char *what)
{
	if (!strstr(where, what))
		fail_msg("no \"%s\" in:\n%s", what, where);
}

static void translation_registers_in_words(void **state)
{
	const char *t;

	(void)state;
	t = describe("tcr_el1", SEED_TCR);
	has(t, "  T0SZ       [5:0]    16      48-bit input\n");
	has(t, "  T1SZ       [21:16]  16      48-bit input\n");
	has(t, "  TG0        [15:14]  0       4 KiB\n");
	has(t, "  TG1        [31:30]  2       4 KiB\n");
	has(t, "  IPS        [34:32]  2       40-bit\n");
	has(describe("TCR_EL1", 0), "  TG1        [31:30]  0       reserved\n");
	has(describe("TCR_EL2", 0x80823510), "  PS         [18:16]  2       40-bit\n");
	has(describe("MAIR_EL1", SEED_MAIR), "  Attr4      [39:32]  0xff    Normal WB\n");
	has(describe("TTBR1_EL1", 0x000500007000c001), "table at 0x7000c000");
	has(describe("TTBR1_EL1", 0x000500007000c001), "  ASID       [63:48]  0x5\n");
	has(describe("SCTLR_EL1", 0xc50838), "  M          [0]      0       MMU off\n");
	has(describe("SCTLR_EL2", 1), "MMU on");
	has(describe("HCR_EL2", UINT64_C(1) << 31), "EL1 is AArch64");
	has(describe("ID_AA64MMFR0_EL1", 0x10001122), "PARange    [3:0]    2       40-bit");
	has(describe("ID_AA64MMFR0_EL1", 0x10001122), "supported, also 52-bit");
	has(describe("VBAR_EL1", 0x70004800), "vectors at 0x70004800");
}

/* D24.2.208: with E2H TCR_EL2 has two halves, as TCR_EL1. */
static void e2h_gives_el2_the_fields_of_el1(void **state)
{
	const struct sysreg *s = sysreg_find("TCR_EL2", true);

	(void)state;
	assert_non_null(s);
	sysreg_describe(s, SEED_TCR, &out);
	has(text(), "  T1SZ       [21:16]  16      48-bit input\n");
	has(text(), "  IPS        [34:32]  2       40-bit\n");
	assert_null(strstr(text(), "  PS "));
	assert_null(strstr(describe("TCR_EL2", SEED_TCR), "T1SZ"));
	assert_ptr_equal(sysreg_find("TCR_EL1", true), sysreg_find("TCR_EL1", false));
	/* bit 26 is UCI, of EL0: without E2H it is none of SCTLR_EL2's */
	buf_clear(&out);
	sysreg_describe(sysreg_find("SCTLR_EL2", true), 1 << 26, &out);
	has(text(), "  UCI        [26]     1\n");
	assert_null(strstr(text(), "?"));
}

static void bits_without_a_name_are_said(void **state)
{
	(void)state;
	has(describe("SCTLR_EL2", 1 << 26), "  ?          [26]     0x1     set, and not known");
	assert_null(strstr(describe("SCTLR_EL2", 0x30c50830), "?")); /* RES1 */
	assert_null(strstr(describe("TCR_EL2", 0x80823510), "?"));
	assert_null(strstr(describe("TCR_EL3", 0x80823510), "?"));
	assert_null(strstr(describe("VTCR_EL2", 0x80023558), "?"));
	assert_null(strstr(describe("SCTLR_EL1", 0x30d00800), "?"));
	has(describe("TCR_EL2", UINT64_C(1) << 34), "  ?          [34]     0x1 ");
	assert_null(strstr(describe("TCR_EL3", UINT64_C(1) << 34), "?"));
	has(describe("VBAR_EL1", 0x70004801), "  ?          [0]      0x1 ");
	has(describe("TCR_EL1", UINT64_C(3) << 62), "  ?          [63:62]  0x3 ");
	has(describe("ESR_EL1", 0x92000046 | 1 << 14), "  ?          [14]     0x1 ");
	has(describe("ID_AA64MMFR0_EL1", UINT64_C(0xff) << 48), "  ?          [55:48]  0xff ");
}

static unsigned int near(const char *name, const char *first)
{
	const char *list[4] = { "" };
	unsigned int n = sysreg_near(name, list, 4);

	assert_string_equal(list[0], first);
	return n;
}

static void names_near_to_one(void **state)
{
	(void)state;
	near("TCR_E1", "TCR_EL1");
	near("tcr_el4", "TCR_EL1");
	near("MMFR1", "ID_AA64MMFR1_EL1");
	near("SCTRL_EL1", "SCTLR_EL1");
	assert_int_equal(near("EL", "MIDR_EL1"), 4); /* no more than there is room for */
	assert_int_equal(near("PURPLE_HAZE", ""), 0);
	assert_int_equal(near("", ""), 0);
	assert_int_equal(near("TCR_EL1TCR_EL1TCR_EL1TCR_EL1TCR_EL1TCR_EL1", ""), 0);
}

static void encodings_by_name_and_number(void **state)
{
	unsigned int e = 0;

	(void)state;
	assert_true(sysreg_encode("TTBR1_EL1", &e));
	assert_int_equal(e, 3 << 14 | 0 << 11 | 2 << 7 | 0 << 3 | 1);
	assert_true(sysreg_encode("S3_0_C2_C0_1", &e));
	assert_int_equal(e, 3 << 14 | 0 << 11 | 2 << 7 | 0 << 3 | 1);
	assert_true(sysreg_encode("s2_7_c15_c15_7", &e));
	assert_int_equal(e, 2 << 14 | 7 << 11 | 15 << 7 | 15 << 3 | 7);
	/* QEMU's names. */
	assert_true(sysreg_encode("SCTLR", &e));
	assert_int_equal(e, 3 << 14 | 0 << 11 | 1 << 7 | 0 << 3 | 0);
	assert_true(sysreg_encode("AMAIR0", &e));
	assert_int_equal(e, 3 << 14 | 0 << 11 | 10 << 7 | 3 << 3 | 0);
	assert_true(sysreg_encode("daif", &e) && sysreg_is_pstate(e));
	assert_true(sysreg_encode("SP_EL0", &e) && !sysreg_is_pstate(e));
	assert_false(sysreg_encode("S1_0_C7_C8_0", &e));
	assert_false(sysreg_encode("S3_8_C2_C0_1", &e));
	assert_false(sysreg_encode("S3_0_C16_C0_1", &e));
	assert_false(sysreg_encode("S3_0_C2_C0_8", &e));
	assert_false(sysreg_encode("S3_0_C2_C0_1x", &e));
	assert_false(sysreg_encode("S3_0_C2_C0", &e));
	assert_false(sysreg_encode("x0", &e));
	assert_false(sysreg_encode("TTBR", &e));
	assert_false(sysreg_encode("", &e));
}

static void status_registers_in_words(void **state)
{
	const char *t;

	(void)state;
	t = describe("CPSR", 0x600003c5);
	has(t, "EL1h");
	has(t, "IRQ masked");
	has(t, "  Z          [30]     1\n");
	has(describe("SPSR_EL2", 0x3c9), "EL2h");
	has(describe("SPSR_EL1", 0x0), "EL0t");
}

static void syndromes_in_words(void **state)
{
	const char *t;

	(void)state;
	t = describe("ESR_EL1", 0x86000004);
	has(t, "  EC         [31:26]  0x21    Instruction Abort taken without a change");
	has(t, "  IFSC       [5:0]    0x4     translation fault, level 0\n");
	t = describe("ESR_EL1", 0x92000046);
	has(t, "translation fault, level 2");
	has(t, "  WnR        [6]      1       write\n");
	/* MSR TTBR0_EL1, x3: op0 3, op1 0, CRn 2, CRm 0, op2 0, write. */
	t = describe("ESR_EL2", UINT64_C(0x18) << 26 | 1 << 25 | 3 << 20 | 2 << 10 | 3 << 5);
	has(t, "TTBR0_EL1");
	has(t, "write (MSR)");
	has(t, "  Rt         [9:5]    3\n");
	/* An unnamed one by its numbers. */
	has(describe("ESR_EL2", UINT64_C(0x18) << 26 | 3 << 20 | 5 << 17 | 1 << 14 | 11 << 10 | 1),
	    "S3_1_C11_C0_5");
	has(describe("ESR_EL1", UINT64_C(0x15) << 26 | 0x123), "  imm16      [15:0]   0x123\n");
	has(describe("ESR_EL1", UINT64_C(0x3c) << 26 | 0xf000), "BRK");
	has(describe("ESR_EL1", UINT64_C(0x26) << 26), "SP alignment fault");
	has(describe("ESR_EL1", UINT64_C(0x2f) << 26), "SError");
}

/* Classes and fault status from DDI 0487, ESR_EL1. */
static void short_words(void **state)
{
	(void)state;
	assert_string_equal(esr_fault_words(0x86000004), "translation fault, level 0");
	assert_string_equal(esr_fault_words(0x96000003), "address size fault, level 3");
	assert_string_equal(esr_fault_words(0x9200000b), "access flag fault, level 3");
	assert_string_equal(esr_fault_words(0x9600004f), "permission fault, level 3");
	assert_string_equal(esr_fault_words(0x96000010), "external abort, not on a table walk");
	assert_string_equal(esr_fault_words(0x96000015),
			    "external abort on the table walk, level 1");
	assert_string_equal(esr_fault_words(0x96000021), "alignment fault");
	assert_string_equal(esr_fault_words(0x9600002b), "translation fault, level -1");
	assert_string_equal(esr_fault_words(0x9600003f), "reserved fault status");
	assert_null(esr_fault_words(0x02000000));
	assert_string_equal(esr_class_words(UINT64_C(0x16) << 26), "HVC in AArch64");
	assert_string_equal(esr_class_words(UINT64_C(0x17) << 26), "SMC in AArch64");
	assert_string_equal(esr_class_words(UINT64_C(0x02) << 26), "reserved exception class");
	assert_true(esr_is_fetch_abort(0x82000004));
	assert_true(esr_is_fetch_abort(0x86000004));
	assert_false(esr_is_fetch_abort(0x8a000000));
	assert_true(esr_is_data_abort(0x92000006));
	assert_true(esr_is_data_abort(0x96000006));
	assert_false(esr_is_data_abort(0x9a000000));
	assert_string_equal(sysreg_name(3, 4, 1, 1, 0), "HCR_EL2");
	assert_null(sysreg_name(3, 7, 15, 15, 7));
}

static void descriptor_in_words(void **state)
{
	(void)state;
	pt_desc_describe(&el1, 2, 0x40000711, &out);
	has(text(), "  type       [1:0]    1       block\n");
	has(text(), "0x40000000\n");
	has(text(), "  AttrIndx   [4:2]    4       Normal WB\n");
	has(text(), "  SH         [9:8]    3       inner\n");
	buf_clear(&out);
	pt_desc_describe(&el1, 3, 0x40000711, &out);
	has(text(), "reserved at this level");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(leaf_edits),
		T(table_edits),
		T(el2_fields_differ),
		T(type_comes_first),
		T(bad_edits_change_nothing),
		T(every_row_holds_what_was_set),
		T(sysreg_rows_do_not_overlap),
		T(mair_words),
		T(translation_registers_in_words),
		T(e2h_gives_el2_the_fields_of_el1),
		T(bits_without_a_name_are_said),
		T(names_near_to_one),
		T(encodings_by_name_and_number),
		T(status_registers_in_words),
		T(syndromes_in_words),
		T(short_words),
		T(descriptor_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
