/* SPDX-License-Identifier: BSD-2-Clause */
/* Run control: resume, wait, interrupt (GDB manual, E.2 and E.3). */
#include "machine/live.h"

#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_TIMEOUT_MS 2000
#define HALT_TIMEOUT_MS 10000

int live_cpu_of_thread(const struct live *l, const char *thread)
{
	uint64_t id;

	/* "p1.2" is process 1, thread 2; QEMU pads with zeros, GDB does not. */
	if (thread[0] == 'p') {
		thread = strchr(thread, '.');
		if (!thread)
			return -BATON_ENOTFOUND;
		thread++;
	}
	if (hex_u64(&thread, &id))
		return -BATON_ENOTFOUND;
	for (unsigned int cpu = 0; cpu < l->m.cpus; cpu++) {
		const char *mine = l->thread[cpu];
		uint64_t have;

		if (mine[0] == 'p') {
			mine = strchr(mine, '.');
			if (!mine)
				continue;
			mine++;
		}
		if (hex_u64(&mine, &have) == 0 && have == id)
			return (int)cpu;
	}
	return -BATON_ENOTFOUND;
}

void live_stop_parse(const struct live *l, const struct buf *packet, struct machine_stop *stop)
{
	const char *p = packet->data ? packet->data : "";
	const char *thread;
	uint8_t signal;

	if (&stop->packet != packet) {
		buf_clear(&stop->packet);
		buf_add(&stop->packet, p, packet->len);
	}
	stop->kind = STOP_SIGNAL;
	stop->signal = 0;
	if (*p == 'W' || *p == 'X')
		stop->kind = STOP_EXITED;
	if (packet->len >= 3 && hex_decode(p + 1, 2, &signal) == 0)
		stop->signal = signal;
	thread = *p == 'T' ? strstr(p, "thread:") : NULL;
	if (thread) {
		int cpu = live_cpu_of_thread(l, thread + strlen("thread:"));

		if (cpu >= 0)
			stop->cpu = (unsigned int)cpu;
	}
}

static bool is_stop(const struct buf *packet)
{
	return packet->len && strchr("TSWX", packet->data[0]);
}

/* Semihosting with nobody to serve it: "not implemented" (errno 88 is 0x58). */
static int refuse_request(struct live *l)
{
	int err;

	l->rsp.running = false;
	err = rsp_send(&l->rsp, "F-1,58", 6);
	l->rsp.running = true;
	return err;
}

/* Neither a stop nor anything on the way to one: QEMU did not take the packet. */
static int refused(struct live *l, const struct buf *packet)
{
	l->rsp.running = false;
	return machine_fail(&l->m, packet->len ? -BATON_EREMOTE : -BATON_EUNSUPPORTED,
			    "QEMU refuses to run so (%s)",
			    packet->len ? packet->data : "not supported");
}

/* Wait for the stop reply; console output and file requests on the way go to whoever is there. */
static int wait_stop(struct live *l, int timeout_ms, struct buf *packet)
{
	int64_t end = loop_now() + timeout_ms;

	for (;;) {
		int64_t left = timeout_ms < 0 ? -1 : end - loop_now();
		int err = rsp_receive(&l->rsp, left < 0 && timeout_ms >= 0 ? 0 : (int)left, packet);

		if (err)
			return err;
		if (is_stop(packet))
			return 0;
		if (packet->len == 0 || packet->data[0] == 'E')
			return refused(l, packet);
		if (l->hooks.aside)
			l->hooks.aside(l->hooks.ctx, packet);
		else if (packet->data[0] == 'F')
			err = refuse_request(l);
		if (err)
			return err;
	}
}

static int finish(struct live *l, struct machine_stop *stop, struct buf *packet, bool timed_out)
{
	struct machine_stop *last = &l->m.last_stop;
	bool user = l->hooks.interrupted && l->hooks.interrupted(l->hooks.ctx);

	l->by_user = user;
	l->rsp.running = false;
	machine_changed(&l->m);
	live_stop_parse(l, packet, last);
	/* A breakpoint or a step selects the CPU that it stopped, an interrupt selects none. */
	l->hg = l->m.cpus == 1 ? 0 : -1;
	/* SIGINT is how an interrupt ends; a breakpoint may have been faster. */
	if (last->kind == STOP_SIGNAL && last->signal == 2)
		last->kind = user ? STOP_INTERRUPT : timed_out ? STOP_TIMEOUT : STOP_SIGNAL;
	l->m.cpu = last->cpu;
	if (stop && stop != last) {
		struct buf keep = stop->packet;

		*stop = *last;
		stop->packet = keep;
		buf_clear(&stop->packet);
		buf_add(&stop->packet, last->packet.data, last->packet.len);
	}
	return last->kind == STOP_EXITED ? machine_fail(&l->m, -BATON_ELINK, "the guest is gone")
					 : 0;
}

static int start(struct live *l, const void *packet, size_t len)
{
	int err = rsp_send(&l->rsp, packet, len);

	machine_changed(&l->m);
	if (!err)
		l->rsp.running = true;
	return err;
}

static int interrupt(struct live *l, struct buf *reply)
{
	int err = rsp_interrupt(&l->rsp);

	if (!err)
		err = wait_stop(l, HALT_TIMEOUT_MS, reply);
	return err == -BATON_ETIMEDOUT ? rsp_lose(&l->rsp, "QEMU does not stop") : err;
}

/* What runs will stop, or is interrupted. */
static int run_out(struct live *l, int timeout_ms, struct machine_stop *stop)
{
	struct buf reply = { 0 };
	bool timed_out = false;
	int err = wait_stop(l, timeout_ms, &reply);

	if (err == -BATON_ETIMEDOUT) {
		timed_out = true;
		err = interrupt(l, &reply);
	}
	if (!err)
		err = finish(l, stop, &reply, timed_out);
	buf_free(&reply);
	return err;
}

static bool interrupt_waits(const struct live *l)
{
	return l->hooks.interrupt_waits && l->hooks.interrupt_waits(l->hooks.ctx);
}

static int run(struct live *l, const void *packet, size_t len, int timeout_ms,
	       struct machine_stop *stop)
{
	int err = start(l, packet, len);

	if (!err && interrupt_waits(l))
		err = rsp_interrupt(&l->rsp);
	return err ? err : run_out(l, timeout_ms, stop);
}

/* "c", "vCont;c" and the like, not a step of anybody's. */
static bool is_free(const char *packet)
{
	return *packet == 'c' || *packet == 'C' ||
	       (!strncmp(packet, "vCont;", 6) && !strstr(packet, ";s") && !strstr(packet, ";S"));
}

/* Over a breakpoint that is not there any more, and on. */
static int go_on(struct live *l, struct machine_stop *stop)
{
	int err = live_step(&l->m, l->m.last_stop.cpu, 0, stop);

	return err == -BATON_ETIMEDOUT ? 0 : err;
}

int live_run(struct live *l, const void *packet, size_t len, int timeout_ms,
	     struct machine_stop *stop)
{
	int64_t end = loop_now() + timeout_ms;
	bool again = is_free(packet);

	if (!again)
		return run(l, packet, len, timeout_ms, stop);
	for (int err = 0;;) {
		int64_t left = timeout_ms < 0 ? -1 : end - loop_now();
		int off;

		err = live_reset_watch(l, true);
		if (!err)
			err = run(l, packet, len, left < 0 && timeout_ms >= 0 ? 0 : (int)left,
				  stop);
		if (!err)
			err = live_reset_seen(l, &again);
		off = err == -BATON_ELINK ? 0 : live_reset_watch(l, false);
		err = err ? err : off;
		if (err || !again)
			return err;
		err = go_on(l, stop);
		if (err)
			return err;
	}
}

int live_start(struct live *l)
{
	return start(l, "vCont;c", 7);
}

int live_halt(struct live *l, struct machine_stop *stop)
{
	struct buf reply = { 0 };
	int err;

	if (!l->rsp.running)
		return 0;
	err = interrupt(l, &reply);
	if (!err)
		err = finish(l, stop, &reply, true);
	buf_free(&reply);
	return err;
}

int live_unattended(struct live *l, const struct buf *packet)
{
	if (packet->len && packet->data[0] == 'F')
		return refuse_request(l);
	if (!is_stop(packet))
		return 0;
	l->rsp.running = false;
	l->hg = -1;
	machine_changed(&l->m);
	live_stop_parse(l, packet, &l->m.last_stop);
	l->m.cpu = l->m.last_stop.cpu;
	return 0;
}

int live_resume(struct machine *m, int timeout_ms, struct machine_stop *stop)
{
	return live_run(live_of(m), "vCont;c", 7, timeout_ms, stop);
}

/* A step that did not end is an error. */
static int stepped(struct live *l, unsigned int cpu)
{
	if (l->m.last_stop.kind != STOP_TIMEOUT)
		return 0;
	l->m.cpu = cpu;
	return machine_fail(&l->m, -BATON_ETIMEDOUT,
			    "CPU %u does not step: powered off, or waiting (wfi)", cpu);
}

int live_step(struct machine *m, unsigned int cpu, int timeout_ms, struct machine_stop *stop)
{
	struct live *l = live_of(m);
	char packet[48];
	int n, err;

	if (cpu >= m->cpus)
		return machine_fail(m, -BATON_ENOTFOUND, "there is no CPU %u (0 to %u)", cpu,
				    m->cpus - 1);
	n = snprintf(packet, sizeof(packet), "vCont;s:%s", l->thread[cpu]);
	/* A CPU must not be left in code that is ours. */
	l->rsp.brief = m->moments > 0;
	err = live_run(l, packet, (size_t)n, timeout_ms > 0 ? timeout_ms : STEP_TIMEOUT_MS, stop);
	l->rsp.brief = false;
	return err ? err : stepped(l, cpu);
}

/* The answers to what went out before the step: that CPU is selected, its registers. */
static int looked(struct live *l, bool select, uint64_t core[CORE_COUNT])
{
	struct buf answer = { 0 };
	int err = select ? rsp_receive(&l->rsp, RSP_TIMEOUT_MS, &answer) : 0;
	bool ok = !err && (!select || strcmp(answer.data ? answer.data : "", "OK") == 0);

	if (!err)
		err = rsp_receive(&l->rsp, RSP_TIMEOUT_MS, &answer);
	if (err == -BATON_ETIMEDOUT)
		err = rsp_lose(&l->rsp, "QEMU stopped answering");
	ok = !err && ok && live_core(l, &answer, core);
	buf_free(&answer);
	return err || ok ? err : -BATON_EREMOTE;
}

/*
 * QEMU answers one after the other what comes in one write, up to what makes the machine
 * run: so a look at the registers costs no exchange of its own.
 */
static int look_and_step(struct live *l, unsigned int cpu, uint64_t core[CORE_COUNT])
{
	bool select = l->hg != (int)cpu;
	char packet[48];
	int n = snprintf(packet, sizeof(packet), "Hg%s", l->thread[cpu]);
	int look, err = select ? rsp_send_with_next(&l->rsp, packet, (size_t)n) : 0;

	if (!err)
		err = rsp_send_with_next(&l->rsp, "g", 1);
	n = snprintf(packet, sizeof(packet), "vCont;s:%s", l->thread[cpu]);
	if (!err)
		err = start(l, packet, (size_t)n);
	if (err)
		return err;
	look = looked(l, select, core);
	if (look == -BATON_ELINK)
		return look;
	err = run_out(l, STEP_TIMEOUT_MS, NULL);
	if (!err && look)
		err = machine_fail(&l->m, look, "QEMU does not give the registers of CPU %u", cpu);
	return err ? err : stepped(l, cpu);
}

int live_look_step(struct machine *m, unsigned int cpu, uint64_t core[CORE_COUNT])
{
	struct live *l = live_of(m);
	int err;

	if (cpu >= m->cpus || l->g[cpu].len) {
		err = machine_look(m, cpu, core);
		if (!err)
			err = live_step(m, cpu, 0, NULL);
	} else {
		err = look_and_step(l, cpu, core);
	}
	/* Between two steps an interrupt finds nothing that it could stop. */
	if (!err && l->by_user && m->last_stop.kind == STOP_SIGNAL)
		m->last_stop.kind = STOP_INTERRUPT;
	return err;
}
