#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the timeline of `handoff` says, and `handoff until`, on real QEMU.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

seed=$O/examples/seed
second=$O/tests/loader2
el2=virt,virtualization=on
entry=0xffffff8040000000
ended='kernel: task exited with status 0'

hasnt_line() { ! grep -qE -- "$1" "$out" || show; }
line() { grep -qE -- "$1" "$out" || show; }

# until: ends after the event, at a machine that goes on well.
baton "$seed/good-el1.img" 0x70000000 $el2 -e 'handoff until psci' -e 'handoff until el-change' \
	-e 'handoff until mmu-on' -e 'handoff until jump' -e 'handoff until jump' -e 'cont 3'
tap_ok 'until: one event after the other' in_order 'PSCI_VERSION -> 1.1' '^psci, event [0-9]+: ' \
	'eret: EL2 -> EL1' '^el-change, event' 'MMU on$' '^mmu-on, event' '^jump: it stands at EL1'
tap_ok 'until jump: where to' says "br x8 -> $entry"
tap_ok 'until jump stands before it' in_order '^jump: ' '4 regions copied and verified' 'kernel entry'
tap_ok 'the kernel goes on as if nothing had been' says "$ended"
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff until event 3' -e 'handoff until kernel'
tap_ok 'until event 3: three are there' in_order '^  EL1 ' '^  EL1 ' '^  EL1 ' '^event 3: it stands'
tap_ok 'until kernel is run' says 'nothing wrong in sight'
tap_ok 'until kernel: exit status 0' ends_with 0
baton "$second/good-smc.img" 0x48000000 virt -e 'handoff until exception' -e 'handoff run'
tap_ok 'until exception' in_order 'its handler may return' '^exception, event' 'nothing wrong in sight'
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff until event 2' -e 'handoff until event 2'
tap_ok 'until an event that was: exit status 2' ends_with 2
tap_ok 'until an event that was: said' says 'there have been 2 events already'
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff until frob'
tap_ok 'until what there is not: exit status 2' ends_with 2
tap_ok 'until what there is not: the list' says 'it knows kernel, mmu-on, el-change, psci, jump, exc'
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff until'
tap_ok 'until nothing: the list' says 'until what? kernel, mmu-on,'

# Registers by field, below the line of the write, and once for all CPUs.
smp=4
baton "$seed/good-el1-smp4.img" 0x70000000 virt -e 'handoff run'
tap_ok 'TCR by field' in_order ' TCR_EL1 0 -> 0x' 'T0SZ 16 \(48-bit input\)' 'IRGN0 write-back' 'TG1 4 KiB'
tap_ok 'MAIR by field' in_order ' MAIR_EL1 0 -> 0xff440c0400$' '^ +Attr1 Device-nGnRE, Attr2 Device-GRE'
tap_ok 'SCTLR by field' in_order 'MMU on$' '^ +sets M, C, SA, I$'
for cpu in 1 2 3; do
	tap_ok "CPU$cpu: called, on, its MMU on" in_order "CPU0 .* CPU_ON\\(CPU 0x$cpu" \
		"CPU$cpu EL1 .* is on" "CPU$cpu EL1 .*MMU on"
done
tap_ok 'lines are not too long' hasnt_line '^ {40}.{61}'
tap_ok 'what all CPUs write is told once' test "$(grep -c 'T0SZ 16' "$out")" = 1
smp=1

# On into the kernel, to the first instruction at EL0 and beyond.
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff until user' -e 'cont 3'
tap_ok "until user: the kernel's own tables and vectors" in_order 'kernel entry' ' VBAR_EL1 0x7' \
	' TTBR1_EL1 0x7' ' TTBR0_EL1 0x7' '^  EL1 .* drop to EL0 at 0x2000e0' '^user, event .* at EL0, 0x2000e0'
tap_ok 'until user: the task runs then' in_order '^user, event' "$ended"
tap_ok 'until user: exit status 0' ends_with 0
baton "$seed/good-el2.img" 0x70000000 $el2 -e 'handoff run' -e 'handoff until user' -e 'cont 3'
tap_ok 'until user at EL2: the second stage' in_order 'nothing wrong in sight' ' VTTBR_EL2 0 -> ' \
	' HCR_EL2 0x' 'sets VM,' '^  EL2 .* drop to EL0 at 0x2000e0' '^user, event' "$ended"
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff until event 40 3' -e 'cont 1'
tap_ok 'beyond: calls of the task' in_order 'drop to EL0 at' 'takes svc #0' 'drop to EL0 at' "$ended" \
	'^nothing happened for 3.0 s in the kernel; EL0 was entered'
tap_ok 'beyond: an event that does not come is exit status 1 by then' line 'waiting for an interrupt'
smp=4
baton "$seed/good-el1-smp4.img" 0x70000000 virt -e 'handoff until user' -e 'cont 5'
tap_ok 'until user, four CPUs' in_order 'CPU0 EL1 .*drop to EL0' '^user, event .*CPU0 stands at EL0' "$ended"
smp=1
baton "$seed/fault-el1.img" 0x70000000 virt -e 'handoff until event 60 3' -e why
tap_ok "a task's fault is in the timeline" in_order 'drop to EL0' 'takes an exception from EL0, 0x'

# tlbi and caches.
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff run'
tap_ok 'a loop by line is one line' line 'dc civac, x[0-9]+ = 0x[0-9a-f]+, in a loop up to 0x70'
tap_ok 'tlbi and ic' in_order ' tlbi vmalle1' ' ic iallu' 'MMU on'

# Barriers: the second loader without one of its own.
mutant() { # OFFSET BYTES OPTIONS...
	local offset=$1 bytes=$2
	shift 2
	cp "$second/good.img" "$tmp/mutant.img"
	printf '%b' "$bytes" | dd of="$tmp/mutant.img" bs=1 seek=$((offset)) conv=notrunc status=none
	baton "$tmp/mutant.img" 0x48000000 "$@"
}
nop='\037\040\003\325'
mutant 0x90 "$nop" virt -e 'handoff run' -e 'cont 2'
tap_ok 'no isb before the MMU is on' says \
	'warning: no isb between the write of TTBR1_EL1, TTBR0_EL1, TCR_EL1, MAIR_EL1 and this'
tap_ok '... is a warning: it goes on' in_order 'warning' 'with 1 warning on the way' "$ended"
mutant 0x8c "$nop" virt -e 'handoff run'
tap_ok 'no dsb after tlbi' says 'warning: no dsb between the tlbi at 0x48000088 and this'
mutant 0xa4 "$nop" virt -e 'handoff run'
tap_ok 'no isb after the MMU is on' says 'warning: no isb since 0x480000a0 turned the MMU on'
for image in good good-eret good-smc; do
	baton "$second/$image.img" 0x48000000 virt -e 'handoff until user'
	tap_ok "no warning about $image" never_says warning:
done

# From GDB: it runs, and what is a stop of its own ends the run early.
baton_start gdb -machine virt -cpu cortex-a53 -m 2G \
	-device "loader,file=$seed/good-el1.img,addr=0x70000000,cpu-num=0"
gdb_run gdb "set architecture aarch64
target remote \$sock
monitor handoff until mmu-on
continue
printf \"mmu at %#lx, M %d\\n\", \$pc, \$SCTLR & 1
monitor handoff until user
hbreak *$entry
continue
printf \"kernel at %#lx\\n\", \$pc
continue
printf \"user at %#lx, EL%d\\n\", \$pc, (\$cpsr >> 2) & 3
detach"
out=$tmp/gdb.out status=0
tap_ok 'GDB: until mmu-on' in_order '^armed: continue' 'MMU on' '^mmu-on, event' '^mmu at 0x7000[0-9a-f]*, M 1'
tap_ok "GDB: its breakpoint, then on to EL0" in_order '^kernel at 0xffffff8040000000' 'drop to EL0 at 0x2000e0' \
	'^user, event' '^user at 0x2000e0, EL0'
process_end "$pid"

# Against QEMU's own log: each exception, firmware call and return, in order.
printf '#!/bin/sh\nexec %s -d int -D %s/int "$@"\n' "$QEMU" "$tmp" >"$tmp/qemu"
chmod +x "$tmp/qemu"
QEMU=$tmp/qemu
agrees() { # NAME, baton's arguments
	local name=$1
	shift
	rm -f "$tmp/int"
	baton "$@"
	tap_ok "$name: the timeline is what QEMU logs" "${0%/*}/agree" all "$out" "$tmp/int"
}
agrees 'EL1' "$seed/good-el1.img" 0x70000000 virt -e 'handoff until user'
agrees 'EL2 to EL1' "$seed/good-el1.img" 0x70000000 $el2 -e 'handoff until user'
agrees 'EL2' "$seed/good-el2.img" 0x70000000 $el2 -e 'handoff until user'
agrees 'EL3 to EL1' "$seed/good-el1.img" 0x70000000 virt,secure=on -e 'handoff until user'
agrees 'smc that is undefined' "$second/good-smc.img" 0x48000000 virt -e 'handoff until user'
agrees 'by eret' "$second/good-eret.img" 0x48000000 virt -e 'handoff until user'
agrees 'repaired' "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e 'fix -y' \
	-e 'handoff until user'
smp=4
agrees 'four CPUs' "$seed/good-el1-smp4.img" 0x70000000 virt -e 'handoff until user'
agrees 'four CPUs at EL2' "$seed/good-el2-smp4.img" 0x70000000 $el2 -e 'handoff until user'

tap_end
