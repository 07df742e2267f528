// SPDX-License-Identifier: BSD-2-Clause
/* From registers to the shape of a walk: TCR_EL1 and TCR_EL2 (DDI 0487, D24.2.207 and 208). */
#include "buf.h"
#include "error.h"
#include "mmu/walk.h"

static unsigned int field(uint64_t word, unsigned int lsb, unsigned int width)
{
	return (unsigned int)(word >> lsb & ((UINT64_C(1) << width) - 1));
}

/* The two layouts of TCR, and of its two halves, as positions of fields. */
struct tcr_layout {
	uint8_t txsz, tg, ps, tbi, tbid, epd, e0pd, hpd, ha, hd, ds;
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
	  .ds = 59 },
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
	  .ds = 59 },
};

static const struct tcr_layout tcr_el2 = {
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

static int refuse(struct buf *why, int err, const char *reg, const struct regime *r,
		  const char *words)
{
	if (why)
		buf_printf(why, "TCR_EL%u%s %s", r->el, reg, words);
	return err;
}

/*
 * With 4 KiB granules TxSZ has to be 16 to 39; FEAT_TTST (ID_AA64MMFR2_EL1.ST) makes that
 * 48. Outside, an implementation may fault or take the nearest (DDI 0487, D8.2.4); baton,
 * as QEMU does, says fault.
 */
static int check_txsz(struct pt_config *cfg, unsigned int txsz, struct buf *why)
{
	const struct regime *r = &cfg->regime;

	if (txsz >= 16 && txsz <= 39)
		return 0;
	if (txsz >= 40 && txsz <= 48) {
		if (!(r->known & REGIME_MMFR2))
			return refuse(
				why, -BATON_EUNSUPPORTED, cfg->half ? ".T1SZ" : ".T0SZ", r,
				"above 39 needs FEAT_TTST, and ID_AA64MMFR2_EL1 is not shown");
		if (field(r->mmfr[2], 28, 4))
			return 0;
	}
	cfg->txsz_bad = true;
	return 0;
}

/* Only the 4 KiB granule with 48-bit descriptors is built; the rest is refused. */
static int check_granule(struct pt_config *cfg, const struct tcr_layout *l, struct buf *why)
{
	const struct regime *r = &cfg->regime;
	unsigned int tg = field(r->tcr, l->tg, 2);
	bool lpa2_absent = (r->known & REGIME_MMFR0) && field(r->mmfr[0], 28, 4) != 1;

	cfg->granule = cfg->half ? tg1_granule[tg] : tg0_granule[tg];
	if (!cfg->granule)
		return refuse(why, -BATON_EUNSUPPORTED, cfg->half ? ".TG1" : ".TG0", r,
			      "has a reserved value: which granule that is depends on the CPU");
	if (cfg->granule != 12)
		return refuse(why, -BATON_EUNSUPPORTED, cfg->half ? ".TG1" : ".TG0", r,
			      cfg->granule == 14 ? "says 16 KiB granule: not supported yet"
						 : "says 64 KiB granule: not supported yet");
	if (tcr_bit(r, l->ds) && !lpa2_absent)
		return refuse(why, -BATON_EUNSUPPORTED, ".DS", r,
			      "is set: 52-bit descriptors (LPA2) are not supported yet");
	return 0;
}

static int output_size(struct pt_config *cfg, const struct tcr_layout *l, struct buf *why)
{
	unsigned int ps = field(cfg->regime.tcr, l->ps, 3);
	unsigned int pa = regime_pa_bits(&cfg->regime);

	if (ps == 7)
		return refuse(why, -BATON_EUNSUPPORTED, cfg->regime.el == 1 ? ".IPS" : ".PS",
			      &cfg->regime, "= 7 is not supported yet");
	cfg->oa_bits = regime_ps_bits(ps);
	if (pa && cfg->oa_bits > pa)
		cfg->oa_bits = pa;
	if (cfg->oa_bits > 48)
		cfg->oa_bits = 48; /* all that descriptors without LPA2 have room for */
	return 0;
}

/* The first level and the root: a table is aligned to its size (D8.2.4). */
static void place_root(struct pt_config *cfg)
{
	uint64_t ttbr = cfg->regime.ttbr[cfg->half] & 0xfffffffffffe;
	unsigned int stride = cfg->granule - 3;
	uint64_t size;

	cfg->start = 3 - (int)((cfg->ia_bits - cfg->granule - 1) / stride);
	size = UINT64_C(8) << (cfg->ia_bits - pt_level_shift(cfg, cfg->start));
	cfg->root = ttbr & ~(size - 1);
	cfg->root_misaligned = cfg->root != ttbr;
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
	cfg->wxn = field(r->sctlr, 19, 1);
	cfg->big_endian = field(r->sctlr, 25, 1);
	/* SCTLR_EL1.EPAN needs FEAT_PAN3. */
	cfg->epan = r->el == 1 && field(r->sctlr, 57, 1) &&
		    (!(r->known & REGIME_MMFR1) || field(r->mmfr[1], 20, 4) >= 3);
}

int pt_config_from_regime(struct pt_config *cfg, const struct regime *r, uint64_t ia,
			  struct buf *why)
{
	unsigned int needed = REGIME_TCR | REGIME_SCTLR | REGIME_MAIR | REGIME_TTBR0;
	const struct tcr_layout *l;
	unsigned int txsz;
	int err;

	*cfg = (struct pt_config){ .regime = *r, .half = r->two_halves ? field(ia, 55, 1) : 0 };
	needed |= r->two_halves ? REGIME_TTBR1 : 0;
	if ((r->known & needed) != needed)
		return refuse(why, -BATON_ENOTFOUND, "", r, "or another register was not read");
	l = r->el == 1 ? &tcr_el1[cfg->half] : &tcr_el2;
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
	err = check_granule(cfg, l, why);
	if (!err)
		err = check_txsz(cfg, txsz, why);
	if (!err)
		err = output_size(cfg, l, why);
	if (!err && !cfg->txsz_bad)
		place_root(cfg);
	return err;
}
