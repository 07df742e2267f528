#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Breakpoints of GDB's user while the same code is executed at one address and then at another
# (tests/breaks): under TCG, and where hardware breakpoints are few (tests/kvm).
# shellcheck disable=SC2317 # functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

elf=$tmp/breaks.elf bin=$tmp/breaks.bin
cross=${CROSS:-aarch64-linux-gnu-}
"${cross}gcc" -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack -Wl,--no-warn-rwx-segments \
	-Wl,-T,tests/breaks/breaks.ld tests/breaks/breaks.S -o "$elf" || exit 2
"${cross}objcopy" -O binary -j .text "$elf" "$bin" || exit 2
symbol() { printf '0x%x' "0x$("${cross}nm" "$elf" | sed -n "s/ [A-Za-z] $1\$//p")"; }
low() { printf '0x%x' $(($(symbol "$1") - 0xffffff8000000000)); }
next() { printf '0x%x' $(($1 + 4)); }
later=$(symbol later) shared=$(symbol shared) shared_low=$(low shared)

later_low=$(low later) entry=0xffffff8040000000
kernel=$O/examples/kernel/kernel-el1.elf
of_kernel() { printf '0x%x' "0x$("${cross}nm" "$kernel" | sed -n "s/ [A-Za-z] $1\$//p")"; }

# gdb WAY FILE [BATON'S OPTION]: GDB's commands from stdin: $out. WAY: tcg, or the shim's slots
vm='' shim=''
gdb() {
	local way=$1 file=$2 at=$tmp/gdb name
	name=$((tap_count + 1))
	shift 2
	rm -f "$tmp/gdb" "$tmp/kvm" "$tmp/shim" "$tmp/baton"
	qemu_start $name -S -M virt -cpu cortex-a53 -m 2G -device "loader,$file,cpu-num=0" \
		-gdb "unix:$tmp/gdb,server=on,wait=off"
	vm=$pid
	wait_file "$tmp/gdb"
	if [ "$way" != tcg ]; then
		at=$tmp/kvm
		"$O/tests/kvm/kvm-shim" "unix:$tmp/kvm" "unix:$tmp/gdb" --slots "$way" >"$tmp/shim" 2>&1 &
		shim=$! pids="$pids $!"
		wait_line "$tmp/shim" kvm-shim:
	fi
	baton_run gdb attach -l "unix:$tmp/baton" "$@" "unix:$at"
	wait_line "$tmp/gdb.log" 'waiting for GDB'
	out=$tmp/$name.out
	{ printf '%s\n' 'set pagination off' 'set confirm off' 'set width 0' 'set architecture aarch64' \
		"symbol-file $elf" "target remote $tmp/baton"; cat; } >"$tmp/commands"
	timeout 60 "$GDB" -q -nx <"$tmp/commands" >"$out" 2>&1
	status=$?
	process_end "$pid"
	[ "$way" = tcg ] || process_end "$shim"
	process_end "$vm" 2>/dev/null
}
is_elf=("file=$elf" -s "$elf")
is_flat=("file=$bin,addr=0x40200000")
# pcs ADDRESS...: where it stopped, in this order and nowhere else
pcs() { [ "$(sed -n 's/.*AT //p' "$out" | tr '\n' ' ')" = "$* " ] || show; }
at='printf "AT %#lx\n", $pc'
go="continue
$at"
alias_of() { says "GDB's breakpoint at $1 <$2>: CPU 0 executes it at $3"; }

for way in tcg 4,2 6,4; do
	gdb $way "${is_elf[@]}" <<END
break shared
break end
$go
$go
$go
$go
$go
stepi
END
	tap_ok "$way: a high symbol from reset on, wherever it is executed" \
		pcs "$shared_low" "$shared_low" "$shared" "$shared" "$(symbol end)"
	tap_ok "$way: ... it is said that it is another address" alias_of "$shared" shared "$shared_low"
	tap_ok "$way: ... twice" test "$(grep -c 'executes it at' "$out")" = 2

	gdb $way "${is_elf[@]}" <<END
break *$shared_low
break *$(symbol end)
$go
$go
$go
$go
$go
END
	tap_ok "$way: a low address is followed to the high one, and when nothing is low any more" \
		pcs "$shared_low" "$shared_low" "$shared" "$shared" "$(symbol end)"
	tap_ok "$way: ... it is said" says "GDB's breakpoint at $shared_low: CPU 0 executes it at $shared <shared>"

	# The file says that this is what is at physical 0x80200000; other code is at that address.
	gdb $way "${is_elf[@]}" <<END
break *($(symbol other) + 0x40000000)
break end
$go
printf "other %d\n", \$x20
END
	tap_ok "$way: other code at the load address does not stop" pcs "$(symbol end)"
	tap_ok "$way: ... it was executed" says 'other 1'
	tap_ok "$way: ... and nothing is said" never_says 'executes it'

	gdb $way "${is_elf[@]}" <<END
break *$later
break shared
$go
stepi
$at
stepi
$at
delete 2
$go
stepi
$at
END
	tap_ok "$way: where nothing is mapped, and nothing was copied to yet; and steps from there" \
		pcs "$shared_low" "$(next "$shared_low")" "$(next $((0x40200000)))" "$later" "$(next "$later")"

	gdb $way "${is_elf[@]}" <<END
break shared
$go
delete
break end
$go
END
	tap_ok "$way: with a breakpoint its aliases go" pcs "$shared_low" "$(symbol end)"

	# Nobody knows a file: the way in which code runs now tells where else it may.
	gdb $way "${is_flat[@]}" <<END
symbol-file
break *$shared_low
break *$(symbol high)
$go
$go
$go
$go
$go
END
	tap_ok "$way: no file: the tables tell" \
		pcs "$shared_low" "$shared_low" "$(symbol high)" "$shared" "$shared"
done

# More than there are, all at once: one waits until something is mapped there.
fs() { local n; for ((n = 1; n <= $1; n++)); do echo "break f$n"; done; }
gos() { local n; for ((n = 1; n <= $1; n++)); do echo "$go"; done; }
names() { local n; for ((n = 1; n <= $1; n++)); do symbol f$n; echo; done | tr '\n' ' ' | sed 's/ $//'; }
for way in 4,2 6,4; do
	n=${way%,*}
	gdb $way "${is_elf[@]}" <<END
$(fs $((n + 2)))
$(gos $((n + 2)))
END
	tap_ok "$way: $((n + 2)) breakpoints that nothing is mapped for" pcs "$(names $((n + 2)))"
	tap_ok "$way: the one that waits is named, and why" \
		says "the breakpoint at $(symbol f$((n + 1))) (GDB's) waits: KVM has no hardware breakpoint left for $(symbol f$((n + 1))) (nothing is mapped there): $n of ours are at $(symbol f1) GDB's, $(symbol f2) GDB's"
	tap_ok "$way: ... once" test "$(grep -c "at $(symbol f$((n + 1))) (GDB's) waits" "$out")" = 1
	tap_ok "$way: no trap is to be seen" never_says brk

	# A trap in what is copied over later would be lost.
	gdb $way "${is_elf[@]}" <<END
$(fs $n | sed 's/^/h/')
break *$later_low
$go
delete
break *$later_low
$go
END
	tap_ok "$way: no trap where no code is yet" \
		says "the breakpoint at $later_low (GDB's) waits: KVM has no hardware breakpoint left for $later_low (no code is there yet)"
	tap_ok "$way: ... with room it stops, high" pcs "$(symbol f1)" "$later"

	# QEMU's device tree lies where this kernel is copied to; the handoff's own stops come last.
	gdb $way "file=$O/examples/seed/good-el1.img,addr=0x70000000" -s "$kernel" <<END
$(for s in stop say die kernel_trap kernel_main verify_task; do echo "hbreak *$(of_kernel $s)"; done | head -n $n)
break *$(printf '0x%x' $(($(of_kernel say) - 0xffffff8000000000)))
monitor handoff run
$go
monitor info status
END
	tap_ok "$way: no trap in a device tree" says "(no code is there yet): $n of ours are at "
	tap_ok "$way: ... and who has the others" says "$(of_kernel stop) GDB's"
	tap_ok "$way: the handoff's stop at the kernel gives way, and is named" \
		says "warning: no stop at $entry, the kernel's first instruction (KVM has no hardware breakpoint left for $entry: $n of ours are at"
done
tap_end
