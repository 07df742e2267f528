// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random tables, registers and addresses, each asked of the CPU by AT and of our walk: the
 * whole of PAR_EL1 has to agree - address, memory type, shareability, or the fault's status,
 * stage and level. TAP, one test for each CPU and kind of regime.
 *
 * usage: at [JOBS [SEED]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at.h"
#include "buf.h"
#include "error.h"
#include "mmu/render.h"

#define SHOWN 3

/*
 * Where QEMU is known to differ from the architecture. Each is told by what the walk met,
 * not by the answer alone, so that it hides nothing else.
 */
enum known {
	KNOWN_NONE,
	KNOWN_BLOCK,	 /* 0b01 at a level without blocks taken for one (D8.3.1) */
	KNOWN_PTW_LEVEL, /* S1PTW reported with stage 1's level instead of stage 2's (7.2) */
	KNOWN_LPA,     /* OA[51:48] (LPA) and [51:50] (LPA2) not looked at with PS below 52 bits */
	KNOWN_BELOW,   /* RES0 bits below a block's address counted as beyond the output size */
	KNOWN_S2_SIZE, /* stage 2's input and start level measured by PS, not by PARange; level
			  -1 refused below 52 bits */
	KNOWN_TRANSIENT, /* transient write-back through write-through loses its transience */
	KNOWN_SHARE,	 /* SH as written, of device and non-cacheable memory too (7.2) */
	KNOWN_DEVICE,	 /* a table in a device's window: QEMU reads the device */
	KNOWN_MIXED,	 /* device and Normal: the Normal's inner bits taken for a device type */
	KNOWN_RESERVED,	 /* a reserved MemAttr of stage 2: neither is wrong */
	KNOWN_CLEAN,	 /* writable but clean (DBM with HD) is writable, so not executable with WXN
			    or from EL1 if EL0 may write; QEMU goes by AP[2] for a fetch */
	KNOWN_LARGE,	 /* a block larger than the output size: its base alone looked at */
	KNOWN_DEVICES,	 /* FWB: of two devices stage 2's, not the more restrictive (D8.6.6) */
	KNOWN_CD,	 /* HCR_EL2.CD without effect with FWB (S2DCacheEnabled() knows no FWB) */
	KNOWN_COUNT
};

static const char *const known_words[KNOWN_COUNT] = {
	[KNOWN_BLOCK] = "0b01 taken for a block where there are none",
	[KNOWN_PTW_LEVEL] = "S1PTW with the level of stage 1",
	[KNOWN_LPA] = "address bits above 47 not looked at with PS below 52 bits",
	[KNOWN_BELOW] = "RES0 bits below a block's address beyond the output size",
	[KNOWN_S2_SIZE] = "stage 2 sized by VTCR_EL2.PS instead of PARange",
	[KNOWN_TRANSIENT] = "write-through of a transient write-back not transient",
	[KNOWN_SHARE] = "SH as written, although the type is outer shareable",
	[KNOWN_DEVICE] = "a table in a device's window read all the same",
	[KNOWN_MIXED] = "a device of another kind than that of the one stage that has one",
	[KNOWN_RESERVED] = "reserved MemAttr",
	[KNOWN_LARGE] = "only the base of a block that is larger than the output size counted",
	[KNOWN_DEVICES] = "FWB: stage 2's device although stage 1's is more restrictive",
	[KNOWN_CD] = "HCR_EL2.CD without effect with FWB",
	[KNOWN_CLEAN] = "fetch from a page that is writable by DBM",
};

static const char *const class_names[CLASSES] = {
	[CLASS_EL1] = "EL1&0",
	[CLASS_SECURE] = "Secure EL1&0",
	[CLASS_EL2] = "EL2",
	[CLASS_VHE] = "EL2&0",
	[CLASS_EL3] = "EL3",
	[CLASS_NESTED] = "two stages",
	[CLASS_DC] = "stage 2, DC",
	[CLASS_FETCH] = "EL1&0, executed",
	[CLASS_FETCH_NESTED] = "two stages, executed",
	[CLASS_FETCH_SECURE] = "Secure EL1&0, executed",
	[CLASS_FETCH_EL2] = "EL2, executed",
	[CLASS_FETCH_VHE] = "EL2&0, executed",
	[CLASS_FETCH_EL3] = "EL3, executed",
};

struct op {
	const char *name, *regime;
	enum pt_access_kind kind;
	unsigned int el;
	bool pan, both;
};

static const struct op ops[AT_OPS] = {
	[AT_S1E0R] = { "s1e0r", "el1", PT_READ, 0, false, false },
	[AT_S1E0W] = { "s1e0w", "el1", PT_WRITE, 0, false, false },
	[AT_S1E1R] = { "s1e1r", "el1", PT_READ, 1, false, false },
	[AT_S1E1W] = { "s1e1w", "el1", PT_WRITE, 1, false, false },
	[AT_S1E1RP] = { "s1e1rp", "el1", PT_READ, 1, true, false },
	[AT_S1E1WP] = { "s1e1wp", "el1", PT_WRITE, 1, true, false },
	[AT_S12E0R] = { "s12e0r", "el1", PT_READ, 0, false, true },
	[AT_S12E0W] = { "s12e0w", "el1", PT_WRITE, 0, false, true },
	[AT_S12E1R] = { "s12e1r", "el1", PT_READ, 1, false, true },
	[AT_S12E1W] = { "s12e1w", "el1", PT_WRITE, 1, false, true },
	[AT_S1E2R] = { "s1e2r", "el2", PT_READ, 2, false, false },
	[AT_S1E2W] = { "s1e2w", "el2", PT_WRITE, 2, false, false },
	[AT_S1E3R] = { "s1e3r", "el3", PT_READ, 3, false, false },
	[AT_S1E3W] = { "s1e3w", "el3", PT_WRITE, 3, false, false },
	[AT_FETCH0] = { "(fetch at EL0)", "el1", PT_FETCH, 0, false, true },
	[AT_FETCH1] = { "(fetch at EL1)", "el1", PT_FETCH, 1, false, true },
	[AT_FETCH2] = { "(fetch at EL2)", "el2", PT_FETCH, 2, false, false },
	[AT_FETCH3] = { "(fetch at EL3)", "el3", PT_FETCH, 3, false, false },
};

struct tally {
	unsigned int asked, agreed, mapped, wrong, known[KNOWN_COUNT], faults[8], stage2, ptw;
};

static const struct {
	const char *name;
	size_t at;
} registers[] = {
#define REG(name, field)                             \
	{                                            \
		name, offsetof(struct at_job, field) \
	}
	REG("ID_AA64MMFR0_EL1", mmfr[0]), REG("ID_AA64MMFR1_EL1", mmfr[1]),
	REG("ID_AA64MMFR2_EL1", mmfr[2]), REG("SCR_EL3", scr_el3),
	REG("HCR_EL2", hcr_el2),	  REG("SCTLR_EL1", sctlr_el1),
	REG("TCR_EL1", tcr_el1),	  REG("MAIR_EL1", mair_el1),
	REG("TTBR0_EL1", ttbr0_el1),	  REG("TTBR1_EL1", ttbr1_el1),
	REG("SCTLR_EL2", sctlr_el2),	  REG("TCR_EL2", tcr_el2),
	REG("MAIR_EL2", mair_el2),	  REG("TTBR0_EL2", ttbr0_el2),
	REG("TTBR1_EL2", ttbr1_el2),	  REG("VTCR_EL2", vtcr_el2),
	REG("VTTBR_EL2", vttbr_el2),	  REG("SCTLR_EL3", sctlr_el3),
	REG("TCR_EL3", tcr_el3),	  REG("MAIR_EL3", mair_el3),
	REG("TTBR0_EL3", ttbr0_el3),
};

static int sysreg(void *ctx, const char *name, uint64_t *value)
{
	const struct at_machine *m = ctx;

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (strcmp(registers[i].name, name))
			continue;
		memcpy(value, (const char *)&m->was + registers[i].at, sizeof(*value));
		return 0;
	}
	return -BATON_ENOTFOUND;
}

static int read_word(void *ctx, uint64_t pa, uint64_t *value)
{
	const uint64_t *word = at_word(ctx, pa);

	if (!word)
		return -BATON_ERANGE;
	*value = *word;
	return 0;
}

/* PAR_EL1 as the walk would have it (D24.2.136): RES1 and what is IMPLEMENTATION DEFINED out. */
static uint64_t par_of(const struct pt_walk *w, const struct op *op, const struct pt_access *acc)
{
	const struct pt_attrs *a = &w->attrs;
	uint64_t oa = w->oa;

	if (w->cfg.regime.nested && !op->both && (!w->fault || (w->stage == 2 && !w->s1ptw))) {
		a = &w->s1;
		oa = w->ipa;
	} else if (w->fault) {
		return 1 | (pt_walk_esr(w, acc) & 63) << 1 | (w->s1ptw ? BIT(8) : 0) |
		       (w->stage == 2 ? BIT(9) : 0);
	}
	return (uint64_t)a->mair << 56 | (oa & (BIT(52) - BIT(12))) | (uint64_t)a->share << 7 |
	       (w->cfg.regime.secure && !a->ns ? 0 : BIT(9));
}

#define PAR_OK	  (UINT64_C(0xff) << 56 | (BIT(52) - BIT(12)) | 0x381)
#define PAR_FAULT UINT64_C(0x37f)

/* The windows of the virt machine's devices, below RAM and the high ones of PCI Express. */
static bool is_device(uint64_t pa)
{
	return pa < AT_RAM || (pa >= UINT64_C(0x4000000000) && pa < UINT64_C(0x10000000000));
}

static bool agrees(uint64_t ours, uint64_t theirs)
{
	uint64_t mask = ours & 1 ? PAR_FAULT : PAR_OK;

	if ((ours ^ theirs) & 1)
		return false;
	/* Taken as an exception: the syndrome does not tell the stage. */
	if (ours & theirs & 1 && theirs >> 63)
		mask &= ~BIT(9);
	return !((ours ^ theirs) & mask);
}

static bool met_lpa(const struct pt_walk *w)
{
	const struct pt_config *cfgs[2] = { &w->cfg, &w->s2 };

	if (w->fault != PT_FAULT_ADDRESS_SIZE || w->fault_output < BIT(48))
		return false;
	for (unsigned int i = 0; i < 2; i++)
		if ((cfgs[i]->lpa || cfgs[i]->ds) && cfgs[i]->oa_bits < 52)
			return true;
	return false;
}

/* A block larger than the output size, with something in the bits below its address. */
static bool met_below(const struct pt_walk *w)
{
	for (unsigned int i = 0; i < w->steps; i++) {
		const struct pt_step *s = &w->step[i];
		const struct pt_config *c =
			s->stage == 2 && w->cfg.regime.nested ? &w->s2 : &w->cfg;

		if (s->kind == PT_BLOCK && (s->desc & 0xffffffff0000) >> c->oa_bits)
			return true;
	}
	return false;
}

/* An output beyond the output size, of a block whose base is not. */
static bool met_large(const struct pt_walk *w)
{
	return w->fault == PT_FAULT_ADDRESS_SIZE && w->steps &&
	       w->step[w->steps - 1].kind == PT_BLOCK &&
	       w->step[w->steps - 1].next != w->fault_output;
}

static bool met_clean(const struct pt_walk *w)
{
	return w->fault == PT_FAULT_PERMISSION && w->stage == 1 && w->cfg.hd && w->attrs.dbm;
}

static bool is_s2_size(const struct pt_walk *w)
{
	return w->cfg.regime.nested &&
	       (w->s2.ia_bits > w->s2.oa_bits || regime_pa_bits(&w->s2.regime) > w->s2.oa_bits ||
		(w->s2.start < 0 && w->s2.ia_bits < 52));
}

static enum known known(const struct pt_walk *w, bool both, uint64_t ours, uint64_t theirs)
{
	const struct pt_attrs *a = w->cfg.regime.nested && !both ? &w->s1 : &w->attrs;

	if (w->fault == PT_FAULT_EXTERNAL && is_device(w->fault_output))
		return KNOWN_DEVICE;
	if (a->share != a->sh && !((ours ^ theirs) & PAR_OK & ~UINT64_C(0x180)) &&
	    (theirs >> 7 & 3) == (uint64_t)a->sh)
		return KNOWN_SHARE;
	if (w->fault == PT_FAULT_TRANSLATION && w->reason == PT_REASON_RESERVED && w->level < 3)
		return KNOWN_BLOCK;
	if (w->s1ptw && !((ours ^ theirs) & PAR_FAULT & ~(theirs >> 63 ? BIT(9) | 6 : 6)))
		return KNOWN_PTW_LEVEL;
	if (met_lpa(w))
		return KNOWN_LPA;
	if (met_large(w))
		return KNOWN_LARGE;
	if (met_below(w) && !(theirs & 0x78))
		return KNOWN_BELOW;
	if (w->cfg.regime.nested && both && !((ours | theirs) & 1) && w->s2_attrs.mair == 0x10)
		return KNOWN_RESERVED;
	if (w->cfg.regime.nested && both && !(ours & 1) && !(theirs >> 60) && !(ours >> 60) &&
	    !((ours ^ theirs) & PAR_OK & (BIT(56) - 1) & ~UINT64_C(0x180)) &&
	    !(w->s1.mair >> 4) != !(w->s2_attrs.mair >> 4))
		return KNOWN_MIXED;
	if (w->s2.fwb && both && !((ours | theirs) & 1) &&
	    !((ours ^ theirs) & PAR_OK & (BIT(56) - 1)) && !(w->s1.mair >> 4) &&
	    w->s2_attrs.mair == theirs >> 56 && w->s1.mair < w->s2_attrs.mair)
		return KNOWN_DEVICES;
	if (w->s2.fwb && both && (w->s2.regime.hcr & HCR_CD) && ours >> 56 == 0x44 &&
	    !((ours ^ theirs) & PAR_OK & (BIT(56) - 1) & ~UINT64_C(0x180)))
		return KNOWN_CD;
	/* A translation fault of stage 2 before any table of it is read; of any level with S1PTW.
	 */
	if (is_s2_size(w) && (theirs & 0x279) == 0x209)
		return KNOWN_S2_SIZE;
	if (w->cfg.regime.nested && !((ours ^ theirs) & ~(UINT64_C(0x88) << 56) & PAR_OK) &&
	    !(w->s1.mair & 0x88))
		return KNOWN_TRANSIENT;
	return KNOWN_NONE;
}

static void say_wrong(const struct at_machine *m, const struct op *op, const struct pt_walk *w,
		      const struct pt_access *acc, uint64_t ours, uint64_t theirs)
{
	struct buf text = { 0 };
	char *line, *rest;

	pt_render_walk(w, acc, NULL, &text);
	printf("# %s: at %s, 0x%" PRIx64 ": PAR 0x%" PRIx64 ", ours 0x%" PRIx64 "; HCR 0x%" PRIx64
	       " TCR 0x%" PRIx64 " VTCR 0x%" PRIx64 "\n",
	       m->cpu, op->name, w->ia, theirs, ours, m->was.hcr_el2, w->cfg.regime.tcr,
	       m->was.vtcr_el2);
	for (line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		printf("#   %s\n", line);
	buf_free(&text);
}

static void compare(struct at_machine *m, const struct at_access *a, const struct op *op,
		    const struct regime *r, struct tally *t)
{
	const struct pt_reader reader = { .read = read_word, .ctx = m };
	struct pt_access acc = { .kind = op->kind, .el = op->el, .pan = op->pan };
	struct buf why = { 0 };
	struct pt_walk w;
	uint64_t ours;
	enum known k;

	/* With E2H and TGE these are of EL2&0. */
	if (acc.el == 1 && r->el == 2)
		acc.el = 2;
	t->asked++;
	if (pt_walk_regime(r, &reader, a->va, &acc, &w, &why)) {
		t->wrong++;
		printf("# %s: at %s: refused: %s\n", m->cpu, op->name, why.data ? why.data : "");
		buf_free(&why);
		return;
	}
	ours = par_of(&w, op, &acc);
	t->mapped += !(ours & 1);
	t->faults[ours & 1 ? w.fault : PT_FAULT_NONE]++;
	t->stage2 += (ours & 1) && w.stage == 2;
	t->ptw += (ours & 1) && w.s1ptw;
	if (agrees(ours, a->par)) {
		t->agreed++;
		return;
	}
	k = known(&w, op->both, ours, a->par);
	if (k != KNOWN_NONE) {
		t->known[k]++;
		return;
	}
	if (++t->wrong <= SHOWN)
		say_wrong(m, op, &w, &acc, ours, a->par);
}

/* Only what cannot run wild where we are wrong: SMCs, or nothing that QEMU may see otherwise. */
static bool is_harmless(const struct pt_walk *w)
{
	if (w->mapped)
		return w->oa >= AT_EXEC && w->oa < AT_EXEC_END && !met_below(w);
	return w->fault != PT_FAULT_EXTERNAL && !met_clean(w) && !met_lpa(w) && !met_large(w) &&
	       !met_below(w) && !(w->reason == PT_REASON_RESERVED && w->level < 3);
}

/*
 * Exceptions go where the level that takes them may fetch; without such a place there is
 * nothing to run. At EL3 it is guest.S itself that takes them.
 */
static bool find_vectors(struct at_machine *m, const struct regime *r)
{
	const struct pt_reader reader = { .read = read_word, .ctx = m };
	const struct pt_access acc = { .kind = PT_FETCH, .el = r->el };
	struct at_job *j = &m->was;
	struct pt_walk w;

	for (uint64_t i = 0; i < j->count; i++) {
		if (r->el == 3)
			return true;
		j->vbar = j->access[i].va & ~UINT64_C(0x7ff);
		if (!pt_walk_regime(r, &reader, j->vbar, &acc, &w, NULL) && !w.fault &&
		    w.oa >= AT_EXEC && w.oa < AT_EXEC_END && !met_below(&w) && !is_s2_size(&w))
			return true;
	}
	return false;
}

static void keep_harmless(struct at_machine *m, const struct regime *r)
{
	const struct pt_reader reader = { .read = read_word, .ctx = m };
	struct at_job *j = &m->was;
	uint64_t kept = 0;

	for (uint64_t i = 0; i < j->count; i++) {
		struct at_access a = { .va = j->access[i].va & ~UINT64_C(3),
				       .op = j->access[i].op };
		struct pt_access acc = { .kind = PT_FETCH, .el = ops[a.op].el };
		struct pt_walk w;

		/* Addresses that an ERET would change are left out: tags, the hole. */
		if (a.va >> 56 != (r->two_halves && a.va & BIT(55) ? 0xff : 0) ||
		    pt_walk_regime(r, &reader, a.va, &acc, &w, NULL) || !is_harmless(&w))
			continue;
		j->access[kept++] = a;
	}
	j->count = find_vectors(m, r) ? kept : 0;
}

/* What guest.S makes of a fetch: 1, or ESR_ELn with bit 60 + n. */
static void compare_fetch(struct at_machine *m, const struct at_access *a, const struct op *op,
			  const struct regime *r, struct tally *t)
{
	const struct pt_reader reader = { .read = read_word, .ctx = m };
	struct pt_access acc = { .kind = PT_FETCH, .el = op->el };
	uint64_t ours = 1, hpfar;
	struct pt_walk w;

	/* A vector: executed and faulted look the same. */
	if ((a->va & ~UINT64_C(0x600)) == m->was.vbar && r->el < 3)
		return;
	t->asked++;
	if (pt_walk_regime(r, &reader, a->va, &acc, &w, NULL))
		return;
	if (w.fault)
		ours = pt_walk_esr(&w, &acc) | BIT(60 + pt_walk_fault_el(&w));
	t->mapped += !w.fault;
	t->faults[w.fault]++;
	t->stage2 += w.fault && w.stage == 2;
	t->ptw += w.s1ptw;
	if (ours == a->par && (!pt_walk_hpfar(&w, &hpfar) || hpfar == (a->op & ~BIT(63)))) {
		t->agreed++;
		return;
	}
	if (w.s1ptw && !((ours ^ a->par) & ~UINT64_C(3))) {
		t->known[KNOWN_PTW_LEVEL]++;
		return;
	}
	if (is_s2_size(&w) && (a->par >> 61) == 2 && (a->par & 0x3c) == 4) {
		t->known[KNOWN_S2_SIZE]++;
		return;
	}
	if (met_clean(&w) && (a->par == 1 || w.cfg.regime.nested)) {
		t->known[KNOWN_CLEAN]++;
		return;
	}
	if (++t->wrong <= SHOWN)
		say_wrong(m, op, &w, &acc, ours, a->par);
}

static void one_job(struct at_machine *m, enum at_class class, struct tally *t)
{
	const struct regime_source src = { .sysreg = sysreg, .ctx = m };
	uint8_t op[AT_MAX_ACCESSES] = { 0 }; /* a run makes them HPFAR_EL2 */
	struct buf why = { 0 };
	const char *spec;
	struct regime r;

	at_generate(m, class);
	/* All are of one regime. */
	spec = ops[m->was.access[0].op].regime;
	if (class == CLASS_VHE || class == CLASS_FETCH_VHE)
		spec = "el2";
	if (regime_read(&r, spec, spec[2] == '3' ? 3 : 1, &src, &why)) {
		t->wrong++;
		printf("# %s: %s\n", m->cpu, why.data ? why.data : "");
		buf_free(&why);
		return;
	}
	if (class >= CLASS_FETCH)
		keep_harmless(m, &r);
	for (uint64_t i = 0; i < m->was.count; i++)
		op[i] = (uint8_t)m->was.access[i].op;
	at_run(m);
	for (uint64_t i = 0; i < m->was.count; i++) {
		if (class >= CLASS_FETCH)
			compare_fetch(m, &m->was.access[i], &ops[op[i]], &r, t);
		else
			compare(m, &m->was.access[i], &ops[op[i]], &r, t);
	}
}

static void say_tally(const struct tally *t)
{
	printf("#   %u mapped; faults: %u translation, %u address size, %u access flag, "
	       "%u permission, %u external; %u of stage 2, %u of them on a table of stage 1\n",
	       t->mapped, t->faults[PT_FAULT_TRANSLATION], t->faults[PT_FAULT_ADDRESS_SIZE],
	       t->faults[PT_FAULT_ACCESS_FLAG], t->faults[PT_FAULT_PERMISSION],
	       t->faults[PT_FAULT_EXTERNAL], t->stage2, t->ptw);
	for (unsigned int k = 1; k < KNOWN_COUNT; k++)
		if (t->known[k])
			printf("#   known: %u: %s\n", t->known[k], known_words[k]);
}

static unsigned int run_cpu(const char *cpu, unsigned int jobs, uint64_t seed, unsigned int *tests,
			    unsigned int *pairs)
{
	struct at_machine *m = calloc(1, sizeof(*m));
	unsigned int failed = 0;

	if (!m)
		abort();
	at_start(m, cpu);
	m->random = seed;
	for (int class = 0; class < CLASSES; class ++) {
		struct tally t = { 0 };

		if ((class == CLASS_VHE || class == CLASS_FETCH_VHE) && !m->max)
			continue;
		for (unsigned int i = 0; i < jobs; i++)
			one_job(m, (enum at_class) class, &t);
		printf("%s %u - %s, %s: %u pairs, %u disagree\n", t.wrong ? "not ok" : "ok",
		       ++*tests, cpu, class_names[class], t.asked, t.wrong);
		say_tally(&t);
		fflush(stdout);
		failed += t.wrong != 0;
		*pairs += t.asked;
	}
	at_stop(m);
	free(m);
	return failed;
}

int main(int argc, char **argv)
{
	static const char *const cpus[] = { "cortex-a57", "max" };
	unsigned int jobs = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 20;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20240229;
	unsigned int tests = 0, pairs = 0, failed = 0;

	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++)
		failed += run_cpu(cpus[i], jobs, seed, &tests, &pairs);
	printf("# %u pairs of table and access\n1..%u\n", pairs, tests);
	return failed > 0;
}
