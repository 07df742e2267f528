#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is different under KVM, by way of the shim that behaves like it (tests/kvm): traps in
# the guest's memory, few hardware breakpoints, stale registers. The loader at EL1.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

seed=$O/examples/seed
elf=$O/loader/qemu_virt_aarch64_el1/loader.elf
symbol() { printf '0x%x' "0x$("${CROSS:-aarch64-linux-gnu-}nm" "$elf" | sed -n "s/ [A-Za-z] $1\$//p")"; }
upper0=$(symbol boot_lvl0_upper)
descriptor=$(printf '0x%x' $((upper0 + 511 * 8)))
entry=0xffffff8040000000
repair="fix: pt-set $entry L0 $(printf '0x%x' $(($(symbol boot_lvl1_upper) + 3)))"
ended='kernel: task exited with status 0'
addr=0x70000000 vm='' shim=''

# machine IMAGE SLOTS: a QEMU that stands, the shim before it at $tmp/kvm
machine() {
	rm -f "$tmp/gdb" "$tmp/kvm" "$tmp/shim"
	qemu_start "$((tap_count + 1))" -S -M virt -cpu cortex-a53 -smp "$smp" -m 2G \
		-device "loader,file=$1,addr=$addr,cpu-num=0" -gdb "unix:$tmp/gdb,server=on,wait=off"
	vm=$pid
	wait_file "$tmp/gdb"
	"$O/tests/kvm/kvm-shim" "unix:$tmp/kvm" "unix:$tmp/gdb" --slots "$2" >"$tmp/shim" 2>&1 &
	shim=$! pids="$pids $!"
	wait_line "$tmp/shim" kvm-shim:
}
gone() {
	process_end "$shim"
	process_end "$vm" 2>/dev/null
}
# baton IMAGE SLOTS COMMAND...: $out, $status
baton() {
	local image=$1 slots=$2 args=() c
	shift 2
	machine "$image" "$slots"
	for c; do args+=(-e "$c"); done
	out=$tmp/$((tap_count + 1)).out
	timeout 60 "$O/baton" attach -l none -s "$elf" "${args[@]}" "unix:$tmp/kvm" >"$out" 2>&1 </dev/null
	status=$?
	gone
}
booted() { has "$console" "$ended" || show; }

# The seed case with as many hardware breakpoints as processors have.
for slots in 6,4 16,16; do
	baton "$seed/lvl0-upper-zero.img" $slots 'handoff run'
	tap_ok "$slots: the timeline has no gap" never_says 'no stop at'
	tap_ok "$slots: each stop is visited once" test "$(grep -c 'VBAR_EL1 0 ->' "$out")" = 1
	tap_ok "$slots: the repair" says "$repair"
done
baton "$seed/lvl0-upper-zero.img" 4,2 'handoff run' 'fix -y' 'handoff run' 'cont 1'
tap_ok '4,2: the timeline has no gap' never_says 'no stop at'
tap_ok '4,2: the regions were verified' says '4 regions copied and verified'
tap_ok '4,2: the descriptor' says "level 0, index 511, descriptor $descriptor in boot_lvl0_upper"
tap_ok '4,2: the repair' says "$repair"
tap_ok '4,2: the kernel is entered' says "the loader is left: EL1, $entry"
tap_ok '4,2: exit status 0' ends_with 0
tap_ok '4,2: it boots' booted

# With one trap left behind the loader would end in its own vectors.
baton "$seed/lvl0-upper-zero.img" 1,1 'handoff run' "mem $(symbol psci_hvc) 4" 'fix -y' \
	'patches' 'undo' 'handoff run'
tap_ok 'one slot: no trap is to be seen' never_says '00 00 20 d4'
tap_ok 'one slot: the repair is undone' says 'undone 1: L0 [511] <boot_lvl0_upper+0xff8>'
tap_ok 'one slot: ... and missing again' test "$(grep -cF "$repair" "$out")" = 2

baton "$seed/lvl0-upper-zero.img" 4,2 'cont 1' why
tap_ok 'after the fault: the descriptor' says "descriptor $descriptor in boot_lvl0_upper"
tap_ok 'after the fault: the repair' says "$repair"

smp=4
baton "$seed/good-el1-smp4.img" 6,4 'handoff run' 'cont 2'
tap_ok 'four CPUs: exit status 0' ends_with 0
for cpu in 1 2 3; do
	tap_ok "four CPUs: CPU $cpu is in the timeline" grep -q "^  CPU$cpu EL1 .*MMU on$" "$out"
	tap_ok "four CPUs: CPU $cpu is up" has "$console" "kernel: CPU $cpu up"
done
smp=1

# Loaded elsewhere it moves itself, and traps with it.
for slots in 16,16 4,2; do
	addr=0x60000000 baton "$seed/lvl0-upper-zero.img" $slots 'handoff run' 'fix -y' 'handoff run' 'cont 1'
	tap_ok "$slots: it moves itself" says 'goes on in a copy of itself: 0x60003'
	tap_ok "$slots: ... without its traps" never_says BRK
	tap_ok "$slots: ... and those of the copy are visited" says 'TTBR1_EL1 0 -> '
	tap_ok "$slots: ... the repair" says "$repair"
	tap_ok "$slots: ... it boots" booted
done
smp=4 addr=0x60000000 baton "$seed/good-el1-smp4.img" 4,2 'handoff run' 'cont 2'
tap_ok 'four CPUs that move' says 'goes on in a copy of itself'
tap_ok '... all are up' has "$console" 'kernel: CPU 3 up'

# Behind the jump: no trap in the kernel, which sums up its text, and few breakpoints.
linked='kernel: memory is as linked'
for slots in 4,2 6,4; do
	for image in "$seed/good-el1.img" "$O/tests/loader2/good.img"; do
		name="$slots, ${image##*/tests/}" addr=0x70000000
		name=${name##*/seed/}
		[ "${image##*/}" != good.img ] || addr=0x48000000
		baton "$image" $slots 'handoff until user' 'handoff until exception'
		tap_ok "$name: the kernel's vectors" says '-> 0xffffff8040001000'
		tap_ok "$name: its tables" says 'TTBR1_EL1 0x'
		tap_ok "$name: up to EL0" grep -q '^user, event .*: it stands at EL0, 0x2000e0' "$out"
		tap_ok "$name: ... without a trap in its way" has "$console" "$linked"
		tap_ok "$name: and back" grep -q 'takes svc #0' "$out"
		tap_ok "$name: ... by its vectors" grep -q '^exception, event .*: it stands at EL1' "$out"
	done
done
addr=0x70000000
tap_ok '6,4: what is passed makes room' says 'TCR_EL1 0x'
baton "$seed/good-el1.img" 4,2 'handoff until exception'
tap_ok '4,2: what has no breakpoint is said' says \
	'KVM has 4 hardware breakpoints for the kernel, the nearest first; not watched so far: writes of SCTLR and TTBR (1 of 2), writes of TCR, MAIR and the like (1 of 1)'
baton "$seed/good-el1.img" 4,2 'handoff run' 'handoff until el-change'
tap_ok '4,2: a change of level' says 'el-change, event '
baton "$seed/good-el1.img" 1,1 'handoff until user' 'handoff until mmu-on 2'
tap_ok '1,1: EL0 is seen by its first exception' says 'EL0 runs; its first exception that was seen is from 0x2'
tap_ok '1,1: after a silence: what was not watched' says 'not watched, for KVM has 1 hardware breakpoint left: exceptions from EL0 (1 of 1)'
smp=4
baton "$seed/good-el1-smp4.img" 4,2 'handoff until user' 'handoff until exception'
tap_ok '4,2, four CPUs: up to EL0' grep -q '^user, event .*: CPU0 stands at EL0, 0x2000e0' "$out"
tap_ok '4,2, four CPUs: and back' says 'takes svc #0'
tap_ok '4,2, four CPUs: the loader has no stops any more' never_says 'no stop at'
smp=1

# A live edit, and its undo.
table=$(printf '0x%x' $(($(symbol boot_lvl1_upper) + 3)))
baton "$seed/good-el1.img" 6,4 'handoff run' "pt-set 0xffffff0000000000 L0 $table" \
	'pt-walk 0xffffff0040000000' undo 'cont 1'
tap_ok 'an edit is seen by the walk' says '0xffffff0040000000 → 0x40000000'
tap_ok '... and undone' says 'undone 1: L0 [510]'
tap_ok '... the kernel runs on' booted

# A page is moved under a guest that reads it for ever (tests/tlb). No watchpoint refreshes
# anything here (kvm-shim.sh): what the CPU sees it sees by an injected tlbi.
tlb=$tmp/tlb.elf
"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
	-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$tlb" || exit 2
sees() { # N VALUE
	[ "$(grep -o 'X01=[0-9a-f]*' "$out" | sed -n "$1p")" = "X01=000000000000$2" ] || show
}
addr=0x40200000 baton "$tlb" 6,4 'cont 0.3' 'step 5' 'info registers' \
	"pt-set 0x40000000 L3 OA=0x$("${CROSS:-aarch64-linux-gnu-}nm" "$tlb" | sed -n 's/ . c$//p')" \
	'step 5' 'info registers' undo 'step 5' 'info registers'
tap_ok 'a guest sees its page' sees 1 aaaa
tap_ok '... the other one after the edit' sees 2 cccc
tap_ok '... and the first again after undo' sees 3 aaaa

# GDB, by its own breakpoints: as many as one wants.
gdb() { # SLOTS, GDB's commands from stdin: $out
	local n
	machine "$seed/good-el1.img" "$1"
	rm -f "$tmp/baton"
	baton_run gdb attach -l "unix:$tmp/baton" -s "$elf" "unix:$tmp/kvm"
	wait_line "$tmp/gdb.log" 'waiting for GDB'
	out=$tmp/$((tap_count + 1)).out
	{ printf '%s\n' 'set pagination off' 'set confirm off' 'set architecture aarch64' \
		"symbol-file $elf" "target remote $tmp/baton"; cat; } >"$tmp/commands"
	timeout 60 "$GDB" -q -nx <"$tmp/commands" >"$out" 2>&1
	status=$?
	process_end "$pid"
	gone
}
gdb 4,2 <<END
break *$entry
break vectors_install
break loader_main
break el1_mmu_disable
break psci_hvc
break el1_mmu_enable
break kernel_jump
continue
printf "first %#lx\n", \$pc
x/2xw \$pc
continue
continue
continue
delete 5
continue
continue
printf "sixth %#lx\n", \$pc
x/2i \$pc
stepi
printf "step %#lx\n", \$pc
continue
printf "at last %#lx\n", \$pc
stepi
printf "and on %#lx\n", \$pc
END
tap_ok 'GDB: 7 breakpoints with 4 slots, the first' says "first $(symbol vectors_install)"
tap_ok 'GDB: the sixth' says "sixth $(symbol kernel_jump)"
tap_ok 'GDB: a step from it' says "step $(printf '%#x' $(($(symbol kernel_jump) + 4)))"
tap_ok 'GDB: where nothing was mapped, and the kernel was copied to' says "at last $entry"
tap_ok 'GDB: a step from there' says "and on $(printf '%#x' $((entry + 4)))"
tap_ok 'GDB: no trap is to be seen' never_says brk

# What is searched, or read in bulk as tables are, has no traps either: here code as a table,
# with a trap where a descriptor would be valid.
gdb 1,1 <<END
set breakpoint always-inserted on
break kernel_jump
continue
set \$a = $(symbol vectors_install) & ~0xfff
set \$page = \$a
while !(*(unsigned int *)\$a & 1)
set \$a = \$a + 8
end
echo BEFORE\\n
eval "monitor pt-tables -r el1:ttbr0=%#lx", \$page
break *\$a
echo AFTER\\n
eval "monitor pt-tables -r el1:ttbr0=%#lx", \$page
echo END\\n
eval "monitor pt-dump %#lx-%#lx --grep 000020d4", \$page, \$page + 0xfff
eval "monitor mem -p %#lx 4", \$a
x/i \$a
END
part() { sed -n "/$1/,/$2/p" "$out" | sed '1d;$d'; }
tap_ok 'GDB: code as a table' test -n "$(part BEFORE AFTER | grep valid)"
tap_ok '... has no traps' test "$(part BEFORE AFTER | grep -v Breakpoint)" = "$(part AFTER END)"
tap_ok '... nor what is searched' says '0 hits'
tap_ok '... what is read' never_says '00 00 20 d4'
tap_ok '... and what GDB reads' never_says brk

gdb 4,2 <<END
hbreak *$entry
hbreak *$entry+4
hbreak *$entry+8
hbreak *$entry+12
hbreak *$entry+16
continue
delete 5
continue
printf "at %#lx\n", \$pc
END
tap_ok 'GDB: a fifth hbreak with 4 slots is refused' says 'Cannot insert hardware breakpoint 5'
tap_ok 'GDB: and it is said which four there are' \
	has "$tmp/gdb.log" "KVM has no hardware breakpoint left for $(printf '%#x' $((entry + 16))): 4 of ours are at $entry"
tap_ok 'GDB: without it the others stop' says "at $entry"

gdb 6,4 <<END
watch *(long *)$upper0
rwatch *(char (*)[24])$upper0
continue
END
tap_ok 'GDB: a watchpoint of 24 bytes is refused' says 'Could not insert hardware watchpoint 2'
tap_ok 'GDB: and it is said why' has "$tmp/gdb.log" 'KVM watches up to 8 bytes, or a power of two: not 24'
tap_end
