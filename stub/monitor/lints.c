/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/lints.h"

#include <stdio.h>
#include <string.h>

#define VECTORS	    16u
#define VECTOR_SIZE 0x80u
#define STACK_SLOT  16u
#define ROOT_BITS   UINT64_C(0xfffffffff000)

enum lint_memory lints_memory_at(void *ctx, uint64_t pa, uint64_t *last, const char **name)
{
	static const enum lint_memory kinds[] = {
		[RAM_RAM] = LINT_RAM,
		[RAM_ROM] = LINT_ROM,
		[RAM_IO] = LINT_DEVICE,
	};
	const struct machine *m = ctx;
	const struct ram_range *r = machine_ram_find(m, pa);

	*name = "nothing";
	*last = UINT64_MAX;
	if (r) {
		*name = r->name;
		*last = r->last;
		return kinds[r->kind];
	}
	for (size_t i = 0; i < m->ram_count; i++) {
		if (m->ram[i].first > pa && m->ram[i].first - 1 < *last)
			*last = m->ram[i].first - 1;
	}
	return m->ram_partial ? LINT_UNKNOWN : LINT_NOTHING;
}

/* Where the CPU is, physically. */
static bool pc_physical(struct lints *l, uint64_t pc, uint64_t *pa)
{
	struct pt_access acc = tables_access(&l->now, PT_ANY, false);
	struct pt_walk w;

	if (tables_walk(&l->now, pc, &acc, &w, NULL) || !w.mapped)
		return false;
	*pa = w.oa;
	return true;
}

static void add_place(struct lints *l, struct lint_place p)
{
	if (l->in.place_count < LINTS_PLACES)
		l->places[l->in.place_count++] = p;
}

static void add_vectors(struct lints *l)
{
	static const char *const names[] = { "", "VBAR_EL1", "VBAR_EL2", "VBAR_EL3" };
	struct tables *t = &l->maps.tables;
	const char *name = names[t->regime.el & 3];
	struct pt_access acc = { .kind = PT_FETCH, .el = t->regime.el };
	uint64_t vbar;

	if (machine_reg_read(t->machine, t->cpu, name, &vbar))
		return;
	for (unsigned int i = 0; i < VECTORS; i++) {
		uint64_t va = (vbar & ~UINT64_C(0x7ff)) + (uint64_t)i * VECTOR_SIZE;

		add_place(l, (struct lint_place){ LINT_VBAR, name, va, VECTOR_SIZE, acc, false });
	}
}

static void add_pc_and_sp(struct lints *l, uint64_t pc)
{
	struct tables *t = &l->maps.tables;
	bool off = !regime_mmu_on(&l->now.regime), el0 = !t->el;
	struct pt_access fetch = tables_access(t, PT_FETCH, el0);
	struct pt_access push = tables_access(t, PT_WRITE, el0);
	uint64_t sp;

	/* no instruction has a length other than 4 */
	add_place(l, (struct lint_place){ LINT_PC, "pc", pc, 4, fetch, off });
	if (!machine_reg_read(t->machine, t->cpu, "sp", &sp) && sp)
		add_place(l, (struct lint_place){ LINT_SP, "below sp,", sp - STACK_SLOT, STACK_SLOT,
						  push, false });
}

/* What the loader will copy, as long as it has not: what it has is where it belongs. */
static void add_regions(struct lints *l, struct machine *m)
{
	const struct image *img = &l->image;

	for (size_t i = 0; i < img->header.num_regions; i++) {
		const struct baton_image_region *r = &img->region[i];
		uint64_t differs;
		bool changed = false;

		if (!r->size || !image_verify(&l->image, m, r, &differs, &changed))
			continue;
		snprintf(l->names[i], sizeof(l->names[i]),
			 "region %zu, %#" PRIx64 " bytes at %#" PRIx64, i, r->size, r->load_addr);
		l->lost[l->in.lost_count++] =
			(struct lint_span){ r->load_addr, r->load_addr + (r->size - 1),
					    l->names[i] };
	}
}

/* The image that @pa is in; *@is: there is one, listed by QEMU or with the header. */
static int find_image(struct lints *l, struct machine *m, uint64_t pa, bool *is)
{
	int err = image_open(&l->image, m, pa);

	if (!err)
		err = image_load(&l->image, m);
	*is = !err && (l->image.listed || l->image.has_header);
	return err == -BATON_ELINK || err == -BATON_ECANCELED ? err : 0;
}

static int add_image(struct lints *l, struct machine *m, uint64_t pc)
{
	struct tables *t = &l->maps.tables;
	struct pt_access acc = { .kind = PT_FETCH, .el = t->regime.el };
	uint64_t pa;
	bool is = false;
	int err = pc_physical(l, pc, &pa) ? find_image(l, m, pa, &is) : 0;

	/* Beyond the jump, or where it failed, the loader is whose tables are in use. */
	if (!err && !is)
		err = find_image(l, m, t->regime.ttbr[0] & ROOT_BITS, &is);
	if (err || !is)
		return err;
	for (size_t i = 0; i < l->image.originals; i++)
		l->spans[l->in.image_count++] =
			(struct lint_span){ l->image.span[i].first, l->image.span[i].last,
					    l->image.name };
	if (!l->image.has_header)
		return 0;
	add_regions(l, m);
	if (!t->regime.own && l->image.header.kernel_entry != pc)
		add_place(l, (struct lint_place){ LINT_ENTRY, "the kernel's entry",
						  l->image.header.kernel_entry, 4, acc, false });
	return 0;
}

size_t lints_serial(const struct machine *m, struct lint_span *out)
{
	static const char *const words[] = { "pl011", "serial", "uart" };
	size_t n = 0;

	for (size_t i = 0; i < m->ram_count && n < LINTS_SERIAL; i++) {
		const struct ram_range *r = &m->ram[i];

		for (size_t w = 0; w < 3; w++) {
			if (r->kind != RAM_IO || !strstr(r->name, words[w]))
				continue;
			out[n++] = (struct lint_span){ r->first, r->last, r->name };
			break;
		}
	}
	return n;
}

static void add_roots(struct lints *l)
{
	static const char *const names[] = { "TTBR0_EL1", "TTBR1_EL1", "TTBR0_EL2",
					     "TTBR1_EL2", "TTBR0_EL3", "VTTBR_EL2" };
	struct tables *t = &l->maps.tables;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t root;

		if (!machine_reg_read(t->machine, t->cpu, names[i], &root))
			l->roots[l->in.root_count++] = root & ROOT_BITS;
	}
}

/* What the CPU needs next, if this is the regime that it is in, or will be. */
static int add_places(struct lints *l)
{
	struct tables *t = &l->maps.tables;
	bool mine = l->now_known && l->now.regime.el == t->regime.el && !t->regime.stage2;
	uint64_t pc;
	int err;

	if (!l->now_known)
		return 0;
	err = machine_reg_read(t->machine, t->cpu, "pc", &pc);
	if (err) /* a file may have none */
		return err == -BATON_ENOTFOUND ? 0 : err;
	if (mine && !t->regime.own) {
		add_pc_and_sp(l, pc);
		add_vectors(l);
	}
	return mine ? add_image(l, t->machine, pc) : 0;
}

static int open_bulk(struct lints *l)
{
	struct maps *m = &l->maps;

	/* A half that does not decode is the lint's to explain. */
	if (!m->tables.regime.nested ||
	    pt_config_from_regime(&m->cfg[0], &m->tables.regime, 0, NULL))
		return 0;
	return pt_config_stage2(&m->s2, &m->cfg[0], NULL);
}

int lints_open(struct lints *l, struct cmd *c)
{
	struct tables *t = &l->maps.tables;
	int err;

	memset(l, 0, sizeof(*l));
	l->maps.cmd = c;
	err = tables_open(t, c);
	if (err)
		return err;
	if (!regime_mmu_on(&t->regime))
		return cmd_fail(c, -BATON_EINVAL,
				"the MMU is off: no table is in use (`pt-lint -r pending` looks at "
				"what the registers say all the same)");
	l->now_known = !tables_init(&l->now, c->machine, c->ctx->symbols, c->cpu, NULL, NULL);
	l->in = (struct lint_input){
		.regime = &t->regime,
		.bulk = maps_bulk(&l->maps),
		.reader = t->reader,
		.memory = c->machine->ram_count ? lints_memory_at : NULL,
		.ctx = c->machine,
		.lost = l->lost,
		.image = l->spans,
		.serial = l->serial,
		.roots = l->roots,
		.places = l->places,
	};
	err = open_bulk(l);
	if (!err)
		err = add_places(l);
	if (err)
		return cmd_fail(c, err, NULL);
	l->in.serial_count = lints_serial(c->machine, l->serial);
	add_roots(l);
	return 0;
}

void lints_close(struct lints *l)
{
	image_free(&l->image);
}

int lints_run(struct lints *l, struct lint_report *report)
{
	int err = lint_run(&l->in, report);

	if (!err)
		err = l->maps.tables.lost;
	if (!err)
		return 0;
	return cmd_fail(l->maps.cmd, err, err == -BATON_ECANCELED ? "cancelled" : NULL);
}
