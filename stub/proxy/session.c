/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/session.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void accept_client(void *ctx, short events);

static int listener_want(void *ctx, short *events)
{
	struct session *s = ctx;

	(void)events;
	/* The next one waits until what the last one left is gone. */
	return s->client.loop && !s->client.connected ? -1 : s->listener.fd;
}

int session_listen(struct session *s, struct loop *loop, const char *addr, bool allow_remote,
		   char err[LINK_ERR_SIZE])
{
	struct buf text = { 0 };
	int status;

	s->loop = loop;
	s->listener = (struct listener)LISTENER_CLOSED;
	s->stdio = strcmp(addr, "stdio") == 0;
	if (s->stdio)
		return 0;
	status = listener_open(&s->listener, addr, allow_remote, err);
	if (status)
		return status;
	loop_add(loop, (struct loop_source){ listener_want, accept_client, s });
	listener_address(&s->listener, &text);
	fprintf(stderr, "baton: waiting for GDB: target remote %s\n",
		strncmp(text.data, "unix:", 5) == 0 ? text.data + 5 : text.data);
	buf_free(&text);
	return 0;
}

/* Callbacks of the client: they run within a wait and must not wait themselves. */

static void on_interrupt(void *ctx)
{
	struct session *s = ctx;

	if (s->live->rsp.running)
		rsp_interrupt(&s->live->rsp);
	/* Kept for what is about to run; otherwise it came after the stop, and is void. */
	else if (!s->resuming && !s->client.queued)
		s->client.interrupt = false;
}

static bool on_packet(void *ctx, const struct buf *packet)
{
	struct session *s = ctx;
	struct rsp *r = &s->live->rsp;

	/* The answer to a semihosting request is the one thing QEMU wants to hear now. */
	if (!s->file_request || packet->len == 0 || packet->data[0] != 'F')
		return false;
	s->file_request = false;
	r->running = false;
	rsp_send(r, packet->data, packet->len);
	r->running = true;
	return true;
}

static void on_close(void *ctx)
{
	struct session *s = ctx;

	/* What it let go by detaching is no business of its any more. */
	if (s->resuming && s->live->rsp.running) {
		s->was_running = true;
		rsp_interrupt(&s->live->rsp);
	}
}

/* Callbacks of the machine. */

static void aside(void *ctx, const struct buf *packet)
{
	struct session *s = ctx;

	if (packet->len && packet->data[0] == 'F')
		s->file_request = true;
	client_send(&s->client, packet->data, packet->len);
}

static bool interrupted(void *ctx)
{
	struct session *s = ctx;
	bool was = s->client.interrupt;

	s->client.interrupt = false;
	return was;
}

static bool interrupt_waits(void *ctx)
{
	return ((struct session *)ctx)->client.interrupt;
}

static bool canceled(void *ctx)
{
	struct session *s = ctx;

	return s->client.queued > 0 || !s->client.connected || s->loop->quit;
}

static void start_client(struct session *s, struct link link)
{
	client_open(&s->client, s->loop, link);
	s->client.on_interrupt = on_interrupt;
	s->client.on_packet = on_packet;
	s->client.on_close = on_close;
	s->client.ctx = s;
	s->live->hooks = (struct live_hooks){ aside, interrupt_waits, interrupted, s };
	s->live->m.canceled = canceled;
	s->live->m.canceled_ctx = s;
	s->ctx->gdb = true;
	s->was_running = s->phys = s->file_request = s->resuming = false;
	buf_clear(&s->aside);
	buf_clear(&s->noticed);
	alias_free(&s->aliases);
	pseudo_forget(&s->pseudo, s->live);
	s->cpu = s->live->m.cpu;
}

static void accept_client(void *ctx, short events)
{
	struct session *s = ctx;
	struct link link = LINK_CLOSED;

	(void)events;
	/* GDB that connects anew has closed the old connection a moment before. */
	if ((s->client.loop && client_gone(&s->client)) || listener_accept(&s->listener, &link))
		return;
	if (s->client.loop) {
		fprintf(stderr, "baton: a second GDB was turned away: one is connected\n");
		link_close(&link);
		return;
	}
	start_client(s, link);
}

/* GDB is gone, in whatever way: nothing of it stays in the machine. */
static int end_client(struct session *s)
{
	int err = 0;

	client_close(&s->client);
	s->live->hooks = (struct live_hooks){ 0 };
	s->live->m.canceled = NULL;
	s->ctx->gdb = false;
	s->done = s->done || s->stdio;
	if (s->live->rsp.lost)
		return -BATON_ELINK;
	if (!s->live->rsp.running) {
		err = machine_break_clear(&s->live->m, BREAK_GDB);
		err = err ? err : alias_lift(s);
	}
	if (s->was_running && !err && !s->live->rsp.running) {
		/* As QEMU does it: a machine that ran when GDB died runs on. */
		fprintf(stderr, "baton: GDB went away, the machine runs on\n");
		err = live_start(s->live);
	}
	return err;
}

/* With nobody attached, a machine that runs may stop by itself: an exit, say. */
static int watch_machine(struct session *s)
{
	struct buf packet = { 0 };
	int err = rsp_receive(&s->live->rsp, 0, &packet);

	if (!err && s->live->rsp.running)
		err = live_unattended(s->live, &packet);
	buf_free(&packet);
	return err == -BATON_ETIMEDOUT ? 0 : err;
}

int session_serve(struct session *s)
{
	struct buf packet = { 0 };
	int err = 0;

	if (s->stdio) {
		struct link link = LINK_CLOSED;

		link_from_fds(&link, STDIN_FILENO, STDOUT_FILENO);
		start_client(s, link);
	}
	while (!err && !s->done && !s->loop->quit) {
		if (s->client.loop && client_next(&s->client, &packet)) {
			/* It was running with nobody attached; GDB expects it to stand. */
			err = live_halt(s->live, NULL);
			if (!err)
				err = session_handle(s, &packet);
			continue;
		}
		if (s->client.loop && !s->client.connected) {
			err = end_client(s);
			continue;
		}
		if (s->client.loop && !s->live->rsp.running)
			client_spin(&s->client);
		if (!s->client.queued && !s->loop->quit && (!s->client.loop || s->client.connected))
			loop_wait(s->loop, -1);
		err = watch_machine(s);
	}
	if (s->client.loop)
		end_client(s);
	buf_free(&packet);
	return s->loop->quit || s->done ? 0 : err;
}

void session_close(struct session *s)
{
	client_close(&s->client);
	buf_free(&s->aside);
	buf_free(&s->noticed);
	alias_free(&s->aliases);
	pseudo_free(&s->pseudo);
	if (s->listener.fd >= 0 && s->loop) {
		loop_remove(s->loop, s);
		listener_close(&s->listener);
	}
}

static void sink_write(void *ctx, const char *text, size_t len)
{
	client_console(ctx, text, len);
}

struct sink session_sink(struct session *s)
{
	return (struct sink){ sink_write, &s->client };
}

int session_error(struct session *s, int err)
{
	char reply[8];

	if (err == -BATON_ELINK)
		return err;
	/*
	 * GDB shows no reason: that a device was not read, or that breakpoints are used up,
	 * has to be said somewhere.
	 */
	if (s->verbose || err == -BATON_ERANGE || err == -BATON_ETOOBIG || err == -BATON_EREFUSED)
		fprintf(stderr, "baton: %s\n", machine_error(&s->live->m, err));
	snprintf(reply, sizeof(reply), "E%02x", baton_wire(err));
	client_text(&s->client, reply);
	return 0;
}
