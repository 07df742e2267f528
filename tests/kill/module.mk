# SPDX-License-Identifier: BSD-2-Clause
# Baton, QEMU or the link between them ended at system calls of a patch: what the journal
# then says is true. `make check` takes samples, `make journal-kill` all.
KILLAT := $(O)/tests/kill/killat
HOST_OBJS += $(KILLAT).o

$(KILLAT): $(KILLAT).o
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ -o $@

TESTS += $(KILLAT)
E2E += tests/kill/kill.sh

journal-kill: all $(KILLAT) ## kill baton at every system call of a patch, compare journal and memory
	$(Q)KILL_ALL=1 TEST_TIMEOUT=7200 tests/run tests/kill/kill.sh

.PHONY: journal-kill
