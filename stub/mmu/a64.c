// SPDX-License-Identifier: BSD-2-Clause
/*
 * Descriptors of both stages as rows of data (DDI 0487, D8.3.1 "VMSAv8-64 translation
 * table descriptor formats"): one set of rows for each kind of regime, with and without
 * LPA2 (TCR.DS, where the shareability's bits belong to the address), for pages and blocks.
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
/* D8.4.2, stage 2. */
static const struct pt_value s2ap[] = {
	{ 0, "none" }, { 1, "ro" }, { 2, "wo" }, { 3, "rw" }, { 0, NULL }
};
static const struct pt_value xn_s2[] = {
	{ 0, "all" }, { 1, "el0-only" }, { 2, "none" }, { 3, "el1-only" }, { 0, NULL }
};
static const struct pt_value fwb[] = { { 0, "Device-nGnRnE" },
				       { 1, "Device-nGnRE" },
				       { 2, "Device-nGRE" },
				       { 3, "Device-GRE" },
				       { 5, "Normal NC unless stage 1 says device" },
				       { 6, "Normal WB" },
				       { 7, "as in stage 1" },
				       { 0, NULL } };
static const struct pt_value aptable_one[] = { { 0, "none" }, { 1, "ro" }, { 0, NULL } };

static void say_mair(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	(void)word;
	mair_say((uint8_t)(mair >> 8 * value), out);
}

/* Stage 2 without FWB: bits 3:2 outer, 1:0 inner; 0 outer is device memory. */
static void say_memattr(struct buf *out, uint64_t value, uint64_t word, uint64_t mair)
{
	static const uint8_t nibble[4] = { 0, 4, 0xb, 0xf };

	(void)word, (void)mair;
	if (value >> 2 && !(value & 3))
		buf_puts(out, "reserved");
	else if (value >> 2)
		mair_say((uint8_t)(nibble[value >> 2] << 4 | nibble[value & 3]), out);
	else
		mair_say((uint8_t)(value << 2), out);
}

/* clang-format off */
#define ROW(n, l, w, ...) { .name = n, .lsb = l, .width = w, __VA_ARGS__ }
#define SH(yes)	     SH_##yes
#define SH_1	     ROW("SH", 8, 2, .values = shareability),
#define SH_0
#define NT(yes)	     NT_##yes
#define NT_1	     ROW("nT", 16, 1, .set = "block that replaces a table or the reverse (BBM)"),
#define NT_0
#define AF_ROW	     ROW("AF", 10, 1, .unset = "access flag clear: the first access faults"),
#define DBM_ROW	     ROW("DBM", 51, 1, .set = "dirty bit modifier"),
#define CONTIG_ROW   ROW("contiguous", 52, 1, .set = "one of a group that belongs together"),
#define XN_ROW	     ROW("XN", 54, 1, .set = "not executable"),
#define LAST	     ROW("sw", 55, 4, .set = NULL), ROW("PBHA", 59, 4, .set = NULL), { .name = NULL }
#define ATTR_ROWS    ROW("AttrIndx", 2, 3, .say = say_mair), ROW("NS", 5, 1, .set = "non-secure"),
#define HIGH_ROWS    ROW("GP", 50, 1, .set = "guarded page (BTI)"), DBM_ROW CONTIG_ROW
/* One privilege level: AP[1] (bit 6) is RES1, nG and PXN are RES0, UXN is XN. */
#define AP_ONE	     ROW("AP", 7, 1, .values = ap_one),

#define HALVES(sh, nt) {						\
	ATTR_ROWS ROW("AP", 6, 2, .values = ap_el1), SH(sh) AF_ROW	\
	ROW("nG", 11, 1, .set = "not global", .unset = "global"),	\
	NT(nt) HIGH_ROWS						\
	ROW("PXN", 53, 1, .set = "not executable at EL1"),		\
	ROW("UXN", 54, 1, .set = "not executable at EL0"), LAST }
#define ONE(sh, nt) { ATTR_ROWS AP_ONE SH(sh) AF_ROW NT(nt) HIGH_ROWS XN_ROW LAST }
#define EL3(sh, nt) {							\
	ATTR_ROWS AP_ONE SH(sh) AF_ROW					\
	ROW("NSE", 11, 1, .set = "with NS: Realm or Root (RME)"),	\
	NT(nt) HIGH_ROWS XN_ROW LAST }
#define S2_ROWS(sh, nt)							\
	ROW("S2AP", 6, 2, .values = s2ap), SH(sh) AF_ROW		\
	ROW("FnXS", 11, 1, .set = NULL), NT(nt) DBM_ROW CONTIG_ROW	\
	ROW("XN", 53, 2, .values = xn_s2), LAST
#define S2_PLAIN(sh, nt) { ROW("MemAttr", 2, 4, .say = say_memattr), S2_ROWS(sh, nt) }
#define S2_FWB(sh, nt)	 { ROW("MemAttr", 2, 4, .values = fwb), S2_ROWS(sh, nt) }

#define FORMATS(f) { { f(1, 0), f(1, 1) }, { f(0, 0), f(0, 1) } }

enum format { F_HALVES, F_ONE, F_EL3, F_S2, F_S2_FWB, F_COUNT };

/* By format, DS, and whether it is a block. */
static const struct pt_field leaves[F_COUNT][2][2][17] = {
	[F_HALVES] = FORMATS(HALVES),
	[F_ONE] = FORMATS(ONE),
	[F_EL3] = FORMATS(EL3),
	[F_S2] = FORMATS(S2_PLAIN),
	[F_S2_FWB] = FORMATS(S2_FWB),
};
/* clang-format on */

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

static enum format format_of(const struct pt_config *cfg)
{
	if (cfg->regime.stage2)
		return cfg->fwb ? F_S2_FWB : F_S2;
	if (cfg->regime.two_halves)
		return F_HALVES;
	return cfg->regime.el == 3 ? F_EL3 : F_ONE;
}

const struct pt_field *pt_desc_fields(const struct pt_config *cfg, enum pt_kind kind)
{
	switch (kind) {
	case PT_TABLE:
		if (cfg->regime.stage2)
			break; /* bits 63:59 are ignored */
		return cfg->regime.two_halves ? table_el1 : table_one;
	case PT_BLOCK:
	case PT_PAGE:
		return leaves[format_of(cfg)][cfg->ds][kind == PT_BLOCK];
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
	uint64_t align = BIT(kind == PT_TABLE ? cfg->granule : pt_level_shift(cfg, level));
	char *end;
	uint64_t value = strtoull(text, &end, 0);
	uint64_t with = pt_desc_with_address(cfg, level, kind, *desc, value);

	if (*text < '0' || *text > '9' || *end)
		return complain(why, "%s=%s: an address is wanted", name, text);
	if (value & (align - 1))
		return complain(why, "%s=%s: a %s at level %d needs 0x%" PRIx64 " alignment", name,
				text, kind_names[kind], level, align);
	if (pt_desc_address(cfg, level, kind, with) != value)
		return complain(why, "%s=%s: the descriptor has no room for so large an address",
				name, text);
	*desc = with;
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
	stray = d & (BIT(48) - BIT(cfg->granule)) & ~pt_desc_address_mask(cfg, level, kind) &
		~BIT(16);
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
			   "", pt_desc_address(cfg, level, kind, desc));
	pt_fields_describe(pt_desc_fields(cfg, kind), desc, cfg->regime.mair, out);
}
