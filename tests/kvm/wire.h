/* SPDX-License-Identifier: BSD-2-Clause */
/* The shim's two connections: packets in and out, nothing of what they mean. */
#ifndef BATON_TESTS_KVM_WIRE_H
#define BATON_TESTS_KVM_WIRE_H

#include "link.h"
#include "packet.h"

struct peer {
	struct link link;
	struct packet_decoder decoder;
	size_t taken; /* of link.in: decoded already */
};

struct wire {
	struct peer client, qemu;
};

void peer_open(struct peer *p);
void peer_close(struct peer *p);
/** peer_take() - a complete packet out of what has arrived; false if there is none. */
bool peer_take(struct peer *p, struct buf *packet);
/** peer_raw() - hand on what @from has sent and nobody has decoded, byte by byte as it is. */
int peer_raw(struct peer *from, struct peer *to);
/** peer_send() - all of it, now. */
int peer_send(struct peer *p, const void *data, size_t len);
int peer_packet(struct peer *p, const void *payload, size_t len);
/** wire_wait() - until something came; @client: from it, too. Return: 0; < 0: an end is gone. */
int wire_wait(struct wire *w, bool client, int timeout_ms);
/** wire_ask() - a packet to QEMU, one packet back. */
int wire_ask(struct wire *w, struct buf *reply, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
