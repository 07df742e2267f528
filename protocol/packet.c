/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet.h"

#include "hex.h"

#include <string.h>

enum { IDLE, PAYLOAD, RUN, SUM_HIGH, SUM_LOW };

#define INTERRUPT  0x03
#define ESCAPE	   '}'
#define ESCAPE_XOR 0x20
/* A run length is sent as a printable character: ' ' is 3 more, '~' 97 more. */
#define RUN_BIAS 29
#define RUN_MIN	 ' '
#define RUN_MAX	 '~'

void packet_decoder_init(struct packet_decoder *d, size_t limit)
{
	*d = (struct packet_decoder){ .rle = true, .limit = limit };
}

void packet_decoder_reset(struct packet_decoder *d)
{
	d->state = IDLE;
	buf_clear(&d->payload);
}

void packet_decoder_free(struct packet_decoder *d)
{
	d->state = IDLE;
	buf_free(&d->payload);
}

bool packet_decoder_midway(const struct packet_decoder *d)
{
	return d->state != IDLE;
}

static void begin(struct packet_decoder *d, char start)
{
	buf_clear(&d->payload);
	d->state = PAYLOAD;
	d->sum = 0;
	d->notification = start == '%';
	d->any = d->escaped = d->malformed = d->overlong = d->bad_digit = false;
}

static void store(struct packet_decoder *d, const void *data, size_t len)
{
	size_t room = d->limit - d->payload.len;

	if (len > room) {
		d->overlong = true;
		len = room;
	}
	buf_add(&d->payload, data, len);
}

/* One byte of the wire, after run lengths: these are GDB's two steps, in its order. */
static void unescape(struct packet_decoder *d, uint8_t c)
{
	if (d->escaped) {
		d->escaped = false;
		c ^= ESCAPE_XOR;
		store(d, &c, 1);
	} else if (c == ESCAPE) {
		d->escaped = true;
	} else {
		store(d, &c, 1);
	}
}

static void expand(struct packet_decoder *d, uint8_t count)
{
	d->state = PAYLOAD;
	if (count < RUN_MIN || count > RUN_MAX || !d->any) {
		d->malformed = true;
		return;
	}
	for (int n = count - RUN_BIAS; n > 0 && !d->overlong; n--)
		unescape(d, d->last);
}

static uint8_t sum_of(const uint8_t *data, size_t len)
{
	const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t lanes = 0, word;
	size_t i = 0;
	uint8_t sum = 0;

	/* Eight bytes at a time, two to a lane of 16 bits; the lanes' high halves do not matter. */
	for (; i + 8 <= len; i += 8) {
		memcpy(&word, data + i, sizeof(word));
		lanes = (lanes & even) + (word & even) + (word >> 8 & even);
	}
	for (; i < len; i++)
		sum = (uint8_t)(sum + data[i]);
	for (int shift = 0; shift < 64; shift += 16)
		sum = (uint8_t)(sum + (lanes >> shift));
	return sum;
}

/* The longest stretch that is neither frame, escape nor run: most of what there is. */
static size_t plain(struct packet_decoder *d, const uint8_t *data, size_t len)
{
	static const char special[] = { '#', '$', ESCAPE, '*' };
	size_t n = d->escaped ? 0 : len;

	/* The end comes first, and the rest is looked for before it. */
	for (size_t i = 0; n && i < sizeof(special) - !d->rle; i++) {
		const uint8_t *at = memchr(data, special[i], n);

		n = at ? (size_t)(at - data) : n;
	}
	if (n) {
		d->sum = (uint8_t)(d->sum + sum_of(data, n));
		d->any = true;
		d->last = data[n - 1];
		store(d, data, n);
	}
	return n;
}

static void payload_byte(struct packet_decoder *d, uint8_t c)
{
	if (c == '#') {
		d->malformed |= d->escaped || d->state == RUN;
		d->state = SUM_HIGH;
		return;
	}
	d->sum = (uint8_t)(d->sum + c);
	if (d->state == RUN) {
		expand(d, c);
	} else if (d->rle && c == '*') {
		d->state = RUN;
	} else {
		d->last = c;
		d->any = true;
		unescape(d, c);
	}
}

static enum packet_kind idle_byte(struct packet_decoder *d, uint8_t c)
{
	switch (c) {
	case '$':
	case '%':
		begin(d, (char)c);
		return PACKET_NONE;
	case '+':
		return PACKET_ACK;
	case '-':
		return PACKET_NAK;
	case INTERRUPT:
		return PACKET_INTERRUPT;
	default:
		d->junk = (char)c;
		return PACKET_JUNK;
	}
}

static enum packet_kind finish(struct packet_decoder *d)
{
	d->state = IDLE;
	if (d->overlong)
		return PACKET_TOO_LONG;
	if (d->bad_digit || d->sum != d->want)
		return PACKET_BAD_CHECKSUM;
	if (d->malformed)
		return PACKET_BAD;
	return d->notification ? PACKET_NOTIFICATION : PACKET_DATA;
}

static enum packet_kind sum_byte(struct packet_decoder *d, uint8_t c)
{
	int digit = hex_digit((char)c);

	if (digit < 0) {
		d->bad_digit = true;
		digit = 0;
	}
	if (d->state == SUM_HIGH) {
		d->want = (uint8_t)(digit << 4);
		d->state = SUM_LOW;
		return PACKET_NONE;
	}
	d->want |= (uint8_t)digit;
	return finish(d);
}

static void report(struct packet_decoder *d, enum packet_kind kind, struct packet_event *ev)
{
	*ev = (struct packet_event){ .kind = kind };
	if (kind == PACKET_JUNK) {
		ev->data = &d->junk;
		ev->len = 1;
	} else if (kind != PACKET_NONE && kind != PACKET_ACK && kind != PACKET_NAK &&
		   kind != PACKET_INTERRUPT) {
		buf_reserve(&d->payload, 0); /* an empty payload is "", not NULL */
		ev->data = d->payload.data;
		ev->len = d->payload.len;
		ev->notification = d->notification;
	}
}

int packet_decode(struct packet_decoder *d, const uint8_t *data, size_t len, size_t *used,
		  struct packet_event *ev)
{
	enum packet_kind kind = PACKET_NONE;
	size_t i = 0;

	while (i < len && kind == PACKET_NONE) {
		uint8_t c = data[i];

		if (d->state == IDLE) {
			kind = idle_byte(d, c);
		} else if (c == '$') {
			/* What was there is lost; the $ is for the next call. */
			d->state = IDLE;
			kind = d->overlong ? PACKET_TOO_LONG : PACKET_BAD_CHECKSUM;
			break;
		} else if (d->state == SUM_HIGH || d->state == SUM_LOW) {
			kind = sum_byte(d, c);
		} else {
			size_t n = d->state == PAYLOAD ? plain(d, data + i, len - i) : 0;

			if (n) {
				i += n;
				continue;
			}
			payload_byte(d, c);
		}
		i++;
	}
	*used = i;
	report(d, kind, ev);
	return (int)kind;
}

static void encode(struct buf *out, char start, const void *payload, size_t len)
{
	const uint8_t *p = payload;
	uint8_t sum = 0;
	char *to;

	buf_reserve(out, 2 * len + 4); /* all of it escaped, and the frame */
	to = out->data + out->len;
	*to++ = start;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = p[i];

		if (c == '#' || c == '$' || c == ESCAPE || c == '*') {
			*to++ = ESCAPE;
			sum = (uint8_t)(sum + ESCAPE);
			c ^= ESCAPE_XOR;
		}
		*to++ = (char)c;
		sum = (uint8_t)(sum + c);
	}
	*to++ = '#';
	out->len = (size_t)(to - out->data);
	hex_encode(out, &sum, 1);
}

void packet_encode(struct buf *out, const void *payload, size_t len)
{
	encode(out, '$', payload, len);
}

void packet_encode_notification(struct buf *out, const void *payload, size_t len)
{
	encode(out, '%', payload, len);
}

const char *packet_kind_name(enum packet_kind kind)
{
	static const char *const names[] = {
		[PACKET_NONE] = "incomplete",
		[PACKET_DATA] = "packet",
		[PACKET_NOTIFICATION] = "notification",
		[PACKET_ACK] = "ack",
		[PACKET_NAK] = "nak",
		[PACKET_INTERRUPT] = "interrupt",
		[PACKET_BAD_CHECKSUM] = "bad checksum",
		[PACKET_BAD] = "malformed packet",
		[PACKET_TOO_LONG] = "packet too long",
		[PACKET_JUNK] = "junk byte",
	};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}
