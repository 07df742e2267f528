#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Long loops under `handoff run`: stops are taken out meanwhile, and nothing is missed for it.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

cross=${CROSS:-aarch64-linux-gnu-}

# guest NAME: standard input is code at 0x48000000 that ends by switching the machine off.
guest() {
	{
		cat <<'END'
	.macro mark n
	mov	x9, #\n << 11
	msr	vbar_el1, x9
	.endm
	.macro spin n
	mov	x1, #\n << 16
1:	sub	x1, x1, #1
	nop
	cbnz	x1, 1b
	.endm
	.macro hvc_ f
	ldr	x0, =\f
	hvc	#0
	.endm
	.text
	.global _start
_start:
	msr	daifset, #15
END
		cat
		printf '\t%s\n' 'hvc_	0x84000008' 'b	.' '.ltorg'
	} >"$tmp/$1.S"
	"${cross}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,-Ttext=0x48000000,--no-warn-rwx-segments \
		-o "$tmp/$1.elf" "$tmp/$1.S" && "${cross}objcopy" -O binary "$tmp/$1.elf" "$tmp/$1.img"
}

# follow NAME: QEMU's stub writes into $log what it was asked for.
follow() {
	log=$tmp/$1.log
	out=$tmp/$1.out
	timeout 120 "$O/baton" run -l none -e 'handoff run' -- "$QEMU" -machine virt -cpu cortex-a53 -m 1G \
		-display none -serial null -monitor none -nic none -smp "${2:-1}" \
		-trace gdbstub_io_command -D "$log" \
		-device "loader,file=$tmp/$1.img,addr=0x48000000,cpu-num=0" </dev/null >"$out" 2>&1
	status=$?
}
# marks N...: exactly these VBARs, one after the other, were written
marks() {
	local want='' n
	for n; do
		want+=$(printf '%#x ' $((n << 11)))
	done
	[ "$(sed -n 's/.* VBAR_EL1 .*-> \(0x[0-9a-f]*\).*/\1/p' "$out" | tr '\n' ' ')" = "$want" ] || show
}
# The page of 0x48000000 was watched, so stops were out.
thinned() { grep -qF 'Received: Z2,48000000,1000' "$log"; }
never_thinned() { ! grep -qF 'Received: Z2,' "$log"; }

guest inner <<'END'
	mark	1
	spin	64
	mark	2
	bl	2f
	mark	4
	b	3f
2:	spin	64
	cbz	x1, 4f
	mark	3		// not this way
4:	ret
3:	mark	5
END
follow inner
tap_ok 'a loop between stops: none is missed' marks 1 2 4 5
tap_ok 'a loop between stops: they were out' thinned

guest outer <<'END'
	mark	1
	adrp	x9, 5f
	add	x9, x9, :lo12:5f
	stp	x29, x30, [x9, #-16]
	bl	5f
	mark	3
	b	6f
	.balign	4096
	.skip	256
5:	mov	x28, x30
	mrs	x0, ttbr0_el1
	msr	ttbr0_el1, x0
	bl	7f
	mov	x30, x28
	mark	2
	ret
7:	spin	64
	ret
	.skip	4096
6:	mark	4
END
follow outer
tap_ok 'a loop in another page, left to its caller' marks 1 2 3 4

# What comes behind the loop is not what it was when that began.
guest changed <<'END'
	mark	1
	cbnz	x28, 9f		// it is known, and not behind the loop
	ldr	w2, =0x14000004		// b 9f, at 8
	adr	x3, 8f
	mov	x1, #64 << 16
1:	sub	x1, x1, #1
	cmp	x1, #9
	csel	x4, x3, x28, eq
	b.ne	2f
	str	w2, [x4]
2:	cbnz	x1, 1b
8:	nop
	mark	2
	b	3f
9:	mark	3
	tbnz	x9, #63, 8b
3:	mark	4
END
follow changed
tap_ok 'a loop that changes what comes next: its stop is not missed' marks 1 3 4
tap_ok 'a loop that changes what comes next: stops were out' thinned

# Another CPU comes out of its loop first, and a stop is on its way alone.
guest others <<'END'
	adr	x2, 2f
	mov	x1, #1
	ldr	x0, =0xc4000003
	hvc	#0
	mark	1
	spin	192
	mark	3
	hvc_	0x84000008
	b	.
2:	msr	daifset, #15
	spin	48
	mark	2
1:	wfe
	b	1b
END
follow others 2
tap_ok 'loops of two CPUs: nothing of either is missed' marks 1 2 3
tap_ok 'loops of two CPUs: stops were out' thinned

# An interrupt would lead where nothing was looked at.
guest open <<'END'
	mark	1
	msr	daifclr, #2
	spin	64
	mark	2
END
follow open
tap_ok 'interrupts are open: all is as ever' marks 1 2
tap_ok 'interrupts are open: no stop was taken out' never_thinned

tap_end
