/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the handoff share. */
#ifndef BATON_HANDOFF_INTERNAL_H
#define BATON_HANDOFF_INTERNAL_H

#include "handoff/image.h"
#include "handoff/repair.h"
#include "handoff/run.h"
#include "machine/tables.h"

enum event_kind {
	EVENT_NOTE,
	EVENT_START,
	EVENT_SYSREG, /* @name: @before to @after */
	EVENT_ERET,   /* @before, @after: exception levels */
	EVENT_CALL,   /* smc, hvc; @before: function, @after: result */
	EVENT_MOVED,  /* the loader goes on in a copy of itself: @before to @after */
	EVENT_COPIED, /* a region of the image, verified: @before: address, @after: size */
	EVENT_LEFT,   /* @after: where to */
	EVENT_FAULT,
	EVENT_EXCEPTION, /* taken, and served; @before, @after: exception levels */
	EVENT_USER,	 /* the first instruction at EL0: @after */
	EVENT_TLBI,	 /* @before: its operand */
	EVENT_CACHE,	 /* ic, dc; @before: the operand, @after: where its loop ends, or 0 */
	EVENT_WARNING,
};

/** struct event - one line of the timeline. */
struct event {
	enum event_kind kind;
	unsigned int cpu, el;
	uint64_t pc, before, after;
	bool no_before, no_after; /* could not be read, or there is none */
	const char *name;	  /* a register, a firmware call; static, or NULL */
	char *text;		  /* for people */
	char *fields;		  /* what a register's write changes: fields_changed(); or NULL */
};

enum trouble_kind {
	TROUBLE_NONE,
	TROUBLE_JUMP,  /* the next instruction leaves, and its target is no good */
	TROUBLE_MMU,   /* the next instruction switches to an MMU that does not map the code */
	TROUBLE_FETCH, /* the next instruction cannot be fetched */
	TROUBLE_FAULT, /* an exception was taken */
	TROUBLE_OTHER, /* @what says it all */
};

/** struct trouble - what is wrong, as it was when it was seen. */
struct trouble {
	enum trouble_kind kind;
	unsigned int cpu;
	unsigned int el; /* of the code; FAULT: the level that took the exception */
	uint64_t pc;
	uint64_t resets;
	uint32_t word; /* JUMP, MMU: the instruction at pc */
	struct insn insn;
	/* the access that fails */
	bool walked; /* regime, va, acc and walk hold */
	struct regime regime;
	uint64_t va;
	struct pt_access acc;
	struct pt_walk walk;
	char what[160]; /* what is wrong where the walk alone does not say it; or why no walk */
	/* FAULT */
	bool whole; /* nothing of the handler has run */
	uint64_t esr, elr, far, spsr;
	bool far_valid;
	unsigned int vector; /* offset from VBAR */
	bool again;	     /* a repair was applied and it is back */
	bool misplaced;	     /* the tables lead to where the image is not */
	bool nowhere;	     /* the address is no memory's and no device's */
	bool by_sp;	     /* FAULT: the access was through the stack pointer */
	bool nested;	     /* FAULT: the handler runs the code that faulted, too */
	/* FAULT: nothing can run at its vector */
	const char *vbar_wrong;
	uint64_t vbar;
	struct repair vbar_meant; /* a hint: where the right ones are; new 0: not known */
	struct repairs repairs;
};

/** struct hold - the jump that `until jump` stands before. */
struct hold {
	bool used;
	unsigned int cpu;
	uint64_t pc;
	uint32_t word;
	uint64_t target;
};

/* Is there anybody left who could go on? */
enum halted { HALTED_NOT, HALTED, HALTED_OR_OFF };

#define HANDOFF_VECTORS 16
/** struct vectors - where some VBAR points or pointed. */
struct vectors {
	uint64_t base;
	unsigned int hits[3]; /* of each entry that is watched */
	bool lifted[3];
};

/** struct stale - other tables with the MMU on, and no tlbi since. */
struct stale {
	bool used;
	unsigned int cpu;
	uint64_t pc;
	const char *name;
	struct regime regime; /* the old one */
};

/** struct mmu_on - where the MMU was turned on last; @link: x30 there. */
struct mmu_on {
	bool used;
	unsigned int cpu, el;
	uint64_t pc, link;
};

/** struct stack_was - a replay saw a function come back with another sp than it was called with. */
struct stack_was {
	bool used;
	unsigned int cpu;
	uint64_t link; /* where it came back to */
	uint64_t right, wrong;
};

#define CACHE_RANGES 16
/** struct cache_range - an ic or dc by address, over [first, end); regions that were in place. */
struct cache_range {
	uint64_t first, end;
	uint32_t regions;
	bool ic;
};

/** struct caches - what was done for regions of the image, a bit each. */
struct caches {
	struct cache_range range[CACHE_RANGES];
	size_t ranges;
	/* from there on, x30 being link, nothing that rests is known to have been executed */
	unsigned int cpu;
	uint64_t from, link;
	uint32_t ic, dc;	   /* done, or it may be, since they were in place */
	uint32_t before;	   /* in place when the caches came on, or went off */
	uint32_t cached;	   /* copied while they were on */
	bool on;		   /* they are, and came on in sight */
	bool ic_unseen, dc_unseen; /* they are not watched any more */
};

#define HANDOFF_CPUS 64 /* of more nothing is compared */
/** struct entered - what a CPU had when it left the loader. */
struct entered {
	bool tpidr_known, cntvoff_known;
	uint64_t tpidr, cntvoff;
};

/** struct link_was - a replay saw a `ret` go astray, with sp as it was at the call. */
struct link_was {
	bool used;
	unsigned int cpu;
	uint64_t ret, function;
	uint64_t right, wrong; /* x30 */
};

/** struct asked - PSCI was called in a way that nobody serves here, and a handler went on. */
struct asked {
	bool used;
	uint64_t pc, resets;
	uint32_t word;
};

/** struct served - the last exception of a CPU that was dealt with; its registers still show it. */
struct served {
	bool used, fixed; /* fixed: by `fix`, not by a handler that returned */
	bool met;	  /* `why` has just passed over it */
	unsigned int cpu, el;
	uint64_t esr, elr, resets;
};

#define KERNEL_SPANS 256
#define KERNEL_SLOTS 16 /* more no CPU has: ID_AA64DFR0_EL1.BRPs is four bits */

/** struct kernel - behind the loader. */
struct kernel {
	bool entered, user;			   /* user: EL0 was */
	bool called;				   /* it has called the firmware */
	enum { THIN_NOT, THIN, THIN_ALL } thinned; /* are sites lifted; calls, too */
	uint64_t loader_vbar[4], around[4];
	unsigned int returns[4][4];	     /* from a level to one */
	struct scan_span span[KERNEL_SPANS]; /* searched; virtual */
	size_t span_count;
	unsigned int shown[64]; /* exceptions, by class */
	uint64_t last_elr, last_esr;
	unsigned int last_cpu, repeats;
	uint64_t slot[KERNEL_SLOTS]; /* KVM: what has a breakpoint */
	size_t slot_count, slot_room;
	bool slots_said, loader_left;
	bool flat; /* a CPU runs where virtual is physical */
};

#define HANDOFF_LIFT 64 /* harmless hits, after which a site is not stopped at any more */

struct handoff {
	struct context *ctx;
	struct sink *sink; /* during a run */
	struct scan scan;
	struct image image;
	struct event *events;
	size_t event_count;
	struct vectors vectors[HANDOFF_VECTORS];
	size_t vector_count;
	struct kernel kernel;
	struct stale stale;
	struct mmu_on mmu_on;
	struct served served;
	struct stack_was stack_was;
	struct link_was link_was;
	struct asked asked;
	struct entered entered[HANDOFF_CPUS];
	struct caches caches;
	bool resting; /* some site rests */
	bool blind;   /* a tlbi is not watched any more */
	struct trouble trouble;
	/* an exception whose handler may yet return, and how often it was given the chance */
	struct trouble pending;
	unsigned int chances;
	struct trace *trace;   /* NULL until the first */
	struct replay *replay; /* NULL but during one */
	bool started, armed, left;
	bool unchecked;	 /* and by a jump that was not judged */
	bool complained; /* that a stop could not be planted */
	unsigned int boot_cpu;
	struct handoff_goal goal;
	size_t reached; /* the event that the goal is, counted from 1; 0: not yet */
	struct hold hold;
	const char *conduit; /* conduit_of() at the start, or NULL */
	enum halted halted;  /* how the last run ended */
	int silent_ms;	     /* without an event beyond silent_events */
	size_t silent_events;
	uint64_t resets;
	/* the last repair, to know the same fault when it comes back */
	bool fixed;
	uint64_t fixed_va, fixed_address, fixed_value;
	char fixed_reg[16]; /* that one instead of fixed_address */
	unsigned int fixed_cpu;
};

/* What handling a stop decides; errors are negative. */
enum verdict {
	GO,	 /* the CPU is past it */
	DONE,	 /* it left */
	FOUND,	 /* something is wrong: h->trouble */
	REACHED, /* h->goal */
};

/** struct visit - a CPU at a site. */
struct visit {
	unsigned int cpu, el;
	uint64_t pc;
	struct scan_site site;
	bool quiet; /* shown often enough */
};

static inline struct machine *machine_of(const struct handoff *h)
{
	return h->ctx->machine;
}

/* event.c */
void event_add(struct handoff *h, const struct event *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void event_render(const struct handoff *h, const struct event *e, struct buf *out);
void event_clear(struct handoff *h);
void handoff_say(struct handoff *h, const struct buf *text);
/** say_symbol() - append "name+0x10" between @before and @after, or nothing. */
void say_symbol(const struct context *ctx, uint64_t addr, const char *before, const char *after,
		struct buf *out);

/* until.c */
/** goal_met() - is the newest event, @e, what the run is to end after? */
bool goal_met(const struct handoff *h, const struct event *e);

/* code.c */
int code_start(struct handoff *h);
/** code_where() - the physical address of a CPU's pc, or the pc where that is not known. */
int code_where(struct machine *m, unsigned int cpu, uint64_t *pa);
/** code_follow() - scan from @va; @t: how it is translated, NULL: as that CPU sees it now. */
int code_follow(struct handoff *h, unsigned int cpu, struct tables *t, uint64_t va,
		enum scan_link link);
/** code_follow_anew() - the same where code was copied: what it overwrote is forgotten. */
int code_follow_anew(struct handoff *h, unsigned int cpu, struct tables *t, uint64_t va);
/** code_is_known() - that CPU will find the code there that is known, and no other by now. */
bool code_is_known(struct handoff *h, unsigned int cpu, uint64_t va);
/** code_follow_flat() - the same where @va is a physical address. */
int code_follow_flat(struct handoff *h, uint64_t pa, enum scan_link link);
/** code_returns() - an eret is reached from @va, in the image, by direct branches. */
bool code_returns(struct handoff *h, unsigned int cpu, uint64_t va);
int code_plant(struct handoff *h);
/** code_is_entry() - where the header says that the kernel begins. */
bool code_is_entry(const struct handoff *h, uint64_t va);
int code_plant_vectors(struct handoff *h);
/** code_plant_at() - a stop, whether or not anything is known to be there. */
int code_plant_at(struct handoff *h, uint64_t pc);
int code_unplant(struct handoff *h, uint64_t pc);
int code_lift(struct handoff *h, struct scan_site *s);
int vectors_add(struct handoff *h, uint64_t base);
/** vectors_change() - before a write of VBAR_ELn. */
int vectors_change(struct handoff *h, unsigned int el, uint64_t base);
/** vectors_entry() - the address of the @i-th of struct vectors' entries. */
uint64_t vectors_entry(const struct vectors *v, size_t i);
/** vector_at() - the offset if @cpu stands on an entry of its level's vectors; else -1. */
int vector_at(struct handoff *h, unsigned int cpu, uint64_t pc);
/** reg_of() - "ESR", 1: ESR_EL1 of that CPU. */
int reg_of(struct machine *m, unsigned int cpu, const char *name, unsigned int el, uint64_t *value);
int reg_x(struct machine *m, unsigned int cpu, unsigned int n, uint64_t *value);

/* fix.c */
/** served_note() - what ESR and ELR of that level show is over: its handler returns, or @fixed. */
void served_note(struct handoff *h, unsigned int cpu, unsigned int el, bool fixed);

/* site.c, leave.c */
int site_visit(struct handoff *h, struct visit *v);
int leave_visit(struct handoff *h, struct visit *v, uint64_t target, unsigned int el);

/** vectors_hit() - count a stop at this entry of vectors. vectors_lift() - none any more. */
unsigned int vectors_hit(struct handoff *h, uint64_t pc);
int vectors_lift(struct handoff *h, uint64_t pc);

/* barrier.c: what is missing is said as a warning. */
/** barrier_mmu_on() - before a write that turns on the MMU of the CPU's level. */
int barrier_mmu_on(struct handoff *h, const struct visit *v);
/** barrier_ttbr() - before a write of a TTBR; barrier_jump() - before the jump that leaves. */
int barrier_ttbr(struct handoff *h, const struct visit *v, const struct event *e);
void barrier_jump(struct handoff *h, const struct visit *v, uint64_t va, uint64_t pa);
struct path;
/** barrier_way() - path_follow() through what that CPU sees. */
void barrier_way(struct handoff *h, unsigned int cpu, uint64_t from, uint64_t link, uint64_t until,
		 bool through, struct path *out);

/* cache.c */
int visit_maintenance(struct handoff *h, struct visit *v);
/** maintenance_again() - another site was stopped at: loops may begin anew. */
int maintenance_again(struct handoff *h);

/* loop.c */
/** loop_resume() - halted_resume(), with few stops where the CPUs are in long loops. */
int loop_resume(struct handoff *h, int silence_ms);

/* coherent.c */
/**
 * coherent_op() - an ic or dc is executed.
 * @first, @end: by address; @end 0: all, or it is not known how far
 * @next: where it goes on, behind the loop that it is in; 0: not known
 * @lifted: for the last time in sight
 */
int coherent_op(struct handoff *h, const struct visit *v, uint64_t first, uint64_t end,
		uint64_t next, bool lifted);
/** coherent_rested() - a stop: those that rest may have been executed before it. */
int coherent_rested(struct handoff *h);
/** coherent_sctlr() - before a write to SCTLR of the CPU's level. */
int coherent_sctlr(struct handoff *h, const struct visit *v, uint64_t before, uint64_t after);

/* kernel.c */
int kernel_enter(struct handoff *h);
/** kernel_follow_flat() - a CPU will start at physical @pa with its MMU off. */
int kernel_follow_flat(struct handoff *h, uint64_t pa);
int kernel_visit(struct handoff *h, struct visit *v);
/** kernel_owns_vectors() - that level's VBAR is no longer what the loader left. */
bool kernel_owns_vectors(struct handoff *h, unsigned int cpu, unsigned int el);
/** kernel_exception() - told; *@serve: its handler may go on. */
int kernel_exception(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc, int vector,
		     bool *serve);
int kernel_tick(struct handoff *h);
int kernel_silence(struct handoff *h, struct buf *out);

/* halted.c */
/**
 * halted_resume() - machine_resume(), but a silence in which no CPU is left that could end it
 * is a short one: h->halted, with the machine's last stop a timeout as ever.
 */
int halted_resume(struct handoff *h, int silence_ms);
void halted_say(const struct handoff *h, int silence_ms, struct buf *out);

/* slots.c: behind the jump under KVM, the kernel's stops */
bool slots_rule(const struct handoff *h);
/** slots_own() - a site, an entry of vectors, that only slots_plan() plants. */
bool slots_own(const struct handoff *h, const struct scan_site *s);
bool slots_own_vectors(const struct handoff *h, uint64_t base);
bool slots_has(const struct handoff *h, uint64_t pc);
/** slots_idle() - a site of code that runs with the MMU off, as no CPU does now. */
bool slots_idle(struct handoff *h, const struct scan_site *s);
/** slots_enter() - a run goes on in the kernel: what only the loader needed is free. */
int slots_enter(struct handoff *h);
/** slots_plan() - the breakpoints that there are to what is most wanted now. */
int slots_plan(struct handoff *h);
/** slots_silence() - a line about what was not watched, or nothing. */
int slots_silence(struct handoff *h, struct buf *out);

/* copied.c */
/**
 * copied_word() - the word at physical @to, in a copy of what was at @from: where it is a stop
 * of ours that was copied (KVM), what it stands for. False: cannot be read.
 */
bool copied_word(const struct handoff *h, uint64_t from, uint64_t to, uint32_t *word);
/**
 * copied_from() - are the @n words at @to, some of which are such stops, a copy of code that is
 * known, or of the image's? *@from: of what.
 */
bool copied_from(const struct handoff *h, uint64_t to, const uint32_t *words, unsigned int n,
		 uint64_t *from);
/** copied_clean() - put what they stand for over those in the copy of all that @from is in. */
int copied_clean(struct handoff *h, unsigned int cpu, uint64_t from, uint64_t to);

/* unseen.c */
/** code_all_moved() - is the known code also there where it would be, had @from gone to @to? */
bool code_all_moved(struct handoff *h, uint64_t from, uint64_t to);
int unseen_way(struct handoff *h, bool *moved);
/* run.c */
int step_over(struct handoff *h, const struct visit *v);

/* trouble.c */
int trouble_jump(struct handoff *h, enum trouble_kind kind, const struct visit *v, struct tables *t,
		 uint64_t target, const struct pt_access *acc, const struct pt_walk *walk,
		 const char *what);
int trouble_fault(struct handoff *h, unsigned int cpu, unsigned int el, int vector);
int trouble_repairs(struct handoff *h, struct trouble *t);
/** trouble_memory() - words for code that is mapped as a device; NULL if it is not. */
const char *trouble_memory(const struct pt_walk *walk);
/** trouble_in_handler() - the code that faulted is reached from the vector by direct branches. */
bool trouble_in_handler(struct handoff *h, const struct trouble *t);
bool trouble_holds(struct handoff *h, unsigned int cpu);
void trouble_other(struct handoff *h, unsigned int cpu, unsigned int el, uint64_t pc,
		   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* target.c */
/** target_find() - the jump is wrong, not the tables: the kernel is mapped elsewhere. */
int target_find(struct handoff *h, struct trouble *t, const struct repair_query *q);
/** conduit_of() - "smc", "hvc": PSCI's, by the machine's device tree where it is still there. */
const char *conduit_of(struct handoff *h);
/** conduit_find() - an smc or hvc that nobody serves, where the other one is. */
int conduit_find(struct handoff *h, struct trouble *t);
/** conduit_ask() - a call of PSCI ended in a vector, whose handler may go on. */
void conduit_ask(struct handoff *h, const struct visit *v);
/** conduit_asked() - was there one, and was it not served? That is the trouble then. */
bool conduit_asked(struct handoff *h, struct trouble *t);

/* resume.c */
/** resume_find() - a patch has put right what it was: then the repair is to go back. */
void resume_find(struct handoff *h, struct trouble *t);
/** resume_back() - to the instruction that faulted, or to the one @before bytes in front of ELR. */
int resume_back(struct handoff *h, unsigned int cpu, unsigned int before, struct buf *out);
/** resume_others() - one repair serves all: who stands in the same vector for the same reason. */
int resume_others(struct handoff *h, const struct trouble *t, struct buf *out);

/* stack.c */
/** stack_is_meant() - it was sp that the access went through. */
bool stack_is_meant(const struct trouble *t);
/** stack_find() - what sp was to be there, as a repair. */
int stack_find(struct handoff *h, struct trouble *t);
/** stack_say_source() - which instruction gave sp its value, a line; or nothing. */
void stack_say_source(struct handoff *h, const struct trouble *t, struct buf *out);

/* vbar.c */
/** vbar_find() - the vector that was taken cannot run: t->vbar_wrong, and what was meant. */
int vbar_find(struct handoff *h, struct trouble *t);
/** vbar_is_table() - 2 KiB that are vectors, all 16 of them. */
bool vbar_is_table(const uint8_t *raw);

/* cause.c */
void cause_say(struct handoff *h, const struct trouble *t, struct buf *out);
/** cause_say_link() - where the x30 of the `ret` at @pc comes from, a line; or nothing. */
void cause_say_link(struct handoff *h, uint64_t pc, struct buf *out);
/** cause_say_return() - a `ret` to nowhere: where its x30 comes from. */
void cause_say_return(struct handoff *h, const struct trouble *t, struct buf *out);
/** say_word_at() - the instruction at @va as that CPU sees it; nothing if it cannot be read. */
void say_word_at(struct handoff *h, unsigned int cpu, uint64_t va, uint32_t *word, bool *known,
		 struct buf *out);

/* explain.c */
void explain_trouble(struct handoff *h, const struct trouble *t, struct buf *out);
void explain_repairs(struct handoff *h, const struct trouble *t, struct buf *out);
/* cpus.c */
int explain_cpus(struct handoff *h, struct buf *out);

/* power.c */
/** power_unseen() - that CPU is not the one that started, and is in no event. */
bool power_unseen(const struct handoff *h, unsigned int cpu);
/** power_say() - why others have not come, as far as firmware's calls say; or nothing. */
void power_say(const struct handoff *h, struct buf *out);

/** repair_command() - "pt-set 0x... L0 0x7000b003". */
void repair_command(const struct trouble *t, const struct repair *r, struct buf *out);
/** repair_why() - what speaks for it, one line without its end. */
void repair_why(struct handoff *h, const struct trouble *t, const struct repair *r,
		struct buf *out);

#endif
