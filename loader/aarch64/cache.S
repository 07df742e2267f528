/* SPDX-License-Identifier: BSD-2-Clause */
#include "macros.inc"

/*
 * By address, not by set and way: only that reaches other CPUs' and system
 * caches (DDI 0487, D7.5.9.5). Works with the caches off as well.
 */
function dcache_clean_invalidate
	dcache_range civac, x0, x1, x2, x3
	ret
end_function dcache_clean_invalidate
