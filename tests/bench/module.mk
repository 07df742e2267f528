# SPDX-License-Identifier: BSD-2-Clause
# Times, as ratios of medians. Nothing here asserts one.
YARDSTICK := $(O)/tests/bench/yardstick
FORWARD := $(O)/tests/bench/forward
HOST_OBJS += $(YARDSTICK).o $(FORWARD).o
PAIRS ?= 15

$(YARDSTICK) $(FORWARD): %: %.o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

bench: bench-gdb bench-tables bench-walk ## all of them, PAIRS=15 times each

bench-tables: guests $(YARDSTICK) ## dump of 30,000 tables against the least that it takes (PAIRS=15)
	$(Q)tests/bench/tables.sh $(PAIRS)

bench-gdb: all $(FORWARD) ## GDB through baton against GDB directly: stepping, breakpoints, reading
	$(Q)tests/bench/gdb.sh $(PAIRS)

bench-stepi: all $(FORWARD) ## the same for `stepi` alone
	$(Q)tests/bench/gdb.sh $(PAIRS) stepi kernel

bench-walk: guests ## one translation from GDB against QEMU's gva2gpa (PAIRS=15)
	$(Q)tests/bench/walk.sh $(PAIRS)

.PHONY: bench bench-gdb bench-stepi bench-tables bench-walk
