/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/snap.h"

#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
	char *new = text ? strdup(text) : NULL;

	if (text && !new)
		abort();
	return new;
}

static int list(struct cmd *c)
{
	const struct snaps *all = c->ctx->snaps;
	size_t items = snaps_items(all);

	for (const struct snap *s = all ? all->first : NULL; s; s = s->next) {
		struct buf line = { 0 };

		buf_printf(&line, "%-16s %s, CPU%u, %zu ranges", s->name, s->regime.title, s->cpu,
			   snap_items(s));
		for (unsigned int i = 0; i < s->halves; i++)
			buf_printf(&line, ", %s %#" PRIx64,
				   regime_root_name(&s->regime, s->half[i].half), s->half[i].root);
		cmd_say(c, "%s", line.data);
		buf_free(&line);
	}
	if (items)
		cmd_say(c, "%zu KiB in use; `pt-diff NAME` compares with now",
			items * sizeof(struct snap_item) / 1024 + 1);
	else
		cmd_say(c, "none: `pt-snap NAME` takes one");
	return 0;
}

static void keep(struct context *ctx, struct snap *old, const struct snap *taken)
{
	struct snap **at;

	if (!ctx->snaps)
		ctx->snaps = calloc(1, sizeof(*ctx->snaps));
	if (!old)
		old = calloc(1, sizeof(*old));
	if (!ctx->snaps || !old)
		abort();
	for (at = &ctx->snaps->first; *at && *at != old; at = &(*at)->next)
		;
	struct snap *next = old->next;

	snap_clear(old);
	*old = *taken;
	old->next = next;
	*at = old;
}

static int take(struct cmd *c, const char *name)
{
	struct snap *old = snaps_find(c->ctx->snaps, name);
	size_t kept = snaps_items(c->ctx->snaps) - (old ? snap_items(old) : 0);
	struct snap taken;
	struct maps maps;
	int err = maps_open(&maps, c);

	if (err)
		return err;
	err = snap_take(&taken, &maps, kept);
	if (err) {
		snap_clear(&taken);
		return cmd_fail(c, err,
				err == -BATON_ETOOBIG	  ? "more than %u ranges in all snapshots "
							    "together: that is too much to keep"
				: err == -BATON_ECANCELED ? "cancelled"
							  : NULL,
				SNAP_MAX_ITEMS);
	}
	taken.name = copy(name);
	taken.spec = copy(c->regime);
	keep(c->ctx, old, &taken);
	cmd_say(c, "%s: %zu ranges of %s (`pt-diff %s` compares them with what is then)", name,
		snap_items(&taken), taken.regime.title, name);
	if (taken.regime.nested)
		cmd_say(c, "(of stage 1 alone: its IPAs; `pt-snap NAME -r s2` keeps stage 2)");
	return 0;
}

static int drop(struct cmd *c, const char *name)
{
	struct snap *old = snaps_find(c->ctx->snaps, name);

	if (!old)
		return cmd_fail(c, -BATON_ENOTFOUND,
				"there is no snapshot %s (`pt-snap` lists them)", name);
	for (struct snap **at = &c->ctx->snaps->first; *at; at = &(*at)->next) {
		if (*at != old)
			continue;
		*at = old->next;
		break;
	}
	snap_clear(old);
	free(old);
	return 0;
}

static int run(struct cmd *c)
{
	const char *gone = cmd_option_value(c, "--drop");
	int err = cmd_no_more(c, gone ? 0 : 1);

	if (err)
		return err;
	if (gone)
		return drop(c, gone);
	return cmd_count(c) ? take(c, cmd_word(c, 0)) : list(c);
}

COMMAND(pt_snap, "pt-snap", run, .args = "[NAME | --drop NAME]", .needs = CMD_STOPPED | CMD_TABLES,
	.help = "keep all translations under a name, for pt-diff; alone: what is kept",
	.more = "  NAME          an older one of that name is replaced\n"
		"  --drop NAME   forget it\n"
		"  All together may have 1048576 ranges (24 MiB); tables that are repeated count "
		"once.\n");
