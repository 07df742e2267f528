#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The loader on QEMU: what a kernel finds at its entry, and what is said where it goes wrong.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

task "$tmp/task.elf"
ended='jumping to kernel'

# start IMAGE MACHINE CPU SMP
start() {
	qemu_start "$(basename "$1")" -machine "$2" -cpu "$3" -smp "$4" -m 2G \
		-device "loader,file=$1,addr=$load,cpu-num=0"
}

# says NAME LINE... - the console of the QEMU that runs has these lines
says() {
	local name=$1 line
	shift
	for line; do
		tap_ok "$name: $line" wait_line "$console" "$line"
	done
}

hex() { printf '%016x' "$1"; }

# of CPU FIELD - what the probe has printed for this CPU
of() {
	tr -d '\r' <"$console" | awk -v cpu="probe: cpu=$(hex "$1")" -v field="probe: $2=" '
		/probe: cpu=/ { on = $0 == cpu }
		on && index($0, field) == 1 { print substr($0, length(field) + 1); exit }'
}

# entered NAME CPUS X4 X5 - the contract, for each CPU; sets of wanted values from $pa, $va, $el
entered() {
	local name=$1 cpus=$2 cpu
	tap_ok "$name: all CPUs reach the kernel" wait_line "$console" "probe: end=$(hex $((cpus - 1)))"
	for ((cpu = 0; cpu < cpus; cpu++)); do
		tap_ok "$name, CPU $cpu: x0 to x3" is \
			"$(hex $((pa + 0x4000))) $(hex $((pa + 0x8000))) $(hex $((pa + 0x4000 - 0x200000))) $(hex 0x200040)" \
			"$(of $cpu x0) $(of $cpu x1) $(of $cpu x2) $(of $cpu x3)"
		tap_ok "$name, CPU $cpu: device tree" is "$(hex "$3") $(hex "$4")" "$(of $cpu x4) $(of $cpu x5)"
		tap_ok "$name, CPU $cpu: EL$el, interrupts masked" is "$(hex $((el << 2))) $(hex 0x3c0)" \
			"$(of $cpu el) $(of $cpu daif)"
		tap_ok "$name, CPU $cpu: runs in the high half" is "${va:2:8}" "$(of $cpu pc | cut -c1-8)"
		tap_ok "$name, CPU $cpu: is that CPU" is "$cpu" "$((0x$(of $cpu mpidr) & 255))"
		tap_ok "$name, CPU $cpu: MMU and caches on" is $((0x1005)) "$((0x$(of $cpu sctlr) & 0x1005))"
		tap_ok "$name, CPU $cpu: MAIR" is "$(hex 0xff440c0400)" "$(of $cpu mair)"
	done
}

# contract NAME BOARD VIRT PHYS MACHINE CPU SMP X4 X5
contract() {
	probe "$tmp/$1.elf" "$3" "$4"
	mk "$2" "$tmp/$1.elf" "$tmp/$1.img" --cpus "$7"
	start "$tmp/$1.img" "$5" "$6" "$7"
	va=$(printf '0x%016x' "$3") pa=$4
	case $2 in *_el1) el=1 ;; *) el=2 ;; esac
	entered "$1" "$7" "$8" "$9"
}

# Where the kernel goes to 0x40000000 QEMU's device tree is overwritten, and not passed on.
contract el1-a53 $el1 0xffffff8040000000 0x40000000 virt cortex-a53 1 0 0
tap_ok 'el1-a53: TCR_EL1 with 40 bits of PA, 16 of ASID' is "$(hex 0x12b5103510)" "$(of 0 tcr)"
says el1-a53 'LDR|INFO: disabling MMU (if it was enabled)' 'LDR|INFO: PSCI version is 1.1' \
	'LDR|INFO: loader for seL4 starting' 'LDR|INFO: flags:' \
	'LDR|INFO: kernel:      entry:   0xffffff8040000000' \
	'LDR|INFO: root server: physmem: 0x0000000040004000 -- 0x0000000040008000' \
	'LDR|INFO:              virtmem: 0x0000000000200000 -- 0x0000000000204000' \
	'LDR|INFO:              entry  : 0x0000000000200040' \
	'LDR|INFO: region: 0x00000000   addr: 0x0000000040000000   size: 0x0' \
	'   offset: 0x0000000000000000   type: 0x0000000000000001' \
	'LDR|INFO: copying region 0x00000000' 'LDR|INFO|CPU0: CurrentEL=EL1' \
	'LDR|INFO|CPU0: enabling MMU' 'LDR|INFO|CPU0: jumping to kernel'
process_end "$pid"
contract el1-max-4 $el1 0xffffffffc0000000 0x60000000 virt max 4 0x40000000 0x100000
tap_ok 'el1-max-4: CPU 0 jumps last' is "LDR|INFO|CPU0: $ended" \
	"$(tr -d '\r' <"$console" | grep "$ended" | tail -1)"
process_end "$pid"
contract el2-a57-4 $el2 0xffc0000000 0x60000000 virt,virtualization=on cortex-a57 4 0x40000000 0x100000
tap_ok 'el2-a57-4: CNTVOFF_EL2 is 0' is "$(hex 0)" "$(of 3 cntvoff)"
process_end "$pid"
contract el2-max $el2 0x8040000000 0x40000000 virt,virtualization=on max 1 0 0
process_end "$pid"
contract drop-a53-4 $el1 0xffffff8040000000 0x40000000 virt,virtualization=on cortex-a53 4 0 0
says drop-a53-4 'LDR|INFO|CPU3: CurrentEL=EL2' 'LDR|INFO|CPU3: dropping to EL1'
process_end "$pid"

# --- faults: the dump is true, on every CPU
probe "$tmp/fault.elf" 0xffffff8040000000 0x40000000 0x3000 0 -DPROBE_FAULT=4
mk $el1 "$tmp/fault.elf" "$tmp/fault.img" --cpus 4
start "$tmp/fault.img" virt cortex-a53 4
ends() { [ "$(grep -c 'reg: 0x0000001e: 0x0000000000001e1e' "$console")" = 4 ]; }
for ((i = 0; i < 300; i++)); do
	if ends; then break; fi
	sleep 0.1
done
tap_ok 'four CPUs fault, four dumps' ends
for cpu in 0 1 2 3; do
	head='LDR|ERROR'
	[ $cpu = 0 ] || head="$head|CPU$cpu"
	tr -d '\r' <"$console" | awk -v head="$head: loader trapped" \
		'/loader trapped/ { on = index($0, head) } on' | head -n 40 >"$tmp/dump"
	tap_ok "CPU $cpu: x29, the last but one" has "$tmp/dump" "reg: 0x0000001d: 0x$(hex $cpu)"
	tap_ok "CPU $cpu: x0" has "$tmp/dump" 'reg: 0x00000000: 0x0000005500000000'
	tap_ok "CPU $cpu: x2" has "$tmp/dump" "reg: 0x00000002: 0x$(hex $((0x40004000 - 0x200000)))"
	tap_ok "CPU $cpu: FAR" has "$tmp/dump" 'far: 0x0000005500000000'
	tap_ok "CPU $cpu: the fault" has "$tmp/dump" 'iss: 0x0000000000000005 (translation fault, level 1)'
	tap_ok "CPU $cpu: 31 registers in order" is "$(seq 0 30 | xargs printf '0x%08x: ')" \
		"$(awk '/reg:/ { printf "%s ", $2 } /reg: 0x0000001e/ { exit }' "$tmp/dump")"
done
process_end "$pid"

cp "$tmp/el1-a53.img" "$tmp/zero.img"
poke "$tmp/zero.img" $(($(symbol $el1 boot_lvl0_upper) + 8 * 511)) '\0\0\0\0\0\0\0\0'
start "$tmp/zero.img" virt cortex-a53 1
says 'the seed case' \
	'LDR|ERROR: loader trapped exception: Synchronous (Current Exception level with SP_ELx)' \
	'    esr_el1: 0x0000000086000004' \
	'    ec: 0x00000021 (Instruction Abort taken without a change in Exception level)' \
	'    il: 0x0000000000000001' '    iss: 0x0000000000000004' \
	'    far: 0xffffff8040000000' '    reg: 0x00000000: 0x0000000040004000'
process_end "$pid"

# What its author typed, with names and types from the loader's ELF file.
qemu_start gdb -machine virt -cpu cortex-a53 -m 2G -S -gdb "unix:$tmp/gdb.sock,server=on,wait=off" \
	-device "loader,file=$tmp/zero.img,addr=$load,cpu-num=0"
for ((i = 0; i < 100; i++)); do
	[ ! -S "$tmp/gdb.sock" ] || break
	sleep 0.1
done
timeout 60 "${GDB:-gdb-multiarch}" -nx -batch "$O/loader/$el1/loader.elf" -ex "target remote $tmp/gdb.sock" \
	-ex 'break kernel_jump' -ex continue -ex 'ptype boot_lvl0_upper' \
	-ex 'set var boot_lvl0_upper[0x1ff] = (unsigned long)&boot_lvl1_upper + 3' \
	-ex detach >"$tmp/gdb.log" 2>&1
tap_ok 'GDB knows the tables as arrays' has "$tmp/gdb.log" 'type = unsigned long [512]'
says 'GDB sets the missing descriptor' 'probe: end='
process_end "$pid"

# --- PSCI: a conduit that is undefined is an answer
psci() { poke "$1" $(($(symbol "$2" board) + 64 + 5 * 8 + 2 * 4)) "$3"; }
cp "$tmp/el1-a53.img" "$tmp/smc.img"
psci "$tmp/smc.img" $el1 '\2'
start "$tmp/smc.img" virt cortex-a53 1
says 'smc at EL1, undefined' 'LDR|INFO: PSCI is not available' 'probe: end='
process_end "$pid"
cp "$tmp/el2-max.img" "$tmp/hvc.img"
psci "$tmp/hvc.img" $el2 '\1'
start "$tmp/hvc.img" virt,virtualization=on cortex-a53 1
says 'hvc at EL2, into our own vectors' 'LDR|INFO: PSCI is not available' 'probe: end='
process_end "$pid"
cp "$tmp/el1-max-4.img" "$tmp/none.img"
psci "$tmp/none.img" $el1 '\3'
poke "$tmp/none.img" $(($(symbol $el1 board) + 64 + 5 * 8 + 3 * 4)) '\1'
start "$tmp/none.img" virt cortex-a53 4
says 'no PSCI, four CPUs wanted' \
	'LDR|ERROR: CPU1 is missing: there is no PSCI to switch it on, and it has not come'
process_end "$pid"

# --- what else goes wrong has a name
start "$tmp/el1-max-4.img" virt cortex-a53 2
says 'four CPUs wanted, two there' 'LDR|ERROR: CPU2 is missing: PSCI CPU_ON says invalid parameters'
tap_ok 'four CPUs wanted, two there: CPU 0 does not jump' hasnt "$console" "CPU0: $ended"
process_end "$pid"
cp "$tmp/el1-max-4.img" "$tmp/late.img"
poke "$tmp/late.img" "$(symbol $el1 secondary_start)" '\0\0\0\024'
poke "$tmp/late.img" $(($(symbol $el1 board) + 64 + 5 * 8 + 3 * 4)) '\1'
start "$tmp/late.img" virt cortex-a53 4
says 'a CPU that hangs' 'LDR|ERROR: CPU1 is missing: it was switched on and has not reported within 1 s'
process_end "$pid"
start "$tmp/el2-max.img" virt cortex-a53 1
says 'EL2 board, no EL2' "LDR|ERROR: board $el2 enters the kernel at EL2, but CPU0 came up at EL1"
process_end "$pid"
cp "$tmp/el1-a53.img" "$tmp/magic.img"
poke "$tmp/magic.img" "$(symbol $el1 image_header)" '\0'
start "$tmp/magic.img" virt cortex-a53 1
says 'no header' 'LDR|ERROR: no image header at 0x0000000070'
process_end "$pid"
cp "$tmp/el1-a53.img" "$tmp/self.img"
poke "$tmp/self.img" $(($(symbol $el1 image_header) + 64)) '\0\0\1\160'
start "$tmp/self.img" virt cortex-a53 1
says 'a region on the loader' 'LDR|ERROR: region 0x00000000 would overwrite'
process_end "$pid"

tap_end
