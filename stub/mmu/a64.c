// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stage 1 descriptors with 4 KiB granules and without LPA2, as rows of data
 * (DDI 0487, D8.3.1 "VMSAv8-64 translation table descriptor formats").
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "error.h"
#include "mmu/a64.h"

#define BIT(n) (UINT64_C(1) << (n))

/* D8.4.3: AP[2] read-only, AP[1] for EL0 too. */
static const struct pt_value ap_el1[] = {
	{ 0, "rw" }, { 1, "rw+el0" }, { 2, "ro" }, { 3, "ro+el0" }, { 0, NULL }
};
static const struct pt_value ap_one[] = { { 0, "rw" }, { 1, "ro" }, { 0, NULL } };
static const struct pt_value shareability[] = {
	{ 0, "non-shareable" }, { 2, "outer" }, { 3, "inner" }, { 0, NULL }
};
static const struct pt_value aptable_el1[] = {
	{ 0, "none" }, { 1, "no-el0" }, { 2, "ro" }, { 3, "ro+no-el0" }, { 0, NULL }
};
static const struct pt_value aptable_one[] = { { 0, "none" }, { 1, "ro" }, { 0, NULL } };

static void say_mair(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)word;
	mair_say((uint8_t)(mair >> 8 * value), out);
}

#define LEAF_LOW(ap_row)                                                        \
	{ .name = "AttrIndx", .lsb = 2, .width = 3, .say = say_mair },          \
		{ .name = "NS", .lsb = 5, .width = 1 }, ap_row,                 \
		{ .name = "SH", .lsb = 8, .width = 2, .values = shareability }, \
	{                                                                       \
		.name = "AF", .lsb = 10, .width = 1,                            \
		.unset = "access flag clear: the first access faults"           \
	}

#define LEAF_HIGH                                                                      \
	{ .name = "GP", .lsb = 50, .width = 1, .set = "guarded page (BTI)" },          \
		{ .name = "DBM", .lsb = 51, .width = 1, .set = "dirty bit modifier" }, \
	{                                                                              \
		.name = "contiguous", .lsb = 52, .width = 1,                           \
		.set = "one of 16 that belong together"                                \
	}

#define SOFTWARE                                    \
	{                                           \
		.name = "sw", .lsb = 55, .width = 4 \
	}

static const struct pt_field leaf_el1[] = {
	LEAF_LOW(((struct pt_field){ .name = "AP", .lsb = 6, .width = 2, .values = ap_el1 })),
	{ .name = "nG", .lsb = 11, .width = 1, .set = "not global", .unset = "global" },
	LEAF_HIGH,
	{ .name = "PXN", .lsb = 53, .width = 1, .set = "not executable at EL1" },
	{ .name = "UXN", .lsb = 54, .width = 1, .set = "not executable at EL0" },
	SOFTWARE,
	{ .name = NULL }
};

/* One privilege level: AP[1] (bit 6) is RES1, nG and PXN are RES0, UXN is XN. */
static const struct pt_field leaf_one[] = {
	LEAF_LOW(((struct pt_field){ .name = "AP", .lsb = 7, .width = 1, .values = ap_one })),
	LEAF_HIGH,
	{ .name = "XN", .lsb = 54, .width = 1, .set = "not executable" },
	SOFTWARE,
	{ .name = NULL }
};

static const struct pt_field table_el1[] = {
	{ .name = "PXNTable", .lsb = 59, .width = 1, .set = "nothing below is executable at EL1" },
	{ .name = "UXNTable", .lsb = 60, .width = 1, .set = "nothing below is executable at EL0" },
	{ .name = "APTable", .lsb = 61, .width = 2, .values = aptable_el1 },
	{ .name = "NSTable", .lsb = 63, .width = 1 },
	{ .name = NULL }
};

static const struct pt_field table_one[] = {
	{ .name = "XNTable", .lsb = 60, .width = 1, .set = "nothing below is executable" },
	{ .name = "APTable", .lsb = 62, .width = 1, .values = aptable_one },
	{ .name = "NSTable", .lsb = 63, .width = 1 },
	{ .name = NULL }
};

static const struct pt_field no_fields[] = { { .name = NULL } };

const struct pt_field *pt_desc_fields(const struct pt_config *cfg, enum pt_kind kind)
{
	bool halves = cfg->regime.two_halves;

	switch (kind) {
	case PT_TABLE:
		return halves ? table_el1 : table_one;
	case PT_BLOCK:
	case PT_PAGE:
		return halves ? leaf_el1 : leaf_one;
	case PT_INVALID:
		break;
	}
	return no_fields;
}

static int complain(struct buf *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int complain(struct buf *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (why)
		buf_vprintf(why, fmt, ap);
	va_end(ap);
	return -BATON_EINVAL;
}

static const char *const kind_names[] = {
	[PT_INVALID] = "invalid", [PT_TABLE] = "table", [PT_BLOCK] = "block", [PT_PAGE] = "page"
};

static int edit_type(const struct pt_config *cfg, int level, uint64_t *desc, const char *text,
		     struct buf *why)
{
	static const uint64_t type[] = {
		[PT_INVALID] = 0, [PT_TABLE] = 3, [PT_BLOCK] = 1, [PT_PAGE] = 3
	};

	for (unsigned int k = 0; k < 4; k++) {
		if (strcasecmp(text, kind_names[k]))
			continue;
		if (pt_desc_kind(cfg, level, type[k]) != (enum pt_kind)k)
			return complain(why, "type=%s: there is none at level %d", text, level);
		*desc = (*desc & ~UINT64_C(3)) | type[k];
		return 0;
	}
	return complain(why, "type=%s: a type is invalid, table, block or page", text);
}

static int edit_address(const struct pt_config *cfg, int level, uint64_t *desc, const char *name,
			const char *text, struct buf *why)
{
	enum pt_kind kind = pt_desc_kind(cfg, level, *desc);
	uint64_t mask = pt_desc_address_mask(cfg, level, kind);
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*text < '0' || *text > '9' || *end)
		return complain(why, "%s=%s: an address is wanted", name, text);
	if (value & ~mask)
		return complain(why, "%s=%s: a %s at level %d needs 0x%" PRIx64 " alignment", name,
				text, kind_names[kind], level, mask & -mask);
	*desc = (*desc & ~mask) | value;
	return 0;
}

static int edit_field(const struct pt_config *cfg, int level, uint64_t *desc, const char *name,
		      const char *text, struct buf *why)
{
	enum pt_kind kind = pt_desc_kind(cfg, level, *desc);
	const struct pt_field *rows = pt_desc_fields(cfg, kind);
	const struct pt_field *f = pt_field_find(rows, name);
	uint64_t value;

	if (kind == PT_INVALID)
		return complain(why,
				"%s: the entry is invalid; say type=%s too, or give the whole "
				"descriptor",
				name, level == 3 ? "page" : "block or type=table");
	if (!strcasecmp(name, kind == PT_TABLE ? "table" : "OA"))
		return edit_address(cfg, level, desc, name, text, why);
	if (!f) {
		complain(why, "%s: a %s has %s", name, kind_names[kind],
			 kind == PT_TABLE ? "table" : "OA");
		for (; rows->name; rows++)
			complain(why, ", %s", rows->name);
		return -BATON_EINVAL;
	}
	int err = pt_field_parse(f, text, &value, why);
	if (!err)
		*desc = pt_field_set(f, *desc, value);
	return err;
}

/* One pass over the edits: those of the type first, the others in the second. */
static int edit_pass(const struct pt_config *cfg, int level, uint64_t *desc, const char *edits,
		     bool types, struct buf *why)
{
	int err = 0;

	while (*edits && !err) {
		size_t len = strcspn(edits, ",");
		char part[64], *value;

		if (len >= sizeof(part))
			return complain(why, "\"%s\" is too long", edits);
		memcpy(part, edits, len);
		part[len] = 0;
		edits += len + (edits[len] == ',');
		value = strchr(part, '=');
		if (!value)
			return complain(why, "\"%s\": field=value is wanted", part);
		*value++ = 0;
		if (!strcasecmp(part, "type")) {
			if (types)
				err = edit_type(cfg, level, desc, value, why);
		} else if (!types) {
			err = edit_field(cfg, level, desc, part, value, why);
		}
	}
	return err;
}

int pt_desc_edit(const struct pt_config *cfg, int level, uint64_t *desc, const char *edits,
		 struct buf *why)
{
	uint64_t d = *desc, stray;
	enum pt_kind kind;
	int err;

	if (!*edits)
		return complain(why, "no field=value given");
	err = edit_pass(cfg, level, &d, edits, true, why);
	if (!err)
		err = edit_pass(cfg, level, &d, edits, false, why);
	if (err)
		return err;
	/* A table turned into a block keeps its address, which may not fit; bit 16 is nT. */
	kind = pt_desc_kind(cfg, level, d);
	stray = d & (BIT(48) - BIT(12)) & ~pt_desc_address_mask(cfg, level, kind) & ~BIT(16);
	if (kind == PT_BLOCK && stray)
		return complain(why,
				"the address is not aligned to the block: give OA=ADDRESS too");
	*desc = d;
	return 0;
}

void pt_desc_describe(const struct pt_config *cfg, int level, uint64_t desc, struct buf *out)
{
	enum pt_kind kind = pt_desc_kind(cfg, level, desc);

	buf_printf(out, "  %-10s [1:0]    %-6d  %s\n", "type", (int)(desc & 3),
		   kind == PT_INVALID && (desc & 1) ? "reserved at this level" : kind_names[kind]);
	if (kind != PT_INVALID)
		buf_printf(out, "  %-10s %-7s  0x%" PRIx64 "\n", kind == PT_TABLE ? "table" : "OA",
			   "", desc & pt_desc_address_mask(cfg, level, kind));
	pt_fields_describe(pt_desc_fields(cfg, kind), desc, cfg->regime.mair, out);
}
