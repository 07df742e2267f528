#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The seed case, three times: as its author saw it, with GDB in front of baton, and
# without GDB. Ends with status 0 only if the kernel booted after each repair.
#
# usage: O=build examples/seed-case/demo.sh      (make demo)
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64} GDB=${GDB:-gdb-multiarch}
here=$(dirname "$0")
loader=$O/loader/qemu_virt_aarch64_el1/loader.elf
kernel=$O/examples/kernel/kernel-el1.elf
image=$O/examples/seed/lvl0-upper-zero.img
booted='kernel: task exited with status 0'
machine=("$QEMU" -machine virt -cpu cortex-a53 -m 2G -nographic -nic none
	-device "loader,file=$image,addr=0x70000000,cpu-num=0")
tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-demo.XXXXXX") || exit 2
trap '[ -z "${server:-}" ] || kill "$server" 2>/dev/null; wait; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

title() { printf '\n\033[1m== %s\033[0m\n\n' "$1"; }
show() { printf '$ %s\n' "$1"; }
fail() {
	echo "demo: $1" >&2
	exit 1
}

title '1. As it was: a loader for EL1 whose builder forgot one descriptor'
show "qemu-system-aarch64 -machine virt -cpu cortex-a53 -m 2G -nographic -device loader,file=$image,addr=0x70000000,cpu-num=0"
timeout 2 "${machine[@]}" </dev/null >"$tmp/bare" 2>/dev/null
sed 's/\r$//; /reg: 0x00000003/,$d' "$tmp/bare"
echo '    ... and 28 more registers. Nothing says what is missing.'
grep -qF "$booted" "$tmp/bare" && fail 'the defective image boots by itself: nothing to show'

title '2. With baton between GDB and QEMU'
show "baton run -l unix:/tmp/b -s $loader -- qemu-system-aarch64 ..."
show "gdb-multiarch -batch -ex 'target remote /tmp/b' -x $here/seed.gdb $loader"
"$O/baton" run -l "unix:$tmp/b" -s "$loader" -s "$kernel" -- "${machine[@]}" </dev/null \
	>"$tmp/console" 2>"$tmp/messages" &
server=$!
for _ in {1..100}; do
	[ -S "$tmp/b" ] && break
	sleep 0.1
done
tail -f -n +1 -s 0.05 --pid="$server" "$tmp/console" 2>/dev/null | sed -u 's/\r$//; s/^/    | /' &
timeout 50 stdbuf -oL "$GDB" -nx -q -batch -ex "add-symbol-file $kernel" -ex "target remote $tmp/b" \
	-x "$here/seed.gdb" "$loader" </dev/null 2>&1 | grep --line-buffered -v -e '^warning: ' -e '^add symbol table' -e '^(y or n)'
wait "$server"
server=
sleep 0.2
grep -qF "$booted" "$tmp/console" || { cat "$tmp/messages" >&2; fail 'the kernel did not boot behind the patch'; }

title '3. The same without GDB, as a script or in CI'
show "baton run -s $loader -e 'handoff run' -e 'fix -y' -e 'cont 5' -e patches -- qemu-system-aarch64 ..."
"$O/baton" run -s "$loader" -e 'handoff run' -e 'fix -y' -e 'cont 3' -e patches -- "${machine[@]}" \
	</dev/null >"$tmp/batch" 2>&1
status=$?
sed 's/\r$//' "$tmp/batch"
echo "exit status $status"
[ $status = 0 ] && grep -qF "$booted" "$tmp/batch" || fail 'the kernel did not boot behind fix'

title 'The kernel booted after both repairs'
