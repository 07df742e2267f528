#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# baton attach in front of a QEMU that is already there: one that stands, one that runs.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

image="loader,file=$O/examples/seed/good-el1.img,addr=0x70000000,cpu-num=0"

attach() { "$O/baton" attach -l none "$@" "unix:$tmp/gdb" >"$tmp/out" 2>&1 || { cat "$tmp/out"; false; }; }

qemu_start stopped -S -M virt -cpu cortex-a53 -m 2G -device "$image" \
	-gdb "unix:$tmp/gdb,server=on,wait=off"
wait_file "$tmp/gdb"
tap_ok 'in front of a machine that stands' attach -e 'pt-walk $pc' -e 'cont 5'
tap_ok 'it ran' wait_line "$console" 'task exited with status 0' 5
process_end "$pid"
rm -f "$tmp/gdb"

qemu_start running -M virt -cpu cortex-a53 -m 2G -device "$image" \
	-gdb "unix:$tmp/gdb,server=on,wait=off"
wait_line "$console" 'task exited with status 0'
tap_ok 'in front of a machine that runs' attach -e 'pt-walk $pc'
tap_ok 'and it is walked' has "$tmp/out" 'EL1&0 stage 1'
tap_ok 'again, where the last one was' attach -e 'cont 0.1'
tap_end
