/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/maps.h"

#include <string.h>

#define SIZE_CHARS 10

static int say_flat(const struct maps *m)
{
	const struct regime *r = &m->cfg[0].regime;

	if (r->stage2)
		return cmd_fail(m->cmd, -BATON_EINVAL,
				"stage 2 is off (HCR_EL2.VM = 0); `-r s2:pending` looks at its "
				"tables all the same");
	if (r->nested)
		return cmd_fail(m->cmd, -BATON_EINVAL,
				"stage 1 is off, every address is its own IPA: `-r s2` has what "
				"stage 2 makes of it, `-r %s:pending` the tables all the same",
				r->name);
	return cmd_fail(m->cmd, -BATON_EINVAL,
			"the MMU is off, every address is its own: `-r %s:pending` looks at the "
			"tables all the same",
			r->name);
}

int maps_open(struct maps *m, struct cmd *c)
{
	struct buf why = { 0 };
	int err = tables_open(&m->tables, c);

	m->cmd = c;
	m->count = 0;
	for (unsigned int half = 0; !err && half < 2; half++) {
		struct regime *r = &m->tables.regime;

		if (half && !r->two_halves)
			break;
		buf_clear(&why);
		err = pt_config_from_regime(&m->cfg[m->count], r, half ? UINT64_MAX : 0, &why);
		/* A regime that -r limits to one half has no other. */
		if (err == -BATON_EINVAL && r->two_halves) {
			err = 0;
			continue;
		}
		if (err)
			cmd_fail(c, err, "%s", why.len ? why.data : baton_strerror(err));
		else
			m->count++;
	}
	if (!err && m->cfg[0].flat)
		err = say_flat(m);
	if (!err && m->cfg[0].regime.nested)
		err = pt_config_stage2(&m->s2, &m->cfg[0], NULL);
	buf_free(&why);
	return err;
}

void maps_of_stage2(struct maps *alone, const struct maps *m)
{
	*alone = *m;
	alone->cfg[0] = m->s2;
	alone->count = 1;
	alone->tables.reader.ctx = &alone->tables;
}

/* Where stage 1's table really is: each page of it may lie elsewhere. */
static int gather_nested(struct maps *m, const uint64_t *ipa, unsigned int n, size_t size,
			 uint8_t *data, bool *ok)
{
	enum { PAGE = 4096 };

	for (unsigned int i = 0; i < n; i++) {
		ok[i] = true;
		for (size_t at = 0; at < size && ok[i]; at += PAGE) {
			size_t len = size - at < PAGE ? size - at : PAGE;
			uint64_t pa;
			bool got = false;
			int err = 0;

			if (!pt_stage2_address(&m->s2, &m->tables.reader, ipa[i] + at, &pa)) {
				err = machine_phys_gather(m->tables.machine, &pa, 1, len,
							  data + i * size + at, &got);
				if (!err)
					err = machine_phys_gathered(m->tables.machine, 0);
			}
			if (err || m->tables.lost)
				return err ? err : m->tables.lost;
			ok[i] = got;
		}
	}
	return 0;
}

static int gather(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		  bool *ok)
{
	struct maps *m = ctx;

	if (m->cfg[0].regime.nested)
		return gather_nested(m, pa, n, size, data, ok);
	return machine_phys_gather(m->tables.machine, pa, n, size, data, ok);
}

static int gathered(void *ctx, unsigned int i)
{
	struct maps *m = ctx;

	return machine_phys_gathered(m->tables.machine, i);
}

struct pt_bulk maps_bulk(struct maps *m)
{
	return (struct pt_bulk){ gather, m, gathered };
}

static bool has_root(const struct pt_config *cfg)
{
	return !cfg->epd && !cfg->txsz_bad && !cfg->sl_bad;
}

int maps_run(struct maps *m, unsigned int i, uint64_t from, uint64_t to,
	     const struct pt_map_sink *sink, struct pt_map_stats *stats)
{
	const struct pt_bulk bulk = maps_bulk(m);

	*stats = (struct pt_map_stats){ 0 };
	if (!has_root(&m->cfg[i]))
		return 0; /* the heading says why */
	return pt_map(&m->cfg[i], &bulk, from, to, sink, stats);
}

static int one_end(struct cmd *c, const char *text, size_t len, const char *what, uint64_t *value)
{
	struct buf word = { 0 };
	int err;

	buf_add(&word, text, len);
	err = word.len ? cmd_eval(c, what, word.data, value)
		       : cmd_fail(c, -BATON_EINVAL, "%s is missing: FROM-TO", what);
	buf_free(&word);
	return err;
}

int maps_arg_span(struct cmd *c, int i, uint64_t *from, uint64_t *to)
{
	const char *word = cmd_word(c, i), *dash = strchr(word, '-');
	int err = one_end(c, word, dash ? (size_t)(dash - word) : strlen(word), "FROM", from);

	if (!err && dash)
		err = one_end(c, dash + 1, strlen(dash + 1), "TO", to);
	else if (!err)
		*to = *from | 0xfff;
	if (!err && *to < *from)
		err = cmd_fail(c, -BATON_EINVAL, "%s: TO lies before FROM", word);
	return err;
}

bool maps_has(const struct maps *m, unsigned int i, uint64_t from, uint64_t to)
{
	const struct pt_config *cfg = &m->cfg[i];
	uint64_t first = 0, last = UINT64_MAX;

	if (!has_root(cfg))
		return !cfg->regime.two_halves || (cfg->half ? to >> 55 & 1 : !(from >> 55 & 1));
	if (cfg->half)
		first = ~((UINT64_C(1) << cfg->ia_bits) - 1);
	else
		last = (UINT64_C(1) << cfg->ia_bits) - 1;
	return from <= last && to >= first;
}

/* Of two halves one may well be off; a regime that has none is another matter. */
bool maps_is_wrong(const struct maps *m)
{
	bool off = true;

	for (unsigned int i = 0; i < m->count; i++) {
		off &= m->cfg[i].epd;
		/* Whoever turns a half off need not give it a size. */
		if (!m->cfg[i].epd && !has_root(&m->cfg[i]))
			return true;
	}
	return off;
}

void maps_say_head(const struct maps *m, unsigned int i, struct buf *out)
{
	const struct pt_config *cfg = &m->cfg[i];

	pt_render_head(cfg, &m->tables.names, out);
	if (cfg->regime.nested && has_root(cfg)) {
		buf_puts(out, "then ");
		pt_render_head(&m->s2, &m->tables.names, out);
	}
	if (has_root(cfg))
		return;
	if (cfg->epd)
		buf_puts(out, "no walks with this root: every access here faults\n");
	else if (cfg->txsz_bad)
		buf_puts(out, "the input size is out of range: every access here faults\n");
	else
		buf_puts(out, "SL0 does not fit T0SZ and the granule: every access here faults\n");
	if (!cfg->epd || maps_is_wrong(m))
		buf_printf(out, "next: sysreg %s\n", regime_tcr_name(&cfg->regime));
}

/* 16 MiB, 1.5 GiB would not be exact: the largest unit that divides it. */
static void say_size(uint64_t size, struct buf *out)
{
	size_t from = out->len, len;

	pt_render_size(size, out);
	len = out->len - from;
	if (len >= SIZE_CHARS)
		return;
	buf_printf(out, "%*s", (int)(SIZE_CHARS - len), "");
	memmove(out->data + from + SIZE_CHARS - len, out->data + from, len);
	memset(out->data + from, ' ', SIZE_CHARS - len);
}

/* Digits for the addresses that there may be: what the machine has, as far as tables reach. */
static int oa_digits(const struct maps *m)
{
	const struct machine *machine = m->cmd->machine;
	uint64_t last = machine->ram_count ? machine->ram[machine->ram_count - 1].last : UINT64_MAX;
	int digits = 8;

	if (m->cfg[0].oa_bits < 64 && last >> m->cfg[0].oa_bits)
		last = (UINT64_C(1) << m->cfg[0].oa_bits) - 1;
	while (digits < 16 && last >> 4 * digits)
		digits++;
	return digits;
}

static void say_perms(const struct maps *m, const struct pt_attrs *a, struct buf *out)
{
	const struct regime *r = &m->cfg[0].regime;

	buf_printf(out, "  EL%u %s", r->el, pt_render_perm(a->own));
	if (regime_has_el0(r))
		buf_printf(out, "  EL0 %s", pt_render_perm(a->el0));
	buf_puts(out, "  ");
}

void maps_say_range(const struct maps *m, const struct maps_range *r, struct buf *out)
{
	uint64_t size = r->r.size * r->times;
	struct pt_attrs attrs = r->r.attrs;
	int digits = oa_digits(m);

	/* Merged from leaves of which some have that hint and some have not. */
	attrs.contiguous = false;
	buf_printf(out, "0x%016" PRIx64 " - 0x%016" PRIx64, r->r.ia, r->r.ia + (size - 1));
	if (m->cfg[0].regime.nested)
		buf_printf(out, "  → IPA 0x%0*" PRIx64, digits, r->ipa);
	if (r->fault)
		buf_printf(out, "  → %-*s", digits + 5, "no PA:");
	else
		buf_printf(out, "  → %s0x%0*" PRIx64, m->cfg[0].regime.nested ? "PA " : "", digits,
			   r->r.oa);
	buf_putc(out, ' ');
	say_size(size, out);
	if (r->fault) {
		buf_printf(out, "  %s", r->fault);
	} else {
		say_perms(m, &attrs, out);
		pt_render_attrs(&attrs, out);
	}
	if (r->times > 1) {
		buf_printf(out, ", %" PRIu64 " times the same ", r->times);
		pt_render_size(r->r.size, out);
	}
	if (m->tables.symbols)
		symbols_say(m->tables.symbols, r->r.ia, out);
	buf_putc(out, '\n');
}

/* A sum: at most four digits, with one behind the point where it is not exact. */
static void say_sum(uint64_t bytes, struct buf *out)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int u = 0;
	uint64_t unit = 1;

	while (u < 6 && bytes / unit >= 1024) {
		unit <<= 10;
		u++;
	}
	if (bytes % unit)
		buf_printf(out, "%.1f %s", (double)bytes / (double)unit, units[u]);
	else
		buf_printf(out, "%" PRIu64 " %s", bytes / unit, units[u]);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void say_odd(const struct maps *m, const struct pt_map_stats *s, struct buf *out)
{
	const struct {
		uint64_t n;
		const char *what;
	} row[] = {
		{ s->repeats, "repeated table" },
		{ s->loops, "loop" },
		{ s->unreadable, "unreadable table" },
		{ s->bad, "bad entr" },
	};
	const char *before = "  ";

	for (int i = 0; i < 4; i++) {
		if (!row[i].n)
			continue;
		buf_printf(out, "%s%" PRIu64 " %s", before, row[i].n, row[i].what);
		buf_puts(out, i == 3 ? row[i].n == 1 ? "y" : "ies" : plural(row[i].n));
		if (i == 0)
			buf_puts(out, " (what is in them counts once)");
		before = ", ";
	}
	if (*before == ',')
		buf_putc(out, '\n');
	if (!(s->unreadable + s->bad))
		return;
	buf_puts(out, "next: pt-lint");
	tables_say_options(&m->tables, out);
	buf_putc(out, '\n');
}

void maps_say_stats(const struct maps *m, const struct pt_map_stats *s, struct buf *out)
{
	uint64_t tables = 0;

	for (int i = 0; i < PT_LEVELS; i++)
		tables += s->tables[i];
	buf_printf(out, "%" PRIu64 " range%s, ", s->ranges, plural(s->ranges));
	say_sum(s->bytes, out);
	buf_printf(out, ", %" PRIu64 " table%s\n", tables, plural(tables));
	for (int i = 0; i < PT_LEVELS; i++) {
		if (s->tables[i])
			buf_printf(out, "  L%-2d %8" PRIu64 " table%s  %8" PRIu64 " lea%s\n", i - 1,
				   s->tables[i], s->tables[i] == 1 ? " " : "s", s->leaves[i],
				   s->leaves[i] == 1 ? "f" : "ves");
	}
	say_odd(m, s, out);
}
