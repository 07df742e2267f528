#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/guests/loader.sh [NAME...] - Debian's Linux through our loader, to its first process:
# each row below, or those named. TAP.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh
G=$O/guests wanted=" $* "
[ -r "$G/initrd" ] || { echo "Bail out! no guests in $G; \`make guests\` gets them"; exit 1; }

says() {
	local name=$1 line
	shift
	for line; do
		tap_ok "$name: $line" wait_line "$console" "$line" 120
	done
}

# row NAME BOARD MACHINE CPUS LEVEL [OPTIONS OF QEMU]
row() {
	local name=$1 board=$2 m=$3 cpus=$4 cpu=cortex-a57
	[ "$wanted" = '  ' ] || [[ $wanted == *" $name "* ]] || return 0
	case $name in max*) cpu=max,pauth-impdef=on ;; esac
	"$QEMU" -machine "$m,dumpdtb=$tmp/$name.dtb" -cpu $cpu -smp "$cpus" -m 2G -display none 2>/dev/null
	"$O/baton-mkimage" --board "$board" --kernel-type linux --kernel "$G/vmlinuz" \
		--dtb "$tmp/$name.dtb" --initrd "$G/initrd" --bootargs 'console=ttyAMA0' -o "$tmp/$name.img"
	qemu_start "$name" -machine "$m" -cpu $cpu -smp "$cpus" -m 2G \
		-device "loader,file=$tmp/$name.img,addr=$load,cpu-num=0" "${@:6}"
	says "$name" 'LDR|INFO|CPU0: jumping to kernel' "Brought up 1 node, $cpus CPU" \
		"CPU: All CPU(s) started at EL$5" 'guest: ready'
	process_end "$pid"
	rm "$tmp/$name.img"
}

# Without PSCI each CPU is started at the loader, and waits there for Linux.
parked=()
for n in 1 2 3; do
	parked+=(-device "loader,addr=$load,cpu-num=$n")
done
row el1-1 $el1 virt 1 1
row el1-4 $el1 virt 4 1
row el2-1 $el2 virt,virtualization=on 1 2
row el2-4 $el2 virt,virtualization=on 4 2
row max-el1-4 $el1 virt,gic-version=3 4 1
row max-el2-4 $el2 virt,virtualization=on,gic-version=3 4 2
row el3-el1-1 $el1 virt,secure=on 1 1
row el3-el1-4 $el1 virt,secure=on 4 1 "${parked[@]}"
row el3-el2-4 $el2 virt,secure=on,virtualization=on 4 2 "${parked[@]}"
row max-el3-el2-4 $el2 virt,secure=on,virtualization=on,gic-version=3 4 2 "${parked[@]}"
tap_end
