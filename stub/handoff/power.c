/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs that have not come: what firmware was asked for, and what it said (DEN 0022, 5.1.4). */
#include "handoff/internal.h"
#include "handoff/psci.h"

#include <string.h>

/* Nothing that is in the timeline was done by that CPU. */
bool power_unseen(const struct handoff *h, unsigned int cpu)
{
	for (size_t i = 0; i < h->event_count; i++)
		if (h->events[i].cpu == cpu)
			return false;
	return h->started && cpu != h->boot_cpu;
}

static bool is_cpu_on(const struct event *e)
{
	return e->kind == EVENT_CALL && e->name && !e->no_after &&
	       strcmp(e->name, psci_find(PSCI_CPU_ON)->name) == 0;
}

/* "CPU1 to CPU3", "CPU2", "3 CPUs" */
static void say_who(const struct handoff *h, unsigned int count, struct buf *out)
{
	unsigned int first = 0, last = 0, n = 0;

	for (unsigned int cpu = 0; cpu < machine_of(h)->cpus; cpu++) {
		if (!power_unseen(h, cpu))
			continue;
		first = n++ ? first : cpu;
		last = cpu;
	}
	if (last - first + 1 != count)
		buf_printf(out, "%u CPUs have", count);
	else if (count == 1)
		buf_printf(out, "CPU%u has", first);
	else
		buf_printf(out, "CPU%u to CPU%u have", first, last);
}

static void say_refusal(const struct event *e, struct buf *out)
{
	const char *why = psci_reason(e->after);

	buf_printf(out, "firmware refused: %s%s%s\n", e->text, why ? ": " : "", why ? why : "");
}

/* A call that never got to any firmware. */
static void say_own(const struct handoff *h, struct buf *out)
{
	for (size_t i = 0; i < h->event_count; i++) {
		const struct event *e = &h->events[i];

		if (e->kind != EVENT_EXCEPTION || !e->name || strcmp(e->name, "svc") == 0)
			continue;
		buf_printf(out, "; the %s went to vectors of the loader's own at EL%u", e->name,
			   e->el);
		return;
	}
}

void power_say(const struct handoff *h, struct buf *out)
{
	unsigned int missing = 0, seen = 0, asked = 0, granted = 0;
	const struct event *refused = NULL;

	for (unsigned int cpu = 0; cpu < machine_of(h)->cpus; cpu++)
		missing += power_unseen(h, cpu);
	seen = machine_of(h)->cpus - 1 - missing;
	for (size_t i = 0; i < h->event_count; i++) {
		const struct event *e = &h->events[i];

		if (!is_cpu_on(e))
			continue;
		asked++;
		granted += (int32_t)e->after == 0;
		refused = (int32_t)e->after < 0 ? e : refused;
	}
	if (!missing || h->left || h->resets != machine_of(h)->resets)
		return;
	if (refused) {
		say_refusal(refused, out);
	} else if (!asked) {
		say_who(h, missing, out);
		buf_puts(out, " not been seen, and no PSCI CPU_ON was seen");
		if (h->conduit)
			buf_printf(out, ": the machine's device tree has PSCI, by %s", h->conduit);
		say_own(h, out);
		buf_putc(out, '\n');
	} else if (granted > seen) {
		say_who(h, missing, out);
		buf_printf(out, " not been seen, though CPU_ON said SUCCESS %u time%s\n", granted,
			   granted == 1 ? "" : "s");
	}
}
