#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/guests/oracle.sh [NAME...] - each guest of list.sh, or those named: our walk against
# QEMU's gva2gpa, and against the guest's own pagemap where it prints one. TAP.
set -u
O=${O:-build} G=${O:-build}/guests
bad=0 wanted=" $* "
[ -r "$G/initrd" ] || { echo "Bail out! no guests in $G; \`make guests\` gets them"; exit 1; }

row() {
	[ "$wanted" = '  ' ] || [[ $wanted == *" $1 "* ]] || return 0
	"$O/tests/oracle/oracle" "$@" || bad=1
}
# shellcheck source=tests/guests/list.sh
. "$(dirname "$0")/list.sh"
exit $bad
