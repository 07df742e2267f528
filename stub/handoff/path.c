/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/path.h"

#include "handoff/insn.h"

#define MOST 96

static bool is_isb(uint32_t w)
{
	return (w & 0xfffff0ff) == 0xd50330df;
}

bool path_is_dsb(uint32_t w)
{
	return (w & 0xfffff0ff) == 0xd503309f || (w & 0xfffff3ff) == 0xd503323f; /* nXS */
}

/* One instruction; false: the way ends at it. */
static bool step(struct path *p, bool through, uint64_t *link)
{
	struct insn i = insn_decode(p->word);

	switch (i.kind) {
	case INSN_BL:
		*link = p->pc + 4;
		p->pc += (uint64_t)i.offset;
		return true;
	case INSN_B:
		p->pc += (uint64_t)i.offset;
		return true;
	case INSN_RET:
		p->pc = *link;
		return i.reg == 30 && !i.pauth && *link;
	case INSN_ERET:
	case INSN_SVC:
	case INSN_HVC:
	case INSN_SMC:
	case INSN_BRK:
		p->end = PATH_SYNC;
		return false;
	case INSN_BR:
	case INSN_BLR:
	case INSN_COND:
	case INSN_UDF:
	case INSN_HLT:
	case INSN_WFI:
	case INSN_WFE:
		return false;
	case INSN_OTHER:
	case INSN_MSR:
	case INSN_MRS:
	case INSN_MSR_IMM:
	case INSN_TLBI:
	case INSN_CACHE:
		break;
	}
	if (is_isb(p->word) && !through) {
		p->end = PATH_SYNC;
		return false;
	}
	p->dsb |= path_is_dsb(p->word);
	if (i.x30 != X30_KEPT)
		*link = 0;
	p->pc += 4;
	return true;
}

void path_follow(const struct path_source *s, uint64_t pc, uint64_t link, uint64_t until,
		 bool through, struct path *out)
{
	*out = (struct path){ .end = PATH_LOST, .pc = pc };
	for (unsigned int n = 0; n < MOST; n++) {
		if (out->pc == until) {
			out->end = PATH_THERE;
			return;
		}
		if (s->word(s->ctx, out->pc, &out->word) || !step(out, through, &link))
			return;
	}
}
