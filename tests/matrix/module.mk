# SPDX-License-Identifier: BSD-2-Clause
# The loader on every kind of machine. `make check` runs as many cells as have each pair of values.
MATRIX := tests/matrix/matrix.sh
MATRIX_NEEDS := $(O)/baton-mkimage $(LOADERS) $(EXAMPLE_ELFS)

matrix: deps ## every entry, kernel, GIC, CPU and number of CPUs (QEMU=... QEMU_SHARE=its -L; 500 boots)
	$(Q)$(MAKE) --no-print-directory $(MATRIX_NEEDS)
	$(Q)$(MATRIX) all

.PHONY: matrix
