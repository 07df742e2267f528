#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Configures and builds seL4's kernel. `make kernel` calls it with a board's options.
# usage: kernel.sh CHECKOUT KERNEL.ELF CROSS- OPTION...     (OPTION: -DName=value, for cmake)
set -u
checkout=$1 kernel=$2 cross=$3
shift 3
folder=${kernel%/*}

die() {
	printf 'kernel: %s\n' "$*" >&2
	exit 2
}

# Programs and Python modules that are not here, and the Debian packages that have them.
missing='' packages=''
lacks() {
	missing="$missing
  $1"
	packages="$packages $2"
}

need_program() {
	command -v "$1" >/dev/null || lacks "$1 (package $2)" "$2"
}

# Only what this checkout's tools import; what is indented is behind a `try`.
need_module() {
	grep -rqE --include='*.py' "^(import|from)[[:space:]]+$1([.[:space:]]|\$)" \
		"$checkout/tools" "$checkout/libsel4/tools" 2>/dev/null || return
	python3 -c "import $1" 2>/dev/null && return
	if [ "$1" = pyfdt ]; then
		missing="$missing
  pyfdt of Python (not in Debian: pip install pyfdt, in a virtual environment)"
	else
		lacks "$1 of Python (package python3-$1)" "python3-$1"
	fi
}

check_needs() {
	need_program cmake cmake
	need_program ninja ninja-build
	need_program "${cross}gcc" gcc-aarch64-linux-gnu
	need_program python3 python3
	need_program xmllint libxml2-utils
	need_program dtc device-tree-compiler
	case " $* " in *' -DKernelPlatform=qemu-'*) need_program qemu-system-aarch64 qemu-system-arm ;; esac
	for module in yaml jinja2 lxml ply jsonschema six future pyfdt; do
		need_module $module
	done
	[ -n "$missing" ] || return
	[ -z "$packages" ] || packages="
next: apt-get install$packages"
	die "seL4's build needs what is not here:$missing$packages"
}

# cmake only warns of an option that nobody knows, at the end of much else.
check_options() {
	for option; do
		name=${option#-D}
		name=${name%%=*}
		grep -rqw --include='*.cmake' --include=CMakeLists.txt -e "$name" "$checkout" ||
			die "$checkout does not know the option $name (make show-board says who sets it," \
				"SET=\"$name=\" leaves it out)"
	done
}

[ -n "$checkout" ] || die 'SEL4=DIR is missing, a checkout of seL4'
for file in CMakeLists.txt gcc.cmake configs/seL4Config.cmake; do
	[ -r "$checkout/$file" ] || die "SEL4=$checkout: no checkout of seL4, it has no $file"
done
checkout=$(cd "$checkout" && pwd) || exit 2
check_needs "$@"
check_options "$@"

# An option that was set before and is not now would stay in cmake's cache. `make image`
# reads the options, too: from the third line on.
configured=$(printf '%s\n' "$checkout" "$cross" "$@")
if [ "$(cat "$folder/.options" 2>/dev/null)" != "$configured" ]; then
	rm -rf "$folder"
	mkdir -p "$folder" || exit 2
	cmake -G Ninja -DCMAKE_TOOLCHAIN_FILE="$checkout/gcc.cmake" -DCROSS_COMPILER_PREFIX="$cross" \
		"$@" -S "$checkout" -B "$folder" || die "cmake could not configure $checkout, see above"
	printf '%s\n' "$configured" >"$folder/.options"
fi
ninja -C "$folder" kernel.elf || die "ninja could not build $kernel, see above"
[ -r "$kernel" ] || die "ninja has made no $kernel"
echo "$kernel: built of $checkout"
