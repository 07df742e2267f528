# SPDX-License-Identifier: BSD-2-Clause
# What reads the source without running it. EXTRA_PACKAGES only counts for `make lint`.
LINT_PACKAGES := clang clang-format clang-tidy cppcheck shellcheck
LINT_C = $(shell git ls-files '*.c' '*.h')
LINT_SH = $(shell git ls-files '*.sh') tests/run tests/kvm/qemu tests/zoo/run tests/zoo/same tests/zoo/clang-as-gcc tests/guests/run .ci/run

lint: ## format, clang-tidy, cppcheck, shellcheck, include directions, headers alone
	$(Q)$(MAKE) --no-print-directory deps EXTRA_PACKAGES="$(LINT_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory -k lint-format lint-include lint-headers lint-spdx lint-shell \
		lint-cppcheck lint-tidy

lint-format:
	$(call say,FORMAT,all)
	$(Q)clang-format --dry-run -Werror $(LINT_C)

# Dependencies point one way: include <- protocol <- stub, include <- loader; mmu/ knows
# no sockets and no machine, monitor/ no packets.
lint-include:
	$(call say,INCLUDE,directions)
	$(Q)bad() { ! git grep -nE "$$1" -- $$2; }; \
	bad '#include "(machine|mmu|patch|handoff|monitor|proxy)/' 'protocol/*' && \
	bad '#include "(link|packet|loop|machine/|patch/|handoff/|monitor/|proxy/)' 'stub/mmu/*' && \
	bad '#include "(link|packet|loop|machine/(rsp|live)|proxy/)' 'stub/monitor/* stub/handoff/* stub/patch/*' && \
	bad '#include "(patch/|handoff/|monitor/|proxy/)' 'stub/machine/*' && \
	bad '#include "(machine|mmu|patch|handoff|monitor|proxy|stub|protocol)/' 'loader/* include/*'

lint-headers:
	$(call say,HEADERS,alone)
	$(Q)for h in $$(git ls-files 'include/*.h' 'protocol/*.h' 'stub/*.h'); do \
		$(CC) $(HOST_CFLAGS) -fsyntax-only -x c -include $$h /dev/null || exit 1; done

lint-spdx:
	$(call say,SPDX,all)
	$(Q)! git ls-files '*.c' '*.h' '*.S' '*.mk' '*.sh' '*.ld' '*.awk' '*.gdb' Makefile | \
		xargs grep -L 'SPDX-License-Identifier: BSD-2-Clause' | grep .

lint-shell:
	$(call say,SHELL,all)
	$(Q)shellcheck -S warning -x -P tests/e2e $(LINT_SH)

lint-cppcheck:
	$(call say,CPPCHECK,all)
	$(Q)cppcheck --quiet --std=c11 --enable=warning,portability --error-exitcode=1 --inline-suppr \
		-j 2 -Iinclude -Iprotocol -Istub -DBATON_VERSION='""' protocol stub loader/mkimage

lint-tidy: compile_commands.json
	$(call say,TIDY,all)
	$(Q)printf '%s\n' $(filter-out tests/%,$(HOST_SRCS)) | xargs -P 2 -n 8 clang-tidy --quiet -p . \
		2>/dev/null

.PHONY: lint lint-format lint-include lint-headers lint-spdx lint-shell lint-cppcheck lint-tidy
