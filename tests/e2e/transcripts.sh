#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The transcripts in examples/transcripts are what really comes out; `make transcripts` writes
# them anew. What changes with the compiler is not compared: addresses within loader and
# kernel (but not the kernel's entry), offsets, sizes, counts.
. "$(dirname "$0")/lib.sh"

there=examples/transcripts
blur() {
	sed -E -e 's/\b(0x[0-9a-f]*)00000\b/\1_____/g' -e 's/0x[467]00[0-9a-f]{5}\b/0xN/g' \
		-e 's/0x(ffffff80400|ffffffffc00)[0-9a-f]{5}\b/0xN/g' -e 's/\+0x[0-9a-f]+/+0xN/g' \
		-e 's/0x0{4}[0-9a-f]{12}\b/0xN/g' -e 's/[0-9]+ (instructions|stops|bytes)/N \1/g' -e 's/ +/ /g' "$1"
}
same() { diff -u <(blur "$there/$1") <(blur "$tmp/$1"); }

"$there/make.sh" "$tmp"
tap_ok 'eight of them' test "$(find "$tmp" -name '*.txt' | wc -l)" = 8
tap_ok 'and no other' diff <(cd "$tmp" && ls ./*.txt) <(cd "$there" && ls ./*.txt)
for text in "$tmp"/*.txt; do
	text=${text##*/}
	tap_ok "$text: is what comes out" same "$text"
	tap_ok "$text: the kernel is up" has "$tmp/$text" 'dropped to user space'
	tap_ok "$text: exit status 0" has "$tmp/$text" 'exit status 0'
done
tap_end
