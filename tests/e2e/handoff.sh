#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `handoff run`, `why` and `fix` on real QEMU: our loader and one that shares nothing with
# it, good and broken, at EL1 and EL2, with one CPU and four, with and without GDB.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

GDB=${GDB:-gdb-multiarch}
NM=${CROSS:-aarch64-linux-gnu-}nm
seed=$O/examples/seed
second=$O/tests/loader2
elf=$O/loader/qemu_virt_aarch64_el1/loader.elf
el2=virt,virtualization=on
up='Booting all finished, dropped to user space'
ended='kernel: task exited with status 0'
well='nothing wrong in sight'

symbol() { printf '0x%x' "0x$("$NM" "$elf" | sed -n "s/ [A-Za-z] $1\$//p")"; }
upper0=$(symbol boot_lvl0_upper) upper1=$(symbol boot_lvl1_upper) vectors=$(symbol vectors)
entry=0xffffff8040000000
descriptor=$(printf '0x%x' $((upper0 + 511 * 8)))
repair="pt-set $entry L0 $(printf '0x%x' $((upper1 + 3)))"

# The seed case, before the jump, with names and without.
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -s "$elf" -e 'handoff run'
tap_ok 'seed case: exit status 1' ends_with 1
tap_ok 'the jump is named' says "-> $entry (kernel entry)"
tap_ok 'level, index, descriptor and table are named' \
	says "level 0, index 511, descriptor $descriptor in boot_lvl0_upper"
tap_ok 'what the CPU would report is named' says 'translation fault, level 0 (ESR 0x86000004)'
tap_ok 'the orphan is named' says "boot_lvl1_upper ($upper1) is a table that nothing points to"
tap_ok 'the last line is the repair' last_line "fix: $repair"
tap_ok 'MMU off and on are in the timeline' says 'MMU on'
tap_ok 'the regions were verified' says '4 regions copied and verified'
tap_ok 'the jump was not taken' never_says 'LDR|ERROR'

baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e 'fix -y' -e 'cont 5'
tap_ok 'without symbols: the descriptor' says "level 0, index 511, descriptor $descriptor:"
tap_ok 'without symbols: the orphan' says "$upper1 is a table that nothing points to"
tap_ok 'without symbols: the repair' says "fix: $repair"
tap_ok 'repaired, exit status 0' ends_with 0
tap_ok 'repaired, the kernel is up' says "$up"
tap_ok 'repaired, the task ran' says "$ended"

baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e fix
tap_ok 'fix without -y shows' says "fix: $repair"
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e 'fix -y' -e 'handoff run'
tap_ok 'repaired, the rest is watched: the kernel is entered' says "$well"
tap_ok 'exit status 0' ends_with 0

# By hand: what was wrong before is looked at again.
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e "$repair" -e why
tap_ok 'repaired by hand, why: exit status 0' ends_with 0
tap_ok 'repaired by hand, why: no fault' says 'no fault, neither pending nor taken:'
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e "$repair" -e 'handoff preflight'
tap_ok 'repaired by hand, preflight: what next' last_line 'nothing wrong. next: `handoff run`'
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e "$repair" -e 'undo 1' -e why
tap_ok 'and undone, why: exit status 1' ends_with 1
tap_ok 'and undone, why: the repair' last_line "fix: $repair"

# The jump taken by a single step: the pc is where nothing is, and nothing has happened yet.
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -s "$elf" -e 'handoff run' -e step -e why -e 'fix -y' -e 'cont 5'
tap_ok 'a step over the jump: what comes' says "next: the instruction at $entry (kernel entry)"
tap_ok 'a step over the jump: what it would take' \
	says 'its fetch would take an instruction abort: translation fault, level 0 (ESR 0x86000004)'
tap_ok 'a step over the jump: the descriptor' \
	test "$(grep -c "^level 0, index 511, descriptor $descriptor in boot_lvl0_upper" "$out")" = 2
tap_ok 'a step over the jump: repaired, the task ran' says "$ended"

# Repaired by hand after the fault: what is left is the pc.
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -s "$elf" -e 'handoff run' -e 'step 2' -e "$repair" -e why -e fix \
	-e 'fix -y' -e 'cont 5'
tap_ok 'by hand after the fault: what has repaired it' says 'patch 1 has repaired it, and the CPU is still in the vector'
tap_ok 'by hand after the fault: what is left' says "fix: set \$pc = $entry"
tap_ok 'by hand after the fault: no alarm' never_says ALARM
tap_ok 'by hand after the fault: the CPU is put back' says "CPU0: pc is back on $entry"
tap_ok 'by hand after the fault: the task ran' says "$ended"
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -s "$elf" -e 'handoff run' -e 'step 2' \
	-e "pt-set 0x40000000 L1 UXN=0" -e fix
tap_ok 'by hand, another entry: no word of it' never_says 'has repaired it'
tap_ok 'by hand, another entry: the repair' says "fix: $repair"

# After the fault, and no place is left where the CPU could write a register.
"$O/tests/zoo/zoo" ttbr0-not-written --elf "$elf" "$seed/good-el1.img" -o "$tmp/ttbr0.img"
baton "$tmp/ttbr0.img" 0x70000000 virt -s "$elf" -e 'handoff run' -e 'step 2' -e 'fix -y'
tap_ok 'nothing can be executed: the repair is refused' says 'CPU 0 cannot be given code'
tap_ok 'nothing can be executed: what to do' says 'next: `system_reset`, `handoff run`, and `fix -y` there'

# After the fault: the loader's own handler has run.
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -s "$elf" -e 'cont 2' -e why
tap_ok 'why after the fault: exit status 1' ends_with 1
tap_ok 'why after the fault: the descriptor' says "descriptor $descriptor in boot_lvl0_upper"
tap_ok 'why after the fault: the registers' says "ELR_EL1 $entry"
tap_ok 'why after the fault: the repair' last_line "fix: $repair"
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt -e 'cont 2' -e 'fix -y' -e system_reset \
	-e 'handoff run' -e 'fix -y' -e 'handoff run' -e 'cont 3'
tap_ok 'this run cannot go on, and that is said' says 'this run cannot go on'
tap_ok 'from reset it can' says "$ended"

# The kernel of the other address.
"$O/tests/zoo/zoo" lvl0-upper-zero --elf "$elf" "$seed/good-el1-c0.img" -o "$tmp/c0.img"
baton "$tmp/c0.img" 0x70000000 virt -e 'handoff run' -e 'fix -y' -e 'handoff run' -e 'cont 3'
tap_ok 'kernel at 0xffffffffc0000000: repaired' says "fix: pt-set 0xffffffffc0000000 L0"
tap_ok 'kernel at 0xffffffffc0000000: the task ran' says "$ended"

# Good images: no complaint.
good() {
	local name
	name=$(basename "$1") name="$name on $3"
	baton "$1" "$2" "$3" -e 'handoff run'
	tap_ok "$name passes" ends_with 0
	tap_ok "$name: the loader is left" says "$well"
	tap_ok "$name: no complaint" never_says warning
	tap_ok "$name: no alarm" never_says ALARM
}
good "$seed/good-el1.img" 0x70000000 virt
good "$seed/good-el1.img" 0x70000000 $el2
baton "$seed/good-el1.img" 0x70000000 $el2 -s "$elf" -e 'handoff run'
tap_ok 'a drop shows where it goes on, by name' grep -q 'eret: EL2 -> EL1 at 0x7[0-9a-f]* <.*>$' "$out"
# From EL3 on a CPU without EL2, of which QEMU shows an HCR_EL2 nonetheless.
good "$seed/good-el1.img" 0x70000000 virt,secure=on
tap_ok 'no EL2: the jump is checked' says "-> $entry (kernel entry), at physical 0x40000000"
baton "$seed/lvl0-upper-zero.img" 0x70000000 virt,secure=on -s "$elf" -e 'handoff run'
tap_ok 'no EL2: what is missing is found' last_line "fix: $repair"
good "$seed/good-el1-c0.img" 0x70000000 virt
good "$seed/good-el2.img" 0x70000000 $el2
good "$seed/good-el2-c0.img" 0x70000000 $el2
good "$second/good.img" 0x48000000 virt
good "$second/good.img" 0x48000000 $el2
good "$second/good-eret.img" 0x48000000 virt
good "$second/good-el2.img" 0x48000000 $el2
good "$second/good-smc.img" 0x48000000 virt
tap_ok 'an undefined smc that the loader survives is told' says 'its handler may return'

# QEMU's own first instructions are not the loader.
out=$tmp/kernel.out
timeout 120 "$O/baton" run -l none -e 'handoff run' -- "$QEMU" -machine virt -cpu cortex-a53 -m 2G \
	-nographic -nic none -kernel "$second/good-kernel.img" </dev/null >"$out" 2>&1
status=$?
tap_ok 'an image by -kernel: exit status 0' ends_with 0
tap_ok "an image by -kernel: to the kernel's entry" says "EL1, $entry"

# The second loader: no header, no symbols, other registers and tables.
bad() {
	baton "$second/$1.img" 0x48000000 "$2" -e 'handoff run'
	tap_ok "second loader, $1 on $2: exit status 1" ends_with 1
	tap_ok "second loader, $1: what is next" says "next: $3"
	tap_ok "second loader, $1: level and index" says "level 0, index $4,"
	tap_ok "second loader, $1: one repair" grep -q "^fix: pt-set .* L0 0x[0-9a-f]*003$" "$out"
	baton "$second/$1.img" 0x48000000 "$2" -e 'handoff run' -e 'fix -y' -e 'handoff run' -e 'cont 3'
	tap_ok "second loader, $1: repaired it boots" says "$ended"
}
bad bad virt "br x9 -> $entry" 511
bad bad $el2 "br x9 -> $entry" 511
bad bad-eret virt "eret -> $entry" 511
bad bad-el2 $el2 'br x9 -> 0x8040000000' 1

baton "$second/one-off.img" 0x48000000 virt -e 'handoff run' -e 'fix -y' -e 'cont 3'
tap_ok 'entries that are one off: said' says '0x200000 below what the entries here map'
tap_ok 'entries that are one off: one repair' says "fix: pt-set $entry L2 OA=0x40000000"
tap_ok 'entries that are one off: repaired it boots' says "$ended"

# No vectors were ever set, and what is at 0 may not be executed.
baton "$second/bad-el2.img" 0x48000000 $el2 -e 'cont 1' -e why
tap_ok 'vectors that cannot run: said' says 'it is the vector itself that cannot run'
tap_ok 'vectors that cannot run: the bit' says 'XN of L1 [0] forbids it'
tap_ok 'vectors that cannot run: no null pointer' never_says 'null pointer'

# A register that is 0 is no proof of a `ret`: br x0, x0 = 0, at EL3, nothing was called before.
begins() { # MACHINE, WORDS: the second loader begins with them
	cp "$second/good.img" "$tmp/mutant.img"
	printf '%b' "$2" | dd of="$tmp/mutant.img" conv=notrunc status=none
	baton "$tmp/mutant.img" 0x48000000 "$1" -e 'step 3' -e why
}
begins virt,secure=on '\x00\x00\x80\xd2\x00\x00\x1f\xd6'
tap_ok 'a jump to 0 at EL3: what may be' says 'x30 is 0 too, as it is before the first call: a `ret`, or a jump'
tap_ok 'a jump to 0 at EL3: no claim of a ret' never_says 'came there by a `ret`'
tap_ok 'a jump to 0 at EL3: exit status 1' ends_with 1

# What else goes wrong on the way: one instruction of the second loader is another one.
mutant() { # OFFSET BYTES OPTIONS...
	local offset=$1 bytes=$2
	shift 2
	cp "$second/good.img" "$tmp/mutant.img"
	printf '%b' "$bytes" | dd of="$tmp/mutant.img" bs=1 seek=$((offset)) conv=notrunc status=none
	baton "$tmp/mutant.img" 0x48000000 "$@"
}
mutant 0xa8 '\x03\x00\x00\xd4' virt -e 'handoff run'
tap_ok 'smc without EL3: exit status 1' ends_with 1
tap_ok 'smc without EL3: where' says '0x480000a8: smc #0'
tap_ok 'smc without EL3: why' says 'smc is undefined here'
mutant 0xa8 '\x03\x00\x00\xd4' virt -e 'handoff run' -e 'fix -y' -e 'handoff run' -e why
tap_ok 'smc without EL3, repaired: exit status 0' ends_with 0
tap_ok 'smc without EL3, repaired: that it was is no fault' \
	says 'no fault, neither pending nor taken, but for the one with ELR_EL1 0x480000a8 that was dealt with:'
mutant 0xa8 '\x02\x00\x00\xd4' $el2 -e 'handoff run'
tap_ok 'hvc into an EL2 without vectors' says 'the hvc went to EL2, where nobody has set up anything'
mutant 0xa8 '\x00\x10\x1c\xd5' virt -e 'handoff run'
tap_ok "a register of EL2's at EL1" says 'that register belongs to EL2, and this is EL1'
mutant 0xc8 '\x00\x00\x00\x14' virt -e 'handoff run 1'
tap_ok 'a loader that spins: exit status 1' ends_with 1
tap_ok 'a loader that spins: where' says '0x480000c8: b #0x480000c8, a branch to itself: it spins'
tap_ok 'a loader that spins: nothing gets it out' says 'CPU0 waits with interrupts masked: nothing can wake it'
mutant 0xbc '\xff\x42\x03\xd5\x7f\x20\x03\xd5\xff\xff\xff\x17' virt -e 'handoff run 2'
tap_ok 'a loader that waits for an interrupt: that may come' says 'nothing happened for 2.0 s'
tap_ok 'a loader that waits for an interrupt: what next' grep -q '^next: ' "$out"
mutant 0x50 '\x1f\x20\x03\xd5' virt -e 'handoff run'
tap_ok 'a kernel that was not copied: exit status 1' ends_with 1
tap_ok 'a kernel that was not copied: what is there' says 'a device tree is there'

# TCR_EL1.IPS = 7, of which QEMU makes something, and the Arm ARM nothing: no walk, no verdict.
mutant 0x11c '\x07' virt -e 'handoff run'
tap_ok 'a regime that is not decoded: exit status 0' ends_with 0
tap_ok 'a regime that is not decoded: why' says "the target $entry is not checked: TCR_EL1.IPS = 7 is reserved"
tap_ok 'a regime that is not decoded: no physical address' grep -q "br x9 -> $entry\$" "$out"
tap_ok 'a regime that is not decoded: no verdict' \
	last_line "the loader is left: EL1, $entry, by a jump that was not checked (why is said above). next: \`cont\`"

# A function that pops four registers after pushing two: long over when it shows.
baton "$seed/el1-stack-pop.img" 0x70000000 virt -s "$elf" -e 'handoff run'
tap_ok 'stack out of step: exit status 1' ends_with 1
tap_ok 'stack out of step: the function is named' \
	says "<el1_mmu_disable> takes 16 bytes more off the stack than it puts there"
tap_ok 'stack out of step: no other function is' test "$(grep -c '^stack:' "$out")" = 1

# Our loader would move itself: there a nop.
at=$("${CROSS:-aarch64-linux-gnu-}objdump" -d "$elf" | awk '/b\.ne.*<misplaced>/ { print $1; exit }')
cp "$seed/good-el1.img" "$tmp/stays.img"
printf '\037\040\003\325' |
	dd of="$tmp/stays.img" bs=1 seek=$((0x${at%:} - 0x70000000)) conv=notrunc status=none
baton "$tmp/stays.img" 0x60000000 virt -e 'handoff run'
tap_ok 'loaded at a wrong address: seen before the MMU is on' says 'turns the MMU on'
tap_ok 'loaded at a wrong address: said so' says 'load the image at the address'

# A loader that gives up: its header asks for 99 regions.
cp "$seed/good-el1.img" "$tmp/halts.img"
printf '\143' |
	dd of="$tmp/halts.img" bs=1 seek=$(($(symbol image_header) - 0x70000000 + 56)) conv=notrunc status=none
halts() {
	baton "$tmp/halts.img" 0x70000000 virt -s "$elf" -e 'handoff run'
	tap_ok "a loader that halts, $smp CPUs: exit status 1" ends_with 1
	tap_ok "a loader that halts, $smp CPUs: its own words" says 'LDR|ERROR: header has 99 regions'
	tap_ok "a loader that halts, $smp CPUs: that is the end" says "$1"
	tap_ok "a loader that halts, $smp CPUs: where" grep -q '^  CPU0  EL1  .* <cpu_halt+.*(behind a wfi)' "$out"
	tap_ok "a loader that halts, $smp CPUs: what next" last_line \
		"next: the console's last line may say why; \`why\` has the last exception, if there was one"
}
halts 'CPU0 waits with interrupts masked: nothing can wake it'

# Four CPUs.
smp=4
halts 'all CPUs wait with interrupts masked, or are off: nothing can wake them'
good "$seed/good-el1-smp4.img" 0x70000000 virt
for cpu in 1 2 3; do
	tap_ok "CPU $cpu is in the timeline" grep -q "^  CPU$cpu EL1 .*MMU on$" "$out"
done
good "$seed/good-el2-smp4.img" 0x70000000 $el2
"$O/tests/zoo/zoo" lvl0-upper-zero --elf "$elf" "$seed/good-el1-smp4.img" -o "$tmp/smp4.img"
baton "$tmp/smp4.img" 0x70000000 virt -e 'handoff run' -e 'fix -y' -e 'handoff run' -e 'cont 5'
tap_ok 'four CPUs: one repair' says "fix: $repair"
tap_ok 'four CPUs: exit status 0' ends_with 0
for cpu in 1 2 3; do
	tap_ok "four CPUs: one repair serves CPU $cpu" says "kernel: CPU $cpu up"
done
tap_ok 'four CPUs: whose jump it is' grep -q '^next: CPU[0-3]: br ' "$out"
smp=1

# Commands.
baton "$seed/good-el1.img" 0x70000000 virt -e why
tap_ok 'why without a fault: exit status 0' ends_with 0
tap_ok 'why without a fault: says what the CPU does' says 'CPU0  EL1  0x70000000'
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff run' -e 'handoff log' -e 'handoff run'
tap_ok 'handoff log repeats the timeline' test "$(grep -c 'MMU on$' "$out")" = 2
tap_ok 'a run that is over is not begun again' says 'the loader has been left already'
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff frob'
tap_ok 'an unknown subcommand: exit status 2' ends_with 2
tap_ok 'an unknown subcommand names those that are' \
	says 'there is no `handoff frob`: it knows run [SECONDS], '

# GDB runs the machine.
gdb() { # IMAGE, GDB's commands from stdin: $out
	local n
	out=$tmp/$((tap_count + 1)).out
	{ printf '%s\n' 'set pagination off' 'set confirm off' 'set architecture aarch64' \
		"target remote $tmp/gdb"; cat; } >"$tmp/commands"
	"$O/baton" run -l "unix:$tmp/gdb" -s "$elf" -- "$QEMU" -machine virt -cpu cortex-a53 -m 2G \
		-nographic -nic none -device "loader,file=$1,addr=0x70000000,cpu-num=0" \
		</dev/null >"$tmp/console" 2>&1 &
	pid=$! pids="$pids $!"
	for n in {1..100}; do
		[ -S "$tmp/gdb" ] && break
		[ "$n" -lt 100 ] || echo '# baton does not listen'
		sleep 0.1
	done
	timeout 120 "$GDB" -q -nx -batch -x "$tmp/commands" >"$out" 2>&1
	status=$?
}

gdb "$seed/lvl0-upper-zero.img" <<END
monitor handoff run
continue
printf "at %#lx\n", \$pc
monitor fix -y
hbreak *$entry
continue
printf "at %#lx\n", \$pc
stepi
printf "at %#lx\n", \$pc
END
tap_ok 'GDB: armed' says 'armed: continue'
tap_ok 'GDB: the timeline arrives as console output' says 'TTBR1_EL1 0 -> '
tap_ok 'GDB: the repair is shown' says "fix: $repair"
tap_ok 'GDB: the stop is before the jump' says "at 0x7000"
tap_ok 'GDB: repaired, the kernel is entered' says "at $entry"
tap_ok 'GDB: and its first instruction runs' says "at $(printf '0x%x' $((entry + 4)))"
process_end "$pid"

gdb "$seed/good-el1.img" <<END
hbreak *$vectors
tbreak *$(symbol el1_mmu_enable)
monitor handoff run
continue
printf "first %#lx\n", \$pc
continue
printf "then %#lx\n", \$pc
END
tap_ok "GDB: a breakpoint of GDB's ends it early" says "first $(symbol el1_mmu_enable)"
tap_ok 'GDB: still armed, it goes on to the kernel' says "then $entry"
process_end "$pid"

# At the vector's first instruction: whole registers, back to the instruction.
gdb "$seed/lvl0-upper-zero.img" <<END
hbreak *$((vectors + 0x200))
continue
monitor why
monitor fix -y
delete
hbreak *$entry+0x10
continue
printf "at %#lx\n", \$pc
END
tap_ok 'at the vector: the registers are whole' says 'all registers are as they were'
tap_ok 'at the vector: the descriptor' says "descriptor $descriptor in boot_lvl0_upper"
tap_ok 'at the vector: the pc is put back' says "pc is back on $entry"
tap_ok 'at the vector: the CPU goes on' says "at $(printf '0x%x' $((entry + 0x10)))"
process_end "$pid"

# A fault of EL0's, at the first instruction of EL1's vector: an eret leads back.
svc=0x$("$NM" "$O/examples/kernel/kernel-el1.elf" | sed -n 's/ [A-Za-z] kernel_vectors$//p')
gdb "$seed/good-el1.img" <<END
hbreak *$svc+0x400
continue
monitor pt-set 0x202000 L3 AF=0
condition 1 (\$ESR_EL1 >> 26) == 0x24
continue
monitor why
monitor fix -y
maint flush register-cache
printf "EL%d, %#lx is ELR: %d\n", (\$cpsr >> 2) & 3, \$pc, \$pc == \$ELR_EL1
condition 1 \$x8 == 2
continue
printf "exits with %d\n", \$x0
END
tap_ok 'EL0: the entry is named' says 'AF is clear and nothing sets it'
tap_ok 'EL0: an eret takes it back' says 'CPU0: an executed eret took it back to EL0, 0x'
tap_ok 'EL0: it is at its level, on the instruction' says ' is ELR: 1'
tap_ok 'EL0: and the task comes to its end' says 'exits with 0'
process_end "$pid"

# From reset once more, every return checked.
bad=$seed/el1-stack-pop.img
wrong="replay: the first wrong return: the ret at 0x"
baton "$bad" 0x70000000 virt -s "$elf" -e 'handoff run' -e 'why --replay'
tap_ok 'replay: exit status 1' ends_with 1
tap_ok 'replay: why has offered it' says 'next: `why --replay`'
tap_ok 'replay: the return and its function' says 'el1_mmu_disable+'
tap_ok 'replay: the first wrong one is named' says "$wrong"
tap_ok 'replay: the call is named' says "replay: the last call: of $(symbol el1_mmu_disable)"
baton "$bad" 0x70000000 virt -e "patch $(symbol cpu_halt) = 0xd503201f" -e 'why --replay'
tap_ok 'replay: not over live patches' says 'why --replay -y'
tap_ok 'replay: nothing has run' never_says "$wrong"
baton "$bad" 0x70000000 virt -e "patch $(symbol cpu_halt) = 0xd503201f" -e 'why --replay -y' -e patches
tap_ok 'replay: -y gives them up' says "$wrong"
tap_ok 'replay: and the journal says so' says '  reset '
gdb "$bad" <<END
monitor handoff run
continue
monitor why --replay
continue
printf "at %#lx\n", \$pc
END
tap_ok 'GDB: a replay is armed and runs' says "$wrong"
tap_ok 'GDB: it stands before that return' says "at $(sed -n 's/.*first wrong return: the ret at \(0x[0-9a-f]*\).*/\1/p' "$out")"
process_end "$pid"

tap_end
