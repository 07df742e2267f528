# SPDX-License-Identifier: BSD-2-Clause
# Injected instructions at random moments leave no trace: a sample with `make check`, all of
# it with `make inject-soak`.
INJECT := $(O)/tests/inject/inject
INJECT_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/inject/*.c))
HOST_OBJS += $(INJECT_OBJS)
SOAK ?= 10000

$(INJECT): $(INJECT_OBJS) $(O)/tests/tap.o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

# What CPUs see of tables that are changed: four of them, at EL1 and EL2.
SMP := $(O)/tests/tlb/smp
SMP_GUESTS := $(SMP)-el1.elf $(SMP)-el2.elf
SMP_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/tlb/*.c))
HOST_OBJS += $(SMP_OBJS)

$(SMP): $(SMP_OBJS) $(O)/tests/inject/bench.o $(O)/tests/tap.o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

$(SMP)-el%.elf: tests/tlb/smp.S $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(CROSS)gcc -static -nostdlib -no-pie -DEL=$* -Wl,--build-id=none,-z,noexecstack,-N \
		-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 $< -o $@

$(O)/tests/inject/tlb.elf: tests/tlb/tlb.S $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(CROSS)gcc -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,-N \
		-Wl,--no-warn-rwx-segments,-Ttext=0x40200000 $< -o $@

TESTS += $(INJECT) $(O)/tests/inject/tlb.elf $(SMP) $(SMP_GUESTS)
UNIT += $(INJECT) $(SMP)

inject-soak: guests $(INJECT) $(O)/tests/inject/tlb.elf ## injection 10,000 times in the loader and in a boot of Linux (SOAK=10000)
	$(Q)$(INJECT) $(SOAK)

.PHONY: inject-soak
