#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/fuzz/corpus.sh pack DIR >FILE, unpack FILE DIR - inputs worth keeping, a line of
# hexadecimal each, to and from the files that libFuzzer has them in.
set -eu
n=0
case $1 in
pack)
	for f in "$2"/*; do
		od -An -v -tx1 -w65536 "$f" | tr -d ' '
	done | LC_ALL=C sort -u
	;;
unpack)
	mkdir -p "$3"
	while read -r line; do
		n=$((n + 1))
		# shellcheck disable=SC2001,SC2059
		printf "$(sed 's/../\\x&/g' <<<"$line")" >"$3/kept-$n"
	done <"$2"
	;;
esac
