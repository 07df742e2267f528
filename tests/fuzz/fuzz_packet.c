/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes, split anyhow, give the same events; memory and payloads keep the limit. */
#include "fuzz.h"

#include "packet.h"

#include <string.h>

#define LIMIT 100

const char *const fuzz_words[] = { "$",	   "#",	     "%",     "+",    "-",   "}",    "*",
				   "*~",   "* ",     "00",    "a5",   "abc", "$#00", "$g#67",
				   "\x03", "$OK#9a", "}\x03", "0*\"", NULL };

static void record(struct buf *log, const struct packet_event *ev)
{
	buf_printf(log, "%s/%zu/%d:", packet_kind_name(ev->kind), ev->len, ev->notification);
	if (ev->data)
		buf_add(log, ev->data, ev->len);
}

/* The first byte chooses how the rest is split; step 0: whole. */
static void decode(const uint8_t *data, size_t size, size_t step, bool rle, struct buf *log)
{
	struct packet_decoder d;

	packet_decoder_init(&d, LIMIT);
	d.rle = rle;
	for (size_t at = 0; at < size;) {
		size_t n = step && step < size - at ? step : size - at, used;
		struct packet_event ev;

		packet_decode(&d, data + at, n, &used, &ev);
		FUZZ_CHECK(used <= n);
		FUZZ_CHECK(ev.kind != PACKET_NONE || used == n);
		FUZZ_CHECK(ev.len <= LIMIT && d.payload.cap <= 4 * LIMIT);
		FUZZ_CHECK(!ev.data || ev.kind == PACKET_JUNK || !ev.data[ev.len]);
		if (ev.kind != PACKET_NONE)
			record(log, &ev);
		at += used;
	}
	packet_decoder_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, split = { 0 };
	bool rle;

	if (!size)
		return 0;
	rle = data[0] & 1;
	decode(data + 1, size - 1, 0, rle, &whole);
	decode(data + 1, size - 1, 1 + (data[0] >> 1) % 16, rle, &split);
	FUZZ_CHECK(whole.len == split.len);
	FUZZ_CHECK(!whole.len || !memcmp(whole.data, split.data, whole.len));
	buf_free(&whole);
	buf_free(&split);

	/* What is encoded decodes to itself. */
	if (size <= LIMIT) {
		packet_encode(&whole, data, size);
		decode((const uint8_t *)whole.data, whole.len, 0, rle, &split);
		buf_clear(&whole);
		record(&whole, &(struct packet_event){ .kind = PACKET_DATA,
						       .data = (const char *)data,
						       .len = size });
		FUZZ_CHECK(whole.len == split.len);
		FUZZ_CHECK(!memcmp(whole.data, split.data, whole.len));
	}
	buf_free(&whole);
	buf_free(&split);
	return 0;
}
