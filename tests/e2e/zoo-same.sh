#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same is said with KVM's few breakpoints as under TCG: some rows of the zoo, one of each kind
# (`make zoo-same`: all of them).
# shellcheck disable=SC2154 # lib.sh's $tmp
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

tests/zoo/same lvl0-upper-zero stack-off-its-page mmu-secondary-tables psci-smc 2-id-zero \
	el2-l0-zero good-moves-up >"$tmp/same"
while read -r name four six words; do
	case $name in
	same) ;;
	*:) tap_ok "zoo-same: $name $four $six $words" test "$four" -gt 0 ;;
	'>' | '<') echo "# $name $four $six $words" ;;
	*) tap_ok "zoo-same: $name: ${words:-with 4 and with 6 breakpoints}" test "$four$six$words" = \
		"samesame$words" -o "$four$six" = -- ;;
	esac
done <"$tmp/same"
tap_end
