#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# pt-map, pt-unmap and pt-protect on a real QEMU: the guest of tests/tlb sees at once what was
# done and undone, also where the block is split that its pc is in; and the seed case is
# repaired by pt-map alone.
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016,SC2317 # $pc is baton's; functions are called by tap_ok
. "${0%/*}/lib.sh"

seed=$O/examples/seed/lvl0-upper-zero.img
loader=$O/loader/qemu_virt_aarch64_el1/loader.elf
elf=$tmp/tlb.elf
ended='kernel: task exited with status 0'
"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
	-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$elf" || exit 2

# run STATUS ARGUMENTS... - of baton, into $tmp/out
run() {
	local want=$1 got
	shift
	timeout 120 "$O/baton" run -l none "$@" </dev/null >"$tmp/out" 2>&1
	got=$?
	sed 's/\r$//' -i "$tmp/out"
	[ "$got" = "$want" ] && return
	echo "# exit status $got, not $want; the last that was said:"
	tail -n 12 "$tmp/out" | sed 's/^/#   /'
	return 1
}

# on_guest STATUS COMMAND... - once the loop of tests/tlb runs, on as many CPUs as $smp
smp=1
on_guest() {
	local want=$1 args=()
	shift
	for c in 'cont 0.3' "$@"; do
		args+=(-e "$c")
	done
	run "$want" -s "$elf" "${args[@]}" -- "$QEMU" -machine virt -cpu cortex-a53 -smp "$smp" \
		-display none -serial none -monitor none -nic none \
		-device "loader,file=$elf,cpu-num=0"
}

# seen N X1 X2 - what the N-th `info registers` shows
seen() {
	grep -o 'X0[12]=[0-9a-f]*' "$tmp/out" | tr '\n' ' ' | tr '[:upper:]' '[:lower:]' >"$tmp/regs"
	local want got
	printf -v want 'x01=%016x x02=%016x' "$2" "$3"
	got=$(cut -d' ' -f$((2 * $1 - 1)),$((2 * $1)) "$tmp/regs")
	[ "$got" = "$want" ] || { echo "# $got, not $want"; return 1; }
}

says() { has "$tmp/out" "$1" || { tail -n 20 "$tmp/out" | sed 's/^/#   /'; return 1; }; }

look=('step 5' 'info registers')
pool='--pool 0x47000000,0x4000'

tap_ok 'a page is mapped elsewhere, and back by undo' on_guest 0 "${look[@]}" \
	'pt-map 0x40000000 c 0x1000 rwx,normal' "${look[@]}" 'undo' "${look[@]}"
tap_ok '... before' seen 1 0xaaaa 0xbbbb
tap_ok '... the CPU sees it' seen 2 0xcccc 0xbbbb
tap_ok '... and what was there' seen 3 0xaaaa 0xbbbb

tap_ok 'two pages by one command, one entry of the journal' on_guest 0 \
	'pt-map 0x40000000 c 0x2000 rwx,normal' "${look[@]}" 'undo 1' "${look[@]}" 'undo'
tap_ok '... both are seen' seen 1 0xcccc 0xdddd
tap_ok '... both are back' seen 2 0xaaaa 0xbbbb
tap_ok '... and nothing else was journalled' says 'nothing to undo'

tap_ok 'a page is unmapped' on_guest 0 'pt-unmap 0x40001000 0x1000' 'step 5' 'sysreg FAR_EL1'
tap_ok '... and the CPU faults there' says 'FAR_EL1 = 0x0000000040001000'

# The code runs in the 2 MiB block at 0x40200000, which becomes 512 pages under it.
tap_ok 'the block under the pc is split' on_guest 0 "pt-protect 0x40300000 0x1000 r $pool" \
	"${look[@]}" 'cont 0.3' 'pt-walk 0x40300000' 'pt-walk $pc' 'undo' "${look[@]}" 'pt-walk $pc'
tap_ok '... the guest goes on' seen 1 0xaaaa 0xbbbb
tap_ok '... in pages' says 'new L3 table at 0x47000000 for 0x40200000'
tap_ok '... of which one is read-only' says '0x40300000 → 0x40300000   EL1 r--'
tap_ok '... and again when it is a block' seen 2 0xaaaa 0xbbbb

tap_ok 'what would cut off the pc is refused' on_guest 2 "pt-unmap 0x40200000 0x1000 $pool"
tap_ok '... with its name' says 'refused (pc): the pc, 0x402000'
tap_ok '... and nothing is written' says 'nothing was written'
tap_ok 'what is no memory is refused' on_guest 2 'pt-map 0x40000000 0x80000000 0x1000 rw,normal'
tap_ok '... with its name' says 'refused (memory): 0x80000000 is nothing'
tap_ok 'a pool in use is refused' on_guest 2 'pt-protect 0x40300000 0x1000 r --pool one,0x1000'
tap_ok '... with its name' says 'refused (pool): '
tap_ok 'without a pool nothing is guessed' on_guest 2 'pt-protect 0x40300000 0x1000 r'
tap_ok '... and it says what to pass' says 'pass --pool ADDR,SIZE'

# The same by an executed tlbi: what changes is invalid in between.
on_kvm() {
	local want=$1 args=() got vm shim
	shift
	for c in 'cont 0.3' "$@"; do
		args+=(-e "$c")
	done
	rm -f "$tmp/gdb" "$tmp/kvm" "$tmp/shim"
	qemu_start "kvm$tap_count" -S -machine virt -cpu cortex-a53 \
		-device "loader,file=$elf,cpu-num=0" -gdb "unix:$tmp/gdb,server=on,wait=off"
	vm=$pid
	wait_file "$tmp/gdb"
	"$O/tests/kvm/kvm-shim" "unix:$tmp/kvm" "unix:$tmp/gdb" >"$tmp/shim" 2>&1 &
	shim=$! pids="$pids $!"
	wait_line "$tmp/shim" kvm-shim:
	timeout 120 "$O/baton" attach -l none -s "$elf" "${args[@]}" "unix:$tmp/kvm" </dev/null >"$tmp/out" 2>&1
	got=$?
	process_end "$shim"
	process_end "$vm" 2>/dev/null
	[ "$got" = "$want" ] || { tail -n 12 "$tmp/out" | sed 's/^/#   /'; return 1; }
}
tap_ok 'KVM: two pages are mapped elsewhere, and back' on_kvm 0 "${look[@]}" \
	'pt-map 0x40000000 c 0x2000 rwx,normal' "${look[@]}" 'undo' "${look[@]}" 'patches'
tap_ok '... before' seen 1 0xaaaa 0xbbbb
tap_ok '... the CPU sees them' seen 2 0xcccc 0xdddd
tap_ok '... and what was there' seen 3 0xaaaa 0xbbbb
tap_ok '... in one entry' hasnt "$tmp/out" '  2  '
tap_ok 'KVM: the block under the pc cannot be broken' on_kvm 2 "pt-protect 0x40300000 0x1000 r $pool"
tap_ok '... with its name' says 'refused (break-before-make): L2 [1] has to be invalid for a moment'
tap_ok 'KVM: permissions need no break' on_kvm 0 'pt-protect 0x40200000 0x200000 rx' 'pt-walk $pc'
tap_ok '... also under the pc' says 'EL1 r-x'

# The seed case: TTBR1's level 0 is empty. One block of 1 GiB needs one table.
machine=("$QEMU" -machine virt -cpu cortex-a53 -m 2G -nographic -nic none
	-device "loader,file=$seed,addr=0x70000000,cpu-num=0")
tap_ok 'the seed case by pt-map alone' run 0 -s "$loader" -e 'handoff run' \
	-e 'pt-map 0xffffff8040000000 0x40000000 0x40000000 rwx,normal,ish --pool 0xb0000000,0x1000' \
	-e 'cont 4' -e patches -- "${machine[@]}"
tap_ok '... boots the kernel' says "$ended"
tap_ok '... by a block' says 'block   1 GiB, Normal WB, inner shareable, AF'
tap_ok '... in pages of 2 MiB as well' run 0 -s "$loader" -e 'handoff run' \
	-e 'pt-map 0xffffff8040000000 0x40000000 0x8000000 rwx,normal --pool 0xb0000000,0x2000' \
	-e 'cont 4' -- "${machine[@]}"
tap_ok '... boots the kernel' says "$ended"
tap_ok 'a pool where the kernel was copied is refused' run 2 -s "$loader" -e 'handoff run' \
	-e 'pt-map 0xffffff8040000000 0x40000000 0x40000000 rwx --pool 0x40034000,0x1000' \
	-- "${machine[@]}"
tap_ok '... with its reason' says "a region of the loader's is copied there"

# At EL2 nothing uses boot_lvl0_upper, which is zero and lies between tables that are in use.
loader=$O/loader/qemu_virt_aarch64/loader.elf
tap_ok "a table of the loader's that nobody uses is found" run 0 -s "$loader" -e 'handoff run' \
	-e 'pt-protect 0x70101000 0x1000 r' -e 'pt-walk 0x70101000' -e 'cont 4' \
	-- "$QEMU" -machine virt,virtualization=on -cpu cortex-a53 -m 2G -nographic -nic none \
	-device "loader,file=$O/examples/seed/good-el2.img,addr=0x70000000,cpu-num=0"
tap_ok '... by its name' grep -q 'L2 .* table   boot_lvl0_upper$' "$tmp/out"
tap_ok '... and the kernel boots' says "$ended"
tap_ok '... once: the next one needs a pool' run 2 -s "$loader" -e 'handoff run' \
	-e 'pt-protect 0x70101000 0x1000 r' -e 'pt-protect 0x8040201000 0x1000 r' \
	-- "$QEMU" -machine virt,virtualization=on -cpu cortex-a53 -m 2G -nographic -nic none \
	-device "loader,file=$O/examples/seed/good-el2.img,addr=0x70000000,cpu-num=0"
tap_ok '... and says so' says "no page among the loader's tables is proved to be unused"
tap_end
