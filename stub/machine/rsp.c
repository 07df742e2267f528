/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/rsp.h"

#include "error.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* QEMU's own packets are at most 4 KiB; later versions may grow. */
#define RSP_LIMIT  (1u << 20)
#define RSP_WINDOW 64
#define RSP_LOOKS  32 /* some 15 us */

static int rsp_want(void *ctx, short *events)
{
	struct rsp *r = ctx;

	if (r->lost)
		return -1;
	if (link_wants_write(&r->link))
		*events |= POLLOUT;
	return r->link.read_fd;
}

int rsp_lose(struct rsp *r, const char *what)
{
	if (!r->lost)
		snprintf(r->error, sizeof(r->error), "%s", what);
	r->lost = true;
	r->running = false;
	return -BATON_ELINK;
}

static void rsp_ready(void *ctx, short events)
{
	struct rsp *r = ctx;

	if ((events & POLLOUT) && link_flush(&r->link))
		rsp_lose(r, "the connection to QEMU broke");
	if (!(events & (POLLIN | POLLHUP | POLLERR)))
		return;
	buf_consume(&r->link.in, r->taken);
	r->taken = 0;
	if (link_read(&r->link) < 0)
		rsp_lose(r, "QEMU closed the connection");
}

void rsp_open_link(struct rsp *r, struct loop *loop, struct link link)
{
	*r = (struct rsp){ .loop = loop, .link = link, .log = r->log };
	packet_decoder_init(&r->decoder, RSP_LIMIT);
	r->decoder.rle = true;
	loop_add(loop, (struct loop_source){ rsp_want, rsp_ready, r });
}

int rsp_open(struct rsp *r, struct loop *loop, const char *addr)
{
	struct link link = LINK_CLOSED;
	char err[LINK_ERR_SIZE];
	int status = link_connect(&link, addr, err);

	if (status) {
		*r = (struct rsp){ .link = LINK_CLOSED, .log = r->log };
		rsp_lose(r, err);
		return status;
	}
	rsp_open_link(r, loop, link);
	return 0;
}

void rsp_close(struct rsp *r)
{
	if (!r->loop)
		return;
	loop_remove(r->loop, r);
	link_close(&r->link);
	packet_decoder_free(&r->decoder);
	buf_free(&r->last);
	buf_free(&r->payload);
	buf_free(&r->answer);
	r->loop = NULL;
}

static void wire_log(const struct rsp *r, const char *arrow, const void *data, size_t len)
{
	if (!r->log)
		return;
	fprintf(stderr, "%s ", arrow);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = ((const unsigned char *)data)[i];

		if (c < ' ' || c > '~' || c == '\\')
			fprintf(stderr, "\\x%02x", c);
		else
			fputc(c, stderr);
	}
	fputc('\n', stderr);
}

static int flush(struct rsp *r)
{
	if (link_flush(&r->link))
		return rsp_lose(r, "the connection to QEMU broke");
	return 0;
}

int rsp_send_with_next(struct rsp *r, const void *payload, size_t len)
{
	rsp_pipeline_receive(r, SIZE_MAX);
	if (r->lost)
		return -BATON_ELINK;
	assert(!r->running);
	wire_log(r, "qemu <-", payload, len);
	buf_clear(&r->last);
	packet_encode(&r->last, payload, len);
	link_write(&r->link, r->last.data, r->last.len);
	return 0;
}

int rsp_send(struct rsp *r, const void *payload, size_t len)
{
	int err = rsp_send_with_next(r, payload, len);

	return err ? err : flush(r);
}

/* Take one complete packet out of what has arrived; false if there is none. */
static bool next_packet(struct rsp *r, struct buf *reply)
{
	struct packet_event ev;
	size_t used;

	while (r->taken < r->link.in.len) {
		packet_decode(&r->decoder, (const uint8_t *)r->link.in.data + r->taken,
			      r->link.in.len - r->taken, &used, &ev);
		r->taken += used;
		if (ev.kind == PACKET_DATA) {
			wire_log(r, "qemu ->", ev.data, ev.len);
			buf_clear(reply);
			buf_add(reply, ev.data, ev.len);
			return true;
		}
		switch (ev.kind) {
		case PACKET_NAK:
			link_write(&r->link, r->last.data, r->last.len);
			flush(r);
			break;
		case PACKET_BAD_CHECKSUM:
		case PACKET_BAD:
			/* A byte that arrives while the machine runs would stop it. */
			if (!r->running)
				link_write(&r->link, "-", 1);
			flush(r);
			break;
		case PACKET_TOO_LONG:
			rsp_lose(r, "QEMU sent a packet of more than 1 MiB");
			return false;
		case PACKET_NONE:
		case PACKET_DATA:
		case PACKET_NOTIFICATION:
		case PACKET_ACK:
		case PACKET_INTERRUPT:
		case PACKET_JUNK:
			break;
		}
	}
	return false;
}

/*
 * In a flight the next answer is a few microseconds off, and QEMU, which is all that it
 * waits for, would lose as much on waking us up (a sixth of the time of a large dump).
 */
static void await(struct rsp *r, int timeout_ms)
{
	for (int looks = 0; r->flight && looks < RSP_LOOKS; looks++) {
		if (loop_wait(r->loop, 0))
			return;
	}
	loop_wait(r->loop, timeout_ms);
}

int rsp_receive(struct rsp *r, int timeout_ms, struct buf *reply)
{
	int64_t end = loop_now() + timeout_ms;

	for (;;) {
		int64_t left = -1;

		if (next_packet(r, reply))
			return 0;
		if (r->lost)
			return -BATON_ELINK;
		if (r->loop->quit && !r->brief && (r->running || timeout_ms < 0)) {
			snprintf(r->error, sizeof(r->error), "baton was told to end");
			r->lost = r->lost || !r->running;
			return -BATON_ELINK;
		}
		if (timeout_ms >= 0) {
			left = end - loop_now();
			if (left <= 0)
				return -BATON_ETIMEDOUT;
		}
		await(r, (int)left);
	}
}

int rsp_call_data(struct rsp *r, const void *payload, size_t len, struct buf *reply)
{
	int err = rsp_send(r, payload, len);

	if (err)
		return err;
	err = rsp_receive(r, RSP_TIMEOUT_MS, reply);
	if (err == -BATON_ETIMEDOUT) {
		/* An answer that comes later would be taken for that of another question. */
		char what[96];

		snprintf(what, sizeof(what), "QEMU did not answer `%.40s` within %d s",
			 (const char *)payload, RSP_TIMEOUT_MS / 1000);
		return rsp_lose(r, what);
	}
	return err;
}

int rsp_call(struct rsp *r, struct buf *reply, const char *fmt, ...)
{
	struct buf payload = { 0 };
	va_list ap;
	int err;

	va_start(ap, fmt);
	buf_vprintf(&payload, fmt, ap);
	va_end(ap);
	err = rsp_call_data(r, payload.data, payload.len, reply);
	buf_free(&payload);
	return err;
}

/* Keeps QEMU busy: more requests as soon as half of those under way are answered. */
static int fill(struct rsp *r)
{
	const struct rsp_pipeline *p = r->flight;

	if (r->lost)
		return -BATON_ELINK;
	if (r->sent == p->count || r->sent - r->received > RSP_WINDOW / 2)
		return 0;
	while (r->sent < p->count && r->sent - r->received < RSP_WINDOW) {
		buf_clear(&r->payload);
		p->request(p->ctx, r->sent++, &r->payload);
		wire_log(r, "qemu <-", r->payload.data, r->payload.len);
		buf_clear(&r->last);
		packet_encode(&r->last, r->payload.data, r->payload.len);
		link_write(&r->link, r->last.data, r->last.len);
	}
	return flush(r);
}

int rsp_pipeline_start(struct rsp *r, const struct rsp_pipeline *p)
{
	rsp_pipeline_receive(r, SIZE_MAX);
	r->flight = p;
	r->sent = r->received = 0;
	return fill(r);
}

int rsp_pipeline_receive(struct rsp *r, size_t n)
{
	const struct rsp_pipeline *p = r->flight;
	int err = 0, failed = 0;

	while (p && !err && r->received < n && r->received < p->count) {
		err = fill(r);
		if (!err)
			err = rsp_receive(r, RSP_TIMEOUT_MS, &r->answer);
		if (err == -BATON_ETIMEDOUT)
			err = rsp_lose(r, "QEMU stopped answering");
		if (!err) {
			int status = p->reply(p->ctx, r->received, &r->answer);

			r->received += status != RSP_MORE;
			failed = status < 0 && !failed ? status : failed;
		}
	}
	if (p && (err || r->received == p->count))
		r->flight = NULL;
	return err ? err : failed;
}

int rsp_pipeline(struct rsp *r, const struct rsp_pipeline *p)
{
	int err = rsp_pipeline_start(r, p);

	return err ? err : rsp_pipeline_receive(r, SIZE_MAX);
}

int rsp_interrupt(struct rsp *r)
{
	if (r->lost)
		return -BATON_ELINK;
	wire_log(r, "qemu <-", "\x03", 1);
	link_write(&r->link, "\x03", 1);
	return flush(r);
}
