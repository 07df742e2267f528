/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a stopped machine offers. Commands, table walks and the handoff speak to
 * this, never to packets; machine/live.c makes it from a QEMU behind its gdbstub.
 *
 * Everything here is synchronous and may fail. Functions return 0 or a negative
 * BATON_E number and leave words in m->error (machine_fail()) where they know more
 * than the number says. -BATON_ELINK means that the session is over.
 *
 * All that was read is remembered until machine_changed() - which everything calls
 * that runs the machine or writes to it - so asking twice costs nothing.
 */
#ifndef BATON_MACHINE_H
#define BATON_MACHINE_H

#include "buf.h"
#include "error.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct symbols;

enum accel { ACCEL_UNKNOWN, ACCEL_TCG, ACCEL_KVM };

/** struct machine_reg - one register to read: @name in, @value and @err out. */
struct machine_reg {
	const char *name;
	uint64_t value;
	int err; /* -BATON_ENOTFOUND: this CPU has none of that name */
};

enum ram_kind { RAM_RAM, RAM_ROM, RAM_IO };

/** struct ram_range - a range of physical addresses, first to last. */
struct ram_range {
	uint64_t first, last;
	enum ram_kind kind;
	char name[48]; /* QEMU's name of what is there */
};

/** struct rom - something that QEMU laid into memory at reset (HMP `info roms`). */
struct rom {
	uint64_t addr, size;
	char name[128];
};

/*
 * Who wants a breakpoint: one stays in the machine while anybody does. Where they are few, an
 * earlier owner's takes the place of a later one's.
 */
enum break_owner {
	BREAK_GDB,
	BREAK_HANDOFF,
	BREAK_COMMAND,
	BREAK_RESET,
	BREAK_ALIAS, /* of GDB's: proxy/alias.h */
	BREAK_OWNERS
};

/* The types of Z packets (GDB manual, E.2). */
enum break_type { BREAK_SOFT, BREAK_HARD, WATCH_WRITE, WATCH_READ, WATCH_ACCESS };

struct machine_break {
	enum break_type type;
	uint64_t addr;
	unsigned int kind, owners; /* bit per enum break_owner */
	bool out;		   /* wanted, and not in the machine: machine_break_retry() */
	bool was;		   /* it has been in the machine */
	bool said;		   /* that it is out was said */
};

enum stop_kind {
	STOP_NONE,    /* never stopped since it was started */
	STOP_SIGNAL,  /* the machine stopped: @signal, @cpu (5, SIGTRAP: a breakpoint or a step) */
	STOP_TIMEOUT, /* interrupted by us, since the time was over */
	STOP_INTERRUPT, /* interrupted for the user (Ctrl-C, SIGINT) */
	STOP_EXITED,	/* the guest or QEMU is gone: every later call fails */
};

/** struct machine_stop - why the machine stands still. */
struct machine_stop {
	enum stop_kind kind;
	int signal;
	unsigned int cpu;
	struct buf packet; /* the stop reply as QEMU sent it, for GDB; may be empty */
};

/** struct machine_trap - a breakpoint that is an instruction in memory. */
struct machine_trap {
	uint64_t pa;
	uint32_t word; /* what was there, and what reads show */
};

/* The core registers by number, as GDB has them (org.gnu.gdb.aarch64.core): x0 to x30, ... */
enum { CORE_SP = 31, CORE_PC, CORE_CPSR, CORE_COUNT };
extern const char *const machine_core_names[CORE_COUNT];

struct machine_ops {
	/* registers of one CPU; -BATON_ENOTFOUND in @err for what it does not have */
	int (*regs_read)(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n);
	int (*reg_write)(struct machine *m, unsigned int cpu, const char *name, uint64_t value);
	/* memory: physical, and as CPU @cpu sees it now */
	int (*phys_read)(struct machine *m, uint64_t pa, void *data, size_t len);
	int (*phys_write)(struct machine *m, uint64_t pa, const void *data, size_t len);
	int (*phys_gather)(struct machine *m, const uint64_t *pa, unsigned int n, size_t size,
			   uint8_t *data, bool *ok);
	int (*phys_gathered)(struct machine *m, unsigned int i);
	void (*memory_way)(struct machine *m, struct buf *out);
	int (*virt_read)(struct machine *m, unsigned int cpu, uint64_t va, void *data, size_t len);
	int (*virt_write)(struct machine *m, unsigned int cpu, uint64_t va, const void *data,
			  size_t len);
	int (*where)(struct machine *m, unsigned int cpu, uint64_t va, uint64_t *pa);
	/* run control: step moves that CPU alone, resume moves all; both wait for the stop */
	int (*step)(struct machine *m, unsigned int cpu, int timeout_ms, struct machine_stop *stop);
	int (*resume)(struct machine *m, int timeout_ms, struct machine_stop *stop);
	/* the core registers, and a step from there, in one exchange; may be NULL */
	int (*look_step)(struct machine *m, unsigned int cpu, uint64_t core[CORE_COUNT]);
	/* breakpoints and watchpoints, without counting */
	int (*stop_point)(struct machine *m, bool insert, enum break_type type, uint64_t addr,
			  unsigned int kind);
	/* KVM's breakpoints that are instructions in memory: the @i-th; where a copy of it lies */
	bool (*trap)(struct machine *m, size_t i, struct machine_trap *out);
	int (*trap_copied)(struct machine *m, size_t i, uint64_t pa);
	/* what was laid into memory, where QEMU's monitor is not there to ask; may be NULL */
	int (*roms)(struct machine *m, struct rom **roms, size_t *n);
	/* QEMU's own monitor; appends what it prints */
	int (*hmp)(struct machine *m, const char *command, struct buf *out);
	/* reads that were remembered are no longer true */
	void (*changed)(struct machine *m);
};

struct machine {
	const struct machine_ops *ops;
	void *priv;
	enum accel accel;
	unsigned int cpus; /* 1 or more */
	unsigned int cpu;  /* the one that commands speak of: that of the last stop, or GDB's */
	struct ram_range *ram;
	size_t ram_count;
	struct ram_range *secure; /* what Secure state alone sees, and @ram does not have */
	size_t secure_count;
	bool ram_partial; /* there may be more: a file that does not say what its board has */
	struct machine_break *breaks;
	size_t break_count;
	struct buf notice; /* lines for people that nobody asked for: who speaks next says them */
	struct machine_stop last_stop;
	uint64_t generation; /* counts machine_changed(): what was derived from less is stale */
	uint64_t resets;     /* counts resets seen (system_reset, or the guest's own) */
	bool reset_known;    /* was the machine found as a reset leaves it? */
	uint64_t reset_pc;   /* then where CPU 0 was */
	/* Does anybody have to know of a reset, and tell them; may be NULL. */
	bool (*wants_reset)(void *ctx);
	void (*was_reset)(void *ctx);
	void *reset_ctx;
	char process[48]; /* QEMU's, where it is proved: boot, pid, start; or "" */
	bool file;	  /* of machine/image.h: it never runs and is never changed */
	bool allow_mmio;  /* the user insists on reading devices */
	/* Told what is put in for a moment, before it is; NULL: all is back (machine/moment.h). */
	int (*moment)(void *ctx, const char *line); /* may be NULL */
	void *moment_ctx;
	unsigned int moments;	     /* under way, one within another */
	bool (*canceled)(void *ctx); /* the user has moved on; may be NULL */
	void *canceled_ctx;
	char error[256]; /* words for the last failure, "" if the number says it all */
};

/** machine_fail() - keep words for a failure; returns @err, for `return machine_fail(...)`. */
int machine_fail(struct machine *m, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** machine_error() - the words for @err: those kept, or the number's own. */
const char *machine_error(const struct machine *m, int err);

/**
 * machine_regs_read() - several registers in one exchange. Names are the Arm ARM's
 * (TTBR1_EL1, SCTLR_EL1) or GDB's (x0, sp, pc, cpsr, lr); case does not matter.
 *
 * Return: 0 even if some have @err set; else what made all fail.
 */
int machine_regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n);
/**
 * machine_reg_read() - one register. -BATON_ENOTFOUND: this CPU has none of that name. One
 * named S3_0_C2_C0_1 is read by the CPU itself (machine/inject.h).
 */
int machine_reg_read(struct machine *m, unsigned int cpu, const char *name, uint64_t *value);
/**
 * machine_reg_write() - write and read back. x0-x30, sp, pc and cpsr as they are; a system
 * register, to which QEMU's stub says OK and changes nothing, by an executed msr
 * (machine/inject.h). -BATON_EVERIFY: it does not hold the value.
 */
int machine_reg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value);
/** machine_el() - the exception level from cpsr, 0 to 3, or a negative BATON_E. */
int machine_el(struct machine *m, unsigned int cpu);

/**
 * machine_phys_read() - physical memory. Secure memory is read where m->cpu is at EL3 and has it
 * at that very address: QEMU's stub has no other way. Only RAM and ROM: anything else is
 * -BATON_ERANGE and not touched (reading a device may have side effects, and can
 * crash QEMU), unless m->allow_mmio.
 * machine_phys_write() - RAM only; read back, -BATON_EVERIFY if it differs.
 */
int machine_phys_read(struct machine *m, uint64_t pa, void *data, size_t len);
int machine_phys_write(struct machine *m, uint64_t pa, const void *data, size_t len);
/**
 * machine_phys_gather() - ask for @n pieces of @size bytes each, from @pa[i] to
 * @data + i * @size; at most MACHINE_GATHER_MAX. They, and ok[i], which is false for what
 * is not RAM or ROM or could not be read, are there once machine_phys_gathered() has
 * returned for the @i-th or a later one (UINT_MAX: for all): until then all four stay in
 * use, whatever else is asked of the machine. The next gather finishes the one before.
 * Return: 0; -BATON_ECANCELED: the user has moved on; or what made all fail.
 */
#define MACHINE_GATHER_MAX 256u
int machine_phys_gather(struct machine *m, const uint64_t *pa, unsigned int n, size_t size,
			uint8_t *data, bool *ok);
int machine_phys_gathered(struct machine *m, unsigned int i);
/** machine_memory_way() - words for how memory is read. */
void machine_memory_way(struct machine *m, struct buf *out);
/** machine_phys_u64() - one little-endian word. */
int machine_phys_u64(struct machine *m, uint64_t pa, uint64_t *value);
/** As CPU @cpu sees memory at its current level. -BATON_EFAULT: does not translate. */
int machine_virt_read(struct machine *m, unsigned int cpu, uint64_t va, void *data, size_t len);
int machine_virt_write(struct machine *m, unsigned int cpu, uint64_t va, const void *data,
		       size_t len);

/** machine_where() - the physical address of @va as it sees it. -BATON_EFAULT: none. */
int machine_where(struct machine *m, unsigned int cpu, uint64_t va, uint64_t *pa);

/** machine_ram_find() - the range that holds @pa, or NULL where nothing is. */
const struct ram_range *machine_ram_find(const struct machine *m, uint64_t pa);
/** machine_secure_find() - the same of what only Secure state sees. */
const struct ram_range *machine_secure_find(const struct machine *m, uint64_t pa);
/** machine_is_ram() - all of [pa, pa + len) is RAM (with @rom: or ROM). */
bool machine_is_ram(const struct machine *m, uint64_t pa, uint64_t len, bool rom);

/**
 * machine_roms() - what QEMU laid into memory (`-device loader`, `-kernel`, the
 * device tree), for free(). *@n may be 0.
 */
int machine_roms(struct machine *m, struct rom **roms, size_t *n);

/**
 * machine_step() - one instruction on @cpu, the others stand still.
 * -BATON_ETIMEDOUT: it did not end (powered off, wfi): interrupted, nothing lost.
 * machine_resume() - all CPUs, until a stop or @timeout_ms (-1: no limit).
 * Both return 0 with @stop filled; free its packet with buf_free().
 */
int machine_step(struct machine *m, unsigned int cpu, struct machine_stop *stop);
int machine_resume(struct machine *m, int timeout_ms, struct machine_stop *stop);

/**
 * machine_look() - the core registers of @cpu; machine_look_step() - those, and then a
 * machine_step() from there, in one exchange where that goes; its stop is m->last_stop, and a
 * STOP_INTERRUPT where the user interrupted, even if the step came to its end. @core is there
 * also where the step fails with -BATON_ETIMEDOUT.
 */
int machine_look(struct machine *m, unsigned int cpu, uint64_t core[CORE_COUNT]);
int machine_look_step(struct machine *m, unsigned int cpu, uint64_t core[CORE_COUNT]);

/**
 * machine_break_add() - a stop at @addr for @owner; harmless if it is there. @kind is
 * the Z packet's: 4 for breakpoints, the length for watchpoints. A software breakpoint of
 * GDB's that cannot be set now (KVM: nothing is mapped there yet, and no hardware is left)
 * waits: 0 is returned, machine_break_retry() says and sets it. One that takes a place from a
 * later owner's says so in m->notice.
 * machine_break_remove() - gone when nobody else wants it; harmless if it is not there.
 */
int machine_break_add(struct machine *m, enum break_owner owner, enum break_type type,
		      uint64_t addr, unsigned int kind);
int machine_break_remove(struct machine *m, enum break_owner owner, enum break_type type,
			 uint64_t addr, unsigned int kind);
/**
 * machine_break_retry() - set those that wait, and put those back that could not be put back
 * after a step over them (KVM: not mapped, none left); what comes of it is in m->notice. Where
 * it fails they are tried again at the next run.
 * Return: 0; -BATON_ELINK.
 */
int machine_break_retry(struct machine *m);
/** machine_break_clear() - all of one owner's. */
int machine_break_clear(struct machine *m, enum break_owner owner);
bool machine_break_has(const struct machine *m, enum break_owner owner, uint64_t addr);
/** machine_break_whose() - "GDB's", of those that are in the machine at @addr; "" for nobody's. */
const char *machine_break_whose(const struct machine *m, uint64_t addr);
/** machine_break_within() - is there a breakpoint of anybody's in [addr, addr + len)? */
bool machine_break_within(const struct machine *m, uint64_t addr, uint64_t len);

/**
 * machine_trap() - the @i-th breakpoint that is an instruction in memory (KVM), in no order.
 * False: there are no more.
 */
bool machine_trap(struct machine *m, size_t i, struct machine_trap *out);
/**
 * machine_trap_copied() - where the guest has copied the @i-th to physical @pa, put what it
 * stands for. Return: 1: done; 0: there is none; or the machine's error.
 */
int machine_trap_copied(struct machine *m, size_t i, uint64_t pa);

/** machine_hmp() - a command of QEMU's monitor; drops what was remembered. */
int machine_hmp(struct machine *m, const char *command, struct buf *out);
/** machine_query() - the same for commands that only look (`info ...`): nothing is dropped. */
int machine_query(struct machine *m, const char *command, struct buf *out);

/** machine_changed() - forget all that was read. */
void machine_changed(struct machine *m);
/** machine_canceled() - true if long work should end with -BATON_ECANCELED. */
bool machine_canceled(const struct machine *m);
/** machine_probe() - facts: accelerator, memory map. Called once after opening. */
int machine_probe(struct machine *m);
void machine_free(struct machine *m);

#endif
