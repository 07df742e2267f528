/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmu/render.h"
#include "monitor/command.h"

#include <string.h>

static bool is_same_device(const struct ram_range *a, const struct ram_range *b)
{
	return a->kind == b->kind && a->last + 1 == b->first && !strcmp(a->name, b->name);
}

static int run(struct cmd *c)
{
	static const char *const kinds[] = {
		[RAM_RAM] = "RAM", [RAM_ROM] = "ROM", [RAM_IO] = "device"
	};
	const struct machine *m = c->machine;
	struct buf size = { 0 };
	int err = cmd_no_more(c, 0);

	if (err)
		return err;
	for (size_t i = 0; i < m->ram_count; i++) {
		const struct ram_range *first = &m->ram[i];

		while (i + 1 < m->ram_count && is_same_device(&m->ram[i], &m->ram[i + 1]))
			i++;
		buf_clear(&size);
		pt_render_size(m->ram[i].last - first->first + 1, &size);
		cmd_say(c, "0x%016" PRIx64 " - 0x%016" PRIx64 "  %-6s  %10s  %s", first->first,
			m->ram[i].last, kinds[first->kind], size.data, first->name);
	}
	buf_clear(&size);
	machine_memory_way(c->machine, &size);
	cmd_text(c, &size);
	buf_free(&size);
	if (!m->ram_count)
		return cmd_fail(c, -BATON_EUNSUPPORTED, "the machine's memory map is not known");
	return 0;
}

COMMAND(ram, "ram", run, .help = "what is where in physical memory: RAM, ROM and devices");
