/* SPDX-License-Identifier: BSD-2-Clause */
/* A defect is a row of the files in this folder; the loaders and baton-mkimage know of none. */
#ifndef ZOO_H
#define ZOO_H

#include <stdint.h>

#define ZOO_CHANGES 3
#define ZOO_SAYS    8

/**
 * struct change - some bytes of a good image, and what to put in their place.
 * @where:  a symbol of the loader's ELF file, or "region N" for what is copied to memory
 * @offset: in bytes, from there; FIND: the first place behind it where @old is
 * @old:    what must be there, @new: what shall be there instead, of the same length.
 *          Words between blanks: 8 hex digits stand for a 32-bit word, an instruction;
 *          16 for a 64-bit one; `symbol+HEX` for a symbol's address and a number in 64 bits;
 *          `bl:symbol`, `b:symbol` for a call of it or a branch from there.
 *          All little-endian.
 */
struct change {
	const char *where;
	uint64_t offset;
	const char *old, *new;
};

#define FIND UINT64_MAX

/* What becomes of it: tests/zoo/run. */
enum zoo_end {
	ZOO_UNTRIED, /* its console lines are tested elsewhere (tests/e2e/defects.sh) */
	ZOO_UNKNOWN, /* explained; `fix` says that it does not know */
	ZOO_BOOTS,   /* `fix -y` makes it boot: a repair is in the journal */
	ZOO_AFTER,   /* as ZOO_BOOTS, but what would fail is done first, by two single steps */
	ZOO_ITSELF,  /* a defect that is told, and boots all the same: nothing is applied */
	ZOO_TOLD,    /* a warning says it before it happens; it does, and does not boot */
	ZOO_GOOD,    /* no defect, however odd it looks: not a word, and it boots */
	ZOO_LATER,   /* nothing that the handoff could see: explained when it shows */
	ZOO_HANGS,   /* as ZOO_LATER, without a handoff: `cont`, then `why` for each CPU */
};

/**
 * struct defect - a row of the zoo.
 * @image:   built, without .img: "good-el1" (the default) is of examples/seed, "loader2/..."
 *           of tests/loader2
 * @machine: options of QEMU's -machine virt; those of the image's level by default
 * @cpus:    1 by default
 * @kvm:     why no KVM is like this; that it has no EL2 and EL3 is known (`zoo --not-kvm`)
 * @says:    what `handoff run`, `why` and `fix` must print, each somewhere in a line; a `!`
 *           in front: must not. {symbol+HEX} stands for an address as 0x%x, {entry} for the
 *           one in the image's header; `X|Y` for either.
 */
struct defect {
	const char *name, *what;
	const char *image, *machine;
	unsigned int cpus;
	uint64_t load; /* where it is put; 0: where it belongs */
	struct change change[ZOO_CHANGES];
	enum zoo_end end;
	const char *kvm;
	const char *says[ZOO_SAYS];
};

/* Each ends with a row without a name. */
extern const struct defect zoo_tables[], zoo_loader[], zoo_after[], zoo_other[], zoo_good[];

#endif
