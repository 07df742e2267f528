/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt groups (Arm IHI 0048 GICv2, IHI 0069 GICv3). Where the GIC has two
 * security states all interrupts are Secure at first, and a Non-secure kernel
 * would get none. Only Secure code may change that, so it is done at EL3 and
 * nowhere else; where there is one state, groups are the kernel's own affair.
 */
#include "loader.h"

#define GICD_CTLR	 0x0000
#define GICD_TYPER	 0x0004
#define GICD_IGROUPR(n)	 (0x0080 + 4 * (n)) /* 32 interrupts each; GICR_IGROUPR0 likewise */
#define GICD_IGRPMODR(n) (0x0d00 + 4 * (n)) /* v3 */
#define GICC_PMR	 0x0004
#define GICR_TYPER	 0x0008
#define GICR_WAKER	 0x0014
#define GICR_SGI	 0x10000 /* the second frame of a redistributor */

#define TYPER_SECURITY (1U << 10) /* v2: two security states */
#define CTLR_ARE       (3U << 4)  /* v3, as Secure code sees it: ARE_S, ARE_NS */
#define CTLR_DS	       (1U << 6)  /* v3: one security state */
#define CTLR_RWP       (1U << 31)
#define WAKER_SLEEP    (1U << 1)
#define WAKER_ASLEEP   (1U << 2)
#define RTYPER_VLPIS   (1U << 1) /* four frames instead of two */
#define RTYPER_LAST    (1U << 4)

#define TRIES 1000000

static uint32_t get(uint64_t base, uint64_t offset)
{
	return *(volatile uint32_t *)(base + offset);
}

static void put(uint64_t base, uint64_t offset, uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

static void wait_clear(uint64_t base, uint64_t offset, uint32_t bit, const char *name)
{
	for (unsigned int n = 0; n < TRIES; n++)
		if (!(get(base, offset) & bit))
			return;
	fatal("CPU%d: %s at %X does not get ready (board %s)\n", (uint64_t)cpu_id(), name,
	      base + offset, board.name);
}

static unsigned int version(void)
{
	if (board.gic == GIC_AUTO && READ_SYSREG(id_aa64pfr0_el1) >> 24 & 15)
		return 3;
	if (board.gic == GIC_AUTO)
		return board.gicd ? 2 : 0;
	return board.gic == GIC_V3 ? 3 : board.gic == GIC_V2 ? 2 : 0;
}

/* Those that all CPUs share: 32 a register, the first register is each CPU's own. */
static void shared_to_group1(bool v3)
{
	for (uint32_t n = get(board.gicd, GICD_TYPER) & 31; n; n--) {
		put(board.gicd, GICD_IGROUPR(n), ~0U);
		if (v3)
			put(board.gicd, GICD_IGRPMODR(n), 0);
	}
}

static bool v2_setup(void)
{
	if (!(get(board.gicd, GICD_TYPER) & TYPER_SECURITY))
		return false;
	if (cpu_id() == 0)
		shared_to_group1(false);
	put(board.gicd, GICD_IGROUPR(0), ~0U);
	/* Non-secure code may change it in its own half of the priorities alone (4.4.2). */
	if (board.gicc)
		put(board.gicc, GICC_PMR, 0xff);
	return true;
}

static uint64_t own_redistributor(void)
{
	uint64_t mpidr = READ_SYSREG(mpidr_el1);
	uint32_t type, affinity = (uint32_t)((mpidr & 0xffffff) | (mpidr >> 8 & 0xff000000));
	uint64_t base = board.gicr;

	for (;;) {
		type = get(base, GICR_TYPER);
		if (get(base, GICR_TYPER + 4) == affinity)
			return base;
		if (type & RTYPER_LAST)
			fatal("CPU%d (affinity %x) has no redistributor from %X on: look at "
			      "`gicr` of board %s\n",
			      (uint64_t)cpu_id(), (uint64_t)affinity, board.gicr, board.name);
		base += type & RTYPER_VLPIS ? 0x40000 : 0x20000;
	}
}

static bool v3_setup(void)
{
	uint64_t gicr;

	WRITE_SYSREG(s3_6_c12_c12_5, 15); /* ICC_SRE_EL3: SRE, and EL2 and EL1 may as well */
	__asm__ volatile("isb");
	WRITE_SYSREG(s3_6_c12_c12_4, 0); /* ICC_CTLR_EL3: PMHE and all else off, on each CPU */
	if (!board.gicd || !board.gicr || get(board.gicd, GICD_CTLR) & CTLR_DS)
		return false;
	if (cpu_id() == 0) {
		/* First: without affinity routing other registers hold the groups. */
		put(board.gicd, GICD_CTLR, get(board.gicd, GICD_CTLR) | CTLR_ARE);
		wait_clear(board.gicd, GICD_CTLR, CTLR_RWP, "GICD_CTLR");
		shared_to_group1(true);
	}
	gicr = own_redistributor();
	put(gicr, GICR_WAKER, get(gicr, GICR_WAKER) & ~WAKER_SLEEP);
	wait_clear(gicr, GICR_WAKER, WAKER_ASLEEP, "GICR_WAKER");
	put(gicr + GICR_SGI, GICD_IGROUPR(0), ~0U);
	put(gicr + GICR_SGI, GICD_IGRPMODR(0), 0);
	return true;
}

void gic_setup_el3(void)
{
	unsigned int v = version();

	if (v == 3 ? v3_setup() : v == 2 && board.gicd && v2_setup())
		log_printf("LDR|INFO|CPU%d: interrupts are Non-secure now (GICv%d)\n",
			   (uint64_t)cpu_id(), (uint64_t)v);
	__asm__ volatile("dsb sy" ::: "memory");
}

void gic_setup_el2(void)
{
	if (version() != 3 || !(READ_SYSREG(id_aa64pfr0_el1) >> 24 & 15))
		return;
	WRITE_SYSREG(s3_4_c12_c9_5, 15); /* ICC_SRE_EL2: SRE, and EL1 may as well */
	__asm__ volatile("isb");
	/* Where EL3 keeps us on the memory-mapped interface there is no ICH_HCR_EL2 either. */
	if (READ_SYSREG(s3_4_c12_c9_5) & 1)
		WRITE_SYSREG(s3_4_c12_c11_0, 0); /* ICH_HCR_EL2: nothing trapped, no virtual IRQs */
}
