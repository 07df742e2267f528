/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/tables.h"

#define LEN_MAX (1u << 20)
#define LINE	16
#define PAGE	4096

static int no_memory(struct cmd *c, uint64_t addr, uint64_t pa)
{
	const struct ram_range *r = machine_ram_find(c->machine, pa);
	struct buf at = { 0 };
	int err;

	buf_printf(&at, "%#" PRIx64, addr);
	if (addr != pa)
		buf_printf(&at, " (at %#" PRIx64 ")", pa);
	if (r)
		err = cmd_fail(
			c, -BATON_EREFUSED,
			"%s is %s, a device: reading it may change it (--allow-mmio insists)",
			at.data, r->name);
	else
		err = cmd_fail(c, -BATON_ERANGE, "%s: nothing is there (`ram` lists what is)",
			       at.data);
	buf_free(&at);
	return err;
}

/* The physical address of one page's part; sets c->found where there is none. */
static int translate(struct cmd *c, struct tables *t, uint64_t va, uint64_t *pa)
{
	struct pt_access acc = tables_access(t, PT_ANY, false);
	struct buf text = { 0 };
	struct pt_walk w;
	int err = tables_walk(t, va, &acc, &w, &text);

	if (err) {
		cmd_fail(c, err, "%s", text.data);
	} else if (!w.mapped) {
		pt_render_fault(&w, &acc, &text);
		cmd_say(c, "%#" PRIx64 ": %s", va, text.data ? text.data : "not mapped");
		buf_clear(&text);
		tables_say_options(t, &text);
		cmd_say(c, "next: pt-walk %#" PRIx64 "%s", va, text.len ? text.data : "");
		c->found = true;
	}
	*pa = w.oa;
	buf_free(&text);
	return err;
}

static void say_line(struct cmd *c, uint64_t addr, const uint8_t *data, size_t len)
{
	struct buf line = { 0 };

	buf_printf(&line, "0x%016" PRIx64 " ", addr);
	for (size_t i = 0; i < LINE; i++) {
		buf_puts(&line, i == LINE / 2 ? "  " : " ");
		if (i < len)
			buf_printf(&line, "%02x", data[i]);
		else
			buf_puts(&line, "  ");
	}
	buf_puts(&line, "  |");
	for (size_t i = 0; i < len; i++)
		buf_putc(&line, data[i] >= ' ' && data[i] <= '~' ? (char)data[i] : '.');
	cmd_say(c, "%s|", line.data);
	buf_free(&line);
}

/* What lies in one page, up to @len bytes. */
static int dump_page(struct cmd *c, struct tables *t, uint64_t addr, size_t len)
{
	uint8_t data[PAGE];
	uint64_t pa = addr;
	int err = t ? translate(c, t, addr, &pa) : 0;

	if (err || c->found)
		return err;
	if (!c->machine->allow_mmio && !machine_secure_find(c->machine, pa) &&
	    !machine_is_ram(c->machine, pa, len, true))
		return no_memory(c, addr, pa);
	err = machine_phys_read(c->machine, pa, data, len);
	if (err)
		return cmd_fail(c, err, NULL);
	for (size_t i = 0; i < len; i += LINE)
		say_line(c, addr + i, data + i, len - i < LINE ? len - i : LINE);
	return 0;
}

static int dump(struct cmd *c, struct tables *t, uint64_t addr, uint64_t len)
{
	int err = 0;

	while (len && !err && !c->found) {
		uint64_t part = PAGE - addr % PAGE;

		if (part > len)
			part = len;
		err = machine_canceled(c->machine) ? -BATON_ECANCELED : dump_page(c, t, addr, part);
		addr += part;
		len -= part;
	}
	return err;
}

static int run(struct cmd *c)
{
	bool physical = cmd_option(c, "-p"), insist = cmd_option(c, "--allow-mmio");
	bool allowed = c->machine->allow_mmio;
	struct tables t;
	uint64_t addr = 0, len = 0;
	int err = cmd_no_more(c, 2);

	if (!err)
		err = cmd_arg(c, 0, "ADDR", &addr);
	if (!err)
		err = cmd_arg(c, 1, "LEN", &len);
	if (!err && (!len || len > LEN_MAX || addr + (len - 1) < addr))
		err = cmd_fail(c, -BATON_EINVAL, "LEN is 1 to %u bytes, and must not wrap around",
			       LEN_MAX);
	if (!err && !physical)
		err = tables_open(&t, c);
	if (err)
		return err;
	c->machine->allow_mmio = allowed || insist;
	err = dump(c, physical ? NULL : &t, addr, len);
	c->machine->allow_mmio = allowed;
	return err;
}

COMMAND(mem, "mem", run, .args = "[-p] ADDR LEN", .needs = CMD_STOPPED | CMD_TABLES,
	.help = "bytes of memory, through the tables or (-p) physical; never of a device",
	.more = "  -p             ADDR is physical\n"
		"  --allow-mmio   read devices too, whatever that does to them\n");
