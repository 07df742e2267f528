/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a kernel asks of who starts it. Only where it is known which kernel it is: Linux by its
 * header (Documentation/arch/arm64/booting.rst), seL4 by the loader image's.
 */
#include "handoff/preflight.h"

#include "hex.h"

#define FDT_MAGIC     0xd00dfeedu
#define FDT_LINUX_MAX (2u << 20)

#define SCTLR_M 1u
#define SCTLR_C 4u

#define PSTATE_DAIF 0x3c0u
#define PSTATE_IF   0x0c0u

static const struct baton_image_header *header_of(const struct leap *l)
{
	return &l->h->image.header;
}

enum contract contract_of(const struct leap *l)
{
	if (!l->unfit && !l->walk.fault && leave_is_linux(&l->target))
		return CONTRACT_LINUX;
	if (!code_is_entry(l->h, l->pc) || (l->has_board && l->board.kernel_type != KERNEL_SEL4))
		return CONTRACT_NONE;
	return CONTRACT_SEL4;
}

const char *contract_name(enum contract c)
{
	static const char *const names[] = { NULL, "seL4", "Linux" };

	return names[c];
}

int contract_regions(struct leap *l, unsigned int n)
{
	struct leave_regions r;
	int err;

	(void)n;
	if (!l->h->image.has_header)
		return 0;
	err = leave_regions(l->h, &r);
	if (err == -BATON_ELINK || err == -BATON_ECANCELED)
		return err;
	if (err == 1 && leave_is_not_first(l->h, l->cpu))
		leap_say(l, PREFLIGHT_UNKNOWN,
			 "another CPU runs the kernel by now; region %zu holds something else "
			 "from %#" PRIx64 " on",
			 r.bad, r.differs);
	else if (err == 1)
		leap_say(l, PREFLIGHT_WRONG,
			 "region %zu is not what the image holds from %#" PRIx64 " on", r.bad,
			 r.differs);
	else if (err)
		leap_say(l, PREFLIGHT_WRONG, "region %zu cannot be compared: %s", r.bad,
			 err == -BATON_ENOTFOUND ? "its bytes lie outside the image"
						 : machine_error(machine_of(l->h), err));
	else if (r.count)
		leap_say(l, PREFLIGHT_OK, "%zu copied, %" PRIu64 " bytes, as in the image", r.count,
			 r.bytes);
	return 0;
}

int contract_level(struct leap *l, unsigned int n)
{
	/* a kernel of the upper half is EL1's; EL2 alone has but one */
	unsigned int want = l->has_board		       ? l->board.kernel_el
			    : header_of(l)->kernel_entry >> 63 ? 1
							       : 2;

	(void)n;
	if (l->contract == CONTRACT_LINUX && (l->to == 1 || l->to == 2))
		leap_say(l, PREFLIGHT_OK, "EL%u", l->to);
	else if (l->contract == CONTRACT_LINUX)
		leap_say(l, PREFLIGHT_WRONG, "the level is EL%u: Linux starts at EL2 or EL1",
			 l->to);
	else if (l->contract == CONTRACT_SEL4 && l->to == want)
		leap_say(l, PREFLIGHT_OK, "EL%u", l->to);
	else if (l->contract == CONTRACT_SEL4)
		leap_say(l, PREFLIGHT_WRONG, "the level is EL%u: this kernel is for EL%u", l->to,
			 want);
	return 0;
}

int contract_mmu(struct leap *l, unsigned int n)
{
	uint64_t sctlr = l->then.regime.sctlr;

	(void)n;
	if (l->contract == CONTRACT_LINUX && (sctlr & (SCTLR_M | SCTLR_C)))
		leap_say(l, PREFLIGHT_WRONG, "the %s on: Linux starts with both off",
			 !(sctlr & SCTLR_C)   ? "MMU is"
			 : !(sctlr & SCTLR_M) ? "data cache is"
					      : "MMU and the data cache are");
	else if (l->contract == CONTRACT_LINUX)
		leap_say(l, PREFLIGHT_OK, "MMU and data cache off");
	else if (l->contract == CONTRACT_SEL4 && !(sctlr & SCTLR_M))
		leap_say(l, PREFLIGHT_WRONG, "the MMU is off: seL4 starts with it on");
	else if (l->contract == CONTRACT_SEL4)
		leap_say(l, PREFLIGHT_OK, "on");
	return 0;
}

/* A device tree's size by its header; 0: none is there. */
static int fdt_size(struct leap *l, uint64_t pa, uint32_t *size)
{
	uint8_t head[8];
	int err;

	*size = 0;
	if (!machine_is_ram(machine_of(l->h), pa, sizeof(head), true))
		return 0;
	err = machine_phys_read(machine_of(l->h), pa, head, sizeof(head));
	if (err)
		return err == -BATON_ELINK || err == -BATON_ECANCELED ? err : 0;
	if (__builtin_bswap32((uint32_t)le_read(head, 4)) == FDT_MAGIC)
		*size = __builtin_bswap32((uint32_t)le_read(head + 4, 4));
	return 0;
}

static int linux_argument(struct leap *l, unsigned int n, uint64_t x)
{
	uint32_t size;
	int err;

	if (n > 3)
		return 0;
	if (n) {
		if (x)
			leap_say(l, PREFLIGHT_WRONG, "x%u is %#" PRIx64 ": Linux wants 0", n, x);
		else
			leap_say(l, PREFLIGHT_OK, "0");
		return 0;
	}
	err = fdt_size(l, x, &size);
	if (err)
		return err;
	if (!size)
		leap_say(l, PREFLIGHT_WRONG,
			 "x0 is %#" PRIx64 ", where no device tree is: Linux wants its address", x);
	else if (x & 7)
		leap_say(l, PREFLIGHT_WRONG,
			 "x0, the device tree, is %#" PRIx64 ": not a multiple of 8", x);
	else if (size > FDT_LINUX_MAX)
		leap_say(l, PREFLIGHT_WRONG,
			 "the device tree at x0, %#" PRIx64 ", has %" PRIu32
			 " bytes: more than 2 MiB",
			 x, size);
	else
		leap_say(l, PREFLIGHT_OK, "%#" PRIx64 ", a device tree of %" PRIu32 " bytes", x,
			 size);
	return 0;
}

/* x4 and x5: a device tree and its size, or 0. */
static int sel4_tree(struct leap *l, unsigned int n, uint64_t x)
{
	uint32_t size;
	int err;

	if (n == 5 && (!(l->at->known >> 4 & 1) || !l->at->x[4]))
		return 0;
	err = fdt_size(l, n == 5 ? l->at->x[4] : x, &size);
	if (err)
		return err;
	if (n == 4 && x && !size)
		leap_say(l, PREFLIGHT_WRONG,
			 "x4 is %#" PRIx64 ", where no device tree is: seL4 wants one or 0", x);
	else if (n == 4)
		leap_say(l, PREFLIGHT_OK, x ? "%#" PRIx64 ", a device tree" : "0: no device tree",
			 x);
	else if (size && x && x < size)
		leap_say(l, PREFLIGHT_WRONG,
			 "x5 is %#" PRIx64 ": the device tree at x4 has %#" PRIx32 " bytes", x,
			 size);
	else if (size)
		leap_say(l, PREFLIGHT_OK, x ? "%#" PRIx64 ", its size" : "0: it is not looked at",
			 x);
	return 0;
}

static int sel4_argument(struct leap *l, unsigned int n, uint64_t x)
{
	const struct baton_image_header *h = header_of(l);
	const struct {
		const char *what;
		uint64_t value;
	} want[] = {
		{ "the task's start", h->ui_p_reg_start },
		{ "the task's end", h->ui_p_reg_end },
		{ "its physical minus virtual addresses", h->pv_offset },
		{ "the task's entry", h->v_entry },
	};

	if (n > 3)
		return sel4_tree(l, n, x);
	if (x != want[n].value)
		leap_say(l, PREFLIGHT_WRONG,
			 "x%u is %#" PRIx64 ": seL4 wants %s, %#" PRIx64 " by the image's header",
			 n, x, want[n].what, want[n].value);
	else if (n == 3 &&
		 x + h->pv_offset - h->ui_p_reg_start >= h->ui_p_reg_end - h->ui_p_reg_start)
		leap_say(l, PREFLIGHT_WRONG,
			 "x3, the task's entry, is %#" PRIx64 ": outside of the task, %#" PRIx64
			 " to %#" PRIx64,
			 x, h->ui_p_reg_start - h->pv_offset, h->ui_p_reg_end - 1 - h->pv_offset);
	else
		leap_say(l, PREFLIGHT_OK, "%#" PRIx64 ", %s", x, want[n].what);
	return 0;
}

int contract_argument(struct leap *l, unsigned int n)
{
	if (l->contract == CONTRACT_NONE)
		return 0;
	if (!(l->at->known >> n & 1)) {
		leap_say(l, PREFLIGHT_UNKNOWN, "it is written before that");
		return 0;
	}
	return l->contract == CONTRACT_LINUX ? linux_argument(l, n, l->at->x[n])
					     : sel4_argument(l, n, l->at->x[n]);
}

int contract_masks(struct leap *l, unsigned int n)
{
	uint64_t want = l->contract == CONTRACT_LINUX ? PSTATE_DAIF : PSTATE_IF;
	uint64_t open = want & ~l->pstate;

	(void)n;
	if (l->contract == CONTRACT_NONE)
		return 0;
	if (!open)
		leap_say(l, PREFLIGHT_OK,
			 l->contract == CONTRACT_LINUX ? "all masked" : "interrupts masked");
	else
		leap_say(l, PREFLIGHT_WRONG, "DAIF leaves %s%s%s%s open: %s wants %s",
			 open & 0x200 ? "D" : "", open & 0x100 ? "A" : "", open & 0x80 ? "I" : "",
			 open & 0x40 ? "F" : "", contract_name(l->contract),
			 l->contract == CONTRACT_LINUX ? "all four" : "interrupts masked");
	return 0;
}

/* --- what belongs to a CPU, and what all CPUs have to agree upon */

int contract_entered(struct leap *l)
{
	struct machine *m = machine_of(l->h);
	struct entered e = { 0 };
	int err = machine_reg_read(m, l->cpu, "TPIDR_EL1", &e.tpidr);

	e.tpidr_known = !err;
	if (err != -BATON_ELINK) {
		err = machine_reg_read(m, l->cpu, "CNTVOFF_EL2", &e.cntvoff);
		e.cntvoff_known = !err;
	}
	if (l->cpu < HANDOFF_CPUS)
		l->h->entered[l->cpu] = e;
	return err == -BATON_ELINK ? err : 0;
}

int contract_tpidr(struct leap *l, unsigned int n)
{
	unsigned int cpus = machine_of(l->h)->cpus, twin = 0;
	uint64_t value;
	int err;

	(void)n;
	if (l->contract != CONTRACT_SEL4)
		return 0;
	err = leap_sysreg(l, "TPIDR_EL1", &value);
	if (err == -BATON_ELINK)
		return err;
	while (twin < HANDOFF_CPUS && (twin == l->cpu || !l->h->entered[twin].tpidr_known ||
				       l->h->entered[twin].tpidr != value))
		twin++;
	if (err)
		leap_say(l, PREFLIGHT_UNKNOWN, "TPIDR_EL1 is not known");
	else if (value >= cpus)
		leap_say(l, PREFLIGHT_WRONG,
			 "TPIDR_EL1 is %#" PRIx64 ": seL4 wants the CPU's number, and there %s %u",
			 value, cpus == 1 ? "is but" : "are", cpus);
	else if (twin < HANDOFF_CPUS)
		leap_say(l, PREFLIGHT_WRONG,
			 "TPIDR_EL1 is %" PRIu64 ", and so was CPU%u's when it left: seL4 wants "
			 "each CPU's own number",
			 value, twin);
	else
		leap_say(l, PREFLIGHT_OK, "%" PRIu64 ", the CPU's number", value);
	return 0;
}

/* Linux, too, asks for the same on all (booting.rst, "Architected timers"). */
int contract_cntvoff(struct leap *l, unsigned int n)
{
	unsigned int other = 0;
	uint64_t value;
	int err;

	(void)n;
	if (l->contract == CONTRACT_NONE)
		return 0;
	err = leap_sysreg(l, "CNTVOFF_EL2", &value);
	if (err) /* no EL2 */
		return err == -BATON_ELINK ? err : 0;
	while (other < HANDOFF_CPUS && (other == l->cpu || !l->h->entered[other].cntvoff_known ||
					l->h->entered[other].cntvoff == value))
		other++;
	if (other < HANDOFF_CPUS)
		leap_say(l, PREFLIGHT_WRONG,
			 "CNTVOFF_EL2 is %#" PRIx64 ", and CPU%u's was %#" PRIx64
			 " when it left: their virtual counters differ",
			 value, other, l->h->entered[other].cntvoff);
	else if (l->contract == CONTRACT_SEL4 && value)
		leap_say(l, PREFLIGHT_WARNING,
			 "CNTVOFF_EL2 is %#" PRIx64 ": the virtual counter is that far behind",
			 value);
	else if (l->contract == CONTRACT_SEL4)
		leap_say(l, PREFLIGHT_OK, "0");
	return 0;
}
