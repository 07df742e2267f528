#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Baton is killed, QEMU is killed, the link is cut, at system calls of patches, of an undo, of a
# split and of injections, under TCG and through the KVM shim: the next baton's `patches` says of
# each write what memory (QEMU's own `xp`) says, and undoes all of it. Samples; with KILL_ALL=1 every
# system call from the first line of the journal on.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"

elf=$tmp/tlb.elf
"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
	-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$elf" || exit 2
journal=$tmp/journal
killat=$O/tests/kill/killat
stub=stub

machine() {
	rm -f "$tmp/stub"
	qemu_start kill -machine virt -cpu cortex-a53 -device "loader,file=$elf,cpu-num=0" \
		-gdb "unix:$tmp/stub,server=on,wait=off" -S
	wait_file "$tmp/stub"
}
attach() { "$O/baton" attach -l none -s "$elf" --journal "$journal" "$@" "unix:$tmp/$stub" </dev/null; }

# Two descriptors by `patch` and one more by a transaction; two instructions apart from one another; the first goes back.
patches=(-e 'patch one = c+0x703 -g' -e 'pt-set 0x40001000 L3 OA=d' -e 'patch loop-loop+0x10 smc->hvc' -e 'undo 1')
prepare=(-e 'patch loop = 0xd4000003 0xd503201f 0xd4000023')
struck() { # MODE N
	"$killat" "$1" "$2" "$O/baton" attach -l none -s "$elf" --journal "$journal" "${patches[@]}" \
		"unix:$tmp/$stub" >"$tmp/struck.out" 2>&1 </dev/null
}

# What `patches` says against what xp shows: addresses as text, without leading zeros.
judge() {
	awk '
	function bare(text) { sub(/^(0x)?0*/, "", text); sub(/:$/, "", text); return text }
	# A place that is written twice (break-before-make) holds the first old, the last new, or what is in between.
	function verdict(at) {
		places = there = between = 0
		for (at in last) {
			places++
			there += mem[at] == last[at]
			between += mem[at] != last[at] && mem[at] != was[at]
			if (mem[at] != last[at] && mem[at] != was[at] && !((at, mem[at]) in passed)) { print "# " at " holds " mem[at]; bad = 1 }
		}
		is = there == places ? "applied" : there + between ? "partly" : "not there"
		ok = state ~ /^(undone|not|absent)/ ? is == "not there" : state ~ /^applied/ ? is == "applied" : state ~ / of$/ && (is == "partly" || is == "applied")
		if (!ok && places) { print "# patch " number " is said to be " state ", and is " is; bad = 1 }
		split("", last)
		split("", was)
	}
	/^no patches/ { none = 1 }
	/^[0-9a-f]+: 0x/ { mem[bare($1)] = $2; next }
	/^ +[0-9]+  [a-z0-9]/ {
		if (number) verdict()
		number = $1; state = $2; said = 1
		if ($3 == "of") state = $2 " of"
	}
	/ -> / {
		at = ""
		for (i = 1; i <= NF; i++) {
			if (at == "" && $i ~ /^0x/) at = bare($i)
			if ($i == "->") { old = $(i - 1); new = $(i + 1) }
		}
		if (!(at in was)) was[at] = old
		last[at] = new
		passed[at, new] = 1
	}
	END { if (number) verdict(); if (!said && !none) { print "# nothing was said"; bad = 1 } exit bad }' "$1"
}

fresh=(-e 'qemu xp/1gx 0x40204000' -e 'qemu xp/1gx 0x40204008' -e 'qemu xp/1wx 0x4020003c' -e 'qemu xp/1wx 0x40200044')
truth() { # MODE N: after what was struck there
	if ! attach "${fresh[@]}" -e patches >"$tmp/said" 2>"$tmp/said.err" || ! judge "$tmp/said"; then
		echo "# $1 at $2:"
		sed 's/^/#   /' "$journal" "$tmp/said.err" "$tmp/said"
		return 1
	fi
	attach -e 'undo all' >"$tmp/undo" 2>&1 && attach "${fresh[@]}" >"$tmp/after" 2>/dev/null && cmp -s "$tmp/before" "$tmp/after" && return
	echo "# $1 at $2: undo all did not bring back what was"
	sed 's/^/#   /' "$tmp/undo" "$tmp/after"
	return 1
}

# The same with each of N: all, or SAMPLES of them.
strike_all() { # MODE SAMPLES WHAT
	local n step=1 failed=0
	[ "${KILL_ALL:-0}" = 1 ] || step=$(((last - first) / $2 + 1))
	for ((n = first - 2; n <= last; n += step)); do
		rm -f "$journal"
		"struck${3:-}" "$1" "$n"
		"truth${3:-}" "$1" "$n" || failed=$((failed + 1))
		[ $failed -lt 3 ] || break
	done
	[ $failed = 0 ]
}

lies() {
	printf '%s\n' '0000000040204000: 0x01' "  1  $1 0x40204000  x  0x00 -> 0x01  y" >"$tmp/lie"
	! judge "$tmp/lie" >/dev/null
}
tap_ok 'the judge knows a lie' lies undone
tap_ok '... and another' lies 'not made'
tap_ok '... and the truth' eval '! lies applied'

machine
"$O/baton" attach -l none -s "$elf" -e 'cont 0.2' "${prepare[@]}" "unix:$tmp/stub" >/dev/null </dev/null
attach "${fresh[@]}" >"$tmp/before" 2>/dev/null
rm -f "$journal"
struck kill 0
read -r last first < <(tail -n 1 "$tmp/struck.out")
tap_ok 'the patches are made, and one goes back' truth none 0
tap_ok '... which takes system calls' [ "${first:-0}" -gt 0 ]
tap_ok 'baton is killed' strike_all kill 25
tap_ok 'the link is cut' strike_all cut 8

# A block that becomes a table of 512 pages, of which one leads elsewhere, and back: 65 writes, twice.
split=(-e 'pt-map 0x40300000 0x40001000 0x1000 rw --pool 0x40500000,0x1000' -e undo)
struck_split() { # MODE N
	"$killat" "$1" "$2" "$O/baton" attach -l none -s "$elf" --journal "$journal" "${split[@]}" \
		"unix:$tmp/$stub" >"$tmp/struck.out" 2>&1 </dev/null
}
tables=(-e 'qemu xp/1gx 0x40203008' -e 'qemu xp/512gx 0x40500000')
truth_split() { # MODE N
	local state is
	attach -e patches "${tables[@]}" >"$tmp/said" 2>"$tmp/said.err"
	state=$(sed -nE 's/^  1  ([a-z]+|[0-9]+ of).*/\1/p' "$tmp/said")
	is=$(sed -n 's/^00000000405[^:]*: //p' "$tmp/said" | tr ' ' '\n' | grep -vc '^0x0*$')
	is="$(grep -c '^0000000040203008: 0x0000000040500003' "$tmp/said") $is"
	case $is:$state in
	'0 0:' | '0 0:not' | '0 0:undone' | '0 0:absent' | '1 512:applied' | '1 512:'*of) ;;
	'0 0:'* | '1 512:'* | *:applied | *:undone | *:not | *:absent | *:)
		echo "# $1 at $2: '$state', and the link and its table are there so: $is"
		sed 's/^/#   /' "$tmp/said.err"
		return 1
		;;
	esac
	attach -e 'undo all' >"$tmp/undo" 2>&1 && attach "${tables[@]}" "${look[@]}" >"$tmp/after" 2>/dev/null && cmp -s "$tmp/before" "$tmp/after" && return
	echo "# $1 at $2: undo all did not bring back what was"
	sed 's/^/#   /' "$tmp/undo"
	return 1
}
look=(-e 'info registers' -e 'xp/64wx 0x40200000' -e 'mem 0x40001000 8' -e sysreg)
attach "${tables[@]}" "${look[@]}" >"$tmp/before" 2>/dev/null
rm -f "$journal"
struck_split kill 0
read -r last first < <(tail -n 1 "$tmp/struck.out")
tap_ok 'a block is split, and is one again' truth_split none 0
tap_ok '... and baton is killed' strike_all kill 20 _split
tap_ok '... or the link is cut' strike_all cut 10 _split

# Instructions that the CPU executes for baton: its registers, the code under its pc and the
# word that tlb-check marks are as they were, and what `patches` says of the register is so.
injected=(-e 'sysreg TTBR1_EL1 = 0x5000' -e 'tlb-check 0x40001000' -e 'tlb-flush -i' -e 'sysreg SCR_EL3')
struck_injected() { # MODE N
	"$killat" "$1" "$2" "$O/baton" attach -l none -s "$elf" --journal "$journal" "${injected[@]}" \
		"unix:$tmp/$stub" >"$tmp/struck.out" 2>&1 </dev/null
}
truth_injected() { # MODE N
	local state value
	attach -e patches -e 'sysreg TTBR1_EL1' >"$tmp/said" 2>"$tmp/said.err"
	state=$(sed -nE 's/^  1  ([a-z]+|[0-9]+ of).*/\1/p' "$tmp/said") value=$(sed -n 's/^TTBR1_EL1 = \([0-9a-fx]*\).*/\1/p' "$tmp/said")
	case $state:$value in
	applied:0x0000000000005000 | '1 of':0x0000000000005000 | :0x0000000000000000 | absent:0x0000000000000000 | not:0x0000000000000000) ;;
	*)
		echo "# $1 at $2: '$state', and TTBR1_EL1 is $value"
		sed 's/^/#   /' "$journal" "$tmp/said.err" "$tmp/said"
		return 1
		;;
	esac
	attach -e 'undo all' >"$tmp/undo" 2>&1 && attach "${look[@]}" >"$tmp/after" 2>/dev/null && cmp -s "$tmp/before" "$tmp/after" && return
	echo "# $1 at $2: not as it was before"
	sed 's/^/#   /' "$journal" "$tmp/said.err" "$tmp/undo"
	diff "$tmp/before" "$tmp/after" | sed 's/^/#   /'
	return 1
}
strike_injected() { # MODE SAMPLES
	rm -f "$journal"
	struck_injected kill 0
	read -r last first < <(tail -n 1 "$tmp/struck.out")
	attach -e 'undo all' >/dev/null 2>&1
	[ "${first:-0}" -gt 0 ] && strike_all "$1" "$2" _injected
}
attach "${look[@]}" >"$tmp/before" 2>/dev/null
tap_ok 'baton is killed within injections' strike_injected kill 20
tap_ok '... or the link is cut' strike_injected cut 6

# The control: what a baton without a journal leaves, killed within the injected words.
control() {
	rm -f "$journal"
	struck_injected kill $(((first + last) / 2))
	"$O/baton" attach -l none -s "$elf" "${look[@]}" "unix:$tmp/$stub" >"$tmp/after" 2>/dev/null </dev/null
	! cmp -s "$tmp/before" "$tmp/after" && attach -e 'undo all' >/dev/null 2>&1 &&
		attach "${look[@]}" >"$tmp/after" 2>/dev/null && cmp -s "$tmp/before" "$tmp/after"
}
tap_ok '... which the next one would find otherwise' control

# As under KVM: each edit of a table takes a `tlbi` that the CPU executes.
"$O/tests/kvm/kvm-shim" "unix:$tmp/shim" "unix:$tmp/stub" >"$tmp/shim.log" 2>&1 &
shim=$! pids="$pids $!"
wait_line "$tmp/shim.log" 'kvm-shim: '
stub=shim
fresh+=(-e 'info registers')
attach "${fresh[@]}" >"$tmp/before" 2>/dev/null
rm -f "$journal"
struck kill 0
read -r last first < <(tail -n 1 "$tmp/struck.out")
tap_ok 'as under KVM the patches are made' truth none 0
tap_ok '... and baton is killed' strike_all kill 15
tap_ok '... or the link is cut' strike_all cut 6
attach "${look[@]}" >"$tmp/before" 2>/dev/null
tap_ok '... within injections' strike_injected kill 15
stub=stub
process_end "$shim"
process_end "$pid"

# With QEMU all is gone that was patched: the next machine is another one.
killed_machine() {
	local n=$1
	rm -f "$journal"
	machine
	"$O/baton" attach -l none -s "$elf" -e 'cont 0.2' "${prepare[@]}" "unix:$tmp/stub" >/dev/null </dev/null
	struck "$pid" "$n"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	machine
	attach -e patches -e 'undo all' >"$tmp/said" 2>&1 || { sed 's/^/# /' "$tmp/said"; return 1; }
	! grep -Eq '^ +[0-9]+  (applied|absent|[0-9])' "$tmp/said"
	local status=$?
	process_end "$pid"
	return $status
}
tap_ok 'QEMU is killed early' killed_machine $((first + 10))
tap_ok 'QEMU is killed late' killed_machine $((last - (last - first) / 3))

# Two that keep their memory at the same address: QEMU's process tells them apart.
same_place() {
	local was
	rm -f "$journal"
	machine
	attach -e 'cont 0.2' -e 'patch one = c+0x703 -g' >/dev/null 2>&1
	process_end "$pid"
	was=$(grep -o 'ram=0x[0-9a-f]*' "$journal")
	machine
	attach -e patches >"$tmp/said" 2>&1
	process_end "$pid"
	[ -n "$was" ] && [ "$(grep -o 'ram=0x[0-9a-f]*' "$journal" | sort -u)" = "$was" ] && has "$tmp/said" '  1  elsewhere  ' && return
	sed 's/^/# /' "$journal" "$tmp/said"
	return 1
}
if setarch -R true 2>/dev/null; then
	printf '#!/bin/sh\nexec setarch -R %s "$@"\n' "$QEMU" >"$tmp/qemu"
	chmod +x "$tmp/qemu"
	QEMU=$tmp/qemu tap_ok 'without random addresses another QEMU is another machine' same_place
fi
tap_end
