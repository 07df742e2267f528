/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What register, with another value, would make an address translate. The tables are what
 * speaks for it: by chance no wrong value leads through all levels to the right place.
 */
#include "handoff/repair.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* SCTLR_ELx (DDI 0487, D24.2.175) */
#define SCTLR_M	  (UINT64_C(1) << 0)
#define SCTLR_C	  (UINT64_C(1) << 2)
#define SCTLR_I	  (UINT64_C(1) << 12)
#define SCTLR_WXN (UINT64_C(1) << 19)
#define SCTLR_EE  (UINT64_C(1) << 25)

#define MAIR_NORMAL_WB UINT64_C(0xff)

/* TTBRn_ELx: what is not the address: ASID, CnP (D24.2.207). */
#define TTBR_KEEP UINT64_C(0xffff000000000001)

/* Is the code that runs now still where it was? Else nothing would run any more. */
static bool goes_on(const struct repair_query *q, const struct regime *r)
{
	struct pt_access fetch = { .kind = PT_FETCH, .el = q->acc.el };
	struct pt_walk now, then;

	if (!q->running || q->onto_itself)
		return true;
	if (pt_walk_regime(q->regime, &q->reader, q->pc, &fetch, &now, NULL) || now.fault)
		return true;
	return !pt_walk_regime(r, &q->reader, q->pc, &fetch, &then, NULL) && !then.fault &&
	       then.oa == now.oa;
}

/* To set now what the next instruction writes would be no help: its operand is what counts. */
static struct repair of_reg(const struct repair_query *q, const char *reg, uint64_t old,
			    uint64_t new)
{
	bool next = q->writes && !strncmp(q->writes, reg, strlen(reg));

	return (struct repair){ .kind = next ? REPAIR_OPERAND : REPAIR_SYSREG,
				.use = USE_THIS_HALF,
				.va = q->walk->ia,
				.reg = reg,
				.el = q->regime->el,
				.changes = 1,
				.old = old,
				.new = new };
}

static bool try_regime(const struct repair_query *q, const struct regime *r, struct repair *rep,
		       struct repairs *out)
{
	if (rep->old == rep->new ||
	    pt_walk_regime(r, &q->reader, rep->va, &q->acc, &rep->after, NULL) ||
	    rep->after.cfg.txsz_bad || !goes_on(q, r))
		return false;
	return repair_try(q, rep, out);
}

/* --- SCTLR: what is about to be written, or was never written at all */

static void try_sctlr(const struct repair_query *q, struct repairs *out)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} rows[] = { { SCTLR_EE, "EE=0" }, { SCTLR_WXN, "WXN=0" } };
	struct regime r = *q->regime;
	struct repair rep;

	if (q->walk->cfg.flat) {
		r.sctlr |= SCTLR_M | SCTLR_C | SCTLR_I;
		rep = of_reg(q, "SCTLR", q->regime->sctlr, r.sctlr);
		snprintf(rep.edit, sizeof(rep.edit), "M=1, C=1, I=1");
		try_regime(q, &r, &rep, out);
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r.sctlr = q->regime->sctlr & ~rows[i].bit;
		rep = of_reg(q, "SCTLR", q->regime->sctlr, r.sctlr);
		snprintf(rep.edit, sizeof(rep.edit), "%s", rows[i].name);
		try_regime(q, &r, &rep, out);
	}
}

/* --- TCR: sizes, granules, walks that are switched off (D24.2.196) */

struct field {
	const char *name;
	unsigned int lsb, bits;
};

/* Of the lower half, of the upper one, of a regime that has but one. */
static const struct field txsz[] = { { "T0SZ", 0, 6 }, { "T1SZ", 16, 6 } };
static const struct field tg[] = { { "TG0", 14, 2 }, { "TG1", 30, 2 } };
static const struct field epd[] = { { "EPD0", 7, 1 }, { "EPD1", 23, 1 } };
static const struct field ips = { "IPS", 32, 3 }, ps = { "PS", 16, 3 };

static uint64_t get(uint64_t v, const struct field *f)
{
	return v >> f->lsb & ((1u << f->bits) - 1);
}

static void put(struct repair *rep, const struct field *f, uint64_t value)
{
	uint64_t mask = ((UINT64_C(1) << f->bits) - 1) << f->lsb;
	size_t n = strlen(rep->edit);

	if (get(rep->new, f) == value)
		return;
	rep->new = (rep->new & ~mask) | value << f->lsb;
	snprintf(rep->edit + n, sizeof(rep->edit) - n, "%s%s=%" PRIu64, n ? ", " : "", f->name,
		 value);
	rep->changes += n ? 1 : 0;
}

static const uint8_t granules[2][3] = { { 0, 2, 1 }, { 2, 1, 3 } }; /* 4, 16, 64 KiB */

static void try_tcr_with(const struct repair_query *q, unsigned int granule, unsigned int size,
			 bool ps_too, struct repairs *out)
{
	unsigned int half = q->walk->cfg.half;
	uint64_t parange = q->regime->mmfr[0] & 15;
	struct regime r = *q->regime;
	struct repair rep = of_reg(q, "TCR", r.tcr, r.tcr);

	if (q->regime->two_halves)
		put(&rep, &epd[half], 0);
	put(&rep, &txsz[half], size);
	put(&rep, &tg[half], granules[half][granule]);
	if (ps_too)
		put(&rep, q->regime->two_halves ? &ips : &ps, parange > 5 ? 5 : parange);
	r.tcr = rep.new;
	try_regime(q, &r, &rep, out);
}

/*
 * Sizes: the one there is, the largest one, and those whose root is a whole table, as
 * builders have them.
 */
static void try_tcr(const struct repair_query *q, struct repairs *out)
{
	unsigned int now = (unsigned int)get(q->regime->tcr, &txsz[q->walk->cfg.half]);

	for (unsigned int g = 0; g < 3; g++) {
		unsigned int page = 12 + 2 * g;

		try_tcr_with(q, g, now, false, out);
		try_tcr_with(q, g, now, true, out);
		for (unsigned int bits = page + 2 * (page - 3); bits < 48 + page - 3;
		     bits += page - 3)
			try_tcr_with(q, g, bits > 48 ? 16 : 64 - bits, false, out);
	}
}

/* --- MAIR: nothing in it is memory */

static void try_mair(const struct repair_query *q, struct repairs *out)
{
	unsigned int index = q->walk->attrs.attrindx;
	struct regime r = *q->regime;
	struct repair rep;

	if (q->acc.kind != PT_FETCH || q->walk->fault || q->walk->cfg.flat || r.mair)
		return;
	r.mair = MAIR_NORMAL_WB << (8 * index);
	rep = of_reg(q, "MAIR", 0, r.mair);
	snprintf(rep.edit, sizeof(rep.edit), "Attr%u=0xff", index);
	try_regime(q, &r, &rep, out);
}

void regs_try(const struct repair_query *q, struct repairs *out)
{
	bool flat = q->walk->cfg.flat;

	try_mair(q, out);
	/* with its MMU off an address leads somewhere, if only by chance */
	if (!q->walk->fault && !q->onto_itself && !flat)
		return;
	try_sctlr(q, out);
	if (!flat)
		try_tcr(q, out);
}

void regs_try_root(const struct repair_query *q, uint64_t pa, enum repair_use use,
		   struct repairs *out)
{
	static const char *const names[] = { "TTBR0", "TTBR1" };
	unsigned int half = q->walk->cfg.half;
	struct regime r = *q->regime;
	struct repair rep;

	r.ttbr[half] = (r.ttbr[half] & TTBR_KEEP) | pa;
	rep = of_reg(q, names[half], q->regime->ttbr[half], r.ttbr[half]);
	rep.use = use;
	rep.table = pa;
	try_regime(q, &r, &rep, out);
}
