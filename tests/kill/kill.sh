#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Baton is killed, QEMU is killed, the link is cut, at system calls of patches and of an undo:
# the next baton's `patches` says of each write what memory (QEMU's own `xp`) says, and undoes
# all of it. Samples; with KILL_ALL=1 every system call from the first line of the journal on.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"

elf=$tmp/tlb.elf
"${CROSS:-aarch64-linux-gnu-}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
	-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 tests/tlb/tlb.S -o "$elf" || exit 2
journal=$tmp/journal
killat=$O/tests/kill/killat

machine() {
	rm -f "$tmp/stub"
	qemu_start kill -machine virt -cpu cortex-a53 -device "loader,file=$elf,cpu-num=0" \
		-gdb "unix:$tmp/stub,server=on,wait=off" -S
	wait_file "$tmp/stub"
}
attach() { "$O/baton" attach -l none -s "$elf" --journal "$journal" "$@" "unix:$tmp/stub" </dev/null; }

# Two descriptors by `patch` and one more by a transaction; two instructions apart from one another; the first goes back.
patches=(-e 'patch one = c+0x703 -g' -e 'pt-set 0x40001000 L3 OA=d' -e 'patch loop-loop+0x10 smc->hvc' -e 'undo 1')
prepare=(-e 'patch loop = 0xd4000003 0xd503201f 0xd4000023')
struck() { # MODE N
	"$killat" "$1" "$2" "$O/baton" attach -l none -s "$elf" --journal "$journal" "${patches[@]}" \
		"unix:$tmp/stub" >"$tmp/struck.out" 2>&1 </dev/null
}

# What `patches` says against what xp shows: addresses as text, without leading zeros.
judge() {
	awk '
	function bare(text) { sub(/^(0x)?0*/, "", text); sub(/:$/, "", text); return text }
	function verdict() {
		is = there == count ? "applied" : there ? there " of" : "not there"
		ok = state ~ /^(undone|not|absent)/ ? there == 0 : state ~ /^applied/ ? there == count : state == is
		if (!ok && count) { print "# patch " number " is said to be " state ", and is " is; bad = 1 }
	}
	/^no patches/ { none = 1 }
	/^[0-9a-f]+: 0x/ { mem[bare($1)] = $2; next }
	/^ +[0-9]+  [a-z0-9]/ {
		if (number) verdict()
		number = $1; state = $2; there = count = 0; said = 1
		if ($3 == "of") state = $2 " of"
	}
	/ -> / {
		at = ""
		for (i = 1; i <= NF; i++) {
			if (at == "" && $i ~ /^0x/) at = bare($i)
			if ($i == "->") { old = $(i - 1); new = $(i + 1) }
		}
		count++
		there += mem[at] == new
		if (mem[at] != new && mem[at] != old) { print "# " at " holds " mem[at] ": " $0; bad = 1 }
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
strike_all() { # MODE SAMPLES
	local n step=1 failed=0
	[ "${KILL_ALL:-0}" = 1 ] || step=$(((last - first) / $2 + 1))
	for ((n = first - 2; n <= last; n += step)); do
		rm -f "$journal"
		struck "$1" "$n"
		truth "$1" "$n" || failed=$((failed + 1))
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
tap_end
