/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU says of itself, in the words of its monitor: the accelerator, the memory
 * map, what was laid into memory at reset. Text made for people, so read with care:
 * a line that is not understood is passed over, and no map at all is an error.
 */
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum ram_kind kind_of(const char *type)
{
	if (strcmp(type, "ram") == 0)
		return RAM_RAM;
	return strcmp(type, "rom") == 0 || strcmp(type, "romd") == 0 ? RAM_ROM : RAM_IO;
}

/* "  0000000008000000-0000000008000fff (prio 0, i/o): gic_dist" */
static bool parse_range(const char *line, struct ram_range *r)
{
	char type[16];
	int at = 0;

	*r = (struct ram_range){ 0 };
	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " (prio %*d, %15[^)]): %n", &r->first, &r->last,
		   type, &at) != 3 ||
	    !at || r->last < r->first)
		return false;
	r->kind = kind_of(type);
	snprintf(r->name, sizeof(r->name), "%s", line + at);
	r->name[strcspn(r->name, "\r\n@")] = 0;
	for (size_t n = strlen(r->name); n && r->name[n - 1] == ' '; n--)
		r->name[n - 1] = 0;
	return true;
}

static void add_range(struct ram_range **list, size_t *n, const struct ram_range *r)
{
	if (*n && r->first <= (*list)[*n - 1].last)
		return; /* not ascending: not the list that we know */
	*list = realloc(*list, (*n + 1) * sizeof(**list));
	if (!*list)
		abort();
	(*list)[(*n)++] = *r;
}

/* Of the secure view: memory alone, and only what the other one has not. */
static void keep_secure(struct machine *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->secure_count; i++)
		if (m->secure[i].kind != RAM_IO && !machine_ram_find(m, m->secure[i].first))
			m->secure[n++] = m->secure[i];
	m->secure_count = n;
}

/*
 * `info mtree -f` lists views, each with the address spaces that see it and then its
 * ranges in ascending order. Wanted are what the first CPU sees, and what it sees besides in
 * Secure state.
 */
static int parse_map(struct machine *m, char *text)
{
	bool ours = false, secure = false;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct ram_range r;

		if (strncmp(line, "FlatView", 8) == 0) {
			ours = secure = false;
		} else if (strstr(line, "AS \"cpu-secure-memory-0\"")) {
			secure = true;
		} else if (strstr(line, "AS \"cpu-memory-0\"") || strstr(line, "AS \"memory\"")) {
			ours = !m->ram_count;
		} else if ((ours || secure) && parse_range(line, &r)) {
			if (ours)
				add_range(&m->ram, &m->ram_count, &r);
			else
				add_range(&m->secure, &m->secure_count, &r);
		}
	}
	keep_secure(m);
	return m->ram_count
		       ? 0
		       : machine_fail(
				 m, -BATON_EPROTO,
				 "`info mtree -f` shows no memory of the CPU's: is this QEMU?");
}

int machine_probe(struct machine *m)
{
	struct buf text = { 0 };
	int err = machine_query(m, "info mtree -f", &text);

	if (!err)
		err = parse_map(m, text.data ? text.data : (char[]){ "" });
	buf_clear(&text);
	if (!err)
		err = machine_query(m, "info kvm", &text);
	if (!err && text.len)
		m->accel = strstr(text.data, "enabled") ? ACCEL_KVM : ACCEL_TCG;
	buf_free(&text);
	return err;
}

int machine_roms(struct machine *m, struct rom **roms, size_t *n)
{
	struct buf text = { 0 };
	char *save = NULL;
	int err;

	*roms = NULL;
	*n = 0;
	if (m->ops->roms)
		return m->ops->roms(m, roms, n);
	err = machine_query(m, "info roms", &text);
	for (char *line = err || !text.len ? NULL : strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct rom r;

		/* addr=0000000040000000 size=0x100000 mem=ram name="dtb" */
		if (sscanf(line, " addr=%" SCNx64 " size=0x%" SCNx64 " mem=%*s name=\"%127[^\"]\"",
			   &r.addr, &r.size, r.name) != 3)
			continue;
		*roms = realloc(*roms, (*n + 1) * sizeof(**roms));
		if (!*roms)
			abort();
		(*roms)[(*n)++] = r;
	}
	buf_free(&text);
	return err;
}
