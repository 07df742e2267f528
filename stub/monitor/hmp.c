/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/hmp.h"

#include "patch/journal.h"

#include <stdlib.h>
#include <string.h>

/* HMP ends a command's name at white space or at the '/' of a format. */
#define SPACE	 " \t\n\v\f\r"
#define NAME_END SPACE "/"

/* What QEMU must not be told, and what to do instead. */
static const struct {
	const char *name, *instead;
} refused[] = {
	{ "q", "it would end the machine: GDB's `kill` does, and so does ending baton" },
	{ "quit", "it would end the machine: GDB's `kill` does, and so does ending baton" },
	{ "gdbserver", "it would cut the connection that baton lives on" },
	{ "system_wakeup",
	  "it makes the CPUs run behind GDB's back: use `cont`, or GDB's `continue`" },
	{ "migrate_incoming", "it would replace the machine and run it" },
	{ "replay_seek", "it makes the CPUs run behind GDB's back" },
	{ "exit_preconfig", "it makes the CPUs run behind GDB's back" },
	{ "x_exit_preconfig", "it makes the CPUs run behind GDB's back" },
};

/* Commands after which memory and registers are no longer those that were patched. */
static const char *const replaces_machine[] = { "system_reset", "loadvm" };

/* Commands that read memory. @words: of the whole line, 0: a format and one expression. */
static const struct {
	const char *name;
	bool physical;
	int words;
} reads[] = {
	{ "x", false, 0 },	 { "xp", true, 0 },	  { "sum", true, 3 },
	{ "memsave", false, 4 }, { "pmemsave", true, 4 },
};

static bool is_name(const char *line, const char *name)
{
	size_t len = strcspn(line, NAME_END);

	return strlen(name) == len && !memcmp(line, name, len);
}

const struct command *hmp_find_ours(const char *line)
{
	size_t len = strcspn(line, SPACE);
	char name[32];

	/* For QEMU `c` is `cont`, so it is ours too. */
	if (len == 1 && *line == 'c')
		return command_find("cont");
	if (len >= sizeof(name))
		return NULL;
	memcpy(name, line, len);
	name[len] = '\0';
	return command_find(name);
}

void hmp_strip(struct buf *text)
{
	size_t to = 0;

	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] != '\r')
			text->data[to++] = text->data[i];
	if (text->data)
		text->data[to] = '\0';
	text->len = to;
}

/* Ask QEMU for the value of an expression of its own. */
static int qemu_value(struct machine *m, const char *expr, uint64_t *value)
{
	struct buf ask = { 0 }, out = { 0 };
	char *end = NULL;
	int err;

	buf_printf(&ask, "print/x %s", expr);
	err = machine_query(m, ask.data, &out);
	if (!err) {
		hmp_strip(&out);
		*value = out.len ? strtoull(out.data, &end, 16) : 0;
		if (!end || strncmp(out.data, "0x", 2) || (*end && *end != '\n'))
			err = -BATON_EINVAL;
	}
	buf_free(&ask);
	buf_free(&out);
	return err;
}

/* Where a virtual address is, by the CPU that HMP's `x` uses; false: nowhere. */
static bool qemu_gva2gpa(struct machine *m, uint64_t va, uint64_t *pa)
{
	struct buf ask = { 0 }, out = { 0 };
	bool ok;

	buf_printf(&ask, "gva2gpa %#" PRIx64, va);
	ok = !machine_query(m, ask.data, &out) && out.len && !strncmp(out.data, "gpa: ", 5);
	if (ok)
		*pa = strtoull(out.data + 5, NULL, 16);
	buf_free(&ask);
	buf_free(&out);
	return ok;
}

/*
 * The most that `x/COUNTFORMATSIZE` reads (QEMU remembers the size of the last one, so 8 for
 * each unless it says less); moves @text behind the format.
 */
static uint64_t format_length(const char **text)
{
	uint64_t count = 1;
	char *end;

	*text += strspn(*text, SPACE);
	if (**text != '/')
		return 8;
	++*text;
	if (**text >= '0' && **text <= '9') {
		count = strtoull(*text, &end, 10);
		*text = end;
	}
	*text += strcspn(*text, SPACE);
	return count > 1 << 24 ? UINT64_MAX : count * 8;
}

/* The first address of [addr, addr + len) that is a device; false if there is none. */
static bool find_device(struct machine *m, bool physical, uint64_t addr, uint64_t len, uint64_t *at,
			const struct ram_range **device)
{
	uint64_t left = len;

	while (left) {
		uint64_t step = 4096 - (addr & 4095);
		uint64_t pa = addr;

		if (step > left)
			step = left;
		/* What does not translate QEMU will say itself, and touch nothing. */
		if ((physical || qemu_gva2gpa(m, addr, &pa)) &&
		    !machine_is_ram(m, pa, step, true)) {
			*at = addr;
			*device = machine_ram_find(m, pa);
			return true;
		}
		if (machine_canceled(m))
			return false;
		addr += step;
		left -= step;
	}
	return false;
}

/* What a line would read. -BATON_EINVAL: it cannot be told. */
static int read_extent(struct machine *m, const char *line, int words, uint64_t *addr,
		       uint64_t *len)
{
	const char *text = line + strcspn(line, NAME_END);
	struct args args = { 0 };
	int err;

	if (!words) {
		*len = format_length(&text);
		return qemu_value(m, text, addr);
	}
	err = args_split(line, &args);
	if (!err && args.count != words)
		err = -BATON_EINVAL;
	if (!err)
		err = qemu_value(m, args.word[1], addr);
	if (!err)
		err = qemu_value(m, args.word[2], len);
	args_free(&args);
	return err;
}

/*
 * Reading a device may change it, and on some machines ends QEMU (the GICv2
 * distributor with several CPUs): look before QEMU does.
 */
static int check_read(struct cmd *c, const char *line, bool physical, int words)
{
	const struct ram_range *device = NULL;
	uint64_t addr, len, at;
	int err = read_extent(c->machine, line, words, &addr, &len);

	if (err == -BATON_ELINK)
		return cmd_fail(c, err, NULL);
	if (err && !words) /* no expression to QEMU either: it says so, and reads nothing */
		return 0;
	if (err || len > 1 << 30)
		return cmd_fail(c, -BATON_EREFUSED,
				"`%s` is not passed on: %s (`mem` reads memory safely)", line,
				err ? "cannot tell beforehand what it would read" : "too long");
	if (!find_device(c->machine, physical, addr, len, &at, &device))
		return machine_canceled(c->machine) ? -BATON_ECANCELED : 0;
	return cmd_fail(c, -BATON_EREFUSED,
			"`%s` is not passed on: %#" PRIx64 " is %s, not RAM or ROM, and reading it "
			"may do harm (--allow-mmio insists)",
			line, at, device ? device->name : "nothing");
}

static int guard(struct cmd *c, const char *line)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (is_name(line, refused[i].name))
			return cmd_fail(c, -BATON_EREFUSED, "`%s` is not passed on to QEMU: %s",
					refused[i].name, refused[i].instead);
	if (is_name(line, "c") || is_name(line, "cont"))
		return cmd_fail(c, -BATON_EREFUSED,
				"QEMU's `cont` is not passed on: use baton's `cont`, "
				"or GDB's `continue`");
	for (size_t i = 0; !c->machine->allow_mmio && i < sizeof(reads) / sizeof(reads[0]); i++)
		if (is_name(line, reads[i].name))
			return check_read(c, line, reads[i].physical, reads[i].words);
	return 0;
}

static bool replaces(const char *line)
{
	for (size_t i = 0; i < sizeof(replaces_machine) / sizeof(replaces_machine[0]); i++)
		if (is_name(line, replaces_machine[i]))
			return true;
	return false;
}

/* QEMU's monitor has no status: errors are known by their words. */
static int judge(struct cmd *c, const struct buf *out)
{
	if (!out->len)
		return 0;
	if (!strncmp(out->data, "unknown command: ", 17)) {
		cmd_say(c, "neither baton nor QEMU knows it: `help` lists baton's commands, "
			   "`qemu help` QEMU's");
		return -BATON_ENOTFOUND;
	}
	if (!strncmp(out->data, "Error: ", 7) || !strncmp(out->data, "unknown ", 8))
		c->found = true;
	return 0;
}

static void machine_was_replaced(struct cmd *c)
{
	struct buf out = { 0 };

	c->machine->resets++;
	machine_changed(c->machine);
	if (c->ctx->journal)
		journal_reset(c->ctx->journal, &out);
	cmd_text(c, &out);
	buf_free(&out);
}

int hmp_run(struct cmd *c, const char *line)
{
	struct buf out = { 0 };
	int err;

	/* \n, \v and the like are white space to QEMU as well: nothing hides behind them. */
	line += strspn(line, SPACE);
	err = guard(c, line);
	if (err)
		return err;
	err = machine_hmp(c->machine, line, &out);
	hmp_strip(&out);
	cmd_text(c, &out);
	if (err)
		cmd_fail(c, err, NULL);
	else
		err = judge(c, &out);
	if (!err && !c->found && replaces(line))
		machine_was_replaced(c);
	buf_free(&out);
	return err;
}

static int run(struct cmd *c)
{
	const char *line = c->line + strcspn(c->line, SPACE);

	if (!cmd_count(c))
		return cmd_fail(c, -BATON_EINVAL, "which command? `qemu help` lists QEMU's");
	return hmp_run(c, line);
}

COMMAND(qemu, "qemu", run, .args = "CMD...",
	.help = "a command of QEMU's own monitor (so is any name that is not in this list)",
	.more = "Not passed on: what runs, ends or takes away the machine, and reads of "
		"devices.\n");
