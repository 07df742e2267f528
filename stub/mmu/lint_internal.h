/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the lint share; nobody else includes this. */
#ifndef BATON_MMU_LINT_INTERNAL_H
#define BATON_MMU_LINT_INTERNAL_H

#include "mmu/internal.h"
#include "mmu/lint.h"

/*
 * The rows of lint_rules.c. A new rule is a name here, a row there, a check (for one
 * descriptor a row of lint_desc.c's checks[]) and a test with tables that break it alone.
 */
enum lint_id {
	/* registers */
	RULE_UNKNOWN,
	RULE_TXSZ,
	RULE_GRANULE,
	RULE_PS_RESERVED,
	RULE_PS_ABOVE,
	RULE_SL0,
	RULE_ROOT_MISALIGNED,
	RULE_ROOT_BEYOND,
	RULE_FEATURE,
	RULE_SH_RESERVED,
	RULE_WALKS_UNCACHED,
	RULE_WALKS_UNSHARED,
	/* descriptors */
	RULE_LEVEL3,
	RULE_ENCODING,
	RULE_BEYOND_PS,
	RULE_MISALIGNED,
	RULE_MISALIGNED_TABLE,
	RULE_RESERVED,
	RULE_AP1,
	RULE_CONTIGUOUS,
	RULE_S2_IN_S1,
	RULE_S1_IN_S2,
	RULE_MEMATTR,
	RULE_MAIR,
	RULE_LEAF_SH,
	RULE_AF,
	RULE_WX,
	/* what they map */
	RULE_RAM_DEVICE,
	RULE_DEVICE_NORMAL,
	RULE_DEVICE_EXEC,
	RULE_NOTHING,
	RULE_ALIAS,
	RULE_ALIAS_SHARE,
	/* tables */
	RULE_TABLE_OUTSIDE,
	RULE_TABLE_DEVICE,
	RULE_TABLE_LOST,
	RULE_TABLE_EL0,
	RULE_TABLE_UNCACHED,
	RULE_TABLE_LOOP,
	RULE_ORPHAN,
	/* places */
	RULE_PC,
	RULE_PC_MOVES,
	RULE_SP,
	RULE_VBAR,
	RULE_ENTRY,
	RULE_UART,
	RULE_COUNT
};

_Static_assert(RULE_COUNT <= LINT_RULES_MAX, "LINT_RULES_MAX is too small");

extern const struct lint_rule lint_rules[RULE_COUNT];

/* A set of numbers but 0: open addressing, at most half full. */
struct lint_set {
	uint64_t *slot;
	size_t count, size;
};

/** lint_set_add() - false if it was there. */
bool lint_set_add(struct lint_set *s, uint64_t key);
bool lint_set_has(const struct lint_set *s, uint64_t key);

/* Mappings one behind the other that are alike in what is asked of them later. */
struct lint_run {
	uint64_t oa, ia, size;
	uint64_t address, desc; /* of the first leaf */
	unsigned int index;
	int level;
	uint8_t mair, share;
	bool el0_writes, uncached;
};

/* Beyond these nothing is said of aliases and of tables. */
#define LINT_RUNS_MAX	(1u << 19)
#define LINT_TABLES_MAX (1u << 20)

struct lint_table {
	uint64_t address, ia;
	size_t size;
	int level;
};

struct lint {
	const struct lint_input *in;
	struct lint_report *report;
	struct pt_config cfg[2];
	bool usable[2];
	const struct pt_config *now; /* the half that is gone through */
	struct lint_set seen;	     /* tables by address and level */
	struct lint_set reached;     /* tables by address */
	struct lint_table *tables;
	size_t table_count, table_size;
	struct lint_run *runs;
	size_t run_count, run_size;
	uint64_t *orphans; /* ascending */
	size_t orphan_count, orphan_size;
	uint8_t mair_bad; /* a bit for each byte of MAIR that is reserved */
	bool serial_reached;
	bool walks_cached[2];
};

void lint_add(struct lint *l, enum lint_id id, struct finding f);
/** lint_leaf_finding() - where @m is. */
struct finding lint_leaf_finding(const struct pt_mapping *m);
/**
 * lint_mend_type() - @f's value {fixnum}, and its remedy where it is not the rule's: the
 * AttrIndx or MemAttr that a device, or memory, should have.
 */
void lint_mend_type(const struct regime *r, bool device, struct finding *f);
/** lint_memory_at() - what is at @pa, up to @last; RAM for ever where nobody knows. */
enum lint_memory lint_memory_at(const struct lint *l, uint64_t pa, uint64_t *last,
				const char **name);

/** Each looks at one kind of thing. */
void lint_registers(struct lint *l);
void lint_table_entries(struct lint *l, uint64_t table, int level, uint64_t ia,
			const uint8_t *data);
void lint_leaf(struct lint *l, const struct pt_mapping *m);
void lint_table_place(struct lint *l, uint64_t table, int level, uint64_t ia);
void lint_aliases(struct lint *l);
void lint_tables_mapped(struct lint *l);
int lint_orphans(struct lint *l);
void lint_places(struct lint *l);

#endif
