/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDB's side: its connection, what it has sent and not been answered, and what was
 * sent to it last. Acks stay on: a new `$` from GDB while a command runs is how it
 * says that the user has moved on (it sends no interrupt then).
 */
#ifndef BATON_CLIENT_H
#define BATON_CLIENT_H

#include "link.h"
#include "loop.h"
#include "packet.h"

/* One packet may hold the data of a `load`: twice what PacketSize allows. */
#define CLIENT_PACKET_SIZE 0x20000u
#define CLIENT_LIMIT	   (2 * CLIENT_PACKET_SIZE)
#define CLIENT_QUEUE	   16

struct client {
	struct loop *loop;
	struct link link;
	struct packet_decoder decoder;
	struct buf queue[CLIENT_QUEUE]; /* packets not yet handled, oldest first */
	unsigned int queued;
	struct buf last; /* what was sent last, framed, for a NAK */
	bool connected;
	bool no_spin;		 /* always sleep */
	bool awaited;		 /* a stop was told: its next packets come at once */
	unsigned int spin_worth; /* 0 to SPIN_MAX: how often it came within the time */
	bool crowded;		 /* too many others run */
	unsigned int stops;	 /* told so far */
	unsigned int spin_rest;	 /* stops to let pass before it is tried again */
	bool acked;		 /* what was sent last has its `+` */
	bool interrupt;		 /* 0x03 came and no stop has answered it yet */
	bool deaf;		 /* a command runs: GDB's impatient NAKs mean nothing */
	bool log;
	/* Called from within a wait; they must not wait: */
	void (*on_interrupt)(void *ctx);
	bool (*on_packet)(void *ctx, const struct buf *packet); /* true: taken */
	void (*on_close)(void *ctx);
	void *ctx;
};

/** client_open() - take over a connection. */
void client_open(struct client *c, struct loop *loop, struct link link);
void client_close(struct client *c);

/** client_gone() - has it closed its end? Looks now, not when the loop comes to it. */
bool client_gone(struct client *c);

/** client_next() - the oldest packet into @packet; false if there is none. */
bool client_next(struct client *c, struct buf *packet);

/**
 * client_await() - GDB is about to ask: look for its next packets without sleeping, for a
 * few moments. A process that sleeps is woken late: up to 100 us for an answer that took 20.
 */
void client_await(struct client *c);
/** client_spin() - until a packet is there or the moment is over; only if it was worth it lately.
 */
void client_spin(struct client *c);

/** client_ack() - tell GDB now that its packet is here, for what takes long. */
void client_ack(struct client *c);
/** client_send() - send a packet; client_text() - a NUL-terminated one. */
void client_send(struct client *c, const void *payload, size_t len);
void client_text(struct client *c, const char *payload);
/** client_drain() - wait for GDB's `+` (or its end): a close before it is a broken pipe to GDB. */
void client_drain(struct client *c, int timeout_ms);
/** client_console() - text for the user, as `O` packets. */
void client_console(struct client *c, const char *text, size_t len);

#endif
