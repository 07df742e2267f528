# SPDX-License-Identifier: BSD-2-Clause
# A GDB without Python, from Debian's sources: what a user may well have, and what no test
# may need more than. `make gdb`, then `make check GDB=...` as it says.
#
# Packages are unpacked below $(O)/gdb and not installed. Their libraries are linked
# statically: a -dev package's .so points to a library that may not be there.
GDB_DIR = $(abspath $(O))/gdb
GDB_OWN = $(GDB_DIR)/bin/aarch64-linux-gnu-gdb
GDB_PACKAGES := gdb-source libgmp-dev libmpfr-dev libexpat1-dev libncurses-dev
GDB_BUILD_PACKAGES := g++ make xz-utils bison flex
GDB_CONFIGURE = --target=aarch64-linux-gnu --prefix=$(GDB_DIR) --without-python --without-guile \
	--with-expat --with-libexpat-prefix=$(GDB_DIR)/debs/usr --with-libgmp-prefix=$(GDB_DIR)/debs/usr \
	--with-gmp=$(GDB_DIR)/debs/usr --with-mpfr=$(GDB_DIR)/debs/usr --disable-tui --disable-sim \
	--disable-gdbserver --disable-binutils --disable-gas --disable-gold --disable-ld --disable-gprof \
	--disable-gprofng --disable-libctf --disable-nls --disable-source-highlight --disable-werror \
	--disable-install-libbfd --without-debuginfod --without-lzma --without-babeltrace \
	--without-intel-pt --without-xxhash --without-zstd --disable-inprocess-agent

gdb: ## a GDB without Python, for `make check GDB=...`
	$(Q)[ -x $(GDB_OWN) ] || { $(MAKE) --no-print-directory deps EXTRA_PACKAGES="$(GDB_BUILD_PACKAGES)" && \
		$(MAKE) --no-print-directory $(GDB_OWN); }
	@echo 'make check GDB=$(GDB_OWN)'

$(GDB_DIR)/deb/.done:
	@mkdir -p $(@D)
	$(call say,FETCH,$@)
	$(Q)cd $(@D) && apt-get -qq download $(GDB_PACKAGES) 2>fetch.log || { cat fetch.log >&2; exit 1; }
	$(Q)touch $@

$(GDB_DIR)/src/.done: $(GDB_DIR)/deb/.done
	@mkdir -p $(@D)
	$(call say,UNPACK,$@)
	$(Q)rm -rf $(GDB_DIR)/debs
	$(Q)for d in $(<D)/*.deb; do dpkg -x "$$d" $(GDB_DIR)/debs || exit 1; done
	$(Q)find $(GDB_DIR)/debs \( -name '*.so' -o -name '*.la' \) -delete
	$(Q)tar -xf $(GDB_DIR)/debs/usr/src/gdb.tar.xz -C $(@D) --strip-components=1
	$(Q)touch $@

$(GDB_OWN): $(GDB_DIR)/src/.done
	@mkdir -p $(GDB_DIR)/obj
	$(call say,GDB,$@)
	$(Q)unset MAKEFLAGS MFLAGS MAKEOVERRIDES; cd $(GDB_DIR)/obj && \
	lib=$$(echo $(GDB_DIR)/debs/usr/lib/*-linux-gnu) inc=$(GDB_DIR)/debs/usr/include && \
	{ ../src/configure $(GDB_CONFIGURE) MAKEINFO=true CFLAGS=-O1 CXXFLAGS=-O1 \
		CPPFLAGS="-I$$inc -I$$inc/$${lib##*/}" LDFLAGS="-L$$lib" && \
	nice $(MAKE) -j$$(nproc) MAKEINFO=true all-gdb && \
	$(MAKE) MAKEINFO=true -C gdb install-only && rm -rf $(GDB_DIR)/obj; } >$(GDB_DIR)/build.log 2>&1 </dev/null || \
		{ tail -n 30 $(GDB_DIR)/build.log >&2; exit 1; }

.PHONY: gdb
