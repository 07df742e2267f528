# SPDX-License-Identifier: BSD-2-Clause
# The debug server.
STUB_SRCS := $(wildcard stub/*.c stub/proxy/*.c stub/machine/*.c stub/mmu/*.c stub/patch/*.c \
	stub/handoff/*.c stub/monitor/*.c)
# What the unit tests link: everything but main().
STUB_OBJS := $(patsubst %.c,$(O)/%.o,$(filter-out stub/main.c,$(STUB_SRCS)))
HOST_OBJS += $(STUB_OBJS) $(O)/stub/main.o

# The command table: one row for each COMMAND() in stub/monitor.
$(O)/stub/commands.c: $(wildcard stub/monitor/*.c)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q){ echo '#include "monitor/command.h"'; \
	names=$$(sed -n 's/^COMMAND(\([a-z0-9_]*\),.*/\1/p' $(sort $^)); \
	for n in $$names; do echo "extern const struct command command_$$n;"; done; \
	echo 'const struct command *const commands[] = {'; \
	for n in $$names; do echo "	&command_$$n,"; done; \
	echo '	NULL'; echo '};'; } > $@
$(O)/stub/commands.o: $(O)/stub/commands.c $(O)/.flags
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@
STUB_OBJS += $(O)/stub/commands.o

$(O)/baton: $(O)/stub/main.o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

ALL += $(O)/baton
INSTALL_BIN += $(O)/baton
INSTALL_MAN += stub/baton.1
