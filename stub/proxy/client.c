/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/client.h"

#include "hex.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * How long GDB's next packet is looked for, and how it is seen that this does not pay: a
 * machine with other work gives GDB no time to answer within it.
 */
#define SPIN_NS	  100000
#define SPIN_MAX  8
#define SPIN_REST 64

/* GDB takes longer packets, but there is no need. */
#define CONSOLE_CHUNK 4096

static void wire_log(const struct client *c, const char *arrow, const char *data, size_t len)
{
	if (!c->log)
		return;
	fprintf(stderr, "%s ", arrow);
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)data[i];

		if (ch < ' ' || ch > '~' || ch == '\\')
			fprintf(stderr, "\\x%02x", ch);
		else
			fputc(ch, stderr);
	}
	fputc('\n', stderr);
}

static int client_want(void *ctx, short *events)
{
	struct client *c = ctx;

	if (!c->connected)
		return -1;
	if (link_wants_write(&c->link))
		*events |= POLLOUT;
	/* A queue that is full lets the rest wait in the socket. */
	if (c->queued == CLIENT_QUEUE)
		*events &= ~POLLIN;
	return c->link.read_fd;
}

static void lose(struct client *c)
{
	if (!c->connected)
		return;
	c->connected = false;
	if (c->on_close)
		c->on_close(c->ctx);
}

static void flush(struct client *c)
{
	if (c->connected && link_flush(&c->link))
		lose(c);
}

static void push(struct client *c, const char *data, size_t len)
{
	struct buf *b = &c->queue[c->queued];

	buf_clear(b);
	buf_add(b, data, len);
	if (c->on_packet && c->on_packet(c->ctx, b)) {
		link_write(&c->link, "+", 1);
		flush(c);
		return;
	}
	/* Not acknowledged while a command runs, so GDB may have sent it once more. */
	if (c->deaf && c->queued && b[-1].len == len && memcmp(b[-1].data, b->data, len) == 0)
		return;
	c->queued++;
}

static void take(struct client *c, const struct packet_event *ev)
{
	switch (ev->kind) {
	case PACKET_DATA:
		wire_log(c, "gdb ->", ev->data, ev->len);
		push(c, ev->data, ev->len);
		break;
	case PACKET_NAK:
		if (!c->deaf && c->last.len) {
			link_write(&c->link, c->last.data, c->last.len);
			flush(c);
		}
		break;
	case PACKET_INTERRUPT:
		wire_log(c, "gdb ->", "\x03", 1);
		c->interrupt = true;
		if (c->on_interrupt)
			c->on_interrupt(c->ctx);
		break;
	case PACKET_BAD_CHECKSUM:
	case PACKET_BAD:
		fprintf(stderr, "baton: GDB sent a %s: asked for it again\n",
			packet_kind_name(ev->kind));
		link_write(&c->link, "-", 1);
		flush(c);
		break;
	case PACKET_TOO_LONG:
		fprintf(stderr, "baton: GDB sent a packet of more than %u bytes: refused\n",
			CLIENT_LIMIT);
		link_write(&c->link, "+", 1);
		client_text(c, "E07"); /* BATON_ETOOBIG */
		break;
	case PACKET_ACK:
		c->acked = true;
		break;
	case PACKET_NONE:
	case PACKET_NOTIFICATION:
	case PACKET_JUNK:
		break;
	}
}

static void decode(struct client *c)
{
	struct packet_event ev;
	size_t used;

	while (c->connected && c->link.in.len && c->queued < CLIENT_QUEUE) {
		packet_decode(&c->decoder, (const uint8_t *)c->link.in.data, c->link.in.len, &used,
			      &ev);
		/* Out of the input first: what handles it may look at the input again. */
		buf_consume(&c->link.in, used);
		if (ev.kind == PACKET_NONE)
			break;
		take(c, &ev);
	}
}

/* True if something came. */
static bool receive(struct client *c)
{
	int n = link_read(&c->link);

	if (n < 0) {
		if (packet_decoder_midway(&c->decoder))
			fprintf(stderr, "baton: GDB went away in the middle of a packet\n");
		lose(c);
		return false;
	}
	decode(c);
	return n > 0;
}

static void client_ready(void *ctx, short events)
{
	struct client *c = ctx;

	if (events & POLLOUT)
		flush(c);
	if (c->connected && (events & (POLLIN | POLLHUP | POLLERR)))
		receive(c);
}

void client_open(struct client *c, struct loop *loop, struct link link)
{
	c->loop = loop;
	c->link = link;
	c->connected = true;
	c->interrupt = c->deaf = c->awaited = false;
	c->spin_worth = SPIN_MAX / 2;
	c->spin_rest = 0;
	c->stops = 0;
	c->queued = 0;
	buf_clear(&c->last);
	packet_decoder_init(&c->decoder, CLIENT_LIMIT);
	c->decoder.rle = false;
	loop_add(loop, (struct loop_source){ client_want, client_ready, c });
}

bool client_gone(struct client *c)
{
	/* The end of the stream is behind all that was sent before it. */
	while (c->connected && c->queued < CLIENT_QUEUE && receive(c))
		;
	return !c->connected;
}

void client_close(struct client *c)
{
	if (!c->loop)
		return;
	flush(c);
	c->connected = false;
	loop_remove(c->loop, c);
	link_close(&c->link);
	packet_decoder_free(&c->decoder);
	for (unsigned int i = 0; i < CLIENT_QUEUE; i++)
		buf_free(&c->queue[i]);
	buf_free(&c->last);
	c->queued = 0;
	c->loop = NULL;
}

bool client_next(struct client *c, struct buf *packet)
{
	struct buf first = c->queue[0];

	if (!c->queued)
		return false;
	buf_clear(packet);
	buf_add(packet, first.data, first.len);
	memmove(c->queue, c->queue + 1, (CLIENT_QUEUE - 1) * sizeof(*c->queue));
	c->queue[CLIENT_QUEUE - 1] = first;
	c->queued--;
	/*
	 * Not before: what GDB reads ahead of the `+` for its latest packet, it takes for
	 * what is left of a command that it has given up, and drops.
	 */
	link_write(&c->link, "+", 1);
	/* What waited for room in the queue is already here: no poll() will tell of it. */
	decode(c);
	return true;
}

/*
 * Where more wants to run than there are CPUs, spinning takes the time of GDB or QEMU (with
 * one CPU, always): measured on a busy machine, steps are a tenth faster without.
 */
static bool is_crowded(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double load;

	return cpus < 2 || getloadavg(&load, 1) != 1 || load > (double)cpus;
}

void client_await(struct client *c)
{
	if (c->stops++ % SPIN_REST == 0)
		c->crowded = is_crowded();
	if (c->spin_rest && --c->spin_rest == 0)
		c->spin_worth = SPIN_MAX / 2;
	c->awaited = !c->no_spin && !c->crowded && c->spin_rest == 0;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void client_spin(struct client *c)
{
	int64_t end;

	if (!c->awaited)
		return;
	end = now_ns() + SPIN_NS;
	while (c->connected && !c->queued && !c->loop->quit) {
		loop_wait(c->loop, 0);
		if (c->queued || now_ns() < end)
			continue;
		/* It has gone to think, or others have the CPU. */
		c->awaited = false;
		if (c->spin_worth && --c->spin_worth == 0)
			c->spin_rest = SPIN_REST;
		return;
	}
	if (c->spin_worth < SPIN_MAX)
		c->spin_worth++;
}

void client_ack(struct client *c)
{
	flush(c);
}

void client_send(struct client *c, const void *payload, size_t len)
{
	if (!c->connected)
		return;
	wire_log(c, "gdb <-", payload, len);
	buf_clear(&c->last);
	c->acked = false;
	packet_encode(&c->last, payload, len);
	link_write(&c->link, c->last.data, c->last.len);
	flush(c);
}

void client_text(struct client *c, const char *payload)
{
	client_send(c, payload, strlen(payload));
}

void client_drain(struct client *c, int timeout_ms)
{
	int64_t end = loop_now() + timeout_ms;

	for (int64_t left = timeout_ms; c->connected && !c->acked && left > 0;
	     left = end - loop_now())
		loop_wait(c->loop, (int)left);
}

void client_console(struct client *c, const char *text, size_t len)
{
	struct buf packet = { 0 };

	while (len) {
		size_t n = len < CONSOLE_CHUNK ? len : CONSOLE_CHUNK;

		buf_clear(&packet);
		buf_putc(&packet, 'O');
		hex_encode(&packet, text, n);
		client_send(c, packet.data, packet.len);
		text += n;
		len -= n;
	}
	buf_free(&packet);
}
