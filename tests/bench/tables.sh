#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/tables.sh [PAIRS] - the dump of the reference guest's tables, by packets and
# from QEMU's memory, against the least that any client has to do (yardstick.c), in turn.
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64} G=${O:-build}/guests
pairs=${1:-15} marker='' args=()
here=$(dirname "$0")

row() {
	[ "$1" = linux ] || return 0
	marker=$3 args=("${@:4}")
}
# shellcheck source=tests/guests/list.sh
. "$here/../guests/list.sh"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-bench.XXXXXX") || exit 2
pid=
# shellcheck disable=SC2317
cleanup() {
	[ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

address=unix:$tmp/gdb
"$QEMU" -display none -monitor none -nic none -serial "file:$tmp/console" \
	-gdb "$address,server=on,wait=off" "${args[@]}" </dev/null 2>"$tmp/qemu.log" &
pid=$!
until grep -aqF -- "$marker" "$tmp/console" 2>/dev/null; do
	kill -0 "$pid" 2>/dev/null || { cat "$tmp/qemu.log" >&2; exit 2; }
	sleep 0.2
done

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

quartile() { sort -g "$tmp/times.$2" | awk -v q="$1" '{ v[NR] = $1 } END { i = 1 + q * (NR - 1);
	printf "%.4f", v[int(i)] + (i - int(i)) * (v[int(i) + (i > int(i))] - v[int(i)]) }'; }
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
