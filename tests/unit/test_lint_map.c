/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pt-lint on what is mapped, on where tables lie and on the places that the next
 * instructions need; and that hostile tables neither hold it up nor flood anybody.
 */
#include "lint_unit.h"

#define PAGE_AT(va) ((va) >> 12 & 511)
#define NEXT	    UINT64_C(0x206000) /* behind LOW's page: L3 index 6 */

static void next_page(uint64_t desc)
{
	fake_put(&ram, L3, PAGE_AT(NEXT), desc);
}

static enum lint_memory uart_in_ram(void *ctx, uint64_t pa, uint64_t *last, const char **name)
{
	(void)ctx;
	*last = pa < 0x48000000 ? 0x47ffffff : pa < 0x48001000 ? 0x48000fff : UINT64_MAX;
	*name = *last == 0x48000fff ? "pl011" : "ram";
	return *last == 0x48000fff ? LINT_DEVICE : LINT_RAM;
}

static void ram_as_device(void **state)
{
	(void)state;
	next_page(PAGE_B | PAGE | AF | NX);
	only_says("ram-as-device", "RAM (ram) is mapped as Device-nGnRnE");
}

static void its_remedy_is_the_index_of_write_back(void **state)
{
	(void)state;
	next_page(PAGE_B | PAGE | AF | NX);
	only_says("ram-as-device", "pt-set 0x206000 L3 AttrIndx=4");
	reg.mair = 0xbb << 8; /* no write-back at all, LOW is device memory too */
	lint();
	struct buf text = { 0 };

	say_all(&text);
	assert_non_null(strstr(text.data, "load a byte of MAIR with 0xff"));
	buf_free(&text);
}

static void device_as_normal(void **state)
{
	(void)state;
	next_page(MEM(UART));
	only_says("device-as-normal", "a device (pl011) is mapped as Normal WB");
}

static void device_executable(void **state)
{
	(void)state;
	next_page(UART | PAGE | AF | UXN);
	only_says("device-executable", "pt-set 0x206000 L3 PXN=1,UXN=1");
}

static void a_device_in_the_middle_of_a_block(void **state)
{
	(void)state;
	fake_put(&ram, L2, 72, UART | VALID | AF | NX); /* 2 MiB, the rest is nothing */
	only("", 0);
	fake_put(&ram, L2, 72, UART | VALID | AF | UXN);
	only("device-executable", 1);
}

/* One block for a device and the code that runs: what is right for one stops the other. */
static void a_device_beside_ram_is_to_be_mapped_apart(void **state)
{
	struct buf text = { 0 };

	(void)state;
	in.memory = uart_in_ram;
	fake_put(&ram, L1, 1, 0x40000000 | VALID | AF | ISH | IDX(4) | UXN | AP_RO);
	lint();
	say_all(&text);
	assert_non_null(strstr(text.data, "warning: device-executable"));
	assert_non_null(strstr(text.data, "warning: device-as-normal"));
	assert_non_null(strstr(text.data, "do: map the device and the RAM apart"));
	assert_null(strstr(text.data, "pt-set"));
	buf_free(&text);
}

static void a_reserved_type_of_a_device_becomes_a_device(void **state)
{
	(void)state;
	reg.mair |= UINT64_C(0x10) << 40;
	next_page(UART | PAGE | AF | IDX(5) | NX);
	lint();
	for (unsigned int i = 0; lint_rule(i); i++)
		if (!strcmp(lint_rule(i)->id, "mair-reserved"))
			assert_int_equal(report.of[i].list[0].fix,
					 0); /* AttrIndx of Device-nGnRnE */
}

static void normal_memory_where_nothing_is(void **state)
{
	(void)state;
	next_page(MEM(0x0a000000));
	only_says("nothing-there", "0xa000000 is mapped as Normal WB");
}

static void without_a_memory_map_nothing_is_said_of_it(void **state)
{
	(void)state;
	in.memory = NULL;
	next_page(PAGE_B | PAGE | AF | NX);
	only("", 0);
}

static void alias_of_another_type(void **state)
{
	(void)state;
	next_page(PAGE_A | PAGE | AF | ISH | IDX(3) | NX);
	only_says("alias-type",
		  "0x41234000, is mapped as Normal NC here and as Normal WB at 0x205000");
}

static void alias_within_a_block(void **state)
{
	(void)state;
	fake_put(&ram, L2, 2, 0x41200000 | VALID | AF | ISH | IDX(3) | NX);
	only_says("alias-type",
		  "0x41234000, is mapped as Normal WB here and as Normal NC at 0x434000");
}

static void alias_in_the_other_half(void **state)
{
	(void)state;
	fake_put(&ram, UPPER, 511, 0x7000e000 | TABLE);
	fake_put(&ram, 0x7000e000, 1, 0x7000f000 | TABLE);
	fake_put(&ram, 0x7000f000, 1, 0x41200000 | VALID | AF | ISH | IDX(3) | NX);
	only("alias-type", 1);
}

static void alias_with_another_shareability(void **state)
{
	(void)state;
	next_page((MEM(PAGE_A) & ~ISH));
	only_says("alias-shareability", "another shareability at 0x205000");
}

static void alias_with_other_hints_is_none(void **state)
{
	(void)state;
	reg.mair |= UINT64_C(0xee) << 40; /* write-back, no write-allocate */
	next_page(PAGE_A | PAGE | AF | ISH | IDX(5) | NX);
	only("", 0);
}

/* Tables */

static void table_outside_memory(void **state)
{
	(void)state;
	fake_put(&ram, L0, 1, 0x30000000 | TABLE);
	only_says("table-outside-memory", "the table 0x30000000 is in no memory");
}

static void root_outside_memory(void **state)
{
	(void)state;
	reg.ttbr[1] = 0x30000000;
	only("table-outside-memory", 1);
}

static void table_in_a_device(void **state)
{
	(void)state;
	fake_put(&ram, L0, 1, UART | TABLE);
	only_says("table-in-device", "is in a device, pl011");
}

static void table_that_will_be_overwritten(void **state)
{
	static const struct lint_span lost = { L3 + 0xff8, L3 + 0x3fff, "region 0" };
	static const struct lint_span none = { L3 - 0x1000, L3 - 1, "region 1" };

	(void)state;
	in.lost = &none;
	in.lost_count = 1;
	only("", 0);
	in.lost = &lost;
	only("table-overwritten", 4); /* L3 to L0, not UPPER */
}

static void table_that_el0_may_write(void **state)
{
	(void)state;
	next_page(MEM(L3) | AP_EL0);
	only_says("table-el0-writable", "the table 0x70009000 may be written by EL0, at 0x206000");
}

static void table_mapped_uncached(void **state)
{
	(void)state;
	next_page(L3 | PAGE | AF | ISH | IDX(3) | NX);
	only_says("table-uncached", "is mapped as Normal NC at 0x206000");
}

/* Each table on the way is a good one of the next level too: self maps are used by kernels. */
static void table_that_leads_to_itself(void **state)
{
	const uint64_t bits = AF | ISH | IDX(4) | NX;

	(void)state;
	fake_put(&ram, L2, 1, L3 | TABLE | bits);
	fake_put(&ram, L2, 9, L2 | TABLE | bits);
	only_says("table-loop", "leads back to 0x7000a000");
}

static const struct lint_span image = { FAKE_BASE + 0x10, FAKE_BASE + 0xffff, "image" };

#define ORPHAN UINT64_C(0x70002000)

static void put_orphan(uint64_t table, uint64_t next)
{
	fake_put(&ram, table, 1, next | TABLE);
	fake_put(&ram, next, 0, 0x40000711 | AP_RO);
}

static void orphan(void **state)
{
	(void)state;
	in.image = &image;
	in.image_count = 1;
	only("", 0);
	put_orphan(ORPHAN, ORPHAN + 0x1000);
	only_says("orphan-table", "0x70002000 looks like a table, and nothing points to it");
}

static void root_of_another_regime_is_no_orphan(void **state)
{
	static const uint64_t root = ORPHAN;

	(void)state;
	in.image = &image;
	in.image_count = 1;
	put_orphan(ORPHAN, ORPHAN + 0x1000);
	in.roots = &root;
	in.root_count = 1;
	only("", 0);
}

static void code_is_no_orphan(void **state)
{
	(void)state;
	in.image = &image;
	in.image_count = 1;
	for (unsigned int i = 0; i < 512; i++)
		fake_put(&ram, ORPHAN, i, 0xd503201fd503201f + i);
	only("", 0);
}

/* A kernel's tables are in use: what its loader left behind is of no interest. */
static void tables_elsewhere_leave_the_image_alone(void **state)
{
	static const struct lint_span other = { FAKE_BASE + 0x80000, FAKE_BASE + 0xfffff, "image" };

	(void)state;
	in.image = &other;
	in.image_count = 1;
	put_orphan(FAKE_BASE + 0x81000, FAKE_BASE + 0x82000);
	only("", 0);
}

/* Places */

static void place(enum lint_place_kind kind, const char *name, uint64_t va, enum pt_access_kind acc,
		  bool identity)
{
	static struct lint_place p;

	p = (struct lint_place){ kind, name, va, 16, { .kind = acc, .el = 1 }, identity };
	in.places = &p;
	in.place_count = 1;
}

static void pc_unmapped(void **state)
{
	(void)state;
	place(LINT_PC, "pc", NEXT, PT_FETCH, false);
	only_says("pc", "pc 0x206000: translation fault, level 3 (ESR would be 0x86000007)");
}

static void pc_not_executable(void **state)
{
	(void)state;
	place(LINT_PC, "pc", LOW & ~UINT64_C(3), PT_FETCH, false);
	only_says("pc", "pt-set 0x205120 L3 PXN=0");
}

static void pc_elsewhere_once_the_mmu_is_on(void **state)
{
	(void)state;
	next_page((MEM(PAGE_B) & ~PXN) | AP_RO);
	place(LINT_PC, "pc", NEXT, PT_FETCH, false);
	only("", 0);
	place(LINT_PC, "pc", NEXT, PT_FETCH, true);
	only_says("pc-moves", "pc 0x206000 translates to 0x41235000");
}

static void sp_not_writable(void **state)
{
	(void)state;
	next_page(MEM(PAGE_B) | AP_RO);
	place(LINT_SP, "below sp,", NEXT, PT_WRITE, false);
	only_says("sp", "pt-set 0x206000 L3 AP=rw");
}

static void sp_whose_access_flag_is_clear(void **state)
{
	(void)state;
	next_page(MEM(PAGE_B) & ~AF);
	place(LINT_SP, "below sp,", NEXT, PT_WRITE, false);
	lint();
	assert_int_equal(report.total[LINT_WARNING], 2); /* af-clear and sp */
}

static void vectors_unmapped_are_one_place(void **state)
{
	static struct lint_place slots[16];

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		slots[i] = (struct lint_place){
			LINT_VBAR, "VBAR_EL1", NEXT + i * 0x80ull, 0x80, { PT_FETCH, 1, false }, 0
		};
	in.places = slots;
	in.place_count = 16;
	only("vbar", 16);
	assert_int_equal(report.total[LINT_WARNING], 1);
}

static void entry_unmapped(void **state)
{
	(void)state;
	place(LINT_ENTRY, "the kernel's entry", KERNEL, PT_FETCH, false);
	only_says("kernel-entry", "L0 [511] 0x7000dff8 = 0x0000000000000000");
}

/* The seed case: one table that nothing points to would map it. */
static void entry_that_an_orphan_mends(void **state)
{
	struct buf text = { 0 };

	(void)state;
	in.image = &image;
	in.image_count = 1;
	put_orphan(ORPHAN, ORPHAN + 0x1000);
	place(LINT_ENTRY, "the kernel's entry", KERNEL, PT_FETCH, false);
	lint();
	say_all(&text);
	assert_non_null(strstr(text.data, "pt-set 0xffffff8040000000 L0 0x70002003\n"));
	assert_int_equal(report.total[LINT_ERROR], 1);
	assert_int_equal(report.total[LINT_WARNING], 1);
	buf_free(&text);
	/* of two that would, none is named */
	put_orphan(ORPHAN + 0x2000, ORPHAN + 0x1000);
	lint();
	say_all(&text);
	assert_null(strstr(text.data, "pt-set"));
	buf_free(&text);
}

static void uart_out_of_reach(void **state)
{
	static const struct lint_span serial = { UART, UART + 0xfff, "pl011" };

	(void)state;
	in.serial = &serial;
	in.serial_count = 1;
	only_says("uart", "no address reaches pl011 at 0x9000000 for writing");
	next_page(UART | PAGE | AF | NX | AP_RO);
	only("uart", 1);
	next_page(UART | PAGE | AF | NX);
	only("", 0);
}

/* Hostile tables */

static uint64_t noise(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Memory full of entries, half of them tables, that all lie in it. */
static void fill(uint64_t *seed)
{
	for (unsigned int i = 0; i < FAKE_WORDS; i++) {
		uint64_t word = noise(seed);

		ram.word[i] = word >> 61 ? FAKE_BASE | (word & 0xffff0000000ff000) | (word & 0xfff)
					 : word;
	}
}

static void random_bytes(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;

	(void)state;
	in.image = &image;
	in.image_count = 1;
	for (unsigned int round = 0; round < 2; round++) {
		fill(&seed);
		lint_free(&report);
		report.keep = 8;
		assert_int_equal(lint_run(&in, &report), 0);
		assert_true(report.total[LINT_ERROR] > 0);
		for (unsigned int i = 0; lint_rule(i); i++)
			assert_true(report.of[i].count <= 8);
	}
}

/* Each level's 512 entries point to the next: 2^36 paths, five tables. */
static void one_table_everywhere(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 512; i++) {
		fake_put(&ram, L0, i, L0 | TABLE);
		fake_put(&ram, UPPER, i, UPPER | TABLE);
	}
	lint();
	lint_say(&report, 3, NULL, &text);
	assert_true(text.len < 10000);
	buf_free(&text);
}

static int lost_link(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		     bool *ok)
{
	(void)ctx, (void)pa, (void)n, (void)size, (void)data, (void)ok;
	return -BATON_ELINK;
}

static void a_lost_link_ends_it(void **state)
{
	(void)state;
	in.bulk.read = lost_link;
	assert_int_equal(lint_run(&in, &report), -BATON_ELINK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINT_TEST(ram_as_device),
		LINT_TEST(its_remedy_is_the_index_of_write_back),
		LINT_TEST(device_as_normal),
		LINT_TEST(device_executable),
		LINT_TEST(a_device_in_the_middle_of_a_block),
		LINT_TEST(a_device_beside_ram_is_to_be_mapped_apart),
		LINT_TEST(a_reserved_type_of_a_device_becomes_a_device),
		LINT_TEST(normal_memory_where_nothing_is),
		LINT_TEST(without_a_memory_map_nothing_is_said_of_it),
		LINT_TEST(alias_of_another_type),
		LINT_TEST(alias_within_a_block),
		LINT_TEST(alias_in_the_other_half),
		LINT_TEST(alias_with_another_shareability),
		LINT_TEST(alias_with_other_hints_is_none),
		LINT_TEST(table_outside_memory),
		LINT_TEST(root_outside_memory),
		LINT_TEST(table_in_a_device),
		LINT_TEST(table_that_will_be_overwritten),
		LINT_TEST(table_that_el0_may_write),
		LINT_TEST(table_mapped_uncached),
		LINT_TEST(table_that_leads_to_itself),
		LINT_TEST(orphan),
		LINT_TEST(root_of_another_regime_is_no_orphan),
		LINT_TEST(code_is_no_orphan),
		LINT_TEST(tables_elsewhere_leave_the_image_alone),
		LINT_TEST(pc_unmapped),
		LINT_TEST(pc_not_executable),
		LINT_TEST(pc_elsewhere_once_the_mmu_is_on),
		LINT_TEST(sp_not_writable),
		LINT_TEST(sp_whose_access_flag_is_clear),
		LINT_TEST(vectors_unmapped_are_one_place),
		LINT_TEST(entry_unmapped),
		LINT_TEST(entry_that_an_orphan_mends),
		LINT_TEST(uart_out_of_reach),
		LINT_TEST(random_bytes),
		LINT_TEST(one_table_everywhere),
		LINT_TEST(a_lost_link_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
