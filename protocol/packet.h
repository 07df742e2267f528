/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The remote protocol's framing (GDB manual, E.1 "Overview"; E.7 "Notification
 * Packets"; E.8 "Remote Protocol Support for Non-Stop Mode" for `%`), as a byte
 * pump: bytes in, events out. No I/O, no acknowledgements, no policy.
 */
#ifndef BATON_PACKET_H
#define BATON_PACKET_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet_kind {
	PACKET_NONE,	     /* all input used, nothing complete yet */
	PACKET_DATA,	     /* $payload#xx */
	PACKET_NOTIFICATION, /* %payload#xx, never acknowledged */
	PACKET_ACK,	     /* + */
	PACKET_NAK,	     /* - */
	PACKET_INTERRUPT,    /* 0x03 outside a packet */
	PACKET_BAD_CHECKSUM, /* also where the two digits are no hex digits */
	PACKET_BAD,	     /* right checksum, but an escape or run length that cannot be */
	PACKET_TOO_LONG,     /* more than the limit; swallowed up to its #xx */
	PACKET_JUNK,	     /* a byte between packets that means nothing there: in data[0] */
};

/** struct packet_event - what one step of packet_decode() met. */
struct packet_event {
	enum packet_kind kind;
	/*
	 * DATA and NOTIFICATION: the payload without frame, unescaped and expanded,
	 * with a 0 byte behind it. BAD_CHECKSUM, BAD and TOO_LONG: what was decoded of
	 * it, for logs. Valid until the next call with the same decoder. NULL otherwise,
	 * but for JUNK.
	 */
	const char *data;
	size_t len;
	bool notification; /* the damaged packet began with %: it gets no NAK */
};

/** struct packet_decoder - all fields are private but @rle, which may be set at will. */
struct packet_decoder {
	/*
	 * Expand run lengths (`0* `). On by default. GDB never sends them, and in its
	 * X packets `*` is data: turn it off for what comes from GDB.
	 */
	bool rle;
	struct buf payload;
	size_t limit;
	int state;
	uint8_t sum, want; /* of the payload so far; first digit of the one received */
	uint8_t last;	   /* what a run length repeats: a byte of the wire, not of the payload */
	bool any;	   /* there is a last byte */
	bool escaped;	   /* it was the } of an escape */
	bool notification, malformed, overlong, bad_digit;
	char junk;
};

/**
 * packet_decoder_init() - @limit is the longest payload to accept, in decoded
 * bytes; it bounds memory too. packet_decoder_free() gives the memory back;
 * packet_decoder_reset() forgets a packet that has begun.
 */
void packet_decoder_init(struct packet_decoder *d, size_t limit);
void packet_decoder_reset(struct packet_decoder *d);
void packet_decoder_free(struct packet_decoder *d);

/** packet_decoder_midway() - true if a packet has begun and is not complete. */
bool packet_decoder_midway(const struct packet_decoder *d);

/**
 * packet_decode() - take bytes until one event is complete.
 * @used: how many of @len bytes were taken; call again with the rest
 *
 * Any split of the same bytes gives the same events. A `$` inside a packet (which
 * must be escaped there, and so can only be a new packet after a lost tail) ends what
 * came before it as PACKET_BAD_CHECKSUM (TOO_LONG) and is left for the next call.
 *
 * Return: @ev->kind. PACKET_NONE means that @used is @len.
 */
int packet_decode(struct packet_decoder *d, const uint8_t *data, size_t len, size_t *used,
		  struct packet_event *ev);

/**
 * packet_encode() - append $payload#xx to @out, with # $ } * escaped.
 * Never run-length encoded. packet_encode_notification() does it with %.
 */
void packet_encode(struct buf *out, const void *payload, size_t len);
void packet_encode_notification(struct buf *out, const void *payload, size_t len);

/** packet_kind_name() - "packet", "ack", ...: for logs. */
const char *packet_kind_name(enum packet_kind kind);

#endif
