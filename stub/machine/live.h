/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine behind QEMU's gdbstub. Only the proxy, which passes GDB's packets on,
 * may know that a machine is one of these.
 *
 * State of the stub that is shadowed here: the thread that `g`, `p` and `m` speak of
 * (Hg), physical mode (only ever on within one group of requests), the monitor's own
 * CPU (`cpu N`), which the user may have chosen.
 */
#ifndef BATON_LIVE_H
#define BATON_LIVE_H

#include "machine/fastram.h"
#include "machine/machine.h"
#include "machine/rsp.h"
#include "tdesc.h"

/* Lines of memory that were read since the machine last moved. */
#define LIVE_LINE  64u
#define LIVE_LINES 1024u
#define LIVE_PHYS  0xffffu /* the "CPU" of a physical address */

struct live_line {
	uint64_t addr, generation;
	unsigned int space; /* CPU number, or LIVE_PHYS */
	uint8_t data[LIVE_LINE];
};

/* What is behind one virtual page of a CPU: physical address, and what is there. */
struct live_page {
	uint64_t va, pa, generation;
	unsigned int cpu;
	int err; /* 0; -BATON_EFAULT: not mapped */
};
#define LIVE_PAGES 64u

struct live_reg {
	unsigned int cpu, regnum;
	uint64_t value;
	int err;
};

/* A breakpoint under KVM, as it was asked for and as it is. */
struct live_stop {
	enum break_type asked; /* SOFT or HARD */
	uint64_t addr;
	bool trap; /* a trap in memory, at @pa, where @saved was; else in hardware */
	uint64_t pa;
	uint8_t saved[4];
	bool copied; /* what is saved came there after the trap, itself as a trap */
};

/* The one live_phys_gather() that may still be under way. */
struct live_gather {
	struct live *l;
	const uint64_t *pa;
	size_t size, parts; /* of each piece: bytes, and packets that it takes */
	uint8_t *data;
	bool *ok;
	int err;
	unsigned int which[MACHINE_GATHER_MAX]; /* those that packets have to bring */
	unsigned int count, there;		/* how many; how many of them were asked for */
	struct rsp_pipeline flight;
};

/* Who else takes part while the machine runs. */
struct live_hooks {
	/* A packet that is no stop reply: console output (`O`), a file request (`F`). */
	void (*aside)(void *ctx, const struct buf *packet);
	/* Asked at each start: did the user interrupt before it ran? */
	bool (*interrupt_waits)(void *ctx);
	/* Asked after each stop: was it the user who interrupted? Clears the flag. */
	bool (*interrupted)(void *ctx);
	void *ctx;
};

struct live {
	struct machine m;
	struct rsp rsp;
	struct live_hooks hooks;
	struct tdesc tdesc;
	struct fastram fast; /* closed unless live_use_process() found a way */
	size_t chunk;	     /* bytes that one `m` may ask for */
	struct buf features; /* what qSupported answered */
	struct buf target;   /* QEMU's target.xml */
	char (*thread)[24];  /* thread ids by CPU: "p01.01" */
	bool by_user;	     /* an interrupt of the user's was there at the last stop */
	int hg;		     /* the CPU that QEMU has selected; -1: unknown */
	unsigned int hmp_cpu, hmp_user_cpu;
	struct buf *g; /* `g` by CPU, as hex; empty: not read since the machine moved */
	struct live_reg *regs;
	size_t reg_count, reg_cap;
	struct live_line *lines;
	struct live_page pages[LIVE_PAGES];
	struct live_gather gather;
	struct live_stop *stops; /* KVM's breakpoints */
	size_t stop_count;
	bool spare; /* what is set now is to have hardware that is free, or nothing */
	const struct tdesc_reg *core[CORE_COUNT]; /* once live_core() was asked */
	uint64_t foreseen; /* the pc at the last stop: the next one is likely near; or -1 */
};

/**
 * live_open() - connect to QEMU's stub at @addr, which stops the machine.
 * @err: on failure one line
 */
int live_open(struct live *l, struct loop *loop, const char *addr, struct buf *err);
/** live_use_process() - QEMU is process @pid (0: unknown): read its memory where that goes. */
int live_use_process(struct live *l, pid_t pid);
void live_close(struct live *l);

static inline struct live *live_of(struct machine *m)
{
	return m->priv;
}

/** live_select() - make @cpu the one that the next requests speak of. */
int live_select(struct live *l, unsigned int cpu);
/** live_cpu_of_thread() - "p1.2", "2", "p01.02" to a CPU number; -BATON_ENOTFOUND. */
int live_cpu_of_thread(const struct live *l, const char *thread);
/** live_shows() - QEMU has it, by that name or its own for it. */
bool live_shows(const struct live *l, const char *name);
/** live_g() - the answer to `g` for one CPU, remembered; *@g is valid until the next change. */
int live_g(struct live *l, unsigned int cpu, const struct buf **g);
/** live_core() - the core registers out of an answer to `g`; false: not all are there. */
bool live_core(struct live *l, const struct buf *g, uint64_t core[CORE_COUNT]);
/**
 * live_expedite() - append the core registers of @cpu as pairs of a stop reply, so that
 * GDB need not ask for them (GDB manual, E.3).
 */
void live_expedite(struct live *l, unsigned int cpu, struct buf *reply);
/**
 * live_stopped() - ask after a stop, in one flight, what GDB asks first: the registers of
 * @cpu, and where the page of its last pc leads. @tell is called as soon as the registers
 * are there, while the rest is under way; not at all if QEMU is lost before that.
 * live_foresee() - then read the code at the pc.
 */
void live_stopped(struct live *l, unsigned int cpu, void (*tell)(void *ctx), void *ctx);
void live_foresee(struct live *l, unsigned int cpu);
/** live_page_learn() - the monitor's answer to `gva2gpa @va`; NULL: not mapped. */
void live_page_learn(struct live *l, unsigned int cpu, uint64_t va, const char *answer);
/** live_forward() - a packet of GDB's as it is, for GDB's CPU; one answer. */
int live_forward(struct live *l, unsigned int cpu, const void *packet, size_t len,
		 struct buf *reply);
/**
 * live_run() - send a resume packet as it is and wait for the stop.
 * @timeout_ms: then interrupt it (STOP_TIMEOUT); -1: no limit
 */
int live_run(struct live *l, const void *packet, size_t len, int timeout_ms,
	     struct machine_stop *stop);
/**
 * live_reset_learn() - is the machine as a reset leaves it? Then a later one can be seen.
 * live_reset_watch() - a breakpoint for it while the machine runs; live_reset_seen() - at a
 * stop: says what has happened to m->was_reset. *@go_on: nobody else has asked for that stop
 */
int live_reset_learn(struct live *l);
int live_reset_watch(struct live *l, bool on);
int live_reset_seen(struct live *l, bool *go_on);
/** live_stop_parse() - read a T, S, W or X packet. */
void live_stop_parse(const struct live *l, const struct buf *packet, struct machine_stop *stop);
/** live_start() - let the machine run with nobody waiting; live_halt() - end that. */
int live_start(struct live *l);
int live_halt(struct live *l, struct machine_stop *stop);
/** live_unattended() - a packet that came while it runs so: a stop, console output, a request. */
int live_unattended(struct live *l, const struct buf *packet);

/**
 * live_hmp_as() - a monitor command for whatever CPU the monitor speaks of now;
 * live_hmp_cpu() makes that @cpu. live_hmp() first puts back the one the user chose.
 */
int live_hmp_as(struct live *l, const char *command, struct buf *out);
int live_hmp_cpu(struct live *l, unsigned int cpu);

/** live_where() - the physical address of a CPU's @va, by QEMU's own translation. */
int live_where(struct live *l, unsigned int cpu, uint64_t va, uint64_t *pa);
/** live_hide_traps() - put what the guest had there over the traps in what was just read at @pa. */
void live_hide_traps(const struct live *l, uint64_t pa, uint8_t *data, size_t len);

/* The operations, by file. */
int live_regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n);
int live_reg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value);
int live_phys_read(struct machine *m, uint64_t pa, void *data, size_t len);
int live_phys_gather(struct machine *m, const uint64_t *pa, unsigned int n, size_t size,
		     uint8_t *data, bool *ok);
int live_phys_gathered(struct machine *m, unsigned int i);
int live_phys_write(struct machine *m, uint64_t pa, const void *data, size_t len);
int live_virt_read(struct machine *m, unsigned int cpu, uint64_t va, void *data, size_t len);
int live_virt_write(struct machine *m, unsigned int cpu, uint64_t va, const void *data, size_t len);
int live_step(struct machine *m, unsigned int cpu, int timeout_ms, struct machine_stop *stop);
int live_resume(struct machine *m, int timeout_ms, struct machine_stop *stop);
int live_look_step(struct machine *m, unsigned int cpu, uint64_t core[CORE_COUNT]);
int live_hmp(struct machine *m, const char *command, struct buf *out);
int live_stop_point(struct machine *m, bool insert, enum break_type type, uint64_t addr,
		    unsigned int kind);
bool live_trap(struct machine *m, size_t i, struct machine_trap *out);
int live_trap_copied(struct machine *m, size_t i, uint64_t pa);

#endif
