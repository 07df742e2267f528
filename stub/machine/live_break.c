/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints and watchpoints. TCG has as many as anybody wants, of either kind. Under KVM a
 * software breakpoint is a trap (`brk #0`) that QEMU writes into the guest's memory: it takes
 * a translation, it shows in every read, and whoever copies over it removes it. Hardware
 * breakpoints need none of that and are few. So here a software breakpoint takes hardware
 * while there is some; once there is none it moves into a trap, for the sake of those that
 * cannot be one: because nothing is mapped there, or no code is there yet and what comes would
 * overwrite it. Traps that lie in memory are hidden from our reads.
 */
#include "machine/live.h"

#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t brk[4] = { 0x00, 0x00, 0x20, 0xd4 };

static int ask(struct live *l, bool insert, enum break_type type, uint64_t addr, unsigned int kind)
{
	struct buf reply = { 0 };
	int err = rsp_call(&l->rsp, &reply, "%c%d,%" PRIx64 ",%x", insert ? 'Z' : 'z', type, addr,
			   kind);

	if (!err && strcmp(reply.data, "OK") != 0)
		err = machine_fail(&l->m, reply.len ? -BATON_EREMOTE : -BATON_EUNSUPPORTED,
				   "QEMU refuses to %s a %s at %#" PRIx64 " (%s)",
				   insert ? "set" : "remove",
				   type >= WATCH_WRITE ? "watchpoint" : "breakpoint", addr,
				   reply.len ? reply.data : "not supported");
	buf_free(&reply);
	return err;
}

/* Four bytes as they are, whatever was read before: -BATON_EFAULT where nothing is mapped. */
static int word(struct live *l, bool write, uint64_t addr, uint8_t data[4])
{
	struct buf reply = { 0 };
	int err;

	if (write)
		err = rsp_call(&l->rsp, &reply, "M%" PRIx64 ",4:%02x%02x%02x%02x", addr, data[0],
			       data[1], data[2], data[3]);
	else
		err = rsp_call(&l->rsp, &reply, "m%" PRIx64 ",4", addr);
	if (!err && write && strcmp(reply.data, "OK") != 0)
		err = -BATON_EFAULT;
	else if (!err && !write && (reply.len != 8 || hex_decode(reply.data, 8, data)))
		err = -BATON_EFAULT;
	buf_free(&reply);
	return err;
}

/* QEMU's Z0 goes through the translation of the CPU of `Hc` (7.2) or `Hg` (later ones). */
static int speak_of(struct live *l, unsigned int cpu)
{
	struct buf reply = { 0 };
	int err = live_select(l, cpu);

	if (!err)
		err = rsp_call(&l->rsp, &reply, "Hc%s", l->thread[cpu]);
	buf_free(&reply);
	return err;
}

/* QEMU's own device tree lies where kernels are copied to; @pa in one that is still there. */
static int in_dtb(struct live *l, uint64_t pa, bool *yes)
{
	static const uint8_t magic[4] = { 0xd0, 0x0d, 0xfe, 0xed };
	struct rom *roms = NULL;
	uint8_t now[4];
	size_t n = 0;
	int err = machine_roms(&l->m, &roms, &n);

	*yes = false;
	for (size_t i = 0; !err && !*yes && i < n; i++)
		if (!strncmp(roms[i].name, "dtb", 3) && pa - roms[i].addr < roms[i].size)
			*yes = !live_phys_read(&l->m, roms[i].addr, now, 4) &&
			       !memcmp(now, magic, 4);
	free(roms);
	return err == -BATON_ELINK ? err : 0;
}

/* What is nothing, or a device tree, will be code once something is copied over it. */
static int is_code(struct live *l, const struct live_stop *s)
{
	bool no = le_read(s->saved, 4) == 0;
	int err = no ? 0 : in_dtb(l, s->pa, &no);

	return no ? machine_fail(&l->m, -BATON_EFAULT, "no code is there yet") : err;
}

/*
 * Speak of the CPU that was stopped, or of any whose tables map the address, too: they may be at
 * odds. @there: to s->pa; else wherever, which is then s->pa.
 */
static int speak_of_any(struct live *l, struct live_stop *s, bool there)
{
	int err = -BATON_EFAULT;

	for (unsigned int i = 0; i < l->m.cpus && err == -BATON_EFAULT; i++) {
		unsigned int cpu = (l->m.cpu + i) % l->m.cpus;
		uint64_t pa = 0;

		err = live_where(l, cpu, s->addr, &pa);
		if (!err && there && pa != s->pa)
			err = -BATON_EFAULT;
		if (!err)
			err = speak_of(l, cpu);
		if (!err && !there)
			err = word(l, false, s->addr, s->saved);
		if (!err)
			s->pa = pa;
	}
	return err == -BATON_EFAULT ? machine_fail(&l->m, err, "nothing is mapped there") : err;
}

/*
 * Where QEMU has lost a trap it goes on counting it, and a new one at its place is `OK`
 * without being written: so it is looked at.
 */
static int trap_set(struct live *l, struct live_stop *s)
{
	uint8_t now[4];
	int err = speak_of_any(l, s, false);

	if (!err)
		err = is_code(l, s);
	if (!err)
		err = ask(l, true, BREAK_SOFT, s->addr, 4);
	if (err)
		return err;
	err = word(l, false, s->addr, now);
	if (!err && memcmp(now, brk, sizeof(brk)) != 0) {
		(void)ask(l, false, BREAK_SOFT, s->addr, 4);
		err = machine_fail(&l->m, -BATON_EVERIFY,
				   "QEMU did not write the trap at %#" PRIx64, s->addr);
	}
	s->trap = !err;
	return err;
}

/*
 * QEMU removes no trap that was overwritten, nor one whose page is gone: the first is laid
 * there again for the moment, the second is taken out of the memory that it is in.
 */
static int trap_clear(struct live *l, struct live_stop *s)
{
	uint8_t now[4], trap[4];
	int err = speak_of_any(l, s, true);

	if (err == -BATON_EFAULT)
		err = speak_of(l, l->m.cpu);
	if (!err)
		err = ask(l, false, BREAK_SOFT, s->addr, 4);
	/* QEMU put back what it found: that is not what has come there since */
	if (!err && s->copied)
		err = word(l, true, s->addr, s->saved);
	if (err != -BATON_EREMOTE)
		return err;
	memcpy(trap, brk, sizeof(trap));
	err = word(l, false, s->addr, now);
	if (!err && memcmp(now, brk, sizeof(brk)) != 0) {
		err = word(l, true, s->addr, trap);
		if (!err)
			err = ask(l, false, BREAK_SOFT, s->addr, 4);
		return err ? err : word(l, true, s->addr, now);
	}
	s->trap = false; /* shown, to be found */
	err = live_phys_read(&l->m, s->pa, now, sizeof(now));
	if (!err && memcmp(now, brk, sizeof(brk)) == 0)
		err = live_phys_write(&l->m, s->pa, s->saved, sizeof(s->saved));
	return err;
}

static struct live_stop *find(struct live *l, enum break_type type, uint64_t addr)
{
	for (size_t i = 0; i < l->stop_count; i++)
		if (l->stops[i].asked == type && l->stops[i].addr == addr)
			return &l->stops[i];
	return NULL;
}

/* One hardware breakpoint is enough for whoever wants one there, of either type; but @not. */
static bool in_hardware(const struct live *l, uint64_t addr, const struct live_stop * not )
{
	for (size_t i = 0; i < l->stop_count; i++)
		if (&l->stops[i] != not &&l->stops[i].addr == addr && !l->stops[i].trap)
			return true;
	return false;
}

/* One that can be a trap becomes one. */
static int make_room(struct live *l)
{
	int err = -BATON_EREMOTE;

	for (size_t i = 0; i < l->stop_count && err != -BATON_ELINK; i++) {
		struct live_stop *s = &l->stops[i];

		if (s->asked != BREAK_SOFT || s->trap || in_hardware(l, s->addr, s))
			continue;
		err = trap_set(l, s);
		if (!err)
			return ask(l, false, BREAK_HARD, s->addr, 4);
	}
	return err;
}

/* Why there is none left, with what took them. @why: why it cannot be a trap, or "" */
static int exhausted(struct live *l, uint64_t addr, const char *why)
{
	char list[192];
	size_t at = 0;
	unsigned int n = 0;

	list[0] = 0;
	for (size_t i = 0; i < l->stop_count; i++) {
		const struct live_stop *s = &l->stops[i];
		const char *whose = machine_break_whose(&l->m, s->addr);

		if (s->trap || (s->asked == BREAK_HARD && find(l, BREAK_SOFT, s->addr)))
			continue;
		n++;
		if (at + 40 < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%#" PRIx64 "%s%s",
					       at ? ", " : "", s->addr, *whose ? " " : "", whose);
	}
	return machine_fail(&l->m, -BATON_ETOOBIG,
			    "KVM has no hardware breakpoint left for %#" PRIx64
			    "%s%s%s: %u of ours are at %s",
			    addr, *why ? " (" : "", why, *why ? ")" : "", n, n ? list : "none");
}

static int insert_kvm(struct live *l, enum break_type type, uint64_t addr)
{
	struct live_stop s = { .asked = type, .addr = addr };
	char why[sizeof(l->m.error)] = "";
	int err = in_hardware(l, addr, NULL) ? 0 : ask(l, true, BREAK_HARD, addr, 4);

	if (err == -BATON_EREMOTE && type == BREAK_SOFT) {
		err = trap_set(l, &s);
		if (err == -BATON_EFAULT)
			snprintf(why, sizeof(why), "%s", l->m.error);
	}
	if (err && err != -BATON_ELINK) {
		err = l->spare ? err : make_room(l);
		if (!err)
			err = ask(l, true, BREAK_HARD, addr, 4);
		if (err && err != -BATON_ELINK)
			err = exhausted(l, addr, why);
	}
	if (err)
		return err;
	l->stops = realloc(l->stops, (l->stop_count + 1) * sizeof(*l->stops));
	if (!l->stops)
		abort();
	l->stops[l->stop_count++] = s;
	return 0;
}

static int remove_kvm(struct live *l, enum break_type type, uint64_t addr)
{
	struct live_stop *s = find(l, type, addr);
	int err = 0;

	if (!s)
		return ask(l, false, type, addr, 4);
	if (s->trap) {
		err = trap_clear(l, s);
		l->m.generation++; /* lines that were read have the trap */
	} else if (!in_hardware(l, addr, s)) {
		err = ask(l, false, BREAK_HARD, addr, 4);
	}
	*s = l->stops[--l->stop_count];
	return err;
}

int live_stop_point(struct machine *m, bool insert, enum break_type type, uint64_t addr,
		    unsigned int kind)
{
	struct live *l = live_of(m);
	int err;

	if (m->accel != ACCEL_KVM)
		return ask(l, insert, type, addr, kind);
	if (type <= BREAK_HARD)
		return insert ? insert_kvm(l, type, addr) : remove_kvm(l, type, addr);
	err = ask(l, insert, type, addr, kind);
	if (err == -BATON_EREMOTE && insert && kind > 8 && (kind & (kind - 1)))
		err = machine_fail(m, -BATON_ETOOBIG,
				   "KVM watches up to 8 bytes, or a power of two: not %u", kind);
	else if (err == -BATON_EREMOTE && insert)
		err = machine_fail(m, -BATON_ETOOBIG, "KVM has no watchpoint left for %#" PRIx64,
				   addr);
	return err;
}

static struct live_stop *trap_at(struct live *l, size_t i)
{
	for (size_t k = 0; k < l->stop_count; k++)
		if (l->stops[k].trap && !i--)
			return &l->stops[k];
	return NULL;
}

bool live_trap(struct machine *m, size_t i, struct machine_trap *out)
{
	const struct live_stop *s = trap_at(live_of(m), i);

	if (s)
		*out = (struct machine_trap){ s->pa, (uint32_t)le_read(s->saved, 4) };
	return s;
}

int live_trap_copied(struct machine *m, size_t i, uint64_t pa)
{
	struct live *l = live_of(m);
	const struct live_stop *s = trap_at(l, i);
	struct live_stop *there = NULL;
	uint8_t now[4];
	int err;

	if (!s)
		return 0;
	for (size_t k = 0; k < l->stop_count; k++)
		if (l->stops[k].trap && l->stops[k].pa == pa)
			there = &l->stops[k];
	if (there)
		there->trap = false; /* shown, to be found */
	err = live_phys_read(m, pa, now, sizeof(now));
	if (there)
		there->trap = true;
	if (err || memcmp(now, brk, sizeof(brk)) != 0)
		return err;
	/* One that is a stop itself stays one, of what has come there. */
	if (there) {
		memcpy(there->saved, s->saved, sizeof(there->saved));
		there->copied = true;
	} else {
		err = live_phys_write(m, pa, s->saved, sizeof(s->saved));
	}
	return err ? err : 1;
}

void live_hide_traps(const struct live *l, uint64_t pa, uint8_t *data, size_t len)
{
	for (size_t i = 0; i < l->stop_count; i++) {
		const struct live_stop *s = &l->stops[i];
		uint64_t at = s->pa;
		uint64_t from = at > pa ? at : pa;
		uint64_t to = at + 4 < pa + len ? at + 4 : pa + len;

		if (s->trap && from < to &&
		    memcmp(data + (from - pa), brk + (from - at), to - from) == 0)
			memcpy(data + (from - pa), s->saved + (from - at), to - from);
	}
}
