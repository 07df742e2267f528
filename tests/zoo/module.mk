# SPDX-License-Identifier: BSD-2-Clause
# Defects as data, a row each; tests/zoo/run tries them.
ZOO := $(O)/tests/zoo/zoo
ZOO_OBJS := $(patsubst %,$(O)/tests/zoo/%.o,zoo tables loader after other good)
HOST_OBJS += $(ZOO_OBJS)

$(ZOO): $(ZOO_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ -lelf -o $@

TESTS += $(ZOO)

# The same rows on other builds of the loaders, each in a folder of its own.
ZOO_BUILDS := symbols stripped moved O0 Os O3 clang
ZOO_MEMORY := $(O)/zoo/memory.o
zoo_loader = 'LOADER_CFLAGS=$(LOADER_CFLAGS:-O2=-$(1))' \
	'LOADER_LDFLAGS=$(LOADER_LDFLAGS) $(abspath $(ZOO_MEMORY))'
ZOO_O0 := $(call zoo_loader,O0)
ZOO_Os := $(call zoo_loader,Os)
ZOO_O3 := $(call zoo_loader,O3)
ZOO_clang := $(call zoo_loader,O2) CROSS=$(abspath $(O))/zoo/cross/
ZOO_moved := 'TARGET_LDFLAGS=$(TARGET_LDFLAGS) -Wl,--defsym,BASE=0x58000000'

zoo: all $(ZOO) $(LOADER2_IMAGES) ## every defect and odd image: named, repaired, booted? (several builds)
zoo: $(O)/zoo/cross/gcc $(ZOO_MEMORY)
	$(Q)$(foreach b,O0 Os O3 moved clang,$(MAKE) --no-print-directory -s O=$(O)/zoo/$b $(ZOO_$b) \
		$(patsubst $(O)/%,$(O)/zoo/$b/%,$(SEED_GOOD:%=$(SEED_DIR)/%.img) $(LOADER2_IMAGES)) &&) true
	$(Q)status=0; for b in $(ZOO_BUILDS); do tests/zoo/run $$b || status=1; done; exit $$status

# QEMUS="7.2's 10.0's": the first is also the one behind the shim
zoo-same: all $(ZOO) $(KVM_SHIM) $(LOADER2_IMAGES) ## the zoo by each of QEMUS and behind KVM's shim, 4 and 6 breakpoints: same words?
	$(Q)QEMUS='$(or $(QEMUS),$(QEMU))' tests/zoo/same

$(ZOO_MEMORY): tests/zoo/memory.c
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(LOADER_CFLAGS) -c $< -o $@

$(O)/zoo/cross/gcc: tests/zoo/clang-as-gcc
	@mkdir -p $(@D)
	$(Q)for t in objcopy objdump nm strip ld; do ln -sf "$$(command -v $(CROSS)$$t)" $(@D)/$$t; done
	$(Q)cp $< $@

.PHONY: zoo zoo-same
