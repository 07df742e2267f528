/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/want.h"

#include "buf.h"
#include "error.h"
#include "mmu/a64.h"

#include <inttypes.h>
#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))
#define AF     BIT(10)
#define NG     BIT(11)
#define DBM    BIT(51)
#define PXN    BIT(53)
#define XN     BIT(54) /* UXN where EL0 has a part */
#define SH     (UINT64_C(3) << 8)
#define AP     (UINT64_C(3) << 6) /* S2AP at stage 2 */
#define AP_EL0 BIT(6)
#define AP_RO  BIT(7)

static bool parse_perm(struct pt_want *w, const char *text, size_t len)
{
	unsigned int perm = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = strchr("xwr", text[i]);
		unsigned int bit = at && text[i] ? 1u << (at - "xwr") : 0;

		if (text[i] != '-' && (!bit || perm & bit))
			return false;
		perm |= bit;
	}
	w->perm = perm;
	w->perm_given = true;
	return true;
}

static bool parse_name(struct pt_want *w, const char *text, size_t len)
{
	static const struct {
		const char *name;
		enum pt_want_type type;
		int share, ng;
		bool user;
	} names[] = {
		{ "user", WANT_ANY_TYPE, -1, -1, true },
		{ "normal", WANT_NORMAL, -1, -1, false },
		{ "nc", WANT_NC, -1, -1, false },
		{ "device", WANT_DEVICE, -1, -1, false },
		{ "ish", WANT_ANY_TYPE, PT_SHARE_INNER, -1, false },
		{ "osh", WANT_ANY_TYPE, PT_SHARE_OUTER, -1, false },
		{ "nsh", WANT_ANY_TYPE, PT_SHARE_NONE, -1, false },
		{ "ng", WANT_ANY_TYPE, -1, 1, false },
		{ "global", WANT_ANY_TYPE, -1, 0, false },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) != len || memcmp(names[i].name, text, len) != 0)
			continue;
		w->user |= names[i].user;
		if (names[i].type)
			w->type = names[i].type;
		if (names[i].share >= 0)
			w->share = (enum pt_share)names[i].share;
		if (names[i].ng >= 0)
			w->ng = names[i].ng;
		w->share_given |= names[i].share >= 0;
		w->ng_given |= names[i].ng >= 0;
		return true;
	}
	return false;
}

int pt_want_parse(struct pt_want *w, const char *text, struct buf *why)
{
	for (;;) {
		size_t len = strcspn(text, ",");

		if (!len || (!parse_name(w, text, len) && !parse_perm(w, text, len))) {
			buf_printf(why,
				   "\"%.*s\" is no attribute: letters of rwx (r-x, rw), user, "
				   "normal, nc, device, ish, osh, nsh, ng, global",
				   (int)len, text);
			return -BATON_EINVAL;
		}
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

static bool is_type(enum pt_want_type type, uint8_t attr)
{
	switch (type) {
	case WANT_NORMAL: /* write-back inside and outside, not transient */
		return (attr & 0xcc) == 0xcc;
	case WANT_NC:
		return attr == 0x44;
	case WANT_DEVICE:
		return mair_is_device(attr) && !(attr & 1);
	case WANT_ANY_TYPE:
		break;
	}
	return false;
}

static const char *const type_names[] = {
	[WANT_NORMAL] = "normal", [WANT_NC] = "nc", [WANT_DEVICE] = "device"
};

/* Of two that fit: write-back that allocates for all, the strongest device. */
static bool is_better(enum pt_want_type type, uint8_t attr, uint8_t than)
{
	return type == WANT_NORMAL ? attr == 0xff && than != 0xff
				   : type == WANT_DEVICE && attr < than;
}

static int find_attrindx(const struct pt_config *cfg, enum pt_want_type type, uint64_t *index,
			 struct buf *why)
{
	uint64_t mair = cfg->regime.mair;
	int best = -1;

	for (int i = 0; i < 8; i++) {
		uint8_t attr = (uint8_t)(mair >> 8 * i);

		if (is_type(type, attr) &&
		    (best < 0 || is_better(type, attr, (uint8_t)(mair >> 8 * best))))
			best = i;
	}
	*index = (uint64_t)best;
	if (best >= 0)
		return 0;
	buf_printf(why, "MAIR_EL%u, 0x%" PRIx64 ", has no %s memory; it has", cfg->regime.el, mair,
		   type_names[type]);
	for (int i = 0; i < 8; i++) {
		buf_printf(why, "%s %d: ", i ? "," : "", i);
		mair_say((uint8_t)(mair >> 8 * i), why);
	}
	return -BATON_ENOTFOUND;
}

static int type_bits(const struct pt_config *cfg, enum pt_want_type type, uint64_t *mask,
		     uint64_t *bits, struct buf *why)
{
	/* MemAttr, D8.6.6; with FWB it overrides stage 1. Device is nGnRnE, as at stage 1. */
	static const uint64_t plain[] = { 0, 15, 5, 0 }, fwb[] = { 0, 6, 5, 0 };
	uint64_t index;
	int err;

	if (type == WANT_ANY_TYPE)
		return 0;
	if (cfg->regime.stage2) {
		*mask |= UINT64_C(15) << 2;
		*bits |= (cfg->fwb ? fwb : plain)[type] << 2;
		return 0;
	}
	err = find_attrindx(cfg, type, &index, why);
	if (!err) {
		*mask |= UINT64_C(7) << 2;
		*bits |= index << 2;
	}
	return err;
}

static int share_bits(const struct pt_config *cfg, enum pt_share share, bool given, uint64_t *mask,
		      uint64_t *bits, struct buf *why)
{
	static const char *const names[] = { "nsh", "nothing", "osh", "ish" };

	if (!cfg->ds) {
		*mask |= SH;
		*bits |= (uint64_t)share << 8;
		return 0;
	}
	if (!given || cfg->sh == (unsigned int)share)
		return 0;
	buf_printf(why, "with LPA2 shareability is %s's for all (%s), not %s",
		   regime_tcr_name(&cfg->regime), names[cfg->sh & 3], names[share]);
	return -BATON_EINVAL;
}

static int perm_bits_s2(const struct pt_config *cfg, unsigned int perm, uint64_t *mask,
			uint64_t *bits)
{
	*mask |= AP | DBM | XN | (cfg->xnx ? PXN : 0);
	*bits |= (perm & PT_R ? AP_EL0 : 0) | (perm & PT_W ? AP_RO : 0) | (perm & PT_X ? 0 : XN);
	return 0;
}

static int perm_bits(const struct pt_config *cfg, const struct pt_want *w, uint64_t *mask,
		     uint64_t *bits, struct buf *why)
{
	bool halves = cfg->regime.two_halves, x = w->perm & PT_X;

	if (w->user && !halves) {
		buf_printf(why, "EL0 has no part in %s: leave `user` out", cfg->regime.title);
		return -BATON_EINVAL;
	}
	if (cfg->regime.stage2)
		return perm_bits_s2(cfg, w->perm, mask, bits);
	if (!(w->perm & PT_R)) {
		buf_puts(why, "stage 1 has no mapping that cannot be read: say r, too (or unmap)");
		return -BATON_EINVAL;
	}
	*mask |= AP | DBM | XN;
	*bits |= w->perm & PT_W ? 0 : AP_RO;
	if (!halves) { /* AP[1] is RES1 (D8.4.3) */
		*bits |= AP_EL0 | (x ? 0 : XN);
		return 0;
	}
	*mask |= PXN;
	*bits |= (w->user ? AP_EL0 : 0) | (x && w->user ? 0 : XN) | (x && !w->user ? 0 : PXN);
	return 0;
}

int pt_want_bits(const struct pt_config *cfg, const struct pt_want *w, bool all, uint64_t *mask,
		 uint64_t *bits, struct buf *why)
{
	enum pt_want_type type = all && !w->type ? WANT_NORMAL : w->type;
	bool share = w->share_given || type != WANT_ANY_TYPE;
	int err = 0;

	*mask = *bits = 0;
	if (w->user && !w->perm_given) {
		buf_puts(why, "`user` goes with letters of rwx: rw,user");
		return -BATON_EINVAL;
	}
	if (w->ng_given && !cfg->regime.two_halves) {
		buf_printf(why, "%s has no ASIDs, so `ng` and `global` mean nothing",
			   cfg->regime.title);
		return -BATON_EINVAL;
	}
	if (w->perm_given || all)
		err = perm_bits(cfg, w, mask, bits, why);
	if (!err)
		err = type_bits(cfg, type, mask, bits, why);
	if (!err && share)
		err = share_bits(cfg,
				 w->share_given	       ? w->share
				 : type == WANT_NORMAL ? PT_SHARE_INNER
						       : PT_SHARE_OUTER,
				 w->share_given, mask, bits, why);
	if (w->ng_given || (all && cfg->regime.two_halves)) {
		*mask |= NG;
		*bits |= w->ng ? NG : 0;
	}
	if (all)
		*bits |= AF;
	return err;
}
