// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a mapping allows and of what type it is: permissions (DDI 0487, D8.4), memory
 * attributes (D8.6), of stage 1, of stage 2, and of both together.
 */
#include "mmu/a64.h"
#include "mmu/internal.h"

unsigned int pt_table_hier(const struct pt_config *cfg, uint64_t desc)
{
	unsigned int h = 0;

	if (cfg->regime.stage2)
		return 0; /* bits 63:59 are ignored */
	if (cfg->regime.secure && (desc & BIT(63)))
		h |= PT_HIER_NS;
	if (cfg->hpd)
		return h;
	if (desc & BIT(62))
		h |= PT_HIER_RO;
	if (desc & BIT(60))
		h |= PT_HIER_XN;
	if (!cfg->regime.two_halves)
		return h; /* APTable[0] and bit 59 are RES0 */
	if (desc & BIT(61))
		h |= PT_HIER_NO_EL0;
	if (desc & BIT(59))
		h |= PT_HIER_PXN;
	return h;
}

/* D8.4.3 "Direct permissions": what AP, XN, PXN, WXN and the tables leave. */
static void permissions_s1(const struct pt_config *cfg, uint64_t desc, struct pt_attrs *a)
{
	bool halves = cfg->regime.two_halves;
	bool el0 = halves && (desc & BIT(6)) && !(a->tables & PT_HIER_NO_EL0);
	bool ro = (desc & BIT(7)) && !(cfg->hd && a->dbm);
	bool xn = (desc & BIT(54)) || (a->tables & PT_HIER_XN);
	bool pxn = (desc & BIT(53)) || (a->tables & PT_HIER_PXN);

	ro = ro || (a->tables & PT_HIER_RO);
	a->own = PT_R | (ro ? 0 : PT_W);
	a->el0 = el0 ? a->own : 0;
	if (!halves) {
		a->own |= xn ? 0 : PT_X;
	} else {
		/* What EL0 may write, EL1 may not execute, whatever PXN says. */
		a->own |= pxn || (a->el0 & PT_W) ? 0 : PT_X;
		a->el0 |= xn ? 0 : PT_X;
	}
	if (cfg->wxn) {
		a->own &= a->own & PT_W ? ~(unsigned int)PT_X : ~0U;
		a->el0 &= a->el0 & PT_W ? ~(unsigned int)PT_X : ~0U;
	}
	if (cfg->regime.sif && cfg->regime.secure && a->ns) {
		a->own &= ~(unsigned int)PT_X;
		a->el0 &= ~(unsigned int)PT_X;
	}
}

static enum pt_share effective_share(uint8_t mair, enum pt_share sh)
{
	/* D8.6.2: Device and Normal Non-cacheable are outer shareable whatever SH says. */
	return mair_is_device(mair) || mair_is_noncacheable(mair) ? PT_SHARE_OUTER : sh;
}

static enum pt_share share_of(const struct pt_config *cfg, uint64_t desc)
{
	return (enum pt_share)(cfg->ds ? cfg->sh : field(desc, 8, 2));
}

/*
 * D8.4.2, stage 2: S2AP[0] reads, S2AP[1] writes (with hardware dirty state also DBM);
 * XN[1:0] 0b00 all, 0b01 EL0 alone, 0b10 nobody, 0b11 EL1 alone.
 */
static void permissions_s2(const struct pt_config *cfg, uint64_t desc, struct pt_attrs *a)
{
	unsigned int xn = field(desc, 53, 2);
	unsigned int rw = 0;

	if (!cfg->xnx)
		xn &= 2;
	if (desc & BIT(6))
		rw |= PT_R;
	if ((desc & BIT(7)) || (cfg->hd && a->dbm))
		rw |= PT_W;
	a->own = rw | (xn == 0 || xn == 3 ? PT_X : 0);
	a->el0 = rw | (xn == 0 || xn == 1 ? PT_X : 0);
}

/* What stands for a reserved MemAttr: an encoding of MAIR that is UNPREDICTABLE too. */
#define RESERVED_TYPE 0x10

/*
 * MemAttr as MAIR would encode it (D8.6.6): bits 3:2 outer and 1:0 inner, 0b00 device,
 * 1 non-cacheable, 2 write-through, 3 write-back; hints are stage 1's.
 */
static uint8_t mair_of_memattr(const struct pt_config *cfg, unsigned int memattr)
{
	static const uint8_t nibble[4] = { 0, 4, 0xb, 0xf };
	unsigned int outer = memattr >> 2, inner = memattr & 3;

	if (!outer)
		return (uint8_t)(inner << 2);
	if (!inner)
		return RESERVED_TYPE;
	if (cfg->regime.hcr & HCR_CD)
		return 0x44;
	return (uint8_t)(nibble[outer] << 4 | nibble[inner]);
}

/* One half byte of what FWB forces to write-back: allocation hints are kept. */
static unsigned int forced_wb(unsigned int nibble)
{
	return nibble == 4 ? 15 : nibble | 4;
}

/* Of two devices the more restrictive; XS is stage 1's. */
static uint8_t combine_devices(uint8_t one, uint8_t two)
{
	return (uint8_t)((one >> 2 < two >> 2 ? one : two) & ~1) | (one & 1);
}

/*
 * HCR_EL2.FWB (D8.6.6): 0b0xx device, 101 non-cacheable unless stage 1 says device, 110
 * write-back, 111 as stage 1 has it; bit 3 is RES0, or with FEAT_MTE_PERM about tags.
 * HCR_EL2.CD counts all the same. @one: stage 1's attribute.
 */
static uint8_t mair_of_fwb(const struct pt_config *cfg, unsigned int memattr, uint8_t one)
{
	bool device = one >> 4 == 0;
	uint8_t two = (uint8_t)((memattr & 3) << 2);

	switch (memattr & 7) {
	case 4:
		return RESERVED_TYPE;
	case 5:
		two = device ? one : 0x44;
		break;
	case 6:
		two = device ? 0xff : (uint8_t)(forced_wb(one >> 4) << 4 | forced_wb(one & 15));
		break;
	case 7:
		two = one;
		break;
	default:
		return device ? combine_devices(one, two) : two;
	}
	return two >> 4 && (cfg->regime.hcr & HCR_CD) ? 0x44 : two;
}

static void leaf_s2(const struct pt_config *cfg, uint64_t desc, struct pt_attrs *a)
{
	*a = (struct pt_attrs){
		.attrindx = field(desc, 2, 4),
		.sh = share_of(cfg, desc),
		.af = desc & BIT(10),
		.dbm = desc & BIT(51),
		.contiguous = desc & BIT(52),
	};
	if (cfg->fwb) {
		a->s1_decides = (a->attrindx & 7) >= 5;
		a->mair = mair_of_fwb(cfg, a->attrindx, 0xff);
	} else {
		a->mair = mair_of_memattr(cfg, a->attrindx);
	}
	a->share = effective_share(a->mair, a->sh);
	permissions_s2(cfg, desc, a);
}

void attrs_of_leaf(const struct pt_config *cfg, uint64_t desc, unsigned int tables,
		   struct pt_attrs *a)
{
	if (cfg->regime.stage2) {
		leaf_s2(cfg, desc, a);
		return;
	}
	*a = (struct pt_attrs){
		.attrindx = field(desc, 2, 3),
		.sh = share_of(cfg, desc),
		.af = desc & BIT(10),
		.ng = cfg->regime.two_halves && (desc & BIT(11)),
		.ns = cfg->regime.secure && ((desc & BIT(5)) || (tables & PT_HIER_NS)),
		.nse = cfg->regime.el == 3 && (desc & BIT(11)),
		.dbm = desc & BIT(51),
		.contiguous = desc & BIT(52),
		.guarded = desc & BIT(50),
		.tables = tables,
	};
	a->mair = (uint8_t)(cfg->regime.mair >> 8 * a->attrindx);
	a->share = effective_share(a->mair, a->sh);
	permissions_s1(cfg, desc, a);
}

void attrs_apply_e0pd(const struct pt_config *cfg, struct pt_attrs *a)
{
	if (cfg->e0pd)
		a->el0 = 0;
}

void pt_leaf_attrs(const struct pt_config *cfg, int level, uint64_t desc, unsigned int hier,
		   struct pt_attrs *a)
{
	(void)level;
	attrs_of_leaf(cfg, desc, hier, a);
	attrs_apply_e0pd(cfg, a);
}

/*
 * D8.2.12: data is Device-nGnRnE, or with HCR_EL2.DC Normal write-back; fetches are Normal,
 * write-through if SCTLR.I is set.
 */
void attrs_of_flat(const struct pt_config *cfg, const struct pt_access *acc, struct pt_attrs *a)
{
	unsigned int all = PT_R | PT_W | PT_X;

	*a = (struct pt_attrs){
		.own = all,
		.el0 = regime_has_el0(&cfg->regime) ? all : 0,
		.sh = PT_SHARE_OUTER,
		.share = PT_SHARE_OUTER,
		.af = true,
	};
	if (cfg->regime.el == 1 && (cfg->regime.hcr & HCR_DC)) {
		a->mair = 0xff;
		a->sh = a->share = PT_SHARE_NONE;
	} else if (acc->kind == PT_FETCH) {
		a->mair = (cfg->regime.sctlr & BIT(12)) ? 0xaa : 0x44;
	}
}

/* Outer or inner: non-cacheable wins, then write-through; hints and transience are stage 1's. */
static unsigned int combine_half(unsigned int one, unsigned int two)
{
	if (one == 4 || two == 4)
		return 4;
	if (!(one & 4) || (two & 4)) /* stage 1 is write-through, or stage 2 is write-back */
		return one;
	return one & ~4U; /* write-back to write-through */
}

/* D8.6.6, without FWB: device wins, and of devices the more restrictive. */
static uint8_t combine_types(uint8_t one, uint8_t two)
{
	bool device1 = one >> 4 == 0, device2 = two >> 4 == 0;

	if (device1 && device2)
		return combine_devices(one, two);
	if (device1 || device2)
		return device1 ? one : two;
	return (uint8_t)(combine_half(one >> 4, two >> 4) << 4 | combine_half(one & 15, two & 15));
}

static enum pt_share combine_share(enum pt_share one, enum pt_share two)
{
	if (one == PT_SHARE_OUTER || two == PT_SHARE_OUTER)
		return PT_SHARE_OUTER;
	if (one == PT_SHARE_INNER || two == PT_SHARE_INNER)
		return PT_SHARE_INNER;
	return PT_SHARE_NONE;
}

void pt_combine_attrs(const struct pt_config *s2, const struct pt_attrs *one,
		      const struct pt_attrs *two, struct pt_attrs *out)
{
	bool reserved = two->mair == RESERVED_TYPE && !two->s1_decides;

	/* Tagged is write-back with tags, as long as it stays write-back. */
	bool tagged = one->mair == 0xf0;
	uint8_t first = tagged ? 0xff : one->mair;

	*out = *one;
	out->own &= two->own;
	out->el0 &= two->el0;
	out->af = one->af && two->af;
	out->dbm = one->dbm || two->dbm;
	out->contiguous = one->contiguous && two->contiguous;
	out->mair =
		s2->fwb ? mair_of_fwb(s2, two->attrindx, first) : combine_types(first, two->mair);
	out->mair = tagged && out->mair == 0xff ? 0xf0 : out->mair;
	out->mair = reserved ? RESERVED_TYPE : out->mair;
	out->sh = combine_share(one->sh, two->sh);
	out->share = effective_share(out->mair, out->sh);
}

bool attrs_allow(const struct pt_config *cfg, const struct pt_attrs *a, const struct pt_access *acc)
{
	unsigned int perm = acc->el ? a->own : a->el0;

	/* D8.4.3.4: PAN stops EL1 (or EL2) from what EL0 may access, not from fetching it. */
	if (acc->pan && acc->el && cfg->regime.two_halves &&
	    (a->el0 & (PT_R | PT_W | (cfg->epan ? PT_X : 0))))
		perm &= PT_X;
	switch (acc->kind) {
	case PT_READ:
		return perm & PT_R;
	case PT_WRITE:
		return perm & PT_W;
	case PT_FETCH:
		return perm & PT_X;
	case PT_ANY:
		break;
	}
	return true;
}
