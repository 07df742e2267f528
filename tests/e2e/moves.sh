#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Loaders that move themselves under `handoff run`: each move is told, each kernel reached, and
# nothing is said to be wrong. What cannot be known is not said.
# shellcheck disable=SC2317 # tap_ok calls the functions
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

seed=$O/examples/seed

never_wrong() {
	! grep -E 'is not what|warning|does not come|error:|wrong with|not watched' "$out" || show
}

# moves N - so many are told, and as many are all
moves() { [ "$(grep -cE 'goes on in a copy of itself' "$out")" = "$1" ] || show; }

# --- our loader, above its place by less than its size: a copy of its last instructions writes
# over what runs; and where it has room
# placed NAME IMAGE MACHINE ENTRY ADDRESS MOVES [OPTIONS]
placed() {
	local name="$1 at $5" entry=$4 n=$6
	baton "$2" "$5" "$3" "${@:7}" -e 'handoff run 5'
	tap_ok "$name: all is well" ends_with 0
	tap_ok "$name: $n moves" moves "$n"
	tap_ok "$name: nothing is wrong" never_wrong
	tap_ok "$name: the regions" says '4 regions copied and verified: '
	tap_ok "$name: the kernel" says "-> $entry"
}
for at in 0x70000800:2 0x70001000:2 0x70002000:2 0x70003000:2 0x70004000:2 0x70006000:2 0x70008000:2 \
	0x7000a000:2 0x7000c000:2 0x70010000:2 0x70020000:1 0x71000000:1 0x6ffe0000:1 0x48000000:1; do
	placed 'EL1' "$seed/good-el1.img" virt '0xffffff8040000000 (kernel entry)' ${at%:*} ${at#*:}
done
for at in 0x70000040:2 0x70001000:2 0x70008000:2 0x70020000:1; do
	placed 'EL1, symbols' "$seed/good-el1.img" virt '0xffffff8040000000' ${at%:*} ${at#*:} \
		-s "$O/loader/qemu_virt_aarch64_el1/loader.elf"
	placed 'EL2' "$seed/good-el2.img" virt,virtualization=on '0x8040000000 (kernel entry)' ${at%:*} ${at#*:}
done
smp=4
placed 'EL1, 4 CPUs' "$seed/good-el1-smp4.img" virt '0xffffff8040000000 (kernel entry)' 0x70001000 2
smp=1

# --- other ways (tests/moves): what can be known is told, what cannot is called that
# other NAME WHAT ADDRESS MOVES LINE...
other() {
	local name=$1 n=$4 line
	baton "$O/tests/moves/$1.img" "$3" virt -e 'handoff run 5' -e 'handoff until user 10'
	name="$1, $2"
	tap_ok "$name: all is well" ends_with 0
	tap_ok "$name: $n moves" moves "$n"
	tap_ok "$name: nothing is wrong" never_wrong
	tap_ok "$name: the kernel reaches EL0" says 'drop to EL0 at 0x2'
	shift 4
	for line; do
		tap_ok "$name: $line" says "$line"
	done
}
kernel='br x9 -> 0xffffff8040000000, at physical 0x40000000'
other HIGH 'one copy' 0x48000000 1 "$kernel" '-> 0x600000'
other HIGH 'over which the task is copied' 0x41000000 1 "$kernel"
other TWICE 'two copies, the original wiped out' 0x48000000 2 "$kernel" '-> 0x580000' '-> 0x600000'
other RELOCATE 'addresses differ in the copy' 0x48000000 1 "$kernel"
other UNPACK 'into its own image' 0x48000000 1 "$kernel" 'in code that was not loaded there: unpacked'
other UNPACK_BRANCH 'reached by a direct branch' 0x48000000 1 "$kernel"
other UNPACK_OUTSIDE 'to other memory' 0x48000000 0 \
	'br x3 -> 0x50000000, at physical 0x50000000: code that was not loaded, but unpacked, copied or made'
other OVERLAY 'two programs in one place' 0x48000000 1 "$kernel" 'SCTLR_EL1 = 0xc50838, as before' \
	'MAIR_EL1 = 0, as before'
other ALIAS 'by another mapping' 0x48000000 1 "$kernel" 'where the same memory is mapped'
smp=2
other SECOND 'another CPU comes later' 0x48000000 1 "$kernel" 'CPU1 EL1  0x600000'
smp=1
out=$tmp/flash.out
"$O/baton" run -l none -e 'handoff run 5' -- "$QEMU" -machine virt -cpu cortex-a53 -m 2G -nographic -nic none \
	-bios "$O/tests/moves/HIGH.img" </dev/null >"$out" 2>&1
status=$?
tap_ok 'from flash: all is well' ends_with 0
tap_ok 'from flash: one move' moves 1
tap_ok 'from flash: the kernel' says "$kernel"

tap_end
