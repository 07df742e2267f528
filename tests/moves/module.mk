# SPDX-License-Identifier: BSD-2-Clause
# Ways to the other loader that move or make code: tests/e2e/moves.sh follows them.
MOVES_DIR := $(O)/tests/moves
MOVES := HIGH TWICE RELOCATE UNPACK UNPACK_OUTSIDE UNPACK_BRANCH OVERLAY ALIAS SECOND
MOVES_IMAGES := $(MOVES:%=$(MOVES_DIR)/%.img)

$(MOVES:%=$(MOVES_DIR)/%.elf): $(MOVES_DIR)/%.elf: tests/moves/moves.S tests/loader2/loader2.S \
		tests/loader2/loader2.ld $(KERNEL_DIR)/kernel-el1.bin $(KERNEL_DIR)/task.bin
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)entry=0x$$($(CROSS)nm $(KERNEL_DIR)/task.elf | sed -n 's/ T task_entry$$//p'); \
	$(CROSS)gcc -g $(TARGET_LDFLAGS) -D$* -DTASK_ENTRY=$$entry -Wa,-I$(KERNEL_DIR) \
		-Wl,--defsym,BASE=0x60000000 -Wl,-T,tests/loader2/loader2.ld $< -o $@

$(MOVES_DIR)/%.img: $(MOVES_DIR)/%.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

TESTS += $(MOVES_IMAGES)
