/* SPDX-License-Identifier: BSD-2-Clause */
/* What is certain of registers at an instruction that was not run to. */
#include "unit.h"

#include "handoff/ahead.h"

#define BASE 0x1000u

#define NOP	  0xd503201fu
#define RET	  0xd65f03c0u
#define ERET	  0xd69f03e0u
#define CBZ_X0_8  0xb4000040u
#define TBNZ_X0_8 0x37180040u /* tbnz w0, #3, .+8 */
#define B_NE_8	  0x54000041u
#define BL_8	  0x94000002u
#define BR_X15	  0xd61f01e0u
#define STR	  0xf90001e0u /* str x0, [x15] */
#define LDR_W14	  0xb94009eeu /* ldr w14, [x15, #8] */

#define TTBR0_EL1 SYSREG(3, 0, 2, 0, 0)
#define SCTLR_EL1 SYSREG(3, 0, 1, 0, 0)

struct code {
	const uint32_t *words;
	size_t n;
};

static int word(void *ctx, uint64_t pc, uint32_t *w)
{
	const struct code *c = ctx;
	size_t i = (pc - BASE) / 4;

	if (pc < BASE || i >= c->n)
		return -1;
	*w = c->words[i];
	return 0;
}

/* Memory holds its addresses. */
static int load(void *ctx, uint64_t va, unsigned int len, uint64_t *value)
{
	(void)ctx;
	*value = len == 4 ? (uint32_t)va : va | UINT64_C(1) << 63;
	return 0;
}

static int sysreg(void *ctx, uint16_t reg, uint64_t *value)
{
	(void)ctx;
	*value = 0x30d00800;
	return reg == SCTLR_EL1 ? 0 : -1;
}

static bool ends(void *ctx, const struct ahead *a)
{
	(void)ctx;
	return a->insn.kind == INSN_ERET;
}

/* x0 is 0x30d0180d, x15 0x8000, sp 0x9000; x20 and on are not known. */
static bool look(const uint32_t *words, size_t n, struct ahead *a)
{
	struct code code = { words, n };
	struct ahead_source s = { word, load, sysreg, ends, &code };

	*a = (struct ahead){ .pc = BASE, .known = 0x800fffff, .pstate = 0x3c5 };
	a->x[0] = 0x30d0180d;
	a->x[15] = 0x8000;
	a->x[31] = 0x9000;
	return ahead_look(&s, a);
}

#define LOOK(a, ...)                                                 \
	({                                                           \
		const uint32_t words_[] = { __VA_ARGS__ };           \
		look(words_, sizeof(words_) / sizeof(words_[0]), a); \
	})

static void assert_known(const struct ahead *a, unsigned int n, uint64_t value)
{
	assert_true(a->known >> n & 1);
	assert_int_equal(a->x[n], value);
}

static void registers_are_computed(void **state)
{
	static const struct {
		uint32_t word;
		unsigned int reg;
		uint64_t value;
	} rows[] = {
		{ 0x12800001, 1, 0xffffffff },		/* mov w1, #-1 */
		{ 0x92a00022, 2, 0xfffffffffffeffff },	/* mov x2, #-65537 */
		{ 0xaa0003e3, 3, 0x30d0180d },		/* mov x3, x0 */
		{ 0x91400c04, 4, 0x30d0480d },		/* add x4, x0, #3, lsl #12 */
		{ 0xd1000405, 5, 0x30d0180c },		/* sub x5, x0, #1 */
		{ 0xb2089fe6, 6, 0xff00ff00ff00ff00 },	/* mov x6, #0xff00ff00ff00ff00 */
		{ 0x92403c07, 7, 0x180d },		/* and x7, x0, #0xffff */
		{ 0xb2400008, 8, 0x30d0180d },		/* orr x8, x0, #1 */
		{ 0xd200f016, 22, 0x5555555565854d58 }, /* eor x22, x0, #0x5555555555555555 */
		{ 0x8b0f0409, 9, 0x30d1180d },		/* add x9, x0, x15, lsl #1 */
		{ 0x8a2f000a, 10, 0x30d0180d },		/* bic x10, x0, x15 */
		{ 0xf2a61a00, 0, 0x30d0180d },		/* movk x0, #0x30d0, lsl #16 */
		{ 0x52bffff7, 23, 0xffff0000 },		/* mov w23, #0xffff0000 */
		{ 0x1000000b, 11, BASE },		/* adr x11, . */
		{ 0x9000000c, 12, BASE & ~0xfffu },	/* adrp x12, . */
		{ 0x58ffffed, 13, UINT64_C(1) << 63 | (BASE - 4) }, /* ldr x13, .-4 */
		{ LDR_W14, 14, 0x8008 },
		{ 0xd5381012, 18, 0x30d00800 }, /* mrs x18, sctlr_el1 */
		{ 0x910043fd, 29, 0x9010 },	/* add x29, sp, #16 */
		{ 0x910001ff, 31, 0x8000 },	/* mov sp, x15 */
		{ 0xd10083ff, 31, 0x8fe0 },	/* sub sp, sp, #32 */
		{ 0xa9bf7bfd, 31, 0x8ff0 },	/* stp x29, x30, [sp, #-16]! */
		{ 0xa8c145f0, 15, 0x8010 },	/* ldp x16, x17, [x15], #16 */
		{ 0xa8c145f0, 17, UINT64_C(1) << 63 | 0x8008 },
	};
	struct ahead a;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(LOOK(&a, rows[i].word, ERET));
		assert_int_equal(a.steps, 1);
		assert_known(&a, rows[i].reg, rows[i].value);
	}
}

/* What is not computed is not certain; nor is what depends on it. */
static void the_rest_is_forgotten(void **state)
{
	static const struct {
		uint32_t word;
		unsigned int reg;
	} rows[] = {
		{ 0x9b000013, 19 }, /* madd x19, x0, x0, x0 */
		{ 0x8b140009, 9 },  /* add x9, x0, x20 */
		{ 0xc8f4fdf5, 15 }, /* casal x20, x21, [x15]: more than it has to */
		{ 0x3cc105e0, 15 }, /* ldr q0, [x15], #16 */
		{ 0xd538a212, 18 }, /* mrs x18, mair_el1 */
		{ 0xd50040bf, 31 }, /* msr spsel, #0 */
		{ 0x8b2063ff, 31 }, /* add sp, sp, x0 */
	};
	struct ahead a;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(LOOK(&a, rows[i].word, ERET));
		assert_false(a.known >> rows[i].reg & 1);
	}
}

/* A load behind a store may give what was stored. */
static void stores_make_loads_uncertain(void **state)
{
	struct ahead a;

	(void)state;
	assert_true(LOOK(&a, STR, LDR_W14, ERET));
	assert_false(a.known >> 14 & 1);
	assert_known(&a, 0, 0x30d0180d);
}

static void branches_are_followed_where_they_are_certain(void **state)
{
	struct ahead a;

	(void)state;
	assert_true(LOOK(&a, CBZ_X0_8, ERET, NOP));
	assert_int_equal(a.pc, BASE + 4);
	assert_true(LOOK(&a, TBNZ_X0_8, RET, ERET));
	assert_int_equal(a.pc, BASE + 8);
	assert_true(LOOK(&a, BL_8, ERET, RET));
	assert_int_equal(a.pc, BASE + 4);
	assert_known(&a, 30, BASE + 4);
	assert_false(LOOK(&a, NOP, B_NE_8, ERET));
	assert_int_equal(a.pc, BASE + 4);
	assert_false(LOOK(&a, BR_X15, ERET)); /* there is no code */
	assert_int_equal(a.pc, 0x8000);
	assert_false(LOOK(&a, RET, ERET)); /* x30 is not known */
}

static void writes_of_system_registers_are_kept(void **state)
{
	uint64_t value;
	bool known;
	struct ahead a;

	(void)state;
	/* msr ttbr0_el1, x0; mov x0, #0x180d; msr daifclr, #2 */
	assert_true(LOOK(&a, 0xd5182000, 0xd28301a0, 0xd50342ff, ERET));
	assert_true(ahead_sysreg(&a, TTBR0_EL1, &value, &known));
	assert_true(known);
	assert_int_equal(value, 0x30d0180d);
	assert_false(ahead_sysreg(&a, SCTLR_EL1, &value, &known));
	assert_int_equal(a.pstate, 0x345);
	/* msr ttbr0_el1, x20 */
	assert_true(LOOK(&a, 0xd5182014, ERET));
	assert_true(ahead_sysreg(&a, TTBR0_EL1, &value, &known));
	assert_false(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_computed),
		cmocka_unit_test(the_rest_is_forgotten),
		cmocka_unit_test(stores_make_loads_uncertain),
		cmocka_unit_test(branches_are_followed_where_they_are_certain),
		cmocka_unit_test(writes_of_system_registers_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
