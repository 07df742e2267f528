# SPDX-License-Identifier: BSD-2-Clause
# Golden transcripts, replayed through the real session (see golden.c for their format).
GOLDEN := $(O)/tests/golden/golden
HOST_OBJS += $(GOLDEN).o

$(GOLDEN): $(GOLDEN).o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

TESTS += $(GOLDEN)
E2E += tests/golden/run.sh
