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

/* A hypervisor is hardly ever met at random: wait in its vectors, for what comes from below. */
static void reach_by_vector(struct oracle *o, unsigned int el)
{
	static const char *const vbar[] = { NULL, "VBAR", "VBAR_EL2", "VBAR_EL3" };
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
	for (int i = 0; i < 40 && !is_at(o, el); i++)
		resume(o, 7 + 13 * (i % 5));
	if (!is_at(o, el))
		reach_by_vector(o, el);
	return is_at(o, el);
}

static void start(struct oracle *o, const char *name, const char *marker, char *const *args,
		  const char *console)
{
	bool up = false;

	oracle_start(o, args, console);
	o->addresses = ADDRESSES;
	o->leaves_at_most = LEAVES;
	o->af_either = true;
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
	start(&o, name, marker, argv + 3, console);
	for (char *at = argv[1]; (at = strstr(at, "el")); at += 3) {
		unsigned int el = (unsigned int)(at[2] - '0');

		if (!reach(&o, el)) {
			tap(false, "%s: at EL%u", name, el);
			continue;
		}
		snprintf(what, sizeof(what), "%s at EL%u", name, el);
		oracle_compare(&o, what);
		tap(o.compared >= ADDRESSES && !o.refused, "%s: %u addresses compared, %u refused",
		    what, o.compared, o.refused);
		if (el == 0 && file_has(console, "guest: pagemap "))
			pagemap_compare(&o, name, console);
	}
	oracle_end(&o);
	unlink(console);
}
