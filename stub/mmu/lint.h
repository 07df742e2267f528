/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a regime's registers and tables: what the architecture forbids, what
 * bring-up regrets, what is odd. Pure: memory, its map and what else is known of the
 * machine come from the caller, so that a stopped machine, a file and a test are alike.
 */
#ifndef BATON_MMU_LINT_H
#define BATON_MMU_LINT_H

#include "mmu/map.h"
#include "mmu/render.h"

enum lint_severity { LINT_ERROR, LINT_WARNING, LINT_NOTE, LINT_SEVERITIES };

/*
 * A rule, as data. In the texts {va}, {value}, {name}, ... stand for what a finding has:
 * lint_expand().
 */
struct lint_rule {
	const char *id;
	enum lint_severity severity;
	const char *section; /* of DDI 0487 */
	const char *what;    /* is so */
	const char *so;	     /* follows from it */
	const char *remedy;  /* what to type or to write */
};

#define LINT_REGISTER (-2) /* finding.level: no descriptor, but a register */
#define LINT_TABLE    (-3) /* a table as such: address and level of it are not an entry's */

/* One finding, or several one behind the other that only differ in their place. */
struct finding {
	enum lint_severity severity;
	const struct lint_rule *rule;
	uint64_t ia, size; /* input addresses; size 0: none in particular */
	int level;	   /* of the descriptor, or LINT_... */
	unsigned int index;
	uint64_t address, desc; /* of the first descriptor; LINT_TABLE: of the table */
	uint64_t value;		/* {value} */
	uint64_t fix;		/* {fix} */
	uint8_t mair, mair2;	/* {mair}, {mair2} in words */
	const char *name;	/* {name}; lives as long as the caller's input */
	const char *remedy;	/* instead of the rule's, or NULL */
	uint64_t count;
};

enum lint_memory { LINT_NOTHING, LINT_RAM, LINT_ROM, LINT_DEVICE, LINT_UNKNOWN };

/* Physical addresses, first to last. */
struct lint_span {
	uint64_t first, last;
	const char *name;
};

enum lint_place_kind { LINT_PC, LINT_SP, LINT_VBAR, LINT_ENTRY };

/* An address that has to be good for something. */
struct lint_place {
	enum lint_place_kind kind;
	const char *name;
	uint64_t va;
	uint64_t size; /* what a finding says of it: 4, 16, 128 */
	struct pt_access acc;
	bool identity; /* the MMU is off now: va has to translate to itself */
};

/**
 * struct lint_input - what to look at. Pointers may be NULL where nothing is known, and
 * then nothing is said.
 * @bulk:     tables; in a nested regime by their IPA
 * @memory:   what is at @pa, up to @last, and by which name. Of a nested regime nobody asks
 * @lost:     regions that the loader will copy over what is there now
 * @image:    the loader's image, which is searched for tables that nothing points to
 * @roots:    of other regimes: they count as pointed to
 * @serial:   devices one of which somebody wants to write to
 */
struct lint_input {
	const struct regime *regime;
	struct pt_bulk bulk;
	struct pt_reader reader;
	enum lint_memory (*memory)(void *ctx, uint64_t pa, uint64_t *last, const char **name);
	void *ctx;
	const struct lint_span *lost, *image, *serial;
	size_t lost_count, image_count, serial_count;
	const uint64_t *roots;
	size_t root_count;
	const struct lint_place *places;
	size_t place_count;
};

#define LINT_RULES_MAX 48

/* What was found of each rule, in the order of lint_rule(). */
struct lint_report {
	size_t keep;		      /* places to keep for each rule; the rest is counted */
	const struct lint_rule *only; /* or NULL: all */
	const char *options;	      /* what a remedy's command needs too: " -r s2"; or NULL */
	struct {
		struct finding *list;
		size_t count, size;
		uint64_t places, findings;
		struct finding last;
	} of[LINT_RULES_MAX];
	uint64_t total[LINT_SEVERITIES]; /* places */
	char words[2][160];		 /* what is not known of a half, and why */
};

#define LINT_KEEP     1024u
#define LINT_KEEP_ALL 65536u

/** lint_rule() - the @n-th rule, NULL behind the last. lint_rule_find() - by id. */
const struct lint_rule *lint_rule(unsigned int n);
const struct lint_rule *lint_rule_find(const char *id);

/**
 * lint_run() - look, and add what is found to @report (zeroed by the caller but for keep
 * and only; lint_free() in any case).
 *
 * Time is that of pt_map() and of sorting what it gives; memory is bounded.
 *
 * Return: 0, whatever was found; or what reading memory ended with.
 */
int lint_run(const struct lint_input *in, struct lint_report *report);
void lint_free(struct lint_report *report);

/** lint_expand() - @text with @f's values in it. */
void lint_expand(const char *text, const struct finding *f, struct buf *out);

/**
 * lint_say() - the report: errors first, then by address; @places of each rule (0: all
 * that were kept); the last line has the totals.
 */
void lint_say(const struct lint_report *report, size_t places, const struct pt_names *names,
	      struct buf *out);

/** lint_say_rules() - all rules, for people. */
void lint_say_rules(struct buf *out);

#endif
