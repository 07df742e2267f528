#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/trace.sh [ROUNDS] - `handoff trace` against a bare C client's single steps and
# against GDB's `stepi` in a loop. Each has its own QEMU; they go through the same instructions of
# the loader, taking turns, in another order each round. Each counts without its start.
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64} GDB=${GDB:-gdb-multiarch}
rounds=${1:-15} steps=${STEPS:-1000} stepis=${STEPIS:-300}
image=$O/examples/seed/good-el1.img
tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-bench.XXXXXX") || exit 2
pids=()
cleanup() {
	local p
	for p in "${pids[@]}"; do
		{ kill "$p" && wait "$p"; } 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

for way in bare baton gdb; do
	"$QEMU" -display none -monitor none -nic none -serial null -machine virt -cpu cortex-a53 -m 2G \
		-device "loader,file=$image,addr=0x70000000,cpu-num=0" -S \
		-gdb "unix:$tmp/$way,server=on,wait=off" </dev/null 2>"$tmp/$way.log" &
	pids+=($!)
	for _ in {1..500}; do
		[ -e "$tmp/$way" ] && break
		sleep 0.01
	done
done
printf '%s\n' 'set pagination off' 'set confirm off' 'set architecture aarch64' \
	"target remote $tmp/gdb" "shell date +%s%N >$tmp/start" 'set $i = 0' \
	"while \$i < $stepis" 'stepi' 'set $i = $i + 1' 'end' "shell date +%s%N >$tmp/end" \
	'disconnect' >"$tmp/script"

# Microseconds of one instruction, to times.WAY.
turn() {
	case $1 in
	bare)
		"$O/tests/bench/stepper" "unix:$tmp/bare" "$steps" 2>>"$tmp/bare.log" |
			awk -v n="$steps" '{ print $1 / n * 1e6 }'
		;;
	baton)
		"$O/baton" attach -l none -e "handoff trace $steps" "unix:$tmp/baton" >"$tmp/out" 2>&1
		sed -n "s,^$steps instructions of CPU0 in .* (\\([0-9]*\\)/s).*,\\1,p" "$tmp/out" |
			awk '{ print 1e6 / $1 } END { exit NR != 1 }' || { cat "$tmp/out" >&2; exit 2; }
		;;
	gdb)
		"$GDB" -nx -q -batch -x "$tmp/script" >"$tmp/gdb.out" 2>&1
		awk -v n="$stepis" -v us=$((($(<"$tmp/end") - $(<"$tmp/start")) / 1000)) \
			'BEGIN { print us / n }'
		;;
	esac >>"$tmp/times.$1" || exit 2
}

ways=(bare baton gdb)
for ((round = 0; round < rounds; round++)); do
	for ((k = 0; k < 3; k++)); do
		turn "${ways[(k + round) % 3]}"
	done
done

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# ratio A B: how many times faster A is, round by round
ratio() {
	paste "$tmp/times.$2" "$tmp/times.$1" | awk '{ printf "%.2f\n", $1 / $2 }' >"$tmp/ratio"
	printf '%-44s %6s   %s\n' "$3" "$(median <"$tmp/ratio")" "$(tr '\n' ' ' <"$tmp/ratio")"
}
echo "$rounds rounds; instructions a second, by the median:"
for way in "${ways[@]}"; do
	printf '  %-6s %7.0f\n' "$way" "$(median <"$tmp/times.$way" | awk '{ print 1e6 / $1 }')"
done
ratio baton bare 'handoff trace / a bare client (>= 0.9)'
ratio baton gdb "handoff trace / GDB's stepi (>= 4)"
