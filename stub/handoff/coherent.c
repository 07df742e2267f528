/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caches: code that was copied, and what was done since for whoever fetches it. A region of
 * the image is known to be in place as soon as its first page is; what was executed before that
 * was not for it.
 */
#include "handoff/path.h"
#include "handoff/preflight.h"

#include <string.h>

#define CTR_IDC (UINT64_C(1) << 28)
#define CTR_DIC (UINT64_C(1) << 29)

#define SCTLR_CACHED 5u /* M, C */

#define PAGE 4096u

static unsigned int crm_of(const struct insn *i)
{
	return i->sysreg >> 3 & 15;
}

/* iallu, ialluis, ivau (DDI 0487, C5.3); of dc what cleans, by address or by set and way. */
static bool is_ic(const struct insn *i)
{
	return crm_of(i) == 1 || crm_of(i) == 5;
}

static bool cleans(const struct insn *i)
{
	return crm_of(i) >= 10;
}

/* ivau, cvau, civac and others: op1 is 3. */
static bool by_address(const struct insn *i)
{
	return (i->sysreg >> 11 & 7) == 3;
}

/* The regions whose first page is as in the image, a bit each. */
static int in_place(struct handoff *h, uint32_t *regions)
{
	struct image *img = &h->image;
	int err = img->has_header ? image_load(img, machine_of(h)) : 0;

	*regions = 0;
	for (size_t i = 0; !err && img->has_header && i < img->header.num_regions; i++) {
		struct baton_image_region first = img->region[i];
		uint64_t differs;
		bool changed = false;

		if (first.type != BATON_REGION_DATA || !first.size)
			continue;
		first.size = first.size < PAGE ? first.size : PAGE;
		err = image_verify(img, machine_of(h), &first, &differs, &changed);
		*regions |= (uint32_t)!err << i;
		if (err == -BATON_ELINK || err == -BATON_ECANCELED)
			break;
		if (err < 0) /* then nothing can be said of any */
			h->caches.ic_unseen = h->caches.dc_unseen = true;
		err = 0;
	}
	return err;
}

static int done(struct handoff *h, bool ic, bool dc)
{
	uint32_t regions;
	int err = in_place(h, &regions);

	h->caches.ic |= ic ? regions : 0;
	h->caches.dc |= dc ? regions : 0;
	return err;
}

/* Is that its physical address, too? */
static bool is_flat(struct handoff *h, unsigned int cpu, uint64_t va)
{
	struct tables t;
	struct pt_walk w;

	return !tables_init(&t, machine_of(h), NULL, cpu, NULL, NULL) &&
	       !tables_walk(&t, va, NULL, &w, NULL) && !w.fault && w.oa == va;
}

/*
 * By the line (CTR_EL0.DminLine, IminLine): what is less than one at either end is done, too; and
 * so may be the line at the end, which depends on how the loop compares.
 */
static bool add_range(struct handoff *h, const struct visit *v, uint64_t first, uint64_t end)
{
	struct caches *c = &h->caches;
	struct cache_range *r = &c->range[c->ranges];
	bool ic = is_ic(&v->site.insn);
	uint64_t ctr, line;

	if (c->ranges == CACHE_RANGES || !is_flat(h, v->cpu, first) ||
	    !is_flat(h, v->cpu, end - 1) ||
	    machine_reg_read(machine_of(h), v->cpu, "CTR_EL0", &ctr))
		return false;
	line = UINT64_C(4) << (ctr >> (ic ? 0 : 16) & 15);
	*r = (struct cache_range){ first & -line,
				   (end + line - 1 + (end > first + 1 ? line : 0)) & -line, 0, ic };
	if (in_place(h, &r->regions))
		return false;
	c->ranges++;
	return true;
}

int coherent_op(struct handoff *h, const struct visit *v, uint64_t first, uint64_t end,
		uint64_t next, bool lifted)
{
	const struct insn *i = &v->site.insn;
	struct caches *c = &h->caches;
	int err = coherent_rested(h);

	if (err || !(is_ic(i) || cleans(i)))
		return err;
	c->ic_unseen |= lifted && is_ic(i);
	c->dc_unseen |= lifted && cleans(i);
	if (!by_address(i) || end <= first || !add_range(h, v, first, end))
		err = done(h, is_ic(i), cleans(i));
	c->cpu = v->cpu;
	c->from = next;
	return err ? err : reg_x(machine_of(h), v->cpu, 30, &c->link);
}

/* Nobody else can have done anything. */
static bool one_cpu(const struct handoff *h)
{
	for (size_t i = 0; i < h->event_count; i++)
		if (h->events[i].cpu != h->boot_cpu)
			return false;
	return true;
}

/* Nothing that rests is on the only way from there to where the CPU is now. */
static bool nothing_unseen(struct handoff *h)
{
	const struct caches *c = &h->caches;
	struct path p;
	uint64_t pc;

	if (!c->from || !one_cpu(h) || machine_reg_read(machine_of(h), c->cpu, "pc", &pc))
		return false;
	barrier_way(h, c->cpu, c->from, c->link, pc, true, &p);
	return p.end == PATH_THERE;
}

int coherent_rested(struct handoff *h)
{
	bool ic = false, dc = false;

	for (size_t i = 0; i < h->scan.site_count; i++) {
		const struct scan_site *s = &h->scan.sites[i];

		ic |= s->rests && s->insn.kind == INSN_CACHE && is_ic(&s->insn);
		dc |= s->rests && s->insn.kind == INSN_CACHE && cleans(&s->insn);
	}
	return (ic || dc) && !nothing_unseen(h) ? done(h, ic, dc) : 0;
}

static bool is_cached(uint64_t sctlr)
{
	return (sctlr & SCTLR_CACHED) == SCTLR_CACHED;
}

int coherent_sctlr(struct handoff *h, const struct visit *v, uint64_t before, uint64_t after)
{
	struct caches *c = &h->caches;
	uint32_t regions;
	int err;

	if (v->cpu != h->boot_cpu || v->site.kernel || is_cached(before) == is_cached(after))
		return 0;
	err = in_place(h, &regions);
	if (c->on)
		c->cached |= regions & ~c->before;
	c->on = is_cached(after);
	c->before = regions;
	return err;
}

/* --- what is missing */

/* Was all watched that has run since reset? Then what was not seen was not executed. */
static bool all_watched(const struct handoff *h)
{
	const struct machine *m = machine_of(h);

	if (!h->started || h->resets != m->resets || !m->reset_known || h->scan.full ||
	    h->complained || h->unchecked || !scan_word(&h->scan, m->reset_pc))
		return false;
	/* firmware can do it, too */
	for (size_t i = 0; i < h->event_count; i++)
		if (h->events[i].kind == EVENT_CALL && !h->events[i].name)
			return false;
	return true;
}

/* How many instructions of that kind were executed, of either where @ic is false. */
static size_t maintained(const struct handoff *h, bool ic)
{
	size_t n = 0;

	for (size_t i = 0; i < h->event_count; i++)
		n += h->events[i].kind == EVENT_CACHE &&
		     (!ic || strncmp(h->events[i].text, "ic ", 3) == 0);
	for (size_t i = 0; !n && i < h->scan.site_count; i++)
		n += h->scan.sites[i].insn.kind == INSN_CACHE && h->scan.sites[i].hits &&
		     (!ic || is_ic(&h->scan.sites[i].insn));
	return n;
}

/* Does the image hold what is there, and not there? */
static bool was_copied(const struct leap *l)
{
	const struct image *img = &l->h->image;
	uint64_t at = 0, pa = l->target.pa;

	return !image_holds(img, pa) && !image_rom(img, pa) &&
	       (image_region(img, pa) ||
		image_search(img, l->target.bytes, sizeof(l->target.bytes), &at));
}

/* Its own address is write-back in the tables that were in use when it was written. */
static bool is_write_back(struct leap *l, uint64_t pa)
{
	struct tables t;
	struct pt_walk w;

	if (tables_init(&t, machine_of(l->h), NULL, l->cpu, NULL, NULL))
		return false;
	t.regime.pending = true;
	return !tables_walk(&t, pa, NULL, &w, NULL) && !w.fault && w.oa == pa &&
	       w.attrs.mair == 0xff;
}

/* From *@at on, the first byte of region @n before @end that nothing was done for; false: none. */
static bool find_gap(const struct caches *c, bool ic, size_t n, uint64_t end, uint64_t *at)
{
	bool more = !((ic ? c->ic : c->dc) >> n & 1);

	while (more && *at < end) {
		more = false;
		for (size_t i = 0; i < c->ranges && !more; i++) {
			const struct cache_range *r = &c->range[i];

			if (r->ic != ic || !(r->regions >> n & 1) || *at < r->first ||
			    *at >= r->end)
				continue;
			*at = r->end;
			more = true;
		}
		if (!more)
			return true;
	}
	return false;
}

/*
 * A store that is cached is fetched once it is cleaned to where fetches come from (B2.7.4):
 * memory itself, where the MMU is off behind the jump, and then all of the region; else not
 * with CTR_EL0.IDC. *@gap: from where on it is not.
 */
static bool is_dirty(struct leap *l, const struct baton_image_region *r, uint64_t ctr,
		     uint64_t *gap)
{
	const struct caches *c = &l->h->caches;
	bool off = !is_cached(l->then.regime.sctlr);
	size_t i = r ? (size_t)(r - l->h->image.region) : 0;
	uint32_t now, cached = c->cached;

	if (!r || c->dc_unseen || (!off && (ctr & CTR_IDC)) || l->cpu != l->h->boot_cpu ||
	    !one_cpu(l->h) || in_place(l->h, &now))
		return false;
	cached |= c->on ? now & ~c->before : 0;
	*gap = off ? r->load_addr : l->target.pa;
	return cached >> i & 1 && is_write_back(l, r->load_addr) &&
	       find_gap(c, false, i, off ? r->load_addr + r->size : l->target.pa + 1, gap);
}

/* No ic at all; or none since the region has been in place, for the target. */
static bool is_stale(struct leap *l, const struct baton_image_region *r, uint64_t *gap)
{
	const struct caches *c = &l->h->caches;

	*gap = l->target.pa;
	if (!r)
		return !maintained(l->h, true);
	return !c->ic_unseen &&
	       find_gap(c, true, (size_t)(r - l->h->image.region), l->target.pa + 1, gap);
}

static void say_missing(struct leap *l, bool dirty, uint64_t gap)
{
	struct machine *m = machine_of(l->h);
	enum preflight_state state = m->accel == ACCEL_KVM ? PREFLIGHT_WRONG : PREFLIGHT_WARNING;
	const char *none = m->accel == ACCEL_TCG ? " (none under TCG)" : "";

	if (dirty)
		leap_say(l, state,
			 "code was copied to %#" PRIx64 " with the caches on and no dc has cleaned "
			 "it since: what is fetched may be what was there before%s",
			 gap, none);
	else
		leap_say(l, state,
			 "code was copied to %#" PRIx64
			 " and no ic was executed since%s: an instruction cache may hold what "
			 "was there before%s",
			 gap, maintained(l->h, true) ? "" : " reset", none);
}

int contract_caches(struct leap *l, unsigned int n)
{
	const struct baton_image_region *r = image_region(&l->h->image, l->target.pa);
	uint64_t ctr = 0, gap = 0;
	bool dirty, stale;

	(void)n;
	if (l->unfit || l->walk.fault || !was_copied(l))
		return 0;
	(void)machine_reg_read(machine_of(l->h), l->cpu, "CTR_EL0", &ctr);
	dirty = is_dirty(l, r, ctr, &gap);
	/* B2.7.4: with CTR_EL0.DIC what is written can be executed at once */
	stale = !dirty && !(ctr & CTR_DIC) && is_stale(l, r, &gap);
	if ((dirty || stale) && all_watched(l->h) && !l->at->steps)
		say_missing(l, dirty, gap);
	else if (maintained(l->h, false))
		leap_say(l, PREFLIGHT_OK, "ic or dc was executed since reset");
	else if (!(ctr & CTR_DIC))
		leap_say(l, PREFLIGHT_UNKNOWN,
			 "no ic or dc was seen, and not all was watched since reset");
	return 0;
}
