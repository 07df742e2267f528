#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The journal on a real QEMU: GDB's own writes to tables are patches too, and with --journal
# all of it is known after baton was killed.
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2016 # $ in scripts is GDB's
. "${0%/*}/lib.sh"

seed=$O/examples/seed/lvl0-upper-zero.img
elf=$O/loader/qemu_virt_aarch64_el1/loader.elf
upper0=$("${CROSS:-aarch64-linux-gnu-}nm" "$elf" | sed -n 's/^0*\(.*\) . boot_lvl0_upper$/\1/p')
upper1=$("${CROSS:-aarch64-linux-gnu-}nm" "$elf" | sed -n 's/^0*\(.*\) . boot_lvl1_upper$/\1/p')
up='Booting all finished, dropped to user space'
gdb_files=("$elf")

# A seed case that GDB repairs: NAME SCRIPT
seed_case() {
	baton_start "$1" -machine virt -cpu cortex-a53 -m 2G \
		-device "loader,file=$seed,addr=0x70000000,cpu-num=0"
	gdb_run "$1" "target remote \$sock
monitor symbols $elf
$2"
}
shown() { has "$tmp/$1.out" "$2" || { echo "# GDB saw:"; tail -n 20 "$tmp/$1.out" | sed 's/^/#   /'; return 1; }; }

# Before the jump: TTBR1 leads to the table.
seed_case before "monitor handoff run
continue
set var boot_lvl0_upper[0x1ff] = 0x$upper1 + 3
monitor patches
monitor patches 1
monitor patches --json
detach"
tap_ok 'set var on a table in use is said' shown before \
	"patch 1: L0 [511] <boot_lvl0_upper+0xff8> at 0x${upper0%???}ff8: 0x0000000000000000 -> 0x00000000${upper1%?}3 ("
tap_ok '... and a patch' shown before \
	"  1  applied    0x${upper0%???}ff8  L0 [511] <boot_lvl0_upper+0xff8>  0x0000000000000000 -> 0x00000000${upper1%?}3  GDB"
tap_ok '... with the walk before' shown before '0xffffff8040000000: translation fault, level 0'
tap_ok '... and after' shown before '0xffffff8040000000 → 0x40000000'
tap_ok '... as JSON' shown before '"state":"applied","why":"GDB"'
tap_ok '... and the kernel boots' wait_line "$console" "$up"
process_end "$pid"

# At reset: no register leads to any table yet.
seed_case reset 'set var *(unsigned long *)((char *)&boot_lvl0_upper + 0xff8) = (unsigned long)&boot_lvl1_upper + 3
monitor patches
detach'
tap_ok 'set var at reset is a patch of what looks like a table' shown reset \
	"table? [511] <boot_lvl0_upper+0xff8>  0x0000000000000000 -> 0x00000000${upper1%?}3  GDB"
tap_ok '... and the kernel boots' wait_line "$console" "$up"
process_end "$pid"

# What is no table is none of ours; undo takes GDB's writes back, and the line comes with continue.
seed_case other 'monitor handoff run
continue
set var $sp_word = *(unsigned long *)$sp
set var *(unsigned long *)$sp = 0x70000003
set var *(unsigned long *)$sp = $sp_word
set var *(unsigned int *)((char *)&boot_lvl0_upper + 0xff8) = 0x70000003
monitor undo
print *(unsigned long *)((char *)&boot_lvl0_upper + 0xff8)
monitor patches
set var *(unsigned int *)((char *)&boot_lvl0_upper + 0xff8) = 0x70000003
stepi'
tap_ok 'a word that is half written is a patch of the whole descriptor' shown other \
	'<boot_lvl0_upper+0xff8>  0x0000000000000000 -> 0x0000000070000003  GDB'
tap_ok '... that undo takes back' shown other '$1 = 0'
tap_ok '... and what was no table is no patch' hasnt "$tmp/other.out" 'patch 3'
tap_ok 'what was done is said as soon as GDB listens' shown other 'patch 2: L0 [511]'
process_end "$pid"
tap_end
