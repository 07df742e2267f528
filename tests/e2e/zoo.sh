#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What tests/zoo/zoo refuses, and that it says what and why. boot.sh tries the images it makes;
# here a few rows of each kind go all the way (`make zoo`: all of them).
# shellcheck disable=SC2317 # tap_ok calls the functions
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

seed=examples/seed
elf=$O/loader/qemu_virt_aarch64_el1/loader.elf

zoo() { "$O/tests/zoo/zoo" "$@" 2>"$tmp/zoo.err"; }
refuses() {
	local status=$1 line=$2
	shift 2
	zoo "$@"
	[ $? = "$status" ] && wait_line "$tmp/zoo.err" "$line" 1
}

tap_ok 'zoo: not twice' refuses 1 'lvl0-upper-zero: ' \
	lvl0-upper-zero --elf "$elf" "$O/$seed/lvl0-upper-zero.img" -o "$tmp/twice.img"
tap_ok 'zoo: found and expected are shown' has "$tmp/zoo.err" 'found    00 00 00 00 00 00 00 00'
tap_ok 'zoo: nothing is written then' test ! -e "$tmp/twice.img"
tap_ok 'zoo: a region' zoo kernel-entry-udf --elf "$elf" "$O/$seed/good-el1.img" -o "$tmp/udf.img"
tap_ok 'zoo: no such defect' refuses 2 'no defect nonsense' \
	nonsense --elf "$elf" "$O/$seed/good-el1.img" -o "$tmp/x.img"
tap_ok 'zoo: no ELF file' refuses 2 'not an ELF file' \
	lvl0-upper-zero --elf "$0" "$O/$seed/good-el1.img" -o "$tmp/x.img"
tap_ok 'zoo: no symbols' refuses 1 'no symbol boot_lvl' \
	lvl0-upper-zero --elf "$O/examples/kernel/task.elf" "$O/$seed/good-el1.img" -o "$tmp/x.img"
tap_ok 'zoo: an image too short' refuses 1 'outside of' lvl0-upper-zero --elf "$elf" "$0" -o "$tmp/x.img"
"$O/tests/zoo/zoo" --list >"$tmp/list"
tap_ok 'zoo: the list has the seed case' has "$tmp/list" lvl0-upper-zero
tap_ok 'zoo: usage' refuses 2 'usage: zoo NAME' lvl0-upper-zero

well() { [[ $1 == named/[-brs]* ]]; } # -, boots, repaired, stays; what is wrong is in capitals

# rows BUILD ROW... - named and, where it says so, booted
rows() {
	local build=$1 name named boots wrong
	shift
	tests/zoo/run "$build" "$@" >"$tmp/rows" 2>&1
	while read -r name _ named boots wrong; do
		[ "$name" != "$build" ] || continue
		[[ $name != *: ]] || continue
		[ -z "$wrong" ] || echo "# $wrong"
		tap_ok "zoo, $build: $name" well "$named/$boots"
	done <"$tmp/rows"
	tap_ok "zoo, $build: that many rows" has "$tmp/rows" "$build: $# of $# rows as they should be"
}
rows symbols l0-type l2-af l2-oa id-l2-zero uart-zero mmu-no-mair ttbr1-not-written tcr-t1sz-24 \
	sctlr-ee copy-elsewhere el1-stack-pop stack-off-its-page psci-smc psci-liar psci-same-cpu copy-short contract-tpidr secondary-dark \
	mmu-secondary-tables jump-physical ret-wrecked el0-null good-moves-over-itself good-garbage
rows stripped l1-wrong-table l2-attr-device tcr-not-written 2-align 2-smc-for-hvc 2-sysreg \
	2-el2-t0sz 2-el2-xn el2-id-zero good-el2-smp4 good-max 2-good-eret

tap_end
