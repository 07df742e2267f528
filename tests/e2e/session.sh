#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How baton starts, refuses and ends: exit status, what it says, and no QEMU left behind.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

export TMPDIR=$tmp
image=$O/examples/seed/good-el1.img
qemu=("$QEMU" -display none -monitor none -nic none -machine virt -cpu cortex-a53 -m 256M)
loaded=(-device "loader,file=$image,addr=0x44000000,cpu-num=0")

# said NAME STATUS TEXT BATON'S ARGUMENTS...: it ends with STATUS and says TEXT.
said() {
	local name=$1 status=$2 text=$3 got
	shift 3
	timeout -k 5 60 "$O/baton" "$@" >"$tmp/said" 2>&1 </dev/null
	got=$?
	tap_ok "$name: exit status $status" [ $got = "$status" ]
	tap_ok "$name: says so" has "$tmp/said" "$text"
	[ $got = "$status" ] && has "$tmp/said" "$text" || sed 's/^/# /' "$tmp/said"
}

for option in -s --s -S -gdb --gdb -daemonize; do
	said "QEMU's $option" 2 "QEMU's $option:" run -l none -e help -- "${qemu[@]}" $option
done
said 'a QEMU that does not exist' 2 'No such file' run -l none -e help -- "$tmp/no-such-qemu"
said 'a QEMU that exits at once' 2 'exited with status 1' run -l none -e help -- "$QEMU" -nosuchoption
said 'attach to nobody' 2 'No such file' attach -l none -e help "unix:$tmp/nobody"
said 'attach to no address' 2 'not an address' attach -l none -e help 'nonsense:address'
said 'a listener for the world' 2 '--allow-remote' run -l 0.0.0.0:0 -- "${qemu[@]}"
said 'a listener that cannot be' 2 'No such file' run -l "unix:$tmp/no/where" -- "${qemu[@]}"
said 'no mode' 2 'usage:' -l none
said 'a wrong mode' 2 'neither run nor attach' walk
said 'nothing to do' 2 'nothing to do' run -l none -- "${qemu[@]}"
said 'a timeout' 2 '--timeout: 1 s are over' run --timeout 1 -l none -e cont -- "${qemu[@]}" "${loaded[@]}"
said 'a timeout with a listener' 2 '--timeout: 1 s are over' run --timeout 1 -l "unix:$tmp/t.sock" -- "${qemu[@]}"
said 'QEMU monitor through -e' 0 'VM status: paused' run -l none -e 'info status' -- "${qemu[@]}"
said 'a file of commands' 2 'No such file' run -x "$tmp/nofile" -- "${qemu[@]}"

# Who ends baton ends QEMU, whatever is going on.
status_of() {
	wait "$pid" 2>/dev/null
	tap_ok "$1: exit status $2" [ $? = "$2" ]
	pids=${pids/ $pid/}
	tap_ok "$1: no QEMU left" process_gone "$qemu_pid"
}

# Standard input into $target (TCP), and what comes back for SECONDS: raw [SECONDS]
raw() {
	# Not by the name: a small machine has nobody who knows localhost.
	exec 3<>"/dev/tcp/127.0.0.1/${target##*:}"
	cat >&3
	timeout "${1:-1}" cat <&3 >"$tmp/raw" 2>/dev/null
	exec 3>&-
}

start() {
	baton_start "$1" -machine virt -cpu cortex-a53 -m 256M "${loaded[@]}"
}

start term
kill -TERM "$pid"
status_of 'SIGTERM' 0
start kill
kill -KILL "$pid"
status_of 'SIGKILL' 137
start int
kill -INT "$pid"
status_of 'SIGINT' 0
tap_ok 'no folder is left behind' [ -z "$(find "$tmp" -mindepth 1 -name 'baton-*' -print -quit)" ]

# GDB runs the machine when baton is ended, or GDB is.
running_gdb() {
	: >"$tmp/$1.out"
	"$GDB" -nx -q -batch -ex 'set confirm off' -ex "target remote $target" -ex 'echo RUNNING\n' \
		-ex continue >"$tmp/$1.out" 2>&1 </dev/null &
	gdb_pid=$!
	pids="$pids $gdb_pid"
	wait_line "$tmp/$1.out" RUNNING
	sleep 0.5
}

start run-term
running_gdb run-term
kill -TERM "$pid"
status_of 'SIGTERM while the machine runs' 0
wait_line "$tmp/run-term.out" 'closed' 5
process_end "$gdb_pid"

start gdb-dies
running_gdb gdb-dies
kill -KILL "$gdb_pid"
wait "$gdb_pid" 2>/dev/null
tap_ok 'GDB is killed while the machine runs: it runs on' wait_line "$tmp/gdb-dies.log" 'the machine runs on'
gdb_run gdb-dies 'target remote $sock
p 6 * 7
detach'
tap_ok 'the next GDB is served' has "$tmp/gdb-dies.out" '= 42'
tap_ok 'and nothing went wrong' has "$tmp/gdb-dies.out" 'END OF SCRIPT'
kill -TERM "$pid"
status_of 'SIGTERM after a detach' 0

listen=localhost:0
start midway
printf '+$m44000' | raw 0.2
tap_ok 'GDB dies in the middle of a packet: said' wait_line "$tmp/midway.log" 'in the middle of a packet'
printf '+$qC#b4' | raw
tap_ok 'the next one is served' has "$tmp/raw" 'QCp01.01'
printf '+$qC#00' | raw
tap_ok 'a wrong checksum: asked for again' has "$tmp/raw" '-'
printf '+$vCont;c#a8' | raw 0.2
tap_ok 'a client that says "go on" and goes' wait_line "$tmp/midway.log" 'the machine runs on'
printf '+$qC#b4' | raw
tap_ok 'stops for the next one' has "$tmp/raw" 'QCp01.01'
{ printf '+$'; head -c 10000000 /dev/zero | tr '\0' a; printf '#00$qC#b4'; } |
	raw 3
tap_ok '10 MB in one packet: an error' has "$tmp/raw" 'E07'
tap_ok '10 MB in one packet: said' has "$tmp/midway.log" 'refused'
tap_ok 'and the session goes on' has "$tmp/raw" 'QCp01.01'
kill -TERM "$pid"
status_of 'SIGTERM after all that' 0

start second
running_gdb second
printf '+$qC#b4' | raw
tap_ok 'a second GDB is turned away' [ ! -s "$tmp/raw" ]
tap_ok 'a second GDB: said' wait_line "$tmp/second.log" 'a second GDB was turned away'
kill -KILL "$qemu_pid"
status_of 'QEMU is killed' 2
tap_ok 'QEMU is killed: said' has "$tmp/second.log" 'QEMU was ended by signal 9'
tap_ok 'GDB hears of it' wait_line "$tmp/second.out" 'closed' 5
process_end "$gdb_pid"

listen=''
start idle
kill -KILL "$qemu_pid"
status_of 'QEMU is killed with nobody attached' 2

# Over standard input and output.
"$GDB" -nx -q -batch -ex 'set confirm off' \
	-ex "target remote | $O/baton run -l stdio -- ${qemu[*]} ${loaded[*]}" -ex 'p $pc' -ex stepi \
	-ex 'p $pc' -ex 'monitor info status' -ex kill >"$tmp/stdio" 2>&1 </dev/null
tap_ok 'stdio: GDB works through a pipe' has "$tmp/stdio" 'VM status: paused'
tap_ok 'stdio: and steps' has "$tmp/stdio" '0x44000004'

# In front of a QEMU that is there already: it stays.
qemu_start attached -machine virt -cpu cortex-a53 -m 256M "${loaded[@]}" -S \
	-gdb "unix:$tmp/attached.sock,server=on,wait=off"
attached=$pid
wait_file "$tmp/attached.sock"
said 'attach, -e' 0 'VM status: paused' attach -e 'info status' "unix:$tmp/attached.sock"
pid=''
baton_run front attach -l "unix:$tmp/front.sock" "unix:$tmp/attached.sock"
wait_line "$tmp/front.log" 'waiting for GDB'
gdb_run front 'target remote $sock
hbreak *0x44000010
p $pc
stepi
p $pc
detach'
tap_ok 'attach: GDB works' has "$tmp/front.out" '0x44000004'
process_end "$pid"
tap_ok 'attach: QEMU stays' kill -0 "$attached"
said 'attach: and can be attached to again' 0 'VM status: paused' attach -e 'info status' "unix:$tmp/attached.sock"
process_end "$attached"

tap_end
