# SPDX-License-Identifier: BSD-2-Clause
# Times, as ratios of medians. Nothing here asserts one.
YARDSTICK := $(O)/tests/bench/yardstick
FORWARD := $(O)/tests/bench/forward
STEPPER := $(O)/tests/bench/stepper
BENCH_TABLES := $(O)/tests/bench/tables
HOST_OBJS += $(YARDSTICK).o $(FORWARD).o $(BENCH_TABLES).o $(STEPPER).o
PAIRS ?= 15

$(YARDSTICK) $(FORWARD): %: %.o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

$(BENCH_TABLES) $(STEPPER): %: %.o
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ -o $@

bench: bench-gdb bench-tables bench-walk bench-growth bench-trace bench-handoff ## all, PAIRS=15 times each

bench-tables: guests $(YARDSTICK) ## dump of 30,000 tables against the least that it takes (PAIRS=15)
	$(Q)tests/bench/tables.sh $(PAIRS)

bench-gdb: all $(FORWARD) ## GDB through baton against GDB directly: stepping, breakpoints, reading
	$(Q)tests/bench/gdb.sh $(PAIRS)

bench-stepi: all $(FORWARD) ## the same for `stepi` alone
	$(Q)tests/bench/gdb.sh $(PAIRS) stepi kernel

bench-growth: all $(BENCH_TABLES) ## dump of 1,000 to 200,000 tables of a file, with a plot (0.8 GB in TMPDIR)
	$(Q)tests/bench/growth.sh

bench-walk: guests ## one translation from GDB against QEMU's gva2gpa (PAIRS=15)
	$(Q)tests/bench/walk.sh $(PAIRS)

bench-trace: all $(STEPPER) ## handoff trace against a bare client's steps and GDB's stepi (PAIRS=15)
	$(Q)tests/bench/trace.sh $(PAIRS)

bench-handoff: all ## handoff run on an image that copies 64 MiB against the same boot without baton (PAIRS=15)
	$(Q)tests/bench/handoff.sh $(PAIRS)

.PHONY: bench bench-gdb bench-growth bench-handoff bench-stepi bench-tables bench-trace bench-walk
