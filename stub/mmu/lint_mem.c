// SPDX-License-Identifier: BSD-2-Clause
/* What leaves map: RAM, devices and nothing; permissions; one page under two types. */
#include "mmu/lint_internal.h"

#include "mmu/a64.h"

#include <stdlib.h>
#include <string.h>

/* What lies in a range of physical addresses. */
struct content {
	bool ram, device, nothing;
	const char *ram_name, *device_name;
	uint64_t gap; /* the first address where nothing is */
};

static struct content content_of(const struct lint *l, uint64_t pa, uint64_t size)
{
	struct content c = { 0 };
	uint64_t end = pa + (size - 1);

	if (!l->in->memory || l->in->regime->nested)
		return c;
	for (;;) {
		const char *name;
		uint64_t last;
		enum lint_memory kind = lint_memory_at(l, pa, &last, &name);

		if (kind == LINT_RAM && !c.ram) {
			c.ram = true;
			c.ram_name = name;
		} else if (kind == LINT_DEVICE && !c.device) {
			c.device = true;
			c.device_name = name;
		} else if (kind == LINT_NOTHING && !c.nothing) {
			c.nothing = true;
			c.gap = pa;
		}
		if (last >= end || last < pa)
			return c;
		pa = last + 1;
	}
}

void lint_mend_type(const struct regime *r, bool device, struct finding *f)
{
	if (r->stage2) {
		f->fix = device ? 1 : r->hcr & HCR_FWB ? 6 : 15;
		f->remedy = "pt-set {va} L{level} MemAttr={fixnum}";
		return;
	}
	for (f->fix = 0; f->fix < 8; f->fix++) {
		uint8_t byte = (uint8_t)(r->mair >> 8 * f->fix);

		if (device ? mair_is_device(byte) : byte == 0xff)
			return;
	}
	f->remedy =
		device ? "load a byte of MAIR with 0 (device), and select it by AttrIndx"
		       : "load a byte of MAIR with 0xff (write-back), and select it by AttrIndx";
}

static const char *no_exec(const struct regime *r)
{
	if (r->stage2)
		return "pt-set {va} L{level} XN=none";
	return r->two_halves ? NULL : "pt-set {va} L{level} XN=1";
}

/* One leaf for both: what is right for the device may stop the code that runs from the RAM. */
#define APART "map the device and the RAM apart, by smaller blocks or by pages"

static bool writes_and_runs(unsigned int perm)
{
	return (perm & (PT_W | PT_X)) == (PT_W | PT_X);
}

static void check_content(struct lint *l, const struct pt_mapping *m)
{
	const struct regime *r = &l->now->regime;
	struct content c = content_of(l, m->oa, m->size);
	struct finding f = lint_leaf_finding(m);
	bool device = mair_is_device(m->attrs->mair);

	f.mair = m->attrs->mair;
	if (c.ram && device) {
		f.name = c.ram_name;
		lint_mend_type(r, false, &f);
		f.remedy = c.device ? APART : f.remedy;
		lint_add(l, RULE_RAM_DEVICE, f);
	}
	f.remedy = NULL;
	f.name = c.device_name;
	if (c.device && !device) {
		lint_mend_type(r, true, &f);
		f.remedy = c.ram ? APART : f.remedy;
		lint_add(l, RULE_DEVICE_NORMAL, f);
	}
	if (c.device && ((m->attrs->own | m->attrs->el0) & PT_X) && !r->stage2) {
		f.mair = 0;
		f.remedy = c.ram ? APART : no_exec(r);
		lint_add(l, RULE_DEVICE_EXEC, f);
	}
	if (c.nothing && !device) {
		f.mair = m->attrs->mair;
		f.name = f.remedy = NULL;
		f.value = c.gap;
		lint_add(l, RULE_NOTHING, f);
	}
}

static void check_permissions(struct lint *l, const struct pt_mapping *m)
{
	const struct regime *r = &l->now->regime;
	struct finding f = lint_leaf_finding(m);
	uint64_t last;
	const char *name;

	/* of a stage 2 that is the rule: the guest's own tables decide */
	if (!r->stage2 && (writes_and_runs(m->attrs->own) || writes_and_runs(m->attrs->el0)) &&
	    lint_memory_at(l, m->oa, &last, &name) != LINT_DEVICE) {
		f.remedy = no_exec(r);
		lint_add(l, RULE_WX, f);
	}
	f.remedy = NULL;
	if (!m->attrs->af && !l->now->ha)
		lint_add(l, RULE_AF, f);
	if (l->mair_bad & 1u << m->attrs->attrindx && !r->stage2) {
		f.value = m->attrs->mair;
		lint_mend_type(r, lint_memory_at(l, m->oa, &last, &name) == LINT_DEVICE, &f);
		lint_add(l, RULE_MAIR, f);
	}
}

static void check_serial(struct lint *l, const struct pt_mapping *m)
{
	if (!(m->attrs->own & PT_W) || l->now->regime.nested)
		return;
	for (size_t i = 0; i < l->in->serial_count; i++) {
		if (l->in->serial[i].first - m->oa < m->size)
			l->serial_reached = true;
	}
}

static void keep_run(struct lint *l, const struct lint_run *r)
{
	struct lint_run *last = l->run_count ? &l->runs[l->run_count - 1] : NULL;

	if (last && last->ia + last->size == r->ia && last->oa + last->size == r->oa &&
	    last->mair == r->mair && last->share == r->share && last->el0_writes == r->el0_writes) {
		last->size += r->size;
		return;
	}
	if (l->run_count == LINT_RUNS_MAX)
		return;
	if (!l->runs || l->run_count == l->run_size) {
		l->run_size = l->run_size ? 2 * l->run_size : 64;
		l->runs = realloc(l->runs, l->run_size * sizeof(*l->runs));
		if (!l->runs)
			abort();
	}
	l->runs[l->run_count++] = *r;
}

void lint_leaf(struct lint *l, const struct pt_mapping *m)
{
	uint8_t mair = m->attrs->mair;
	const struct lint_run run = {
		.oa = m->oa,
		.ia = m->ia,
		.size = m->size,
		.address = m->step->address,
		.desc = m->step->desc,
		.index = m->step->index,
		.level = m->step->level,
		.mair = mair,
		.share = (uint8_t)m->attrs->share,
		.el0_writes = m->attrs->el0 & PT_W,
		.uncached = mair_is_device(mair) || mair_is_noncacheable(mair),
	};

	check_content(l, m);
	check_permissions(l, m);
	check_serial(l, m);
	keep_run(l, &run);
}

/* Aliases */

/* A type without its hints, which may differ: B2, "Mismatched memory attributes". */
static uint8_t type_of(uint8_t mair)
{
	if (mair >> 4 == 0)
		return mair & 0xc;
	if (mair == 0xf0)
		return 0x66; /* tagged is write-back */
	return (uint8_t)((mair >> 4 == 4  ? 0x10
			  : (mair & 0x40) ? 0x60
					  : 0x20) |
			 ((mair & 15) == 4 ? 1
			  : (mair & 4)	   ? 6
					   : 2));
}

/* The run of one type and shareability that goes furthest. */
struct alias_class {
	uint8_t type, share;
	const struct lint_run *run;
};

#define CLASSES 64

static int by_oa(const void *a, const void *b)
{
	const struct lint_run *x = a, *y = b;

	if (x->oa != y->oa)
		return x->oa < y->oa ? -1 : 1;
	return x->ia < y->ia ? -1 : x->ia > y->ia;
}

static void compare(struct lint *l, const struct lint_run *r, const struct alias_class *c)
{
	const struct lint_run *other = c->run;
	uint64_t end = other->oa + (other->size - 1);
	bool type = c->type != type_of(r->mair);
	struct finding f = {
		.ia = r->ia,
		.level = r->level,
		.index = r->index,
		.address = r->address,
		.desc = r->desc,
		.value = r->oa,
		.mair = r->mair,
		.mair2 = other->mair,
	};

	if (end < r->oa || (!type && c->share == r->share))
		return;
	f.size = end - r->oa < r->size - 1 ? end - r->oa + 1 : r->size;
	f.fix = other->ia + (r->oa - other->oa);
	lint_add(l, type ? RULE_ALIAS : RULE_ALIAS_SHARE, f);
}

void lint_aliases(struct lint *l)
{
	struct alias_class class[CLASSES];
	size_t n = 0;

	if (l->run_count)
		qsort(l->runs, l->run_count, sizeof(*l->runs), by_oa);
	for (size_t i = 0; i < l->run_count; i++) {
		const struct lint_run *r = &l->runs[i];
		struct alias_class mine = { type_of(r->mair), r->share, r };
		size_t own = n;

		for (size_t c = 0; c < n; c++) {
			compare(l, r, &class[c]);
			if (class[c].type == mine.type && class[c].share == mine.share)
				own = c;
		}
		if (own == n && n < CLASSES)
			class[n++] = mine;
		else if (own < n && class[own].run->oa + class[own].run->size < r->oa + r->size)
			class[own] = mine;
	}
}
