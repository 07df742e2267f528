// SPDX-License-Identifier: BSD-2-Clause
/* A fault as the registers would report it: ESR_ELx, HPFAR_EL2 (DDI 0487, D24.2.40, D24.2.58). */
#include "mmu/internal.h"

/* DFSC and IFSC: ISS encoding for an exception from an abort. */
static unsigned int fault_status(const struct pt_walk *w)
{
	static const unsigned char base[] = {
		[PT_FAULT_ADDRESS_SIZE] = 0x00, [PT_FAULT_TRANSLATION] = 0x04,
		[PT_FAULT_ACCESS_FLAG] = 0x08,	[PT_FAULT_PERMISSION] = 0x0c,
		[PT_FAULT_EXTERNAL] = 0x14,
	};
	/* There are no leaves at level -1, so no access flag or permission faults. */
	static const unsigned char minus_one[] = {
		[PT_FAULT_ADDRESS_SIZE] = 0x29,
		[PT_FAULT_TRANSLATION] = 0x2b,
		[PT_FAULT_EXTERNAL] = 0x13,
	};

	return w->level < 0 ? minus_one[w->fault] : base[w->fault] + (unsigned int)w->level;
}

unsigned int pt_walk_fault_el(const struct pt_walk *w)
{
	return w->stage == 2 ? 2 : w->cfg.regime.el;
}

uint64_t pt_walk_esr(const struct pt_walk *w, const struct pt_access *acc)
{
	bool fetch = acc && acc->kind == PT_FETCH;
	bool write = acc && acc->kind == PT_WRITE;
	unsigned int from = acc ? acc->el : w->cfg.regime.el;
	uint64_t class = fetch ? 0x20 : 0x24;

	if (w->fault == PT_FAULT_NONE)
		return 0;
	class += from >= pt_walk_fault_el(w);
	return class << 26 | BIT(25) | (write ? BIT(6) : 0) | (w->s1ptw ? BIT(7) : 0) |
	       fault_status(w);
}

bool pt_walk_hpfar(const struct pt_walk *w, uint64_t *hpfar)
{
	if (w->fault == PT_FAULT_NONE || w->fault == PT_FAULT_EXTERNAL || w->stage != 2)
		return false;
	if (w->fault == PT_FAULT_PERMISSION && !w->s1ptw)
		return false;
	/* FIPA is IPA[51:12] at bits 43:4. */
	*hpfar = (w->fault_ipa & low_bits(52)) >> 12 << 4;
	return true;
}
