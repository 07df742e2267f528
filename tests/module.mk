# SPDX-License-Identifier: BSD-2-Clause
# Unit tests: each tests/unit/test_NAME.c is one program, linked with all of the
# stub but main(). tests/run adds up what every kind of test reports as TAP.
UNIT := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/test_*.c))
HOST_OBJS += $(UNIT:%=%.o)

$(O)/tests/unit/test_%: $(O)/tests/unit/test_%.o $(STUB_OBJS) $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -lcmocka -o $@

# What programs that boot machines have in common.
HOST_OBJS += $(O)/tests/tap.o

TESTS += $(UNIT)

# End to end: each tests/e2e/NAME.sh but the one that they all share.
E2E := $(filter-out tests/e2e/lib.sh,$(wildcard tests/e2e/*.sh))

include tests/inject/module.mk tests/lint.mk tests/gdb.mk tests/oracle/module.mk tests/guests/module.mk tests/loader2/module.mk tests/moves/module.mk tests/kvm/module.mk tests/zoo/module.mk tests/fuzz/module.mk tests/golden/module.mk tests/bench/module.mk tests/matrix/module.mk tests/kill/module.mk

check: deps ## all tests (installs what is missing first)
	$(Q)$(MAKE) --no-print-directory check-run

check-run: all $(TESTS)
	$(Q)tests/run $(UNIT) $(ORACLE) $(E2E) $(MATRIX)

.PHONY: check check-run
