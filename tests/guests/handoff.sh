#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/guests/handoff.sh [NAME...] - Debian's kernels and firmware under `handoff`, behind
# QEMU's loader and behind ours: no complaint, and a timeline that agrees with QEMU's log of
# exceptions (tests/e2e/agree). Linux goes on to its first process. TAP.
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh
G=$O/guests wanted=" $* " out=$tmp/out log=$tmp/int console=$tmp/console
[ -r "$G/initrd" ] || { echo "Bail out! no guests in $G; \`make guests\` gets them"; exit 1; }

show() {
	echo "# the timeline ends with:"
	tail -n 20 "$out" | sed 's/^/#   /'
	return 1
}
says() { has "$out" "$1" || show; }
hasnt_any() { ! grep -E -- "$1" "$out" | sed 's/^/# /' | grep . || show; }
agrees() { "$PWD/tests/e2e/agree" "$1" "$out" "$log" | sed 's/^/# /'; [ "${PIPESTATUS[0]}" = 0 ]; }
up() { grep -aqF -- "$1" "$console" || show; }
# each CPU but the first: switched on, then its MMU on
secondaries() {
	awk -v cpus="$1" '
		/ CPU_ON\(CPU / { sub(/.*CPU_ON\(CPU 0x/, ""); sub(/,.*/, ""); called[$0] = NR }
		/ MMU on$/ { sub(/CPU/, "", $1); if (!($1 in on)) on[$1] = NR }
		END { for (c = 1; c < cpus; c++) if (!called[c] || on[c] <= called[c]) exit 1 }' "$out" || show
}

wants() { [ "$wanted" = '  ' ] || [[ $wanted == *" $1 "* ]]; }

# watch NAME COMMAND... -- QEMU'S ARGUMENTS
watch() {
	local name=$1 commands=()
	shift
	while [ "$1" != -- ]; do
		commands+=(-e "$1")
		shift
	done
	shift
	rm -f "$log" "$console"
	timeout 400 "$O/baton" run -l none "${commands[@]}" -- "$QEMU" -display none -nic none \
		"${serial[@]}" -d int -D "$log" "$@" </dev/null >"$out" 2>&1
	status=$?
	sed 's/\r$//' -i "$out"
	tap_ok "$name: no warning and no alarm" hasnt_any 'warning|ALARM|would take|exception: '
	tap_ok "$name: what the timeline has is in QEMU's log, in order" agrees part
}
serial=(-serial "file:$console")

# Until the first instruction at EL0, and on to the first process.
linux() { # NAME CHECK QEMU'S ARGUMENTS
	watch "$1" 'handoff until user 60' 'cont 20' -- "${@:3}"
	tap_ok "$1: exit status 0" test $status = 0
	tap_ok "$1: to the first instruction at EL0" says 'drop to EL0 at '
	[ "$2" = part ] || tap_ok "$1: levels change as QEMU logs it" agrees changes
	tap_ok "$1: the first process runs" up 'guest: '
}

# Until it is silent: firmware waits for keys.
firmware() { # NAME SAYS QEMU'S ARGUMENTS
	watch "$1" 'handoff run 5' -- "${@:3}"
	tap_ok "$1: levels as QEMU logs them" agrees changes
	tap_ok "$1: $2" says "$2"
}

row() { # NAME LEVELS MARKER QEMU'S ARGUMENTS
	wants "$1" || return 0
	case $1 in
	linux | linux-kpti | linux-max | linux-nvhe | linux-vhe) linux "$1" changes "${@:4}" ;;
	uboot-el[123]) firmware "$1" 'goes on in a copy of itself: ' "${@:4}" ;;
	xen) linux "$1" part "${@:4}" ;;
	esac
}
# shellcheck source=tests/guests/list.sh
. tests/guests/list.sh

# Linux behind our loader, behind EDK2; Xen on four CPUs.
ours() { # NAME BOARD MACHINE CPUS
	wants "$1" || return 0
	"$QEMU" -machine "$3,dumpdtb=$tmp/dtb" -cpu cortex-a57 -smp "$4" -m 2G -display none 2>/dev/null
	"$O/baton-mkimage" --board "$2" --kernel-type linux --kernel "$G/vmlinuz" --dtb "$tmp/dtb" \
		--initrd "$G/initrd" --bootargs 'console=ttyAMA0' -o "$tmp/linux.img"
	linux "$1" "${5:-changes}" -machine "$3" -cpu cortex-a57 -smp "$4" -m 2G \
		-device "loader,file=$tmp/linux.img,addr=$load,cpu-num=0"
	[ "$4" = 1 ] || tap_ok "$1: CPUs switched on, and then running" secondaries "$4"
}
ours loader-el1 "$el1" virt 1
ours loader-el1-4 "$el1" virt 4
ours loader-el2-4 "$el2" virt,virtualization=on 4
if wants linux-4; then
	linux linux-4 changes -M virt -cpu cortex-a57 -smp 4 "${linux[@]}" -append "$quiet"
	tap_ok 'linux-4: CPUs switched on, and then running' secondaries 4
fi
for el in 1 2; do
	on=virt
	[ $el = 1 ] || on=virt,virtualization=on
	! wants edk2-el$el || firmware edk2-el$el 'goes on in a copy of itself: ' -M $on \
		-cpu cortex-a57 -m 1G -bios "$G/edk2.fd"
	! wants edk2-linux-el$el || linux edk2-linux-el$el changes -M $on -cpu cortex-a57 \
		-bios "$G/edk2.fd" "${linux[@]}" -append "$quiet"
done
if wants xen-4; then
	machine=virt,virtualization=on,gic-version=2
	"$QEMU" -machine $machine,dumpdtb="$tmp/dtb" -cpu cortex-a57 -smp 4 -m 2G -display none 2>/dev/null
	{ dtc -q -I dtb -O dts "$tmp/dtb" && sed -e "s/KERNEL_SIZE/$(stat -c %s "$G/vmlinuz")/" \
		-e "s/INITRD_SIZE/$(stat -c %s "$G/initrd")/" tests/guests/xen.dts; } |
		dtc -q -I dts -O dtb -o "$tmp/xen.dtb"
	linux xen-4 part -smp 4 -cpu cortex-a57 "${xen[@]}" -dtb "$tmp/xen.dtb"
	tap_ok 'xen-4: CPUs switched on, and then running' secondaries 4
fi

# U-Boot, by its `go` our loader, and its kernel to EL0.
chain() { # NAME IMAGE MACHINE
	wants "$1" || return 0
	local keys serial=(-chardev "pipe,id=serial,path=$tmp/tty" -serial chardev:serial) readers
	: >"$console"
	[ -p "$tmp/tty.in" ] || mkfifo "$tmp/tty.in" "$tmp/tty.out"
	exec 3<>"$tmp/tty.in" 4<>"$tmp/tty.out"
	cat <&4 >"$tmp/seen" &
	readers=$!
	{
		until grep -aq '=> ' "$tmp/seen"; do sleep 0.3; printf ' ' >&3; done
		sleep 1
		printf '\rgo %s\r' $load >&3
	} &
	keys=$!
	watch "$1" 'handoff until user 30' 'cont 3' -- -M "$3" -cpu cortex-a53 -m 2G -bios "$tmp/u-boot.bin" \
		-device "loader,file=$2,addr=$load"
	kill $keys $readers 2>/dev/null
	wait $keys $readers 2>/dev/null
	cp "$tmp/seen" "$console"
	tap_ok "$1: levels change as QEMU logs it" agrees changes
	tap_ok "$1: U-Boot's relocation" says 'goes on in a copy of itself: '
	tap_ok "$1: U-Boot's jump" says "-> $load, at physical $load"
	tap_ok "$1: the loader's" says 'the kernel goes on at 0x'
	tap_ok "$1: the kernel's" says 'drop to EL0 at 0x'
	tap_ok "$1: to the end" up 'kernel: task exited with status 0'
}
uboot "$tmp/u-boot.bin"
chain uboot-loader-el1 "$O/examples/seed/good-el1.img" virt
chain uboot-loader-el2 "$O/examples/seed/good-el2.img" virt,virtualization=on
tap_end
