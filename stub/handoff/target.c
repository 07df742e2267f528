/* SPDX-License-Identifier: BSD-2-Clause */
/* Repairs of what the loader does, rather than of what it does it with. */
#include "handoff/internal.h"

#include "hex.h"
#include "mmu/map.h"

#include <stdlib.h>
#include <string.h>

/* ESR_ELx.EC of an hvc that was taken (DDI 0487, D24.2.40). */
#define EC_UNKNOWN 0x00
#define EC_HVC	   0x16

/* Larger device trees are not looked through. */
#define FDT_MAX	  (1u << 20)
#define FDT_MAGIC 0xd00dfeedu

/* What goes back and forth between the two: DDI 0487, C6.2 "HVC", "SMC". */
#define CONDUIT_BIT 1u

struct search {
	uint64_t pa, va;
	bool found;
};

static int look(void *ctx, const struct pt_range *r)
{
	struct search *s = ctx;

	if (s->pa < r->oa || s->pa - r->oa >= r->size || r->ia == r->oa)
		return 0;
	s->va = r->ia + (s->pa - r->oa);
	s->found = true;
	return -1;
}

/* Where else that physical address is mapped; not onto itself. */
static bool mapped_at(const struct repair_query *q, uint64_t pa, uint64_t *va)
{
	struct search s = { .pa = pa };
	const struct pt_map_sink sink = { .range = look, .ctx = &s };

	for (unsigned int half = 0; !s.found && half <= (q->regime->two_halves ? 1u : 0u); half++) {
		struct pt_config cfg;

		if (!pt_config_from_regime(&cfg, q->regime, half ? UINT64_MAX : 0, NULL) &&
		    !cfg.flat)
			(void)pt_map_words(&cfg, &q->reader, 0, UINT64_MAX, &sink, NULL);
	}
	*va = s.va;
	return s.found;
}

/*
 * The entry that the header names; where the jump goes to a physical address, that is where
 * the same code is mapped.
 */
static bool meant(const struct handoff *h, const struct trouble *t, const struct repair_query *q,
		  uint64_t *va)
{
	if (h->image.has_header && h->image.header.kernel_entry != t->va) {
		*va = h->image.header.kernel_entry;
		return true;
	}
	return t->walk.fault && (q->judge(q->ctx, t->va) & PROOF_START) && mapped_at(q, t->va, va);
}

int target_find(struct handoff *h, struct trouble *t, const struct repair_query *q)
{
	struct repair r = { .kind = REPAIR_TARGET };

	if (t->kind != TROUBLE_JUMP || !t->word || t->insn.kind != INSN_BR || q->walk->cfg.flat ||
	    !meant(h, t, q, &r.va))
		return 0;
	r.old = t->va;
	r.new = r.va;
	if (!pt_walk_regime(q->regime, &q->reader, r.va, &q->acc, &r.after, NULL))
		repair_try(q, &r, &t->repairs);
	return 0;
}

/* A property of the 4 bytes @value: behind its length and its name's offset. */
static bool has_value(const uint8_t *data, size_t size, const char *value)
{
	for (size_t i = 8; i + 4 <= size; i += 4)
		if (!memcmp(data + i, value, 4) && le_read(data + i - 8, 4) == 0x04000000)
			return true;
	return false;
}

const char *conduit_of(struct handoff *h)
{
	const char *said = NULL;

	for (size_t i = 0; i < h->image.rom_count && !said; i++) {
		const struct rom *rom = &h->image.roms[i];
		uint8_t head[8], *data;
		uint32_t size;

		if (strncmp(rom->name, "dtb", 3) != 0 ||
		    machine_phys_read(machine_of(h), rom->addr, head, sizeof(head)) ||
		    __builtin_bswap32((uint32_t)le_read(head, 4)) != FDT_MAGIC)
			continue;
		size = __builtin_bswap32((uint32_t)le_read(head + 4, 4));
		data = size <= FDT_MAX ? malloc(size) : NULL;
		if (data && !machine_phys_read(machine_of(h), rom->addr, data, size)) {
			bool hvc = has_value(data, size, "hvc");
			bool smc = has_value(data, size, "smc");

			said = hvc == smc ? NULL : hvc ? "hvc" : "smc";
		}
		free(data);
	}
	return said;
}

int conduit_find(struct handoff *h, struct trouble *t)
{
	unsigned int ec = t->esr >> 26 & 63;
	struct repair *r = &t->repairs.list[0];
	const char *said;
	uint8_t raw[4];
	struct insn i;
	uint32_t word;

	*r = (struct repair){ .kind = REPAIR_CONDUIT };
	r->address = ec == EC_HVC ? t->elr - 4 : t->elr;
	if ((ec != EC_UNKNOWN && ec != EC_HVC) ||
	    machine_virt_read(machine_of(h), t->cpu, r->address, raw, sizeof(raw)))
		return 0;
	word = (uint32_t)le_read(raw, 4);
	i = insn_decode(word);
	if (i.kind != INSN_SMC && i.kind != INSN_HVC)
		return 0;
	said = h->conduit ? h->conduit : conduit_of(h);
	if (said && !strcmp(said, i.kind == INSN_SMC ? "smc" : "hvc"))
		return 0;
	r->va = r->address;
	r->old = word;
	r->new = word ^ CONDUIT_BIT;
	r->proofs = said ? PROOF_SERVES : 0;
	t->repairs.count = 1;
	return 0;
}

void conduit_ask(struct handoff *h, const struct visit *v)
{
	const char *said = h->left || h->asked.used ? NULL : h->conduit;

	if (said && strcmp(said, v->site.insn.kind == INSN_SMC ? "smc" : "hvc") != 0)
		h->asked = (struct asked){
			.used = true, .pc = v->pc, .word = v->site.word, .resets = h->resets
		};
}

/* Where code that runs at @pc was before it, or its copy, moved there. */
static uint64_t original_of(const struct handoff *h, uint64_t pc)
{
	for (size_t i = h->event_count; i--;) {
		const struct event *e = &h->events[i];

		for (size_t n = 0; n < h->image.spans && e->kind == EVENT_MOVED; n++) {
			const struct scan_span *s = &h->image.span[n];

			if (pc < s->first || pc > s->last || e->after < s->first ||
			    e->after > s->last)
				continue;
			pc = pc - e->after + e->before;
			break;
		}
	}
	return pc;
}

/*
 * The loader took it for an answer, and there is no way back to before it but a reset. What
 * is patched then is the code as it is loaded.
 */
bool conduit_asked(struct handoff *h, struct trouble *t)
{
	const struct asked *a = &h->asked;
	uint64_t at = original_of(h, a->pc);

	if (!a->used || h->left || a->resets != machine_of(h)->resets ||
	    !image_holds(&h->image, at))
		return false;
	t->repairs.list[0] = (struct repair){ .kind = REPAIR_CONDUIT,
					      .basis = BASIS_ASKED,
					      .address = at,
					      .va = a->pc,
					      .old = a->word,
					      .new = a->word ^ CONDUIT_BIT,
					      .proofs = PROOF_SERVES };
	t->repairs.count = 1;
	return true;
}
