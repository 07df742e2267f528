// SPDX-License-Identifier: BSD-2-Clause
/*
 * At random moments a random CPU is given something to do, harmless or faulting; then all
 * registers of all CPUs, and memory, are as they were. What only time changes is left out.
 */
#include "soak.h"

#include "machine/inject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS   8
#define WFI    0xd503207fu
#define END_MS 120000
#define AROUND 0x2000u
#define FULL   500 /* all memory of a big guest each so many times */
#define CHUNK  (1u << 20)
#define REGS   400

/* Everything that is compared. */
struct image {
	struct buf g[CPUS];
	struct machine_reg reg[CPUS][REGS];
	uint64_t ram;
};

struct soak {
	struct bench b;
	const struct guest *g;
	unsigned int done, refused, waiting, faults, traps, bad;
	unsigned int pending, watched; /* with a timer's interrupt pending, with a watchpoint set */
	uint64_t watch;		       /* where; 0: none */
	unsigned int idle, ends; /* moments without any work; ends seen before the last reset */
	uint64_t stuck[CPUS];	 /* the pc of a CPU that did not step */
	struct image before, after;
	uint8_t *chunk;
};

/*
 * Counters run on. Of the stack pointers QEMU shows the one in use only as sp: what SP_ELx then
 * is, is what it was when it was last not in use.
 */
static bool is_left_out(const char *name)
{
	return !strncmp(name, "SP_EL", 5) || strstr(name, "PMCCNTR") || strstr(name, "CNTVCT") ||
	       strstr(name, "CNTPCT") || strstr(name, "TVAL");
}

/* ISTATUS of a timer: its time has come. */
static uint64_t time_bits(const char *name)
{
	return !strncmp(name, "CNT", 3) && strstr(name, "_CTL_") ? 4 : 0;
}

static void sum(struct soak *s, uint64_t pa, uint64_t len)
{
	struct machine *m = &s->b.live.m;

	for (uint64_t at = 0; at < len; at += CHUNK) {
		size_t n = len - at < CHUNK ? len - at : CHUNK;

		if (machine_phys_read(m, pa + at, s->chunk, n))
			die("RAM at %#" PRIx64 ": %s", pa + at, m->error);
		for (size_t k = 0; k + 8 <= n; k += 8) {
			uint64_t word;

			memcpy(&word, s->chunk + k, 8);
			s->after.ram = (s->after.ram ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		}
	}
}

/* Around the pc, the vectors, the stack and the return address; or everything. */
static void read_ram(struct soak *s, unsigned int cpu, bool all)
{
	static const char *const near[] = { "pc", "x30", "sp", "VBAR_EL1", "VBAR_EL2" };
	struct machine *m = &s->b.live.m;

	s->after.ram = 0;
	for (size_t i = 0; all && i < m->ram_count; i++)
		if (m->ram[i].kind == RAM_RAM)
			sum(s, m->ram[i].first, m->ram[i].last - m->ram[i].first + 1);
	for (size_t i = 0; !all && i < sizeof(near) / sizeof(near[0]); i++) {
		uint64_t va;
		uint8_t page[AROUND];

		if (machine_reg_read(m, cpu, near[i], &va) ||
		    machine_virt_read(m, cpu, va & ~(uint64_t)0xfff, page, sizeof(page)))
			continue;
		for (size_t k = 0; k < sizeof(page); k++)
			s->after.ram = (s->after.ram ^ page[k]) * UINT64_C(0x9e3779b97f4a7c15);
	}
}

/* The state now, into s->after. */
static void look(struct soak *s, unsigned int cpu, bool all)
{
	struct live *l = &s->b.live;
	const struct buf *g;

	machine_changed(&l->m);
	for (unsigned int k = 0; k < l->m.cpus; k++) {
		size_t n = 0;

		if (live_g(l, k, &g))
			die("g: %s", l->m.error);
		buf_clear(&s->after.g[k]);
		buf_add(&s->after.g[k], g->data, g->len);
		memset(s->after.reg[k], 0, sizeof(s->after.reg[k]));
		for (size_t i = 0; i < l->tdesc.count && n < REGS; i++)
			if (l->tdesc.regs[i].bitsize <= 64 && !is_left_out(l->tdesc.regs[i].name))
				s->after.reg[k][n++].name = l->tdesc.regs[i].name;
		if ((k == cpu || all) && machine_regs_read(&l->m, k, s->after.reg[k], n))
			die("registers: %s", l->m.error);
	}
	read_ram(s, cpu, all);
}

static void keep(struct soak *s)
{
	struct image old = s->before;

	s->before = s->after;
	s->after = old;
}

static void differs(struct soak *s, const char *what, unsigned int cpu, const char *code)
{
	if (s->bad++ < 10)
		printf("# after %u: %s of CPU %u (%s)\n", s->done, what, cpu, code);
}

/* ELR and SPSR of the level that an instruction was trapped to are those of the trap. */
static bool is_of_trap(const struct inject *i, const char *name, int el)
{
	return i->fault && (int)i->level > el &&
	       (!strncmp(name, "ELR_EL", 6) || !strncmp(name, "SPSR_EL", 7)) &&
	       name[strlen(name) - 1] == '0' + (int)i->level;
}

static void compare(struct soak *s, const struct inject *job, int el, const char *code)
{
	for (unsigned int k = 0; k < s->b.live.m.cpus; k++) {
		const struct buf *a = &s->before.g[k], *b = &s->after.g[k];

		if (a->len != b->len || memcmp(a->data, b->data, a->len))
			differs(s, "core registers", k, code);
		for (size_t i = 0; i < REGS && s->after.reg[k][i].name; i++)
			if ((s->after.reg[k][i].value ^ s->before.reg[k][i].value) &
				    ~time_bits(s->after.reg[k][i].name) &&
			    !(k == job->cpu && is_of_trap(job, s->after.reg[k][i].name, el)))
				differs(s, s->after.reg[k][i].name, k, code);
	}
	if (s->before.ram != s->after.ram)
		differs(s, "memory", 0, code);
}

static const struct {
	const char *name;
	uint32_t code[6];
	unsigned int words;
	bool faults;
} jobs[] = {
	{ "mrs x0, MPIDR_EL1", { 0xd53800a0 }, 1, false },
	{ "nop and mov", { 0xd503201f, 0xaa0103e0, 0xd503201f, 0xaa0003e1 }, 4, false },
	{ "at s1e1r",
	  { 0xd5387401, 0xd5087800, 0xd5033fdf, 0xd5387402, 0xd5187401, 0xd5033fdf },
	  6,
	  false },
	{ "tlbi vmalle1is", { 0xd5033a9f, 0xd508831f, 0xd5033b9f, 0xd5033fdf }, 4, false },
	{ "udf", { 0xd503201f, 0x00000000 }, 2, true },
	{ "udf at once", { 0x00000000 }, 1, true },
	{ "mrs x0, SCR_EL3 below it", { 0xd53e1100 }, 1, true },
	/* Hypervisors trap it. */
	{ "mrs x0, ID_AA64PFR0_EL1", { 0xd5380400 }, 1, false },
	{ "brk", { 0xd503201f, 0xd4200000 }, 2, true },
};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

/* A CPU that waits costs a time limit; some of them are enough. */
static bool worth_it(struct soak *s, unsigned int cpu, uint64_t pc)
{
	uint32_t insn = 0;

	if (s->stuck[cpu] == pc)
		return false;
	machine_virt_read(&s->b.live.m, cpu, pc - 4, &insn, sizeof(insn));
	return insn != WFI || bench_random(&s->b) % 64 == 0;
}

/* A timer of @cpu that asserts its interrupt: ENABLE and ISTATUS, not IMASK (DDI 0487, D24.10). */
static bool is_pending(const struct soak *s, unsigned int cpu)
{
	const struct machine_reg *reg = s->before.reg[cpu];

	for (size_t i = 0; i < REGS && reg[i].name; i++)
		if (time_bits(reg[i].name) && (reg[i].value & 7) == 5)
			return true;
	return false;
}

/* Somebody else's watchpoint is there too, where a stack is, half of the time. */
static void watch_or_not(struct soak *s, unsigned int tries)
{
	struct machine *m = &s->b.live.m;
	uint64_t sp;

	if (tries % 20 == 0 && s->watch) {
		machine_break_clear(m, BREAK_HANDOFF);
		s->watch = 0;
	} else if (tries % 20 == 10 && !machine_reg_read(m, tries / 20 % m->cpus, "sp", &sp)) {
		s->watch = sp & ~7ull;
		if (machine_break_add(m, BREAK_HANDOFF, WATCH_WRITE, s->watch, 8))
			s->watch = 0;
	}
}

static void inject_once(struct soak *s)
{
	struct machine *m = &s->b.live.m;
	unsigned int cpu = (unsigned int)(bench_random(&s->b) % m->cpus);
	unsigned int k = (unsigned int)(bench_random(&s->b) % JOBS);
	bool all = !s->g->big ? bench_random(&s->b) % 64 == 0 : bench_random(&s->b) % FULL == 0;
	struct inject i = { .cpu = cpu, .code = jobs[k].code, .words = jobs[k].words };
	struct machine_stop last = m->last_stop;
	uint64_t pc;
	int err, el = machine_el(m, cpu);

	if (el < 0 || machine_reg_read(m, cpu, "pc", &pc))
		die("pc: %s", m->error);
	if (!worth_it(s, cpu, pc)) {
		s->waiting++;
		s->idle++;
		return;
	}
	i.x[0] = pc;
	look(s, cpu, all);
	keep(s);
	err = inject_run(m, &i);
	if (err && err != -BATON_EREFUSED)
		die("%s: %s", jobs[k].name, machine_error(m, err));
	if (err && strstr(m->error, "does not step"))
		s->stuck[cpu] = pc;
	look(s, cpu, all);
	compare(s, &i, el, jobs[k].name);
	if (last.kind != m->last_stop.kind || last.cpu != m->last_stop.cpu)
		differs(s, "the last stop", cpu, jobs[k].name);
	if (err) {
		s->refused++;
		return;
	}
	s->done++;
	s->idle = 0;
	s->pending += is_pending(s, cpu);
	s->watched += s->watch != 0;
	s->faults += i.fault;
	s->traps += i.fault && (int)i.level > el;
	if (jobs[k].faults && !i.fault)
		differs(s, "no exception", cpu, jobs[k].name);
}

/* Where nothing is left to be disturbed it starts anew. */
static void start_anew(struct soak *s)
{
	struct buf out = { 0 };

	s->ends = bench_count(&s->b, s->g->marker);
	s->idle = 0;
	if (machine_hmp(&s->b.live.m, "system_reset", &out))
		die("system_reset: %s", s->b.live.m.error);
	buf_free(&out);
}

static void finish(struct soak *s)
{
	for (int ms = 0; ms < END_MS && bench_count(&s->b, s->g->marker) == s->ends; ms += 300)
		bench_resume(&s->b, 300);
	tap(bench_count(&s->b, s->g->marker) > s->ends, "%s: it comes to its end afterwards",
	    s->g->name);
}

void soak(const struct guest *g, unsigned int count)
{
	struct soak *s = calloc(1, sizeof(*s));

	if (!s || !(s->chunk = malloc(CHUNK)))
		abort();
	s->g = g;
	(g->kvm ? bench_start_kvm : bench_start)(&s->b, g->args);
	memset(s->stuck, 0xff, sizeof(s->stuck));
	if (g->skip_ms)
		bench_resume(&s->b, g->skip_ms);
	for (unsigned int tries = 0; s->done < count && tries < 100 * count; tries++) {
		if (s->idle > 20 * s->b.live.m.cpus)
			start_anew(s);
		bench_resume(&s->b, bench_random(&s->b) % 4 == 0);
		watch_or_not(s, tries);
		inject_once(s);
	}
	machine_break_clear(&s->b.live.m, BREAK_HANDOFF);
	printf("# %s: %u injections, %u with an exception, %u of them to a higher level, %u with a "
	       "timer pending, %u with a watchpoint set; %u refused, %u CPUs waiting\n",
	       g->name, s->done, s->faults, s->traps, s->pending, s->watched, s->refused,
	       s->waiting);
	tap(s->done >= count, "%s: %u injections", g->name, count);
	tap(s->bad == 0, "%s: nothing differs after any of them", g->name);
	finish(s);
	bench_end(&s->b);
	for (unsigned int k = 0; k < CPUS; k++) {
		buf_free(&s->before.g[k]);
		buf_free(&s->after.g[k]);
	}
	free(s->chunk);
	free(s);
}
