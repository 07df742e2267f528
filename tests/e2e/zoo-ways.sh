#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Images that are right and come another way: other CPUs from a spin table, or a kernel by Linux's
# boot protocol. `handoff run` and `why --replay` have nothing against
# them, and they come up.
# shellcheck disable=SC2317,SC2154 # functions are called by tap_ok; lib.sh's names
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

task "$tmp/task.elf"
quiet() {
	! grep -aE 'warning|ALARM|fix:|perhaps:|wrong return|before that|took an exception' "$out" || show
}
# good NAME UP QEMU'S ARGUMENTS...
good() {
	local name=$1 up=$2 how
	shift 2
	for how in 'handoff run' 'why --replay'; do
		out=$tmp/$name.${how// /-}
		timeout 120 "$O/baton" run -l none -e "$how" -e 'cont 5' -- "$QEMU" -nographic -nic none \
			"$@" </dev/null >"$out" 2>&1
		status=$?
		sed 's/\r$//' -i "$out"
		tap_ok "$name, $how: the loader is left" says 'nothing wrong in sight'
		tap_ok "$name, $how: not a word against it" quiet
		tap_ok "$name, $how: it is up" says "$up"
	done
	tap_ok "$name: returns were checked" says ' returns were right'
}

probe "$tmp/raspi.elf" 0x8000200000 0x200000 0x3000 0 -DUART=0x3f201000
mk qemu_raspi3b "$tmp/raspi.elf" "$tmp/raspi.img" --cpus 4
good spin-table 'probe: end=0000000000000003' -machine raspi3b -kernel "$tmp/raspi.img"

"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,--no-warn-rwx-segments \
	-Wl,--defsym=VIRT=0,--defsym=PHYS=0,--defsym=GAP=0x3000,--defsym=SKEW=0,-e,0 \
	-Wl,-T,tests/loader/probe.ld tests/loader/image.S tests/loader/probe.S -o "$tmp/image.elf"
"${CROSS}objcopy" -O binary "$tmp/image.elf" "$tmp/Image"
# linux NAME BOARD MACHINE
linux() {
	"$QEMU" -machine "$3,dumpdtb=$tmp/$1.dtb" -m 2G -display none 2>/dev/null
	"$O/baton-mkimage" --board "$2" --kernel-type linux --kernel "$tmp/Image" --dtb "$tmp/$1.dtb" \
		-o "$tmp/$1.img"
	good "$1" 'probe: end=0000000000000000' -machine "$3" -cpu cortex-a53 -m 2G \
		-device "loader,file=$tmp/$1.img,addr=$load,cpu-num=0"
}
linux linux-el1 $el1 virt
linux linux-el2 $el2 virt,virtualization=on
linux linux-el2-to-el1 $el1 virt,virtualization=on

tap_end
