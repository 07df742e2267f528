/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exception whose vector cannot be run, and which vectors were meant: those that the register
 * held before, or holds on another CPU; those whose address known code makes; or the only ones
 * in the image. It is the repair where their handler would have gone on, else a hint.
 */
#include "handoff/internal.h"

#include "hex.h"

#include <string.h>

/* DDI 0487, D1.3.1.5 "Exception vectors": 16 entries of 32 instructions. */
#define TABLE_BYTES 0x800u
#define ENTRY_BYTES 0x80u
#define ENTRY_WORDS (ENTRY_BYTES / 4)

#define EC_UNKNOWN 0x00
#define EC_SVC	   0x15
#define EC_SMC	   0x17

/* What is behind an entry is the next one: it ends in itself. */
static bool is_entry(const uint8_t *raw)
{
	uint32_t words[ENTRY_WORDS];

	for (unsigned int i = 0; i < ENTRY_WORDS; i++) {
		struct insn insn;

		words[i] = (uint32_t)le_read(raw + 4 * (size_t)i, 4);
		insn = insn_decode(words[i]);
		if (insn_ends_path(&insn))
			return (insn.kind == INSN_B || insn.kind == INSN_BR ||
				insn.kind == INSN_ERET) &&
			       insn_plausible(words, i + 1);
	}
	return false;
}

bool vbar_is_table(const uint8_t *raw)
{
	for (unsigned int at = 0; at < TABLE_BYTES; at += ENTRY_BYTES)
		if (!is_entry(raw + at))
			return false;
	return true;
}

static bool may_fetch(struct handoff *h, const struct trouble *t, uint64_t va)
{
	struct pt_access fetch = { .kind = PT_FETCH, .el = t->el };
	struct tables tables;
	struct pt_walk walk;

	return !tables_init(&tables, machine_of(h), NULL, t->cpu, NULL, NULL) &&
	       !tables_walk(&tables, va, &fetch, &walk, NULL) && !walk.fault;
}

/* Vectors that the CPU could run, at @va. */
static bool table_at(struct handoff *h, const struct trouble *t, uint64_t va)
{
	uint8_t raw[TABLE_BYTES];

	return va && !(va & (TABLE_BYTES - 1)) &&
	       !machine_virt_read(machine_of(h), t->cpu, va, raw, sizeof(raw)) &&
	       vbar_is_table(raw) && may_fetch(h, t, va);
}

static const char *what_is_wrong(struct handoff *h, const struct trouble *t)
{
	uint8_t raw[4];

	if (t->vbar & (TABLE_BYTES - 1))
		return "is no multiple of 2 KiB: its bits 10 to 0 are RES0";
	if (!may_fetch(h, t, t->pc))
		return "is where nothing may be executed";
	if (machine_virt_read(machine_of(h), t->cpu, t->pc, raw, sizeof(raw)))
		return "is no memory";
	return le_read(raw, 4) >> 16 ? NULL : "is where there is no code";
}

static void propose(struct trouble *t, enum repair_basis basis, uint64_t table, uint64_t where,
		    unsigned int cpu)
{
	struct repairs *list = &t->repairs;

	for (size_t i = 0; i < list->count; i++)
		if (list->list[i].new == table)
			return;
	if (list->count == REPAIR_MAX)
		return;
	list->list[list->count++] = (struct repair){
		.kind = REPAIR_VECTORS,
		.reg = "VBAR",
		.el = t->el,
		.basis = basis,
		.address = where,
		.index = cpu,
		.old = t->vbar,
		.new = table,
		.score = 3 - (int)basis,
	};
}

/* What this register held, on this CPU or on another one: the last that was right. */
static void by_timeline(struct handoff *h, struct trouble *t)
{
	const char *name = watch_of(t->el, WATCH_VBAR)->name;

	for (size_t i = h->event_count; i-- && !t->repairs.count;) {
		const struct event *e = &h->events[i];

		if (e->kind == EVENT_SYSREG && e->name && !strcmp(e->name, name) &&
		    e->after != t->vbar && table_at(h, t, e->after))
			propose(t, BASIS_WRITTEN, e->after, e->pc, e->cpu);
	}
}

/* adr, adrp and add, ldr from a literal: the address that code makes at @w (C4.1.92, C4.1.96). */
static bool makes_address(struct handoff *h, const struct trouble *t, const struct scan_word *w,
			  uint64_t *va)
{
	uint64_t imm = (uint64_t)((int64_t)((uint64_t)w->word << 40) >> 45); /* imm19 */
	const struct scan_word *next;
	uint8_t raw[8];

	switch (w->word & 0x9f000000) {
	case 0x10000000:
		*va = w->pc + (imm << 2 | (w->word >> 29 & 3));
		return true;
	case 0x90000000:
		next = scan_word(&h->scan, w->pc + 4);
		*va = (w->pc & ~UINT64_C(0xfff)) + ((imm << 2 | (w->word >> 29 & 3)) << 12);
		if (next && (next->word & 0xffc00000) == 0x91000000 &&
		    (next->word >> 5 & 31) == (w->word & 31))
			*va += next->word >> 10 & 0xfff;
		return true;
	}
	if ((w->word & 0xff000000) != 0x58000000 ||
	    machine_virt_read(machine_of(h), t->cpu, w->pc + (imm << 2), raw, sizeof(raw)))
		return false;
	*va = le_read(raw, 8);
	return true;
}

static void by_code(struct handoff *h, struct trouble *t)
{
	uint64_t va;

	for (size_t i = 0; i < h->scan.size; i++) {
		const struct scan_word *w = &h->scan.words[i];

		if (w->pc != SCAN_NO_PC && makes_address(h, t, w, &va) && table_at(h, t, va))
			propose(t, BASIS_MADE, va, w->pc, t->cpu);
	}
}

/* What the header lists is the kernel's and the task's. */
static bool is_payload(const struct image *img, uint64_t pa)
{
	uint64_t data = img->header_at + sizeof(img->header) +
			img->header.num_regions * sizeof(img->region[0]);

	for (size_t i = 0; img->has_header && i < img->header.num_regions; i++)
		if (pa - (data + img->region[i].offset) < img->region[i].size)
			return true;
	return false;
}

/* Whatever in the image, near the code that runs, looks like vectors and is no other code. */
static int by_search(struct handoff *h, struct trouble *t)
{
	uint64_t pa = t->elr;
	struct tables tables;
	struct pt_walk walk;
	int err = image_load(&h->image, machine_of(h));

	if (err)
		return err;
	if (!tables_init(&tables, machine_of(h), NULL, t->cpu, NULL, NULL) &&
	    !tables_walk(&tables, t->elr, NULL, &walk, NULL) && !walk.fault)
		pa = walk.oa;
	for (size_t i = 0; i < h->image.originals; i++) {
		const struct scan_span *s = &h->image.span[i];
		uint64_t at = (s->first + TABLE_BYTES - 1) & ~(uint64_t)(TABLE_BYTES - 1);

		for (; pa >= s->first && pa <= s->last && at <= s->last; at += TABLE_BYTES) {
			const uint8_t *raw = image_bytes(&h->image, at, TABLE_BYTES);

			if (raw && vbar_is_table(raw) && !is_payload(&h->image, at) &&
			    !scan_word(&h->scan, at - pa + t->elr) &&
			    table_at(h, t, at - pa + t->elr))
				propose(t, BASIS_ONLY, at - pa + t->elr, at, t->cpu);
		}
	}
	return 0;
}

/*
 * Would the handler there go on? A call is served, and an instruction that not every CPU has
 * may have been a question. Another fault it would only have told.
 */
static bool is_served(struct handoff *h, const struct trouble *t, uint64_t table)
{
	unsigned int ec = t->esr >> 26 & 63;
	uint8_t raw[4];
	struct insn i;

	if (ec != EC_UNKNOWN && (ec < EC_SVC || ec > EC_SMC))
		return false;
	if (ec == EC_UNKNOWN) {
		if (machine_virt_read(machine_of(h), t->cpu, t->elr, raw, sizeof(raw)))
			return false;
		i = insn_decode((uint32_t)le_read(raw, 4));
		if (i.kind != INSN_MSR && i.kind != INSN_MRS && i.kind != INSN_SMC &&
		    i.kind != INSN_HVC)
			return false;
	}
	return code_returns(h, t->cpu, table + t->vector);
}

int vbar_find(struct handoff *h, struct trouble *t)
{
	const struct repairs was = t->repairs;
	int err = reg_of(machine_of(h), t->cpu, "VBAR", t->el, &t->vbar);

	if (err)
		return err == -BATON_ELINK ? err : 0;
	t->vbar_wrong = what_is_wrong(h, t);
	if (!t->vbar_wrong)
		return 0;
	t->repairs.count = 0;
	by_timeline(h, t);
	if (!t->repairs.count)
		by_code(h, t);
	if (!t->repairs.count)
		err = by_search(h, t);
	if (!t->repairs.count || (t->elr != t->pc && is_served(h, t, t->repairs.list[0].new)))
		return err;
	/* a hint, where it is more than a guess */
	if (t->repairs.list[0].basis != BASIS_ONLY && t->repairs.count == 1)
		t->vbar_meant = t->repairs.list[0];
	t->repairs = was;
	return err;
}
