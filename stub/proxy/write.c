/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDB's writes to memory. `set var boot_lvl0_upper[0x1ff] = ...` is a patch of a table like
 * ours: journalled before it is made, and the TLB refreshed behind it.
 */
#include "proxy/session.h"

#include "machine/tables.h"
#include "patch/icache.h"
#include "patch/touch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to here whatever looks like a table is one; more in one packet is a `load`. */
#define PATCH_MAX 4096u
#define CODE_MAX  64u
#define PAGE	  4096u

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

/* Of a `load` nothing was executed yet; an instruction that is put in may have been. */
static int refresh_code(struct session *s, uint64_t addr, size_t len)
{
	struct icache_what what = { .cpu = s->cpu };
	int err = 0;

	for (size_t n; len && err != -BATON_ELINK; addr += n, len -= n) {
		n = PAGE - addr % PAGE < len ? PAGE - addr % PAGE : len;
		what.va = addr;
		what.len = n;
		if (physical(s, addr, &what.pa))
			err = icache_refresh(&s->live->m, &what, &s->aside);
	}
	return err == -BATON_ELINK ? err : 0;
}

static int write_plain(struct session *s, uint64_t addr, const uint8_t *data, size_t len)
{
	struct machine *m = &s->live->m;
	/* `load` of 16 MiB need not be read back: QEMU's answer is what GDB would have got. */
	int err = s->phys ? m->ops->phys_write(m, addr, data, len)
			  : m->ops->virt_write(m, s->cpu, addr, data, len);

	machine_changed(m);
	if (!err && len <= CODE_MAX && m->accel == ACCEL_KVM)
		err = refresh_code(s, addr, len);
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
	size_t lead = addr % 8, whole = (lead + len + 7) & ~(size_t)7;
	uint8_t *old = malloc(2 * whole), *new;
	bool plausible;

	if (!old)
		abort();
	new = old + whole;
	plausible = !read_plain(s, addr - lead, old, whole);
	if (plausible) {
		memcpy(new, old, whole);
		memcpy(new + lead, data, len);
		plausible = touch_plausible(&s->live->m, old, new, whole);
	}
	free(old);
	return plausible;
}

/* Page by page, those that have an address. */
static size_t cut(struct session *s, uint64_t addr, const uint8_t *data, size_t len,
		  struct touch_piece *piece)
{
	size_t count = 0;

	for (size_t n; len; addr += n, data += n, len -= n) {
		n = PAGE - addr % PAGE < len ? PAGE - addr % PAGE : len;
		if (physical(s, addr, &piece[count].pa)) {
			piece[count].data = data;
			piece[count++].len = n;
		}
	}
	return count;
}

/* Journal what changes tables; of a `load` those in use, the others are counted. */
static int begin(struct session *s, struct touch *t, struct touch_piece *piece, size_t count,
		 bool all)
{
	int err = touch_sort(t, piece, count);

	for (size_t i = 0; !err && i < count; i++) {
		if (piece[i].kind == TOUCH_TABLE || (all && piece[i].kind == TOUCH_UNUSED)) {
			err = touch_begin(t, piece[i].pa, piece[i].data, piece[i].len, false,
					  "GDB");
		} else if (piece[i].kind == TOUCH_UNUSED && piece[i].pa / PAGE != s->loaded_last) {
			/* One page may come in two packets. */
			s->loaded_last = piece[i].pa / PAGE;
			s->loaded_tables++;
		}
	}
	return err;
}

int session_write(struct session *s, uint64_t addr, const uint8_t *data, size_t len)
{
	struct touch t = { .machine = &s->live->m,
			   .symbols = s->ctx->symbols,
			   .journal = s->ctx->journal,
			   .cpu = s->cpu };
	struct touch_piece *piece;
	size_t said = s->aside.len;
	int err;

	if (!is_plausible(s, addr, data, len))
		return write_plain(s, addr, data, len);
	piece = calloc(len / PAGE + 2, sizeof(*piece));
	if (!piece)
		abort();
	err = begin(s, &t, piece, cut(s, addr, data, len, piece), len <= PATCH_MAX);
	free(piece);
	if (!err)
		err = touch_end(&t, write_plain(s, addr, data, len), &s->aside);
	if (s->verbose && s->aside.len > said)
		fprintf(stderr, "baton: %s", s->aside.data + said);
	return err;
}

void session_say_aside(struct session *s)
{
	struct machine *m = &s->live->m;

	if (s->loaded_tables)
		buf_printf(
			&s->aside,
			"%zu page%s that GDB wrote, as of a `load`, look%s like translation tables "
			"that no regime uses yet: not in the journal\n",
			s->loaded_tables, s->loaded_tables == 1 ? "" : "s",
			s->loaded_tables == 1 ? "s" : "");
	s->loaded_tables = 0;
	s->loaded_last = 0;
	/* GDB sets its breakpoints anew for each step: what has not changed is not said again. */
	if (m->notice.len != s->noticed.len ||
	    (m->notice.len && memcmp(m->notice.data, s->noticed.data, m->notice.len) != 0)) {
		buf_add(&s->aside, m->notice.data, m->notice.len);
		buf_clear(&s->noticed);
		buf_add(&s->noticed, m->notice.data, m->notice.len);
	}
	buf_clear(&m->notice);
	if (s->aside.len)
		client_console(&s->client, s->aside.data, s->aside.len);
	buf_clear(&s->aside);
}
