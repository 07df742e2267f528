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
