#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What was tried live goes where it belongs: into the image file, which then boots by itself; as a
# script and as C that change the same bytes to the same values, whatever the patch was made of.
# shellcheck source=tests/e2e/lib.sh
# shellcheck disable=SC2317 # functions are called by tap_ok
. "${0%/*}/lib.sh"

seed=$O/examples/seed
loader=$O/loader/qemu_virt_aarch64_el1/loader.elf
up='Booting all finished, dropped to user space'
machine=(-machine virt -cpu cortex-a53 -m 2G)
quiet=(-display none -serial none -monitor none -nic none)
out=$tmp/out
says() { has "$out" "$1" || { echo "# said:"; tail -n 25 "$out" | sed 's/^/#   /'; return 1; }; }

# live STATUS COMMAND... -- QEMU'S ARGUMENTS
live() {
	local want=$1 got args=()
	shift
	while [ "$1" != -- ]; do
		args+=(-e "$1")
		shift
	done
	timeout 120 "$O/baton" run -l none -s "${elf:-$loader}" "${args[@]}" -- "$QEMU" "${quiet[@]}" "${@:2}" >"$out" 2>&1 </dev/null
	got=$?
	[ "$got" = "$want" ] && return
	echo "# exit status $got, not $want; the last that was said:"
	tail -n 25 "$out" | sed 's/^/#   /'
	return 1
}
loads() { echo "loader,file=$1,addr=0x70000000,cpu-num=0"; }
# boots NAME LINE QEMU'S ARGUMENTS...: without baton
boots() {
	local line=$2 ok
	qemu_start "$1" "${machine[@]}" "${@:3}"
	wait_line "$console" "$line"
	ok=$?
	process_end "$pid"
	return $ok
}
zoo() { "$O/tests/zoo/zoo" "$1" --elf "$loader" "$seed/good-el1.img" -o "$tmp/$1.img"; }

# A table of the image: the seed case.
cp "$seed/lvl0-upper-zero.img" "$tmp/seed.img"
tap_ok 'the seed case: repaired live, exported' live 0 'handoff run' 'fix -y' "export image $tmp/seed.img" -- \
	"${machine[@]}" -device "$(loads "$tmp/seed.img")"
tap_ok '... what, and where in the file' says ' = L0 [511] <boot_lvl0_upper+0xff8>: 0x0000000000000000 -> 0x00000000'
tap_ok '... under which name' says "$tmp/seed.img.patched written: $tmp/seed.img with 1 patch"
tap_ok '... which is checked' says 'good: nothing wrong was found'
tap_ok '... one descriptor, no more' test "$(cmp -l "$tmp/seed.img" "$tmp/seed.img.patched" | wc -l)" -le 8
tap_ok "... the user's file is as it was" cmp "$seed/lvl0-upper-zero.img" "$tmp/seed.img"
tap_ok '... and what was written boots' boots seed "$up" -device "$(loads "$tmp/seed.img.patched")"
cp "$tmp/seed.img.patched" "$tmp/kept"
tap_ok 'what is there is not overwritten' live 2 'handoff run' 'fix -y' "export image $tmp/seed.img" -- \
	"${machine[@]}" -device "$(loads "$tmp/seed.img")"
tap_ok '... and it says so' says 'seed.img.patched is there already and is not overwritten'
tap_ok '... nor is the image itself' live 2 'handoff run' 'fix -y' "export image $tmp/seed.img $tmp/seed.img" -- \
	"${machine[@]}" -device "$(loads "$tmp/seed.img")"
tap_ok '... indeed' cmp "$tmp/kept" "$tmp/seed.img.patched"

# Code of the loader, and of the kernel that it copies: the bytes to be copied are changed.
zoo psci-smc && zoo kernel-entry-udf
tap_ok 'code: smc becomes hvc' live 0 'patch psci_smc smc->hvc' "export image $tmp/psci-smc.img $tmp/hvc.img" -- \
	"${machine[@]}" -smp 4 -device "$(loads "$tmp/psci-smc.img")"
tap_ok '... and boots from the file' boots code "$up" -device "$(loads "$tmp/hvc.img")"
tap_ok '... with PSCI, which it had not' has "$console" 'LDR|INFO: PSCI version is 1.1'
tap_ok 'code of the kernel, where the loader has copied it' live 0 'handoff run' 'patch -p 0x40000000 = 0xd53b4226' \
	"export image $tmp/kernel-entry-udf.img $tmp/region.img" -- \
	"${machine[@]}" -device "$(loads "$tmp/kernel-entry-udf.img")"
tap_ok '... is what will be copied' cmp "$tmp/region.img" "$seed/good-el1.img"

# The same in what is wrapped around an image, and in any ELF file.
kernel=$O/examples/kernel/kernel-el1.elf
# A letter that the loader prints (of the kernel's there is a checksum, which it looks at).
printed=$((0x70000000 + $(LC_ALL=C grep -obUa 'copying region' "$seed/good-el1.img" | head -n 1 | cut -d: -f1)))
for f in elf uimage; do
	"$O/baton-mkimage" --board qemu_virt_aarch64_el1 --kernel "$kernel" --task "$O/examples/kernel/task.elf" \
		-f "$f" -o "$tmp/whole.$f" >/dev/null
	how="loader,file=$tmp/whole.$f,cpu-num=0" go=loader,addr=0x70000000,cpu-num=0
	# Without a U-Boot to read it: 64 bytes before where it belongs.
	[ $f = elf ] || how="loader,file=$tmp/whole.$f,addr=0x6fffffc0,force-raw=on"
	tap_ok "$f: a letter of the loader's" live 0 "patch -b -p $printed = 0x43" \
		"export image $tmp/whole.$f $tmp/new.$f" -- "${machine[@]}" -device "$how" -device "$go"
	tap_ok '... is put into the file' says "$tmp/new.$f written: $tmp/whole.$f with 1 patch"
	tap_ok '... which is good' says 'good: nothing wrong was found'
	tap_ok '... and boots' boots "$f" "$up" -device "${how/whole/new}" -device "$go"
	tap_ok '... with what was patched' has "$console" 'INFO: Copying region'
done
# gzip's trailer has the same checksum, lowest byte first.
sum() { "${@:2}" | gzip -c | tail -c 8 | head -c 4 | od -An -tx4 --endian=little | tr -d ' '; }
word() { od -An -tx4 --endian=big -j "$2" -N 4 "$1" | tr -d ' '; }
header() { { head -c 4 "$1"; printf '\0\0\0\0'; head -c 64 "$1" | tail -c 56; }; }
tap_ok 'a uImage: the checksum of its data is right' \
	test "$(sum . tail -c +65 "$tmp/new.uimage")" = "$(word "$tmp/new.uimage" 24)"
tap_ok '... and another' test "$(word "$tmp/whole.uimage" 24)" != "$(word "$tmp/new.uimage" 24)"
tap_ok '... that of its header, too' test "$(sum . header "$tmp/new.uimage")" = "$(word "$tmp/new.uimage" 4)"
printf 'X' | dd of="$tmp/whole.uimage" bs=1 seek=5000 conv=notrunc status=none
tap_ok 'a uImage that is damaged is not made to look right' live 2 'patch -b -p 0x70001000 = 1' \
	"export image $tmp/whole.uimage $tmp/x" -- "${machine[@]}" -device "$(loads "$seed/good-el1.img")"
tap_ok '... and it says so' says 'the checksum of its data is wrong already'

# What is not in the file, by name; and all of a patch, or none of it.
tap_ok 'no file holds a register, or what is made at run time' live 1 'handoff run' 'sysreg TPIDR_EL0 = 5' \
	'patch -p 0x50000000 = 7' 'fix -y' "export image $tmp/seed.img $tmp/part.img" -- \
	"${machine[@]}" -device "$(loads "$tmp/seed.img")"
tap_ok '... which is said of the register' says 'patch 1 is left out: CPU 0 TPIDR_EL0 is a register, no file holds it'
tap_ok '... and of the memory' says 'is not in seed.img (.bss, or made at run time)'
tap_ok '... the rest is exported' cmp "$tmp/kept" "$tmp/part.img"
tap_ok 'a patch that is only half in the file stays out' live 1 'handoff run' 'fix -y' \
	'pt-map 0xffffff8040200000 0x40200000 0x1000 rwx,normal,ish --pool 0x47000000,0x1000' \
	"export image $tmp/seed.img $tmp/half.img" -- "${machine[@]}" -device "$(loads "$tmp/seed.img")"
tap_ok '... said by its place' says 'patch 2 is left out: '
tap_ok '... the file has none of it' cmp "$tmp/kept" "$tmp/half.img"

# Not the file that was loaded.
tap_ok 'other old bytes are refused' live 2 'handoff run' 'fix -y' "export image $seed/good-el1.img $tmp/x" -- \
	"${machine[@]}" -device "$(loads "$tmp/seed.img")"
tap_ok '... with what the file holds' says 'not what was loaded, or changed by the guest before; no file was written'
tap_ok '... and nothing is written' test ! -e "$tmp/x"
head -c 100000 /dev/zero >"$tmp/zeros"
tap_ok 'a file that nobody loaded is refused' live 2 "export image $tmp/zeros" -- "${machine[@]}"
tap_ok '... with the reason' says 'where it lies in memory is not known: QEMU did not load it'
tap_ok 'a raw file that QEMU loaded needs no header' live 0 'patch -p 0x50000010 = 1' "export image $tmp/zeros" -- \
	"${machine[@]}" -device "loader,file=$tmp/zeros,addr=0x50000000"
tap_ok '... and is changed where it lies' test "$(cmp -l "$tmp/zeros" "$tmp/zeros.patched" | tr -s ' ')" = ' 17 0 1'
tap_ok 'without any patch there is nothing to write' live 1 "export image $tmp/seed.img $tmp/none" -- \
	"${machine[@]}" -device "$(loads "$tmp/seed.img")"
tap_ok '... so nothing is' test ! -e "$tmp/none"

# A split block (513 writes and more), a page in it, and code: as a script, and as C.
elf=$O/tests/inject/tlb.elf
save() { echo "pmemsave 0x40200000 0x20000 \"$tmp/$1.low\""; }
save_pool() { echo "pmemsave 0x47000000 0x4000 \"$tmp/$1.pool\""; }
same() { cmp "$tmp/live.low" "$tmp/$1.low" && cmp "$tmp/live.pool" "$tmp/$1.pool"; }
tap_ok 'many writes in one patch' live 0 "qemu $(save before)" "qemu $(save_pool before)" 'cont 0.3' \
	'pt-protect 0x40201000 0x1000 rwx,normal --pool 0x47000000,0x4000' 'pt-map 0x40000000 c 0x1000 rwx,normal' \
	'patch loop+4 = 0xd2800aa2' 'patch -b -p d = 1 2 3' "export gdb $tmp/all.gdb" "export c $tmp/all.c" \
	"qemu $(save live)" "qemu $(save_pool live)" -- -machine virt -cpu cortex-a53 -device "loader,file=$elf,cpu-num=0"
tap_ok '... are written' says "4 patches written to $tmp/all.c"
qemu_start many -machine virt -cpu cortex-a53 -device "loader,file=$elf,cpu-num=0" -S \
	-gdb "unix:$tmp/many.sock,server=on,wait=off"
wait_file "$tmp/many.sock"
sed -n '/^set {/p' "$tmp/all.gdb" >"$tmp/sets"
gdb_run many "target remote \$sock
source $tmp/all.gdb
monitor $(save gdb)
monitor $(save_pool gdb)
kill"
process_end "$pid"
tap_ok '... by GDB as by baton, to the byte' same gdb
{
	printf '#include <stdint.h>\n#include <stdio.h>\n#include <sys/mman.h>\n'
	for name in $(grep -o '[a-z][a-z0-9_]*)\?\[0x\?[0-9a-f]*\] =' "$tmp/all.c" | sed 's/)\?\[.*//' | sort -u); do
		printf '#define %s ((uint64_t *)0x%s)\n' "$name" \
			"$("${CROSS:-aarch64-linux-gnu-}nm" "$elf" | sed -n "s/ . $name\$//p")"
	done
	printf 'static void map(unsigned long at, unsigned long size, const char *file) {\n'
	printf 'FILE *f = fopen(file, "r"); void *p = mmap((void *)at, size, 3, MAP_FIXED|MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);\n'
	printf 'if (p == MAP_FAILED || fread(p, 1, size, f) != size) _Exit(1); fclose(f); }\n'
	printf 'static void put(unsigned long at, unsigned long size, const char *file) {\n'
	printf 'FILE *f = fopen(file, "w"); fwrite((void *)at, 1, size, f); fclose(f); }\nint main(void) {\n'
	printf 'map(0x40200000, 0x20000, "%s"); map(0x47000000, 0x4000, "%s");\n' "$tmp/before.low" "$tmp/before.pool"
	cat "$tmp/all.c"
	printf 'put(0x40200000, 0x20000, "%s"); put(0x47000000, 0x4000, "%s"); }\n' "$tmp/c.low" "$tmp/c.pool"
} >"$tmp/apply.c"
tap_ok '... as C, which compiles' "${CC:-cc}" -w -o "$tmp/apply" "$tmp/apply.c"
tap_ok '... and is run' "$tmp/apply"
tap_ok '... to the byte, too' same c
tap_ok '... of which there were many' test "$(wc -l <"$tmp/sets")" -gt 512
tap_end
