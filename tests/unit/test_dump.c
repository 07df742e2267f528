/* SPDX-License-Identifier: BSD-2-Clause */
/* pt-dump: what shares a line, two stages, --grep, what is said where nothing is walked. */
#include "fake_machine.h"

#include "monitor/snap.h"

#include <unistd.h>

#define L0	FAKE_TABLES
#define L1	(FAKE_TABLES + 0x1000)
#define L2	(FAKE_TABLES + 0x2000)
#define OTHER	(FAKE_RAM + 0xa0000)
#define PAGE	0x1000ull
#define PAGES	512u
#define DATA	64u /* pages of RAM that hold no tables */
#define NOWHERE 0x50000000ull

static uint64_t bytes_read;

static int count_phys_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	bytes_read += len;
	return fake_phys_read(m, pa, data, len);
}

static int setup(void **state)
{
	static struct machine_ops ops;
	int err = fake_setup(state);
	struct fake *f = *state;

	if (err)
		return err;
	fake_tables(f);
	ops = *f->m.ops;
	ops.phys_read = count_phys_read;
	f->m.ops = &ops;
	return 0;
}

static int teardown(void **state)
{
	snaps_free(((struct fake *)*state)->ctx.snaps);
	return fake_teardown(state);
}

static unsigned int lines_of(const struct fake *f)
{
	unsigned int n = 0;

	for (size_t i = 0; i < f->out.len; i++)
		n += f->out.data[i] == '\n';
	return n;
}

static void assert_not_said(const struct fake *f, const char *text)
{
	if (f->out.len && strstr(f->out.data, text))
		fail_msg("\"%s\" was said: %s", text, f->out.data);
}

/* What shares a line */

static void a_table_in_all_entries_is_one_line(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 2; i < PAGES; i++)
		fake_set_u64(f, L1 + 8 * i, L2 | 3);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 0);
	assert_said(f, "0x0000000080000000 - 0x0000007fffffffff  L1 [  2-511] 0x40081010, 510 "
		       "entries: the same table as for 0x0000000040000000\n");
	assert_said(f, "510 repeated tables (what is in them counts once)\n");
	assert_true(lines_of(f) < 10);
}

/* A linear map that is there a second time: its tables, one behind the other. */
static void tables_in_a_row_are_one_line(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, L2 + 8, OTHER | 3);
	fake_set_u64(f, OTHER, FAKE_RAM | FAKE_PAGE);
	fake_set_u64(f, L2 + 8 * 6, FAKE_L3 | 3);
	fake_set_u64(f, L2 + 8 * 7, OTHER | 3);
	fake_set_u64(f, L2 + 8 * 8, OTHER | 3);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 0);
	assert_said(f, "0x0000000040c00000 - 0x0000000040ffffff  L2 [  6-7] 0x40082030, 2 entries: "
		       "the same tables as for 0x0000000040000000 - 0x00000000403fffff\n");
	assert_said(f, "0x0000000041000000 - 0x00000000411fffff  L2 [  8] 0x40082040 = "
		       "0x00000000400a0003: the same table as for 0x0000000040200000\n");
}

static void bad_entries_side_by_side_are_one_line(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 300; i < 400; i++)
		fake_set_u64(f, FAKE_L3 + 8 * i, 0x40000001);
	fake_set_u64(f, FAKE_L3 + 8 * 400, 0xf00040000703);
	fake_set_u64(f, FAKE_L3 + 8 * 401, 0xf00040001703);
	for (unsigned int i = 10; i < 20; i++)
		fake_set_u64(f, L2 + 8 * i, (NOWHERE + i * PAGE) | 3);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 1);
	assert_said(f, "0x000000004012c000 - 0x000000004018ffff  L3 [300-399] 0x40083960, 100 "
		       "entries: type 0b01, reserved at this level: a fault\n");
	assert_said(f, "L3 [400-401] 0x40083c80, 2 entries: point too far, the first to "
		       "0xf00040000000, beyond 40 bits: a fault\n");
	assert_said(f, "L2 [ 10-19] 0x40082050, 10 entries: no table can be read where they point "
		       "to, the first to 0x5000a000: that is no memory\n");
	assert_said(f, "10 unreadable tables, 102 bad entries\nnext: pt-lint -r el1:ttbr0\n");
	assert_int_equal(fake_command(f, "pt-tables"), 1);
	assert_said(f, "L2 [ 10-19] 0x40082050, 10 entries: no table");
}

/* Each other entry bad: some lines for that table, then how many there are. */
static void no_table_gets_more_than_a_few_lines(void **state)
{
	struct fake *f = *state;

	memset(f->ram + (FAKE_L3 - FAKE_RAM), 0, PAGE);
	for (unsigned int i = 0; i < PAGES; i += 2)
		fake_set_u64(f, FAKE_L3 + 8 * i, 1);
	fake_set_u64(f, L2 + 8 * 3, NOWHERE | 3);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 1);
	assert_said(f, "0x000000004001e000 - 0x000000004001efff  L3 [ 30]");
	assert_not_said(f, "L3 [ 32]");
	assert_said(f, "0x0000000040000000 - 0x00000000401fefff  L3, 240 entries more: 240 bad "
		       "entries (`pt-tables 0x40083000 L3` lists them)\n");
	assert_said(f, "L2 [  3]"); /* and the count begins anew with another table */
	assert_said(f, "1 unreadable table, 256 bad entries\n");
	assert_true(lines_of(f) < 30);
}

static void one_page_for_many_is_one_line(void **state)
{
	struct fake *f = *state;

	for (unsigned int i = 256; i < PAGES; i++)
		fake_set_u64(f, FAKE_L3 + 8 * i, (FAKE_RAM + 0x5000) | FAKE_PAGE);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 0);
	assert_said(f, "0x0000000040100000 - 0x00000000401fffff  → 0x40005000      1 MiB  EL1 rwx  "
		       "EL0 --x  Normal WB, inner shareable, AF, 256 times the same 4 KiB\n");
	assert_said(f, "257 ranges, 2 MiB, 4 tables\n");
}

/* The hint of some of the leaves is none of all of them. */
static void contiguous_is_not_said_of_a_merged_range(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, FAKE_L3, FAKE_RAM | FAKE_PAGE | 1ull << 52);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 0);
	assert_not_said(f, "contiguous");
	assert_said(f, "  L3         1 table        256 leaves\n");
}

/* Roots that are not walked */

static void a_half_that_is_off_is_no_fault(void **state)
{
	struct fake *f = *state;

	/* EPD1, and as U-Boot has it T1SZ = 0 */
	fake_set_reg(f, "TCR_EL1", (0x12b5103510 | 1 << 23) & ~0x3f0000ull);
	assert_int_equal(fake_command(f, "pt-dump"), 0);
	assert_said(f, "no walks with this root: every access here faults\n");
	assert_not_said(f, "next: sysreg");
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr1"), 1);
	assert_said(f, "every access here faults\nnext: sysreg TCR_EL1\n");
	fake_set_reg(f, "TCR_EL1", 0x12b5103510 | 1 << 23 | 1 << 7);
	assert_int_equal(fake_command(f, "pt-dump"), 1);
	assert_int_equal(fake_command(f, "pt-tables"), 1);
}

static void roots_that_cannot_be_walked_are_said(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "TCR_EL1", (0x12b5103510 & ~0x3full) | 60);
	assert_int_equal(fake_command(f, "pt-dump"), 1);
	assert_said(f, "TCR_EL1.T0SZ = 60\nthe input size is out of range: every access here "
		       "faults\nnext: sysreg TCR_EL1\n");
	fake_set_reg(f, "TCR_EL1", 0x12b5103510);
	fake_set_reg(f, "TTBR1_EL1", NOWHERE);
	assert_int_equal(fake_command(f, "pt-dump"), 1);
	assert_said(f, "the root: no table can be read at 0x50000000: that is no memory\n");
	assert_said(f, "next: pt-lint\n");
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 0);
	fake_set_reg(f, "SCTLR_EL1", 0x30d01804);
	assert_int_equal(fake_command(f, "pt-dump"), 2);
	assert_said(f, "the MMU is off, every address is its own: `-r el1:pending`");
}

/* What is typed */

static void a_span_shows_the_half_that_it_is_in(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-dump 0x40003000-0x40004fff"), 0);
	assert_said(f, "0x0000000040003000 - 0x0000000040004fff  →");
	assert_not_said(f, "TTBR1");
	assert_int_equal(fake_command(f, "pt-dump 0xffffff0000000000-0xffffffffffffffff"), 0);
	assert_not_said(f, "TTBR0");
	assert_int_equal(fake_command(f, "pt-dump 0x1000000000000"), 1);
	assert_said(f, "no root of el1 translates any of these");
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *line, *said;
	} row[] = {
		{ "pt-dump frob", "those are x w u wx dev mem !af" },
		{ "pt-dump 1-2 3-4",
		  "3-4: one FROM-TO is enough; filters are x w u wx dev mem !af" },
		{ "pt-dump 5-", "TO is missing: FROM-TO" },
		{ "pt-dump 0x3000-0x1000", "0x3000-0x1000: TO lies before FROM" },
		{ "pt-dump 0x3000-zzz", "TO: " },
		{ "pt-dump --frob", "--frob: no such option here" },
		{ "pt-dump --grep", "--grep: no such option here, or its value is missing" },
		{ "pt-dump --grep 123", "--grep 123: pairs of hex digits, or s:TEXT" },
		{ "pt-dump -c 2", "-c 2: no such CPU (there are 0 to 1)" },
		{ "pt-dump -r el4", "regime \"el4\": el1, el2, el3, s2, pending" },
		{ "pt-dump -r el1:ttbr0=", "a number is wanted behind the =" },
		{ "pt-dump -r el1:el2", "only one of el1, el2, el3, s2" },
		{ "pt-dump -r el2", "shows no SCTLR_EL2 (is there an EL2?)" },
		{ "pt-dump -o /nowhere/x", "-o /nowhere/x: No such file" },
		{ "pt-dump -o /dev/full", "-o /dev/full: No space left" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(fake_command(*state, row[i].line), 2);
		assert_said((struct fake *)*state, row[i].said);
	}
}

/* What is to be typed next must not change another root's tables. */
static void what_comes_next_is_of_the_same_tables(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "pt-walk 0x50000000 -c 1 -r el1:ttbr0=0x40080000"), 1);
	assert_said(f, "pt-set 0x50000000 L2 DESC -c 1 -r el1:ttbr0=0x40080000)\n");
	assert_int_equal(fake_command(f, "mem 0x50000000 4 -r el1:ttbr0"), 1);
	assert_said(f, "next: pt-walk 0x50000000 -r el1:ttbr0\n");
	fake_set_u64(f, FAKE_L3, FAKE_RAM | (FAKE_PAGE & ~0x400ull));
	assert_int_equal(fake_command(f, "pt-walk 0x40000000"), 1);
	assert_said(f, "next: pt-set 0x40000000 L3 AF=1\n");
}

static void filters_count_what_they_hide(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, FAKE_L3 + 8 * 4, (FAKE_RAM + 4 * PAGE) | FAKE_PAGE | 1 << 7);
	assert_int_equal(fake_command(f, "pt-dump w -r el1:ttbr0"), 0);
	assert_said(f, "2 ranges shown, 1 not asked for\n");
}

static void a_file_gets_all_of_it(void **state)
{
	struct fake *f = *state;
	char path[] = "/tmp/baton-dump.XXXXXX", line[64], text[512] = "";
	int fd = mkstemp(path);
	FILE *file;

	assert_true(fd >= 0);
	close(fd);
	snprintf(line, sizeof(line), "pt-dump -r el1:ttbr0 -o %s", path);
	assert_int_equal(fake_command(f, line), 0);
	assert_said(f, "written to /tmp/baton-dump.");
	assert_int_equal(lines_of(f), 1);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	unlink(path);
	assert_non_null(strstr(text, "  → 0x40000000      1 MiB  EL1 rwx"));
	assert_non_null(strstr(text, "1 range, 1 MiB, 4 tables\n"));
}

/* Two stages */

#define S2_L1 (FAKE_RAM + 0xb0000)
#define S2_L2 (FAKE_RAM + 0xb1000)
#define S2_L3 (FAKE_RAM + 0xb2000)
#define S2_RW 0x7fdull /* AF, inner shareable, S2AP rw, write-back, 0b01 */

/* 39 bits of IPA from level 1; each page of RAM is itself. */
static void set_stage2(struct fake *f)
{
	fake_set_reg(f, "HCR_EL2", 0x80000001);
	fake_set_reg(f, "SCTLR_EL2", 0x30c50830);
	fake_set_reg(f, "VTCR_EL2", 0x80023559);
	fake_set_reg(f, "VTTBR_EL2", S2_L1);
	fake_set_u64(f, S2_L1 + 8, S2_L2 | 3);
	fake_set_u64(f, S2_L2, S2_L3 | 3);
	for (uint64_t i = 0; i < FAKE_SIZE / PAGE; i++)
		fake_set_u64(f, S2_L3 + 8 * i, (FAKE_RAM + i * PAGE) | S2_RW | 3);
}

static void stage2_splits_and_moves(void **state)
{
	struct fake *f = *state;

	set_stage2(f);
	fake_set_u64(f, S2_L3 + 8 * 2, (FAKE_RAM + 0x40000) | S2_RW | 3);
	fake_set_u64(f, S2_L3 + 8 * 4, 0);
	fake_set_u64(f, S2_L3 + 8 * 5, 0);
	fake_set_u64(f, S2_L3 + 8 * 7, ((FAKE_RAM + 7 * PAGE) | S2_RW | 3) & ~0x80ull);
	fake_set_u64(f, S2_L3 + 8 * 9, ((FAKE_RAM + 9 * PAGE) | S2_RW | 3) & ~0x3cull);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 0);
	assert_said(f, "EL1&0 stage 1 · TTBR0_EL1");
	assert_said(f, "then EL1&0 stage 2 · VTTBR_EL2");
	assert_said(f, "0x0000000040000000 - 0x0000000040001fff  → IPA 0x40000000  → PA 0x40000000 "
		       "     8 KiB  EL1 rwx  EL0 --x  Normal WB");
	assert_said(f, "0x0000000040002000 - 0x0000000040002fff  → IPA 0x40002000  → PA 0x40040000 "
		       "     4 KiB  EL1 rwx");
	assert_said(f, "0x0000000040004000 - 0x0000000040005fff  → IPA 0x40004000  → no PA:      "
		       "       8 KiB  translation fault, level 3 of stage 2: the entry is invalid");
	assert_said(f, "0x0000000040007000 - 0x0000000040007fff  → IPA 0x40007000  → PA 0x40007000 "
		       "     4 KiB  EL1 r-x  EL0 --x");
	assert_said(f, "0x0000000040009000 - 0x0000000040009fff  → IPA 0x40009000  → PA 0x40009000 "
		       "     4 KiB  EL1 rwx  EL0 --x  Device-nGnRnE, AF\n");
	assert_not_said(f, "where it begins");
	/* filters look at what both make, --grep at where it is */
	assert_int_equal(fake_command(f, "pt-dump dev -r el1:ttbr0"), 0);
	assert_said(f, "1 range shown");
	memcpy(f->ram + 0x40010, "needle", 6);
	assert_int_equal(fake_command(f, "pt-dump --grep s:needle -r el1:ttbr0"), 0);
	assert_said(f, "0x0000000040002010  at 0x40040010\n");
	assert_said(f, "2 hits\n");
}

/* The tables of stage 1 are in a table of stage 2 that is met a second time. */
static void stage2_by_repeated_tables(void **state)
{
	struct fake *f = *state;

	set_stage2(f);
	fake_set_u64(f, S2_L2 + 8 * 6, S2_L3 | 3);
	fake_set_u64(f, FAKE_L3, (FAKE_RAM + 6 * 0x200000 + 0x3000) | FAKE_PAGE);
	assert_int_equal(fake_command(f, "pt-dump 0x40000000 -r el1:ttbr0"), 0);
	assert_said(f, "→ IPA 0x40c03000  → PA 0x40003000");
}

/* A block of stage 1 over what stage 2 has not: of different levels, and beyond its size. */
static void stage2_has_holes(void **state)
{
	struct fake *f = *state;

	set_stage2(f);
	fake_set_u64(f, L1 + 8 * 2, 0x40000701);
	fake_set_u64(f, L1 + 8 * 3, 0x8000000701);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0"), 0);
	assert_said(f, "0x0000000080000000 - 0x00000000800fffff  → IPA 0x40000000  → PA 0x40000000"
		       "      1 MiB  EL1");
	assert_said(
		f,
		"0x0000000080100000 - 0x00000000bfffffff  → IPA 0x40100000  → no PA:      "
		"    1023 MiB  translation fault, level 3 of stage 2: the entry is invalid (where "
		"it begins)\n");
	assert_said(f,
		    "→ IPA 0x8000000000  → no PA:             1 GiB  translation fault, level 0 of "
		    "stage 2: the address is beyond the 39 bits that VTTBR_EL2 covers\n");
}

static void one_stage_alone_says_which(void **state)
{
	struct fake *f = *state;

	set_stage2(f);
	assert_int_equal(fake_command(f, "pt-dump -r s2"), 0);
	assert_said(f, "EL1&0 stage 2 · VTTBR_EL2");
	assert_int_equal(fake_command(f, "pt-find 0x40003000"), 0);
	assert_said(f, "→ IPA 0x40003000  → PA 0x40003000");
	assert_int_equal(fake_command(f, "pt-snap a"), 0);
	assert_said(f, "stage 1 alone: its IPAs");
	fake_set_u64(f, FAKE_L3 + 8, 0);
	assert_int_equal(fake_command(f, "pt-diff a"), 1);
	assert_said(f, "→ IPA 0x40001000");
	assert_int_equal(fake_command(f, "pt-tables"), 0);
	assert_said(f, "(addresses of tables are IPAs, which stage 2 translates)\n");
	fake_set_reg(f, "SCTLR_EL1", 0x30d01804);
	assert_int_equal(fake_command(f, "pt-dump"), 2);
	assert_said(f, "stage 1 is off, every address is its own IPA: `-r s2`");
}

/* --grep */

static uint64_t noise;

static unsigned int draw(unsigned int below)
{
	noise ^= noise << 13;
	noise ^= noise >> 7;
	noise ^= noise << 17;
	return (unsigned int)(noise >> 20) % below;
}

/* Pages of data in runs, scattered, twice, and holes; maps[i]: the page of RAM, or -1. */
static void draw_map(struct fake *f, int *maps)
{
	for (unsigned int i = 0; i < PAGES;) {
		unsigned int page = draw(DATA), n = 1 + draw(draw(3) ? 3 : 40), hole = !draw(5);

		for (; n-- && i < PAGES; i++, page = (page + 1) % DATA) {
			maps[i] = hole ? -1 : (int)page;
			fake_set_u64(f, FAKE_L3 + 8 * i,
				     hole ? 0 : (FAKE_RAM + page * PAGE) | FAKE_PAGE);
		}
	}
}

/* Where @needle is, by looking at each address. */
static unsigned int count_slowly(struct fake *f, const int *maps, const char *needle, size_t len)
{
	unsigned int hits = 0;

	for (size_t va = 0; va < PAGES * PAGE; va++) {
		size_t n = 0;

		for (; n < len && (va + n) / PAGE < PAGES; n++) {
			int page = maps[(va + n) / PAGE];

			if (page < 0 || f->ram[page * PAGE + (va + n) % PAGE] != needle[n])
				break;
		}
		if (n == len) {
			char line[64];

			hits++;
			snprintf(line, sizeof(line), "0x%016llx  at %#llx\n", FAKE_RAM + va,
				 FAKE_RAM + (unsigned)maps[va / PAGE] * PAGE + va % PAGE);
			assert_said(f, line);
		}
	}
	return hits;
}

static void grep_is_right(struct fake *f, size_t len)
{
	char needle[256], line[600] = "pt-dump -r el1:ttbr0 --grep s:", said[32];
	int maps[PAGES];

	for (size_t i = 0; i < len; i++)
		needle[i] = (char)('a' + i % 3);
	memset(f->ram, 'x', DATA * PAGE);
	for (unsigned int i = 0; i < 12; i++) {
		/* within pages, over their borders, and halves of it at both ends of a page */
		size_t at =
			draw(DATA - 1) * PAGE + (i % 2 ? PAGE - 1 - draw((unsigned int)len) : 50);

		memcpy(f->ram + at, needle, len);
		memcpy(f->ram + draw(DATA) * PAGE, needle + len / 2, len - len / 2);
		memcpy(f->ram + draw(DATA) * PAGE + PAGE - len / 2, needle, len / 2);
	}
	draw_map(f, maps);
	strncat(line, needle, len);
	assert_int_equal(fake_command(f, line), 0);
	snprintf(said, sizeof(said), "\n%u hit", count_slowly(f, maps, needle, len));
	assert_said(f, said);
}

static void grep_finds_all_and_nothing_else(void **state)
{
	static const size_t lengths[] = { 1, 2, 3, 7, 100, 256 };

	for (unsigned int seed = 1; seed <= 20; seed++) {
		noise = seed * 0x9e3779b97f4a7c15;
		grep_is_right(*state, lengths[seed % 6]);
	}
}

static void grep_reads_a_page_once(void **state)
{
	struct fake *f = *state;

	/* 512 pages by one; then, in a second table, all that was searched already */
	for (unsigned int i = 0; i < PAGES; i++)
		fake_set_u64(f, FAKE_L3 + 8 * i, (FAKE_RAM + 0x5000) | FAKE_PAGE);
	bytes_read = 0;
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0 --grep s:nothing"), 0);
	assert_said(f, "0 hits");
	/* four tables, the page, and six bytes at either end of it each other time */
	assert_true(bytes_read <= 4 * PAGE + PAGE + 512 * 12);
	fake_tables(f);
	fake_set_u64(f, L2 + 8, OTHER | 3);
	for (uint64_t i = 0; i < 256; i++)
		fake_set_u64(f, OTHER + 8 * (i + 1), (FAKE_RAM + i * PAGE) | FAKE_PAGE);
	bytes_read = 0;
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0 --grep s:nothing"), 0);
	assert_true(bytes_read <= 5 * PAGE + FAKE_SIZE + 256 * PAGE / 8);
}

/* A block that is more than the memory: what there is of it is searched. */
static void grep_passes_over_what_is_no_memory(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, L1, 0x701);
	fake_set_u64(f, L1 + 8, 0x40000701);
	memcpy(f->ram + 0x3ffe, "needle", 6);
	assert_int_equal(fake_command(f, "pt-dump -r el1:ttbr0 --grep s:needle"), 0);
	assert_said(f, "0x0000000040003ffe  at 0x40003ffe\n");
	assert_said(f, "1 hit; passed over what is no memory: 2047 MiB\n");
	assert_int_equal(f->device_reads, 0);
}

static bool always(void *ctx)
{
	(void)ctx;
	return true;
}

static void grep_can_be_cancelled(void **state)
{
	struct fake *f = *state;

	f->m.canceled = always;
	assert_int_equal(fake_command(f, "pt-dump --grep s:nothing"), 2);
	assert_said(f, "cancelled");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_table_in_all_entries_is_one_line),
		T(tables_in_a_row_are_one_line),
		T(bad_entries_side_by_side_are_one_line),
		T(no_table_gets_more_than_a_few_lines),
		T(one_page_for_many_is_one_line),
		T(contiguous_is_not_said_of_a_merged_range),
		T(a_half_that_is_off_is_no_fault),
		T(roots_that_cannot_be_walked_are_said),
		T(a_span_shows_the_half_that_it_is_in),
		T(what_is_wrong_is_named),
		T(what_comes_next_is_of_the_same_tables),
		T(filters_count_what_they_hide),
		T(a_file_gets_all_of_it),
		T(stage2_splits_and_moves),
		T(stage2_by_repeated_tables),
		T(stage2_has_holes),
		T(one_stage_alone_says_which),
		T(grep_finds_all_and_nothing_else),
		T(grep_reads_a_page_once),
		T(grep_passes_over_what_is_no_memory),
		T(grep_can_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
