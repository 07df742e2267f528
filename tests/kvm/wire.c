/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire.h"

#include "error.h"

#include <poll.h>
#include <string.h>

#define LIMIT (1u << 20)

void peer_open(struct peer *p)
{
	packet_decoder_init(&p->decoder, LIMIT);
	p->taken = 0;
}

void peer_close(struct peer *p)
{
	link_close(&p->link);
	packet_decoder_free(&p->decoder);
}

bool peer_take(struct peer *p, struct buf *packet)
{
	struct packet_event ev;
	size_t used;

	while (p->taken < p->link.in.len) {
		packet_decode(&p->decoder, (const uint8_t *)p->link.in.data + p->taken,
			      p->link.in.len - p->taken, &used, &ev);
		p->taken += used;
		if (ev.kind == PACKET_DATA) {
			buf_clear(packet);
			buf_add(packet, ev.data, ev.len);
			return true;
		}
	}
	buf_consume(&p->link.in, p->taken);
	p->taken = 0;
	return false;
}

int peer_raw(struct peer *from, struct peer *to)
{
	size_t len = from->link.in.len - from->taken;
	int err = len ? peer_send(to, from->link.in.data + from->taken, len) : 0;

	from->taken += len;
	return err;
}

int peer_send(struct peer *p, const void *data, size_t len)
{
	link_write(&p->link, data, len);
	while (link_wants_write(&p->link)) {
		struct pollfd fd = { .fd = p->link.write_fd, .events = POLLOUT };

		if (link_flush(&p->link))
			return -BATON_ELINK;
		if (link_wants_write(&p->link))
			poll(&fd, 1, -1);
	}
	return 0;
}

int peer_packet(struct peer *p, const void *payload, size_t len)
{
	struct buf frame = { 0 };
	int err;

	packet_encode(&frame, payload, len);
	err = peer_send(p, frame.data, frame.len);
	buf_free(&frame);
	return err;
}

int wire_wait(struct wire *w, bool client, int timeout_ms)
{
	struct pollfd fd[2] = { { .fd = w->qemu.link.read_fd, .events = POLLIN },
				{ .fd = client ? w->client.link.read_fd : -1, .events = POLLIN } };

	if (poll(fd, 2, timeout_ms) <= 0)
		return 0;
	if (fd[0].revents && link_read(&w->qemu.link) < 0)
		return -BATON_ELINK;
	if (fd[1].revents && link_read(&w->client.link) < 0)
		return -BATON_ELINK;
	return 0;
}

int wire_ask(struct wire *w, struct buf *reply, const char *fmt, ...)
{
	struct buf payload = { 0 };
	va_list ap;
	int err;

	va_start(ap, fmt);
	buf_vprintf(&payload, fmt, ap);
	va_end(ap);
	err = peer_packet(&w->qemu, payload.data, payload.len);
	buf_free(&payload);
	while (!err && !peer_take(&w->qemu, reply))
		err = wire_wait(w, false, -1);
	return err;
}
