# SPDX-License-Identifier: BSD-2-Clause
# The AArch64 loader, once for each board, and the image builder for the host.
BOARDS := $(sort $(patsubst loader/board/%/board,%,$(wildcard loader/board/*/board)))
CONFIGS := $(notdir $(wildcard loader/board/config/*))
LOADERS := $(BOARDS:%=$(O)/loader/%/loader.elf)
LOADER_SRCS := $(wildcard loader/aarch64/*.c loader/aarch64/*.S)
# Whoever debugs it shall see who called whom: no sibling calls.
LOADER_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -nostdlib -fno-builtin -fno-pic -fno-common \
	-fno-toplevel-reorder -fno-tree-loop-distribute-patterns -fno-stack-protector \
	-fno-optimize-sibling-calls -fno-asynchronous-unwind-tables -mgeneral-regs-only \
	-mstrict-align -mno-outline-atomics \
	-march=armv8-a -mbranch-protection=none -ffile-prefix-map=$(CURDIR)=. \
	-Iinclude -Iloader/aarch64 $(CWARN)
LOADER_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments

# make image BOARD=b TASK=t.elf [KERNEL=k.elf | SEL4=DIR] [CONFIG=release] [SET="key=value ..."]
# Of the command line alone: what an environment has by these names is another's.
CONFIG := debug
SET :=
SEL4 :=
KERNEL :=
TASK :=

ifneq ($(filter kernel image show-board,$(MAKECMDGOALS))$(SET),)
ifneq ($(words $(BOARD))$(filter-out $(BOARDS),$(BOARD)),1)
$(error $(if $(BOARD),no board $(BOARD),BOARD=NAME is missing); there are: $(BOARDS))
endif
endif
ifneq ($(words $(CONFIG))$(filter-out $(CONFIGS),$(CONFIG)),1)
$(error CONFIG=$(CONFIG): there are: $(CONFIGS))
endif

quote = '$(subst ','\'',$(1))'
# $(1): board, $(2): show, list, header or cmake
board_resolve = awk -v dir=loader/board -v arch=aarch64 -v config=$(CONFIG) -v board=$(1) \
	$(if $(filter $(1),$(BOARD)),-v set=$(call quote,$(SET))) -v format=$(2) -f loader/board/resolve.awk

$(O)/loader/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CROSS) $(LOADER_CFLAGS) $(LOADER_LDFLAGS)' | cmp -s - $@ || \
		echo '$(CROSS) $(LOADER_CFLAGS) $(LOADER_LDFLAGS)' > $@

# $(1): board
define loader_rules
LOADER_OBJS_$(1) := $$(addprefix $(O)/loader/$(1)/,$$(addsuffix .o,$$(notdir $(LOADER_SRCS))))

# Resolved each time, written when it says something else: what SET was for goes with it.
$(O)/loader/$(1)/board.h: FORCE
	@mkdir -p $$(@D)
	$$(Q)$$(call board_resolve,$(1),header) > $$@.new && \
		if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@ && echo '  GEN     loader/$(1)/board.h'; fi

$(O)/loader/$(1)/%.o: loader/aarch64/% $(O)/loader/$(1)/board.h $(O)/loader/.flags
	$$(call say,XCC,$$@)
	$$(Q)$$(CROSS)gcc $$(LOADER_CFLAGS) -I$(O)/loader/$(1) -MMD -MP -c $$< -o $$@

$(O)/loader/$(1)/loader.ld: loader/aarch64/loader.ld $(O)/loader/$(1)/board.h $(O)/loader/.flags
	$$(Q)$$(CROSS)gcc -E -P -x c -I$(O)/loader/$(1) $$< -o $$@

$(O)/loader/$(1)/loader.elf: $(O)/loader/$(1)/loader.ld $$(LOADER_OBJS_$(1))
	$$(call say,XLD,$$@)
	$$(Q)$$(CROSS)gcc $$(LOADER_LDFLAGS) -T $$^ -o $$@

-include $$(LOADER_OBJS_$(1):.o=.d)
endef
$(foreach b,$(BOARDS),$(eval $(call loader_rules,$(b))))

MKIMAGE_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard loader/mkimage/*.c))
HOST_OBJS += $(MKIMAGE_OBJS)

$(O)/baton-mkimage: $(MKIMAGE_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ -lelf -lfdt -lz -o $@

ALL += $(LOADERS) $(O)/baton-mkimage
INSTALL_BIN += $(O)/baton-mkimage
INSTALL_MAN += loader/mkimage/baton-mkimage.1

install: install-loaders
install-loaders: $(LOADERS)
	for b in $(BOARDS); do \
		install -D -m 644 $(O)/loader/$$b/loader.elf \
			$(DESTDIR)$(PREFIX)/share/baton/loader/$$b/loader.elf || exit 1; \
	done

list-boards: ## the boards that the loader is built for
	@for b in $(BOARDS); do $(call board_resolve,$$b,list) || exit; done

show-board: ## a board's values and where each comes from (BOARD=NAME)
	@$(call board_resolve,$(BOARD),show)

# seL4's kernel, in a folder for each board and configuration.
BOARD_KERNEL := $(O)/kernel/$(BOARD)/$(CONFIG)/kernel.elf

kernel: ## seL4's kernel for a board, from a checkout (SEL4=DIR BOARD=NAME)
	$(Q)options=$$($(call board_resolve,$(BOARD),cmake)) && \
		loader/board/kernel.sh $(call quote,$(SEL4)) $(BOARD_KERNEL) $(CROSS) $$options

BOARD_IMAGE := $(O)/image/$(BOARD).img

image: ## loader, kernel and task in one (BOARD=NAME TASK=ELF, KERNEL=ELF or the kernel just built)
image: $(if $(KERNEL),,$(if $(SEL4),kernel)) $(O)/baton-mkimage $(BOARD:%=$(O)/loader/%/loader.elf)
	$(Q)mkdir -p $(dir $(BOARD_IMAGE)); \
	kernel=$(call quote,$(or $(KERNEL),$(BOARD_KERNEL))) task=$(call quote,$(TASK)); \
	[ -n "$$task" ] || { echo 'image: TASK=ELF is missing, the task that the kernel starts' >&2; exit 2; }; \
	[ -r "$$kernel" ] || { echo "image: no kernel $$kernel: KERNEL=ELF names another, make kernel" \
		"SEL4=DIR BOARD=$(BOARD) CONFIG=$(CONFIG) builds it" >&2; exit 2; }; \
	$(if $(KERNEL),,[ "$$(tail -n +3 $(BOARD_KERNEL:kernel.elf=.options))" = "$$($(call board_resolve,$(BOARD),cmake))" ] || \
		{ echo "image: $$kernel was built with other options than these (make show-board):" \
		"make kernel with the same SET and CONFIG" >&2; exit 2; };) \
	$(O)/baton-mkimage --board $(BOARD) --kernel "$$kernel" --task "$$task" -o $(BOARD_IMAGE) --map && \
	printf '%s\n' "$(BOARD_IMAGE): load it at $$($(call board_resolve,$(BOARD),show) | awk '$$1 == "load_address" { print $$2 }')" \
		'next: $(O)/baton check $(BOARD_IMAGE)'

.PHONY: install-loaders list-boards show-board kernel image
