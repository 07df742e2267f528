/* SPDX-License-Identifier: BSD-2-Clause */
/* Run control: what KVM would not stop at is gone past, what it would not get past stays. */
#include "shim.h"

#include "error.h"
#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 500

unsigned int run_thread(const char *id)
{
	const char *dot = strchr(id, '.');
	unsigned long n;

	if (*id == 'p' && !dot)
		return 0;
	n = strtoul(dot ? dot + 1 : id, NULL, 16);
	return n <= CPUS ? (unsigned int)n : 0; /* "-1" is more */
}

int run_select(struct shim *s, unsigned int cpu)
{
	struct buf reply = { 0 };
	int err = 0;

	if (cpu != s->at_cpu)
		err = wire_ask(&s->w, &reply, "Hgp1.%x", cpu);
	s->at_cpu = cpu;
	buf_free(&reply);
	return err;
}

int run_pc(struct shim *s, unsigned int cpu, uint64_t *pc)
{
	struct buf reply = { 0 };
	uint8_t raw[8];
	int err = run_select(s, cpu);

	*pc = UINT64_MAX;
	if (!err)
		err = wire_ask(&s->w, &reply, "p20");
	if (!err && reply.len == 16 && hex_decode(reply.data, 16, raw) == 0)
		*pc = le_read(raw, 8);
	buf_free(&reply);
	return err;
}

/* Until QEMU says that it stands; what it says on the way, and the client, go through. */
static int wait_stop(struct shim *s, struct buf *reply)
{
	int err = 0;

	while (!err) {
		err = peer_raw(&s->w.client, &s->w.qemu);
		while (!err && peer_take(&s->w.qemu, reply)) {
			if (reply->len == 0 || strchr("TSWXE", reply->data[0]))
				return 0;
			err = peer_packet(&s->w.client, reply->data, reply->len);
		}
		if (!err)
			err = wire_wait(&s->w, true, -1);
	}
	return err;
}

/* One instruction of @cpu alone; one that waits (wfi) is interrupted. */
static int step_past(struct shim *s, unsigned int cpu, uint64_t pc)
{
	struct buf packet = { 0 }, reply = { 0 };
	int err = points_lift(s, pc, false);
	bool done = false;

	buf_printf(&packet, "vCont;s:p1.%x", cpu);
	s->at_cpu = 0;
	if (!err)
		err = peer_packet(&s->w.qemu, packet.data, packet.len);
	for (int tries = 0; !err && !done; tries++) {
		err = wire_wait(&s->w, false, STEP_MS);
		done = peer_take(&s->w.qemu, &reply);
		if (!err && !done)
			err = peer_send(&s->w.qemu, "\x03", 1);
	}
	buf_free(&packet);
	buf_free(&reply);
	return err ? err : points_lift(s, pc, true);
}

/* The CPU that a resume packet steps; 0: none. */
static unsigned int stepped(const struct shim *s, const struct buf *packet)
{
	const char *p = packet->data, *at;
	unsigned int cpu = 0;

	if (*p == 's' || *p == 'S')
		return s->c_cpu;
	at = strstr(p, ";s");
	at = at ? at : strstr(p, ";S");
	if (!at)
		return 0;
	at = strpbrk(at + 1, ":;");
	if (at && *at == ':')
		cpu = run_thread(at + 1);
	return cpu ? cpu : s->c_cpu;
}

static void stopped(struct shim *s, unsigned int cpu)
{
	if (cpu)
		s->g_cpu = s->c_cpu = cpu; /* gdb_set_stop_cpu(), gdbstub/gdbstub.c */
}

/*
 * A step from where a breakpoint lies ends where it began: the trap is in memory, and a
 * Breakpoint exception is taken before the instruction that is to be stepped (DDI 0487,
 * D2.12.5). TCG would go on.
 */
static int stays(struct shim *s, unsigned int cpu, struct buf *reply, bool *done)
{
	uint64_t pc;
	int err = run_pc(s, cpu, &pc);

	*done = false;
	if (!err)
		err = points_stop(s, cpu, pc, done);
	if (err || !*done)
		return err;
	stopped(s, cpu);
	err = wire_ask(&s->w, reply, "Hcp1.%x", cpu);
	buf_clear(reply);
	buf_printf(reply, s->multiprocess ? "T05thread:p01.%02x;" : "T05thread:%02x;", cpu);
	return err;
}

/* A breakpoint of TCG's that KVM's CPU would not have seen. */
static int vain(struct shim *s, const struct buf *reply, bool *again)
{
	const char *thread = strstr(reply->data, "thread:");
	unsigned int cpu = thread ? run_thread(thread + strlen("thread:")) : 0;
	uint64_t pc;
	bool stops;
	int err;

	*again = false;
	if (strncmp(reply->data, "T05", 3) != 0 || strstr(reply->data, "watch:") || !cpu)
		return 0;
	stopped(s, cpu);
	err = run_pc(s, cpu, &pc);
	if (err || !points_at(s, pc))
		return err;
	err = points_stop(s, cpu, pc, &stops);
	*again = !stops;
	return err || stops ? err : step_past(s, cpu, pc);
}

/*
 * What a test wants to know: that a CPU was made to execute it. TLBs are TCG's, which a `tlbi`
 * clears as KVM's; caches TCG has none.
 */
static int tell(struct shim *s, unsigned int cpu)
{
	static const struct {
		uint32_t mask, word;
		const char *name;
	} rows[] = {
		{ 0xfff8f000, 0xd5088000, "tlbi" }, /* CRn 8; DDI 0487, C5.5 */
		{ 0xffffffe0, 0xd50b7a20, "dc cvac" },
		{ 0xffffffff, 0xd508711f, "ic ialluis" },
	};
	uint32_t now = 0;
	uint64_t pc;
	bool ok = false;
	int err = run_pc(s, cpu, &pc);

	if (!err)
		err = point_word(s, cpu, pc, &now, false, &ok);
	for (size_t i = 0; ok && i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((now & rows[i].mask) == rows[i].word)
			printf("executed: %s\n", rows[i].name);
	fflush(stdout);
	return err;
}

int run_resume(struct shim *s, const struct buf *packet)
{
	struct buf reply = { 0 };
	unsigned int cpu = stepped(s, packet);
	bool done = false, again = true;
	int err = points_watch(s);

	if (!err)
		err = run_select(s, s->g_cpu);
	if (!err && cpu)
		err = stays(s, cpu, &reply, &done);
	if (!err && cpu && !done)
		err = tell(s, cpu);
	while (!err && !done && again) {
		again = false;
		err = peer_packet(&s->w.qemu, packet->data, packet->len);
		s->at_cpu = 0;
		if (!err)
			err = wait_stop(s, &reply);
		if (!err && reply.len)
			err = vain(s, &reply, &again);
		again = again && !cpu;
	}
	/*
	 * vcpu_dirty is false once a CPU has run (kvm_cpu_exec(), accel/kvm/kvm-all.c); the
	 * debug exit fetches the registers of the CPU that it stopped (kvm_arm_handle_debug()),
	 * an interrupt none. Nobody should count on it, so here it is none in either case.
	 */
	memset(s->synced, 0, sizeof(s->synced));
	if (!err && reply.len)
		points_name(s, &reply);
	if (!err)
		err = peer_packet(&s->w.client, reply.data, reply.len);
	buf_free(&reply);
	return err;
}
