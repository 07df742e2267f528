#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `handoff trace` against GDB's own stepi and QEMU's own log, across calls, exceptions, `eret` and
# the MMU's switch; where it ends; what is kept.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

second=$O/tests/loader2
el2=virt,virtualization=on
addr=0x48000000

# What GDB sees: where, and five registers, before each of N steps from START.
by_gdb() { # IMAGE MACHINE START N
	rm -f "$tmp/gdb.sock"
	qemu_start gdb -machine "$2" -cpu cortex-a53 -m 2G -S -gdb "unix:$tmp/gdb.sock,server=on,wait=off" \
		-device "loader,file=$1,addr=$addr,cpu-num=0"
	wait_file "$tmp/gdb.sock"
	gdb_run gdb 'set architecture aarch64
target remote $sock
if $pc != '"$3"'
tbreak *'"$3"'
continue
end
set $i = 0
while $i < '"$4"'
printf "step %lx %lx %lx %lx %lx %x\n", $pc, $x0, $x1, $x30, $sp, $cpsr
stepi
set $i = $i + 1
end
disconnect' 120
	process_end "$pid"
	grep -o 'step .*' "$tmp/gdb.out" >"$tmp/gdb.steps"
}
# The same from the JSON, which tells changes alone: what they start with is GDB's first line.
by_trace() {
	awk -v first="$(head -n 1 "$tmp/gdb.steps")" '
		BEGIN { split("x0 x1 x30 sp pstate", name); split(first, value) }
		function hex(text) { sub(/.*0x/, "", text); sub(/".*/, "", text); return text }
		/"number":/ {
			match($0, /"pc":"0x[0-9a-f]+"/)
			line = "step " hex(substr($0, RSTART, RLENGTH))
			for (i = 1; i <= 5; i++) {
				line = line " " value[i + 2]
				if (match($0, "\"" name[i] "\":{\"old\":\"0x[0-9a-f]+\",\"new\":\"0x[0-9a-f]+\"}"))
					value[i + 2] = hex(substr($0, RSTART, RLENGTH))
			}
			print line
		}' <"$out" >"$tmp/trace.steps"
}
same_steps() { # N
	by_trace
	[ "$(wc -l <"$tmp/trace.steps")" = "$1" ] && cmp -s "$tmp/gdb.steps" "$tmp/trace.steps" && return
	diff "$tmp/gdb.steps" "$tmp/trace.steps" | head -n 8 | sed 's/^/#   /'
	return 1
}
ran() { grep -qE "\"insn\":\"$1" "$out" || show; }

# agrees NAME MACHINE N BEFORE: baton and GDB from where the command BEFORE ends, or reset
agrees() {
	local start=$addr go=()
	[ -z "$4" ] || go=(-e "$4")
	baton "$second/$1.img" $addr "$2" "${go[@]}" -e "handoff trace $3" -e 'handoff trace show --json'
	[ -z "$4" ] || start=$(sed -n 's/.*it stands at EL., \(0x[0-9a-f]*\)\. next: `handoff run.*/\1/p;
		s/.*it stands at EL., \(0x[0-9a-f]*\)\. next: `handoff until.*/\1/p' "$out" | head -n 1)
	by_gdb "$second/$1.img" "$2" "$start" "$3"
	tap_ok "$3 steps of $1 on $2, from ${4:-reset}, as GDB sees them" same_steps "$3"
	tap_ok '... and each has its word' test "$(grep -c '"word":"0x' "$out")" = "$3"
}
agrees good-eret $el2 60 ''
tap_ok '... eret to another level' ran eret
agrees good-smc virt 60 ''
tap_ok '... an exception' says '"exception":true'
agrees good virt 400 'handoff until event 1'
tap_ok '... the MMU on, the jump' ran 'br x9'
agrees good virt 400 'handoff until user'
tap_ok '... svc, and back to EL0' ran svc

# QEMU's own log of what it ran, one instruction a block.
qemu_log() {
	timeout 60 "$QEMU" -machine virt -cpu cortex-a53 -m 2G -display none -monitor none -serial null \
		-nic none -singlestep -d exec,nochain -D "$tmp/exec.log" \
		-device "loader,file=$second/good.img,addr=$addr,cpu-num=0" </dev/null 2>/dev/null &
	pid=$!
	pids="$pids $pid"
	for _ in {1..200}; do
		[ -s "$tmp/exec.log" ] && [ "$(grep -c ^Trace "$tmp/exec.log")" -gt 300 ] && break
		sleep 0.1
	done
	process_end "$pid"
	sed -n 's,^Trace 0: [^[]*\[[0-9a-f]*/\([0-9a-f]*\)/.*,\1,p' "$tmp/exec.log" | sed 's/^0*//' |
		head -n 300 >"$tmp/exec.pcs"
	baton "$second/good.img" $addr virt -e 'handoff trace 300' -e 'handoff trace show --json'
	sed -n 's/.*"pc":"0x\([0-9a-f]*\)".*/\1/p' "$out" >"$tmp/trace.pcs"
	[ -s "$tmp/exec.pcs" ] && cmp "$tmp/exec.pcs" "$tmp/trace.pcs"
}
tap_ok "300 instructions as QEMU's log has them" qemu_log

# Where it ends.
good=$second/good.img
baton "$good" $addr virt -e 'handoff trace 100 --keep 10' -e 'handoff trace show' -e 'handoff trace show 3'
tap_ok 'a ring of 10 has the last 10, and says how many there were' \
	test "$(grep -cE ' (9[1-9]|100)  EL1  0x' "$out")" = 23
tap_ok '... none of those before' never_says '    90  EL1'
tap_ok 'how many, and how fast' says '100 instructions of CPU0 in '
tap_ok 'exit status 0' ends_with 0
baton "$good" $addr virt -e 'handoff trace until mmu-on' -e 'handoff trace 2'
tap_ok 'until mmu-on: behind the msr' says 'msr sctlr_el1, '
tap_ok '... said' says ': mmu-on.'
baton "$second/good-eret.img" $addr $el2 -e 'handoff trace until el-change' -e 'handoff trace 1'
tap_ok 'until el-change: the eret is the last' says '  eret'
tap_ok '... and it stands below' says 'it stands at EL1, '
baton "$second/good-smc.img" $addr virt -e 'handoff trace until exception' -e 'handoff trace 1'
tap_ok 'until exception: an smc that nobody serves' says 'takes an exception'
baton "$good" $addr virt -e 'handoff trace to 0x480000cc until user' -e 'handoff trace to 0x48000010 8'
tap_ok 'to ADDR' says ': there.'
tap_ok 'to ADDR that is not reached: exit status 1' ends_with 1
baton "$good" $addr virt -e 'handoff trace until kernel'
tap_ok 'until what takes more than steps: refused' ends_with 2
tap_ok '... with the list' says 'a trace can go until mmu-on, el-change, psci, exception, user'
baton "$good" $addr virt -e 'handoff trace show'
tap_ok 'nothing yet' says 'nothing was traced'

# From GDB: armed, GDB's continue runs it; its breakpoints end it, and so does Ctrl-C.
baton_start armed -machine virt -cpu cortex-a53 -m 2G -device "loader,file=$good,addr=$addr,cpu-num=0"
gdb_run armed 'target remote $sock
monitor handoff trace 5
continue
printf "after %lx\n", $pc
break *0x480000d4
monitor handoff trace 1000
continue
monitor handoff trace show 1
stepi
continue'
process_end "$pid"
out=$tmp/armed.out status=0
tap_ok 'armed' says 'armed: continue'
tap_ok 'the stop is an ordinary one' says 'after 48000040'
tap_ok "a breakpoint of GDB's ends it" says "a breakpoint of GDB's"
tap_ok '... before what is there runs' says '     7  EL1  0x480000d0  stp x27, x28, [x25], #0x10'
tap_ok 'continue is continue again' test "$(grep -c 'Breakpoint 1, 0x00000000480000d4' "$out")" = 2

# What cannot be fetched, and what is read only behind its step: the vector of a fault.
baton "$O/examples/seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e 'handoff trace 3' \
	-e 'handoff trace show --json'
tap_ok 'a jump to what is not mapped: no word is made up' says \
	'"pc":"0xffffff8040000000","word":null,"late":false,"exception":true'
tap_ok '... the vector is next' says '     3  EL1  0x7000'
baton "$O/examples/seed/fault-el1.img" 0x70000000 virt -e 'handoff until user' \
	-e 'handoff trace 20000 until exception' -e 'handoff trace 1'
tap_ok "a task's exception: the vector has not run" says 'it stands at EL1, 0x'
tap_ok '... and its word is read before it does' never_says 'read after it ran'
cp "$good" "$tmp/load.img" # movn x1, #0; ldr x0, [x1]
printf '\001\000\200\222\040\000\100\371' | dd of="$tmp/load.img" bs=1 conv=notrunc status=none
baton "$tmp/load.img" $addr virt -e 'handoff trace 4'
tap_ok 'a load that faults' says 'ldr x0, [x1]                   [0xffffffffffffffff]'
tap_ok '... its vector is read behind the step, and said to be' says '     3  EL1  0x200       .word 0x00000000 (read after it ran)'

# An instruction that does not come back: wfi at the image's first word.
cp "$good" "$tmp/wfi.img"
printf '\177\040\003\325' | dd of="$tmp/wfi.img" bs=1 conv=notrunc status=none
baton "$tmp/wfi.img" $addr virt -e 'handoff trace 5'
tap_ok 'wfi: it is the last' says '     1  EL1  0x48000000'
tap_ok '... said' says 'it does not step: it waits for an interrupt'
tap_ok '... exit status 1' ends_with 1

tap_end
