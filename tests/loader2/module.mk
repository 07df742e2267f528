# SPDX-License-Identifier: BSD-2-Clause
# A loader that shares nothing with ours, so that nothing is proved on ours alone.
LOADER2_DIR := $(O)/tests/loader2
LOADER2 := good bad good-eret bad-eret good-el2 bad-el2 good-smc good-kernel one-off \
	good-probe good-probe-el2 filled filled-late filled-on switched switched-ng stage2 \
	header ic-early copy-on copy-clean copy-half copy-off
LOADER2_FLAGS_bad       := -DORPHAN
LOADER2_FLAGS_good-eret := -DLEAVE_BY_ERET
LOADER2_FLAGS_bad-eret  := -DORPHAN -DLEAVE_BY_ERET
LOADER2_FLAGS_good-el2  := -DSTAY_AT_EL2
LOADER2_FLAGS_bad-el2   := -DSTAY_AT_EL2 -DORPHAN
LOADER2_FLAGS_good-smc  := -DASK_SMC
LOADER2_FLAGS_good-probe := -DPROBE
LOADER2_FLAGS_good-probe-el2 := -DPROBE -DSTAY_AT_EL2
# where QEMU puts a raw image with -kernel
LOADER2_FLAGS_good-kernel := -Wl,--defsym,BASE=0x40080000
LOADER2_FLAGS_one-off   := -DONE_OFF
LOADER2_FLAGS_filled    := -DFILL
LOADER2_FLAGS_filled-late := -DFILL_LATE
LOADER2_FLAGS_stage2    := -DSTAGE2
LOADER2_FLAGS_header    := -DHEADER
LOADER2_FLAGS_ic-early  := -DHEADER -DIC_EARLY
LOADER2_FLAGS_copy-on   := -DHEADER -DCOPY_ON
LOADER2_FLAGS_copy-clean := -DHEADER -DCOPY_ON -DCLEAN
LOADER2_FLAGS_copy-half := -DHEADER -DCOPY_ON -DCLEAN -DCLEAN_HALF
LOADER2_FLAGS_copy-off  := -DHEADER -DCOPY_ON -DCLEAN -DLEAVE_OFF
LOADER2_FLAGS_filled-on := -DFILL_ON
LOADER2_FLAGS_switched  := -DSWITCH
LOADER2_FLAGS_switched-ng := -DSWITCH -DSWITCH_NG
LOADER2_IMAGES := $(LOADER2:%=$(LOADER2_DIR)/%.img)

$(LOADER2:%=$(LOADER2_DIR)/%.elf): $(LOADER2_DIR)/%.elf: tests/loader2/loader2.S tests/loader2/loader2.ld \
		$(KERNEL_DIR)/kernel-el1.bin $(KERNEL_DIR)/kernel-el2.bin $(KERNEL_DIR)/task.bin
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)entry=0x$$($(CROSS)nm $(KERNEL_DIR)/task.elf | sed -n 's/ T task_entry$$//p'); \
	$(CROSS)gcc -g $(TARGET_LDFLAGS) $(LOADER2_FLAGS_$*) -DTASK_ENTRY=$$entry \
		-Wa,-I$(KERNEL_DIR) -Wl,-T,tests/loader2/loader2.ld $< -o $@

$(LOADER2_DIR)/%.img: $(LOADER2_DIR)/%.elf
	$(Q)$(CROSS)objcopy -O binary $< $@
	$(Q)$(CROSS)strip $< -o $(@:.img=.stripped.elf)

TESTS += $(LOADER2_IMAGES)
