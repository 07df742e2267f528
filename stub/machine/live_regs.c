/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers. `g` comes first after every stop - under KVM a `p` alone returns what
 * was true before - and holds the core registers; the system registers follow with
 * `p`, all in one flight.
 */
#include "machine/live.h"

#include "hex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* QEMU's names are those of its C source: SCTLR_EL1 is `SCTLR`, but TCR_EL1 is `TCR_EL1`. */
static const struct {
	const char *arch, *qemu;
} irregular[] = {
	{ "SCTLR_EL1", "SCTLR" },
	{ "VBAR_EL1", "VBAR" },
	{ "CPACR_EL1", "CPACR" },
	{ "AMAIR_EL1", "AMAIR0" },
	{ "CNTKCTL_EL1", "CNTKCTL" },
	{ "CLIDR_EL1", "CLIDR" },
	{ "CSSELR_EL1", "CSSELR" },
	{ "AIDR_EL1", "AIDR" },
	{ "lr", "x30" },
	{ "fp", "x29" },
	{ "pstate", "cpsr" },
	{ "ip0", "x16" },
	{ "ip1", "x17" },
};

static const struct tdesc_reg *find_reg(const struct live *l, const char *name)
{
	const struct tdesc_reg *r = tdesc_find(&l->tdesc, name);
	char folded[64];
	size_t n = strlen(name);

	if (r || n >= sizeof(folded))
		return r;
	for (size_t i = 0; i < sizeof(irregular) / sizeof(irregular[0]); i++) {
		if (strcasecmp(name, irregular[i].arch) == 0) {
			r = tdesc_find(&l->tdesc, irregular[i].qemu);
			if (r)
				return r;
		}
	}
	for (size_t i = 0; i <= n; i++)
		folded[i] = (char)toupper((unsigned char)name[i]);
	r = tdesc_find(&l->tdesc, folded);
	for (size_t i = 0; !r && i <= n; i++)
		folded[i] = (char)tolower((unsigned char)name[i]);
	return r ? r : tdesc_find(&l->tdesc, folded);
}

bool live_shows(const struct live *l, const char *name)
{
	return find_reg(l, name);
}

static struct live_reg *cached(struct live *l, unsigned int cpu, unsigned int regnum)
{
	for (size_t i = 0; i < l->reg_count; i++) {
		if (l->regs[i].cpu == cpu && l->regs[i].regnum == regnum)
			return &l->regs[i];
	}
	return NULL;
}

static struct live_reg *cache_slot(struct live *l, unsigned int cpu, unsigned int regnum)
{
	if (l->reg_count == l->reg_cap) {
		l->reg_cap = l->reg_cap ? 2 * l->reg_cap : 64;
		l->regs = realloc(l->regs, l->reg_cap * sizeof(*l->regs));
		if (!l->regs)
			abort();
	}
	l->regs[l->reg_count] = (struct live_reg){ .cpu = cpu, .regnum = regnum };
	return &l->regs[l->reg_count++];
}

int live_g(struct live *l, unsigned int cpu, const struct buf **g)
{
	int err = 0;

	if (cpu >= l->m.cpus)
		return -BATON_ENOTFOUND;
	if (l->g[cpu].len == 0) {
		err = live_select(l, cpu);
		if (!err)
			err = rsp_call(&l->rsp, &l->g[cpu], "g");
		if (!err && l->g[cpu].len && l->g[cpu].data[0] == 'E') {
			buf_clear(&l->g[cpu]);
			err = machine_fail(&l->m, -BATON_EREMOTE,
					   "QEMU does not give the registers of CPU %u", cpu);
		}
	}
	*g = &l->g[cpu];
	return err;
}

/* A register out of the `g` packet; false if it is not in there. */
static bool from_g(const struct buf *g, const struct tdesc_reg *r, uint64_t *value)
{
	size_t bytes = r->bitsize / 8;
	uint8_t raw[8];

	if (r->offset < 0 || bytes == 0 || bytes > sizeof(raw) ||
	    2 * ((size_t)r->offset + bytes) > g->len)
		return false;
	if (hex_decode(g->data + 2 * r->offset, 2 * bytes, raw))
		return false; /* "xxxx": not available */
	*value = le_read(raw, (unsigned int)bytes);
	return true;
}

bool live_core(struct live *l, const struct buf *g, uint64_t core[CORE_COUNT])
{
	for (unsigned int i = 0; i < CORE_COUNT; i++) {
		if (!l->core[i])
			l->core[i] = find_reg(l, machine_core_names[i]);
		if (!l->core[i] || !from_g(g, l->core[i], &core[i]))
			return false;
	}
	return true;
}

struct fetch {
	struct live *l;
	unsigned int cpu;
	struct live_reg *slot; /* count of them, in the cache */
};

static void fetch_request(void *ctx, size_t i, struct buf *payload)
{
	struct fetch *f = ctx;

	buf_printf(payload, "p%x", f->slot[i].regnum);
}

static int fetch_reply(void *ctx, size_t i, const struct buf *answer)
{
	struct live_reg *slot = &((struct fetch *)ctx)->slot[i];
	uint8_t raw[16];

	if (answer->len == 0 || answer->len > 2 * sizeof(raw) ||
	    hex_decode(answer->data, answer->len, raw))
		slot->err =
			answer->len && answer->data[0] == 'E' ? -BATON_EREMOTE : -BATON_ENOTFOUND;
	else
		slot->value = le_read(raw, answer->len < 16 ? (unsigned int)answer->len / 2 : 8);
	return 0;
}

int live_regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n)
{
	struct live *l = live_of(m);
	const struct buf *g;
	size_t first;
	int err = live_g(l, cpu, &g);

	if (err)
		return err;
	first = l->reg_count;
	for (size_t i = 0; i < n; i++) {
		const struct tdesc_reg *r = find_reg(l, regs[i].name);

		regs[i].err = r ? 0 : -BATON_ENOTFOUND;
		if (r && !from_g(g, r, &regs[i].value) && !cached(l, cpu, r->regnum))
			cache_slot(l, cpu, r->regnum);
	}
	if (l->reg_count > first) {
		struct fetch f = { l, cpu, &l->regs[first] };
		struct rsp_pipeline p = { l->reg_count - first, fetch_request, fetch_reply, &f };

		err = live_select(l, cpu);
		if (!err)
			err = rsp_pipeline(&l->rsp, &p);
		if (err) {
			l->reg_count = first;
			return err;
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct tdesc_reg *r = find_reg(l, regs[i].name);
		struct live_reg *have = r ? cached(l, cpu, r->regnum) : NULL;

		if (have) {
			regs[i].err = have->err;
			regs[i].value = have->value;
		}
	}
	return 0;
}

int live_reg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value)
{
	struct live *l = live_of(m);
	const struct tdesc_reg *r = find_reg(l, name);
	struct buf packet = { 0 }, reply = { 0 };
	uint8_t raw[8];
	int err;

	if (!r || r->bitsize > 64)
		return -BATON_ENOTFOUND;
	le_write(raw, r->bitsize / 8, value);
	buf_printf(&packet, "P%x=", r->regnum);
	hex_encode(&packet, raw, r->bitsize / 8);
	err = live_forward(l, cpu, packet.data, packet.len, &reply);
	if (!err && strcmp(reply.data ? reply.data : "", "OK") != 0)
		err = machine_fail(m, -BATON_EREMOTE, "QEMU refuses to write %s", name);
	buf_free(&packet);
	buf_free(&reply);
	return err;
}

void live_expedite(struct live *l, unsigned int cpu, struct buf *reply)
{
	const struct buf *g;

	if (live_g(l, cpu, &g))
		return;
	for (size_t i = 0; i < l->tdesc.count; i++) {
		const struct tdesc_reg *r = &l->tdesc.regs[i];
		size_t at = 2 * (size_t)r->offset, len = r->bitsize / 4;

		/* Vector registers only on demand: a step does not show them. */
		if (r->offset < 0 || r->bitsize > 64 || at + len > g->len)
			continue;
		buf_printf(reply, "%x:", r->regnum);
		buf_add(reply, g->data + at, len);
		buf_putc(reply, ';');
	}
}
