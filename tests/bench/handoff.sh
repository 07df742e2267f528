#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/handoff.sh [ROUNDS] - `handoff run` on an image that copies 64 MiB, against the same
# boot without baton, taking turns, in another order each round. The kernel's first instructions
# are SYSTEM_OFF, so a boot by itself ends there, too. What counts is the processor time of all
# processes. `from reset` leaves out the start: QEMU's that reads the image and runs nothing, and
# baton's that connects and does nothing.
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64}
rounds=${1:-15} mib=${MIB:-64}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-bench.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
machine=(-machine virt -cpu cortex-a53 -m 2G)

# An arm64 Image (Documentation/arm64/booting.rst): b 0x40, and there x0 = SYSTEM_OFF, hvc, b .
{
	printf '\x10\x00\x00\x14\0\0\0\0' && printf '\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0'
	head -c 24 /dev/zero && printf 'ARM\x64\0\0\0\0'
	printf '\x00\x80\xb0\xd2\x00\x01\x80\xf2\x02\x00\x00\xd4\x00\x00\x00\x14'
} >"$tmp/Image"
head -c "${mib}M" /dev/urandom >"$tmp/initrd"
"$QEMU" -display none "${machine[@]/%virt/virt,dumpdtb=$tmp/dtb}" >/dev/null 2>&1
"$O/baton-mkimage" --board qemu_virt_aarch64_el1 -T linux -k "$tmp/Image" -i "$tmp/initrd" \
	-d "$tmp/dtb" -o "$tmp/image" || exit 2
qemu=("$QEMU" "${machine[@]}" -nographic -nic none -device "loader,file=$tmp/image,addr=0x70000000,cpu-num=0")

boot() {
	case $1 in
	start) echo quit | "${qemu[@]}" -S -serial null -monitor stdio ;;
	plain) "${qemu[@]}" </dev/null ;;
	attached) "$O/baton" run -l none -e regs -- "${qemu[@]}" </dev/null ;;
	handoff) "$O/baton" run -l none -e 'handoff run' -- "${qemu[@]}" </dev/null ;;
	esac
}

TIMEFORMAT='%U %S %R'
ways=(start plain attached handoff)
declare -A last=([plain]='jumping to kernel' [handoff]='3 regions copied and verified')
for ((round = 0; round < rounds; round++)); do
	for ((k = 0; k < 4; k++)); do
		way=${ways[(k + round) % 4]}
		{ time boot "$way" >"$tmp/out" 2>&1; } 2>"$tmp/time"
		if ! grep -qF "${last[$way]-}" "$tmp/out"; then
			cat "$tmp/out" >&2
			exit 2
		fi
		awk '{ print $1 + $2, $3 }' "$tmp/time" >>"$tmp/times.$way"
	done
done

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
echo "$rounds rounds, $mib MiB; seconds by the median: processor, wall"
for way in "${ways[@]}"; do
	printf '  %-9s %6.3f %6.3f\n' "$way" "$(cut -d' ' -f1 "$tmp/times.$way" | median)" \
		"$(cut -d' ' -f2 "$tmp/times.$way" | median)"
done
paste -d' ' "$tmp"/times.{start,plain,attached,handoff} | awk -v f="$tmp" '
	{ print $7 / $3 >(f "/whole"); print $8 / $4 >(f "/wall")
	  if ($3 > $1) print ($7 - $5) / ($3 - $1) >(f "/reset") }'
printf 'handoff run / the same boot without baton (<= 1.5): %.2f, wall %.2f; from reset %.2f\n' \
	"$(median <"$tmp/whole")" "$(median <"$tmp/wall")" "$(median <"$tmp/reset")"
