#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The ways into the loader: all CPUs at once, from a spin table, at a wrong address, from U-Boot
# with MMU and caches on; and what is said of a CPU that does not come or does not get far.
# shellcheck disable=SC2317,SC2016 # functions are called by tap_ok; a dollar may be GDB's
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

kernels=$O/examples/kernel task=$O/examples/kernel/task.elf
ended='kernel: task exited with status 0'
el3=virt,secure=on,virtualization=on

# image LEVEL CPUS [OPTIONS] - $tmp/LEVEL-CPUS.img, or what -o among OPTIONS says
image() {
	local board=$el1
	[ "$1" = el1 ] || board=$el2
	mk "$board" "$kernels/kernel-$1.elf" "$tmp/$1-$2.img" --cpus "$2" "${@:3}"
}
for cpus in 1 2 4 8; do
	image el1 $cpus
	image el2 $cpus
done
image el1 4 --format elf -o "$tmp/el1-4.elf"
image el2 2 --format elf -o "$tmp/el2-2.elf"
image el1 4 --format uimage -o "$tmp/el1-4.uimage"

# start IMAGE ADDRESS MACHINE CPUS [QEMU'S ARGUMENTS] - where there is no PSCI, each CPU is started there
start() {
	local image=$1 addr=$2 machine=$3 cpus=$4 cpu all=()
	shift 4
	case $machine in
	*secure*) for ((cpu = 0; cpu < cpus; cpu++)); do all+=(-device "loader,addr=$addr,cpu-num=$cpu"); done ;;
	*) all=(-device "loader,addr=$addr,cpu-num=0") ;;
	esac
	qemu_start entry -machine "$machine" -cpu cortex-a53 -m 2G -smp "$cpus" "${all[@]}" \
		-device "loader,file=$image,addr=$addr,force-raw=on" "$@"
}

# up NAME CPUS - the kernel's task has ended, and CPUs are up
up() {
	local cpu
	tap_ok "$1: the task runs to its end" wait_line "$console" "$ended"
	for ((cpu = 1; cpu < $2; cpu++)); do
		tap_ok "$1: CPU $cpu is up" wait_line "$console" "kernel: CPU $cpu up"
	done
}

says() { tap_ok "$1: $2" wait_line "$console" "$2"; }

moved() { printf 'LDR|INFO: moved from 0x%016x to 0x%016x' "$1" $load; }

# --- every number of CPUs: PSCI by hvc and by smc; without PSCI, all of them at _start
for cpus in 1 2 8; do
	start "$tmp/el1-$cpus.img" $load virt $cpus
	up "hvc, $cpus CPUs" $cpus
	process_end "$pid"
	start "$tmp/el2-$cpus.img" $load virt,virtualization=on $cpus
	up "smc, $cpus CPUs" $cpus
	process_end "$pid"
done
for cpus in 1 2 4 8; do
	start "$tmp/el2-$cpus.img" $load $el3 $cpus
	up "mailbox, $cpus CPUs" $cpus
	process_end "$pid"
done
start "$tmp/el1-2.img" $load $el3 4
up 'two CPUs wanted of four' 2
tap_ok 'two CPUs wanted of four: the others wait' hasnt "$console" CPU2
process_end "$pid"

# CPU 1 is not the one with affinity 1
cp "$tmp/el2-2.img" "$tmp/affinity.img"
poke "$tmp/affinity.img" $(($(symbol $el2 cpu_mpidr) + 8)) '\3'
for machine in virt,virtualization=on $el3; do
	start "$tmp/affinity.img" $load "$machine" 4
	up "CPU 1 has affinity 3, $machine" 2
	process_end "$pid"
done

# --- a spin table: QEMU's firmware for that machine, which also loads at 0x80000
probe "$tmp/raspi.elf" 0x8000200000 0x200000 0x3000 0 -DUART=0x3f201000
mk qemu_raspi3b "$tmp/raspi.elf" "$tmp/raspi.img" --cpus 4
qemu_start raspi -machine raspi3b -kernel "$tmp/raspi.img"
says 'spin table' 'LDR|INFO: moved from 0x0000000000080000 to 0x0000000010000000'
for cpu in 0 1 2 3; do
	says 'spin table' "probe: end=000000000000000$cpu"
done
process_end "$pid"

# --- the wrong address: below, above, with and without overlap, hardly aligned
for addr in 0x48000000 0x48000004 0x6ffe0000 0x70000004 0x70001000 0x70008000 0x70030000 0x90000000; do
	start "$tmp/el1-1.img" $addr virt 1
	says "at $addr" "$(moved $addr)"
	up "at $addr" 1
	process_end "$pid"
done
for addr in 0x50000000 0x6ffe0000 0x70000040 0x70020000; do
	start "$tmp/el2-8.img" $addr $el3 8
	says "8 CPUs at $addr" "$(moved $addr)"
	up "8 CPUs at $addr" 8
	process_end "$pid"
done
followed() {
	"$O/baton" run -e 'handoff run' -- "$QEMU" -machine virt -cpu cortex-a53 -m 2G -nographic -nic none \
		-device "loader,file=$tmp/el1-1.img,addr=$1,cpu-num=0" >"$tmp/baton.log" 2>&1 </dev/null
	tap_ok "baton goes along from $1: the regions" has "$tmp/baton.log" 'regions copied and verified'
	tap_ok "baton goes along from $1, to the kernel" has "$tmp/baton.log" '-> 0xffffff8040000000 (kernel entry)'
}
for addr in 0x6ffe0000 0x70020000 0x48000000; do
	followed $addr
done
tap_ok 'baton sees it go on elsewhere' has "$tmp/baton.log" 'goes on in a copy of itself'
start "$tmp/el1-1.img" 0x6ffff000 virt 1
says 'too near below' 'LDR|ERROR: loaded at 0x000000006ffff000, so near below 0x0000000070000000 that'
process_end "$pid"
cp "$tmp/el1-1.img" "$tmp/large.img"
poke "$tmp/large.img" $(($(symbol $el1 image_header) + 8)) '\0\0\0\0\1'
for addr in 0x48000000 $load 0x90000000; do
	start "$tmp/large.img" "$addr" virt 1
	says "no room, at $addr" 'LDR|ERROR: no room for the image: its header'
	process_end "$pid"
done

# --- regions that are aligned otherwise than where they go, as another builder may have them
header=$(symbol $el1 image_header)
data=$((header + 64 + 32 * $(word "$tmp/el1-1.img" $((header + 56)))))
for skew in 1 4 7; do
	{ head -c "$data" "$tmp/el1-1.img"; head -c $skew /dev/zero; tail -c "+$((data + 1))" "$tmp/el1-1.img"; } \
		>"$tmp/skew.img"
	size=$(($(word "$tmp/el1-1.img" $((header + 8))) + skew))
	poke "$tmp/skew.img" $((header + 8)) "$(printf '\\x%02x\\x%02x\\x%02x' $((size & 255)) $((size >> 8 & 255)) $((size >> 16)))"
	for ((r = header + 64; r < data; r += 32)); do
		offset=$(($(word "$tmp/el1-1.img" $((r + 16))) + skew))
		poke "$tmp/skew.img" $((r + 16)) "$(printf '\\x%02x\\x%02x\\x%02x' $((offset & 255)) $((offset >> 8 & 255)) $((offset >> 16)))"
	done
	start "$tmp/skew.img" $load virt 1
	up "regions $skew bytes off" 1
	process_end "$pid"
done

# --- a CPU that faults or does not come has a name
# broken FROM TO SYMBOL [SECONDS] - an image with an undefined instruction there, and a second to wait
broken() {
	cp "$1" "$2"
	poke "$2" "$(symbol $el2 "$3")" '\0\0\0\0'
	poke "$2" $(($(symbol $el2 board) + 108 + 4 * 2)) "\\${4:-1}"
}
# dumped CPUS - each of them has written the last line of its registers
dumped() {
	local n
	for ((n = 0; n < 300; n++)); do
		[ "$(grep -c 'reg: 0x0000001e: ' "$console")" -lt "$1" ] || return 0
		sleep 0.1
	done
	return 1
}
whole='^LDR\||^    [a-z_0-9]+: (0x[0-9a-f]+: )?(0x[0-9a-f]+( \(.*)?|not set by this exception)$'
mixed() {
	tr -d '\r' <"$console" | grep -vE "$whole"
	grep '.LDR|' "$console"
}
# unmixed NAME CPUS - the console has their dumps, and no line of any CPU's within another
unmixed() {
	tap_ok "$1: $2 dumps" dumped "$2"
	process_end "$pid"
	tap_ok "$1: $2 dumps and no more" is "$2" "$(grep -c 'LDR|ERROR|CPU' "$console")"
	tap_ok "$1: no line is mixed" is '' "$(mixed)"
}
for where in secondary_main park; do
	broken "$tmp/el2-2.img" "$tmp/broken.img" $where
	start "$tmp/broken.img" $load $el3 2
	says "a fault in $where, MMU off" 'LDR|ERROR|CPU1: loader trapped exception: Synchronous'
	says "a fault in $where, MMU off" 'LDR|ERROR: CPU1 is missing: '
	unmixed "a fault in $where, MMU off" 1
done
broken "$tmp/el2-8.img" "$tmp/broken.img" park
start "$tmp/broken.img" $load $el3 8
says 'seven faults at once' 'LDR|ERROR: CPU1 is missing: '
unmixed 'seven faults at once' 7
# CPU 0 has its MMU on, and does not wait: both speak.
broken "$tmp/el2-2.img" "$tmp/broken.img" secondary_main 0
for machine in virt,virtualization=on $el3; do
	start "$tmp/broken.img" $load "$machine" 2
	says "a fault beside CPU 0, $machine" 'LDR|ERROR|CPU1: loader trapped exception: Synchronous'
	says "a fault beside CPU 0, $machine" 'LDR|ERROR: CPU1 is missing: it was '
	unmixed "a fault beside CPU 0, $machine" 1
done
for cpu in 0 1; do
	cp "$tmp/el2-2.img" "$tmp/held.img"
	poke "$tmp/held.img" $(($(symbol $el2 speakers) + 256 * cpu)) '\1'
	start "$tmp/held.img" $load $el3 2
	up "CPU $cpu never ends to speak" 2
	process_end "$pid"
done
cp "$tmp/el2-4.img" "$tmp/late.img"
poke "$tmp/late.img" $(($(symbol $el2 board) + 108 + 4 * 2)) '\1'
start "$tmp/late.img" $load $el3 3
says 'three CPUs started of four' 'LDR|INFO: waiting for CPU3, 1 s at most'
says 'three CPUs started of four' 'LDR|ERROR: CPU3 is missing: there is no PSCI to switch it on'
process_end "$pid"

cp "$tmp/el1-1.img" "$tmp/stranger.img"
poke "$tmp/stranger.img" "$(symbol $el1 cpu_mpidr)" '\7'
start "$tmp/stranger.img" $load virt 1
says 'another CPU than CPU 0' 'LDR|ERROR: CPU0 is missing: a CPU with affinity 0x0000000000000000 has come'
process_end "$pid"
for ((cpu = 0; cpu < 8; cpu++)); do
	poke "$tmp/stranger.img" $(($(symbol $el1 cpu_mpidr) + 8 * cpu)) '\7\1'
done
start "$tmp/stranger.img" $load $el3 4
says 'four that nobody knows' ' has come, CPU0 has 0x0000000000000107 (symbol `cpu_mpidr` of the loader)'
sleep 0.5
process_end "$pid"
tap_ok 'four that nobody knows: one says so' is 1 "$(grep -c . "$console")"

# --- U-Boot, its MMU and caches on
if ! uboot "$tmp/u-boot.bin"; then
	sed 's/^/# /' "$tmp/apt.log"
	tap_ok 'package u-boot-qemu is to be had' false
	tap_end
fi
mkfifo "$tmp/keys"
exec 3<>"$tmp/keys"

# by_uboot NAME FILE ADDRESS SCTLR MACHINE CPUS COMMAND...
by_uboot() {
	local name=$1 file=$2 addr=$3 sctlr=$4 machine=$5 cpus=$6 n command
	shift 6
	console=$tmp/uboot.console
	: >"$console"
	"$QEMU" -display none -monitor none -nic none -serial stdio -machine "$machine" -cpu cortex-a57 \
		-m 2G -smp "$cpus" -bios "$tmp/u-boot.bin" -gdb "unix:$tmp/uboot.sock,server=on,wait=off" \
		-device "loader,file=$file,addr=$addr,force-raw=on" <"$tmp/keys" >"$console" &
	pid=$!
	pids="$pids $pid"
	for ((n = 0; n < 150; n++)); do
		if has "$console" '=> '; then break; fi
		printf ' ' >&3
		sleep 0.2
	done
	timeout 30 "$GDB" -nx -batch -ex "target remote $tmp/uboot.sock" -ex "print/x \$$sctlr & 0x1005" \
		-ex detach >"$tmp/sctlr" 2>&1
	tap_ok "$name: MMU and caches are on" has "$tmp/sctlr" '$1 = 0x1005'
	for command in 'setenv autostart yes' "$@"; do
		sleep 0.3
		printf '%s\r' "$command" >&3
	done
}

by_uboot 'go, EL1' "$tmp/el1-4.img" $load SCTLR virt 4 "go $load"
up 'go, EL1' 4
process_end "$pid"
by_uboot 'go to the wrong address, EL1' "$tmp/el1-4.img" 0x70020000 SCTLR virt 4 'go 0x70020000'
says 'go to the wrong address, EL1' "$(moved 0x70020000)"
up 'go to the wrong address, EL1' 4
process_end "$pid"
by_uboot 'bootelf, EL2' "$tmp/el2-2.elf" 0x50000000 SCTLR_EL2 virt,virtualization=on 2 'bootelf -p 0x50000000'
up 'bootelf, EL2' 2
process_end "$pid"
by_uboot 'bootm, EL1' "$tmp/el1-4.uimage" 0x50000000 SCTLR virt 4 'bootm 0x50000000'
says 'bootm, EL1' 'Verifying Checksum ... OK'
up 'bootm, EL1' 4
process_end "$pid"
by_uboot 'go, EL3' "$tmp/el2-1.img" 0x48000000 SCTLR_EL3 $el3 1 'go 0x48000000'
says 'go, EL3' 'LDR|INFO|CPU0: CurrentEL=EL3'
up 'go, EL3' 1
process_end "$pid"

tap_end
