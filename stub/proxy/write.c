/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDB's writes to memory. `set var boot_lvl0_upper[0x1ff] = ...` is a patch of a table like
 * ours: journalled before it is made, and the TLB refreshed behind it.
 */
#include "proxy/session.h"

#include "machine/tables.h"
#include "patch/touch.h"

#include <stdio.h>
#include <string.h>

/* More in one packet is a `load`, whose tables nobody uses yet. */
#define PATCH_MAX 4096u

static int write_plain(struct session *s, uint64_t addr, const uint8_t *data, size_t len)
{
	struct machine *m = &s->live->m;
	/* `load` of 16 MiB need not be read back: QEMU's answer is what GDB would have got. */
	int err = s->phys ? m->ops->phys_write(m, addr, data, len)
			  : m->ops->virt_write(m, s->cpu, addr, data, len);

	machine_changed(m);
	return err;
}

static int read_plain(struct session *s, uint64_t addr, uint8_t *data, size_t len)
{
	struct machine *m = &s->live->m;

	return s->phys ? machine_phys_read(m, addr, data, len)
		       : machine_virt_read(m, s->cpu, addr, data, len);
}

/* Would it change what could be a descriptor? The whole words that it lies in decide. */
static bool is_plausible(struct session *s, uint64_t addr, const uint8_t *data, size_t len)
{
	uint8_t old[PATCH_MAX + 16], new[sizeof(old)];
	size_t lead = addr % 8, whole = (lead + len + 7) & ~(size_t)7;

	if (read_plain(s, addr - lead, old, whole))
		return false;
	memcpy(new, old, whole);
	memcpy(new + lead, data, len);
	return touch_plausible(&s->live->m, old, new, whole);
}

static bool physical(struct session *s, uint64_t addr, uint64_t *pa)
{
	struct tables t;
	struct pt_walk w;

	*pa = addr;
	if (s->phys)
		return true;
	if (tables_init(&t, &s->live->m, s->ctx->symbols, s->cpu, NULL, NULL) ||
	    tables_walk(&t, addr, NULL, &w, NULL) || !w.mapped)
		return false;
	*pa = w.oa;
	return true;
}

static int write_page(struct session *s, uint64_t addr, const uint8_t *data, size_t len)
{
	struct touch t = { .machine = &s->live->m,
			   .symbols = s->ctx->symbols,
			   .journal = s->ctx->journal,
			   .cpu = s->cpu };
	size_t said = s->aside.len;
	uint64_t pa;
	int err;

	if (!physical(s, addr, &pa))
		return write_plain(s, addr, data, len);
	err = touch_begin(&t, pa, data, len, false, "GDB");
	if (err)
		return err;
	err = touch_end(&t, write_plain(s, addr, data, len), &s->aside);
	if (s->verbose && s->aside.len > said)
		fprintf(stderr, "baton: %s", s->aside.data + said);
	return err;
}

int session_write(struct session *s, uint64_t addr, const uint8_t *data, size_t len)
{
	int err = 0;

	if (len > PATCH_MAX || !is_plausible(s, addr, data, len))
		return write_plain(s, addr, data, len);
	while (len && !err) {
		size_t n = PATCH_MAX - addr % PATCH_MAX;

		n = n < len ? n : len;
		err = write_page(s, addr, data, n);
		addr += n;
		data += n;
		len -= n;
	}
	return err;
}

void session_say_aside(struct session *s)
{
	if (s->aside.len)
		client_console(&s->client, s->aside.data, s->aside.len);
	buf_clear(&s->aside);
}
