/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client side of the remote protocol: one connection to QEMU's gdbstub.
 *
 * No `+` is ever sent: QEMU counts the next `$` as one, and a late `+` that arrives
 * while the machine runs would stop it and be thrown away. For the same reason
 * nothing but an interrupt may be sent between a resume and its stop reply;
 * rsp_send() asserts that.
 */
#ifndef BATON_RSP_H
#define BATON_RSP_H

#include "buf.h"
#include "link.h"
#include "loop.h"
#include "packet.h"

#define RSP_TIMEOUT_MS 30000 /* an answer to a plain question */

struct rsp {
	struct loop *loop;
	struct link link;
	size_t taken; /* of link.in */
	struct packet_decoder decoder;
	struct buf last;		   /* the request under way, framed, for a NAK */
	const struct rsp_pipeline *flight; /* not all received yet; NULL: none */
	size_t sent, received;
	struct buf payload, answer; /* of the flight */
	bool running;		    /* between a resume and its stop reply */
	bool brief;		    /* it ends soon: being told to end waits for that */
	bool lost;
	bool log; /* wire level: every packet to stderr; outlives rsp_open() */
	char error[LINK_ERR_SIZE + 64];
};

/** rsp_open() - connect; @addr as link_connect(). rsp_open_link() - take over a connection. */
int rsp_open(struct rsp *r, struct loop *loop, const char *addr);
void rsp_open_link(struct rsp *r, struct loop *loop, struct link link);
void rsp_close(struct rsp *r);

/** rsp_send() - send one packet, without waiting for anything. -BATON_ELINK. */
int rsp_send(struct rsp *r, const void *payload, size_t len);
/** rsp_send_with_next() - the same, but it goes out together with what is sent next. */
int rsp_send_with_next(struct rsp *r, const void *payload, size_t len);

/**
 * rsp_receive() - the next packet. -BATON_ETIMEDOUT: none within @timeout_ms (-1: no
 * limit); -BATON_ELINK: QEMU is gone (r->lost), or we were told to end while the machine
 * runs: then the connection is whole. r->error says which. Told to end while an answer is
 * under way, it is still waited for, so that the machine can be left in order.
 */
int rsp_receive(struct rsp *r, int timeout_ms, struct buf *reply);

/** rsp_call() - send, and receive the one answer. */
int rsp_call(struct rsp *r, struct buf *reply, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int rsp_call_data(struct rsp *r, const void *payload, size_t len, struct buf *reply);

/**
 * rsp_pipeline() - many requests, answers in order. @request writes the @i-th payload
 * into an empty buffer; @reply takes its answer. At most 64 are under way at once.
 * A negative return of @reply is returned at the end, after all have been received;
 * RSP_MORE: another packet still belongs to this answer.
 */
#define RSP_MORE 1
struct rsp_pipeline {
	size_t count;
	void (*request)(void *ctx, size_t i, struct buf *payload);
	int (*reply)(void *ctx, size_t i, const struct buf *answer);
	void *ctx;
};
int rsp_pipeline(struct rsp *r, const struct rsp_pipeline *p);

/**
 * rsp_pipeline_start() - the same, but with the answers still to come: the caller works
 * while QEMU does. @p stays as it is until all are there. rsp_pipeline_receive() - until
 * @n of them are, or all. What else is asked of QEMU finishes the flight first.
 * Return: 0; what @reply returned meanwhile; -BATON_ELINK.
 */
int rsp_pipeline_start(struct rsp *r, const struct rsp_pipeline *p);
int rsp_pipeline_receive(struct rsp *r, size_t n);

/** rsp_lose() - give the connection up; returns -BATON_ELINK. */
int rsp_lose(struct rsp *r, const char *what);

/** rsp_interrupt() - send 0x03 (GDB manual, E.10 "Interrupts"). */
int rsp_interrupt(struct rsp *r);

#endif
