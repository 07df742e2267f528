#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What baton-mkimage makes besides the plain image of loader.sh, booted: ELF files, kernels
# that need more tables, device trees, and Linux by its boot protocol.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

task "$tmp/task.elf"
machine=() # what QEMU is given besides the image

hex() { printf '%016x' "$1"; }
of() { tr -d '\r' <"$console" | sed -n "s/^probe: $1=//p" | head -n 1; }
start() {
	qemu_start "$(basename "$1")" "${machine[@]}" -m 2G -device "loader,file=$1,addr=$load,cpu-num=0"
}
ends() { tap_ok "$1: the kernel runs" wait_line "$console" "probe: end=$(hex 0)"; }

# --- kernels that the six named tables cannot map: NAME BOARD VIRT PHYS GAP
kernel() {
	probe "$tmp/$1.elf" "$3" "$4" "$5"
	mk "$2" "$tmp/$1.elf" "$tmp/$1.img"
	start "$tmp/$1.img"
	ends "$1"
	tap_ok "$1: at its address" is $(($3)) $((0x$(of pc) & -4096))
	process_end "$pid"
}
machine=(-machine virt -cpu cortex-a53)
kernel across-1g $el1 0xffffff807fe00000 0x40000000 0x200000
kernel across-512g $el1 0xffffff7fffe00000 0x7fe00000 0x200000
kernel larger-than-1g $el1 0xffffff8040000000 0x40000000 0x48000000
kernel last-bytes $el1 0xffffffffffe00000 0x60000000 0x1000
kernel shared-page $el1 0xffffff8040000000 0x40000000 0x800
machine=(-machine 'virt,virtualization=on' -cpu cortex-a53)
kernel across-512g-el2 $el2 0xffffe00000 0x7fe00000 0x200000
kernel flat-el2 $el2 0x40000000 0x40000000 0x3000
kernel uart-gib-el2 $el2 0x8600000 0x40000000 0x3000

# --- the same image as an ELF file, by QEMU's -kernel
probe "$tmp/k.elf" 0xffffff8040000000 0x40000000
mk $el1 "$tmp/k.elf" "$tmp/boot.elf" --format elf
qemu_start elf -machine virt -cpu cortex-a53 -m 2G -kernel "$tmp/boot.elf"
ends 'an ELF file by -kernel'
tap_ok 'an ELF file by -kernel: not moved' hasnt "$console" 'moved from'
process_end "$pid"

# --- device trees: dump NAME, that of the machine that $machine is
dump() {
	local m=("${machine[@]}")
	m[1]+=,dumpdtb=$tmp/$1.dtb
	"$QEMU" "${m[@]}" -m 2G -display none 2>/dev/null
}
machine=(-machine virt -cpu cortex-a53)
dump plain
mk $el1 "$tmp/k.elf" "$tmp/dtb.img" --dtb "$tmp/plain.dtb" --map >"$tmp/map"
start "$tmp/dtb.img"
ends 'a device tree'
range=$(sed -n 's/^\(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) .*plain.dtb$/\1 \2/p' "$tmp/map")
tap_ok 'a device tree: where it is and how large' is \
	"$(hex "${range% *}") $(hex $((${range#* } - ${range% *})))" "$(of x4) $(of x5)"
process_end "$pid"

# --- Linux's boot protocol, as an Image sees it that is not Linux: NAME BOARD EL
"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,--no-warn-rwx-segments \
	-Wl,--defsym=VIRT=0,--defsym=PHYS=0,--defsym=GAP=0x3000,--defsym=SKEW=0,-e,0 \
	-Wl,-T,tests/loader/probe.ld tests/loader/image.S tests/loader/probe.S -o "$tmp/image.elf"
"${CROSS}objcopy" -O binary "$tmp/image.elf" "$tmp/Image"
contract() {
	local name=$1 el=$3
	dump "$1"
	"$O/baton-mkimage" --board "$2" --kernel-type linux --kernel "$tmp/Image" --dtb "$tmp/$1.dtb" \
		-o "$tmp/$1.img"
	start "$tmp/$1.img"
	ends "$name"
	tap_ok "$name: the device tree, and zeros" is "$(hex 0x40200000) $(hex 0) $(hex 0) $(hex 0)" \
		"$(of x0) $(of x1) $(of x2) $(of x3)"
	tap_ok "$name: EL$el, interrupts masked" is "$(hex $((el << 2))) $(hex 0x3c0)" "$(of el) $(of daif)"
	tap_ok "$name: MMU and data cache off" is 0 "$((0x$(of sctlr) & 5))"
	tap_ok "$name: at the start of RAM" is "$(hex 0x40000000 | cut -c1-13)" "$(of pc | cut -c1-13)"
	process_end "$pid"
	tap_ok "$name: nothing for baton check to complain of" has <("$O/baton" check "$tmp/$1.img") 'good: nothing'
}
contract linux-el1 $el1 1
machine=(-machine 'virt,virtualization=on' -cpu cortex-a53)
contract linux-el2 $el2 2
contract linux-el2-to-el1 $el1 1
machine=(-machine 'virt,secure=on,virtualization=on' -cpu cortex-a53)
contract linux-el3-to-el2 $el2 2
machine=(-machine virt -cpu cortex-a53)
"$O/baton-mkimage" --board $el1 --kernel-type linux --kernel "$tmp/Image" -o "$tmp/no.img"
start "$tmp/no.img"
ends "Linux with QEMU's own device tree"
tap_ok "Linux with QEMU's own device tree: x0" is "$(hex 0x40000000)" "$(of x0)"
process_end "$pid"
poke "$tmp/no.img" $(($(symbol $el1 board) + 64 + 4 * 8)) '\0\0\0\0'
start "$tmp/no.img"
tap_ok 'Linux without any: said' wait_line "$console" 'LDR|ERROR: Linux wants a device tree'
process_end "$pid"

# --- An image that is larger than what baton keeps of it: compared all the same
head -c 20M /dev/urandom >"$tmp/initrd"
"$O/baton-mkimage" --board $el1 --kernel-type linux --kernel "$tmp/Image" --dtb "$tmp/plain.dtb" \
	--initrd "$tmp/initrd" -o "$tmp/large.img"
baton "$tmp/large.img" 0x70000000 virt -e 'handoff run'
tap_ok 'a large image: all regions are compared' says '3 regions copied and verified: 209'
# the last event before that is behind the copying
n=$(grep '^  EL' "$out" | grep -n 'regions copied' | cut -d: -f1)
baton "$tmp/large.img" 0x70000000 virt -e "handoff until event $((n - 1))" -e 'patch -p 0x41200000 = 0' \
	-e 'handoff run'
tap_ok 'a large image: what differs is found' says 'is not what the image holds: it differs first at 0x41200000'

# Debian's is too large to fetch for this: once `make guests` has, one of them is booted.
if [ -r "$O/guests/initrd" ]; then
	debian() { tests/guests/loader.sh el1-4 >"$tmp/debian" || { sed 's/^/# /' "$tmp/debian" && false; }; }
	tap_ok "Debian's Linux" debian
fi

tap_end
