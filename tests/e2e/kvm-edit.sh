#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each kind of change through the shim that behaves as KVM, at EL1 and at EL2: no watchpoint
# refreshes anything there, so what the guest of tests/tlb sees it sees by injected instructions,
# which the shim counts.
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016,SC2317 # $ in scripts is GDB's; functions are called by tap_ok
. "${0%/*}/lib.sh"

elf=$tmp/tlb.elf
out=$tmp/out
el='' vm='' shim=''

# machine: a QEMU at $el that stands, the shim before it at $tmp/kvm
machine() {
	local virt=virt
	[ "$el" = 1 ] || virt=virt,virtualization=on
	"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -DEL="$el" -Wl,--build-id=none,-z,noexecstack,-N \
		-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$elf" || exit 2
	rm -f "$tmp/gdb" "$tmp/kvm" "$tmp/shim"
	qemu_start "el$el" -S -machine "$virt" -cpu cortex-a53 -device "loader,file=$elf,cpu-num=0" \
		-gdb "unix:$tmp/gdb,server=on,wait=off"
	vm=$pid
	wait_file "$tmp/gdb"
	"$O/tests/kvm/kvm-shim" "unix:$tmp/kvm" "unix:$tmp/gdb" >>"$tmp/shim" 2>&1 &
	shim=$! pids="$pids $!"
	wait_line "$tmp/shim" kvm-shim:
}
gone() {
	process_end "$shim"
	process_end "$vm" 2>/dev/null
}

# commands COMMAND... - into $out, exit status 0
commands() {
	local args=() got
	for c in 'cont 0.2' "$@"; do
		args+=(-e "$c")
	done
	: >"$tmp/shim"
	timeout 120 "$O/baton" attach -l none -s "$elf" "${args[@]}" "unix:$tmp/kvm" </dev/null >"$out" 2>&1
	got=$?
	[ "$got" = 0 ] || { echo "# status $got"; tail -n 12 "$out" | sed 's/^/#   /'; return 1; }
}
says() { has "$out" "$1" || { tail -n 20 "$out" | sed 's/^/#   /'; return 1; }; }

# seen N X1 X2 - what the N-th `info registers` shows
seen() {
	local got want
	got=$(tr -d '\r' <"$out" | grep -o 'X0[12]=[0-9a-f]*' | sed -n "$((2 * $1 - 1)),$((2 * $1))p" | tr '\n' ' ')
	printf -v want 'X01=%016x X02=%016x ' "$2" "$3"
	[ "$got" = "$want" ] || { echo "# $got, not $want"; return 1; }
}
# executed INSTRUCTION TIMES - the shim has seen as many, or more
executed() {
	local n
	n=$(grep -cxF "executed: $1" "$tmp/shim")
	[ "$n" -ge "$2" ] || { echo "# $n times, not $2"; return 1; }
}

look=('step 5' 'info registers')
for el in 1 2; do
	vector=VTTBR_EL2
	[ $el = 2 ] || vector=TTBR1_EL1
	machine
	tap_ok "EL$el: pt-set of a page" commands "${look[@]}" 'pt-set 0x40000000 L3 OA=c' "${look[@]}" undo "${look[@]}"
	tap_ok '... before' seen 1 0xaaaa 0xbbbb
	tap_ok '... the CPU sees it' seen 2 0xcccc 0xbbbb
	tap_ok '... and its undo' seen 3 0xaaaa 0xbbbb
	tap_ok '... by a tlbi for the gap and one behind undo' executed tlbi 3
	tap_ok "EL$el: pt-set of a table" commands 'pt-set 0x40000000 L2 two+3' "${look[@]}" undo "${look[@]}"
	tap_ok '... the CPU sees both pages' seen 1 0xcccc 0xdddd
	tap_ok '... and its undo' seen 2 0xaaaa 0xbbbb
	tap_ok '... by tlbi' executed tlbi 3
	tap_ok "EL$el: pt-map" commands 'pt-map 0x40000000 c 0x2000 rwx,normal' "${look[@]}" undo "${look[@]}"
	tap_ok '... the CPU sees both pages' seen 1 0xcccc 0xdddd
	tap_ok '... and its undo' seen 2 0xaaaa 0xbbbb
	tap_ok '... by tlbi' executed tlbi 3
	tap_ok "EL$el: a descriptor by patch" commands 'patch one = c+0x703 -g' "${look[@]}" undo "${look[@]}"
	tap_ok '... the CPU sees it' seen 1 0xcccc 0xbbbb
	tap_ok '... and its undo' seen 2 0xaaaa 0xbbbb
	tap_ok '... by tlbi' executed tlbi 4
	tap_ok "EL$el: broken and made" commands 'patch one = c+0x703 -g' 'pt-set 0x40001000 L3 OA=d' patches \
		"export c $tmp/patches.c" "export gdb $tmp/patches.gdb" 'patches --json' 'undo all'
	tap_ok '... is one change in patches and undo' hasnt "$out" ' -> 0x0000000000000000'
	tap_ok '... and no gap as its old value' hasnt "$out" ' 0x0000000000000000 -> '
	tap_ok '... in C' eval '[ "$(grep -c "; /" "$tmp/patches.c")" = 2 ]'
	tap_ok '... in a script for GDB' eval '[ "$(grep -c "^set " "$tmp/patches.gdb")" = 2 ]'
	tap_ok '... and two writes in JSON' says '"new":"0x0000000000000000"'
	tap_ok "EL$el: code by patch" commands 'patch loop+4 = 0xd2800aa2' "${look[@]}" undo "${look[@]}"
	tap_ok '... the CPU executes it' seen 1 0xaaaa 0x55
	tap_ok '... and what was there' seen 2 0xaaaa 0xbbbb
	tap_ok '... cleaned each time' executed 'dc cvac' 8
	tap_ok '... and fetched again' executed 'ic ialluis' 2
	tap_ok "EL$el: smc becomes hvc" commands 'patch loop+16 = 0xd4000003' 'patch loop+16 smc->hvc' 'undo all' "${look[@]}"
	tap_ok '... and what was there' seen 1 0xaaaa 0xbbbb
	tap_ok '... fetched again each time' executed 'ic ialluis' 4
	tap_ok "EL$el: a system register" commands "sysreg $vector = 0x40204000" undo "sysreg $vector"
	tap_ok '... written' says "$vector: 0x0000000000000000 -> 0x0000000040204000"
	tap_ok '... and back' says "$vector = 0x0000000000000000"
	tap_ok "EL$el: tlb-flush and tlb-check" commands tlb-flush 'tlb-flush 0x40000000' 'tlb-check 0x40000000'
	tap_ok '... fresh' says 'fresh: the CPU reads 0x40000000'
	tap_ok '... by tlbi' executed tlbi 2
	# What cannot be read or written any more is seen by the fault, and is the end of the loop.
	tap_ok "EL$el: pt-unmap" commands 'pt-unmap 0x40001000 0x1000' 'step 5' "sysreg FAR_EL$el" system_reset
	tap_ok '... the CPU faults' says "FAR_EL$el = 0x0000000040001000"
	tap_ok '... by tlbi' executed tlbi 1
	tap_ok "EL$el: pt-unmap undone" commands 'pt-unmap 0x40001000 0x1000' undo "${look[@]}"
	tap_ok '... the CPU does not' seen 1 0xaaaa 0xbbbb
	tap_ok "EL$el: pt-protect" commands 'patch loop+4 = 0xf9000141' 'step 9' 'pt-protect 0x40000000 0x1000 r' 'step 5' \
		"sysreg FAR_EL$el" "sysreg ESR_EL$el" system_reset
	tap_ok '... a store faults' says 'permission fault, level 3'
	tap_ok '... there' says "FAR_EL$el = 0x0000000040000000"
	tap_ok '... by tlbi' executed tlbi 1
	gone
done

# What GDB writes itself.
el=1
machine
listen=unix:$tmp/baton.sock
baton_run gdb attach -l "$listen" -s "$elf" "unix:$tmp/kvm"
wait_line "$tmp/gdb.log" 'waiting for GDB'
gdb_files=("$elf")
gdb_run gdb 'set architecture aarch64
target remote '"$tmp"'/baton.sock
hbreak loop
continue
stepi 5
printf "first %#lx\n", $x1
set {unsigned long}&one = (unsigned long)&c + 0x703
stepi 5
printf "second %#lx\n", $x1
set {unsigned int}((char *)&loop + 4) = 0xd2800aa2
stepi 5
printf "third %#lx\n", $x2
monitor undo
stepi 5
printf "fourth %#lx\n", $x1
detach'
out=$tmp/gdb.out
tap_ok "GDB: the guest's page" says 'first 0xaaaa'
tap_ok '... the other one after set var' says 'second 0xcccc'
tap_ok '... an instruction that was set' says 'third 0x55'
tap_ok '... is cleaned and fetched again' executed 'ic ialluis' 1
tap_ok '... and undo' says 'fourth 0xaaaa'
process_end "$pid"
gone

# All that is tested of edits and of what is injected under TCG.
export KVM_QEMU=$QEMU
through() {
	QEMU=tests/kvm/qemu "${0%/*}/$1.sh" >"$tmp/$1.tap" 2>&1 && return
	grep -A9 '^not ok' "$tmp/$1.tap" | sed 's/^/# /'
	return 1
}
tap_ok 'patch.sh through the shim' through patch
tap_ok 'inject.sh through the shim' through inject
tap_ok 'journal.sh through the shim' through journal
tap_end
