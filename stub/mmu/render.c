// SPDX-License-Identifier: BSD-2-Clause
/* A walk as text: what was looked up, and the conclusion as the last line. */
#include <inttypes.h>
#include <stdio.h>

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

void pt_render_attrs(const struct pt_attrs *a, struct buf *out)
{
	static const char *const share[4] = { "non-shareable", "reserved shareability",
					      "outer shareable", "inner shareable" };

	mair_say(a->mair, out);
	if (!mair_is_device(a->mair)) /* of devices it goes without saying */
		buf_printf(out, ", %s", share[a->share]);
	buf_puts(out, a->af ? ", AF" : ", AF clear");
	buf_puts(out, a->ng ? ", nG" : "");
	buf_puts(out, a->ns ? ", NS" : "");
	buf_puts(out, a->contiguous ? ", contiguous" : "");
	buf_puts(out, a->dbm ? ", DBM" : "");
	buf_puts(out, a->guarded ? ", guarded" : "");
}

static void render_header(const struct pt_walk *w, const struct pt_names *names, struct buf *out)
{
	const struct pt_config *c = &w->cfg;
	const struct regime *r = &c->regime;

	buf_printf(out, "%s%s", r->secure ? "Secure " : "", r->title);
	if (c->flat) {
		buf_printf(out, " · MMU off (SCTLR_EL%u.M = 0)", r->el);
		if (c->oa_bits)
			buf_printf(out, " · %u-bit physical addresses", c->oa_bits);
		buf_putc(out, '\n');
		return;
	}
	if (r->own & (c->half ? REGIME_TTBR1 : REGIME_TTBR0))
		buf_printf(out, " · TTBR%u_EL%u as given: 0x%" PRIx64, c->half, r->el,
			   r->ttbr[c->half]);
	else
		buf_printf(out, " · TTBR%u_EL%u 0x%" PRIx64, c->half, r->el, r->ttbr[c->half]);
	if (c->epd) {
		buf_printf(out, " · walks disabled (TCR_EL%u.EPD%u)", r->el, c->half);
	} else if (c->txsz_bad) {
		buf_printf(out, " · TCR_EL%u.T%uSZ = %u", r->el, c->half, 64 - c->ia_bits);
	} else {
		add_symbol(names, c->root, " (", ")", out);
		buf_puts(out, c->root_misaligned ? " (low bits ignored)" : "");
		buf_printf(out, " · %u KiB granule · %u-bit in, %u-bit out",
			   1U << (c->granule - 10), c->ia_bits, c->oa_bits);
	}
	if (r->pending && !(r->sctlr & 1))
		buf_puts(out, " · pending (the MMU is off now)");
	buf_putc(out, '\n');
}

static void render_table(const struct pt_walk *w, const struct pt_step *s,
			 const struct pt_names *names, struct buf *out)
{
	const struct pt_field *f = pt_desc_fields(&w->cfg, PT_TABLE);
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
		before = ", ";
	}
	if (before[0] == ',')
		buf_puts(out, w->cfg.hpd ? ": disabled by TCR.HPD)" : ")");
}

void pt_render_step(const struct pt_walk *w, unsigned int step, const struct pt_names *names,
		    struct buf *out)
{
	const struct pt_step *s = &w->step[step];
	char address[20] = "";
	int width = 0;

	for (unsigned int i = 0; i < w->steps; i++) {
		int n = snprintf(address, sizeof(address), "0x%" PRIx64, w->step[i].address);

		width = n > width ? n : width;
	}
	snprintf(address, sizeof(address), "0x%" PRIx64, s->address);
	buf_printf(out, "  L%d [%3u]  %*s  ", s->level, s->index, width, address);
	if (!s->read) {
		buf_printf(out, "%-18s  no memory here, or none that may be read\n", "unreadable");
		return;
	}
	buf_printf(out, "0x%016" PRIx64 "  ", s->desc);
	if (s->kind == PT_TABLE) {
		render_table(w, s, names, out);
	} else if (s->kind == PT_INVALID) {
		buf_puts(out, s->desc & 1 ? "reserved (type 0b01)" : "invalid");
	} else {
		buf_puts(out, s->kind == PT_BLOCK ? "block   " : "page    ");
		pt_render_size(UINT64_C(1) << pt_level_shift(&w->cfg, s->level), out);
		if (w->mapped) {
			buf_puts(out, ", ");
			pt_render_attrs(&w->attrs, out);
		}
	}
	buf_putc(out, '\n');
}

static void say_reason(const struct pt_walk *w, const struct pt_access *acc, struct buf *out)
{
	const struct pt_config *c = &w->cfg;
	unsigned int el = c->regime.el;

	switch (w->reason) {
	case PT_REASON_INVALID:
		buf_puts(out, "the entry is invalid");
		break;
	case PT_REASON_RESERVED:
		buf_puts(out, "the entry is of type 0b01, which is reserved at this level");
		break;
	case PT_REASON_HOLE:
		if (c->regime.two_halves)
			buf_printf(
				out,
				"the address is in neither half: its bits above %u are not all %u",
				c->ia_bits - 1, c->half);
		else
			buf_printf(out, "the address is beyond the %u bits that TTBR0_EL%u covers",
				   c->ia_bits, el);
		break;
	case PT_REASON_EPD:
		buf_printf(out, "walks with TTBR%u_EL%u are disabled (TCR_EL%u.EPD%u = 1)", c->half,
			   el, el, c->half);
		break;
	case PT_REASON_E0PD:
		buf_printf(out, "EL0 may not use this half (TCR_EL%u.E0PD%u = 1)", el, c->half);
		break;
	case PT_REASON_TXSZ:
		buf_printf(out, "TCR_EL%u.T%uSZ = %u is out of range", el, c->half,
			   64 - c->ia_bits);
		break;
	case PT_REASON_ROOT:
		buf_printf(out, "TTBR%u_EL%u points to 0x%" PRIx64 ", beyond %u bits", c->half, el,
			   w->fault_output, c->oa_bits);
		break;
	case PT_REASON_IA:
		buf_printf(out, "the MMU is off and the address is beyond %u bits",
			   c->oa_bits ? c->oa_bits : 52);
		break;
	case PT_REASON_NONE:
		if (w->fault == PT_FAULT_ADDRESS_SIZE)
			buf_printf(out, "the entry points to 0x%" PRIx64 ", beyond %u bits",
				   w->fault_output, c->oa_bits);
		else if (w->fault == PT_FAULT_ACCESS_FLAG)
			buf_puts(out, "AF is clear and nothing sets it");
		else if (w->fault == PT_FAULT_EXTERNAL)
			buf_printf(out, "no table could be read at 0x%" PRIx64, w->fault_output);
		else if (w->fault == PT_FAULT_PERMISSION && acc)
			buf_printf(out, "EL%u may %s here%s", acc->el,
				   pt_render_perm(acc->el ? w->attrs.own : w->attrs.el0),
				   acc->pan ? ", PAN is set" : "");
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

	if (w->fault == PT_FAULT_NONE)
		return;
	a = acc ? *acc : a;
	buf_printf(out, "%s, level %d: ", kinds[w->fault], w->level);
	say_reason(w, &a, out);
	buf_printf(out, " (ESR would be 0x%" PRIx64 " for a %s from EL%u", pt_walk_esr(w, &a),
		   accesses[a.kind], a.el);
	if (a.kind == PT_ANY) {
		a.kind = PT_FETCH;
		buf_printf(out, ", 0x%" PRIx64 " for a fetch", pt_walk_esr(w, &a));
	}
	buf_putc(out, ')');
}

/* Remarks that the three letters of a permission do not make by themselves. */
static void render_remarks(const struct pt_walk *w, struct buf *out)
{
	const struct pt_config *c = &w->cfg;
	const struct pt_attrs *a = &w->attrs;

	if (c->flat)
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
	if (w->fault != PT_FAULT_NONE) {
		buf_puts(out, ": ");
		pt_render_fault(w, acc, out);
		return;
	}
	buf_printf(out, " → 0x%" PRIx64 "   EL%u %s", w->oa, w->cfg.regime.el,
		   pt_render_perm(w->attrs.own));
	if (w->cfg.regime.two_halves)
		buf_printf(out, "   EL0 %s", pt_render_perm(w->attrs.el0));
	render_remarks(w, out);
}

void pt_render_walk(const struct pt_walk *w, const struct pt_access *acc,
		    const struct pt_names *names, struct buf *out)
{
	render_header(w, names, out);
	for (unsigned int i = 0; i < w->steps; i++)
		pt_render_step(w, i, names, out);
	pt_render_line(w, acc, names, out);
	buf_putc(out, '\n');
}
