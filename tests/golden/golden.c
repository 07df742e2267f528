/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden transcripts: the real session between a scripted GDB and a scripted QEMU, in
 * one process and one loop. A transcript has the lines that `baton -vv` writes:
 *
 *	gdb -> PAYLOAD	GDB sends a packet	gdb <- PAYLOAD	and must get one
 *	qemu -> PAYLOAD	QEMU sends a packet	qemu <- PAYLOAD	and must get one
 *
 * with \xNN for what does not print; `\x03` alone is an interrupt, unframed. And, for what
 * logs do not show:
 *
 *	gdb => BYTES	sent as they are	gdb <= +	acknowledged here, or (-) not
 *	gdb long N	a packet of N bytes	gdb close	(qemu close) the end of a connection
 *	ends lost	QEMU's end ends the session: the last line
 *	# why		a comment
 *
 * A line is sent once all that was expected before it is there. What baton sends must be
 * the next expected line of that peer. A transcript that does not open the machine itself
 * (its first line is QEMU's) comes after open.txt.
 */
#include "handoff/run.h"
#include "patch/journal.h"
#include "proxy/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define STALL_SECONDS 10
#define RANDOM_RUNS   8
#define LINES_MAX     4096

enum peer_name { GDB, QEMU, PEERS };
enum act { SEND, RAW, EXPECT, EXPECT_ACK, LONG, CLOSE, ENDS_LOST };

struct line {
	enum peer_name peer;
	enum act act;
	struct buf data;
	unsigned int number; /* in its file */
	bool done;
};

struct peer {
	struct listener listener; /* QEMU's */
	struct link link;
	struct packet_decoder decoder;
	struct replay *replay;
	const char *name;
};

struct replay {
	struct line line[LINES_MAX];
	size_t count, at; /* at: the first line that is not done */
	struct peer peer[PEERS];
	struct loop loop;
	struct session session;
	struct live live;
	struct context ctx;
	char folder[64], gdb_addr[96];
	int split; /* bytes at a time: 0 all; -1 random */
	unsigned int seed;
	int timer;
	bool serving; /* the machine is open: GDB may come */
	char failure[512];
};

/* Transcripts */

static void unescape(struct buf *out, const char *text)
{
	while (*text) {
		unsigned int byte;

		if (sscanf(text, "\\x%2x", &byte) == 1) {
			buf_putc(out, (char)byte);
			text += 4;
		} else {
			buf_putc(out, *text++);
		}
	}
}

static bool parse_line(struct line *l, const char *text)
{
	static const struct {
		const char *word;
		enum act act;
	} acts[] = {
		{ " -> ", SEND },	{ " => ", RAW },    { " <- ", EXPECT },
		{ " <= ", EXPECT_ACK }, { " long ", LONG }, { " close", CLOSE },
	};
	bool qemu = strncmp(text, "qemu", 4) == 0;

	if (strcmp(text, "ends lost") == 0) {
		l->act = ENDS_LOST;
		return true;
	}
	if (!qemu && strncmp(text, "gdb", 3) != 0)
		return false;
	l->peer = qemu ? QEMU : GDB;
	text += qemu ? 4 : 3;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		size_t n = strlen(acts[i].word);

		if (strncmp(text, acts[i].word, n) != 0)
			continue;
		l->act = acts[i].act;
		unescape(&l->data, text + n);
		return true;
	}
	return false;
}

static bool load(struct replay *r, const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t cap = 0;
	unsigned int number = 0;
	bool ok = f != NULL;

	while (ok && getline(&text, &cap, f) >= 0) {
		text[strcspn(text, "\n")] = 0;
		number++;
		if (!*text || *text == '#')
			continue;
		ok = r->count < LINES_MAX && parse_line(&r->line[r->count], text);
		r->line[r->count++].number = number;
	}
	if (!ok)
		printf("# %s:%u: %s\n", path, number, f ? "not a transcript" : strerror(errno));
	free(text);
	if (f)
		fclose(f);
	return ok;
}

/* The peers */

static void fail(struct replay *r, const char *what, const struct line *l, const char *data)
{
	if (!r->failure[0])
		snprintf(r->failure, sizeof(r->failure), "line %u: %s: %.200s (expected %.200s)",
			 l ? l->number : 0, what, data,
			 l && l->data.data ? l->data.data : "nothing");
	r->loop.quit = true;
	/* What waits for an answer hears that none will come. */
	link_close(&r->peer[QEMU].link);
}

static void connect_gdb(struct replay *r)
{
	struct peer *p = &r->peer[GDB];
	char err[LINK_ERR_SIZE];

	if (link_is_open(&p->link))
		return;
	packet_decoder_reset(&p->decoder);
	if (link_connect(&p->link, r->gdb_addr, err))
		fail(r, "GDB cannot connect", NULL, err);
}

static void queue_line(struct replay *r, struct line *l)
{
	struct peer *p = &r->peer[l->peer];

	if (l->peer == GDB)
		connect_gdb(r);
	if (l->act == LONG) {
		struct buf data = { 0 };

		for (long n = atol(l->data.data); n > 0; n--)
			buf_putc(&data, 'a');
		packet_encode(&p->link.out, data.data, data.len);
		buf_free(&data);
	} else if (l->act == RAW || (l->data.len == 1 && l->data.data[0] == 3)) {
		link_write(&p->link, l->data.data, l->data.len);
	} else {
		packet_encode(&p->link.out, l->data.data, l->data.len);
	}
}

/* All that may be sent now; the end, if there is nothing more to come. */
static void pump(struct replay *r)
{
	while (r->at < r->count && !r->failure[0]) {
		struct line *l = &r->line[r->at];

		if (l->peer == GDB && !r->serving)
			return;
		if (l->act == CLOSE) {
			if (link_wants_write(&r->peer[l->peer].link))
				return;
			link_close(&r->peer[l->peer].link);
		} else if (!l->done && (l->act == EXPECT || l->act == EXPECT_ACK)) {
			return;
		} else if (!l->done && l->act != ENDS_LOST) {
			/* One after the other, also between the two. */
			if (link_wants_write(&r->peer[!l->peer].link))
				return;
			queue_line(r, l);
		}
		l->done = true;
		r->at++;
	}
	/* Told to end, unless it has to see by itself. */
	if (r->at == r->count && r->count && r->line[r->count - 1].act != ENDS_LOST &&
	    !link_wants_write(&r->peer[GDB].link) && !link_wants_write(&r->peer[QEMU].link))
		r->loop.quit = true;
}

/* The next line that this peer expects; NULL where something has to be sent before. */
static struct line *expected(struct replay *r, const struct peer *p)
{
	for (size_t i = r->at; i < r->count; i++) {
		struct line *l = &r->line[i];

		if (l->act != EXPECT && l->act != EXPECT_ACK)
			return NULL;
		if (!l->done && &r->peer[l->peer] == p)
			return l;
	}
	return NULL;
}

static void got(struct peer *p, const struct packet_event *ev)
{
	struct replay *r = p->replay;
	struct line *l = expected(r, p);
	bool gdb = p == &r->peer[GDB];

	if (ev->kind == PACKET_ACK || ev->kind == PACKET_NAK) {
		const char *sign = ev->kind == PACKET_ACK ? "+" : "-";

		if (l && l->act == EXPECT_ACK && strcmp(l->data.data, sign) == 0)
			l->done = true;
		else if (ev->kind == PACKET_NAK || !gdb)
			fail(r, gdb ? "GDB got" : "QEMU got", l, sign);
		return;
	}
	if (ev->kind == PACKET_INTERRUPT && !gdb && l && l->data.len == 1 && l->data.data[0] == 3) {
		l->done = true;
		return;
	}
	if (ev->kind != PACKET_DATA) {
		fail(r, packet_kind_name(ev->kind), l, p->name);
		return;
	}
	if (!l || l->act != EXPECT || l->data.len != ev->len ||
	    (ev->len && memcmp(l->data.data, ev->data, ev->len) != 0)) {
		fail(r, gdb ? "GDB got" : "QEMU got", l, ev->data);
		return;
	}
	l->done = true;
	link_write(&p->link, "+", 1);
}

static void decode(struct peer *p)
{
	struct packet_event ev;
	size_t used;

	while (p->link.in.len && !p->replay->failure[0]) {
		packet_decode(&p->decoder, (const uint8_t *)p->link.in.data, p->link.in.len, &used,
			      &ev);
		buf_consume(&p->link.in, used);
		if (ev.kind != PACKET_NONE)
			got(p, &ev);
	}
	pump(p->replay);
}

static int peer_want(void *ctx, short *events)
{
	struct peer *p = ctx;

	if (!link_is_open(&p->link))
		return p->listener.fd;
	if (link_wants_write(&p->link))
		*events |= POLLOUT;
	return p->link.read_fd;
}

/* As much as the way of splitting allows; GDB's MiB-long packets in larger pieces. */
static void send_some(struct peer *p)
{
	struct replay *r = p->replay;
	size_t n = p->link.out.len, limit = n > 100000 ? 65536 : 1;
	ssize_t sent;

	if (r->split)
		limit *= r->split > 0 ? (size_t)r->split : 1 + (size_t)(rand_r(&r->seed) % 40);
	if (r->split && n > limit)
		n = limit;
	sent = write(p->link.write_fd, p->link.out.data, n);
	if (sent > 0)
		buf_consume(&p->link.out, (size_t)sent);
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		link_close(&p->link);
	pump(r);
}

static void peer_ready(void *ctx, short events)
{
	struct peer *p = ctx;

	if (!link_is_open(&p->link)) {
		listener_accept(&p->listener, &p->link);
		pump(p->replay);
		return;
	}
	if (events & POLLOUT)
		send_some(p);
	if (link_is_open(&p->link) && (events & (POLLIN | POLLHUP))) {
		int n = link_read(&p->link);

		decode(p);
		if (n < 0)
			link_close(&p->link);
	}
}

static int timer_want(void *ctx, short *events)
{
	(void)events;
	return ((struct replay *)ctx)->timer;
}

static void timer_ready(void *ctx, short events)
{
	struct replay *r = ctx;

	(void)events;
	fail(r, "nothing more comes", r->at < r->count ? &r->line[r->at] : NULL, "");
	timerfd_settime(r->timer, 0, &(struct itimerspec){ 0 }, NULL);
}

/* One replay */

static void set_up(struct replay *r, char qemu_addr[96])
{
	static const char *const names[PEERS] = { "gdb", "qemu" };
	struct itimerspec limit = { .it_value.tv_sec = STALL_SECONDS };
	char err[LINK_ERR_SIZE];

	snprintf(r->folder, sizeof(r->folder), "/tmp/baton-golden-XXXXXX");
	if (!mkdtemp(r->folder))
		abort();
	snprintf(qemu_addr, 96, "unix:%s/qemu", r->folder);
	snprintf(r->gdb_addr, sizeof(r->gdb_addr), "unix:%s/gdb", r->folder);
	for (int i = 0; i < PEERS; i++) {
		struct peer *p = &r->peer[i];

		*p = (struct peer){ LISTENER_CLOSED, LINK_CLOSED, .replay = r, .name = names[i] };
		packet_decoder_init(&p->decoder, 1u << 20);
		p->decoder.rle = false;
		loop_add(&r->loop, (struct loop_source){ peer_want, peer_ready, p });
	}
	if (listener_open(&r->peer[QEMU].listener, qemu_addr, false, err))
		fail(r, "listen", NULL, err);
	r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	timerfd_settime(r->timer, 0, &limit, NULL);
	loop_add(&r->loop, (struct loop_source){ timer_want, timer_ready, r });
	r->ctx.machine = &r->live.m;
	r->ctx.symbols = symbols_new();
	r->ctx.journal = journal_new();
	r->ctx.handoff = handoff_new();
}

/* What was sent before the end, or beyond the end of the transcript. */
static void drain(struct replay *r)
{
	for (int i = 0; i < PEERS; i++) {
		struct peer *p = &r->peer[i];

		while (link_is_open(&p->link) && link_read(&p->link) > 0)
			;
		if (link_is_open(&p->link))
			decode(p);
	}
}

static void tear_down(struct replay *r)
{
	live_close(&r->live);
	drain(r);
	for (int i = 0; i < PEERS; i++) {
		link_close(&r->peer[i].link);
		packet_decoder_free(&r->peer[i].decoder);
		listener_close(&r->peer[i].listener);
	}
	close(r->timer);
	rmdir(r->folder);
	handoff_free(r->ctx.handoff);
	journal_free(r->ctx.journal);
	symbols_free(r->ctx.symbols);
}

static void serve(struct replay *r)
{
	bool lost = r->line[r->count - 1].act == ENDS_LOST;
	char err[LINK_ERR_SIZE];
	int status;

	r->session = (struct session){ .live = &r->live, .ctx = &r->ctx };
	r->session.client.log = r->live.rsp.log;
	if (session_listen(&r->session, &r->loop, r->gdb_addr, false, err)) {
		fail(r, "session_listen", NULL, err);
		return;
	}
	r->serving = true;
	pump(r);
	status = session_serve(&r->session);
	session_close(&r->session);
	drain(r);
	if (!r->failure[0] && status != (lost ? -BATON_ELINK : 0))
		fail(r, "the session's end", NULL, baton_strerror(status));
	if (!r->failure[0] && r->at < r->count)
		fail(r, "the session ended early", &r->line[r->at], "");
}

static bool replay(const char *path, const char *opening, int split, unsigned int seed)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct buf why = { 0 };
	char qemu_addr[96];
	bool ok;

	if (!r)
		abort();
	r->split = split;
	r->seed = seed;
	ok = (!opening || load(r, opening)) && load(r, path);
	if (ok) {
		set_up(r, qemu_addr);
		r->live.rsp.log = getenv("GOLDEN_LOG") != NULL;
		if (live_open(&r->live, &r->loop, qemu_addr, &why))
			fail(r, "live_open", NULL, why.data);
		else
			serve(r);
		tear_down(r);
		ok = !r->failure[0];
		if (!ok)
			printf("# %s: %s\n", path, r->failure);
	}
	for (size_t i = 0; i < r->count; i++)
		buf_free(&r->line[i].data);
	buf_free(&why);
	free(r);
	return ok;
}

/* Only the opening begins with a question to QEMU. */
static bool opens_itself(const char *path)
{
	FILE *f = fopen(path, "r");
	char text[256] = "#";

	while (f && (*text == '#' || *text == '\n') && fgets(text, sizeof(text), f))
		;
	if (f)
		fclose(f);
	return strncmp(text, "qemu <- ", 8) == 0;
}

int main(int argc, char **argv)
{
	unsigned int n = 0, bad = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: golden FOLDER/open.txt TRANSCRIPT...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		const char *base = strrchr(argv[i], '/');
		const char *opening = opens_itself(argv[i]) ? NULL : argv[1];

		bool ok = true;

		/* One failure tells enough. */
		for (int run = 0; ok && run < 2 + RANDOM_RUNS; run++) {
			char how[32];

			ok = replay(argv[i], opening, run < 2 ? run : -1, (unsigned int)run);

			snprintf(how, sizeof(how),
				 run == 0   ? "whole"
				 : run == 1 ? "byte by byte"
					    : "split at random, seed %d",
				 run);
			printf("%s %u - %s, %s\n", ok ? "ok" : "not ok", ++n,
			       base ? base + 1 : argv[i], how);
			bad += !ok;
		}
	}
	printf("1..%u\n", n);
	return bad != 0;
}
