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
hasnt_any() { ! grep -qE -- "$1" "$out" || show; }
agrees() { "$PWD/tests/e2e/agree" "$1" "$out" "$log" | sed 's/^/# /'; [ "${PIPESTATUS[0]}" = 0 ]; }
up() { grep -aqF -- "$1" "$console" || show; }

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
	timeout 300 "$O/baton" run -l none "${commands[@]}" -- "$QEMU" -display none -nic none \
		-serial "file:$console" -d int -D "$log" "$@" </dev/null >"$out" 2>&1
	sed 's/\r$//' -i "$out"
	tap_ok "$name: no warning and no alarm" hasnt_any 'warning: no |ALARM|would take'
}

# Until the first instruction at EL0, and on to the first process.
linux() { # NAME QEMU'S ARGUMENTS
	watch "$1" 'handoff until user 60' 'cont 20' -- "${@:2}"
	tap_ok "$1: to the first instruction at EL0" says 'drop to EL0 at '
	tap_ok "$1: levels change as QEMU logs it" agrees changes
	tap_ok "$1: the first process runs" up 'guest: '
}

row() { # NAME LEVELS MARKER QEMU'S ARGUMENTS
	wants "$1" || return 0
	case $1 in
	linux | linux-kpti | linux-nvhe | linux-vhe) linux "$1" "${@:4}" ;;
	uboot-el[12] | edk2-el1 | xen)
		watch "$1" 'handoff run 5' -- "${@:4}"
		tap_ok "$1: exceptions and levels as QEMU logs them" agrees changes
		;;
	esac
}
# shellcheck source=tests/guests/list.sh
. tests/guests/list.sh

# Linux behind our loader.
ours() { # NAME BOARD MACHINE CPUS
	wants "$1" || return 0
	"$QEMU" -machine "$3,dumpdtb=$tmp/dtb" -cpu cortex-a57 -smp "$4" -m 2G -display none 2>/dev/null
	"$O/baton-mkimage" --board "$2" --kernel-type linux --kernel "$G/vmlinuz" --dtb "$tmp/dtb" \
		--initrd "$G/initrd" --bootargs 'console=ttyAMA0' -o "$tmp/linux.img"
	linux "$1" -machine "$3" -cpu cortex-a57 -smp "$4" -m 2G \
		-device "loader,file=$tmp/linux.img,addr=$load,cpu-num=0"
}
ours loader-el1 "$el1" virt 1
ours loader-el2-4 "$el2" virt,virtualization=on 4
tap_end
