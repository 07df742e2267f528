/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_machine.h"

#include "baton/image.h"

/* What QEMU loaded: 0x8000 bytes at the start of RAM, a header 0x1000 into them. */
#define HEADER (FAKE_RAM + 0x1000)
#define TABLE  (HEADER + sizeof(struct baton_image_header))
#define BYTES  (TABLE + 2 * sizeof(struct baton_image_region))
#define DEST   (FAKE_RAM + 0x40000)

static const char *const hmp[] = {
	"info roms", "addr=0000000040000000 size=0x008000 mem=ram name=\"test.img\"\r\n", NULL
};

static void set_words(struct fake *f, uint64_t at, const uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fake_set_u64(f, at + 8 * i, words[i]);
}

static int setup(void **state)
{
	const uint64_t header[] = { BATON_IMAGE_MAGIC, 0x7000, 0xffffff8040000000, DEST + 0x3000,
				    DEST + 0x4000,     0,      0x200000,	   2 };
	const uint64_t regions[] = { DEST, 0x2000, 0, 1, DEST + 0x3000, 0x1000, 0x2000, 1 };
	struct fake *f;

	fake_setup(state);
	f = *state;
	f->hmp = hmp;
	set_words(f, HEADER, header, 8);
	set_words(f, TABLE, regions, 8);
	for (uint64_t i = 0; i < 0x3000; i += 8)
		fake_set_u64(f, BYTES + i, i + 1);
	return 0;
}

static uint8_t *ram(struct fake *f, uint64_t pa)
{
	return f->ram + (pa - FAKE_RAM);
}

static void regions_are_told_before_the_copy(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "0x40000000 - 0x40007fff  test.img");
	assert_said(f, "image header at 0x40001000, 0x7000 bytes, 2 regions");
	assert_said(f, "entry 0xffffff8040000000");
	assert_said(f, "region 0   0x40001080 -> 0x40040000, 0x2000 bytes\n"
		       "             not copied yet\n");
	assert_said(f, "region 1   0x40003080 -> 0x40043000, 0x1000 bytes\n"
		       "             not copied yet\n");
}

static void a_copy_is_compared(void **state)
{
	struct fake *f = *state;

	memcpy(ram(f, DEST), ram(f, BYTES), 0x2000);
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "0x2000 bytes\n             copied: the destination equals the image\n");
	ram(f, DEST)[0x1234] ^= 1;
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "differs at 0x40041234 (1 of 8192 bytes): half copied, or");
}

static void zeros_tell_nothing(void **state)
{
	struct fake *f = *state;

	memset(ram(f, BYTES), 0, 0x2000);
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "zeros, and zeros are there");
	ram(f, DEST)[8] = 1;
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "differs at 0x40040008 (1 of 8192 bytes): not copied yet, or changed since");
}

static void regions_outside_the_image_are_found(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, TABLE + 16, 0x7000); /* offset */
	assert_int_equal(fake_command(f, "loader"), 1);
	assert_said(f, "its bytes lie outside the image, which ends at 0x40008000");
	fake_set_u64(f, TABLE + 16, UINT64_MAX);
	assert_int_equal(fake_command(f, "loader"), 1);
	fake_set_u64(f, TABLE + 16, 0);
	fake_set_u64(f, TABLE, FAKE_DEVICE);
	assert_int_equal(fake_command(f, "loader"), 1);
	assert_said(f, "not all RAM");
	assert_int_equal(f->device_reads, 0);
}

/* The same number in the loader's code is no header: what follows it makes no sense. */
static void the_magic_alone_is_no_header(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, FAKE_RAM + 0x100, BATON_IMAGE_MAGIC);
	fake_set_u64(f, FAKE_RAM + 0x138, 0xd503201fd503201f);
	fake_set_u64(f, FAKE_RAM + 0x7ff8, BATON_IMAGE_MAGIC);
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_null(strstr(f->out.data, "header at 0x40000100"));
	assert_null(strstr(f->out.data, "header at 0x40007ff8"));
	assert_said(f, "header at 0x40001000");
}

static void without_a_header_it_says_so(void **state)
{
	struct fake *f = *state;

	fake_set_u64(f, HEADER, 0);
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "no image header among these");
}

/*
 * Loaded 0x4000 above its place and moved there, over its own header: what is left of where
 * it was are the last 0x4000 bytes.
 */
static void an_image_that_has_moved_itself_is_followed(void **state)
{
	static const char *const above[] = {
		"info roms", "addr=0000000040004000 size=0x008000 mem=ram name=\"test.img\"\r\n",
		NULL
	};
	struct fake *f = *state;

	f->hmp = above;
	fake_set_u64(f, FAKE_RAM + 0x7ff8, 0x1234);
	memcpy(ram(f, FAKE_RAM + 0x8000), ram(f, FAKE_RAM + 0x4000), 0x4000);
	memcpy(ram(f, DEST), ram(f, BYTES), 0x2000);
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "it has moved itself to 0x40000000");
	assert_said(f, "image header at 0x40001000");
	assert_said(f, "0x2000 bytes\n             copied: the destination equals the image\n");
	/* and another image beside it is another image */
	fake_set_u64(f, FAKE_RAM + 0xbff8, 0x4321);
	assert_int_equal(fake_command(f, "loader"), 0);
	assert_said(f, "no image header among these");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		T(regions_are_told_before_the_copy),
		T(a_copy_is_compared),
		T(zeros_tell_nothing),
		T(regions_outside_the_image_are_found),
		T(the_magic_alone_is_no_header),
		T(without_a_header_it_says_so),
		T(an_image_that_has_moved_itself_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
