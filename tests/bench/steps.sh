#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What baton costs GDB: the same work through baton, through a plain forwarder and directly,
# in alternation; medians of the ratios of PAIRS pairs, after one that is thrown away.
# usage: steps.sh [PAIRS]      (WORK=pattern for some of it)
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/../e2e/lib.sh"

pairs=${1:-15}
image=(-machine virt -cpu cortex-a53 -m 2G
	-device "loader,file=$O/examples/seed/good-el1.img,addr=0x70000000,cpu-num=0")

declare -A work=(
	[stepi]='while $i < 100
stepi
set $i = $i + 1
end'
	[x]='while $i < 2
x/1000gx 0x70000000
set $i = $i + 1
end'
	[breakpoints]='hbreak *0x70000c00
while $i < 20
set $pc = 0x70000000
continue
set $i = $i + 1
end
delete'
)

# GDB measures nothing: its script has the clock read between pieces of the work, all alike.
# Other processes only ever add time, so a pair compares the best piece of each.
# measure NAME WORK: nanoseconds in $ns.
pieces=8
measure() {
	local i script
	script="target remote \$sock
stepi
stepi
set logging file /dev/null
set logging redirect on
set logging enabled on"
	for ((i = 0; i < pieces; i++)); do
		script+="
set \$i = 0
shell date +%s%N >>$tmp/clock
${work[$2]}
shell date +%s%N >>$tmp/clock"
	done
	: >"$tmp/clock"
	gdb_run "$1" "$script
set logging enabled off"
	ns=$(awk 'NR % 2 { t = $1; next } { d = $1 - t; if (!m || d < m) m = d } END { printf "%d", m }' "$tmp/clock")
	process_end "$pid" 2>/dev/null
}

through_baton() {
	baton_start baton "${image[@]}"
	measure baton "$1"
}

directly() {
	rm -f "$tmp/direct.sock"
	qemu_start direct "${image[@]}" -S -gdb "unix:$tmp/direct.sock,server=on,wait=off"
	wait_file "$tmp/direct.sock"
	measure direct "$1"
}

through_forwarder() {
	local qemu
	rm -f "$tmp/forward.sock" "$tmp/behind.sock"
	qemu_start forward "${image[@]}" -S -gdb "unix:$tmp/behind.sock,server=on,wait=off"
	qemu=$pid
	wait_file "$tmp/behind.sock"
	"$O/tests/bench/forward" "$tmp/forward.sock" "$tmp/behind.sock" &
	pid=$!
	pids="$pids $pid"
	wait_file "$tmp/forward.sock"
	measure forward "$1"
	process_end "$qemu" 2>/dev/null
}

quartiles() {
	sort -n | awk '{ r[NR] = $1 } END {
		printf "median %.3f  quartiles %.3f %.3f  of %d", r[int((NR + 1) / 2)],
			r[int((NR + 3) / 4)], r[int((3 * NR + 1) / 4)], NR }'
}

for w in stepi x breakpoints; do
	case $w in *${WORK:-}*) ;; *) continue ;; esac
	for way in baton forwarder; do
		ratios=''
		for ((n = 0; n <= pairs; n++)); do
			# Who is first alternates.
			if ((n % 2)); then
				through_$way "$w"; mine=$ns
				directly "$w"; direct=$ns
			else
				directly "$w"; direct=$ns
				through_$way "$w"; mine=$ns
			fi
			((n)) || continue
			ratios+=$(awk "BEGIN { printf \"%.3f\", $mine / $direct }")$'\n'
		done
		printf '%-12s %-10s ÷ direct: %s\n' "$w" "$way" "$(printf %s "$ratios" | quartiles)"
		printf '%s' "$ratios" | tr '\n' ' ' | sed 's/^/   pairs: /; s/$/\n/'
	done
done
