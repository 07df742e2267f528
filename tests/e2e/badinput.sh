#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad input of every kind: a message that says what was wrong, the right exit status, and
# nothing that hangs.
# shellcheck disable=SC2016,SC2317 # $register is baton's; functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

out=$tmp/out
seed=$O/examples/seed/good-el1.img
kernel=$O/examples/kernel/kernel-el1.elf
task=$O/examples/kernel/task.elf
qemu=("$QEMU" -display none -monitor none -nic none -serial null -M virt -cpu cortex-a53 -m 2G)

# says STATUS TEXT COMMAND... - it ends in time with that status and has TEXT in what it says
says() {
	local want=$1 text=$2 status
	shift 2
	timeout -k 5 60 "$@" >"$out" 2>&1 </dev/null
	status=$?
	if [ "$status" = "$want" ] && has "$out" "$text"; then
		return 0
	fi
	echo "# exit status $status instead of $want, or no '$text' in:"
	head -c 2000 "$out" | sed 's/^/#   /'
	return 1
}

# bad NAME TEXT COMMAND... - that is: 2, and TEXT
bad() {
	tap_ok "$1" says 2 "$2" "${@:3}"
}

# typed COMMAND TEXT [STATUS] - a command of baton's, on a machine that has just been made
typed() {
	tap_ok "${1:0:40}" says "${3:-2}" "$2" "$O/baton" run -l none -e "$1" -- "${qemu[@]}"
}

# at_entry COMMAND TEXT [STATUS] - the same where tables are: before the kernel's first instruction
at_entry() {
	tap_ok "at the kernel's entry: $1" says "${3:-2}" "$2" "$O/baton" run -l none -e 'handoff run' \
		-e "$1" -- "${qemu[@]}" -device "loader,file=$seed,addr=0x70000000,cpu-num=0"
}

long() { printf "%0.s$1" {1..5000}; }

# --- files that are not what they should be
printf '\377\330\377\340\0\020JFIF\0\001\001\0\0\001\0\001\0\0' >"$tmp/photo.jpg"
head -c 3000 /dev/zero >>"$tmp/photo.jpg"
head -c 40 "$kernel" >"$tmp/short.elf"
head -c 5000 "$kernel" >"$tmp/cut.elf"
: >"$tmp/empty"
symbols() { bad "-s: $1" "$2" "$O/baton" run -l none -s "$tmp/$1" -e ram -- "${qemu[@]}"; }
symbols photo.jpg 'photo.jpg: not an ELF file'
symbols short.elf 'short.elf: '
symbols cut.elf 'cut.elf: a broken or truncated ELF file'
symbols empty 'empty: not an ELF file'
symbols none 'none: No such file or directory'
bad '-s: a folder' 'not an ELF file' "$O/baton" run -l none -s "$tmp" -e ram -- "${qemu[@]}"

# The task goes behind the kernel by itself; what can overlap is the loader (more: mkimage.sh).
image() {
	bad "baton-mkimage: $1" "$2" "$O/baton-mkimage" --board "$3" --kernel "$4" --task "$5" -o "$tmp/img"
}
board=qemu_virt_aarch64_el1
"${CROSS:-aarch64-linux-gnu-}objcopy" --change-section-lma '*+0x30000000' "$kernel" "$tmp/over.elf"
image 'a JPEG as kernel' 'photo.jpg: not an ELF file' $board "$tmp/photo.jpg" "$task"
image 'a JPEG as task' 'photo.jpg: not an ELF file' $board "$kernel" "$tmp/photo.jpg"
image 'a kernel that is cut' 'cut.elf: truncated' $board "$tmp/cut.elf" "$task"
image 'no such kernel' 'none: No such file or directory' $board "$tmp/none" "$task"
image 'no such task' 'none: No such file or directory' $board "$kernel" "$tmp/none"
image 'an unknown board' 'no loader for board amiga' amiga "$kernel" "$task"
image 'the kernel on the loader' "overlaps the loader's image" $board "$tmp/over.elf" "$task"
bad 'baton-mkimage: an unknown option' "unrecognized option '--frob'" "$O/baton-mkimage" --frob
tap_ok 'and no image is left behind' test ! -e "$tmp/img"

# --- commands and expressions
typed 'pt-walk' 'VA is missing (usage: pt-walk VA'
typed 'pt-walk zzz' 'no symbol named zzz'
typed 'pt-walk 0x12g4' '"0x12g4": not a number at "g4"'
typed 'pt-walk 1 2 3' '2: one argument too many'
typed 'pt-walk -r el9 0' 'regime "el9": '
typed 'pt-walk -r' '-r: no such option here, or its value is missing'
typed 'pt-walk -c 99 0' '-c 99: no such CPU (there are 0 to 0)'
typed 'pt-walk -c x 0' '-c: "x": no symbol named x'
typed 'pt-walk -z 0' '-z: no such option here'
typed 'pt-walk 0 -a z' '-a z: the access is r, w or x'
typed 'pt-walk 99999999999999999999' 'does not fit in 64 bits'
typed 'pt-walk 1+' 'was expected at the end'
typed 'pt-walk (1' "')' is missing"
typed 'pt-walk $nosuch' 'no register named nosuch'
typed 'pt-walk "1' 'a quote that does not end'
typed "pt-walk $(long 1)" 'does not fit in 64 bits'
typed "pt-walk $(long '(')" 'nested deeper than'
typed "pt-walk $(long '1 ')" 'too many words'
typed "$(long x)" 'QEMU takes monitor commands of up to'
typed 'frobnicate' 'neither baton nor QEMU knows it'
typed 'help frobnicate' 'frobnicate'
typed 'sysreg FROB_EL1' 'FROB_EL1: CPU 0 has no register of that name'
typed 'mem 0x09000000 16' '0x9000000 is pl011, a device'
typed 'mem -p 0x09000000 16' '0x9000000 is pl011, a device'
typed 'mem -p 0xf00000000000 16' 'nothing is there'
typed 'mem 0x40000000 0' 'LEN is 1 to'
typed 'mem -p 0xfffffffffffffff8 16' 'must not wrap around'
typed 'undo 99' 'there is no patch 99'
typed 'undo zzz' 'no symbol named zzz'
typed 'step zzz' 'no symbol named zzz'
typed 'step 0' 'N is 1 to'
typed 'cont soon' 'SECONDS is a number above 0'
typed 'cont -1' 'SECONDS is a number above 0'
typed 'handoff frob' 'there is no `handoff frob`'
typed 'symbols none.elf' 'none.elf: No such file or directory'
typed 'pt-set' 'VA is missing'
typed 'pt-set 0' 'LEVEL is missing'
typed 'pt-set 0 L9 0' '"L9" is no LEVEL'
typed 'pt-set 0 L1 3' 'the MMU is off'
typed 'quit' 'it would end the machine'

at_entry 'pt-set 0xffffff8040000000 L0 zzz' 'zzz'
at_entry 'pt-set 0xffffff8040000000 L2 FOO=1' 'FOO'
at_entry 'pt-set 0xffffff8040000000 L2 AF=7' 'AF'
at_entry 'pt-set 0xffffff8040000000 L2 OA=0x1234' 'OA'
at_entry 'pt-set 0xffffff8040000000 L3 3' 'L2'
at_entry 'pt-set 0x0010000000000000 L0 3' 'is not looked up in any table'
at_entry 'mem 0xffffff0000000000 16' 'translation fault, level 0' 1
at_entry 'pt-walk 0xffffff0000000000' 'translation fault, level 0' 1

# --- options
bad 'no arguments' 'usage: baton run' "$O/baton"
bad 'neither run nor attach' 'walk: neither run nor attach' "$O/baton" walk
bad 'an unknown option' "$O/baton: unrecognized option '--frob'" "$O/baton" run --frob -- "${qemu[@]}"
bad 'an option without its value' "option requires an argument -- 'e'" "$O/baton" run -e
bad '-x: no such file' "-x $tmp/none: No such file or directory" "$O/baton" run -x "$tmp/none" -- "${qemu[@]}"
bad '-x: a folder' "-x $tmp: Is a directory" "$O/baton" run -l none -x "$tmp" -- "${qemu[@]}"
bad '--timeout' '--timeout soon: a number of seconds' "$O/baton" run --timeout soon -- "${qemu[@]}"
bad '-l none and nothing to do' 'nothing to do' "$O/baton" run -l none -- "${qemu[@]}"
bad '-l of the world' '0.0.0.0:0: not a loopback address' "$O/baton" run -l 0.0.0.0:0 -- "${qemu[@]}"
bad '-l of nonsense' 'baton: -l nonsense: not an address' "$O/baton" run -l nonsense -- "${qemu[@]}"
bad "QEMU's -s" "QEMU's -s: baton makes the gdbstub itself" "$O/baton" run -e ram -- "${qemu[@]}" -s
bad "QEMU's -daemonize" 'baton must see QEMU end' "$O/baton" run -e ram -- "${qemu[@]}" -daemonize
bad 'attach to nothing' "baton: unix:$tmp/none: No such file or directory" \
	"$O/baton" attach -e ram "unix:$tmp/none"
bad 'attach to two' 'attach: one address' "$O/baton" attach -e ram unix:a unix:b
bad 'attach to nonsense' 'baton: nonsense: not an address' "$O/baton" attach -e ram nonsense

# --- QEMU missing, dying, killed
bad 'no QEMU named' 'which QEMU?' "$O/baton" run -e ram
bad 'no such QEMU' "$tmp/none: No such file or directory" "$O/baton" run -e ram -- "$tmp/none"
bad 'a folder as QEMU' "$tmp: Permission denied" "$O/baton" run -e ram -- "$tmp"
bad 'a QEMU that ends at once' 'false exited with status 1 before its gdbstub' "$O/baton" run -e ram -- false
bad 'a QEMU that does not like its arguments' 'exited with status 1 before' \
	"$O/baton" run -e ram -- "${qemu[@]}" -frob
bad 'a machine that is no AArch64' 'not an AArch64 machine' \
	"$O/baton" run -e ram -- "$QEMU" -display none -monitor none -nic none -serial null -M virt -cpu cortex-a15

# The wrapper's process becomes QEMU, so that its number is known; what `ram` says before
# `cont` tells that the machine is there.
printf '#!/bin/sh\necho $$ >"%s"\nexec "$@"\n' "$tmp/qemu.pid" >"$tmp/wrapper"
chmod +x "$tmp/wrapper"
killed() {
	local status
	"$O/baton" run -l none -e ram -e 'cont 50' -e ram -- "$tmp/wrapper" "${qemu[@]}" >"$out" 2>&1 </dev/null &
	pid=$!
	pids="$pids $pid"
	wait_line "$out" 'mach-virt.ram' || return 1
	sleep 0.5
	kill -KILL "$(cat "$tmp/qemu.pid")"
	wait "$pid"
	status=$?
	pids=${pids/ $pid/}
	[ "$status" = 2 ] && has "$out" 'QEMU was ended by signal 9' && [ "$(grep -c mach-virt.ram "$out")" = 1 ]
}
tap_ok 'QEMU killed during `cont`: said so, status 2, and nothing more is tried' killed
tap_end
