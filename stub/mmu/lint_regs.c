// SPDX-License-Identifier: BSD-2-Clause
/*
 * TCR, VTCR and the roots (DDI 0487, D24.2.207 to 209 and D24.2.218). What a field means is
 * pt_config_from_regime()'s business; here is only asked whether it fits.
 */
#include "mmu/lint_internal.h"

#include "buf.h"
#include "error.h"

#include <stdio.h>
#include <string.h>

#define NONE 255

/* One half as the register has it: names and places of fields. */
struct half_layout {
	const char *txsz, *tg, *ps, *irgn, *sh;
	uint8_t txsz_lsb, tg_lsb, ps_lsb, irgn_lsb;
};

static const struct half_layout layouts[] = {
	{ "TCR.T0SZ", "TCR.TG0", "TCR.IPS", "TCR.IRGN0", "TCR.SH0", 0, 14, 32, 8 },
	{ "TCR.T1SZ", "TCR.TG1", "TCR.IPS", "TCR.IRGN1", "TCR.SH1", 16, 30, 32, 24 },
	{ "TCR.T0SZ", "TCR.TG0", "TCR.PS", "TCR.IRGN0", "TCR.SH0", 0, 14, 16, 8 },
	{ "VTCR.T0SZ", "VTCR.TG0", "VTCR.PS", "VTCR.IRGN0", "VTCR.SH0", 0, 14, 16, 8 },
};

/* Bits that ask for a feature; the config has them only where the feature is there. */
struct feature {
	const char *name;
	uint8_t bit[2];
	bool (*has)(const struct pt_config *cfg);
};

static bool has_ha(const struct pt_config *cfg)
{
	return cfg->ha;
}

static bool has_hd(const struct pt_config *cfg)
{
	return cfg->hd || !cfg->ha; /* without HA it has no effect anyway */
}

static bool has_hpd(const struct pt_config *cfg)
{
	return cfg->hpd;
}

static bool has_e0pd(const struct pt_config *cfg)
{
	return cfg->e0pd;
}

static bool has_ds(const struct pt_config *cfg)
{
	return cfg->ds || cfg->granule == 16;
}

static const struct feature features_el1[] = {
	{ "TCR.HA", { 39, 39 }, has_ha },   { "TCR.HD", { 40, 40 }, has_hd },
	{ "TCR.HPD", { 41, 42 }, has_hpd }, { "TCR.E0PD", { 55, 56 }, has_e0pd },
	{ "TCR.DS", { 59, 59 }, has_ds },   { NULL, { 0 }, NULL },
};

static const struct feature features_one[] = {
	{ "TCR.HA", { 21 }, has_ha }, { "TCR.HD", { 22 }, has_hd }, { "TCR.HPD", { 24 }, has_hpd },
	{ "TCR.DS", { 32 }, has_ds }, { NULL, { 0 }, NULL },
};

static const struct feature features_s2[] = {
	{ "VTCR.HA", { 21 }, has_ha },
	{ "VTCR.HD", { 22 }, has_hd },
	{ "VTCR.DS", { 32 }, has_ds },
	{ NULL, { 0 }, NULL },
};

static const struct half_layout *layout_of(const struct regime *r, unsigned int half)
{
	return &layouts[r->stage2 ? 3 : r->two_halves ? half : 2];
}

static void say(struct lint *l, enum lint_id id, const char *name, uint64_t value, uint64_t fix)
{
	lint_add(l, id,
		 (struct finding){
			 .level = LINT_REGISTER, .name = name, .value = value, .fix = fix });
}

static bool works_with(const struct regime *r, uint64_t tcr, unsigned int half)
{
	struct regime mended = *r;
	struct pt_config cfg;

	mended.tcr = tcr;
	return !pt_config_from_regime(&cfg, &mended, half ? UINT64_MAX : 0, NULL);
}

/*
 * Which field the config was refused for: PS, if it is reserved; the granule, if it is
 * refused with all else mended; or something that depends on what is not shown.
 */
static void refused(struct lint *l, unsigned int half, int err, const struct buf *why)
{
	const struct regime *r = l->in->regime;
	const struct half_layout *y = layout_of(r, half);
	uint64_t ps = UINT64_C(7) << y->ps_lsb, txsz = UINT64_C(63) << y->txsz_lsb;
	uint64_t ds = BIT(r->two_halves ? 59 : 32);
	uint64_t mended = (r->tcr & ~(ps | txsz | ds)) | UINT64_C(32) << y->txsz_lsb;

	if (err == -BATON_EUNSUPPORTED && (r->tcr & ps) == ps)
		say(l, RULE_PS_RESERVED, y->ps, 7, 0);
	if (err == -BATON_EUNSUPPORTED && !works_with(r, mended, half)) {
		say(l, RULE_GRANULE, y->tg, field(r->tcr, y->tg_lsb, 2), 0);
	} else if (!works_with(r, r->tcr & ~ps, half)) {
		snprintf(l->report->words[half], sizeof(l->report->words[half]), "%s",
			 why->len ? why->data : "a register that is not shown");
		say(l, RULE_UNKNOWN, l->report->words[half], 0, 0);
	}
}

static void check_walks(struct lint *l, const struct half_layout *y)
{
	uint64_t tcr = l->in->regime->tcr;
	unsigned int irgn = field(tcr, y->irgn_lsb, 2), orgn = field(tcr, y->irgn_lsb + 2u, 2);
	unsigned int sh = field(tcr, y->irgn_lsb + 4u, 2);

	if (sh == 1)
		say(l, RULE_SH_RESERVED, y->sh, sh, 0);
	if (!irgn || !orgn)
		say(l, RULE_WALKS_UNCACHED, y->irgn, irgn, orgn);
	else if (!sh)
		say(l, RULE_WALKS_UNSHARED, y->sh, 0, 0);
}

static void check_sizes(struct lint *l, const struct half_layout *y, const struct pt_config *cfg)
{
	const struct regime *r = l->in->regime;
	unsigned int ps = field(r->tcr, y->ps_lsb, 3), pa = regime_pa_bits(r);

	if (pa && regime_ps_bits(ps) > pa)
		say(l, RULE_PS_ABOVE, y->ps, ps, r->mmfr[0] & 15);
	if (cfg->sl_bad) {
		say(l, RULE_SL0, "VTCR.SL0", field(r->tcr, 6, 2), 0);
		return;
	}
	if (cfg->root_misaligned)
		say(l, RULE_ROOT_MISALIGNED, regime_root_name(r, cfg->half), r->ttbr[cfg->half],
		    cfg->root);
	if (cfg->root & ~low_bits(cfg->oa_bits))
		say(l, RULE_ROOT_BEYOND, regime_root_name(r, cfg->half), cfg->root, 0);
}

static void check_features(struct lint *l, const struct pt_config *cfg)
{
	const struct regime *r = l->in->regime;
	const struct feature *f = r->stage2	  ? features_s2
				  : r->two_halves ? features_el1
						  : features_one;

	for (; f->name; f++) {
		/* what holds for both halves is said once */
		if (cfg->half && f->bit[0] == f->bit[1] && l->usable[0])
			continue;
		if (field(r->tcr, f->bit[cfg->half], 1) && !f->has(cfg))
			say(l, RULE_FEATURE, f->name, 1, 0);
	}
}

static void one_half(struct lint *l, unsigned int half)
{
	const struct regime *r = l->in->regime;
	const struct half_layout *y = layout_of(r, half);
	struct pt_config *cfg = &l->cfg[half];
	struct buf why = { 0 };
	int err = pt_config_from_regime(cfg, r, half ? UINT64_MAX : 0, &why);

	if (err == -BATON_EUNSUPPORTED || err == -BATON_ENOTFOUND)
		refused(l, half, err, &why);
	buf_free(&why);
	if (err || cfg->flat || cfg->epd)
		return;
	if (cfg->txsz_bad) {
		say(l, RULE_TXSZ, y->txsz, field(r->tcr, y->txsz_lsb, 6), 0);
		return;
	}
	l->walks_cached[half] = field(r->tcr, y->irgn_lsb, 2) && field(r->tcr, y->irgn_lsb + 2u, 2);
	check_walks(l, y);
	check_sizes(l, y, cfg);
	check_features(l, cfg);
	l->usable[half] = !cfg->sl_bad;
}

void lint_registers(struct lint *l)
{
	for (unsigned int half = 0; half <= (l->in->regime->two_halves ? 1u : 0u); half++)
		one_half(l, half);
}
