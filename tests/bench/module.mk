# SPDX-License-Identifier: BSD-2-Clause
# Times, as ratios of medians. Nothing here asserts one.
YARDSTICK := $(O)/tests/bench/yardstick
HOST_OBJS += $(YARDSTICK).o
PAIRS ?= 15

$(YARDSTICK): $(YARDSTICK).o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

bench-tables: guests $(YARDSTICK) ## dump of 30,000 tables against the least that it takes (PAIRS=15)
	$(Q)tests/bench/tables.sh $(PAIRS)

bench-walk: guests ## one translation from GDB against QEMU's gva2gpa (PAIRS=15)
	$(Q)tests/bench/walk.sh $(PAIRS)

.PHONY: bench-tables bench-walk
