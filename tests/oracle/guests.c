// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guests that nobody here wrote (tests/guests/list.sh): boots one, compares at each exception
 * level that is worth it and, where the guest printed its own pagemap, page by page.
 */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UP_SECONDS 180
#define ADDRESSES  20000
#define LEAVES	   8000

static void resume(struct oracle *o, int ms)
{
	struct machine_stop stop = { 0 };

	if (machine_resume(&o->live.m, ms, &stop))
		die("resume: %s", o->live.m.error);
	buf_free(&stop.packet);
}

static bool is_at(struct oracle *o, unsigned int el)
{
	return machine_el(&o->live.m, o->live.m.cpu) == (int)el;
}

static const char *const vbar[] = { NULL, "VBAR", "VBAR_EL2", "VBAR_EL3" };

/* In its vectors, or the page behind them: with KPTI TTBR1 is still the trampoline there. */
static bool is_in_vectors(struct oracle *o, unsigned int el)
{
	struct machine *m = &o->live.m;
	uint64_t base, pc;

	return el >= 1 && el <= 3 && machine_reg_read(m, m->cpu, vbar[el], &base) == 0 &&
	       machine_reg_read(m, m->cpu, "pc", &pc) == 0 && pc - base < 0x2000;
}

/* A hypervisor is hardly ever met at random: wait in its vectors, for what comes from below. */
static void reach_by_vector(struct oracle *o, unsigned int el)
{
	struct machine *m = &o->live.m;
	uint64_t base;

	if (el < 1 || el > 3 || machine_reg_read(m, m->cpu, vbar[el], &base))
		return;
	for (uint64_t at = 0x400; at <= 0x480; at += 0x80)
		machine_break_add(m, BREAK_COMMAND, BREAK_HARD, base + at, 4);
	resume(o, 30000);
	machine_break_clear(m, BREAK_COMMAND);
}

static bool reach(struct oracle *o, unsigned int el)
{
	for (int i = 0; i < 40 && (!is_at(o, el) || is_in_vectors(o, el)); i++)
		resume(o, 7 + 13 * (i % 5));
	if (!is_at(o, el))
		reach_by_vector(o, el);
	return is_at(o, el);
}

static void compare_here(struct oracle *o, const char *what)
{
	oracle_compare(o, what);
	tap(o->compared >= ADDRESSES && !o->refused, "%s: %u addresses compared, %u refused", what,
	    o->compared, o->refused);
}

/*
 * A guest at its first instruction, its MMU off: what is left is stage 2. Others have been at
 * @entry before it, firmware at EL2 among them.
 */
static void compare_stage2(struct oracle *o, const char *name, uint64_t entry)
{
	struct machine *m = &o->live.m;
	uint64_t pc = 0;
	char what[128];

	for (int i = 0; i < 8 && (pc != entry || !is_at(o, 1)); i++) {
		struct machine_stop stop = { 0 };

		/* One that is resumed on a breakpoint would stop there at once. */
		if (machine_step(m, m->cpu, &stop))
			die("%s: %s", name, m->error);
		buf_free(&stop.packet);
		machine_break_add(m, BREAK_COMMAND, BREAK_HARD, entry, 4);
		resume(o, 60000);
		machine_break_clear(m, BREAK_COMMAND);
		machine_reg_read(m, m->cpu, "pc", &pc);
	}
	snprintf(what, sizeof(what), "%s at the guest's entry, stage 2 alone", name);
	if (pc == entry && is_at(o, 1))
		compare_here(o, what);
	else
		tap(false, "%s: not reached", what);
}

static void start(struct oracle *o, char *const *args, const char *console)
{
	oracle_start(o, args, console);
	o->addresses = ADDRESSES;
	o->leaves_at_most = LEAVES;
	o->af_either = true;
}

static void wait_up(struct oracle *o, const char *name, const char *marker, const char *console)
{
	bool up = false;

	for (int ms = 0; !up && ms < UP_SECONDS * 1000; ms += 500) {
		resume(o, 500);
		up = file_has(console, marker);
	}
	tap(up, "%s: it comes up", name);
	if (!up)
		die("%s: \"%s\" was not seen within %d s", name, marker, UP_SECONDS);
}

/** guest_run() - @argv: NAME LEVELS MARKER QEMU'S ARGUMENTS... (tests/guests/list.sh) */
void guest_run(char **argv)
{
	const char *name = argv[0], *marker = argv[2];
	char console[] = "/tmp/baton-oracle-XXXXXX", what[128];
	int fd = mkstemp(console);
	struct oracle o;

	if (fd < 0)
		die("%s: no such folder", console);
	close(fd);
	start(&o, argv + 3, console);
	if (strncmp(argv[1], "s2:", 3) == 0)
		compare_stage2(&o, name, strtoull(argv[1] + 3, NULL, 16));
	wait_up(&o, name, marker, console);
	for (char *at = argv[1]; (at = strstr(at, "el")); at += 3) {
		unsigned int el = (unsigned int)(at[2] - '0');

		if (!reach(&o, el)) {
			tap(false, "%s: at EL%u", name, el);
			continue;
		}
		snprintf(what, sizeof(what), "%s at EL%u", name, el);
		compare_here(&o, what);
		if (el == 0 && file_has(console, "guest: pagemap "))
			pagemap_compare(&o, name, console);
	}
	oracle_end(&o);
	unlink(console);
}
