// SPDX-License-Identifier: BSD-2-Clause
/* Reading a translation regime's registers: which regime, and is it one we know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "error.h"
#include "mmu/regime.h"

/* HCR_EL2, DDI 0487 D24.2.48. */
#define HCR_VM	(UINT64_C(1) << 0)
#define HCR_DC	(UINT64_C(1) << 12)
#define HCR_TGE (UINT64_C(1) << 27)
#define HCR_RW	(UINT64_C(1) << 31)
#define HCR_E2H (UINT64_C(1) << 34)
#define HCR_NV1 (UINT64_C(1) << 43)

/* SCR_EL3. */
#define SCR_NS	 (UINT64_C(1) << 0)
#define SCR_SIF	 (UINT64_C(1) << 9)
#define SCR_EEL2 (UINT64_C(1) << 18)

/* TCR2_ELx: PIE, E0POE, POE, D128 change what a descriptor means. */
#define TCR2_OTHER_FORMAT UINT64_C(0x2e)

/* What was asked for, before any register is read. */
struct request {
	int el; /* -1: that of the current level */
	bool pending;
	unsigned int own;
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

static int parse_root(struct request *q, const char *part, struct buf *why)
{
	unsigned int half = (unsigned int)(part[4] - '0');
	char *end;

	q->ttbr[half] = strtoull(part + 6, &end, 0);
	if (end == part + 6 || *end || part[6] == '-')
		return complain(why, -BATON_EINVAL, "%s: a number is wanted behind the =", part);
	q->own |= half ? REGIME_TTBR1 : REGIME_TTBR0;
	q->pending = true;
	return 0;
}

static int parse_part(struct request *q, const char *part, struct buf *why)
{
	if (!strcmp(part, "pending")) {
		q->pending = true;
		return 0;
	}
	if (!strncmp(part, "ttbr0=", 6) || !strncmp(part, "ttbr1=", 6))
		return parse_root(q, part, why);
	if (!strcmp(part, "el1") || !strcmp(part, "el2")) {
		if (q->el >= 0)
			return complain(why, -BATON_EINVAL, "regime: only one of el1, el2");
		q->el = part[2] - '0';
		return 0;
	}
	if (!strcmp(part, "el3") || !strcmp(part, "s2") || !strcmp(part, "el2&0"))
		return complain(why, -BATON_EUNSUPPORTED, "regime %s is not supported yet", part);
	return complain(why, -BATON_EINVAL,
			"regime \"%s\": el1, el2, pending, ttbr0=N, ttbr1=N, joined by ':'", part);
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

/* EL2 decides what EL1 and EL0 see (DDI 0487, D8.1.2 "Translation regimes"). */
static int check_hcr(const struct regime *r, uint64_t hcr, unsigned int current_el, struct buf *why)
{
	const char *what = NULL;

	if (r->el == 2 && (hcr & HCR_E2H))
		what = "HCR_EL2.E2H is set: the EL2&0 regime is";
	else if (r->el == 1 && current_el == 0 && (hcr & HCR_TGE))
		what = "HCR_EL2.TGE is set: EL0 under EL2 is";
	else if (r->el == 1 && (hcr & (HCR_VM | HCR_DC)))
		what = "HCR_EL2.VM or DC is set: translation with a second stage is";
	else if (r->el == 1 && (hcr & HCR_NV1))
		what = "HCR_EL2.NV1 is set: nested virtualization is";
	else if (r->el == 1 && current_el <= 1 && !(hcr & HCR_RW))
		what = "HCR_EL2.RW is clear: AArch32 is";
	if (!what)
		return 0;
	return complain(why, -BATON_EUNSUPPORTED, "%s not supported yet", what);
}

static int check_surroundings(struct regime *r, unsigned int current_el,
			      const struct regime_source *src, struct buf *why)
{
	/* Without EL3 or EL2 their controls behave as if these values were written. */
	uint64_t scr = SCR_NS, hcr = HCR_RW, tcr2 = 0;
	char name[16];
	int err = read_optional(src, "SCR_EL3", &scr);

	if (!err)
		err = read_optional(src, "HCR_EL2", &hcr);
	snprintf(name, sizeof(name), "TCR2_EL%u", r->el);
	if (!err)
		err = read_optional(src, name, &tcr2);
	if (err)
		return complain(why, err, "cannot read the controls of EL%u: %s", r->el,
				baton_strerror(err));

	r->secure = !(scr & SCR_NS);
	r->sif = scr & SCR_SIF;
	if (tcr2 & TCR2_OTHER_FORMAT)
		return complain(why, -BATON_EUNSUPPORTED,
				"%s: permission indirection, overlays and 128-bit descriptors "
				"are not supported yet",
				name);
	if (r->secure && !(scr & SCR_EEL2))
		return 0; /* no EL2 in this security state: HCR_EL2 has no effect */
	return check_hcr(r, hcr, current_el, why);
}

static int read_needed(struct regime *r, const char *base, unsigned int bit, uint64_t *value,
		       const struct regime_source *src, struct buf *why)
{
	char name[24];
	int err;

	if (r->own & bit) {
		r->known |= bit;
		return 0;
	}
	snprintf(name, sizeof(name), "%s_EL%u", base, r->el);
	err = src->sysreg(src->ctx, name, value);
	if (err == -BATON_ENOTFOUND)
		return complain(why, err, "regime %s: this machine shows no %s%s", r->name, name,
				r->el == 2 ? " (is there an EL2?)" : "");
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

static int read_registers(struct regime *r, const struct regime_source *src, struct buf *why)
{
	int err = read_needed(r, "SCTLR", REGIME_SCTLR, &r->sctlr, src, why);

	if (!err)
		err = read_needed(r, "TCR", REGIME_TCR, &r->tcr, src, why);
	if (!err)
		err = read_needed(r, "MAIR", REGIME_MAIR, &r->mair, src, why);
	if (!err)
		err = read_needed(r, "TTBR0", REGIME_TTBR0, &r->ttbr[0], src, why);
	if (!err && r->two_halves)
		err = read_needed(r, "TTBR1", REGIME_TTBR1, &r->ttbr[1], src, why);
	return err ? err : read_features(r, src, why);
}

int regime_read(struct regime *r, const char *spec, unsigned int current_el,
		const struct regime_source *src, struct buf *why)
{
	struct request q;
	int err = parse_spec(&q, spec, why);

	if (err)
		return err;
	if (q.el < 0)
		q.el = current_el ? (int)current_el : 1;
	if (q.el > 2)
		return complain(
			why, -BATON_EUNSUPPORTED,
			"the EL%d regime is not supported yet (-r el1 or -r el2 names another)",
			q.el);
	*r = (struct regime){
		.name = q.el == 1 ? "el1" : "el2",
		.title = q.el == 1 ? "EL1&0 stage 1" : "EL2 stage 1",
		.el = (unsigned int)q.el,
		.two_halves = q.el == 1,
		.pending = q.pending,
		.own = q.own,
		.ttbr = { q.ttbr[0], q.ttbr[1] },
	};
	if ((q.own & REGIME_TTBR1) && !r->two_halves)
		return complain(why, -BATON_EINVAL, "regime %s has no TTBR1", r->name);
	err = check_surroundings(r, current_el, src, why);
	return err ? err : read_registers(r, src, why);
}

bool regime_mmu_on(const struct regime *r)
{
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
