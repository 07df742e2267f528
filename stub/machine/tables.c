/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/tables.h"

#include <string.h>

#define PSTATE_PAN (1u << 22)

static int read_word(void *ctx, uint64_t pa, uint64_t *value)
{
	struct tables *t = ctx;
	int err = machine_phys_u64(t->machine, pa, value);

	if (err == -BATON_ELINK || err == -BATON_ECANCELED)
		t->lost = err;
	return err;
}

static int read_sysreg(void *ctx, const char *name, uint64_t *value)
{
	struct tables *t = ctx;

	return machine_reg_read(t->machine, t->cpu, name, value);
}

static const char *name_of(void *ctx, uint64_t addr, uint64_t *offset)
{
	struct tables *t = ctx;

	return t->symbols ? symbols_name(t->symbols, addr, offset) : NULL;
}

int tables_init(struct tables *t, struct machine *m, struct symbols *symbols, unsigned int cpu,
		const char *spec, struct buf *why)
{
	const struct regime_source source = { .sysreg = read_sysreg, .ctx = t };
	size_t words = why ? why->len : 0;
	uint64_t cpsr;
	int el, err;

	memset(t, 0, sizeof(*t));
	t->machine = m;
	t->symbols = symbols;
	t->cpu = cpu;
	t->spec = spec;
	t->reader = (struct pt_reader){ .read = read_word, .ctx = t };
	t->names = (struct pt_names){ .symbol = name_of, .ctx = t };
	el = machine_el(m, cpu);
	err = el < 0 ? el : machine_reg_read(m, cpu, "cpsr", &cpsr);
	if (!err) {
		t->el = (unsigned int)el;
		t->pan = cpsr & PSTATE_PAN;
		err = regime_read(&t->regime, spec, t->el, &source, why);
	}
	if (err && why && why->len == words)
		buf_puts(why, machine_error(m, err));
	return err;
}

struct pt_access tables_access(const struct tables *t, enum pt_access_kind kind, bool el0)
{
	return (struct pt_access){
		.kind = kind,
		.el = el0 || (!t->el && !t->spec) ? 0 : t->regime.el,
		.pan = t->pan && t->el == t->regime.el,
	};
}

int tables_walk(struct tables *t, uint64_t va, const struct pt_access *acc, struct pt_walk *out,
		struct buf *why)
{
	size_t words = why ? why->len : 0;
	int err = pt_walk_regime(&t->regime, &t->reader, va, acc, out, why);

	if (t->lost)
		err = t->lost;
	if (err && why && why->len == words)
		buf_puts(why, machine_error(t->machine, err));
	return err;
}

static int gather(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		  bool *ok)
{
	int err = machine_phys_gather(ctx, pa, n, size, data, ok);

	return err ? err : machine_phys_gathered(ctx, n - 1);
}

struct pt_bulk tables_bulk(struct machine *m)
{
	return (struct pt_bulk){ gather, m, NULL };
}
