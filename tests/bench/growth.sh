#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/bench/growth.sh [ROUNDS] - how the time of pt-dump grows with the number of tables,
# from 1,000 to 200,000 of them in a file. Prints the times with a plot of the time of each
# table, which is level where growth is linear, and writes $O/growth.svg.
set -u
O=${O:-build} rounds=${1:-5}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/baton-growth.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

# T0SZ 16, 48 bits, no walks by TTBR1: microseconds COMMAND
microseconds() {
	local start=${EPOCHREALTIME/./}
	"$O/baton" check --el 1 --ttbr0 0x40000000 --tcr 0x500803510 -e "$1" "$tmp/elf" \
		>"$tmp/out" 2>&1 || { cat "$tmp/out" >&2; exit 2; }
	echo $((${EPOCHREALTIME/./} - start))
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for n in 1000 2000 5000 10000 20000 50000 100000 200000; do
	"$O/tests/bench/tables" "$tmp/elf" "$n" || exit 2
	# The file is in memory now, and all of its tables are met.
	microseconds 'pt-dump -r el1:ttbr0' >/dev/null
	awk '/ tables? / { n += $2 } END { exit n != want }' want="$n" "$tmp/out" || {
		echo "growth: pt-dump did not go through $n tables" >&2; tail -n 6 "$tmp/out" >&2; exit 2; }
	for ((i = 0; i < rounds; i++)); do
		microseconds 'pt-dump -o /dev/null' >>"$tmp/dump"
		microseconds 'help pt-dump' >>"$tmp/none"
	done
	echo "$n $(median <"$tmp/dump") $(median <"$tmp/none")"
	rm "$tmp/dump" "$tmp/none"
done >"$tmp/table" || exit 2

awk -v svg="$O/growth.svg" -v rounds="$rounds" '
	{
		n[NR] = $1; all[NR] = $2; none[NR] = $3; each[NR] = ($2 - $3) / $1
		top = each[NR] > top ? each[NR] : top
		a = log($1); b = log($2 - $3); sa += a; sb += b; sab += a * b; saa += a * a
	}
	function x(i) { return 60 + 520 * log(n[i] / n[1]) / log(n[NR] / n[1]) }
	function y(us) { return 290 - 260 * log((us > 1 ? us : 1) / 100) / log(1e7 / 100) }
	END {
		printf "medians of %d; the dump is the whole less baton alone\n", rounds
		printf "%8s %10s %10s %12s\n", "tables", "whole, ms", "baton, ms", "us a table"
		for (i = 1; i <= NR; i++) {
			bar = sprintf("%" int(40 * each[i] / top + .5) "s", "")
			gsub(/ /, "#", bar)
			printf "%8d %10.1f %10.1f %12.3f  %s\n", n[i], all[i] / 1e3, none[i] / 1e3, each[i], bar
			points = points sprintf(" %.1f,%.1f", x(i), y(all[i] - none[i]))
			ideal = ideal sprintf(" %.1f,%.1f", x(i), y(n[i] * each[NR]))
			marks = marks sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", \
				x(i), y(all[i] - none[i]))
			names = names sprintf("<text x=\"%.1f\" y=\"308\" text-anchor=\"middle\">%d</text>", \
				x(i), n[i])
		}
		printf "time grows as tables to the power of %.2f\n", \
			(NR * sab - sa * sb) / (NR * saa - sa * sa)
		for (us = 100; us <= 1e7; us *= 10)
			names = names sprintf("<text x=\"52\" y=\"%.1f\" text-anchor=\"end\">%s ms</text>" \
				"<path d=\"M60 %.1fH580\" stroke=\"#ddd\"/>", y(us) + 4, us / 1000, y(us))
		printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"620\" height=\"340\" " \
			"font-family=\"sans-serif\" font-size=\"11\">" \
			"<rect width=\"620\" height=\"340\" fill=\"white\"/>%s" \
			"<text x=\"320\" y=\"328\" text-anchor=\"middle\">table pages</text>" \
			"<text x=\"320\" y=\"16\" text-anchor=\"middle\">time of pt-dump; " \
			"dashed: linear</text>" \
			"<polyline fill=\"none\" stroke=\"#888\" stroke-dasharray=\"4\" points=\"%s\"/>" \
			"<polyline fill=\"none\" stroke=\"#06c\" points=\"%s\"/>%s</svg>\n", \
			names, ideal, points, marks >svg
		print "plot: " svg
	}' "$tmp/table"
