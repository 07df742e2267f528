#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a CPU is made to do itself: system registers written and read, AT, tlbi, by baton's
# commands and by GDB's `set $TTBR1_EL1 = ...`; at EL1 to EL3, out of reach, and through the
# shim that behaves as KVM. That nothing of it remains is what tests/inject is for.
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # $pc is baton's, $TTBR1_EL1 GDB's
. "${0%/*}/lib.sh"

elf=$O/tests/inject/tlb.elf
machine=virt
out=$tmp/out

# commands STATUS COMMAND... - on the guest of tests/tlb once it has run; into $out
commands() {
	local want=$1 got args=()
	shift
	for c in 'cont 0.3' "$@"; do
		args+=(-e "$c")
	done
	"$O/baton" run -l none -s "$elf" "${args[@]}" -- "$QEMU" -machine "$machine" -cpu cortex-a53 \
		-display none -serial none -monitor none -nic none -smp "${smp:-1}" \
		-device "loader,file=$elf,cpu-num=0" >"$out" 2>&1 </dev/null
	got=$?
	[ "$got" = "$want" ] && return
	echo "# exit status $got, not $want; the last that was said:"
	tail -n 12 "$out" | sed 's/^/#   /'
	return 1
}
says() { has "$out" "$1" || { sed 's/^/#   /' "$out"; return 1; }; }

tap_ok 'a system register is written' commands 0 'sysreg TTBR1_EL1 = one+0x10' 'sysreg TTBR1_EL1' \
	'patches' 'undo' 'sysreg S3_0_C2_C0_1'
tap_ok '... from what to what' says 'CPU 0 TTBR1_EL1: 0x0000000000000000 -> 0x0000000040204010'
tap_ok '... and holds the value' says 'TTBR1_EL1 = 0x0000000040204010'
tap_ok '... the journal has it' says 'sysreg TTBR1_EL1 = 0x40204010'
tap_ok '... and undo takes it back' says 'TTBR1_EL1 = 0x0000000000000000'
tap_ok 'what QEMU does not show is read' commands 0 'sysreg MPIDR_EL1' 'sysreg CNTVCT_EL0'
tap_ok '... by the CPU' says 'MPIDR_EL1 = 0x0000000080000000   (QEMU does not show it: read by CPU 0)'
tap_ok 'by its number' commands 0 'sysreg S3_0_C13_C0_4 = 0x1234' 'sysreg TPIDR_EL1'
tap_ok '... too' says 'TPIDR_EL1 = 0x0000000000001234'
tap_ok 'what may not be written is refused' commands 2 'sysreg MIDR_EL1 = 3'
tap_ok '... with the reason' says 'MIDR_EL1 cannot be written at CPU 0'
tap_ok 'of a higher level, too' commands 2 'sysreg SCR_EL3'
tap_ok '... with the reason' says 'SCR_EL3 cannot be read at CPU 0'
tap_ok 'the pc is not cut off' commands 2 'sysreg TTBR0_EL1 = 0x1000'
tap_ok '... with the reason' says 'the CPU could no longer execute at its pc'
tap_ok 'an acknowledgement is no look' commands 2 'sysreg ICC_IAR1_EL1'
tap_ok '... with the reason' says 'reading it acknowledges an interrupt (-f reads it)'
smp=2 tap_ok 'a CPU that is off is out of reach' commands 2 'sysreg MPIDR_EL1 -c 1'
tap_ok '... with the reason' says 'CPU 1 does not step: powered off, or waiting (wfi)'

tap_ok 'AT agrees with the walk' commands 0 'sysreg PAR_EL1 = 0x1234001' \
	'pt-walk 0x40000008 --ask-cpu' 'pt-walk 0x40000008 --ask-cpu -a w' 'sysreg PAR_EL1'
tap_ok '... for a read' says 'CPU 0 itself (AT S1E1R): 0x40206008, as the walk'
tap_ok '... for a write' says 'CPU 0 itself (AT S1E1W): 0x40206008, as the walk'
tap_ok '... and PAR_EL1 is the guest'"'"'s' says 'PAR_EL1 = 0x0000000001234001'
tap_ok 'AT faults with the walk' commands 1 'pt-walk 0x60000000 --ask-cpu'
tap_ok '... for the same reason' says 'CPU 0 itself (AT S1E1R): translation fault, level 2, as the walk'
tap_ok 'there is no AT for fetches' commands 2 'pt-walk $pc -a x --ask-cpu'

machine=virt,virtualization=on
tap_ok 'at EL2' commands 0 'sysreg VTTBR_EL2 = 0x40204000' 'sysreg MIDR_EL1' 'tlb-flush all -i' \
	'tlb-flush all -i -r el1'
tap_ok '... written' says 'VTTBR_EL2: 0x0000000000000000 -> 0x0000000040204000'
tap_ok '... a tlbi' says 'dropped on all CPUs (by an executed tlbi)'
machine=virt,virtualization=on,secure=on
tap_ok 'at EL3' commands 0 'sysreg SCR_EL3 = 0x430' 'pt-walk $pc --ask-cpu' 'tlb-flush -i' 'undo'
tap_ok '... written' says 'SCR_EL3: 0x0000000000000030 -> 0x0000000000000430'
tap_ok '... AT' says 'CPU 0 itself (AT S1E3R): 0x402000'
machine=virt

baton_start gdb -machine virt -cpu cortex-a53 -device "loader,file=$elf,cpu-num=0"
gdb_run gdb '
target remote $sock
stepi 40
set $TTBR1_EL1 = 0x5000
p/x $TTBR1_EL1
set $SCTLR = $SCTLR | 8
p/x $SCTLR & 8
set $x9 = 0x1234
set $MDRAR_EL1 = 77
flushregs
p/x $MDRAR_EL1
p/x $x9
monitor sysreg TTBR1_EL1
detach
'
out=$tmp/gdb.out
tap_ok "GDB's set of a system register works" says '= 0x5000'
tap_ok '... in the CPU' says 'TTBR1_EL1 = 0x0000000000005000'
tap_ok "... also by QEMU's own name for it" says '= 0x8'
tap_ok '... or fails where it cannot' says 'Could not write register "MDRAR_EL1"'
tap_ok '... and core registers are what they were set to' says '= 0x1234'

# Through the shim: no NOIRQ, a breakpoint holds a step, a watchpoint refreshes nothing.
qemu_start kvm -S -machine virt -cpu cortex-a53 -device "loader,file=$elf,cpu-num=0" \
	-gdb "unix:$tmp/stub,server=on,wait=off"
wait_file "$tmp/stub"
"$O/tests/kvm/kvm-shim" "unix:$tmp/shim" "unix:$tmp/stub" >"$tmp/shim.log" &
pid=$! pids="$pids $!"
wait_line "$tmp/shim.log" 'kvm-shim: '
out=$tmp/kvm.out
"$O/baton" attach -l none -s "$elf" -e 'cont 0.3' -e 'sysreg TTBR1_EL1 = 0x40204000' \
	-e 'sysreg MPIDR_EL1' -e 'pt-walk 0x40000008 --ask-cpu' -e 'tlb-flush' -e 'tlb-flush $pc' \
	-e 'tlb-check 0x40000000' -e 'pt-set 0x40000000 L3 OA=c' -e 'step 10' -e 'info registers' \
	-e 'sysreg MIDR_EL1 = 3' "unix:$tmp/shim" >"$out" 2>&1
tap_ok 'as under KVM: a refused write is the end' test $? = 2
tap_ok '... and before it, a system register' says 'TTBR1_EL1: 0x0000000000000000 -> 0x0000000040204000'
tap_ok '... one that QEMU does not show' says 'MPIDR_EL1 = 0x0000000080000000'
tap_ok '... AT' says 'CPU 0 itself (AT S1E1R): 0x40206008, as the walk'
tap_ok '... a tlbi, unasked for' says 'all translations of EL1&0 stage 1 dropped on all CPUs (by an executed tlbi)'
tap_ok '... tlb-check' says 'fresh: the CPU reads 0x40000000'
tap_ok '... an edit that the CPU sees by it' says 'X01=000000000000cccc'
tap_ok '... and an exception that is undone' says 'MIDR_EL1 cannot be written at CPU 0'
tap_end
