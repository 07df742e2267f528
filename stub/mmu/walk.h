/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table walk of VMSAv8-64 (DDI 0487, D8) as pure functions: memory comes from
 * a callback, so that a live machine, a file and a test are walked alike.
 *
 * Stage 1 of EL1&0, EL2, EL2&0 and EL3, stage 2, and both behind each other; 4, 16 and
 * 64 KiB granules, LPA, LPA2, LVA, TTST. What is beyond is recognized and refused.
 */
#ifndef BATON_MMU_WALK_H
#define BATON_MMU_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu/regime.h"

struct buf;

/**
 * struct pt_reader - physical memory.
 * @read: the 8 bytes at @pa, as a little-endian number; a failure (a negative
 *        BATON_E number) ends the walk with PT_FAULT_EXTERNAL
 */
struct pt_reader {
	int (*read)(void *ctx, uint64_t pa, uint64_t *value);
	void *ctx;
};

/**
 * struct pt_overlay - memory in which one word has another value: "what if".
 * Stack them by giving the reader of one as the @below of the next.
 */
struct pt_overlay {
	struct pt_reader below;
	uint64_t address; /* of the word, 8-byte aligned */
	uint64_t value;	  /* as read() gives it: see pt_config.big_endian */
};

/** pt_overlay_reader() - a reader over @o, which has to live as long. */
struct pt_reader pt_overlay_reader(struct pt_overlay *o);

enum pt_access_kind { PT_ANY, PT_READ, PT_WRITE, PT_FETCH };

/* PT_ANY: no access in particular; permissions are told and never fault. */
struct pt_access {
	enum pt_access_kind kind;
	unsigned int el; /* from which exception level */
	bool pan;	 /* PSTATE.PAN */
};

/* One regime (and half of it) decoded from its registers. */
struct pt_config {
	struct regime regime;
	unsigned int half;    /* 0: TTBR0, 1: TTBR1 */
	bool flat;	      /* MMU off: IA = OA */
	unsigned int granule; /* log2: 12, 14, 16 */
	unsigned int ia_bits; /* 64 - TxSZ */
	unsigned int oa_bits; /* min(PS, PARange, 48 without LPA and LPA2); flat: PARange, 0 if not
				 known */
	int start;	      /* first level looked up: -1 to 3 */
	uint64_t root;	      /* address of the first table (with .regime.nested an IPA); stage 2
				 may have up to 16 of them behind each other */
	bool root_misaligned; /* TTBR has bits below the table's alignment: ignored here */
	bool big_endian;      /* SCTLR.EE: descriptors are byte-swapped in memory */
	bool lpa;	      /* 64 KiB: OA[51:48] in bits 15:12 */
	bool ds;	      /* LPA2: OA[51:50] in bits 9:8, shareability from TCR */
	unsigned int sh;      /* that shareability */
	bool tbi, tbid;	      /* top byte ignored; tbid: for data only */
	bool epd;	      /* walks with this TTBR are disabled */
	bool e0pd;	      /* EL0 may not use this half */
	bool hpd;	      /* hierarchical permissions disabled */
	bool ha;	      /* hardware sets the access flag */
	bool hd;	      /* and the dirty state: DBM makes read-only writable */
	bool wxn;	      /* what is writable is not executable */
	bool epan;	      /* PAN counts EL0-executable as EL0-accessible */
	bool txsz_bad;	      /* TxSZ outside what the architecture allows */
	bool sl_bad;	      /* stage 2: VTCR_EL2.SL0 or SL2 does not fit T0SZ and granule */
	bool fwb;	      /* stage 2: HCR_EL2.FWB, MemAttr overrides stage 1 */
	bool xnx;	      /* stage 2: XN[0] counts (FEAT_XNX) */
};

enum pt_fault {
	PT_FAULT_NONE,
	PT_FAULT_TRANSLATION,
	PT_FAULT_ADDRESS_SIZE,
	PT_FAULT_ACCESS_FLAG,
	PT_FAULT_PERMISSION,
	PT_FAULT_EXTERNAL, /* a table could not be read */
};

/* Why a fault, where the kind alone does not say it. */
enum pt_reason {
	PT_REASON_NONE,
	PT_REASON_INVALID,  /* bit 0 clear */
	PT_REASON_RESERVED, /* 0b01 at a level that has no blocks, level 3 included */
	PT_REASON_HOLE,	    /* top bits: in neither half */
	PT_REASON_EPD,	    /* TCR.EPDn */
	PT_REASON_E0PD,	    /* TCR.E0PDn */
	PT_REASON_TXSZ,	    /* TCR.TxSZ out of range */
	PT_REASON_ROOT,	    /* TTBR beyond the output size */
	PT_REASON_IA,	    /* MMU off and the address is beyond the PA size */
	PT_REASON_SL,	    /* VTCR_EL2.SL0 does not fit T0SZ and the granule */
	PT_REASON_PTW,	    /* a table of stage 1 in stage 2's device memory (HCR_EL2.PTW) */
	PT_REASON_UPDATE,   /* hardware would write to a table that stage 2 protects */
};

enum pt_kind { PT_INVALID, PT_TABLE, PT_BLOCK, PT_PAGE };

/*
 * One descriptor that was looked up. Behind each other as the hardware does it: with two
 * stages the stage-2 steps that find a stage-1 descriptor stand before that one.
 */
struct pt_step {
	unsigned int stage; /* 1 or 2 */
	int level;
	unsigned int index;
	uint64_t table;	  /* physical address of the table */
	uint64_t address; /* and of the descriptor */
	uint64_t ipa;	  /* of the descriptor as stage 1 has it; else as .address */
	bool read;	  /* false: it could not be, desc means nothing */
	uint64_t desc;
	enum pt_kind kind;
	uint64_t next; /* PT_TABLE: the next table; PT_BLOCK, PT_PAGE: output base; both as
			  this stage's output, an IPA in the first of two */
};

enum pt_perm { PT_X = 1, PT_W = 2, PT_R = 4 };

enum pt_share { PT_SHARE_NONE, PT_SHARE_RESERVED, PT_SHARE_OUTER, PT_SHARE_INNER };

/* What holds for a mapped address, tables on the way and SCTLR included. */
struct pt_attrs {
	unsigned int el0, own; /* enum pt_perm: from EL0 (where it has a part), from the regime's
				  EL; stage 2: from EL0 and EL1 */
	unsigned int attrindx; /* which byte of MAIR; stage 2: MemAttr */
	uint8_t mair;	       /* that byte; stage 2 and both: as MAIR would encode it */
	bool s1_decides;       /* stage 2 alone with FWB: mair is what it makes of Normal WB */
	enum pt_share sh;      /* as written in the descriptor, with DS in TCR */
	enum pt_share share;   /* effective */
	bool af, ng, ns, nse, dbm, contiguous, guarded;
	unsigned int tables; /* hierarchical bits met: enum pt_hier */
};

enum pt_hier {
	PT_HIER_PXN = 1,
	PT_HIER_XN = 2,
	PT_HIER_NO_EL0 = 4,
	PT_HIER_RO = 8,
	PT_HIER_NS = 16
};

/* Five levels in each stage: each of stage 1's five needs five of stage 2, and the output too. */
#define PT_MAX_STEPS 35

struct pt_walk {
	struct pt_config cfg;
	struct pt_config s2; /* with cfg.regime.nested: that of the second stage */
	uint64_t ia;	     /* as given, tag included */
	unsigned int steps;
	struct pt_step step[PT_MAX_STEPS];
	bool mapped; /* a leaf was reached (in both stages): oa, size, attrs hold, even with an
			access flag or permission fault of the last stage */
	bool ipa_known;
	uint64_t ipa; /* nested: what stage 1 made of ia */
	uint64_t oa;
	uint64_t size;	       /* of the block or page, the smaller of both stages'; flat: 4 KiB */
	struct pt_attrs attrs; /* of both stages together */
	struct pt_attrs s1, s2_attrs; /* nested: of each */
	enum pt_fault fault;
	enum pt_reason reason;
	int level;	       /* of the fault */
	unsigned int stage;    /* of the fault: 1 or 2 */
	bool s1ptw;	       /* stage 2 faulted on a descriptor of stage 1 */
	uint64_t fault_ipa;    /* stage 2: the address that it could not translate */
	uint64_t fault_output; /* address size: the address that is too big;
				  external: the one that could not be read */
};

/**
 * pt_config_from_regime() - decode @r for one input address: bit 55 selects the
 * half (DDI 0487, D8.2.2), the size and granule are those of that half.
 *
 * Return: 0; -BATON_EUNSUPPORTED with words in @why (may be NULL) for granules that this CPU
 * lacks, reserved fields, and what depends on a feature that the machine does not show;
 * -BATON_EINVAL where @ia is not in the half that the regime was limited to;
 * -BATON_ENOTFOUND where a register needed was not read.
 */
int pt_config_from_regime(struct pt_config *cfg, const struct regime *r, uint64_t ia,
			  struct buf *why);

/**
 * pt_walk() - translate one input address the way the table walker would.
 * @cfg:    from pt_config_from_regime(), for the half that @ia is in
 * @reader: physical memory; a failure ends the walk with PT_FAULT_EXTERNAL
 * @ia:     input address, tag byte included
 * @acc:    the access, or NULL for none in particular
 * @out:    every step taken, then either the output address or the fault
 *
 * Pure: no I/O of its own, no allocation, no global state. At most one step per
 * level, so a table that points to itself cannot hold it (DDI 0487, D8.2.1).
 *
 * Return: 0 whether or not the address translates - a fault is an answer;
 * -BATON_EINVAL if @ia is not in the half that @cfg is for, or for an access from EL0
 * in a regime that EL0 has no part in.
 */
int pt_walk(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t ia,
	    const struct pt_access *acc, struct pt_walk *out);

/** pt_config_stage2() - the second stage behind @cfg, whose regime is nested. Errors as above. */
int pt_config_stage2(struct pt_config *s2, const struct pt_config *cfg, struct buf *why);

/** pt_walk_regime() - the two above in one go. Errors are theirs. */
int pt_walk_regime(const struct regime *r, const struct pt_reader *reader, uint64_t ia,
		   const struct pt_access *acc, struct pt_walk *out, struct buf *why);

/**
 * pt_walk_esr() - the ESR_ELx that @acc would be reported with (DDI 0487, D24.2.40);
 * 0 where the walk has no fault. PT_ANY counts as a read. Of a stage-2 data abort the
 * instruction's own syndrome (ISV and below) is not known and left 0.
 */
uint64_t pt_walk_esr(const struct pt_walk *w, const struct pt_access *acc);

/** pt_walk_fault_el() - the exception level that takes the fault. */
unsigned int pt_walk_fault_el(const struct pt_walk *w);

/**
 * pt_walk_hpfar() - what HPFAR_EL2 would hold (D24.2.58).
 * Return: false where there is no fault of stage 2, or it is a permission fault on the
 * output itself, for which HPFAR_EL2 is UNKNOWN.
 */
bool pt_walk_hpfar(const struct pt_walk *w, uint64_t *hpfar);

/** pt_level_shift() - log2 of what one entry covers at @level. */
unsigned int pt_level_shift(const struct pt_config *cfg, int level);

/** pt_desc_kind() - what @desc is at @level (DDI 0487, D8.3.1). */
enum pt_kind pt_desc_kind(const struct pt_config *cfg, int level, uint64_t desc);

/** pt_desc_address_mask() - the bits of a descriptor of @kind that hold an address. */
uint64_t pt_desc_address_mask(const struct pt_config *cfg, int level, enum pt_kind kind);

/**
 * pt_desc_address() - the address in a descriptor: with LPA and LPA2 its top bits are
 * kept below (D8.3.1). pt_desc_with_address() - @desc with @addr in it; bits of @addr that
 * have no place there are lost.
 */
uint64_t pt_desc_address(const struct pt_config *cfg, int level, enum pt_kind kind, uint64_t desc);
uint64_t pt_desc_with_address(const struct pt_config *cfg, int level, enum pt_kind kind,
			      uint64_t desc, uint64_t addr);

/**
 * pt_desc_stray() - bits of the address field that are below what the entry covers, or below
 * a table's size: RES0 (D8.3.1). nT (bit 16 of a block) and LPA's bits are not among them.
 */
uint64_t pt_desc_stray(const struct pt_config *cfg, int level, enum pt_kind kind, uint64_t desc);

/** pt_desc_reserved() - bits that hold neither an address nor anything else: 49:48, 50 of a table.
 */
uint64_t pt_desc_reserved(const struct pt_config *cfg, enum pt_kind kind, uint64_t desc);

/** pt_table_entry() - the @index-th descriptor of the table that @data holds. */
uint64_t pt_table_entry(const struct pt_config *cfg, const uint8_t *data, unsigned int index);

/**
 * pt_points_to_table() - is the @index-th entry of @data a table descriptor as builders write
 * it, the bits that hardware ignores there (11:2) zero? A page has its attributes in them.
 */
bool pt_points_to_table(const struct pt_config *cfg, const uint8_t *data, unsigned int index,
			uint64_t *table);

/**
 * pt_looks_like_table() - could @data, as many bytes as a granule has, be a table of @level?
 * At least one valid entry, and none that nobody writes: reserved encodings and bits, addresses
 * out of range or misaligned, leaves without AF, invalid entries that are not zero.
 * @is_ram: whether a table may lie there
 */
bool pt_looks_like_table(const struct pt_config *cfg, int level, const uint8_t *data,
			 bool (*is_ram)(void *ctx, uint64_t pa), void *ctx);

/** pt_index_bits() - log2 of the entries of a table at @level, concatenated roots as one. */
unsigned int pt_index_bits(const struct pt_config *cfg, int level);

/**
 * pt_contiguous_entries() - how many entries a contiguous group has at @level (D8.7.1):
 * 16 with 4 KiB granules, else 128 or 32; 0 where the bit means nothing.
 */
unsigned int pt_contiguous_entries(const struct pt_config *cfg, int level);

/**
 * pt_contiguous_check() - do all entries of the group that @step is in say the same?
 * @step: a leaf of @cfg's stage with the contiguous bit
 * @bad:  the index of the first that does not
 *
 * Return: 1: they agree (or the bit means nothing); 0: they do not; or what reading failed with.
 */
int pt_contiguous_check(const struct pt_config *cfg, const struct pt_reader *reader,
			const struct pt_step *step, unsigned int *bad);

/** pt_table_hier() - what a table descriptor takes away from all below it: enum pt_hier. */
unsigned int pt_table_hier(const struct pt_config *cfg, uint64_t desc);

/**
 * pt_leaf_attrs() - what a block or page of @cfg's stage is, E0PD included.
 * @hier: enum pt_hier of all tables on the way
 */
void pt_leaf_attrs(const struct pt_config *cfg, int level, uint64_t desc, unsigned int hier,
		   struct pt_attrs *a);

/** pt_combine_attrs() - what stage 1's @one and stage 2's @two make together (D8.6.6). */
void pt_combine_attrs(const struct pt_config *s2, const struct pt_attrs *one,
		      const struct pt_attrs *two, struct pt_attrs *out);

/**
 * pt_stage2_address() - @ipa to a physical address, for a read that the walker makes itself.
 * @s2: from pt_config_stage2()
 * Return: 0; -BATON_EFAULT.
 */
int pt_stage2_address(const struct pt_config *s2, const struct pt_reader *reader, uint64_t ipa,
		      uint64_t *pa);

/** pt_read_desc() - read the descriptor at @pa in the regime's byte order. */
int pt_read_desc(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t pa,
		 uint64_t *desc);

/* A leaf that pt_map() met. */
struct pt_mapping {
	uint64_t ia; /* first input address that the entry covers */
	uint64_t size;
	const struct pt_step *step;   /* PT_BLOCK or PT_PAGE */
	const struct pt_attrs *attrs; /* effective */
	uint64_t oa;		      /* an IPA where the regime is nested */
};

#endif
