/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/ask.h"

#include "machine/inject.h"
#include "mmu/sysreg.h"

/* sys #op1, C7, C8, #op2, x0 (DDI 0487, C5.4). */
#define AT(op1, op2) (0xd5080000u | (op1) << 16 | 7 << 12 | 8 << 8 | (op2) << 5)
#define MRS_X1_PAR   0xd5387401u
#define MRS_X2_PAR   0xd5387402u
#define MSR_PAR_X1   0xd5187401u
#define ISB	     0xd5033fdfu

#define PAR_F	 1u
#define PAR_S	 (1u << 9)
#define PAR_PA	 UINT64_C(0x000ffffffffff000)
#define FST(par) ((par) >> 1 & 0x3f)

/* What the walk says that AT is asked for: behind both stages, or behind the first. */
struct asked {
	const char *name;
	uint32_t insn;
	bool ipa; /* the first stage alone, though there are two */
};

static int choose(struct cmd *c, const struct tables *t, const struct pt_access *acc,
		  struct asked *a)
{
	static const char *const names[3][2][2] = {
		{ { "S1E1R", "S1E1W" }, { "S1E0R", "S1E0W" } },
		{ { "S12E1R", "S12E1W" }, { "S12E0R", "S12E0W" } },
		{ { "S1E2R", "S1E2W" }, { "S1E3R", "S1E3W" } },
	};
	const struct regime *r = &t->regime;
	unsigned int write = acc->kind == PT_WRITE, el0 = !acc->el;

	if (acc->kind == PT_FETCH)
		return cmd_fail(c, -BATON_EREFUSED, "there is no AT for a fetch: -a r or -a w");
	if (r->stage2 || r->pending || r->own)
		return cmd_fail(c, -BATON_EREFUSED,
				"the CPU can only be asked for a regime as its registers have it");
	if (t->el < r->el)
		return cmd_fail(c, -BATON_EREFUSED,
				"CPU %u is at EL%u, and %s takes EL%u to ask for", c->cpu, t->el,
				r->title, r->el);
	if (r->el == 3) {
		a->name = names[2][1][write];
		a->insn = AT(6, 0 + write);
	} else if (r->el == 2 && !el0) {
		a->name = names[2][0][write];
		a->insn = AT(4, 0 + write);
	} else if (r->nested && t->el > 1) {
		a->name = names[1][el0][write];
		a->insn = AT(4, 4 + 2 * el0 + write);
	} else {
		a->name = names[0][el0][write];
		a->insn = AT(0, 2 * el0 + write);
		a->ipa = r->nested;
	}
	return 0;
}

static void say_par(uint64_t par, uint64_t va, struct buf *out)
{
	const char *words;

	if (!(par & PAR_F)) {
		buf_printf(out, "%#" PRIx64, (par & PAR_PA) | (va & 0xfff));
		return;
	}
	/* Words for a fault status are those of a data abort's ESR. */
	words = esr_fault_words(UINT64_C(0x25) << 26 | FST(par));
	buf_printf(out, "%s%s", words ? words : "a fault that has no name",
		   par & PAR_S ? " of stage 2" : "");
}

static bool agrees(const struct asked *a, uint64_t par, uint64_t va, const struct pt_access *acc,
		   const struct pt_walk *w)
{
	uint64_t out = (par & PAR_PA) | (va & 0xfff);

	if (a->ipa && w->ipa_known)
		return !(par & PAR_F) && out == w->ipa;
	if (par & PAR_F)
		return w->fault && FST(par) == (pt_walk_esr(w, acc) & 0x3f);
	return !w->fault && out == w->oa;
}

int ask_cpu(struct cmd *c, struct tables *t, uint64_t va, const struct pt_access *acc,
	    const struct pt_walk *w)
{
	uint32_t code[] = { MRS_X1_PAR, 0, ISB, MRS_X2_PAR, MSR_PAR_X1 };
	struct inject i = { .cpu = c->cpu, .code = code, .words = 5, .x = { va } };
	struct buf said = { 0 };
	struct asked a = { 0 };
	int err = choose(c, t, acc, &a);

	if (err)
		return err;
	code[1] = a.insn;
	err = inject_run(c->machine, &i);
	if (err)
		return cmd_fail(c, err, NULL);
	if (i.fault)
		return cmd_fail(c, -BATON_EREFUSED, "AT %s goes to EL%u (ESR_EL%u %#" PRIx64 ")",
				a.name, i.level, i.level, i.esr);
	say_par(i.x[2], va, &said);
	if (agrees(&a, i.x[2], va, acc, w)) {
		cmd_say(c, "CPU %u itself (AT %s): %s%s, as the walk", c->cpu, a.name, said.data,
			a.ipa ? " behind stage 1" : "");
	} else {
		c->found = true;
		cmd_say(c,
			"CPU %u itself (AT %s): %s%s, which is NOT what the walk says (PAR_EL1 "
			"%#" PRIx64 ")",
			c->cpu, a.name, said.data, a.ipa ? " behind stage 1" : "", i.x[2]);
	}
	buf_free(&said);
	return 0;
}
