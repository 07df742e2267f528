#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A kernel that starts with its MMU off and then runs the same function at a high address, under
# KVM (tests/kvm): what were traps on its way must be none in it.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
CROSS=${CROSS:-aarch64-linux-gnu-}

# A Linux image by its header, for QEMU's -kernel, at EL1.
cat >"$tmp/kernel.S" <<'END'
	.arch	armv8-a
	.global	_start
_start:	b	begin
	.org	8
	.quad	0, 0x10000, 0xa		// offset, size, 4 KiB and anywhere
	.org	56
	.ascii	"ARM\x64"
	.long	0
begin:	adr	x0, vectors
	msr	vbar_el1, x0
	mov	x0, #0xff
	msr	mair_el1, x0
	bl	both
	adrp	x0, table
	msr	ttbr0_el1, x0
	msr	ttbr1_el1, x0
	dsb	sy
	isb
	tlbi	vmalle1
	dsb	sy
	isb
	ldr	x0, =0x30d00801
	msr	sctlr_el1, x0
	isb
	adr	x0, high
	orr	x0, x0, #0xffffff8000000000
	br	x0
high:	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	bl	both
	adr	x0, user		// its block for EL0 is 1 GiB higher
	and	x0, x0, #0x7fffffff
	eor	x0, x0, #0xc0000000
	msr	elr_el1, x0
	msr	spsr_el1, xzr
	isb
	eret
both:	ldr	x0, =0x2b5193519	// two halves of 39 bits, write-back
	msr	tcr_el1, x0
	isb
	ret
user:	svc	#7
	b	.
	.balign	2048
vectors: .rept	16
	b	.
	.balign	128
	.endr
	.balign	4096
table:	.quad	0, 0x40000701, 0x0020000040000741	// 1 GiB each
	.balign	4096
END
"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,-Ttext=0 "$tmp/kernel.S" -o "$tmp/kernel.elf" &&
	"${CROSS}objcopy" -O binary "$tmp/kernel.elf" "$tmp/kernel"

for slots in 4,2 6,4; do
	out=$tmp/out.$slots
	KVM_QEMU=$QEMU KVM_SLOTS=$slots timeout 120 "$O/baton" run -l none -e 'handoff until user' \
		-e 'handoff until exception' -e 'handoff until exception 1' -- tests/kvm/qemu -M virt \
		-cpu cortex-a57 -m 512M -nographic -nic none -kernel "$tmp/kernel" </dev/null >"$out" 2>&1
	status=$?
	tap_ok "$slots: into the high half" says 'the kernel goes on at 0xffffff8040200'
	tap_ok "$slots: to EL0" says 'drop to EL0 at 0x802000'
	tap_ok "$slots: ... and no further" grep -q '^user, event .*: it stands at EL0, 0x802000' "$out"
	tap_ok "$slots: an exception" says 'takes svc #7'
	tap_ok "$slots: no other" never_says 'takes an exception'
	tap_ok "$slots: no stop is left where nothing is mapped" never_says 'no stop at'
done
tap_end
