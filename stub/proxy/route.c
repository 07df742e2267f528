/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each of GDB's packets means here (GDB manual, E.2 "Packets" and E.4 "General
 * Query Packets"). One row a packet; what has no row is passed on as it is.
 */
#include "proxy/route.h"

#include "handoff/run.h"
#include "hex.h"
#include "patch/touch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KILL_TIMEOUT_MS 1000

static int forward(struct session *s, struct buf *packet, const char *rest)
{
	struct buf reply = { 0 };
	int err = live_forward(s->live, s->cpu, packet->data, packet->len, &reply);

	(void)rest;
	/* Nothing but a query leaves the machine, and what QEMU has selected, for certain. */
	if (packet->len && packet->data[0] != 'q') {
		machine_changed(&s->live->m);
		s->live->hg = -1;
	}
	if (!err)
		client_send(&s->client, reply.data, reply.len);
	buf_free(&reply);
	return err ? session_error(s, err) : 0;
}

int route_forward(struct session *s, struct buf *packet, const char *rest)
{
	struct buf reply = { 0 };
	int err = live_forward(s->live, s->cpu, packet->data, packet->len, &reply);

	(void)rest;
	if (!err)
		client_send(&s->client, reply.data, reply.len);
	buf_free(&reply);
	return err ? session_error(s, err) : 0;
}

static int not_supported(struct session *s, struct buf *packet, const char *rest)
{
	(void)packet;
	(void)rest;
	client_text(&s->client, "");
	return 0;
}

/* Opening */

static int supported(struct session *s, struct buf *packet, const char *rest)
{
	struct buf reply = { 0 };
	char *save = NULL, *features = strdup(s->live->features.data);

	(void)packet;
	(void)rest;
	if (!features)
		abort();
	/* QEMU's features, but for the size: long packets are cut into QEMU's pieces here. */
	buf_printf(&reply, "PacketSize=%x", CLIENT_PACKET_SIZE);
	for (char *f = strtok_r(features, ";", &save); f; f = strtok_r(NULL, ";", &save)) {
		if (strncmp(f, "PacketSize=", 11) != 0)
			buf_printf(&reply, ";%s", f);
	}
	free(features);
	client_send(&s->client, reply.data, reply.len);
	buf_free(&reply);
	return 0;
}

struct telling {
	struct session *s;
	bool done;
};

static void tell_stop(void *ctx)
{
	struct telling *t = ctx;
	struct session *s = t->s;
	const struct machine_stop *stop = &s->live->m.last_stop;
	struct buf reply = { 0 };

	t->done = true;
	if (stop->packet.len)
		buf_add(&reply, stop->packet.data, stop->packet.len);
	else
		buf_puts(&reply, "S05");
	if (s->client.connected && reply.data[0] == 'T')
		live_expedite(s->live, stop->cpu, &reply);
	client_send(&s->client, reply.data, reply.len);
	buf_free(&reply);
}

static void send_stop(struct session *s)
{
	const struct machine_stop *stop = &s->live->m.last_stop;
	struct telling telling = { s, false };

	s->cpu = stop->cpu;
	if (s->client.connected && stop->kind != STOP_EXITED)
		live_stopped(s->live, stop->cpu, tell_stop, &telling);
	if (!telling.done)
		tell_stop(&telling);
	/* While GDB looks at it. */
	if (s->client.connected && stop->kind != STOP_EXITED)
		live_foresee(s->live, stop->cpu);
	client_await(&s->client);
}

/*
 * To QEMU `?` means "delete all breakpoints", ours among them: it never gets there. The
 * answer is QEMU's: SIGTRAP, whatever the reason was.
 */
static int why_stopped(struct session *s, struct buf *packet, const char *rest)
{
	int err = machine_break_clear(&s->live->m, BREAK_GDB);
	char reply[48];

	(void)packet;
	(void)rest;
	if (!err)
		err = alias_lift(s);
	if (err)
		return session_error(s, err);
	s->cpu = s->live->m.last_stop.cpu;
	snprintf(reply, sizeof(reply), "T05thread:%s;", s->live->thread[s->cpu]);
	client_text(&s->client, reply);
	return 0;
}

/* Threads */

/* 0 is any thread, -1 all of them; `p1` without a thread is all of process 1. */
static bool is_any_thread(const char *id)
{
	const char *dot = strchr(id, '.');

	if (*id == 'p' && !dot)
		return true;
	id = dot ? dot + 1 : id;
	return strcmp(id, "-1") == 0 || (*id && id[strspn(id, "0")] == 0);
}

static int select_thread(struct session *s, struct buf *packet, const char *rest)
{
	/* Where any will do, the one that we have does. */
	int cpu = is_any_thread(rest) ? (int)s->cpu : live_cpu_of_thread(s->live, rest);

	(void)packet;
	if (cpu < 0)
		return session_error(s, -BATON_EINVAL);
	s->cpu = (unsigned int)cpu;
	client_text(&s->client, "OK");
	return 0;
}

static int current_thread(struct session *s, struct buf *packet, const char *rest)
{
	char reply[32];

	if (*rest)
		return route_forward(s, packet, rest); /* qCRC */
	snprintf(reply, sizeof(reply), "QC%s", s->live->thread[s->cpu]);
	client_text(&s->client, reply);
	return 0;
}

static int thread_alive(struct session *s, struct buf *packet, const char *rest)
{
	(void)packet;
	if (live_cpu_of_thread(s->live, rest) < 0)
		return session_error(s, -BATON_EINVAL);
	client_text(&s->client, "OK");
	return 0;
}

static int threads_first(struct session *s, struct buf *packet, const char *rest)
{
	struct buf reply = { 0 };

	(void)packet;
	(void)rest;
	for (unsigned int cpu = 0; cpu < s->live->m.cpus; cpu++)
		buf_printf(&reply, "%c%s", cpu ? ',' : 'm', s->live->thread[cpu]);
	client_send(&s->client, reply.data, reply.len);
	buf_free(&reply);
	return 0;
}

static int threads_more(struct session *s, struct buf *packet, const char *rest)
{
	(void)packet;
	(void)rest;
	client_text(&s->client, "l");
	return 0;
}

int route_address_length(const char **rest, uint64_t *addr, uint64_t *len)
{
	int err = hex_u64(rest, addr);

	if (!err && **rest != ',')
		err = -BATON_EINVAL;
	if (!err) {
		++*rest;
		err = hex_u64(rest, len);
	}
	return err ? -BATON_EINVAL : 0;
}

/* Memory */

static int read_memory(struct session *s, struct buf *packet, const char *rest)
{
	struct machine *m = &s->live->m;
	uint64_t addr, len;
	struct buf reply = { 0 };
	uint8_t *data;
	int err = route_address_length(&rest, &addr, &len);

	(void)packet;
	if (err || *rest || len > CLIENT_PACKET_SIZE / 2)
		return session_error(s, -BATON_EINVAL);
	data = malloc(len + 1);
	if (!data)
		abort();
	err = s->phys ? machine_phys_read(m, addr, data, len)
		      : machine_virt_read(m, s->cpu, addr, data, len);
	if (!err) {
		hex_encode(&reply, data, len);
		client_send(&s->client, reply.data, reply.len);
	}
	buf_free(&reply);
	free(data);
	return err ? session_error(s, err) : 0;
}

static int write_memory(struct session *s, struct buf *packet, const char *rest)
{
	struct machine *m = &s->live->m;
	size_t given;
	uint64_t addr, len;
	uint8_t *data;
	int err = route_address_length(&rest, &addr, &len);

	if (err || *rest != ':')
		return session_error(s, -BATON_EINVAL);
	rest++;
	given = packet->len - (size_t)(rest - packet->data);
	data = malloc(given + 1);
	if (!data)
		abort();
	if (packet->data[0] == 'M') {
		err = hex_decode(rest, given, data);
		given /= 2;
	} else {
		memcpy(data, rest, given);
	}
	if (err || given != len)
		err = -BATON_EINVAL;
	/* QEMU says OK to a physical write where nothing is. */
	else if (s->phys && !m->allow_mmio && !machine_is_ram(m, addr, len, true))
		err = machine_fail(m, -BATON_ERANGE, "physical %#" PRIx64 ": no memory", addr);
	else if (len)
		err = session_write(s, addr, data, len);
	free(data);
	if (err)
		return session_error(s, err);
	client_text(&s->client, "OK");
	return 0;
}

/* Physical mode outlives the connection at QEMU: it is kept here, per GDB. */
static int physical_mode(struct session *s, struct buf *packet, const char *rest)
{
	(void)packet;
	if (strcmp(rest, "0") != 0 && strcmp(rest, "1") != 0)
		return session_error(s, -BATON_EINVAL);
	s->phys = *rest == '1';
	client_text(&s->client, "OK");
	return 0;
}

static int physical_mode_query(struct session *s, struct buf *packet, const char *rest)
{
	(void)packet;
	(void)rest;
	client_text(&s->client, s->phys ? "1" : "0");
	return 0;
}

/* Breakpoints */

static int stop_point(struct session *s, struct buf *packet, const char *rest)
{
	struct machine *m = &s->live->m;
	uint64_t addr, kind;
	int type = *rest - '0', err;

	if (type < BREAK_SOFT || type > WATCH_ACCESS || rest[1] != ',')
		return not_supported(s, packet, rest);
	rest += 2;
	err = route_address_length(&rest, &addr, &kind);
	if (err || kind > UINT32_MAX)
		return session_error(s, -BATON_EINVAL);
	if (packet->data[0] == 'Z')
		err = machine_break_add(m, BREAK_GDB, (enum break_type)type, addr,
					(unsigned int)kind);
	else
		err = machine_break_remove(m, BREAK_GDB, (enum break_type)type, addr,
					   (unsigned int)kind);
	if (err == -BATON_EUNSUPPORTED)
		return not_supported(s, packet, rest);
	if (err)
		return session_error(s, err);
	client_text(&s->client, "OK");
	return 0;
}

/* Running */

/* A plain "go on", for all CPUs: the moment when an armed handoff takes over. */
static bool is_continue(const struct buf *packet)
{
	const char *p = packet->data;

	return strcmp(p, "c") == 0 ||
	       (strncmp(p, "vCont;c", 7) == 0 && !strstr(p, ";s") && !strstr(p, ";S"));
}

static int run(struct session *s, const struct buf *packet)
{
	struct sink sink = session_sink(s);
	bool again = false;
	int err;

	do {
		if (handoff_armed(s->ctx->handoff) && is_continue(packet)) {
			s->live->m.cpu = s->cpu;
			err = handoff_continue(s->ctx, &sink, NULL);
		} else {
			err = live_run(s->live, packet->data, packet->len, -1, NULL);
		}
		if (!err)
			err = alias_seen(s, &again);
	} while (!err && again);
	/* Where they are few they are first GDB's. */
	if (!err && s->live->m.accel != ACCEL_TCG)
		err = alias_lift(s);
	return err;
}

static int resume(struct session *s, struct buf *packet, const char *rest)
{
	int err;

	(void)rest;
	if (!s->client.connected) {
		/* "Go on" was the last that it said. */
		s->was_running = true;
		return 0;
	}
	client_ack(&s->client);
	s->resuming = true;
	err = machine_break_retry(&s->live->m);
	if (!err)
		err = is_continue(packet) ? alias_plant(s) : alias_lift(s);
	session_say_aside(s);
	pseudo_forget(&s->pseudo, s->live);
	if (!err)
		err = run(s, packet);
	s->resuming = s->client.interrupt = false;
	if (err == -BATON_EUNSUPPORTED)
		return not_supported(s, packet, rest);
	if (err == -BATON_EREMOTE)
		return session_error(s, err);
	if (err == -BATON_ELINK && s->live->m.last_stop.kind != STOP_EXITED)
		return err;
	send_stop(s);
	return err == -BATON_ELINK ? err : 0;
}

static int resume_kinds(struct session *s, struct buf *packet, const char *rest)
{
	(void)packet;
	(void)rest;
	client_text(&s->client, "vCont;c;C;s;S");
	return 0;
}

/*
 * QEMU is never told `D`: what follows it on the same connection would crash it. The
 * machine runs on, as after a detach, until the next GDB comes.
 */
static int detach(struct session *s, struct buf *packet, const char *rest)
{
	int err = machine_break_clear(&s->live->m, BREAK_GDB);

	(void)packet;
	(void)rest;
	if (!err)
		err = alias_lift(s);
	if (err)
		return session_error(s, err);
	client_text(&s->client, "OK");
	return live_start(s->live);
}

static int kill_machine(struct session *s, struct buf *packet, const char *rest)
{
	(void)rest;
	if (packet->len > 1) {
		/* vKill has an answer, k has none. */
		client_text(&s->client, "OK");
		client_drain(&s->client, KILL_TIMEOUT_MS);
	}
	rsp_send(&s->live->rsp, "k", 1);
	s->done = true;
	return 0;
}

/* To a request that nobody waits for any more: QEMU would say nothing to it. */
static int stray_answer(struct session *s, struct buf *packet, const char *rest)
{
	(void)packet;
	(void)rest;
	client_ack(&s->client);
	return 0;
}

/* Outside of a replay QEMU aborts on `bs` and `bc`. */
static int reverse(struct session *s, struct buf *packet, const char *rest)
{
	if (!strstr(s->live->features.data, "ReverseStep+"))
		return not_supported(s, packet, rest);
	return resume(s, packet, rest);
}

/* Monitor commands */

static int monitor(struct session *s, struct buf *packet, const char *rest)
{
	struct sink sink = session_sink(s);
	size_t len = packet->len - (size_t)(rest - packet->data);
	char *line = malloc(len / 2 + 1);
	int status;

	if (!line)
		abort();
	if (hex_decode(rest, len, line)) {
		free(line);
		return session_error(s, -BATON_EPROTO);
	}
	line[len / 2] = 0;
	client_ack(&s->client);
	s->client.deaf = true;
	session_say_aside(s);
	s->live->m.cpu = s->cpu;
	status = command_run(s->ctx, &sink, line);
	pseudo_forget(&s->pseudo, s->live);
	s->client.deaf = false;
	free(line);
	if (status < 0)
		return status;
	client_text(&s->client, status == 2 ? "E01" : "OK");
	return 0;
}

static const struct route {
	const char *prefix; /* the packet begins so; the first row that fits counts */
	int (*handle)(struct session *s, struct buf *packet, const char *rest);
} routes[] = {
	{ "qSupported", supported },
	{ "QStartNoAckMode", not_supported }, /* acks are how a cancelled command is noticed */
	{ "qXfer:features:read:", route_read_features },
	{ "?", why_stopped },
	{ "Hg", select_thread },
	{ "qC", current_thread },
	{ "T", thread_alive },
	{ "qfThreadInfo", threads_first },
	{ "qsThreadInfo", threads_more },
	{ "g", route_read_registers },
	{ "P", route_write_register },
	{ "m", read_memory },
	{ "M", write_memory },
	{ "X", write_memory },
	{ "Qqemu.PhyMemMode:", physical_mode },
	{ "qqemu.PhyMemMode", physical_mode_query },
	{ "p", route_read_register },
	{ "Z", stop_point },
	{ "z", stop_point },
	{ "vCont?", resume_kinds },
	{ "vCont", resume },
	{ "c", resume },
	{ "s", resume },
	{ "C", resume },
	{ "S", resume },
	{ "bs", reverse },
	{ "bc", reverse },
	{ "D", detach },
	{ "k", kill_machine },
	{ "vKill", kill_machine },
	{ "F", stray_answer },
	{ "qRcmd,", monitor },
};

int session_handle(struct session *s, struct buf *packet)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t n = strlen(routes[i].prefix);

		if (strncmp(packet->data ? packet->data : "", routes[i].prefix, n) == 0)
			return routes[i].handle(s, packet, packet->data + n);
	}
	return forward(s, packet, packet->data);
}
