// SPDX-License-Identifier: BSD-2-Clause
/*
 * The formats of VMSAv8-64 descriptors: what is a table, what a block, and where the
 * address is (DDI 0487, D8.3.1). Both stages share them.
 */
#include "mmu/internal.h"

#include "hex.h"

#define NT BIT(16)
#define AF BIT(10)

unsigned int pt_level_shift(const struct pt_config *cfg, int level)
{
	return cfg->granule + (unsigned int)(3 - level) * (cfg->granule - 3);
}

unsigned int pt_index_bits(const struct pt_config *cfg, int level)
{
	return level == cfg->start ? cfg->ia_bits - pt_level_shift(cfg, level) : cfg->granule - 3;
}

/* D8.3.1, which levels have blocks: one more with LPA2, and for 64 KiB with LPA. */
static bool has_blocks(const struct pt_config *cfg, int level)
{
	switch (cfg->granule) {
	case 12:
		return level == 1 || level == 2 || (level == 0 && cfg->ds);
	case 14:
		return level == 2 || (level == 1 && cfg->ds);
	default:
		return level == 2 || (level == 1 && cfg->lpa);
	}
}

/*
 * Bit 0 is valid; bit 1 tells a table from a block. 0b10 is invalid; 0b01 at level 3, or
 * where there are no blocks, is reserved and faults like an invalid one.
 */
enum pt_kind pt_desc_kind(const struct pt_config *cfg, int level, uint64_t desc)
{
	if (!(desc & 1))
		return PT_INVALID;
	if (desc & 2)
		return level == 3 ? PT_PAGE : PT_TABLE;
	return has_blocks(cfg, level) ? PT_BLOCK : PT_INVALID;
}

static uint64_t plain_mask(const struct pt_config *cfg, int level, enum pt_kind kind)
{
	unsigned int lsb = kind == PT_TABLE ? cfg->granule : pt_level_shift(cfg, level);

	return kind == PT_INVALID ? 0 : low_bits(cfg->ds ? 50 : 48) & ~low_bits(lsb);
}

uint64_t pt_desc_address_mask(const struct pt_config *cfg, int level, enum pt_kind kind)
{
	uint64_t more = cfg->ds ? UINT64_C(3) << 8 : cfg->lpa ? UINT64_C(15) << 12 : 0;

	return plain_mask(cfg, level, kind) | (kind == PT_INVALID ? 0 : more);
}

uint64_t pt_desc_address(const struct pt_config *cfg, int level, enum pt_kind kind, uint64_t desc)
{
	uint64_t addr = desc & plain_mask(cfg, level, kind);

	if (kind == PT_INVALID)
		return 0;
	if (cfg->ds)
		addr |= (desc >> 8 & 3) << 50;
	if (cfg->lpa)
		addr |= (desc >> 12 & 15) << 48;
	return addr;
}

uint64_t pt_desc_with_address(const struct pt_config *cfg, int level, enum pt_kind kind,
			      uint64_t desc, uint64_t addr)
{
	desc &= ~pt_desc_address_mask(cfg, level, kind);
	desc |= addr & plain_mask(cfg, level, kind);
	if (kind != PT_INVALID && cfg->ds)
		desc |= (addr >> 50 & 3) << 8;
	if (kind != PT_INVALID && cfg->lpa)
		desc |= (addr >> 48 & 15) << 12;
	return desc;
}

uint64_t pt_desc_stray(const struct pt_config *cfg, int level, enum pt_kind kind, uint64_t desc)
{
	unsigned int size = kind == PT_TABLE ? cfg->granule : pt_level_shift(cfg, level);
	uint64_t mask = low_bits(size) & ~low_bits(12);

	if (kind == PT_BLOCK)
		mask &= ~NT;
	if (cfg->lpa)
		mask &= ~(UINT64_C(15) << 12);
	return kind == PT_INVALID ? 0 : desc & mask;
}

/* Bit 50 of a leaf is GP; bit 51 is DBM, which software uses where hardware does not. */
uint64_t pt_desc_reserved(const struct pt_config *cfg, enum pt_kind kind, uint64_t desc)
{
	uint64_t mask = cfg->ds ? 0 : UINT64_C(3) << 48;

	if (kind == PT_TABLE)
		mask |= BIT(50);
	return kind == PT_INVALID ? 0 : desc & mask;
}

uint64_t pt_table_entry(const struct pt_config *cfg, const uint8_t *data, unsigned int index)
{
	uint64_t desc = le_read(data + 8 * (size_t)index, 8);

	return cfg->big_endian ? __builtin_bswap64(desc) : desc;
}

bool pt_points_to_table(const struct pt_config *cfg, const uint8_t *data, unsigned int index,
			uint64_t *table)
{
	uint64_t desc = pt_table_entry(cfg, data, index);
	uint64_t address = pt_desc_address_mask(cfg, 0, PT_TABLE);

	*table = pt_desc_address(cfg, 0, PT_TABLE, desc);
	return (desc & low_bits(12) & ~address) == 3;
}

/* No builder of tables leaves AF to the hardware, which need not be able to set it. */
static bool looks_like_entry(const struct pt_config *cfg, int level, uint64_t desc,
			     bool (*is_ram)(void *ctx, uint64_t pa), void *ctx)
{
	enum pt_kind kind = pt_desc_kind(cfg, level, desc);
	uint64_t next = pt_desc_address(cfg, level, kind, desc);

	if (!desc)
		return true;
	if (kind == PT_INVALID || (next & ~low_bits(cfg->oa_bits)) ||
	    pt_desc_stray(cfg, level, kind, desc) || pt_desc_reserved(cfg, kind, desc))
		return false;
	return kind == PT_TABLE ? is_ram(ctx, next) : desc & AF;
}

bool pt_looks_like_table(const struct pt_config *cfg, int level, const uint8_t *data,
			 bool (*is_ram)(void *ctx, uint64_t pa), void *ctx)
{
	bool any = false;

	for (unsigned int i = 0; i < 1U << (cfg->granule - 3); i++) {
		uint64_t desc = pt_table_entry(cfg, data, i);

		if (!looks_like_entry(cfg, level, desc, is_ram, ctx))
			return false;
		any |= desc != 0;
	}
	return any;
}

int pt_read_desc(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t pa,
		 uint64_t *desc)
{
	uint64_t value = 0;
	int err = reader->read(reader->ctx, pa, &value);

	*desc = err ? 0 : cfg->big_endian ? __builtin_bswap64(value) : value;
	return err;
}

unsigned int pt_contiguous_entries(const struct pt_config *cfg, int level)
{
	switch (cfg->granule) {
	case 12:
		return level >= 1 ? 16 : 0;
	case 14:
		return level == 3 ? 128 : level == 2 ? 32 : 0;
	default:
		return level >= 2 ? 32 : 0;
	}
}

/* D8.7.1: the same in all but the address, which goes up with the index, AF and dirty state. */
static bool belongs(const struct pt_config *cfg, const struct pt_step *step, unsigned int index,
		    uint64_t desc)
{
	enum pt_kind kind = pt_desc_kind(cfg, step->level, desc);
	uint64_t mask = pt_desc_address_mask(cfg, step->level, step->kind);
	uint64_t size = BIT(pt_level_shift(cfg, step->level));
	uint64_t ignored = BIT(10) | BIT(7);
	uint64_t first = step->index & ~(pt_contiguous_entries(cfg, step->level) - 1);
	uint64_t base =
		pt_desc_address(cfg, step->level, kind, step->desc) - (step->index - first) * size;

	if (!cfg->hd)
		ignored = BIT(10);
	if (kind != step->kind || ((desc ^ step->desc) & ~(mask | ignored)))
		return false;
	if (base & (pt_contiguous_entries(cfg, step->level) * size - 1))
		return false;
	return pt_desc_address(cfg, step->level, kind, desc) == base + (index - first) * size;
}

int pt_contiguous_check(const struct pt_config *cfg, const struct pt_reader *reader,
			const struct pt_step *step, unsigned int *bad)
{
	unsigned int n = pt_contiguous_entries(cfg, step->level);
	unsigned int first = n ? step->index & ~(n - 1) : 0;

	for (unsigned int i = first; i < first + n; i++) {
		uint64_t desc;
		int err = pt_read_desc(cfg, reader, step->table + 8 * (uint64_t)i, &desc);

		if (err)
			return err;
		if (!belongs(cfg, step, i, desc)) {
			*bad = i;
			return 0;
		}
	}
	return 1;
}
