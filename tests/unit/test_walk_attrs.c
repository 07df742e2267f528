// SPDX-License-Identifier: BSD-2-Clause
/* What a mapping allows and of what type it is; and the EL2 regime, where that differs. */
#include "walk_unit.h"

static void e0pd_stops_el0_alone(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	put_kernel_tables();
	r.tcr |= UINT64_C(1) << 56;
	assert_int_equal(walk_with(&r, KERNEL, &read_el1), 0);
	assert_oa(0x40000000, 0x200000);
	assert_int_equal(w.attrs.el0, 0);
	assert_int_equal(walk_with(&r, KERNEL, &read_el0), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_E0PD, 0);
}

static void access_flag_faults_unless_hardware_sets_it(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	put_page(A_PAGE & ~AF, 0, 0, 0);
	walk(LOW, &read_el1);
	assert_fault(PT_FAULT_ACCESS_FLAG, PT_REASON_NONE, 3);
	assert_int_equal(pt_walk_esr(&w, &read_el1), 0x9600000b);
	assert_true(w.mapped);
	assert_int_equal(w.oa, 0x41234123);
	r.tcr |= UINT64_C(1) << 39; /* HA */
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_oa(0x41234123, 0x1000);
	r.known |= REGIME_MMFR1; /* HAFDBS = 0: there is no such hardware */
	assert_int_equal(walk_with(&r, LOW, &read_el1), 0);
	assert_int_equal(w.fault, PT_FAULT_ACCESS_FLAG);
}

/* D8.4.3, table of AP[2:1]: privileged and unprivileged access; and the implied PXN. */
static void leaf_permissions(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned int el1, el0;
	} cases[] = {
		{ 0, PT_R | PT_W | PT_X, PT_X }, { AP_EL0, PT_R | PT_W, PT_R | PT_W | PT_X },
		{ AP_RO, PT_R | PT_X, PT_X },	 { AP_RO | AP_EL0, PT_R | PT_X, PT_R | PT_X },
		{ UXN, PT_R | PT_W | PT_X, 0 },	 { PXN, PT_R | PT_W, PT_X },
		{ PXN | UXN | AP_RO, PT_R, 0 },	 { UXN | AP_EL0, PT_R | PT_W, PT_R | PT_W },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_page(A_PAGE | cases[i].bits, 0, 0, 0);
		walk(LOW, NULL);
		assert_int_equal(w.attrs.own, cases[i].el1);
		assert_int_equal(w.attrs.el0, cases[i].el0);
	}
}

static void table_permissions_take_away(void **state)
{
	static const struct {
		uint64_t table;
		unsigned int el1, el0;
	} cases[] = {
		{ APT_RO, PT_R | PT_X, PT_R | PT_X },
		{ APT_EL0, PT_R | PT_W | PT_X, PT_X },
		{ UXNT, PT_R | PT_W, PT_R | PT_W },
		{ PXNT, PT_R | PT_W, PT_R | PT_W | PT_X },
		{ PXNT | UXNT | APT_RO | APT_EL0, PT_R, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int level = 0; level < 3; level++) {
			uint64_t t[3] = { 0 };

			t[level] = cases[i].table;
			put_page(A_PAGE | AP_EL0, t[0], t[1], t[2]);
			walk(LOW, NULL);
			assert_int_equal(w.attrs.own, cases[i].el1);
			assert_int_equal(w.attrs.el0, cases[i].el0);
		}
	}
}

static void hpd_switches_table_permissions_off(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	put_page(A_PAGE | AP_EL0, APT_RO | UXNT, 0, 0);
	r.tcr |= UINT64_C(1) << 41;
	assert_int_equal(walk_with(&r, LOW, NULL), 0);
	assert_int_equal(w.attrs.el0, PT_R | PT_W | PT_X);
}

static void wxn(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	r.sctlr |= UINT64_C(1) << 19;
	put_page(A_PAGE, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
	assert_int_equal(w.attrs.own, PT_R | PT_W);
	put_page(A_PAGE | AP_EL0, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW, &fetch_el0), 0);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
	put_page(A_PAGE | AP_RO, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_oa(0x41234123, 0x1000);
}

static void permission_faults(void **state)
{
	(void)state;
	put_page(A_PAGE | AP_RO | PXN | UXN, 0, 0, 0);
	walk(LOW, &read_el1);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	walk(LOW, &write_el1);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
	assert_int_equal(pt_walk_esr(&w, &write_el1), 0x9600004f);
	walk(LOW, &fetch_el1);
	assert_int_equal(pt_walk_esr(&w, &fetch_el1), 0x8600000f);
	walk(LOW, &read_el0);
	assert_int_equal(pt_walk_esr(&w, &read_el0), 0x9200000f);
}

static void pan_stops_el1_from_user_data(void **state)
{
	const struct pt_access pan_read = { .kind = PT_READ, .el = 1, .pan = true };
	const struct pt_access pan_fetch = { .kind = PT_FETCH, .el = 1, .pan = true };
	struct regime r = fake_el1(L0, L0);

	(void)state;
	put_page(A_PAGE | AP_EL0 | AP_RO, 0, 0, 0);
	walk(LOW, &pan_read);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
	walk(LOW, &pan_fetch);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	put_page(A_PAGE, 0, 0, 0); /* EL0 may execute it alone: EPAN counts that */
	walk(LOW, &pan_read);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	r.sctlr |= UINT64_C(1) << 57;
	assert_int_equal(walk_with(&r, LOW, &pan_read), 0);
	assert_int_equal(w.fault, PT_FAULT_PERMISSION);
	/* E0PD closes the half to EL0; the page still is what PAN protects. */
	put_page(A_PAGE | AP_EL0, 0, 0, 0);
	r.tcr |= UINT64_C(1) << 55;
	assert_int_equal(walk_with(&r, LOW, &pan_read), 0);
	assert_int_equal(w.fault, PT_FAULT_PERMISSION);
	assert_int_equal(w.attrs.el0, 0);
}

static void dirty_bit_modifier_makes_writable(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	put_page(A_PAGE | AP_RO | DBM, 0, 0, 0);
	walk(LOW, &write_el1);
	assert_int_equal(w.fault, PT_FAULT_PERMISSION);
	r.tcr |= UINT64_C(3) << 39; /* HA, HD */
	assert_int_equal(walk_with(&r, LOW, &write_el1), 0);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	put_page(A_PAGE | AP_RO | DBM, APT_RO, 0, 0);
	assert_int_equal(walk_with(&r, LOW, &write_el1), 0);
	assert_int_equal(w.fault, PT_FAULT_PERMISSION);
}

/* Writable but clean is writable: not executable with WXN, nor from EL1 if EL0 may write. */
static void what_dirty_state_makes_writable_is_not_executable(void **state)
{
	struct regime r = fake_el1(L0, L0);

	(void)state;
	r.tcr |= UINT64_C(3) << 39; /* HA, HD */
	put_page(A_PAGE | AP_RO | DBM | AP_EL0, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
	put_page(A_PAGE | AP_RO | DBM, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	r.sctlr |= UINT64_C(1) << 19; /* WXN */
	assert_int_equal(walk_with(&r, LOW, &fetch_el1), 0);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 3);
}

/* Index 0 is a device, 3 is 0x44 (non-cacheable): outer shareable whatever SH says. */
static void shareability_is_effective(void **state)
{
	(void)state;
	put_page((A_PAGE & ~(ISH | IDX(7))), 0, 0, 0);
	walk(LOW, NULL);
	assert_int_equal(w.attrs.mair, 0x00);
	assert_int_equal(w.attrs.sh, PT_SHARE_NONE);
	assert_int_equal(w.attrs.share, PT_SHARE_OUTER);
	put_page((A_PAGE & ~IDX(7)) | IDX(3), 0, 0, 0);
	walk(LOW, NULL);
	assert_int_equal(w.attrs.mair, 0x44);
	assert_int_equal(w.attrs.sh, PT_SHARE_INNER);
	assert_int_equal(w.attrs.share, PT_SHARE_OUTER);
}

static void leaf_flags_are_reported(void **state)
{
	(void)state;
	put_page(A_PAGE | CONTIG | NG, 0, 0, 0);
	walk(LOW, NULL);
	assert_true(w.attrs.contiguous);
	assert_true(w.attrs.ng);
	assert_oa(0x41234123, 0x1000);
}

static void el2_has_one_half(void **state)
{
	const struct pt_access fetch_el2 = { .kind = PT_FETCH, .el = 2 };
	struct regime r = fake_el2(L0);

	(void)state;
	fake_put(&ram, L0, 1, L1 | TABLE);
	fake_put(&ram, L1, 511, L2 | TABLE);
	fake_put(&ram, L2, 0, 0x60000000 | VALID | AF | ISH | IDX(4) | AP_EL0);
	assert_int_equal(walk_with(&r, UINT64_C(0xffc0000000), &fetch_el2), 0);
	assert_oa(0x60000000, 0x200000);
	/* AP[1] is RES1 there: it neither opens EL0 nor implies XN. */
	assert_int_equal(w.attrs.own, PT_R | PT_W | PT_X);
	assert_int_equal(w.attrs.el0, 0);
	assert_int_equal(walk_with(&r, KERNEL, &fetch_el2), 0);
	assert_fault(PT_FAULT_TRANSLATION, PT_REASON_HOLE, 0);
	assert_int_equal(pt_walk_esr(&w, &fetch_el2), 0x86000004);
	/* Bit 54 is XN, bit 53 is nothing. */
	fake_put(&ram, L2, 0, 0x60000000 | VALID | AF | PXN);
	assert_int_equal(walk_with(&r, UINT64_C(0xffc0000000), &fetch_el2), 0);
	assert_int_equal(w.fault, PT_FAULT_NONE);
	fake_put(&ram, L2, 0, 0x60000000 | VALID | AF | UXN);
	assert_int_equal(walk_with(&r, UINT64_C(0xffc0000000), &fetch_el2), 0);
	assert_fault(PT_FAULT_PERMISSION, PT_REASON_NONE, 2);
	/* XNTable and APTable[1] count, APTable[0] and bit 59 do not. */
	fake_put(&ram, L2, 0, 0x60000000 | VALID | AF);
	fake_put(&ram, L0, 1, L1 | TABLE | APT_EL0 | PXNT);
	assert_int_equal(walk_with(&r, UINT64_C(0xffc0000000), NULL), 0);
	assert_int_equal(w.attrs.own, PT_R | PT_W | PT_X);
	fake_put(&ram, L0, 1, L1 | TABLE | APT_RO | UXNT);
	assert_int_equal(walk_with(&r, UINT64_C(0xffc0000000), NULL), 0);
	assert_int_equal(w.attrs.own, PT_R);
}

static void el0_has_no_part_in_el2(void **state)
{
	struct regime r = fake_el2(L0);

	(void)state;
	assert_int_equal(walk_with(&r, LOW, &read_el0), -BATON_EINVAL);
}

/* TCR_EL2 has its fields elsewhere: PS at 16, TBI at 20. */
static void el2_layout_of_tcr(void **state)
{
	struct regime r = fake_el2(L0);

	(void)state;
	put_page(A_PAGE | UINT64_C(1) << 40, 0, 0, 0);
	assert_int_equal(walk_with(&r, LOW, NULL), 0);
	assert_fault(PT_FAULT_ADDRESS_SIZE, PT_REASON_NONE, 3);
	r.tcr = (r.tcr & ~(UINT64_C(7) << 16)) | UINT64_C(5) << 16 | UINT64_C(1) << 20;
	assert_int_equal(walk_with(&r, LOW | UINT64_C(0xa5) << 56, NULL), 0);
	assert_oa(UINT64_C(0x10041234123), 0x1000);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(e0pd_stops_el0_alone),
		T(access_flag_faults_unless_hardware_sets_it),
		T(leaf_permissions),
		T(table_permissions_take_away),
		T(hpd_switches_table_permissions_off),
		T(wxn),
		T(permission_faults),
		T(pan_stops_el1_from_user_data),
		T(dirty_bit_modifier_makes_writable),
		T(what_dirty_state_makes_writable_is_not_executable),
		T(shareability_is_effective),
		T(leaf_flags_are_reported),
		T(el2_has_one_half),
		T(el0_has_no_part_in_el2),
		T(el2_layout_of_tcr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
