#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/matrix/matrix.sh [all] - boots the example kernel behind the loader until its task has
# ended, on machines of all kinds; those that cannot work have to be refused, with their words.
# `all`: a table. Without: so few cells that each pair of values is among them, as TAP. In U-BootN
# Debian's U-Boot has entered the loader at ELN by `go`, with its MMU and caches on (`all` only).
#
# Environment: O, QEMU, QEMU_SHARE (QEMU's -L), JOBS (how many at once; as many as there are
# CPUs here). What failed is kept in $O/matrix/VERSION/CELL: console and command.
set -u
O=${O:-build} QEMU=${QEMU:-qemu-system-aarch64} JOBS=${JOBS:-$(nproc)}
LIMIT=30 # seconds of silence, far more than any boot takes

entries=(EL3 EL3+EL2 EL2 EL1) # +EL2: with an EL2 below
declare -A machine=([EL3]='virt,secure=on' [EL3+EL2]='virt,secure=on,virtualization=on'
	[EL2]='virt,virtualization=on' [EL1]='virt')
machine+=([U-Boot3]=${machine[EL3+EL2]} [U-Boot2]=${machine[EL2]} [U-Boot1]=${machine[EL1]})
declare -A board=([EL1]=qemu_virt_aarch64_el1 [EL2]=qemu_virt_aarch64)
declare -A elf=([0xffffff8040000000]=kernel-el1 [0xffffffffc0000000]=kernel-el1-c0 [0xffc0000000]=kernel-el2-c0)
kernels=(EL1/0xffffff8040000000 EL1/0xffffffffc0000000 EL1/0xffc0000000
	EL2/0xffffff8040000000 EL2/0xffffffffc0000000 EL2/0xffc0000000) # level/address
cpu_counts=(1 2 4 8) gics=(2 3) cpu_models=(cortex-a53 cortex-a57 max)

version=$("$QEMU" --version | sed -n 's/.*version \([^ ]*\).*/\1/p')
[ -n "$version" ] || { echo "matrix: $QEMU does not run" >&2; exit 2; }
dir=$O/matrix/$version
rm -rf "$dir"
mkdir -p "$dir/images"
tmp=$dir/images
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh
share=() && [ -z "${QEMU_SHARE:-}" ] || share=(-L "$QEMU_SHARE")

# --- what is wanted of a cell: sets mark (+ up, M refused by mkimage, L by the loader), wants (lines)
expect() { # ENTRY KERNEL [CPUS]
	local level=${2%/*} addr=${2#*/} n from=${1//[!0-9]/}
	mark=+ wants=("LDR|INFO|CPU0: CurrentEL=EL${from:0:1}"
		'kernel: memory is as linked, write-back, inner shareable'
		'Booting all finished, dropped to user space' 'kernel: task exited with status 0')
	for ((n = 1; n < ${3:-1}; n++)); do
		wants+=("kernel: CPU $n up")
	done
	case $level/${elf[$addr]} in
	EL1/kernel-el2*) mark=M wants=(" is linked at $addr, but board ${board[EL1]} enters the kernel at EL1") ;;
	EL2/kernel-el1*) mark=M wants=(" is linked at $addr, but board ${board[EL2]} enters the kernel at EL2") ;;
	EL2/*) case $1 in
		EL1 | U-Boot1) mark=L wants=("LDR|ERROR: board ${board[EL2]} enters the kernel at EL2, but CPU0 came up at EL1: ") ;;
		EL3) mark=L wants=("LDR|ERROR: board ${board[EL2]} enters the kernel at EL2, but CPU0 came up at EL3, without an EL2: ") ;;
		esac ;;
	esac
}

# --- images; what mkimage has to refuse, it refuses once for all machines
image() { # KERNEL CPUS - says on standard output what a row of the results is
	local level=${1%/*} out name=${1/\//-}-$2
	out=$("$O/baton-mkimage" --board "${board[$level]}" --kernel "$O/examples/kernel/${elf[${1#*/}]}.elf" \
		--task "$O/examples/kernel/task.elf" --cpus "$2" -o "$dir/images/$name.img" 2>&1)
	case $?$out in
	0*) [ $mark != M ] || out='baton-mkimage has made an image' ;;
	2*"${wants[0]}"*) [ $mark != M ] || { echo "$out" >"$dir/images/M $level"; return 0; } ;;
	esac
	[ -n "$out" ] || return 0
	mark=x
	mkdir -p "$dir/mkimage-$name"
	printf '%s\n' "$out" >"$dir/mkimage-$name/console"
}

# --- one machine, until all that is wanted has been said
machine_end() {
	kill "$qemu" 2>/dev/null
	wait "$qemu" 2>/dev/null
}

cell() { # ENTRY KERNEL CPUS GIC CPU
	local args=("${share[@]}" -machine "${machine[$1]},gic-version=$4" -cpu "$5" -smp "$3" -m 2G
		-display none -monitor none -nic none -serial stdio)
	local img=$dir/images/${2/\//-}-$3.img n line part='' said=() status end failed=''
	local boot=,cpu-num=0 keys=$tmp/keys-$BASHPID
	rm -f "$keys" # of a process of before with the same number
	mkfifo "$keys"
	exec {in}<>"$keys"
	[[ $1 != U-Boot* ]] || { boot=''; args+=(-bios "$tmp/u-boot.bin"); }
	args+=(-device "loader,file=$img,addr=$load,force-raw=on$boot")
	# Without PSCI each CPU has to be started at the loader.
	[[ ${machine[$1]} == *secure* ]] && for ((n = 1; n < $3; n++)); do
		args+=(-device "loader,addr=$load,cpu-num=$n")
	done
	expect "$1" "$2" "$3"
	exec {out}< <(exec "$QEMU" "${args[@]}" <"$keys" 2>&1)
	qemu=$!
	trap machine_end EXIT
	trap 'exit 143' TERM
	end=$((SECONDS + LIMIT))
	while [ ${#wants[@]} -gt 0 ] && [ $SECONDS -lt $end ] && [ ${#said[@]} -lt 5000 ]; do
		IFS= read -r -t 0.3 -u "$out" line
		status=$?
		part+=$line
		# What is typed before U-Boot asks for it may get lost, or come late and be echoed.
		if [ $status -gt 128 ] && [[ $1 == U-Boot* ]]; then
			if [[ $part =~ '=> '' '*$ ]]; then
				printf 'go %s\r' $load >&"$in"
				part=''
			elif [[ $part == *'stop autoboot'* ]]; then
				printf ' ' >&"$in"
			fi
		fi
		[ $status -le 128 ] || continue
		[ $status = 0 ] || break
		said+=("${part%$'\r'}")
		[ -n "$failed" ] || end=$((SECONDS + LIMIT))
		for n in "${!wants[@]}"; do
			[[ $part != *"${wants[n]}"* ]] || unset "wants[$n]"
		done
		# What is refused must not have got anywhere; what fails has a moment to say all of it.
		[ $mark != L ] || [[ $part != Bootstrapping* ]] || break
		if [ $mark = + ] && [ -z "$failed" ] && [[ $part =~ LDR.ERROR|'not as linked' ]]; then
			failed=1 end=$((SECONDS + 3))
		fi
		part=''
	done
	[ ${#wants[@]} -gt 0 ] || [ $mark != L ] || echo "${said[-1]}" >"$dir/images/L $1"
	[ ${#wants[@]} = 0 ] || {
		mark=x
		n=$dir/$1-${2/\//-}-$3-gicv$4-$5
		mkdir -p "$n"
		printf '%s\n' "${said[@]}" ${part:+"$part"} >"$n/console"
		printf '%q ' "$QEMU" "${args[@]}" >"$n/command"
		printf 'no line: %s\n' "${wants[@]}" >"$n/wanted"
	}
	echo "$mark $*" >>"$dir/results"
}

# --- cells: those that start a machine
all_cells() {
	local e k n g c
	for k in "${kernels[@]}"; do
		for e in "${entries[@]}"; do
			expect "$e" "$k"
			[ $mark != M ] || continue
			for n in "${cpu_counts[@]}"; do for g in "${gics[@]}"; do for c in "${cpu_models[@]}"; do
				echo "$mark $e $k $n $g $c"
			done; done; done
		done
	done
}

# Of what boots, the cell with most pairs of values that no other has yet, until there are none; and
# of each refusal one.
covering() {
	awk '
	$1 == "L" { if (!refused[$2]++ && ++n) chosen[n] = substr($0, 3); next }
	{ cell[++cells] = substr($0, 3) }
	END {
		do {
			best = 0
			for (c = 1; c <= cells; c++) {
				split(cell[c], v, " ")
				gain = 0
				for (i = 1; i < 5; i++) for (j = i + 1; j <= 5; j++)
					gain += !((i, v[i], j, v[j]) in have)
				if (gain > best) { best = gain; pick = c }
			}
			if (best) {
				split(cell[pick], v, " ")
				for (i = 1; i < 5; i++) for (j = i + 1; j <= 5; j++) have[i, v[i], j, v[j]]
				chosen[++n] = cell[pick]
			}
		} while (best)
		for (c = 1; c <= n; c++) print chosen[c]
	}'
}

run_all() { # lines of cells
	local running=0 done=0 total=$# c
	for c; do
		if [ $running -ge "$JOBS" ]; then wait -n; running=$((running - 1)); fi
		# shellcheck disable=SC2086 # a cell is five words
		cell $c &
		running=$((running + 1)) done=$((done + 1))
		[ ! -t 2 ] || printf '\r%d of %d ' $done "$total" >&2
	done
	wait
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# --- what is shown
failures() {
	local f
	for f in "$dir"/*/console; do
		[ -r "$f" ] || continue
		printf 'x %s: %s\n' "${f%/console}" "$(tail -n 1 "$f")"
	done
}

table() {
	local e k n g c
	printf '%-8s%-24s' '' ''
	for c in "${cpu_models[@]}"; do printf '%-14s' "$c"; done
	printf '\n%-8s%-24s' '' ''
	for c in "${cpu_models[@]}"; do for g in "${gics[@]}"; do printf '%-6s' "GICv$g"; done; printf '  '; done
	printf '\n%-8s%-24s' entry kernel
	for c in "${cpu_models[@]}"; do for g in "${gics[@]}"; do printf '%s' "${cpu_counts[@]}" '  '; done; printf '  '; done
	echo
	for e in "${entries[@]}" any; do for k in "${kernels[@]}"; do
		expect "$e" "$k"
		# What is refused before there is a machine is shown once.
		[ $mark = M ] && [ "$e" = any ] || { [ $mark != M ] && [ "$e" != any ]; } || continue
		printf '%-8s%-24s' "$e" "${k/\// }"
		for c in "${cpu_models[@]}"; do for g in "${gics[@]}"; do
			for n in "${cpu_counts[@]}"; do printf '%s' "${result[${e/any/EL1} $k $n $g $c]:-.}"; done
			printf '  '
		done; printf '  '; done
		echo
	done; done
}

trap 'kill $(jobs -p) 2>/dev/null' EXIT
trap 'exit 143' INT TERM HUP
declare -A result=() count=([+]=0 [L]=0 [M]=0 [x]=0)
refusals=() number=0
[ "${1:-}" != all ] || if uboot "$tmp/u-boot.bin"; then
	entries+=(U-Boot3 U-Boot2 U-Boot1)
else
	echo "no U-Boot, and no cells for it:"
	cat "$tmp/apt.log"
fi
for k in "${kernels[@]}"; do for n in "${cpu_counts[@]}"; do
	expect EL2 "$k"
	wanted=$mark
	image "$k" "$n"
	[ $wanted = M ] || [ $mark = x ] || continue
	refusals+=("$mark any $k $n")
	for e in "${entries[@]}"; do for g in "${gics[@]}"; do for c in "${cpu_models[@]}"; do
		result[$e $k $n $g $c]=$mark
	done; done; done
done; done
mapfile -t cells < <(if [ "${1:-}" = all ]; then all_cells | cut -d' ' -f2-; else all_cells | covering; fi)
run_all "${cells[@]}"
while read -r mark cell; do
	result[$cell]=$mark
done <"$dir/results"
for mark in "${result[@]}"; do
	count[$mark]=$((count[$mark] + 1))
done

if [ "${1:-}" = all ]; then
	printf 'QEMU %s; each cell: 1, 2, 4, 8 CPUs; U-BootN: by its `go` from ELN, MMU and caches on\n' "$version"
	table | sed 's/ *$//'
	printf '%4d + up: memory verified, every CPU there, the task run to its end\n' "${count[+]}"
	printf '%4d L refused by the loader, on its console:\n' "${count[L]}"
	sort -u "$dir/images/L "* | sed 's/^/         /'
	printf '%4d M refused by baton-mkimage:\n' "${count[M]}"
	sed 's/^/         /' "$dir/images/M "*
	printf '%4d x failed\n' "${count[x]}"
	failures
else
	declare -A verdict=([+]=up [L]='refused by the loader' [M]='refused by baton-mkimage' [x]=failed)
	for c in "${refusals[@]}" "${cells[@]/#/? }"; do
		number=$((number + 1)) mark=${c%% *} cell=${c#* }
		[ "$mark" != '?' ] || mark=${result[$cell]:-x}
		[ "$mark" != x ] || printf 'not '
		echo "ok $number - QEMU $version, $cell: ${verdict[$mark]}"
	done
	failures | sed 's/^/# /'
	echo "1..$number"
fi
rm -rf "$dir/images" "$dir/results"
[ "${count[x]}" = 0 ]
