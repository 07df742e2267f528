#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/tables.sh [PAIRS] - the dump of the reference guest's tables, by packets and
# from QEMU's memory, against the least that any client has to do (yardstick.c), in turn.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
pairs=${1:-15}
boot linux

# Each writes "SECONDS ..." and is one line of the table below. The machine stays stopped
# from the first to the last.
one_1() { "$O/tests/bench/yardstick" "$address" 1; }
one_16() { "$O/tests/bench/yardstick" "$address" 16; }
one_64() { "$O/tests/bench/yardstick" "$address" 64; }
one_mem() { "$O/tests/bench/yardstick" "$address" mem "$pid"; }
# Seconds of the last of baton's commands, which prints one line, from the line before it:
# inside [OPTIONS] -e CMD...
inside() {
	local now=0 before=0
	set -o pipefail
	"$O/baton" attach -l none -e 'help ram' "$@" "$address" 2>"$tmp/err" | {
		while read -r _; do before=$now now=${EPOCHREALTIME/./}; done
		echo "$((now - before))" | awk '{ print $1 / 1e6 }'
	} || { cat "$tmp/err" >&2; return 1; }
}
one_dump() { inside --packets -e 'pt-dump -o /dev/null'; }
one_dump_mem() { inside -e 'pt-dump -o /dev/null'; }
one_diff() { inside -e 'pt-snap a' -e 'pt-snap b' -e 'pt-diff a b'; }
one_diff_now() { inside -e 'pt-snap a' -e 'pt-diff a'; }

what='dump 64 dump_mem mem diff diff_now 16 1'

declare -A label=(
	[1]='bare client, 1 packet under way' [16]='bare client, 16' [64]='bare client, 64'
	[mem]='the same pages by /proc/PID/mem'
	[dump]='pt-dump by packets' [dump_mem]='pt-dump by /proc/PID/mem'
	[diff]='pt-diff of two snapshots' [diff_now]='pt-diff of one and what is now'
)
for ((i = 0; i < pairs; i++)); do
	for w in $what; do
		# 7 s each, and nothing is compared with it.
		[ "$w" = 1 ] && [ "$i" -gt 2 ] && continue
		"one_$w" >>"$tmp/times.$w" || exit 2
	done
done

# A over B, pair by pair.
ratio() {
	paste "$tmp/times.$1" "$tmp/times.$2" | awk -v a="$1" \
		'{ n = split($0, f, "\t"); split(f[1], x, " "); split(f[n], y, " "); print x[1] / y[1] }' \
		>"$tmp/times.ratio"
	printf '%-34s %5.2f (upper quartile %.2f)\n' "${label[$1]} / ${label[$2]}" \
		"$(quartile .5 ratio)" "$(quartile .75 ratio)"
}

read -r _ tables leaves <"$tmp/times.64"
echo "$tables tables, $leaves leaves, $pairs rounds; seconds: median (quartiles)"
for w in $what; do
	printf '%-34s %8s (%s-%s)\n' "${label[$w]}" "$(quartile .5 "$w")" "$(quartile .25 "$w")" \
		"$(quartile .75 "$w")"
done
ratio dump 64
ratio dump_mem mem
ratio dump_mem dump
ratio diff dump_mem
ratio diff_now dump_mem

# Private memory, looked at all the time.
most() {
	local most=0 key kb baton
	"$O/baton" attach -l none "$@" "$address" >"$tmp/out" 2>&1 &
	baton=$!
	while [ -r "/proc/$baton/status" ] && kill -0 "$baton" 2>/dev/null; do
		while read -r key kb _; do
			[ "$key" = RssAnon: ] && [ "$kb" -gt "$most" ] && most=$kb
		done 2>/dev/null <"/proc/$baton/status"
	done
	wait "$baton" && echo "$most"
}
echo "RssAnon, the most of it: pt-dump by packets $(most --packets -e 'pt-dump -o /dev/null') KiB," \
	"by /proc/PID/mem $(most -e 'pt-dump -o /dev/null') KiB"
