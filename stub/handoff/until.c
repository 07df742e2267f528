/* SPDX-License-Identifier: BSD-2-Clause */
/* Which event a run ends after. */
#include "handoff/internal.h"

#include <string.h>

#define SCTLR_M 1u

static const char *const names[] = {
	[UNTIL_KERNEL] = "kernel", [UNTIL_MMU_ON] = "mmu-on", [UNTIL_EL_CHANGE] = "el-change",
	[UNTIL_PSCI] = "psci",	   [UNTIL_JUMP] = "jump",     [UNTIL_EXCEPTION] = "exception",
	[UNTIL_USER] = "user",	   [UNTIL_EVENT] = "event",
};

int handoff_until(const char *name)
{
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -BATON_ENOTFOUND;
}

const char *handoff_until_name(enum handoff_until kind)
{
	return names[kind];
}

/* The MMU of the level that runs; a higher one may turn on another's, for later. */
static bool turns_mmu_on(const struct event *e)
{
	return e->kind == EVENT_SYSREG && strncmp(e->name, "SCTLR_EL", 8) == 0 &&
	       (unsigned int)(e->name[8] - '0') == e->el && (e->after & SCTLR_M) &&
	       !(e->before & SCTLR_M);
}

static bool changes_el(const struct event *e)
{
	return (e->kind == EVENT_ERET || e->kind == EVENT_EXCEPTION) && e->before != e->after;
}

bool goal_met(const struct handoff *h, const struct event *e)
{
	switch (h->goal.kind) {
	case UNTIL_MMU_ON:
		return turns_mmu_on(e);
	case UNTIL_EL_CHANGE:
		return changes_el(e) || e->kind == EVENT_USER;
	case UNTIL_PSCI:
		return e->kind == EVENT_CALL && e->name;
	case UNTIL_EXCEPTION:
		return e->kind == EVENT_EXCEPTION || e->kind == EVENT_FAULT;
	case UNTIL_USER:
		return e->kind == EVENT_USER;
	case UNTIL_EVENT:
		return h->event_count >= h->goal.event;
	case UNTIL_JUMP: /* before it: leave.c */
	case UNTIL_KERNEL:
		break;
	}
	return false;
}
