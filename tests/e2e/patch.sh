#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Live edits of tables on a real QEMU: what baton writes is what the CPU sees, at once and
# again after undo. The guest (tests/tlb) reads two pages for ever: x1 and x2.
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016,SC2317 # $pc is baton's; functions are called by tap_ok
. "${0%/*}/lib.sh"

elf=$tmp/tlb.elf
"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
	-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$elf" || exit 2

# commands STATUS COMMAND... - run them on the guest once its loop has run; into $tmp/out
commands() {
	local want=$1 got args=()
	shift
	for c in 'cont 0.3' "$@"; do
		args+=(-e "$c")
	done
	"$O/baton" run -l none -s "$elf" "${args[@]}" -- "$QEMU" -machine virt -cpu cortex-a53 \
		-display none -serial none -monitor none -nic none \
		-device "loader,file=$elf,cpu-num=0" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" = "$want" ] && return
	echo "# exit status $got, not $want; the last that was said:"
	tail -n 12 "$tmp/out" "$tmp/err" | sed 's/^/#   /'
	return 1
}

# seen N X1 X2 - what the N-th `info registers` shows
seen() {
	grep -o 'X0[12]=[0-9a-f]*' "$tmp/out" | tr '\n' ' ' | tr '[:upper:]' '[:lower:]' >"$tmp/regs"
	local want got
	printf -v want 'x01=%016x x02=%016x' "$2" "$3"
	got=$(cut -d' ' -f$((2 * $1 - 1)),$((2 * $1)) "$tmp/regs")
	[ "$got" = "$want" ] || { echo "# $got, not $want"; return 1; }
}

# Five steps are once round the loop, and one.
look=('step 5' 'info registers')

tap_ok 'the guest runs' commands 0 "${look[@]}"
tap_ok '... and sees the pages that its tables name' seen 1 0xaaaa 0xbbbb

tap_ok 'a page is moved' commands 0 "${look[@]}" \
	'pt-set 0x40000000 L3 OA=c' "${look[@]}" 'undo' "${look[@]}" 'patches'
tap_ok '... before' seen 1 0xaaaa 0xbbbb
tap_ok '... the CPU sees the new page, and the other as it was' seen 2 0xcccc 0xbbbb
tap_ok '... and the old one after undo' seen 3 0xaaaa 0xbbbb
tap_ok '... which the journal knows' has "$tmp/out" '  1  undone     0x40204000  L3 [0] <one>  '

tap_ok 'a table is replaced' commands 0 "${look[@]}" \
	'pt-set 0x40000000 L2 two+3' "${look[@]}" 'undo 1' "${look[@]}"
tap_ok '... before' seen 1 0xaaaa 0xbbbb
tap_ok '... the CPU sees both new pages' seen 2 0xcccc 0xdddd
tap_ok '... and both old ones after undo' seen 3 0xaaaa 0xbbbb

tap_ok 'a page becomes invalid' commands 0 'pt-set 0x40000000 L3 type=invalid' 'step 5' \
	'sysreg FAR_EL1' 'sysreg ESR_EL1'
tap_ok '... and the CPU faults' has "$tmp/out" 'FAR_EL1 = 0x0000000040000000'
tap_ok '... for that reason' has "$tmp/out" 'DFSC       [5:0]    0x7     translation fault, level 3'

tap_ok 'what a later patch has changed is not undone' commands 1 'pt-set 0x40000000 L3 OA=c' \
	'pt-set 0x40000000 L3 AF=0' 'undo 1'
tap_ok '... and says why' has "$tmp/out" 'undo 1: not done, patch 2 wrote there after it: undo 2 first'

tap_ok 'a reset closes the journal' commands 0 'pt-set 0x40000000 L3 OA=c' 'system_reset' \
	'patches' 'undo' 'step 60' "${look[@]}"
tap_ok '... with a line that says so' has "$tmp/out" 'journal: the machine starts anew, 1 patch is gone'
tap_ok '... and the guest starts with what was loaded' seen 1 0xaaaa 0xbbbb

tap_ok 'what takes the code away that the CPU runs is refused' commands 2 \
	'pt-set $pc L2 type=invalid'
tap_ok '... by its address' has "$tmp/out" 'would no longer be executable'
tap_end
