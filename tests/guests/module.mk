# SPDX-License-Identifier: BSD-2-Clause
# Guests that nobody here wrote, from Debian's arm64 packages: tests/guests/list.sh. Too big
# for `make check`; some 40 MB under $(O)/guests.
GUESTS := $(O)/guests
GUEST_PACKAGES := cpio device-tree-compiler

guests: ## Linux, U-Boot, EDK2 and Xen for arm64, under $(O)/guests
	$(Q)$(MAKE) --no-print-directory deps EXTRA_PACKAGES="$(GUEST_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory all $(GUESTS)/initrd $(GUESTS)/xen.dtb

# Fetched once; `rm -r $(O)/guests` for newer ones.
$(GUESTS)/versions: | tests/guests/fetch.sh
	$(call say,FETCH,$(GUESTS))
	$(Q)tests/guests/fetch.sh $(GUESTS)

$(GUESTS)/grow: tests/guests/grow.c $(O)/.flags | $(GUESTS)/versions
	$(call say,CROSS,$@)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(TARGET_LDFLAGS) $< -o $@

$(GUESTS)/initrd: $(GUESTS)/grow tests/guests/init $(GUESTS)/versions
	$(call say,CPIO,$@)
	$(Q)rm -rf $@.d && mkdir -p $@.d/bin $@.d/proc $@.d/dev
	$(Q)cp $(GUESTS)/busybox $@.d/bin && cp tests/guests/init $(GUESTS)/grow $@.d
	$(Q)cd $@.d && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0 > ../initrd
	$(Q)rm -rf $@.d

# The machine of list.sh's row, as QEMU describes it, with a guest for Xen to start.
$(GUESTS)/xen.dtb: tests/guests/xen.dts $(GUESTS)/initrd $(GUESTS)/versions
	$(call say,DTC,$@)
	$(Q)$(QEMU) -M virt,virtualization=on,gic-version=2,dumpdtb=$@.qemu -cpu cortex-a57 -m 2G \
		-display none 2>/dev/null
	$(Q){ dtc -q -I dtb -O dts $@.qemu; \
		sed -e "s/KERNEL_SIZE/$$(stat -c %s $(GUESTS)/vmlinuz)/" \
			-e "s/INITRD_SIZE/$$(stat -c %s $(GUESTS)/initrd)/" $<; } | \
		dtc -q -I dts -O dtb -o $@
	$(Q)rm $@.qemu

oracle-guests: guests $(ORACLE) ## our walk against QEMU's and pagemap on each of them (GUEST="NAME...")
	$(Q)tests/guests/oracle.sh $(GUEST)

loader-guests: guests ## Debian's Linux through our loader, from each level, 1 and 4 CPUs (GUEST="NAME...")
	$(Q)tests/guests/loader.sh $(GUEST)

handoff-guests: guests ## Linux, U-Boot, EDK2 and Xen under `handoff`, against QEMU's log of exceptions
	$(Q)tests/guests/handoff.sh $(GUEST)

.PHONY: guests oracle-guests loader-guests handoff-guests
