/* SPDX-License-Identifier: BSD-2-Clause */
/* `baton check`: the registers as the loader will set them. What has to be assumed is said. */
#include "check_internal.h"

#include "baton/vmsa_a64.h"
#include "machine/tables.h"

#include <stdio.h>
#include <string.h>

#define SCTLR_EL1_RES1	UINT64_C(0x30d00800)
#define SCTLR_EL23_RES1 UINT64_C(0x30c50830)
#define SCTLR_ON	UINT64_C(0x1005) /* M, C, I */
#define TCR_PS_40_BITS	UINT64_C(2)
#define TCR_EPD0	(UINT64_C(1) << 7)
#define TCR_EPD1	(UINT64_C(1) << 23)

static void set_sysreg(struct checking *k, const char *base, uint64_t value)
{
	char name[24];

	snprintf(name, sizeof(name), "%s_EL%u", base, k->el);
	machine_image_set_reg(&k->mi, MACHINE_IMAGE_ALL, name, value);
}

static void choose_level(struct checking *k)
{
	const uint64_t *said = checking_given(k, GIVEN_EL);
	const struct image *img = check_image(&k->ctx);
	uint64_t cpsr, pc = k->mi.entry;

	if (said)
		k->el = (unsigned int)*said;
	else if (k->mi.kind == MACHINE_IMAGE_CORE && k->mi.regs)
		k->el = machine_reg_read(&k->mi.m, k->mi.m.cpu, "cpsr", &cpsr) ? 1 : cpsr >> 2 & 3;
	else if (k->has_board)
		k->el = k->board.kernel_el;
	else if (img->has_header) /* a kernel of EL1's upper half, or one that has but one */
		k->el = img->header.kernel_entry >> 63 ? 1 : 2;
	else
		buf_puts(&k->text, "EL1 is assumed (--el says otherwise)\n");
	if (!k->el)
		k->el = 1;
	if (checking_given(k, GIVEN_ENTRY))
		pc = *checking_given(k, GIVEN_ENTRY);
	else if (k->has_board && k->board.kernel_type == KERNEL_LINUX)
		pc = 0;
	else if (img->has_header)
		pc = img->header.kernel_entry;
	if (checking_given(k, GIVEN_ENTRY) || k->mi.kind != MACHINE_IMAGE_CORE || !k->mi.regs) {
		if (!k->mi.regs && k->mi.kind == MACHINE_IMAGE_CORE)
			buf_puts(&k->text, "no registers in its notes: none but those given\n");
		if (pc)
			machine_image_set_reg(&k->mi, k->mi.m.cpu, "pc", pc);
		machine_image_set_reg(&k->mi, k->mi.m.cpu, "cpsr", k->el << 2 | 0x3c1);
	}
}

static void set_controls(struct checking *k)
{
	const uint64_t *tcr = checking_given(k, GIVEN_TCR), *mair = checking_given(k, GIVEN_MAIR);
	const uint64_t *sctlr = checking_given(k, GIVEN_SCTLR);
	uint64_t t = k->el == 1 ? VMSA_TCR_EL1 | TCR_PS_40_BITS << VMSA_TCR_EL1_IPS_SHIFT
				: VMSA_TCR_EL2 | TCR_PS_40_BITS << VMSA_TCR_EL2_PS_SHIFT;

	k->tcr = tcr ? *tcr : t;
	k->mair = mair ? *mair : VMSA_MAIR;
	set_sysreg(k, "TCR", k->tcr);
	set_sysreg(k, "MAIR", k->mair);
	set_sysreg(k, "SCTLR",
		   sctlr ? *sctlr | 1 : (k->el == 1 ? SCTLR_EL1_RES1 : SCTLR_EL23_RES1) | SCTLR_ON);
	buf_printf(&k->text, "TCR_EL%u %#" PRIx64 " (%s), MAIR_EL%u %#" PRIx64 " (%s)\n", k->el,
		   k->tcr, tcr ? "--tcr" : "assumed", k->el, k->mair, mair ? "--mair" : "assumed");
}

int checking_bare_regime(struct checking *k, struct regime *r)
{
	char spec[48];
	struct tables t;
	int err;

	snprintf(spec, sizeof(spec), k->el == 1 ? "el1:ttbr0=0:ttbr1=0" : "el%u:ttbr0=0", k->el);
	err = tables_init(&t, &k->mi.m, k->ctx.symbols, 0, spec, &k->text);
	*r = t.regime;
	r->own = 0;
	return err;
}

static void set_root(struct checking *k, unsigned int half, uint64_t pa, const char *how)
{
	char base[8];

	snprintf(base, sizeof(base), "TTBR%u", half);
	set_sysreg(k, base, pa);
	k->root[half] = pa;
	k->has_root[half] = true;
	k->root_how[half] = how;
	buf_printf(&k->text, "TTBR%u_EL%u %#" PRIx64, half, k->el, pa);
	checking_say_symbol(k, pa);
	buf_printf(&k->text, ": %s", how);
	if (!strncmp(how, "perhaps", 7))
		buf_printf(&k->text, " (--ttbr%u says otherwise)", half);
	buf_putc(&k->text, '\n');
}

static int find_root(struct checking *k, unsigned int half, uint64_t va, bool identity)
{
	static const char *const how[] = {
		[ROOT_LEADS] = "found: by it the address is reached",
		[ROOT_ASTRAY] = "perhaps: a table that nothing points to",
		[ROOT_EMPTY] = "perhaps: an empty page among the tables",
	};
	struct check_root root = { .how = ROOT_NONE };
	struct regime r;
	int err = checking_bare_regime(k, &r);

	if (!err)
		err = check_find_root(&k->ctx, &r, va, identity, k->root[!half], &root);
	if (err || root.how == ROOT_NONE)
		return err;
	set_root(k, half, root.pa,
		 root.how == ROOT_LEADS && identity ? "found: it maps the loader onto itself"
						    : how[root.how]);
	k->root_others[half] = root.others;
	if (root.others)
		buf_printf(&k->text, "  (%u other pages would do as well)\n", root.others);
	return 0;
}

/* By option, by the documented name, or by what they do. */
static int choose_roots(struct checking *k)
{
	static const char *const names[] = { "boot_lvl0_lower", "boot_lvl0_upper" };
	const struct image *img = check_image(&k->ctx);
	int err = 0;

	for (unsigned int half = 0; half < (k->el == 1 ? 2u : 1u); half++) {
		const uint64_t *said = checking_given(k, half ? GIVEN_TTBR1 : GIVEN_TTBR0);
		uint64_t pa;

		if (said)
			set_root(k, half, *said, half ? "--ttbr1" : "--ttbr0");
		else if (!symbols_find(k->ctx.symbols, names[half], &pa))
			set_root(k, half, pa, "by its name");
	}
	/* Twice: what is only likely rests on the other root. */
	for (unsigned int turn = 0; !err && turn < 2; turn++) {
		if (!k->has_root[0] && img->spans)
			err = find_root(k, 0, k->load, true);
		if (!err && !k->has_root[1] && k->el == 1 && img->has_header &&
		    img->header.kernel_entry >> 63)
			err = find_root(k, 1, img->header.kernel_entry, false);
	}
	return err;
}

/* Why there is no root at all, and what to do. */
static const char *no_root(const struct checking *k)
{
	if (k->mi.kind == MACHINE_IMAGE_CORE)
		return " (QEMU's cores hold no system registers: `sysreg` of a running machine has "
		       "them)";
	if (!check_image(&k->ctx)->spans)
		return "";
	return k->mi.size > begin_size(k) ? " (looked for in its first 64 MiB)"
					  : " (nothing in it maps that address onto itself: is it "
					    "loaded elsewhere? --load)";
}

/*
 * Tables that point to one another, so that they lie where they belong, by a TCR that is
 * not a mere guess: that no root leads through them is what is wrong with the image.
 */
static bool leads_nowhere(struct checking *k)
{
	struct regime r;

	return (check_image(&k->ctx)->has_header || checking_given(k, GIVEN_TCR)) &&
	       !checking_bare_regime(k, &r) && check_has_tables(&k->ctx, &r);
}

/* Without any root, commands that need none still have a meaning. */
static int settle_without(struct checking *k)
{
	k->lost = !k->o->commands.count && leads_nowhere(k);
	if (k->lost)
		buf_puts(&k->text, "no root is among its tables\n");
	else if (!k->o->commands.count)
		return checking_unusable(k, "where are its tables? --ttbr0, --ttbr1 say it%s",
					 no_root(k));
	else
		buf_printf(&k->text, "its tables are not known: --ttbr0, --ttbr1 say it%s\n",
			   no_root(k));
	return 0;
}

/* A half whose root nobody knows is not walked. */
static int settle_roots(struct checking *k)
{
	uint64_t tcr = 0;
	char name[16];

	if (!k->has_root[0] && !k->has_root[1])
		return settle_without(k);
	snprintf(name, sizeof(name), "TCR_EL%u", k->el);
	if (k->el != 1)
		return 0;
	for (unsigned int half = 0; half < 2; half++) {
		if (k->has_root[half])
			continue;
		machine_reg_read(&k->mi.m, k->mi.m.cpu, name, &tcr);
		set_sysreg(k, "TCR", tcr | (half ? TCR_EPD1 : TCR_EPD0));
		set_sysreg(k, half ? "TTBR1" : "TTBR0", 0);
		buf_printf(&k->text, "TTBR%u_EL1 is not known (--ttbr%u): its half is not walked\n",
			   half, half);
	}
	return 0;
}

/* What is said that the file, or the level, has no use for. */
static int check_given(struct checking *k)
{
	const uint64_t *cpu = checking_given(k, GIVEN_CPU);
	bool core = k->mi.kind == MACHINE_IMAGE_CORE;

	if (cpu && *cpu >= k->mi.m.cpus)
		return checking_unusable(k, "--cpu %" PRIu64 ": no such CPU (there are 0 to %u)",
					 *cpu, k->mi.m.cpus - 1);
	if (checking_given(k, GIVEN_LOAD) && (k->mi.kind != MACHINE_IMAGE_FLAT || k->mi.begin))
		return checking_unusable(k, "%s says itself where it belongs: leave --load out",
					 core ? "a core" : "such a file");
	if (core && !k->o->commands.count && !checking_given(k, GIVEN_TCR))
		return checking_unusable(k,
					 "which registers? --ttbr0, --ttbr1, --tcr, --mair say "
					 "it%s",
					 no_root(k));
	k->mi.m.cpu = cpu ? (unsigned int)*cpu : 0;
	return 0;
}

/* Which CPU's registers these may be is for a person to see. */
static void say_cpus(struct checking *k)
{
	uint64_t pc, cpsr;

	for (unsigned int cpu = 0; cpu < k->mi.m.cpus; cpu++) {
		if (machine_reg_read(&k->mi.m, cpu, "pc", &pc) ||
		    machine_reg_read(&k->mi.m, cpu, "cpsr", &cpsr))
			continue;
		buf_printf(&k->text, "  CPU%u  EL%u  pc %#" PRIx64, cpu,
			   (unsigned int)(cpsr >> 2 & 3), pc);
		checking_say_symbol(k, pc);
		buf_puts(&k->text, cpu == k->mi.m.cpu ? ": looked at\n" : "\n");
	}
}

static void set_stage2(struct checking *k)
{
	const uint64_t *vttbr = checking_given(k, GIVEN_VTTBR),
		       *vtcr = checking_given(k, GIVEN_VTCR);

	if (!vttbr || !vtcr)
		return;
	machine_image_set_reg(&k->mi, MACHINE_IMAGE_ALL, "VTTBR_EL2", *vttbr);
	machine_image_set_reg(&k->mi, MACHINE_IMAGE_ALL, "VTCR_EL2", *vtcr);
	machine_image_set_reg(&k->mi, MACHINE_IMAGE_ALL, "HCR_EL2", HCR_VM | HCR_RW);
	machine_image_set_reg(&k->mi, MACHINE_IMAGE_ALL, "SCTLR_EL2", SCTLR_EL23_RES1);
	buf_printf(&k->text, "VTTBR_EL2 %#" PRIx64 " (--vttbr), VTCR_EL2 %#" PRIx64 " (--vtcr)\n",
		   *vttbr, *vtcr);
}

int checking_set_regs(struct checking *k)
{
	int err = check_given(k);

	if (err)
		return err;
	if (k->mi.kind == MACHINE_IMAGE_CORE)
		say_cpus(k);
	choose_level(k);
	if (k->el != 1 && (checking_given(k, GIVEN_TTBR1) || checking_given(k, GIVEN_VTTBR)))
		return checking_unusable(k, "EL%u has no TTBR1_EL%u, and no second stage: --el 1?",
					 k->el, k->el);
	set_controls(k);
	set_stage2(k);
	err = choose_roots(k);
	if (err)
		return checking_unusable(k, "%s", baton_strerror(err));
	return settle_roots(k);
}
