#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `baton check`: the seed's bug in the file, before any machine runs; images without a
# header, ELF files and cores; what is not usable.
# shellcheck disable=SC2016,SC2317 # $register is baton's; functions are called by tap_ok
# shellcheck source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

seed=$O/examples/seed
loader=$O/loader/qemu_virt_aarch64_el1/loader.elf
loader2=$O/tests/loader2
out=$tmp/out

# Where the loader has what: sym NAME [OFFSET], as baton writes it; off NAME [OFFSET] in its image.
sym() { printf '0x%x' $((0x$(nm "$loader" | sed -n "s/ [A-Za-z] $1\$//p") + ${2:-0})); }
off() { echo $(($(sym "$@") - 0x70000000)); }
upper0=$(sym boot_lvl0_upper) upper1=$(sym boot_lvl1_upper) upper2=$(sym boot_lvl2_upper)
header=$(sym image_header)
entry=$(sym boot_lvl0_upper 0xff8) # of the kernel's half
repair="pt-set 0xffffff8040000000 L0 $(sym boot_lvl1_upper 3)"

# check STATUS ARGS...: what it says is $out.
check() {
	local want=$1 status
	shift
	timeout 60 "$O/baton" check "$@" >"$out" 2>&1 </dev/null
	status=$?
	[ "$status" = "$want" ] && return 0
	echo "# status $status instead of $want; it ends with:"
	tail -n 5 "$out" | sed 's/^/#   /'
	return 1
}

# said STATUS LINE... -- ARGS...: with that status, and with these lines in it.
said() {
	local want=$1 lines=() line
	shift
	while [ "$1" != -- ]; do
		lines+=("$1")
		shift
	done
	shift
	check "$want" "$@" || return 1
	for line in "${lines[@]}"; do
		has "$out" "$line" && continue
		echo "# no line '$line' in:"
		sed 's/^/#   /' "$out"
		return 1
	done
}

for image in good-el1 good-el1-c0 good-el1-smp4 good-el2 good-el2-c0 good-el2-smp4; do
	tap_ok "$image: nothing wrong" said 0 'mapped onto itself' 'nothing wrong was found' -- "$seed/$image.img"
	tap_ok "$image: no complaint" hasnt "$out" WRONG
done
tap_ok 'the same with symbols' said 0 "TTBR1_EL1 $upper0 <boot_lvl0_upper>: by its name" \
	'(where ' -- -s "$loader" "$seed/good-el1.img"

bug() {
	said 1 "L0 [511]  $entry  0x0000000000000000  invalid" 'translation fault, level 0' \
		'ESR would be 0x86000004 for a fetch from EL1' "$1" \
		"fix: $repair" "${@:2}"
}
tap_ok 'lvl0-upper-zero: the entry, the orphan, the repair' bug \
	"$upper1 is a table that nothing points to; with it the walk ends at 0x40000000" -- \
	"$seed/lvl0-upper-zero.img"
tap_ok 'lvl0-upper-zero: that its root is a guess is said' has "$out" \
	"TTBR1_EL1 $upper0: perhaps: an empty page among the tables"
tap_ok 'lvl0-upper-zero: by name with symbols' bug \
	"boot_lvl1_upper ($upper1) is a table that nothing points to" -- \
	"$seed/lvl0-upper-zero.img" -s "$loader"

# What is wrapped around an image hides nothing of it.
for f in elf uimage; do
	"$O/baton-mkimage" --board qemu_virt_aarch64_el1 --kernel "$O/examples/kernel/kernel-el1.elf" \
		--task "$O/examples/kernel/task.elf" -f $f -o "$tmp/wrapped.$f" >/dev/null
	tap_ok "$f: the image in it" said 0 "(its file's header)" "header at $header" 'good: nothing wrong' -- "$tmp/wrapped.$f"
	begin=64
	[ $f = uimage ] || begin=4096
	dd if=/dev/zero of="$tmp/wrapped.$f" bs=1 count=8 seek=$(($(off boot_lvl0_upper 0xff8) + begin)) conv=notrunc status=none
	tap_ok "$f: and what is wrong in there" said 1 "fix: $repair" -- "$tmp/wrapped.$f"
	tap_ok "$f: says where it belongs" said 2 'leave --load out' -- --load 0x1000 "$tmp/wrapped.$f"
done
head -c 100000 "$tmp/wrapped.uimage" >"$tmp/short.uimage"
tap_ok 'a truncated uImage' said 2 'truncated: a uImage of' -- "$tmp/short.uimage"

# zero OFFSET SIZE: good-el1.img with nothing there, as $tmp/zero.
zero() {
	cp "$seed/good-el1.img" "$tmp/zero"
	dd if=/dev/zero of="$tmp/zero" bs=1 seek=$(($1)) count="$2" conv=notrunc status=none
}
zero "$(off boot_lvl0_lower)" 4096
tap_ok 'an empty lower root: the loader is lost' said 1 "the loader, 0x70000000-$(sym image_header -1):" \
	'WRONG: no table in the image leads to it (--ttbr0' -- "$tmp/zero"
zero "$(off boot_lvl2_lower)" 4096
tap_ok 'an empty table below it: the walk of the loader' said 1 \
	"L2 [384]  $(sym boot_lvl2_lower 0xc00)  0x0000000000000000  invalid" \
	'would not survive turning the MMU on' -- "$tmp/zero"
cp "$seed/good-el2.img" "$tmp/zero2"
dd if=/dev/zero of="$tmp/zero2" bs=4096 seek=$(($(off boot_lvl0_lower) / 4096)) count=1 conv=notrunc status=none
tap_ok 'EL2: an empty root: the image is wrong, not unusable' said 1 'no root is among its tables' \
	'the entry, 0x8040000000:' 'WRONG: no table in the image leads to it (--ttbr0' \
	"$(sym boot_lvl1_lower) looks like a table, and nothing points to it" 'something is WRONG' -- "$tmp/zero2"
head -c 65536 /dev/urandom >"$tmp/noise"
tap_ok 'no tables at all: not usable' said 2 'where are its tables? --ttbr0' -- "$tmp/noise"
zero "$(off boot_lvl1_lower)" 8
tap_ok 'the console not mapped' said 1 'the loader falls silent' -- "$tmp/zero"
zero "$(off boot_lvl2_upper)" 4096
tap_ok 'the table of the kernel empty' said 1 "L2 [  0]  $upper2  0x0000000000000000  invalid" \
	-- "$tmp/zero" -s "$loader"
zero "$(grep -abom1 qemu_virt_aarch64_el1 "$seed/good-el1.img" | sed 's/:.*//')" 1 # its board
tap_ok 'an image of another builder: its address is found by its tables' said 0 \
	'loaded at 0x70000000 (where its tables fit' 'nothing wrong was found' -- "$tmp/zero"

tap_ok '-e: commands on tables' said 0 '0xffffff8040000000  → 0x40000000' 'L2 [511][1]' \
	'0xffffff8040000000 → 0x40000000   EL1 rwx' '3 ranges' -- "$seed/good-el1.img" \
	-e 'pt-find 0x40000000' -e pt-tables -e 'pt-walk $pc' -e 'pt-snap a' -e 'pt-diff a' -e pt-dump
tap_ok '-e: the status is the last command'"'"'s' check 1 "$seed/good-el1.img" -e 'pt-walk 0x123456789000'
tap_ok '-e: kernel'"'"'s bytes where they will be copied' said 0 '0x0000000040000000  ' -- \
	"$seed/good-el1.img" -e 'mem 0xffffff8040000000 16' -e 'mem -p 0x40000000 16'
tap_ok 'what is not in the file is never shown as zeros' said 2 'is not in the file' -- \
	"$seed/good-el1.img" -e 'mem -p 0x48000000 16'

# What a file has no answer for says so, and what has one.
no_use() { tap_ok "a file: $1" said 2 "${1%% *}: $2" -- "$seed/good-el1.img" -e "$1"; }
no_use 'cont 1' 'a file does not run: `baton run -- '
no_use step 'a file does not run: `baton run -- '
no_use 'handoff run' 'a file does not run: `baton run -e '
no_use why 'no exception is recorded in a file'
no_use 'fix -y' 'the file is not changed: `baton check FILE` without -e'
no_use 'qemu info roms' 'there is no QEMU behind a file'
no_use 'info roms' 'none of baton'"'"'s commands'
no_use quit 'none of baton'"'"'s commands'
tap_ok 'a file: pt-set changes nothing' said 2 "$entry: the file is not changed (-n shows" -- \
	"$seed/good-el1.img" -e 'pt-set 0xffffff8040000000 L0 0'
tap_ok 'a file: pt-set -n shows what it would' said 0 'nothing was written (-n)' -- "$seed/good-el1.img" \
	-e 'pt-set 0xffffff8040000000 L2 AF=0 -n'
loader_in_file() {
	said 0 "image header at $header" "region 0   $(sym image_header 0xc0) -> 0x40000000" 'region 3 ' -- \
		"$seed/good-el1.img" -e loader && hasnt "$out" copied && hasnt "$out" ' - 0x40002993'
}
tap_ok 'a file: loader tells the regions, and not that they were copied' loader_in_file

# Options that a file has no use for are refused by name.
refused() { tap_ok "refused: $1" said 2 "leave $2 out" -- "$1" "${@:3}" "$seed/good-el1.img"; }
refused --timeout --timeout 5
refused -v -v
refused --allow-mmio --allow-mmio
refused --allow-remote --allow-remote
refused --packets --packets
refused --no-spin --no-spin
refused -l -l none
tap_ok 'refused: --load of an ELF file' said 2 'leave --load out' -- --load 0x1000 "$loader"
tap_ok 'refused: --ttbr1 of EL2' said 2 'EL2 has no TTBR1_EL2' -- --el 2 --ttbr1 0x1000 \
	"$seed/good-el2.img"
tap_ok 'refused: half a second stage' said 2 'needs both, --vttbr and --vtcr' -- --vttbr 0x1000 \
	"$seed/good-el1.img"
tap_ok 'refused: a CPU that is not there' said 2 'no such CPU (there are 0 to 0)' -- -c 1 \
	"$seed/good-el1.img"

# The second loader: no header, another MAIR, a lower half that starts at level 1.
roots() {
	local elf=$loader2/good.elf
	echo --ttbr0 "0x$(nm "$elf" | sed -n 's/ . low_l1$//p')" \
		--ttbr1 "0x$(nm "$elf" | sed -n 's/ . root$//p')" --tcr 0x2b5103519 --mair 0x4ff
}
read -ra regs <<<"$(roots)"
where=(--load 0x48000000 --entry 0xffffff8040000000)
tap_ok 'no header, roots given: nothing wrong' said 0 'no header' \
	'0xffffff8040000000 → 0x40000000' -- "${regs[@]}" "${where[@]}" "$loader2/good.img"
tap_ok 'no header: nobody knows what is not there' hasnt "$out" 'neither RAM nor a device'
tap_ok 'no header, a table missing' said 1 'translation fault, level 0' \
	'0x48037000 is a table that nothing points to; with it the walk ends at 0x40000000' \
	'fix: pt-set 0xffffff8040000000 L0 0x48037003' 'what will lie there is not in the file' \
	-- "${regs[@]}" "${where[@]}" "$loader2/bad.img"
tap_ok 'no header, a table missing at EL2' said 1 'fix: pt-set 0x8040000000 L0 0x48037003' -- \
	--el 2 --mair 0x4ff --load 0x48000000 --entry 0x8040000000 "$loader2/bad-el2.img"
tap_ok 'no header and no roots: commands that need none' said 0 'image' -- "$loader2/good.img" \
	-e ram -e 'mem -p 0x48000000 16'
tap_ok 'no header and no roots: a walk says what is missing' said 2 'its tables are not known: --ttbr0' \
	'no TTBR0_EL1' -- "$loader2/good.img" -e 'pt-walk 0'
tap_ok 'no header: the level is a guess, and said to be one' said 2 'EL1 is assumed (--el' -- "$loader2/good.img"
tap_ok 'no header and no roots: says what is wanted' said 2 'where are its tables? --ttbr0' -- \
	"$loader2/good.img"
tap_ok 'an ELF file with roots' said 0 'an ELF file, 2 segments' '<go> → 0x48000000' -- \
	"${regs[@]}" "$loader2/good.elf"
tap_ok 'an ELF file without tables' said 2 'where are its tables?' -- \
	"$O/examples/kernel/kernel-el1.elf"

# A core of the guest that the second loader started, tables as the kernel has set them.
core() {
	timeout 60 "$O/baton" run -e 'handoff run' -e 'cont 2' -e 'sysreg' -e pt-dump \
		-e "qemu dump-guest-memory $tmp/core 0x40000000 0x2000000" -- "$QEMU" \
		-machine virt -cpu cortex-a53 -m 256M -smp 2 -display none -monitor none -nic none \
		-serial null -device "loader,file=$loader2/good.img,addr=0x48000000,cpu-num=0" \
		>"$tmp/live" 2>&1 </dev/null
	[ -s "$tmp/core" ]
}
tap_ok 'dump-guest-memory writes a core' core
reg() { sed -n "s/^  $1 *\(0x[0-9a-f]*\).*/\1/p" "$tmp/live"; }
core_regs=(--ttbr0 "$(reg TTBR0_EL1)" --ttbr1 "$(reg TTBR1_EL1)" --tcr "$(reg TCR_EL1)" --mair "$(reg MAIR_EL1)")
tap_ok 'a core: its pc is walked' said 0 'a core of a guest' '2 CPUs' 'the pc, 0xffffff8040' -- \
	"${core_regs[@]}" "$tmp/core"
tap_ok 'a core: each CPU by its note' said 0 'EL1  pc 0xffffff8040' ': looked at' '  CPU1  EL' -- \
	"${core_regs[@]}" "$tmp/core"
tap_ok 'a core: -c' said 0 '  CPU1' -- -c 1 "${core_regs[@]}" "$tmp/core" -e ram
second() { grep -q '^  CPU1  .*looked at' "$out"; }
tap_ok 'a core: the one that is looked at' second
tap_ok 'a core: -c beyond' said 2 'no such CPU (there are 0 to 1)' -- -c 2 "${core_regs[@]}" "$tmp/core"
tap_ok 'a core: registers of another CPU' said 1 '0x0: translation fault' -- "${core_regs[@]}" "$tmp/core" -e 'pt-walk $pc -c 1'
tap_ok 'a core without roots: says what is wanted' said 2 'which registers? --ttbr0' \
	'hold no system registers' -- "$tmp/core"
tap_ok 'a core without TCR: none is made up' said 2 'which registers? --ttbr0' -- --ttbr0 0x48038000 \
	"$tmp/core"
tap_ok 'a core with its memory alone' said 0 'not known: --ttbr0' -- "$tmp/core" -e 'mem -p 0x40000000 16'
# A machine tells how wide its addresses are, a core does not.
narrow() { sed 's/→ 0x0*/→ 0x/'; }
same_dump() {
	check 0 "${core_regs[@]}" "$tmp/core" -e pt-dump &&
		diff <(grep '^0x' "$tmp/live" | narrow) <(grep '^0x' "$out" | narrow)
}
tap_ok 'a core maps what the machine mapped' same_dump

# json STATUS WORDS... -- ARGS...: with that status, one object and nothing else on standard
# output, nothing on standard error; these words are in it, spaces and newlines as one space.
json() {
	local want=$1 words=() word status
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	timeout 60 "$O/baton" check --json "$@" >"$tmp/json" 2>"$tmp/err" </dev/null
	status=$?
	tr -s ' \n' ' ' <"$tmp/json" >"$out"
	if [ "$status" != "$want" ] || [ -s "$tmp/err" ]; then
		echo "# status $status instead of $want, and: $(cat "$tmp/err")"
		return 1
	fi
	[ "$(head -n 1 "$tmp/json")" = '{' ] && [ "$(grep -c '^[{}]' "$tmp/json")" = 2 ] &&
		[ "$(tail -n 1 "$tmp/json")" = '}' ] || return 1
	for word in '"command": "check", ' "${words[@]}"; do
		has "$out" "$word" && continue
		echo "# no $word in:"
		sed 's/^/#   /' "$tmp/json"
		return 1
	done
}
tap_ok '--json: a good image' json 0 '"ok": true, "image": { "name": "good-el1.img"' \
	'"how": "found: it maps the loader onto itself"' "\"ttbr1\": { \"value\": \"$upper0\"" \
	'"entry": "0xffffff8040000000"' '"fault": null' '"oa": "0x40000000"' '"what": "console"' \
	'"repairs": []' '"totals": { "error": 0,' -- "$seed/good-el1.img"
tap_ok '--json: lvl0-upper-zero: the fault, the step, the repair, the finding' json 1 '"ok": false' \
	'"fault": { "kind": "translation", "level": 0, "stage": 1, "esr": "0x86000004"' \
	"\"index\": 511, \"address\": \"$entry\", \"descriptor\": \"0x0\", \"kind\": \"invalid\"" \
	"\"command\": \"$repair\", \"why\": \"$upper1 is a table" \
	'"severity": "error", "rule": "pc", "section": "D8.2.1"' -- "$seed/lvl0-upper-zero.img"
tap_ok '--json: a core' json 0 '"kind": "core"' '"load": null' '"header": null' '"what": "pc"' -- \
	"${core_regs[@]}" "$tmp/core"
zero "$(off boot_lvl0_lower)" 4096
tap_ok '--json: an empty lower root' json 1 '"what": "loader", "va": "0x70000000", "words": "no table' \
	'"ttbr0": null' -- "$tmp/zero"
tap_ok '--json: not usable' json 2 '"ok": false, "error": "' 'No such file' -- "$tmp/nothing"
tap_ok '--json: tables, but no root' json 1 '"ok": false' '"ttbr0": null' '"what": "entry"' \
	'"what": "loader"' -- "$tmp/zero2"
tap_ok '--json: a headerless repair' json 1 '"command": "pt-set 0xffffff8040000000 L0 0x48037003"' -- \
	"${regs[@]}" "${where[@]}" "$loader2/bad.img"
tap_ok '--json: no roots' json 2 '"error": "' 'where are its tables? --ttbr0' -- "$loader2/good.img"
tap_ok '--json: symbols that are none' json 2 '"error": "-s: ' -- -s "$tmp/nothing" "$seed/good-el1.img"
# One object a line: the file's, then each command's, up to the one that fails.
json_lines() {
	"$O/baton" check --json "$seed/good-el1.img" -e 'pt-walk $pc -q' -e 'pt-walk 0x123456789000' \
		-e 'cont' -e ram >"$out" 2>"$tmp/err"
	[ $? = 2 ] && [ ! -s "$tmp/err" ] && [ "$(grep -c '^{"command": .*}$' "$out")" = 4 ] &&
		[ "$(wc -l <"$out")" = 4 ] && has "$out" '"kind": "flat"' &&
		has "$out" '"command": "pt-walk $pc -q", "ok": true, "status": 0, "output": "0x40000000' &&
		has "$out" '"command": "pt-walk 0x123456789000", "ok": false, "status": 1' &&
		has "$out" '"command": "cont", "ok": false, "status": 2, "output": "cont: a file does not run'
}
tap_ok '--json -e: an object a line, to the end' json_lines
json_full() {
	"$O/baton" check --json "$seed/good-el1.img" >/dev/full 2>"$out"
	[ $? = 2 ] && has "$out" 'standard output'
}
tap_ok '--json: what cannot be written is no success' json_full

# Not usable: status 2, and words that say why.
cut() { head -c "$2" "$1" >"$tmp/cut"; }
cut "$seed/good-el1.img" 100000
tap_ok 'a truncated image' said 2 'truncated: the header says' -- "$tmp/cut"
cut "$loader2/good.elf" 100000
tap_ok 'a truncated ELF file' said 2 'truncated: segment' -- "$tmp/cut" "${regs[@]}"
cut "$tmp/core" 100000
tap_ok 'a truncated core' said 2 'truncated: segment' -- "$tmp/cut" "${core_regs[@]}"
: >"$tmp/empty"
tap_ok 'an empty file' said 2 'an empty file' -- "$tmp/empty"
tap_ok 'no file' said 2 'No such file' -- "$tmp/nothing"
tap_ok 'a folder' said 2 'not a file' -- "$tmp"
tap_ok 'another architecture' said 2 'not of AArch64' -- "$O/baton"
tap_ok 'two files' said 2 'one file' -- "$tmp/cut" "$tmp/core"
tap_ok 'a number that is none' said 2 '--ttbr0: "0x" is no number' -- --ttbr0 0x "$tmp/core"
tap_ok 'nobody listens' said 2 'leave -l out' -- -l none "$tmp/core"

run_with_a_root() {
	"$O/baton" run --ttbr0 0x1000 -e help -- "$QEMU" >"$out" 2>&1
	[ $? = 2 ] && has "$out" 'are for `baton check`'
}
tap_ok 'a machine is not told its registers' run_with_a_root

# Region 0 is described 0x40 behind the header: address, size, offset, type.
poke() {
	cp "$seed/good-el1.img" "$tmp/poked"
	printf '%b' "$2" | dd of="$tmp/poked" bs=1 seek="$1" conv=notrunc status=none
}
poke "$(off image_header 0x40)" '\x00\x00\x00\x70'
tap_ok 'a region that is copied over the loader' said 1 'is copied over the image itself' -- \
	"$tmp/poked"
poke "$(off image_header 0x4f)" '\x7f'
tap_ok 'a region of impossible size' said 2 'truncated, or a broken header: region 0' -- "$tmp/poked"
poke "$(off image_header 0x60)" '\x00\x10\x00\x40'
tap_ok 'a region that is copied over another' said 1 'region 1 is copied over region 0' -- "$tmp/poked"
tap_end
