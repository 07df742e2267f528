#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The transcript in README.md is what really comes out. `tests/e2e/readme.sh --write`
# puts the present one in. Addresses and counts may differ with the compiler.
. "$(dirname "$0")/lib.sh"

transcript() {
	local baton="baton run -s loader.elf -e 'handoff run' -e 'fix -y' -e 'cont 2'"
	printf '    $ %s -- \\\n' "$baton"
	echo "          qemu-system-aarch64 -machine virt -cpu cortex-a53 -m 2G -nographic -device loader,file=demo.img,addr=0x70000000,cpu-num=0"
	cp "$O/examples/seed/lvl0-upper-zero.img" "$tmp/demo.img"
	"$O/baton" run -s "$O/loader/qemu_virt_aarch64_el1/loader.elf" -e 'handoff run' -e 'fix -y' \
		-e 'cont 2' -- "$QEMU" -machine virt -cpu cortex-a53 -m 2G -nographic -nic none \
		-device "loader,file=$tmp/demo.img,addr=0x70000000,cpu-num=0" </dev/null 2>&1 |
		sed 's/\r$//; s/^/    /; s/ *$//'
}

block() { sed -n '/^<!-- begin: handoff/,/^<!-- end/p' "$1" | grep -v '^<!--' | grep -v '^$'; }
blur() { sed -E 's/0x[0-9a-f]+/0xN/g; s/[0-9]+/N/g; s/ +/ /g'; }

transcript >"$tmp/now"
if [ "${1:-}" = --write ]; then
	awk -v file="$tmp/now" '
		/^<!-- begin: handoff/ { print; print ""; while ((getline line < file) > 0) print line; print ""; skip = 1 }
		/^<!-- end/ { skip = 0 }
		!skip && !/^<!-- begin: handoff/' README.md >"$tmp/README.md" && cp "$tmp/README.md" README.md
	exit
fi
block README.md | blur >"$tmp/written"
blur <"$tmp/now" >"$tmp/real"
tap_ok 'the README has a transcript' test -s "$tmp/written"
tap_ok 'the transcript in README.md is what comes out' diff -u "$tmp/written" "$tmp/real"
tap_end
