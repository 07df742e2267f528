#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/gdb.sh [PAIRS] [WORK...] - what GDB's user waits for through baton, and through
# a process that only forwards (forward.c), over the same directly. Every way has its own
# QEMU and GDB, all stand at the same instruction, and take turns, in another order each
# round; a ratio is taken within its round, and the first round is thrown away.
# BATON_OPTIONS go to baton, WAYS are those to compare.
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64} GDB=${GDB:-gdb-multiarch}
CROSS=${CROSS:-aarch64-linux-gnu-}
pairs=${1:-15}
loader=$O/loader/qemu_virt_aarch64_el1/loader.elf
kernel=$O/examples/kernel/kernel-el1.elf
image=$O/examples/seed/good-el1.img

tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-bench.XXXXXX") || exit 2
pids=()
cleanup() {
	local p
	for p in "${pids[@]}"; do
		{ kill "$p" && wait "$p"; } 2>/dev/null
	done
	pids=()
}
trap 'cleanup; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

at() { printf '*0x%s' "$("${CROSS}nm" "$1" | sed -n "s/ [tT] $2\$//p")"; }
# shellcheck disable=SC2016
loop() { printf 'set $i = 0\nwhile $i < %d\n%s\nset $i = $i + 1\nend\n' "$@"; }

# What is timed: a label, what comes before it, and what is timed. In the order of the boot;
# the loader's largest copy is long enough for all rounds.
declare -A label before timed
work() { order+=("$1") label[$1]=$2 before[$1]=$3 timed[$1]=$4; }
order=()
work continue '20 stops at a breakpoint' "break $(at "$loader" uart_putc)" "$(loop 20 continue)"
work stepi '200 stepi, loader, MMU off' $'delete\n'"tbreak $(at "$loader" copy) if \$x2 > 0x10000"$'\ncontinue' \
	"$(loop 200 stepi)"
work examine '2 x/1000gx' echo "$(loop 2 'x/1000gx 0x70000000')"
work next '5 next, loader, with symbols' "file $loader" "$(loop 5 next)"
work kernel '200 stepi, kernel, MMU on' $'file\n'"tbreak $(at "$kernel" tables_build)"$'\ncontinue' \
	"$(loop 200 stepi)"
[ $# -lt 2 ] || order=("${@:2}")

wait_for() {
	local _
	for _ in {1..500}; do
		[ -e "$1" ] && return 0
		sleep 0.01
	done
	echo "no $1" >&2
	exit 2
}
wait_port() {
	local _
	for _ in {1..500}; do
		grep -qi ":$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp && return 0
		sleep 0.01
	done
	echo "nobody listens on port $1" >&2
	exit 2
}

# open_way WAY: QEMU, what stands before it, and a GDB that reads commands from ${to[WAY]}.
# An empty line would repeat the command before it. Each `stamp` of its script sends the time to the descriptor $from.
declare -A to
mkfifo "$tmp/from"
exec {from}<>"$tmp/from"
open_way() {
	local way=$1 dir=$tmp/$1 port fd
	mkdir "$dir"
	local target=$dir/gdb listen=unix:$dir/gdb qemu=unix:$dir/qemu,server=on,wait=off
	case $way in
	*-tcp) port=$("$O/tests/bench/forward" port) target=localhost:$port listen=$target ;;
	esac
	case $way in
	direct) target=$dir/qemu ;;
	direct-tcp) qemu=tcp:127.0.0.1:$port ;;
	esac
	"$QEMU" -display none -monitor none -nic none -serial null -machine virt -cpu cortex-a53 -m 2G \
		-device "loader,file=$image,addr=0x70000000,cpu-num=0" -S -gdb "$qemu" </dev/null \
		2>"$dir/qemu.log" &
	pids+=($!)
	[ "$way" = direct-tcp ] || wait_for "$dir/qemu"
	case $way in
	forward*) "$O/tests/bench/forward" "$listen" "unix:$dir/qemu" & pids+=($!) ;;
	baton*)
		# shellcheck disable=SC2086
		"$O/baton" attach ${BATON_OPTIONS:-} -l "$listen" "unix:$dir/qemu" 2>"$dir/baton.log" &
		pids+=($!)
		;;
	esac
	case $way in
	*-tcp) wait_port "$port" ;;
	*) wait_for "$target" ;;
	esac
	mkfifo "$dir/to"
	"$GDB" -nx -q <"$dir/to" >/dev/null 2>"$dir/gdb.log" &
	pids+=($!)
	exec {fd}>"$dir/to"
	to[$way]=$fd
	printf 'set pagination off\nset confirm off\nset architecture aarch64\ntarget remote %s\n' \
		"$target" >&"$fd"
}

# turn WAY SCRIPT: how long it took, in seconds, to $seconds.
turn() {
	local stamp='shell date +%s%N >'$tmp/from start end
	printf '%s\n%s\n%s\n' "$stamp" "$2" "$stamp" >&"${to[$1]}"
	if ! read -r -t 60 -u "$from" start || ! read -r -t 60 -u "$from" end; then
		echo "$1 did not get to the end of: $2" >&2
		tail -n 5 "$tmp/$1"/*.log >&2
		exit 2
	fi
	seconds=$(((end - start) / 1000)) seconds=$((seconds / 1000000)).$(printf %06d $((seconds % 1000000)))
}

read -ra ways <<<"${WAYS:-direct baton forward direct-tcp baton-tcp forward-tcp}"
for way in "${ways[@]}"; do
	open_way "$way"
done
for w in "${order[@]}"; do
	for way in "${ways[@]}"; do
		turn "$way" "${before[$w]}"
	done
	for ((round = 0; round <= pairs; round++)); do
		for ((k = 0; k < ${#ways[@]}; k++)); do
			way=${ways[(k + round) % ${#ways[@]}]}
			turn "$way" "${timed[$w]}"
			[ "$round" -eq 0 ] || echo "$seconds" >>"$tmp/$w.$way"
		done
	done
done

# A over B, pair by pair: median, quartiles, and every one of them.
row() {
	[ -s "$tmp/$1.$2" ] || return 0
	paste "$tmp/$1.$2" "$tmp/$1.$3" | awk '{ print $1 / $2 }' >"$tmp/ratio"
	sort -g "$tmp/ratio" | awk -v name="$4" -v pairs="$(awk '{ printf " %.2f", $1 }' "$tmp/ratio")" '
		function q(p, i) { i = 1 + p * (NR - 1); return v[int(i)] + (i - int(i)) * (v[int(i) + (i > int(i))] - v[int(i)]) }
		{ v[NR] = $1 }
		END { printf "%-38s %7.2f %7.2f %7.2f  %s\n", name, q(.5), q(.25), q(.75), pairs }'
}

echo "ratios to a direct connection, $pairs pairs"
printf '%-38s %7s %7s %7s   %s\n' '' median lower upper 'each pair'
for w in "${order[@]}"; do
	echo "${label[$w]} (directly $(sort -g "$tmp/$w.direct" | sed -n "$(((pairs + 1) / 2))p") s)"
	row "$w" baton direct '  baton'
	row "$w" forward direct '  a plain forwarder'
	row "$w" baton-tcp direct-tcp '  baton, TCP'
	row "$w" forward-tcp direct-tcp '  a plain forwarder, TCP'
done
