/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection: bytes in, bytes out, never blocking, over TCP, a unix socket, a
 * pair of file descriptors or stdio. The caller polls: link->read_fd for POLLIN,
 * link->write_fd for POLLOUT while link_wants_write().
 *
 * Addresses: `HOST:PORT`, `[HOST]:PORT`, `PORT` and `:PORT` (localhost), `tcp:` before
 * any of these, `unix:PATH`.
 */
#ifndef BATON_LINK_H
#define BATON_LINK_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/** Room for an error text: one line without newline, naming the address and the reason. */
#define LINK_ERR_SIZE 160

struct link {
	int read_fd, write_fd; /* the same for sockets; -1 when closed */
	struct buf in;	       /* received, for the caller to buf_consume() */
	struct buf out;	       /* queued, not yet sent */
	int last_errno;	       /* why the link was lost, 0 for an orderly end */
};

struct listener {
	int fd;	       /* poll for POLLIN; -1 when closed */
	char *address; /* as GDB should be told: `localhost:41233`, `unix:/tmp/x` */
	char *path;    /* unix: the socket file that listener_close() removes, else NULL */
};

/** LINK_CLOSED - an initialiser: a link that is not connected. */
#define LINK_CLOSED                           \
	{                                     \
		.read_fd = -1, .write_fd = -1 \
	}
#define LISTENER_CLOSED  \
	{                \
		.fd = -1 \
	}

/**
 * link_connect() - connect to @addr; waits for the connection (GDB's stub is there
 * or it is not), after which the link does not block.
 * @err: LINK_ERR_SIZE bytes, written on error only
 *
 * Return: 0; -BATON_EINVAL: not an address; -BATON_ELINK: nobody there;
 * -BATON_ESYS: no socket to be had.
 */
int link_connect(struct link *l, const char *addr, char err[LINK_ERR_SIZE]);

/** link_from_fds() - take over open descriptors (0 and 1 for stdio); makes them non-blocking. */
void link_from_fds(struct link *l, int read_fd, int write_fd);

static inline bool link_is_open(const struct link *l)
{
	return l->read_fd >= 0;
}

/**
 * link_read() - append what has arrived to l->in; one read of up to 64 KiB.
 *
 * Return: the number of bytes; 0 if there is nothing now; -BATON_ELINK at end of file
 * or on an error (l->last_errno tells them apart).
 */
int link_read(struct link *l);

/** link_write() - queue bytes; nothing is sent before link_flush(). */
void link_write(struct link *l, const void *data, size_t len);

/**
 * link_flush() - send as much as goes without blocking. Never raises SIGPIPE on a
 * socket; for pipes the program must ignore SIGPIPE.
 *
 * Return: 0, even if bytes are left (link_wants_write()); -BATON_ELINK if the peer
 * is gone; what was queued is then dropped.
 */
int link_flush(struct link *l);
bool link_wants_write(const struct link *l);

/** link_close() - close and free; harmless on a closed link. Unsent bytes are lost. */
void link_close(struct link *l);

/**
 * listener_open() - listen at @addr; port 0 takes a free one.
 * @allow_remote: without it only loopback addresses and unix sockets are accepted:
 *                who reaches the port owns the machine
 *
 * A stale socket file that nobody listens on is replaced; any other file is not.
 *
 * Return: 0; -BATON_EINVAL: not an address; -BATON_EREFUSED: not loopback;
 * -BATON_ESYS: bind or listen failed, @err says why.
 */
int listener_open(struct listener *s, const char *addr, bool allow_remote, char err[LINK_ERR_SIZE]);

/** listener_address() - append the address to give to GDB's `target remote`. */
void listener_address(const struct listener *s, struct buf *out);

/**
 * listener_accept() - the next connection, non-blocking.
 *
 * Return: 0; -BATON_EBUSY: nobody is waiting; -BATON_ESYS: see errno.
 */
int listener_accept(struct listener *s, struct link *l);

/** listener_close() - close, and remove the socket file that listener_open() made. */
void listener_close(struct listener *s);

#endif
