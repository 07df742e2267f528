#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Boards as data: layers, refusals, variants by SET; seL4's build, with a cmake and a ninja that
# only record how they are called; a board that QEMU 7.2 does not have, as far as a file goes.
# shellcheck disable=SC2016,SC2317 # `names` in quotes are text; functions are called by tap_ok
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/loader/lib.sh
. tests/loader/lib.sh

out=$tmp/out
# A make of its own, whatever make has started this.
build() { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make --no-print-directory O="$out" CFLAGS=-O0 "$@"; }
# refuses NAME WORDS... -- COMMAND...: it fails, and says so
refuses() {
	local name=$1 words=() w status
	shift
	while [ "$1" != -- ]; do words+=("$1") && shift; done
	shift
	"$@" >"$tmp/said" 2>&1
	status=$?
	tap_ok "$name: refused" test $status -ne 0
	for w in "${words[@]}"; do
		tap_ok "$name: says $w" has "$tmp/said" "$w"
	done
}

# --- layers: default, architecture, configuration, grandparent, parent, board, command line
boards=$tmp/board
mkdir -p "$boards"/{config,child,parent,grand,loop,orphan,typo,word,range,twice,half,derived,octal,narrow}
printf 'a = 1\nb = 1\nc = 1\nd = 1\ne: 1-8 = 1\nf: x|y = x\nneeded =\nKa = 1\nKb = 1\n' >"$boards/defaults"
printf 'g = 1\nKb = 2\nKc = 2\nKe: ON|OFF = $(e == 0x4)\nKd = $(d / 0x2)\n' >"$boards/arch"
printf 'Kc = 3\nKf = 3\n' >"$boards/config/debug"
printf 'b = 2\nc = 2\nd = 2\nneeded = 7\nKf = 4\n' >"$boards/grand/board"
printf 'parent = grand\nc = 3\nd = 3 # with a comment\n' >"$boards/parent/board"
printf 'parent = parent\n\nd=0x4\nKg = free\n' >"$boards/child/board"
printf 'parent = loop\n' >"$boards/loop/board"
printf 'parent = gone\n' >"$boards/orphan/board"
printf 'parent = grand\nbb = 1\n' >"$boards/typo/board"
printf 'parent = grand\nb = yes\n' >"$boards/word/board"
printf 'parent = grand\nb = 010\n' >"$boards/octal/board"
printf 'parent = grand\ne = 9\n' >"$boards/range/board"
printf 'parent = grand\ne: 1-4 = 2\n' >"$boards/narrow/board"
printf 'b = 1\nb = 2\nneeded = 1\n' >"$boards/twice/board"
printf 'b = 1\n' >"$boards/half/board"
printf 'parent = grand\nKg = $(z)\n' >"$boards/derived/board"
# resolve BOARD FORMAT [SET]
resolve() {
	awk -v dir="$boards" -v arch=arch -v config=debug -v board="$1" -v format="$2" -v set="${3:-}" \
		-f loader/board/resolve.awk
}
resolve child show 'a=5 e=4 Ka=6 Kb=' >"$tmp/board.show"
shown() { grep -Eq "^$1 +$2 +from $3\$" "$tmp/board.show"; }
tap_ok 'a default, where nobody says anything' shown f x "$boards/defaults:6"
tap_ok "the architecture's" shown g 1 "$boards/arch:1"
tap_ok "the configuration's beats the architecture's" shown Kc 3 "$boards/config/debug:1"
tap_ok "a board's beats the configuration's" shown Kf 4 "$boards/grand/board:5"
tap_ok "the grandparent's beats the default" shown b 2 "$boards/grand/board:1"
tap_ok "the parent's beats the grandparent's" shown c 3 "$boards/parent/board:2"
tap_ok "the board's own beats them all" shown d 0x4 "$boards/child/board:3"
tap_ok 'the command line beats the board' shown a 5 'command line'
tap_ok "... and in seL4's options" shown Ka 6 'command line'
tap_ok "... and leaves one of seL4's to seL4" hasnt "$tmp/board.show" Kb
tap_ok "an option of seL4's alone" shown Kg free "$boards/child/board:4"
tap_ok 'an option that follows a value' shown Ke ON "$boards/arch:4, \\$\\(e == 0x4\\)"
tap_ok 'an option that is part of a value' shown Kd 2 "$boards/arch:5, \\$\\(d / 0x2\\)"
resolve child header a=5 >"$tmp/board.h"
tap_ok 'the loader gets the same' eval 'has "$tmp/board.h" "#define BOARD_D 0x4" && has "$tmp/board.h" "#define BOARD_A 5"'
tap_ok '... words as what they stand for' has "$tmp/board.h" '#define BOARD_F F_X'
tap_ok "... and nothing of seL4's" hasnt "$tmp/board.h" BOARD_K

refuses_board() { refuses "$1" "$2" -- resolve "$3" header "${4:-}"; }
refuses_board 'its own parent' 'loop is its own ancestor' loop
refuses_board 'a parent that is not there' "gone/board, the parent that $boards/orphan/board:1 names" orphan
refuses_board 'a key that does not exist' "typo/board:2: \`bb\` is not a key; keys are a b c d e f needed g," typo
refuses_board 'a value that is no number' 'word/board:2: `b = yes`: wanted is a number' word
refuses_board 'a number that C reads otherwise' '`b = 010`: wanted is a number' octal
refuses_board 'a number out of range' 'range/board:2: `e = 9`: wanted is a number, 1-8' range
refuses_board "... of the board's own range" 'command line: `e = 5`: wanted is a number, 1-4' narrow e=5
refuses_board 'a word that is none of those' 'command line: `f = z`: wanted is one of x, y' child f=z
refuses_board 'no key on the command line' 'command line: `aa` is not a key; keys are a' child aa=1
refuses_board 'a command line that is not understood' 'expected SET="key=value ..."' child a
refuses_board 'a command line with no value' '`a` has no value' child a=
refuses_board 'a command line that says two things' 'command line: `a` is set twice' child 'a=1 a=2'
refuses_board 'a word that a shell would read' '`Kg = a;b`: wanted is a word' child 'Kg=a;b'
refuses_board 'a value that follows nothing' 'derived/board:2: no `z` to take `Kg` from' derived
refuses_board 'a part that does not come out even' '`d = 3`: `Kd` needs a multiple of 0x2' child d=3
refuses_board 'a key set twice' 'twice/board:2: `b` is set twice' twice
refuses_board 'a key without a value' '`needed` unset' half

# --- the boards that there are
build list-boards >"$tmp/list"
for b in $el1 $el2 qemu_raspi3b rpi4b; do
	tap_ok "$b is listed, in words" grep -Eq "^$b +[A-Z]" "$tmp/list"
	build show-board BOARD=$b >"$tmp/board.show"
	tap_ok "$b: each value says where it comes from" \
		eval '[ -s "$tmp/board.show" ] && ! grep -v "^about " "$tmp/board.show" | grep -Evq " from loader/board/[a-z0-9_/]+:[0-9]+(, .*)?\$"'
done
build show-board BOARD=$el1 SET='cpus=4 memory_size=0x40000000' >"$tmp/board.show"
tap_ok 'show-board: what is too long has its origin below, in the column of the others' \
	test "$(awk '{ print index($0, " from loader") }' "$tmp/board.show" | sort -nu | tr '\n' ' ')" = '0 44 '
tap_ok 'SET: shown as such' shown cpus 4 'command line'
tap_ok 'SET: what follows from it' shown QEMU_MEMORY 1024 "loader/board/$el2/board:[0-9]+, .*"
refuses 'an unknown board' 'no board nonesuch; there are: ' "$el1" rpi4b -- build show-board BOARD=nonesuch
refuses 'no board' 'BOARD=NAME is missing; there are: ' -- build image
refuses 'SET without a board' 'BOARD=NAME is missing' -- build all SET=cpus=2
refuses 'an unknown configuration' 'CONFIG=fast: there are: debug release' -- build show-board BOARD=$el1 CONFIG=fast
refuses 'nine CPUs' 'command line: `cpus = 9`: wanted is a number, 1-8' -- build show-board BOARD=$el1 SET=cpus=9
refuses 'five CPUs of four' 'wanted is a number, 1-4' -- build show-board BOARD=rpi4b SET=cpus=5
refuses 'less RAM than the image needs' '`load_address = 0x70000000`' 'is not in RAM, 256 MiB' -- \
	build show-board BOARD=$el1 SET=memory_size=0x10000000
for value in uart=0x9000002:4 dtb=0x44:8 gicd=0x8000100:0x1000 gicc=0x8000100:0x1000 gicr=0x8001000:0x10000 spin_table=4:8; do
	refuses "${value%:*}" "command line: \`${value%=*} = " "wanted is a multiple of ${value#*:}" -- \
		build show-board BOARD=$el1 SET=${value%:*}
done
refuses 'a load address off 2 MiB' 'wanted is a multiple of 0x200000' -- build show-board BOARD=$el1 SET=load_address=0x70001000

refuses 'RAM over the devices' '`uart = 0xfe201000` (loader/board/rpi4b/board:' 'is in RAM, 8192 MiB' 'command line' -- \
	build show-board BOARD=rpi4b SET=memory_size=0x200000000
refuses 'CPUs of the loader alone' 'command line: `KernelMaxNumNodes = 2`, but `cpus = 4` (command line) needs 4' -- \
	build show-board BOARD=$el1 SET='cpus=4 KernelMaxNumNodes=2'
refuses "a hypervisor at EL1" '`KernelArmHypervisorSupport = ON`, but `kernel_el = 1`' 'needs OFF' -- \
	build show-board BOARD=$el1 SET=KernelArmHypervisorSupport=ON
refuses 'a timeout that has passed already' '`cpu_timeout = 0`: wanted is a number, 1-3600' -- \
	build show-board BOARD=$el1 SET=cpu_timeout=0

# --- seL4's build: what is called, for each board and configuration
mkdir -p "$tmp/bin" "$tmp/seL4"/{configs,tools/hardware}
: >"$tmp/seL4/CMakeLists.txt"
: >"$tmp/seL4/gcc.cmake"
: >"$tmp/seL4/configs/seL4Config.cmake"
printf 'set(%s)\n' KernelVerificationBuild KernelIsMCS KernelRootCNodeSizeBits KernelMaxNumNodes KernelSel4Arch \
	KernelArmHypervisorSupport KernelAllowSMCCalls KernelArmVtimerUpdateVOffset KernelArmExportPCNTUser \
	KernelArmExportPTMRUser KernelDebugBuild KernelPrinting KernelPlatform ARM_CPU QEMU_MEMORY RPI4_MEMORY \
	>"$tmp/seL4/config.cmake"
printf 'import yaml\nfrom jinja2 import Environment\ntry:\n    from jsonschema import validate\n' >"$tmp/seL4/tools/gen.py"
printf 'import pyfdt.pyfdt\n' >"$tmp/seL4/tools/hardware/fdt.py"
cat >"$tmp/bin/cmake" <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$RECORD/cmake"
while [ "$1" != -B ]; do shift; done
[ -d "$2" ] && echo cached >"$2/cache"
END
cat >"$tmp/bin/ninja" <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$RECORD/ninja"
[ "$1" = -C ] && cp "$RECORD/kernel.elf" "$2/"
END
cat >"$tmp/bin/python3" <<'END'
#!/bin/sh
case " $LACKS " in *" ${2#import } "*) exit 1 ;; esac
END
printf '#!/bin/sh\n' | tee "$tmp/bin/xmllint" "$tmp/bin/dtc" "$tmp/bin/qemu-system-aarch64" >"$tmp/empty"
chmod +x "$tmp/bin"/*
export RECORD=$tmp LACKS=
sel4() { PATH=$tmp/bin:$PATH build kernel SEL4="$tmp/seL4" "$@"; }
# options DEBUG HYPERVISOR CPUS OPTION... - as Microkit's build_sdk.py has them, but the level is
# the board's, and none is a verification build
options() {
	local debug=$1 hyp=$2 cpus=$3
	shift 3
	printf -- '-D%s\n' KernelVerificationBuild=OFF KernelIsMCS=ON KernelRootCNodeSizeBits=17 \
		KernelMaxNumNodes="$cpus" KernelSel4Arch=aarch64 KernelArmHypervisorSupport="$hyp" \
		KernelAllowSMCCalls="$hyp" KernelArmVtimerUpdateVOffset=OFF KernelArmExportPCNTUser=ON \
		KernelDebugBuild="$debug" KernelPrinting="$debug" "$@" | sort
}
# configures BOARD CONFIG OPTIONS-FILE [SET]
configures() {
	rm -f "$tmp/cmake" "$tmp/ninja"
	sel4 BOARD="$1" CONFIG="$2" SET="${4:-}" >"$tmp/said" 2>&1 || { sed 's/^/# /' "$tmp/said" && return 1; }
	local folder=$out/kernel/$1/$2
	printf '%s\n' -G Ninja "-DCMAKE_TOOLCHAIN_FILE=$tmp/seL4/gcc.cmake" "-DCROSS_COMPILER_PREFIX=$CROSS" |
		diff - <(head -n 4 "$tmp/cmake") &&
		diff "$3" <(sed '1,4d' "$tmp/cmake" | head -n -4 | sort) &&
		printf '%s\n' -S "$tmp/seL4" -B "$folder" | diff - <(tail -n 4 "$tmp/cmake") &&
		printf '%s\n' -C "$folder" kernel.elf | diff - "$tmp/ninja" &&
		has "$tmp/said" "$folder/kernel.elf: built"
}
virt=(KernelPlatform=qemu-arm-virt ARM_CPU=cortex-a53 KernelArmExportPTMRUser=ON)
probe "$tmp/kernel.elf" 0xffffff8040000000 0x40000000
for config in debug release; do
	debug=OFF
	[ $config = release ] || debug=ON
	options $debug ON 1 "${virt[@]}" QEMU_MEMORY=2048 >"$tmp/options"
	tap_ok "kernel: $el2, $config" configures $el2 $config "$tmp/options"
	options $debug OFF 1 "${virt[@]}" QEMU_MEMORY=2048 >"$tmp/options"
	tap_ok "kernel: $el1, $config, no hypervisor" configures $el1 $config "$tmp/options"
	options $debug ON 1 KernelPlatform=bcm2711 RPI4_MEMORY=1024 >"$tmp/options"
	tap_ok "kernel: rpi4b, $config" configures rpi4b $config "$tmp/options"
done
options ON OFF 4 "${virt[@]}" QEMU_MEMORY=1024 >"$tmp/options"
tap_ok 'kernel: 4 CPUs and 1 GiB follow from SET' configures $el1 debug "$tmp/options" \
	'cpus=4 memory_size=0x40000000'
options OFF ON 1 KernelPlatform=bcm2711 RPI4_MEMORY=8192 | sed s/ExportPCNTUser=ON/ExportPCNTUser=OFF/ >"$tmp/options"
tap_ok "kernel: SET of seL4's own options" configures rpi4b release "$tmp/options" \
	'RPI4_MEMORY=8192 KernelArmExportPCNTUser=OFF'
rm "$tmp/cmake"
tap_ok 'kernel: the same again is not configured again' eval 'sel4 BOARD=rpi4b CONFIG=release \
	SET="RPI4_MEMORY=8192 KernelArmExportPCNTUser=OFF" >"$tmp/said" && [ ! -e "$tmp/cmake" ]'
: >"$out/kernel/rpi4b/release/stale"
tap_ok 'kernel: other options start with an empty cache' eval 'sel4 BOARD=rpi4b CONFIG=release \
	>"$tmp/said" && [ -e "$tmp/cmake" ] && [ ! -e "$out/kernel/rpi4b/release/stale" ]'

# --- what is missing is said before anything starts
rm -f "$tmp/cmake" "$tmp/ninja"
refuses 'no checkout' 'SEL4=DIR is missing' -- build kernel BOARD=$el1
refuses 'something else than a checkout' "SEL4=$tmp/bin: no checkout of seL4" 'no CMakeLists.txt' -- \
	build kernel BOARD=$el1 SEL4="$tmp/bin"
refuses 'a board that seL4 does not have' 'qemu_raspi3b has no `KernelPlatform`' -- sel4 BOARD=qemu_raspi3b
refuses 'a configuration of cmake that does not exist' 'does not know the option KernelNuMCS' -- \
	sel4 BOARD=$el1 SET=KernelNuMCS=ON
LACKS='jinja2 pyfdt lxml jsonschema' refuses 'Python modules' 'jinja2 of Python (package python3-jinja2)' \
	'pyfdt of Python (not in Debian: pip install pyfdt' 'next: apt-get install python3-jinja2' -- sel4 BOARD=$el1
tap_ok 'Python modules: those alone that this checkout imports' hasnt "$tmp/said" lxml
tap_ok 'Python modules: ... and cannot do without' hasnt "$tmp/said" jsonschema
mkdir "$tmp/path"
ln -s /usr/bin/* /bin/* "$tmp/path/" 2>/dev/null
rm -f "$tmp/path"/{cmake,ninja,dtc,xmllint,qemu-system-aarch64}
poor() { PATH=$tmp/path build kernel SEL4="$tmp/seL4" "$@"; }
refuses 'programs' 'cmake (package cmake)' 'ninja (package ninja-build)' 'dtc (package device-tree-compiler)' \
	'xmllint (package libxml2-utils)' 'qemu-system-aarch64 (package qemu-system-arm)' \
	'nonesuch-gcc (package gcc-aarch64-linux-gnu)' -- poor BOARD=$el1 CROSS=nonesuch-
tap_ok 'nothing was started' test ! -e "$tmp/cmake" -a ! -e "$tmp/ninja"

# --- variants: the loader follows SET, another board's stays
task "$tmp/task.elf"
refuses 'an image without a task' 'TASK=ELF is missing' -- build -j2 image BOARD=$el1
refuses 'an image without a kernel' "no kernel $out/kernel/$el2/release/none" -- \
	build image BOARD=$el2 TASK="$tmp/task.elf" KERNEL="$out/kernel/$el2/release/none"
build "$out/loader/$el2/loader.elf" >"$tmp/said"
age() { stat -c %Y.%y "$out/loader/$1/loader.elf"; }
before=$(age $el1) other=$(age $el2)
refuses 'an image of a kernel for other values' 'was built with other options than these' \
	'make kernel with the same SET and CONFIG' -- build image BOARD=$el1 TASK="$tmp/task.elf"
PATH=$tmp/bin:$PATH build image BOARD=$el1 TASK="$tmp/task.elf" SEL4="$tmp/seL4" >"$tmp/said"
tap_ok 'image: with SEL4 the kernel is built first' is 0 $?
build image BOARD=$el1 TASK="$tmp/task.elf" >"$tmp/said"
tap_ok 'image: of the kernel just built' is 0 $?
tap_ok 'image: what is said ends with what to do' has "$tmp/said" "next: $out/baton check $out/image/$el1.img"
tap_ok 'image: where to load it' has "$tmp/said" "$out/image/$el1.img: load it at 0x70000000"
tap_ok 'image: nothing is rebuilt without need' is "$before" "$(age $el1)"
variant='cpus=4 memory_size=0x20000000 load_address=0x50000000'
build image "$out/loader/$el2/loader.elf" BOARD=$el1 TASK="$tmp/task.elf" SET="$variant" \
	KERNEL="$tmp/kernel.elf" >"$tmp/said"
tap_ok 'SET: the loader is built anew' test "$before" != "$(age $el1)"
tap_ok "SET: another board's is not" is "$other" "$(age $el2)"
tap_ok 'SET: where to load it' has "$tmp/said" 'load it at 0x50000000'
before=$(age $el1)
build image BOARD=$el1 TASK="$tmp/task.elf" SET="$variant KernelPrinting=OFF" KERNEL="$tmp/kernel.elf" \
	>"$tmp/said"
tap_ok "SET: an option of seL4's is nothing to the loader" is "$before" "$(age $el1)"
qemu_start variant -machine virt -cpu cortex-a53 -smp 4 -m 512M \
	-device "loader,file=$out/image/$el1.img,addr=0x50000000,cpu-num=0"
for cpu in 0 1 2 3; do
	tap_ok "SET: 4 CPUs in 512 MiB: CPU $cpu" wait_line "$console" "probe: end=000000000000000$cpu"
done
process_end "$pid"
probe "$tmp/kernel.elf" 0xffc0200000 0x60000000
build image BOARD=$el2 TASK="$tmp/task.elf" SET='cpus=8 memory_size=0x40000000' KERNEL="$tmp/kernel.elf" >"$tmp/said"
qemu_start variant -machine virt,virtualization=on -cpu cortex-a53 -smp 8 -m 1G \
	-device "loader,file=$out/image/$el2.img,addr=0x70000000,cpu-num=0"
for cpu in 0 7; do
	tap_ok "SET: 8 CPUs in 1 GiB at EL2: CPU $cpu" wait_line "$console" "probe: end=000000000000000$cpu"
done
process_end "$pid"
build image BOARD=$el1 TASK="$tmp/task.elf" >"$tmp/said"
tap_ok 'without SET it is as the board says again' has "$tmp/said" 'load it at 0x70000000'

# --- rpi4b: an image, and where QEMU has the machine, its CPUs
load=0x10000000
probe "$tmp/rpi.elf" 0x8000200000 0x200000 0x3000 0 -DUART=0xfe201000
mk rpi4b "$tmp/rpi.elf" "$tmp/rpi.img" --cpus 4
"$O/baton" check "$tmp/rpi.img" >"$tmp/said" 2>&1
tap_ok 'rpi4b: baton check has nothing against its image' is 0 $?
tap_ok 'rpi4b: no error' has "$tmp/said" '0 errors'
tap_ok 'rpi4b: the console is mapped' has "$tmp/said" 'the console, 0xfe201000: mapped onto itself'
entry() { is "$3" "$(word "$tmp/rpi.img" $(($(symbol rpi4b "$1") + 8 * $2)))"; }
tap_ok 'rpi4b: the GiB of the UART is a device' entry boot_lvl1_lower 3 0x400000c0000641
tap_ok 'rpi4b: the loader where it is' entry boot_lvl2_lower 128 0x10000751
tap_ok 'rpi4b: the kernel' entry boot_lvl2_upper 1 0x200751
# What secondaries_gather() goes by: `board` behind its name, as include/baton/image.h has it.
field() { is "$3" "$(od -An -tu"$2" -j$(($(symbol rpi4b board) + $1)) -N"$2" "$tmp/rpi.img" | tr -d ' ')"; }
tap_ok 'rpi4b: the UART' field $((64 + 3 * 8)) 8 $((0xfe201000))
tap_ok 'rpi4b: no PSCI' field $((64 + 5 * 8 + 8)) 4 3
tap_ok 'rpi4b: 4 CPUs' field $((64 + 5 * 8 + 4)) 4 4
tap_ok 'rpi4b: GICv2, distributor' field 120 8 $((0xff841000))
tap_ok 'rpi4b: GICv2, CPU interface' field 128 8 $((0xff842000))
tap_ok 'rpi4b: GICv2 it is' field 152 4 2
tap_ok 'rpi4b: the spin table' field 144 8 $((0xd8))
if "$QEMU" -machine help | grep -q '^raspi4b '; then
	qemu_start rpi4b -machine raspi4b -kernel "$tmp/rpi.img"
	for cpu in 0 1 2 3; do
		tap_ok "rpi4b: in QEMU, CPU $cpu" wait_line "$console" "probe: end=000000000000000$cpu"
	done
	process_end "$pid"
fi
tap_ok 'no code is of one board' eval '! grep -rnE "#if.*BOARD_NAME|#if.*BOARD_[A-Z_]+ *==" loader/aarch64'

tap_end
