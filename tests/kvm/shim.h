/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What KVM's side of QEMU's gdbstub remembers. One machine, whatever clients come and go.
 */
#ifndef BATON_TESTS_KVM_SHIM_H
#define BATON_TESTS_KVM_SHIM_H

#include "wire.h"

#define CPUS	  64
#define SOFT_MAX  4096 /* QEMU has no limit */
#define SLOTS_MAX 16   /* what ID_AA64DFR0_EL1 can say: BRPs and WRPs are four bits each */
#define STALE_MAX 512

/* struct kvm_sw_breakpoint (include/sysemu/kvm.h). */
struct soft {
	uint64_t pc;
	uint32_t saved;
	unsigned int uses;
};

/* HWWatchpoint (target/arm/internals.h), with what it really watches. */
struct watch {
	unsigned int type;
	uint64_t addr, len;   /* as it was asked for */
	uint64_t first, size; /* what the hardware watches */
	bool mask;	      /* by MASK, else by BAS */
};

/* A register that env still has from before the last run. */
struct stale {
	unsigned int cpu, regnum;
	char value[40];
};

struct shim {
	struct wire w;
	unsigned int max_bps, max_wps;
	struct soft soft[SOFT_MAX];
	unsigned int softs;
	uint64_t hard[SLOTS_MAX]; /* HWBreakpoint.bvr */
	unsigned int hards;
	struct watch watch[SLOTS_MAX], there[SLOTS_MAX]; /* set; what QEMU knows of them */
	unsigned int watches, theres;
	/* of gdbserver_state, by thread number: 1 is the first; what TCG's has: 0 unknown */
	unsigned int g_cpu, c_cpu, at_cpu;
	bool multiprocess, phys;
	bool synced[CPUS + 1]; /* CPUState.vcpu_dirty: env is what the CPU has */
	struct stale stale[STALE_MAX];
	unsigned int stales;
};

/* point.c: breakpoints and watchpoints */
int point_insert(struct shim *s, unsigned int type, uint64_t addr, uint64_t len, bool *ok);
int point_remove(struct shim *s, unsigned int type, uint64_t addr, uint64_t len, bool *ok);
int point_remove_all(struct shim *s);
/** points_watch() - tell QEMU of the watchpoints: only now, since the machine is to run. */
int points_watch(struct shim *s);
/** points_stop() - would the CPU @cpu, whose pc is @pc, stop there? */
int points_stop(struct shim *s, unsigned int cpu, uint64_t pc, bool *stops);
/** points_lift() - QEMU's breakpoint at @pc out of the way, or back. */
int points_lift(struct shim *s, uint64_t pc, bool back);
/** point_word() - memory as @cpu sees it, whatever Qqemu.PhyMemMode says. */
int point_word(struct shim *s, unsigned int cpu, uint64_t addr, uint32_t *value, bool write,
	       bool *ok);
bool points_at(const struct shim *s, uint64_t pc);
/** points_name() - a stop reply names a watchpoint by what was asked for. */
void points_name(const struct shim *s, struct buf *reply);

/* run.c */
int run_resume(struct shim *s, const struct buf *packet);
int run_pc(struct shim *s, unsigned int cpu, uint64_t *pc);
/** run_select() - the CPU that `g`, `p` and `m` speak of to QEMU. */
int run_select(struct shim *s, unsigned int cpu);
unsigned int run_thread(const char *id);

#endif
