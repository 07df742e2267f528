# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the benches on a real guest share; a bench sources it.
#
#   $tmp          a folder that goes away with the bench
#   boot NAME     one of tests/guests/list.sh, up: QEMU is $pid, its stub $address
#   quartile Q W  of the first numbers of the lines of $tmp/times.W
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64} GDB=${GDB:-gdb-multiarch} G=${O:-build}/guests
tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-bench.XXXXXX") || exit 2
address=unix:$tmp/gdb pid='' pids=''
here=$(dirname "${BASH_SOURCE[0]}")

# shellcheck disable=SC2317
cleanup() {
	local p
	for p in $pids; do
		{ kill "$p" && wait "$p"; } 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

boot() {
	local want=$1 marker='' args=()
	row() {
		[ "$1" = "$want" ] || return 0
		marker=$3 args=("${@:4}")
	}
	# shellcheck source=tests/guests/list.sh
	. "$here/../guests/list.sh"
	"$QEMU" -display none -monitor none -nic none -serial "file:$tmp/console" \
		-gdb "$address,server=on,wait=off" "${args[@]}" </dev/null 2>"$tmp/qemu.log" &
	pid=$!
	pids="$pids $pid"
	until grep -aqF -- "$marker" "$tmp/console" 2>/dev/null; do
		kill -0 "$pid" 2>/dev/null || { cat "$tmp/qemu.log" >&2; exit 2; }
		sleep 0.2
	done
}

quartile() { sort -g "$tmp/times.$2" | awk -v q="$1" '{ v[NR] = $1 } END { i = 1 + q * (NR - 1);
	printf "%.4f", v[int(i)] + (i - int(i)) * (v[int(i) + (i > int(i))] - v[int(i)]) }'; }
