// SPDX-License-Identifier: BSD-2-Clause
/*
 * Edits of tables under a guest of four CPUs (smp.S): what each CPU's own loads, stores and
 * fetches see changes with the next round, and again with undo. The control: the same bytes
 * without the refresh leave CPUs that see what was. Also through
 * the shim that behaves as KVM, where an executed `tlbi` has to do it. TAP.
 */
#include "smp.h"

#include "patch/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBES	 10
#define PAGES	 0x40300000ull /* from here each page says where it is */
#define PAGES_TO 0x40c00000ull
#define ALIAS	 0x40000000ull /* CPU 0 runs that much higher */
#define TEXT	 0x40200000ull
#define TEXT_END 0x40201000ull
#define IN_VAIN	 300 /* rounds that are enough for a CPU that would see it ever */
#define POOL	 " --pool 0x47000000,0x4000"

enum { NEAR, SIBLING, STORE, CALL, NEXT, BLOCK, BLOCK2, BLOCK_END, CODE, CODE_CALL };
static const uint64_t at_first[PROBES] = {
	[NEAR] = 0x40404000,	  [SIBLING] = 0x40405000,   [STORE] = 0,
	[CALL] = 0x40407000,	  [NEXT] = 0x40411000,	    [BLOCK] = 0x40622000,
	[BLOCK2] = 0x40623000,	  [BLOCK_END] = 0x407ff000, [CODE] = 0x40308000,
	[CODE_CALL] = 0x40309000,
};

static const uint64_t load_at[PROBES] = {
	[NEAR] = 0xc0004000,   [SIBLING] = 0xc0005000,	 [NEXT] = 0xc0211000, [BLOCK] = 0xc0422000,
	[BLOCK2] = 0xc0423000, [BLOCK_END] = 0xc05ff000, [CODE] = 0x40308000,
};

/* ESR: a load, a store, a fetch that faults; DDI 0487, D24.2.40. */
#define LOAD_FAULT(dfsc)   (0x96000000 | (dfsc))
#define STORE_FAULT(dfsc)  (0x96000040 | (dfsc))
#define FETCH_FAULT(dfsc)  (0x86000000 | (dfsc))
#define TRANSLATION(level) (4 + (level))
#define ACCESS_FLAG(level) (8 + (level))
#define PERMISSION(level)  (12 + (level))

struct seen {
	uint64_t value, round; /* since that round */
};

struct report {
	uint64_t rounds, unused;
	struct seen probe[PROBES];
};

struct edit {
	const char *name;
	const char *before; /* another edit, which is there already */
	const char *command;
	const char *command_el2; /* where words differ */
	struct {
		unsigned int probe;
		uint64_t value;
	} sees[PROBES];
	struct {
		unsigned int probe;
		uint64_t value;
	} saw[2]; /* because of @before */
};

static const struct edit edits[] = {
	{ .name = "a page is moved",
	  .command = "pt-set 0xc0004000 L3 OA=0x40501000",
	  .sees = { { NEAR, 0x40501000 } } },
	{ .name = "two pages are moved",
	  .command = "pt-map 0xc0004000 0x40501000 0x2000 rwx,normal",
	  .sees = { { NEAR, 0x40501000 }, { SIBLING, 0x40502000 } } },
	{ .name = "a page of code is moved",
	  .command = "pt-map 0xc0007000 0x40503000 0x1000 rwx,normal",
	  .sees = { { CALL, 0x40503000 } } },
	{ .name = "a page becomes invalid",
	  .command = "pt-unmap 0xc0004000 0x1000",
	  .sees = { { NEAR, LOAD_FAULT(TRANSLATION(3)) } } },
	{ .name = "a page of code becomes invalid",
	  .command = "pt-set 0xc0007000 L3 type=invalid",
	  .sees = { { CALL, FETCH_FAULT(TRANSLATION(3)) } } },
	{ .name = "a block becomes invalid",
	  .command = "pt-unmap 0xc0400000 0x200000",
	  .sees = { { BLOCK, LOAD_FAULT(TRANSLATION(2)) },
		    { BLOCK2, LOAD_FAULT(TRANSLATION(2)) },
		    { BLOCK_END, LOAD_FAULT(TRANSLATION(2)) } } },
	{ .name = "a page becomes read-only",
	  .command = "pt-protect 0xc0006000 0x1000 rx",
	  .sees = { { STORE, STORE_FAULT(PERMISSION(3)) } } },
	{ .name = "a page becomes not executable",
	  .command = "pt-set 0xc0007000 L3 PXN=1",
	  .command_el2 = "pt-set 0xc0007000 L3 XN=1",
	  .sees = { { CALL, FETCH_FAULT(PERMISSION(3)) } } },
	{ .name = "a page loses its access flag",
	  .command = "pt-set 0xc0004000 L3 AF=0",
	  .sees = { { NEAR, LOAD_FAULT(ACCESS_FLAG(3)) } } },
	{ .name = "a block loses its access flag",
	  .command = "pt-set 0xc0422000 L2 AF=0",
	  .sees = { { BLOCK, LOAD_FAULT(ACCESS_FLAG(2)) },
		    { BLOCK2, LOAD_FAULT(ACCESS_FLAG(2)) },
		    { BLOCK_END, LOAD_FAULT(ACCESS_FLAG(2)) } } },
	{ .name = "a block becomes 512 pages, one elsewhere",
	  .command = "pt-map 0xc0423000 0x40504000 0x1000 rwx,normal" POOL,
	  .sees = { { BLOCK2, 0x40504000 } } },
	{ .name = "a block becomes 512 pages, one invalid",
	  .command = "pt-unmap 0xc0423000 0x1000" POOL,
	  .sees = { { BLOCK2, LOAD_FAULT(TRANSLATION(3)) } } },
	{ .name = "512 pages become a block",
	  .before = "pt-map 0xc0423000 0x40504000 0x1000 rwx,normal" POOL,
	  .command = "pt-map 0xc0400000 0x40600000 0x200000 rwx,normal",
	  .saw = { { BLOCK2, 0x40504000 } },
	  .sees = { { BLOCK2, 0x40623000 } } },
	{ .name = "the block under the pc becomes 512 pages, two elsewhere",
	  .command = "pt-map 0x40308000 0x40505000 0x2000 rwx,normal -c 0" POOL,
	  .sees = { { CODE, 0x40505000 }, { CODE_CALL, 0x40506000 } } },
	{ .name = "512 pages under the pc become a block",
	  .before = "pt-map 0x40308000 0x40505000 0x2000 rwx,normal -c 0" POOL,
	  .command = "pt-map 0x40200000 0x40200000 0x200000 rwx,normal -c 0",
	  .saw = { { CODE, 0x40505000 }, { CODE_CALL, 0x40506000 } },
	  .sees = { { CODE, 0x40308000 }, { CODE_CALL, 0x40309000 } } },
	{ .name = "a level-1 table is replaced",
	  .command = "pt-set 0xc0004000 L1 l2_far+3",
	  .sees = { { NEAR, 0x40a04000 },
		    { SIBLING, 0x40a05000 },
		    { CALL, 0x40a07000 },
		    { NEXT, 0x40a11000 },
		    { BLOCK, 0x40822000 },
		    { BLOCK2, 0x40823000 },
		    { BLOCK_END, 0x409ff000 } } },
	{ .name = "a level-1 table becomes invalid",
	  .command = "pt-set 0xc0004000 L1 type=invalid",
	  .sees = { { NEAR, LOAD_FAULT(TRANSLATION(1)) },
		    { SIBLING, LOAD_FAULT(TRANSLATION(1)) },
		    { STORE, STORE_FAULT(TRANSLATION(1)) },
		    { CALL, FETCH_FAULT(TRANSLATION(1)) },
		    { NEXT, LOAD_FAULT(TRANSLATION(1)) },
		    { BLOCK, LOAD_FAULT(TRANSLATION(1)) },
		    { BLOCK2, LOAD_FAULT(TRANSLATION(1)) },
		    { BLOCK_END, LOAD_FAULT(TRANSLATION(1)) } } },
	{ .name = "a level-1 table makes all below it read-only",
	  .command = "pt-set 0xc0004000 L1 APTable=ro",
	  .sees = { { STORE, STORE_FAULT(PERMISSION(3)) } } },
};

struct smp s;

static void write_out(void *ctx, const char *text, size_t len)
{
	buf_add(ctx, text, len);
}

int command(const char *line)
{
	struct sink sink = { write_out, &s.out };

	buf_clear(&s.out);
	return command_run(&s.ctx, &sink, line);
}

bool does(const char *line)
{
	int status = command(line);

	if (status)
		printf("# %s: status %d: %s\n", line, status, s.out.len ? s.out.data : "nothing");
	return !status;
}

/* The guest */

static void read_reports(struct report *r)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		if (machine_phys_read(&s.b.live.m, s.reports + 4096ull * cpu, &r[cpu], sizeof(*r)))
			die("report: %s", s.b.live.m.error);
}

/* A CPU in what is to change would lose its code: then baton refuses, rightly. */
static bool all_in_text(void)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		uint64_t pc;

		if (machine_reg_read(&s.b.live.m, cpu, "pc", &pc))
			die("pc: %s", s.b.live.m.error);
		pc -= cpu ? 0 : ALIAS;
		if (pc < TEXT || pc >= TEXT_END)
			return false;
	}
	return true;
}

/* Until each CPU has gone @rounds rounds from @from on; NULL: from now. */
static void run(const struct report *from, uint64_t rounds, struct report *now)
{
	struct report start[CPUS];
	bool enough = false;

	if (from)
		memcpy(start, from, sizeof(start));
	else
		read_reports(start);
	for (int tries = 0; !enough || !all_in_text(); tries++) {
		if (tries == 1000)
			die("a CPU stands still");
		bench_resume(&s.b, 10);
		read_reports(now);
		enough = true;
		for (unsigned int cpu = 0; cpu < CPUS; cpu++)
			enough &= now[cpu].rounds >= start[cpu].rounds + rounds;
	}
}

/*
 * Does every CPU see @want from @from on? The round under way at @from may have been past a
 * probe already; then it is the next one that counts.
 */
static bool sees(const struct report *from, const uint64_t *want)
{
	struct report now[CPUS];
	bool all = true;

	run(from, 3, now);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		for (unsigned int i = 0; i < PROBES; i++) {
			const struct seen *is = &now[cpu].probe[i], *was = &from[cpu].probe[i];
			uint64_t late = from[cpu].rounds + 1;

			if (is->value == want[i] && (was->value == want[i] || is->round <= late))
				continue;
			all = false;
			printf("# CPU %u, probe %u: sees %#" PRIx64 " since round %" PRIu64
			       ", not %#" PRIx64 " by round %" PRIu64 "\n",
			       cpu, i, is->value, is->round, want[i], late);
		}
	}
	return all;
}

/* CPUs that see something of @old where @new has changed. */
static unsigned int stale_cpus(const uint64_t *old, const uint64_t *new)
{
	struct report now[CPUS];
	unsigned int stale = 0;

	run(NULL, IN_VAIN, now);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		bool is = false;

		for (unsigned int i = 0; i < PROBES; i++)
			is |= old[i] != new[i] && now[cpu].probe[i].value == old[i];
		stale += is;
	}
	return stale;
}

/* The same bytes, by nobody who refreshes anything; in order, or back. */
static void write_raw(const struct journal_entry *e, bool back)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct patch *p = &e->write[back ? e->count - 1 - i : i];

		if (machine_phys_write(&s.b.live.m, p->address, back ? p->old : p->new, p->size))
			die("raw write: %s", s.b.live.m.error);
	}
}

/* By an injected load on each CPU; 0: fresh, 1: stale. */
static bool told(const struct edit *e, int status)
{
	unsigned int probe = e->sees[0].probe;
	struct buf line = { 0 };
	bool all = true;

	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		buf_clear(&line);
		buf_printf(&line, "tlb-check %#" PRIx64 " -c %u", load_at[probe], cpu);
		if (command(line.data) == status)
			continue;
		all = false;
		printf("# %s: %s", line.data, s.out.data);
	}
	buf_free(&line);
	return all;
}

static void control(const struct edit *e, const uint64_t *old, const uint64_t *new)
{
	const struct journal *j = s.ctx.journal;
	const struct journal_entry *entry = journal_at(j, journal_count(j) - 1);
	struct report at[CPUS];
	unsigned int stale;

	write_raw(entry, false);
	stale = stale_cpus(old, new);
	tap(stale > 0, "%s: %s: without the refresh %u of %u CPUs are stale", s.way, e->name, stale,
	    CPUS);
	if (load_at[e->sees[0].probe])
		tap(told(e, 1), "%s: %s: tlb-check says so of each", s.way, e->name);
	read_reports(at);
	tap(does("tlb-flush all") && sees(at, new), "%s: %s: with it none is", s.way, e->name);
	if (load_at[e->sees[0].probe])
		tap(told(e, 0), "%s: %s: and tlb-check finds none", s.way, e->name);
	write_raw(entry, true);
	read_reports(at);
	if (!does("tlb-flush all") || !sees(at, old))
		die("%s: not what it was", e->name);
}

static void try_edit(const struct edit *e)
{
	const char *line = s.el == 2 && e->command_el2 ? e->command_el2 : e->command;
	uint64_t old[PROBES], new[PROBES];
	struct report at[CPUS];
	bool done;

	memcpy(old, at_first, sizeof(old));
	for (unsigned int i = 0; i < sizeof(e->saw) / sizeof(e->saw[0]) && e->saw[i].value; i++)
		old[e->saw[i].probe] = e->saw[i].value;
	memcpy(new, old, sizeof(new));
	for (unsigned int i = 0; i < PROBES && e->sees[i].value; i++)
		new[e->sees[i].probe] = e->sees[i].value;
	run(NULL, 3, at);
	if (e->before && (!does(e->before) || !sees(at, old)))
		die("%s: not begun", e->name);
	read_reports(at);
	if (!sees(at, old))
		die("%s: not what it was", e->name);
	read_reports(at);
	done = does(line);
	tap(done, "%s: %s", s.way, e->name);
	if (!done)
		return;
	tap(sees(at, new), "%s: %s: all CPUs see it at once", s.way, e->name);
	read_reports(at);
	tap(does("undo") && sees(at, old), "%s: %s: and what was, by undo", s.way, e->name);
	control(e, old, new);
	if (e->before && !does("undo"))
		die("%s: not undone", e->name);
}

/* Each page: its address, and at 16 code that returns it. */
static void fill_pages(void)
{
	for (uint64_t pa = PAGES; pa < PAGES_TO; pa += 4096) {
		uint32_t low = pa & 0xffff, high = pa >> 16 & 0xffff;
		uint32_t page[7] = { (uint32_t)pa,	     0,		0, 0, 0x52800000 | low << 5,
				     0x72a00000 | high << 5, 0xd65f03c0 };

		if (machine_phys_write(&s.b.live.m, pa, page, sizeof(page)))
			die("page: %s", s.b.live.m.error);
	}
}

void guest_start(const char *way, unsigned int el, bool kvm)
{
	static char file[4096], loader[4200];
	static const char *args[] = { "-M",   NULL, "-cpu",    "cortex-a53", "-m", "128M",
				      "-smp", "4",  "-device", loader,	     NULL };
	const char *o = getenv("O");
	struct report at[CPUS];
	struct buf why = { 0 };

	s = (struct smp){ .way = way, .el = el };
	args[1] = el == 2 ? "virt,virtualization=on" : "virt";
	snprintf(file, sizeof(file), "%s/tests/tlb/smp-el%u.elf", o ? o : "build", el);
	snprintf(loader, sizeof(loader), "loader,file=%s,cpu-num=0", file);
	(kvm ? bench_start_kvm : bench_start)(&s.b, args);
	s.ctx = (struct context){ .machine = &s.b.live.m,
				  .symbols = symbols_new(),
				  .journal = journal_new() };
	if (symbols_load(s.ctx.symbols, file, 0, &why) <= 0 ||
	    symbols_find(s.ctx.symbols, "reports", &s.reports))
		die("%s: %s", file, why.len ? why.data : "no reports");
	fill_pages();
	run(NULL, 3, at);
}

void guest_end(void)
{
	symbols_free(s.ctx.symbols);
	journal_free(s.ctx.journal);
	buf_free(&s.out);
	bench_end(&s.b);
}

static void all_edits(void)
{
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		try_edit(&edits[i]);
}

/* [EL1|EL2|KVM EL1|KVM EL2|refuse] */
int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		unsigned int el;
		bool kvm;
	} ways[] = { { "EL1", 1, false },
		     { "EL2", 2, false },
		     { "KVM EL1", 1, true },
		     { "KVM EL2", 2, true } };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (argc > 1 && strcmp(argv[1], ways[i].name) != 0)
			continue;
		guest_start(ways[i].name, ways[i].el, ways[i].kvm);
		all_edits();
		guest_end();
	}
	if (argc < 2 || !strcmp(argv[1], "refuse"))
		refuse();
	return tap_end();
}
