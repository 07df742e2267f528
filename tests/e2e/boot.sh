#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every example image on QEMU alone: the good ones boot, the bad ones fail as they should.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

up='Booting all finished, dropped to user space'
ended='kernel: task exited with status 0'

# start IMAGE ADDRESS MACHINE [QEMU'S ARGUMENTS]
start() {
	local image=$1 addr=$2 machine=$3
	shift 3
	qemu_start "$(basename "$image")" -machine "$machine" -cpu cortex-a53 -m 2G "$@" \
		-device "loader,file=$O/$image,addr=$addr,cpu-num=0"
}

boots() {
	start "$@"
	tap_ok "$1 runs its task to the end" wait_line "$console" "$ended"
	tap_ok "$1 says that it is up" has "$console" "$up"
	tap_ok "$1: the task runs at EL0" has "$console" 'task: hello from EL0'
	process_end "$pid"
}

for variant in good good-eret; do
	boots tests/loader2/$variant.img 0x48000000 virt
	boots tests/loader2/$variant.img 0x48000000 virt,virtualization=on
done
boots tests/loader2/good-el2.img 0x48000000 virt,virtualization=on

seed=examples/seed
elf=$O/loader/qemu_virt_aarch64_el1/loader.elf
el2=virt,virtualization=on

boots $seed/good-el1.img 0x70000000 virt
tap_ok 'the device tree would be overwritten, and is not passed on' hasnt "$console" 'kernel: device tree'
boots $seed/good-el1-c0.img 0x70000000 virt
tap_ok 'the device tree is passed on where it survives' has "$console" 'kernel: device tree at 0x40000000'
boots $seed/good-el2.img 0x70000000 $el2
boots $seed/good-el2-c0.img 0x70000000 $el2

boots_smp() {
	start "$1" 0x70000000 "$2" -smp 4
	tap_ok "$1 runs its task to the end" wait_line "$console" "$ended"
	for cpu in 1 2 3; do
		tap_ok "$1: CPU $cpu is up" wait_line "$console" "kernel: CPU $cpu up"
	done
	process_end "$pid"
}

boots_smp $seed/good-el1-smp4.img virt
boots_smp $seed/good-el2-smp4.img $el2

faults() {
	start "$1" 0x70000000 "$2"
	tap_ok "$1: the task is stopped" wait_line "$console" 'kernel: task stopped'
	tap_ok "$1: who" has "$console" 'MON|ERROR: faulting PD: task'
	tap_ok "$1: where" has "$console" "fault_addr=0x0000000000000000  fsr=$3  (data fault)"
	tap_ok "$1: why" has "$console" 'dfsc = translation fault, level 2 (0x00000006)'
	process_end "$pid"
}

faults $seed/fault-el1.img virt 0x0000000092000006
faults $seed/fault-el2.img $el2 0x0000000093800006

# A header that says something wrong: the kernel names the register. The fields of
# struct baton_image_header are changed by OFFSET, little-endian.
complains() {
	local header
	header=$("${CROSS:-aarch64-linux-gnu-}nm" "$elf" | awk '$3 == "image_header" { print $1 }')
	[ -n "$header" ] || { echo '# no image_header'; tap_ok "$3" false; return; }
	cp "$O/$seed/good-el1.img" "$tmp/wrong.img"
	printf '%b' "$2" | dd of="$tmp/wrong.img" bs=1 seek=$((0x$header - 0x70000000 + $1)) \
		conv=notrunc status=none
	qemu_start wrong -machine virt -cpu cortex-a53 -m 2G \
		-device "loader,file=$tmp/wrong.img,addr=0x70000000,cpu-num=0"
	tap_ok "the kernel complains: $3" wait_line "$console" "kernel: $3"
	tap_ok 'and stops' wait_line "$console" "arguments wrong, stopped"
	process_end "$pid"
}

complains 24 '\0\0\0\0' 'x0 = 0x0000000000000000 is no page of RAM'
complains 24 '\0\020\0\0100' 'x0 = 0x0000000040001000 is the kernel'
complains 32 '\0\0\0\0' 'x1 = 0x0000000000000000 is no page behind x0'
complains 47 '\0200' 'x2 = 0x80000000'
complains 48 '\0\0\0\01' 'x3 = 0x0000000001000000 is not in the task'

# Defects of the loader: it dumps the exception, the kernel says nothing.
start $seed/lvl0-upper-zero.img 0x70000000 virt
tap_ok 'lvl0-upper-zero: the dump names the fault' wait_line "$console" 'esr_el1: 0x0000000086000004'
tap_ok 'lvl0-upper-zero: and the entry' wait_line "$console" 'far: 0xffffff8040000000'
tap_ok 'lvl0-upper-zero: no kernel' hasnt "$console" 'Bootstrapping'
process_end "$pid"
start $seed/el1-stack-pop.img 0x70000000 virt
tap_ok 'el1-stack-pop: an exception' wait_line "$console" 'LDR|ERROR: loader trapped exception'
tap_ok 'el1-stack-pop: no kernel' hasnt "$console" 'Bootstrapping'
process_end "$pid"

# This loader has no vectors, so QEMU's log has to tell. It would grow as long as the CPU faults.
# aborts IMAGE ADDRESS MACHINE ENTRY
aborts() {
	start "$1" "$2" "$3" -d int 2> >(head -c 20000 >"$tmp/int.log")
	tap_ok "$1: instruction abort, translation fault, level 0" \
		wait_line "$tmp/int.log" 'with ESR 0x21/0x86000004'
	tap_ok "$1: at the kernel's entry" has "$tmp/int.log" "with FAR $4"
	tap_ok "$1: its loader has run" has "$console" L
	tap_ok "$1: its kernel has not" hasnt "$console" kernel
	process_end "$pid"
}

aborts tests/loader2/bad.img 0x48000000 virt 0xffffff8040000000
aborts tests/loader2/bad-eret.img 0x48000000 virt 0xffffff8040000000
aborts tests/loader2/bad-el2.img 0x48000000 virt,virtualization=on 0x8040000000

tap_end
