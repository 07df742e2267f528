# SPDX-License-Identifier: BSD-2-Clause
# The wires, without policy: nothing here knows of machines or commands.
PROTOCOL_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard protocol/*.c))
HOST_OBJS += $(PROTOCOL_OBJS)
