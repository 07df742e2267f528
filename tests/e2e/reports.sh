#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# --junit, --tap and --json of runs that end well, badly, by a time limit, by a signal and by
# QEMU's death: the status, a report that is valid and says why, the console in it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

CROSS=${CROSS:-aarch64-linux-gnu-}
xsd=${0%/*}/junit.xsd
seed=$O/examples/seed
elf=$O/loader/qemu_virt_aarch64_el1/loader.elf
bad=$seed/lvl0-upper-zero.img
report=$tmp/report.xml
machine=("$QEMU" -machine virt -cpu cortex-a53 -m 2G -nographic -nic none)
entry=0xffffff8040000000

# run IMAGE OPTIONS...: standard output is $out, standard error $tmp/err; and $status
run() {
	local image=$1
	shift
	out=$tmp/$((tap_count + 1)).out
	timeout 120 "$O/baton" run "$@" -- "${machine[@]}" \
		-device "loader,file=$image,addr=0x70000000,cpu-num=0" </dev/null >"$out" 2>"$tmp/err"
	status=$?
	sed 's/\r$//' -i "$out" "$tmp/err"
}
# xpath EXPRESSION WANTED
xpath() {
	local is
	is=$(xmllint --xpath "string($1)" "$report")
	[ "$is" = "$2" ] || { echo "# $1 is '$is', not '$2'" && return 1; }
}
valid() { xmllint --noout --schema "$xsd" "$report" 2>"$tmp/xmllint" || { sed 's/^/# /' "$tmp/xmllint" && return 1; }; }
case_is() { xpath "count(//testcase[$1]/$2)" 1; }
out_of() { xmllint --xpath "string(//testcase[$1]/system-out)" "$report" | sed '${/^$/d}' >"$tmp/case"; }
# in_order FILE LINE LINE...
in_order() {
	local file=$1 line at=0 n
	shift
	for line; do
		n=$(tail -n +$((at + 1)) "$file" | grep -nF -m 1 -- "$line" | cut -d : -f 1)
		[ -n "$n" ] || { echo "# no '$line' behind line $at" && return 1; }
		at=$((at + n))
	done
}

# Something is found.
echo stale >"$report"
run "$bad" -s "$elf" -e 'handoff run' --timeout 60 --junit "$report"
tap_ok 'junit: exit status 1' ends_with 1
tap_ok 'junit: valid by its schema' valid
tap_ok 'junit: one test, one failure' xpath 'concat(//testsuite/@tests, //testsuite/@failures, //testsuite/@errors)' 110
tap_ok 'junit: the case has the command'\''s name' xpath '//testcase/@name' 'handoff run'
tap_ok 'junit: the message is the repair' xpath '//failure/@message' "$(tail -n 1 "$out")"
out_of 1
tap_ok 'junit: console and timeline are in it, in order' in_order "$tmp/case" 'VBAR_EL1 0 -> ' \
	'disabling MMU' 'MMU stays off' 'enabling MMU' 'MMU on' 'jumping to kernel' "next: br x8 -> $entry"
tap_ok 'junit: and nothing else' diff "$tmp/case" "$out"
tap_ok 'junit: QEMU'\''s command line is in it' xpath 'contains(//property[@name="subject"]/@value, "-cpu cortex-a53")' true
# What is printed is what is printed without it.
run "$bad" -s "$elf" -e 'handoff run'
tap_ok 'junit: standard output is as it is without' diff "$tmp/case" "$out"

# Found, repaired, booted: one case each.
run "$bad" -e 'handoff run' -e 'fix -y' -e 'handoff until user' --junit "$report"
tap_ok 'repaired: exit status 0' ends_with 0
tap_ok 'repaired: valid' valid
tap_ok 'repaired: the first case is a failure' case_is 1 failure
tap_ok 'repaired: the others are well' xpath 'count(//testcase[position() > 1]/*)' 2
out_of 3
tap_ok 'repaired: the kernel'\''s console is with its command' has "$tmp/case" 'dropped to user space'

# What ends the run is the words of an error.
run "$seed/good-el1.img" -e 'cont 100' -e why --timeout 3 --junit "$report"
tap_ok 'time limit: exit status 2' ends_with 2
tap_ok 'time limit: valid' valid
tap_ok 'time limit: an error' xpath '//testcase[1]/error/@message' '--timeout: 3 s are over'
tap_ok 'time limit: what was not run is skipped' case_is 2 skipped
out_of 1
tap_ok 'time limit: the console is there' has "$tmp/case" 'task: hello from EL0'

# killed NAME SIGNAL MESSAGE: of baton, or of QEMU
killed() {
	local victim
	"$O/baton" run -e 'cont 100' --junit "$report" -- "${machine[@]}" \
		-device "loader,file=$seed/good-el1.img,addr=0x70000000,cpu-num=0" </dev/null >"$tmp/$1.log" 2>&1 &
	pid=$!
	pids="$pids $pid"
	wait_line "$tmp/$1.log" 'task: hello' || return 1
	victim=$pid
	[ "$1" = baton ] || victim=$(qemu_of "$pid")
	kill "-$2" "$victim"
	wait "$pid"
	status=$?
	pids=${pids/ $pid/}
	[ $status = 2 ] && valid && xpath '//testcase/error/@message' "$3" && out_of 1 &&
		has "$tmp/case" 'task: hello' && has "$tmp/case" "baton: $3"
}
tap_ok 'SIGTERM: the report is there and says so' killed baton TERM 'ended by signal 15 (Terminated)'
tap_ok 'Ctrl-C: too' killed baton INT 'ended by signal 2 (Interrupt)'
tap_ok 'the death of QEMU: too' killed qemu KILL 'QEMU was ended by signal 9 (Killed)'
tap_ok 'nothing else is left beside the report' test "$(echo "$tmp"/report.xml*)" = "$report"

no_qemu() {
	"$O/baton" run -e 'handoff run' --junit "$report" -- "$tmp/no-qemu" 2>"$tmp/err"
	[ $? = 2 ] && valid && xpath '//error/@message' "$tmp/no-qemu: No such file or directory"
}
tap_ok 'no QEMU: an error, too' no_qemu

# TAP
run "$bad" -s "$elf" -e 'handoff run' -e 'fix # no' -e why --tap
tap_ok 'tap: exit status 2' ends_with 2
tap_ok 'tap: the lines that count' diff - <(grep '^[^ ]' "$out" | grep -v '^# ') <<-'END'
	TAP version 13
	1..3
	not ok 1 - handoff run
	not ok 2 - fix \# no
	ok 3 - why # SKIP not run: the run had ended
END
tap_ok 'tap: console and timeline are in it, in order' in_order "$out" '  output: |' '    $ handoff run' \
	'disabling MMU' 'MMU on' 'jumping to kernel' "    next: br x8 -> $entry" '  ...' 'not ok 2'
tap_ok 'tap: ... and on standard error' in_order "$tmp/err" 'disabling MMU' 'MMU on' 'jumping to kernel' 'next: br x8'
prove_reads() { # Perl's reader is the strictest that is everywhere
	prove -v -e cat "$out" >"$tmp/prove" 2>&1
	has "$tmp/prove" 'Failed tests:  1-2' && hasnt "$tmp/prove" 'Parse errors' || { sed 's/^/# /' "$tmp/prove" && false; }
}
tap_ok 'tap: a reader of TAP agrees' prove_reads
run "$seed/good-el1.img" -e 'handoff run' --tap --junit "$report"
tap_ok 'tap: a good image' ends_with 0
tap_ok 'tap: ok' says 'ok 1 - handoff run'
tap_ok 'tap: and JUnit at once' valid

# A guest that prints every byte, and what would end a CDATA section.
"${CROSS}gcc" -nostdlib -static -Wl,-Ttext=0x40080000,--build-id=none -o "$tmp/bytes.elf" -x assembler - <<-'END'
	.globl _start
	_start:
		mov x1, #0x09000000
		mov w2, #0
	1:	strb w2, [x1]
		add w2, w2, #1
		cmp w2, #256
		b.ne 1b
		adr x3, text
	2:	ldrb w2, [x3], #1
		strb w2, [x1]
		cbnz w2, 2b
	3:	wfi
		b 3b
	text:	.asciz "<![CDATA[]]>&lt; the end\n"
END
timeout 60 "$O/baton" run -e 'cont 2' --junit "$report" --tap -- "${machine[@]}" -kernel "$tmp/bytes.elf" \
	</dev/null >"$tmp/bytes.tap" 2>/dev/null
tap_ok 'any bytes: valid' valid
out_of 1
tap_ok 'any bytes: shown by number, text as it is' grep -qF '\xfe\xff<![CDATA[]]>&lt; the end' "$tmp/case"
tap_ok 'any bytes: TAP keeps its lines' test "$(grep -c '^ok' "$tmp/bytes.tap")$(LC_ALL=C grep -c '[^	 -~]' "$tmp/bytes.tap")" = 10

# attach has no console, and says so.
qemu_start other -machine virt -cpu cortex-a53 -m 2G -S -gdb "unix:$tmp/gdb,server=on,wait=off" \
	-device "loader,file=$bad,addr=0x70000000,cpu-num=0"
attached() {
	wait_file "$tmp/gdb"
	timeout 60 "$O/baton" attach -e 'handoff run' --junit "$report" --tap "unix:$tmp/gdb" >"$tmp/attach.tap" 2>/dev/null
	[ $? = 1 ] && valid && xpath '//property[@name="console"]/@value' 'of a QEMU that was there before: not seen by baton' &&
		has "$tmp/attach.tap" '# console: of a QEMU that was there before' && case_is 1 failure
}
tap_ok 'attach: the console is said to be elsewhere' attached

checked() {
	timeout 60 "$O/baton" check --junit "$report" "$bad" >"$tmp/check.out"
	[ $? = 1 ] && valid && xpath '//testcase/@name' check && xpath '//failure/@message' 'something is WRONG' &&
		out_of 1 && diff "$tmp/case" "$tmp/check.out"
}
tap_ok 'check: one case' checked
check_commands() {
	timeout 60 "$O/baton" check --junit "$report" --json "$bad" -e 'pt-walk $pc' -e ram >"$tmp/check.out"
	[ $? = 0 ] && valid && case_is 1 failure && xpath '//testcase[2]/@name' ram &&
		[ "$(grep -c '^{"command"' "$tmp/check.out")" = 3 ]
}
tap_ok 'check -e: a case a command, and JSON at once' check_commands
check_nothing() {
	timeout 60 "$O/baton" check --tap "$tmp/nothing" >"$tmp/check.out" 2>/dev/null
	[ $? = 2 ] && has "$tmp/check.out" 'not ok 1 - check' && has "$tmp/check.out" 'No such file'
}
tap_ok 'check: what cannot be opened is an error' check_nothing

# refuses WORDS ARGS...
refuses() {
	local words=$1
	shift
	timeout 60 "$O/baton" "$@" >"$tmp/refused" 2>&1 </dev/null
	[ $? = 2 ] && has "$tmp/refused" "$words" || { sed 's/^/# /' "$tmp/refused" && false; }
}
tap_ok '--junit without commands is refused' refuses '--junit is for commands of -e and -x: there are none' \
	run --junit "$report" -- "$QEMU"
tap_ok '--tap with a listener is refused' refuses 'leave -l out' attach -l "unix:$tmp/l" -e help --tap unix:/nowhere
tap_ok '--tap --json is refused' refuses 'choose one' run --tap --json -e help -- "$QEMU"
tap_ok 'a folder that is not there is named before QEMU starts' refuses "--junit $tmp/no/r: No such file" \
	run --junit "$tmp/no/r" -e help -- "$tmp/no-qemu"
tap_ok 'what is no file is not replaced' refuses '--junit /dev/null: ' run --junit /dev/null -e help -- "$tmp/no-qemu"

# JSON
run "$bad" -s "$elf" -e 'handoff run' -e 'handoff log --json' --json
tap_ok 'json: exit status 0' ends_with 0
tap_ok 'json: an object a command on standard output' test "$(grep -c '^{"command": .*}$' "$out")$(wc -l <"$out")" = 22
tap_ok 'json: a command' says '{"command": "handoff run", "ok": false, "status": 1, "output": "handoff: '
tap_ok 'json: how many warnings' says '", "warnings": 0}'
tap_ok 'json: the timeline is a member' says '"events": [{"kind": "sysreg", "cpu": 0, "el": 1, "pc": "0x70'
tap_ok 'json: the console is on standard error' has "$tmp/err" 'jumping to kernel'
run "$bad" -s "$elf" -e 'handoff run' -e 'handoff log' -e 'handoff log --json'
grep '^{"kind":' "$out" >"$tmp/events"
tap_ok 'log --json: as many objects as the log has events' \
	test "$(wc -l <"$tmp/events")" = $(($(grep -c '^  EL1' "$out") / 2))
tap_ok 'log --json: old and new value, level, place and words' grep -q \
	'^{"kind":"sysreg","cpu":0,"el":1,"pc":"0x[0-9a-f]*","symbol":"el1_mmu_enable+0x[0-9a-f]*","before":"0x30d00800","after":"0x30d0180d","name":"SCTLR_EL1","text":"SCTLR_EL1 0x30d00800 -> 0x30d0180d   MMU on","fields":"sets M, C, SA, I"}$' "$tmp/events"
tap_ok 'log --json: no operand is null' grep -q '"kind":"tlbi",.*"before":null,"after":null,' "$tmp/events"
tap_ok 'log --json: a call and its answer' grep -q '"kind":"call",.*"before":"0x84000000","after":"0x10001","name":"PSCI_VERSION"' "$tmp/events"

tap_end
