# SPDX-License-Identifier: BSD-2-Clause
# Our walk against QEMU's, address by address.
ORACLE := $(O)/tests/oracle/oracle
ORACLE_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/oracle/*.c))
HOST_OBJS += $(ORACLE_OBJS)

$(ORACLE): $(ORACLE_OBJS) $(O)/tests/tap.o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

$(O)/tests/oracle/guest.bin: tests/oracle/guest.S $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(CROSS)gcc -nostdlib -c $< -o $(@:.bin=.o)
	$(Q)$(CROSS)objcopy -O binary $(@:.bin=.o) $@

TESTS += $(ORACLE) $(O)/tests/oracle/guest.bin

include tests/oracle/at/module.mk
