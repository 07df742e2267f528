/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong, gathered while the machine stands on it, and what would repair it. */
#include "handoff/preflight.h"

#include "hex.h"
#include "mmu/sysreg.h"

#include <stdio.h>
#include <string.h>

/* Tables that a loader made at run time lie near its roots: this far is looked. */
#define NEAR_ROOT (256u << 10)

/* How far from its vector a handler is followed. */
#define NEAR_CODE (1u << 20)

#define JUDGE_WORDS 4
#define MATCH_BYTES 64

/* ESR_ELx: FnV, the FAR holds nothing (DDI 0487, D24.2.40). */
#define ESR_FNV (1u << 10)

struct evidence {
	struct handoff *handoff;
	struct tables *tables;
	bool fetch;
};

static int read_memory(void *ctx, uint64_t pa, void *data, size_t len)
{
	return machine_phys_read(machine_of(((struct evidence *)ctx)->handoff), pa, data, len);
}

static bool is_ram(void *ctx, uint64_t pa)
{
	struct evidence *e = ctx;

	return machine_is_ram(machine_of(e->handoff), pa, 4, true);
}

static unsigned int judge(void *ctx, uint64_t pa)
{
	struct evidence *e = ctx;
	struct image *img = &e->handoff->image;
	const struct baton_image_region *region = image_region(img, pa);
	const struct rom *rom = image_rom(img, pa);
	uint32_t words[JUDGE_WORDS];
	uint8_t bytes[MATCH_BYTES];
	unsigned int proofs = 0;
	uint64_t at = 0, origin;

	if (machine_phys_read(machine_of(e->handoff), pa, bytes, sizeof(bytes)))
		return 0;
	for (unsigned int i = 0; i < JUDGE_WORDS; i++)
		words[i] = (uint32_t)le_read(bytes + 4 * i, 4);
	if (!e->fetch)
		proofs |= PROOF_SERVES;
	else if (insn_plausible(words, JUDGE_WORDS))
		proofs |= PROOF_CODE;
	if (region || rom)
		proofs |= PROOF_COPIED;
	if ((region && region->load_addr == pa) || (rom && rom->addr == pa))
		proofs |= PROOF_START;
	/* without a header: code that the image carries and that is here as well */
	if ((proofs & PROOF_CODE) && !(proofs & PROOF_COPIED) &&
	    !image_intact(img, pa, bytes, sizeof(bytes), &origin) &&
	    image_search(img, bytes, sizeof(bytes), &at))
		proofs |= PROOF_COPIED;
	return proofs;
}

static bool holds(void *ctx, uint64_t pa, uint64_t size)
{
	const struct image *img = &((struct evidence *)ctx)->handoff->image;

	for (size_t i = 0; img->has_header && i < img->header.num_regions; i++)
		if (img->region[i].load_addr - pa < size)
			return true;
	return false;
}

static size_t where_tables_lie(struct handoff *h, const struct regime *r, struct scan_span *spans)
{
	size_t n = h->image.spans;

	/* the last copy first: it may lie over what it was made of */
	for (size_t i = 0; i < n; i++)
		spans[i] = h->image.span[i + h->image.originals < n ? n - 1 - i
								    : i + h->image.originals - n];
	for (unsigned int half = 0; half <= (r->two_halves ? 1u : 0u); half++) {
		const struct ram_range *ram;
		struct pt_config cfg;

		if (pt_config_from_regime(&cfg, r, half ? UINT64_MAX : 0, NULL) || cfg.flat)
			continue;
		ram = machine_ram_find(machine_of(h), cfg.root);
		if (!ram || ram->kind != RAM_RAM)
			continue;
		spans[n].first =
			cfg.root - ram->first > NEAR_ROOT ? cfg.root - NEAR_ROOT : ram->first;
		spans[n++].last =
			ram->last - cfg.root > NEAR_ROOT ? cfg.root + NEAR_ROOT - 1 : ram->last;
	}
	return n;
}

/* Was the last repair for this, and is it still in place? Then it was no help. */
static bool is_back(struct handoff *h, const struct trouble *t)
{
	uint64_t now;

	if (h->fixed && h->fixed_reg[0])
		return h->fixed_va == t->va && h->fixed_cpu == t->cpu &&
		       !machine_reg_read(machine_of(h), t->cpu, h->fixed_reg, &now) &&
		       now == h->fixed_value;
	return h->fixed && h->fixed_va == t->va &&
	       !machine_phys_u64(machine_of(h), h->fixed_address, &now) && now == h->fixed_value;
}

/*
 * A walk that leaves an image of position-dependent tables: they point to where the image
 * was meant to be, and there is nothing. No entry is wrong then, the load address is.
 */
static bool misplaced(struct handoff *h, const struct pt_walk *w)
{
	const struct pt_step *last = w->steps ? &w->step[w->steps - 1] : NULL;
	uint8_t page[4096];

	if (!h->image.listed || w->steps < 2 || !image_holds(&h->image, w->step[0].table) ||
	    image_holds(&h->image, last->table) || last->desc ||
	    machine_phys_read(machine_of(h), last->table & ~UINT64_C(0xfff), page, sizeof(page)))
		return false;
	for (size_t i = 0; i < sizeof(page); i++)
		if (page[i])
			return false;
	return true;
}

static bool null_pointer(const struct trouble *t)
{
	return t->kind == TROUBLE_FAULT && t->va < 4096;
}

/* The code behind a switch of translation, which ran at its physical address. */
static bool is_behind_switch(struct handoff *h, const struct trouble *t)
{
	uint64_t pc = t->kind == TROUBLE_FAULT ? t->elr : t->pc;
	const struct watch *w;
	struct insn i;
	uint8_t raw[4];

	if (t->acc.kind != PT_FETCH || t->va != pc ||
	    machine_phys_read(machine_of(h), pc - 4, raw, sizeof(raw)))
		return false;
	i = insn_decode((uint32_t)le_read(raw, 4));
	w = i.kind == INSN_MSR ? watch_find(i.sysreg) : NULL;
	return w && w->el == t->regime.el &&
	       (w->role == WATCH_SCTLR || w->role == WATCH_TCR || w->role == WATCH_TTBR0 ||
		w->role == WATCH_TTBR1);
}

/*
 * Code that is mapped onto itself, as a loader's is, and asks for data: that address is
 * meant, and no other that some table happens to give.
 */
static bool means_itself(struct handoff *h, const struct trouble *t, struct tables *tables)
{
	struct pt_walk code;

	(void)h;
	return t->kind == TROUBLE_FAULT && t->acc.kind != PT_FETCH && !t->walk.cfg.half &&
	       !tables_walk(tables, t->elr, NULL, &code, NULL) && !code.fault && code.oa == t->elr;
}

static bool is_device(struct handoff *h, uint64_t pa)
{
	const struct ram_range *r = machine_ram_find(machine_of(h), pa);

	return r && r->kind == RAM_IO;
}

/* What the msr at pc writes. */
static const char *writes(struct handoff *h, const struct trouble *t)
{
	const struct watch *w = NULL;

	if (t->kind == TROUBLE_MMU)
		w = preflight_watch(machine_of(h), t->cpu, t->el, t->insn.sysreg);
	return w ? w->name : NULL;
}

/* xzr is no register to be set. */
static void drop_operands(struct repairs *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].kind != REPAIR_OPERAND)
			r->list[kept++] = r->list[i];
	r->count = kept;
}

int trouble_repairs(struct handoff *h, struct trouble *t)
{
	struct scan_span spans[IMAGE_SPANS + 2];
	struct tables tables;
	struct evidence e = { .handoff = h, .tables = &tables };
	struct repair_query q = {
		.read = read_memory, .is_ram = is_ram, .judge = judge, .holds = holds, .ctx = &e
	};
	int err;

	t->repairs.count = 0;
	t->nowhere = false;
	t->again = t->walked && is_back(h, t);
	t->misplaced = t->walked && misplaced(h, &t->walk);
	/* nothing is missing where a null pointer leads */
	if (!t->walked || t->again || t->misplaced || null_pointer(t))
		return 0;
	err = tables_init(&tables, machine_of(h), h->ctx->symbols, t->cpu, NULL, NULL);
	if (err)
		return err == -BATON_ELINK ? err : 0;
	err = image_load(&h->image, machine_of(h));
	if (err)
		return err;
	e.fetch = t->acc.kind == PT_FETCH;
	q.regime = &t->regime;
	q.reader = tables.reader;
	q.acc = t->acc;
	q.walk = &t->walk;
	q.onto_itself =
		t->kind == TROUBLE_MMU || is_behind_switch(h, t) || means_itself(h, t, &tables);
	q.device = q.onto_itself && is_device(h, t->va);
	/* to map what is not there would only move the fault */
	t->nowhere = q.onto_itself && !machine_ram_find(machine_of(h), t->va);
	if (t->nowhere)
		return tables.lost;
	/* of a machine that runs; a file has none of its own */
	q.registers = q.running = t->word || t->kind == TROUBLE_FAULT || t->kind == TROUBLE_FETCH;
	q.pc = t->pc;
	q.writes = writes(h, t);
	q.spans = spans;
	q.span_count = where_tables_lie(h, &t->regime, spans);
	repair_find(&q, &t->repairs);
	if (q.writes && t->insn.reg == 31)
		drop_operands(&t->repairs);
	err = tables.lost;
	return err ? err : target_find(h, t, &q);
}

const char *trouble_memory(const struct pt_walk *walk)
{
	/* B2.7.2: a branch to Device memory is treated as one to Normal memory, or faults */
	if (walk->fault || !walk->mapped || walk->cfg.flat || walk->attrs.mair & 0xf0)
		return NULL;
	return "that is mapped as Device memory, of which the CPU need not execute anything: "
	       "AttrIndx of the entry and MAIR do not fit";
}

static struct trouble *begin(struct handoff *h, enum trouble_kind kind, unsigned int cpu,
			     unsigned int el, uint64_t pc)
{
	struct trouble *t = &h->trouble;

	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->cpu = cpu;
	t->el = el;
	t->pc = pc;
	t->resets = machine_of(h)->resets;
	return t;
}

void trouble_other(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc,
		   const char *fmt, ...)
{
	struct trouble *t = begin(h, TROUBLE_OTHER, cpu, el, pc);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->what, sizeof(t->what), fmt, ap);
	va_end(ap);
}

int trouble_jump(struct handoff *h, enum trouble_kind kind, const struct visit *v,
		 struct tables *tables, uint64_t target, const struct pt_access *acc,
		 const struct pt_walk *walk, const char *what)
{
	struct trouble *t = begin(h, kind, v->cpu, v->el, v->pc);

	t->word = v->site.word;
	t->insn = v->site.insn;
	t->walked = true;
	t->regime = tables->regime;
	t->va = target;
	t->acc = *acc;
	t->walk = *walk;
	snprintf(t->what, sizeof(t->what), "%s", what ? what : "");
	return trouble_repairs(h, t);
}

static bool far_is_valid(uint64_t esr)
{
	unsigned int ec = esr >> 26 & 63;

	if (ec == 0x22) /* PC alignment */
		return true;
	return (esr_is_fetch_abort(esr) || esr_is_data_abort(esr)) && !(esr & ESR_FNV);
}

/* The regime that the faulting access was translated by, as its registers are now. */
static int walk_fault(struct handoff *h, struct trouble *t)
{
	unsigned int from = t->spsr >> 2 & 3;
	char spec[8] = { 'e', 'l', (char)('0' + (from ? from : 1)), 0 };
	struct buf why = { 0 };
	struct tables tables;
	int err = tables_init(&tables, machine_of(h), h->ctx->symbols, t->cpu, spec, &why);

	t->va = t->far;
	t->acc.el = from;
	t->acc.kind = esr_is_fetch_abort(t->esr) ? PT_FETCH : t->esr & 1 << 6 ? PT_WRITE : PT_READ;
	if (t->el > (from ? from : 1)) {
		snprintf(t->what, sizeof(t->what),
			 "EL%u took it from EL%u: a second stage, or a trap", t->el, from);
		return 0;
	}
	t->acc.pan = (t->spsr & 1 << 22) != 0 && from != 0;
	if (!err)
		err = tables_walk(&tables, t->va, &t->acc, &t->walk, &why);
	if (!err) {
		t->regime = tables.regime;
		t->walked = true;
	} else if (err != -BATON_ELINK && err != -BATON_ECANCELED) {
		snprintf(t->what, sizeof(t->what), "the walk is not known here: %s",
			 why.data ? why.data : "");
		err = 0;
	}
	buf_free(&why);
	return err;
}

/* Did that load or store take sp for its base (DDI 0487, C4.1.96)? */
static bool goes_by_sp(struct handoff *h, const struct trouble *t)
{
	uint8_t raw[4];
	uint32_t w;

	if (!esr_is_data_abort(t->esr) ||
	    machine_virt_read(machine_of(h), t->cpu, t->elr, raw, sizeof(raw)))
		return false;
	w = (uint32_t)le_read(raw, 4);
	return (w & 0x0a000000) == 0x08000000 && (w & 0x3b000000) != 0x18000000 &&
	       (w >> 5 & 31) == 31;
}

int trouble_fault(struct handoff *h, unsigned int cpu, unsigned int el, int vector)
{
	struct machine *m = machine_of(h);
	struct trouble *t = begin(h, TROUBLE_FAULT, cpu, el, 0);
	int err = machine_reg_read(m, cpu, "pc", &t->pc);

	if (!err)
		err = reg_of(m, cpu, "ESR", el, &t->esr);
	if (!err)
		err = reg_of(m, cpu, "ELR", el, &t->elr);
	if (!err)
		err = reg_of(m, cpu, "SPSR", el, &t->spsr);
	if (!err)
		err = reg_of(m, cpu, "FAR", el, &t->far);
	if (err)
		return err;
	t->whole = vector >= 0;
	t->vector = vector >= 0 ? (unsigned int)vector : 0;
	t->far_valid = far_is_valid(t->esr);
	t->by_sp = goes_by_sp(h, t);
	if (t->far_valid)
		err = walk_fault(h, t);
	else if (t->whole)
		err = conduit_find(h, t);
	if (!err && t->walked && t->walk.fault)
		err = trouble_repairs(h, t);
	if (!err && t->whole && t->elr != t->pc && !t->repairs.count)
		resume_find(h, t);
	if (!err && !t->whole && !t->repairs.count && t->elr - h->asked.pc <= 4)
		(void)conduit_asked(h, t);
	/* to map where a stray sp leads would only hide it */
	if (!err && t->whole)
		err = stack_find(h, t);
	if (!err && t->whole && !repair_best(&t->repairs))
		err = vbar_find(h, t);
	return err;
}

struct code {
	struct machine *machine;
	unsigned int cpu;
};

static int code_page(void *ctx, uint64_t address, uint8_t *data)
{
	struct code *c = ctx;

	return machine_virt_read(c->machine, c->cpu, address, data, SCAN_PAGE);
}

bool trouble_in_handler(struct handoff *h, const struct trouble *t)
{
	struct code code = { machine_of(h), t->cpu };
	struct scan_source source = { .page = code_page, .ctx = &code };
	struct scan_span around = { t->pc > NEAR_CODE ? t->pc - NEAR_CODE : 0, t->pc + NEAR_CODE };
	struct scan probe = { 0 };
	bool found;

	scan_from(&probe, &source, &around, 1, t->pc, SCAN_LINKED);
	found = t->elr != t->pc && scan_word(&probe, t->elr);
	scan_free(&probe);
	return found;
}

bool trouble_holds(struct handoff *h, unsigned int cpu)
{
	const struct trouble *t = &h->trouble;
	uint64_t pc;

	(void)cpu;
	return t->kind && t->resets == machine_of(h)->resets &&
	       !machine_reg_read(machine_of(h), t->cpu, "pc", &pc) && pc == t->pc;
}
