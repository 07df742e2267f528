#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The loader entered at each level: what it leaves to the kernel, and its exceptions.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

el3=virt,secure=on el32=virt,secure=on,virtualization=on el2_only=virt,virtualization=on
firmware=0x48000000

# start IMAGE MACHINE CPU [QEMU'S ARGUMENTS]
start() {
	qemu_start "$(basename "$1")" -machine "$2" -cpu "$3" -m 2G "${@:4}" \
		-device "loader,file=$1,addr=$load,cpu-num=0"
}

# after_firmware IMAGE MACHINE CPU - ... with firmware that leaves nothing as it should be
after_firmware() {
	qemu_start "$(basename "$1")" -machine "$2" -cpu "$3" -m 2G \
		-device "loader,file=$tmp/firmware.bin,addr=$firmware,force-raw=on,cpu-num=0" \
		-device "loader,file=$1,addr=$load,force-raw=on"
}

says() {
	local name=$1 line
	shift
	for line; do
		tap_ok "$name: $line" wait_line "$console" "$line"
	done
}

# assemble OUT SOURCE [CPP FLAGS...]
assemble() {
	"${CROSS}gcc" -c "${@:3}" "$2" -o "$1.o" && "${CROSS}objcopy" -O binary -j .text "$1.o" "$1"
}

# little VALUE BYTES - as printf's escapes
little() {
	local n
	for ((n = 0; n < $2; n++)); do
		printf '\\x%02x' $(($1 >> 8 * n & 255))
	done
}

# --- every way down, with the example kernel. The full table is `make matrix`.
ended='kernel: task exited with status 0'
boots() { # IMAGE MACHINE CPU LINE...
	start "$O/examples/seed/$1.img" "$2" "$3"
	says "$1 on $2, $3" "${@:4}" "$ended"
	process_end "$pid"
}

groups2='LDR|INFO|CPU0: interrupts are Non-secure now (GICv2)'
groups3='LDR|INFO|CPU0: interrupts are Non-secure now (GICv3)'
at3='LDR|INFO|CPU0: CurrentEL=EL3' to2='LDR|INFO|CPU0: dropping to EL2' to1='LDR|INFO|CPU0: dropping to EL1'
boots good-el1 $el3,gic-version=2 cortex-a53 "$at3" "$groups2" "$to1"
boots good-el1 $el3,gic-version=3 max "$at3" "$groups3" "$to1"
boots good-el1-c0 $el32,gic-version=3 cortex-a57 "$at3" "$groups3" "$to2" "$to1"
boots good-el2 $el32,gic-version=2 max "$at3" "$groups2" "$to2"
boots good-el2-c0 $el32,gic-version=3 cortex-a53 "$at3" "$groups3" "$to2"

start "$O/examples/seed/good-el2.img" $el3 cortex-a53
says 'EL2 board, EL3 without EL2' \
	"LDR|ERROR: board $el2 enters the kernel at EL2, but CPU0 came up at EL3, without an EL2: give the machine an EL2 (QEMU: virtualization=on)"
process_end "$pid"

# --- a kernel that uses everything
task "$tmp/task.elf"
probe "$tmp/at1.elf" 0xffffff8040000000 0x40000000 0x3000 0 -DPROBE_RIGHTS
mk $el1 "$tmp/at1.elf" "$tmp/at1.img"
probe "$tmp/at2.elf" 0x8040000000 0x40000000 0x3000 0 -DPROBE_RIGHTS
mk $el2 "$tmp/at2.elf" "$tmp/at2.img"
assemble "$tmp/firmware.bin" tests/loader/firmware.S -DLOADER=$load

# value FIELD - what the probe says of it, in hexadecimal without leading zeros; once if all CPUs agree
value() { tr -d '\r' <"$console" | sed -n "s/^probe: $1=0*\\(.\\)/\\1/p" | uniq; }

# rights NAME FIELD=VALUE... - on every CPU up to $last
last=0
rights() {
	local name=$1 want
	shift
	tap_ok "$name: nothing is trapped" wait_line "$console" "probe: end=000000000000000$last"
	for want in "$@" spi=ffffffff ppi=ffffffff pmr=f0 isr=80 iar=5; do
		tap_ok "$name: $want" is "${want#*=}" "$(value "${want%%=*}")"
	done
	process_end "$pid"
}

for gic in 2 3; do
	for machine in $el3 $el32 $el2_only virt; do
		start "$tmp/at1.img" "$machine,gic-version=$gic" max
		rights "EL1 kernel, $machine, GICv$gic, max" sve=100 sme=100 tpidr2=0
	done
	start "$tmp/at2.img" $el32,gic-version=$gic max
	rights "EL2 kernel, $el32, GICv$gic, max" sve=100 sme=100
	start "$tmp/at1.img" $el32,gic-version=$gic cortex-a53
	rights "EL1 kernel, $el32, GICv$gic, cortex-a53" sve= sme=
done
for machine in $el32 $el2_only; do
	start "$tmp/at1.img" "$machine,mte=on" max
	rights "EL1 kernel, $machine, tagged memory" mte=0
done

# Each CPU has interrupts of its own to make Non-secure; without PSCI each starts at the loader.
last=3
others=()
for cpu in 1 2 3; do
	others+=(-device "loader,addr=$load,cpu-num=$cpu")
done
for el in 1 2; do
	mk "$([ $el = 1 ] && echo "$el1" || echo "$el2")" "$tmp/at$el.elf" "$tmp/smp$el.img" --cpus 4
	for gic in 2 3; do
		start "$tmp/smp$el.img" $el32,gic-version=$gic cortex-a53 -smp 4 "${others[@]}"
		rights "four CPUs, EL$el kernel, $el32, GICv$gic"
		start "$tmp/smp$el.img" $el2_only,gic-version=$gic max -smp 4
		rights "four CPUs, EL$el kernel, $el2_only, GICv$gic"
	done
done
last=0

# The same after the worst of firmware.
for cpu in cortex-a53 max; do
	for machine in $el3 $el32 $el2_only; do
		after_firmware "$tmp/at1.img" "$machine" $cpu
		rights "after bad firmware, EL1 kernel, $machine, $cpu" mpidr=80000000
	done
	after_firmware "$tmp/at2.img" $el32 $cpu
	rights "after bad firmware, EL2 kernel, $el32, $cpu" cntvoff=0
	after_firmware "$tmp/at2.img" $el2_only $cpu
	rights "after bad firmware, EL2 kernel, $el2_only, $cpu" cntvoff=0
done
after_firmware "$tmp/at1.img" $el3 cortex-a53
says 'no frequency' "LDR|INFO|CPU0: CNTFRQ_EL0 is 0, and the board's \`timer\` says nothing better"
process_end "$pid"

# Nobody should: but who does, reads why nothing happens.
assemble "$tmp/firmware.bin" tests/loader/firmware.S -DLOADER=$load -DFIRMWARE_EL0
after_firmware "$tmp/at1.img" virt cortex-a53
says 'entered at EL0' 'LDR|ERROR: DC ZVA is prohibited, as it is at EL0' 'enter it at EL1, EL2 or EL3'
process_end "$pid"
assemble "$tmp/firmware.bin" tests/loader/firmware.S -DLOADER=$load

# field BOARD NAME - offset of a field of struct baton_image_board, from the loader's debug information
field() {
	local off
	off=$("${GDB:-gdb-multiarch}" -nx -batch -ex "print/d &((struct baton_image_board *)0)->$2" \
		"$O/loader/$1/loader.elf" 2>/dev/null | sed -n 's/.*= //p')
	echo $(($(symbol "$1" board) + off))
}

cp "$tmp/at1.img" "$tmp/timer.img"
poke "$tmp/timer.img" "$(field $el1 timer)" "$(little 54000000 8)"
after_firmware "$tmp/timer.img" $el3 cortex-a53
rights "the board's frequency" cntfrq=337f980

# Without the groups no interrupt gets through: what the lines above have shown.
cp "$tmp/at1.img" "$tmp/nogic.img"
poke "$tmp/nogic.img" "$(field $el1 gic)" '\1'
start "$tmp/nogic.img" $el3,gic-version=2 cortex-a53
tap_ok 'gic = none: the kernel is entered' wait_line "$console" 'probe: end='
tap_ok 'gic = none: nothing is touched' is 0 "$(value spi)"
tap_ok 'gic = none: no interrupt' is 3ff "$(value iar)"
process_end "$pid"

# --- exceptions: broken IMAGE BOARD FUNCTION FLAGS... - FUNCTION begins with a branch to broken.S
broken() {
	local at end image=$1
	at=$(symbol "$2" "$3")
	case $2 in *_el1) cp "$tmp/at1.img" "$image" ;; *) cp "$tmp/at2.img" "$image" ;; esac
	truncate -s %64 "$image"
	end=$(stat -c %s "$image")
	assemble "$tmp/broken.bin" tests/loader/broken.S "${@:4}"
	cat "$tmp/broken.bin" >>"$image"
	poke "$image" "$at" "$(little $((0x14000000 | (end - at) / 4)) 4)"
}

# registers NAME - the dump is of broken.S, x0 apart
registers() {
	local n want=
	tap_ok "$1: the last register" wait_line "$console" 'reg: 0x0000001e: 0x00000000000abc1e'
	for ((n = 1; n < 31; n++)); do
		want="$want$(printf '0x%08x: 0x%016x ' $n $((0xabc00 + n)))"
	done
	tap_ok "$1: x1 to x30" is "$want" \
		"$(tr -d '\r' <"$console" | awk '/reg: / && $2 != "0x00000000:" { printf "%s %s ", $2, $3 }')"
	tap_ok "$1: SP" has "$console" '    sp: 0x0000000000005ee0'
}

# faults NAME MACHINE BOARD FUNCTION LEVEL
faults() {
	broken "$tmp/broken.img" "$3" "$4" '-DCAUSE=str x1, [x0]'
	start "$tmp/broken.img" "$2" cortex-a53
	registers "$1"
	says "$1" "esr_el$5: 0x000000009" \
		'(Data Abort taken without a change in Exception level)' \
		'(address size fault, level 0) on a write' 'far: 0xab00000000000000' \
		'reg: 0x00000000: 0xab00000000000000'
	process_end "$pid"
}

faults 'at EL3' $el3 $el1 el3_setup 3
faults 'at EL2, MMU off' $el2_only $el2 el2_setup 2
faults 'at EL2, from EL3' $el32 $el2 el2_setup 2
faults 'at EL1, MMU off' virt $el1 el1_mmu_enable 1
faults 'at EL1, from EL3' $el3 $el1 el1_mmu_enable 1

cause() { # NAME CAUSE LINE...
	broken "$tmp/broken.img" $el1 el3_setup "-DCAUSE=$2"
	start "$tmp/broken.img" $el3 cortex-a53
	says "$1" "${@:3}"
	process_end "$pid"
}

cause 'a read' 'ldr x1, [x0]' '(address size fault, level 0) on a read'
cause 'a fetch' 'br x0' '(Instruction Abort taken without a change in Exception level)' \
	'(address size fault, level 0) on an instruction fetch' 'elr: 0xab00000000000000'
cause 'a breakpoint' 'brk #0x1234' 'esr_el3: 0x00000000f2001234' 'far: not set by this exception'
cause 'a crooked pc' 'add x0, sp, #2; br x0' '(PC alignment fault)' 'far: 0x0000000000005ee2'
cause 'an illegal state' 'mov x0, #0x3c1; msr spsr_el3, x0; adr x0, .; msr elr_el3, x0; eret' \
	'(Illegal Execution state)'

vector() { # NUMBER LINE
	cause "vector $1" "ldr x0, =$((vectors + 128 * $1)); br x0" "$2"
}
vectors=$((load + $(symbol $el1 vectors)))
vector 1 'IRQ (Current Exception level with SP_EL0)'
vector 6 'FIQ (Current Exception level with SP_ELx)'
vector 11 'SError (Lower Exception level using AArch64)'
vector 12 'Synchronous (Lower Exception level using AArch32)'

# Syndromes that QEMU does not make: the register as given, and in at the vector.
syndrome() { # ESR LINE...
	broken "$tmp/broken.img" $el1 el1_mmu_enable \
		"-DCAUSE=ldr x0, =$1; msr esr_el1, x0; ldr x0, =0x5500; msr far_el1, x0; ldr x0, =$((vectors + 128 * 4)); br x0"
	start "$tmp/broken.img" virt cortex-a53
	says "ESR $1" "${@:2}"
	process_end "$pid"
}

syndrome 0x9600002b '(translation fault, level -1) on a read' 'far: 0x0000000000005500'
syndrome 0x96000069 '(address size fault, level -1) on a write'
syndrome 0x86000013 '(synchronous external abort on a table walk, level -1) on an instruction fetch'
syndrome 0x96000017 '(synchronous external abort on a table walk, level 3) on a read'
syndrome 0x9600001b '(parity or ECC error on a table walk, level -1) on a read'
syndrome 0x96000023 '(granule protection fault on a table walk, level -1) on a read'
syndrome 0x9600014f '(permission fault, level 3) on cache maintenance or an address translation'
syndrome 0x96000410 '(synchronous external abort) on a read' 'far: not set by this exception'
syndrome 0x96000051 '(tag check fault) on a write'
syndrome 0x96000030 '(TLB conflict) on a read'
syndrome 0x9600003f '(a fault that this loader has no words for) on a read'
syndrome 0xbe000011 '(SError interrupt)' 'far: not set by this exception'
syndrome 0xfc000000 '(a class that this loader has no words for)'

# From below: what a kernel at EL1 does to the levels above.
broken "$tmp/broken.img" $el1 el1_mmu_enable '-DCAUSE=hvc #0x55'
start "$tmp/broken.img" $el2_only cortex-a53
registers 'hvc from EL1'
says 'hvc from EL1' 'Synchronous (Lower Exception level using AArch64)' 'esr_el2: 0x000000005a000055' \
	'(HVC instruction execution in AArch64 state)'
process_end "$pid"
broken "$tmp/broken.img" $el1 el1_mmu_enable '-DCAUSE=smc #0x55'
start "$tmp/broken.img" $el32 cortex-a53
says 'smc from EL1, where nobody serves it' 'esr_el1: 0x0000000002000000' '(Unknown reason)'
process_end "$pid"
broken "$tmp/broken.img" $el1 el2_drop_to_el1 -DSTAGE2 -DCAUSE=nop
start "$tmp/broken.img" $el2_only cortex-a53
says 'stage 2' '(Instruction Abort from a lower Exception level)' \
	'(translation fault, level 1) on an instruction fetch' 'far: 0x0000000060123450' \
	'ipa: 0x0000000060123000' 'sp: 0x0000000000005ee0'
process_end "$pid"

# With the MMU on, at EL2 (EL1: loader.sh).
probe "$tmp/fault2.elf" 0x8040000000 0x40000000 0x3000 0 -DPROBE_FAULT=1
mk $el2 "$tmp/fault2.elf" "$tmp/fault2.img"
start "$tmp/fault2.img" $el32 cortex-a53
says 'at EL2, MMU on' 'esr_el2: 0x000000009' '(translation fault, level 1) on a read' \
	'far: 0x0000005500000000' 'reg: 0x0000001e: 0x0000000000001e1e'
process_end "$pid"

# The handler itself: told once; and where even that fails, the CPU rests.
cp "$tmp/at1.img" "$tmp/nested.img"
poke "$tmp/nested.img" "$(symbol $el1 trap_handler)" '\0\0\0\0'
poke "$tmp/nested.img" "$(symbol $el1 el1_mmu_enable)" '\0\0\0\0'
start "$tmp/nested.img" virt cortex-a53 -d int -D "$tmp/int.log"
says 'the handler fails' "LDR|ERROR: the exception handler itself failed: esr_el1 0x0000000002000000 elr $(printf '0x%016x' $((load + $(symbol $el1 trap_handler))))"
sleep 0.5
tap_ok 'the handler fails: two exceptions and no more' is 2 "$(grep -c '^Taking exception .*Undefined' "$tmp/int.log")"
process_end "$pid"
cp "$tmp/at1.img" "$tmp/mute.img"
poke "$tmp/mute.img" "$(field $el1 uart)" "$(little $((0xab << 40)) 8)"
start "$tmp/mute.img" virt cortex-a53 -d int -D "$tmp/int.log"
wait_line "$tmp/int.log" 'Taking exception' && sleep 0.5
tap_ok 'no console: the CPU rests after three exceptions' is 3 "$(grep -c '^Taking exception' "$tmp/int.log")"
process_end "$pid"

tap_end
