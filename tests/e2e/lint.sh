#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `pt-lint` on real QEMU: the good images before the jump and once their kernel has tables
# of its own give no error and the warnings listed here; the seed case's is found and named.
# shellcheck disable=SC2317 # tap_ok calls the functions
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

cross=${CROSS:-aarch64-linux-gnu-}
seed=$O/examples/seed
elf=$O/loader/qemu_virt_aarch64_el1/loader.elf
el2=virt,virtualization=on

# The rules that fired, with their severity, are these and no others.
rules() {
	local found
	found=$(sed -n 's/^\(error\|warning\|note\): \([a-z0-9-]*\).*/\1 \2/p' "$out" | sort)
	[ "$found" = "$(printf '%s\n' "$@" | sort)" ] || show
}

# What is expected of good images: all that the loader maps may be written and executed, its
# own 2 MiB and the kernel's; the kernel maps its task so, for EL0, and at EL2 by stage 2.
good() {
	local name=$1 machine=$2
	baton "$seed/$name.img" 0x70000000 "$machine" -e 'handoff run' -e pt-lint
	tap_ok "$name before the jump: exit status 0" ends_with 0
	tap_ok "$name before the jump: the loader was left" says 'the loader is left'
	tap_ok "$name before the jump: the expected warnings" rules 'warning writable-executable'
	tap_ok "$name before the jump: in two places" last_line '0 errors, 2 warnings, 0 notes'
	baton "$seed/$name.img" 0x70000000 "$machine" -e 'cont 2' -e pt-lint
	tap_ok "$name with the kernel's tables: exit status 0" ends_with 0
	tap_ok "$name with the kernel's tables: it was up" says 'Booting all finished'
	case $name in
	good-el1*)
		tap_ok "$name with the kernel's tables: the task's pages" rules 'warning writable-executable'
		tap_ok "$name with the kernel's tables: they are one place" \
			last_line '0 errors, 1 warning, 0 notes'
		;;
	*) tap_ok "$name with the kernel's tables: nothing" last_line '0 errors, 0 warnings, 0 notes' ;;
	esac
}
good good-el1 virt
good good-el1-c0 virt
good good-el2 $el2
good good-el2-c0 $el2
baton "$seed/good-el2.img" 0x70000000 $el2 -e 'cont 2' -e 'pt-lint -r s2'
tap_ok "good-el2, stage 2: nothing" last_line '0 errors, 0 warnings, 0 notes'

# The seed case, by name.
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -s "$elf" -e 'handoff run' -e pt-lint
tap_ok 'seed case: exit status 1' ends_with 1
tap_ok 'seed case: the rules' rules 'error kernel-entry' 'warning orphan-table' \
	'warning writable-executable'
tap_ok 'seed case: the orphan is named' grep -q '^  table 0x[0-9a-f]* <boot_lvl1_upper>$' "$out"
tap_ok 'seed case: the descriptor is named' says '<boot_lvl0_upper+0xff8>'
repair=$(sed -n '/^error: kernel-entry/,/^  do:/s/^  do: //p' "$out")
tap_ok 'seed case: a remedy to type' grep -q '^pt-set 0xffffff8040000000 L0 0x[0-9a-f]*003$' \
	<(echo "$repair")
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e "$repair" -e pt-lint -e 'cont 2'
tap_ok 'seed case: with it nothing but what good-el1 has' says '0 errors, 2 warnings, 0 notes'
tap_ok 'seed case: and the kernel boots' says 'Booting all finished'

# A loader without header and symbols.
second=$O/tests/loader2
baton "$second/bad.img" 0x48000000 virt -e 'handoff run' -e 'pt-lint --rule orphan-table'
tap_ok 'second loader: the orphan is found' rules 'warning orphan-table'
baton "$second/good.img" 0x48000000 virt -e 'handoff run' -e pt-lint
tap_ok 'second loader, good: exit status 0' ends_with 0
tap_ok 'second loader, good: no error' grep -q '^0 errors, ' "$out"

# Before the MMU is on.
baton "$seed/good-el1.img" 0x70000000 virt -e pt-lint
tap_ok 'MMU off: exit status 2' ends_with 2
tap_ok 'MMU off: what to type' says 'pt-lint -r pending'
baton "$seed/good-el1.img" 0x70000000 virt -e 'pt-lint -r pending'
tap_ok 'pending, at reset: exit status 1' ends_with 1
tap_ok 'pending, at reset: no table is loaded' says 'TCR.T0SZ = 0 is out of range'

# At the instruction that turns it on; GDB is what stops there.
mmu_on=$("${cross}objdump" -d --no-show-raw-insn "$elf" |
	sed -n '/<el1_mmu_enable>:/,/ret/s/^ *\([0-9a-f]*\):.*msr.*sctlr_el1.*/0x\1/p')
script="target remote \$sock
hbreak *$mmu_on
continue
monitor pt-lint -r pending
set {int}0x40000000 = 0
monitor pt-lint -r pending:ttbr0=0x40000000 --rule table-overwritten
kill"
pending() { # NAME IMAGE
	baton_start "$1" -machine virt -cpu cortex-a53 -m 2G \
		-device "loader,file=$2,addr=0x70000000,cpu-num=0"
	gdb_run "$1" "$script"
	out=$tmp/$1.out status=GDB
	process_end "$pid"
}
pending good "$seed/good-el1.img"
tap_ok 'pending, before MMU on: there' says "$mmu_on"
tap_ok 'pending, before MMU on: no error' says '0 errors, 2 warnings, 0 notes'
tap_ok 'a region that is not yet there: a table in it' \
	says 'in what the loader will copy over: region 0,'
"$O/tests/zoo/zoo" lvl0-upper-zero --elf "$elf" "$seed/good-el1.img" -o "$tmp/bad.img"
pending bad "$tmp/bad.img"
tap_ok 'pending, before MMU on: the seed case is seen' says 'error: kernel-entry'
tap_ok 'pending, before MMU on: the orphan is named' says 'looks like a table, and nothing points to it'

# In the file, before any machine runs.
out=$tmp/check.out
"$O/baton" check "$seed/lvl0-upper-zero.img" >"$out" 2>&1
status=$?
tap_ok 'baton check: exit status 1' ends_with 1
tap_ok 'baton check: the orphan' rules 'error pc' 'warning orphan-table' 'warning writable-executable'
tap_ok 'baton check: the remedy' says "  do: $repair"

# The command.
baton "$seed/good-el1.img" 0x70000000 virt -e 'pt-lint --rules'
tap_ok '--rules: exit status 0' ends_with 0
tap_ok '--rules: severity, id, section' grep -q '^error  *level3-block  *(Arm ARM D8.3.1)$' "$out"
baton "$seed/good-el1.img" 0x70000000 virt -e 'pt-lint --rule nonsense'
tap_ok 'an unknown rule: exit status 2' ends_with 2
tap_ok 'an unknown rule: what lists them' says 'no rule nonsense ('
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff run' -e 'pt-lint --rule af-clear'
tap_ok 'one rule: the others are not counted' last_line '0 errors, 0 warnings, 0 notes'

tap_end
