#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Writes the transcripts, by running what they show: examples/transcripts/make.sh [FOLDER]
set -eu
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64}
folder=${1:-$(dirname "$0")}

before=('handoff run' why 'fix -y' 'handoff until user')
after=('handoff run' 'step 2' why 'fix -y' 'handoff until user')

# transcript NAME IMAGE KERNEL|- COMMAND...: without a kernel there are no symbols at all.
transcript() {
	local name=$1 image=$2 kernel=$3 shown='baton run' args=() line status=0
	shift 3
	if [ "$kernel" != - ]; then
		shown+=" -s loader.elf -s $kernel.elf"
		args=(-s "$O/loader/qemu_virt_aarch64_el1/loader.elf" -s "$O/examples/kernel/$kernel.elf")
	fi
	for line; do
		shown+=" -e '$line'"
		args+=(-e "$line")
	done
	{
		printf '$ %s -- \\\n' "${shown//\'why\'/why}"
		echo "      qemu-system-aarch64 -machine virt -cpu cortex-a53 -m 2G -nographic -device loader,file=$image.img,addr=0x70000000,cpu-num=0"
		timeout 120 "$O/baton" run "${args[@]}" -- "$QEMU" -machine virt -cpu cortex-a53 -m 2G -nographic \
			-nic none -device "loader,file=$O/examples/seed/$image.img,addr=0x70000000,cpu-num=0" \
			</dev/null 2>&1 || status=$?
		echo "exit status $status"
	} | sed 's/\r$//; s/ *$//' >"$folder/$name.txt"
}

# entry of the kernel, image, its ELF file
while read -r entry image kernel; do
	transcript "$entry-before-jump" "$image" "$kernel" "${before[@]}"
	transcript "$entry-before-jump-no-symbols" "$image" - "${before[@]}"
	transcript "$entry-after-fault" "$image" "$kernel" "${after[@]}"
	transcript "$entry-after-fault-no-symbols" "$image" - "${after[@]}"
done <<'END'
ffffff8040000000 lvl0-upper-zero kernel-el1
ffffffffc0000000 lvl0-upper-zero-c0 kernel-el1-c0
END
