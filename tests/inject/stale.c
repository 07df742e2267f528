// SPDX-License-Identifier: BSD-2-Clause
/* tests/tlb's guest reads two pages for ever; its table is changed behind the CPU's back. */
#include "soak.h"

#include "machine/tables.h"
#include "monitor/command.h"
#include "patch/journal.h"
#include "patch/tlb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VA 0x40000000ull

struct stale {
	struct bench b;
	struct context ctx;
	struct buf out;
	uint64_t desc_at; /* of VA's page */
};

static void write_out(void *ctx, const char *text, size_t len)
{
	buf_add(ctx, text, len);
}

/* A command, its exit status and a word of what it says. */
static bool says(struct stale *s, const char *line, int status, const char *text)
{
	struct sink sink = { write_out, &s->out };
	int got;

	buf_clear(&s->out);
	got = command_run(&s->ctx, &sink, line);
	if (got == status && s->out.len && strstr(s->out.data, text))
		return true;
	printf("# %s: status %d, %s\n", line, got, s->out.len ? s->out.data : "nothing");
	return false;
}

/* What the guest's own loop loads; five steps are once round. */
static uint64_t seen(struct stale *s)
{
	uint64_t x1 = 0;

	for (int i = 0; i < 10; i++) {
		struct machine_stop stop = { 0 };

		if (machine_step(&s->b.live.m, 0, &stop))
			die("step: %s", s->b.live.m.error);
		buf_free(&stop.packet);
	}
	if (machine_reg_read(&s->b.live.m, 0, "x1", &x1))
		die("x1: %s", s->b.live.m.error);
	return x1;
}

static void set_desc(struct stale *s, uint64_t value)
{
	if (machine_phys_write(&s->b.live.m, s->desc_at, &value, sizeof(value)))
		die("descriptor: %s", s->b.live.m.error);
}

static void find_desc(struct stale *s, uint64_t *desc)
{
	struct tables t;
	struct pt_walk w;

	if (tables_init(&t, &s->b.live.m, NULL, 0, NULL, NULL) ||
	    tables_walk(&t, VA, NULL, &w, NULL) || !w.steps)
		die("no walk");
	s->desc_at = w.step[w.steps - 1].address;
	*desc = w.step[w.steps - 1].desc;
}

/* @refresh: tlb-flush, in one of its ways. */
static void one_way(struct stale *s, const char *refresh, uint64_t desc)
{
	set_desc(s, desc);
	tap(seen(s) == 0xaaaa, "%s: before", refresh);
	tap(says(s, "tlb-check 0x40000000", 0, "fresh"), "%s: tlb-check says fresh", refresh);
	set_desc(s, desc + 0x2000);
	tap(seen(s) == 0xaaaa, "%s: without it the guest's load is stale", refresh);
	tap(says(s, "tlb-check 0x40000000", 1, "stale: the CPU reads 0x000000000000aaaa"),
	    "%s: tlb-check says stale", refresh);
	tap(says(s, refresh, 0, "dropped on all CPUs"), "%s: done", refresh);
	tap(seen(s) == 0xcccc, "%s: with it the guest's load is fresh", refresh);
	tap(says(s, "tlb-check 0x40000000", 0, "fresh"), "%s: and tlb-check says so", refresh);
	set_desc(s, 0);
	tap(says(s, "tlb-check 0x40000000", 1, "the CPU still reads 0x000000000000cccc"),
	    "%s: invalid, but still there", refresh);
	tap(says(s, refresh, 0, "dropped"), "%s: once more", refresh);
	tap(says(s, "tlb-check 0x40000000", 0, "faults as the tables say"), "%s: gone", refresh);
	set_desc(s, desc);
}

void stale(void)
{
	static const char *const ways[] = { "tlb-flush 0x40000000", "tlb-flush all",
					    "tlb-flush 0x40000000 -i", "tlb-flush all -i",
					    "tlb-flush all -a 0 -i" };
	static char loader[4200];
	static const char *const args[] = { "-M",      "virt", "-cpu", "cortex-a53",
					    "-device", loader, NULL };
	struct stale *s = calloc(1, sizeof(*s));
	const char *o = getenv("O");
	uint64_t desc;

	if (!s)
		abort();
	snprintf(loader, sizeof(loader), "loader,file=%s/tests/inject/tlb.elf,cpu-num=0",
		 o ? o : "build");
	bench_start(&s->b, args);
	s->ctx = (struct context){ .machine = &s->b.live.m,
				   .symbols = symbols_new(),
				   .journal = journal_new() };
	bench_resume(&s->b, 200);
	find_desc(s, &desc);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		one_way(s, ways[i], desc);
	symbols_free(s->ctx.symbols);
	journal_free(s->ctx.journal);
	buf_free(&s->out);
	bench_end(&s->b);
	free(s);
}
