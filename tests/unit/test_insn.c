// SPDX-License-Identifier: BSD-2-Clause
/* Words as the GNU assembler makes them, and what a follower of control flow sees in them. */
#include "unit.h"

#include "buf.h"
#include "handoff/insn.h"

static void branches_have_their_offset(void **state)
{
	static const struct {
		uint32_t word;
		enum insn_kind kind;
		int64_t offset;
	} rows[] = {
		{ 0x14000002, INSN_B, 8 },	    /* b .+8 */
		{ 0x17ffffff, INSN_B, -4 },	    /* b .-4 */
		{ 0x94000400, INSN_BL, 0x1000 },    /* bl .+0x1000 */
		{ 0x54ffffc1, INSN_COND, -8 },	    /* b.ne .-8 */
		{ 0x54000051, INSN_COND, 8 },	    /* bc.ne .+8 */
		{ 0xb4000081, INSN_COND, 16 },	    /* cbz x1, .+16 */
		{ 0xb747ff82, INSN_COND, -16 },	    /* tbnz x2, #40, .-16 */
		{ 0x16000000, INSN_B, -(1 << 27) }, /* b .-128M */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct insn insn = insn_decode(rows[i].word);

		assert_int_equal(insn.kind, rows[i].kind);
		assert_int_equal(insn.offset, rows[i].offset);
	}
}

static void indirect_branches_have_their_register(void **state)
{
	static const struct {
		uint32_t word;
		enum insn_kind kind;
		unsigned int reg;
		bool pauth;
	} rows[] = {
		{ 0xd61f0080, INSN_BR, 4, false },   /* br x4 */
		{ 0xd63f03c0, INSN_BLR, 30, false }, /* blr x30 */
		{ 0xd65f03c0, INSN_RET, 30, false }, /* ret */
		{ 0xd65f0060, INSN_RET, 3, false },  /* ret x3 */
		{ 0xd71f0822, INSN_BR, 1, true },    /* braa x1, x2 */
		{ 0xd61f083f, INSN_BR, 1, true },    /* braaz x1 */
		{ 0xd73f0822, INSN_BLR, 1, true },   /* blraa x1, x2 */
		{ 0xd65f0bff, INSN_RET, 30, true },  /* retaa */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct insn insn = insn_decode(rows[i].word);

		assert_int_equal(insn.kind, rows[i].kind);
		assert_int_equal(insn.reg, rows[i].reg);
		assert_int_equal(insn.pauth, rows[i].pauth);
	}
}

static void kinds(void **state)
{
	static const struct {
		uint32_t word;
		enum insn_kind kind;
		unsigned int imm;
	} rows[] = {
		{ 0xd69f03e0, INSN_ERET, 0 },  { 0xd69f0bff, INSN_ERET, 0 }, /* eretaa */
		{ 0xd40000a1, INSN_SVC, 5 },   { 0xd4000002, INSN_HVC, 0 },
		{ 0xd4000023, INSN_SMC, 1 },   { 0xd4200020, INSN_BRK, 1 },
		{ 0xd4400040, INSN_HLT, 2 },   { 0xd5034fdf, INSN_MSR_IMM, 0 },
		{ 0xd508871f, INSN_TLBI, 0 },  { 0xd508751f, INSN_CACHE, 0 }, /* ic iallu */
		{ 0xd5087801, INSN_CACHE, 0 },				      /* at s1e1r, x1 */
		{ 0xd503207f, INSN_WFI, 0 },   { 0xd503205f, INSN_WFE, 0 },
		{ 0xd503201f, INSN_OTHER, 0 }, /* nop */
		{ 0xd5033fdf, INSN_OTHER, 0 }, /* isb */
		{ 0x00000000, INSN_UDF, 0 },   { 0xaa1303fe, INSN_OTHER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(insn_decode(rows[i].word).kind, rows[i].kind);
		assert_int_equal(insn_decode(rows[i].word).imm, rows[i].imm);
	}
}

static void system_registers_are_known_by_encoding(void **state)
{
	struct insn insn = insn_decode(0xd5182029); /* msr ttbr1_el1, x9 */

	(void)state;
	assert_int_equal(insn.kind, INSN_MSR);
	assert_int_equal(insn.reg, 9);
	assert_string_equal(watch_find(insn.sysreg)->name, "TTBR1_EL1");
	insn = insn_decode(0xd51cc001); /* msr vbar_el2, x1 */
	assert_string_equal(watch_find(insn.sysreg)->name, "VBAR_EL2");
	assert_int_equal(watch_find(insn.sysreg)->el, 2);
	insn = insn_decode(0xd5384243); /* mrs x3, currentel */
	assert_int_equal(insn.kind, INSN_MRS);
	assert_null(watch_find(insn.sysreg));
}

static void x30_comes_from_somewhere(void **state)
{
	static const struct {
		uint32_t word;
		enum insn_x30 x30;
	} rows[] = {
		{ 0xa8c17bfd, X30_STACK }, /* ldp x29, x30, [sp], #16 */
		{ 0xf94007fe, X30_STACK }, /* ldr x30, [sp, #8] */
		{ 0xf94007be, X30_STACK }, /* ldr x30, [x29, #8] */
		{ 0xf8616bfe, X30_STACK }, /* ldr x30, [sp, x1] */
		{ 0xf940027e, X30_OTHER }, /* ldr x30, [x19] */
		{ 0xa940045e, X30_OTHER }, /* ldp x30, x1, [x2] */
		{ 0x5800005e, X30_OTHER }, /* ldr x30, .+8 */
		{ 0xaa1303fe, X30_OTHER }, /* mov x30, x19 */
		{ 0xd280003e, X30_OTHER }, /* mov x30, #1 */
		{ 0x1000003e, X30_OTHER }, /* adr x30, .+4 */
		{ 0x910013de, X30_OTHER }, /* add x30, x30, #4 */
		{ 0xd538521e, X30_OTHER }, /* mrs x30, esr_el1 */
		{ 0xf821005e, X30_OTHER }, /* ldadd x1, x30, [x2] */
		{ 0xf820043e, X30_OTHER }, /* ldraa x30, [x1] */
		{ 0x94000400, X30_LINK },  /* bl */
		{ 0xd63f03c0, X30_LINK },  /* blr */
		{ 0xa9bf7bfd, X30_KEPT },  /* stp x29, x30, [sp, #-16]! */
		{ 0xf90003fe, X30_KEPT },  /* str x30, [sp] */
		{ 0xf98003c0, X30_KEPT },  /* prfm pldl1keep, [x30] */
		{ 0xc8017ffe, X30_KEPT },  /* stxr w1, x30, [sp] */
		{ 0x1e62283e, X30_KEPT },  /* fadd d30, d1, d2 */
		{ 0xfd4003fe, X30_KEPT },  /* ldr d30, [sp] */
		{ 0xfa41182e, X30_KEPT },  /* ccmp x1, #1, #14, ne */
		{ 0xd50323bf, X30_KEPT },  /* autiasp */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(insn_decode(rows[i].word).x30, rows[i].x30);
}

static void signed_pointers_are_stripped(void **state)
{
	(void)state;
	assert_int_equal(insn_strip_pauth(0x0012000048000000), 0x48000000);
	assert_int_equal(insn_strip_pauth(0x12bfff8040000000), 0xffffff8040000000);
}

static void text_is_disassembly(void **state)
{
	struct buf out = { 0 };

	(void)state;
	insn_text(0xd61f0080, 0, &out);
	assert_string_equal(out.data, "br x4");
	buf_clear(&out);
	insn_text(0xffffffff, 0, &out);
	assert_string_equal(out.data, ".word 0xffffffff");
	buf_free(&out);
}

static void code_is_told_from_other_bytes(void **state)
{
	static const uint32_t code[] = { 0xd2a00209, 0xd503201f, 0x94000400, 0xd65f03c0 };
	/* an arm64 Image: add, a branch, and then fields of its header */
	static const uint32_t image[] = { 0x91005a4d, 0x14000400, 0, 0 };
	static const uint32_t zeros[4] = { 0 };
	static const uint32_t alike[] = { 0xd503201f, 0xd503201f, 0xd503201f, 0xd503201f };
	static const uint32_t text[] = { 0x6c6c6548, 0x6f77206f, 0x21646c72, 0x0000000a };

	(void)state;
	assert_true(insn_plausible(code, 4));
	assert_true(insn_plausible(image, 4));
	assert_false(insn_plausible(zeros, 4));
	assert_false(insn_plausible(alike, 4));
	assert_false(insn_plausible(text, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branches_have_their_offset),
		cmocka_unit_test(indirect_branches_have_their_register),
		cmocka_unit_test(kinds),
		cmocka_unit_test(system_registers_are_known_by_encoding),
		cmocka_unit_test(x30_comes_from_somewhere),
		cmocka_unit_test(signed_pointers_are_stripped),
		cmocka_unit_test(text_is_disassembly),
		cmocka_unit_test(code_is_told_from_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
