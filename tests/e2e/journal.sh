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

# What was patched goes on as a script, for a GDB without baton, and as C.
"$O/baton" run -l none -s "$elf" -e 'patch boot_lvl0_upper+0xff8 = boot_lvl1_upper+3 -g' -e "export gdb $tmp/patches.gdb" \
	-e "export c $tmp/patches.c" -- "$QEMU" -machine virt -cpu cortex-a53 -m 2G -display none -serial none -monitor none -nic none \
	-device "loader,file=$seed,addr=0x70000000,cpu-num=0" >"$tmp/export.out" 2>&1 </dev/null
tap_ok 'export writes what is applied' has "$tmp/export.out" "1 patch written to $tmp/patches.c"
tap_ok '... as C, by symbol and index' has "$tmp/patches.c" "boot_lvl0_upper[0x1ff] = 0x${upper1%?}3; /* table? [511] <boot_lvl0_upper+0xff8>, was 0 */"
qemu_start export -machine virt -cpu cortex-a53 -m 2G -device "loader,file=$seed,addr=0x70000000,cpu-num=0" \
	-gdb "unix:$tmp/export.sock,server=on,wait=off" -S
wait_file "$tmp/export.sock"
gdb_run export "target remote \$sock
source $tmp/patches.gdb
print boot_lvl0_upper[0x1ff]
detach"
tap_ok '... as a script that GDB runs' shown export "= $((0x${upper1%?}3))"
tap_ok '... and the kernel boots' wait_line "$console" "$up"
process_end "$pid"

# Without GDB, on the guest of tests/tlb, which loads from two pages for ever.
tlb=$tmp/tlb.elf
"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
	-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$tlb" || exit 2
guest=(-machine virt -cpu cortex-a53 -display none -serial none -monitor none -nic none -device "loader,file=$tlb,cpu-num=0")

# All of it at once, as a load of GDB would: 64 KiB, with another descriptor in a table in use and in one that is not.
offset() { echo $((0x$("${CROSS:-aarch64-linux-gnu-}nm" "$tlb" | sed -n "s/^\(.*\) . $1$/\1/p") - 0x40200000)); }
"${CROSS:-aarch64-linux-gnu-}objcopy" -O binary "$tlb" "$tmp/block"
truncate -s 65536 "$tmp/block"
for table in one two; do # [0] becomes [1] of the table itself
	dd if="$tmp/block" of="$tmp/block" bs=8 skip=$(($(offset $table) / 8 + 1)) seek=$(($(offset $table) / 8)) count=1 conv=notrunc 2>/dev/null
done
baton_start block -machine virt -cpu cortex-a53 -device "loader,file=$tlb,cpu-num=0"
gdb_run block "target remote \$sock
stepi 200
restore $tmp/block binary 0x40200000
stepi 8
p/x \$x1
monitor patches
set \$TTBR1_EL1 = 0x5000
monitor patches
monitor undo all
stepi 8
p/x \$x1"
tap_ok 'a descriptor within a large block is a patch' shown block \
	"L3 [0] <one>  0x$(printf %016x $((0x40200000 + $(offset a) + 0x703))) -> 0x$(printf %016x $((0x40200000 + $(offset b) + 0x703)))  GDB"
tap_ok '... that the CPU sees' shown block '$1 = 0xbbbb'
tap_ok '... without the rest' hasnt "$tmp/block.out" '<two>'
tap_ok '... which is said' shown block '1 page that GDB wrote, as of a `load`, looks like translation tables'
tap_ok 'a system register that GDB sets is a patch' shown block 'CPU 0 TTBR1_EL1  '
tap_ok '... and all goes back' shown block '$2 = 0xaaaa'
process_end "$pid"

# commands STATUS COMMAND... - on that guest, once its loop runs; into $tmp/out
commands() {
	local want=$1 got args=()
	shift
	for c in 'cont 0.3' "$@"; do
		args+=(-e "$c")
	done
	"$O/baton" run -l none -s "$tlb" "${args[@]}" -- "$QEMU" "${guest[@]}" >"$tmp/out" 2>&1 </dev/null
	got=$?
	[ "$got" = "$want" ] || { echo "# status $got"; tail -n 12 "$tmp/out" | sed 's/^/#   /'; return 1; }
}
# line N REGISTER VALUE - in the N-th `info registers`
reads() { [ "$(grep -o "$2=[0-9a-f]*" "$tmp/out" | sed -n "$1p")" = "$2=$3" ]; }

tap_ok 'code is patched' commands 0 'step 5' 'patch loop+4 = 0xd2800aa2 0xd503201f' 'step 5' 'info registers' \
	'undo' 'step 5' 'info registers' patches
tap_ok '... shown as instructions' has "$tmp/out" '0x40200040 <loop+0x4>  f9400162  ldr x2, [x11]   ->  d2800aa2  movz x2, #0x55'
tap_ok '... the CPU executes it at once' reads 1 X02 0000000000000055
tap_ok '... and again what was there' reads 2 X02 000000000000bbbb
tap_ok 'a word in a table is a patch of the table' commands 0 'step 5' 'patch one = c+0x703 -g' 'step 5' 'info registers'
tap_ok '... said so' has "$tmp/out" 'patch 1: L3 [0] <one> at '
tap_ok '... and the CPU sees it' reads 1 X01 000000000000cccc
tap_ok 'bytes are patched, and physically' commands 0 'patch -b -p one = 3 0x87' 'step 5' 'info registers'
tap_ok '... which is a patch of the table, too' reads 1 X01 000000000000cccc
tap_ok 'smc becomes hvc' commands 0 'patch loop = 0xd4000003 0xd503201f 0xd4000023' 'patch loop-loop+0x10 smc->hvc' 'undo' 'patch loop smc->hvc'
tap_ok '... all in the range' has "$tmp/out" '0x40200044 <loop+0x8>  d4000023  smc #0x1  ->  d4000022  hvc #0x1'
tap_ok 'what is no smc is left' commands 2 'patch loop+8 = 0xd4000003' 'patch loop smc->hvc'
tap_ok '... with where one is' has "$tmp/out" 'next: patch 0x40200044 smc->hvc'
# The guest resets the machine (PSCI): what was patched is gone with it, for what QEMU loads anew.
off='patch loop = 0xd2800120 0xf2b08000 0xd4000002'
tap_ok "the guest's reset closes the journal" commands 2 'patch one = c+0x703 -g' 'patch 0x47000000 = 5 -p' "$off" 'cont 0.5' patches 'undo 1'
tap_ok '... which is said' has "$tmp/out" 'journal: the machine starts anew, 3 patches are gone with it'
tap_ok '... with what is there now' has "$tmp/out" 'the machine was reset since: not applied any more, all is as before it'
tap_ok '... and what no reset takes away' has "$tmp/out" 'the machine was reset since: its new value is still there'
tap_ok '... undo says so' has "$tmp/out" 'undo 1: the machine was reset since: not applied any more'
baton_start guestreset -machine virt -cpu cortex-a53 -device "loader,file=$tlb,cpu-num=0"
gdb_files=("$tlb")
gdb_run guestreset "target remote \$sock
monitor patch d = 5
hbreak *(char *)&loop
continue
monitor $off
delete
hbreak *(char *)&_start
hbreak *(char *)&_start + 8
continue
monitor patches
continue
monitor undo 1"
tap_ok "... under GDB's continue, which stops where it asked to" shown guestreset 'Breakpoint 2, '
tap_ok '... and where the machine goes on' shown guestreset 'Breakpoint 3, '
tap_ok '... too' shown guestreset '  1  reset      0x40209000  <d>'
process_end "$pid"

for bad in 'patch loop' 'patch loop =' 'patch loop+1 = 0' 'patch loop = 0x100000000' 'patch 0x1000000000 = 0' 'patch 0x9000000 = 0 -p' \
	'patch loop-loop+8 smc->hvc' 'patch loop = nonsense' 'patch loop = 0 -x'; do
	tap_ok "refused: $bad" commands 2 "$bad"
	tap_ok '... nothing is patched' hasnt "$tmp/out" 'patch 1'
done
tap_end
