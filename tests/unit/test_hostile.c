// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables that nobody sane writes: loops, self-maps, noise, every reserved encoding. What
 * goes through all of them has to end soon, counted in tables read and in bytes said.
 */
#include "fake_machine.h"

#include "fake_ram.h"
#include "mmu/map.h"
#include "monitor/snap.h"

#define PAGE	  0x1000u
#define ENTRIES	  512u
#define PAGES	  (FAKE_SIZE / PAGE)
#define HIERS	  16u /* APTable, UXNTable, PXNTable: each makes another table of it */
#define LEVELS	  4u
#define LINE	  300u /* no line is longer */
#define LAST_PAGE (FAKE_RAM + FAKE_SIZE - PAGE)

/* xorshift64 */
static uint64_t noise;

static uint64_t draw(void)
{
	noise ^= noise << 13;
	noise ^= noise >> 7;
	noise ^= noise << 17;
	return noise;
}

static uint64_t page_at(unsigned int i)
{
	return FAKE_RAM + (uint64_t)(i % PAGES) * PAGE;
}

/* Each writes all of RAM, whose first page is the root of both halves. */

static void all_to_root(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = FAKE_RAM | 3;
}

/* Page N maps itself, the next page, and pages. */
static void self_at_each_level(uint64_t *word)
{
	for (unsigned int p = 0; p < PAGES; p++) {
		for (unsigned int i = 0; i < ENTRIES; i++)
			word[p * ENTRIES + i] = page_at(p + i % 2) | 0x703;
	}
}

static void all_to_one_other(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = page_at(1) | 3;
}

/* Every table points to every other, in every way that tables can restrict what is below. */
static void everything_to_everything(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = page_at((unsigned int)draw() % 8) | 0x703 | draw() << 59;
}

static void all_to_nowhere(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = (UINT64_C(0x50000000) + (uint64_t)(i % ENTRIES) * PAGE) | 3;
}

static void all_to_the_device(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = FAKE_DEVICE | 3;
}

static void all_beyond_the_output_size(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = UINT64_C(0x0000f00040000003);
}

/* Blocks at level 0, 0b01 at level 3, 0b10, and bits that are RES0. */
static void reserved_encodings(uint64_t *word)
{
	for (unsigned int p = 0; p < PAGES; p++) {
		for (unsigned int i = 0; i < ENTRIES; i++)
			word[p * ENTRIES + i] = (page_at(p + 1) | (uint64_t)(i / 4) << 2 |
						 (uint64_t)(i / 8) << 47) &
						~UINT64_C(3);
		for (unsigned int i = 0; i < ENTRIES; i++)
			word[p * ENTRIES + i] |= i % 4;
	}
}

static void random_bytes(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = draw();
}

/* Noise whose addresses are in a few pages of RAM. */
static void random_descriptors(uint64_t *word)
{
	for (unsigned int i = 0; i < FAKE_SIZE / 8; i++)
		word[i] = (draw() & UINT64_C(0xfff0000000000fff)) |
			  page_at((unsigned int)draw() % 32);
}

/* Ranges as short as can be, types and permissions that change with each. */
static void no_two_pages_alike(uint64_t *word)
{
	for (unsigned int p = 0; p < PAGES; p++) {
		for (unsigned int i = 0; i < ENTRIES; i++)
			word[p * ENTRIES + i] =
				page_at(p < 3 ? p + 1 + i % 64 : (unsigned int)draw()) | 0x403 |
				(draw() & 0x0068000000000bdc);
	}
}

static const struct zoo {
	const char *name;
	void (*fill)(uint64_t *word);
} zoo[] = {
	{ "all to the root", all_to_root },
	{ "self-maps at each level", self_at_each_level },
	{ "all to one other table", all_to_one_other },
	{ "everything to everything", everything_to_everything },
	{ "all outside of memory", all_to_nowhere },
	{ "all in a device", all_to_the_device },
	{ "all beyond the output size", all_beyond_the_output_size },
	{ "reserved encodings", reserved_encodings },
	{ "random bytes", random_bytes },
	{ "random descriptors", random_descriptors },
	{ "no two pages alike", no_two_pages_alike },
};

#define ZOO (sizeof(zoo) / sizeof(zoo[0]))

/* pt_map() over arrays */

struct memory {
	uint64_t word[FAKE_SIZE / 8];
	uint64_t tables;   /* read */
	uint64_t last_end; /* of the range before */
	uint64_t ranges, notes;
};

static int read_tables(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		       bool *ok)
{
	struct memory *m = ctx;

	m->tables += n;
	for (unsigned int i = 0; i < n; i++) {
		ok[i] = pa[i] >= FAKE_RAM && pa[i] - FAKE_RAM <= FAKE_SIZE - size;
		if (ok[i])
			memcpy(data + i * size, (uint8_t *)m->word + (pa[i] - FAKE_RAM), size);
	}
	return 0;
}

static int on_range(void *ctx, const struct pt_range *r)
{
	struct memory *m = ctx;

	assert_true(r->size && r->ia + (r->size - 1) >= r->ia);
	assert_true(!m->ranges++ || r->ia > m->last_end);
	m->last_end = r->ia + (r->size - 1);
	return 0;
}

static int on_note(void *ctx, const struct pt_note *n)
{
	((struct memory *)ctx)->notes++;
	assert_true(n->size);
	return 0;
}

/* Stage 2 of 40 bits: two roots of level 1, at the first page. */
static struct regime stage2(void)
{
	const struct regime r = {
		.hcr = HCR_RW | HCR_VM,
		.vttbr = FAKE_RAM,
		.vtcr = 0x80023558,
	};

	return regime_stage2(&r);
}

/* A table is decoded once for each level and each set of restrictions above it. */
static void map_is_bounded(struct memory *m, const struct regime *r, uint64_t ia)
{
	const struct pt_bulk bulk = { read_tables, m, NULL };
	const struct pt_map_sink sink = { .range = on_range, .note = on_note, .ctx = m };
	struct pt_map_stats s;
	struct pt_config cfg;
	uint64_t decoded = 0, entries, pages;

	assert_int_equal(pt_config_from_regime(&cfg, r, ia, NULL), 0);
	m->tables = m->ranges = m->notes = m->last_end = 0;
	assert_int_equal(pt_map(&cfg, &bulk, 0, UINT64_MAX, &sink, &s), 0);
	entries = UINT64_C(1) << (cfg.granule - 3);
	pages = FAKE_SIZE >> cfg.granule;
	for (unsigned int level = 0; level < PT_LEVELS; level++) {
		assert_true(s.tables[level] <= pages * HIERS);
		decoded += s.tables[level];
	}
	/* of stage 2 the root may be 16 tables */
	assert_true(m->ranges + m->notes <= (decoded + 15) * entries + 1);
	/* read: what was decoded, and what was not there */
	assert_true(m->tables <= decoded + 15 + s.unreadable + 1);
}

static void maps_of_all_granules_are_bounded(void **state)
{
	/* TG0 and TG1 of 4, 16 and 64 KiB */
	static const uint64_t tcr[] = { 0x280100010 | 0x80000000, 0x200108010 | 0x40000000,
					0x200104010 | 0xc0000000 };
	/* the same of stage 2, with roots behind each other: 2 of level 1, 16 and 4 of level 2 */
	static const uint64_t vtcr[] = { 0x80023558, 0x80027552, 0x8002b55a };
	struct memory *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	for (size_t z = 0; z < ZOO; z++) {
		noise = 0x9e3779b97f4a7c15 + z;
		zoo[z].fill(m->word);
		for (size_t g = 0; g < 3; g++) {
			struct regime r = fake_el1(FAKE_RAM, FAKE_RAM);

			r.tcr = tcr[g];
			map_is_bounded(m, &r, 0);
			map_is_bounded(m, &r, UINT64_MAX);
		}
		for (size_t g = 0; g < 3; g++) {
			struct regime r = stage2();

			r.tcr = vtcr[g];
			map_is_bounded(m, &r, 0);
		}
	}
	free(m);
}

static void noise_of_many_seeds_is_bounded(void **state)
{
	struct memory *m = calloc(1, sizeof(*m));
	const struct regime r = fake_el1(FAKE_RAM, FAKE_RAM + PAGE);

	(void)state;
	assert_non_null(m);
	for (unsigned int seed = 1; seed <= 8; seed++) {
		noise = seed * UINT64_C(0x9e3779b97f4a7c15);
		random_descriptors(m->word);
		map_is_bounded(m, &r, 0);
		random_bytes(m->word);
		map_is_bounded(m, &r, 0);
	}
	free(m);
}

/* The commands */

static uint64_t bytes_read;

static int count_phys_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	bytes_read += len;
	return fake_phys_read(m, pa, data, len);
}

static int setup(void **state)
{
	static struct machine_ops ops;
	struct fake *f;
	int err = fake_setup(state);

	if (err)
		return err;
	f = *state;
	ops = *f->m.ops;
	ops.phys_read = count_phys_read;
	f->m.ops = &ops;
	fake_set_reg(f, "SCTLR_EL1", 0x30d0180d);
	fake_set_reg(f, "TCR_EL1", 0x12b5103510);
	fake_set_reg(f, "MAIR_EL1", 0x04ff);
	fake_set_reg(f, "TTBR0_EL1", FAKE_RAM);
	fake_set_reg(f, "TTBR1_EL1", FAKE_RAM);
	fake_set_reg(f, "VBAR_EL1", FAKE_RAM);
	fake_set_reg(f, "sp", FAKE_RAM + PAGE);
	return 0;
}

static int teardown(void **state)
{
	snaps_free(((struct fake *)*state)->ctx.snaps);
	return fake_teardown(state);
}

/* Nothing of a device is read; not much more memory than each table in each of its ways. */
static void command_is_bounded(struct fake *f, const char *name, const char *line)
{
	/* both halves; a line for each entry at most */
	const uint64_t tables = 2 * PAGES * LEVELS * HIERS;
	/* The memory that is mapped, each time that it is: no block fits into this RAM. */
	const uint64_t reads = strstr(line, "--grep") ? tables * ENTRIES * PAGE : 2 * tables * PAGE;
	int status;

	bytes_read = 0;
	status = fake_command(f, line);
	if (getenv("HOSTILE_FIGURES"))
		print_message("%-28s %-24s status %d, %8zu bytes said, %9" PRIu64 " read\n", name,
			      line, status, f->out.len, bytes_read);
	if (status < 0 || status > 2)
		fail_msg("%s: %s: status %d", name, line, status);
	assert_true(f->out.len <= tables * ENTRIES * LINE);
	assert_true(bytes_read <= reads);
	assert_int_equal(f->device_reads, 0);
}

static const char *const lines[] = {
	"pt-walk 0x40001234",
	"pt-dump",
	"pt-dump wx -r el1:ttbr0",
	"pt-dump --grep 0102",
	"pt-tables",
	"pt-tables 0x40000000 L1",
	"pt-lint",
	"pt-lint --all",
	"pt-find 0x40001000",
	"pt-find 0x40001000 --all",
	"pt-find 0x40000000 0x100000",
	"pt-snap a",
	"pt-diff a",
	"pt-snap --drop a",
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

static void commands_are_bounded(void **state)
{
	struct fake *f = *state;

	for (size_t z = 0; z < ZOO; z++) {
		noise = 0x9e3779b97f4a7c15 + z;
		zoo[z].fill((uint64_t *)(void *)f->ram);
		for (size_t i = 0; i < LINES; i++)
			command_is_bounded(f, zoo[z].name, lines[i]);
	}
}

/* Stage 2 alone, and behind a stage 1: each of the other's addresses goes through noise. */
static void commands_on_stage_2_are_bounded(void **state)
{
	static const char *const own[] = {
		"pt-walk 0x40001234 -r s2", "pt-dump -r s2",   "pt-dump wx -r s2",
		"pt-tables -r s2",	    "pt-lint -r s2",   "pt-find 0x40001000 -r s2 --all",
		"pt-snap a -r s2",	    "pt-diff a -r s2", "pt-snap --drop a"
	};
	static const char *const both[] = {
		"pt-walk 0x40001234", "pt-dump",   "pt-tables", "pt-lint",
		"pt-find 0x40001000", "pt-snap a", "pt-diff a", "pt-snap --drop a",
	};
	struct fake *f = *state;

	fake_set_reg(f, "HCR_EL2", HCR_RW | HCR_VM);
	fake_set_reg(f, "SCTLR_EL2", 0x30c50830);
	fake_set_reg(f, "VTCR_EL2", 0x80023559); /* 39 bits, level 1 */
	for (size_t z = 0; z < 2 * ZOO; z++) {
		const struct zoo *now = &zoo[z % ZOO];

		noise = 0x9e3779b97f4a7c15 + z;
		now->fill((uint64_t *)(void *)f->ram);
		fake_set_reg(f, "VTTBR_EL2", z < ZOO ? FAKE_RAM : LAST_PAGE);
		if (z >= ZOO) /* RAM onto itself: what is hostile is stage 1 */
			fake_set_u64(f, LAST_PAGE + 8, FAKE_RAM | 0x7fd);
		for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
			command_is_bounded(f, now->name, both[i]);
		for (size_t i = 0; z < ZOO && i < sizeof(own) / sizeof(own[0]); i++)
			command_is_bounded(f, now->name, own[i]);
	}
}

static void roots_in_devices_and_nowhere_are_not_read(void **state)
{
	struct fake *f = *state;

	fake_set_reg(f, "TTBR0_EL1", FAKE_DEVICE);
	fake_set_reg(f, "TTBR1_EL1", 0x50000000);
	for (size_t i = 0; i < LINES; i++)
		command_is_bounded(f, "roots", lines[i]);
	assert_int_equal(fake_command(f, "pt-dump"), 1);
	assert_said(f, "0 ranges");
	assert_said(f, "the root: no table can be read at 0x50000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_of_all_granules_are_bounded),
		cmocka_unit_test(noise_of_many_seeds_is_bounded),
		cmocka_unit_test_setup_teardown(commands_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(commands_on_stage_2_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(roots_in_devices_and_nowhere_are_not_read, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
