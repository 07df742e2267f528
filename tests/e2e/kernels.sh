#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What `handoff` sees behind the jump into a kernel, on a kernel made for it: a way that is
# not watched, an instruction that is hit often and then matters, silence in between.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
CROSS=${CROSS:-aarch64-linux-gnu-}

# A Linux image by its header, for QEMU's -kernel, at EL2.
cat >"$tmp/kernel.S" <<'END'
	.arch	armv8-a
	.global	_start
_start:	b	begin
	.org	8
	.quad	0, 0x10000, 0xa		// offset, size, 4 KiB and anywhere
	.org	56
	.ascii	"ARM\x64"
	.long	0
// Its MMU on while sp and the vectors are nobody's: to be set later.
begin:	mov	x0, #0x10000
	mov	sp, x0
	msr	vbar_el2, x0
	mov	x0, #0xff
	msr	mair_el2, x0
	ldr	x0, =0x80823519		// 39-bit input, 40-bit output, write-back
	msr	tcr_el2, x0
	adrp	x0, table
	msr	ttbr0_el2, x0
	tlbi	alle2
	dsb	sy
	isb
	ldr	x0, =0x30c50831
	msr	sctlr_el2, x0
	isb
// 40 returns to the same level, by one eret.
	mov	x20, #40
	mov	x1, #0x3c9
1:	adr	x0, 2f
	b	return
2:	subs	x20, x20, #1
	b.ne	1b
	bl	away
return:	msr	elr_el2, x0
	msr	spsr_el2, x1
	eret
// The same code, mapped 4 GiB higher, as nobody sees it coming: a ret within a call.
away:	adr	x30, 3f
	orr	x30, x30, #0x100000000
	ret
3:	mrs	x0, cntpct_el0
	mrs	x1, cntfrq_el0
	mov	x2, #4			// seconds
	madd	x2, x1, x2, x0
4:	mrs	x0, cntpct_el0
	cmp	x0, x2
	b.lo	4b
	mov	x0, #0x84000000		// PSCI_VERSION
	smc	#0
// Down, by the eret that was hit so often.
	mov	x0, #1 << 31
	msr	hcr_el2, x0
	isb
	adr	x9, return
	and	x9, x9, #0xffffffff
	adr	x0, el1
	and	x0, x0, #0xffffffff
	mov	x1, #0x3c5
	br	x9
el1:	adr	x0, user
	msr	elr_el1, x0
	msr	spsr_el1, xzr
	isb
	eret
user:	b	.
	.balign	4096
table:	.quad	0, 0x40000701, 0, 0, 0, 0x40000701	// 1 GiB each, write-back
	.balign	4096
END
"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,-Ttext=0 "$tmp/kernel.S" -o "$tmp/kernel.elf" &&
	"${CROSS}objcopy" -O binary "$tmp/kernel.elf" "$tmp/kernel"

out=$tmp/out
timeout 120 "$O/baton" run -l none -e 'handoff until user' -- "$QEMU" -M virt,virtualization=on \
	-cpu cortex-a57 -m 512M -nographic -nic none -kernel "$tmp/kernel" -d int -D "$tmp/int" \
	</dev/null >"$out" 2>&1
status=$?
tap_ok 'to the first instruction at EL0' ends_with 0
tap_ok 'an sp and vectors that the kernel has yet to set are not complained about' never_says warning
tap_ok 'its way' in_order 'SCTLR_EL2 .* MMU on$' 'eret: EL2 -> EL2 at ' 'eret: EL2 -> EL1 at ' \
	'drop to EL0 at ' '^user, event '
tap_ok 'behind a jump that was not seen: a call of the firmware' in_order \
	'EL2 +0x1[0-9a-f]{8} +smc PSCI_VERSION -> 1.1$'
tap_ok 'an eret that was hit often: the first time to another level' in_order \
	'PSCI_VERSION' 'eret: EL2 -> EL1 at 0x4'
tap_ok 'as QEMU logs it' "${0%/*}/agree" part "$out" "$tmp/int"
tap_ok 'levels as QEMU logs them' "${0%/*}/agree" changes "$out" "$tmp/int"
# A timeline that has it otherwise is noticed.
sed 's/eret: EL2 -> EL1 at 0x4/eret: EL2 -> EL1 at 0x5/' "$out" >"$tmp/other"
tap_ok 'another address does not agree' test "$("${0%/*}/agree" part "$tmp/other" "$tmp/int" | wc -l)" = 2
grep -v 'drop to EL0' "$out" >"$tmp/other"
tap_ok 'a way that is missing does not agree' test -n \
	"$("${0%/*}/agree" changes "$tmp/other" "$tmp/int")"

# Firmware in flash that only Secure state sees, at EL3.
cat >"$tmp/bios.S" <<'END'
	.global	_start
_start:	mov	x0, #0x800
	msr	vbar_el3, x0
	adr	x1, 1f
	blr	x1
	mov	x0, #0x1000
	msr	vbar_el3, x0
	b	.
1:	ret
	.balign	4096
END
"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,-Ttext=0 "$tmp/bios.S" -o "$tmp/bios.elf" &&
	"${CROSS}objcopy" -O binary "$tmp/bios.elf" "$tmp/bios"
timeout 60 "$O/baton" run -l none -e 'handoff run 1' -e 'mem -p 0 16' -- "$QEMU" -M virt,secure=on \
	-cpu cortex-a57 -m 512M -nographic -nic none -bios "$tmp/bios" </dev/null >"$out" 2>&1
status=$?
tap_ok 'Secure memory is followed' in_order '^handoff: memory around 0 at 0 ' ' VBAR_EL3 0 -> 0x800$' \
	' VBAR_EL3 0x800 -> 0x1000$'
tap_ok 'Secure memory is read' ends_with 0
tap_end
