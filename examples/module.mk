# SPDX-License-Identifier: BSD-2-Clause
# The example kernel and its task: one source, two exception levels, two addresses.
KERNEL_DIR := $(O)/examples/kernel
KERNEL_SRC := head.S console.c kernel.c tables.c trap.c verify.c
TARGET_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-builtin -fno-pic -fno-pie -mgeneral-regs-only \
	-mstrict-align -mno-outline-atomics -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef $(if $(filter 1,$(WERROR)),-Werror)
TARGET_LDFLAGS := -static -no-pie -nostdlib -Wl,--build-id=none,-z,max-page-size=4096,-z,noexecstack

# What the kernel's entry is: virtual address, physical address, exception level.
KERNELS := kernel-el1 kernel-el1-c0 kernel-el2 kernel-el2-c0
KERNEL_AT_kernel-el1    := 0xffffff8040000000 0x40000000 1
KERNEL_AT_kernel-el1-c0 := 0xffffffffc0000000 0x60000000 1
KERNEL_AT_kernel-el2    := 0x8040000000 0x40000000 2
KERNEL_AT_kernel-el2-c0 := 0xffc0000000 0x60000000 2
EXAMPLE_ELFS := $(KERNELS:%=$(KERNEL_DIR)/%.elf) $(KERNEL_DIR)/task.elf $(KERNEL_DIR)/task-fault.elf

$(KERNEL_DIR)/el1/%.o $(KERNEL_DIR)/el2/%.o: TARGET_CFLAGS += -DKERNEL_EL=$(patsubst el%,%,$(notdir $(@D)))
$(KERNEL_DIR)/el1/%.o: examples/kernel/% $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) -MMD -MP -c $< -o $@
$(KERNEL_DIR)/el2/%.o: examples/kernel/% $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) -MMD -MP -c $< -o $@

$(foreach k,$(KERNELS),$(eval $(KERNEL_DIR)/$k.elf: \
	$(addprefix $(KERNEL_DIR)/el$(word 3,$(KERNEL_AT_$k))/,$(KERNEL_SRC:=.o))))
# The kernel compares what it finds in memory with what was linked, by CRC-32: the last 8 bytes
# of a gzip file are that and a length (RFC 1952).
crc32 = gzip -c $(1) | tail -c 8 | head -c 4

$(KERNELS:%=$(KERNEL_DIR)/%.elf): $(KERNEL_DIR)/%.elf: examples/kernel/kernel.ld
	$(call say,LINK,$@)
	$(Q)$(CROSS)gcc $(TARGET_LDFLAGS) -Wl,--defsym,KERNEL_VIRT=$(word 1,$(KERNEL_AT_$*)) \
		-Wl,--defsym,KERNEL_PHYS=$(word 2,$(KERNEL_AT_$*)) -Wl,-T,$< $(filter %.o,$^) -o $@
	$(Q)for s in .text .rodata; do \
		$(CROSS)objcopy -O binary -j $$s $@ $@.part && $(call crc32,$@.part); done > $@.sums
	$(Q)$(CROSS)objcopy --update-section .sums=$@.sums $@
	$(Q)rm $@.part $@.sums

$(KERNEL_DIR)/task-fault.elf: TARGET_CFLAGS += -DTASK_FAULT
$(KERNEL_DIR)/task.elf $(KERNEL_DIR)/task-fault.elf: examples/kernel/task.c examples/kernel/task.ld $(O)/.flags
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(TARGET_LDFLAGS) -Wl,-T,examples/kernel/task.ld $< -o $@
	$(Q)$(call flat,$@,$@.flat)
	$(Q){ printf task; tail -c +9 $@.flat | $(call crc32,-); } > $@.sum
	$(Q)$(CROSS)objcopy --update-section .sum=$@.sum $@
	$(Q)rm $@.flat $@.sum

# Flat, with the zeros that the ELF file leaves out.
flat = $(CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $(1) $(2)
$(KERNEL_DIR)/%.bin: $(KERNEL_DIR)/%.elf
	$(Q)$(call flat,$<,$@)

-include $(wildcard $(KERNEL_DIR)/el[12]/*.d)

ALL += $(EXAMPLE_ELFS)

# The seed case: kernel and task behind our loader. Board, kernel, task, more options.
SEED_DIR := $(O)/examples/seed
SEED_good-el1      := qemu_virt_aarch64_el1 kernel-el1 task
SEED_good-el2      := qemu_virt_aarch64 kernel-el2 task
SEED_good-el1-c0   := qemu_virt_aarch64_el1 kernel-el1-c0 task
SEED_good-el2-c0   := qemu_virt_aarch64 kernel-el2-c0 task
SEED_good-el1-smp4 := qemu_virt_aarch64_el1 kernel-el1 task --cpus 4
SEED_good-el2-smp4 := qemu_virt_aarch64 kernel-el2 task --cpus 4
SEED_fault-el1     := qemu_virt_aarch64_el1 kernel-el1 task-fault
SEED_fault-el2     := qemu_virt_aarch64 kernel-el2 task-fault
SEED_GOOD := good-el1 good-el2 good-el1-c0 good-el2-c0 good-el1-smp4 good-el2-smp4 fault-el1 fault-el2
# ... and what tests/zoo makes of them. Defect, image.
ZOO_lvl0-upper-zero    := lvl0-upper-zero good-el1
ZOO_lvl0-upper-zero-c0 := lvl0-upper-zero good-el1-c0
ZOO_el1-stack-pop      := el1-stack-pop good-el1
SEED_BAD := lvl0-upper-zero lvl0-upper-zero-c0 el1-stack-pop
SEED_IMAGES := $(patsubst %,$(SEED_DIR)/%.img,$(SEED_GOOD) $(SEED_BAD))

$(SEED_GOOD:%=$(SEED_DIR)/%.img): $(SEED_DIR)/%.img: $(O)/baton-mkimage $(LOADERS) $(EXAMPLE_ELFS)
	@mkdir -p $(@D)
	$(call say,IMAGE,$@)
	$(Q)$(O)/baton-mkimage --board $(word 1,$(SEED_$*)) --kernel $(KERNEL_DIR)/$(word 2,$(SEED_$*)).elf \
		--task $(KERNEL_DIR)/$(word 3,$(SEED_$*)).elf $(wordlist 4,9,$(SEED_$*)) -o $@

$(SEED_BAD:%=$(SEED_DIR)/%.img): $(SEED_DIR)/%.img: $(SEED_DIR)/good-el1.img $(SEED_DIR)/good-el1-c0.img $(O)/tests/zoo/zoo
	$(call say,ZOO,$@)
	$(Q)$(O)/tests/zoo/zoo $(word 1,$(ZOO_$*)) --elf $(O)/loader/qemu_virt_aarch64_el1/loader.elf \
		$(SEED_DIR)/$(word 2,$(ZOO_$*)).img -o $@

ALL += $(SEED_IMAGES)

demo: deps ## the seed case: the fault, the walk, the patch, the kernel (installs what is missing)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)examples/seed-case/demo.sh

transcripts: all ## write examples/transcripts anew, by running what they show
	$(Q)examples/transcripts/make.sh

.PHONY: demo transcripts
