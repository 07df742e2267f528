#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# baton-mkimage's layout, its refusals, and the inheritance of boards. No QEMU.
# shellcheck disable=SC2016,SC2317 # `names` in quotes are text; functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

task "$tmp/task.elf"

# --- tables: entry BOARD IMAGE TABLE INDEX WANTED
entry() {
	is "$5" "$(word "$2" $(($(symbol "$1" "$3") + 8 * $4)))"
}
table_at() { printf '0x%x' $((load + $(symbol "$1" "$2") + 3)); }

probe "$tmp/k1.elf" 0xffffff8040000000 0x40000000
mk $el1 "$tmp/k1.elf" "$tmp/k1.img"
tap_ok 'EL1: level 0 of the upper half points to level 1 at 511' \
	entry $el1 "$tmp/k1.img" boot_lvl0_upper 511 "$(table_at $el1 boot_lvl1_upper)"
tap_ok 'EL1: level 1 of the upper half points to level 2 at 1' \
	entry $el1 "$tmp/k1.img" boot_lvl1_upper 1 "$(table_at $el1 boot_lvl2_upper)"
tap_ok 'EL1: the first 2 MiB of the kernel' entry $el1 "$tmp/k1.img" boot_lvl2_upper 0 0x40000711
tap_ok 'EL1: the last 2 MiB of that table' entry $el1 "$tmp/k1.img" boot_lvl2_upper 511 0x7fe00711
tap_ok 'EL1: the lower half has nothing of the kernel' entry $el1 "$tmp/k1.img" boot_lvl0_lower 511 0x0
tap_ok 'EL1: the UART is a device, never executed' \
	entry $el1 "$tmp/k1.img" boot_lvl1_lower 0 0x60000000000601
tap_ok 'EL1: the loader where it is' entry $el1 "$tmp/k1.img" boot_lvl2_lower 384 0x70000711
tap_ok 'EL1: nothing behind the image' entry $el1 "$tmp/k1.img" boot_lvl2_lower 385 0x0

probe "$tmp/k1c.elf" 0xffffffffc0000000 0x60000000
mk $el1 "$tmp/k1c.elf" "$tmp/k1c.img"
tap_ok 'EL1, kernel in the last GiB: level 1 at 511' \
	entry $el1 "$tmp/k1c.img" boot_lvl1_upper 511 "$(table_at $el1 boot_lvl2_upper)"
tap_ok 'EL1, kernel in the last GiB: its blocks' entry $el1 "$tmp/k1c.img" boot_lvl2_upper 511 0x9fe00711

probe "$tmp/k2.elf" 0xffc0200000 0x60000000
mk $el2 "$tmp/k2.elf" "$tmp/k2.img"
tap_ok 'EL2: the lower level 0 holds the kernel' \
	entry $el2 "$tmp/k2.img" boot_lvl0_lower 1 "$(table_at $el2 boot_lvl1_upper)"
tap_ok 'EL2: and the loader' \
	entry $el2 "$tmp/k2.img" boot_lvl0_lower 0 "$(table_at $el2 boot_lvl1_lower)"
tap_ok 'EL2: nothing before the first page' entry $el2 "$tmp/k2.img" boot_lvl2_upper 0 0x0
tap_ok 'EL2: from the first page on, AP[1] set as RES1' \
	entry $el2 "$tmp/k2.img" boot_lvl2_upper 1 0x60000751
tap_ok 'EL2: the upper level 0 is not used' entry $el2 "$tmp/k2.img" boot_lvl0_upper 511 0x0

# --- the header and what it points to
header=$(symbol $el1 image_header)
field() { word "$tmp/k1.img" $((header + 8 * $1)); }
tap_ok 'magic' is 0x5e14dead14de5ead "$(field 0)"
tap_ok 'size reaches to the end of the image' is \
	"$(printf '0x%x' $(($(stat -c %s "$tmp/k1.img") - header)))" "$(field 1)"
tap_ok 'kernel entry' is 0xffffff8040000000 "$(field 2)"
tap_ok 'task: first page behind the kernel' is 0x40004000 "$(field 3)"
tap_ok 'task: whole pages' is 0x40008000 "$(field 4)"
tap_ok 'task: physical minus virtual' is 0x3fe04000 "$(field 5)"
tap_ok 'task: entry' is 0x200040 "$(field 6)"
tap_ok 'a region for each segment and one for the task' is 0x3 "$(field 7)"
data=$((header + 64 + 3 * 32))
task_at=$((data + $(field $((8 + 2 * 4 + 2)))))
tap_ok 'the task in its region' is 0x1122334455667788 "$(word "$tmp/k1.img" $((task_at + 0x3040)))"
tap_ok 'its first page starts with zeros' is 0x0 "$(word "$tmp/k1.img" $task_at)"

mk $el1 "$tmp/k1.elf" "$tmp/again.img"
tap_ok 'equal input, equal image' cmp "$tmp/k1.img" "$tmp/again.img"

# --- kernels that need more than the six named tables: those are at the image's end
further() {
	local image=$1 n=$2
	printf '0x%x' $((load + $(stat -c %s "$image") - 4096 * n + 3))
}
# at IMAGE DESCRIPTOR INDEX WANTED: an entry of the table that a descriptor points to
at() { is "$4" "$(word "$1" $(($2 - 3 - load + 8 * $3)))"; }
probe "$tmp/gib.elf" 0xffffff807fe00000 0x40000000 0x200000
mk $el1 "$tmp/gib.elf" "$tmp/gib.img"
tap_ok 'across 1 GiB: the first block' entry $el1 "$tmp/gib.img" boot_lvl2_upper 511 0x40000711
next=$(further "$tmp/gib.img" 1)
tap_ok 'across 1 GiB: level 1 goes on' entry $el1 "$tmp/gib.img" boot_lvl1_upper 2 "$next"
tap_ok 'across 1 GiB: the second block' at "$tmp/gib.img" "$next" 0 0x40200711
tap_ok 'across 1 GiB: and the rest of that table' at "$tmp/gib.img" "$next" 511 0x80000711

probe "$tmp/tib.elf" 0xffffff7fffe00000 0x7fe00000 0x200000
mk $el1 "$tmp/tib.elf" "$tmp/tib.img"
next=$(further "$tmp/tib.img" 2)
tap_ok 'across 512 GiB: level 0 goes on' entry $el1 "$tmp/tib.img" boot_lvl0_upper 511 "$next"
tap_ok 'across 512 GiB: the new level 1' at "$tmp/tib.img" "$next" 0 "$(further "$tmp/tib.img" 1)"
tap_ok 'across 512 GiB, and a physical GiB' \
	at "$tmp/tib.img" "$(further "$tmp/tib.img" 1)" 0 0x80000711
tap_ok 'across 512 GiB: the block before' entry $el1 "$tmp/tib.img" boot_lvl2_upper 511 0x7fe00711

probe "$tmp/two.elf" 0xffffff8040000000 0x40000000 0x48000000
mk $el1 "$tmp/two.elf" "$tmp/two.img"
tap_ok 'larger than a level-2 table: all of the first' \
	entry $el1 "$tmp/two.img" boot_lvl2_upper 511 0x7fe00711
tap_ok 'larger than a level-2 table: the second' \
	at "$tmp/two.img" "$(further "$tmp/two.img" 1)" 64 0x88000711

probe "$tmp/odd.elf" 0xffffff8040101000 0x40101000
mk $el1 "$tmp/odd.elf" "$tmp/odd.img"
tap_ok 'a start within 2 MiB' entry $el1 "$tmp/odd.img" boot_lvl2_upper 0 0x40000711

probe "$tmp/last.elf" 0xffffffffffe00000 0xbfe00000 0x1000
mk $el1 "$tmp/last.elf" "$tmp/last.img"
tap_ok 'the last 2 MiB of the address space' entry $el1 "$tmp/last.img" boot_lvl2_upper 511 0xbfe00711
probe "$tmp/last.elf" 0xffffff8040000000 0xbfc00000
mk $el1 "$tmp/last.elf" "$tmp/last.img"
tap_ok 'the last of RAM is mapped' entry $el1 "$tmp/last.img" boot_lvl2_upper 1 0xbfe00711
tap_ok 'what is behind RAM is not' entry $el1 "$tmp/last.img" boot_lvl2_upper 2 0x0

probe "$tmp/same.elf" 0x40000000 0x40000000
mk $el2 "$tmp/same.elf" "$tmp/same.img"
tap_ok "EL2, in the loader's GiB: the kernel" entry $el2 "$tmp/same.img" boot_lvl2_lower 0 0x40000751
tap_ok "EL2, in the loader's GiB: the loader" entry $el2 "$tmp/same.img" boot_lvl2_lower 384 0x70000751
probe "$tmp/same.elf" 0x80000000 0x80000000
mk $el2 "$tmp/same.elf" "$tmp/same.img"
tap_ok "EL2, in the loader's 512 GiB: the kernel" \
	entry $el2 "$tmp/same.img" boot_lvl1_lower 2 "$(table_at $el2 boot_lvl2_upper)"
probe "$tmp/same.elf" 0x8600000 0x40000000
mk $el2 "$tmp/same.elf" "$tmp/same.img"
tap_ok "EL2, in the UART's GiB: its 2 MiB alone" \
	entry $el2 "$tmp/same.img" boot_lvl2_upper 72 0x40000009000641
tap_ok "EL2, in the UART's GiB: the kernel" entry $el2 "$tmp/same.img" boot_lvl2_upper 67 0x40000751

# --- refusals: refuses NAME WORDS... -- COMMAND...
refuses() {
	local name=$1 words=() status w
	shift
	while [ "$1" != -- ]; do words+=("$1") && shift; done
	shift
	rm -f "$tmp/out.img"
	"$@" >"$tmp/said" 2>&1
	status=$?
	tap_ok "$name: exit status 2" is 2 $status
	for w in "${words[@]}"; do
		tap_ok "$name: says $w" has "$tmp/said" "$w"
	done
	tap_ok "$name: no image, one line" test ! -e "$tmp/out.img" -a "$(wc -l <"$tmp/said")" = 1
}
out=$tmp/out.img

printf '\377\330\377\340\0\020JFIF\0' >"$tmp/cat.jpg"
refuses 'a JPEG' "$tmp/cat.jpg: not an ELF file" 'ff d8 ff e0' -- mk $el1 "$tmp/cat.jpg" "$out"
: >"$tmp/empty"
refuses 'an empty file' 'it is empty' -- mk $el1 "$tmp/empty" "$out"
refuses 'no file' 'No such file' -- mk $el1 "$tmp/none" "$out"
refuses 'a folder' 'directory' -- mk $el1 "$tmp" "$out"
refuses "the host's own program" 'not for little-endian AArch64' -- mk $el1 "$(command -v bash)" "$out"
size=$(stat -c %s "$tmp/k1.elf")
for n in 10 60 100 $((size - 1)); do
	head -c "$n" "$tmp/k1.elf" >"$tmp/cut.elf"
	mk $el1 "$tmp/cut.elf" "$out" 2>"$tmp/said"
	status=$?
	# Cut behind the last byte that is loaded it is as good as whole.
	if [ "$n" = $((size - 1)) ]; then wanted=0; else wanted=2; fi
	tap_ok "truncated to $n bytes: exit status $wanted" is $wanted $status
done
head -c $((0x1100)) "$tmp/k1.elf" >"$tmp/cut.elf"
refuses 'truncated within a segment' truncated 'segment ' -- mk $el1 "$tmp/cut.elf" "$out"

probe "$tmp/skew.elf" 0xffffff8040000000 0x40000000 0x3000 0x1000
refuses 'two offsets' 'segment 0' 'segment 1' 0xffffff8000000000 0xffffff7fffff 'AT()' -- \
	mk $el1 "$tmp/skew.elf" "$out"
probe "$tmp/mis.elf" 0xffffff8040001000 0x40000000
refuses 'an offset that is no multiple of 2 MiB' "$tmp/mis.elf" 'segment 0' 0xffffff8040001000 \
	0x40000000 'multiple of 2 MiB' 'AT()' -- \
	mk $el1 "$tmp/mis.elf" "$out"
probe "$tmp/mis.elf" 0xffffff8040000000 0x40100000
refuses 'the physical address off 2 MiB' 0x40100000 'multiple of 2 MiB' -- mk $el1 "$tmp/mis.elf" "$out"
probe "$tmp/same.elf" 0xffffff8040000000 0xffffff8040000000
refuses 'no load addresses' 'RAM of board' 'AT()' -- mk $el1 "$tmp/same.elf" "$out"
probe "$tmp/over.elf" 0xffffff8040000000 0x70000000
refuses 'kernel on the loader' "$tmp/over.elf, segment 0," "the loader's image" \
	0x70000000-0x70 'link the kernel' -- mk $el1 "$tmp/over.elf" "$out"
probe "$tmp/near.elf" 0xffffff8040000000 0x6fe00000 0x1ff000
refuses 'task on the loader' "$tmp/task.elf, placed behind the kernel," "the loader's image" \
	0x70000000-0x70004000 -- mk $el1 "$tmp/near.elf" "$out"
refuses 'EL1 kernel, EL2 board' 'no upper half' $el2 -- mk $el2 "$tmp/k1.elf" "$out"
refuses 'EL2 kernel, EL1 board' 'enters the kernel at EL1' $el1 -- mk $el1 "$tmp/k2.elf" "$out"
probe "$tmp/low.elf" 0x70000000 0x40000000
refuses "EL2 kernel at the loader's addresses" "$tmp/low.elf" 'virtual 0x70000000-0x70200000' \
	'physical 0x40000000-0x40200000' 'has 0x70000000 there' 'link it' -- mk $el2 "$tmp/low.elf" "$out"
probe "$tmp/low.elf" 0x9000000 0x40000000
refuses "EL2 kernel at the UART's addresses" 'UART (0x9000000)' 'link the kernel elsewhere' -- \
	mk $el2 "$tmp/low.elf" "$out"
task=$tmp/k1.elf refuses 'a kernel as the task' 'is it a kernel?' -- mk $el1 "$tmp/k1.elf" "$out"
refuses 'unknown board' 'no loader for board nonesuch' 'make list-boards' -- \
	mk nonesuch "$tmp/k1.elf" "$out"
refuses "another board's loader" "is built for board $el2, not for $el1" -- \
	mk $el1 "$tmp/k1.elf" "$out" --loader "$O/loader/$el2/loader.elf"
refuses 'something else as the loader' 'no symbol `board`' -- \
	mk $el1 "$tmp/k1.elf" "$out" --loader "$tmp/k1.elf"
refuses 'nine CPUs' '--cpus 9: a number from 1 to 8' -- mk $el1 "$tmp/k1.elf" "$out" --cpus 9
refuses 'an option missing' '--task is missing' -- \
	"$O/baton-mkimage" -b $el1 -k "$tmp/k1.elf" -o "$out"
mk $el1 "$tmp/k1.elf" /dev/full 2>"$tmp/said"
tap_ok 'a full disk: exit status 2' is 2 $?
tap_ok 'a full disk: said, and the device is still there' \
	test "$(cat "$tmp/said")" = 'baton-mkimage: /dev/full: No space left on device' -a -c /dev/full
tap_ok '--help' eval '"$O/baton-mkimage" --help | grep -q "^usage: baton-mkimage"'
tap_ok '--version' eval '"$O/baton-mkimage" --version | grep -q "^baton-mkimage [0-9]"'

# --- boards: a board's value beats its parent's, and that beats the default
boards=$tmp/board
mkdir -p "$boards"/{child,parent,grand,loop,orphan,typo,word,twice,half}
printf 'a = 1\nb = 1\nc = 1\nd = 1\nneeded =\n' >"$boards/defaults"
printf 'b = 2\nc = 2\nd = 2\nneeded = 7\n' >"$boards/grand/board"
printf 'parent = grand\nc = 3\nd = 3 # with a comment\n' >"$boards/parent/board"
printf 'parent = parent\n\nd=0x4\n' >"$boards/child/board"
printf 'parent = loop\n' >"$boards/loop/board"
printf 'parent = gone\n' >"$boards/orphan/board"
printf 'parent = grand\nbb = 1\n' >"$boards/typo/board"
printf 'parent = grand\nb = yes\n' >"$boards/word/board"
printf 'b = 1\nb = 2\nneeded = 1\n' >"$boards/twice/board"
printf 'b = 1\n' >"$boards/half/board"
resolve() {
	awk -v dir="$boards" -v board="$1" -v format="$2" -f loader/board/resolve.awk
}
resolve child show >"$tmp/board.show"
shown() { grep -Eq "^$1 +$2 +from $3\$" "$tmp/board.show"; }
tap_ok 'the default, where nobody says anything' shown a 1 defaults
tap_ok "the grandparent's beats the default" shown b 2 grand
tap_ok "the parent's beats the grandparent's" shown c 3 parent
tap_ok "the board's own beats them all" shown d 0x4 child
resolve child header >"$tmp/board.h"
tap_ok 'the loader gets the same' has "$tmp/board.h" '#define BOARD_D 0x4'
refuses_board() { refuses "$1" "$2" -- resolve "$3" header; }
refuses_board 'its own parent' 'loop is its own ancestor' loop
refuses_board 'a parent that is not there' 'which is the parent of orphan' orphan
refuses_board 'a key that does not exist' '`bb` is not a key' typo
refuses_board 'a value that is no number' 'neither a number nor a known word: yes' word
refuses_board 'a key set twice' '`b` is set twice' twice
refuses_board 'a key without a value' '`needed` unset' half
refuses_board 'a board that is not there' 'no ' none

board_at() { od -An -tu4 -j$(($(symbol "$1" board) + 64 + 5 * 8 + 4 * $3)) -N4 "$2" | tr -d ' '; }
tap_ok "$el1 enters the kernel at EL1" is 1 "$(board_at $el1 "$tmp/k1.img" 0)"
tap_ok "$el2, its parent, at EL2" is 2 "$(board_at $el2 "$tmp/k2.img" 0)"
mk $el1 "$tmp/k1.elf" "$out" --cpus 4
tap_ok '--cpus beats the board' is 1-4 "$(board_at $el1 "$tmp/k1.img" 1)-$(board_at $el1 "$out" 1)"

tap_end
