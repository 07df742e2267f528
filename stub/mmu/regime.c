// SPDX-License-Identifier: BSD-2-Clause
/* Reading a translation regime's registers: which regime, and is it one we know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "error.h"
#include "mmu/regime.h"

/* SCR_EL3. */
#define SCR_NS	 (UINT64_C(1) << 0)
#define SCR_SIF	 (UINT64_C(1) << 9)
#define SCR_EEL2 (UINT64_C(1) << 18)
#define SCR_NSE	 (UINT64_C(1) << 62)

#define PSTATE_AARCH32 (UINT64_C(1) << 4)

#define SCTLR_EE  (UINT64_C(1) << 25)
#define GPCCR_GPC (UINT64_C(1) << 16)

/*
 * What changes the meaning of a descriptor: TCR2_EL1 and TCR2_EL2 PIE, E0POE, POE, AIE and
 * D128; TCR_EL3 PIE, POE, AIE and D128; VTCR_EL2 S2PIE, S2POE and D128.
 */
#define TCR2_OTHER_FORMAT UINT64_C(0x3e)
#define TCR3_OTHER_FORMAT (UINT64_C(0xf) << 35)
#define VTCR_OTHER_FORMAT (UINT64_C(7) << 36)

/* What was asked for, before any register is read. */
struct request {
	int el; /* -1: that of the current level */
	bool stage2;
	bool pending;
	unsigned int own, only;
	uint64_t ttbr[2];
};

static int complain(struct buf *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(struct buf *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (why)
		buf_vprintf(why, fmt, ap);
	va_end(ap);
	return err;
}

/* "ttbr0", "ttbr1", "vttbr", each with or without "=N". */
static int parse_root(struct request *q, const char *part, struct buf *why)
{
	unsigned int half = part[0] == 't' && part[4] == '1';
	unsigned int bit = half ? REGIME_TTBR1 : REGIME_TTBR0;
	char *end;

	if (part[0] == 'v')
		q->stage2 = true;
	if (!part[5]) {
		q->only |= bit;
		return 0;
	}
	q->ttbr[half] = strtoull(part + 6, &end, 0);
	if (end == part + 6 || *end || part[6] == '-')
		return complain(why, -BATON_EINVAL, "%s: a number is wanted behind the =", part);
	q->own |= bit;
	q->pending = true;
	return 0;
}

static bool is_root(const char *part)
{
	return (!strncmp(part, "ttbr0", 5) || !strncmp(part, "ttbr1", 5) ||
		!strncmp(part, "vttbr", 5)) &&
	       (!part[5] || part[5] == '=');
}

static int parse_part(struct request *q, const char *part, struct buf *why)
{
	static const char *const names[] = { "el1", "el2", "el3", "s2" };

	if (!strcmp(part, "pending")) {
		q->pending = true;
		return 0;
	}
	if (is_root(part))
		return parse_root(q, part, why);
	for (int n = 0; n < 4; n++) {
		if (strcmp(part, names[n]))
			continue;
		if (q->el >= 0)
			return complain(why, -BATON_EINVAL,
					"regime: only one of el1, el2, el3, s2");
		q->el = n == 3 ? 1 : n + 1;
		q->stage2 |= n == 3;
		return 0;
	}
	return complain(
		why, -BATON_EINVAL,
		"regime \"%s\": el1, el2, el3, s2, pending, ttbr0, ttbr1, ttbr0=N, ttbr1=N, "
		"vttbr=N, joined by ':'",
		part);
}

static int parse_spec(struct request *q, const char *spec, struct buf *why)
{
	char part[64];

	*q = (struct request){ .el = -1 };
	while (spec && *spec) {
		size_t len = strcspn(spec, ":");

		if (len >= sizeof(part))
			return complain(why, -BATON_EINVAL, "regime: \"%s\" is too long", spec);
		memcpy(part, spec, len);
		part[len] = 0;
		int err = parse_part(q, part, why);
		if (err)
			return err;
		spec += len + (spec[len] == ':');
	}
	return 0;
}

/* A register that may well be absent: *value stays as it is then. */
static int read_optional(const struct regime_source *src, const char *name, uint64_t *value)
{
	int err = src->sysreg(src->ctx, name, value);

	return err == -BATON_ENOTFOUND ? 0 : err;
}

/* What is above and around the regime: read once, before the regime's own registers. */
struct around {
	uint64_t scr, hcr, tcr2, gpccr;
	unsigned int current_el;
};

/*
 * With EL3 and no EL2 QEMU shows an HCR_EL2 that is 0. Where there is one, AArch64 runs
 * below EL2 with RW set alone (D24.2.48).
 */
static bool no_el2(const struct around *a, const struct regime_source *src)
{
	uint64_t cpsr = PSTATE_AARCH32;

	return a->current_el <= 1 && !a->hcr && !src->sysreg(src->ctx, "cpsr", &cpsr) &&
	       !(cpsr & PSTATE_AARCH32);
}

static int read_around(struct around *a, unsigned int current_el, const struct regime_source *src,
		       struct buf *why)
{
	int err;

	/* Without EL3 or EL2 their controls behave as if these values were written. */
	*a = (struct around){ .scr = SCR_NS, .hcr = HCR_RW, .current_el = current_el };
	err = read_optional(src, "SCR_EL3", &a->scr);
	if (!err)
		err = read_optional(src, "HCR_EL2", &a->hcr);
	if (!err)
		err = read_optional(src, "GPCCR_EL3", &a->gpccr);
	if (err)
		return complain(why, err, "cannot read the controls of the regime: %s",
				baton_strerror(err));
	/* No EL2 in this security state, or none at all: HCR_EL2 has no effect. */
	if (!(a->scr & (SCR_NS | SCR_EEL2)) || no_el2(a, src))
		a->hcr = HCR_RW;
	/* With both set EL1&0 is not in use, and its controls behave as 0 (D24.2.48). */
	if ((a->hcr & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE))
		a->hcr &= ~(HCR_VM | HCR_DC | HCR_PTW);
	return 0;
}

/* E2H and TGE together put EL0 under EL2 (D8.1.2 "Translation regimes"). */
static int choose_level(const struct request *q, const struct around *a)
{
	if (q->el >= 0 || q->stage2)
		return q->el >= 0 ? q->el : 1;
	if (a->current_el)
		return (int)a->current_el;
	return (a->hcr & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE) ? 2 : 1;
}

static void set_regime(struct regime *r, const struct request *q, const struct around *a)
{
	static const char *const names[] = { "", "el1", "el2", "el3" };
	static const char *const titles[] = { "", "EL1&0 stage 1", "EL2 stage 1", "EL3 stage 1" };
	int el = choose_level(q, a);
	bool vhe = el == 2 && (a->hcr & HCR_E2H);

	*r = (struct regime){
		.name = q->stage2 ? "s2" : names[el],
		.title = q->stage2 ? "EL1&0 stage 2"
			 : vhe	   ? "EL2&0 stage 1"
				   : titles[el],
		.el = (unsigned int)el,
		.two_halves = (el == 1 && !q->stage2) || vhe,
		.stage2 = q->stage2,
		.secure = el == 3 || (!(a->scr & SCR_NS) && !q->stage2),
		.sif = a->scr & SCR_SIF,
		.pending = q->pending,
		.own = q->own,
		.only = q->only,
		.ttbr = { q->ttbr[0], q->ttbr[1] },
	};
	if (el == 1)
		r->hcr = a->hcr;
	/* TGE alone switches stage 1 off for EL0, which is all that runs there then. */
	if (a->current_el || (r->hcr & HCR_E2H))
		r->hcr &= ~HCR_TGE;
	r->nested = el == 1 && !q->stage2 && (r->hcr & (HCR_VM | HCR_DC));
}

static int unsupported(struct buf *why, const char *what)
{
	return complain(why, -BATON_EUNSUPPORTED, "%s not supported: unknown", what);
}

static int check_around(const struct regime *r, const struct request *q, const struct around *a,
			struct buf *why)
{
	if (q->stage2 && (q->el > 1 || (q->own & REGIME_TTBR1) || (q->only & REGIME_TTBR1)))
		return complain(why, -BATON_EINVAL, "regime s2 has VTTBR_EL2 alone");
	if (((q->own | q->only) & REGIME_TTBR1) && !r->two_halves)
		return complain(why, -BATON_EINVAL, "regime %s has no TTBR1", r->name);
	if (q->only == (REGIME_TTBR0 | REGIME_TTBR1))
		return complain(why, -BATON_EINVAL, "regime: only one of ttbr0, ttbr1");
	if (a->gpccr & GPCCR_GPC)
		return unsupported(why, "GPCCR_EL3.GPC is set: granule protection checks are");
	if (r->el < 3 && (a->scr & SCR_NSE))
		return unsupported(why, "SCR_EL3.NSE is set: Realm translation is");
	if (!(a->scr & SCR_NS) && (a->scr & SCR_EEL2) && (r->stage2 || r->nested))
		return unsupported(why,
				   "stage 2 in Secure state, which has two sets of tables, is");
	if (r->el == 1 && !r->stage2 && (r->hcr & HCR_NV1))
		return unsupported(why, "HCR_EL2.NV1 is set: nested virtualization is");
	if (r->el == 1 && !r->stage2 && a->current_el <= 1 && !(r->hcr & HCR_RW))
		return unsupported(why, "HCR_EL2.RW is clear: AArch32 is");
	return 0;
}

/* Descriptors of another format, or permissions that are elsewhere. */
static int check_formats(const struct regime *r, const struct regime_source *src, struct buf *why)
{
	static const char *const regs[] = { "", "TCR2_EL1", "TCR2_EL2", "TCR_EL3" };
	const char *reg = r->stage2 ? "VTCR_EL2" : regs[r->el];
	uint64_t other = 0, tcr2 = 0;
	int err = 0;

	if (r->stage2) {
		other = r->tcr & VTCR_OTHER_FORMAT;
	} else if (r->el == 3) {
		other = r->tcr & TCR3_OTHER_FORMAT;
	} else {
		err = read_optional(src, reg, &tcr2);
		other = tcr2 & TCR2_OTHER_FORMAT;
	}
	if (!err && !other && r->nested && (r->vtcr & VTCR_OTHER_FORMAT)) {
		reg = "VTCR_EL2";
		other = 1;
	}
	if (err)
		return complain(why, err, "cannot read %s: %s", reg, baton_strerror(err));
	if (other)
		return complain(why, -BATON_EUNSUPPORTED,
				"%s: permission indirection, overlays and 128-bit descriptors "
				"are not supported: unknown",
				reg);
	return 0;
}

/* @el: what the name ends with. @bit: 0 where the regime's own are not meant. */
static int read_needed(struct regime *r, const char *base, unsigned int el, unsigned int bit,
		       uint64_t *value, const struct regime_source *src, struct buf *why)
{
	char name[24];
	int err;

	if (r->own & bit) {
		r->known |= bit;
		return 0;
	}
	snprintf(name, sizeof(name), "%s_EL%u", base, el);
	err = src->sysreg(src->ctx, name, value);
	if (err == -BATON_ENOTFOUND)
		return complain(why, err, "regime %s: this machine shows no %s%s", r->name, name,
				el == 2	  ? " (is there an EL2?)"
				: el == 3 ? " (is there an EL3?)"
					  : "");
	if (err)
		return complain(why, err, "cannot read %s: %s", name, baton_strerror(err));
	r->known |= bit;
	return 0;
}

static int read_features(struct regime *r, const struct regime_source *src, struct buf *why)
{
	static const char *const names[] = { "ID_AA64MMFR0_EL1", "ID_AA64MMFR1_EL1",
					     "ID_AA64MMFR2_EL1" };

	for (unsigned int i = 0; i < 3; i++) {
		int err = src->sysreg(src->ctx, names[i], &r->mmfr[i]);

		if (!err)
			r->known |= REGIME_MMFR0 << i;
		else if (err == -BATON_ENOTFOUND)
			r->mmfr[i] = 0;
		else
			return complain(why, err, "cannot read %s: %s", names[i],
					baton_strerror(err));
	}
	return 0;
}

/* The registers of stage 2, as its own regime or behind stage 1. */
static int read_stage2(struct regime *r, const struct regime_source *src, struct buf *why)
{
	uint64_t sctlr = 0;
	int err = read_needed(r, "SCTLR", 2, r->stage2 ? REGIME_SCTLR : 0, &sctlr, src, why);

	if (!err)
		err = read_needed(r, "VTCR", 2, r->stage2 ? REGIME_TCR : 0,
				  r->stage2 ? &r->tcr : &r->vtcr, src, why);
	if (!err)
		err = read_needed(r, "VTTBR", 2, r->stage2 ? REGIME_TTBR0 : 0,
				  r->stage2 ? &r->ttbr[0] : &r->vttbr, src, why);
	if (r->stage2) {
		r->sctlr = sctlr;
		r->known |= REGIME_MAIR; /* it has none */
	} else {
		r->s2_big_endian = sctlr & SCTLR_EE;
	}
	return err;
}

static int read_stage1(struct regime *r, const struct regime_source *src, struct buf *why)
{
	int err = read_needed(r, "SCTLR", r->el, REGIME_SCTLR, &r->sctlr, src, why);

	if (!err)
		err = read_needed(r, "TCR", r->el, REGIME_TCR, &r->tcr, src, why);
	if (!err)
		err = read_needed(r, "MAIR", r->el, REGIME_MAIR, &r->mair, src, why);
	if (!err)
		err = read_needed(r, "TTBR0", r->el, REGIME_TTBR0, &r->ttbr[0], src, why);
	if (!err && r->two_halves)
		err = read_needed(r, "TTBR1", r->el, REGIME_TTBR1, &r->ttbr[1], src, why);
	if (!err && r->nested)
		err = read_stage2(r, src, why);
	return err;
}

int regime_read(struct regime *r, const char *spec, unsigned int current_el,
		const struct regime_source *src, struct buf *why)
{
	struct around a;
	struct request q;
	int err = parse_spec(&q, spec, why);

	if (!err)
		err = read_around(&a, current_el, src, why);
	if (err)
		return err;
	set_regime(r, &q, &a);
	err = check_around(r, &q, &a, why);
	if (!err)
		err = r->stage2 ? read_stage2(r, src, why) : read_stage1(r, src, why);
	if (!err)
		err = check_formats(r, src, why);
	return err ? err : read_features(r, src, why);
}

struct regime regime_stage2(const struct regime *r)
{
	struct regime s2 = {
		.name = "s2",
		.title = "EL1&0 stage 2",
		.el = 1,
		.stage2 = true,
		.ttbr = { r->vttbr, 0 },
		.tcr = r->vtcr,
		.sctlr = r->s2_big_endian ? SCTLR_EE : 0,
		.hcr = r->hcr,
		.known = r->known | REGIME_TTBR0 | REGIME_TCR | REGIME_SCTLR | REGIME_MAIR,
		.mmfr = { r->mmfr[0], r->mmfr[1], r->mmfr[2] },
	};

	return s2;
}

bool regime_has_el0(const struct regime *r)
{
	return r->two_halves || r->stage2;
}

const char *regime_root_name(const struct regime *r, unsigned int half)
{
	static const char *const names[2][4] = {
		{ "", "TTBR0_EL1", "TTBR0_EL2", "TTBR0_EL3" },
		{ "", "TTBR1_EL1", "TTBR1_EL2", "" },
	};

	return r->stage2 ? "VTTBR_EL2" : names[half & 1][r->el & 3];
}

const char *regime_tcr_name(const struct regime *r)
{
	static const char *const names[4] = { "", "TCR_EL1", "TCR_EL2", "TCR_EL3" };

	return r->stage2 ? "VTCR_EL2" : names[r->el & 3];
}

bool regime_mmu_on(const struct regime *r)
{
	if (r->stage2)
		return r->pending || (r->hcr & (HCR_VM | HCR_DC));
	/* DC, and TGE for EL0, act as if SCTLR_EL1.M were 0. */
	if (r->el == 1 && (r->hcr & (HCR_DC | HCR_TGE)) && !r->own)
		return false;
	return r->pending || (r->sctlr & 1);
}

unsigned int regime_ps_bits(unsigned int ps)
{
	static const unsigned char bits[8] = { 32, 36, 40, 42, 44, 48, 52, 56 };

	return bits[ps & 7];
}

unsigned int regime_pa_bits(const struct regime *r)
{
	unsigned int range = r->mmfr[0] & 15;

	return !(r->known & REGIME_MMFR0) || range > 7 ? 0 : regime_ps_bits(range);
}
