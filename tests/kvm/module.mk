# SPDX-License-Identifier: BSD-2-Clause
# What stands between baton and a QEMU under TCG and behaves as KVM: tests/e2e/kvm.sh;
# tests/kvm/qemu is a QEMU with it in front, for scripts that start one.
KVM_SHIM := $(O)/tests/kvm/kvm-shim
KVM_SHIM_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/kvm/*.c))
HOST_OBJS += $(KVM_SHIM_OBJS)

$(KVM_SHIM): $(KVM_SHIM_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ -lexpat -o $@

TESTS += $(KVM_SHIM)
