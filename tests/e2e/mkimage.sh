#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# baton-mkimage's layout, formats and refusals. QEMU only dumps device trees;
# tests/e2e/images.sh boots what is made.
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

probe "$tmp/page.elf" 0xffffff8040000000 0x40000000 0x800
mk $el1 "$tmp/page.elf" "$tmp/page.img"
tap_ok 'segments that share a page: each to its own bytes' is 0x40000000-0x40000800 \
	"$(word "$tmp/page.img" $((header + 64)))-$(word "$tmp/page.img" $((header + 96)))"

# --- file formats
for format in elf uimage; do
	mk $el1 "$tmp/k1.elf" "$tmp/boot.$format" --format $format
	(O=$(cd "$O" && pwd) && cd "$tmp" && task=task.elf mk $el1 k1.elf again.img -f $format)
	tap_ok "$format: from another folder, the same" cmp "$tmp/boot.$format" "$tmp/again.img"
done
"${CROSS}readelf" -lhW "$tmp/boot.elf" >"$tmp/said" 2>"$tmp/warned"
size=$(printf '0x%06x' "$(stat -c %s "$tmp/k1.img")")
tap_ok 'elf: one segment, at the load address' \
	has "$tmp/said" "LOAD           0x001000 0x0000000070000000 0x0000000070000000 $size $size RWE"
tap_ok 'elf: and no other' is 1 "$(grep -c LOAD "$tmp/said")"
tap_ok "elf: the loader's entry" grep -q 'Entry point address: *0x70000000$' "$tmp/said"
tap_ok 'elf: nothing to warn of' test ! -s "$tmp/warned"
tap_ok 'elf: what the raw image has' cmp -n "$(stat -c %s "$tmp/k1.img")" -i 4096:0 "$tmp/boot.elf" "$tmp/k1.img"
named() { "${CROSS}nm" "$1" | grep -E ' (boot_lvl0_upper|loader_main|trap_handler)$' | sed 's/ [a-zA-Z] / /'; }
tap_ok "elf: the loader's symbols" is "$(named "$O/loader/$el1/loader.elf")" "$(named "$tmp/boot.elf")"

# be OFFSET: 32 bits of it, big-endian; crc: zlib's, as gzip appends it
be() { od -An -tx4 --endian=big -j"$1" -N4 "$tmp/boot.uimage" | tr -d ' '; }
crc() { gzip -c | tail -c 8 | od -An -tx4 -N4 | tr -d ' '; }
tap_ok 'uimage: magic, load address and entry' is '27051956 70000000 70000000' "$(be 0) $(be 16) $(be 20)"
tap_ok 'uimage: U-Boot, arm64, standalone, uncompressed' is 11160100 "$(be 28)"
tap_ok 'uimage: no time of day' is 00000000 "$(be 8)"
tap_ok 'uimage: what the raw image has' cmp -i 64:0 "$tmp/boot.uimage" "$tmp/k1.img"
tap_ok 'uimage: its size and CRC' is "$(printf %08x "$(stat -c %s "$tmp/k1.img")") $(crc <"$tmp/k1.img")" \
	"$(be 12) $(be 24)"
head -c 64 "$tmp/boot.uimage" >"$tmp/head"
poke "$tmp/head" 4 '\0\0\0\0'
tap_ok "uimage: its header's CRC" is "$(crc <"$tmp/head")" "$(be 4)"
if command -v dumpimage >/dev/null; then
	tap_ok 'uimage: dumpimage agrees' eval 'dumpimage -l "$tmp/boot.uimage" | grep -q AArch64'
fi

# --- maps
cp "$tmp/k1.elf" "$tmp/a&<b.elf"
mk $el1 "$tmp/a&<b.elf" "$tmp/out.img" --map >"$tmp/map"
tap_ok '--map: a segment, physical and virtual' \
	grep -Eq '^0x40000000-0x4000[0-9a-f]+ +0x[0-9a-f]+ +0xffffff8040000000 +.*a&<b.elf, segment 0$' "$tmp/map"
tap_ok '--map: the task behind it' \
	grep -Eq '^0x40004000-0x40008000 +0x4000 +0x200000 +.*task.elf, placed behind the kernel$' "$tmp/map"
for part in 'code and data' stacks 'boot tables' 'header and what it copies'; do
	tap_ok "--map: the loader's $part" has "$tmp/map" "the loader's image ($el1), $part"
done
tap_ok '--map: in order' eval 'sed "1d;\$d" "$tmp/map" | sort -c'
tap_ok '--map: the last line' has "$tmp/map" \
	"board $el1: RAM 0x40000000-0xc0000000, kernel entry 0xffffff8040000000 at EL1 on 1 CPU, task entry 0x200040"
mk $el1 "$tmp/a&<b.elf" "$tmp/out.img" --map=svg >"$tmp/map"
tap_ok '--map=svg: a drawing' eval 'head -n 1 "$tmp/map" | grep -q "^<svg xmlns=" && tail -n 1 "$tmp/map" | grep -qx "</svg>"'
tap_ok '--map=svg: names are text' has "$tmp/map" 'a&#38;&#60;b.elf, segment 0'

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
tap_ok 'no load addresses: more RAM is no help' hasnt "$tmp/said" memory_size
probe "$tmp/high.elf" 0xffffff8040000000 0xc0000000
refuses 'a kernel behind RAM' '0x40000000-0xc0000000' 'AT()' 'SET="memory_size=...' -- mk $el1 "$tmp/high.elf" "$out"
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

cp "$tmp/k1.elf" "$tmp/kept.elf"
refuses 'the kernel as the image' "--output $tmp/kept.elf: it is $tmp/kept.elf" 'another file' -- \
	mk $el1 "$tmp/kept.elf" "$tmp/kept.elf"
tap_ok '... which is still the kernel' cmp -s "$tmp/k1.elf" "$tmp/kept.elf"
refuses 'an unknown format' '--format tar: wanted is one of raw, elf, uimage' -- mk $el1 "$tmp/k1.elf" "$out" --format tar
refuses 'an unknown map' '--map png: wanted is one of text, svg' -- mk $el1 "$tmp/k1.elf" "$out" --map=png
refuses 'an unknown kernel type' '--kernel-type bsd' 'wanted is one of sel4, linux' -- mk $el1 "$tmp/k1.elf" "$out" -T bsd

# edited OFFSET BYTES: the good kernel with other bytes in its ELF or program headers
edited() {
	cp "$tmp/k1.elf" "$tmp/edited.elf"
	poke "$tmp/edited.elf" "$1" "$2"
}
edited $((64 + 40)) '\1\0'
refuses 'more in the file than in memory' "$tmp/edited.elf: segment 0" 'more bytes in the file' -- \
	mk $el1 "$tmp/edited.elf" "$out"
edited $((64 + 40)) '\377\377\377\377\377\377\377\377'
refuses 'around the end of the address space' "$tmp/edited.elf: segment 0" 0xffffffffffffffff \
	'around the end' -- mk $el1 "$tmp/edited.elf" "$out"
edited $((64 + 44)) '\1'
refuses 'zeros without end' "$tmp/edited.elf, segment 0, wants physical 0x40000000-0x14" 0xc0000000 AT \
	-- mk $el1 "$tmp/edited.elf" "$out"
edited 24 '\0\0\0\0'
refuses 'an entry outside' "$tmp/edited.elf: its entry 0xffffff8000000000 is in no executable segment" \
	-- mk $el1 "$tmp/edited.elf" "$out"
edited 16 '\3'
refuses 'a PIE' "$tmp/edited.elf: not linked at fixed addresses" '-no-pie' -- mk $el1 "$tmp/edited.elf" "$out"
edited 32 '\377\377\377'
refuses 'program headers beyond the file' "$tmp/edited.elf: truncated" 'program headers' -- \
	mk $el1 "$tmp/edited.elf" "$out"
edited 56 '\0'
refuses 'nothing to load' "$tmp/edited.elf: nothing to load" -- mk $el1 "$tmp/edited.elf" "$out"
cp "$tmp/task.elf" "$tmp/two.elf"
poke "$tmp/two.elf" $((64 + 56 + 16)) '\101\0\40\0'
task=$tmp/two.elf refuses "a task's segments over each other" 'segment 0 (virtual 0x200040-' \
	'overlaps segment 1 (virtual 0x200041-' 'linker script' -- mk $el1 "$tmp/k1.elf" "$out"
cp "$O/loader/$el1/loader.elf" "$tmp/loader.elf"
poke "$tmp/loader.elf" $((64 + 24)) '\1'
refuses 'a loader with two addresses' "$tmp/loader.elf: segment 0 has different virtual" -- \
	mk $el1 "$tmp/k1.elf" "$out" --loader "$tmp/loader.elf"

cp "$O/loader/$el1/loader.elf" "$tmp/loader.elf"
poke "$tmp/loader.elf" $(($(word "$tmp/loader.elf" $((64 + 8))) + $(symbol $el1 board) + 64 + 40)) '\3'
refuses 'a loader whose board makes no sense' "$tmp/loader.elf: board $el1 makes no sense" EL3 -- \
	mk $el1 "$tmp/k1.elf" "$out" --loader "$tmp/loader.elf"
for field in 'uart 88' 'dtb 96' 'gicd 120' 'gicc 128' 'gicr 136' 'spin_table 144'; do
	cp "$O/loader/$el1/loader.elf" "$tmp/loader.elf"
	poke "$tmp/loader.elf" $(($(word "$tmp/loader.elf" $((64 + 8))) + $(symbol $el1 board) + ${field#* })) '\2'
	refuses "${field% *} is not aligned" "$tmp/loader.elf: board $el1 has ${field% *} = 0x" \
		'wanted is a multiple of' "SET=\"${field% *}=..." -- mk $el1 "$tmp/k1.elf" "$out" --loader "$tmp/loader.elf"
done
{
	echo 'PHDRS {' && printf 'p%d PT_LOAD FLAGS(5);\n' {0..16}
	echo '} SECTIONS { . = 0xffffff8040000000;'
	for n in {0..16}; do
		echo ". = ALIGN(4096); .s$n : AT(0x40000000 + $n * 4096) { *(.s$n) } :p$n"
	done
	echo '}'
} >"$tmp/many.ld"
{
	echo '.global _start'
	for n in {0..16}; do
		echo ".section .s$n, \"ax\""
		[ "$n" != 0 ] || echo _start:
		echo nop
	done
} >"$tmp/many.S"
"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,-e,_start -Wl,-T,"$tmp/many.ld" "$tmp/many.S" -o "$tmp/many.elf"
refuses 'seventeen segments' "$tmp/many.elf: more than 16 loadable segments" 'linker script' -- \
	mk $el1 "$tmp/many.elf" "$out"

# --- device trees and Linux
dump() { "$QEMU" -machine "virt,dumpdtb=$1" -cpu cortex-a57 -m "$2" -display none 2>/dev/null; }
dump "$tmp/virt.dtb" 2G
dump "$tmp/small.dtb" 512M
# image OUT SIZE: an arm64 Image of nothing but its header, that wants SIZE
image() {
	printf '\0%.0s' {1..4096} >"$1"
	# shellcheck disable=SC2059
	printf "$(printf '\\%03o' $(($2 & 255)) $(($2 >> 8 & 255)) $(($2 >> 16 & 255)) $(($2 >> 24)))" |
		dd of="$1" bs=1 seek=16 conv=notrunc status=none
	poke "$1" 56 'ARM\x64'
}
linux() { "$O/baton-mkimage" --board "$1" --kernel-type linux --kernel "$2" -o "$3" "${@:4}"; }
image "$tmp/Image" $((0x30000))
printf 'initrd!' >"$tmp/initrd"
linux $el1 "$tmp/Image" "$tmp/linux.img" --dtb "$tmp/virt.dtb" --initrd "$tmp/initrd" \
	--bootargs 'console=ttyAMA0 one=1' --map >"$tmp/map"
at_end() { word "$tmp/linux.img" $((header + 64 + 32 * $1 + 8 * $2)); }
tap_ok 'Linux: the Image at the start of RAM' is 0x40000000-0x1000 "$(at_end 0 0)-$(at_end 0 1)"
tap_ok 'Linux: entered there' is 0x40000000 "$(word "$tmp/linux.img" $((header + 16)))"
tap_ok 'Linux: the initrd behind what the Image takes' is 0x40030000-0x7 "$(at_end 1 0)-$(at_end 1 1)"
tap_ok 'Linux: the device tree in 2 MiB of its own' is 0x40200000 "$(at_end 2 0)"
tap_ok 'Linux: the board says where' is 0x40200000 \
	"$(word "$tmp/linux.img" $(($(symbol $el1 board) + 64 + 4 * 8)))"
tap_ok 'Linux: the command line is in it' has "$tmp/linux.img" 'console=ttyAMA0 one=1'
tap_ok 'Linux: the map has all of them' eval 'has "$tmp/map" "/Image" && has "$tmp/map" /initrd && has "$tmp/map" /virt.dtb'
tap_ok 'Linux: and says how it is entered' has "$tmp/map" 'at EL1 with the MMU off'
linux $el1 "$tmp/Image" "$tmp/linux.img"
tap_ok "Linux without --dtb: not over the machine's own" is 0x40200000 "$(at_end 0 0)"

mk $el1 "$tmp/k1.elf" "$tmp/dtb.img" --dtb "$tmp/virt.dtb"
tap_ok 'a device tree for a kernel of the other kind' is 0x4-0x40008000 \
	"$(word "$tmp/dtb.img" $((header + 56)))-$(word "$tmp/dtb.img" $((header + 64 + 3 * 32)))"
psci_at() { od -An -tu4 -j$(($(symbol "$1" board) + 64 + 5 * 8 + 8)) -N4 "$2" | tr -d ' '; }
tap_ok "PSCI's conduit by the device tree" is 0-1 "$(psci_at $el1 "$tmp/k1.img")-$(psci_at $el1 "$tmp/dtb.img")"

refuses 'Linux on a board without a device tree' 'on board rpi4b none is in memory' '--dtb' -- \
	linux rpi4b "$tmp/Image" "$out"
gzip -c "$tmp/Image" >"$tmp/Image.gz"
refuses 'a compressed Image' "$tmp/Image.gz: compressed" zcat -- linux $el1 "$tmp/Image.gz" "$out"
cp "$tmp/Image" "$tmp/zboot"
poke "$tmp/zboot" 0 'MZ\0\0zimg'
poke "$tmp/zboot" 56 '\0\0\0\0'
refuses 'an EFI zboot image' "$tmp/zboot: compressed for EFI" arch/arm64/boot/Image -- linux $el1 "$tmp/zboot" "$out"
refuses 'an ELF file as Linux' "$tmp/k1.elf: an ELF file" arch/arm64/boot/Image -- linux $el1 "$tmp/k1.elf" "$out"
refuses 'something else as Linux' "$tmp/cat.jpg: not an arm64 Linux Image" -- linux $el1 "$tmp/cat.jpg" "$out"
image "$tmp/old" 0
refuses 'a Linux of old' 'older than Linux 3.17' -- linux $el1 "$tmp/old" "$out"
cp "$tmp/Image" "$tmp/broken"
poke "$tmp/broken" 8 '\1'
refuses 'a broken header' 'text_offset 0x1' -- linux $el1 "$tmp/broken" "$out"
image "$tmp/huge" $((0xf0000000))
refuses 'a Linux larger than RAM' "$tmp/huge wants physical 0x40000000-0x130000000" 0x40000000-0xc0000000 \
	'list-boards' 'SET="memory_size=...' -- linux $el1 "$tmp/huge" "$out" --dtb "$tmp/virt.dtb"
truncate -s 800M "$tmp/big"
refuses 'an initrd on the loader' "$tmp/big at physical 0x40030000-0x72030000 overlaps" \
	"the loader's image" 0x70000000-0x7 'make the initrd smaller' -- \
	linux $el1 "$tmp/Image" "$out" --dtb "$tmp/virt.dtb" --initrd "$tmp/big"
rm "$tmp/big"
refuses 'RAM that the device tree has not' "the loader's image" 'wants physical 0x70000000-0x7' \
	"$tmp/small.dtb says that RAM is 0x40000000-0x60000000" '-m 2G' -- \
	linux $el1 "$tmp/Image" "$out" --dtb "$tmp/small.dtb"
refuses 'no device tree' "$tmp/cat.jpg: not a device tree" dumpdtb -- mk $el1 "$tmp/k1.elf" "$out" --dtb "$tmp/cat.jpg"
head -c 4000 "$tmp/virt.dtb" >"$tmp/cut.dtb"
refuses 'half a device tree' "$tmp/cut.dtb: not a device tree, or a broken one" -- \
	mk $el1 "$tmp/k1.elf" "$out" --dtb "$tmp/cut.dtb"
refuses 'a command line without end' '--bootargs: 2048 characters' 2047 -- linux $el1 "$tmp/Image" "$out" \
	--dtb "$tmp/virt.dtb" --bootargs "$(printf 'x%.0s' {1..2048})"
refuses 'a task for Linux' '--task' '--initrd' -- linux $el1 "$tmp/Image" "$out" --task "$tmp/task.elf"
refuses 'CPUs for Linux' '--cpus 4' '-smp 4' -- linux $el1 "$tmp/Image" "$out" --cpus 4
refuses 'an initrd without a device tree' '--initrd' '--dtb' -- linux $el1 "$tmp/Image" "$out" --initrd "$tmp/initrd"
refuses 'a command line for seL4' '--bootargs' 'linux alone' -- mk $el1 "$tmp/k1.elf" "$out" --bootargs x

# --- boards (tests/e2e/board.sh has more)
board_at() { od -An -tu4 -j$(($(symbol "$1" board) + 64 + 5 * 8 + 4 * $3)) -N4 "$2" | tr -d ' '; }
tap_ok "$el1 enters the kernel at EL1" is 1 "$(board_at $el1 "$tmp/k1.img" 0)"
tap_ok "$el2, its parent, at EL2" is 2 "$(board_at $el2 "$tmp/k2.img" 0)"
mk $el1 "$tmp/k1.elf" "$out" --cpus 4
tap_ok '--cpus beats the board' is 1-4 "$(board_at $el1 "$tmp/k1.img" 1)-$(board_at $el1 "$out" 1)"

tap_end
