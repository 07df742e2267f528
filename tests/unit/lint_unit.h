/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the lint share: tables in which nothing is wrong, for each test to
 * spoil in one way; RAM at 1 GiB and where the tables are, a UART, and nothing elsewhere.
 */
#ifndef BATON_TESTS_LINT_UNIT_H
#define BATON_TESTS_LINT_UNIT_H

#include "walk_unit.h"

#include "buf.h"
#include "hex.h"
#include "mmu/a64.h"
#include "mmu/lint.h"

#include <stdlib.h>

#define UPPER	  UINT64_C(0x7000d000) /* TTBR1's table: empty */
#define CLEAN_TCR UINT64_C(0x12b5103510)
#define UART	  UINT64_C(0x09000000)
#define NX	  (PXN | UXN)
#define MEM(pa)	  ((pa) | PAGE | AF | ISH | IDX(4) | NX)
#define PAGE_A	  UINT64_C(0x41234000)
#define PAGE_B	  UINT64_C(0x41235000)

static struct regime reg;
static struct lint_input in;
static struct lint_report report;

static inline int bulk_read(void *ctx, const uint64_t *pa, unsigned int n, size_t size,
			    uint8_t *data, bool *ok)
{
	for (unsigned int i = 0; i < n; i++) {
		ok[i] = true;
		for (size_t at = 0; at < size && ok[i]; at += 8) {
			uint64_t word = 0;

			ok[i] = !fake_read(ctx, pa[i] + at, &word);
			le_write(data + i * size + at, 8, word);
		}
	}
	return 0;
}

static inline enum lint_memory memory(void *ctx, uint64_t pa, uint64_t *last, const char **name)
{
	static const struct {
		uint64_t first, last;
		enum lint_memory kind;
		const char *name;
	} map[] = {
		{ 0, UART - 1, LINT_NOTHING, "nothing" },
		{ UART, UART + 0xfff, LINT_DEVICE, "pl011" },
		{ UART + 0x1000, 0x3fffffff, LINT_NOTHING, "nothing" },
		{ 0x40000000, 0xbfffffff, LINT_RAM, "ram" },
		{ 0xc0000000, UINT64_MAX, LINT_NOTHING, "nothing" },
	};
	size_t i = 0;

	(void)ctx;
	while (map[i].last < pa)
		i++;
	*last = map[i].last;
	*name = map[i].name;
	return map[i].kind;
}

/* LOW is a page of RAM that EL1 may read and write: nothing is wrong with that. */
static inline int clean(void **state)
{
	setup(state);
	put_page(MEM(PAGE_A), 0, 0, 0);
	reg = fake_el1(L0, UPPER);
	reg.tcr = CLEAN_TCR;
	in = (struct lint_input){
		.regime = &reg,
		.bulk = { bulk_read, &ram },
		.reader = fake_reader(&ram),
		.memory = memory,
	};
	return 0;
}

static inline int clean_end(void **state)
{
	(void)state;
	lint_free(&report);
	return 0;
}

/* The same at EL2: AP[1] is 1 there, and XN all there is. */
static inline void make_el2(void)
{
	reg = fake_el2(L0);
	fake_put(&ram, L3, 5, PAGE_A | PAGE | AF | ISH | IDX(4) | AP_EL0 | UXN);
}

#define S2_ROOT UINT64_C(0x70010000)
#define S2_L2	UINT64_C(0x70012000)
#define S2_LEAF (UINT64_C(0x40000000) | VALID | AF | ISH | 15 << 2 | 3 << 6)

/* Stage 2, 40 bits from level 1, where two tables lie behind each other; a block at 0. */
static inline void make_s2(void)
{
	reg = (struct regime){
		.name = "s2",
		.title = "EL1&0 stage 2",
		.el = 1,
		.stage2 = true,
		.known = REGIME_TTBR0 | REGIME_TCR | REGIME_MAIR | REGIME_SCTLR,
		.ttbr = { S2_ROOT, 0 },
		.tcr = 24 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16,
		.hcr = HCR_VM,
	};
	fake_put(&ram, S2_ROOT, 0, S2_L2 | TABLE);
	fake_put(&ram, S2_L2, 0, S2_LEAF);
}

static inline void lint(void)
{
	lint_free(&report);
	assert_int_equal(lint_run(&in, &report), 0);
}

static inline void say_all(struct buf *text)
{
	lint_say(&report, 0, NULL, text);
}

/* A remedy that is a pt-set can be typed: the fields are the descriptor's. */
static inline void check_remedy(const struct finding *f)
{
	struct buf text = { 0 }, why = { 0 };
	struct pt_config cfg;
	uint64_t desc = f->desc;
	const char *edits;
	char *end;

	lint_expand(f->remedy ? f->remedy : f->rule->remedy, f, &text);
	if (strncmp(text.data, "pt-set 0", 8) != 0) {
		buf_free(&text);
		return;
	}
	edits = strrchr(text.data, ' ') + 1;
	assert_int_equal(pt_config_from_regime(&cfg, &reg, f->ia, NULL), 0);
	strtoull(edits, &end, 0);
	if (*end && pt_desc_edit(&cfg, f->level, &desc, edits, &why))
		fail_msg("\"%s\": %s", text.data, why.data);
	buf_free(&text);
	buf_free(&why);
}

/* That rule @findings times, and no other. */
static inline void only(const char *id, unsigned int findings)
{
	bool found = false;

	lint();
	for (unsigned int i = 0; lint_rule(i); i++) {
		bool this = !strcmp(lint_rule(i)->id, id);

		found |= this;
		if (report.of[i].findings != (this ? findings : 0))
			fail_msg("%s: %u times, not %u", lint_rule(i)->id,
				 (unsigned int)report.of[i].findings, this ? findings : 0);
		for (size_t n = 0; n < report.of[i].count; n++)
			check_remedy(&report.of[i].list[n]);
	}
	if (*id && !found)
		fail_msg("there is no rule %s", id);
}

/* ... and its text has these words: the values in it are right. */
static inline void only_says(const char *id, const char *words)
{
	struct buf text = { 0 };

	only(id, 1);
	say_all(&text);
	if (!strstr(text.data, words))
		fail_msg("\"%s\" is not in: %s", words, text.data);
	buf_free(&text);
}

#define LINT_TEST(f) cmocka_unit_test_setup_teardown(f, clean, clean_end)

#endif
