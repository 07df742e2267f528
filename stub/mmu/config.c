// SPDX-License-Identifier: BSD-2-Clause
/*
 * From registers to the shape of a walk: TCR_EL1, _EL2 and _EL3 and VTCR_EL2 (DDI 0487,
 * D24.2.207 to 209 and D24.2.218).
 */
#include "buf.h"
#include "error.h"
#include "mmu/walk.h"

static unsigned int field(uint64_t word, unsigned int lsb, unsigned int width)
{
	return (unsigned int)(word >> lsb & ((UINT64_C(1) << width) - 1));
}

/* The layouts of TCR, and of its two halves, as positions of fields. */
struct tcr_layout {
	uint8_t txsz, tg, ps, tbi, tbid, epd, e0pd, hpd, ha, hd, ds, sh;
};

#define NO_FIELD 255

static const struct tcr_layout tcr_el1[2] = {
	{ .txsz = 0,
	  .tg = 14,
	  .ps = 32,
	  .tbi = 37,
	  .tbid = 51,
	  .epd = 7,
	  .e0pd = 55,
	  .hpd = 41,
	  .ha = 39,
	  .hd = 40,
	  .ds = 59,
	  .sh = 12 },
	{ .txsz = 16,
	  .tg = 30,
	  .ps = 32,
	  .tbi = 38,
	  .tbid = 52,
	  .epd = 23,
	  .e0pd = 56,
	  .hpd = 42,
	  .ha = 39,
	  .hd = 40,
	  .ds = 59,
	  .sh = 28 },
};

/* One half: EL2 without E2H, and EL3. */
static const struct tcr_layout tcr_one = {
	.txsz = 0,
	.tg = 14,
	.ps = 16,
	.tbi = 20,
	.tbid = 29,
	.epd = NO_FIELD,
	.e0pd = NO_FIELD,
	.hpd = 24,
	.ha = 21,
	.hd = 22,
	.ds = 32,
	.sh = 12,
};

static const struct tcr_layout vtcr = {
	.txsz = 0,
	.tg = 14,
	.ps = 16,
	.tbi = NO_FIELD,
	.tbid = NO_FIELD,
	.epd = NO_FIELD,
	.e0pd = NO_FIELD,
	.hpd = NO_FIELD,
	.ha = 21,
	.hd = 22,
	.ds = 32,
	.sh = 12,
};

/* log2 of the granule; 0: reserved. TG0 and TG1 encode it differently. */
static const uint8_t tg0_granule[4] = { 12, 16, 14, 0 };
static const uint8_t tg1_granule[4] = { 0, 14, 12, 16 };

static bool tcr_bit(const struct regime *r, uint8_t bit)
{
	return bit != NO_FIELD && field(r->tcr, bit, 1);
}

/*
 * A control bit counts if its feature is there: its field in ID_AA64MMFRn is at least
 * @least. Where the machine does not show that register the bit is believed, since
 * software that sets it expects it to work.
 */
static bool tcr_feature(const struct regime *r, uint8_t bit, unsigned int mmfr, unsigned int lsb,
			unsigned int least)
{
	if (!(r->known & REGIME_MMFR0 << mmfr))
		return tcr_bit(r, bit);
	return tcr_bit(r, bit) && field(r->mmfr[mmfr], lsb, 4) >= least;
}

static int refuse(struct buf *why, int err, const struct regime *r, const char *name,
		  const char *words)
{
	if (why)
		buf_printf(why, "%s%s %s", regime_tcr_name(r), name, words);
	return err;
}

/*
 * ID_AA64MMFR0_EL1's word on a granule: whether it is there, and whether with 52-bit
 * addresses. The stage-2 field may say "as at stage 1" (0). @known: false, it is not shown.
 */
struct granule_support {
	bool known, present, large;
};

static struct granule_support granule_support(const struct regime *r, unsigned int granule)
{
	struct granule_support s = { .known = r->known & REGIME_MMFR0 };
	unsigned int stage1 = field(r->mmfr[0], granule == 12 ? 28 : granule == 14 ? 20 : 24, 4);
	unsigned int stage2 = field(r->mmfr[0], granule == 12 ? 40 : granule == 14 ? 32 : 36, 4);

	if (granule == 14) {
		s.present = stage1 >= 1;
		s.large = stage1 == 2;
	} else {
		s.present = stage1 < 8;
		s.large = granule == 12 && stage1 == 1;
	}
	if (r->stage2 && stage2) {
		s.present = stage2 >= 2;
		s.large = granule != 16 && stage2 == 3;
	}
	return s;
}

/* FEAT_LPA: 52-bit physical addresses. Where PARange is not shown, PS is believed. */
static bool has_lpa(const struct regime *r, unsigned int ps)
{
	unsigned int pa = regime_pa_bits(r);

	return pa ? pa >= 52 : ps == 6;
}

static int decode_granule(struct pt_config *cfg, const struct tcr_layout *l, struct buf *why)
{
	const struct regime *r = &cfg->regime;
	unsigned int tg = field(r->tcr, l->tg, 2);
	const char *name = r->two_halves ? cfg->half ? ".TG1" : ".TG0" : ".TG0";
	struct granule_support s;

	cfg->granule = cfg->half ? tg1_granule[tg] : tg0_granule[tg];
	if (!cfg->granule)
		return refuse(why, -BATON_EUNSUPPORTED, r, name,
			      "has a reserved value: which granule that is depends on the CPU");
	s = granule_support(r, cfg->granule);
	if (s.known && !s.present)
		return refuse(why, -BATON_EUNSUPPORTED, r, name,
			      "is a granule that this CPU lacks: which it takes is unknown");
	cfg->lpa = cfg->granule == 16 && has_lpa(r, field(r->tcr, l->ps, 3));
	if (cfg->granule == 16 || !tcr_bit(r, l->ds))
		return 0; /* with 64 KiB DS has no effect */
	if (!s.known)
		return refuse(why, -BATON_EUNSUPPORTED, r, ".DS",
			      "is set: whether it counts, ID_AA64MMFR0_EL1 says, which is not "
			      "shown");
	cfg->ds = s.large;
	cfg->sh = field(r->tcr, l->sh, 2);
	return 0;
}

/*
 * The least TxSZ is 16, with 52-bit addresses 12; in stage 2 it is what PARange says
 * (D8.2.4 and D8.2.5). -1: it depends on a register that is not shown.
 */
static int least_txsz(const struct pt_config *cfg, unsigned int txsz)
{
	const struct regime *r = &cfg->regime;
	unsigned int pa = regime_pa_bits(r);

	if (r->stage2) {
		unsigned int large = cfg->ds || cfg->lpa ? 52 : 48;

		return 64 - (int)(pa && pa < large ? pa : large);
	}
	if (cfg->ds)
		return 12;
	if (cfg->granule != 16 || txsz >= 16)
		return 16;
	if (!(r->known & REGIME_MMFR2))
		return -1;
	return field(r->mmfr[2], 16, 4) ? 12 : 16;
}

/*
 * TxSZ is at most 39; FEAT_TTST (ID_AA64MMFR2_EL1.ST) makes that 48, with 64 KiB 47.
 * Outside, an implementation may fault or take the nearest (DDI 0487, D8.2.4); baton,
 * as QEMU does, says fault.
 */
static int check_txsz(struct pt_config *cfg, unsigned int txsz, struct buf *why)
{
	const struct regime *r = &cfg->regime;
	const char *name = cfg->half ? ".T1SZ" : ".T0SZ";
	int least = least_txsz(cfg, txsz);

	if (least < 0)
		return refuse(why, -BATON_EUNSUPPORTED, r, name,
			      "below 16 needs FEAT_LVA, and ID_AA64MMFR2_EL1 is not shown");
	if ((int)txsz >= least && txsz <= 39)
		return 0;
	if (txsz >= 40 && txsz <= (cfg->granule == 16 ? 47 : 48)) {
		if (!(r->known & REGIME_MMFR2))
			return refuse(
				why, -BATON_EUNSUPPORTED, r, name,
				"above 39 needs FEAT_TTST, and ID_AA64MMFR2_EL1 is not shown");
		if (field(r->mmfr[2], 28, 4))
			return 0;
	}
	cfg->txsz_bad = true;
	return 0;
}

static int output_size(struct pt_config *cfg, const struct tcr_layout *l, struct buf *why)
{
	const struct regime *r = &cfg->regime;
	unsigned int ps = field(r->tcr, l->ps, 3);
	unsigned int pa = regime_pa_bits(r);

	if (ps == 7)
		return refuse(why, -BATON_EUNSUPPORTED, r,
			      l == &tcr_one || l == &vtcr ? ".PS" : ".IPS",
			      "= 7 is reserved: what it means depends on the CPU");
	cfg->oa_bits = regime_ps_bits(ps);
	if (pa && cfg->oa_bits > pa)
		cfg->oa_bits = pa;
	if (cfg->oa_bits > 48 && !cfg->ds && !cfg->lpa)
		cfg->oa_bits = 48; /* all that these descriptors have room for */
	return 0;
}

/* The start level that VTCR_EL2.SL2 and SL0 ask for; 4: none, they are reserved (D24.2.218). */
static int stage2_start(const struct pt_config *cfg)
{
	static const signed char small[4] = { 2, 1, 0, 3 };
	const struct regime *r = &cfg->regime;
	unsigned int sl0 = field(r->tcr, 6, 2), pa = regime_pa_bits(r);

	pa = pa ? pa : 48;
	switch (cfg->granule) {
	case 12:
		if (cfg->ds && field(r->tcr, 33, 1)) /* SL2 */
			return sl0 || pa < 52 ? 4 : -1;
		if ((sl0 == 2 && pa < 44) ||
		    (sl0 == 3 && (r->known & REGIME_MMFR2) && !field(r->mmfr[2], 28, 4)))
			return 4;
		return small[sl0];
	case 14:
		return (sl0 == 3 && !cfg->ds) || (sl0 == 2 && pa < 42) ? 4 : 3 - (int)sl0;
	default:
		return sl0 == 3 || (sl0 == 2 && pa < 44) ? 4 : 3 - (int)sl0;
	}
}

/* In stage 2 the start level is chosen; up to 16 tables may lie behind each other there. */
static void place_start(struct pt_config *cfg)
{
	unsigned int stride = cfg->granule - 3, least;

	if (!cfg->regime.stage2) {
		cfg->start = 3 - (int)((cfg->ia_bits - cfg->granule - 1) / stride);
		return;
	}
	cfg->start = stage2_start(cfg);
	if (cfg->start > 3) {
		cfg->sl_bad = true;
		return;
	}
	least = pt_level_shift(cfg, cfg->start) + 1;
	cfg->sl_bad = cfg->ia_bits < least || cfg->ia_bits > least + stride - 1 + 4;
}

/*
 * A table is aligned to its size (D8.2.4), but to 64 bytes at least where TTBR[5:2] hold
 * the address bits 51:48.
 */
static void place_root(struct pt_config *cfg, const struct tcr_layout *l)
{
	uint64_t ttbr = cfg->regime.ttbr[cfg->half], base = ttbr & 0xfffffffffffe;
	bool wide = cfg->ds || (cfg->lpa && field(cfg->regime.tcr, l->ps, 3) == 6);
	uint64_t size = UINT64_C(8) << (cfg->ia_bits - pt_level_shift(cfg, cfg->start));

	if (wide) {
		base = (ttbr & 0xffffffffffc0) | (ttbr >> 2 & 15) << 48;
		size = size < 64 ? 64 : size;
	}
	cfg->root = base & ~(size - 1);
	cfg->root_misaligned = cfg->root != base;
}

static void read_controls(struct pt_config *cfg, const struct tcr_layout *l)
{
	const struct regime *r = &cfg->regime;

	cfg->tbi = tcr_bit(r, l->tbi);
	cfg->tbid = tcr_bit(r, l->tbid);
	cfg->epd = tcr_bit(r, l->epd);
	cfg->e0pd = tcr_feature(r, l->e0pd, 2, 60, 1);
	cfg->hpd = tcr_feature(r, l->hpd, 1, 12, 1);
	cfg->ha = tcr_feature(r, l->ha, 1, 0, 1);
	cfg->hd = cfg->ha && tcr_feature(r, l->hd, 1, 0, 2);
	cfg->big_endian = field(r->sctlr, 25, 1);
	if (r->stage2) {
		cfg->fwb = (r->hcr & HCR_FWB) &&
			   (!(r->known & REGIME_MMFR2) || field(r->mmfr[2], 40, 4));
		cfg->xnx = !(r->known & REGIME_MMFR1) || field(r->mmfr[1], 28, 4);
		return;
	}
	cfg->wxn = field(r->sctlr, 19, 1);
	/* SCTLR_ELx.EPAN needs FEAT_PAN3, and an EL0. */
	cfg->epan = r->two_halves && field(r->sctlr, 57, 1) &&
		    (!(r->known & REGIME_MMFR1) || field(r->mmfr[1], 20, 4) >= 3);
}

static int check_known(const struct pt_config *cfg, struct buf *why)
{
	const struct regime *r = &cfg->regime;
	unsigned int needed = REGIME_TCR | REGIME_SCTLR | REGIME_MAIR | REGIME_TTBR0;

	needed |= r->two_halves ? REGIME_TTBR1 : 0;
	if ((r->known & needed) != needed)
		return refuse(why, -BATON_ENOTFOUND, r, "", "or another register was not read");
	if (!r->only || (r->only & REGIME_TTBR1) == (cfg->half ? REGIME_TTBR1 : 0))
		return 0;
	if (why)
		buf_printf(why, "the address is in the half of %s", regime_root_name(r, cfg->half));
	return -BATON_EINVAL;
}

int pt_config_from_regime(struct pt_config *cfg, const struct regime *r, uint64_t ia,
			  struct buf *why)
{
	const struct tcr_layout *l;
	unsigned int txsz;
	int err;

	*cfg = (struct pt_config){ .regime = *r, .half = r->two_halves ? field(ia, 55, 1) : 0 };
	err = check_known(cfg, why);
	if (err)
		return err;
	l = r->stage2 ? &vtcr : r->two_halves ? &tcr_el1[cfg->half] : &tcr_one;
	read_controls(cfg, l);
	if (!regime_mmu_on(r)) {
		cfg->flat = true;
		cfg->oa_bits = regime_pa_bits(r);
		return 0;
	}
	/* A half that is off, or that no granule gives a size, faults before its granule matters.
	 */
	txsz = field(r->tcr, l->txsz, 6);
	cfg->ia_bits = 64 - txsz;
	cfg->txsz_bad = txsz < 12 || txsz > 48;
	if (cfg->epd || cfg->txsz_bad)
		return 0;
	err = decode_granule(cfg, l, why);
	if (!err)
		err = check_txsz(cfg, txsz, why);
	if (!err)
		err = output_size(cfg, l, why);
	if (err || cfg->txsz_bad)
		return err;
	place_start(cfg);
	if (!cfg->sl_bad)
		place_root(cfg, l);
	return 0;
}

int pt_config_stage2(struct pt_config *s2, const struct pt_config *cfg, struct buf *why)
{
	struct regime r = regime_stage2(&cfg->regime);

	return pt_config_from_regime(s2, &r, 0, why);
}
