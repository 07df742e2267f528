/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the walk share: descriptor bits by hand from the Arm ARM (DDI 0487,
 * D8.3.1), one table of each level, and a walk through them.
 */
#ifndef BATON_TESTS_WALK_UNIT_H
#define BATON_TESTS_WALK_UNIT_H

#include "unit.h"

#include "fake_ram.h"

/* clang-format off */
#define VALID   UINT64_C(0x1)
#define TABLE   UINT64_C(0x3)
#define PAGE    UINT64_C(0x3)
#define AF      UINT64_C(0x400)
#define ISH     UINT64_C(0x300)
#define IDX(n)  ((uint64_t)(n) << 2)
#define AP_EL0  (UINT64_C(1) << 6)
#define AP_RO   (UINT64_C(1) << 7)
#define NG      (UINT64_C(1) << 11)
#define DBM     (UINT64_C(1) << 51)
#define CONTIG  (UINT64_C(1) << 52)
#define PXN     (UINT64_C(1) << 53)
#define UXN     (UINT64_C(1) << 54)
#define PXNT    (UINT64_C(1) << 59)
#define UXNT    (UINT64_C(1) << 60)
#define APT_EL0 (UINT64_C(1) << 61)
#define APT_RO  (UINT64_C(1) << 62)
/* clang-format on */

/* The tables of every test: one of each level, at these addresses. */
#define L0 UINT64_C(0x7000c000)
#define L1 UINT64_C(0x7000b000)
#define L2 UINT64_C(0x7000a000)
#define L3 UINT64_C(0x70009000)

#define KERNEL UINT64_C(0xffffff8040000000) /* L0 511, L1 1, L2 0 */
#define LOW    UINT64_C(0x0000000000205123) /* L0 0, L1 0, L2 1, L3 5 */

static struct fake_ram ram;
static struct pt_walk w;

static const struct pt_access fetch_el1 = { .kind = PT_FETCH, .el = 1 };
static const struct pt_access read_el1 = { .kind = PT_READ, .el = 1 };
static const struct pt_access write_el1 = { .kind = PT_WRITE, .el = 1 };
static const struct pt_access read_el0 = { .kind = PT_READ, .el = 0 };
static const struct pt_access write_el0 = { .kind = PT_WRITE, .el = 0 };
static const struct pt_access fetch_el0 = { .kind = PT_FETCH, .el = 0 };

static inline int setup(void **state)
{
	(void)state;
	memset(&ram, 0, sizeof(ram));
	return 0;
}

static inline int walk_with(const struct regime *r, uint64_t ia, const struct pt_access *acc)
{
	struct pt_reader reader = fake_reader(&ram);

	return pt_walk_regime(r, &reader, ia, acc, &w, NULL);
}

static inline void walk(uint64_t ia, const struct pt_access *acc)
{
	struct regime r = fake_el1(L0, L0);

	assert_int_equal(walk_with(&r, ia, acc), 0);
}

static inline void assert_fault(enum pt_fault fault, enum pt_reason reason, int level)
{
	assert_int_equal(w.fault, fault);
	assert_int_equal(w.reason, reason);
	assert_int_equal(w.level, level);
}

static inline void assert_oa(uint64_t oa, uint64_t size)
{
	assert_int_equal(w.fault, PT_FAULT_NONE);
	assert_true(w.mapped);
	assert_int_equal(w.oa, oa);
	assert_int_equal(w.size, size);
}

static inline void put_kernel_tables(void)
{
	fake_put(&ram, L0, 511, L1 | TABLE);
	fake_put(&ram, L1, 1, L2 | TABLE);
	fake_put(&ram, L2, 0, 0x40000711);
}

/* A page at LOW with these bits, behind tables with those bits. */
static inline void put_page(uint64_t leaf, uint64_t l0, uint64_t l1, uint64_t l2)
{
	fake_put(&ram, L0, 0, L1 | TABLE | l0);
	fake_put(&ram, L1, 0, L2 | TABLE | l1);
	fake_put(&ram, L2, 1, L3 | TABLE | l2);
	fake_put(&ram, L3, 5, leaf);
}

#define A_PAGE (UINT64_C(0x41234000) | PAGE | AF | ISH | IDX(4))

#endif
