#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The shim that makes a QEMU under TCG behave as one under KVM (tests/kvm): each trait once,
# by packets, on a machine of one CPU with a few instructions in its memory.
# shellcheck disable=SC2034,SC2254,SC2317 # read away; patterns; called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

reply=''

# ask PACKET: $reply
ask() {
	local i sum=0 code
	for ((i = 0; i < ${#1}; i++)); do
		printf -v code '%d' "'${1:i:1}"
		sum=$((sum + code))
	done
	printf '$%s#%02x' "$1" $((sum & 255)) >&3
	answer
}
answer() {
	local junk
	IFS= read -r -t 5 -d '$' junk <&3
	IFS= read -r -t 5 -d '#' reply <&3
	IFS= read -r -t 5 -N 2 junk <&3
}
# says PACKET REPLY
says() {
	ask "$1"
	case $reply in
	$2) return 0 ;;
	esac
	echo "# $1: '$reply', not '$2'"
	return 1
}
hmp() {
	ask "qRcmd,$(printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n')"
}
word() { # ADDR INSTRUCTION, as the Arm ARM writes it
	says "M$1,4:${2:6:2}${2:4:2}${2:2:2}${2:0:2}" OK
}
pc() { says "P20=${1:6:2}${1:4:2}${1:2:2}${1:0:2}00000000" OK; }
at() { # stands at ADDR: `g` first, since the machine has run
	ask g
	[ "${reply:512:8}" = "${1:6:2}${1:4:2}${1:2:2}${1:0:2}" ] || { echo "# pc is ${reply:512:8}, not $1" && false; }
}
shim() { # OPTIONS...: descriptor 3 is connected
	rm -f "$tmp/shim"
	"$O/tests/kvm/kvm-shim" localhost:0 "unix:$tmp/gdb" "$@" >"$tmp/shim" &
	pid=$! pids="$pids $!"
	wait_line "$tmp/shim" 'kvm-shim: '
	exec 3<>"/dev/tcp/127.0.0.1/$(sed 's/.*://' "$tmp/shim")"
	says 'qSupported:multiprocess+' '*'
}

qemu_start tcg -S -M virt -cpu cortex-a53 -m 64M -gdb "unix:$tmp/gdb,server=on,wait=off"
wait_file "$tmp/gdb"
qemu=$pid
shim

tap_ok 'info kvm: a line' hmp 'info kvm'
answer
tap_ok 'info kvm: its end' test "$reply" = OK
tap_ok 'stepping knows no NOIRQ, no NOTIMER' says qqemu.sstepbits ENABLE=1
tap_ok '... and takes none' says Qqemu.sstep=7 E22
tap_ok '... but ENABLE' says Qqemu.sstep=1 OK

# code: nop to 0x40001010, there `b .`; an exception goes to 0x40002200
nop=d503201f
for a in 40001000 40001004 40001008 4000100c 40002204; do word $a $nop >/dev/null; done
word 40001010 14000000
word 40002200 14000000
pc 40001000
tap_ok 'Z0 is taken' says Z0,40001004,4 OK
tap_ok '... and is brk #0 in memory' says m40001004,4 000020d4
tap_ok 'a step elsewhere goes on' says 'vCont;s:p1.1' 'T05*'
tap_ok '... to the trap' at 40001004
tap_ok 'a step from a trap' says 'vCont;s:p1.1' 'T05*'
tap_ok '... stays there' at 40001004
pc 40001000
tap_ok 'a run stops at the trap with SIGTRAP' says 'vCont;c' 'T05thread:*'
tap_ok '... at its pc' at 40001004
tap_ok 'z0 is taken' says z0,40001004,4 OK
tap_ok '... and gives the instruction back' says m40001004,4 1f2003d5
tap_ok 'z0 of none fails' says z0,40001004,4 E22
tap_ok 'Z0 where nothing is mapped fails' says Z0,1000000000000,4 E22

says Z0,40001004,4 OK
says Z1,40001008,4 OK
word 40001004 $nop
pc 40001000
tap_ok 'a trap that is overwritten is lost' says 'vCont;c' 'T05*'
tap_ok '... and Z1 behind it stops' at 40001008
tap_ok 'z0 of a lost trap fails' says z0,40001004,4 E22
tap_ok 'Z0 where one was lost is OK' says Z0,40001004,4 OK
tap_ok '... and writes nothing' says m40001004,4 1f2003d5
tap_ok 'a step from Z1' says 'vCont;s:p1.1' 'T05*'
tap_ok '... stays there' at 40001008
tap_ok '? removes them all' says '?' 'T05*'
tap_ok '... z1 finds none' says z1,40001008,4 E22

# VBAR_EL1 = 0x40002000 by code, then a brk that is nobody's
word 40001000 d518c000 # msr vbar_el1, x0
word 40001004 d4200020 # brk #1
says P0=0020004000000000 OK
pc 40001000
says Z1,40002200,4 OK
tap_ok 'a brk of the guest is an exception of the guest' says 'vCont;c' 'T05*'
tap_ok '... at its vector' at 40002200
says z1,40002200,4 OK

for i in 0 1 2 3 4 5; do
	tap_ok "Z1 number $((i + 1)) of 6" says "Z1,4000110$i,4" OK
done
tap_ok 'Z1 number 7 fails' says Z1,40001110,4 E22
tap_ok '... Z2 has slots of its own' says Z2,40003000,8 OK
tap_ok 'after z1 one is free' says z1,40001100,4 OK
tap_ok '... and taken' says Z1,40001110,4 OK
tap_ok 'a watchpoint of 24 bytes fails' says Z2,40003100,18 E22
tap_ok '... of 16 is taken' says Z3,40003100,10 OK
says Z4,40003200,4 OK
says Z4,40003300,4 OK
tap_ok 'watchpoint number 5 of 4 fails' says Z2,40003400,8 E22

word 40001000 f9000020 # str x0, [x1]
says P1=0030004000000000 OK
pc 40001000
tap_ok 'a watchpoint triggers' says 'vCont;c' 'T05*watch:*40003000;*'
tap_ok '... before the store' at 40001000
tap_ok '... which has not happened' says m40003000,8 0000000000000000
tap_ok '? removes those too' says '?' 'T05*'

# p before g or m
word 40001000 91000400 # add x0, x0, #1
says P0=0700000000000000 OK
pc 40001000
tap_ok 'p after a write' says p0 0700000000000000
ask 'vCont;s:p1.1'
tap_ok 'p before g is stale' says p0 0700000000000000
tap_ok 'P before g is OK' says P0=ff00000000000000 OK
ask g
tap_ok '... and lost' test "${reply:0:16}" = 0800000000000000
tap_ok 'p after g is fresh' says p0 0800000000000000
exec 3>&-
process_end "$pid"

shim --slots 4,2
for i in 0 4 8 c; do says "Z1,4000110$i,4" OK; done
tap_ok '4,2: Z1 number 5 fails' says Z1,40001120,4 E22
says Z2,40003000,8 OK
says Z2,40003008,8 OK
tap_ok '4,2: Z2 number 3 fails' says Z2,40003010,8 E22
exec 3>&-
process_end "$pid"
process_end "$qemu"
rm -f "$tmp/gdb"

# A guest that reads two pages for ever (tests/tlb): x1 is what it sees.
elf=$tmp/tlb.elf
"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
	-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$elf" || exit 2
symbol() { "${CROSS:-aarch64-linux-gnu-}nm" "$elf" | sed -n "s/^0*\([0-9a-f]*\) . $1\$/\1/p"; }
sees() { # five steps are once round the loop, and one
	local n
	for n in 1 2 3 4 5; do ask 'vCont;s:p1.1'; done
	ask g
	[ "${reply:16:16}" = "$1" ] || { echo "# x1 is ${reply:16:16}, not $1" && false; }
}
qemu_start tlb -S -M virt -cpu cortex-a53 -m 64M -device "loader,file=$elf,cpu-num=0" \
	-gdb "unix:$tmp/gdb,server=on,wait=off"
qemu=$pid
wait_file "$tmp/gdb"
shim
says "Z1,$(symbol loop),4" OK
ask 'vCont;c'
says "z1,$(symbol loop),4" OK
tap_ok 'the guest sees a page' sees aaaa000000000000
printf -v desc '%08x' $((0x$(symbol c) + 0x703))
word "$(symbol one)" "$desc"
tap_ok '... and the same after its descriptor has changed' sees aaaa000000000000
says Z2,40000000,3 OK
says z2,40000000,3 OK
says Z2,50000ff8,10 OK
says z2,50000ff8,10 OK
tap_ok 'watchpoints that come and go refresh nothing' sees aaaa000000000000
exec 3>&-
process_end "$pid"

# The control: without the shim they do.
"$O/baton" attach -l none -s "$elf" -e 'pt-set 0x40000000 L3 OA=d' -e 'step 5' -e 'info registers' \
	"unix:$tmp/gdb" >"$tmp/out" 2>&1
tap_ok 'TCG itself is refreshed by them' grep -qi 'X01=000000000000dddd' "$tmp/out"
tap_end
