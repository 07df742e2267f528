#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/walk.sh [PAIRS] - one translation, end to end from GDB: `monitor pt-walk` through
# baton against QEMU's own `monitor gva2gpa` on a direct connection, in turn. GDB 13 writes each
# character of a monitor's answer by a system call of its own, so length counts.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
pairs=${1:-15} count=1000
boot linux

# gdb_loop COMMAND ADDRESS: microseconds for each of $count. One that is not repeated, and the
# clock is read by GDB's own shell, so that connecting does not count.
gdb_loop() {
	cat >"$tmp/script" <<-EOF
		set pagination off
		set confirm off
		set tcp connect-timeout 10
		target remote ${2#unix:}
		monitor $1 0x400000
		shell echo \$EPOCHREALTIME >$tmp/start
		set \$i = 0
		while \$i < $count
		monitor $1 0x400000
		set \$i = \$i + 1
		end
		shell echo \$EPOCHREALTIME >$tmp/end
	EOF
	SHELL=/bin/bash "$GDB" -nx -q -batch -x "$tmp/script" >"$tmp/gdb.out" 2>&1
	[ -s "$tmp/end" ] || { cat "$tmp/gdb.out" >&2; return 1; }
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
	gdb_loop "$1" "unix:$tmp/sock"
	{ kill "$baton" && wait "$baton"; } 2>/dev/null
	pids=${pids/ $baton/}
}

for ((i = 0; i < pairs; i++)); do
	gdb_loop gva2gpa "$address" >>"$tmp/times.direct" || exit 2
	through_baton pt-walk >>"$tmp/times.walk" || exit 2
	through_baton 'pt-walk -q' >>"$tmp/times.quiet" || exit 2
	through_baton gva2gpa >>"$tmp/times.passed" || exit 2
done
echo "$count commands from GDB, $pairs rounds; microseconds each: median (quartiles)"
for w in walk quiet passed direct; do
	case $w in
	walk) label='pt-walk through baton' ;;
	quiet) label='pt-walk -q through baton' ;;
	passed) label='gva2gpa through baton' ;;
	direct) label='gva2gpa, direct' ;;
	esac
	printf '%-34s %8.1f (%.1f-%.1f)\n' "$label" "$(quartile .5 $w)" "$(quartile .25 $w)" \
		"$(quartile .75 $w)"
done
for w in walk quiet; do
	paste "$tmp/times.$w" "$tmp/times.direct" | awk '{ print $1 / $2 }' >"$tmp/times.ratio"
	printf '%-34s %8.2f (upper quartile %.2f)\n' "$w / gva2gpa, direct" "$(quartile .5 ratio)" \
		"$(quartile .75 ratio)"
done
