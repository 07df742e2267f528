# SPDX-License-Identifier: BSD-2-Clause
# The AArch64 loader, once for each board, and the image builder for the host.
BOARDS := $(sort $(patsubst loader/board/%/board,%,$(wildcard loader/board/*/board)))
BOARD_FILES := $(wildcard loader/board/*.awk loader/board/defaults loader/board/*/board)
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

board_resolve = awk -v dir=loader/board -v board=$(1) -v format=$(2) -f loader/board/resolve.awk

$(O)/loader/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CROSS) $(LOADER_CFLAGS) $(LOADER_LDFLAGS)' | cmp -s - $@ || \
		echo '$(CROSS) $(LOADER_CFLAGS) $(LOADER_LDFLAGS)' > $@

# $(1): board
define loader_rules
LOADER_OBJS_$(1) := $$(addprefix $(O)/loader/$(1)/,$$(addsuffix .o,$$(notdir $(LOADER_SRCS))))

$(O)/loader/$(1)/board.h: $(BOARD_FILES)
	@mkdir -p $$(@D)
	$$(call say,GEN,$$@)
	$$(Q)$$(call board_resolve,$(1),header) > $$@

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
	@printf '%s\n' $(BOARDS)

show-board: ## a board's values and where each comes from (BOARD=NAME)
	@$(call board_resolve,$(or $(BOARD),$(error BOARD=NAME, one of: $(BOARDS))),show)

.PHONY: install-loaders list-boards show-board
