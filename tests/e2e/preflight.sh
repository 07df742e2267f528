#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `handoff preflight` on real QEMU: before the MMU comes on, before an eret and before the jump,
# at EL1 to EL3; good images, defects of the zoo, and what Linux and seL4 ask for.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

CROSS=${CROSS:-aarch64-linux-gnu-}
seed=$O/examples/seed second=$O/tests/loader2
el1=qemu_virt_aarch64_el1 el2=qemu_virt_aarch64
virt2=virt,virtualization=on virt3=virt,secure=on,virtualization=on
out='' status='' cpus=1

# baton IMAGE ADDRESS MACHINE OPTIONS...: $out, $status
baton() {
	local image=$1 addr=$2 machine=$3
	shift 3
	out=$tmp/$((tap_count + 1)).out
	timeout 120 "$O/baton" run -l none "$@" -- "$QEMU" -machine "$machine" -cpu cortex-a53 \
		-m 2G -smp "$cpus" -nographic -nic none -device "loader,file=$image,addr=$addr,cpu-num=0" \
		</dev/null >"$out" 2>&1
	status=$?
	sed 's/\r$//' -i "$out"
}
show() {
	echo "# status $status; the output ends with:"
	grep -aE '^before|^  [A-Za-z0-9_]+ +(ok|warn|wrong|unk)|nothing|next:|warning' "$out" | tail -n 24 | sed 's/^/#   /'
	return 1
}
ends_with() { [ "$status" = "$1" ] || show; }
says() { has "$out" "$1" || show; }
never_says() { hasnt "$out" "$1" || show; }
# row NAME STATE [WORDS]: that line of the list
row() { grep -qE "^  $1 +$2 +.*${3-}" "$out" || show; }
# all NAME...: these rows, in this order, all of them ok
all() { [ "$(sed -n 's/^  \([A-Za-z0-9_]*\) *ok  .*/\1/p' "$out" | xargs)" = "$*" ] || show; }
before() { grep -qE "^before $1" "$out" || show; }

# --- good: every row is ok
sel4='pc memory TCR tables vectors regions task level MMU x0 x1 x2 x3 x4 DAIF TPIDR_EL1'
baton "$seed/good-el1.img" 0x70000000 virt -e 'handoff until jump' -e 'handoff preflight'
tap_ok 'the jump at EL1: exit status 0' ends_with 0
tap_ok 'the jump at EL1: which' before \
	'br x8 at EL1, 0x[0-9a-f]*: to 0xffffff8040000000 \(kernel entry\), as seL4 wants it$'
# shellcheck disable=SC2086 # words
tap_ok 'the jump at EL1: all is looked at' all $sel4 caches
tap_ok 'the jump at EL1: the sum' says 'nothing wrong. next: `handoff run`'
baton "$seed/good-el2.img" 0x70000000 $virt2 -e 'handoff until jump' -e 'handoff preflight'
# shellcheck disable=SC2086
tap_ok 'the jump at EL2: all is looked at' all $sel4 CNTVOFF_EL2 caches
tap_ok 'the jump at EL2: exit status 0' ends_with 0
baton "$seed/good-el1.img" 0x70000000 $virt3 -e 'handoff until jump' -e 'handoff preflight'
tap_ok 'from EL3: exit status 0' ends_with 0
# shellcheck disable=SC2086
tap_ok 'from EL3: all is looked at' all $sel4 CNTVOFF_EL2 caches

mmu='pc memory TCR tables sp vectors console'
for image in good:virt:1 good-el2:$virt2:2; do
	IFS=: read -r name machine el <<<"$image"
	baton "$second/$name.img" 0x48000000 "$machine" -e 'handoff until event '$((el == 1 ? 2 : 1)) \
		-e 'handoff preflight'
	tap_ok "EL$el, the MMU: seen from before" before \
		"msr sctlr_el$el, x26 at EL$el, 0x[0-9a-f]*, [0-9]+ instructions ahead: MMU on$"
	# shellcheck disable=SC2086
	tap_ok "EL$el, the MMU: all is looked at" all $mmu
	tap_ok "EL$el, the MMU: exit status 0" ends_with 0
done
baton "$second/good.img" 0x48000000 $virt2 -e 'handoff preflight'
tap_ok 'an eret, with no run before it' before 'eret at EL2, .* ahead: to 0x[0-9a-f]*, EL1$'
tap_ok 'an eret: all is looked at' all pc sp vectors console
baton "$second/good-eret.img" 0x48000000 virt -e 'handoff until jump' -e 'handoff preflight'
tap_ok 'an eret that leaves' before 'eret at EL1, .*: to 0xffffff8040000000$'
tap_ok 'another loader: nothing is claimed of its kernel' all pc memory TCR tables vectors caches
baton "$second/good.img" 0x48000000 virt -e 'handoff preflight'
tap_ok 'where a flag decides nothing is said' says 'it depends. next: `handoff until jump`'
tap_ok 'where a flag decides: exit status 0' ends_with 0

# --- defects: the row that is wrong, before the instruction; and it has not been executed
# defect NAME BOARD IMAGE MACHINE BEFORE ROW WORDS
defect() {
	local image=$seed/$3.img elf=$O/loader/$2/loader.elf at=0x70000000
	[[ $3 != loader2/* ]] || { image=$O/tests/$3.img elf=$O/tests/$3.elf at=0x48000000; }
	"$O/tests/zoo/zoo" "$1" --elf "$elf" "$image" -o "$tmp/$1.img" || return
	baton "$tmp/$1.img" $at "$4" -e 'handoff run' -e 'handoff preflight'
	tap_ok "$1: exit status 1" ends_with 1
	tap_ok "$1: before $5" before "$5"
	tap_ok "$1: what is wrong" row "$6" wrong "$7"
	tap_ok "$1: what next" grep -q '^[0-9]* wrong.* next: `fix`' "$out"
}
on='msr sctlr_el1, x0 at EL1, 0x[0-9a-f]*: MMU on$' jump='br x8 at EL1, 0x[0-9a-f]*: to'
defect mmu-no-identity $el1 good-el1 virt "$on" pc 'L0 \[0\].* translation fault, level 0'
tap_ok 'no identity: the stack, too' row sp warning 'not mapped for writing'
tap_ok 'no identity: the vectors, too' row vectors warning 'a fault would never end'
tap_ok 'no identity: the console, too' row console warning 'not mapped for writing'
defect id-l2-af $el1 good-el1 virt "$on" pc 'access flag fault, level 2'
defect id-l2-pxn $el1 good-el1 virt "$on" pc 'permission fault, level 2'
defect id-l2-oa $el1 good-el1 virt "$on" pc 'fetched from 0x7020.* instead of'
defect tcr-tg0-64k $el1 good-el1 virt "$on" pc 'translation fault'
defect lvl0-upper-zero $el1 good-el1 virt "$jump" pc 'L0 \[511\] .*translation fault, level 0'
defect l2-pxn $el1 good-el1 virt "$jump" pc 'permission fault, level 2'
defect l2-attr-device $el1 good-el1 virt "$jump" memory 'Device-nGnRnE'
defect copy-overlap $el1 good-el1 virt "$jump" regions 'region 0 is not what the image holds'
defect 2-el2-root-zero - loader2/good-el2 $virt2 'br x9 at EL2' pc 'translation fault, level 0'
baton "$second/bad-eret.img" 0x48000000 virt -e 'handoff run' -e 'handoff preflight'
tap_ok 'an eret into nothing: before it' before 'eret at EL1, .*: to 0xffffff8040000000$'
tap_ok 'an eret into nothing: what is wrong' row pc wrong 'translation fault, level 0'
# As GDB's user has it: no trouble was met yet, and none is.
baton "$tmp/lvl0-upper-zero.img" 0x70000000 virt -e 'handoff run' -e 'handoff preflight' \
	-e 'print $pc' -e 'handoff preflight'
tap_ok 'nothing has run' [ "$(grep -c '^before br x8' "$out")" = 2 ]

# --- what a kernel asks for: seen in a run, and in the list
# contract NAME ROW WORDS [IMAGE]
contract() {
	"$O/tests/zoo/zoo" "$1" --elf "$O/loader/$el1/loader.elf" "${4-$seed/good-el1.img}" \
		-o "$tmp/$1.img" || return
	baton "$tmp/$1.img" 0x70000000 virt -e 'handoff until jump' -e 'handoff preflight'
	tap_ok "$1${4+, Linux}: in the list" row "$2" wrong "$3"
	tap_ok "$1${4+, Linux}: exit status 1" ends_with 1
	baton "$tmp/$1.img" 0x70000000 virt -e 'handoff run'
	tap_ok "$1${4+, Linux}: in a run" grep -qE "warning: .*$3" "$out"
	tap_ok "$1${4+, Linux}: its end does not call all well" \
		grep -qE '^the loader is left: .*, with [1-9] warnings? on the way' "$out"
	tap_ok "$1${4+, Linux}: a warning is no failure" ends_with 0
}
contract contract-x0 x0 'x0 is 0: seL4 wants the task.s start, 0x4002d000'
contract contract-x3 x3 'is 0x3000e0: outside of the task, 0x200000 to'
contract contract-tpidr TPIDR_EL1 'TPIDR_EL1 is 0x63'
contract contract-daif DAIF 'DAIF leaves IF open'
"$O/tests/zoo/zoo" copy-short --elf "$O/loader/$el1/loader.elf" "$seed/good-el1.img" -o "$tmp/short.img"
baton "$tmp/short.img" 0x70000000 virt -e 'handoff until jump' -e 'handoff preflight'
tap_ok 'a task of which half is copied: in the list' row task warning \
	'the task, 0x4002d000 to 0x40034fff, was copied only up to 0x40030fff'
tap_ok 'a task of which half is copied: what was copied is right' row regions ok
"$O/tests/zoo/zoo" uart-zero --elf "$O/loader/$el1/loader.elf" "$seed/good-el1.img" -o "$tmp/u.img"
baton "$tmp/u.img" 0x70000000 virt -e 'handoff run'
tap_ok 'a console that is not mapped is seen coming' \
	says 'warning: with the MMU on the console, 0x9000000, is not mapped for writing'

"${CROSS}gcc" -nostdlib -static -no-pie -Wl,--build-id=none,--no-warn-rwx-segments \
	-Wl,--defsym=VIRT=0,--defsym=PHYS=0,--defsym=GAP=0x3000,--defsym=SKEW=0,-e,0 \
	-Wl,-T,tests/loader/probe.ld tests/loader/image.S tests/loader/probe.S -o "$tmp/image.elf"
"${CROSS}objcopy" -O binary "$tmp/image.elf" "$tmp/Image"
"$QEMU" -machine virt,dumpdtb="$tmp/virt.dtb" -cpu cortex-a53 -m 2G -display none 2>"$tmp/dtb.log"
linux() {
	"$O/baton-mkimage" --board "$1" --kernel-type linux --kernel "$tmp/Image" --dtb "$tmp/virt.dtb" \
		-o "$tmp/$1.img"
	baton "$tmp/$1.img" 0x70000000 "$2" -e 'handoff until jump' -e 'handoff preflight' \
		-e 'handoff run'
	tap_ok "Linux by $1 on $2" says ', as Linux wants it'
	tap_ok "Linux by $1 on $2: all is looked at" \
		all pc vectors regions level MMU x0 x1 x2 x3 DAIF caches
	tap_ok "Linux by $1 on $2: no complaint" never_says warning
}
linux $el1 virt
linux $el2 $virt2
linux $el2 $virt3
contract contract-x0 x0 'x0 is 0, where no device tree is: Linux wants its address' "$tmp/$el1.img"

# --- code that was copied, and no cache was told: ic iallu becomes a nop
at=$(LC_ALL=C grep -obUaP '\x1f\x75\x08\xd5' "$second/good.img" | head -n 1)
cp "$second/good.img" "$tmp/no-ic.img"
printf '\x1f\x20\x03\xd5' | dd of="$tmp/no-ic.img" bs=1 seek="${at%%:*}" conv=notrunc status=none
baton "$tmp/no-ic.img" 0x48000000 virt -e 'handoff until jump' -e 'handoff preflight' -e 'handoff run'
tap_ok 'no ic: in the list' row caches warning 'no ic was executed since reset'
tap_ok 'no ic: in the run' says 'warning: code was copied to 0x40000000 and no ic was executed'
tap_ok 'no ic: works under TCG, exit status 0' ends_with 0
baton "$tmp/no-ic.img" 0x48000000 virt -e 'cont 0.001' -e 'handoff preflight'
tap_ok 'what was not watched is not claimed' never_says 'caches +warning'

# --- with its MMU off a kernel is read from memory, all of it
baton "$second/copy-off.img" 0x48000000 virt -e 'handoff run'
tap_ok 'cleaned in part, and left with the MMU off: from where on' says \
	'warning: code was copied to 0x40002040 with the caches on and no dc has cleaned it since'

# --- two stages: before the eret that leaves the second on, before EL1's MMU, before the jump
baton "$second/stage2.img" 0x48000000 $virt2 -e 'handoff preflight'
tap_ok 'stage 2: an eret, seen from before it is on' before 'eret at EL2, .* 16 instructions ahead: to 0x48000044, EL1$'
tap_ok 'stage 2: an eret: all is looked at' all pc stage2 sp vectors console
baton "$second/stage2.img" 0x48000000 $virt2 -e 'handoff until event 5' -e 'handoff preflight'
tap_ok "stage 2: EL1's MMU" before 'msr sctlr_el1, x26 at EL1, 0x[0-9a-f]*, [0-9]+ instructions ahead: MMU on$'
tap_ok "stage 2: EL1's MMU: all is looked at" all pc memory TCR tables stage2 sp vectors console
tap_ok 'stage 2: the row' row stage2 ok 'VTTBR_EL2 0x480[0-9a-f]*: no error in it'
baton "$second/stage2.img" 0x48000000 $virt2 -e 'handoff until jump' -e 'handoff preflight' -e 'handoff run'
tap_ok 'stage 2: the jump: all is looked at' all pc memory TCR tables stage2 vectors caches
tap_ok 'stage 2: the run does not complain' never_says warning
# the second stage begins with zeros: no device is mapped; then its memory has no access flag
patched() { # OFFSET BYTES, in its table
	at=$((16#$("${CROSS}nm" "$second/stage2.elf" | sed -n 's/ . s2_l1$//p') - 0x48000000 + $1))
	cp "$second/stage2.img" "$tmp/stage2.img"
	printf '%b' "$2" | dd of="$tmp/stage2.img" bs=1 seek=$at conv=notrunc status=none
}
patched 0 '\0\0\0\0\0\0\0\0'
baton "$tmp/stage2.img" 0x48000000 $virt2 -e 'handoff preflight'
tap_ok 'stage 2: the console is not in it' row console '(unknown|warning)' '0x9000000'
patched 9 '\003'
baton "$tmp/stage2.img" 0x48000000 $virt2 -e 'handoff preflight'
tap_ok 'stage 2: no access flag: seen from before it is on' row pc wrong 'L1 \[1\] at 0x480[0-9a-f]*: .*access flag'

# --- another CPU, and for programs
cpus=2
baton "$second/good.img" 0x48000000 virt -e 'handoff until jump' -e 'handoff preflight -c 0' \
	-e 'handoff preflight -c 7'
tap_ok '-c 0: whose' before "CPU0's br x9 at EL1"
tap_ok '-c: no such CPU' says '-c 7: no such CPU (there are 0 to 1)'
tap_ok '-c: exit status 2' ends_with 2
cpus=1
baton "$second/good.img" 0x48000000 virt -e 'handoff until jump' -e 'handoff preflight --json'
tap_ok '--json: an object' says '{"before":{"kind":"leave","cpu":0,"el":1,"pc":"0x480000'
tap_ok '--json: where to' says '"to":"0xffffff8040000000","to_el":1,"contract":null},"checks":[{"name":"pc","state":"ok","text":"0xffffff8040000000 -> 0x40000000, mapped, executable"}'
baton "$second/good.img" 0x48000000 virt --json -e 'handoff preflight' -e 'handoff until jump' \
	-e 'handoff preflight' -e 'handoff trace 2' -e 'handoff trace show'
tap_ok '--json of baton: nothing is sure to come' says '"before": null'
tap_ok '--json of baton: members' says '"checks": [{"name": "pc", "state": "ok"'
tap_ok '--json of baton: a trace' says '"trace": [{"number": 1, "cpu": 0, "el": 1, "pc": "0x480000'

# --- from GDB: nothing is armed, nothing runs
# shellcheck disable=SC2034
listen=
baton_start gdb -machine virt -cpu cortex-a53 -m 2G \
	-device "loader,file=$second/good.img,addr=0x48000000,cpu-num=0"
gdb_run gdb "set architecture aarch64
target remote \$sock
tbreak *0x48000080
continue
monitor handoff preflight
info registers pc"
out=$tmp/gdb.out status=-
tap_ok 'from GDB: the list' before 'msr sctlr_el1, x26 at EL1'
tap_ok 'from GDB: the pc is where it was' says '0x48000080'
process_end "$pid"
tap_end
