# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the end-to-end tests share; a test sources it (see boot.sh) and ends
# with `tap_end`. Run them by `make check`, or one by `O=build tests/e2e/NAME.sh`.
#
#   $tmp                        a folder that goes away with the test: sockets, logs
#   tap_ok NAME CMD...          one test: passes if CMD does
#   has FILE LINE               FILE has a line with LINE in it (a fixed string)
#   hasnt FILE LINE             ... and is there to be read, but has none
#   wait_line FILE LINE [SECS]  until it has one; fails after SECS (30), or once the
#                               process $pid is gone without having written it
#   qemu_start NAME ARGS...     QEMU in the background: $pid, its console is $console
#   wait_file PATH              until it is there
#   baton_run, baton_start, qemu_of, process_gone, gdb_run: see below
#   baton IMAGE ADDRESS MACHINE OPTIONS...
#                               baton's commands on an image, $smp CPUs: $out, a file, and $status;
#                               then ends_with STATUS, says LINE, never_says LINE, last_line LINE
#   process_end PID             end a process that the test has started, and wait for it
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64} GDB=${GDB:-gdb-multiarch}
tap_count=0 tap_bad=0 pids='' pid='' qemu_pid='' listen='' target='' console='' gdb_files=()
out='' status='' smp=1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-e2e.XXXXXX") || exit 2

lib_cleanup() {
	local p
	for p in $pids; do
		process_end "$p"
	done
	rm -rf "$tmp"
}
trap lib_cleanup EXIT
trap 'exit 130' INT TERM HUP

process_end() {
	local n
	kill "$1" 2>/dev/null
	# One that does not listen must not hold up the others.
	for n in {1..50}; do
		kill -0 "$1" 2>/dev/null || break
		[ "$n" -lt 50 ] || kill -KILL "$1"
		sleep 0.1
	done
	wait "$1" 2>/dev/null
	pids=${pids/ $1/}
}

tap_ok() {
	local name=$1 verdict=ok
	shift
	"$@" || { verdict='not ok' tap_bad=$((tap_bad + 1)); }
	tap_count=$((tap_count + 1))
	echo "$verdict $tap_count - $name"
}

tap_end() {
	echo "1..$tap_count"
	exit $((tap_bad > 0))
}

has() { grep -qF -- "$2" "$1"; }
hasnt() { [ -r "$1" ] && ! has "$1" "$2"; }

wait_line() {
	local end=$((SECONDS + ${3:-30}))
	until has "$1" "$2" 2>/dev/null; do
		if [ $SECONDS -ge $end ] || { [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; }; then
			has "$1" "$2" 2>/dev/null && return 0
			echo "# no line '$2' in ${1##*/}, which ends with:"
			tail -n 12 "$1" 2>/dev/null | sed 's/^/#   /'
			return 1
		fi
		sleep 0.1
	done
}

qemu_start() {
	console=$tmp/$1.console
	shift
	: >"$console"
	"$QEMU" -display none -monitor none -nic none -serial "file:$console" "$@" </dev/null &
	pid=$!
	pids="$pids $pid"
}

wait_file() {
	local n
	for n in {1..300}; do
		[ -e "$1" ] && return 0
		sleep 0.02
	done
	echo "# no file $1"
	return 1
}

# True once the process PID is gone (a zombie counts as gone), within 5 seconds.
process_gone() {
	local n
	for n in {1..100}; do
		[ -n "$1" ] && [ -r "/proc/$1/stat" ] || return 0
		case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in Z* | '') return 0 ;; esac
		sleep 0.05
	done
	return 1
}

# QEMU as the child of baton's process PID, before baton ends.
qemu_of() {
	cat "/proc/$1/task/$1/children" 2>/dev/null | tr -d ' '
}

# Baton in the background: $pid, what it says is $tmp/NAME.log.
baton_run() {
	local name=$1
	shift
	"$O/baton" "$@" >"$tmp/$name.log" 2>&1 </dev/null &
	pid=$!
	pids="$pids $pid"
}

# baton_start NAME QEMU'S ARGUMENTS: ... listening at $listen, by default $tmp/NAME.sock;
# $target is what GDB is told, QEMU is $qemu_pid.
baton_start() {
	local name=$1
	shift
	console=$tmp/$name.console
	: >"$console"
	rm -f "$tmp/$name.sock"
	baton_run "$name" run -l "${listen:-unix:$tmp/$name.sock}" -- "$QEMU" -display none -monitor none \
		-nic none -serial "file:$console" "$@"
	wait_line "$tmp/$name.log" 'waiting for GDB'
	# shellcheck disable=SC2034
	target=$(sed -n 's/.*: target remote //p' "$tmp/$name.log")
	# A small machine has nobody who knows the name.
	target=${target/#localhost:/127.0.0.1:}
	# shellcheck disable=SC2034
	qemu_pid=$(qemu_of "$pid")
}

# gdb_run NAME SCRIPT [SECONDS]: its output is $tmp/NAME.out. $sock in SCRIPT is the
# socket $tmp/NAME.sock. Commands come by standard input: an error ends nothing.
gdb_run() {
	{
		printf '%s\n' 'set prompt' 'set pagination off' 'set confirm off' 'set width 0' \
			'set style enabled off' 'set auto-load off'
		printf '%s\n' "${2//\$sock/$tmp/$1.sock}"
		printf '%s\n' 'echo END OF SCRIPT\n'
	} >"$tmp/$1.gdb"
	timeout -k 5 "${3:-60}" "$GDB" -nx -q "${gdb_files[@]}" \
		<"$tmp/$1.gdb" >"$tmp/$1.out" 2>&1
}

baton() {
	local image=$1 addr=$2 machine=$3
	shift 3
	out=$tmp/$((tap_count + 1)).out
	timeout 120 "$O/baton" run -l none "$@" -- "$QEMU" -machine "$machine" -cpu cortex-a53 \
		-m 2G -nographic -nic none -smp "$smp" \
		-device "loader,file=$image,addr=$addr,cpu-num=0" </dev/null >"$out" 2>&1
	status=$?
	sed 's/\r$//' -i "$out"
}

# what a test that failed looked at
show() {
	echo "# status $status; the output ends with:"
	tail -n 20 "$out" | sed 's/^/#   /'
	return 1
}
# in_order PATTERN...: lines that match, one behind the other
in_order() {
	local p at=0 n
	for p; do
		n=$(tail -n "+$((at + 1))" "$out" | grep -nE -m1 -- "$p" | cut -d: -f1)
		[ -n "$n" ] || { echo "# missing or out of order: $p"; show; return 1; }
		at=$((at + n))
	done
}
ends_with() { [ "$status" = "$1" ] || show; }
says() { has "$out" "$1" || show; }
never_says() { hasnt "$out" "$1" || show; }
last_line() { [ "$(tail -n 1 "$out")" = "$1" ] || show; }
