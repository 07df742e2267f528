/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader's code in the machine: where it is, reading it, planting stops in it. */
#include "handoff/replay.h"

#include "hex.h"

#include <stdio.h>
#include <string.h>

/* Code that is in no image: how far around its entry it is followed. */
#define NEARBY	    (1u << 20)
#define NEAR_KERNEL (64u << 20)

/* Instructions that tell whether code is still what it was. */
#define KNOWN_WORDS 8

struct reader {
	struct machine *machine;
	struct tables *tables; /* NULL: physical, or by @cpu */
	bool flat;
	unsigned int cpu;
};

int reg_of(struct machine *m, unsigned int cpu, const char *name, unsigned int el, uint64_t *value)
{
	char full[24];

	snprintf(full, sizeof(full), "%s_EL%u", name, el);
	return machine_reg_read(m, cpu, full, value);
}

int reg_x(struct machine *m, unsigned int cpu, unsigned int n, uint64_t *value)
{
	char name[8];

	*value = 0;
	if (n >= 31)
		return 0;
	snprintf(name, sizeof(name), "x%u", n);
	return machine_reg_read(m, cpu, name, value);
}

static int translate(struct tables *t, uint64_t va, uint64_t *pa)
{
	struct pt_walk walk;
	int err = tables_walk(t, va, NULL, &walk, NULL);

	if (!err && walk.fault)
		err = -BATON_EFAULT;
	*pa = err ? va : walk.oa;
	return err;
}

static int read_page(void *ctx, uint64_t address, uint8_t *data)
{
	struct reader *r = ctx;
	uint64_t pa = address;
	int err = 0;

	if (!r->flat && !r->tables)
		return machine_virt_read(r->machine, r->cpu, address, data, SCAN_PAGE);
	if (!r->flat)
		err = translate(r->tables, address, &pa);
	return err ? err : machine_phys_read(r->machine, pa, data, SCAN_PAGE);
}

/* The image's bounds as addresses of the regime that @va is of, or what is near. */
static size_t bounds_of(struct handoff *h, uint64_t va, uint64_t pa, struct scan_span *bounds)
{
	uint64_t near = h->left ? NEAR_KERNEL : NEARBY;
	const struct ram_range *r;

	if (image_holds(&h->image, pa)) {
		for (size_t i = 0; i < h->image.spans; i++)
			bounds[i] = (struct scan_span){ h->image.span[i].first - pa + va,
							h->image.span[i].last - pa + va };
		return h->image.spans;
	}
	r = machine_ram_find(machine_of(h), pa);
	if (!r || r->kind == RAM_IO)
		return 0;
	bounds[0].first = va - (pa - r->first > near ? near : pa - r->first);
	bounds[0].last = va + (r->last - pa > near ? near : r->last - pa);
	return 1;
}

static int follow(struct handoff *h, struct reader *reader, uint64_t va, uint64_t pa,
		  enum scan_link link)
{
	struct scan_source source = { .page = read_page, .ctx = reader };
	struct scan_span bounds[IMAGE_SPANS];
	size_t n = bounds_of(h, va, pa, bounds);

	scan_from(&h->scan, &source, bounds, n, va, link);
	return code_plant(h);
}

bool code_returns(struct handoff *h, unsigned int cpu, uint64_t va)
{
	struct reader reader = { .machine = machine_of(h), .cpu = cpu };
	struct scan_source source = { .page = read_page, .ctx = &reader };
	struct scan_span bounds[IMAGE_SPANS];
	struct scan probe = { 0 };
	struct tables t;
	uint64_t pa = va;
	bool found = false;

	if (!tables_init(&t, machine_of(h), NULL, cpu, NULL, NULL))
		(void)translate(&t, va, &pa);
	if (image_holds(&h->image, pa))
		scan_from(&probe, &source, bounds, bounds_of(h, va, pa, bounds), va, SCAN_LINKED);
	for (size_t i = 0; i < probe.site_count; i++)
		found |= probe.sites[i].insn.kind == INSN_ERET;
	scan_free(&probe);
	return found;
}

/* Of a regime that is not decoded QEMU translates: the bounds are those of the image then. */
static uint64_t physical(struct handoff *h, unsigned int cpu, struct tables *t, uint64_t va)
{
	struct tables own;
	uint64_t pa = va;

	if (t)
		(void)translate(t, va, &pa);
	else if (!tables_init(&own, machine_of(h), NULL, cpu, NULL, NULL))
		(void)translate(&own, va, &pa);
	return pa;
}

int code_follow(struct handoff *h, unsigned int cpu, struct tables *t, uint64_t va,
		enum scan_link link)
{
	struct reader reader = { .machine = machine_of(h), .tables = t, .cpu = cpu };

	return follow(h, &reader, va, physical(h, cpu, t, va), link);
}

static void site_gone(void *ctx, struct scan_site *site)
{
	struct handoff *h = ctx;

	if (!site->lifted)
		(void)code_lift(h, site);
}

int code_follow_anew(struct handoff *h, unsigned int cpu, struct tables *t, uint64_t va)
{
	struct reader reader = { .machine = machine_of(h), .tables = t, .cpu = cpu };
	struct scan_source source = { .page = read_page, .ctx = &reader };
	struct scan_span bounds[IMAGE_SPANS];
	uint64_t pa = physical(h, cpu, t, va);

	scan_drop_stale(&h->scan, &source, bounds, bounds_of(h, va, pa, bounds), site_gone, h);
	return code_follow(h, cpu, t, va, SCAN_UNKNOWN);
}

bool code_is_known(struct handoff *h, unsigned int cpu, uint64_t va)
{
	uint8_t raw[4 * KNOWN_WORDS];

	if (!scan_word(&h->scan, va))
		return false;
	/* what cannot be read now is judged by what comes of it */
	if (machine_virt_read(machine_of(h), cpu, va, raw, sizeof(raw)))
		return true;
	for (unsigned int i = 0; i < KNOWN_WORDS; i++) {
		const struct scan_word *w = scan_word(&h->scan, va + 4 * i);

		if (w && w->word != (uint32_t)le_read(raw + 4ull * i, 4))
			return false;
	}
	return true;
}

int code_follow_flat(struct handoff *h, uint64_t pa, enum scan_link link)
{
	struct reader reader = { .machine = machine_of(h), .flat = true };

	return follow(h, &reader, pa, pa, link);
}

bool code_is_entry(const struct handoff *h, uint64_t va)
{
	return h->image.has_header && h->image.header.kernel_entry == va;
}

/*
 * At the kernel's entry nothing may be mapped yet, or the kernel not be copied: KVM's trap
 * in memory could not be set there, or would be overwritten.
 */
static enum break_type stop_type(const struct handoff *h, uint64_t pc)
{
	return code_is_entry(h, pc) || slots_has(h, pc) ? BREAK_HARD : BREAK_SOFT;
}

static int plant(struct handoff *h, uint64_t pc)
{
	struct machine *m = machine_of(h);
	int err = machine_break_add(m, BREAK_HANDOFF, stop_type(h, pc), pc, 4);
	struct buf line = { 0 };

	if (!err || err == -BATON_ELINK || err == -BATON_ECANCELED)
		return err;
	if (!h->complained) {
		buf_printf(&line,
			   "warning: no stop at %#" PRIx64 "%s (%s): the timeline may have gaps\n",
			   pc, code_is_entry(h, pc) ? ", the kernel's first instruction" : "",
			   machine_error(m, err));
		handoff_say(h, &line);
		buf_free(&line);
	}
	h->complained = true;
	return 0;
}

int code_plant(struct handoff *h)
{
	/* the kernel's entry catches who comes there in a way that was not foreseen */
	bool entry = h->image.has_header && !slots_rule(h);
	int err = entry ? plant(h, h->image.header.kernel_entry) : 0;

	replay_plant(h);
	for (size_t i = 0; !err && i < h->scan.site_count; i++)
		if (!h->scan.sites[i].lifted && !slots_own(h, &h->scan.sites[i]) &&
		    !slots_idle(h, &h->scan.sites[i]))
			err = plant(h, h->scan.sites[i].pc);
	return err;
}

int code_plant_at(struct handoff *h, uint64_t pc)
{
	return plant(h, pc);
}

int code_unplant(struct handoff *h, uint64_t pc)
{
	return machine_break_remove(machine_of(h), BREAK_HANDOFF, stop_type(h, pc), pc, 4);
}

int code_lift(struct handoff *h, struct scan_site *s)
{
	s->lifted = true;
	return code_unplant(h, s->pc);
}

/*
 * The three entries that a synchronous exception takes to AArch64 code (DDI 0487,
 * D1.3.1.5 "Exception vectors"). Interrupts go elsewhere and are none of our business.
 */
static const unsigned int entries[] = { 0x000, 0x200, 0x400 };

uint64_t vectors_entry(const struct vectors *v, size_t i)
{
	return v->base + entries[i];
}

int vectors_add(struct handoff *h, uint64_t base)
{
	size_t i;
	int err = 0;

	for (i = 0; i < h->vector_count && h->vectors[i].base != base; i++)
		;
	if (i == h->vector_count && i < HANDOFF_VECTORS)
		h->vectors[h->vector_count++] = (struct vectors){ .base = base };
	for (size_t e = 0; !err && e < 3 && !slots_own_vectors(h, base); e++)
		/* code that runs without any exception: a VBAR that was never set */
		if (!scan_word(&h->scan, base + entries[e]) &&
		    (i == HANDOFF_VECTORS || !h->vectors[i].lifted[e]))
			err = plant(h, base + entries[e]);
	return err;
}

/*
 * Under KVM vectors where no code is take hardware, and the only CPU has the others no longer:
 * its vectors at level @el are about to be at @base.
 */
int vectors_change(struct handoff *h, unsigned int el, uint64_t base)
{
	struct machine *m = machine_of(h);
	int err = 0;

	for (size_t i = 0; m->accel == ACCEL_KVM && m->cpus == 1 && i < h->vector_count; i++) {
		struct vectors *v = &h->vectors[i];
		bool used = v->base == base;

		for (unsigned int n = 1; n <= 3; n++) {
			uint64_t vbar;

			used |= n != el && !reg_of(m, 0, "VBAR", n, &vbar) && vbar == v->base;
		}
		for (size_t e = 0; !used && !err && e < 3; e++)
			if (!scan_site(&h->scan, vectors_entry(v, e)))
				err = code_unplant(h, vectors_entry(v, e));
	}
	return err ? err : vectors_add(h, base);
}

static struct vectors *vectors_of(struct handoff *h, uint64_t pc, size_t *entry)
{
	for (size_t i = 0; i < h->vector_count; i++)
		for (*entry = 0; *entry < 3; ++*entry)
			if (h->vectors[i].base + entries[*entry] == pc)
				return &h->vectors[i];
	return NULL;
}

unsigned int vectors_hit(struct handoff *h, uint64_t pc)
{
	size_t entry;
	struct vectors *v = vectors_of(h, pc, &entry);

	return v ? ++v->hits[entry] : 1;
}

int vectors_lift(struct handoff *h, uint64_t pc)
{
	size_t entry;
	struct vectors *v = vectors_of(h, pc, &entry);

	if (!v)
		return 0;
	v->lifted[entry] = true;
	return code_unplant(h, pc);
}

int vector_at(struct handoff *h, unsigned int cpu, uint64_t pc)
{
	struct machine *m = machine_of(h);
	int el = machine_el(m, cpu);
	uint64_t vbar, esr;

	if (el < 1 || reg_of(m, cpu, "VBAR", (unsigned int)el, &vbar))
		return -1;
	for (size_t e = 0; e < 3; e++) {
		if (pc != vbar + entries[e])
			continue;
		/*
		 * An exception leaves a syndrome, be it of unknown reason: then IL is set
		 * (DDI 0487, D24.2.40). Reset begins at 0, where VBAR points too.
		 */
		if (reg_of(m, cpu, "ESR", (unsigned int)el, &esr) ? scan_word(&h->scan, pc) != NULL
								  : !esr)
			return -1;
		return (int)entries[e];
	}
	return -1;
}

int code_plant_vectors(struct handoff *h)
{
	struct machine *m = machine_of(h);
	int err = vectors_add(h, 0);

	for (size_t i = 0; !err && i < h->vector_count; i++)
		err = vectors_add(h, h->vectors[i].base);
	for (unsigned int cpu = 0; cpu < m->cpus; cpu++)
		for (unsigned int el = 1; !err && el <= 3; el++) {
			uint64_t vbar;
			int gone = reg_of(m, cpu, "VBAR", el, &vbar);

			if (gone == -BATON_ELINK)
				return gone;
			if (!gone)
				err = vectors_add(h, vbar);
		}
	return err;
}

int code_where(struct machine *m, unsigned int cpu, uint64_t *pa)
{
	struct tables t = { 0 };
	uint64_t pc;
	int err = machine_reg_read(m, cpu, "pc", &pc);

	if (err)
		return err;
	*pa = pc;
	if (!tables_init(&t, m, NULL, cpu, NULL, NULL))
		(void)translate(&t, pc, pa);
	return t.lost;
}

/* The CPU that runs the loader is the one whose pc is in something that was loaded. */
static int find_image(struct handoff *h)
{
	struct machine *m = machine_of(h);
	uint64_t pa;
	int err = 0;

	for (unsigned int cpu = 0; cpu < m->cpus; cpu++) {
		err = code_where(m, cpu, &pa);
		if (!err)
			err = image_open(&h->image, m, pa);
		h->boot_cpu = cpu;
		if (err || h->image.listed)
			return err;
	}
	h->boot_cpu = m->cpu;
	err = code_where(m, m->cpu, &pa);
	return err ? err : image_open(&h->image, m, pa);
}

static void forget(struct handoff *h)
{
	scan_free(&h->scan);
	image_free(&h->image);
	event_clear(h);
	h->vector_count = 0;
	memset(&h->kernel, 0, sizeof(h->kernel));
	memset(&h->stale, 0, sizeof(h->stale));
	memset(&h->mmu_on, 0, sizeof(h->mmu_on));
	memset(h->entered, 0, sizeof(h->entered));
	memset(&h->caches, 0, sizeof(h->caches));
	memset(&h->stack_was, 0, sizeof(h->stack_was));
	memset(&h->asked, 0, sizeof(h->asked));
	memset(&h->link_was, 0, sizeof(h->link_was));
	h->blind = h->resting = false;
	h->started = h->left = h->unchecked = h->complained = false;
	h->resets = machine_of(h)->resets;
}

int code_start(struct handoff *h)
{
	struct machine *m = machine_of(h);
	uint64_t pc, pa;
	int err = 0;

	if (!h->started || h->resets != m->resets) {
		forget(h);
		err = find_image(h);
		if (!err)
			err = image_load(&h->image, m);
		if (!err) /* before something is copied over it */
			h->conduit = conduit_of(h);
	}
	/* those that are not on yet show an address too: harmless if it is in the image */
	for (unsigned int cpu = 0; !err && cpu < m->cpus; cpu++) {
		err = machine_reg_read(m, cpu, "pc", &pc);
		if (!err)
			err = code_where(m, cpu, &pa);
		/* a vector is followed when its exception is looked at; and it may hold nothing */
		if (!err && vector_at(h, cpu, pc) < 0 &&
		    ((cpu == h->boot_cpu && !h->left) || image_holds(&h->image, pa)))
			err = code_follow(h, cpu, NULL, pc, SCAN_UNKNOWN);
	}
	if (!err)
		err = code_plant(h);
	return err ? err : code_plant_vectors(h);
}
