/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is looked at before an instruction that switches translation, or leaves: under the
 * registers as they will be behind it.
 */
#ifndef BATON_HANDOFF_PREFLIGHT_H
#define BATON_HANDOFF_PREFLIGHT_H

#include "handoff/ahead.h"
#include "handoff/leave.h"

enum leap_kind {
	LEAP_MMU = 1,	 /* turns on the MMU of the level that runs */
	LEAP_SWITCH = 2, /* changes how that level translates; the MMU is on, now or then */
	LEAP_ERET = 4,	 /* to another level, in the loader */
	LEAP_OUT = 8,	 /* leaves the loader */
};

/* What a kernel asks of who starts it. */
enum contract { CONTRACT_NONE, CONTRACT_SEL4, CONTRACT_LINUX };

enum preflight_state {
	PREFLIGHT_NONE, /* there is nothing to say */
	PREFLIGHT_OK,
	PREFLIGHT_WARNING, /* bad for who counts on it */
	PREFLIGHT_WRONG,
	PREFLIGHT_UNKNOWN,
};

/** struct leap - such an instruction, and what will be behind it. Do not copy it. */
struct leap {
	struct handoff *h;
	const struct ahead *at; /* where, with its registers */
	unsigned int cpu, el;	/* who makes it */
	enum leap_kind kind;
	const struct watch *watch; /* the register that an msr writes, @value to it; or NULL */
	uint64_t value;
	/* behind it */
	unsigned int to;     /* level */
	uint64_t pc, pstate; /* pstate: as SPSR has it */
	bool target_known;   /* LEAP_ERET: both */
	struct tables now;   /* the regime of the level that makes it */
	struct tables then;  /* the one that pc is fetched in */
	bool decoded;	     /* else @why not, and none of the walks hold */
	struct buf why;
	struct pt_walk walk;  /* of pc */
	struct target target; /* LEAP_OUT */
	const char *unfit;    /* what is wrong with what is there; or NULL */
	enum contract contract;
	bool has_board;
	struct baton_image_board board;
	/* what a check says; the words are its own */
	enum preflight_state state;
	struct buf detail;
};

/** struct preflight_check - a row: for which leaps, and whether a run says it by itself. */
struct preflight_check {
	const char *name;
	unsigned int leaps; /* enum leap_kind */
	bool aloud;
	/* sets state, detail; 0, or a lost link, or that the user has moved on */
	int (*look)(struct leap *l, unsigned int n);
	unsigned int n;
};

/** preflight_checks - ends with a row without a name. */
extern const struct preflight_check preflight_checks[];

/* preflight.c */
/** leap_registers() - those of the CPU where it stands. */
int leap_registers(struct machine *m, unsigned int cpu, struct ahead *a);
/** leap_board() - what the image says of its board. */
int leap_board(struct leap *l);
/** leap_open() - with @kind, @to, @pc, @watch and @value set: the regimes, and where pc is. */
int leap_open(struct leap *l);
/** leap_check() - one row; state PREFLIGHT_NONE where it is not for such a leap. */
int leap_check(struct leap *l, const struct preflight_check *c);
void leap_free(struct leap *l);
enum leap_kind leap_of_write(const struct watch *w, uint64_t before, uint64_t value);
/** leap_register() - where a regime has that register; NULL: it is none of its own. */
uint64_t *leap_register(struct regime *r, enum watch_role role);
/** leap_name() - a register that is not watched, by its SYSREG(); NULL. */
const char *leap_name(uint16_t sysreg);
/** leap_say() - a check's verdict. */
void leap_say(struct leap *l, enum preflight_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** leap_sysreg() - a register as it will be there: "VBAR_EL1"; -BATON_EUNSUPPORTED: uncertain. */
int leap_sysreg(struct leap *l, const char *name, uint64_t *value);

/* preflight_tables.c */
int preflight_pc(struct leap *l, unsigned int n);
int preflight_memory(struct leap *l, unsigned int n);
int preflight_sp(struct leap *l, unsigned int n);
int preflight_vectors(struct leap *l, unsigned int n);
int preflight_uart(struct leap *l, unsigned int n);
/** preflight_lint() - @n: 0: the registers, 1: the tables, 2: the second stage. */
int preflight_lint(struct leap *l, unsigned int n);

/* contract.c */
enum contract contract_of(const struct leap *l);
const char *contract_name(enum contract c);
int contract_regions(struct leap *l, unsigned int n);
/** contract_task() - all of the task was copied; in contract_task.c. */
int contract_task(struct leap *l, unsigned int n);
int contract_level(struct leap *l, unsigned int n);
int contract_mmu(struct leap *l, unsigned int n);
/** contract_argument() - x@n. */
int contract_argument(struct leap *l, unsigned int n);
int contract_masks(struct leap *l, unsigned int n);
int contract_tpidr(struct leap *l, unsigned int n);
int contract_cntvoff(struct leap *l, unsigned int n);
/** contract_entered() - the CPU leaves: what others will be compared with is kept. */
int contract_entered(struct leap *l);
int contract_caches(struct leap *l, unsigned int n);

/* preflight.c, by itself in a run */
/** preflight_watch() - the register that an msr with that encoding writes at @el, or NULL. */
const struct watch *preflight_watch(struct machine *m, unsigned int cpu, unsigned int el,
				    uint16_t sysreg);
/**
 * preflight_write() - before an msr of @w, which is the level's own and holds @before: what is
 * wrong is in h->trouble then, what may be is said.
 */
int preflight_write(struct handoff *h, const struct visit *v, const struct watch *w,
		    uint64_t before, uint64_t value);
/**
 * leap_elsewhere() - the code that goes on, with its MMU on, is not mapped onto itself. That is
 * what repairs can bring about; another place is told alone.
 */
bool leap_elsewhere(struct leap *l);
/**
 * preflight_here() - the CPU stands before a leap: what is wrong with it is in h->trouble then.
 * @judged: it does, and all of it is known
 */
int preflight_here(struct handoff *h, unsigned int cpu, unsigned int el, bool *judged);
/** preflight_leave() - before the jump out of the loader: what may be wrong is said. */
int preflight_leave(struct handoff *h, const struct visit *v, const struct target *t);

#endif
