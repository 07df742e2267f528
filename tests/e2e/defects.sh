#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the console ends with for each step of the loader that fails (copy, MMU, PSCI and the other
# CPUs, jump), on CPU 0 and on another: rows of tests/zoo. boot.sh has the seed case's.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

two=virt,virtualization=on

# start NAME[+NAME] SEED MACHINE [QEMU'S ARGUMENTS] - the defects on a seed image, with a second to wait
start() {
	local defect board=$el1
	[[ $2 != *el2* ]] || board=$el2
	cp "$O/examples/seed/$2.img" "$tmp/bad.img"
	for defect in ${1//+/ }; do
		"$O/tests/zoo/zoo" "$defect" --elf "$O/loader/$board/loader.elf" "$tmp/bad.img" -o "$tmp/next.img" ||
			{ tap_ok "$1 fits $2" false; return; }
		mv "$tmp/next.img" "$tmp/bad.img"
	done
	poke "$tmp/bad.img" $(($(symbol $board board) + 64 + 5 * 8 + 3 * 4)) '\1'
	qemu_start bad -machine "$3" -cpu cortex-a53 -m 2G "${@:4}" \
		-device "loader,file=$tmp/bad.img,addr=$load,cpu-num=0"
}

# ends NAME SEED MACHINE LINE... - these are said, and there is no more
ends() {
	local line
	local cpus=1
	[[ $2 != *smp4 ]] || cpus=4
	start "$1" "$2" "$3" -smp $cpus
	for line in "${@:4}"; do
		tap_ok "$1, $2: $line" wait_line "$console" "$line"
	done
	tap_ok "$1, $2: no user space" hasnt "$console" 'dropped to user space'
	process_end "$pid"
}

at() { printf '%016x' "$1"; }
trapped='loader trapped exception: Synchronous (Current Exception level with SP_ELx)'
fetch='on an instruction fetch'

# --- copy
ends copy-short good-el1 virt 'LDR|INFO|CPU0: jumping to kernel' \
	'kernel: task at 0x4002d008, 32760 bytes, is not as linked: CRC-32 0x'
ends copy-elsewhere good-el1 virt "LDR|ERROR: $trapped" '(Unknown reason)' "elr: 0x$(at 0xffffff8040000000)"
ends copy-elsewhere good-el1-smp4 virt "LDR|ERROR|CPU1: $trapped" "LDR|ERROR|CPU3: $trapped"

# --- MMU on. Where nothing is mapped there is nobody to speak: the last line says how far it came.
ends mmu-no-mair good-el1 virt \
	'kernel: CPU 0 has 0xffffff8040000000 at 0x40000000 as device memory (MAIR 0x00, SH 3), wanted: write-back'
start mmu-no-identity good-el1 virt -d int 2> >(head -c 20000 >"$tmp/int.log")
tap_ok 'mmu-no-identity: the next instruction is not mapped' wait_line "$tmp/int.log" \
	'with ESR 0x21/0x86000004'
tap_ok 'mmu-no-identity: the last line' wait_line <(tail -n 1 "$console") 'LDR|INFO|CPU0: enabling MMU'
process_end "$pid"
# CPU 2 is made to miss as well: a kernel that runs has a console of its own.
ends mmu-secondary-tables+psci-same-cpu good-el1-smp4 virt 'LDR|INFO|CPU1: jumping to kernel' \
	"LDR|ERROR|CPU1: $trapped" \
	"(translation fault, level 0) $fetch" "far: 0x$(at 0xffffff8040000000)"
ends mmu-secondary-identity good-el1-smp4 virt 'LDR|INFO|CPU1: enabling MMU' \
	'LDR|ERROR: CPU1 is missing: it was switched on and has not reported within 1 s'

# --- PSCI and the other CPUs
none='LDR|ERROR: CPU1 is missing: there is no PSCI to switch it on'
ends psci-none good-el1-smp4 virt 'LDR|INFO: PSCI is not available' "$none"
ends psci-smc good-el1-smp4 virt 'LDR|INFO: PSCI is not available' "$none"
ends psci-hvc good-el2-smp4 $two 'LDR|INFO: PSCI is not available' "$none"
ends psci-liar good-el1-smp4 virt 'LDR|INFO: PSCI version is 0.0' \
	'LDR|ERROR: CPU1 is missing: it was switched on and has not reported within 1 s'
ends psci-no-such-cpu good-el1-smp4 virt \
	'LDR|ERROR: CPU1 is missing: PSCI CPU_ON says invalid parameters (has the machine 4 CPUs?'
ends psci-same-cpu good-el2-smp4 $two 'LDR|INFO|CPU1: jumping to kernel' \
	'LDR|ERROR: CPU2 is missing: PSCI CPU_ON says already on'
for seed in good-el1-smp4 good-el2-smp4; do
	machine=virt
	[ $seed = good-el1-smp4 ] || machine=$two
	ends secondary-stack $seed $machine "LDR|ERROR|CPU1: $trapped" 'on a write' "sp: 0x$(at 1)" \
		'LDR|ERROR: CPU1 is missing: it was switched on and has not reported within 1 s'
	ends secondary-stack+secondary-vectors $seed $machine \
		'LDR|ERROR: CPU1 is missing: it was switched on and has not reported within 1 s'
	tap_ok "secondary-stack+secondary-vectors, $seed: CPU 1 is silent" hasnt "$console" 'CPU1: '
done

# --- jump
ends jump-register good-el1 virt 'LDR|INFO|CPU0: jumping to kernel' "LDR|ERROR: $trapped" \
	"(translation fault, level 2) $fetch" "elr: 0x$(at 0x4002d000)"
ends jump-physical good-el1 virt "LDR|ERROR: $trapped" "(translation fault, level 2) $fetch" \
	"far: 0x$(at 0x40000000)"
ends jump-physical good-el1-smp4 virt "LDR|ERROR|CPU1: $trapped" "LDR|ERROR: $trapped"
ends kernel-entry-udf good-el1-smp4 virt "LDR|ERROR|CPU1: $trapped" '(Unknown reason)' \
	"elr: 0x$(at 0xffffff8040000000)"
ends jump-secondary+psci-same-cpu good-el1-smp4 virt 'LDR|INFO|CPU1: jumping to kernel' \
	"LDR|ERROR|CPU1: $trapped" "(translation fault, level 1) $fetch" "far: 0x$(at 0xffffff8080000000)" \
	'LDR|ERROR: CPU2 is missing: PSCI CPU_ON says already on'

tap_end
