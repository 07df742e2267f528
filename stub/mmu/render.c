// SPDX-License-Identifier: BSD-2-Clause
/* A walk as text: what was looked up, and the conclusion as the last line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "mmu/a64.h"
#include "mmu/render.h"

static void add_symbol(const struct pt_names *names, uint64_t addr, const char *before,
		       const char *after, struct buf *out)
{
	uint64_t offset = 0;
	const char *name = names && names->symbol ? names->symbol(names->ctx, addr, &offset) : NULL;

	if (!name)
		return;
	buf_printf(out, offset ? "%s%s+0x%" PRIx64 : "%s%s", before, name, offset);
	buf_puts(out, after);
}

const char *pt_render_perm(unsigned int perm)
{
	static const char *const words[8] = {
		"---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"
	};

	return words[perm & 7];
}

void pt_render_size(uint64_t size, struct buf *out)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	unsigned int u = 0;

	while (u < 5 && size && !(size & 1023)) {
		size >>= 10;
		u++;
	}
	buf_printf(out, "%" PRIu64 " %s", size, units[u]);
}

static void say_type(const struct pt_attrs *a, struct buf *out)
{
	static const char *const share[4] = { "non-shareable", "reserved shareability",
					      "outer shareable", "inner shareable" };

	mair_say(a->mair, out);
	if (!mair_is_device(a->mair)) /* of devices it goes without saying */
		buf_printf(out, ", %s", share[a->share]);
}

void pt_render_attrs(const struct pt_attrs *a, struct buf *out)
{
	say_type(a, out);
	buf_puts(out, a->af ? ", AF" : ", AF clear");
	buf_puts(out, a->ng ? ", nG" : "");
	buf_puts(out, a->ns ? ", NS" : "");
	buf_puts(out, a->nse ? ", NSE" : "");
	buf_puts(out, a->contiguous ? ", contiguous" : "");
	buf_puts(out, a->dbm ? ", DBM" : "");
	buf_puts(out, a->guarded ? ", guarded" : "");
}

static void say_flat(const struct pt_config *c, struct buf *out)
{
	const struct regime *r = &c->regime;

	if (r->stage2)
		buf_puts(out, " · off (HCR_EL2.VM = 0)");
	else if (r->el == 1 && (r->hcr & (HCR_DC | HCR_TGE)))
		buf_printf(out, " · MMU off (HCR_EL2.%s = 1)", r->hcr & HCR_DC ? "DC" : "TGE");
	else
		buf_printf(out, " · MMU off (SCTLR_EL%u.M = 0)", r->el);
	if (c->oa_bits)
		buf_printf(out, " · %u-bit physical addresses", c->oa_bits);
	buf_putc(out, '\n');
}

static void say_txsz(const struct pt_config *c, struct buf *out)
{
	buf_printf(out, "%s.T%uSZ = %u", regime_tcr_name(&c->regime), c->half, 64 - c->ia_bits);
}

void pt_render_head(const struct pt_config *c, const struct pt_names *names, struct buf *out)
{
	const struct regime *r = &c->regime;

	buf_printf(out, "%s%s", r->secure && r->el < 3 ? "Secure " : "", r->title);
	if (c->flat) {
		say_flat(c, out);
		return;
	}
	buf_printf(out, " · %s %s0x%" PRIx64, regime_root_name(r, c->half),
		   r->own & (c->half ? REGIME_TTBR1 : REGIME_TTBR0) ? "as given: " : "",
		   r->ttbr[c->half]);
	if (c->epd) {
		buf_printf(out, " · walks disabled (%s.EPD%u)", regime_tcr_name(r), c->half);
	} else if (c->txsz_bad) {
		buf_puts(out, " · ");
		say_txsz(c, out);
	} else {
		add_symbol(names, c->root, " (", ")", out);
		buf_puts(out, c->root_misaligned ? " (low bits ignored)" : "");
		buf_printf(out, " · %u KiB granule · %u-bit in, %u-bit out%s",
			   1U << (c->granule - 10), c->ia_bits, c->oa_bits, c->ds ? " · LPA2" : "");
		if (!c->sl_bad && pt_index_bits(c, c->start) > c->granule - 3)
			buf_printf(out, " · %u tables at L%d",
				   1U << (pt_index_bits(c, c->start) - (c->granule - 3)), c->start);
	}
	if (r->pending && !(r->sctlr & 1) && !r->stage2)
		buf_puts(out, " · pending (the MMU is off now)");
	buf_putc(out, '\n');
}

static void render_table(const struct pt_config *c, const struct pt_step *s,
			 const struct pt_names *names, struct buf *out)
{
	const struct pt_field *f = pt_desc_fields(c, PT_TABLE);
	const char *before = "   (";

	buf_puts(out, "table");
	add_symbol(names, s->next, "   ", "", out);
	for (; f->name; f++) {
		if (!pt_field_get(f, s->desc))
			continue;
		buf_printf(out, "%s%s", before, f->name);
		if (f->values) {
			buf_putc(out, ' ');
			pt_field_say(f, s->desc, 0, out);
		}
		/* Hierarchical permissions; NSTable is none. */
		if (c->hpd && strcmp(f->name, "NSTable"))
			buf_puts(out, " disabled by TCR.HPD");
		before = ", ";
	}
	if (before[0] == ',')
		buf_putc(out, ')');
}

/* "0x7000b000", or of two stages "0x1000 → 0x7000b000"; returns its width on the screen. */
static int step_place(const struct pt_walk *w, const struct pt_step *s, char *text, size_t size)
{
	bool two = w->cfg.regime.nested && s->stage == 1;

	if (!two)
		return snprintf(text, size, "0x%" PRIx64, s->address);
	if (!s->address) {
		snprintf(text, size, "0x%" PRIx64 " → ?", s->ipa);
		return (int)strlen(text) - 2;
	}
	snprintf(text, size, "0x%" PRIx64 " → 0x%" PRIx64, s->ipa, s->address);
	return (int)strlen(text) - 2; /* the arrow has three bytes */
}

static const struct pt_attrs *step_attrs(const struct pt_walk *w, const struct pt_step *s,
					 struct pt_attrs *room)
{
	const struct pt_config *c = s->stage == 2 && w->cfg.regime.nested ? &w->s2 : &w->cfg;

	if (!w->cfg.regime.nested)
		return w->mapped ? &w->attrs : NULL;
	if (s->stage == 1)
		return w->ipa_known ? &w->s1 : NULL;
	pt_leaf_attrs(c, s->level, s->desc, 0, room);
	return room;
}

static void render_leaf(const struct pt_walk *w, const struct pt_config *c, const struct pt_step *s,
			struct buf *out)
{
	const struct pt_attrs *a;
	struct pt_attrs room;

	buf_puts(out, s->kind == PT_BLOCK ? "block   " : "page    ");
	pt_render_size(UINT64_C(1) << pt_level_shift(c, s->level), out);
	a = step_attrs(w, s, &room);
	if (!a)
		return;
	buf_puts(out, ", ");
	if (a->s1_decides)
		buf_puts(out, "type by stage 1 and FWB: ");
	pt_render_attrs(a, out);
	if (s->stage == 2)
		buf_printf(out, ", EL1 %s, EL0 %s", pt_render_perm(a->own), pt_render_perm(a->el0));
}

void pt_render_step(const struct pt_walk *w, unsigned int step, const struct pt_names *names,
		    struct buf *out)
{
	const struct pt_step *s = &w->step[step];
	const struct pt_config *c = s->stage == 2 && w->cfg.regime.nested ? &w->s2 : &w->cfg;
	char address[64] = "";
	int width = 0, n;

	for (unsigned int i = 0; i < w->steps; i++) {
		n = w->step[i].stage == s->stage
			    ? step_place(w, &w->step[i], address, sizeof(address))
			    : 0;
		width = n > width ? n : width;
	}
	n = step_place(w, s, address, sizeof(address));
	buf_printf(out, "%s  L%d [%3u]  %*s%s  ", s->stage == 2 && c == &w->s2 ? "  s2" : "",
		   s->level, s->index, width - n, "", address);
	if (!s->read) {
		buf_printf(out, "%-18s  %s\n", "unreadable",
			   s->address ? "no memory here, or none that may be read"
				      : "stage 2 leads nowhere");
		return;
	}
	buf_printf(out, "0x%016" PRIx64 "  ", s->desc);
	if (s->kind == PT_TABLE)
		render_table(c, s, names, out);
	else if (s->kind == PT_INVALID)
		buf_puts(out, s->desc & 1 ? "reserved (type 0b01)" : "invalid");
	else
		render_leaf(w, c, s, out);
	buf_putc(out, '\n');
}

/* The stage that faulted, for words about its registers. */
static const struct pt_config *fault_config(const struct pt_walk *w)
{
	return w->stage == 2 && w->cfg.regime.nested ? &w->s2 : &w->cfg;
}

static void say_hole(const struct pt_config *c, struct buf *out)
{
	if (c->regime.two_halves)
		buf_printf(out, "the address is in neither half: its bits above %u are not all %u",
			   c->ia_bits - 1, c->half);
	else
		buf_printf(out, "the address is beyond the %u bits that %s covers", c->ia_bits,
			   regime_root_name(&c->regime, 0));
}

static void say_fault(const struct pt_walk *w, const struct pt_access *acc, struct buf *out)
{
	const struct pt_config *c = fault_config(w);

	if (w->fault == PT_FAULT_ADDRESS_SIZE) {
		buf_printf(out, "the entry points to 0x%" PRIx64 ", beyond %u bits",
			   w->fault_output, c->oa_bits);
	} else if (w->fault == PT_FAULT_ACCESS_FLAG) {
		buf_puts(out, "AF is clear and nothing sets it");
	} else if (w->fault == PT_FAULT_EXTERNAL) {
		buf_printf(out, "no table could be read at 0x%" PRIx64, w->fault_output);
	} else if (w->fault == PT_FAULT_PERMISSION && w->s1ptw) {
		buf_puts(out, "the walker may not read here");
	} else if (w->fault == PT_FAULT_PERMISSION && acc) {
		const struct pt_attrs *a = c == &w->s2 ? &w->s2_attrs : &w->attrs;

		buf_printf(out, "EL%u may %s here%s", acc->el,
			   pt_render_perm(acc->el ? a->own : a->el0),
			   acc->pan && w->stage == 1 ? ", PAN is set" : "");
	}
}

static void say_reason(const struct pt_walk *w, const struct pt_access *acc, struct buf *out)
{
	const struct pt_config *c = fault_config(w);
	const char *tcr = regime_tcr_name(&c->regime);
	const char *root = regime_root_name(&c->regime, c->half);

	switch (w->reason) {
	case PT_REASON_INVALID:
		buf_puts(out, "the entry is invalid");
		break;
	case PT_REASON_RESERVED:
		buf_puts(out, "the entry is of type 0b01, which is reserved at this level");
		break;
	case PT_REASON_HOLE:
		say_hole(c, out);
		break;
	case PT_REASON_EPD:
		buf_printf(out, "walks with %s are disabled (%s.EPD%u = 1)", root, tcr, c->half);
		break;
	case PT_REASON_E0PD:
		buf_printf(out, "EL0 may not use this half (%s.E0PD%u = 1)", tcr, c->half);
		break;
	case PT_REASON_TXSZ:
		say_txsz(c, out);
		buf_puts(out, " is out of range");
		break;
	case PT_REASON_SL:
		buf_puts(out, "VTCR_EL2.SL0 does not fit T0SZ and the granule");
		break;
	case PT_REASON_PTW:
		buf_puts(out,
			 "a table lies in what stage 2 says is device memory (HCR_EL2.PTW = 1)");
		break;
	case PT_REASON_UPDATE:
		buf_puts(out, "hardware may not write AF or dirty state to the table");
		break;
	case PT_REASON_ROOT:
		buf_printf(out, "%s points to 0x%" PRIx64 ", beyond %u bits", root, w->fault_output,
			   c->oa_bits);
		break;
	case PT_REASON_IA:
		buf_printf(out, "the MMU is off and the address is beyond %u bits",
			   c->oa_bits ? c->oa_bits : 52);
		break;
	case PT_REASON_NONE:
		say_fault(w, acc, out);
		break;
	}
}

void pt_render_fault(const struct pt_walk *w, const struct pt_access *acc, struct buf *out)
{
	static const char *const kinds[] = {
		[PT_FAULT_TRANSLATION] = "translation fault",
		[PT_FAULT_ADDRESS_SIZE] = "address size fault",
		[PT_FAULT_ACCESS_FLAG] = "access flag fault",
		[PT_FAULT_PERMISSION] = "permission fault",
		[PT_FAULT_EXTERNAL] = "external abort on the table walk",
	};
	static const char *const accesses[] = {
		[PT_ANY] = "read", [PT_READ] = "read", [PT_WRITE] = "write", [PT_FETCH] = "fetch"
	};
	struct pt_access a = { .kind = PT_ANY, .el = w->cfg.regime.el };
	uint64_t hpfar;

	if (w->fault == PT_FAULT_NONE)
		return;
	a = acc ? *acc : a;
	buf_printf(out, "%s, level %d%s%s: ", kinds[w->fault], w->level,
		   w->stage == 2 ? " of stage 2" : "", w->s1ptw ? ", on a table of stage 1" : "");
	say_reason(w, &a, out);
	buf_printf(out, " (ESR would be 0x%" PRIx64 " for a %s from EL%u", pt_walk_esr(w, &a),
		   accesses[a.kind], a.el);
	if (a.kind == PT_ANY) {
		a.kind = PT_FETCH;
		buf_printf(out, ", 0x%" PRIx64 " for a fetch", pt_walk_esr(w, &a));
	}
	if (pt_walk_hpfar(w, &hpfar))
		buf_printf(out, ", HPFAR_EL2 0x%" PRIx64, hpfar);
	buf_putc(out, ')');
}

/* Remarks that the three letters of a permission do not make by themselves. */
static void render_remarks(const struct pt_walk *w, struct buf *out)
{
	const struct pt_config *c = &w->cfg;
	const struct pt_attrs *a = &w->attrs;

	if (c->flat)
		return;
	if (c->regime.stage2)
		return;
	if (c->regime.two_halves && a->el0 == PT_X)
		buf_puts(out, " (UXN clear: EL0 may fetch what it may not read)");
	if (c->wxn && (a->own & PT_W))
		buf_puts(out, " (WXN)");
	if (!(c->regime.sctlr & 4) && (c->regime.sctlr & 1) && !mair_is_device(a->mair) &&
	    !mair_is_noncacheable(a->mair))
		buf_printf(out, " (SCTLR_EL%u.C = 0: data is not cached)", c->regime.el);
}

void pt_render_line(const struct pt_walk *w, const struct pt_access *acc,
		    const struct pt_names *names, struct buf *out)
{
	buf_printf(out, "0x%" PRIx64, w->ia);
	add_symbol(names, w->ia, " <", ">", out);
	if (w->cfg.regime.nested && w->ipa_known)
		buf_printf(out, " → IPA 0x%" PRIx64, w->ipa);
	if (w->fault != PT_FAULT_NONE) {
		buf_puts(out, ": ");
		pt_render_fault(w, acc, out);
		return;
	}
	buf_printf(out, w->cfg.regime.nested ? " → PA 0x%" PRIx64 : " → 0x%" PRIx64, w->oa);
	buf_printf(out, "   EL%u %s", w->cfg.regime.el, pt_render_perm(w->attrs.own));
	if (regime_has_el0(&w->cfg.regime))
		buf_printf(out, "   EL0 %s", pt_render_perm(w->attrs.el0));
	render_remarks(w, out);
	if (w->cfg.regime.nested) {
		buf_puts(out, "   ");
		say_type(&w->attrs, out);
	}
}

/* Of two stages: those of stage 2 that found a table only where they ended in the fault. */
static bool is_shown(const struct pt_walk *w, unsigned int step)
{
	unsigned int last = w->steps;

	if (!w->cfg.regime.nested || w->step[step].stage == 1)
		return true;
	while (last && w->step[last - 1].stage == 2)
		last--;
	/* Behind the last of stage 1: stage 2's own. Before it: what found that one. */
	if (step >= last)
		return true;
	if (!w->s1ptw)
		return false;
	for (unsigned int i = step; i < last - 1; i++)
		if (w->step[i].stage == 1)
			return false;
	return true;
}

void pt_render_walk(const struct pt_walk *w, const struct pt_access *acc,
		    const struct pt_names *names, struct buf *out)
{
	pt_render_head(&w->cfg, names, out);
	if (w->cfg.regime.nested) {
		buf_puts(out, "then ");
		pt_render_head(&w->s2, names, out);
	}
	for (unsigned int i = 0; i < w->steps; i++)
		if (is_shown(w, i))
			pt_render_step(w, i, names, out);
	pt_render_line(w, acc, names, out);
	buf_putc(out, '\n');
}
