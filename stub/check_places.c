/* SPDX-License-Identifier: BSD-2-Clause */
/* Which bytes of memory come from which of a file: for changes that are to go back there. */
#include "check_internal.h"

#include <stdlib.h>

struct check_file {
	struct options options;
	struct checking k;
};

/* What is said of a file that is not usable: one line. */
static void gather(void *ctx, const char *text, size_t len)
{
	buf_add(ctx, text, len && text[len - 1] == '\n' ? len - 1 : len);
}

/* All of it at @pa, too; where it does not fit it cannot have been laid. */
static void lay(struct checking *k, uint64_t pa)
{
	const struct machine_image_segment all = { .pa = pa,
						   .size = k->mi.size,
						   .bytes = k->mi.size };

	if (pa != k->load)
		(void)machine_image_add(&k->mi, &all);
}

static int open_places(struct check_file *f, const struct rom *rom, struct buf *why)
{
	struct checking *k = &f->k;

	if (k->mi.kind == MACHINE_IMAGE_CORE) {
		buf_puts(why, "a core of a guest is no image that anything is loaded from");
		return -BATON_EINVAL;
	}
	if (k->mi.kind != MACHINE_IMAGE_FLAT)
		return 0;
	if (!rom && !check_file_tells_load(f)) {
		buf_puts(why, "where it lies in memory is not known: QEMU did not load it "
			      "(`loader` lists what it did)");
		return -BATON_EINVAL;
	}
	/* For U-Boot to unwrap, it is laid there with what is wrapped around it. */
	if (rom)
		lay(k, rom->addr + (rom->size > k->mi.size ? k->mi.begin : 0));
	if (k->has_board)
		lay(k, k->board.load_address);
	return 0;
}

struct check_file *check_file_open(const char *path, const struct rom *rom, struct buf *why)
{
	struct check_file *f = calloc(1, sizeof(*f));
	struct sink sink = { gather, why };
	struct buf said = { 0 };
	int err;

	if (!f)
		abort();
	f->options = (struct options){ .image = path };
	if (rom)
		f->options.given[GIVEN_LOAD] = (struct given_value){ true, rom->addr };
	checking_begin(&f->k, &f->options, &sink);
	err = checking_open_file(&f->k);
	buf_clear(&f->k.text);
	if (!err && open_places(f, rom, &said)) {
		buf_printf(why, "%s: %s", path, said.data);
		err = -BATON_EINVAL;
	}
	buf_free(&said);
	if (!err)
		return f;
	check_file_close(f);
	return NULL;
}

void check_file_close(struct check_file *f)
{
	if (f)
		checking_end(&f->k);
	free(f);
}

bool check_file_tells_load(const struct check_file *f)
{
	return f->k.has_board || f->k.mi.begin || f->k.mi.kind != MACHINE_IMAGE_FLAT;
}

bool check_file_where(const struct check_file *f, uint64_t pa, size_t len, uint64_t *offset)
{
	if (!machine_image_where(&f->k.mi, pa, len, offset))
		return false;
	*offset += f->k.mi.begin;
	return true;
}

void check_file_sums(const struct check_file *f, uint8_t *data)
{
	if (f->k.mi.begin == MACHINE_IMAGE_UIMAGE)
		machine_image_sums(data, f->k.mi.begin + f->k.mi.size);
}
