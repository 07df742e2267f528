#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Registers that QEMU does not show, in GDB: read where the CPU can be asked, <unavailable> where it
# cannot, and written for real or not at all; what `info registers` shows besides is QEMU's.
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # $ in scripts is GDB's
. "${0%/*}/lib.sh"

image=$O/examples/seed/good-el1.img
out=''
says() { has "$out" "$1" || { echo "# GDB saw:"; tail -n 40 "$out" | sed 's/^/#   /'; return 1; }; }
# line N LINE - the N-th line that begins as LINE does
line() {
	local got
	got=$(sed 's/^\((gdb) \)*//; s/  */ /g' "$out" | grep "^${2%% *} [^=]" | sed -n "$1p")
	[ "$got" = "$2" ] || { echo "# '$got', not '$2'"; return 1; }
}
# session NAME SCRIPT QEMU'S ARGUMENTS...
session() {
	baton_start "$1" -machine virt -cpu cortex-a53 -m 2G -device "loader,file=$image,addr=0x70000000,cpu-num=0" "${@:3}"
	gdb_run "$1" "target remote \$sock
$2"
	out=$tmp/$1.out
	process_end "$pid"
}
ours='CurrentEL SCTLR_EL1 VBAR_EL1 CPACR_EL1 MPIDR_EL1 MIDR_EL1 ID_AA64PFR0_EL1'
kernel='hbreak *0xffffff8040000000
continue'

session el1 "info registers $ours
p/x \$ID_AA64MMFR0_EL1
$kernel
info registers $ours
monitor sysreg MPIDR_EL1
monitor sysreg SCTLR_EL1
printf \"sum %#lx\\n\", \$x0 + \$x1 + \$x2 + \$x3 + \$pc + \$cpsr
thread 2
info registers $ours
p \$MPIDR_EL1
info all-registers
thread 1
printf \"sum %#lx\\n\", \$x0 + \$x1 + \$x2 + \$x3 + \$pc + \$cpsr" -smp 2
tap_ok 'CurrentEL' line 1 'CurrentEL 0x4 4'
tap_ok 'by its architectural name: SCTLR_EL1' line 1 'SCTLR_EL1 0xc50838 12912696'
tap_ok 'MPIDR_EL1' line 1 'MPIDR_EL1 0x80000000 2147483648'
tap_ok 'MIDR_EL1' line 1 'MIDR_EL1 0x410fd034 1091555380'
tap_ok 'ID_AA64PFR0_EL1: no EL2, no EL3' line 1 'ID_AA64PFR0_EL1 0x22 34'
tap_ok 'one that QEMU shows is QEMU'"'"'s' says '$1 = 0x1122'
tap_ok 'once the MMU is on' line 2 'SCTLR_EL1 0x30d0180d 818944013'
tap_ok '... the same' line 2 'MPIDR_EL1 0x80000000 2147483648'
tap_ok '... as by command' says 'MPIDR_EL1 = 0x0000000080000000'
tap_ok '... and SCTLR_EL1' says 'SCTLR_EL1 = 0x0000000030d0180d'
tap_ok 'a CPU that is off: what is known without it' line 3 'CurrentEL 0x4 4'
tap_ok '... the rest is unavailable' line 3 'MPIDR_EL1 <unavailable>'
tap_ok '... in an expression, too' says '$2 = <unavailable>'
tap_ok '... and all registers are shown to the last' line 4 'ID_AA64PFR0_EL1 <unavailable>'
same_sum() { [ "$(grep -o 'sum 0x[0-9a-f]*' "$out" | sort -u | wc -l)" = 1 ] && [ "$(grep -c 'sum 0x' "$out")" = 2 ]; }
tap_ok '... which changes nothing of the CPU' same_sum

session el2 "info registers $ours
$kernel
info registers $ours" -machine virtualization=on
tap_ok 'at EL2' line 1 'CurrentEL 0x8 8'
tap_ok '... ID_AA64PFR0_EL1: no EL3' line 1 'ID_AA64PFR0_EL1 0x222 546'
tap_ok '... and at EL1 below' line 2 'MPIDR_EL1 0x80000000 2147483648'
session el3 "info registers $ours" -machine virtualization=on,secure=on
tap_ok 'at EL3' line 1 'CurrentEL 0xc 12'
tap_ok '... ID_AA64PFR0_EL1 has them all' line 1 'ID_AA64PFR0_EL1 0x2222 8738'

# At EL0 nobody can be asked.
task=$("${CROSS:-aarch64-linux-gnu-}readelf" -h "$O/examples/kernel/task.elf" | sed -n 's/^ *Entry point.*0x/0x/p')
session el0 "hbreak *$task
continue
info registers $ours
delete
info registers MPIDR_EL1
set \$VBAR_EL1 = 0x1000
p/x \$VBAR_EL1 == 0x1000"
tap_ok 'at EL0' line 1 'CurrentEL 0x0 0'
tap_ok '... the CPU is out of reach' line 1 'MPIDR_EL1 <unavailable>'
tap_ok '... and nothing is written' says 'Could not write register "VBAR_EL1"'
tap_ok '... indeed' says '$1 = 0x0'

# What was read once is known: also at EL0.
session once "info registers $ours
hbreak *$task
continue
info registers $ours"
tap_ok 'what the hardware is was asked once' line 2 'MPIDR_EL1 0x80000000 2147483648'

session write "set \$TTBR1_EL1 = 0x5000
p/x \$TTBR1_EL1
set \$VBAR_EL1 = 0x70003800
p/x \$VBAR_EL1
p/x \$VBAR
set \$SCTLR = \$SCTLR ^ 8
set \$MPIDR_EL1 = 5
p/x \$MPIDR_EL1
set \$CurrentEL = 8
p/x \$CurrentEL
set \$ID_AA64MMFR0_EL1 = 1
p/x \$ID_AA64MMFR0_EL1
set \$VBAR_EL1 = 0x70003800
monitor sysreg VBAR_EL1
monitor patches
monitor undo 2
p/x \$VBAR_EL1
flushregs
p/x \$VBAR_EL1
$kernel
set \$TTBR1_EL1 = 0x1000
flushregs
p/x \$TTBR1_EL1 == 0x1000"
tap_ok 'what QEMU shows is written' says '$1 = 0x5000'
tap_ok '... and what it does not by that name' says '$2 = 0x70003800'
tap_ok '... which is one register' says '$3 = 0x70003800'
tap_ok '... in the CPU' says 'VBAR_EL1 = 0x0000000070003800'
tap_ok 'each is a patch' says '  1  applied    CPU 0 TTBR1_EL1 '
tap_ok '... by its name' says '  2  applied    CPU 0 VBAR_EL1 '
tap_ok "... QEMU's own name for it, too" says '  3  applied    CPU 0 SCTLR_EL1 '
tap_ok '... that is said' says 'patch 2: CPU 0 VBAR_EL1: 0x0000000000000000 -> 0x0000000070003800 (GDB)'
tap_ok '... and undone' says 'undone 2: CPU 0 VBAR_EL1'
tap_ok 'what fails is no patch' says '  4  not made   CPU 0 '
tap_ok '... and known for what it is' hasnt "$out" unknown
tap_ok 'one that is read-only fails' says 'Could not write register "MPIDR_EL1"'
tap_ok '... and has not changed' says '$4 = 0x80000000'
tap_ok 'so does CurrentEL' says 'Could not write register "CurrentEL"'
tap_ok '... and one that QEMU shows' says 'Could not write register "ID_AA64MMFR0_EL1"'
tap_ok '... which has not changed' says '$6 = 0x1122'
tap_ok 'what cuts off the pc fails' says 'Could not write register "TTBR1_EL1"'
tap_ok '... and is not written' says '$9 = 0x0'
tap_ok '... for a reason that is said' has "$tmp/write.log" 'TTBR1_EL1 is not written: with TTBR1_EL1 = 0x1000 the CPU could no longer execute at its pc'
tap_end
