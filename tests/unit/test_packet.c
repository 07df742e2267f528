/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "packet.h"

#include <stdlib.h>

#define LIMIT 4096

/*
 * Everything below is said as text: each event is a letter, with what it carries in
 * brackets. P packet, N notification, + - acks, ^ interrupt, C bad checksum,
 * M malformed, L too long, J junk.
 */
static void say(struct buf *b, const struct packet_event *ev)
{
	static const char letters[] = {
		[PACKET_DATA] = 'P', [PACKET_NOTIFICATION] = 'N', [PACKET_ACK] = '+',
		[PACKET_NAK] = '-',  [PACKET_INTERRUPT] = '^',	  [PACKET_BAD_CHECKSUM] = 'C',
		[PACKET_BAD] = 'M',  [PACKET_TOO_LONG] = 'L',	  [PACKET_JUNK] = 'J',
	};

	buf_putc(b, letters[ev->kind]);
	if (ev->kind == PACKET_DATA || ev->kind == PACKET_NOTIFICATION || ev->kind == PACKET_JUNK) {
		buf_putc(b, '[');
		buf_add(b, ev->data, ev->len);
		buf_putc(b, ']');
	}
}

/* @step: bytes per call, 0 for random sizes. */
static void decode(struct packet_decoder *d, const void *data, size_t len, size_t step,
		   struct buf *out)
{
	const uint8_t *p = data;

	while (len) {
		size_t n = step ? step : 1 + (size_t)rand() % 7;

		n = n < len ? n : len;
		for (size_t at = 0; at < n;) {
			struct packet_event ev;
			size_t used;
			int kind = packet_decode(d, p + at, n - at, &used, &ev);

			assert_int_equal(kind, ev.kind);
			assert_in_range(used, 0, n - at);
			at += used;
			if (ev.kind == PACKET_NONE)
				assert_int_equal(at, n);
			else
				say(out, &ev);
			if (ev.data && ev.kind != PACKET_JUNK)
				assert_int_equal(ev.data[ev.len], 0);
		}
		p += n;
		len -= n;
	}
}

/* Whole, byte by byte and split at random must give the same. */
static void check_bytes(bool rle, size_t limit, const void *in, size_t len, const void *want,
			size_t want_len)
{
	for (size_t pass = 0; pass < 10; pass++) {
		struct packet_decoder d;
		struct buf out = { 0 };

		packet_decoder_init(&d, limit);
		d.rle = rle;
		decode(&d, in, len, pass == 0 ? len : pass == 1 ? 1 : 0, &out);
		assert_int_equal(out.len, want_len);
		if (want_len)
			assert_memory_equal(out.data, want, want_len);
		buf_free(&out);
		packet_decoder_free(&d);
	}
}

static void check(bool rle, const char *in, const char *want)
{
	check_bytes(rle, LIMIT, in, strlen(in), want, strlen(want));
}

/* The frame with the checksum that belongs to these bytes of the wire. */
static void framed(struct buf *b, char start, const void *wire, size_t len)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += ((const uint8_t *)wire)[i];
	buf_putc(b, start);
	buf_add(b, wire, len);
	buf_printf(b, "#%02x", sum & 255);
}

static void check_wire(bool rle, const char *wire, size_t len, const char *want, size_t want_len)
{
	struct buf in = { 0 };

	framed(&in, '$', wire, len);
	check_bytes(rle, LIMIT, in.data, in.len, want, want_len);
	buf_free(&in);
}

static void packets_acks_and_interrupts(void **state)
{
	(void)state;
	check(true, "$OK#9a", "P[OK]");
	check(true, "+$#00-$m0,4#FD", "+P[]-P[m0,4]");
	check(true, "\x03$g#67\x03", "^P[g]^");
	check(true, "%Stop:T05#99", "N[Stop:T05]");
	check(true, "\n$g#67 ", "J[\n]P[g]J[ ]");
}

static void interrupt_and_acks_inside_a_packet_are_data(void **state)
{
	(void)state;
	check_wire(true, "a\x03+-%b", 6, "P[a\x03+-%b]", 9);
}

static void a_wrong_checksum_is_told_and_the_next_packet_survives(void **state)
{
	(void)state;
	check(true, "$OK#9b$g#67", "CP[g]");
	check(true, "$OK#zz$g#67", "CP[g]");
	check(true, "$OK#9 $g#67", "CP[g]");
}

static void a_truncated_packet_gives_way_to_the_next(void **state)
{
	(void)state;
	check(true, "$m0,", "");
	check(true, "$m0,$g#67", "CP[g]");
	check(true, "$m0,4#$g#67", "CP[g]");
	check(true, "$m0,4#f$g#67", "CP[g]");
	check(true, "$a*$g#67", "CP[g]");
}

static void escapes_are_undone(void **state)
{
	(void)state;
	check_wire(true,
		   "a}\x03}\x04}]}\x0a"
		   "b",
		   10, "P[a#$}*b]", 9);
}

static void an_escape_at_the_end_is_malformed(void **state)
{
	(void)state;
	check_wire(true, "ab}", 3, "M", 1);
}

/* GDB manual, E.1: `0* ` is 0000. */
static void run_lengths_expand(void **state)
{
	struct buf want = { 0 };

	(void)state;
	check_wire(true, "0* ", 3, "P[0000]", 7);
	check_wire(true, "x0*\"1*!", 7, "P[x00000011111]", 15);
	/* GDB takes a run of a run as more of the same. */
	check_wire(true, "a* * ", 5, "P[aaaaaaa]", 10);
	buf_puts(&want, "P[");
	for (int i = 0; i < 98; i++)
		buf_putc(&want, 'y');
	buf_putc(&want, ']');
	check_wire(true, "y*~", 3, want.data, want.len);
	buf_free(&want);
}

static void impossible_run_lengths_are_malformed(void **state)
{
	(void)state;
	check_wire(true, "* ", 2, "M", 1);
	check_wire(true, "a*", 2, "M", 1);
	check_wire(true, "a*\x1f", 3, "M", 1);
	check_wire(true, "a*\x7f", 3, "M", 1);
	check_wire(true, "a*\xff", 3, "M", 1);
}

static void without_run_lengths_a_star_is_data(void **state)
{
	(void)state;
	check_wire(false, "X0,3:a* ", 8, "P[X0,3:a* ]", 11);
	check_wire(false, "*", 1, "P[*]", 4);
	check_wire(false, "}\x0a", 2, "P[*]", 4);
}

static void the_limit_is_exact(void **state)
{
	(void)state;
	check_bytes(true, 5, "$12345#ff", 9, "P[12345]", 8);
	check_bytes(true, 5, "$123456#35", 10, "L", 1);
	check_bytes(true, 5, "$123456#99+$1#31", 16, "L+P[1]", 6);
	check_bytes(true, 5, "$1*!#7c", 7, "P[11111]", 8);
	check_bytes(true, 5, "$1*\"#7d", 7, "L", 1);
	check_bytes(true, 0, "$#00$1#31", 9, "P[]L", 4);
	check_bytes(true, 5, "$123456$1#31", 12, "LP[1]", 5);
}

/* Ten megabytes are swallowed to their end, in little memory. */
static void a_huge_packet_costs_no_memory(void **state)
{
	struct packet_decoder d;
	struct buf in = { 0 }, out = { 0 };

	(void)state;
	buf_putc(&in, '$');
	buf_reserve(&in, 10 << 20);
	memset(in.data + 1, 'm', 10 << 20);
	in.len += 10 << 20;
	buf_puts(&in, "#00$g#67");
	packet_decoder_init(&d, LIMIT);
	decode(&d, in.data, in.len, 1500, &out);
	assert_string_equal(out.data, "LP[g]");
	assert_in_range(d.payload.cap, 1, 4 * LIMIT);
	packet_decoder_free(&d);
	buf_free(&in);
	buf_free(&out);
}

/* 1 MB on the wire that would be 33 MB. */
static void a_run_length_bomb_costs_no_memory(void **state)
{
	struct packet_decoder d;
	struct buf in = { 0 }, out = { 0 };

	(void)state;
	buf_putc(&in, '$');
	for (int i = 0; i < 350000; i++)
		buf_puts(&in, "0*~");
	buf_puts(&in, "#00$g#67");
	packet_decoder_init(&d, LIMIT);
	decode(&d, in.data, in.len, 1500, &out);
	assert_string_equal(out.data, "LP[g]");
	assert_in_range(d.payload.cap, 1, 4 * LIMIT);
	packet_decoder_free(&d);
	buf_free(&in);
	buf_free(&out);
}

static void a_damaged_notification_is_marked(void **state)
{
	struct packet_decoder d;
	struct packet_event ev;
	size_t used;

	(void)state;
	packet_decoder_init(&d, LIMIT);
	packet_decode(&d, (const uint8_t *)"%a#00", 5, &used, &ev);
	assert_int_equal(ev.kind, PACKET_BAD_CHECKSUM);
	assert_true(ev.notification);
	packet_decode(&d, (const uint8_t *)"$a#00", 5, &used, &ev);
	assert_int_equal(ev.kind, PACKET_BAD_CHECKSUM);
	assert_false(ev.notification);
	packet_decoder_free(&d);
}

static void reset_forgets_what_has_begun(void **state)
{
	struct packet_decoder d;
	struct packet_event ev;
	size_t used;

	(void)state;
	packet_decoder_init(&d, LIMIT);
	assert_false(packet_decoder_midway(&d));
	packet_decode(&d, (const uint8_t *)"$abc", 4, &used, &ev);
	assert_true(packet_decoder_midway(&d));
	packet_decoder_reset(&d);
	assert_false(packet_decoder_midway(&d));
	packet_decode(&d, (const uint8_t *)"$g#67", 5, &used, &ev);
	assert_int_equal(ev.kind, PACKET_DATA);
	assert_string_equal(ev.data, "g");
	packet_decoder_free(&d);
}

static void encode_escapes_what_must_be(void **state)
{
	struct buf b = { 0 };

	(void)state;
	packet_encode(&b, "OK", 2);
	packet_encode(&b, "", 0);
	assert_string_equal(b.data, "$OK#9a$#00");
	buf_clear(&b);
	packet_encode(&b, "#$}*", 4);
	assert_string_equal(b.data, "$}\x03}\x04}]}\x0a#62");
	buf_clear(&b);
	packet_encode_notification(&b, "Stop:T05", 8);
	assert_string_equal(b.data, "%Stop:T05#99");
	buf_free(&b);
}

static void what_is_encoded_decodes(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 500; i++) {
		struct buf in = { 0 }, want = { 0 };
		uint8_t raw[300];
		size_t len = (size_t)rand() % sizeof(raw);

		for (size_t k = 0; k < len; k++)
			raw[k] = (uint8_t)(rand() % 3 ? "#$}*\x03"[rand() % 5] : rand());
		packet_encode(&in, raw, len);
		buf_puts(&want, "P[");
		buf_add(&want, raw, len);
		buf_putc(&want, ']');
		check_bytes(i & 1, LIMIT, in.data, in.len, want.data, want.len);
		buf_free(&in);
		buf_free(&want);
	}
}

/* Noise made of the bytes that matter: any split says the same, and nothing breaks. */
static void noise_is_the_same_however_it_is_split(void **state)
{
	(void)state;
	srand(2);
	for (int i = 0; i < 2000; i++) {
		struct packet_decoder d;
		struct buf want = { 0 };
		uint8_t noise[200];
		size_t len = 1 + (size_t)rand() % sizeof(noise);

		for (size_t k = 0; k < len; k++)
			noise[k] =
				(uint8_t)(rand() % 8 ? "$#}*%+-\x03 ~01ab"[rand() % 14] : rand());
		packet_decoder_init(&d, 64);
		d.rle = i & 1;
		decode(&d, noise, len, len, &want);
		packet_decoder_free(&d);
		check_bytes(i & 1, 64, noise, len, want.data, want.len);
		buf_free(&want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_acks_and_interrupts),
		cmocka_unit_test(interrupt_and_acks_inside_a_packet_are_data),
		cmocka_unit_test(a_wrong_checksum_is_told_and_the_next_packet_survives),
		cmocka_unit_test(a_truncated_packet_gives_way_to_the_next),
		cmocka_unit_test(escapes_are_undone),
		cmocka_unit_test(an_escape_at_the_end_is_malformed),
		cmocka_unit_test(run_lengths_expand),
		cmocka_unit_test(impossible_run_lengths_are_malformed),
		cmocka_unit_test(without_run_lengths_a_star_is_data),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(a_huge_packet_costs_no_memory),
		cmocka_unit_test(a_run_length_bomb_costs_no_memory),
		cmocka_unit_test(a_damaged_notification_is_marked),
		cmocka_unit_test(reset_forgets_what_has_begun),
		cmocka_unit_test(encode_escapes_what_must_be),
		cmocka_unit_test(what_is_encoded_decodes),
		cmocka_unit_test(noise_is_the_same_however_it_is_split),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
