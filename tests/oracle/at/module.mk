# SPDX-License-Identifier: BSD-2-Clause
# Our walk against AT instructions over random tables: a sample with `make check`, all of it
# with `make oracle`.
AT := $(O)/tests/oracle/at/at
AT_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/oracle/at/*.c))
HOST_OBJS += $(AT_OBJS)
AT_JOBS ?= 150

$(AT): $(AT_OBJS) $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

$(O)/tests/oracle/at/guest.bin: tests/oracle/at/guest.S $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(CROSS)gcc -nostdlib -c $< -o $(@:.bin=.o)
	$(Q)$(CROSS)objcopy -O binary $(@:.bin=.o) $@

TESTS += $(AT) $(O)/tests/oracle/at/guest.bin
UNIT += $(AT)

oracle-at: $(AT) $(O)/tests/oracle/at/guest.bin
	$(Q)$(AT) $(AT_JOBS)

oracle: oracle-at ## our walk against AT on QEMU, AT_JOBS=150 sets of tables for each regime

.PHONY: oracle oracle-at
