/* SPDX-License-Identifier: BSD-2-Clause */
/* Which repair is the better one. */
#include "handoff/repair.h"

#include <string.h>

static const struct scan_span *span_of(const struct repair_query *q, uint64_t pa)
{
	for (size_t i = 0; i < q->span_count; i++)
		if (pa >= q->spans[i].first && pa <= q->spans[i].last)
			return &q->spans[i];
	return NULL;
}

/*
 * A loader that moved has two copies of its tables, and goes by those that came along: with
 * the code that runs, or with @near, what is wrong now.
 */
static bool left_behind(const struct repair_query *q, uint64_t table, uint64_t near)
{
	const struct scan_span *span = span_of(q, table), *here = span_of(q, q->pc);

	return q->running && here && span != here && span != span_of(q, near);
}

/* The table that the entry leads to now holds nothing at all, or leads back to itself. */
static bool leads_to_nothing(const struct repair_query *q, const struct repair *r)
{
	uint64_t table = pt_desc_address(&q->walk->cfg, r->level, PT_TABLE, r->old);
	uint8_t part[4096]; /* no granule is smaller */

	for (unsigned int i = 0; i < q->walk->steps && q->walk->step[i].level <= r->level; i++)
		if (q->walk->step[i].table == table)
			return true;
	for (uint64_t at = 0; at < 1ull << q->walk->cfg.granule; at += sizeof(part)) {
		if (q->read(q->ctx, table + at, part, sizeof(part)))
			return true;
		for (size_t i = 0; i < sizeof(part); i++)
			if (part[i])
				return false;
	}
	return true;
}

/* What an entry that is not zero says, somebody meant: to replace it wants a reason. */
static void rate(const struct repair_query *q, struct repair *r)
{
	static const int use_score[] = {
		[USE_ORPHAN] = 3,   [USE_OTHER_HALF] = 2, [USE_CHILD] = 1,
		[USE_IDENTITY] = 0, [USE_THIS_HALF] = 0,
	};

	r->score = (r->proofs & PROOF_CODE ? 4 : 0) + (r->proofs & PROOF_COPIED ? 4 : 0) +
		   (r->proofs & PROOF_START ? 2 : 0) + (r->proofs & PROOF_SERVES ? 1 : 0);
	switch (r->kind) {
	case REPAIR_TABLE:
		/* to map the loader onto itself a table of the kernel's is a makeshift */
		r->score += q->onto_itself && r->use != USE_ORPHAN ? 0 : use_score[r->use];
		r->score += span_of(q, r->table) == span_of(q, r->address) ? 2 : 0;
		r->score -= left_behind(q, r->table, r->address) ? 4 : 0;
		r->score -= !r->old ? 0 : leads_to_nothing(q, r) ? 1 : 3;
		break;
	case REPAIR_NEIGHBOR:
		r->score += (r->like + 1 == r->index || r->like == r->index + 1) ? 2 : 1;
		r->score += q->onto_itself ? 2 : 0;
		break;
	case REPAIR_SHIFTED:
		r->score += 1;
		break;
	case REPAIR_BITS:
		r->score += 4;
		break;
	case REPAIR_ONTO:
		r->score += 3;
		break;
	case REPAIR_SYSREG:
	case REPAIR_OPERAND:
		/* tables that lead all the way are no accident */
		r->score += 7 - (int)r->changes;
		/* what a table leads to is no root */
		r->score += r->use == USE_ORPHAN ? 1 : r->use == USE_OTHER_HALF ? -2 : 0;
		/* nor does it map what else the loader needs */
		r->score -= q->onto_itself && r->use == USE_OTHER_HALF ? 2 : 0;
		r->score -= r->table && left_behind(q, r->table, q->walk->cfg.root) ? 6 : 0;
		break;
	case REPAIR_TARGET:
	case REPAIR_CONDUIT:
	case REPAIR_VECTORS:
	case REPAIR_STACK:
	case REPAIR_LINK:
	case REPAIR_RESUME:
		r->score += 8;
		break;
	}
}

void repair_keep(const struct repair_query *q, struct repairs *out, struct repair *r)
{
	size_t at;

	rate(q, r);
	for (at = 0; at < out->count; at++)
		if (out->list[at].address == r->address && out->list[at].new == r->new &&
		    out->list[at].reg == r->reg)
			return;
	for (at = 0; at < out->count && out->list[at].score >= r->score; at++)
		;
	if (at == REPAIR_MAX)
		return;
	if (out->count < REPAIR_MAX)
		out->count++;
	memmove(&out->list[at + 1], &out->list[at], (out->count - 1 - at) * sizeof(*r));
	out->list[at] = *r;
}

const struct repair *repair_best(const struct repairs *r)
{
	if (!r->count || (r->count > 1 && r->list[0].score == r->list[1].score))
		return NULL;
	if (r->list[0].kind == REPAIR_CONDUIT && !r->list[0].proofs)
		return NULL;
	return &r->list[0];
}

size_t repair_choices(const struct repairs *r)
{
	size_t n = r->count > 0;

	while (n && n < r->count && r->list[n].score == r->list[0].score)
		n++;
	return n;
}
