# SPDX-License-Identifier: BSD-2-Clause
#
# One make for everything. Each folder says what it adds in its module.mk; all
# that is built lands under $(O). `make help` lists the targets.

O       ?= build
V       ?= 0
SAN     ?=
WERROR  ?= 0
PREFIX  ?= /usr/local
CC      ?= cc
CROSS   ?= aarch64-linux-gnu-
QEMU    ?= qemu-system-aarch64
GDB     ?= gdb-multiarch
VERSION := 0.1

export O QEMU GDB

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))')

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

# Packages, by Debian 12's names: what a clean machine lacks, `make deps` installs.
PACKAGES := gcc libc6-dev pkg-config gdb-multiarch qemu-system-arm libexpat1-dev libelf-dev \
	libcapstone-dev libjansson-dev libfdt-dev zlib1g-dev libcmocka-dev libxml2-utils perl ipxe-qemu gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu

CWARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wcast-qual -Wformat=2 -Wswitch-enum \
	-Wimplicit-fallthrough $(if $(filter 1,$(WERROR)),-Werror)
CFLAGS   ?= -O2 -g
HOST_CFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -Iprotocol -Istub $(CWARN) $(CFLAGS) \
	-DBATON_VERSION='"$(VERSION)"' -fno-omit-frame-pointer \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all) $(CAPSTONE_CFLAGS)
HOST_LDFLAGS = $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))
HOST_LIBS = -lexpat -lelf -lcapstone -ljansson -lz

include protocol/module.mk stub/module.mk loader/module.mk examples/module.mk tests/module.mk

all: $(ALL) ## everything but the tests

help: ## this list
	@awk -F':.*## ' '/^[a-z_.-]+:.*## /{printf "  make %-16s %s\n",$$1,$$2}' \
		$(sort $(filter-out %.d,$(MAKEFILE_LIST)))
	@echo '  variables: O=DIR V=1 SAN=address,undefined WERROR=1 CC= QEMU= GDB= BOARD= SET= CONFIG= PREFIX= DESTDIR='

# Objects are rebuilt when the compiler or its flags change.
$(O)/.flags: FORCE
	@mkdir -p $(O)
	@echo '$(CC) $(subst ','\'',$(HOST_CFLAGS)) $(HOST_LDFLAGS) $(CROSS)' | cmp -s - $@ || \
		echo '$(CC) $(subst ','\'',$(HOST_CFLAGS)) $(HOST_LDFLAGS) $(CROSS)' > $@
FORCE:

$(O)/%.o: %.c $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

-include $(patsubst %.o,%.d,$(HOST_OBJS))

deps: ## install what is missing (Debian packages; as root or through sudo)
	@need="$(PACKAGES) $(EXTRA_PACKAGES)"; missing=; \
	for p in $$need; do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	echo "installing:$$missing"; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	$$sudo apt-get -qq update && \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get -qq install -y --no-install-recommends $$missing >/dev/null || \
	{ echo "make deps: could not install:$$missing" >&2; exit 1; }

install: all ## baton, baton-mkimage and their man pages, under DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/include/baton
	install -m 755 $(INSTALL_BIN) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(INSTALL_MAN) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(wildcard include/baton/*.h) $(DESTDIR)$(PREFIX)/include/baton

HOST_SRCS = $(sort $(wildcard $(HOST_OBJS:$(O)/%.o=%.c)))
compile_commands.json: Makefile $(HOST_SRCS) ## for clangd and clang-tidy
	@sep='['; for c in $(HOST_SRCS); do \
		printf '%s{"directory":"%s","file":"%s","command":"%s"}' "$$sep" '$(CURDIR)' "$$c" \
		"$(CC) $(subst ",\\\",$(HOST_CFLAGS)) -c $$c"; sep=,; done > $@; echo ']' >> $@

clean: ## remove what was built
	rm -rf $(O) compile_commands.json

.PHONY: all help deps install clean FORCE
