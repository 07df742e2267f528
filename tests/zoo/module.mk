# SPDX-License-Identifier: BSD-2-Clause
# Defects as data: tests/zoo/defects.c.
ZOO := $(O)/tests/zoo/zoo
ZOO_OBJS := $(O)/tests/zoo/zoo.o $(O)/tests/zoo/defects.o
HOST_OBJS += $(ZOO_OBJS)

$(ZOO): $(ZOO_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ -lelf -o $@

TESTS += $(ZOO)
