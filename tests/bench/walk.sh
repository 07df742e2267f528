#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/walk.sh [PAIRS] - one translation, end to end from GDB: `monitor pt-walk` through
# baton against QEMU's own `monitor gva2gpa` on a direct connection, in turn. GDB 13 writes each
# character of a monitor's answer by a system call of its own, whether it comes as console output
# or as the final reply: so there is also an answer of QEMU's that is as long as a walk.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
pairs=${1:-15} count=1000
boot linux

# gdb_loop ADDRESS COMMAND: microseconds for each of $count. One that is not repeated, and the
# clock is read by GDB's own shell, so that connecting does not count. `disconnect` leaves the
# guest stopped where it is: all rounds translate by the same tables.
gdb_loop() {
	cat >"$tmp/script" <<-EOF
		set pagination off
		set confirm off
		set tcp connect-timeout 10
		target remote ${1#unix:}
		monitor $2
		shell echo \$EPOCHREALTIME >$tmp/start
		set \$i = 0
		while \$i < $count
		monitor $2
		set \$i = \$i + 1
		end
		shell echo \$EPOCHREALTIME >$tmp/end
		disconnect
	EOF
	SHELL=/bin/bash "$GDB" -nx -q -batch -x "$tmp/script" >"$tmp/gdb.out" 2>&1
	[ -s "$tmp/end" ] || { cat "$tmp/gdb.out" >&2; return 1; }
	awk -v n="$((count + 1))" '/\[Inferior/ { next } { c += length($0) + 1 } END { print int(c / n + .5) }' \
		"$tmp/gdb.out" >"$tmp/length"
	awk -v n="$count" '{ t[FILENAME] = $1 } END { printf "%.2f\n", (t[ARGV[2]] - t[ARGV[1]]) * 1e6 / n }' \
		"$tmp/start" "$tmp/end"
	rm "$tmp/start" "$tmp/end"
}

through_baton() {
	local baton
	rm -f "$tmp/sock"
	"$O/baton" attach -l "unix:$tmp/sock" "$address" >"$tmp/baton.log" 2>&1 &
	baton=$!
	pids="$pids $baton"
	until [ -e "$tmp/sock" ]; do
		kill -0 "$baton" || { cat "$tmp/baton.log" >&2; return 1; }
		sleep 0.05
	done
	gdb_loop "unix:$tmp/sock" "$1"
	{ kill "$baton" && wait "$baton"; } 2>/dev/null
	pids=${pids/ $baton/}
}

declare -A label=(
	[walk]='pt-walk through baton' [quiet]='pt-walk -q through baton'
	[passed]='gva2gpa through baton' [direct]='gva2gpa, direct'
	[long]='help snapshot_blkdev, direct'
)
one_walk() { through_baton 'pt-walk 0x400000'; }
one_quiet() { through_baton 'pt-walk -q 0x400000'; }
one_passed() { through_baton 'gva2gpa 0x400000'; }
one_direct() { gdb_loop "$address" 'gva2gpa 0x400000'; }
one_long() { gdb_loop "$address" 'help snapshot_blkdev'; }

what='direct walk long quiet passed'
for ((i = 0; i < pairs; i++)); do
	for w in $what; do
		"one_$w" >>"$tmp/times.$w" || exit 2
		mv "$tmp/length" "$tmp/length.$w"
	done
done
echo "$count commands from GDB, $pairs rounds; microseconds each: median (quartiles)"
for w in $what; do
	printf '%-34s %8.1f (%.1f-%.1f), %d characters\n' "${label[$w]}" "$(quartile .5 "$w")" \
		"$(quartile .25 "$w")" "$(quartile .75 "$w")" "$(<"$tmp/length.$w")"
done
ratio() {
	paste "$tmp/times.$1" "$tmp/times.$2" | awk '{ print $1 / $2 }' >"$tmp/times.ratio"
	printf '%-34s %8.2f (upper quartile %.2f)\n' "$1 / ${label[$2]}" "$(quartile .5 ratio)" \
		"$(quartile .75 ratio)"
}
ratio walk direct
ratio walk long
ratio quiet direct
