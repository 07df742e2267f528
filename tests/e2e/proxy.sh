#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# GDB cannot tell baton from QEMU: every script here runs against both, and must
# print the same.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

image=$O/examples/seed/good-el1.img
smp_image=$O/examples/seed/good-el1-smp4.img
loader=$O/loader/qemu_virt_aarch64_el1/loader.elf
kernel=$O/examples/kernel/kernel-el1.elf
gdb_files=("$loader" -ex "add-symbol-file $kernel")
machine=(-machine virt -cpu cortex-a53 -m 2G)

# What may differ: the socket's name, how fast `load` was, \r in what QEMU's monitor
# prints (baton drops it), and what `info registers` has besides QEMU's (pseudo.sh).
filter=(cat)
normalise() {
	sed -e "s#$tmp/[a-z]*\.sock#SOCK#g" -e 's/\r//g' -e '/^Transfer rate:/d' \
		-e '/^\(CurrentEL\|SCTLR_EL1\|VBAR_EL1\|CPACR_EL1\|MPIDR_EL1\|MIDR_EL1\|ID_AA64PFR0_EL1\) /d' \
		"$1" | "${filter[@]}"
}

# A script that ends early prints less, both ways: its last line must be there.
same_and_whole() {
	normalise "$tmp/direct.out" >"$tmp/direct.txt"
	normalise "$tmp/baton.out" >"$tmp/baton.txt"
	if ! grep -q '^END OF SCRIPT' "$tmp/direct.txt"; then
		echo '# directly, the script did not get to its end:'
		tail -n 12 "$tmp/direct.txt" | sed 's/^/#   /'
		return 1
	fi
	diff "$tmp/direct.txt" "$tmp/baton.txt" >"$tmp/diff" && return 0
	echo '# < directly, > through baton:'
	head -n 40 "$tmp/diff" | sed 's/^/#   /'
	return 1
}

# both NAME SCRIPT [QEMU'S ARGUMENTS]: SCRIPT finds the address of its target in $sock.
both() {
	local name=$1 script=$2
	shift 2
	qemu_start direct "${machine[@]}" "$@" -S -gdb "unix:$tmp/direct.sock,server=on,wait=off"
	wait_file "$tmp/direct.sock"
	gdb_run direct "$script"
	process_end "$pid"
	baton_start baton "${machine[@]}" "$@"
	gdb_run baton "$script"
	process_end "$pid"
	tap_ok "$name" same_and_whole
}

"${CROSS:-aarch64-linux-gnu-}objcopy" --change-addresses -0x20000000 "$loader" "$tmp/loadable.elf"

with_image() {
	printf -- 'loader,file=%s,addr=0x70000000,cpu-num=0' "$1"
}

both 'breakpoints, watchpoints, steps' '
target remote $sock
info registers pc sp cpsr x0
break loader_main
continue
backtrace
hbreak psci_init
continue
info breakpoints
tbreak psci_version
delete 2
stepi
stepi
x/4i $pc
nexti
nexti
p/x $pc
break kernel_jump
continue
p/x $x0
break *$x4
watch *(unsigned long *)0x70003400
delete
stepi
x/2i $pc
info registers
' -device "$(with_image "$image")"

both '400 steps: registers, code, stack' '
target remote $sock
tbreak copy_regions
continue
set $i = 0
while $i < 200
stepi
info registers
x/2i $pc
x/4gx $sp
set $i = $i + 1
end
tbreak kernel_main
continue
while $i < 400
stepi
info registers
x/2i $pc
x/4gx $sp
set $i = $i + 1
end
' -device "$(with_image "$image")"

both 'watch, rwatch, awatch' '
target remote $sock
tbreak loader_main
continue
watch *(unsigned *)&conduit
p/x $pc
delete
rwatch *(unsigned long *)&image_header
continue
p/x $pc
delete
awatch *(unsigned *)&speakers
continue
p/x $pc
continue
p/x $pc
delete
' -device "$(with_image "$image")"

both 'reading and writing memory and registers' '
target remote $sock
x/8gx 0x70000000
x/3i $pc
x/s 0x70001f8c
set var *(unsigned long *)0x50000000 = 0x1122334455667788
x/gx 0x50000000
set var *(unsigned char *)0x50000003 = 0xab
x/2gx 0x50000000
set $x5 = 0xdeadbeefcafe0123
p/x $x5
set $sp = 0x50001000
p/x $sp
p $cpsr
set $pc = 0x70000004
stepi
p/x $pc
p/x $v0
set $v1.d.u[0] = 0x4142434445464748
p/x $v1.d.u[0]
p/x $SCTLR
p/x $TTBR1_EL1
p $nosuch
info registers TCR_EL1
find 0x70000000, +0x1000, (short)0xd503
dump binary memory '"$tmp"'/dump 0x70000000 0x70003000
compare-sections .text
restore '"$tmp"'/dump binary -0x20000000
compare-sections .text
x/600gx 0x50000000
x/4gx 0x5000000c
' -device "$(with_image "$image")"

# QEMU lists address spaces in no order.
filter=(sort)
both 'monitor' '
target remote $sock
monitor info registers
monitor info mtree
monitor info status
monitor info version
p/x $pc
' -device "$(with_image "$image")"

filter=(cat)
both 'load' '
target remote $sock
p/x *(unsigned long *)&kernel_vectors
load '"$tmp"'/loadable.elf
p/x $pc
x/4i 0x50000000
stepi
p/x $pc
compare-sections
'

both 'Ctrl-C' '
target remote $sock
break kernel_main
continue
delete
set $gdb_runs = 1
shell (sleep 1; kill -INT $PPID) &
continue
info symbol $pc
printf "EL %d\n", $cpsr >> 2 & 3
set $pc = $pc - 4
shell (sleep 0.5; kill -INT $PPID) &
continue
info symbol $pc
' -device "$(with_image "$image")"

both 'SMP: threads' '
target remote $sock
info threads
thread apply all p/x $pc
thread 3
p/x $pc
p/x $x0
x/i $pc
thread 1
stepi
thread apply all p/x $cpsr
thread 3
p/x $pc
shell (sleep 2; kill -INT $PPID) &
continue
info threads
thread 4
set scheduler-locking on
info symbol $pc
p/x $x1
set $x1 = 0x1234
thread 2
p/x $x1 == 0x1234
thread 4
p/x $x1
' -smp 4 -device "$(with_image "$smp_image")"

both 'detach, and back again' '
target remote $sock
break kernel_main
continue
p/x $pc
detach
shell sleep 2
target remote $sock
info symbol $pc
delete
disconnect
target remote $sock
info threads
detach
shell sleep 0.3
' -device "$(with_image "$image")"

both 'conditions, commands, ignore counts, finish' '
target remote $sock
break uart_putc if (char)$x0 == 0x49
commands
silent
printf "putc %c\n", (char)$x0
continue
end
tbreak psci_init
continue
info breakpoints
ignore 1 2
tbreak copy_regions
continue
backtrace 1
p/x $pc
next
next
' -device "$(with_image "$image")"

# QEMU closes as soon as it has said OK: GDB may or may not get its last `+` through.
filter=(sed 's/^Remote communication error.  Target disconnected.: Broken pipe.$/[Inferior 1 (process 1) killed]/')
both 'kill' '
target remote $sock
p/x $pc
kill
info threads
' -device "$(with_image "$image")"
tap_ok 'kill ends QEMU' process_gone "$qemu_pid"

tap_end
