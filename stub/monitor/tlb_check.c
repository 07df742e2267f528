/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does the CPU use what the tables in memory say? Its own load tells: memory is looked up afresh
 * by everybody else (GDB, QEMU's gva2gpa, AT), and so cannot show a stale TLB entry.
 */
#include "machine/inject.h"
#include "machine/moment.h"
#include "mmu/sysreg.h"
#include "monitor/tables.h"

#include <string.h>

#define MOVZ_X1	   0xd28b5861u /* movz x1, #0x5ac3 */
#define SIGN	   0x5ac3
#define LDR_X0_X0  0xf9400000u
#define LDTR_X0_X0 0xf8400800u /* with EL0's rights: PAN does not stop it */
#define NORMAL_WB  0xff

struct check {
	struct cmd *c;
	struct tables t;
	struct pt_access acc;
	struct pt_walk w;
	uint64_t va; /* 8-byte aligned */
	struct inject load;
};

static int load(struct check *k)
{
	static const uint32_t own[] = { MOVZ_X1, LDR_X0_X0 };
	static const uint32_t unprivileged[] = { MOVZ_X1, LDTR_X0_X0 };
	int err;

	k->load = (struct inject){
		.cpu = k->c->cpu,
		.code = k->acc.el ? own : unprivileged,
		.words = 2,
		.x = { k->va },
		.keep = true,
		.keep_va = k->va,
		.keep_pa = k->w.mapped ? k->w.oa : 0,
	};
	err = inject_run(k->c->machine, &k->load);
	if (!err && !k->load.fault && k->load.x[1] != SIGN)
		return cmd_fail(
			k->c, -BATON_EVERIFY,
			"CPU %u executes something else than what is at its pc: its own page is "
			"stale (tlb-flush all)",
			k->c->cpu);
	return err ? cmd_fail(k->c, err, NULL) : 0;
}

static int stale(struct check *k, const char *what)
{
	k->c->found = true;
	cmd_say(k->c, "stale: %s", what);
	cmd_say(k->c, "next: tlb-flush %#" PRIx64 "   (or all, where a table has changed)", k->va);
	return 0;
}

/* The tables let nobody through. */
static int expect_fault(struct check *k)
{
	uint64_t expected = pt_walk_esr(&k->w, &k->acc) & 0x3f;
	struct buf what = { 0 };

	if (k->load.fault && k->load.far == k->va && (k->load.esr & 0x3f) == expected) {
		cmd_say(k->c, "fresh: the CPU faults as the tables say, %s",
			esr_fault_words(k->load.esr));
		return 0;
	}
	if (k->load.fault)
		buf_printf(&what, "the CPU faults otherwise than the tables say (ESR %#" PRIx64 ")",
			   k->load.esr);
	else
		buf_printf(&what,
			   "the tables do not map %#" PRIx64
			   ", but the CPU still reads 0x%016" PRIx64 " there",
			   k->va, k->load.x[0]);
	stale(k, what.data);
	buf_free(&what);
	return 0;
}

/* May the word at the output address be another one for a moment? Not a table's, nor ROM's. */
static bool can_mark(const struct check *k)
{
	if (!machine_is_ram(k->c->machine, k->w.oa, 8, false))
		return false;
	for (unsigned int i = 0; i < k->w.steps; i++)
		if ((k->w.step[i].address ^ k->w.oa) >> k->w.cfg.granule == 0)
			return false;
	/* QEMU's write is to a cache that such a load would not look into. */
	return k->c->machine->accel == ACCEL_TCG || k->w.attrs.mair == NORMAL_WB;
}

static int say_value(struct check *k, uint64_t value, uint64_t memory, const char *also)
{
	struct buf what = { 0 };

	buf_printf(&what,
		   "the CPU reads 0x%016" PRIx64 " at %#" PRIx64 ", the tables lead to %#" PRIx64
		   " with 0x%016" PRIx64 "%s",
		   value, k->va, k->w.oa, memory, also);
	stale(k, what.data);
	buf_free(&what);
	return 0;
}

/* A mark where the tables lead to: the CPU reads it, or is somewhere else. */
static int with_mark(struct check *k, uint64_t seen, bool *there)
{
	/* The same in either byte order. */
	static const uint64_t marks[] = { 0x5ac3963c3c96c35a, 0xc35a3c96963c5ac3 };
	uint64_t mark = marks[seen == marks[0]];
	struct machine *m = k->c->machine;
	uint8_t old[8], bytes[8];
	uint64_t memory;
	int err = machine_phys_read(m, k->w.oa, old, 8), back;

	memcpy(bytes, &mark, 8);
	memcpy(&memory, old, 8);
	if (!err)
		err = moment_mark(m, k->w.oa, old, bytes, 8);
	if (!err)
		err = machine_phys_write(m, k->w.oa, bytes, 8);
	if (err)
		return cmd_fail(k->c, err, NULL);
	err = load(k);
	if (err == -BATON_ELINK)
		return err;
	back = machine_phys_write(m, k->w.oa, old, 8);
	*there = back;
	if (back)
		return cmd_fail(k->c, back,
				"%#" PRIx64 " could not be put back to 0x%016" PRIx64 ": %s",
				k->w.oa, memory, machine_error(m, back));
	if (err)
		return err;
	if (!k->load.fault && k->load.x[0] != mark)
		return say_value(k, seen, memory, seen == memory ? ", of another page" : "");
	if (k->load.fault)
		return expect_fault(k);
	cmd_say(k->c, "fresh: the CPU reads %#" PRIx64 " where the tables lead to, %#" PRIx64,
		k->va, k->w.oa);
	return 0;
}

static int by_mark(struct check *k, uint64_t seen)
{
	bool there = false;
	int err;

	moment_begin(k->c->machine);
	err = with_mark(k, seen, &there);
	moment_end(k->c->machine, err != -BATON_ELINK && !there);
	return err;
}

static int by_value(struct check *k, uint64_t seen)
{
	uint64_t memory;
	int err = machine_phys_u64(k->c->machine, k->w.oa, &memory);

	if (err)
		return cmd_fail(k->c, err, NULL);
	if (seen != memory && seen != __builtin_bswap64(memory))
		return say_value(k, seen, memory, "");
	k->c->found = true;
	cmd_say(k->c,
		"undecidable: the CPU reads what is at %#" PRIx64
		", but an old page may hold the same, and no mark can be put there (%s)",
		k->w.oa,
		machine_is_ram(k->c->machine, k->w.oa, 8, false) ? "a table, or not cached"
								 : "ROM");
	return 0;
}

static int expect_value(struct check *k)
{
	const struct ram_range *r = machine_ram_find(k->c->machine, k->w.oa);
	uint64_t seen;
	int err;

	if (!r || r->kind == RAM_IO)
		return cmd_fail(k->c, -BATON_EREFUSED,
				"%#" PRIx64 " leads to %#" PRIx64
				", %s: a load there may change something, and is not made",
				k->va, k->w.oa, r ? r->name : "where nothing is");
	err = load(k);
	if (err)
		return err;
	if (k->load.fault) {
		stale(k, esr_fault_words(k->load.esr) ? "the CPU faults where the tables map"
						      : "the CPU takes an exception there");
		return 0;
	}
	seen = k->load.x[0];
	return can_mark(k) ? by_mark(k, seen) : by_value(k, seen);
}

static int check(struct check *k)
{
	struct buf why = { 0 };
	int err = tables_walk(&k->t, k->va, &k->acc, &k->w, &why);

	/* What only EL0 may read (PAN) is read with its rights. */
	if (!err && k->w.fault == PT_FAULT_PERMISSION && regime_has_el0(&k->t.regime)) {
		k->acc = tables_access(&k->t, PT_READ, true);
		err = tables_walk(&k->t, k->va, &k->acc, &k->w, &why);
	}
	if (err)
		cmd_fail(k->c, err, "%s", why.data);
	buf_free(&why);
	if (err)
		return err;
	if (!k->w.fault)
		return expect_value(k);
	err = load(k);
	return err ? err : expect_fault(k);
}

static int run(struct cmd *c)
{
	struct check k = { .c = c };
	int err = cmd_no_more(c, 1);

	if (!err)
		err = cmd_arg(c, 0, "VA", &k.va);
	if (!err)
		err = tables_open(&k.t, c);
	if (err)
		return err;
	if (k.t.regime.stage2 || k.t.regime.el != k.t.el || k.t.regime.pending || k.t.regime.own)
		return cmd_fail(
			c, -BATON_EREFUSED,
			"only CPU %u itself can tell, and it is at EL%u: it uses its own regime "
			"alone",
			c->cpu, k.t.el);
	if (!regime_mmu_on(&k.t.regime)) {
		cmd_say(c, "fresh: the MMU is off, nothing is translated");
		return 0;
	}
	k.va &= ~7ull;
	k.acc = tables_access(&k.t, PT_READ, false);
	return check(&k);
}

COMMAND(tlb_check, "tlb-check", run, .args = "VA", .needs = CMD_STOPPED | CMD_TABLES,
	.help = "does the CPU use what the tables say: fresh, stale, or undecidable",
	.more = "The CPU loads the word at VA (one injected instruction), while in RAM a mark "
		"stands\n"
		"for it where the tables lead to. Device memory is refused. Exit status 1: not "
		"fresh.\n");
