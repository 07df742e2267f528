#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every transcript here, or those that are named: O=build tests/golden/run.sh [FILE...]
set -u
shopt -s extglob
here=${0%/*}
[ $# -gt 0 ] || set -- "$here"/!(open).txt
exec "${O:-build}/tests/golden/golden" "$here/open.txt" "$@"
