/* SPDX-License-Identifier: BSD-2-Clause */
#include "macros.inc"

/* The conduit is each function's first instruction: trap_recover() knows it by its address. */
function psci_smc
	smc	#0
	ret
end_function psci_smc

function psci_hvc
	hvc	#0
	ret
end_function psci_hvc
