# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing. Each fuzz_NAME.c is run by `make fuzz` under libFuzzer, with clang and
# sanitizers, for FUZZ_SECONDS; and by `make check` on noise from a fixed seed.
FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ := $(FUZZ_SRCS:%.c=$(O)/%)
HOST_OBJS += $(FUZZ:%=%.o) $(O)/tests/fuzz/driver.o $(O)/tests/fuzz/reference.o $(O)/tests/fuzz/reference_s2.o
# What a target fuzzes besides protocol/.
FUZZ_WITH_walk := tests/fuzz/reference.c tests/fuzz/reference_s2.c $(wildcard stub/mmu/*.c)
FUZZ_WITH_mkimage := $(filter-out %/main.c,$(wildcard loader/mkimage/*.c))
FUZZ_WITH_image := $(filter-out stub/main.c,$(STUB_SRCS)) $(O)/stub/commands.c
FUZZ_SECONDS ?= 60

$(O)/tests/fuzz/fuzz_walk: $(FUZZ_WITH_walk:%.c=$(O)/%.o)
$(O)/tests/fuzz/fuzz_mkimage: $(FUZZ_WITH_mkimage:%.c=$(O)/%.o)
$(O)/tests/fuzz/fuzz_mkimage $(O)/libfuzzer/fuzz_mkimage: HOST_LIBS += -lfdt -lz
$(O)/tests/fuzz/fuzz_image: $(STUB_OBJS)
$(O)/tests/fuzz/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/driver.o $(PROTOCOL_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) $^ $(HOST_LIBS) -o $@

UNIT += $(FUZZ)

$(O)/libfuzzer/fuzz_mkimage: $(FUZZ_WITH_mkimage) loader/mkimage/mkimage.h
$(O)/libfuzzer/fuzz_walk: $(FUZZ_WITH_walk) tests/fuzz/reference.h $(wildcard stub/mmu/*.h)
$(O)/libfuzzer/fuzz_image: $(FUZZ_WITH_image) $(wildcard stub/*.h stub/*/*.h)
$(O)/libfuzzer/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(wildcard protocol/*.[ch])
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(HOST_CFLAGS)) -O1 \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		$< $(FUZZ_WITH_$*) $(wildcard protocol/*.c) $(HOST_LIBS) -o $@

# What is found is kept under $(O)/libfuzzer: corpora to go on from, crashes to look at.
fuzz: $(FUZZ_SRCS:tests/fuzz/%.c=fuzz-%) ## every fuzz target for FUZZ_SECONDS=60 (needs clang)

fuzz-%: $(O)/libfuzzer/%
	@mkdir -p $(O)/libfuzzer/corpus-$*
	$(Q)[ ! -e tests/fuzz/$*.corpus ] || tests/fuzz/corpus.sh unpack tests/fuzz/$*.corpus $(O)/libfuzzer/corpus-$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -rss_limit_mb=1024 -timeout=10 -verbosity=0 \
		$(addprefix -dict=,$(wildcard tests/fuzz/$*.dict)) -artifact_prefix=$(O)/libfuzzer/$*- $(O)/libfuzzer/corpus-$* && \
		echo '$*: nothing found in $(FUZZ_SECONDS) s'

fuzz-mkimage: FUZZ_SECONDS = 600
fuzz-mkimage: fuzz-fuzz_mkimage ## what baton-mkimage reads, for 10 minutes

.PHONY: fuzz fuzz-mkimage
