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
# baton's own, the whole process from its start to its end: seconds OPTIONS...
seconds() {
	local start=${EPOCHREALTIME/./}
	"$O/baton" attach -l none "$@" "$address" >"$tmp/out" 2>&1 || { cat "$tmp/out" >&2; return 1; }
	echo "$((${EPOCHREALTIME/./} - start))" | awk '{ print $1 / 1e6 }'
}
one_dump() { seconds --packets -e 'pt-dump -o /dev/null'; }
one_dump_mem() { seconds -e 'pt-dump -o /dev/null'; }
one_none() { seconds -e 'help pt-dump'; }

what='dump 64 dump_mem mem 16 1 none'

declare -A label=(
	[1]='bare client, 1 packet under way' [16]='bare client, 16' [64]='bare client, 64'
	[mem]='the same pages by /proc/PID/mem'
	[dump]='pt-dump by packets' [dump_mem]='pt-dump by /proc/PID/mem'
	[none]='baton and no dump at all'
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

# RLIMIT_DATA counts what is private and writable, touched or not: an upper bound of RssAnon.
for ((limit = 2; limit < 256; limit += 2)); do
	(ulimit -d $((limit * 1024)) && one_dump_mem >/dev/null 2>&1) && break
done
echo "private memory of pt-dump: at most $limit MiB"
