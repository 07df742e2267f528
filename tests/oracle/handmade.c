// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables that no sane kernel has: each table of a level holds one of everything in
 * `recipes`, and each case gives the registers other values. tests/oracle/guest.S loads
 * those; it is stepped, so that nothing of what is tested need map it.
 */
#include "oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))

#define GUEST	   UINT64_C(0x40100000)
#define THERE	   (GUEST + 8)
#define PARAMS	   UINT64_C(0x41000000)
#define TABLES	   UINT64_C(0x42000000)
#define MAX_TABLES 16

/* struct guest_params - what guest.S loads. */
struct guest_params {
	uint64_t mair, tcr, ttbr0, ttbr1, sctlr, spsr, el;
};

/* What an entry is made of. LEAF: block or page of its level; REF: the next level's table. */
enum what { RAW, LEAF, REF, SELF };

struct recipe {
	enum what what;
	uint64_t bits; /* over the base: type and AF for LEAF, type and address for REF, SELF */
	uint64_t clear;
};

#define AF	      BIT(10)
#define HIER(n)	      ((uint64_t)(n) << 59) /* PXNTable, XNTable, APTable[0], APTable[1], NSTable */
#define FAR_OA(shift) BIT(shift)

/* DDI 0487, D8.3.1: what is valid, reserved, ignored or RES0 at some level. */
static const struct recipe recipes[] = {
	{ REF, 0, 0 },
	{ LEAF, 0, 0 },
	{ RAW, TABLES | AF | 2, 0 }, /* 0b10: bit 0 clear, invalid at any level */
	{ RAW, TABLES | AF | 1, 0 }, /* 0b01: a block at levels 1 and 2, else reserved */
	{ RAW, TABLES | AF | 3, 0 }, /* 0b11: a table full of everything, or a page */
	{ REF, HIER(1), 0 },
	{ LEAF, 0, AF },
	{ REF, HIER(4), 0 },	 /* APTable[0]: nothing for EL0 */
	{ LEAF, FAR_OA(34), 0 }, /* beyond 32 bits of output size ... */
	{ LEAF, FAR_OA(39), 0 }, /* ... 36 */
	{ LEAF, FAR_OA(40), 0 }, /* ... 40 */
	{ LEAF, FAR_OA(43), 0 }, /* ... 42 */
	{ LEAF, FAR_OA(47), 0 }, /* ... 44 */
	{ REF, FAR_OA(47), 0 },	 /* a table beyond */
	{ REF, FAR_OA(33), 0 },	 /* one where no memory is, but for 32 bits */
	{ LEAF, 1 << 6, 0 },	 /* AP 0b01: EL0 may read and write */
	{ LEAF, 2 << 6, 0 },	 /* 0b10: read-only */
	{ LEAF, 3 << 6, 0 },	 /* 0b11: read-only for both */
	{ LEAF, 3 << 6 | BIT(53) | BIT(54), 0 },
	{ LEAF, 1 << 6, AF },			   /* access flag and permission at once */
	{ LEAF, BIT(51) | BIT(52), 0 },		   /* DBM, contiguous: one alone */
	{ REF, HIER(12), 0 },			   /* APTable 0b11: read-only and nothing for EL0 */
	{ REF, 0xffc | UINT64_C(0x7f) << 52, 0 },  /* bits that a table descriptor ignores */
	{ LEAF, 0xff000, 0 },			   /* RES0 in a block, another address for a page */
	{ LEAF, UINT64_C(7) << 48, 0 },		   /* RES0 */
	{ LEAF, UINT64_C(15) << 55 | BIT(63), 0 }, /* for software and PBHA */
	{ SELF, 0, 0 },
};
#define RECIPES (sizeof(recipes) / sizeof(recipes[0]))

/* One set of tables, as it goes into memory. */
struct arena {
	uint64_t word[MAX_TABLES * 8192];
	unsigned int granule; /* log2 */
	unsigned int tables;
	bool big_endian;
};

static unsigned int shift_of(const struct arena *a, int level)
{
	return a->granule + (a->granule - 3) * (unsigned int)(3 - level);
}

static uint64_t entry_for(const struct arena *a, const struct recipe *r, int level, uint64_t self,
			  uint64_t next, unsigned int index)
{
	uint64_t size = BIT(shift_of(a, level));
	uint64_t leaf = (TABLES + index * size) & ~(size - 1) & (BIT(32) - 1);

	switch (r->what) {
	case LEAF:
		return ((leaf | AF | (level == 3 ? 3 : 1)) ^ r->bits) & ~r->clear;
	case REF:
		/* There is nothing below level 3: a page then. */
		return (level == 3 ? leaf | AF : next) | 3 | r->bits;
	case SELF:
		return self | AF | 3;
	case RAW:
		break;
	}
	return r->bits;
}

/* A table of @entries at @level with all below it. @salt: which recipe is first. */
static uint64_t build(struct arena *a, int level, unsigned int entries, unsigned int salt)
{
	size_t words = (size_t)1 << (a->granule - 3);
	size_t first = words * a->tables;
	uint64_t self = TABLES + 8 * first, next = 0;

	if (a->tables++ >= MAX_TABLES)
		die("handmade: more than %u tables", MAX_TABLES);
	if (level < 3)
		next = build(a, level + 1, (unsigned int)words, salt + 5);
	for (unsigned int i = 0; i < entries; i++) {
		unsigned int n = i == entries - 1 ? 0 : i + salt;
		uint64_t desc;

		/* One of each, and the last entry of the table. */
		if (i > RECIPES && i != entries - 1)
			continue;
		desc = entry_for(a, &recipes[n % RECIPES], level, self, next, i);
		a->word[first + i] = a->big_endian ? __builtin_bswap64(desc) : desc;
	}
	return self;
}

/* 64 - TxSZ bits resolved from the first level that has any (D8.2.4). */
static uint64_t build_half(struct arena *a, unsigned int txsz, unsigned int salt)
{
	unsigned int least = a->granule == 16 ? 47 : 48;
	unsigned int bits = 64 - (txsz < 16 ? 16 : txsz > least ? least : txsz);
	int level = 3 - (int)((bits - a->granule - 1) / (a->granule - 3));

	return build(a, level, 1U << (bits - shift_of(a, level)), salt);
}

enum { A53, MAX, CPUS };

struct handmade {
	const char *name;
	unsigned int cpu, el;
	unsigned int t0sz, t1sz, ps;
	uint64_t tcr;	      /* more bits */
	uint64_t sctlr;	      /* more bits than M */
	uint64_t spsr;	      /* 0: EL1h */
	uint64_t ttbr;	      /* bits added to both roots */
	bool flat;	      /* MMU off */
	unsigned int granule; /* log2; 0: 4 KiB */
};

#define EL0	     0x3c0
#define PAN	     (BIT(22) | 0x3c5)
#define EE	     BIT(25)
#define WXN	     BIT(19)
#define EPD0	     BIT(7)
#define EPD1	     BIT(23)
#define TBI0	     BIT(37)
#define TBI1	     BIT(38)
#define HPD	     (BIT(41) | BIT(42))
#define TBID	     (BIT(51) | BIT(52))
#define HA	     BIT(39)
#define E0PD(n)	     BIT(55 + (n))
#define TBI_EL2	     BIT(20)
#define ASID_AND_CNP (UINT64_C(0x1234) << 48 | 1)

static const struct handmade cases[] = {
	{ "16 and 16", A53, 1, 16, 16, 2, .tcr = 0 },
	{ "25 and 16", A53, 1, 25, 16, 2, .tcr = 0 },
	{ "16 and 25, TBI0", A53, 1, 16, 25, 2, .tcr = TBI0 },
	{ "32 and 39, TBI1", A53, 1, 32, 39, 2, .tcr = TBI1 },
	{ "39 and 20, both TBI", A53, 1, 39, 20, 2, .tcr = TBI0 | TBI1 },
	{ "20 and 32, 32 bits out", A53, 1, 20, 32, 0, .tcr = 0 },
	{ "33 and 34, 36 bits out", A53, 1, 33, 34, 1, .tcr = 0 },
	{ "24 and 26, 42 bits out", A53, 1, 24, 26, 3, .tcr = 0 },
	{ "16 and 16, 44 bits out", A53, 1, 16, 16, 4, .tcr = 0 },
	{ "16 and 16, 48 bits out", A53, 1, 16, 16, 5, .tcr = 0 },
	{ "EPD0", A53, 1, 16, 16, 2, .tcr = EPD0 },
	{ "EPD1", A53, 1, 25, 16, 2, .tcr = EPD1 },
	{ "EPD0 and EPD1", A53, 1, 16, 16, 2, .tcr = EPD0 | EPD1 },
	{ "from EL0", A53, 1, 16, 25, 2, .tcr = TBI0, .spsr = EL0 },
	{ "big-endian tables", A53, 1, 16, 25, 2, .sctlr = EE },
	{ "WXN", A53, 1, 25, 25, 2, .sctlr = WXN },
	{ "T0SZ 15, T1SZ 0", A53, 1, 15, 0, 2, .tcr = 0 },
	{ "T0SZ 63, T1SZ 49", A53, 1, 63, 49, 2, .tcr = 0 },
	{ "ASID and CnP", A53, 1, 16, 16, 2, .ttbr = ASID_AND_CNP },
	{ "root misaligned", A53, 1, 16, 39, 2, .ttbr = 0x9e0 },
	{ "root beyond 32 bits", A53, 1, 16, 25, 0, .ttbr = BIT(33) },
	{ "root where no memory is", A53, 1, 16, 25, 2, .ttbr = BIT(33) },
	{ "MMU off", A53, 1, 16, 16, 2, .flat = true },
	{ "MMU off, TBI", A53, 1, 16, 16, 2, .tcr = TBI0 | TBI1, .flat = true },
	{ "16 and 16", MAX, 1, 16, 16, 2, .tcr = 0 },
	{ "16 and 16, 48 bits out", MAX, 1, 16, 16, 5, .tcr = 0 },
	{ "16 and 16, 52 bits out", MAX, 1, 16, 16, 6, .tcr = 0 },
	{ "40 and 48", MAX, 1, 40, 48, 5, .tcr = TBI0 },
	{ "44 and 47", MAX, 1, 44, 47, 5, .tcr = TBI0 },
	{ "TBID", MAX, 1, 16, 25, 5, .tcr = TBI0 | TBI1 | TBID },
	{ "PAN", MAX, 1, 16, 25, 2, .spsr = PAN },
	{ "EPAN", MAX, 1, 16, 25, 2, .spsr = PAN, .sctlr = BIT(57) },
	{ "from EL0", MAX, 1, 16, 25, 5, .spsr = EL0 },
	{ "HPD from EL0", MAX, 1, 16, 25, 5, .tcr = HPD, .spsr = EL0 },
	{ "E0PD0 from EL0", MAX, 1, 16, 25, 5, .tcr = E0PD(0), .spsr = EL0 },
	{ "E0PD1 from EL0", MAX, 1, 25, 16, 5, .tcr = E0PD(1), .spsr = EL0 },
	{ "E0PD from EL1", MAX, 1, 25, 16, 5, .tcr = E0PD(0) | E0PD(1) },
	{ "HA", MAX, 1, 25, 16, 5, .tcr = HA },
	{ "T0SZ 15, T1SZ 12", MAX, 1, 15, 12, 5, .tcr = 0 },
	{ "T0SZ 49, T1SZ 16", MAX, 1, 49, 16, 5, .tcr = 0 },
	{ "MMU off, TBI", MAX, 1, 16, 16, 2, .tcr = TBI0 | TBI1, .flat = true },
	{ "T0SZ 40", A53, 1, 40, 16, 2, .tcr = 0 },
	{ "LPA2", MAX, 1, 16, 16, 6, .tcr = BIT(59) },
	{ "LPA2, 48 bits out", MAX, 1, 25, 39, 5, .tcr = BIT(59) | TBI0 },
	{ "64 KiB, 16 and 16", A53, 1, 16, 16, 2, .granule = 16 },
	{ "64 KiB, 25 and 39, TBI", A53, 1, 25, 39, 2, .tcr = TBI0 | TBI1, .granule = 16 },
	{ "64 KiB, 22 and 35, 52 bits out", MAX, 1, 22, 35, 6, .granule = 16 },
	{ "64 KiB, 47 and 16, 48 bits out", MAX, 1, 47, 16, 5, .granule = 16 },
	{ "64 KiB, EL0", MAX, 1, 25, 16, 5, .spsr = EL0, .granule = 16 },
	{ "16 KiB, 16 and 17", MAX, 1, 16, 17, 5, .granule = 14 },
	{ "16 KiB, 28 and 39, TBI", MAX, 1, 28, 39, 2, .tcr = TBI0 | TBI1, .granule = 14 },
	{ "16 KiB, 48 and 47", MAX, 1, 48, 47, 5, .granule = 14 },
	{ "16 KiB, LPA2", MAX, 1, 16, 25, 6, .tcr = BIT(59), .granule = 14 },
	{ "64 KiB, T0SZ 16", MAX, 2, 16, 0, 6, .granule = 16 },
	{ "16 KiB, T0SZ 25, big-endian", MAX, 2, 25, 0, 5, .sctlr = EE, .granule = 14 },
	{ "T0SZ 16", A53, 2, 16, 0, 2, .tcr = 0 },
	{ "T0SZ 25, TBI", A53, 2, 25, 0, 2, .tcr = TBI_EL2 },
	{ "T0SZ 32, 36 bits out", A53, 2, 32, 0, 1, .tcr = 0 },
	{ "T0SZ 39, 32 bits out", A53, 2, 39, 0, 0, .tcr = TBI_EL2 },
	{ "T0SZ 20, big-endian", A53, 2, 20, 0, 2, .sctlr = EE },
	{ "T0SZ 16, HPD", MAX, 2, 16, 0, 5, .tcr = BIT(24) },
	{ "T0SZ 44", MAX, 2, 44, 0, 5, .tcr = TBI_EL2 },
	{ "MMU off, TBI", A53, 2, 16, 0, 2, .tcr = TBI_EL2, .flat = true },
};

static struct guest_params registers(const struct handmade *h, struct arena *a)
{
	/* TG0 and TG1 do not encode alike. EL2 has RES1 bits. */
	uint64_t tg0 = h->granule == 16 ? 1 : h->granule == 14 ? 2 : 0;
	uint64_t tg1 = h->granule == 16 ? 3 : h->granule == 14 ? 1 : 2;
	uint64_t tcr = h->t0sz | tg0 << 14;

	tcr |= h->el == 1 ? (uint64_t)h->t1sz << 16 | tg1 << 30 | (uint64_t)h->ps << 32
			  : (uint64_t)h->ps << 16 | BIT(31) | BIT(23);
	struct guest_params p = {
		.mair = 0x44ff04,
		.tcr = tcr | h->tcr,
		.sctlr = 0x30d00800 | h->sctlr | !h->flat,
		.spsr = h->spsr ? h->spsr : 0x3c5,
		.el = h->el,
	};

	a->big_endian = h->sctlr & EE;
	a->granule = h->granule ? h->granule : 12;
	p.ttbr0 = build_half(a, h->t0sz, 0) | h->ttbr;
	if (h->el == 1)
		p.ttbr1 = build_half(a, h->t1sz, 11) | h->ttbr;
	return p;
}

static void reset(struct oracle *o)
{
	struct machine *m = &o->live.m;
	struct buf answer = { 0 };
	uint64_t pc = 0;

	/* QEMU does it when it gets around to it. */
	if (machine_reg_write(m, 0, "pc", 0) || machine_hmp(m, "system_reset", &answer))
		die("reset: %s", m->error);
	for (int i = 0; i < 1000 && pc != GUEST; i++) {
		machine_changed(m);
		if (machine_reg_read(m, 0, "pc", &pc))
			die("reset: %s", m->error);
	}
	if (pc != GUEST)
		die("reset: pc is 0x%" PRIx64, pc);
	buf_free(&answer);
}

static void load(struct oracle *o, const struct handmade *h)
{
	struct arena *a = calloc(1, sizeof(*a));
	struct machine *m = &o->live.m;
	struct guest_params p;
	uint64_t pc = 0;

	if (!a)
		abort();
	p = registers(h, a);
	reset(o);
	if (machine_phys_write(m, TABLES, a->word, (size_t)a->tables << a->granule) ||
	    machine_phys_write(m, PARAMS, &p, sizeof(p)))
		die("%s: %s", h->name, m->error);
	free(a);
	for (int i = 0; i < 64 && pc != THERE; i++) {
		struct machine_stop stop = { 0 };

		if (machine_step(m, 0, &stop) || machine_reg_read(m, 0, "pc", &pc))
			die("%s: %s", h->name, m->error);
		buf_free(&stop.packet);
	}
	if (pc != THERE)
		die("%s: the guest is at 0x%" PRIx64, h->name, pc);
}

/* What the registers hold has to be what the case asks for, or it tests something else. */
static void check_registers(struct oracle *o, const struct handmade *h)
{
	struct machine *m = &o->live.m;
	uint64_t sctlr, tcr;
	int el = machine_el(m, 0);

	if (machine_reg_read(m, 0, h->el == 1 ? "SCTLR_EL1" : "SCTLR_EL2", &sctlr) ||
	    machine_reg_read(m, 0, h->el == 1 ? "TCR_EL1" : "TCR_EL2", &tcr))
		die("%s: %s", h->name, m->error);
	if (el != (int)(h->el == 1 && h->spsr == EL0 ? 0 : h->el) || (sctlr & 1) == h->flat ||
	    (sctlr & h->sctlr) != h->sctlr || (tcr & h->tcr) != h->tcr)
		die("%s: EL%d, SCTLR 0x%" PRIx64 ", TCR 0x%" PRIx64, h->name, el, sctlr, tcr);
}

/* A page whose access flag is clear, in the first case's tables. */
static void find_out_af(struct oracle *o, const char *cpu)
{
	static const struct handmade h = { "access flag", A53, 1, 39, 39, 2, .tcr = 0 };
	unsigned int index = 0;
	uint64_t pa;

	while (recipes[index].clear != AF)
		index++;
	load(o, &h);
	o->af_ignored = oracle_ask(o, (uint64_t)index << 21, &pa);
	printf("# %s: gva2gpa %s a clear access flag\n", cpu,
	       o->af_ignored ? "passes over" : "faults on");
}

static void run_cpu(unsigned int which, char *cpu)
{
	static char m[] = "-M", virt[] = "virt,virtualization=on", c[] = "-cpu", mem[] = "-m",
		    size[] = "256M", device[] = "-device";
	char loader[4200], name[96];
	char *args[] = { m, virt, c, cpu, mem, size, device, loader, NULL };
	struct oracle o;

	snprintf(loader, sizeof(loader), "loader,file=%s,addr=0x%" PRIx64 ",cpu-num=0,force-raw=on",
		 built("tests/oracle/guest.bin"), GUEST);
	oracle_start(&o, args, NULL);
	o.leaves_at_most = 1000;
	find_out_af(&o, cpu);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct handmade *h = &cases[i];

		if (h->cpu != which)
			continue;
		load(&o, h);
		check_registers(&o, h);
		snprintf(name, sizeof(name), "%s, handmade, EL%u, %s", cpu, h->el, h->name);
		oracle_compare(&o, name);
	}
	oracle_end(&o);
}

void handmade_run(void)
{
	static char a53[] = "cortex-a53", max[] = "max";

	run_cpu(A53, a53);
	run_cpu(MAX, max);
}
