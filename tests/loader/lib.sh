# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # its users' names, and tests/e2e/lib.sh's
# What the tests of loader and image builder share; source tests/e2e/lib.sh before.
CROSS=${CROSS:-aarch64-linux-gnu-}
load=0x70000000
el1=qemu_virt_aarch64_el1 el2=qemu_virt_aarch64

# probe OUT VIRT PHYS [GAP [SKEW [CPP FLAGS...]]] - build the kernel that says how it was entered
probe() {
	"${CROSS}gcc" -nostdlib -static -no-pie "${@:6}" -Wl,--build-id=none,-z,max-page-size=4096 \
		-Wl,--no-warn-rwx-segments "-Wl,--defsym=VIRT=$2,--defsym=PHYS=$3" \
		"-Wl,--defsym=GAP=${4:-0x3000},--defsym=SKEW=${5:-0}" \
		-Wl,-T,tests/loader/probe.ld tests/loader/probe.S -o "$1"
}

# task OUT - a task that nobody runs, at 0x200040 and 0x203040
task() {
	printf '.global _start\n_start: wfi\n.data\n.quad 0x1122334455667788\n' >"$tmp/task.S"
	"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,-z,max-page-size=4096 \
		-Wl,--defsym=VIRT=0x200040,--defsym=PHYS=0x200040,--defsym=GAP=0x3000,--defsym=SKEW=0 \
		-Wl,-T,tests/loader/probe.ld "$tmp/task.S" -o "$1"
}

# mk BOARD KERNEL IMAGE [OPTIONS] - an image with the test's task
mk() {
	"$O/baton-mkimage" --board "$1" --kernel "$2" --task "${task:-$tmp/task.elf}" -o "$3" "${@:4}"
}

# symbol BOARD NAME - its offset in an image
symbol() {
	local addr
	addr=$("${CROSS}nm" "$O/loader/$1/loader.elf" | awk -v n="$2" '$3 == n { print $1 }')
	echo $((0x$addr - load))
}

# word FILE OFFSET - 64 bits, as 0x%x
word() { od -An -tx8 -j"$2" -N8 "$1" | awk '{ sub(/^0+/, "", $1); print "0x" ($1 == "" ? 0 : $1) }'; }

# poke FILE OFFSET BYTES(printf's escapes)
poke() {
	# shellcheck disable=SC2059
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# uboot OUT - U-Boot for QEMU's virt, from `make guests` or Debian's package; where that cannot be had
# $tmp/apt.log says why. Its pl01x driver always has something pending (2023.01), and `go` and
# `bootelf` wait for that to end: (FR & TXFF) ^ TXFF becomes 0 in this copy.
uboot() {
	local from=$O/guests/u-boot.bin pending
	if [ ! -r "$from" ]; then
		(cd "$tmp" && apt-get -qq download u-boot-qemu && dpkg -x u-boot-qemu_*.deb u-boot) >"$tmp/apt.log" 2>&1
		from=$tmp/u-boot/usr/lib/u-boot/qemu_arm64/u-boot.bin
	fi
	cp "$from" "$1" 2>/dev/null || return 1
	pending=$(LC_ALL=C grep -obUaP '\x40\x00\x7b\xd2\x00\x14\x45\xd3' "$1" | LC_ALL=C cut -d: -f1)
	[ -z "$pending" ] || poke "$1" "$pending" '\0\0\200\322'
}

# is WANTED FOUND
is() {
	[ "$1" = "$2" ] || { echo "# wanted $1, found $2"; return 1; }
}
