// SPDX-License-Identifier: BSD-2-Clause
/*
 * Edits that must not be made, on machines that run: each is refused with its own words and
 * what to do, and not a byte of memory nor a register of any CPU differs afterwards.
 */
#include "smp.h"

#include "patch/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM	 0x40000000ull
#define HIGH	 0x70000000ull /* where the loader's image is, if there is one */
#define HALF	 (64ull << 20)
#define RAM_SIZE (2 * HALF)

static const char *const names[] = {
	"x0",	     "x1",	  "x2",	       "x3",	  "x16",      "x20",	   "x21",
	"x22",	     "x23",	  "x24",       "x30",	  "sp",	      "pc",	   "cpsr",
	"ELR_EL1",   "SPSR_EL1",  "ESR_EL1",   "FAR_EL1", "VBAR_EL1", "SCTLR_EL1", "TTBR0_EL1",
	"TTBR1_EL1", "TCR_EL1",	  "MAIR_EL1",  "ELR_EL2", "SPSR_EL2", "ESR_EL2",   "FAR_EL2",
	"VBAR_EL2",  "SCTLR_EL2", "TTBR0_EL2", "TCR_EL2", "MAIR_EL2", "HCR_EL2",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

struct state {
	uint8_t *memory;
	uint64_t reg[CPUS][NAMES];
};

static void look(struct state *x)
{
	struct machine *m = &s.b.live.m;

	machine_changed(m); /* nothing from before */
	for (unsigned int cpu = 0; cpu < m->cpus && cpu < CPUS; cpu++)
		for (size_t i = 0; i < NAMES; i++)
			if (machine_reg_read(m, cpu, names[i], &x->reg[cpu][i]))
				x->reg[cpu][i] = 0; /* there is none */
	if (machine_phys_read(m, RAM, x->memory, HALF) ||
	    machine_phys_read(m, machine_is_ram(m, HIGH, HALF, false) ? HIGH : RAM + HALF,
			      x->memory + HALF, HALF))
		die("memory: %s", m->error);
}

static bool is_same(const struct state *a, const struct state *b)
{
	if (!memcmp(a->reg, b->reg, sizeof(a->reg)) && !memcmp(a->memory, b->memory, RAM_SIZE))
		return true;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		for (size_t i = 0; i < NAMES; i++)
			if (a->reg[cpu][i] != b->reg[cpu][i])
				printf("# CPU %u: %s differs\n", cpu, names[i]);
	return false;
}

struct refusal {
	const char *name, *command, *words, *remedy;
};

static void try(const struct refusal *r)
{
	struct state before = { malloc(RAM_SIZE), { { 0 } } },
		     after = { malloc(RAM_SIZE), { { 0 } } };
	unsigned int last = journal_last(s.ctx.journal, &s.b.live.m);
	int status;

	if (!before.memory || !after.memory)
		abort();
	look(&before);
	status = command(r->command);
	tap(status == 2 && strstr(s.out.data, r->words) && strstr(s.out.data, r->remedy),
	    "%s: %s is refused, with words and what to do", s.way, r->name);
	if (status != 2)
		printf("# status %d\n", status);
	printf("# %.*s\n", (int)strcspn(s.out.data, "\n"), s.out.data);
	look(&after);
	tap(is_same(&before, &after) && journal_last(s.ctx.journal, &s.b.live.m) == last,
	    "%s: ... nothing was written", s.way);
	free(before.memory);
	free(after.memory);
}

static const struct refusal at_el1[] = {
	{ "cutting off the pc", "pt-set 0x80200000 L2 type=invalid -c 0",
	  "refused (pc): the pc, 0x802", "stop elsewhere first" },
	{ "other code under the pc", "pt-map 0x80200000 0x40600000 0x200000 rwx,normal -c 0",
	  "refused (pc): the pc, 0x802", "stop elsewhere first" },
	{ "cutting off another CPU's pc", "pt-unmap 0x40200000 0x200000 -c 0",
	  "refused (other-cpu): the pc of CPU 1, 0x402", "stop elsewhere first (-f other-cpu" },
	{ "an address beyond PS", "pt-map 0xc0004000 0x10000000000 0x1000 rw,normal",
	  "refused (output-size): the address 0x10000000000 is beyond the 40 bits",
	  "take one below 0x10000000000" },
	{ "a descriptor's address beyond PS", "pt-set 0xc0004000 L3 0x10000000703",
	  "refused (output-size): ", "take one below 0x10000000000" },
	{ "a block's OA off its boundary", "pt-set 0xc0422000 L2 OA=0x40601000",
	  "a block at level 2 needs 0x200000 alignment", "" },
	{ "a block's descriptor off its boundary", "pt-set 0xc0422000 L2 0x40601701",
	  "refused (alignment): the output address 0x40601000 is not aligned to the block's "
	  "0x200000",
	  "pt-map takes pages where no block fits" },
	{ "an address off the granule", "pt-map 0xc0004800 0x40501000 0x1000 rw,normal",
	  "multiples of the granule, 0x1000", "" },
	{ "what is no RAM", "pt-map 0xc0004000 0x90000000 0x1000 rw,normal",
	  "refused (memory): 0x90000000 is nothing", "`ram` lists what is" },
	{ "a device as memory", "pt-map 0xc0004000 0x9000000 0x1000 rw,normal",
	  "refused (memory): 0x9000000 is pl011, not RAM", "`device` maps devices" },
	{ "a table that is no RAM", "pt-set 0xc0004000 L1 0x90000003",
	  "refused (memory): the next table would not be in RAM: 0x90000000 is nothing", "`ram`" },
};

static const struct refusal at_el2[] = {
	{ "a table of another regime", "pt-set 0xc0004000 L3 OA=0x40501000",
	  "refused (table-of-other-regime): the table at 0x4020", "give it a copy first" },
	{ "to link a table of another regime", "pt-set 0x100000000 L1 l2_far+3",
	  "refused (table-of-other-regime): the table at 0x4020", "give it a copy first" },
};

/* Where a CPU at EL0 would have to do something itself. */
static const struct refusal at_el0[] = {
	{ "a system register's change at EL0", "sysreg CONTEXTIDR_EL1 = 5",
	  "CPU 0 is at EL0, out of reach", "let it come to its kernel first" },
	{ "a look at what QEMU does not show at EL0", "sysreg MPIDR_EL1",
	  "CPU 0 is at EL0, out of reach", "let it come to its kernel first" },
	/* Under TCG none has to. */
	{ "an edit that needs a tlbi at EL0", "pt-set 0x2000e0 L3 sw=1",
	  "refused: no CPU can execute the tlbi that goes with it: CPU 0 is at EL0",
	  "run until it is there" },
	{ "a tlbi at EL0", "tlb-flush all", "CPU 0 is at EL0", "run until it is there" },
};

/* The same of what was patched at EL1, behind the register that was refused. */
static const struct refusal undo_at_el0[] = {
	{ "undo of code at EL0", "undo",
	  "undo 3: refused: no CPU can execute the ic that makes others fetch it anew: CPU 0 is at "
	  "EL0",
	  "let it come to its kernel first" },
	{ "undo of a descriptor at EL0", "undo 2",
	  "undo 2: refused: no CPU can execute the tlbi that goes with it: CPU 0 is at EL0",
	  "run until it is there" },
	{ "undo all at EL0", "undo all", "refused: no CPU can execute",
	  "let it come to its kernel first" },
};

static void each(const struct refusal *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		try(&r[i]);
}

/* e_entry of an ELF64 file. */
static uint64_t entry_of(const char *name)
{
	const char *o = getenv("O");
	char path[4200];
	uint64_t entry;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", o ? o : "build", name);
	f = fopen(path, "r");
	if (!f || fseek(f, 24, SEEK_SET) || fread(&entry, sizeof(entry), 1, f) != 1)
		die("%s: no ELF file", path);
	fclose(f);
	return entry;
}

static void run_to(uint64_t to, int el)
{
	struct machine *m = &s.b.live.m;
	uint64_t pc;

	if (machine_break_add(m, BREAK_COMMAND, BREAK_HARD, to, 4))
		die("breakpoint: %s", m->error);
	bench_resume(&s.b, 30000);
	if (machine_reg_read(m, 0, "pc", &pc) || pc != to || machine_el(m, 0) != el ||
	    machine_break_remove(m, BREAK_COMMAND, BREAK_HARD, to, 4))
		die("not at EL%d", el);
}

/* The task of examples/kernel. */
static void run_to_el0(bool kvm)
{
	static char loader[4200];
	static const char *const args[] = { "-M", "virt",    "-cpu", "cortex-a53", "-m",
					    "2G", "-device", loader, NULL };
	const char *o = getenv("O");
	struct machine *m = &s.b.live.m;
	uint64_t start = entry_of("examples/kernel/task.elf");

	s = (struct smp){ .way = kvm ? "KVM, EL0" : "EL0" };
	snprintf(loader, sizeof(loader),
		 "loader,file=%s/examples/seed/good-el1.img,addr=0x70000000,cpu-num=0",
		 o ? o : "build");
	(kvm ? bench_start_kvm : bench_start)(&s.b, args);
	s.ctx = (struct context){ .machine = m,
				  .symbols = symbols_new(),
				  .journal = journal_new() };
	run_to(start, 0);
}

/* Its next call, the kernel's vector for it, and back. */
static void call_kernel(void (*there)(void))
{
	struct machine *m = &s.b.live.m;
	uint64_t vectors, back;

	if (machine_reg_read(m, 0, "VBAR_EL1", &vectors))
		die("VBAR_EL1: %s", m->error);
	run_to(vectors + 0x400, 1);
	if (machine_reg_read(m, 0, "ELR_EL1", &back))
		die("ELR_EL1: %s", m->error);
	there();
	run_to(back, 0);
}

static void patch_task(void)
{
	if (!does("pt-set 0x2000e0 L3 sw=1") || !does("patch 0x200ff8 = 0xd503201f"))
		die("not patched");
}

static void undo_task(void)
{
	tap(does("undo all") && !journal_last(s.ctx.journal, &s.b.live.m),
	    "%s: undo all in the kernel", s.way);
}

void refuse(void)
{
	guest_start("EL1", 1, false);
	each(at_el1, sizeof(at_el1) / sizeof(at_el1[0]));
	guest_end();
	/* EL1&0 has the same tables there, and one more. */
	guest_start("EL2", 2, false);
	if (!does("sysreg TCR_EL1 = 0x200803510") || !does("sysreg MAIR_EL1 = 0xff") ||
	    !does("sysreg TTBR0_EL1 = $TTBR0_EL2") || !does("sysreg SCTLR_EL1 = 0x30d00801"))
		die("EL1&0 is not to be had");
	each(at_el2, sizeof(at_el2) / sizeof(at_el2[0]));
	guest_end();
	run_to_el0(false);
	each(at_el0, 2);
	guest_end();
	run_to_el0(true);
	each(at_el0, sizeof(at_el0) / sizeof(at_el0[0]));
	call_kernel(patch_task);
	each(undo_at_el0, sizeof(undo_at_el0) / sizeof(undo_at_el0[0]));
	call_kernel(undo_task);
	guest_end();
}
